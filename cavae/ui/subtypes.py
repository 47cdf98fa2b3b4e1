"""Subtypes on pages: whom a person belongs to, what each subtype changes, how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cavae.ui.glossary import explain
from cavae.ui.widgets import plain

if TYPE_CHECKING:
    from cavae.checkpoint import Model
    from cavae.subtypes import Subtype

Array = NDArray[np.float64]

MENTIONED = 0.005
"""Chance below which a subtype is not mentioned: it would be written as 0 %."""


def of_model(model: Model) -> tuple[Subtype, ...]:
    """The subtypes of a model; none where it looked for none."""
    from cavae.subtypes import describe_subtypes

    return () if model.calibration is None else describe_subtypes(model)


def title(one: Subtype, among: tuple[Subtype, ...]) -> str:
    """`Subtype 2 (hippocampus and amygdala)`; of a single one `Disease pattern (…)`."""
    name = one.name if one.name[:2].isupper() else one.name[:1].lower() + one.name[1:]
    kind = f"Subtype {one.number}" if len(among) > 1 else "Disease pattern"
    return f"{kind} ({name})"


def of_person(model: Model, salient: Array) -> None:
    """A line with someone's chances, likeliest first; nothing where a model knows no subtypes."""
    from cavae.subtypes import subtype_chances

    if found := of_model(model):
        chances = subtype_chances(model, salient[None])[0]
        names = ["none", *(title(one, found) for one in found)]
        st.markdown(in_words(names, chances), help=explain("subtype"))


def in_words(names: list[str], chances: Array) -> str:
    """`Subtype 2 (…) **93 %**, none 5 %`: the likeliest first, as Markdown."""
    order = np.argsort(-chances, kind="stable")
    told = [f"{plain(names[k])} {_percent(chances[k])}" for k in order if chances[k] >= MENTIONED]
    first, *others = told
    text = ", ".join([f"**{first}**", *others])
    return text[:2] + text[2:3].upper() + text[3:]


def _percent(chance: float) -> str:
    return "over 99 %" if chance > 0.995 else f"{100 * chance:.0f} %"
