"""The Cohort page says how useful and how private the pairs are, or that nobody measured it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from cavae.checkpoint import load_model, save_model
from cavae.provenance import sample_record
from cavae.quality import FACT, Quality, measure_quality
from cavae.synthesis import SampleRequest
from tests.pages.session import figures, open_page, said
from tests.people import make_cohort, write_cohort

MEASURED_ON = "Measured on 100 made-up people."


@pytest.fixture(scope="module")
def quality(tiny_model) -> Quality:
    measured = measure_quality(tiny_model, make_cohort(), make_cohort(seed=1), resamples=20)
    return replace(measured, measured_on=MEASURED_ON, command="python -m cavae train")


@pytest.fixture(scope="module")
def measured_folder(tiny_model, quality, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "measured"
    save_model(tiny_model, folder, tiny_model.card, {**tiny_model.facts, FACT: quality.to_dict()})
    return folder


@pytest.fixture(scope="module")
def page(measured_folder):
    return open_page("cohort", model=measured_folder)


@pytest.fixture
def own_csv(tmp_path):
    write_cohort(make_cohort(seed=2), tmp_path / "own.csv")
    return tmp_path / "own.csv"


def titles(figure) -> str:
    axes = (figure["layout"][name] for name in ("xaxis", "yaxis"))
    return " ".join(axis["title"]["text"] for axis in axes if "title" in axis)


def test_every_figure_stands_on_the_page_with_what_is_best(page, quality):
    assert not page.exception
    assert page.header[0].value == "How useful, how private"
    for row in quality.table().itertuples():
        assert f"| {row.metric} | {row.value:.2f}" in said(page)
        assert row.meaning in said(page)
    assert "0.5 is best" in said(page)


def test_the_strongest_attack_is_said_in_cases_of_a_hundred(page, quality):
    attacks = [one.value for key, one in quality.estimates.items() if key.startswith("attack")]
    assert f"picks that one {100 * max(attacks):.0f} times of 100. 50 is a guess." in said(page)


def test_it_says_on_whom_it_was_measured_and_by_which_command(page):
    assert MEASURED_ON in said(page)
    assert "Command: python -m cavae train" in said(page)


def test_pictures_come_before_figures_and_say_what_their_axes_are(page, quality):
    useful, small, private = figures(page)[-3:]
    assert "AUC on real people" in titles(useful)
    assert "Real people a group" in titles(small)
    assert "AUC or share" in titles(private)
    drawn = {trace["name"]: trace["x"][0] for trace in useful["data"]}
    assert drawn["Synthetic people"] == pytest.approx(quality.estimates["tstr_auc"].value, abs=1e-4)
    assert drawn["Real people"] == pytest.approx(quality.estimates["trtr_auc"].value, abs=1e-4)


def test_the_record_has_the_figures_that_the_page_shows(measured_folder, quality):
    record = json.loads(sample_record(str(measured_folder), SampleRequest(5), "pairs.csv"))
    told = record["quality"]
    assert told["measured_on"] == MEASURED_ON
    for row in quality.table().itertuples():
        assert told["figures"][row.key]["value"] == pytest.approx(row.value, abs=1e-4)
        assert told["figures"][row.key]["meaning"] == row.meaning


def test_a_model_that_was_not_measured_says_so(tiny_model_folder):
    page = open_page("cohort", model=tiny_model_folder)
    assert not page.exception
    assert "Not measured when this model was made" in said(page)
    assert len(figures(page)) == 1


def test_figures_of_a_garbled_folder_are_refused_in_a_sentence(tiny_model, tmp_path):
    save_model(tiny_model, tmp_path / "model", tiny_model.card, {FACT: {"figures": "good"}})
    page = open_page("cohort", model=tmp_path / "model")
    assert not page.exception
    assert "quality in config.json cannot be read" in said(page)
    assert page.download_button(key="pairs_file")


def test_own_people_are_measured_when_asked_for(measured_folder, own_csv):
    page = open_page("cohort", own_csv, measured_folder)
    before = len(figures(page))
    page.button(key="measure_own").click().run()
    assert not page.exception
    assert len(figures(page)) == before + 1
    assert "own.csv" in said(page)
    assert "Distance to the closest of these people" in said(page)
    page.radio(key="pairs_unit").set_value("SD").run()
    assert len(figures(page)) == before + 1  # Kept while other things on the page change.


def test_own_people_can_be_measured_with_a_model_that_was_not(tiny_model_folder, own_csv):
    page = open_page("cohort", own_csv, tiny_model_folder)
    page.button(key="measure_own").click().run()
    assert "Trained on synthetic people" in said(page)


@pytest.mark.parametrize("people", [{"healthy": 30, "diseased": 0}, {"healthy": 30, "diseased": 9}])
def test_too_few_of_one_group_are_not_measured(measured_folder, tmp_path, people):
    write_cohort(make_cohort(**people), tmp_path / "few.csv")
    page = open_page("cohort", tmp_path / "few.csv", measured_folder)
    assert not page.exception
    assert "measure_own" not in [button.key for button in page.button]


def test_the_same_model_from_its_folder_has_the_same_quality(measured_folder, quality):
    again = Quality.from_facts(load_model(measured_folder).facts)
    np.testing.assert_allclose(again.table()["value"], quality.table()["value"], atol=1e-4)
