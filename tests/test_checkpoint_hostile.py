"""A model folder made to harm: each is refused by one sentence before it costs memory, or tamed."""

import json
import shutil
import struct
import time
import tracemalloc

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from cavae.checkpoint import PRETRAINED, WORD_JOINER, load_model, model_card
from cavae.errors import CheckpointError

WEIGHTS, PREPROCESSOR, CONFIG = "weights.safetensors", "preprocessor.json", "config.json"
P, D = 8, 5  # features and latent dimensions of the tiny model


@pytest.fixture
def folder(tiny_model_folder, tmp_path):
    return shutil.copytree(tiny_model_folder, tmp_path / "copy")


def refusal(folder) -> str:
    """The one sentence with which the folder is refused, quickly and without much memory."""
    load_model(PRETRAINED / "ad-mci")  # What is imported at first use does not count.
    tracemalloc.start()
    began = time.monotonic()
    try:
        with pytest.raises(CheckpointError) as caught:
            load_model(folder)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 60e6, "memory was taken before the refusal"
    assert time.monotonic() - began < 5
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    return text


# --------------------------------------------------------------------------- weights


def tensor_file(header: dict | bytes, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def declared(shape, begin, end, kind="F32"):
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    "content",
    {
        "nothing": b"",
        "header of 2^63": tensor_file(b"{}", length=2**63),
        "header longer than the file": tensor_file(b"{}", length=100),
        "header of 10 MB": tensor_file(b'{"a":"' + b" " * 10_000_000 + b'"}'),
        "overlapping offsets": tensor_file(
            {"a": declared([4], 0, 16), "b": declared([4], 8, 24)}, bytes(24)
        ),
        "offsets beyond the file": tensor_file({"a": declared([4], 0, 16)}, bytes(4)),
        "negative offsets": tensor_file({"a": declared([4], -16, 0)}, bytes(16)),
        "shape that overflows": tensor_file({"a": declared([2**62, 2**62], 0, 16)}, bytes(16)),
        "shape of more than the bytes": tensor_file({"a": declared([10**9], 0, 16)}, bytes(16)),
        "unknown type": tensor_file({"a": declared([4], 0, 16, "PICKLE")}, bytes(16)),
        "header nested 100,000 deep": tensor_file(b"[" * 100_000),
        "bytes that nobody declared": tensor_file({"a": declared([4], 0, 16)}, bytes(64)),
        "no tensors": tensor_file(b"{}"),
    }.items(),
    ids=lambda one: one[0],
)
def test_lying_headers_are_refused(folder, content):
    (folder / WEIGHTS).write_bytes(content[1])
    assert WEIGHTS in refusal(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.pop("decoder.0.weight"), "lacks tensor 'decoder.0.weight'"),
        (lambda t: t.update(extra=torch.zeros(2)), "holds the unknown tensor 'extra'"),
        (lambda t: t.update({"decoder.0.bias": torch.zeros(3)}), "has shape (3,)"),
        (lambda t: t.update({"decoder.0.bias": torch.zeros(128).half()}), "of type F16"),
        (lambda t: t["decoder.0.bias"].fill_(torch.nan), "not finite"),
        (lambda t: t["decoder.0.bias"].fill_(-torch.inf), "not finite"),
        (lambda t: t["decoder.0.bias"].fill_(1e30), "accepted are weights up to 1,000,000"),
        (lambda t: t["decoder.0.bias"].fill_(2e6), "accepted are weights up to 1,000,000 in size"),
        (lambda t: t["common_encoder.2.bias"].fill_(9e5), "beyond all measure"),
    ],
)
def test_weights_that_cannot_be_are_refused(folder, change, said):
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS)
    assert said in refusal(folder)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("covariance", -np.eye(P), "covariance is no covariance"),
        ("covariance", np.triu(np.ones((P, P))), "covariance is no covariance"),
        ("covariance", np.zeros((P, P)), "no variance at all"),
        ("covariance", np.ones((P, P)), "covariance is no covariance"),
        ("residual", -np.eye(P), "residual is no covariance"),
        ("healthy_covariance", np.diag([1.0, 1, 1, 1, -1e-3]), "no covariance"),
        ("weights", np.array([-0.5]), "no probabilities"),
        ("weights", np.array([0.4]), "no probabilities"),
        ("weights", np.array([]), "has shape"),
        ("effects", np.zeros((1, P + 1)), "has shape"),
        ("means", np.zeros((1, D + 1)), "has shape"),
        ("spread", np.array(-1.0), "below 0"),
        ("reliability", np.array([1.5]), "above 1"),
        ("effects", np.full((1, P), 1e15), "beyond"),
        ("mean", np.full(P, np.nan), "not finite"),
        ("surprise", np.zeros(3), "surprise is unknown"),
        ("mean", None, "lacks the calibration's 'mean'"),
    ],
)
def test_calibrations_that_cannot_be_are_refused(folder, name, values, said):
    tensors = load_file(folder / WEIGHTS)
    tensors.pop(f"calibration.{name}", None)
    if values is not None:
        tensors[f"calibration.{name}"] = torch.tensor(values)
    save_file(tensors, folder / WEIGHTS)
    assert said in refusal(folder)


