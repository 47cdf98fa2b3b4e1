"""Which person is looked at: one of the loaded people, or a synthetic one drawn by seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from cavae import numbers
from cavae.ui import models, results, state, widgets
from cavae.ui.choices import choose_one, keep_valid
from cavae.ui.widgets import plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from cavae.person import Person

SELECTED, EVERYONE, SYNTHETIC = "selected", "everyone", "synthetic"
SEXES = {"F": "woman", "M": "man"}
MAX_SEED = 999_999


@dataclass(frozen=True)
class Choice:
    """One of the loaded people by row, or a prior draw by seed; the other one is None."""

    row: int | None = None
    seed: int | None = None


def choose(table: state.Loaded | None) -> Choice:
    """Ask for a person; the first of those selected on another page to begin with.

    Without loaded people only a synthetic person can be chosen; the ways to real ones stand beside.
    """
    if table is None:
        who, back, on, demo, own = st.columns([5, 2, 2, 10, 8], vertical_alignment="bottom")
        with demo:
            widgets.demo_button()
        with own:
            widgets.own_table_button()
        return _choose_seed(who, back, on)
    which, who, back, on = st.columns([12, 12, 2, 2], vertical_alignment="bottom")
    source = _choose_source(which, table)
    if source == SYNTHETIC:
        return _choose_seed(who, back, on)
    subjects = table.cohort.subjects
    everyone = subjects["subject_id"].tolist()
    ids = list(state.selected_subjects()) if source == SELECTED else everyone
    described = dict(zip(everyone, _described(subjects), strict=True))
    keep_valid("person", ids)
    chosen = who.selectbox(
        "Person", ids, format_func=described.get, key="person", persist_state="session"
    )
    _arrows(back, on, "person", ids)
    return Choice(row=everyone.index(chosen))


def forget() -> None:
    """Let the next visit begin anew: with the first of the people selected, if there are any."""
    for key in ("source", "person"):
        st.session_state.pop(key, None)


def person(table: state.Loaded | None, choice: Choice, twin: str) -> Person:
    """The chosen person with the healthy twin of that kind, "residual" or "paper"."""
    from cavae.person import draw_person, person_of

    model = models.current_model()
    if table is None or choice.row is None:
        return draw_person(model, choice.seed or 0, twin)
    return person_of(model, table.cohort, results.twins(table.cohort, twin), choice.row)


def facts(shown: Person) -> str:
    """`**demo-012** · woman, 82 years · AD · head size 1,468 mL`: who this is, as Markdown."""
    known = shown.facts
    words = [SEXES.get(known.get("sex", ""), "")]
    if pd.notna(known.get("age")):
        words.append(numbers.years(known["age"]))
    parts = [f"**{plain(shown.subject_id)}**", ", ".join(word for word in words if word)]
    parts.append(plain(known.get("diagnosis", "")))
    if pd.notna(known.get("icv")):
        parts.append(f"head size {known['icv'] / 1000:,.0f} mL")
    return " · ".join(part for part in parts if part)


def _choose_seed(who: DeltaGenerator, back: DeltaGenerator, on: DeltaGenerator) -> Choice:
    seed = who.number_input(
        "Seed",
        min_value=0,
        max_value=MAX_SEED,
        key="seed",
        help="The same seed draws the same synthetic person again.",
        persist_state="session",
    )
    _arrows(back, on, "seed", range(MAX_SEED + 1))
    return Choice(seed=int(seed))


def _choose_source(place: DeltaGenerator, table: state.Loaded) -> str:
    sources = {EVERYONE: f"Everyone ({len(table.cohort):,})", SYNTHETIC: "Synthetic"}
    if picked := state.selected_subjects():
        sources = {SELECTED: f"Selected ({len(picked):,})", **sources}
    keep_valid("source", list(sources))
    with place:
        return choose_one("Choose from", sources, "source")


def _described(subjects: pd.DataFrame) -> list[str]:
    """`demo-001 · MCI · 82 years`, one a person: what can be searched for."""
    years = subjects["age"].map(lambda age: numbers.years(age) if pd.notna(age) else "")
    rows = zip(subjects["subject_id"], subjects["diagnosis"], years, strict=True)
    return [" · ".join(part for part in row if part) for row in rows]


def _arrows(back: DeltaGenerator, on: DeltaGenerator, key: str, options: list[str] | range) -> None:
    for place, step, icon, words in (
        (back, -1, ":material/chevron_left:", "Previous person"),
        (on, 1, ":material/chevron_right:", "Next person"),
    ):
        place.button(
            words,
            icon=icon,
            key=f"{key} {step:+d}",
            on_click=_step,
            args=(key, options, step),
            width="stretch",
        )


def _step(key: str, options: list[str] | range, step: int) -> None:
    here = options.index(st.session_state[key])
    st.session_state[key] = options[(here + step) % len(options)]
