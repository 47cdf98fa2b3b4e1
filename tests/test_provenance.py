import hashlib
import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from cavae.checkpoint import DEFAULT_MODEL, PRETRAINED, save_model
from cavae.errors import CheckpointError
from cavae.provenance import NOT_MEASURED, project_version, sample_command, sample_record
from cavae.quality import FACT, measure_quality
from cavae.synthesis import SampleRequest
from tests.people import make_cohort


def test_the_command_leaves_out_what_is_left_open():
    command = sample_command("ad-mci", SampleRequest(1000, seed=3), "pairs.csv")
    assert command == (
        "python -m cavae sample --model ad-mci --pairs 1000 --seed 3 --output pairs.csv"
    )


def test_the_command_has_every_setting_and_no_needless_digits():
    request = SampleRequest(5, 0, age=75.0, sex="F", icv=1_400_000.0, standardized=True)
    words = shlex.split(sample_command("my model", request, "my pairs.parquet"))
    given = dict(pairwise(words))
    assert given["--model"] == "my model"
    assert given["--age"] == "75"
    assert given["--sex"] == "F"
    assert given["--icv"] == "1400000"
    assert given["--output"] == "my pairs.parquet"
    assert "--standardized" in words


def test_the_record_says_which_model_seed_settings_version_and_day_made_the_file():
    request = SampleRequest(10, seed=7, age=70.5)
    made = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    record = json.loads(sample_record(DEFAULT_MODEL, request, "pairs.csv", made))
    weights = (PRETRAINED / DEFAULT_MODEL / "weights.safetensors").read_bytes()
    assert record["model"] == {
        "name": DEFAULT_MODEL,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    assert record["settings"]["seed"] == 7
    assert record["settings"]["age"] == 70.5
    assert record["file"] == "pairs.csv"
    assert record["unit"] == "mm³"
    in_sd = sample_record(DEFAULT_MODEL, replace(request, standardized=True), "pairs.csv", made)
    assert json.loads(in_sd)["unit"] == "SD"
    assert record["made"] == "2026-01-02T03:04:05+00:00"
    assert record["versions"]["cavae"] == project_version()
    assert record["command"] == sample_command(DEFAULT_MODEL, request, "pairs.csv")
    assert "none of them is a person" in record["note"]


def test_a_model_that_is_not_there_is_named():
    with pytest.raises(CheckpointError, match="no-such-model"):
        sample_record("no-such-model", SampleRequest(1), "pairs.csv")


def test_the_record_says_how_useful_and_how_private_the_people_are(tiny_model, tmp_path):
    quality = measure_quality(tiny_model, make_cohort(), make_cohort(seed=1), resamples=5)
    quality = replace(quality, measured_on="Measured on 100 people.", command="cavae train")
    save_model(tiny_model, tmp_path / "model", "a card", {FACT: quality.to_dict()})
    record = json.loads(sample_record(str(tmp_path / "model"), SampleRequest(1), "pairs.csv"))
    told = record["quality"]
    assert (told["measured_on"], told["command"]) == ("Measured on 100 people.", "cavae train")
    assert set(told["figures"]) == set(quality.estimates)
    figure = told["figures"]["tstr_auc"]
    assert figure["value"] == pytest.approx(quality.estimates["tstr_auc"].value, abs=1e-4)
    assert figure["reference"] == pytest.approx(quality.estimates["trtr_auc"].value, abs=1e-4)
    assert figure["low"] <= figure["value"] <= figure["high"]
    assert figure["meaning"].endswith(".")
    assert "unit" not in figure  # What is not known or has no unit is left out.


def test_the_record_of_a_model_that_was_not_measured_says_so(tiny_model_folder):
    record = json.loads(sample_record(str(tiny_model_folder), SampleRequest(1), "pairs.csv"))
    assert record["quality"] == {"measured_on": NOT_MEASURED}
