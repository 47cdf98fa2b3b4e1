"""The entry of the app: streamlit run app.py."""

from cavae.ui import frame

frame.run()
