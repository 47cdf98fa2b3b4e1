"""A model as a folder: config.json, weights.safetensors, preprocessor.json and card.md.

Importing this module is cheap; torch comes in when a model is loaded or saved.
"""

from __future__ import annotations

import json
import math
import os
import re
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cavae.config import ModelConfig, TrainConfig, require_variant
from cavae.errors import CheckpointError, ConfigError
from cavae.fitted import FittedModel

if TYPE_CHECKING:
    from torch import Tensor

    from cavae.calibration import Calibration
    from cavae.model import Network
    from cavae.preprocessing import Preprocessor
    from cavae.training import TrainedModel

PRETRAINED = Path(__file__).resolve().parent.parent / "pretrained"
DEFAULT_MODEL = "ad-mci"
CALIBRATION = "calibration."  # prefix of its arrays among the weights
MODEL_FILES = {"config.json", "weights.safetensors", "preprocessor.json", "card.md"}
MAX_JSON_BYTES = 5_000_000
MAX_CARD_BYTES = 100_000
MAX_WEIGHTS_BYTES = 200_000_000
MAX_HEADER_BYTES = 1_000_000  # what safetensors says of its tensors before their numbers
MAX_WORDS = 1000  # characters of a sentence that a model says of itself
LARGEST_FIGURE = 1e12
LARGEST_WEIGHT = 1e6
LARGEST_OUTPUT = 1e9
# What makes a card more than text: HTML, pictures, links, formulas and Streamlit's directives.
ACTIVE = re.compile(r"([\\\[\]<$])")
# Where what would become a link by itself is interrupted, by an invisible character.
ADDRESS = re.compile(r"https?(?=:)|www(?=\.)|[\w.+-](?=@)", re.IGNORECASE)
WORD_JOINER = "\u2060"


class Description(NamedTuple):
    """What config.json holds: the settings, and what else is known of a model."""

    model: ModelConfig
    training: TrainConfig
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class ModelSummary:
    """What a model is, without loading its weights."""

    name: str
    variant: str
    rois: int
    background: tuple[str, ...]
    target: tuple[str, ...]
    trained_on: str


@dataclass(frozen=True)
class Model(FittedModel):
    """A model from a folder, ready for use."""

    name: str
    card: str
    facts: Mapping[str, Any]
    folder: Path


def available_models(folder: Path = PRETRAINED) -> tuple[ModelSummary, ...]:
    """The models under `folder`, by name; folders that are not models are passed over."""
    found = sorted(path.parent for path in folder.glob("*/config.json"))
    return tuple(_summary(path) for path in found)


def model_card(name_or_folder: str | Path) -> str:
    """The card of a model: Markdown without HTML, pictures and links, whoever wrote it."""
    return _read_card(find_model(name_or_folder))


def model_facts(name_or_folder: str | Path) -> Mapping[str, Any]:
    """What config.json says of a model besides its settings, without loading its weights."""
    return describe_model(name_or_folder).facts


def model_stamp(name_or_folder: str | Path) -> tuple[int, int]:
    """What tells a model from another that lay in its folder before; (0, 0) if there is none."""
    try:
        weights = (find_model(name_or_folder) / "weights.safetensors").stat()
    except (CheckpointError, OSError):
        return 0, 0
    return weights.st_ino, weights.st_mtime_ns


def load_preprocessor(name_or_folder: str | Path) -> Preprocessor:
    """The preprocessing of a model alone, without its weights; raises CheckpointError."""
    from cavae.preprocessing import Preprocessor

    folder = find_model(name_or_folder)
    return Preprocessor.from_dict(_read_json(folder / "preprocessor.json"))


def describe_model(name_or_folder: str | Path) -> Description:
    """What config.json says of a model, without loading its weights; raises CheckpointError."""
    return _read_config(find_model(name_or_folder))


def find_model(name_or_folder: str | Path) -> Path:
    """Folder of a model given by its name under pretrained/ or by its path."""
    named = PRETRAINED / str(name_or_folder)
    inside = named.resolve().parent == PRETRAINED.resolve()
    for folder in ([named] if inside else []) + [Path(name_or_folder)]:
        if (folder / "config.json").is_file():
            return folder
    names = ", ".join(model.name for model in available_models()) or "none"
    raise CheckpointError(
        f"There is no model {str(name_or_folder)!r}; accepted: a folder with config.json, "
        f"or one of: {names}."
    )


