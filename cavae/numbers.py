"""Numbers as a clinician writes them: true minus signs, thousands, units, no false digits."""

import math

MISSING = "–"


def counted(number: int, one: str, more: str | None = None) -> str:
    """`1 row`, `2,000 rows`, `12 people`: a whole number with its noun; more: if not one + s."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def people(number: int) -> str:
    """`1 person`, `1,204 people`."""
    return counted(number, "person", "people")


def years(age: float) -> str:
    """`75 years`: halves up, as browsers round, so that 74.5 is the same on every page."""
    return MISSING if math.isnan(age) else f"{math.floor(age + 0.5)} years"


def volume(cubic_mm: float) -> str:
    """`3,512 mm³`: a volume in mm³."""
    return MISSING if math.isnan(cubic_mm) else f"{cubic_mm:,.0f} mm³"


def percent(fraction: float) -> str:
    """`−12 %`: a relative change, signed; 0.12 is +12 %."""
    return MISSING if math.isnan(fraction) else f"{signed(100 * fraction, 0)} %"


def deviation(sd: float) -> str:
    """`−1.7 SD`: a difference in standard deviations of healthy people, signed."""
    return MISSING if math.isnan(sd) else f"{signed(sd, 1)} SD"


def interval(low: float, high: float, places: int = 1) -> str:
    """`−2.3 to −1.2`: the two ends of an interval, signed; the unit stands with its value."""
    return f"{signed(low, places)} to {signed(high, places)}"


def centile(fraction: float) -> str:
    """`4th centile`: the share of healthy people with less; 0.04 is the 4th, kept in 1 to 99."""
    if math.isnan(fraction):
        return MISSING
    return f"{ordinal(min(max(round(100 * fraction), 1), 99))} centile"


def signed(value: float, places: int) -> str:
    """`+0.42` or `−1.70`: a number with its sign; what rounds to zero has none."""
    text = f"{abs(value):,.{places}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return f"{'−' if value < 0 else '+'}{text}"


def number(value: float, places: int) -> str:
    """`0.42` or `−1.70`: a number with a sign below zero alone."""
    return signed(value, places).removeprefix("+")


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th`, `11th`."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"
