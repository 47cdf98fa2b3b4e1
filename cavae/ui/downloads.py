"""Tables to take away, as the command line would write them."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from cavae.tables import csv_bytes


def csv_button(label: str, make: Callable[[], pd.DataFrame], file_name: str, key: str) -> None:
    """A button that makes a table when it is pressed and hands it over as CSV."""
    st.download_button(
        label,
        lambda: csv_bytes(make()),
        file_name=file_name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=key,
    )
