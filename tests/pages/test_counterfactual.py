import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from cavae import numbers
from cavae.__main__ import app as command_line
from cavae.person import draw_person
from tests.pages.session import button, figures, open_page, people_in, said, table, written
from tests.people import make_cohort, write_cohort

ILL = "p070"


@pytest.fixture
def app(people_csv: Path, tiny_model_folder: Path) -> AppTest:
    page = open_page("counterfactual", people_csv, tiny_model_folder)
    page.selectbox(key="person").set_value(ILL).run()
    assert not page.exception
    return page


def rows(app: AppTest) -> pd.DataFrame:
    """The page's table of all regions, by label."""
    if not app.main.dataframe:
        app.session_state["all_rows"] = True
        app.run()
    return table(app).set_index("label")


def dots(app: AppTest, name: str) -> list[float]:
    """Where the picture of pairs puts the healthy twin or now, region by region."""
    return [trace["x"][0] for trace in figures(app)[0]["data"] if trace.get("name") == name]


def shown_in(app: AppTest, axis: str) -> str:
    return figures(app)[0]["layout"][axis]["title"]["text"]


def slider(app: AppTest, number: int):
    return next(one for one in app.main.slider if one.label == f"s{number}")


def press(app: AppTest, label: str) -> None:
    button(app, label).click().run()
    assert not app.exception


@pytest.mark.parametrize("twin", ["residual", "paper"])
def test_the_page_shows_the_numbers_of_the_command(
    people_csv: Path, tiny_model_folder: Path, tmp_path: Path, app: AppTest, twin: str
):
    output = tmp_path / "twins.csv"
    inputs = ["--volumes", people_csv, "--model", tiny_model_folder, "--output", output]
    done = CliRunner().invoke(command_line, ["counterfactual", *map(str, inputs), "--twin", twin])
    assert done.exit_code == 0
    told = pd.read_csv(output, float_precision="round_trip").set_index("subject_id").loc[ILL]
    app.radio(key="twin").set_value(twin).run()
    for index, label in {"47": "Right hippocampus", "31": "Right amygdala"}.items():
        assert rows(app).loc[label, "healthy"] == told[f"healthy_{index}"]
        assert rows(app).loc[label, "effect"] == told[f"effect_{index}"]
    effects = rows(app)["effect"]
    assert written(app, "effect") == [numbers.signed(effect, 1) for effect in effects]
    memory = [told[f"healthy_{index}"] for index in ("48", "47", "32", "31")]
    assert dots(app, "Healthy twin") == memory


def test_now_is_what_was_measured(app: AppTest, people_csv: Path):
    measured = pd.read_csv(people_csv).set_index("subject_id").loc[ILL]
    names = [f"MUSE_Volume_{index}" for index in ("48", "47", "32", "31")]
    assert dots(app, "Now") == pytest.approx(measured[names].to_numpy(float))
    assert shown_in(app, "xaxis") == "Volume (mm³)"


def test_a_slider_moves_now_and_leaves_the_twin(app: AppTest):
    before = rows(app)
    slider(app, 1).set_value(slider(app, 1).value + 1).run()
    after = rows(app).loc[before.index]
    assert not app.exception
    assert np.allclose(after["healthy"], before["healthy"])
    assert not np.allclose(after["observed"], before["observed"])
    gap = after["observed"] - after["healthy"]
    assert np.allclose(100 * gap / after["healthy"], after["percent"])
    assert "now is imagined, not measured" in said(app)


def test_reset_gives_this_person_back_to_the_last_digit(app: AppTest):
    before = rows(app)
    for number in (1, 3):
        slider(app, number).set_value(0.7).run()
    press(app, "Reset to this person")
    pd.testing.assert_frame_equal(rows(app), before)
    assert "imagined" not in said(app)


def test_without_disease_now_is_the_twin(app: AppTest):
    press(app, "All 0")
    assert [one.value for one in app.main.slider] == [0.0] * 5
    assert np.allclose(rows(app)["observed"], rows(app)["healthy"], rtol=1e-6)


def test_sliders_say_which_regions_they_change_and_reach_everyone(app: AppTest):
    assert all(one.help.startswith("One more of it changes") for one in app.main.slider)
    assert all(one.min <= -3 and one.max >= 3 for one in app.main.slider)


def test_sliders_of_one_person_do_not_follow_to_the_next(app: AppTest):
    slider(app, 1).set_value(2.5).run()
    press(app, "Next person")
    assert app.selectbox(key="person").value == "p071"
    assert "imagined" not in said(app)
    press(app, "Previous person")
    assert app.selectbox(key="person").value == ILL


