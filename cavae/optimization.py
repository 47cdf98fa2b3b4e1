"""The training loop (paper, section 4.2): Adam, 2-Wasserstein monitored, best epoch kept.

Networks whose settings let them learn together, as members of one ensemble; each comes out as if it
had been alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor, nn

from cavae.config import ModelConfig, TrainConfig
from cavae.devices import choose_device
from cavae.ensemble import StackedAdam, ensembles, stack, state_of_member
from cavae.losses import WEIGHT_OF, Discriminator, Weights, discrimination, objective
from cavae.model import Network, initialize, normal_like, seeded
from cavae.monitoring import Look, Monitor, Pair

MONITOR_EVERY = 5  # epochs between two looks at the validation data


@dataclass(frozen=True)
class Progress:
    """State after an epoch: named loss terms (means over the epoch), and a look at validation
    people, or None between two looks."""

    epoch: int
    epochs: int
    terms: dict[str, float]
    look: Look | None
    best_epoch: int
    seconds: float


OnProgress = Callable[[Progress], bool | None]
OnBest = Callable[[Mapping[str, Tensor]], None]
Fitted = tuple[Network, tuple[Progress, ...]]


@dataclass(frozen=True)
class Problem:
    """A network to be fitted: to which people, standardized, and how.

    on_progress is called after each epoch; when it returns False, fitting stops. on_best is called
    with the weights of each epoch that is better than those before it.
    """

    model: ModelConfig
    config: TrainConfig
    training: Pair
    validation: Pair
    on_progress: OnProgress | None = None
    on_best: OnBest | None = None

    @property
    def batch(self) -> tuple[int, int]:
        """Background and target people in a batch."""
        background, target = (min(self.config.batch_size, len(x)) for x in self.training)
        return background, target

    @property
    def steps(self) -> int:
        """Batches in an epoch: the larger cohort is walked through once."""
        return -(-max(map(len, self.training)) // self.config.batch_size)

    @property
    def kind(self) -> Hashable:
        """What problems have in common that one ensemble can work on."""
        model, config = self.model, self.config
        shape = model.variant, len(model.features), model.latent, model.hidden
        return *shape, self.batch, self.steps, config.learning_rate, config.betas, config.device


def fit_networks(problems: Sequence[Problem]) -> list[Fitted]:
    """Minimize each objective; return the network of each best epoch, on the CPU, and its history.

    Problems of one kind are worked on together.
    """
    fitted: dict[int, Fitted] = {}
    for places in ensembles(range(len(problems)), lambda place: problems[place].kind):
        together = _fit_together([problems[place] for place in places])
        fitted.update(zip(places, together, strict=True))
    return [fitted[place] for place in range(len(problems))]


def _fit_together(problems: Sequence[Problem]) -> list[Fitted]:
    device = choose_device(problems[0].config.device)
    members = [_Member(problem, device) for problem in problems]
    ensemble = _Ensemble(members, device)
    started = time.monotonic()
    for epoch in count(1):
        terms = ensemble.run_epoch()
        seconds = time.monotonic() - started
        goes_on = [
            member.end_epoch(epoch, of_member, seconds, ensemble.network, place)
            for place, (member, of_member) in enumerate(zip(ensemble.members, terms, strict=True))
        ]
        if not any(goes_on):
            break
        if not all(goes_on):
            ensemble.keep([place for place, going in enumerate(goes_on) if going])
    return [member.best_network() for member in members]


class _Member:
    """One of those who learn together: its people, where it stands, and the best it has been."""

    def __init__(self, problem: Problem, device: torch.device) -> None:
        self.problem = problem
        self.network = initialize(problem.model, problem.config.seed).to(device)
        self.generator = torch.Generator(device).manual_seed(problem.config.seed)
        self._people = [
            torch.as_tensor(x, dtype=torch.float32, device=device) for x in problem.training
        ]
        self._monitor = Monitor(problem.training, problem.validation, problem.config.seed)
        self._best, self._best_score, self._best_epoch = None, float("inf"), 0
        self._history: list[Progress] = []

    def deal(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Background and target batches of an epoch; the smaller cohort is dealt again as often
        as needed."""
        dealt = [
            _deal(cohort, self.problem.steps, size, self.generator)
            for cohort, size in zip(self._people, self.problem.batch, strict=True)
        ]
        noise = self.problem.config.input_noise
        for batches in zip(*dealt, strict=True):
            background, target = (_blur(batch, noise, self.generator) for batch in batches)
            yield background, target

    def end_epoch(
        self, epoch: int, terms: dict[str, float], seconds: float, stacked: nn.Module, place: int
    ) -> bool:
        """Look at the network now and then, keep the best, tell; whether to go on."""
        config, look = self.problem.config, None
        if epoch % MONITOR_EVERY == 0 or epoch == config.epochs:
            state = state_of_member(stacked, place)
            self.network.load_state_dict(state)
            look = self._monitor.look(self.network)
            score = look.w2_background + look.w2_target
            if score < self._best_score:
                self._best, self._best_score, self._best_epoch = state, score, epoch
                if self.problem.on_best is not None:
                    self.problem.on_best(state)
        progress = Progress(epoch, config.epochs, terms, look, self._best_epoch, seconds)
        self._history.append(progress)
        tell = self.problem.on_progress
        stopped = tell is not None and tell(progress) is False
        worse = epoch - self._best_epoch >= config.patience + MONITOR_EVERY
        return not (stopped or worse or epoch == config.epochs)

    def best_network(self) -> Fitted:
        """The network of the best epoch, or the first one if it was not looked at yet."""
        if self._best is not None:
            self.network.load_state_dict(self._best)
        return self.network.cpu().eval(), tuple(self._history)


