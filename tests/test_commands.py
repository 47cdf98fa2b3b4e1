"""The command line as CONTRACT has it: what scripts and clusters rely on."""

import io
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cavae import __main__ as commands
from cavae.cohort import read_cohort, template_csv
from tests.conftest import ROOT
from tests.people import FEATURES, make_cohort, write_cohort


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "people.csv"
    write_cohort(make_cohort(seed=5), path)
    return path


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command in this process: exit status, standard output, standard error."""

    def run_command(*words):
        monkeypatch.setattr(sys, "argv", ["cavae", *map(str, words)])
        status = commands.main()
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run_command


def test_check_answers_with_the_keys_of_the_contract(run, tmp_path):
    path = tmp_path / "template.csv"
    path.write_text(template_csv())
    status, out, err = run("check", "--volumes", path, "--json")
    answer = json.loads(out)
    assert status == 0
    assert not err
    assert answer.keys() >= {"subjects", "rois", "columns", "diagnoses", "problems", "usable"}
    assert set(answer["columns"]) == {"id", "age", "sex", "icv", "diagnosis", "site"}
    assert (answer["subjects"], answer["rois"], answer["usable"]) == (1, 139, 1)


def test_check_says_in_words_what_it_found(run, tmp_path):
    cohort = make_cohort(seed=5)
    ages = cohort.subjects["age"].mask(cohort.subjects.index == 3, 300)
    path = tmp_path / "people.csv"
    write_cohort(replace(cohort, subjects=cohort.subjects.assign(age=ages)), path)
    _, out, _ = run("check", "--volumes", path)
    lines = out.splitlines()
    assert lines[0] == "100 people, 99 usable; 8 of 139 ROIs."
    assert {"  id: subject_id", "  age: age", "  CN: 60", "  AD: 40"} <= set(lines)
    assert any(line.startswith('Problem: Row 5, column "age": "300.0"') for line in lines)


def test_a_table_cannot_steer_the_terminal(run, tmp_path):
    table = pd.read_csv(io.StringIO(template_csv())).assign(diagnosis="\x1b]0;x\x07A\x9b31mD\u202e")
    path = tmp_path / "table.csv"
    table.rename(columns={"site": "\x1b]0;y\x07site"}).to_csv(path, index=False)
    _, out, _ = run("check", "--volumes", path)
    assert "  �]0;x�A�31mD�: 1\n" in out
    assert out.replace("\n", "").isprintable()


def test_models_lists_what_each_was_trained_on(run):
    status, out, _ = run("models", "--json")
    assert status == 0
    for model in json.loads(out):
        assert model.keys() == {"name", "variant", "rois", "background", "target", "trained_on"}
    _, out, _ = run("models")
    assert "ad-mci: contrastive, 139 features, CN against MCI/AD; " in out


def test_train_then_encode_then_counterfactual(run, table, tmp_path):
    model = tmp_path / "model"
    status, out, _ = run(
        "train", "--volumes", table, "--target", "AD", "--output", model, "--epochs", 5, "--seed", 1
    )
    assert status == 0
    assert str(model) in out
    assert {p.name for p in model.iterdir()} == {
        "config.json",
        "weights.safetensors",
        "preprocessor.json",
        "card.md",
    }
    latents = tmp_path / "latents.csv"
    assert run("encode", "--model", model, "--volumes", table, "--output", latents)[0] == 0
    assert list(pd.read_csv(latents).columns) == [
        "subject_id",
        "diagnosis",
        *(f"common_{i}" for i in range(1, 6)),
        *(f"salient_{i}" for i in range(1, 6)),
    ]


def test_a_conditional_vae_by_command(run, table, tmp_path):
    model, latents = tmp_path / "model", tmp_path / "latents.csv"
    words = ["--volumes", table, "--target", "AD", "--epochs", 2, "--variant", "conditional"]
    assert run("train", *words, "--output", model)[0] == 0
    assert run("encode", "--model", model, "--volumes", table, "--output", latents)[0] == 0
    salient = pd.read_csv(latents).filter(like="salient_")
    assert list(salient.columns) == ["salient_1"]
    assert (salient == 1).all().all()


def test_labels_may_be_given_as_the_table_has_them(run, tmp_path):
    cohort = make_cohort(seed=5)
    written = cohort.subjects["diagnosis"].map({"CN": "HC", "AD": "Dementia"})
    path = tmp_path / "people.csv"
    write_cohort(replace(cohort, subjects=cohort.subjects.assign(diagnosis=written)), path)
    words = ["--background", "HC", "--target", "Dementia", "--epochs", 2]
    assert run("train", "--volumes", path, "--output", tmp_path / "model", *words)[0] == 0


def test_the_same_seed_gives_the_same_model_by_command(run, table, tmp_path):
    words = ["train", "--volumes", table, "--target", "AD", "--epochs", 3, "--output"]
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        run(*words, folder)
    weights = [(folder / "weights.safetensors").read_bytes() for folder in (one, other)]
    assert weights[0] == weights[1]


def test_counterfactual_columns_and_their_arithmetic(run, table, tiny_model_folder, tmp_path):
    output = tmp_path / "twins.parquet"
    words = ["--model", tiny_model_folder, "--volumes", table, "--output", output]
    assert run("counterfactual", *words, "--standardized")[0] == 0
    twins = pd.read_parquet(output)
    assert list(twins.columns[:4]) == ["subject_id", "diagnosis", "mad", "effect_mad"]
    effect = twins.filter(regex=r"^effect_\d+$")
    assert effect.shape[1] == twins.filter(like="healthy_").shape[1] == 8
    np.testing.assert_allclose(effect.abs().mean(axis=1), twins["effect_mad"])
    assert twins.filter(like="observed_").shape[1] == 8


def test_twins_by_command_are_those_of_the_core(
    run, table, tiny_model, tiny_model_folder, tmp_path
):
    from cavae.cohort import read_cohort
    from cavae.synthesis import encode, healthy_twins

    output = tmp_path / "twins.csv"
    words = ["--model", tiny_model_folder, "--volumes", table, "--output", output]
    run("counterfactual", *words, "--twin", "paper")
    expected = healthy_twins(tiny_model, encode(tiny_model, read_cohort(table).cohort), "paper")
    pd.testing.assert_frame_equal(pd.read_csv(output), expected.table())


def test_intervals_stand_around_the_effects_and_only_on_demand(
    run, table, tiny_model_folder, tmp_path
):
    words = ["counterfactual", "--model", tiny_model_folder, "--volumes", table, "--output"]
    assert run(*words, tmp_path / "plain.csv")[0] == 0
    assert run(*words, tmp_path / "wide.csv", "--intervals")[0] == 0
    plain, wide = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("plain", "wide"))
    pd.testing.assert_frame_equal(wide[list(plain)], plain)
    assert set(wide) - set(plain) == {
        f"{end}_{name}" for end in ("low", "high") for name in FEATURES
    }
    for name in FEATURES:
        assert (wide[f"low_{name}"] <= wide[f"effect_{name}"]).all()
        assert (wide[f"effect_{name}"] <= wide[f"high_{name}"]).all()


def test_subtypes_lists_what_a_model_found(run, tiny_model_folder):
    status, out, err = run("subtypes", "--model", tiny_model_folder, "--json")
    told = json.loads(out)
    assert status == 0
    assert not err
    assert [one["number"] for one in told["subtypes"]] == [1]
    assert told["subtypes"][0].keys() == {"number", "name", "share", "regions"}
    assert list(told["criterion"]) == ["1"]
    status, out, _ = run("subtypes", "--model", tiny_model_folder)
    assert told["subtypes"][0]["name"] in out


def test_subtypes_writes_to_which_people_belong(run, table, tiny_model_folder, tmp_path):
    output = tmp_path / "memberships.csv"
    words = ["--model", tiny_model_folder, "--volumes", table, "--output", output]
    assert run("subtypes", *words)[0] == 0
    told = pd.read_csv(output, dtype={"subtype": str})
    assert list(told) == ["subject_id", "diagnosis", "subtype", "chance_none", "chance_1"]
    assert set(told["subtype"]) == {"1", "none"}
    np.testing.assert_allclose(told["chance_none"] + told["chance_1"], 1)


def test_a_model_of_the_paper_has_neither_intervals_nor_subtypes(run, table, tmp_path):
    model, output = tmp_path / "model", tmp_path / "out.csv"
    words = ["--target", "AD", "--epochs", 2, "--preset", "paper", "--output", model]
    assert run("train", "--volumes", table, *words)[0] == 0
    words = ["--model", model, "--volumes", table, "--output", output]
    for command in (["counterfactual", "--intervals"], ["subtypes"]):
        status, out, err = run(*command, *words)
        assert status == 2
        assert not out
        assert "accepted: a calibrated model" in err
        assert not output.exists()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_sample_writes_two_rows_a_pair(run, tiny_model_folder, tmp_path, suffix):
    output = tmp_path / f"pairs{suffix}"
    words = ["--model", tiny_model_folder, "--pairs", 25, "--seed", 2, "--output", output]
    assert run("sample", *words, "--age", 71, "--sex", "F")[0] == 0
    pairs = pd.read_csv(output) if suffix == ".csv" else pd.read_parquet(output)
    assert len(pairs) == 50
    assert list(pairs.columns[:7]) == ["pair_id", "group", "subtype", "age", "sex", "icv", "31"]
    assert set(pairs["group"]) == {"background", "target"}
    assert set(pairs["age"]) == {71}


def test_an_age_that_the_model_has_not_learned_is_said(
    run, tiny_model, tiny_model_folder, tmp_path
):
    low, high = tiny_model.preprocessor.age_range
    words = ["--model", tiny_model_folder, "--pairs", 2, "--output", tmp_path / "pairs.csv"]
    assert run("sample", *words, "--age", low)[2] == ""
    told = f"Age 95 is outside the ages the model learned from ({low:g} to {high:g} years).\n"
    assert run("sample", *words, "--age", 95)[2] == told


def test_how_many_were_left_out_is_said_beside_the_result(run, tiny_model_folder, tmp_path):
    cohort = make_cohort(seed=5)
    path, output = tmp_path / "people.csv", tmp_path / "latents.csv"
    sexes = cohort.subjects["sex"].mask(cohort.subjects.index < 3, "?")
    write_cohort(replace(cohort, subjects=cohort.subjects.assign(sex=sexes)), path)
    words = ["--model", tiny_model_folder, "--volumes", path, "--output", output]
    _, _, err = run("encode", *words)
    assert "3 of 100 people left out; `check` lists the problems." in err
    assert len(pd.read_csv(output)) == 97


BAD = {
    "a file that is not there": ["check", "--volumes", "nowhere.csv"],
    "an option that is missing": ["check"],
    "an option nobody knows": ["check", "--volumes", "{table}", "--colour", "red"],
    "a command nobody knows": ["guess"],
    "a number that is none": ["sample", "--pairs", "many", "--output", "{out}.csv"],
    "no pairs at all": ["sample", "--pairs", "0", "--output", "{out}.csv"],
    "a sex that is none": ["sample", "--pairs", "1", "--sex", "X", "--output", "{out}.csv"],
    "a subtype that is not there": [
        *("sample", "--pairs", "1", "--subtype", "9", "--model", "{model}", "--output", "{out}.csv")
    ],
    "a format nobody writes": ["sample", "--pairs", "1", "--output", "{out}.xlsx"],
    "a model that is not there": [
        *("encode", "--model", "nobody", "--volumes", "{table}", "--output", "{out}.csv")
    ],
    "a name that no file can have": [
        *("sample", "--pairs", "1", "--model", "{model}", "--output", "{out}" + 300 * "x" + ".csv")
    ],
    "a model that no folder can be": [
        *("sample", "--pairs", "1", "--model", 5000 * "x", "--output", "{out}.csv")
    ],
    "a twin nobody knows": [
        *("counterfactual", "--model", "{model}", "--volumes", "{table}"),
        *("--twin", "evil", "--output", "{out}.csv"),
    ],
    "memberships of nobody": ["subtypes", "--model", "{model}", "--output", "{out}.csv"],
    "memberships to nowhere": ["subtypes", "--model", "{model}", "--volumes", "{table}"],
    "labels nobody has": ["train", "--volumes", "{table}", "--target", "XX", "--output", "{out}"],
    "a preset nobody knows": [
        *("train", "--volumes", "{table}", "--preset", "best", "--output", "{out}")
    ],
    "a variant nobody knows": [
        *("train", "--volumes", "{table}", "--target", "AD"),
        *("--variant", "gan", "--output", "{out}"),
    ],
    "a preset that is not for the variant": [
        *("train", "--volumes", "{table}", "--target", "AD", "--preset", "calibrated"),
        *("--variant", "conditional", "--output", "{out}"),
    ],
    "an output that is a folder": ["sample", "--pairs", "1", "--output", "{folder}.csv"],
    "an output where nothing can be": ["sample", "--pairs", "1", "--output", "{table}/x.csv"],
    "a model where none can be": [
        *("train", "--volumes", "{table}", "--target", "AD", "--output", "{table}/model")
    ],
    "a negative lambda": [
        *("train", "--volumes", "{table}", "--target", "AD", "--lambda", "-1", "--output", "{out}")
    ],
}


@pytest.mark.parametrize("words", BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_status_2_and_no_file(run, table, tiny_model_folder, tmp_path, words):
    folder = tmp_path / "here"
    folder.mkdir()
    (tmp_path / "folder.csv").mkdir(exist_ok=True)
    places = {"table": table, "model": tiny_model_folder, "out": folder / "out"}
    places["folder"] = tmp_path / "folder"
    status, out, err = run(*(word.format(**places) for word in words))
    lines = [line for line in err.splitlines() if line.startswith("Error: ")]
    assert status == 2
    assert not out
    assert len(lines) == 1
    assert "Traceback" not in err
    assert not list(folder.iterdir())


def test_nothing_that_is_not_a_model_is_ever_replaced(run, table, tmp_path):
    folder = tmp_path / "work"
    (folder / "sub").mkdir(parents=True)
    (folder / "thesis.docx").write_text("years")
    words = ["train", "--volumes", table, "--target", "AD", "--epochs", 1, "--output"]
    for place in (folder, table):
        status, _, err = run(*words, place)
        assert status == 2
        assert "accepted: a new or empty folder, or a model to be replaced" in err
    assert (folder / "thesis.docx").read_text() == "years"
    assert table.read_text().startswith("subject_id")


def test_a_model_is_replaced_by_the_next(run, table, tmp_path):
    words = ["train", "--volumes", table, "--target", "AD", "--epochs", 1, "--output"]
    assert [run(*words, tmp_path / "model", "--seed", seed)[0] for seed in (1, 2)] == [0, 0]


def test_an_output_that_is_the_input_is_refused(run, table, tiny_model_folder):
    before = table.read_bytes()
    words = ["--model", tiny_model_folder, "--volumes", table, "--output", table]
    for command in ("encode", "counterfactual"):
        status, _, err = run(command, *words)
        assert status == 2
        assert "is the input" in err
    assert table.read_bytes() == before


def test_people_of_many_small_sites_can_be_trained_on(run, tmp_path):
    cohort = make_cohort(seed=5)
    sites = [f"site {i % 40}" for i in range(len(cohort))]
    path = tmp_path / "people.csv"
    write_cohort(replace(cohort, subjects=cohort.subjects.assign(site=sites)), path)
    words = ["--target", "AD", "--epochs", 2, "--output", tmp_path / "model"]
    assert run("train", "--volumes", path, *words)[0] == 0


def test_as_a_program_of_its_own():
    done = subprocess.run(
        [sys.executable, "-m", "cavae", "check", "--volumes", "nowhere.csv"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_no_command_writes_a_formula_and_joining_by_id_still_works(
    run, tiny_model_folder, tmp_path
):
    cohort = make_cohort(seed=5)
    ids = "=HYPERLINK(1)" + cohort.subjects["subject_id"]
    subjects = cohort.subjects.assign(subject_id=ids, diagnosis="@SUM(1)")
    write_cohort(replace(cohort, subjects=subjects), tmp_path / "in.csv")
    for command in ("encode", "counterfactual"):
        out = tmp_path / f"{command}.csv"
        words = ("--model", tiny_model_folder, "--volumes", tmp_path / "in.csv", "--output", out)
        assert run(command, *words)[0] == 0
        written = pd.read_csv(out)
        assert written["subject_id"].tolist() == ("'" + ids).tolist()
        assert set(written["diagnosis"]) == {"'@SUM(1)"}
    again = read_cohort(tmp_path / "encode.csv", tmp_path / "in.csv")  # by the ids of both
    assert again.cohort.subjects["subject_id"].tolist() == ids.tolist()
