from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from cavae.__main__ import app as command_line
from cavae.checkpoint import load_model, save_model
from cavae.cohort import read_cohort
from cavae.config import train_config
from cavae.subtypes import describe_subtypes
from cavae.synthesis import encode
from cavae.ui.state import Loaded
from tests.pages.session import figures, highlighted, open_page, people_in, said, table
from tests.people import make_cohort, write_cohort


@pytest.fixture
def app(people_csv: Path, tiny_model_folder: Path) -> AppTest:
    page = open_page("latent_space", people_csv, tiny_model_folder)
    assert not page.exception
    return page


def spaces(app: AppTest) -> list[dict[str, Any]]:
    """The pictures of common z and of salient s."""
    return figures(app)[:2]


def select(app: AppTest, *ids: str) -> AppTest:
    for one in ids:
        app.selectbox(key="add_person").set_value(one).run()
    return app


def test_without_people_the_page_offers_ways_to_begin():
    page = open_page("latent_space")
    assert not page.exception
    assert [button.label for button in page.main.button] == [
        "Start with the demo cohort",
        "Use my own table",
    ]


def test_common_and_salient_stand_side_by_side_with_everyone_in_both(app: AppTest):
    assert [header.value for header in app.main.header][:2] == [
        "Common z: what everyone shares",
        "Salient s: what disease adds",
    ]
    common, salient = spaces(app)
    assert people_in(common) == people_in(salient) == {f"p{i:03d}" for i in range(100)}
    assert "overlap in what they share and part in what disease adds" in said(app)


def test_the_overview_says_how_much_of_the_differences_it_keeps(app: AppTest, tiny_model):
    encoding = encode(tiny_model, make_cohort(seed=1))
    for latents in (encoding.common, encoding.salient):
        spread = np.sort(np.linalg.eigvalsh(np.cov(latents, rowvar=False)))
        kept = 100 * spread[-2:].sum() / spread.sum()
        assert f"These two directions keep {kept:.0f} % of the differences." in said(app)


def test_any_pair_of_dimensions_can_be_drawn(app: AppTest):
    app.radio(key="view").set_value("pair").run()
    app.selectbox(key="salient across").set_value("salient_3").run()
    _, salient = spaces(app)
    assert salient["layout"]["xaxis"]["title"]["text"] == "Salient s3 (prior SD)"
    assert salient["layout"]["yaxis"]["title"]["text"] == "Salient s2 (prior SD)"


def test_all_pairs_are_one_matrix_a_space(app: AppTest):
    app.radio(key="view").set_value("matrix").run()
    for figure in spaces(app):
        dimensions = [len(t["dimensions"]) for t in figure["data"] if t["type"] == "splom"]
        assert dimensions
        assert set(dimensions) == {5}


def test_people_can_be_coloured_by_what_the_table_has_and_by_any_region(app: AppTest):
    offered = app.selectbox(key="color").options
    assert offered[:3] == ["Diagnosis", "Age", "Severity: distance from the healthy twin (MAD)"]
    assert {"Site", "Sex", "Right hippocampus"} <= set(offered)
    assert "Subtype" not in offered
    app.selectbox(key="color").set_value("47").run()
    bar = figures(app)[0]["data"][0]["marker"]["colorbar"]
    assert bar["title"]["text"] == "Right hippocampus (mm³)"


@pytest.mark.parametrize("color", ["age", "mad", "effect_mad", "site", "sex"])
def test_every_colour_draws_everyone(app: AppTest, color: str):
    app.selectbox(key="color").set_value(color).run()
    assert not app.exception
    assert all(len(people_in(figure)) == 100 for figure in spaces(app))