def load_model(name_or_folder: str | Path = DEFAULT_MODEL) -> Model:
    """Load a model; raises CheckpointError naming the file when anything does not fit."""
    folder = find_model(name_or_folder)
    config, training, known = _read_config(folder)
    preprocessor = load_preprocessor(folder)
    if preprocessor.features != config.features:
        raise CheckpointError("preprocessor.json and config.json name different features.")
    card = _read_card(folder)
    network, calibration = _read_network(folder / "weights.safetensors", config, training)
    return Model(
        config,
        training,
        network,
        preprocessor,
        calibration,
        folder.name,
        card,
        known,
        folder,
    )


def require_model_folder(folder: Path) -> None:
    """Refuse a place that holds anything but a model, before work is put into one for it."""
    named = f"Output {str(folder)!r}"
    accepted = "accepted: a new or empty folder, or a model to be replaced"
    if folder.exists() and not folder.is_dir():
        raise CheckpointError(f"{named} is a file; {accepted}.")
    held = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if held and (held - MODEL_FILES or "config.json" not in held):
        raise CheckpointError(f"{named} holds something else than a model; {accepted}.")
    try:
        folder.resolve().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.resolve().parent, prefix=".saving-"):
            pass
    except OSError as error:
        raise CheckpointError(f"{named} cannot be written: {error.strerror}.") from error


def save_model(trained: TrainedModel, folder: Path, card: str, facts: Mapping[str, Any]) -> None:
    """Write a model folder, all of it or nothing; an older model there is replaced last.

    Raises CheckpointError when there is anything else, or when the folder cannot be written.
    """
    from safetensors.torch import save

    require_model_folder(folder)
    folder = folder.resolve()
    content = {
        "model": trained.config.to_dict(),
        "training": trained.training.to_dict(),
        "facts": dict(facts),
    }
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".saving-") as temporary:
            new = Path(temporary) / "model"
            new.mkdir(mode=0o755)
            _write_json(new / "config.json", content, indent=2)
            _write_json(new / "preprocessor.json", trained.preprocessor.to_dict())
            (new / "weights.safetensors").write_bytes(save(_tensors(trained)))
            (new / "card.md").write_text(card, encoding="utf-8")
            if folder.exists():
                os.replace(folder, Path(temporary) / "old")
            os.replace(new, folder)
    except OSError as error:
        raise CheckpointError(
            f"The model {folder.name!r} cannot be written: {error.strerror}."
        ) from error


def _tensors(trained: FittedModel) -> dict[str, Tensor]:
    calibration = {} if trained.calibration is None else trained.calibration.to_tensors()
    named = {CALIBRATION + name: tensor for name, tensor in calibration.items()}
    return trained.network.state_dict() | named


def _read_network(
    path: Path, config: ModelConfig, training: TrainConfig
) -> tuple[Network, Calibration | None]:
    """The network in eval mode, and the calibration if the training made one.

    What the file declares is held against the settings before any of it is read.
    """
    import torch

    from cavae.model import build_network

    _require_header(path)
    with torch.device("meta"):  # Shapes without memory.
        network = build_network(config)
    expected = {name: (tuple(t.shape), "F32") for name, t in network.state_dict().items()}
    tensors = _read_weights(path, expected, training.calibrate)
    network.load_state_dict({name: tensors[name] for name in expected}, assign=True)
    network.eval()
    calibration = _read_calibration(tensors, config) if training.calibrate else None
    _require_sound(network, calibration, len(config.features))
    return network, calibration


def _require_header(path: Path) -> None:
    """Refuse a file whose first eight bytes promise a header that is not to be believed."""
    _require_size(path, MAX_WEIGHTS_BYTES)
    with path.open("rb") as stream:
        start = stream.read(8)
    length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
    if not 2 <= length <= min(MAX_HEADER_BYTES, path.stat().st_size - 8):
        raise CheckpointError(
            f"{path.name} announces a header of {length:,} bytes; accepted: up to what the file "
            f"has, at most {MAX_HEADER_BYTES:,}."
        )


