"""About: the method in plain words, its limits, sources and privacy."""

import streamlit as st

st.title("About")
