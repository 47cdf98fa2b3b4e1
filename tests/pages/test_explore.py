"""Explore without a browser: the page stands with what one has, and gives Python's numbers."""

import pytest

from cavae.ui.state import DEMO
from tests.pages.session import open_page, said


@pytest.mark.parametrize("table", [None, DEMO])
def test_explore_shows_a_person_and_their_numbers(table):
    app = open_page("explore", table)
    assert not app.exception
    assert "not a diagnosis" in said(app)
    assert "mm³" in " ".join(str(one.value.columns) for one in app.main.table)
