"""What makes results less certain, beside the results: warnings stand out, the rest stays quiet."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from cavae.ui.widgets import plain

WARNING = "Warning: "


def warnings(sentences: Iterable[str]) -> None:
    """Those sentences about the loaded people that begin with "Warning: ", set apart."""
    for sentence in sentences:
        if sentence.startswith(WARNING):
            text = sentence.removeprefix(WARNING)
            _stand_out(text[0].upper() + text[1:])


def remarks(sentences: Iterable[str]) -> None:
    """The other sentences: what was assumed."""
    for sentence in sentences:
        if not sentence.startswith(WARNING):
            st.caption(f":material/info: {plain(sentence)}")


def cautions(sentences: Iterable[str]) -> None:
    """What makes a result less certain."""
    for sentence in sentences:
        _stand_out(sentence)


def _stand_out(sentence: str) -> None:
    # No box: it would push the picture that it is about off the screen.
    st.markdown(f":small[:orange[:material/warning: **{plain(sentence)}**]]")
