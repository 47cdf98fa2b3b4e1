"""Reading people with a network and, where it is calibrated, with what the calibration adds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cavae.calibration.parameters import Calibration
from cavae.model import Network, Posterior

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """What a network says of people: q(z|·), salient means s (n, d), decoded effect g (n, p)."""

    common: Posterior
    salient: Array
    decoded: Array


def read_people(network: Network, calibration: Calibration | None, x: Array) -> Reading:
    """Read people x (n, p), standardized, in the precision of the network.

    Calibrated, common z is that of the healthy twin, x less the effect: both members of a pair
    share one z, q(z|x) = q(z|y) (eq. 6), and what the disease did to x is not in it.
    """
    precision = next(network.parameters()).dtype
    people = torch.as_tensor(x, dtype=precision)
    with torch.no_grad():
        salient = network.encode_salient(people).mean
        reading = _reading(network, network.encode_common(people), salient)
        if calibration is None:
            return reading
        effect, _ = calibration.effect_posterior(x, reading.salient, reading.decoded)
        twins = torch.as_tensor(x - effect, dtype=precision)
        return _reading(network, network.encode_common(twins), salient)


def _reading(network: Network, common: Posterior, salient: Tensor) -> Reading:
    z = common.mean
    decoded = network.decode(z, salient) - network.decode_background(z)
    return Reading(common, numbers_of(salient), numbers_of(decoded))


def numbers_of(values: Tensor) -> Array:
    """A tensor as an array of doubles."""
    return values.double().numpy()
