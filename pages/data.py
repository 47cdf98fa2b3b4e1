"""Data: read a table and see what was recognized."""

import streamlit as st

from cavae.ui import frame, widgets

frame.require()
st.title("Data")
widgets.require_cohort()
