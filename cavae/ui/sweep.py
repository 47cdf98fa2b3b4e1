"""Sweeps in the app: what varies, what to expect of it, and the runs as they come in."""

from __future__ import annotations

import math
from functools import partial
from textwrap import wrap
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from cavae.config import TrainConfig
from cavae.errors import ConfigError
from cavae.jobs import Job
from cavae.numbers import counted, number
from cavae.sweep import ENOUGH, FEWEST_FOLDS, MOST_FOLDS, Cohorts, Grid, read_runs, summarize
from cavae.ui import charts, downloads, queue, state
from cavae.ui.queue import duration, jobs
from cavae.ui.training import STEP_SECONDS, Groups, sides
from cavae.ui.widgets import plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from cavae.cohort import Cohort
    from cavae.estimates import Metric
    from cavae.sweep_runs import SweepOrder

SWEEP, RUNNING = "sweep", "Sweeping"
MEASURING_SECONDS, STARTING_SECONDS = 4, 10  # after each training, and once
MODELS = {
    "Calibrated": ("contrastive", "calibrated"),
    "As in the paper": ("contrastive", "paper"),
    "Total correlation": ("total-correlation", "paper"),
    "Conditional VAE": ("conditional", "paper"),
}
AXIS = 40  # letters in a line of the upright axis
WEIGHTS = ["0", "1", "10", "100", "1000"]
EACH_ALONE = "Each diagnosis on its own too"


def choose_grid(groups: Groups) -> Grid:
    """What varies. Raises ConfigError for a λ that is no number."""
    left, right = st.columns(2)
    weights = left.multiselect(
        "λ",
        WEIGHTS,
        ["10", "100", "1000"],
        accept_new_options=True,
        key="sweep_lambdas",
        help="How strongly common z of both groups is made alike (weight of the MMD, or of the "
        "total correlation). Type a number to add it. A conditional VAE has no λ: it counts as 0.",
    )
    names = right.multiselect(
        "Models",
        list(MODELS),
        list(MODELS)[:1],
        key="sweep_models",
        help="Calibrated and As in the paper are the presets of the page Train. The other two are "
        "what the paper compares with.",
    )
    seeds, folds, epochs = st.columns(3)
    count = seeds.number_input(
        "Seeds",
        *(1, 50, 2),
        key="sweep_seeds",
        help="How often each setting is trained on the same people, from another start.",
    )
    parts = folds.number_input(
        "Folds",
        *(FEWEST_FOLDS, MOST_FOLDS, 3),
        key="sweep_folds",
        help="People are dealt into so many parts. A model learns from all but one and is measured "
        "on that one, each part in turn.",
    )
    most = epochs.number_input(
        "Epochs",
        *(1, 5000, 500),
        key="sweep_epochs",
        help="How often everyone is looked at, at most, as on the page Train.",
    )
    cohorts = [Cohorts(groups.background, groups.target)]
    if len(groups.target) > 1 and st.checkbox(
        EACH_ALONE,
        key="sweep_each",
        help="Models of all diagnoses together, and of each one against the healthy people.",
    ):
        cohorts += [Cohorts(groups.background, (label,)) for label in groups.target]
    variants, presets = _variants_and_presets(names)
    return Grid(
        lambdas=_weights(weights),
        seeds=tuple(range(int(count))),
        folds=int(parts),
        variants=variants,
        presets=presets,
        cohorts=tuple(cohorts),
        epochs=int(most),
    )


def _weights(chosen: list[str]) -> tuple[float, ...]:
    try:
        return tuple(sorted(float(text) for text in chosen))
    except ValueError as error:
        raise ConfigError(f"λ is {', '.join(chosen)}; accepted: numbers.") from error


