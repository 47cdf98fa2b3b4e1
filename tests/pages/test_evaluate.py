"""The Evaluate page: what is measured, what is shown by name, and what can be taken along."""

import time
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cavae import figures, findings, paper
from cavae.ablation import FOLD_COLUMNS, TABLE_COLUMNS
from cavae.checkpoint import load_model
from cavae.simulation import simulate
from cavae.simulation_evaluation import evaluate_simulation
from cavae.ui import measuring
from tests.pages.session import figures as drawn
from tests.pages.session import open_page, said


def tables(app: AppTest) -> list[pd.DataFrame]:
    return [one.value for one in app.main.table]


def names(figure: dict) -> set[str]:
    return {trace.get("name") for trace in figure["data"]}


@pytest.fixture(autouse=True)
def few_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "PEOPLE", 390)
    monkeypatch.setattr(measuring, "RESAMPLES", 20)
    measuring.simulated.clear()


@pytest.fixture
def measured(semi_synthetic) -> AppTest:
    app = open_page("evaluate", model=semi_synthetic[1])
    app.number_input(key="evaluate_seed").set_value(3).run()
    app.button(key="measure").click().run()
    assert not app.exception
    return app


def test_the_pretrained_model_shows_its_recorded_figures_picture_first():
    app = open_page("evaluate")
    assert not app.exception
    assert names(drawn(app)[0]) == {"recorded", "best"}
    text = tables(app)[0]
    assert "Effect, AUC" in set(text.index)
    assert text["Good and bad"].str.contains("coin toss").any()
    assert "Recorded when the model was made" in said(app)


def test_loaded_people_stand_beside_and_it_is_said_that_they_may_flatter(
    people_csv: Path, tiny_model_folder: Path
):
    app = open_page("evaluate", table=people_csv, model=tiny_model_folder)
    assert not app.exception
    assert "loaded people" in names(drawn(app)[0])
    assert "Loaded people" in tables(app)[0]
    assert "flatter" in said(app)


def test_a_model_of_simulated_disease_is_measured_when_asked(semi_synthetic):
    app = open_page("evaluate", model=semi_synthetic[1])
    assert "Nothing measured yet" in said(app)
    app.number_input(key="evaluate_seed").set_value(3).run()
    app.button(key="measure").click().run()
    assert not app.exception
    assert "Nothing measured yet" not in said(app)
    assert "paper, other people" in names(drawn(app)[0])


def test_its_figures_are_those_of_the_command_and_the_command_is_shown(measured, semi_synthetic):
    model = load_model(semi_synthetic[1])
    of_core = evaluate_simulation(model, simulate(390, 3), resamples=0).table()
    shown = tables(measured)[0]["This model"].str.split(" ").str[0]
    assert shown.tolist() == [
        findings.figure_text(row.value, row.unit) for row in of_core.itertuples()
    ]
    commands = [code.value for code in measured.main.code]
    assert "python -m cavae simulate --seed 3 --output simulated" in commands
    assert "python -m cavae evaluate --model model --data simulated" in commands


def test_intervals_can_be_done_without(semi_synthetic, monkeypatch):
    monkeypatch.setattr(measuring, "RESAMPLES", 1000)
    app = open_page("evaluate", model=semi_synthetic[1])
    app.button(key="measure").click().run()
    assert "(" not in tables(app)[0]["This model"].iloc[0]
    app.button(key="stop_intervals").click().run()
    assert not app.exception
    assert "stop_intervals" not in {button.key for button in app.main.button}
    assert "(" not in tables(app)[0]["This model"].iloc[0]


def test_intervals_come_by_themselves(semi_synthetic):
    model = load_model(semi_synthetic[1])
    found = measuring.Measurement(model, simulate(390, 3))
    first = found.merit
    assert found.running
    end = time.monotonic() + 120
    while found.running and time.monotonic() < end:
        time.sleep(0.1)
    low, high = found.merit.estimates["w2_target"].interval
    assert low < first.estimates["w2_target"].value < high


def test_what_was_measured_is_kept(measured):
    measured.switch_page("pages/about.py").run()
    measured.switch_page("pages/evaluate.py").run()
    assert not measured.exception
    assert "Nothing measured yet" not in said(measured)


@pytest.mark.parametrize("name", ["3a", "3b", "4a", "4b", "A4", "A5"])
def test_figures_of_people_show_the_demo_cohort_and_say_so(name: str):
    app = open_page("evaluate")
    app.radio(key="paper_figure").set_value(name).run()
    assert not app.exception
    assert f"Figure {name}" in app.main.subheader[0].value
    assert "demo cohort, whom the model made itself" in said(app)
    assert app.main.download_button(key=f"csv_{name}").label.endswith(f"Figure {name}")


@pytest.mark.parametrize("name", ["2a", "2b", "A2", "A3"])
def test_simulated_figures_show_fresh_people(semi_synthetic, name: str):
    app = open_page("evaluate", model=semi_synthetic[1])
    app.radio(key="paper_figure").set_value(name).run()
    assert not app.exception
    assert "45 healthy and 45 diseased test people of simulation seed" in said(app)


def test_a_loaded_table_that_does_not_fit_is_named_and_the_demo_shown(tmp_path: Path):
    table = pd.DataFrame({f"thickness_{k}": [2.0 + 0.1 * i for i in range(8)] for k in range(12)})
    table.insert(0, "subject_id", [f"p{i}" for i in range(8)])
    table["age"], table["sex"] = 70.0, "F"
    path = tmp_path / "thick_ness.csv"
    table.to_csv(path, index=False)
    app = open_page("evaluate", table=path)
    assert not app.exception
    assert "thick_ness.csv is not in the pictures" in said(app)


def test_without_a_recorded_ablation_the_commands_are_there(monkeypatch):
    monkeypatch.setattr(findings, "recorded_ablation", lambda: None)
    app = open_page("evaluate")
    commands = [code.value for code in app.main.code]
    assert set(findings.ABLATION_COMMANDS) <= set(commands)
    assert "Download Table A1" not in [one.label for one in app.main.download_button]


def test_table_a1_shows_ours_the_papers_and_what_made_it(monkeypatch):
    table = [(paper.LAMBDA_10, "w2_target", 72.0, 70.0, 74.0)]
    folds = [(paper.LAMBDA_10, fold, "common_auc", 0.55) for fold in range(1, 6)]
    recorded = findings.Ablation(
        pd.DataFrame(table, columns=list(TABLE_COLUMNS)),
        pd.DataFrame(folds, columns=list(FOLD_COLUMNS)),
    )
    monkeypatch.setattr(findings, "recorded_ablation", lambda: recorded)
    app = open_page("evaluate")
    assert not app.exception
    assert {"ours", "paper, other people"} <= names(drawn(app)[1])
    assert "The paper's people are not ours" in said(app)
    app.radio(key="paper_figure").set_value("A1a").run()
    assert not app.exception
    assert figures.words("A1a").look_for in said(app)


def test_report_and_numbers_can_be_downloaded():
    app = open_page("evaluate")
    labels = [button.label for button in app.main.download_button]
    assert "Report (HTML)" in labels
    assert "All figures' numbers (CSV)" in labels
