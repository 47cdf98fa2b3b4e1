"""What validation finds, collected: problems, notices, and which rows stay usable."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from cavae.cohort.text import missing, quoted, shown, to_numbers
from cavae.cohort.types import Problem
from cavae.numbers import counted

MAX_PROBLEMS = 1_000


@dataclass(frozen=True, eq=False)
class Field:
    """One source column: `cells` (n,) is its text, one for each row of the volumes table."""

    column: str
    cells: pd.Series
    decimal_comma: bool = False
    file: str = ""
    """Name of the participants file when the column comes from there, else ""."""

    @cached_property
    def numbers(self) -> np.ndarray:
        """The cells as numbers (n,), NaN where there is none."""
        return to_numbers(self.cells, self.decimal_comma)

    @cached_property
    def absent(self) -> np.ndarray:
        """Which cells hold no value (n,)."""
        return missing(self.cells)


@dataclass
class Findings:
    """Collects the faults of the rows of one table.

    `rows` (n,) are the spreadsheet rows; `usable` (n,) turns False for every faulty row, also
    when the fault is no longer listed because there are too many; `unmatched` (n,) marks people
    who are missing in the participants file, whose covariates nobody needs to check.
    """

    rows: np.ndarray
    notices: list[str] = field(default_factory=list)
    _of_table: list[Problem] = field(default_factory=list)
    _of_rows: list[tuple[int, Problem]] = field(default_factory=list)
    _unlisted: int = 0

    def __post_init__(self) -> None:
        self.usable = np.ones(len(self.rows), dtype=bool)
        self.unmatched = np.zeros(len(self.rows), dtype=bool)

    def whole(
        self,
        rule: str,
        message: str,
        column: str | None = None,
        row: int | None = None,
        value: str | None = None,
    ) -> None:
        """A fault of the table, or of a row of another file; takes no row out of use."""
        if len(self._of_table) < MAX_PROBLEMS:
            column, value = (None if text is None else shown(text) for text in (column, value))
            self._of_table.append(Problem(row, column, value, rule, message))
        else:
            self._unlisted += 1

    def names(self, column: str) -> bool:
        """Whether a fault of the table is already said of this column."""
        name = shown(column)
        return any(problem.column == name for problem in self._of_table)

    def exclude(self, mask: np.ndarray) -> None:
        """Take rows (n,) out of use whose fault is said of the whole table."""
        self.usable &= ~mask

    def at(self, positions: Iterable[int], rule: str, said: str, source: Field) -> None:
        """One fault each for the rows at these positions.

        `said` completes the sentence 'Row 7, column "Age": "x" …'.
        """
        origin = f" of {quoted(source.file)}" if source.file else ""
        for position in positions:
            self.usable[position] = False
            if len(self._of_rows) >= MAX_PROBLEMS:
                self._unlisted += 1
                continue
            row, value = int(self.rows[position]), shown(source.cells.iat[position])
            found = quoted(value) if value else "the empty cell"
            message = f"Row {row}, column {quoted(source.column)}{origin}: {found} {said}"
            problem = Problem(row, shown(source.column), value, rule, message)
            self._of_rows.append((position, problem))

    def row(self, position: int, rule: str, said: str) -> None:
        """One fault of a row as a whole; `said` completes 'Row 7 …'."""
        self.usable[position] = False
        if len(self._of_rows) >= MAX_PROBLEMS:
            self._unlisted += 1
            return
        row = int(self.rows[position])
        self._of_rows.append((position, Problem(row, None, None, rule, f"Row {row} {said}")))

    def problems(self) -> tuple[Problem, ...]:
        """Table first, then by row; at most MAX_PROBLEMS and one that counts the rest."""
        by_row = sorted(self._of_rows, key=lambda pair: pair[0])
        ordered = self._of_table + [problem for _, problem in by_row]
        rest = self._unlisted + max(0, len(ordered) - MAX_PROBLEMS)
        ordered = ordered[:MAX_PROBLEMS]
        if rest:
            message = f"{counted(rest, 'more problem')} of the same table are not listed."
            ordered.append(Problem(None, None, None, "more", message))
        return tuple(ordered)
