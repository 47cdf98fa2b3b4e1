"""A sweep: one model for every λ, seed, fold, variant, preset and pair of cohorts; and its tables.

`Grid` says what varies and `Cell` is one training. In the tables `runs.csv` has a row for each cell
and metric, `summary.csv` one for each setting and metric, over seeds and folds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cavae.config import (
    DEFAULT_VARIANT,
    ModelConfig,
    TrainConfig,
    default_preset,
    require_variant,
    train_config,
)
from cavae.errors import ConfigError, DataError
from cavae.tables import armed

RUNS_FILE, SUMMARY_FILE = "runs.csv", "summary.csv"
SETTINGS = (
    *("background", "target", "variant", "preset", "lambda", "latent", "epochs", "folds"),
    *("seed", "fold"),
)
"""Columns that say which cell a row is of."""
VARYING = ("seed", "fold")
"""Settings that a summary is over."""
RUN_COLUMNS = (*SETTINGS, "people", "metric", "group", "value", "reference")
"""people: a digest of the table, so that runs of other people are not taken for these."""
FEWEST_FOLDS, MOST_FOLDS, MOST_CELLS = 2, 20, 10_000
TAIL = 0.025
ENOUGH = 3
"""Runs from which an interval is shown: that of two is as wide as any picture."""

Row = tuple[str, str, float, float]  # metric, group, value, reference


@dataclass(frozen=True)
class Cohorts:
    """Labels of the healthy and of those who have the disease."""

    background: tuple[str, ...] = ("CN",)
    target: tuple[str, ...] = ("MCI", "AD")


@dataclass(frozen=True)
class Cell:
    """One training: its settings, and the fold (from 0) whose people it does not learn from."""

    config: TrainConfig
    variant: str
    latent: int
    folds: int
    fold: int

    @property
    def cohorts(self) -> Cohorts:
        """Who against whom."""
        return Cohorts(self.config.background, self.config.target)

    @property
    def name(self) -> str:
        """`contrastive, calibrated, λ 10, seed 0, fold 1 of 3`."""
        return (
            f"{self.variant}, {self.config.preset}, λ {self.config.mmd_weight:g}, "
            f"seed {self.config.seed}, fold {self.fold + 1} of {self.folds}"
        )

    def settings(self) -> dict[str, Any]:
        """Values of the columns SETTINGS; labels in one text, folds from 1."""
        config = self.config
        return {
            "background": "/".join(config.background),
            "target": "/".join(config.target),
            "variant": self.variant,
            "preset": config.preset,
            "lambda": float(config.mmd_weight),
            "latent": self.latent,
            "epochs": config.epochs,
            "folds": self.folds,
            "seed": config.seed,
            "fold": self.fold + 1,
        }


@dataclass(frozen=True)
class Grid:
    """What varies, every value with every other; repeated values count once.

    presets: none is the one that is usual for each variant; a variant is left out of presets that
    are not for it.
    """

    lambdas: tuple[float, ...] = (100.0,)
    seeds: tuple[int, ...] = (0,)
    folds: int = 3
    variants: tuple[str, ...] = (DEFAULT_VARIANT,)
    presets: tuple[str, ...] = ()
    cohorts: tuple[Cohorts, ...] = (Cohorts(),)
    epochs: int = 500
    latent: int = 5

    def __post_init__(self) -> None:
        for name in ("lambdas", "seeds", "variants", "cohorts"):
            if not getattr(self, name):
                raise ConfigError(f"{name} is empty; accepted: at least one.")
        if not FEWEST_FOLDS <= self.folds <= MOST_FOLDS:
            raise ConfigError(f"folds is {self.folds}; accepted: {FEWEST_FOLDS} to {MOST_FOLDS}.")
        every = (self.lambdas, self.seeds, range(self.folds), self._models(), self.cohorts)
        if (count := math.prod(map(len, every))) > MOST_CELLS:
            raise ConfigError(f"That is {count:,} trainings; accepted: up to {MOST_CELLS:,}.")
        self.cells()  # Refuses settings that no training can have.

    def cells(self) -> tuple[Cell, ...]:
        """Every training. Those of one seed and fold stand together, so that a sweep that is
        stopped has compared all settings on the same people."""
        models = self._models()
        found = [
            Cell(config, variant, self.latent, self.folds, fold)
            for seed, fold, cohorts in product(self.seeds, range(self.folds), self.cohorts)
            for variant, preset in models
            for config in self._configs(variant, preset, cohorts, seed)
        ]
        return tuple(dict.fromkeys(found))

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, for `from_dict`."""
        return {
            "lambdas": list(self.lambdas),
            "seeds": list(self.seeds),
            "folds": self.folds,
            "variants": list(self.variants),
            "presets": list(self.presets),
            "cohorts": [[list(one.background), list(one.target)] for one in self.cohorts],
            "epochs": self.epochs,
            "latent": self.latent,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Grid:
        """The grid that `to_dict` wrote; what else there is, is left aside."""
        cohorts = tuple(Cohorts(tuple(ours), tuple(theirs)) for ours, theirs in values["cohorts"])
        several = {
            name: tuple(values[name]) for name in ("lambdas", "seeds", "variants", "presets")
        }
        single = {name: values[name] for name in ("folds", "epochs", "latent")}
        return cls(cohorts=cohorts, **several, **single)

    def _models(self) -> list[tuple[str, str]]:
        """Variants with the presets that are for them; ConfigError for a variant without any."""
        found = []
        for variant in self.variants:
            ModelConfig(("one", "other"), self.latent, variant=variant)
            presets = self.presets or (default_preset(variant),)
            fitting = [preset for preset in presets if _fits(variant, preset)]
            if not fitting:
                require_variant(variant, train_config(presets[0]))
            found += [(variant, preset) for preset in fitting]
        return found

    def _configs(self, variant: str, preset: str, cohorts: Cohorts, seed: int) -> list[TrainConfig]:
        """One a λ; the conditional VAE has nothing that λ weighs: it is trained once, with 0."""
        return [
            train_config(
                preset,
                background=cohorts.background,
                target=cohorts.target,
                mmd_weight=float(weight),
                epochs=self.epochs,
                seed=seed,
                device="cpu",
            )
            for weight in ((0.0,) if variant == "conditional" else self.lambdas)
        ]


def _fits(variant: str, preset: str) -> bool:
    try:
        require_variant(variant, train_config(preset))
    except ConfigError:
        return False
    return True


# --------------------------------------------------------------------------- tables


def no_runs() -> pd.DataFrame:
    """A table of runs without any."""
    return pd.DataFrame(columns=list(RUN_COLUMNS))


def rows_of(cell: Cell, people: str, found: Iterable[Row]) -> pd.DataFrame:
    """What a cell found, as rows of a table of runs."""
    settings = cell.settings() | {"people": people}
    measures = ("metric", "group", "value", "reference")
    return pd.DataFrame(
        [settings | dict(zip(measures, row, strict=True)) for row in found],
        columns=list(RUN_COLUMNS),
    )


def join_runs(runs: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Runs in one table, in an order that does not depend on which ended first."""
    tables = [table for table in runs if len(table)]
    if not tables:
        return no_runs()
    joined = pd.concat(tables, ignore_index=True)
    return joined.sort_values(list(SETTINGS), kind="stable", ignore_index=True)


def done(runs: pd.DataFrame, cells: Iterable[Cell]) -> set[Cell]:
    """The cells that a table of runs has."""
    known = set(runs[list(SETTINGS)].itertuples(index=False, name=None))
    return {cell for cell in cells if tuple(cell.settings().values()) in known}


def read_runs(folder: Path) -> pd.DataFrame:
    """The runs that a folder has; none when there is no file.

    Raises DataError when the file is no table of runs.
    """
    path = folder / RUNS_FILE
    if not path.is_file():
        return no_runs()
    texts = ("background", "target", "variant", "preset", "people", "metric", "group")
    try:
        runs = pd.read_csv(
            path,
            dtype=dict.fromkeys(texts, str) | {"lambda": float},
            keep_default_na=False,
            na_values={"value": [""], "reference": [""]},
            float_precision="round_trip",
        )
    except (ValueError, OSError) as error:
        raise DataError(f"{str(path)!r} cannot be read as a table of runs.") from error
    if tuple(runs.columns) != RUN_COLUMNS:
        raise DataError(
            f"{str(path)!r} has other columns than `sweep` writes; accepted: another folder."
        )
    return runs.assign(**{name: runs[name].map(armed) for name in texts})


def summarize(runs: pd.DataFrame) -> pd.DataFrame:
    """One row for each setting and metric: mean, sd, low, high, reference (mean), runs.

    low and high: 95 % interval of the mean over seeds and folds (Student's t; nan for one run). It
    says how far the mean would move with other seeds and folds of these people; folds share most
    of those they learn from, so other people may move it further.
    """
    from scipy.stats import t

    keys = [name for name in SETTINGS if name not in VARYING] + ["metric", "group"]
    groups = runs.groupby(keys, sort=False)
    table = groups["value"].agg(mean="mean", sd="std", runs="size").reset_index()
    with np.errstate(divide="ignore", invalid="ignore"):
        half = t.ppf(1 - TAIL, table["runs"] - 1) * table["sd"] / np.sqrt(table["runs"])
    table = table.assign(
        low=table["mean"] - half,
        high=table["mean"] + half,
        reference=groups["reference"].mean().to_numpy(float),
    )
    return table[[*keys, "mean", "sd", "low", "high", "reference", "runs"]]


def answer(runs: pd.DataFrame, grid: Grid) -> dict[str, Any]:
    """The JSON answer of the command `sweep`: trainings of the grid, those that the folder has, and
    the summary of these; null where something is not known."""
    cells = grid.cells()
    found = done(runs, cells)
    wanted = {tuple(cell.settings().values()) for cell in found}
    mine = [row in wanted for row in runs[list(SETTINGS)].itertuples(index=False, name=None)]
    summary = summarize(runs[mine]).astype(object)
    return {
        "trainings": len(cells),
        "done": len(found),
        "summary": summary.where(summary.notna(), None).to_dict("records"),
    }


def report(told: dict[str, Any], output: Path) -> str:
    """What `answer` says, for a terminal: for each setting a line a metric."""
    lines, above = [f"{told['done']} of {told['trainings']} trainings in {output / RUNS_FILE}."], ""
    for row in told["summary"]:
        setting = (
            f"{row['target']} against {row['background']}, {row['variant']}, {row['preset']}, "
            f"λ {row['lambda']:g}, {row['epochs']} epochs:"
        )
        if setting != above:
            lines.append(setting)
            above = setting
        group = "" if row["group"] == "all" else f" ({row['group']})"
        spread = "" if row["sd"] is None else f", SD {row['sd']:.3f} over {row['runs']} runs"
        lines.append(f"    {row['metric']}{group}: {row['mean']:.3f}{spread}")
    return "\n".join(lines)
