"""How useful and how private the pairs of the model in use are: pictures, figures, own people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from cavae import numbers
from cavae.card import quality_rows
from cavae.plots.quality import PRIVATE, plot_privacy, plot_small_studies, plot_usefulness
from cavae.quality import LEAST, PAIRS, Quality, measure_own
from cavae.ui import charts, models, state
from cavae.ui.widgets import errors_as_sentences, plain

if TYPE_CHECKING:
    import pandas as pd

    from cavae.cohort import Cohort

OWN = "own quality"
NOT_MEASURED = (
    "Not measured when this model was made. The command train measures it on people held out."
)
ABOUT = (
    f"All of it is about {PAIRS:,} pairs in SD as the command `sample` draws them, whatever is "
    "chosen above. AUC: the chance that the one of two people who should score higher does; "
    "1 is always, 0.5 a guess. An attacker has somebody's volumes and wants to know whether the "
    "model learned from them."
)


def show() -> None:
    """The section of the page: what was measured when the model was made, then own people."""
    st.header("How useful, how private", anchor=False, help=ABOUT)
    with errors_as_sentences():
        quality = Quality.from_facts(models.current_model().facts)
    if quality is None:
        st.caption(NOT_MEASURED)
    else:
        _show_measured(quality)
    _offer_own()


def _show_measured(quality: Quality) -> None:
    table = quality.table()
    useful, small, private = st.columns(3)
    with useful:
        st.markdown("**Useful?** A classifier trained on synthetic people, tested on real ones")
        charts.draw(plot_usefulness(table), key="quality_useful", alt=_in_words(table, "t"))
    with small:
        st.markdown("**Useful?** Synthetic people added to a small study of real ones")
        charts.draw(
            plot_small_studies(quality.small_studies),
            key="quality_small",
            alt="; ".join(
                f"{study.people} real people a group: alone {study.alone.value:.2f}, with "
                f"synthetic ones {study.added.value:.2f}"
                for study in quality.small_studies
            ),
        )
    with private:
        st.markdown("**Private?** Whether they tell who was in the training")
        charts.draw(plot_privacy(table), key="quality_private", alt=_in_words(table, *PRIVATE))
        st.caption(_strongest_attack(table))
    command = f"Command: {quality.command}" if quality.command else ""
    st.caption(plain(f"{quality.measured_on} {command}"))
    _show_figures(quality)


def _strongest_attack(table: pd.DataFrame) -> str:
    strongest = table.loc[table["key"].str.startswith("attack"), "value"].max()
    return (
        "Of two people, one of them in the training, the strongest attack picks that one "
        f"{100 * strongest:.0f} times of 100. 50 is a guess."
    )


def _in_words(table: pd.DataFrame, *keys: str) -> str:
    chosen = table[table["key"].str.startswith(keys)]
    return "; ".join(f"{row.metric}: {row.value:.2f}" for row in chosen.itertuples())


def _show_figures(quality: Quality) -> None:
    """Every figure with what is best, and on demand what good and bad look like."""
    st.markdown(quality_rows(quality))
    with st.expander("What good and bad look like"):
        st.markdown(
            "\n".join(f"- **{row.metric}**: {row.meaning}" for row in quality.table().itertuples())
        )


def _offer_own() -> None:
    """A button that measures on the loaded people, when there are enough of both groups."""
    table = state.loaded()
    if table is None or not _can_be_measured(table.cohort):
        return
    name = plain(table.name)
    clicked = st.button(
        "Measure on my people",
        key="measure_own",
        icon=":material/speed:",
        help=f"Trains on {PAIRS:,} synthetic pairs and tests on {name}; looks for copies of them.",
    )
    if clicked:
        with st.spinner(f"Measuring on {name} …"):
            state.once(OWN, lambda: measure_own(models.current_model(), table.cohort))
    if (own := state.at_hand(OWN)) is None:
        return
    picture, figures = st.columns([1, 2])
    with picture:
        rows = own.table()
        charts.draw(plot_usefulness(rows), key="quality_own", alt=_in_words(rows, "t"))
    with figures:
        st.markdown(f"**{name}**, {numbers.people(len(table.cohort))}")
        _show_figures(own)


def _can_be_measured(cohort: Cohort) -> bool:
    model = models.current_model()
    counts = [
        cohort.subjects["diagnosis"].isin(labels).sum()
        for labels in (model.training.background, model.training.target)
    ]
    return min(counts) >= LEAST and set(model.config.features) <= set(cohort.features)
