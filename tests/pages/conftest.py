"""What page tests share."""

from pathlib import Path

import pytest

from tests.people import make_cohort, write_cohort


@pytest.fixture(scope="module")
def people_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("people") / "people.csv"
    write_cohort(make_cohort(seed=1), path)
    return path
