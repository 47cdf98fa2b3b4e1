"""Cohort: a synthetic cohort of pairs to download."""

import streamlit as st

from cavae.ui import frame, widgets

frame.require()
st.title("Cohort")
widgets.require_cohort()
