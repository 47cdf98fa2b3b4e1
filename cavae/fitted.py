"""What using a model needs, whether it was just trained or comes from a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cavae.config import ModelConfig, TrainConfig

if TYPE_CHECKING:
    from cavae.calibration import Calibration
    from cavae.model import Network
    from cavae.preprocessing import Preprocessor


@dataclass(frozen=True)
class FittedModel:
    """A network in eval mode, which it must stay in, and the preprocessing it was trained with.

    calibration is None for the paper's preset, and for every variant but the contrastive.
    """

    config: ModelConfig
    training: TrainConfig
    network: Network
    preprocessor: Preprocessor
    calibration: Calibration | None
