"""A model as a folder: config.json, weights.safetensors, preprocessor.json and card.md.

Importing this module is cheap; torch comes in when a model is loaded or saved.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cavae.config import ModelConfig, TrainConfig
from cavae.errors import CheckpointError, ConfigError
from cavae.fitted import FittedModel

if TYPE_CHECKING:
    from torch import Tensor

    from cavae.training import TrainedModel

PRETRAINED = Path(__file__).resolve().parent.parent / "pretrained"
DEFAULT_MODEL = "ad-mci"
CALIBRATION = "calibration."  # prefix of its arrays among the weights
MODEL_FILES = {"config.json", "weights.safetensors", "preprocessor.json", "card.md"}
MAX_JSON_BYTES = 20_000_000
MAX_WEIGHTS_BYTES = 200_000_000


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


def available_models(folder: Path = PRETRAINED) -> tuple[ModelSummary, ...]:
    """The models under `folder`, by name; folders that are not models are passed over."""
    found = sorted(path.parent for path in folder.glob("*/config.json"))
    return tuple(_summary(path) for path in found)


def model_card(name_or_folder: str | Path) -> str:
    """The card of a model, Markdown."""
    return _read_text(find_model(name_or_folder) / "card.md", MAX_JSON_BYTES)


def model_facts(name_or_folder: str | Path) -> Mapping[str, Any]:
    """What config.json says of a model besides its settings, without loading its weights."""
    return _read_config(find_model(name_or_folder))["facts"]


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
    import torch

    from cavae.calibration import Calibration
    from cavae.model import build_network
    from cavae.preprocessing import Preprocessor

    folder = find_model(name_or_folder)
    content = _read_config(folder)
    config, training = content["model"], content["training"]
    preprocessor = Preprocessor.from_dict(_read_json(folder / "preprocessor.json"))
    if preprocessor.features != config.features:
        raise CheckpointError("preprocessor.json and config.json name different features.")
    network = build_network(config)
    tensors = _read_weights(folder / "weights.safetensors")
    calibrated, weights = _partition(tensors)
    try:
        network.load_state_dict(weights)
        calibration = Calibration.from_tensors(calibrated) if training.calibrate else None
    except (RuntimeError, KeyError, ValueError) as error:
        raise CheckpointError(f"weights.safetensors does not fit config.json: {error}") from error
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise CheckpointError("weights.safetensors holds numbers that are not finite.")
    card = _read_text(folder / "card.md", MAX_JSON_BYTES)
    return Model(
        config,
        training,
        network.eval(),
        preprocessor,
        calibration,
        folder.name,
        card,
        content["facts"],
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
    from safetensors.torch import save_file

    require_model_folder(folder)
    folder = folder.resolve()
    content = {
        "model": trained.config.to_dict(),
        "training": trained.training.to_dict(),
        "facts": dict(facts),
    }
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".saving-") as temporary:
        new = Path(temporary) / "model"
        new.mkdir(mode=0o755)
        _write_json(new / "config.json", content, indent=2)
        _write_json(new / "preprocessor.json", trained.preprocessor.to_dict())
        save_file(_tensors(trained), new / "weights.safetensors")
        (new / "weights.safetensors").chmod(0o644)
        (new / "card.md").write_text(card, encoding="utf-8")
        if folder.exists():
            os.replace(folder, Path(temporary) / "old")
        os.replace(new, folder)


def _tensors(trained: FittedModel) -> dict[str, Tensor]:
    calibration = {} if trained.calibration is None else trained.calibration.to_tensors()
    named = {CALIBRATION + name: tensor for name, tensor in calibration.items()}
    return trained.network.state_dict() | named


def _partition(tensors: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Arrays of the calibration, without their prefix, and weights of the network."""
    calibration, network = {}, {}
    for name, tensor in tensors.items():
        if name.startswith(CALIBRATION):
            calibration[name.removeprefix(CALIBRATION)] = tensor
        else:
            network[name] = tensor
    return calibration, network


def _read_weights(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    _require_size(path, MAX_WEIGHTS_BYTES)
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path.name} cannot be read: {error}") from error


def _summary(folder: Path) -> ModelSummary:
    content = _read_config(folder)
    model, training = content["model"], content["training"]
    return ModelSummary(
        name=folder.name,
        variant=model.variant,
        rois=len(model.features),
        background=training.background,
        target=training.target,
        trained_on=str(content["facts"].get("trained_on", "")),
    )


def _read_config(folder: Path) -> dict[str, Any]:
    content = _read_json(folder / "config.json")
    try:
        return {
            "model": ModelConfig.from_dict(content["model"]),
            "training": TrainConfig.from_dict(content["training"]),
            "facts": dict(content.get("facts", {})),
        }
    except KeyError as error:
        raise CheckpointError(f"config.json of {folder.name!r} lacks {error}.") from error
    except (TypeError, ValueError, ConfigError) as error:
        raise CheckpointError(f"config.json of {folder.name!r} cannot be read: {error}") from error


def _read_json(path: Path) -> dict[str, Any]:
    text = _read_text(path, MAX_JSON_BYTES)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path.name} is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path.name} holds no JSON object.")
    return content


def _read_text(path: Path, limit: int) -> str:
    _require_size(path, limit)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path.name} cannot be read: {error}") from error


def _require_size(path: Path, limit: int) -> None:
    if not path.is_file():
        raise CheckpointError(f"{path.name} is missing in model folder {path.parent.name!r}.")
    if path.stat().st_size > limit:
        raise CheckpointError(f"{path.name} is larger than {limit // 1_000_000} MB.")


def _write_json(path: Path, content: Mapping[str, Any], indent: int | None = None) -> None:
    path.write_text(json.dumps(content, indent=indent, allow_nan=False), encoding="utf-8")
