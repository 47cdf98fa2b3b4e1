"""Tables of brain volumes: read, recognize, validate."""

from cavae.cohort.check import read_cohort
from cavae.cohort.types import COVARIATES, Check, Cohort, Problem, Recognition

__all__ = ["COVARIATES", "Check", "Cohort", "Problem", "Recognition", "read_cohort"]
