"""Explore without a browser: the page stands with what one has, and gives Python's numbers."""

import json
from pathlib import Path

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

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


NOWHERE = [
    {"s": "far"},
    {"s": {"0": 1}},
    {"s": [[1, 2], [3]]},
    {"s": [[0, 0, 0, 0, 0]]},
    {"s": ["0", "x", None, [], {}]},
    {"s": [1e308] * 5},
    {"s": [10**400] * 5},
    {"s": [0.0] * 100_000},
    {"s": True},
    {"person": {"id": ["p003"]}},
    {"person": "p070" * 100_000},
    {"model": ["no", "name"]},
]


@pytest.mark.parametrize("odd", NOWHERE)
def test_a_position_that_no_explorer_tells_is_passed_over(
    people_csv: Path, tiny_model_folder: Path, odd: dict
):
    app = open_page("explore", people_csv, tiny_model_folder)
    for position in (
        {"model": tiny_model_folder.name, "person": "p070", "s": [0, 0, 0, 0, 0], **odd},
        [odd],
        str(odd),
    ):
        tell(app, {"position": position})
        assert not app.exception
        assert not app.error
        assert "imagined" not in said(app)
        assert app.main.table


@pytest.mark.parametrize(
    "file",
    [
        "name",
        ["name", "base64"],
        {"name": "people.csv"},
        {"base64": "AAAA"},
        {"name": ["people.csv"], "base64": "AAAA"},
        {"name": "people.csv", "base64": 7},
        {"name": "people.csv", "base64": "no base64"},
        {"name": "people.csv", "base64": "é"},
    ],
)
def test_a_file_that_no_explorer_hands_over_is_passed_over(
    people_csv: Path, tiny_model_folder: Path, file: object
):
    app = open_page("explore", people_csv, tiny_model_folder)
    tell(app, {"file": file})
    assert not app.exception
    assert app.main.table
    assert len(app.session_state["loaded"].cohort) == len(read_cohort(people_csv).cohort)


def tell(app, value: dict) -> None:
    """Have the explorer say something, as whoever speaks its protocol may."""
    (component,) = app.main.get("bidi_component")
    said_ = WidgetState(id=component.proto.id, json_value=json.dumps(value))
    states = app._tree.get_widget_states()
    states.widgets.append(said_)
    app._run(states)


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
