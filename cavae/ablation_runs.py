"""The runs behind Table A1 and Figure A1: every variant trained and measured alike.

The table: each variant is trained once, as `train --data` trains it (same seed, at most 500
epochs), and measured on the test people as `evaluate` measures it, intervals included.

The folds of Figure A1: all people of the experiment are dealt into folds, subtypes evenly. For each
fold a model is trained on the other folds and measured on this one, by the same functions. That is
five models for each of seven variants, which two processors cannot train for 500 epochs within
minutes: a fold trains `Effort.fold_epochs` epochs and keeps the best of them, by the same
monitoring. Leakage and completeness of models trained longer are those of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
from cavae.cohort import Cohort, join_cohorts
from cavae.config import train_config
from cavae.errors import ConfigError, DataError
from cavae.estimates import Estimate
from cavae.experiments import SIMULATED, split_of
from cavae.metrics import wasserstein2
from cavae.preprocessing import fit_preprocessor
from cavae.simulation import SemiSynthetic, read_simulation
from cavae.simulation_evaluation import (
    PAIRS,
    completeness,
    evaluate_simulation,
    fidelity,
    latent_figures,
    separation,
)
from cavae.sweep import LOCAL, Task, run_tasks
from cavae.synthesis import encode
from cavae.tables import save_table, whole_file
from cavae.training import Split, TrainedModel, split_cohort, train

Array = NDArray[np.float64]
Rows = list[tuple[str, str, float, float, float]]
OnProgress = Callable[[float], object]

SEED = 0
FEWEST_FOLDS, MOST_FOLDS = 2, 20
EVALUATION, BASELINE, EPOCH = 5.0, 6.0, 0.03  # seconds, roughly: what the time left goes by
ON_ITS_OWN = {"paper_bgcolor": "white", "plot_bgcolor": "white", "width": 960}
"""A figure that is a page by itself is not see-through."""


@dataclass(frozen=True)
class Effort:
    """Most epochs of a model of the table and of a fold, and resamples of an interval."""

    epochs: int = 500
    fold_epochs: int = 100
    resamples: int = RESAMPLES


FULL = Effort()


def run_ablation(
    data: Path,
    output: Path,
    folds: int = 5,
    scheduler: str = LOCAL,
    on_progress: OnProgress | None = None,
    effort: Effort = FULL,
) -> None:
    """Run everything on an experiment of `simulate` and write the answer into the folder `output`.

    First table.csv and table.md, as soon as the last variant is measured; then folds.csv,
    figure_a1a.html and figure_a1b.html. on_progress is told which share of the work is done.

    Raises:
        DataError: the experiment or the output cannot be used, or it has too few people.
        ConfigError: folds or scheduler cannot be used.
    """
    if not FEWEST_FOLDS <= folds <= MOST_FOLDS:
        raise ConfigError(f"folds is {folds}; accepted: {FEWEST_FOLDS} to {MOST_FOLDS}.")
    require_folder(output)
    simulated = read_simulation(data)
    of_table, of_folds = table_tasks(simulated, effort), fold_tasks(simulated, folds, effort)
    tasks = [*of_table, *of_folds]
    total, done = sum(task.cost for task in tasks), 0.0
    rows: dict[int, list[tuple]] = {}
    for number, found in run_tasks(tasks, scheduler):
        rows[number] = found
        done += tasks[number].cost
        if on_progress is not None:
            on_progress(done / total)
        if number < len(of_table) and all(k in rows for k in range(len(of_table))):
            save_ablation(make_table(rows[k] for k in range(len(of_table))), output)
    save_folds(make_folds(rows[k] for k in range(len(of_table), len(tasks))), output, folds, effort)


def require_folder(output: Path) -> None:
    """Refuse an output that is a file, before any work."""
    if output.exists() and not output.is_dir():
        raise DataError(f"Output {str(output)!r} is a file; accepted: a folder.")


# --------------------------------------------------------------------------- the table


def table_tasks(simulated: SemiSynthetic, effort: Effort) -> list[Task]:
    """One task a training, a baseline, and the real data; what takes longest first."""
    training = EVALUATION + EPOCH * effort.epochs
    trained = [
        Task(measure_variant, (one, simulated, effort), training)
        for one in (CALIBRATED, *without_parts(), *OF_PAPER)
        if one not in UNCALIBRATED
    ]
    others = [
        Task(measure_baseline, (name, simulated, effort), BASELINE) for name in reversed(BASELINES)
    ]
    return [*trained, *others, Task(measure_real, (simulated, effort), EVALUATION)]


def measure_variant(variant: Variant, simulated: SemiSynthetic, effort: Effort) -> Rows:
    """Train a variant and measure it; the calibrated one also as it is without calibration.

    Calibration comes after training, so that without it the network is the same.
    """
    trained = train_variant(variant, split_of(simulated), effort.epochs)
    found = _rows(variant.name, evaluate_simulation(trained, simulated, effort.resamples).estimates)
    if variant == CALIBRATED:
        for plain in UNCALIBRATED:
            bare = replace(trained, calibration=None)
            figures = evaluate_simulation(bare, simulated, effort.resamples)
            found += _rows(plain.name, figures.estimates)
    return found


def train_variant(variant: Variant, split: Split, epochs: int, seed: int = SEED) -> TrainedModel:
    """Train a variant as the command `train --data` does, on the processor."""
    settings = {**SIMULATED, "epochs": epochs, "seed": seed, "device": "cpu", **variant.settings}
    return train(split, train_config(variant.preset, **settings), variant=variant.variant)


def measure_baseline(name: str, simulated: SemiSynthetic, effort: Effort) -> Rows:
    """Distances of cohorts that a baseline draws, in the same units; it has no latents."""
    train_people, test = _standardized(simulated)
    drawn = tuple(
        sample_baseline(name, people, PAIRS, SEED + k) for k, people in enumerate(train_people)
    )
    return _rows(BASELINES[name], _distances(drawn, train_people, test, effort))


def measure_real(simulated: SemiSynthetic, effort: Effort) -> Rows:
    """What real people reach: the floors, the real separation, and clusters of their volumes."""
    train_people, test = _standardized(simulated)
    bootstrap = Bootstrap(effort.resamples)
    size = min(map(len, test))
    value = wasserstein2(test[0][:size], test[1][:size])
    interval = bootstrap.wasserstein2_interval(value, test[0][:size], test[1][:size])
    people = join_cohorts([simulated.target["test"], simulated.background["test"]])
    estimates = {
        "w2_target": fidelity(train_people[0], test[0], train_people[0], bootstrap),
        "w2_background": fidelity(train_people[1], test[1], train_people[1], bootstrap),
        "separation": Estimate(value, interval),
        "completeness": _completeness_of_volumes(people, bootstrap),
    }
    return _rows(paper.REAL, estimates)


def make_table(parts: Iterable[Rows]) -> pd.DataFrame:
    """One table (TABLE_COLUMNS) of the rows of all tasks, variants and metrics in their order."""
    table = pd.DataFrame([row for part in parts for row in part], columns=list(TABLE_COLUMNS))
    table = table.dropna(subset="value")
    rank = {name: place for place, name in enumerate(order())}
    return table.sort_values("variant", key=lambda names: names.map(rank), kind="stable")


def save_ablation(table: pd.DataFrame, output: Path) -> None:
    """Write table.csv and table.md."""
    save_table([table], output / TABLE_FILE)
    _save_text(readable_table(table), output / READABLE_FILE)


# --------------------------------------------------------------------------- the folds


def fold_tasks(simulated: SemiSynthetic, folds: int, effort: Effort) -> list[Task]:
    """One task a fold and variant, and one for all folds of the volumes themselves."""
    splits = (part for role in (simulated.background, simulated.target) for part in role.values())
    people = join_cohorts(list(splits))
    parts = deal_into_folds(people, folds)
    cost = 1.0 + EPOCH * effort.fold_epochs * 1.3
    of_volumes = Task(measure_volumes, (people, parts), folds * 0.5)
    return [
        of_volumes,
        *(
            Task(measure_fold, (variant, people, parts, fold, effort), cost)
            for fold in range(1, folds + 1)
            for variant in (*OF_PAPER, CALIBRATED)
        ),
    ]


def deal_into_folds(people: Cohort, folds: int) -> NDArray[np.int64]:
    """The fold (from 1) of every person, subtypes dealt evenly, by SEED."""
    generator = np.random.default_rng(SEED)
    fold = np.empty(len(people), dtype=np.int64)
    start = 0
    for _, rows in sorted(people.extra.groupby("subtype").indices.items()):
        dealt = generator.permutation(rows)
        fold[dealt] = (start + np.arange(len(rows))) % folds + 1
        start += len(rows)
    return fold


def measure_fold(
    variant: Variant, people: Cohort, parts: NDArray[np.int64], fold: int, effort: Effort
) -> list[tuple]:
    """Train a variant on all folds but one, and measure its latents on that one."""
    config = train_config(variant.preset, **SIMULATED, seed=SEED)
    split = split_cohort(people.select(parts != fold), config)
    trained = train_variant(variant, split, effort.fold_epochs)
    held_out = people.select(parts == fold)
    encoding, subtypes = encode(trained, held_out), held_out.extra["subtype"].to_numpy(str)
    figures = latent_figures(encoding.common, encoding.salient, subtypes, Bootstrap(0))
    return [(variant.name, fold, metric, one.value) for metric, one in figures.items()]


def measure_volumes(people: Cohort, parts: NDArray[np.int64]) -> list[tuple]:
    """Completeness of clusters of the volumes themselves, fold by fold."""
    return [
        (
            paper.REAL,
            fold,
            "completeness",
            _completeness_of_volumes(people.select(parts == fold), Bootstrap(0)).value,
        )
        for fold in np.unique(parts)
    ]


def make_folds(parts: Iterable[list[tuple]]) -> pd.DataFrame:
    """One table (FOLD_COLUMNS) of the rows of all tasks, variants and folds in their order."""
    folds = pd.DataFrame([row for part in parts for row in part], columns=list(FOLD_COLUMNS))
    folds = folds.dropna(subset="value")
    rank = {name: place for place, name in enumerate(order())}
    ranked = folds.assign(rank=folds["variant"].map(rank))
    return ranked.sort_values(["rank", "fold"], kind="stable").drop(columns="rank")


def save_folds(folds: pd.DataFrame, output: Path, count: int, effort: Effort) -> None:
    """Write folds.csv and the two figures, which say what a fold is."""
    from cavae.plots import plot_common_auc_by_variant, plot_completeness_by_variant

    save_table([folds], output / FOLDS_FILE)
    what = fold_words(count, effort)
    for name, plot in (("a1a", plot_common_auc_by_variant), ("a1b", plot_completeness_by_variant)):
        drawn = plot(folds).update_layout(
            title={"text": what, "font": {"size": 13}}, margin={"t": 60}, **ON_ITS_OWN
        )
        _save_text(drawn.to_html(include_plotlyjs=True), output / f"figure_{name}.html")


def fold_words(count: int, effort: Effort) -> str:
    """What a point of Figure A1 is, in a sentence."""
    return (
        f"{count} folds: each point is one model, trained on the other folds for at most "
        f"{effort.fold_epochs} epochs (in the table: {effort.epochs})."
    )


# --------------------------------------------------------------------------- parts


UNCALIBRATED = tuple(one for one in without_parts() if set(one.settings) == {"calibrate"})


def _save_text(text: str, path: Path) -> None:
    with whole_file(path) as stream:
        stream.write(text.encode("utf-8"))


def _rows(name: str, estimates: Mapping[str, Estimate]) -> Rows:
    return [(name, metric, one.value, *one.interval) for metric, one in estimates.items()]


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


def _distances(
    drawn: tuple[Array, Array],
    train_people: tuple[Array, Array],
    test: tuple[Array, Array],
    effort: Effort,
) -> dict[str, Estimate]:
    bootstrap = Bootstrap(effort.resamples)
    return {
        "w2_target": fidelity(drawn[0], test[0], train_people[0], bootstrap),
        "w2_background": fidelity(drawn[1], test[1], train_people[1], bootstrap),
        "separation": separation(drawn, test, bootstrap),
    }


def _completeness_of_volumes(people: Cohort, bootstrap: Bootstrap) -> Estimate:
    """Of clusters of the volumes as they are in the file, mm³."""
    return completeness(people.features.to_numpy(), people.extra["subtype"].to_list(), bootstrap)
