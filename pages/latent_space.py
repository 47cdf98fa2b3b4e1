"""Latent space: common and salient codes of the loaded people, side by side."""

import streamlit as st

from cavae.ui import frame, widgets

frame.require()
st.title("Latent space")
widgets.require_cohort()
