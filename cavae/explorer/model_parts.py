"""What decoding a position needs of a model: decoder, calibration and the way to mm³."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import nn

from cavae.calibration import Calibration
from cavae.calibration.parameters import PREVALENCE
from cavae.checkpoint import Model
from cavae.errors import ConfigError
from cavae.explorer.packing import pack
from cavae.preprocessing import Adaptation, Preprocessor
from cavae.preprocessing.harmonizer import Harmonizer
from cavae.preprocessing.linear import ICV_UNIT


def require_explorable(model: Model) -> None:
    """Refuse a model without a plane to drag in; raises ConfigError."""
    if model.config.variant == "conditional":
        raise ConfigError(
            "A conditional VAE only switches disease on and off: there is no salient space to "
            "explore; accepted: a contrastive model."
        )
    if model.config.latent < 2:
        raise ConfigError(
            "This model has one salient dimension, which is no plane to drag in; accepted: a "
            "model of at least 2."
        )


def decoder_part(model: Model) -> dict[str, Any]:
    """The two linear layers of p(x|z, s), float32 as they were trained, and the slope between."""
    first, between, second = model.network.decoder
    return {"first": _layer(first), "slope": between.negative_slope, "second": _layer(second)}


def _layer(layer: nn.Linear) -> dict[str, Any]:
    return {
        "weight": pack(layer.weight.detach().numpy(), "f4"),
        "bias": pack(layer.bias.detach().numpy(), "f4"),
    }


def calibration_part(calibration: Calibration | None) -> dict[str, Any] | None:
    """What `Calibration.expected_effect` needs; None for the preset paper."""
    if calibration is None:
        return None
    return {
        "prevalence": PREVALENCE,
        "weights": calibration.weights.tolist(),
        "healthy": _gaussian(calibration.healthy_mean, calibration.healthy_covariance),
        "subtypes": [
            _gaussian(mean, covariance)
            for mean, covariance in zip(calibration.means, calibration.covariances, strict=True)
        ],
        "effects": pack(calibration.effects, "f8"),
        "decoded": pack(calibration.decoded, "f8"),
        "reliability": calibration.reliability.tolist(),
    }


def _gaussian(mean: np.ndarray, covariance: np.ndarray) -> dict[str, Any]:
    """Mean (d,), inverse Cholesky factor (d, d) and log of its determinant, for densities."""
    root = np.linalg.cholesky(covariance)
    return {
        "mean": pack(mean, "f8"),
        "whitener": pack(np.linalg.inv(root), "f8"),
        "logRoot": float(np.log(np.diag(root)).sum()),
    }


def preprocessing_part(
    preprocessor: Preprocessor, adaptations: Mapping[str, Adaptation]
) -> dict[str, Any]:
    """What `Preprocessor.inverse_transform` needs, with the adapted sites by name."""
    return {
        "covariates": list(preprocessor.covariates),
        "icvUnit": ICV_UNIT,
        "intercept": pack(preprocessor.linear.intercept, "f8"),
        "coefficients": pack(preprocessor.linear.coefficients, "f8"),
        "sd": pack(preprocessor.sd, "f8"),
        "adaptations": {
            site: {name: pack(getattr(one, name), "f8") for name in ("factor", "offset", "scale")}
            for site, one in adaptations.items()
        },
        "harmonizer": _harmonizer(preprocessor.harmonizer),
    }


def _harmonizer(harmonizer: Harmonizer | None) -> dict[str, Any] | None:
    if harmonizer is None:
        return None
    arrays = ("knots", "grand_mean", "coefficients", "pooled_sd", "location", "scale")
    packed = {name: pack(getattr(harmonizer, name), "f8") for name in arrays}
    return {"sites": list(harmonizer.sites), "covariates": list(harmonizer.covariates), **packed}
