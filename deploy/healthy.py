"""Exit status 0 when the app on this machine takes visitors: the health check of the container."""

import os
from urllib.request import urlopen

address = os.environ.get("STREAMLIT_SERVER_PORT", "8501")
path = os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", "").strip("/")
urlopen(f"http://127.0.0.1:{address}/{path}/_stcore/health".replace("1//", "1/"), timeout=4)
