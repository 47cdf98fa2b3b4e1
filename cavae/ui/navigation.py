"""The pages of the app, in one list: the menu and Home's overview are both drawn from it."""

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Entry:
    """A page in the menu; `summary` says on Home what can be done there ("" = not listed)."""

    path: str
    title: str
    icon: str
    summary: str = ""


PAGES: tuple[Entry, ...] = (
    Entry("pages/home.py", "Home", ":material/home:"),
    Entry("pages/about.py", "About", ":material/info:"),
)


def pages() -> list[st.Page]:
    """Every page as Streamlit wants it; the first one opens by default."""
    return [
        st.Page(entry.path, title=entry.title, icon=entry.icon, default=entry is PAGES[0])
        for entry in PAGES
    ]
