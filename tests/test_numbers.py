import math

import pytest

from cavae import numbers


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (numbers.volume, 3512.4, "3,512 mm³"),
        (numbers.percent, -0.124, "−12 %"),
        (numbers.percent, 0.05, "+5 %"),
        (numbers.percent, -0.001, "0 %"),
        (numbers.deviation, -1.68, "−1.7 SD"),
        (numbers.deviation, 0.01, "0.0 SD"),
        (numbers.centile, 0.04, "4th centile"),
        (numbers.centile, 0.213, "21st centile"),
        (numbers.centile, 0.12, "12th centile"),
        (numbers.centile, 0.13, "13th centile"),
        (numbers.centile, 0.53, "53rd centile"),
        (numbers.years, 74.5, "75 years"),
        (numbers.years, 75.4, "75 years"),
        (numbers.centile, 0.0001, "1st centile"),
        (numbers.centile, 1.0, "99th centile"),
    ],
)
def test_numbers_read_as_a_clinician_writes_them(write, value, text):
    assert write(value) == text


@pytest.mark.parametrize(
    "write", [numbers.volume, numbers.percent, numbers.deviation, numbers.centile, numbers.years]
)
def test_what_is_not_known_is_a_dash(write):
    assert write(math.nan) == "–"


def test_a_count_separates_thousands():
    assert numbers.people(1204) == "1,204 people"
    assert numbers.people(1) == "1 person"
    assert numbers.counted(2000, "row") == "2,000 rows"
