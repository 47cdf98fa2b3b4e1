"""The runs behind Table A1 and Figure A1: every variant trained and measured alike.

The table: each variant is trained once, as `train --data` trains it (same seed, at most 500
epochs), and measured on the test people as `evaluate` measures it, intervals included.

The folds of Figure A1, as in the appendix of the paper: the latents of the test people, under the
same fully trained models, are dealt into folds; classifier and clusters learn from the other folds.
No model is trained for a fold. Five more models a variant would take ten minutes on two processors,
and models trained for a fraction of the epochs mislead: after 40 epochs the completeness of λ = 10
is 0.88, after 500 it is 0.48.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cavae import paper
from cavae.ablation import (
    BASELINES,
    CALIBRATED,
    FOLD_COLUMNS,
    FOLDS_FILE,
    OF_PAPER,
    READABLE_FILE,
    TABLE_COLUMNS,
    TABLE_FILE,
    Variant,
    order,
    readable_table,
    without_parts,
)
from cavae.baselines import sample_baseline
from cavae.bootstrap import RESAMPLES, Bootstrap
from cavae.cohort import join_cohorts
from cavae.config import train_config
from cavae.ensemble import TOGETHER, ensembles
from cavae.errors import ConfigError, DataError
from cavae.estimates import Estimate
from cavae.experiments import SIMULATED, split_of
from cavae.fitted import FittedModel
from cavae.metrics import wasserstein2
from cavae.preprocessing import fit_preprocessor
from cavae.simulation import SemiSynthetic, read_simulation
from cavae.simulation_evaluation import (
    PAIRS,
    completeness,
    completeness_folds,
    evaluate_simulation,
    fidelity,
    latent_folds,
    separation,
)
from cavae.synthesis import encode
from cavae.tables import save_table, whole_file
from cavae.tasks import LOCAL, Task, run_tasks
from cavae.training import Run, Split, train_together

Array = NDArray[np.float64]
OnProgress = Callable[[float], object]
TableRow = tuple[str, str, float, float, float]
FoldRow = tuple[str, int, str, float]

SEED = 0
FEWEST_FOLDS, MOST_FOLDS = 2, 20
EVALUATION, BASELINE, EPOCH = 5.0, 6.0, 0.013  # seconds, roughly: what the time left goes by
ON_ITS_OWN = {"paper_bgcolor": "white", "plot_bgcolor": "white", "width": 960}
"""A figure that is a page by itself is not see-through."""


@dataclass(frozen=True)
class Effort:
    """Most epochs of a training, resamples of an interval, and folds of Figure A1."""

    epochs: int = 500
    resamples: int = RESAMPLES
    folds: int = 5

    def __post_init__(self) -> None:
        if not FEWEST_FOLDS <= self.folds <= MOST_FOLDS:
            raise ConfigError(f"folds is {self.folds}; accepted: {FEWEST_FOLDS} to {MOST_FOLDS}.")


@dataclass(frozen=True)
class Measured:
    """Rows of table.csv and of folds.csv that a task found."""

    table: list[TableRow]
    folds: list[FoldRow]

    def __add__(self, other: Measured) -> Measured:
        return Measured(self.table + other.table, self.folds + other.folds)


def run_ablation(
    data: Path,
    output: Path,
    effort: Effort,
    scheduler: str = LOCAL,
    on_progress: OnProgress | None = None,
) -> None:
    """Run everything on an experiment of `simulate` and write the answer into the folder `output`:
    table.csv, table.md, folds.csv, figure_a1a.html and figure_a1b.html, in this order.

    on_progress is told which share of the work is done.

    Raises:
        DataError: the experiment or the output cannot be used, or it has too few people.
        ConfigError: the scheduler cannot be used.
    """
    require_folder(output)
    tasks = ablation_tasks(read_simulation(data), effort)
    total, done = sum(task.cost for task in tasks), 0.0
    measured = Measured([], [])
    for number, found in run_tasks(tasks, scheduler):
        measured += found
        done += tasks[number].cost
        if on_progress is not None:
            on_progress(done / total)
    save_ablation(in_order(measured.table, TABLE_COLUMNS), output)
    save_folds(in_order(measured.folds, FOLD_COLUMNS), output, effort)


def require_folder(output: Path) -> None:
    """Refuse an output that is a file, before any work."""
    if output.exists() and not output.is_dir():
        raise DataError(f"Output {str(output)!r} is a file; accepted: a folder.")


# --------------------------------------------------------------------------- tasks


def ablation_tasks(simulated: SemiSynthetic, effort: Effort) -> list[Task]:
    """A few trainings a task, a baseline, and the real data; what takes longest first."""
    trained = [
        Task(
            measure_variants,
            (together, simulated, effort),
            len(together) * (EVALUATION + EPOCH * effort.epochs),
            ", ".join(one.name for one in together),
        )
        for together in trained_together()
    ]
    others = [
        Task(measure_baseline, (name, simulated, effort), BASELINE) for name in reversed(BASELINES)
    ]
    return [*trained, *others, Task(measure_real, (simulated, effort), EVALUATION)]


def trained_together() -> list[list[Variant]]:
    """Variants whose networks have one shape, a few at a time; the largest group first.

    Who is in which does not depend on the machine, nor do the numbers on who is in which.
    """
    variants = [one for one in (CALIBRATED, *without_parts(), *OF_PAPER) if one not in UNCALIBRATED]
    return sorted(ensembles(variants, lambda one: one.variant, TOGETHER), key=len, reverse=True)


def measure_variants(
    variants: Sequence[Variant], simulated: SemiSynthetic, effort: Effort
) -> Measured:
    """Train variants together and measure each; the calibrated one also as it is without
    calibration.

    Calibration comes after training, so that without it the network is the same.
    """
    split, measured = split_of(simulated), Measured([], [])
    runs = [run_of(one, split, effort.epochs) for one in variants]
    for one, trained in zip(variants, train_together(runs), strict=True):
        measured += measure_model(one.name, trained, simulated, effort)
        if one == CALIBRATED:
            bare = replace(trained, calibration=None)
            for plain in UNCALIBRATED:
                measured += measure_model(plain.name, bare, simulated, effort)
    return measured


def run_of(variant: Variant, split: Split, epochs: int) -> Run:
    """A variant trained as the command `train --data` does, on the processor."""
    settings = {**SIMULATED, "epochs": epochs, "seed": SEED, "device": "cpu", **variant.settings}
    return Run(split, train_config(variant.preset, **settings), variant=variant.variant)


def measure_model(
    name: str, model: FittedModel, simulated: SemiSynthetic, effort: Effort
) -> Measured:
    """What `evaluate` says of a model; and its latents, fold by fold, if it is in Figure A1."""
    figures = evaluate_simulation(model, simulated, effort.resamples)
    rows = _rows(name, figures.estimates)
    if name not in {one.name for one in IN_FIGURE}:
        return Measured(rows, [])
    folds = latent_folds(*latents_of_test(model, simulated), effort.folds)
    return Measured(rows, _fold_rows(name, folds))


def latents_of_test(
    model: FittedModel, simulated: SemiSynthetic
) -> tuple[Array, Array, NDArray[np.str_]]:
    """Common and salient means (n, d) and subtypes (n,) of the test people, targets first."""
    people = simulated.target["test"], simulated.background["test"]
    encodings = [encode(model, cohort) for cohort in people]
    return (
        np.concatenate([one.common for one in encodings]),
        np.concatenate([one.salient for one in encodings]),
        np.concatenate([cohort.extra["subtype"].to_numpy(str) for cohort in people]),
    )


def measure_baseline(name: str, simulated: SemiSynthetic, effort: Effort) -> Measured:
    """Distances of cohorts that a baseline draws, in the same units; it has no latents."""
    train_people, test = _standardized(simulated)
    bootstrap = Bootstrap(effort.resamples)
    drawn = tuple(
        sample_baseline(name, people, PAIRS, SEED + k) for k, people in enumerate(train_people)
    )
    estimates = {
        "w2_target": fidelity(drawn[0], test[0], train_people[0], bootstrap),
        "w2_background": fidelity(drawn[1], test[1], train_people[1], bootstrap),
        "separation": separation(drawn, test, bootstrap),
    }
    return Measured(_rows(BASELINES[name], estimates), [])


def measure_real(simulated: SemiSynthetic, effort: Effort) -> Measured:
    """What real people reach: the floors, the real separation, and clusters of their volumes, as
    they are in the file (mm³)."""
    train_people, test = _standardized(simulated)
    bootstrap = Bootstrap(effort.resamples)
    size = min(map(len, test))
    apart = wasserstein2(test[0][:size], test[1][:size])
    interval = bootstrap.wasserstein2_interval(apart, test[0][:size], test[1][:size])
    people = join_cohorts([simulated.target["test"], simulated.background["test"]])
    volumes, subtypes = people.features.to_numpy(), people.extra["subtype"].to_numpy(str)
    estimates = {
        "w2_target": fidelity(train_people[0], test[0], train_people[0], bootstrap),
        "w2_background": fidelity(train_people[1], test[1], train_people[1], bootstrap),
        "separation": Estimate(apart, interval),
        "completeness": completeness(volumes, subtypes, bootstrap),
    }
    by_fold = {"completeness": completeness_folds(volumes, subtypes, effort.folds)}
    return Measured(_rows(paper.REAL, estimates), _fold_rows(paper.REAL, by_fold))


# --------------------------------------------------------------------------- files


def in_order(rows: Sequence[tuple], columns: Sequence[str]) -> pd.DataFrame:
    """Rows as a table, variants in their order; rows without a value are left out."""
    table = pd.DataFrame(rows, columns=list(columns)).dropna(subset="value")
    rank = {name: place for place, name in enumerate(order())}
    return table.sort_values(
        "variant", key=lambda names: names.map(rank), kind="stable", ignore_index=True
    )


def save_ablation(table: pd.DataFrame, output: Path) -> None:
    """Write table.csv and table.md."""
    save_table([table], output / TABLE_FILE)
    _save_text(readable_table(table), output / READABLE_FILE)


def save_folds(folds: pd.DataFrame, output: Path, effort: Effort) -> None:
    """Write folds.csv and the two figures, which say what a fold is."""
    from cavae.plots import plot_common_auc_by_variant, plot_completeness_by_variant

    save_table([folds], output / FOLDS_FILE)
    title = {"text": fold_words(effort), "font": {"size": 13}}
    for name, plot in (("a1a", plot_common_auc_by_variant), ("a1b", plot_completeness_by_variant)):
        drawn = plot(folds).update_layout(title=title, margin={"t": 60}, **ON_ITS_OWN)
        _save_text(drawn.to_html(include_plotlyjs=True), output / f"figure_{name}.html")


def fold_words(effort: Effort) -> str:
    """What a point of Figure A1 is, in a sentence."""
    return (
        f"One model a variant, at most {effort.epochs} epochs; a point is one of {effort.folds} "
        "folds of the test people, measured by what was learned from the latents of the others."
    )


# --------------------------------------------------------------------------- parts


IN_FIGURE = (*OF_PAPER, CALIBRATED)
UNCALIBRATED = tuple(one for one in without_parts() if set(one.settings) == {"calibrate"})


def _save_text(text: str, path: Path) -> None:
    with whole_file(path) as stream:
        stream.write(text.encode("utf-8"))


def _rows(name: str, estimates: Mapping[str, Estimate]) -> list[TableRow]:
    return [(name, metric, one.value, *one.interval) for metric, one in estimates.items()]


def _fold_rows(name: str, figures: Mapping[str, Array]) -> list[FoldRow]:
    return [
        (name, fold, metric, float(value))
        for metric, values in figures.items()
        for fold, value in enumerate(values, start=1)
    ]


def _standardized(simulated: SemiSynthetic) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Training and test people, (target, background) each, in the units of every variant."""
    labels = SIMULATED["background"], SIMULATED["target"]
    preprocessor = fit_preprocessor(split_of(simulated).train, *labels)
    return tuple(
        tuple(
            preprocessor.transform(people[part]).values
            for people in (simulated.target, simulated.background)
        )
        for part in ("train", "test")
    )
