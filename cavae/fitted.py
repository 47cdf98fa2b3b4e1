"""What using a model needs, whether it was just trained or comes from a folder."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
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

    @cached_property
    def exact(self) -> Network:
        """The network in double precision, to read people with.

        In single precision the last digits of somebody would depend on how many others are in the
        table, because products of matrices are summed in another order.
        """
        return copy.deepcopy(self.network).double()
