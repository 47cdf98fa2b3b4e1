"""The entry of the app: streamlit run app.py."""

import streamlit as st

from cavae.ui import frame, server

app = st.App(__file__, **server.options())  # The server: `streamlit run` finds it here.

if __name__ == "__main__":  # A visitor's page.
    frame.run()
