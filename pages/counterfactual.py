"""Counterfactual: one person beside their healthy twin, and what moves them apart."""

import numpy as np
import streamlit as st

from cavae import plots
from cavae.ui import (
    charts,
    comparison,
    downloads,
    frame,
    models,
    notices,
    people,
    results,
    sliders,
    state,
    subtypes,
    widgets,
)
from cavae.ui.glossary import explain

frame.require()
st.title("Counterfactual", anchor=False)
table = state.loaded()


# A fragment: a slider redraws this part alone, not the menu, the choice and everyone's severity.
@st.fragment
def beside_their_twin(choice: people.Choice) -> None:
    """Twin and now, region by region, for the salient s that the sliders say."""
    from cavae import person as core

    with widgets.errors_as_sentences():
        model = models.current_model()
        picture, controls = st.columns([12, 6], gap="medium")
        with controls:
            twin = comparison.choose_twin()
            person = people.person(table, choice, twin)
            salient = sliders.salient_sliders(model, person, table)
        effect = core.effect_at(model, person, salient)
        rows = core.person_table(person, effect)
        key_rows = comparison.key_rows(person, rows)
        moved = not np.array_equal(salient, person.salient)
        with picture:
            st.markdown(
                f"{people.facts(person)}  \n{comparison.in_a_sentence(key_rows, person)}",
                help=f"{explain('centile')} {explain('interval')}",
            )
            notices.cautions(caveats := core.caveats(model, person))
            # On the first screen, with and without lines above it.
            height = 350 if caveats else 384
            figure = plots.plot_paired_volumes(key_rows, height=height, unit=person.unit)
            charts.draw(figure, "paired", comparison.in_words(key_rows, person.unit))
            calibrated = model.calibration is not None
            st.caption(comparison.caption(moved, person, twin, calibrated))

        st.header("Where the effect is", anchor=False, help=explain("effect"))
        subtypes.of_person(model, salient)
        effects = dict(zip(person.features, effect.tolist(), strict=True))
        known = comparison.intervals(rows)
        if person.unit:
            brain = plots.plot_brain(effects, intervals=known)
            charts.draw(brain, "brain", "Slices of the brain, by effect.")
        clear = rows.loc[rows["clear"], "index"]
        ranking = plots.plot_effect_ranking(effects, intervals=known, clear=clear)
        charts.draw(ranking, "ranking", "All effects in order.")
        if known is not None:
            st.caption(comparison.FADED, help=explain("interval"))
        comparison.show_all(rows, person.unit)
        downloads.csv_button(
            "Download this person's table",
            lambda: core.export_table(rows, person.unit),
            f"{person.subject_id}_{'moved_' * moved}healthy_twin.csv",
            "download_person",
        )


@st.fragment
def among_everyone(choice: people.Choice, table: state.Loaded) -> None:
    """Everyone's severity by diagnosis, this person marked (Figure 4b)."""
    with widgets.errors_as_sentences():
        st.header("How severe, among everyone loaded", anchor=False)
        measure = comparison.choose_severity()
        person = people.person(table, choice, "paper")
        everyone = comparison.severity_table(table, person)
        words = comparison.severity_words(everyone, measure, person.subject_id)
        st.markdown(words)
        figure = plots.plot_severity(everyone, measure, marked=person.subject_id, height=450)
        charts.draw(figure, "severity", f"Severity by diagnosis. {words}")
        notices.warnings(results.encoding(table.cohort).notices)
        notices.remarks(results.encoding(table.cohort).notices)


choice = people.choose(table)
beside_their_twin(choice)
if table is not None:
    among_everyone(choice, table)
