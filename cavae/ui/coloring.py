"""What people can be coloured by: the columns of their table, their severity, any region."""

from __future__ import annotations

import pandas as pd

from cavae.atlas import rois
from cavae.cohort import Cohort
from cavae.ui import models, results, subtypes

SUBTYPE, FOUND = "subtype", "found_subtype"
SEVERITY = {
    "mad": "Severity: distance from the healthy twin (MAD)",
    "effect_mad": "Severity: pure effect of the disease",
}


def color_choices(cohort: Cohort) -> dict[str, str]:
    """Column → words for people, only what the cohort has; regions of the model's atlas last."""
    people, names = cohort.subjects, {}
    if (people["diagnosis"] != "").any():
        names["diagnosis"] = "Diagnosis"
    if subtype_column(cohort) is not None:
        names[SUBTYPE] = "Subtype"
    if people["age"].notna().any():
        names["age"] = "Age"
    names |= SEVERITY
    if found := subtypes.of_model(models.current_model()):
        names[FOUND] = "Subtype, by the model" if len(found) > 1 else "Disease pattern"
    if people["site"].nunique() > 1:
        names["site"] = "Site"
    if (people["sex"] != "").any():
        names["sex"] = "Sex"
    labels = {roi.index: roi.label for roi in rois()}
    return names | {name: labels.get(name, name) for name in cohort.features.columns}


def color_column(cohort: Cohort, name: str) -> pd.Series:
    """The values of one of `color_choices`, one a person: text for groups, numbers for a scale."""
    if name in SEVERITY:
        return pd.Series(getattr(results.twins(cohort), name))
    if name == FOUND:
        found = subtypes.of_model(models.current_model())
        kinds = {str(one.number): subtypes.short_title(one, found) for one in found}
        return results.memberships(cohort)["subtype"].replace(kinds)
    if name == SUBTYPE and (column := subtype_column(cohort)) is not None:
        return cohort.extra[column].astype(str).replace({"nan": "", "None": "", "<NA>": ""})
    return cohort.features[name] if name in cohort.features else cohort.subjects[name]


def subtype_column(cohort: Cohort) -> str | None:
    """The column of the visitor's table that holds subtypes, if there is one."""
    columns = (str(column) for column in cohort.extra.columns)
    return next((one for one in columns if one.strip().casefold() == SUBTYPE), None)
