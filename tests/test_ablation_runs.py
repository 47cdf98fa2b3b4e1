"""The ablation as a whole, on a few people: table and folds, the same wherever it runs."""

import sys

import pytest

from cavae import __main__ as commands
from cavae import paper
from cavae.ablation import (
    CALIBRATED,
    OF_PAPER,
    order,
    read_folds,
    read_table,
    without_parts,
)
from cavae.ablation_runs import (
    Effort,
    latents_of_test,
    measure_baseline,
    measure_real,
    measure_variants,
    run_ablation,
    run_of,
)
from cavae.baselines import sample_baseline
from cavae.bootstrap import Bootstrap
from cavae.errors import ConfigError, DataError
from cavae.experiments import split_of
from cavae.metrics import logistic_auc, wasserstein2
from cavae.preprocessing import fit_preprocessor
from cavae.simulation import read_simulation, save_simulation
from cavae.simulation_evaluation import evaluate_simulation, separation
from cavae.training import train_together

TINY = Effort(epochs=2, resamples=3, folds=2)
LAMBDA_10 = OF_PAPER[3]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment") / "data"
    save_simulation(78, 3, folder)
    return folder


@pytest.fixture(scope="module")
def simulated(data):
    return read_simulation(data)


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """Everything once: the folder written, and what was told on the way."""
    output, seen = tmp_path_factory.mktemp("ablation") / "out", []
    run_ablation(data, output, TINY, on_progress=seen.append)
    return output, seen


def test_files_of_the_contract_and_no_leftovers(run):
    assert {path.name for path in run[0].iterdir()} == {
        *("table.csv", "table.md", "folds.csv", "figure_a1a.html", "figure_a1b.html")
    }
    header = (run[0] / "table.csv").read_text().splitlines()[0]
    assert header == "variant,metric,value,low,high"


def train_alone(variant, simulated):
    [trained] = train_together([run_of(variant, split_of(simulated), TINY.epochs)])
    return trained


def test_progress_rises_to_the_whole(run):
    assert run[1] == sorted(run[1])
    assert run[1][-1] == pytest.approx(1.0)


def test_every_row_is_there_in_order_with_intervals_around_values(run):
    table = read_table(run[0] / "table.csv")
    assert list(dict.fromkeys(table["variant"])) == order()
    distances = table[table["metric"].isin(["w2_target", "w2_background", "separation"])]
    assert (distances.groupby("variant")["metric"].size() == 3).all()
    assert (table["low"] <= table["high"]).all()
    with_latents = table[table["metric"] == "common_auc"]["variant"]
    assert list(with_latents) == [one.name for one in (*OF_PAPER, CALIBRATED, *without_parts())]


def test_a_row_is_what_evaluate_says_of_the_same_model(run, simulated):
    trained = train_alone(LAMBDA_10, simulated)
    expected = evaluate_simulation(trained, simulated, TINY.resamples).estimates
    table = read_table(run[0] / "table.csv")
    rows = table[table["variant"] == LAMBDA_10.name].set_index("metric")
    for metric, row in rows.iterrows():
        assert row["value"] == pytest.approx(expected[metric].value)
        assert (row["low"], row["high"]) == pytest.approx(expected[metric].interval)


def test_what_real_people_and_other_synthesizers_reach_is_measured_on_the_same_people(simulated):
    split = split_of(simulated)
    own = fit_preprocessor(split.train, ("CN",), ("patient",))
    train, test = (
        [
            own.transform(cohorts[part]).values
            for cohorts in (simulated.target, simulated.background)
        ]
        for part in ("train", "test")
    )
    real, copula = (
        {metric: value for _, metric, value, *_ in measured.table}
        for measured in (measure_real(simulated, TINY), measure_baseline("copula", simulated, TINY))
    )
    drawn = [sample_baseline("copula", people, 2000, k) for k, people in enumerate(train)]
    for k, key in enumerate(("w2_target", "w2_background")):
        assert real[key] == pytest.approx(wasserstein2(train[k], test[k]))
        assert copula[key] == pytest.approx(wasserstein2(drawn[k], test[k]))
    assert real["separation"] == pytest.approx(wasserstein2(*test))
    assert copula["separation"] == pytest.approx(separation(drawn, test, Bootstrap(0)).value)