def test_a_chance_below_zero_is_refused_though_all_sum_to_one(three_subtypes_folder, tmp_path):
    folder = shutil.copytree(three_subtypes_folder, tmp_path / "copy")
    tensors = load_file(folder / WEIGHTS)
    tensors["calibration.weights"] = torch.tensor([1.2, -0.1, -0.1], dtype=torch.float64)
    save_file(tensors, folder / WEIGHTS)
    assert "no probabilities" in refusal(folder)


def test_a_calibration_of_other_dimensions_is_refused(folder):
    tensors = load_file(folder / WEIGHTS)
    for name in ("common_mean", "means", "healthy_mean"):
        tensors[f"calibration.{name}"] = tensors[f"calibration.{name}"][..., :3].contiguous()
    for name in ("common_covariance", "covariances", "healthy_covariance"):
        tensors[f"calibration.{name}"] = tensors[f"calibration.{name}"][..., :3, :3].contiguous()
    save_file(tensors, folder / WEIGHTS)
    assert "of 3 latent dimensions" in refusal(folder)


# --------------------------------------------------------------------------- JSON


def change_json(path, keys, value):
    """Put a value at a place in a JSON file."""
    content = json.loads(path.read_text())
    *way, last = keys
    place = content
    for key in way:
        place = place[key]
    place[last] = value
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("latent", 10**9),
        ("hidden", 10**9),
        pytest.param("hidden", 10**400, id="hidden-long"),
        ("hidden", 128.0),
        ("latent", True),
        ("features", [f"f{i}" for i in range(100_000)]),
        ("features", "47"),
        ("features", [["47"], ["48"]]),
        ("features", ["47", "x" * 10_000]),
        ("variant", "__import__('os')"),
        ("variant", ["contrastive"]),
    ],
)
def test_absurd_settings_are_refused_before_memory_is_taken(folder, setting, value):
    change_json(folder / CONFIG, ["model", setting], value)
    assert "accepted" in refusal(folder)


@pytest.mark.parametrize("part", ["model", "training"])
@pytest.mark.parametrize("settings", [[], None, "x", 1])
def test_settings_that_are_none_are_refused(folder, part, settings):
    change_json(folder / CONFIG, [part], settings)
    assert "accepted: an object" in refusal(folder)


@pytest.mark.parametrize(
    ("variant", "training"),
    [
        ("conditional", {}),
        ("total-correlation", {"calibrate": False}),
        ("conditional", {"calibrate": False, "salient_silence": 0.0, "input_noise": 0.0}),
    ],
)
def test_a_variant_that_the_rest_does_not_go_with_is_refused(folder, variant, training):
    change_json(folder / CONFIG, ["model", "variant"], variant)
    for setting, value in training.items():
        change_json(folder / CONFIG, ["training", setting], value)
    said = refusal(folder)
    assert "accepted" in said or "does not fit config.json" in said


def test_many_features_times_many_units_are_refused(folder):
    change_json(folder / CONFIG, ["model", "features"], [f"f{i}" for i in range(5000)])
    change_json(folder / CONFIG, ["model", "hidden"], 4096)
    assert "accepted: up to 400 for 5,000 features" in refusal(folder)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("epochs", "5"), ("seed", 1.5), ("background", "CN"), ("betas", [0.5]), ("target", [[]])],
)
def test_settings_of_training_of_another_kind_are_refused(folder, setting, value):
    change_json(folder / CONFIG, ["training", setting], value)
    assert "config.json" in refusal(folder)


@pytest.mark.parametrize(
    "facts",
    [
        [],
        "good",
        {"trained_on": 3},
        {"measured_on": "x" * 10_000},
        {"people": [1]},
        {"people": {"all": -1}},
        {"people": {"all": True}},
        {"figures": "0.9"},
        {"figures": [0.9]},
        {"figures": [{"metric": "a", "group": "b"}]},
        {"figures": [{"metric": "a", "group": "b", "value": "0.9"}]},
        {"figures": [{"metric": "a", "group": "b", "value": 10**400}]},
        {"figures": [{"metric": ["a"], "group": "b", "value": 1}]},
        {"figures": [{"metric": "a", "group": "b", "value": 1, "reference": None}]},
    ],
    ids=lambda facts: repr(facts)[:60],
)
def test_what_a_model_says_of_itself_is_checked(folder, facts):
    change_json(folder / CONFIG, ["facts"], facts)
    assert "facts" in refusal(folder)


@pytest.mark.parametrize("file", [CONFIG, PREPROCESSOR])
@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000 + "]" * 10_000,
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        '{"model": NaN}',
        '{"model": -Infinity}',
        '{"model": 1e999}',
        '{"model": ' + "1" * 100_000 + "}",
        "[]",
        "",
        "\ufeff{}",
        '{"model": "\\ud800"}',
    ],
    ids=[
        *("deep list", "deep object", "NaN", "infinity", "1e999", "long", "list", "empty", "BOM"),
        "half a character",
    ],
)
def test_json_that_is_none_is_refused(folder, file, text):
    (folder / file).write_text(text)
    assert file in refusal(folder)


