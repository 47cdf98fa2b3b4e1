"""The entry of the app: streamlit run app.py."""

import streamlit as st

from cavae.ui import frame, making

app = st.App(__file__, routes=[making.ROUTE])  # The server: `streamlit run` finds it here.

if __name__ == "__main__":  # A visitor's page.
    frame.run()
