"""Drawings that belong to the app itself; data become figures in cavae/plots.py."""

from pathlib import Path

from streamlit.components import v2

ASSETS = Path(__file__).parents[2] / "assets"


def story() -> None:
    """Draw the method in one picture: person → common z and salient s → healthy twin and effect.

    A component, because st.html drops SVG and st.image cannot follow the theme's text colour.
    """
    v2.component("story", html=(ASSETS / "home.svg").read_text(encoding="utf-8"))()
