"""Two groups of people as arrays: what is generated, and the real people it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Groups:
    """Standardized features of background (m, p) and target (n, p), SD."""

    background: Array
    target: Array

    @property
    def everyone(self) -> Array:
        """Background people first, (m + n, p)."""
        return np.concatenate([self.background, self.target])

    @property
    def diseased(self) -> NDArray[np.bool_]:
        """Who of `everyone` is of the target, (m + n,)."""
        return np.arange(len(self.background) + len(self.target)) >= len(self.background)

    @property
    def sizes(self) -> tuple[int, int]:
        """People in background and in target, (m, n)."""
        return len(self.background), len(self.target)

    def draw(self, sizes: tuple[int, int], generator: np.random.Generator) -> Groups:
        """Different people at random, at most `sizes` of background and of target."""
        background, target = (
            people[generator.permutation(len(people))[:size]]
            for people, size in zip((self.background, self.target), sizes, strict=True)
        )
        return Groups(background, target)

    def halves(self, generator: np.random.Generator) -> tuple[Groups, Groups]:
        """Everyone in one of two parts, half of each group in each."""
        orders = [generator.permutation(len(people)) for people in (self.background, self.target)]
        people = (self.background, self.target)
        first, second = (
            [x[order[part::2]] for x, order in zip(people, orders, strict=True)] for part in (0, 1)
        )
        return Groups(*first), Groups(*second)

    def join(self, other: Groups) -> Groups:
        """The people of both."""
        return Groups(
            np.concatenate([self.background, other.background]),
            np.concatenate([self.target, other.target]),
        )
