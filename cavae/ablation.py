"""Table A1 and Figure A1 of the paper: which variants are compared, and the tables of the answer.

Two tables hold everything, and both are files that pages read:

- `table.csv`, columns TABLE_COLUMNS: one row a variant and metric; value with its 95 % interval
  [low, high], nan where there is none. `variant` is a name for people, in the order of the table:
  `paper.REAL` first (w2_target and w2_background: the floors; separation: the real one;
  completeness: of the volumes themselves). `metric` is a key of `simulation_evaluation.METRICS`.
  A metric that a variant cannot have (latents of an outside baseline) has no row.
- `folds.csv`, columns FOLD_COLUMNS: one row a variant, fold (from 1) and metric (common_auc,
  completeness), of Figure A1.

The runs themselves are in `ablation_runs`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from cavae import paper
from cavae.config import PRESETS, TrainConfig
from cavae.errors import DataError

TABLE_COLUMNS = ("variant", "metric", "value", "low", "high")
FOLD_COLUMNS = ("variant", "fold", "metric", "value")
TABLE_FILE, READABLE_FILE, FOLDS_FILE = "table.csv", "table.md", "folds.csv"


# --------------------------------------------------------------------------- what is compared


@dataclass(frozen=True)
class Variant:
    """A way of training: name for people, variant of the network, preset, and what differs."""

    name: str
    variant: str = "contrastive"
    preset: str = "paper"
    settings: Mapping[str, Any] = field(default_factory=dict)


CALIBRATED = Variant("Calibrated preset", preset="calibrated")
OF_PAPER = (
    Variant(paper.CONDITIONAL, "conditional"),
    Variant(paper.LAMBDA_0, settings={"mmd_weight": 0.0}),
    Variant(paper.LAMBDA_5, settings={"mmd_weight": 5.0}),
    Variant(paper.LAMBDA_10, settings={"mmd_weight": 10.0}),
    Variant(paper.LAMBDA_15, settings={"mmd_weight": 15.0}),
    Variant(paper.TOTAL_CORRELATION, "total-correlation", settings={"mmd_weight": 10.0}),
)
BASELINES = {
    "gmm": "Gaussian mixture (GMM)",
    "kde": "Kernel density (KDE)",
    "copula": "Gaussian copula",
}
"""Names in `baselines` and names for people."""


def without_parts() -> tuple[Variant, ...]:
    """The calibrated preset without each of its parts in turn: what each is worth."""
    neutral = {one.name: one.default for one in fields(TrainConfig)}
    return tuple(
        Variant(_without(part), preset="calibrated", settings={part: neutral[part]})
        for part in PRESETS["calibrated"]
    )


def _without(part: str) -> str:
    named = {"calibrate": "calibration"}.get(part, part.replace("_", " "))
    return f"{CALIBRATED.name} without {named}"


def order() -> list[str]:
    """Names of all rows, top to bottom."""
    trained = (*OF_PAPER, CALIBRATED, *without_parts())
    return [paper.REAL, *(one.name for one in trained), *BASELINES.values()]


# --------------------------------------------------------------------------- tables


def read_table(path: Path) -> pd.DataFrame:
    """Read `table.csv`, columns TABLE_COLUMNS; raises DataError when it is not such a table."""
    return _read(path, TABLE_COLUMNS)


def read_folds(path: Path) -> pd.DataFrame:
    """Read `folds.csv`, columns FOLD_COLUMNS; raises DataError when it is not such a table."""
    return _read(path, FOLD_COLUMNS)


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"{str(path)!r} is missing; `ablation` writes it.")
    try:
        table = pd.read_csv(path)
    except (ValueError, OSError) as error:
        raise DataError(f"{path.name} cannot be read as a table; `ablation` writes it.") from error
    if tuple(table.columns) != columns:
        raise DataError(f"{path.name} has other columns; accepted: {', '.join(columns)}.")
    return table


@dataclass(frozen=True)
class Column:
    """A metric as a column of the table for people: its key, heading and decimal places."""

    metric: str
    heading: str
    places: int


READABLE = (
    (
        "Generated people (squared 2-Wasserstein distance, SD²)",
        (
            Column("w2_target", "To real target", 1),
            Column("w2_background", "To real background", 1),
            Column("separation", "Target to background", 1),
        ),
    ),
    (
        "Latents and effects",
        (
            Column("completeness", "Completeness", 2),
            Column("common_auc", "AUC on common z", 2),
            Column("effect_r", "Effect, correlation with the truth", 3),
            Column("effect_slope", "Effect, slope", 2),
            Column("coverage90", "Truths in 90 % intervals", 2),
        ),
    ),
)
NOTES = f"""\
In brackets: 95 % intervals (bootstrap). `{paper.REAL}` holds the floors, which are the distances of
real training people to real test people, and the real separation; generated people are best near
them. Its completeness is that of clusters of the volumes themselves. Completeness and slope are
best at 1, AUC on common z at 0.5, truths in 90 % intervals at 0.9. The conditional VAE has no
salient space: its clusters are sought in its only latent. The paper measured people of its own
(iSTAGING): its figures compare in kind, not to the decimal."""


def readable_table(table: pd.DataFrame) -> str:
    """The table (TABLE_COLUMNS) as Markdown for people, the paper's figures beside ours."""
    return "\n".join(["# Ablation on semi-synthetic data", *_sections(table), NOTES, ""])


def _sections(table: pd.DataFrame) -> Iterator[str]:
    ours, papers = (
        {(row.variant, row.metric): row for row in one.itertuples()}
        for one in (table, paper.table_a1())
    )
    variants = list(dict.fromkeys(table["variant"]))
    for title, columns in READABLE:
        yield f"\n## {title}\n"
        yield _row(["Variant", *(head for one in columns for head in (one.heading, "paper"))])
        yield _row(["---"] * (1 + 2 * len(columns)))
        for name in variants:
            cells = [
                _cell(figures.get((name, one.metric)), one.places)
                for one in columns
                for figures in (ours, papers)
            ]
            if any(cells):
                yield _row([name, *cells])
        yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(row: Any, places: int) -> str:
    if row is None:
        return ""
    if pd.isna(row.low):
        return _number(row.value, places)
    value, low, high = (_number(one, places) for one in (row.value, row.low, row.high))
    return f"{value} ({low} to {high})"


def _number(value: float, places: int) -> str:
    return f"{round(value, places) + 0.0:.{places}f}"  # What rounds to zero has no sign.
