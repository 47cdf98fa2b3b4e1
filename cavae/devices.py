"""Where networks learn: CPU, CUDA or MPS."""

from __future__ import annotations

import torch

from cavae.errors import ConfigError


def available_devices() -> list[str]:
    """The devices of this machine, the fastest first; CPU is always there."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [*(device for device, found in there.items() if found), "cpu"]


def choose_device(name: str) -> torch.device:
    """`auto` takes CUDA, then MPS, then CPU; a named device that is not there is an error."""
    there = available_devices()
    if name == "auto":
        return torch.device(there[0])
    if name not in there:
        at_hand = ", ".join(there)
        raise ConfigError(
            f"device is {name!r}, which this machine lacks; accepted: auto, {at_hand}."
        )
    return torch.device(name)
