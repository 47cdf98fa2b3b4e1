"""Figures of a model on the semi-synthetic experiment, and the same again from files."""

import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import svdvals
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import completeness_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cavae import __main__ as commands
from cavae.bootstrap import Bootstrap
from cavae.checkpoint import load_model
from cavae.simulation import read_simulation, save_simulation
from cavae.simulation_evaluation import (
    METRICS,
    completeness,
    coverage,
    effect_recovery,
    evaluate_simulation,
    fidelity,
    leakage,
    separation,
    true_twins,
)
from cavae.synthesis import encode_standardized

FEW = Bootstrap(resamples=20)
KEYS = {
    "w2_target": {"value", "floor", "interval"},
    "w2_background": {"value", "floor", "interval"},
    "separation": {"value", "real"},
    **dict.fromkeys(
        ["completeness", "common_auc", "effect_r", "effect_rmse", "effect_slope", "coverage90"]
    ),
}


def command(*words):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["cavae", *map(str, words)])
        assert commands.main() == 0


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A small experiment and a model hardly trained, as commands write them."""
    folder = tmp_path_factory.mktemp("experiment")
    data, model = folder / "data", folder / "model"
    save_simulation(390, 3, data)
    command("train", "--data", data, "--output", model, "--epochs", 20, "--seed", 0)
    return data, model


@pytest.fixture(scope="module")
def figures(folders):
    data, model = folders
    return evaluate_simulation(load_model(model), read_simulation(data), resamples=20)


# --------------------------------------------------------------------------- from files


@pytest.fixture(scope="module")
def files(folders, tmp_path_factory):
    """What the commands write of the test people, and generated pairs."""
    data, model = folders
    folder = tmp_path_factory.mktemp("files")

    def write(name, verb, *words):
        command(verb, "--model", model, "--output", folder / name, *words)
        return pd.read_csv(folder / name)

    found = {"pairs": write("pairs.csv", "sample", "--standardized", "--pairs", 2000, "--seed", 0)}
    for name in ("target_test", "background_test", "truth_test", "target_train"):
        table = ["--volumes", data / f"{name}.csv"]
        found[name] = write(f"{name}.csv", "counterfactual", "--standardized", *table)
        found[f"{name}_latents"] = write(f"{name}_latents.csv", "encode", *table)
        found[f"{name}_subtypes"] = pd.read_csv(data / f"{name}.csv")["subtype"]
    return found


def observed(table):
    return table.filter(regex=r"^observed_").to_numpy()


def group(pairs, name):
    return pairs.loc[pairs["group"] == name].filter(regex=r"^\d+$").to_numpy()


def distance(a, b):
    """Squared 2-Wasserstein by the nuclear norm of the product of the centred samples."""
    a_centred = (a - a.mean(axis=0)) / np.sqrt(len(a) - 1)
    b_centred = (b - b.mean(axis=0)) / np.sqrt(len(b) - 1)
    cross = svdvals(a_centred @ b_centred.T).sum()
    mean = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2)
    return mean + np.sum(a_centred**2) + np.sum(b_centred**2) - 2 * cross


def test_distances_are_those_of_the_files(figures, files):
    answer = figures.answer()
    target = observed(files["target_test"])
    for role in ("target", "background"):
        expected = distance(group(files["pairs"], role), observed(files[f"{role}_test"]))
        assert answer[f"w2_{role}"]["value"] == pytest.approx(expected, rel=1e-4)
    floor = distance(observed(files["target_train"]), target)
    assert answer["w2_target"]["floor"] == pytest.approx(floor, rel=1e-4)


def test_separation_is_that_of_the_files(figures, files):
    answer = figures.answer()["separation"]
    real = distance(observed(files["target_test"]), observed(files["background_test"]))
    assert answer["real"] == pytest.approx(real, rel=1e-4)
    size = len(files["target_test"])
    targets, backgrounds = (
        group(files["pairs"], role)[: 2000 // size * size].reshape(-1, size, 139)
        for role in ("target", "background")
    )
    expected = [distance(targets[i], backgrounds[i - 1]) for i in range(len(targets))]
    assert answer["value"] == pytest.approx(np.mean(expected), rel=1e-4)


def test_latent_figures_are_those_of_the_files(figures, files, folders):
    answer, data = figures.answer(), read_simulation(folders[0])
    roles = ("target_test", "background_test")
    latents = pd.concat([files[f"{role}_latents"] for role in roles])
    subtypes = pd.concat([files[f"{role}_subtypes"] for role in roles])
    clusters = KMeans(4, n_init=10, random_state=0).fit_predict(latents.filter(like="salient_"))
    expected = completeness_score(subtypes, clusters)
    assert answer["completeness"] == pytest.approx(expected, abs=1e-6)
    common = latents.filter(like="common_").to_numpy()
    assert answer["common_auc"] == pytest.approx(told_apart(common, subtypes), abs=1e-6)
    twins = encode_standardized(load_model(folders[1]), true_twins(load_model(folders[1]), data))[0]
    others = files["background_test_latents"].filter(like="common_")
    expected = told_apart(np.concatenate([twins, others]), subtypes)
    assert figures.estimates["common_auc"].reference == pytest.approx(expected, abs=1e-6)


def told_apart(common, subtypes):
    """AUC of the diseased against the healthy on common z, mean over folds and ten seeds."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression())
    aucs = [
        cross_val_score(
            classifier,
            common,
            subtypes != "healthy",
            scoring="roc_auc",
            cv=StratifiedKFold(5, shuffle=True, random_state=seed),
        ).mean()
        for seed in range(10)
    ]
    return np.mean(aucs)


