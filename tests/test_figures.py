"""The paper's figures by name: whom they show, and the tables behind them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cavae import figures, paper
from cavae.checkpoint import load_model
from cavae.simulation import SUBTYPES, read_simulation
from cavae.synthesis import encode, healthy_twins
from tests.people import make_cohort

PAPER = ("2a", "2b", "3a", "3b", "4a", "4b", "A1a", "A1b", "A2", "A3", "A4", "A5")
OF_SIMULATION = ("2a", "2b", "A2", "A3")
OF_PEOPLE = ("3a", "3b", "4a", "4b", "A4", "A5")


@pytest.fixture(scope="module")
def simulated_scene(semi_synthetic):
    data, folder = semi_synthetic
    return figures.simulated_scene(load_model(folder), read_simulation(data), "semi", "few people.")


def people_scene(model, cohort):
    return figures.cohort_scene(model, healthy_twins(model, encode(model, cohort)), "t", "few.")


def test_all_figures_of_the_paper_have_a_name_and_words():
    assert figures.NAMES == PAPER
    for name in PAPER:
        about = figures.words(name)
        assert about.title
        assert about.caption.endswith(".")
        assert about.look_for.endswith(".")


def test_the_simulated_regions_are_each_in_one_figure():
    shown = [region for name in ("2a", "A2", "A3") for region in figures.words(name).regions]
    assert sorted(shown) == sorted({region for regions in SUBTYPES.values() for region in regions})


@pytest.mark.parametrize("name", OF_SIMULATION)
def test_simulated_figures_are_drawn_from_their_tables(simulated_scene, name):
    figure = figures.draw_figure(name, simulated_scene)
    pictures = figure.draw()
    assert all(picture.drawing.data for picture in pictures)
    assert figure.people == "few people."
    assert len(figure.table)
    if figures.words(name).regions:
        assert set(figure.table["people"]) == {"measured", "generated"}
        assert set(figure.table["group"]) == {"background", "target"}


def test_volumes_are_those_of_the_test_people_in_sd(simulated_scene, semi_synthetic):
    data, folder = semi_synthetic
    model, people = load_model(folder), read_simulation(data).target["test"]
    table = figures.draw_figure("2a", simulated_scene).table
    targets = table[(table["people"] == "measured") & (table["group"] == "target")]
    values = encode(model, people).standardized[:, model.config.features.index("47")]
    assert targets["47"].to_numpy() == pytest.approx(values, abs=1e-4)


def test_subtypes_are_told_apart_in_2b(simulated_scene):
    figure = figures.draw_figure("2b", simulated_scene)
    assert set(figure.table["label"]) == {"healthy", "S1", "S2", "S3"}
    assert [picture.title for picture in figure.draw()] == ["Common z", "Salient s"]


def test_healthy_people_are_the_background_and_patients_the_target(tiny_model):
    cohort = make_cohort(seed=2)
    table = figures.draw_figure("4a", people_scene(tiny_model, cohort)).table
    assert set(table.loc[table["label"] == "CN", "group"]) == {"background"}
    assert set(table.loc[table["label"] == "AD", "group"]) == {"target"}
    densities = figures.draw_figure("3a", people_scene(tiny_model, cohort))
    measured = densities.table[densities.table["people"] == "measured"]
    assert len(measured) == len(cohort)
    assert list(measured)[2:] == ["48", "47", "32", "31"], "left before right"
    titles = [axis.title.text for axis in densities.draw()[0].drawing.select_xaxes(row=2)]
    assert titles[0] == "Left hippocampus (SD)"
    assert all(title.endswith("(SD)") for title in titles)


@pytest.mark.parametrize(
    ("name", "legend"), [("3b", {"background", "target"}), ("4a", {"CN", "AD"})]
)
def test_latents_are_coloured_by_group_in_3b_and_by_diagnosis_in_4a(tiny_model, name, legend):
    figure = figures.draw_figure(name, people_scene(tiny_model, make_cohort(seed=2)))
    for picture in figure.draw():
        named = {one.name.split(" (")[0] for one in picture.drawing.data if one.showlegend}
        assert named == legend


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_figures_of_people_are_drawn_from_their_tables(tiny_model, name):
    figure = figures.draw_figure(name, people_scene(tiny_model, make_cohort(seed=2)))
    assert len(figure.table)
    figure.draw()


def test_severity_is_the_papers_mad_by_diagnosis(tiny_model):
    cohort = make_cohort(seed=2)
    table = figures.draw_figure("4b", people_scene(tiny_model, cohort)).table
    mad = healthy_twins(tiny_model, encode(tiny_model, cohort), "paper").mad
    assert table["mad"].to_numpy() == pytest.approx(mad, abs=1e-4)
    assert table["diagnosis"].tolist() == cohort.subjects["diagnosis"].tolist()


def test_people_without_a_diagnosis_leave_the_generated_ones(tiny_model):
    cohort = make_cohort(seed=2)
    cohort = replace(cohort, subjects=cohort.subjects.assign(diagnosis=""))
    figure = figures.draw_figure("3a", people_scene(tiny_model, cohort))
    assert set(figure.table["people"]) == {"generated"}
    titles = {axis.title.text for axis in figure.draw()[0].drawing.select_yaxes()}
    assert "Generated<br>density (1/SD)" in titles


def test_words_of_a_table_are_shown_as_they_are(tiny_model):
    evil = "<a href='https://example.org'>AD</a>"
    cohort = make_cohort(seed=2)
    subjects = cohort.subjects.assign(subject_id="<b>" + cohort.subjects["subject_id"])
    subjects.loc[subjects["diagnosis"] == "AD", "diagnosis"] = evil
    scene = people_scene(tiny_model, replace(cohort, subjects=subjects))
    for name in ("4a", "4b"):
        figure = figures.draw_figure(name, scene)
        assert evil in set(figure.table.get("label", figure.table.get("diagnosis")))
        for picture in figure.draw():
            assert "<a" not in picture.drawing.to_json().replace("\\u003c", "<")
            assert "<b>" not in picture.drawing.to_json().replace("\\u003c", "<")


def test_no_picture_takes_webgl_and_many_people_are_thinned(tiny_model):
    many = make_cohort(healthy=900, diseased=300, seed=2)
    for picture in figures.draw_figure("4a", people_scene(tiny_model, many)).draw():
        kinds = {trace.type for trace in picture.drawing.data}
        assert kinds == {"scatter"}
        cells = [trace for trace in picture.drawing.data if trace.mode == "markers"]
        assert sum(len(trace.x) for trace in cells) / 10 <= 460


def test_a1_shows_the_folds_of_its_metric():
    rows = [(paper.LAMBDA_10, fold, "common_auc", 0.5 + fold / 100) for fold in range(1, 6)]
    rows += [(paper.LAMBDA_10, fold, "completeness", 0.3) for fold in range(1, 6)]
    folds = pd.DataFrame(rows, columns=["variant", "fold", "metric", "value"])
    figure = figures.draw_folds("A1a", folds, "a recorded run.")
    assert figure.table["value"].tolist() == [0.51, 0.52, 0.53, 0.54, 0.55]
    assert np.isclose(max(figure.draw()[0].drawing.data[0].x), 0.55)
    other = figures.draw_folds("A1b", folds, "a recorded run.")
    assert set(other.table["value"]) == {0.3}
    assert set(other.draw()[0].drawing.data[0].x) == {0.3}


def test_a_model_fits_the_simulation_by_its_labels_and_regions(semi_synthetic, tiny_model):
    assert figures.fits_simulation(load_model(semi_synthetic[1]))
    assert not figures.fits_simulation(tiny_model)
