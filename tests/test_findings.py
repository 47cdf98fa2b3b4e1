"""What is known of models, as tables for people."""

import numpy as np
import pandas as pd
import pytest

from cavae import findings, paper
from cavae.ablation import FOLD_COLUMNS, TABLE_COLUMNS
from cavae.errors import DataError
from cavae.evaluation import MEANINGS, Figure
from cavae.simulation_evaluation import METRICS, Estimate, SimulationFigures

NAN = float("nan")


@pytest.fixture
def measured() -> pd.DataFrame:
    estimates = {metric.key: Estimate(0.5, (0.4, 0.6), 0.25) for metric in METRICS}
    estimates["w2_target"] = Estimate(11.27, (10.42, 13.1), 9.62)
    estimates["completeness"] = Estimate(0.971)
    return SimulationFigures(estimates).table()


@pytest.fixture
def ours() -> pd.DataFrame:
    rows = [
        (paper.REAL, "w2_target", 9.6, NAN, NAN),
        (paper.REAL, "separation", 60.1, NAN, NAN),
        (paper.LAMBDA_10, "w2_target", 72.0, 70.0, 74.0),
        ("Gaussian copula", "w2_target", 11.5, 10.9, 12.2),
        (paper.LAMBDA_10, "completeness", 0.4, 0.3, 0.5),
    ]
    return pd.DataFrame(rows, columns=list(TABLE_COLUMNS))


def test_figures_are_written_with_their_interval_and_no_false_digits():
    assert findings.figure_text(11.27, "SD²", 10.42, 13.1) == "11.3 (10.4\u00a0to\u00a013.1)"
    assert findings.figure_text(-0.2443) == "−0.24"
    assert findings.figure_text(NAN) == "–"


def test_each_metric_stands_beside_what_it_should_be_and_the_papers(measured):
    text = findings.measured_text(measured).set_index("Metric")
    assert text.loc["W2, generated to real target (SD²)", "Should be"] == "floor 9.6"
    assert text.loc["W2, generated to real target (SD²)", "Paper"] == "60.5"
    ours = text.loc["W2, generated to real target (SD²)", "This model"]
    assert ours == "11.3 (10.4\u00a0to\u00a013.1)"
    assert text.loc["Completeness of clusters of salient s", "This model"] == "0.97"
    severity = text.loc["Median difference of a target from the twin decode(z, 0) (SD)"]
    assert severity["Should be"] == "above background 0.25"
    error = text.loc["Effect, typical error (SD)"]
    assert error["Should be"] == "0 (no effect 0.25)"
    assert (text["Good and bad"] != "").all()


def test_lines_of_the_picture_are_floors_and_best_values(measured):
    rows = findings.measured_forest(measured).set_axis(measured["key"])
    lines = rows["reference"].to_dict()
    assert lines["w2_target"] == 9.62
    assert lines["common_auc"] == 0.5
    assert lines["coverage90"] == 0.9
    assert lines["effect_rmse"] == 0.0
    assert np.isfinite(rows["reference"]).all()
    row = rows.loc["w2_target", ["low", "value", "high", "beside"]]
    assert row.tolist() == [10.42, 11.27, 13.1, 60.47]


def test_recorded_and_loaded_figures_share_a_row():
    metric = "effect, AUC"
    recorded = [{"metric": metric, "group": "AD against CN", "value": 0.91}]
    table = findings.clinical_table(recorded, [Figure(metric, "AD against CN", 0.88, "1")])
    assert table[["recorded", "loaded", "best"]].iloc[0].tolist() == [0.91, 0.88, 1.0]
    assert table["meaning"].iloc[0] == MEANINGS[metric]
    drawn = findings.clinical_forest(table).iloc[0]
    assert drawn[["value", "beside", "reference"]].tolist() == [0.91, 0.88, 1.0]
    text = findings.clinical_text(table).iloc[0]
    assert text[["Recorded", "Loaded people"]].tolist() == ["0.91", "0.88"]
    assert "Loaded people" not in findings.clinical_text(findings.clinical_table(recorded))


def test_every_figure_of_a_card_says_what_good_and_bad_look_like(tiny_model):
    from cavae.evaluation import evaluate_cohort
    from tests.people import make_cohort

    found = {figure.metric for figure in evaluate_cohort(tiny_model, make_cohort(seed=3))}
    assert found <= set(MEANINGS)


def test_table_a1_has_ours_the_papers_and_the_floor(ours):
    rows = findings.a1_forest(ours).set_index(["panel", "label"])
    row = rows.loc[("W2, generated to real<br>target (SD²)", paper.LAMBDA_10)]
    assert row[["value", "reference", "beside"]].tolist() == [72.0, 9.6, 60.47]
    ends = row[["low", "high", "beside_low", "beside_high"]]
    assert ends.tolist() == [70.0, 74.0, 59.73, 63.15]
    text = findings.a1_text(ours)
    assert text["Variant"].tolist() == ["Floor, or real value", *paper.TABLE_A1, "Gaussian copula"]
    assert text.iloc[0].tolist()[1:] == ["9.6", "–", "–", "–", "60.1", "20.4"]
    beside = findings.beside_a1_text(ours).set_index("Variant")
    assert beside.columns.tolist() == ["Completeness of clusters of s"]
    assert beside.loc[paper.LAMBDA_10].iloc[0].startswith("0.40")


def test_a_recorded_ablation_is_read_where_there_is_one(ours, tmp_path):
    assert findings.recorded_ablation(tmp_path) is None
    table, folds = (tmp_path / name for name in findings.ABLATION_FILES)
    ours.to_csv(table, index=False)
    row = (paper.LAMBDA_10, 1, "common_auc", 0.55)
    pd.DataFrame([row], columns=list(FOLD_COLUMNS)).to_csv(folds, index=False)
    assert findings.recorded_ablation(tmp_path).table.equals(ours)
    folds.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="other columns"):
        findings.recorded_ablation(tmp_path)
