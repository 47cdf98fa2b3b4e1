"""Tables to take away, as the command line would write them."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from cavae.tables import csv_bytes

KEPT = " .-_()+,"
LONGEST = 100
"""Characters of a file name before its ending; a few of them may take four bytes each."""


def csv_button(label: str, make: Callable[[], pd.DataFrame], file_name: str, key: str) -> None:
    """A button that makes a table when it is pressed and hands it over as CSV."""
    st.download_button(
        label,
        lambda: csv_bytes(make()),
        file_name=plain_name(file_name),
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=key,
    )


def plain_name(file_name: str) -> str:
    """A file name with a stranger's words in it, such as an id, as any computer takes it: no
    folders, no signs that a shell or a header reads, nothing hidden, and not endless."""
    stem, dot, ending = file_name.rpartition(".")
    kept = "".join(c if c.isalnum() or c in KEPT else "_" for c in stem[:LONGEST])
    return f"{kept.lstrip(' .-') or 'table'}{dot}{ending}"
