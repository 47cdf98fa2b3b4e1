"""The lesson: the explorer in six prepared states, with a question each, all in the browser.

Nothing of a lesson is told to Python, so a class of thirty costs the server thirty page openings.
"""

from streamlit.components import v2

from cavae import explorer
from cavae.ui import state
from cavae.ui.explorer import bundled


def mount() -> None:
    """Draw the lesson with the synthetic people of the chosen model; raises CavaeError."""
    html, style = explorer.lesson_template()
    component = v2.component("lesson", html=html, css=style, js=explorer.lesson_scripts())
    component(key="lesson", data=bundled(state.model_name()).text)
