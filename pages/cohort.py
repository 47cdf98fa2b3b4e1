"""Cohort: a synthetic cohort of pairs to download."""

import streamlit as st

from cavae.ui import navigation, widgets

navigation.require_frame()
st.title("Cohort")
widgets.require_cohort()
