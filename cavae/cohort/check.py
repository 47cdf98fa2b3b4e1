"""A thin first version: one clean CSV or Parquet, replaced step by step."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from cavae.cohort.types import COVARIATES, Check, Cohort, Recognition

NAMES = {
    "id": ("id", "mrid", "ptid", "participant_id", "subject_id", "subjid"),
    "age": ("age",),
    "sex": ("sex", "gender"),
    "icv": ("icv", "702", "dlicv"),
    "site": ("site", "study"),
    "diagnosis": ("diagnosis", "dx", "dx_ad"),
}


def read_cohort(
    volumes: object, participants: object | None = None, mapping: Mapping[str, str] | None = None
) -> Check:
    """Read tables whose columns are named by MUSE index."""
    from cavae.atlas import rois

    table = _read(volumes)
    if participants is not None:
        table = table.merge(
            _read(participants), left_on=table.columns[0], right_on="ID", how="left"
        )
    lower = {str(c).lower(): c for c in table.columns}
    columns = {
        key: next((lower[n] for n in names if n in lower), None) for key, names in NAMES.items()
    }
    indices = [r.index for r in rois()]
    features = {str(c).rsplit("_", 1)[-1]: c for c in table if str(c).rsplit("_", 1)[-1] in indices}
    n = len(table)
    subjects = pd.DataFrame(
        {
            name: table[columns[key]] if columns[key] else [""] * n
            for name, key in zip(COVARIATES, ("id", *COVARIATES[1:]), strict=True)
        }
    ).astype({"subject_id": str})
    subjects["age"] = pd.to_numeric(subjects["age"])
    subjects["icv"] = pd.to_numeric(subjects["icv"])
    values = table[list(features.values())].astype(float).set_axis(list(features), axis=1)
    used = {*features.values(), *columns.values()}
    extra = table[[c for c in table if c not in used]]
    counts = subjects["diagnosis"].value_counts().to_dict()
    return Check(
        cohort=Cohort(subjects, values, extra, "muse"),
        recognition=Recognition(columns, features, "47", tuple(extra.columns)),
        problems=(),
        notices=(),
        rows=n,
        diagnoses={k: int(v) for k, v in counts.items() if k},
    )


def _read(source: object) -> pd.DataFrame:
    if Path(getattr(source, "name", str(source))).suffix == ".parquet":
        return pd.read_parquet(source)
    return pd.read_csv(source)
