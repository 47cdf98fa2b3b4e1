"""Subtypes on pages: whom a person belongs to, what each subtype changes, how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cavae import plots
from cavae.numbers import people
from cavae.ui import charts, downloads, results
from cavae.ui.glossary import explain
from cavae.ui.latents import Group
from cavae.ui.widgets import plain

if TYPE_CHECKING:
    from cavae.checkpoint import Model
    from cavae.cohort import Cohort
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
    return f"{short_title(one, among)} ({_in_sentence(one.name)})"


def _in_sentence(name: str) -> str:
    """A name without its capital; abbreviations keep theirs."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def short_title(one: Subtype, among: tuple[Subtype, ...]) -> str:
    """`Subtype 2`; of a single one `Disease pattern`."""
    return f"Subtype {one.number}" if len(among) > 1 else "Disease pattern"


def groups(model: Model) -> list[Group]:
    """The subtypes as they lie in the salient space."""
    found = of_model(model)
    return [
        Group(
            short_title(one, found),
            model.calibration.means[one.number - 1],
            model.calibration.covariances[one.number - 1],
        )
        for one in found
    ]


def panel(model: Model, cohort: Cohort) -> None:
    """What each subtype changes, how many people have it, how their number was chosen."""
    found = of_model(model)
    if not found:
        return
    several = len(found) > 1
    word = "Subtypes" if several else "The disease pattern"
    st.header(word, anchor=False, help=explain("subtype"))
    st.markdown(_introduced(found, cohort))
    figure = plots.plot_subtypes(found, [_panel_title(one, found) for one in found])
    words = "; ".join(f"{title(one, found)}, {one.share:.0%} of the patients" for one in found)
    charts.draw(figure, "subtypes_picture", words)
    expander = st.expander("How the number was chosen", key="criterion", on_change="rerun")
    if expander.open:
        with expander:
            _show_criterion(model)
    downloads.csv_button(
        "Download who belongs where",
        lambda: results.memberships(cohort),
        "memberships.csv",
        "download_memberships",
    )


def _introduced(found: tuple[Subtype, ...], cohort: Cohort) -> str:
    """What was found, and how many of the loaded people have it, as Markdown."""
    from cavae.subtypes import ONE_PATTERN

    counts = results.memberships(cohort)["subtype"].value_counts()
    shares = [
        f"{int(counts.get(str(one.number), 0)):,} of {people(len(cohort))} loaded" for one in found
    ]
    if len(found) == 1:
        changed = f"It changes most: **{plain(_in_sentence(found[0].name))}**."
        return f"{ONE_PATTERN} {changed} Likelier than none in {shares[0]}."
    lines = [
        f"- **{plain(title(one, found))}**: likeliest for {share}"
        for one, share in zip(found, shares, strict=True)
    ]
    first = f"The model found {len(found)} subtypes among the patients it learned from."
    return "\n".join([first, "", *lines])


def _panel_title(one: Subtype, found: tuple[Subtype, ...]) -> str:
    share = f"<br>{100 * one.share:.0f} % of patients" if len(found) > 1 else ""
    return f"{short_title(one, found)}{share}"


def _show_criterion(model: Model) -> None:
    from cavae.subtypes import criterion

    tried = criterion(model)
    best = min(tried, key=tried.__getitem__)
    st.markdown(
        f"BIC weighs how well a number of groups describes the patients' salient s against how "
        f"much it has to assume; of {len(tried)} numbers tried, {best} has the lowest."
    )
    charts.draw(
        plots.plot_criterion(tried),
        "criterion_picture",
        "BIC by number of subtypes: " + ", ".join(f"{k}: {v:,.1f}" for k, v in tried.items()),
    )


def of_person(model: Model, salient: Array) -> None:
    """A line with someone's chances, likeliest first; nothing where a model knows no subtypes."""
    from cavae.subtypes import subtype_chances

    if found := of_model(model):
        chances = subtype_chances(model, salient[None])[0]
        names = ["none", *(title(one, found) for one in found)]
        st.markdown(in_words(names, chances), help=explain("subtype"))


def in_words(names: list[str], chances: Array) -> str:
    """`Chances: **Subtype 2 (…) 93 %**, none 5 %`: the likeliest first, as Markdown."""
    order = np.argsort(-chances, kind="stable")
    told = [f"{plain(names[k])} {_percent(chances[k])}" for k in order if chances[k] >= MENTIONED]
    first, *others = told
    return f"Chances: {', '.join([f'**{first}**', *others])}"


def _percent(chance: float) -> str:
    return "over 99 %" if chance > 0.995 else f"{100 * chance:.0f} %"
