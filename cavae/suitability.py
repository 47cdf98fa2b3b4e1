"""Whether a model can read a table, and what it must assume if it does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cavae.checkpoint import describe_model, load_preprocessor
from cavae.cohort import Cohort
from cavae.config import TrainConfig
from cavae.errors import DataError
from cavae.numbers import counted


@dataclass(frozen=True)
class Suitability:
    """obstacle: why the model cannot read the table, "" if it can; remarks: what it makes of it."""

    obstacle: str
    remarks: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the pages can show these people by this model."""
        return not self.obstacle


def suitability(name_or_folder: str | Path, cohort: Cohort) -> Suitability:
    """Try a model's preprocessing on a cohort, which is what the pages do first.

    Raises CheckpointError when the model cannot be read.
    """
    training = describe_model(name_or_folder).training
    try:
        notices = load_preprocessor(name_or_folder).transform(cohort).notices
    except DataError as error:
        return Suitability(str(error))
    return Suitability("", (*_labels(cohort, training), *notices))


def _labels(cohort: Cohort, training: TrainConfig) -> tuple[str, ...]:
    """What the model has not learned of the diagnoses in the table."""
    known = (*training.background, *training.target)
    others = cohort.subjects["diagnosis"][~cohort.subjects["diagnosis"].isin(known)]
    if not len(others):
        return ()
    named = ", ".join(sorted(set(others) - {""})[:5])
    what = f"a diagnosis that it has not learned ({named})" if named else "no diagnosis"
    return (
        f"{counted(len(others), 'person has', 'people have')} {what}; it "
        f"learned {', '.join(training.background)} and {', '.join(training.target)}.",
    )
