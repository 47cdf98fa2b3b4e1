"""The page's colours where Streamlit does not bring them by itself."""

import streamlit as st


def text_color() -> str | None:
    """Text of the theme that the visitor sees, "#RRGGBB"; None before a browser has told."""
    theme = st.context.theme.type
    return st.get_option(f"theme.{theme}.textColor") if theme else None
