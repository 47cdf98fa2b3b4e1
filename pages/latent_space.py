"""Latent space: common and salient codes of the loaded people, side by side."""

import streamlit as st

from cavae.ui import navigation, widgets

navigation.require_frame()
st.title("Latent space")
widgets.require_cohort()
