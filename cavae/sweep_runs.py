"""The trainings of a sweep: run side by side, written down as they end, and not run twice."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from cavae import numbers
from cavae.cohort import Cohort, join_cohorts
from cavae.ensemble import TOGETHER, ensembles
from cavae.errors import DataError
from cavae.estimates import Metric
from cavae.evaluation import MEANINGS, evaluate_cohort
from cavae.fidelity import cohort_fidelity
from cavae.fitted import FittedModel
from cavae.folds import deal_folds
from cavae.simulation import SPLITS, SemiSynthetic
from cavae.simulation_evaluation import METRICS as OF_SIMULATION
from cavae.simulation_evaluation import evaluate_simulation
from cavae.sweep import (
    RUNS_FILE,
    SUMMARY_FILE,
    Cell,
    Grid,
    Row,
    done,
    join_runs,
    read_runs,
    rows_of,
    summarize,
)
from cavae.tables import save_table
from cavae.tasks import LOCAL, Task, run_tasks
from cavae.training import Run, Split, split_cohort, train_together

if TYPE_CHECKING:
    from cavae.jobs import Tell

People = Cohort | SemiSynthetic
OnCell = Callable[[int, int], object]  # told how many cells are done, of how many

NICE = 10  # a sweep takes every processor, but pages that are looked at come first
DEAL = 0  # the seed of who is in which part: the same people for every setting and seed
WORKERS = 8  # who should all have work before cells train together
FEWEST_HELD_OUT = 5  # people of each side in a fold, or nothing can be said of it
DISTANCES = ("w2_target", "w2_background")
TRUTH = ("effect_r", "effect_rmse", "effect_slope", "coverage90", "completeness", "common_auc")
"""What is measured only where the true twins and subtypes are known."""
FIGURES = {
    "MAD, median (SD)": "mad",
    "MAD, Spearman with diagnosis": "mad_rank",
    "effect, AUC": "effect_auc",
    "salient s, AUC": "salient_auc",
    "common z, AUC (leakage)": "common_auc",
    "hippocampal effect, mean (SD)": "hippocampal_effect",
}
"""Keys of the figures of `evaluate_cohort`."""
MEASURED = {
    metric.key: metric
    for metric in (
        replace(
            next(one for one in OF_SIMULATION if one.key == "common_auc"),
            meaning=MEANINGS["common z, AUC (leakage)"],
        ),
        Metric(
            "salient_auc",
            "AUC of target against background on salient s",
            "",
            "higher, up to 1",
            MEANINGS["salient s, AUC"],
            best=1.0,
        ),
        Metric(
            "effect_auc",
            "AUC of target against background by the size of the effect",
            "",
            "higher, up to 1",
            MEANINGS["effect, AUC"],
            best=1.0,
        ),
        Metric(
            "w2_target_ratio",
            "W2 of generated to real target, in floors",
            "",
            "lower, down to 1",
            "At 1 generated patients are as close to real ones as other real patients are.",
            best=1.0,
        ),
        Metric(
            "w2_background_ratio",
            "W2 of generated to real background, in floors",
            "",
            "lower, down to 1",
            "At 1 generated healthy people are as close to real ones as other healthy people are.",
            best=1.0,
        ),
        Metric(
            "mad",
            "Median difference from the twin decode(z, 0)",
            "SD",
            "higher the more severe",
            MEANINGS["MAD, median (SD)"],
        ),
        Metric(
            "mad_rank",
            "Rank correlation of that difference with diagnosis",
            "",
            "higher, up to 1",
            MEANINGS["MAD, Spearman with diagnosis"],
            best=1.0,
        ),
        Metric(
            "hippocampal_effect",
            "Mean effect on the hippocampus",
            "SD",
            "0 in healthy people, below 0 in patients",
            MEANINGS["hippocampal effect, mean (SD)"],
        ),
        *(one for one in OF_SIMULATION if one.key not in ("common_auc", "mad", "effect_mad")),
    )
}
"""What a cell is measured by, by the column `metric`, in the order in which people see them."""


# --------------------------------------------------------------------------- one training


def run_cells(cells: Sequence[Cell], people: People) -> list[list[Row]]:
    """Train each on the people of the other folds, together, and measure on those of its fold."""
    of_fold: dict[Hashable, tuple[Split, SemiSynthetic | None]] = {}
    for cell in cells:
        if _fold(cell) not in of_fold:
            of_fold[_fold(cell)] = part(cell, people)
    parts = [of_fold[_fold(cell)] for cell in cells]
    trained = train_together(
        [
            Run(split, cell.config, cell.latent, cell.variant)
            for cell, (split, _) in zip(cells, parts, strict=True)
        ]
    )
    return [measure(one, *of_cell) for one, of_cell in zip(trained, parts, strict=True)]


def _fold(cell: Cell) -> Hashable:
    """What of a cell `part` goes by."""
    return cell.config.background, cell.config.target, cell.folds, cell.fold


def trained_together(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Cells whose networks have one shape, a few at a time, and fewer where that would leave
    workers without any."""
    most = max(1, min(TOGETHER, len(cells) // WORKERS))
    return ensembles(cells, lambda cell: (cell.variant, cell.latent), most)


def part(cell: Cell, people: People) -> tuple[Split, SemiSynthetic | None]:
    """The people of a cell: those to learn from, to monitor with, and of its fold, as test.

    Of a simulation also as an experiment in the same three parts, with the true twins.
    """
    everyone = everyone_of(people)
    labels = cell.config.background + cell.config.target
    cohort = everyone.select(everyone.subjects["diagnosis"].isin(labels).to_numpy())
    masks = list(deal_folds(cohort, cell.config.target, cell.folds, DEAL))
    held_out = masks[cell.fold]
    split = split_cohort(cohort.select(~held_out), replace(cell.config, seed=DEAL))
    split = replace(split, test=cohort.select(held_out))
    return split, _as_experiment(people, split) if isinstance(people, SemiSynthetic) else None


def everyone_of(people: People) -> Cohort:
    """All people of a table, or all healthy and diseased ones of a simulation."""
    if isinstance(people, Cohort):
        return people
    return join_cohorts([cohorts[name] for cohorts in _roles(people)[:2] for name in SPLITS])


def _as_experiment(people: SemiSynthetic, split: Split) -> SemiSynthetic:
    """The simulation with the parts of `split` instead of its own."""
    roles = (join_cohorts([role[name] for name in SPLITS]) for role in _roles(people))
    parts = dict(zip(SPLITS, (split.train, split.validation, split.test), strict=True))
    return SemiSynthetic(
        *(
            {
                name: role.select(role.subjects["subject_id"].isin(ids).to_numpy())
                for name, ids in ((n, p.subjects["subject_id"]) for n, p in parts.items())
            }
            for role in roles
        )
    )


def _roles(people: SemiSynthetic) -> tuple[Any, Any, Any]:
    return people.background, people.target, people.truth


def measure(model: FittedModel, split: Split, simulated: SemiSynthetic | None) -> list[Row]:
    """Figures on the test people, as `evaluate` measures them; those that are not known are left
    out."""
    rows = [
        (FIGURES[figure.metric], figure.group, figure.value, float("nan"))
        for figure in evaluate_cohort(model, split.test)
        if simulated is None or FIGURES[figure.metric] not in TRUTH
    ]
    if simulated is None:
        estimates = cohort_fidelity(model, split.train, split.test)
    else:
        known = evaluate_simulation(model, simulated, resamples=0).estimates
        estimates = {key: known[key] for key in (*DISTANCES, "separation", *TRUTH)}
    for key, estimate in estimates.items():
        rows.append((key, "all", estimate.value, estimate.reference))
        if key in DISTANCES:
            rows.append((f"{key}_ratio", "all", estimate.value / estimate.reference, 1.0))
    return [row for row in rows if np.isfinite(row[2])]


# --------------------------------------------------------------------------- the sweep


def run_sweep(
    people: People,
    grid: Grid,
    output: Path,
    scheduler: str = LOCAL,
    on_cell: OnCell | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> pd.DataFrame:
    """Run what the folder `output` does not have yet, and write runs.csv and summary.csv after each
    training; returns all runs of the folder.

    Raises:
        DataError: there are too few people, or the folder has runs of others.
        ConfigError: the scheduler cannot be used.
    """
    cells, digest = grid.cells(), fingerprint(people)
    runs = _earlier(output, digest)
    require_people(cells, people)
    found = done(runs, cells)
    left = [cell for cell in cells if cell not in found]

    def tell() -> None:
        if on_cell is not None:
            on_cell(len(cells) - len(left), len(cells))

    tell()
    together = trained_together(left)
    tasks = [
        Task(run_cells, (some, people), len(some), "; ".join(cell.name for cell in some))
        for some in together
    ]
    for number, found in run_tasks(tasks, scheduler, stopped):
        for cell, rows in zip(together[number], found, strict=True):
            runs = join_runs([runs, rows_of(cell, digest, rows)])
            left.remove(cell)
        save_runs(runs, output)
        tell()
    return runs


def save_runs(runs: pd.DataFrame, output: Path) -> None:
    """Write runs.csv, then summary.csv."""
    save_table([runs], output / RUNS_FILE)
    save_table([summarize(runs)], output / SUMMARY_FILE)


def require_people(cells: tuple[Cell, ...], people: People) -> None:
    """Refuse, before any training, cells that have too few people to learn from or to test on."""
    seen = {}
    for cell in cells:
        seen.setdefault((cell.config.background, cell.config.target, cell.folds), cell)
    everyone = everyone_of(people)
    for background, target, folds in seen:
        for labels in (background, target):
            count = int(everyone.subjects["diagnosis"].isin(labels).sum())
            fewest = folds * FEWEST_HELD_OUT
            if count < fewest:
                raise DataError(
                    f"{numbers.people(count)} labelled {', '.join(labels)}; {folds} folds need at "
                    f"least {fewest}, {FEWEST_HELD_OUT} in each."
                )
    for cell in seen.values():
        part(cell, people)


def fingerprint(people: People) -> str:
    """A digest of the people, from which nothing of them can be told."""
    cohorts = [everyone_of(people)]
    if isinstance(people, SemiSynthetic):
        cohorts += [people.truth[name] for name in SPLITS]
    digest = hashlib.sha256()
    for cohort in cohorts:
        for table in (cohort.subjects, cohort.features):
            digest.update(repr(list(table.columns)).encode())
            digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]


def _earlier(output: Path, digest: str) -> pd.DataFrame:
    """Runs of these people that the folder has; DataError when it has those of others, or when it
    cannot be written."""
    there = next(place for place in (output, *output.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise DataError(
            f"Output {str(output)!r} cannot be written; accepted: a folder, new or of a sweep."
        )
    runs = read_runs(output)
    if len(runs) and set(runs["people"]) != {digest}:
        raise DataError(
            f"{str(output / RUNS_FILE)!r} has runs of other people; accepted: another folder, or "
            "the same table."
        )
    return runs


# --------------------------------------------------------------------------- in the background


@dataclass(frozen=True)
class SweepOrder:
    """A sweep as a job (`jobs.Work`); its runs lie in the folder of the job.

    earlier: the folder of a sweep of the same people that was stopped, to go on from.
    """

    cohort: Cohort
    grid: Grid
    name: str
    earlier: Path | None = None
    kind: ClassVar[str] = "sweep"

    @property
    def settings(self) -> dict[str, Any]:
        """What varies, and how many trainings that is."""
        return self.grid.to_dict() | {"trainings": len(self.grid.cells())}

    def work(self, folder: Path, tell: Tell) -> None:
        """Run it on this machine; what has ended is kept when it is stopped.

        Tells, for each training, how many are done and seconds since the beginning.
        """
        begun = monotonic()
        os.nice(NICE)
        if self.earlier is not None:
            save_runs(_earlier(self.earlier, fingerprint(self.cohort)), folder)

        def on_cell(ended: int, trainings: int) -> None:
            tell({"done": ended, "trainings": trainings, "seconds": monotonic() - begun})

        run_sweep(self.cohort, self.grid, folder, on_cell=on_cell, stopped=tell.stopped)