class _Ensemble:
    """Members with their weights stacked, and the optimizer of all."""

    def __init__(self, members: Sequence[_Member], device: torch.device) -> None:
        self.members = list(members)
        self.network = stack([member.network for member in members])
        self._adam = _adam(self.network, members[0].problem.config)
        self._device = device
        self._opponent = None
        if members[0].problem.model.variant == "total-correlation":
            self._opponent = _Opponent([member.problem for member in members], device)

    def keep(self, places: Sequence[int]) -> None:
        """Go on with these members alone."""
        self.members = [self.members[place] for place in places]
        self._adam.keep(places)
        if self._opponent is not None:
            self._opponent.adam.keep(places)

    def run_epoch(self) -> list[dict[str, float]]:
        """A step on every batch; the mean of each term, by member."""
        weights = Weights.of([member.problem.config for member in self.members], self._device)
        generators = [member.generator for member in self.members]
        opponent = self._opponent
        discriminator = None if opponent is None else opponent.discriminator
        sums: dict[str, Tensor] = {}
        for batches in zip(*(member.deal() for member in self.members), strict=True):
            background, target = (torch.stack(cohort) for cohort in zip(*batches, strict=True))
            terms = objective(self.network, target, background, weights, generators, discriminator)
            self._adam.minimize(terms["total"])
            if opponent is not None:
                opponent.learn(self.network, target, generators)
            sums = {name: sums.get(name, 0.0) + term.detach() for name, term in terms.items()}
        means = torch.stack(list(sums.values()), dim=1) / self.members[0].problem.steps
        return [
            _weighty(dict(zip(sums, values, strict=True)), member.problem.config)
            for values, member in zip(means.tolist(), self.members, strict=True)
        ]


def _weighty(terms: dict[str, float], config: TrainConfig) -> dict[str, float]:
    """Without the terms that a member has no weight for, as its objective alone would have them."""
    return {
        name: value
        for name, value in terms.items()
        if name not in WEIGHT_OF or getattr(config, WEIGHT_OF[name])
    }


class _Opponent:
    """The discriminators of the variant total-correlation, with an Adam of their own."""

    def __init__(self, problems: Sequence[Problem], device: torch.device) -> None:
        single = []
        for problem in problems:
            with seeded(problem.config.seed):
                single.append(Discriminator(problem.model.latent, problem.model.hidden))
        self.discriminator = stack(single).to(device)
        self.adam = _adam(self.discriminator, problems[0].config)

    def learn(
        self, network: Network, target: Tensor, generators: Sequence[torch.Generator]
    ) -> None:
        """One step, on latents that the networks draw for target people as they are now."""
        with torch.no_grad():
            z = network.encode_common(target).sample(generators)
            s = network.encode_salient(target).sample(generators)
        self.adam.minimize(discrimination(self.discriminator, z, s))


def _adam(stacked: nn.Module, config: TrainConfig) -> StackedAdam:
    return StackedAdam(stacked, config.learning_rate, config.betas)


def _deal(cohort: Tensor, steps: int, size: int, generator: torch.Generator) -> list[Tensor]:
    """`steps` batches of `size` different people each, everyone about equally often."""
    rounds = -(-steps * size // len(cohort))
    order = torch.cat(
        [
            torch.randperm(len(cohort), generator=generator, device=cohort.device)
            for _ in range(rounds)
        ]
    )
    return [cohort[order[i * size : (i + 1) * size]] for i in range(steps)]


def _blur(values: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    return values + noise * normal_like(values, generator) if noise else values
