"""About: the method in plain words, its limits, sources and privacy."""

import streamlit as st

from cavae.ui import navigation

navigation.require_frame()
st.title("About")
