"""Counterfactual: one person beside their healthy twin."""

import streamlit as st

from cavae.ui import frame, widgets

frame.require()
st.title("Counterfactual")
widgets.require_cohort()
