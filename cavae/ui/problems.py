"""The faults of a table, listed to be read and to be taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from cavae.numbers import counted
from cavae.ui import downloads
from cavae.ui.widgets import plain

if TYPE_CHECKING:
    from cavae.cohort import Check

COLUMNS = {
    "row": "Row",
    "column": "Column",
    "value": "Value",
    "rule": "Rule",
    "message": "What is wrong",
}
SHOWN, MANY = 100, 12
HEIGHT = 500
"""Pixels of a list of many problems, which scrolls."""


def show(check: Check, name: str) -> None:
    """Every fault by row and column, and the same list to download."""
    title, save = st.columns([3, 1], vertical_alignment="bottom")
    title.header(counted(len(check.problems), "problem"), anchor=False)
    st.markdown(f"{counted(check.rows - check.usable, 'row')} of {check.rows:,} left out.")
    table = check.problems_table()
    # Not a dataframe, whose cells would cut the sentences off.
    st.table(
        _readable(table.head(SHOWN)),
        border="horizontal",
        height=HEIGHT if len(table) > MANY else "content",
    )
    if len(table) > SHOWN:
        st.caption(f"The list scrolls and has the first {SHOWN}; the download has all.")
    elif len(table) > MANY:
        st.caption("The list scrolls.")
    with save:
        file_name = f"{name.rsplit('.', 1)[0]}_problems.csv"
        downloads.csv_button("Download the problems", lambda: table, file_name, "problems")


def _readable(problems: pd.DataFrame) -> pd.DataFrame:
    """The table as text that Markdown shows as it is; the row is a number of the spreadsheet."""
    text = problems.astype(object).where(problems.notna(), "").astype(str)
    return text.map(plain).rename(columns=COLUMNS)
