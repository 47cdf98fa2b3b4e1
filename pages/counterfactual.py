"""Counterfactual: one person beside their healthy twin."""

import streamlit as st

from cavae.ui import widgets

st.title("Counterfactual")
widgets.require_cohort()