def test_previous_of_the_first_is_the_last(people_csv: Path, tiny_model_folder: Path):
    page = open_page("counterfactual", people_csv, tiny_model_folder)
    assert page.selectbox(key="person").value == "p000"
    press(page, "Previous person")
    assert page.selectbox(key="person").value == "p099"


def test_the_person_is_kept_when_the_visitor_comes_back(app: AppTest):
    app.switch_page("pages/latent_space.py").run()
    app.switch_page("pages/counterfactual.py").run()
    assert app.selectbox(key="person").value == ILL


def test_the_sentence_about_what_a_twin_is_not_stands_by_the_picture(app: AppTest):
    assert "not a causal claim and not a diagnosis" in said(app)


def test_every_effect_is_ranked_and_in_the_table(app: AppTest):
    _, brain, ranking, _ = figures(app)
    assert len(ranking["data"][1]["y"]) == 8
    assert any("Right hippocampus" in trace.get("text", "") for trace in brain["data"])
    assert len(rows(app)) == 8
    sizes = rows(app)["effect"].abs().tolist()
    assert sizes == sorted(sizes, reverse=True)


def test_intervals_are_those_of_the_command_in_pictures_and_table(
    people_csv: Path, tiny_model_folder: Path, tmp_path: Path, app: AppTest
):
    output = tmp_path / "twins.csv"
    inputs = ["--volumes", people_csv, "--model", tiny_model_folder, "--output", output]
    words = ["counterfactual", *map(str, inputs), "--intervals"]
    assert CliRunner().invoke(command_line, words).exit_code == 0
    told = pd.read_csv(output, float_precision="round_trip").set_index("subject_id").loc[ILL]
    bars = figures(app)[2]["data"][0]
    for index, value, up, down in zip(
        bars["customdata"],
        bars["x"],
        bars["error_x"]["array"],
        bars["error_x"]["arrayminus"],
        strict=True,
    ):
        assert value - down == pytest.approx(told[f"low_{index}"])
        assert value + up == pytest.approx(told[f"high_{index}"])
    low, high = told["low_47"], told["high_47"]
    written = f"{low:+.1f} to {high:+.1f}".replace("-", "−")
    assert rows(app).loc["Right hippocampus", "interval"] == written
    assert rows(app).loc["Right hippocampus", "certain"] == "clear"
    (bar, *_) = [t for t in figures(app)[0]["data"] if t.get("name", "").startswith("90 %")]
    assert bar["x"][0] < dots(app, "Healthy twin")[0] < bar["x"][1]


def test_the_difference_is_said_with_its_interval(app: AppTest):
    assert re.search(r"\d+ % smaller than the twin's \(\d+ to \d+ %\)", said(app))


def test_moved_sliders_have_no_interval_and_the_page_says_why(app: AppTest):
    slider(app, 1).set_value(slider(app, 1).value + 1).run()
    assert "imagined, not measured. So it has no interval" in said(app).replace("*", "")
    assert "interval" not in rows(app)
    assert "error_x" not in figures(app)[2]["data"][0]
    assert "%)." not in said(app)
    press(app, "Reset to this person")
    assert "interval" in rows(app)


def test_the_chances_of_a_person_are_those_of_the_command(
    people_csv: Path, tiny_model_folder: Path, tmp_path: Path, app: AppTest
):
    output = tmp_path / "memberships.csv"
    inputs = ["--volumes", people_csv, "--model", tiny_model_folder, "--output", output]
    assert CliRunner().invoke(command_line, ["subtypes", *map(str, inputs)]).exit_code == 0
    told = pd.read_csv(output).set_index("subject_id").loc[ILL]
    assert told["chance_1"] > 0.995
    assert re.search(r"Disease pattern \((\w+ and \w+)\) over 99 %", said(app))
    press(app, "All 0")
    assert "Chances: **none over 99 %**" in said(app)


def test_chances_name_each_subtype_the_likeliest_first(
    people_csv: Path, three_subtypes_folder: Path
):
    page = open_page("counterfactual", people_csv, three_subtypes_folder)
    page.selectbox(key="person").set_value(ILL).run()
    assert not page.exception
    assert re.search(
        r"Chances: \*\*Subtype [12] \((amygdala|entorhinal area) and hippo", said(page)
    )


def test_severity_shows_everyone_and_points_at_this_person(app: AppTest):
    severity = figures(app)[-1]
    assert {f"p{i:03d}" for i in range(100)} <= people_in(severity)
    assert any(ILL in mark["text"] for mark in severity["layout"]["annotations"])
    assert severity["layout"]["yaxis"]["title"]["text"].startswith("Mean absolute difference")
    assert f"{ILL}: " in said(app).replace("*", "")
    assert "medians: CN" in said(app)
    app.radio(key="measure").set_value("effect_mad").run()
    assert figures(app)[-1]["layout"]["yaxis"]["title"]["text"] == "Mean absolute effect (SD)"


