"""What a figure is: its name, value, interval and reference, and what good and bad look like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric for tables: key in JSON, name, unit, which direction is good, and in one sentence
    what good and bad look like; reference: what its reference value is, if it has one; best: the
    best value, where that is not the reference."""

    key: str
    name: str
    unit: str
    direction: str
    meaning: str
    reference: str = ""
    best: float = float("nan")


@dataclass(frozen=True)
class Estimate:
    """A figure, its 95 % interval, and its reference value (see `Metric`); nan: not known."""

    value: float
    interval: tuple[float, float] = (float("nan"), float("nan"))
    reference: float = float("nan")


UNKNOWN = Estimate(float("nan"))