def test_effect_figures_are_those_of_the_files(figures, files):
    answer = figures.answer()
    true = (observed(files["target_test"]) - observed(files["truth_test"])).ravel()
    estimated = files["target_test"].filter(regex=r"^effect_\d").to_numpy().ravel()
    assert answer["effect_r"] == pytest.approx(np.corrcoef(estimated, true)[0, 1], rel=1e-6)
    rmse = np.sqrt(np.mean((estimated - true) ** 2))
    assert answer["effect_rmse"] == pytest.approx(rmse, rel=1e-6)
    assert answer["effect_slope"] == pytest.approx(np.polyfit(estimated, true, 1)[0], rel=1e-6)


def test_severity_is_that_of_the_files_beside_the_healthy_and_the_truth(figures, files):
    mad, size = (figures.estimates[key] for key in ("mad", "effect_mad"))
    assert mad.value == pytest.approx(files["target_test"]["mad"].median(), rel=1e-6)
    assert mad.reference == pytest.approx(files["background_test"]["mad"].median(), rel=1e-6)
    estimated = files["target_test"].filter(regex=r"^effect_\d").to_numpy()
    true = observed(files["target_test"]) - observed(files["truth_test"])
    assert size.value == pytest.approx(np.abs(estimated).mean(), rel=1e-6)
    assert size.reference == pytest.approx(np.abs(true).mean(), rel=1e-6)
    for figure in (mad, size):
        assert figure.interval[0] < figure.value < figure.interval[1]


# --------------------------------------------------------------------------- what is answered


def test_the_answer_has_the_keys_of_the_contract(figures):
    answer = json.loads(json.dumps(figures.answer(), allow_nan=False))
    assert answer.keys() == KEYS.keys()
    for key, parts in KEYS.items():
        if parts is not None:
            assert answer[key].keys() == parts
    for key in ("w2_target", "w2_background"):
        low, high = answer[key]["interval"]
        assert low < answer[key]["value"] < high


def test_only_a_calibrated_model_has_a_coverage(figures, folders):
    assert 0 < figures.answer()["coverage90"] <= 1
    data, model = folders
    plain = replace(load_model(model), calibration=None)
    without = evaluate_simulation(plain, read_simulation(data), resamples=2)
    assert without.answer()["coverage90"] is None
    assert "90 % interval" not in without.report()


def test_the_table_says_what_good_and_bad_look_like(figures):
    table = figures.table()
    assert list(table["key"]) == [metric.key for metric in METRICS]
    for column in ("metric", "direction", "meaning"):
        assert table[column].str.len().min() > 5
    assert table.set_index("key").loc["w2_target", "paper"] == 60.47
    report = figures.report()
    assert "floor: " in report
    assert "nan" not in report


def test_evaluating_twice_gives_the_same_figures(folders, figures):
    data, model = folders
    again = evaluate_simulation(load_model(model), read_simulation(data), resamples=20)
    assert again.answer() == figures.answer()