def test_a_synthetic_person_needs_no_table_and_is_the_same_again():
    page = open_page("counterfactual")
    assert not page.exception
    assert "Synthetic person 0" in said(page)
    assert "Start with the demo cohort" in [button.label for button in page.main.button]
    first = dots(page, "Now")
    press(page, "Next person")
    assert "Synthetic person 1" in said(page)
    assert dots(page, "Now") != first
    press(page, "Previous person")
    assert dots(page, "Now") == first
    assert "Drawn, not measured" in said(page)


def test_the_demo_can_be_loaded_from_here():
    page = open_page("counterfactual")
    press(page, "Start with the demo cohort")
    assert page.radio(key="source").value == "everyone"
    assert page.selectbox(key="person").value == "demo-001"


def test_a_synthetic_person_is_placed_among_the_loaded(app: AppTest, tiny_model):
    app.radio(key="source").set_value("synthetic").run()
    assert not app.exception
    severity = figures(app)[-1]
    (mark,) = severity["layout"]["annotations"]
    assert "Synthetic person 0" in mark["text"]
    drawn = draw_person(tiny_model, 0, "paper")
    assert mark["y"] == pytest.approx(np.mean(np.abs(drawn.observed - drawn.healthy) / drawn.sd)), (
        "SD of healthy people, as everyone's"
    )


def test_what_makes_the_result_uncertain_is_said(tmp_path: Path, tiny_model_folder: Path):
    cohort = make_cohort(healthy=5, sites=("Elsewhere",))
    cohort.subjects.loc[:, ["icv", "age"]] = [np.nan, 95.0]
    write_cohort(cohort, tmp_path / "new.csv")
    page = open_page("counterfactual", tmp_path / "new.csv", tiny_model_folder)
    assert not page.exception
    for words in ("scanner is new", "Head size (ICV) was missing", "Age 95 is outside"):
        assert words in said(page)


def test_an_id_is_shown_as_it_is_written(tmp_path: Path, tiny_model_folder: Path):
    cohort = make_cohort()
    cohort.subjects.loc[0, "subject_id"] = "*p*_[1](x)"
    write_cohort(cohort, tmp_path / "odd.csv")
    page = open_page("counterfactual", tmp_path / "odd.csv", tiny_model_folder)
    assert not page.exception
    assert "**" + r"\*p\*\_\[1\]\(x\)" + "**" in page.main.markdown[0].value


def test_a_table_the_model_cannot_read_gets_a_sentence(people_csv: Path):
    page = open_page("counterfactual", people_csv)  # The model of 139 regions, a table of eight.
    assert not page.exception
    assert "lacks" in page.main.warning[0].value


@pytest.fixture(scope="module")
def thickness(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A table of features that are no regions of the atlas, and a model of them."""
    from cavae.cohort import read_cohort
    from cavae.config import train_config
    from cavae.experiments import save_trained
    from cavae.training import split_cohort, train

    folder = tmp_path_factory.mktemp("thickness")
    cohort = make_cohort(sites=("North",))
    names = [f"thickness_{letter}" for letter in "abcdefgh"]
    features = cohort.features.set_axis(names, axis=1) / 1000
    pd.concat([cohort.subjects, features], axis=1).to_csv(folder / "people.csv", index=False)
    config = train_config("paper", target=("AD",), epochs=5)
    people = read_cohort(folder / "people.csv").cohort
    trained = train(split_cohort(people, config), config)
    save_trained(trained, folder / "model", trained_on="100 made-up people")
    return folder / "people.csv", folder / "model"


def test_a_model_of_other_features_shows_the_most_affected_ones_without_mm3(thickness):
    page = open_page("counterfactual", *thickness)
    assert not page.exception
    assert not page.main.error
    paired, ranking, _ = figures(page)  # No brain: these features have no place in it.
    assert len([trace for trace in paired["data"] if trace.get("name") == "Now"]) == 4
    assert "mm³" not in str(paired)
    assert "follows the paper and tells no intervals" in said(page)
    assert "mm³" not in str(ranking)
    assert set(rows(page).index) == {f"thickness_{letter}" for letter in "abcdefgh"}
    press(page, "All 0")
    page.radio(key="source").set_value("synthetic").run()
    assert not page.exception


def test_latent_space_of_other_features_is_coloured_by_them(thickness):
    page = open_page("latent_space", *thickness)
    page.selectbox(key="color").set_value("thickness_a").run()
    assert not page.exception
    assert len(people_in(figures(page)[0])) == 100
