"""Data: read a table and see what was recognized."""

import streamlit as st

from cavae.ui import navigation, widgets

navigation.require_frame()
st.title("Data")
widgets.require_cohort()