def _read_weights(
    path: Path, expected: Mapping[str, tuple[tuple[int, ...], str]], calibrated: bool
) -> dict[str, Tensor]:
    """Every tensor of the file, shape and type of the network's as expected, all finite."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            declared = {
                name: (tuple(part.get_shape()), part.get_dtype())
                for name in file.keys()  # noqa: SIM118 (no mapping)
                for part in (file.get_slice(name),)
            }
            _require_declared(path.name, declared, expected, calibrated)
            tensors = {name: file.get_tensor(name) for name in declared}
    except (SafetensorError, OSError, ValueError, OverflowError) as error:
        raise CheckpointError(f"{path.name} cannot be read: {error}.") from error
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise CheckpointError(f"{path.name}: {name!r} holds numbers that are not finite.")
        if name in expected and tensor.numel() and tensor.abs().max() > LARGEST_WEIGHT:
            raise CheckpointError(
                f"{path.name}: {name!r} holds {float(tensor.abs().max()):.3g}; accepted are "
                f"weights up to {LARGEST_WEIGHT:,.0f} in size."
            )
    return tensors


def _require_declared(
    file: str,
    declared: Mapping[str, tuple[tuple[int, ...], str]],
    expected: Mapping[str, tuple[tuple[int, ...], str]],
    calibrated: bool,
) -> None:
    """Refuse missing, unknown, misshapen or ill-typed tensors before they are read."""
    names = {name for name in declared if not (calibrated and name.startswith(CALIBRATION))}
    for name in sorted(names ^ set(expected)):
        fault = "lacks" if name in expected else "holds the unknown"
        raise CheckpointError(f"{file} does not fit config.json: it {fault} tensor {name[:80]!r}.")
    for name, (shape, kind) in declared.items():
        wanted_shape, wanted_kind = expected.get(name, (shape, "F64"))
        if shape != wanted_shape:
            raise CheckpointError(
                f"{file} does not fit config.json: {name!r} has shape {shape}; "
                f"expected {wanted_shape}."
            )
        if kind != wanted_kind:
            raise CheckpointError(
                f"{file}: {name[:80]!r} holds numbers of type {kind}; expected {wanted_kind}."
            )


def _read_calibration(tensors: Mapping[str, Tensor], config: ModelConfig) -> Calibration:
    """The calibration among the tensors; raises CheckpointError unless it can be drawn from."""
    from cavae.calibration import Calibration

    named = {
        name.removeprefix(CALIBRATION): tensor
        for name, tensor in tensors.items()
        if name.startswith(CALIBRATION)
    }
    try:
        calibration = Calibration.from_tensors(named)
    except KeyError as error:
        raise CheckpointError(f"weights.safetensors lacks the calibration's {error}.") from error
    except ValueError as error:
        raise CheckpointError(f"weights.safetensors does not fit config.json: {error}.") from error
    latent, features = calibration.means.shape[1], len(calibration.shift)
    if (latent, features) != (config.latent, len(config.features)):
        raise CheckpointError(
            f"weights.safetensors does not fit config.json: its calibration is of {latent} latent "
            f"dimensions and {features} features; expected {config.latent} and "
            f"{len(config.features)}."
        )
    return calibration


def _require_sound(network: Network, calibration: Calibration | None, features: int) -> None:
    """Read three people who are possible: whatever that gives must be numbers of a likely size."""
    import numpy as np

    from cavae.calibration import read_people

    people = np.array([[0.0], [-3.0], [3.0]]) * np.ones(features)
    try:
        with np.errstate(all="ignore"):
            reading = read_people(network, calibration, people)
    except np.linalg.LinAlgError as error:
        raise CheckpointError(
            "weights.safetensors: with this calibration no effect can be computed."
        ) from error
    found = (
        reading.common.mean.double().numpy(),
        reading.common.log_variance.double().exp().numpy(),
        reading.salient,
        reading.decoded,
    )
    if not all(np.isfinite(one).all() and np.abs(one).max() <= LARGEST_OUTPUT for one in found):
        raise CheckpointError(
            "weights.safetensors: the network makes numbers beyond all measure of ordinary people."
        )


def _summary(folder: Path) -> ModelSummary:
    model, training, known = _read_config(folder)
    return ModelSummary(
        name=folder.name,
        variant=model.variant,
        rois=len(model.features),
        background=training.background,
        target=training.target,
        trained_on=str(known.get("trained_on", "")),
    )


def _read_config(folder: Path) -> Description:
    content = _read_json(folder / "config.json")
    try:
        model = ModelConfig.from_dict(content["model"])
        training = TrainConfig.from_dict(content["training"])
        require_variant(model.variant, training)
        return Description(model, training, _checked_facts(content.get("facts", {})))
    except KeyError as error:
        raise CheckpointError(f"config.json of {folder.name!r} lacks {error}.") from error
    except (TypeError, ValueError, ConfigError) as error:
        raise CheckpointError(f"config.json of {folder.name!r} cannot be read: {error}") from error


def _checked_facts(facts: Any) -> dict[str, Any]:
    """What a model says of itself, if it says it as `card.facts` does; raises ValueError.

    The quality among it is checked by `Quality.from_facts`.
    """
    if not isinstance(facts, dict):
        raise ValueError("facts are no object")
    for name in ("trained_on", "measured_on"):
        if not isinstance(facts.get(name, ""), str) or len(facts.get(name, "")) > MAX_WORDS:
            raise ValueError(f"facts.{name} is no text of up to {MAX_WORDS:,} characters")
    people, figures = facts.get("people", {}), facts.get("figures", [])
    if not isinstance(people, dict) or not all(_is_count(one) for one in people.values()):
        raise ValueError("facts.people are no counts")
    if not isinstance(figures, list) or not all(map(_is_figure, figures)):
        raise ValueError("facts.figures are no list of metric, group and value")
    return facts


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 10**9


def _is_figure(figure: object) -> bool:
    if not isinstance(figure, dict) or "value" not in figure:
        return False
    words = [figure.get(name) for name in ("metric", "group")]
    numbers = [figure[name] for name in ("value", "reference") if name in figure]
    return all(isinstance(one, str) and len(one) <= MAX_WORDS for one in words) and all(
        type(one) in (int, float) and abs(one) <= LARGEST_FIGURE for one in numbers
    )


def _read_json(path: Path) -> dict[str, Any]:
    text = _read_text(path, MAX_JSON_BYTES)
    try:
        content = json.loads(text, parse_constant=_finite, parse_float=_finite)
        if "\\u" in text:  # Half of a character may be written so, which nothing can show.
            json.dumps(content, ensure_ascii=False).encode()
    except RecursionError as error:
        raise CheckpointError(f"{path.name} is not valid JSON: it is nested too deeply.") from error
    except ValueError as error:
        raise CheckpointError(f"{path.name} is not valid JSON: {error}.") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path.name} holds no JSON object.")
    return content


def _finite(written: str) -> float:
    """A number of JSON; NaN, Infinity and 1e999 are none."""
    if not math.isfinite(value := float(written)):
        raise ValueError(f"{written[:20]} is no finite number")
    return value


def _read_card(folder: Path) -> str:
    """The card, with what could fetch, run or lead somewhere shown as the text that it is."""
    text = _read_text(folder / "card.md", MAX_CARD_BYTES)
    return ADDRESS.sub(rf"\g<0>{WORD_JOINER}", ACTIVE.sub(r"\\\1", text))


def _read_text(path: Path, limit: int) -> str:
    _require_size(path, limit)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path.name} cannot be read: {error}") from error


def _require_size(path: Path, limit: int) -> None:
    if path.is_symlink():  # to what somebody else wants to see, in a card or in an archive
        raise CheckpointError(
            f"{path.name} in model folder {path.parent.name!r} is a link; accepted: a plain file."
        )
    if not path.is_file():
        raise CheckpointError(f"{path.name} is missing in model folder {path.parent.name!r}.")
    if path.stat().st_size > limit:
        raise CheckpointError(f"{path.name} is larger than {limit / 1e6:g} MB.")


def _write_json(path: Path, content: Mapping[str, Any], indent: int | None = None) -> None:
    path.write_text(json.dumps(content, indent=indent, allow_nan=False), encoding="utf-8")
