"""One person beside their twin: which twin, which regions, and what a picture of them says."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from cavae import numbers
from cavae.plots import group_order
from cavae.plots.cohorts import MEMORY_ROIS
from cavae.plots.layout import effect_words
from cavae.tables import disarmed
from cavae.ui import results
from cavae.ui.choices import choose_one
from cavae.ui.glossary import explain
from cavae.ui.widgets import plain

if TYPE_CHECKING:
    from cavae.person import Person
    from cavae.ui.state import Loaded

TWINS = {"residual": "Own anatomy", "paper": "As in the paper"}
TWIN_HELP = (
    "Own anatomy: this person minus the effect of the disease, so what is peculiar to them stays. "
    "As in the paper: what the model draws from their common z alone."
)
PAPER = "This twin lacks what is peculiar to the person: the differences hold more than disease."
MOVED = "**Sliders moved: now is imagined, not measured.** So it has no interval."
DRAWN = "Drawn, not measured: nothing is in doubt, so there is no interval."
NO_INTERVALS = "This model follows the paper and tells no intervals."
FADED = "Faded: the 90 % interval holds 0, so there may be no effect."
NOT_CAUSAL = "A twin is a model's expectation, not a causal claim and not a diagnosis."
SYNTHETIC = "synthetic"
SEVERITIES = {"mad": "Distance from the twin (MAD)", "effect_mad": "Pure effect"}
COLUMNS = {
    "label": st.column_config.TextColumn("Region"),
    "healthy": st.column_config.NumberColumn("Twin (mm³)", format="%,.0f"),
    "observed": st.column_config.NumberColumn("Now (mm³)", format="%,.0f"),
    "effect": st.column_config.NumberColumn("Effect (SD)", help=explain("SD")),
    "interval": st.column_config.TextColumn("Interval (SD)", help=explain("interval")),
    "percent": st.column_config.NumberColumn("Effect (%)"),
    "percent_interval": st.column_config.TextColumn("Interval (%)"),
    "certain": st.column_config.TextColumn("Clear", help="The interval does not hold 0."),
}


def choose_twin() -> str:
    """Ask which healthy twin is meant, one of TWINS."""
    return choose_one("Healthy twin", TWINS, "twin", f"{explain('healthy twin')} {TWIN_HELP}")


def choose_severity() -> str:
    """Ask for a measure of severity, one of SEVERITIES."""
    pure = "Pure effect: the average size of the effect alone, in SD."
    return choose_one("Measure", SEVERITIES, "measure", f"{explain('MAD')} {pure}")


def key_rows(shown: Person, rows: pd.DataFrame) -> pd.DataFrame:
    """Hippocampus and amygdala; where the model has other features, the four most affected."""
    if set(MEMORY_ROIS) <= set(shown.features):
        return rows.set_index("index", drop=False).loc[list(MEMORY_ROIS)]
    return rows.iloc[np.argsort(-np.abs(shown.effect), kind="stable")[:4]]


def in_words(rows: pd.DataFrame, unit: str) -> str:
    """What the picture of these rows shows, for those who cannot see it."""
    return "; ".join(
        f"{row.label}: healthy twin {row.healthy:,.4g} {unit}, now {row.observed:,.4g} {unit}, "
        f"effect {effect_words(row.effect, 'SD', _interval(row))}"
        for row in rows.itertuples()
    )


def in_a_sentence(rows: pd.DataFrame, shown: Person) -> str:
    """The strongest of these differences, as Markdown."""
    from cavae.person import compared

    strongest = rows.iloc[int(np.abs(rows["effect"].to_numpy()).argmax())]
    return plain(compared(strongest, shown.unit, shown.own_anatomy)) + "."


def caption(moved: bool, shown: Person, twin: str, calibrated: bool) -> str:
    """What to bear in mind with the picture, as Markdown."""
    told = {
        MOVED: moved,
        NO_INTERVALS: not calibrated and not moved,
        DRAWN: calibrated and shown.interval is None and not moved,
        PAPER: twin == "paper",
        NOT_CAUSAL: True,
    }
    return " ".join(words for words, so in told.items() if so)


def intervals(rows: pd.DataFrame) -> dict[str, tuple[float, float]] | None:
    """90 % interval of each effect by feature; None where there are none."""
    if rows["low"].isna().all():
        return None
    ends = zip(rows["low"].tolist(), rows["high"].tolist(), strict=True)
    return dict(zip(rows["index"], ends, strict=True))


def _interval(row: Any) -> tuple[float, float] | None:
    return None if np.isnan(row.low) else (row.low, row.high)


def show_all(rows: pd.DataFrame, unit: str) -> None:
    """Every region as a table, strongest effect first, made when it is opened."""
    expander = st.expander(f"All {len(rows)} as a table", key="all_rows", on_change="rerun")
    if not expander.open:
        return
    ordered = rows.iloc[np.argsort(-np.abs(rows["effect"].to_numpy()), kind="stable")]
    ordered = ordered.assign(label=ordered["label"].map(disarmed))
    columns = dict(COLUMNS)
    if not unit:
        columns["healthy"] = st.column_config.NumberColumn("Twin", format="%.4g")
        columns["observed"] = st.column_config.NumberColumn("Now", format="%.4g")
    if intervals(rows) is None:
        for name in ("interval", "percent_interval", "certain"):
            del columns[name]
    else:
        ordered = ordered.assign(
            interval=[numbers.interval(*ends) for ends in _pairs(ordered, "low", "high")],
            percent_interval=[
                numbers.interval(*ends, places=0)
                for ends in _pairs(ordered, "percent_low", "percent_high")
            ],
            certain=np.where(ordered["clear"], "clear", ""),
        )
    written = {
        "effect": partial(numbers.signed, places=1),
        "percent": partial(numbers.signed, places=0),
    }
    shown = ordered[list(columns)].style.format(written)
    expander.dataframe(shown, hide_index=True, column_config=columns)


def _pairs(rows: pd.DataFrame, *columns: str) -> list[tuple[float, float]]:
    return list(rows[list(columns)].itertuples(index=False, name=None))


def severity_table(table: Loaded, shown: Person) -> pd.DataFrame:
    """Everyone's subject_id, diagnosis, mad and effect_mad; a synthetic person is added.

    `shown` has the paper's twin, the one that the paper's measure of severity is about.
    """
    twins = results.twins(table.cohort)
    everyone = table.cohort.subjects[["subject_id", "diagnosis"]].assign(
        mad=twins.mad, effect_mad=twins.effect_mad
    )
    if shown.subject_id in set(everyone["subject_id"]):
        return everyone
    drawn = {
        "subject_id": shown.subject_id,
        "diagnosis": SYNTHETIC,
        "mad": np.mean(np.abs(shown.observed - shown.healthy) / shown.sd),
        "effect_mad": np.mean(np.abs(shown.effect)),
    }
    return pd.concat([everyone, pd.DataFrame([drawn])], ignore_index=True)


def severity_words(everyone: pd.DataFrame, measure: str, subject_id: str) -> str:
    """`**demo-012**: 1.02 SD; medians CN 0.67, MCI 0.90, AD 1.00 SD`, as Markdown."""
    own = everyone.loc[everyone["subject_id"] == subject_id, measure].iloc[0]
    medians = everyone.groupby("diagnosis")[measure].median()
    groups = [name for name in group_order(medians.index) if name not in ("", SYNTHETIC)]
    told = ", ".join(f"{plain(name)} {medians[name]:.2f}" for name in groups)
    return f"**{plain(subject_id)}**: {own:.2f} SD" + (f"; medians: {told} SD" if told else "")
