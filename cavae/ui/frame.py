"""The frame around every page: page settings, menu, and the sidebar that says what is loaded."""

from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from cavae.ui import charts, navigation, widgets

ASSETS = Path(__file__).parents[2] / "assets"
ICON = str(ASSETS / "icon.svg")


def run() -> None:
    """Draw the frame, then the page that the visitor asked for."""
    st.set_page_config(
        page_title="Healthy Twin",
        page_icon=ICON,
        layout="wide",
        # An entry of its own keeps the menu, and with it the choice of a light or dark theme.
        menu_items={"About": widgets.NOT_DIAGNOSTIC},
    )
    charts.make_readable()
    page = st.navigation(navigation.pages())
    st.logo(str(ASSETS / "logo.svg"), icon_image=ICON, size="large")
    widgets.sidebar_status()
    with widgets.errors_as_sentences():
        page.run()
    widgets.research_notice()


def require() -> None:
    """Open the page inside the frame if Streamlit opened it alone; the first line of every page.

    Until app.py has run once in a process, Streamlit takes the folder pages/ for its older kind of
    app: a visitor who reloads a page after a restart would have no menu.
    """
    if PagesManager.uses_pages_directory:
        run()  # This page again: the menu is made now, so it will not come back here.
        st.stop()
