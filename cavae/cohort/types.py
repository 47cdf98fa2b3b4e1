"""What reading a table gives: the people that can be used, and what was found wrong or assumed."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

COVARIATES = ("subject_id", "age", "sex", "icv", "site", "diagnosis")


@dataclass(frozen=True)
class Problem:
    """One fault of a table.

    `row` is the spreadsheet row (the header is row 1, so the first person is row 2), None when the
    whole table is meant. `column` is the source column, `value` the text as found (cut, without
    control characters), `rule` a short slug, `message` a sentence for a person.
    """

    row: int | None
    column: str | None
    value: str | None
    rule: str
    message: str


@dataclass(frozen=True)
class Recognition:
    """Which source column was taken for what.

    `columns` maps id, age, sex, icv, diagnosis and site to a source column, or None when there is
    none; `features` maps the feature name (MUSE index as text, or the column's own name) to its
    source column; `dialect` names the spelling of the features, such as "MUSE_Volume_47", "names"
    or "other features"; `extra` are the columns kept aside.
    """

    columns: Mapping[str, str | None]
    features: Mapping[str, str]
    dialect: str
    extra: tuple[str, ...]


@dataclass(frozen=True)
class Cohort:
    """People whose rows can be used, in the order of the table; three tables with one index.

    `subjects` has the columns COVARIATES: subject_id str, age float (years), sex "F" or "M", icv
    float (mm³, NaN = not given), site and diagnosis str ("" = not given). `features` is (n, p)
    float64: volumes in mm³ named by MUSE index ("47") when `kind` is "muse", any numbers under
    their own names when it is "other". `extra` holds the columns nothing else claimed.
    """

    subjects: pd.DataFrame
    features: pd.DataFrame
    extra: pd.DataFrame
    kind: str

    def __len__(self) -> int:
        return len(self.subjects)

    def select(self, rows: ArrayLike) -> Self:
        """The people of a boolean mask or of positions, (n,), renumbered from 0."""
        tables = (self.subjects, self.features, self.extra)
        mask = np.asarray(rows)
        picked = [
            (t[mask] if mask.dtype == bool else t.iloc[mask]).reset_index(drop=True) for t in tables
        ]
        return replace(self, **dict(zip(("subjects", "features", "extra"), picked, strict=True)))


@dataclass(frozen=True)
class Check:
    """Everything that reading a table gave.

    `rows` counts the people in the table, usable or not, and so does `diagnoses` (label to count,
    people without a diagnosis left out). `notices` are sentences about what was assumed.
    """

    cohort: Cohort
    recognition: Recognition
    problems: tuple[Problem, ...]
    notices: tuple[str, ...]
    rows: int
    diagnoses: Mapping[str, int]

    @property
    def usable(self) -> int:
        """How many rows are usable, which is the size of the cohort."""
        return len(self.cohort)

    @property
    def rois(self) -> int:
        """How many of the 139 regions were recognized; 0 for other features."""
        return len(self.recognition.features) if self.cohort.kind == "muse" else 0

    def problems_table(self) -> pd.DataFrame:
        """The problems as a table to show or download, one row a problem."""
        columns = ["row", "column", "value", "rule", "message"]
        table = pd.DataFrame([asdict(p) for p in self.problems], columns=columns)
        return table.astype({"row": "Int64"})

    def as_dict(self) -> dict[str, Any]:
        """The answer of the command `check`: plain values only."""
        return {
            "subjects": self.rows,
            "usable": self.usable,
            "rois": self.rois,
            "columns": dict(self.recognition.columns),
            "diagnoses": dict(self.diagnoses),
            "problems": [asdict(problem) for problem in self.problems],
            "notices": list(self.notices),
            "dialect": self.recognition.dialect,
            "features": dict(self.recognition.features),
            "extra": list(self.recognition.extra),
        }

    def to_json(self) -> str:
        """`as_dict` as one JSON object in ASCII: nothing of a table reaches a terminal raw."""
        return json.dumps(self.as_dict())
