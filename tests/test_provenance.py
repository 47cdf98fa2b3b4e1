import hashlib
import json
import shlex
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from cavae.checkpoint import DEFAULT_MODEL, PRETRAINED
from cavae.errors import CheckpointError
from cavae.provenance import project_version, sample_command, sample_record
from cavae.synthesis import SampleRequest


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
    assert record["made"] == "2026-01-02T03:04:05+00:00"
    assert record["versions"]["cavae"] == project_version()
    assert record["command"] == sample_command(DEFAULT_MODEL, request, "pairs.csv")
    assert "none of them is a person" in record["note"]


def test_a_model_that_is_not_there_is_named():
    with pytest.raises(CheckpointError, match="no-such-model"):
        sample_record("no-such-model", SampleRequest(1), "pairs.csv")
