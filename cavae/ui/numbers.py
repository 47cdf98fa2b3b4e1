"""Numbers as a clinician writes them: true minus signs, thousands, units, no false digits."""

import math

MISSING = "–"


def count(n: int, noun: str = "") -> str:
    """`1,204 people`: a whole number with thousands separated, and what is counted."""
    return f"{n:,} {noun}".strip()


def volume(cubic_mm: float) -> str:
    """`3,512 mm³`: a volume in mm³."""
    return MISSING if math.isnan(cubic_mm) else f"{cubic_mm:,.0f} mm³"


def percent(fraction: float) -> str:
    """`−12 %`: a relative change, signed; 0.12 is +12 %."""
    return MISSING if math.isnan(fraction) else f"{_signed(100 * fraction, 0)} %"


def deviation(sd: float) -> str:
    """`−1.7 SD`: a difference in standard deviations of healthy people, signed."""
    return MISSING if math.isnan(sd) else f"{_signed(sd, 1)} SD"


def centile(fraction: float) -> str:
    """`4th centile`: the share of healthy people with less; 0.04 is the 4th, kept in 1 to 99."""
    if math.isnan(fraction):
        return MISSING
    number = min(max(round(100 * fraction), 1), 99)
    return f"{number}{_ordinal(number)} centile"


def _signed(value: float, digits: int) -> str:
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return f"{'−' if value < 0 else '+'}{text}"


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