def test_a_subtype_column_can_be_a_colour(people_csv: Path, tiny_model_folder: Path):
    check = read_cohort(people_csv)
    kinds = ["1", "2"] * (len(check.cohort) // 2)
    cohort = replace(check.cohort, extra=check.cohort.extra.assign(Subtype=kinds))
    page = open_page("latent_space", people_csv, tiny_model_folder)
    page.session_state["loaded"] = Loaded(replace(check, cohort=cohort), "people.csv")
    page.run()
    page.selectbox(key="color").set_value("subtype").run()
    assert not page.exception
    assert {trace["name"] for trace in figures(page)[0]["data"]} == {"1 (50)", "2 (50)"}


def test_a_picked_person_stands_out_in_both_pictures_and_is_listed(app: AppTest):
    select(app, "p070", "p003")
    assert [highlighted(figure) for figure in spaces(app)] == [{"p003", "p070"}] * 2
    assert "2 people selected" in said(app)
    assert table(app)["subject_id"].tolist() == ["p003", "p070"]
    assert set(table(app)) == {"subject_id", "diagnosis", "age", "sex", "mad", "effect_mad"}


def test_a_selection_can_be_let_go(app: AppTest):
    select(app, "p070")
    app.button(key="clear_selection").click().run()
    assert [highlighted(figure) for figure in spaces(app)] == [set(), set()]
    assert not app.main.dataframe


def test_a_selection_goes_on_to_counterfactual_and_is_kept(app: AppTest):
    select(app, "p070", "p003")
    app.button(key="show_twins").click().run()
    assert app.title[0].value == "Counterfactual"
    assert app.selectbox(key="person").value == "p070"
    assert "p003" in " ".join(app.selectbox(key="person").options)
    assert len(app.selectbox(key="person").options) == 2
    app.switch_page("pages/latent_space.py").run()
    assert highlighted(figures(app)[0]) == {"p003", "p070"}


def test_a_new_selection_comes_before_whoever_was_looked_at(app: AppTest):
    app.switch_page("pages/counterfactual.py").run()
    app.selectbox(key="person").set_value("p003").run()
    app.switch_page("pages/latent_space.py").run()
    select(app, "p070", "p003")
    app.switch_page("pages/counterfactual.py").run()
    assert app.radio(key="source").value == "selected"
    assert app.selectbox(key="person").value == "p070"


def test_umap_is_drawn_on_request(app: AppTest):
    app.radio(key="view").set_value("umap").run(timeout=300)
    assert not app.exception
    assert figures(app)[0]["layout"]["xaxis"]["title"]["text"].startswith("UMAP 1")
    assert all(len(people_in(figure)) == 100 for figure in spaces(app))


def test_choices_are_kept_when_the_visitor_comes_back(app: AppTest):
    app.radio(key="view").set_value("matrix").run()
    app.selectbox(key="color").set_value("age").run()
    app.switch_page("pages/about.py").run()
    app.switch_page("pages/latent_space.py").run()
    assert app.radio(key="view").value == "matrix"
    assert app.selectbox(key="color").value == "age"


def test_an_unknown_scanner_is_said_beside_the_pictures(tmp_path: Path, tiny_model_folder: Path):
    write_cohort(make_cohort(healthy=5, sites=("Elsewhere",)), tmp_path / "new.csv")
    page = open_page("latent_space", tmp_path / "new.csv", tiny_model_folder)
    assert "scanner differences may look like disease" in said(page)


def test_a_table_the_model_cannot_read_gets_a_sentence(people_csv: Path):
    page = open_page("latent_space", people_csv)  # The model of 139 regions, a table of eight.
    assert not page.exception
    assert "lacks" in page.main.warning[0].value


def test_people_can_be_coloured_by_what_the_model_found(
    app: AppTest, people_csv: Path, tiny_model_folder: Path, tmp_path: Path
):
    output = tmp_path / "memberships.csv"
    inputs = ["--volumes", people_csv, "--model", tiny_model_folder, "--output", output]
    assert CliRunner().invoke(command_line, ["subtypes", *map(str, inputs)]).exit_code == 0
    told = pd.read_csv(output, dtype={"subtype": str})["subtype"].value_counts()
    app.selectbox(key="color").set_value("found_subtype").run()
    assert not app.exception
    names = {trace["name"] for trace in spaces(app)[0]["data"]}
    assert names == {f"none ({told['none']})", f"Disease pattern ({told['1']})"}
    assert f"Likelier than none in {told['1']} of 100 people loaded" in said(app)


def test_the_pattern_is_outlined_where_its_people_are(app: AppTest, tiny_model_folder: Path):
    app.radio(key="view").set_value("pair").run()
    common, salient = spaces(app)
    assert not [trace for trace in common["data"] if trace["name"] == "Disease pattern"]
    (outline,) = [trace for trace in salient["data"] if trace["name"] == "Disease pattern"]
    middle = np.mean([outline["x"][:-1], outline["y"][:-1]], axis=1)
    mean = load_model(tiny_model_folder).calibration.means[0, :2]
    np.testing.assert_allclose(middle, mean, atol=1e-6)
    assert "holds 90 % of the patients" in said(app)
    app.radio(key="view").set_value("matrix").run()
    assert "holds 90 %" not in said(app)


def test_one_pattern_is_shown_by_what_it_changes_and_why_it_is_one(
    app: AppTest, tiny_model_folder: Path
):
    assert "one pattern, whose strength varies from person to person" in said(app)
    bars = figures(app)[2]["data"][0]
    (found,) = describe_subtypes(load_model(tiny_model_folder))
    assert dict(zip(bars["y"], bars["x"], strict=True)) == {
        change.label: change.effect for change in found.structures
    }
    assert len(figures(app)) == 3
    app.session_state["criterion"] = True
    app.run()
    assert "1 has the lowest" in said(app)
    assert figures(app)[3]["layout"]["yaxis"]["title"]["text"].startswith("BIC")


def test_memberships_can_be_taken_away(app: AppTest):
    assert "Download who belongs where" in [one.label for one in app.main.get("download_button")]


def test_several_subtypes_stand_side_by_side_and_are_outlined(
    people_csv: Path, three_subtypes_folder: Path
):
    page = open_page("latent_space", people_csv, three_subtypes_folder)
    assert not page.exception
    assert "The model found 3 subtypes" in said(page)
    assert "Subtype 1 (amygdala and hippocampus)**: likeliest for" in said(page)
    titles = [mark["text"] for mark in figures(page)[2]["layout"]["annotations"]]
    assert titles == [
        f"Subtype {number}<br>{share} % of patients"
        for number, share in ((1, 50), (2, 30), (3, 20))
    ]
    outlined = {trace["name"] for trace in spaces(page)[1]["data"] if "customdata" not in trace}
    assert outlined == {"Subtype 1", "Subtype 2", "Subtype 3"}
    page.session_state["criterion"] = True
    page.run()
    assert "3 has the lowest" in said(page)


def test_a_model_of_the_paper_shows_no_subtypes(people_csv: Path, three_subtypes, tmp_path: Path):
    config = train_config("paper", target=("AD",))
    paper = replace(three_subtypes, calibration=None, training=config)
    save_model(paper, tmp_path / "paper", paper.card, paper.facts)
    page = open_page("latent_space", people_csv, tmp_path / "paper")
    assert not page.exception
    assert len(figures(page)) == 2
    assert "found_subtype" not in page.selectbox(key="color").options


def test_a_list_of_people_is_saved_by_streamlits_button_without_formulas(
    tmp_path: Path, tiny_model_folder: Path
):
    cohort = make_cohort()
    ids = "=cmd" + cohort.subjects["subject_id"]
    write_cohort(replace(cohort, subjects=cohort.subjects.assign(subject_id=ids)), tmp_path / "t")
    app = select(open_page("latent_space", tmp_path / "t", tiny_model_folder), ids[3])
    assert table(app)["subject_id"].tolist() == [f"'{ids[3]}"]


def test_nobody_can_be_picked_who_is_not_there(people_csv: Path, tiny_model_folder: Path):
    """What a page offers is a matter of the page; its protocol takes any text for the answer."""
    app = open_page("latent_space", people_csv, tiny_model_folder)
    states = app._tree.get_widget_states()
    states.widgets.add(id=app.selectbox(key="add_person").id, string_value="../nobody")
    app._run(states)
    assert not app.exception
    assert "Nobody selected" in said(app)
    assert not app.switch_page("pages/counterfactual.py").run().exception
