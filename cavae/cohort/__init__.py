"""Tables of brain volumes: read from any file, recognized, validated, joined.

`types` says what comes out; `check` is the way there, over `reading` (bytes to text), `names`
(column names), `joining` (two files by id), `recognize` (columns), `coding` (sex, diagnosis) and
`validate` (values), which report to `findings`.
"""

from cavae.cohort.check import read_cohort, template_csv
from cavae.cohort.coding import diagnosis_label
from cavae.cohort.joining import join_cohorts
from cavae.cohort.names import COVARIATE_KEYS
from cavae.cohort.reading import Source, read_columns
from cavae.cohort.types import COVARIATES, Check, Cohort, Problem, Recognition

__all__ = [
    "COVARIATES",
    "COVARIATE_KEYS",
    "Check",
    "Cohort",
    "Problem",
    "Recognition",
    "Source",
    "diagnosis_label",
    "join_cohorts",
    "read_cohort",
    "read_columns",
    "template_csv",
]
