"""Counterfactual: one person beside their healthy twin."""

import streamlit as st

from cavae.ui import navigation, widgets

navigation.require_frame()
st.title("Counterfactual")
widgets.require_cohort()