def test_without_calibration_the_network_is_the_same(simulated):
    (plain,) = (one for one in without_parts() if set(one.settings) == {"calibrate"})
    measured = measure_variants([CALIBRATED], simulated, TINY).table
    rows = {(name, metric): value for name, metric, value, *_ in measured}
    trained = train_alone(plain, simulated)
    expected = evaluate_simulation(trained, simulated, TINY.resamples).estimates
    for metric in ("w2_target", "separation", "completeness", "effect_r"):
        assert rows[plain.name, metric] == pytest.approx(expected[metric].value)


def test_folds_are_those_of_the_leakage_that_evaluate_measures(run, simulated):
    trained = train_alone(LAMBDA_10, simulated)
    common, _, subtypes = latents_of_test(trained, simulated)
    five = measure_variants([LAMBDA_10], simulated, Effort(epochs=2, resamples=0)).folds
    areas = [value for _, _, metric, value in five if metric == "common_auc"]
    assert sum(areas) / 5 == pytest.approx(logistic_auc(common, subtypes != "healthy"))


def test_folds_of_every_variant_and_of_the_volumes(run):
    folds = read_folds(run[0] / "folds.csv")
    counts = folds.groupby(["variant", "metric"])["fold"].apply(list)
    assert counts[paper.REAL, "completeness"] == [1, 2]
    for one in (*OF_PAPER, CALIBRATED):
        assert counts[one.name, "common_auc"] == counts[one.name, "completeness"] == [1, 2]
    assert folds["value"].between(0, 1).all()


def test_the_figures_say_what_a_fold_is_and_fetch_nothing(run):
    text = (run[0] / "figure_a1a.html").read_text(encoding="utf-8")
    assert "at most 2 epochs; a point is one of 2 folds" in text
    assert "cdn.plot.ly/plotly" not in text


def test_a_cluster_gives_the_same_numbers(run, data, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, protocol="tcp"
    ) as cluster:
        run_ablation(data, tmp_path, TINY, cluster.scheduler_address)
    for name in ("table.csv", "folds.csv"):
        assert (tmp_path / name).read_bytes() == (run[0] / name).read_bytes()


# --------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("folds", [1, 21])
def test_a_number_of_folds_that_cannot_be(folds):
    with pytest.raises(ConfigError, match="accepted: 2 to 20"):
        Effort(folds=folds)


def test_an_output_that_is_a_file(data, tmp_path):
    (tmp_path / "out").write_text("years")
    with pytest.raises(DataError, match="is a file; accepted: a folder"):
        run_ablation(data, tmp_path / "out", TINY)
    assert (tmp_path / "out").read_text() == "years"


BAD = {
    "no data": ["--data", "nowhere"],
    "an address that is none": ["--data", "{data}", "--scheduler", "here"],
    "a scheduler that is not there": ["--data", "{data}", "--scheduler", "tcp://127.0.0.1:9"],
    "one fold": ["--data", "{data}", "--folds", "1"],
}


@pytest.mark.parametrize("words", BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_status_2_and_no_file(data, tmp_path, monkeypatch, capsys, words):
    pytest.importorskip("distributed")
    monkeypatch.setattr("cavae.tasks.PATIENCE", 0.5)
    filled = [word.format(data=data) for word in words]
    monkeypatch.setattr(
        sys, "argv", ["cavae", "ablation", *filled, "--output", str(tmp_path / "out")]
    )
    assert commands.main() == 2
    said = capsys.readouterr()
    assert not said.out
    assert len([line for line in said.err.splitlines() if line.startswith("Error: ")]) == 1
    assert not (tmp_path / "out").exists()
