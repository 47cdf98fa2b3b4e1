"""How good models are, on its way to the Evaluate page: measured, recorded, and kept.

Point values take seconds and come at once; intervals take longer and come from a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from cavae import figures, findings, report
from cavae.atlas import are_regions
from cavae.bootstrap import RESAMPLES
from cavae.checkpoint import DEFAULT_MODEL, available_models, model_stamp
from cavae.errors import DataError
from cavae.simulation import DIAGNOSES, SemiSynthetic, simulate
from cavae.ui import models, results, state

if TYPE_CHECKING:
    from cavae.checkpoint import Model
    from cavae.simulation_evaluation import SimulationFigures

PEOPLE = 3900
"""As many as `simulate` makes by default, and as in the paper."""
LOADED = (
    "{people} people of {name}. If the model learned from some of them, these figures flatter it."
)


# --------------------------------------------------------------------------- which models


def of_simulation() -> Model | None:
    """The model in use if it is of the semi-synthetic experiment, else one at hand that is."""
    if figures.fits_simulation(current := models.current_model()):
        return current
    labels = (DIAGNOSES["background"],), (DIAGNOSES["target"],)
    for summary in available_models():
        if (summary.background, summary.target) == labels:
            found = models.load_model(summary.name)
            if figures.fits_simulation(found):
                return found
    return None


def of_real_people() -> Model:
    """The model in use if it is of real people and brain regions, else the default one."""
    current = models.current_model()
    other = figures.fits_simulation(current) or not are_regions(current.config.features)
    return models.load_model(DEFAULT_MODEL) if other else current


# --------------------------------------------------------------------------- simulated people


class Measurement:
    """Figures of a model on simulated people: without intervals at first, with them in the end."""

    def __init__(self, model: Model, simulated: SemiSynthetic) -> None:
        from cavae.simulation_evaluation import evaluate_simulation

        self.merit: SimulationFigures = evaluate_simulation(model, simulated, resamples=0)
        self.share = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._add_intervals, args=(model, simulated), name="intervals", daemon=True
        )
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether intervals are still to come."""
        return self._thread.is_alive() and not self._stopped.is_set()

    def stop(self) -> None:
        """Go without intervals."""
        self._stopped.set()

    def _add_intervals(self, model: Model, simulated: SemiSynthetic) -> None:
        from cavae.simulation_evaluation import evaluate_simulation

        with suppress(InterruptedError):
            self.merit = evaluate_simulation(model, simulated, RESAMPLES, self._told)

    def _told(self, share: float) -> None:
        if self._stopped.is_set():
            raise InterruptedError
        self.share = share


def measure(model: Model, seed: int) -> None:
    """Measure a model on the people of a seed; kept for the session."""
    with st.spinner("Measuring on fresh simulated people …"):
        _kept()[_key(model, seed)] = Measurement(model, simulated(seed))


def measurement(model: Model, seed: int) -> Measurement | None:
    """What was measured of a model on the people of a seed in this session."""
    return _kept().get(_key(model, seed))


def _kept() -> dict[object, Measurement]:
    return st.session_state.setdefault(state.Key.MEASURED, {})


def _key(model: Model, seed: int) -> object:
    return model.folder, model_stamp(model.folder), seed


# A resource, not data: cache_data would pickle it. Shared by all visitors, so never changed.
@st.cache_resource(max_entries=4, show_spinner=False)
def simulated(seed: int) -> SemiSynthetic:
    """The people of `simulate --seed`."""
    return simulate(PEOPLE, seed)


def simulated_scene(model: Model, seed: int) -> figures.Scene:
    """Those people as a model sees them."""
    return state.once(
        f"scene {seed}",
        lambda: report.seed_scene(model, simulated(seed), seed),
        str(model.folder),
    )


# --------------------------------------------------------------------------- real people


def measured_people(model: Model) -> report.Measured:
    """A model of real people: its recorded figures, and those on the loaded people."""
    return state.once("measured", lambda: _measured_people(model), str(model.folder))


def _measured_people(model: Model) -> report.Measured:
    table, remark = state.loaded(), ""
    if table is not None and not table.demo:
        try:
            return _measured_loaded(model, table)
        except DataError as error:
            remark = f"{table.name} is not in the pictures: {error}"
    scene = report.demo_scene(model) if are_regions(model.config.features) else None
    return report.measured_cohort(model, scene, remark=remark)


def _measured_loaded(model: Model, table: state.Loaded) -> report.Measured:
    from cavae.evaluation import clinical_figures
    from cavae.synthesis import encode, healthy_twins

    if model.folder == models.current_model().folder:
        twins = results.twins(table.cohort)
    else:
        twins = healthy_twins(model, encode(model, table.cohort))
    labels = model.training.background, model.training.target
    people = LOADED.format(people=f"{len(table.cohort):,}", name=table.name)
    scene = figures.cohort_scene(model, twins, model.name, people)
    known = scene.latents["group"].unique()
    loaded = clinical_figures(twins, *labels) if {"background", "target"} <= set(known) else ()
    return report.measured_cohort(model, scene, loaded)


# --------------------------------------------------------------------------- everything


def figure(name: str, seed: int, ablation: findings.Ablation | None) -> figures.PaperFigure | None:
    """A figure of the paper, or None when what it shows is not at hand."""
    source = figures.words(name).source
    if source == figures.ABLATION:
        return ablation and report.fold_figure(name, ablation)
    if source == figures.REAL:
        return report.scene_figure(name, measured_people(of_real_people()).scene)
    model = of_simulation()
    return report.scene_figure(name, model and simulated_scene(model, seed))


def report_maker(seed: int, ablation: findings.Ablation | None) -> Callable[[], report.Report]:
    """What makes the report when it is asked for, of all that the session knows now.

    It is called by a download, outside the run of the page: the session is looked at before.
    """
    model, real = of_simulation(), measured_people(of_real_people())
    found = None if model is None else measurement(model, seed)

    def make() -> report.Report:
        if model is None:
            return report.Report(None, real, ablation)
        from cavae.simulation_evaluation import evaluate_simulation

        people = simulated(seed)
        merit = found.merit if found else evaluate_simulation(model, people, resamples=0)
        scene, commands = (
            report.seed_scene(model, people, seed),
            report.simulation_commands(model.name, seed),
        )
        return report.Report(
            report.measured_simulation(model, merit, scene, commands), real, ablation
        )

    return make
