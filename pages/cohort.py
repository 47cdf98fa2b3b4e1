"""Cohort: a synthetic cohort of pairs to download."""

import streamlit as st

from cavae.ui import widgets

st.title("Cohort")
widgets.require_cohort()
