"""A sweep gives the same table wherever it runs, whatever dies, and is never done twice."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pandas as pd
import psutil
import pytest

from cavae import __main__ as commands
from cavae.errors import ConfigError, DataError
from cavae.evaluation import evaluate_cohort
from cavae.fidelity import cohort_fidelity
from cavae.simulation import SPLITS, save_simulation, simulate
from cavae.sweep import RUN_COLUMNS, Cohorts, Grid, done, read_runs, summarize
from cavae.sweep_runs import MEASURED, part, run_cells, run_sweep
from cavae.training import train
from tests.conftest import ROOT
from tests.people import make_cohort, write_cohort

AD = (Cohorts(("CN",), ("AD",)),)
GRID = Grid(lambdas=(10, 100), seeds=(0, 1), folds=2, cohorts=AD, epochs=5)


@pytest.fixture(scope="module")
def people():
    return make_cohort(healthy=40, diseased=30)


@pytest.fixture(scope="module")
def swept(people, tmp_path_factory):
    """The sweep of GRID on this machine: its folder, and how many were done when it told."""
    folder, told = tmp_path_factory.mktemp("sweep"), []
    run_sweep(people, GRID, folder, on_cell=lambda ended, _: told.append(ended))
    return folder, told


# --------------------------------------------------------------------------- the grid


def test_every_value_with_every_other_and_each_once():
    grid = Grid(lambdas=(10, 100, 10), seeds=(0, 1), folds=3, variants=("contrastive",))
    cells = grid.cells()
    assert len(cells) == len(set(cells)) == 2 * 2 * 3
    assert [cell.fold for cell in cells[:2]] == [0, 0], "all λ of a fold before the next fold"


def test_presets_are_for_the_variants_that_have_them():
    every = ("contrastive", "conditional", "total-correlation")
    usual = Grid(variants=every, lambdas=(10, 100), folds=2).cells()
    assert {(cell.variant, cell.config.preset) for cell in usual} == {
        ("contrastive", "calibrated"),
        ("conditional", "paper"),
        ("total-correlation", "paper"),
    }
    both = Grid(variants=every, presets=("paper", "calibrated"), folds=2).cells()
    assert len(both) == 2 * 4
    weights = [cell.config.mmd_weight for cell in usual if cell.variant == "conditional"]
    assert weights == [0, 0], "a conditional VAE has no λ: once a fold"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"lambdas": ()}, "lambdas is empty"),
        ({"lambdas": (-1,)}, "lambda is -1"),
        ({"folds": 1}, "folds is 1; accepted: 2 to 20"),
        ({"variants": ("gan",)}, "variant is 'gan'"),
        ({"variants": ("conditional",), "presets": ("calibrated",)}, "accepted for conditional"),
        ({"presets": ("best",)}, "preset is 'best'"),
        ({"latent": 0}, "latent is 0"),
        ({"lambdas": tuple(range(300)), "seeds": tuple(range(50))}, "45,000 trainings; accepted"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        Grid(**settings)


# --------------------------------------------------------------------------- a cell


def test_nobody_is_measured_on_who_was_learned_from_and_everyone_once(people):
    tested = []
    for cell in Grid(folds=3, cohorts=AD).cells():
        split, _ = part(cell, people)
        ids = [set(one.subjects["subject_id"]) for one in (split.train, split.validation)]
        tested += list(split.test.subjects["subject_id"])
        assert not set().union(*ids) & set(split.test.subjects["subject_id"])
    assert sorted(tested) == sorted(people.subjects["subject_id"])


def test_a_simulation_is_parted_with_its_true_twins():
    simulated = simulate(78, 1)
    split, parted = part(Grid(cohorts=(Cohorts(("CN",), ("patient",)),)).cells()[0], simulated)
    for name in SPLITS:
        cohort = getattr(split, name)
        ids = set(cohort.subjects["subject_id"])
        ill = cohort.subjects["diagnosis"] == "patient"
        assert (
            set(parted.background[name].subjects["subject_id"])
            | set(parted.target[name].subjects["subject_id"])
            == ids
        )
        assert set(parted.truth[name].subjects["subject_id"]) == set(
            cohort.subjects["subject_id"][ill]
        )


def test_all_settings_have_the_same_people_in_the_same_parts(people):
    parts = [part(cell, people)[0] for cell in GRID.cells() if cell.fold == 1]
    ids = [[list(one.subjects["subject_id"]) for one in (s.train, s.validation)] for s in parts]
    assert all(one == ids[0] for one in ids)


def test_a_cell_says_what_evaluate_says_of_the_same_model(people):
    cell = GRID.cells()[0]
    split, _ = part(cell, people)
    model = train(split, cell.config, cell.latent, variant=cell.variant)
    # Beside another fold's, as it is in a sweep of many.
    rows, _ = run_cells([cell, GRID.cells()[-1]], people)
    values = {(metric, group): value for metric, group, value, _ in rows}
    figures = {f.metric: f.value for f in evaluate_cohort(model, split.test)}
    assert values["common_auc", "AD against CN"] == figures["common z, AUC (leakage)"]
    assert values["salient_auc", "AD against CN"] == figures["salient s, AUC"]
    for key, estimate in cohort_fidelity(model, split.train, split.test).items():
        told = {metric: (value, other) for metric, _, value, other in rows}
        assert told[key] == (estimate.value, estimate.reference)
    ratio = values["w2_target", "all"] / told["w2_target"][1]
    assert told["w2_target_ratio"] == pytest.approx((ratio, 1.0))
    assert {key for key, _ in values} <= set(MEASURED)


# --------------------------------------------------------------------------- the sweep


def test_a_row_a_cell_and_metric_and_a_mean_over_seeds_and_folds(swept):
    folder, told = swept
    runs, summary = read_runs(folder), pd.read_csv(folder / "summary.csv")
    assert tuple(runs.columns) == RUN_COLUMNS
    assert told == list(range(9))
    assert len(done(runs, GRID.cells())) == 8
    mine = runs[(runs["metric"] == "w2_target") & (runs["lambda"] == 10)]["value"]
    row = summary[(summary["metric"] == "w2_target") & (summary["lambda"] == 10)].iloc[0]
    assert row["runs"] == len(mine) == 4
    assert row["mean"] == pytest.approx(mine.mean())
    assert row["sd"] == pytest.approx(mine.std())
    assert row["high"] - row["mean"] == pytest.approx(3.182 * mine.std() / 2, rel=1e-3)
    assert row["mean"] - row["low"] == pytest.approx(row["high"] - row["mean"])
    references = runs[(runs["metric"] == "w2_target") & (runs["lambda"] == 10)]["reference"]
    assert row["reference"] == pytest.approx(references.mean())
    assert set(runs["fold"]) == {1, 2}
    assert (set(runs["background"]), set(runs["target"])) == ({"CN"}, {"AD"})
    assert GRID.cells()[0].name == "contrastive, calibrated, λ 10, seed 0, fold 1 of 2"


def test_one_run_has_a_mean_and_no_interval(swept):
    runs = read_runs(swept[0])
    assert np.isnan(summarize(runs[runs["seed"] == runs["seed"][0]].head(1))["low"]).all()


def test_stopped_it_keeps_what_is_done_and_goes_on_from_there(swept, people, tmp_path):
    whole, told = swept[0] / "runs.csv", []

    def note(ended: int, _: int) -> None:
        told.append(ended)

    run_sweep(people, GRID, tmp_path, on_cell=note, stopped=lambda: 3 in told)
    kept = len(done(read_runs(tmp_path), GRID.cells()))
    assert 3 <= kept < 8
    told.clear()
    run_sweep(people, GRID, tmp_path, on_cell=note)
    assert told == list(range(kept, 9))
    assert (tmp_path / "runs.csv").read_bytes() == whole.read_bytes()
    run_sweep(people, GRID, tmp_path, scheduler="tcp://not.asked:1")


def test_runs_of_other_people_are_not_taken_for_these(swept):
    with pytest.raises(DataError, match="has runs of other people; accepted: another folder"):
        run_sweep(make_cohort(healthy=40, diseased=30, seed=9), GRID, swept[0])


def test_an_output_that_cannot_be_written_is_refused_before_anything_runs(people, table, tmp_path):
    for place in (table, table / "below"):
        with pytest.raises(DataError, match="cannot be written; accepted: a folder"):
            run_sweep(people, GRID, place, on_cell=lambda *_: pytest.fail("it ran"))


def test_too_few_people_are_refused_before_anything_runs(people, tmp_path):
    with pytest.raises(DataError, match="30 people labelled AD; 7 folds need at least 35"):
        run_sweep(people, Grid(folds=7, cohorts=AD), tmp_path / "new")
    assert not (tmp_path / "new").exists()


# --------------------------------------------------------------------------- a cluster


@pytest.fixture(scope="module")
def cluster():
    """A dask scheduler and two workers, started as one does from the command line."""
    pytest.importorskip("distributed")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{found.getsockname()[1]}"
    scheduler = ["scheduler", "--host", address, "--no-dashboard"]
    worker = ["worker", address, "--no-nanny", "--no-dashboard", "--nthreads"]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for words in (scheduler, [*worker, "1"], [*worker, "2"])
    ]
    yield address, started[1:]
    for process in reversed(started):
        process.kill()
        process.wait()


def test_a_cluster_gives_the_same_to_the_last_bit_though_a_worker_is_killed(
    swept, people, cluster, tmp_path
):
    address, workers = cluster
    here = (swept[0] / "runs.csv").read_bytes()
    run_sweep(people, GRID, tmp_path / "both", address)
    assert (tmp_path / "both" / "runs.csv").read_bytes() == here

    def kill_one(ended: int, _: int) -> None:
        if ended == 1:
            time.sleep(0.2)  # Both are at work on the next ones.
            workers[0].send_signal(signal.SIGKILL)

    run_sweep(people, GRID, tmp_path / "one", address, kill_one)
    assert workers[0].wait() == -signal.SIGKILL
    assert (tmp_path / "one" / "runs.csv").read_bytes() == here


# --------------------------------------------------------------------------- the command


@pytest.fixture
def table(people, tmp_path):
    path = tmp_path / "people.csv"
    write_cohort(people, path)
    return path


def command(*words):
    return [sys.executable, "-m", "cavae", "sweep", *map(str, words)]


def test_the_command_sweeps_a_simulation_with_what_is_known_of_it(tmp_path, monkeypatch, capsys):
    save_simulation(130, 1, tmp_path / "data")
    words = ["--data", tmp_path / "data", "--output", tmp_path / "out", "--folds", 2, "--epochs", 2]
    monkeypatch.setattr(sys, "argv", ["cavae", "sweep", *map(str, words), "--json"])
    assert commands.main() == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["trainings"], told["done"]) == (2, 2)
    found = {row["metric"] for row in told["summary"]}
    assert found >= {"effect_r", "effect_slope", "completeness", "common_auc", "salient_auc"}
    assert found <= set(MEASURED)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--lambdas", "10,x"], "lambdas is '10,x'; accepted: numbers, by comma."),
        (["--seeds", "0.5"], "seeds is '0.5'; accepted: whole numbers, by comma."),
        (["--folds", "1"], "folds is 1"),
        (["--target", "PD"], "0 people labelled PD"),
        (["--data", "here"], "Give either --volumes or --data."),
        (["--scheduler", "here"], "accepted: local, or tcp://HOST:PORT"),
    ],
)
def test_bad_input_is_one_line_status_2_and_no_folder(
    table, tmp_path, words, said, monkeypatch, capsys
):
    given = ["--volumes", table, "--target", "AD", "--output", tmp_path / "out", *words]
    monkeypatch.setattr(sys, "argv", ["cavae", "sweep", *map(str, given)])
    assert commands.main() == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err.startswith("Error: ")
    assert captured.err.count("\n") == 1
    assert said in captured.err
    assert not (tmp_path / "out").exists()


def heed_ctrl_c() -> None:
    """As a terminal starts a command: whoever runs the tests in the background has it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def works_in(group: int) -> bool:
    """Whether a process of the group still runs; one that nobody has asked after yet does not."""
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False


def wait_until_gone(group, seconds=30):
    end = time.monotonic() + seconds
    while works_in(group):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_ctrl_c_says_what_is_kept_and_leaves_no_process(table, tmp_path):
    weights = ",".join(map(str, range(1, 41)))  # Many, so that most are left when it is told.
    words = ["--volumes", table, "--target", "AD", "--folds", 2, "--lambdas", weights]
    process = subprocess.Popen(
        command(*words, "--epochs", 40, "--output", tmp_path / "out"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
    )
    while not (tmp_path / "out" / "summary.csv").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it, to workers too
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert " of 80 trainings are kept in " in said
    assert said.count("\n") == 2
    assert "Traceback" not in said
    wait_until_gone(process.pid)
    kept = read_runs(tmp_path / "out")
    assert f"Stopped. {kept[['seed', 'fold', 'lambda']].drop_duplicates().shape[0]} of" in said
