"""Exit status 0 when the app on this machine takes visitors: the health check of the container."""

import os
from urllib.request import urlopen

port = os.environ.get("STREAMLIT_SERVER_PORT", "8501")
path = os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", "").strip("/")
urlopen("/".join(filter(None, (f"http://127.0.0.1:{port}", path, "_stcore/health"))), timeout=4)
