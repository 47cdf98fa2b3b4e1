"""Evaluate: how good a model is, beside its floors and beside the paper."""

import streamlit as st

from cavae import figures, findings
from cavae.ui import frame, measuring, merits, models, widgets

frame.require()
st.title("Evaluate", anchor=False)

with widgets.errors_as_sentences():
    current = models.current_model()
    st.markdown(f"How good **{widgets.plain(current.name)}** is, beside what it should be.")
    if figures.fits_simulation(current):
        merits.show_simulated(current)
    else:
        measured = measuring.measured_people(current)
        merits.show_picture(measured)
        merits.show_numbers(measured)

    ablation = findings.recorded_ablation()
    merits.show_table_a1(ablation)
    merits.show_figures(ablation)
    merits.offer_files(ablation)
