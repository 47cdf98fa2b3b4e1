"""Home: what this is in one picture, and two ways to begin."""

import streamlit as st

from cavae.ui import models, widgets

st.title("Every patient, beside their healthy twin")
widgets.demo_button()
models.warm_up()