def test_the_smallest_experiment_leaves_out_what_it_cannot_tell(folders, tmp_path):
    _, model = folders
    save_simulation(26, 0, tmp_path / "smallest")
    simulated = read_simulation(tmp_path / "smallest")
    answer = evaluate_simulation(load_model(model), simulated, resamples=2).answer()
    assert answer["common_auc"] is None
    assert answer["w2_target"]["value"] > 0


# --------------------------------------------------------------------------- figures one by one


def people(n, p, seed=0):
    return np.random.default_rng(seed).standard_normal((n, p))


def test_people_of_the_same_kind_are_at_the_floor_and_narrower_ones_far_above():
    test, train = people(200, 10, seed=1), people(400, 10, seed=2)
    good = fidelity(people(2000, 10, seed=3), test, train, FEW)
    narrow = fidelity(0.5 * people(2000, 10, seed=3), test, train, FEW)
    assert good.value < 1.2 * good.reference
    assert narrow.interval[0] > 5 * good.reference


def test_pairs_are_compared_as_strangers():
    common = people(2000, 10)
    alike = separation((common, common), (people(100, 10, seed=1), people(100, 10, seed=2)), FEW)
    assert alike.value == pytest.approx(alike.reference, rel=0.3)


def test_a_stronger_disease_separates_more():
    test = people(100, 10, seed=1) + 1, people(100, 10, seed=2)
    weak, strong = (
        separation((people(2000, 10) + shift, people(2000, 10, seed=3)), test, FEW)
        for shift in (0.5, 1.5)
    )
    assert weak.interval[1] < weak.reference < strong.interval[0]


def test_clusters_that_are_the_subtypes_are_complete():
    subtypes = np.repeat(["S1", "S2", "S3", "healthy"], 30)
    centres = np.repeat(10 * np.eye(4), 30, axis=0)
    assert completeness(centres + people(120, 4), subtypes, FEW).value == pytest.approx(1)
    assert completeness(people(120, 4), subtypes, FEW).value < 0.15


def test_a_disease_in_common_z_is_found_out():
    diseased = np.arange(400) < 200
    clean = people(400, 5)
    leaking = clean + np.outer(diseased, [1.5, 0, 0, 0, 0])
    assert leakage(clean, diseased, FEW).value == pytest.approx(0.5, abs=0.06)
    found = leakage(leaking, diseased, FEW)
    assert found.interval[0] < found.value < found.interval[1]
    assert found.value > 0.8


def test_exact_effects_are_recovered_and_doubled_ones_are_overstated():
    true = people(50, 8)
    exact, doubled = (effect_recovery(factor * true, true, FEW) for factor in (1, 2))
    assert exact["effect_r"].value == pytest.approx(1)
    assert exact["effect_rmse"].value == pytest.approx(0, abs=1e-6)
    assert exact["effect_slope"].value == pytest.approx(1)
    assert doubled["effect_r"].value == pytest.approx(1)
    assert doubled["effect_slope"].value == pytest.approx(0.5)


def test_claiming_no_effect_has_the_reference_as_its_error():
    true = people(50, 8)
    found = effect_recovery(np.zeros_like(true), true, FEW)
    assert found["effect_rmse"].value == pytest.approx(found["effect_rmse"].reference)
    assert np.isnan([found["effect_r"].value, *found["effect_r"].interval]).all()


def test_coverage_counts_truths_inside_their_interval():
    true = people(500, 8)
    found = coverage((np.full_like(true, -1.645), np.full_like(true, 1.645)), true, FEW)
    assert found.value == pytest.approx(0.9, abs=0.02)
    assert found.interval[0] < found.value < found.interval[1]
    assert np.isnan(coverage(None, true, FEW).value)


def test_coverage_leaves_out_regions_that_the_disease_spared():
    true = people(200, 8)
    true[:, 4:] = 0.0
    nowhere = np.zeros_like(true)
    assert coverage((nowhere, nowhere), true, FEW).value == 0


def test_point_values_come_without_resampling_and_progress_is_told(folders, figures):
    data, model = folders
    told = []
    quick = evaluate_simulation(load_model(model), read_simulation(data), 0, told.append)
    values = {key: estimate.value for key, estimate in figures.estimates.items()}
    assert {key: estimate.value for key, estimate in quick.estimates.items()} == values
    assert all(np.isnan(estimate.interval).all() for estimate in quick.estimates.values())
    assert told == sorted(told)
    assert told[-1] == 1.0
