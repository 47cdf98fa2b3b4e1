"""Lesson: six steps with a question each, for a class; after the start all runs in the browser."""

import streamlit as st

from cavae.ui import frame, lesson, widgets

frame.require()
st.title("Lesson", anchor=False)
with widgets.errors_as_sentences():
    lesson.mount()
