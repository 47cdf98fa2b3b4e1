"""The frame of the app: page settings, menu, and the sidebar that says what is loaded."""

from pathlib import Path

import streamlit as st

from cavae.ui import navigation, widgets

ASSETS = Path(__file__).parent / "assets"
ICON = str(ASSETS / "icon.svg")

st.set_page_config(
    page_title="Healthy Twin",
    page_icon=ICON,
    layout="wide",
    # An entry of its own keeps the menu, and with it the choice of a light or dark theme.
    menu_items={"About": widgets.NOT_DIAGNOSTIC},
)
page = st.navigation(navigation.pages())
st.logo(str(ASSETS / "logo.svg"), icon_image=ICON, size="large")
widgets.sidebar_status()
page.run()