def test_a_gigabyte_of_json_is_refused_unread(folder):
    with (folder / CONFIG).open("wb") as stream:
        stream.truncate(10**9)
    assert "config.json is larger than 5 MB" in refusal(folder)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (["sd"], [1.0]),
        (["sd"], [0.0] * P),
        (["sd"], [-1.0] * P),
        (["sd"], ["1"] * P),
        (["sd"], [True] * P),
        (["sd"], [True] + [1.0] * (P - 1)),
        (["linear", "intercept"], [-(2**63)] * P),
        (["sd"], 1.0),
        (["sd"], [10**30] * P),
        (["features"], "47"),
        (["features"], [47] * P),
        (["covariates"], ["age", "sex", "password"]),
        (["covariates"], ["age", "age", "icv"]),
        (["age_range"], [80, 40]),
        (["age_range"], [40]),
        (["age_range"], ["a", "b"]),
        (["linear"], None),
        (["linear", "intercept"], [[1.0] * P]),
        (["linear", "coefficients"], [[1.0] * P] * 2 + [[1.0]]),
        (["harmonizer", "scale"], [[-1.0] * P] * 2),
        (["harmonizer", "pooled_sd"], [0.0] * P),
        (["harmonizer", "location"], [[0.0] * P]),
        (["harmonizer", "coefficients"], [[0.0] * P] * 3),
        (["harmonizer", "knots"], [50.0] * 9),
        (["harmonizer", "knots"], list(range(9))),
        (["harmonizer", "knots"], []),
        (["icv", "error"], -1),
        (["icv", "model", "intercept"], [1.0, 2.0]),
        (["icv", "model", "coefficients"], [[1.0]]),
        (["populations"], {}),
        (["populations", "target", "female"], 2),
        (["populations", "target", "ages"], []),
        (["populations", "target", "ages"], [80, 70]),
        (["populations", "target", "ages"], [-5, 70]),
        (["age_range"], [40, 1000]),
        (["populations", "target", "icv", "F"], [1e6, -1]),
    ],
)
def test_preprocessing_that_cannot_be_is_refused(folder, keys, value):
    change_json(folder / PREPROCESSOR, keys, value)
    assert PREPROCESSOR in refusal(folder)


# --------------------------------------------------------------------------- card


def test_a_card_is_text_whatever_stands_in_it(folder):
    (folder / "card.md").write_text(
        "# Card\n<script>alert(1)</script> ![x](http://evil.example/x.png)\n"
        "![y][ref] \\![z](http://evil.example/z.png) [click](javascript:alert(1))\n"
        "<javascript:alert(1)> \\\\[a](//b) $\\href{javascript:x}{y}$ :red[x]\n\n"
        "[ref]: http://evil.example/y.png\n"
    )
    from markdown_it import MarkdownIt

    for card in (model_card(folder), load_model(folder).card):
        tokens = MarkdownIt("commonmark", {"html": True}).parse(card)
        kinds = {token.type for one in tokens for token in (one, *(one.children or ()))}
        assert not kinds & {"image", "link_open", "html_block", "html_inline"}, kinds
        assert "heading_open" in kinds, "what a card is made of stays"
        shown = "".join(c.content for t in tokens for c in t.children or () if c.type == "text")
        shown = shown.replace(WORD_JOINER, "")  # which has no picture
        assert "![x](http://evil.example/x.png)" in shown, "it is shown as the text that it is"


def test_an_address_in_a_card_is_no_link(folder):
    """Streamlit makes links of bare addresses, which Markdown does not."""
    (folder / "card.md").write_text("See https://evil.example, www.evil.example, me@evil.example.")
    card = model_card(folder)
    assert card.replace(WORD_JOINER, "") == (folder / "card.md").read_text()
    assert not [one for one in ("https:", "www.", "me@") if one in card]


@pytest.mark.parametrize("file", [CONFIG, PREPROCESSOR, WEIGHTS, "card.md"])
def test_a_file_that_leads_elsewhere_is_refused(folder, tmp_path, file):
    """Else a card could show, and a report give away, what only its reader may see."""
    (folder / file).rename(tmp_path / "elsewhere")
    (folder / file).symlink_to(tmp_path / "elsewhere")
    assert f"{file} in model folder 'copy' is a link" in refusal(folder)


def test_a_card_of_a_gigabyte_is_refused_unread(folder):
    with (folder / "card.md").open("wb") as stream:
        stream.truncate(10**9)
    assert "card.md is larger than 0.1 MB" in refusal(folder)


@pytest.mark.parametrize("path", sorted(PRETRAINED.glob("*/card.md")), ids=lambda p: p.parent.name)
def test_the_cards_in_the_box_lose_nothing(path):
    assert model_card(path.parent) == path.read_text(encoding="utf-8")