def _variants_and_presets(names: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a grid has to vary so that these models come out, and no other."""
    chosen = [MODELS[name] for name in names]
    variants = tuple(dict.fromkeys(variant for variant, _ in chosen))
    presets = tuple(preset for variant, preset in chosen if variant == "contrastive")
    return variants, () if presets == ("calibrated",) else presets


def outlook(cohort: Cohort, grid: Grid) -> str:
    """How many trainings that is, and how long they take."""
    cells, at_once = grid.cells(), _workers()
    steps = {one: _steps(cohort, grid, one) for one in grid.cohorts}
    each = [MEASURING_SECONDS + STEP_SECONDS * steps[cell.cohorts] * grid.epochs for cell in cells]
    settings = len(cells) // (grid.folds * len(grid.seeds))
    longest = duration(STARTING_SECONDS + max(sum(each) / at_once, max(each)))
    return (
        f"**{counted(len(cells), 'training')}**: {counted(settings, 'setting')} × "
        f"{counted(len(grid.seeds), 'seed')} × {grid.folds} folds, {at_once} at a time. "
        f"About {longest} at most."
    )


def _workers() -> int:
    from joblib import cpu_count

    return cpu_count()


def _steps(cohort: Cohort, grid: Grid, cohorts: Cohorts) -> int:
    """Batches of an epoch."""
    config = TrainConfig()
    people = max(len(side) for side in sides(cohort, Groups(cohorts.background, cohorts.target)))
    learned = people * (1 - 1 / grid.folds) * (1 - config.validation)
    return math.ceil(learned / config.batch_size)


# --------------------------------------------------------------------------- the job


def start(order: SweepOrder) -> None:
    """Take the order; its job stands in the page's address from now on. Raises ConfigError."""
    queue.take(order, SWEEP)


def show_job(job: Job) -> None:
    """The sweep as it stands, again every other second until it has ended."""
    st.fragment(_show_job, run_every=None if job.ended else 2.0)(job.id, job.ended)


def go_on_button(job: Job, table: state.Loaded | None) -> None:
    """Run what is left of a sweep that was stopped, on the same people if they are loaded."""
    from cavae.sweep_runs import SweepOrder

    if not job.ended or job.status == "done":
        return
    asked = st.button(
        "Go on",
        key="go_on",
        icon=":material/resume:",
        type="primary",
        disabled=table is None,
        help="What is done is not done again. The same people have to be loaded.",
    )
    if asked and table is not None:
        grid = Grid.from_dict(job.settings)
        start(SweepOrder(table.cohort, grid, table.name, jobs().folder(job.id)))


def _show_job(job_id: str, ended: bool) -> None:
    job = jobs().find(job_id)
    if job is None:
        return
    if job.ended and not ended:
        st.rerun()  # The whole page: no timer any more.
    st.header(queue.title(job, RUNNING), anchor=False)
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        _tell_progress(job)
    stop = {"icon": ":material/stop:", "help": "What is done is kept.", "width": "stretch"}
    if not job.ended and right.button("Stop", key="stop_sweep", **stop):
        jobs().cancel(job_id)
    runs, grid = read_runs(jobs().folder(job_id)), Grid.from_dict(job.settings)
    if len(runs):
        _show_runs(runs, grid)
    st.caption(plain(_grid_words(grid)))
    if not job.ended:
        st.caption(
            "You may close this page: the address above brings you back. Whoever has the address "
            "can see this sweep."
        )


def _grid_words(grid: Grid) -> str:
    """Who against whom, and what does not vary."""
    cohorts = "; ".join(
        f"{'/'.join(one.target)} against {'/'.join(one.background)}" for one in grid.cohorts
    )
    return (
        f"{cohorts}. Each setting with {counted(len(grid.seeds), 'seed')} × {grid.folds} folds, "
        f"at most {grid.epochs} epochs."
    )


def _tell_progress(job: Job) -> None:
    if job.status == "queued":
        queue.tell_waiting(job)
    elif job.status == "running":
        st.progress(*progress(job))
    else:
        queue.tell_reason(job)
        st.markdown(f"{_done(job)} of {job.settings['trainings']} trainings ended.")


def progress(job: Job) -> tuple[float, str]:
    """How far a running sweep is, 0 to 1, and in words."""
    done, trainings = _done(job), job.settings["trainings"]
    words = f"{done} of {trainings} trainings"
    if new := done - job.history[0]["done"] if done else 0:
        left = job.history[-1]["seconds"] / new * (trainings - done)
        words += f", about {duration(left)} left"
    return done / trainings, words


def _done(job: Job) -> int:
    return job.history[-1]["done"] if job.history else 0


# --------------------------------------------------------------------------- runs


def _show_runs(runs: pd.DataFrame, grid: Grid) -> None:
    """A metric as a picture and as a table, and all of them to take away."""
    from cavae.plots.sweep import plot_sweep

    left, right = st.columns(2) if len(grid.cohorts) > 1 else (None, st.container())
    mine = runs if left is None else _of_cohorts(runs, left)
    choices = _measures(mine)
    words = right.selectbox("Measured", list(choices), key="sweep_metric")
    measure, group = choices[words]
    shown = mine[(mine["metric"] == measure.key) & (mine["group"] == group)]
    shown, summary, models = _named(shown), _named(summarize(shown)), _models(grid)
    title = "<br>".join(wrap(f"{measure.name} ({measure.unit or 'no unit'})", AXIS))
    charts.draw(
        plot_sweep(shown, summary, models, title, measure.best),
        "sweep_picture",
        f"{measure.name} by λ: a dot a training, means with 95 % intervals.",
    )
    st.caption(
        f"{measure.direction.capitalize()}. {measure.meaning} "
        "Small: one training. Large: their mean, with its 95 % interval over seeds and folds."
    )
    _show_table(summary.sort_values("model", key=lambda names: names.map(models.index)))
    _offer_tables(runs)


def _of_cohorts(runs: pd.DataFrame, place: DeltaGenerator) -> pd.DataFrame:
    """The runs of the cohorts that are chosen there."""
    words = runs["target"] + " against " + runs["background"]
    chosen = place.selectbox(
        "Who against whom", list(dict.fromkeys(words)), key="sweep_cohorts", format_func=plain
    )
    return runs[words == chosen]


def _measures(runs: pd.DataFrame) -> dict[str, tuple[Metric, str]]:
    """What the runs are measured by, in the order for people: words to metric and group."""
    from cavae.sweep_runs import MEASURED

    found = {}
    for key, metric in MEASURED.items():
        groups = list(dict.fromkeys(runs.loc[runs["metric"] == key, "group"]))
        for group in groups:
            found[metric.name if len(groups) == 1 else f"{metric.name}: {group}"] = metric, group
    return found


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """With a column `model`, a name of MODELS."""
    known = {model: name for name, model in MODELS.items()}
    models = zip(table["variant"], table["preset"], strict=True)
    return table.assign(model=[known[model] for model in models])


def _models(grid: Grid) -> list[str]:
    """Names of the models that a grid trains, in the order for people."""
    trained = {(cell.variant, cell.config.preset) for cell in grid.cells()}
    return [name for name, model in MODELS.items() if model in trained]


def _show_table(summary: pd.DataFrame) -> None:
    summary = summary.assign(
        **{end: summary[end].where(summary["runs"] >= ENOUGH) for end in ("low", "high")}
    )
    columns = {"model": "Model", "lambda": "λ", "mean": "Mean", "sd": "SD"}
    columns |= {"low": "95 % from", "high": "to", "runs": "Trainings"}
    table = summary[list(columns)].rename(columns=columns)
    written = dict.fromkeys(("Mean", "SD", "95 % from", "to"), partial(number, places=3))
    shown = table.style.format({"λ": "{:g}", **written})
    st.dataframe(shown, hide_index=True, height="content")


def _offer_tables(runs: pd.DataFrame) -> None:
    with st.container(horizontal=True):
        downloads.csv_button("All runs (CSV)", lambda: runs, "runs.csv", "sweep_runs")
        downloads.csv_button("Means (CSV)", lambda: summarize(runs), "summary.csv", "sweep_summary")
