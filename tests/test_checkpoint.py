"""A model folder gives the same model back, and a damaged one gives a sentence."""

import json
import resource
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from cavae.checkpoint import available_models, find_model, load_model, model_facts, save_model
from cavae.errors import CheckpointError
from cavae.synthesis import encode
from tests.people import make_cohort

FILES = {"config.json", "weights.safetensors", "preprocessor.json", "card.md"}


@pytest.fixture
def folder(tiny_model_folder, tmp_path):
    return shutil.copytree(tiny_model_folder, tmp_path / "copy")


def test_a_folder_holds_four_files_and_no_leftovers(tiny_model_folder):
    assert {path.name for path in tiny_model_folder.iterdir()} == FILES
    assert [path.name for path in tiny_model_folder.parent.iterdir()] == [tiny_model_folder.name]


def test_without_room_a_sentence_says_so_and_the_older_model_stays(folder, tiny_model):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(CheckpointError, match="'copy' cannot be written: File too large"):
            save_model(tiny_model, folder, "another card", {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert [path.name for path in folder.parent.iterdir()] == ["copy"]


def test_loading_gives_the_same_latents_twice(folder):
    cohort = make_cohort()
    one, other = (encode(load_model(folder), cohort) for _ in range(2))
    np.testing.assert_array_equal(one.salient, other.salient)


def test_the_network_is_loaded_for_use_not_for_training(folder):
    assert not load_model(folder).network.training


def test_a_summary_needs_no_weights(folder):
    (folder / "weights.safetensors").unlink()
    (summary,) = available_models(folder.parent)
    assert (summary.name, summary.rois, summary.target) == ("copy", 8, ("AD",))
    assert summary.trained_on


def test_facts_need_no_weights(folder):
    (folder / "weights.safetensors").unlink()
    facts = model_facts(folder)
    assert facts["people"]["training background"] > 0
    with pytest.raises(CheckpointError, match="no model 'nobody'"):
        model_facts("nobody")


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(CheckpointError, match="no model 'nobody'"):
        find_model("nobody")


@pytest.mark.parametrize("name", ["../../etc", "/nowhere", "..", ""])
def test_names_do_not_lead_out_of_the_folder(name):
    with pytest.raises(CheckpointError):
        load_model(name)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=r"config\.json" if name == "config.json" else name):
        load_model(folder)


@pytest.mark.parametrize("name", sorted(FILES - {"card.md"}))
def test_a_garbled_file_is_named(folder, name):
    (folder / name).write_bytes(b"\x00\xffnot what it should be")
    with pytest.raises(CheckpointError, match=name.split(".")[0]):
        load_model(folder)


def test_weights_of_another_shape_are_refused(folder):
    path = folder / "weights.safetensors"
    state = load_file(path)
    save_file({name: t[:1].contiguous() for name, t in state.items() if t.ndim}, path)
    with pytest.raises(CheckpointError, match="does not fit"):
        load_model(folder)


def test_weights_that_are_not_finite_are_refused(folder):
    path = folder / "weights.safetensors"
    state = load_file(path)
    save_file({name: tensor * torch.nan for name, tensor in state.items()}, path)
    with pytest.raises(CheckpointError, match="not finite"):
        load_model(folder)


def test_features_must_agree_between_the_files(folder):
    path = folder / "preprocessor.json"
    content = json.loads(path.read_text())
    content["features"][:2] = reversed(content["features"][:2])
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="different features"):
        load_model(folder)


def test_deeply_nested_json_is_refused(folder):
    (folder / "config.json").write_text("[" * 100_000)
    with pytest.raises(CheckpointError, match="not valid JSON"):
        load_model(folder)
