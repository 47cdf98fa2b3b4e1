"""Data: read a table and see what was recognized."""

import streamlit as st

from cavae.ui import widgets

st.title("Data")
widgets.require_cohort()
