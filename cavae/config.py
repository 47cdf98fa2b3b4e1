"""Frozen settings of a model and of a training run, with a JSON round trip."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from cavae.errors import ConfigError

DEVICES = ("auto", "cpu", "cuda", "mps")
MAX_LATENT = 64
MAX_HIDDEN = 4096
MAX_FEATURES = 5000
MAX_LAYER = 2_000_000  # weights of one layer, features times hidden: 8 MB
MAX_NAME = 200  # characters of a feature or label
RESERVED = frozenset(("pair_id", "group", "subtype", "age", "sex", "icv", "mad"))
"""Names that tables of `sample` and `counterfactual` give to other columns: with such a feature
two columns of a table would have one name."""
FEWEST = 10  # people on each side to train on; with fewer nothing can be learned


def _require(condition: bool, setting: str, value: object, accepted: str) -> None:
    if not condition:
        raise ConfigError(f"{setting} is {reprlib.repr(value)}; accepted: {accepted}.")


def _whole(value: object, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _number(value: object) -> bool:
    return isinstance(value, int | float) and type(value) is not bool


def _names(values: object) -> bool:
    """Whether these are names, each once: text that is neither empty nor endless."""
    return (
        isinstance(values, tuple)
        and all(isinstance(one, str) and 0 < len(one) <= MAX_NAME for one in values)
        and len(set(values)) == len(values)
    )


class _Json:
    """JSON round trip for a frozen dataclass; unknown or missing settings are refused."""

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON types."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[call-overload]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild from `to_dict`; raises ConfigError for unknown, missing or ill-typed settings."""
        _require(isinstance(values, Mapping), "settings", values, "an object of them by name")
        names = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(values) - names)
        if unknown:
            raise ConfigError(f"Unknown setting {unknown[0]!r}; accepted: {', '.join(names)}.")
        plain = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        try:
            return cls(**plain)
        except TypeError as error:
            raise ConfigError(f"The settings cannot be read: {error}.") from error


@dataclass(frozen=True)
class ModelConfig(_Json):
    """Shape of the network.

    features: names of the inputs in order (MUSE index as text, or own names);
    latent: dimensions of common z and of salient s, each; hidden: width of the hidden layers;
    variant: one of VARIANTS.
    """

    features: tuple[str, ...]
    latent: int = 5
    hidden: int = 128
    variant: str = "contrastive"

    def __post_init__(self) -> None:
        _require(_names(self.features), "features", "no list of names", "names, each once")
        taken = sorted(RESERVED & set(self.features))
        _require(not taken, "features", taken, f"other names than {', '.join(sorted(RESERVED))}")
        count = len(self.features)
        _require(1 < count <= MAX_FEATURES, "features", count, f"2 to {MAX_FEATURES:,} columns")
        for setting, most in (("latent", MAX_LATENT), ("hidden", MAX_HIDDEN)):
            value = getattr(self, setting)
            _require(_whole(value, 1, most), setting, value, f"a whole number from 1 to {most:,}")
        most = MAX_LAYER // count
        _require(
            self.hidden <= most, "hidden", self.hidden, f"up to {most:,} for {count:,} features"
        )
        _require(self.variant in VARIANTS, "variant", self.variant, ", ".join(VARIANTS))


@dataclass(frozen=True)
class TrainConfig(_Json):
    """One training run (section 4.2 of the paper).

    mmd_weight: λ of eq. 8, the weight of the MMD or of what the variant has in its place;
    validation: share of each cohort held out to monitor the 2-Wasserstein distance; patience:
    epochs without a better one before training stops. Beyond the paper, all 0 there:
    salient_silence weighs a term that `losses` defines, input_noise (SD) blurs what is learned
    from, against overfitting, and calibrate measures afterwards what the decoder leaves out
    (`calibration`).
    """

    background: tuple[str, ...] = ("CN",)
    target: tuple[str, ...] = ("MCI", "AD")
    preset: str = "paper"
    mmd_weight: float = 100.0
    salient_silence: float = 0.0
    input_noise: float = 0.0
    calibrate: bool = False
    epochs: int = 500
    batch_size: int = 256
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.5, 0.999)
    validation: float = 0.15
    patience: int = 100
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        for side in ("background", "target"):
            labels = getattr(self, side)
            _require(bool(labels) and _names(labels), side, labels, "at least one label, each once")
        shared = sorted(set(self.background) & set(self.target))
        _require(not shared, "target", shared, "labels that are not in the background too")
        _require(self.preset in PRESETS, "preset", self.preset, ", ".join(PRESETS))
        for name, value in (
            ("lambda", self.mmd_weight),
            ("salient_silence", self.salient_silence),
            ("input_noise", self.input_noise),
        ):
            _require(_number(value) and 0 <= value <= 1e6, name, value, "0 to 1,000,000")
        _require(type(self.calibrate) is bool, "calibrate", self.calibrate, "true or false")
        _require(_whole(self.epochs, 1, 100_000), "epochs", self.epochs, "1 to 100,000")
        for name, value, low in (
            ("batch size", self.batch_size, 2),
            ("patience", self.patience, 1),
        ):
            _require(_whole(value, low, 1_000_000), name, value, f"{low} to 1,000,000")
        rate, share = self.learning_rate, self.validation
        _require(_number(rate) and 0 < rate < 1, "learning rate", rate, "0 to 1")
        _require(
            len(self.betas) == 2 and all(_number(b) and 0 <= b < 1 for b in self.betas),
            "betas",
            self.betas,
            "two numbers from 0 to below 1",
        )
        _require(_number(share) and 0 < share < 0.5, "validation", share, "0 to 0.5")
        _require(_whole(self.seed, 0, 2**63 - 1), "seed", self.seed, "0 or a positive whole number")
        _require(self.device in DEVICES, "device", self.device, ", ".join(DEVICES))


VARIANTS = ("contrastive", "conditional", "total-correlation")
"""The paper's model; a standard conditional VAE, whose only salient is the cohort label; and the
contrastive VAE with the total correlation of Abid and Zou (2019) in place of the MMD."""
DEFAULT_VARIANT = "contrastive"
PRESETS = {
    "paper": {},
    "calibrated": {
        "salient_silence": 1.0,
        "input_noise": 1.5,
        "calibrate": True,
    },
}


DEFAULT_PRESET = "calibrated"


def default_preset(variant: str = DEFAULT_VARIANT) -> str:
    """The preset that a variant is trained with unless another is asked for."""
    return DEFAULT_PRESET if variant == DEFAULT_VARIANT else "paper"


def require_variant(variant: str, config: TrainConfig) -> None:
    """Refuse settings that go beyond the paper for any other variant than the contrastive.

    Raises ConfigError: they name terms and latents that the other variants do not have; or
    nobody knows the variant.
    """
    _require(variant in VARIANTS, "variant", variant, ", ".join(VARIANTS))
    beyond = [name for name in PRESETS["calibrated"] if getattr(config, name)]
    if variant != DEFAULT_VARIANT and beyond:
        raise ConfigError(
            f"Preset {config.preset!r} ({', '.join(beyond)}) is for the variant contrastive alone; "
            f"accepted for {variant}: preset paper."
        )


def train_config(preset: str = DEFAULT_PRESET, **settings: Any) -> TrainConfig:
    """Return a preset with some settings replaced."""
    _require(preset in PRESETS, "preset", preset, ", ".join(PRESETS))
    return TrainConfig(preset=preset, **(PRESETS[preset] | settings))
