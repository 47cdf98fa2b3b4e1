"""Networks of one shape trained together: each weight holds those of all members.

What costs time in networks this small is handing out work, and a product of stacked matrices is
handed out once. No member's numbers depend on another's: alone or among others, it is the same.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

Module = TypeVar("Module", bound=nn.Module)
T = TypeVar("T")

TOGETHER = 4  # members; what more of them work on does not fit a processor's cache
ALIGNED = 16  # numbers that a processor adds at once, at most
EPSILON = 1e-8  # Adam's own, against division by zero


def ensembles(
    items: Iterable[T], kind: Callable[[T], Hashable], most: int | None = None
) -> list[list[T]]:
    """Those of one kind together, `most` at a time if it is given, each in the order of items."""
    kinds: dict[Hashable, list[T]] = {}
    for item in items:
        kinds.setdefault(kind(item), []).append(item)
    return [
        found[start : start + (most or len(found))]
        for found in kinds.values()
        for start in range(0, len(found), most or len(found))
    ]


class StackedLinear(nn.Module):
    """Linear layers of all members: x (members, n, inputs) → (members, n, outputs)."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach() for layer in layers]))
        self.bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in layers]))

    def forward(self, x: Tensor) -> Tensor:
        """x Wᵀ + b, member by member."""
        return torch.baddbmm(self.bias[:, None], x, self.weight.transpose(1, 2))


def stack(members: Sequence[Module]) -> Module:
    """One module that does for (members, n, …) what each of the members, of one shape, does."""
    stacked = copy.deepcopy(members[0])
    for name, layer in members[0].named_modules():
        if isinstance(layer, nn.Linear):
            together = StackedLinear([member.get_submodule(name) for member in members])
            stacked.set_submodule(name, together)
    return stacked


def state_of_member(stacked: nn.Module, member: int) -> dict[str, Tensor]:
    """A copy of one member's weights, by the names that they have in a single network."""
    return {name: tensor[member].clone() for name, tensor in stacked.state_dict().items()}


class StackedAdam:
    """Adam (Kingma and Ba, 2015) on all weights of a stacked module, which lie one after the other
    in one tensor.

    One small weight at a time, Adam would take as long as half of the products; and torch's own, at
    its first use, imports a compiler for two seconds. Weights begin at multiples of ALIGNED
    numbers: a member's numbers are then added in the same way alone and among others.
    """

    def __init__(
        self, stacked: nn.Module, learning_rate: float, betas: tuple[float, float]
    ) -> None:
        self._weights = list(stacked.parameters())
        self._rate, self._betas = learning_rate, betas
        self._values = _join([weight.detach() for weight in self._weights])
        self._mean, self._square = (torch.zeros_like(self._values) for _ in range(2))
        self._steps = 0
        self._share_memory()

    def minimize(self, losses: Tensor) -> None:
        """A step down the losses, one a member, (members,)."""
        self._gradient.zero_()
        losses.sum().backward()
        self._steps += 1
        of_mean, of_square = self._betas
        self._mean.lerp_(self._gradient, 1.0 - of_mean)
        self._square.mul_(of_square)
        self._square.addcmul_(self._gradient, self._gradient, value=1.0 - of_square)
        unbiased = math.sqrt(1.0 - of_square**self._steps)
        # The gradient has done its duty: its place is taken for what the step is divided by.
        deviation = torch.sqrt(self._square, out=self._gradient).add_(EPSILON * unbiased)
        rate = self._rate * unbiased / (1.0 - of_mean**self._steps)
        self._values.addcdiv_(self._mean, deviation, value=-rate)

    def keep(self, places: Sequence[int]) -> None:
        """Go on with these members alone."""
        index = torch.tensor(places, device=self._values.device)
        self._values, self._mean, self._square = (
            _join([part[index] for part in _parts(x, self._weights)])
            for x in (self._values, self._mean, self._square)
        )
        for weight in self._weights:
            weight.grad = None
            weight.data = weight.data[index]
        self._share_memory()

    def _share_memory(self) -> None:
        """Make the module's weights, and their gradients, parts of one tensor each."""
        self._gradient = torch.zeros_like(self._values)
        values, gradients = (_parts(x, self._weights) for x in (self._values, self._gradient))
        for weight, value, gradient in zip(self._weights, values, gradients, strict=True):
            weight.grad = None
            weight.data, weight.grad = value, gradient


def _join(tensors: Sequence[Tensor]) -> Tensor:
    """All numbers in one tensor, each tensor's from a multiple of ALIGNED on, zeros between."""
    return torch.cat([pad(tensor.flatten(), (0, -tensor.numel() % ALIGNED)) for tensor in tensors])


def _parts(joined: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """What `_join` has joined, as views, in the shapes of like."""
    sizes = [-(-tensor.numel() // ALIGNED) * ALIGNED for tensor in like]
    parts = zip(joined.split(sizes), like, strict=True)
    return [part[: tensor.numel()].view(tensor.shape) for part, tensor in parts]
