"""Table A1 and Figure A1 of the paper: every variant, measured alike, on one experiment.

Two tables hold everything, and both are files that pages read:

- `table.csv`, columns TABLE_COLUMNS: one row a variant and metric; value with its 95 % interval
  [low, high], nan where there is none. `variant` is a name for people, in the order of the table:
  `paper.REAL` first (w2_target and w2_background: the floors; separation: the real one;
  completeness: of the volumes themselves). `metric` is a key of `simulation_evaluation.METRICS`.
  A metric that a variant cannot have (latents of an outside baseline) has no row.
- `folds.csv`, columns FOLD_COLUMNS: one row a variant, fold (1 to 5) and metric (common_auc,
  completeness), of Figure A1.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cavae.errors import DataError

TABLE_COLUMNS = ("variant", "metric", "value", "low", "high")
FOLD_COLUMNS = ("variant", "fold", "metric", "value")
TABLE_FILE, FOLDS_FILE = "table.csv", "folds.csv"


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
