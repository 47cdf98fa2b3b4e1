"""The parts of the Evaluate page: a model's figures of merit, Table A1, and figures by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from cavae import figures, findings, report
from cavae.ui import charts, downloads, glossary, measuring, widgets
from cavae.ui.choices import choose_one

if TYPE_CHECKING:
    from cavae.checkpoint import Model

MAX_SEED = 2**31 - 1
SEED = "evaluate_seed"
TERMS = ("W2", "floor", "separation", "completeness", "leakage", "AUC", "coverage", "MAD")
NOT_MEASURED = (
    "Nothing measured yet. Where the disease is simulated, every true twin is known, and a model "
    "can be held against it."
)
MISSING = {
    figures.SIMULATED: "No model of the semi-synthetic experiment is at hand. Commands make one:",
    figures.REAL: "This model knows other features than the regions of this figure.",
    figures.ABLATION: report.NO_ABLATION,
}
COMMANDS = {
    figures.SIMULATED: report.SIMULATED_COMMANDS,
    figures.REAL: (),
    figures.ABLATION: findings.ABLATION_COMMANDS,
}
EVERY_SECOND = 1.0


def show_simulated(model: Model) -> None:
    """Figures of merit on fresh simulated people, once asked for; seed and button below."""
    picture, controls, numbers = (st.container() for _ in range(3))
    with controls.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.number_input(
            "Seed of the simulation",
            *(0, MAX_SEED, findings.ABLATION_SEED, 1),
            key=SEED,
            help="Which people are drawn. Take one that the model was not trained on.",
            persist_state="session",
            width=170,
        )
        asked = st.button(
            "Measure on fresh simulated people",
            key="measure",
            type="primary",
            icon=":material/straighten:",
        )
    with picture:
        if asked:
            measuring.measure(model, chosen)
        if (found := measuring.measurement(model, chosen)) is None:
            st.container(border=True).markdown(NOT_MEASURED)
            return
        if found.running:
            _wait(found)
        commands = report.simulation_commands(model.name, chosen)
        scene = measuring.simulated_scene(model, chosen)
        measured = report.measured_simulation(model, found.merit, scene, commands)
        show_picture(measured)
    with numbers:
        show_numbers(measured)


def seed() -> int:
    """The seed of the simulated people that the page shows."""
    return st.session_state.get(SEED, findings.ABLATION_SEED)


@st.fragment(run_every=EVERY_SECOND)
def _wait(found: measuring.Measurement) -> None:
    """How far the intervals are, and the way to do without them."""
    if not found.running:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(found.share, "Intervals: everyone drawn again 1,000 times …")
        st.button("Stop", key="stop_intervals", on_click=found.stop, icon=":material/stop:")


def show_picture(measured: report.Measured) -> None:
    """All figures of merit of a model, and who was measured."""
    if len(measured.forest):
        charts.draw(
            measured.picture(), "merit", f"{measured.model}: every figure of the table below."
        )
    st.caption(widgets.plain(measured.words), help=_explained())


def show_numbers(measured: report.Measured) -> None:
    """The same as a table with what good and bad look like, and the commands that give it."""
    if len(measured.text):
        table(measured.text, "sentences_merit")
    for command in measured.commands:
        st.code(command, language=None, wrap_lines=True)


def table(text: pd.DataFrame, key: str) -> None:
    """A table of sentences, whole: a dataframe's cells would cut them off."""
    shown = text.map(widgets.plain)
    with st.container(key=key):
        st.table(shown.set_index(shown.columns[0]), border="horizontal")


def _explained() -> str:
    return "\n\n".join(f"**{term}**: {glossary.explain(term)}" for term in TERMS)


def show_table_a1(ablation: findings.Ablation | None) -> None:
    """The paper's ablation beside ours, or how to make it."""
    st.header("Table A1: every variant beside the paper", anchor=False)
    if ablation is None:
        _missing(figures.ABLATION)
        return
    charts.draw(report.table_a1_picture(ablation), "table_a1", "Table A1, ours and the paper's.")
    st.caption(findings.NOT_THE_PAPERS_PEOPLE, help=_explained())
    with st.expander("As a table"):
        for number, text in enumerate(report.a1_tables(ablation)):
            table(text, f"a1_{number}")
        st.caption(f"{findings.RECORDED} Made by:")
        for command in findings.ABLATION_COMMANDS:
            st.code(command, language=None, wrap_lines=True)
    downloads.csv_button("Download Table A1", lambda: ablation.table, "table_a1.csv", "csv_a1")


# A fragment: another figure redraws this part alone.
@st.fragment
def show_figures(ablation: findings.Ablation | None) -> None:
    """One figure of the paper, by name."""
    st.header("The paper's figures", anchor=False)
    name = choose_one("Figure", {name: name for name in figures.NAMES}, "paper_figure")
    with widgets.errors_as_sentences():
        about, figure = figures.words(name), measuring.figure(name, seed(), ablation)
        st.subheader(f"Figure {name}: {about.title}", anchor=False)
        if figure is None:
            _missing(about.source)
            return
        _pictures(figure)
        st.markdown(f"{about.caption} {about.look_for}")
        st.caption(widgets.plain(figure.people))
        downloads.csv_button(
            f"Download the numbers of Figure {name}",
            lambda: figure.table,
            figure.file_name,
            f"csv_{name}",
        )


def _pictures(figure: figures.PaperFigure) -> None:
    """Two spaces side by side; rows of regions below each other."""
    pictures = figure.draw()
    side_by_side = len(pictures) == 2 and pictures[0].title
    places = st.columns(2, gap="medium") if side_by_side else [st.container() for _ in pictures]
    for number, (place, picture) in enumerate(zip(places, pictures, strict=True)):
        with place:
            if picture.title:
                st.markdown(f"**{picture.title}**")
            alt = " ".join(filter(None, (picture.title, figure.words.caption)))
            kind = "latents" if side_by_side else "regions" if figure.words.regions else "figure"
            charts.draw(picture.drawing, f"{kind}_{figure.words.name}_{number}", alt)


def _missing(source: str) -> None:
    with st.container(border=True):
        st.markdown(MISSING[source])
        for command in COMMANDS[source]:
            st.code(command, language=None, wrap_lines=True)


def offer_files(ablation: findings.Ablation | None) -> None:
    """Everything as one HTML file, and all numbers as CSV."""
    st.header("Take it along", anchor=False)
    make = measuring.report_maker(seed(), ablation)
    with st.container(horizontal=True):
        st.download_button(
            "Report (HTML)",
            lambda: make().html(),
            "report.html",
            "text/html",
            key="report",
            type="primary",
            icon=":material/description:",
            help="Tables, Table A1, all figures, commands and model cards in one file, about 7 MB; "
            "it opens without a network.",
            on_click="ignore",
        )
        st.download_button(
            "All figures' numbers (CSV)",
            lambda: make().archive(),
            "figures.zip",
            "application/zip",
            key="archive",
            icon=":material/folder_zip:",
            help="A ZIP archive with a CSV file for every table and figure.",
            on_click="ignore",
        )
    st.caption(
        "The report has the intervals of a model of simulated people once they are measured on "
        "this page. :material/lock: With a table of your own loaded, both files hold its people: "
        "ids, diagnoses and standardized volumes."
    )
