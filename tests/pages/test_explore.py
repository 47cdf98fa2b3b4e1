"""Explore without a browser: the page stands with what one has, and gives Python's numbers."""

from pathlib import Path

import pytest

from cavae.cohort import read_cohort
from cavae.synthesis import encode, healthy_twins
from cavae.ui.explorer import export_file, shown_people
from cavae.ui.state import DEMO
from tests.pages.session import open_page, said


@pytest.mark.parametrize("table", [None, DEMO])
def test_explore_shows_a_person_and_their_numbers(table):
    app = open_page("explore", table)
    assert not app.exception
    assert "not a diagnosis" in said(app)
    assert "mm³" in " ".join(str(one.value.columns) for one in app.main.table)


def numbers(app, label: str) -> list[str]:
    """Twin and now of a region in the page's table."""
    return app.main.table[0].value.loc[label].tolist()[:2]


def test_a_link_brings_back_person_and_position(people_csv: Path, tiny_model_folder: Path):
    app = open_page("explore", people_csv, tiny_model_folder)
    first = numbers(app, "Right hippocampus")
    app.query_params["person"], app.query_params["s"] = "p003", "0,0,0,0,0"
    app.query_params["model"] = tiny_model_folder.name
    app.run()
    assert not app.exception
    assert "p003" in said(app)
    twin, now = numbers(app, "Right hippocampus")
    assert twin == now
    assert [twin, now] != first


@pytest.mark.parametrize("broken", ["one,two", "1,2", "nan,0,0,0,0", ""])
def test_a_broken_link_shows_the_person_as_they_are(
    people_csv: Path, tiny_model_folder: Path, broken: str
):
    app = open_page("explore", people_csv, tiny_model_folder)
    app.query_params.clear()
    for name, value in (("model", tiny_model_folder.name), ("person", "p070"), ("s", broken)):
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert "imagined" not in said(app)
    assert "p070" in said(app)


def test_a_link_to_nobody_shows_somebody(people_csv: Path, tiny_model_folder: Path):
    app = open_page("explore", people_csv, tiny_model_folder)
    app.query_params["person"] = "<b>nobody</b>"
    app.run()
    assert not app.exception
    assert app.main.table


def test_ones_own_people_are_exported_only_if_ticked(people_csv: Path, tiny_model_folder: Path):
    app = open_page("explore", people_csv, tiny_model_folder)
    assert app.checkbox(key="export_own").value is False
    assert not open_page("explore").checkbox


def test_the_file_has_ones_own_people_or_synthetic_ones(people_csv: Path, tiny_model):
    cohort = read_cohort(people_csv).cohort
    own = shown_people(tiny_model, cohort, healthy_twins(tiny_model, encode(tiny_model, cohort)))
    assert '"p003"' in export_file(own, own=True).decode()
    synthetic = export_file(own, own=False).decode()
    assert '"p003"' not in synthetic
    assert "demo-001" in synthetic


def test_a_model_without_salient_space_says_so(
    people_csv: Path, tiny_model_folder: Path, tmp_path: Path
):
    from tests.variants import save_conditional

    app = open_page("explore", people_csv, save_conditional(tmp_path / "conditional"))
    assert not app.exception
    assert "no salient space to explore" in app.main.error[0].value
