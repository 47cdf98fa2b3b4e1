"""The training loop (paper, section 4.2): Adam, 2-Wasserstein monitored, best epoch kept."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from cavae.calibration import fit_calibration
from cavae.cohort import Cohort
from cavae.config import (
    DEFAULT_VARIANT,
    FEWEST,
    ModelConfig,
    TrainConfig,
    require_variant,
)
from cavae.errors import ConfigError, DataError
from cavae.fitted import FittedModel
from cavae.losses import Discriminator, discrimination, objective
from cavae.model import Network, initialize, seeded
from cavae.monitoring import Look, Monitor, Pair
from cavae.preprocessing import Preprocessor, fit_preprocessor
from cavae.threads import one_thread

MONITOR_EVERY = 5  # epochs between two looks at the validation data
LARGE_GROUP = 5  # people of one diagnosis and site that are held out by their own share


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


@dataclass(frozen=True)
class TrainedModel(FittedModel):
    """A model and how it came about; people: how many in each part, by "train target" and so on."""

    history: tuple[Progress, ...]
    people: Mapping[str, int]

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights were kept."""
        return self.history[-1].best_epoch


@dataclass(frozen=True)
class Interim:
    """Have the best so far handed over while training goes on, about every `seconds`."""

    keep: Callable[[TrainedModel], None]
    seconds: float


@dataclass(frozen=True)
class Split:
    """People to learn from, people to monitor with, and people who have no part in it, if any."""

    train: Cohort
    validation: Cohort
    test: Cohort | None = None


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


def split_cohort(cohort: Cohort, config: TrainConfig) -> Split:
    """Take the labelled people and hold out a share of each diagnosis and site, by the seed.

    Raises DataError when there are too few people on either side.
    """
    diagnosis = cohort.subjects["diagnosis"]
    for labels in (config.background, config.target):
        found = int(diagnosis.isin(labels).sum())
        if found < FEWEST:
            there = ", ".join(sorted(set(diagnosis) - {""})) or "none"
            raise DataError(
                f"{found} people are labelled {', '.join(labels)}; training needs at least "
                f"{FEWEST} on each side. Labels in the table: {there}."
            )
    cohort = cohort.select(diagnosis.isin((*config.background, *config.target)).to_numpy())
    generator = np.random.default_rng(config.seed)
    held_out = np.zeros(len(cohort), dtype=bool)
    site, diagnosis = cohort.subjects["site"], cohort.subjects["diagnosis"]
    large = cohort.subjects.groupby(["diagnosis", "site"])["site"].transform("size") >= LARGE_GROUP
    groups = cohort.subjects.groupby([diagnosis, site.where(large, "")], sort=True).indices
    for rows in groups.values():
        taken = max(1, round(config.validation * len(rows)))
        held_out[generator.permutation(rows)[:taken]] = True
    return Split(cohort.select(~held_out), cohort.select(held_out))


@one_thread()
def train(
    split: Split,
    config: TrainConfig,
    latent: int = 5,
    on_progress: OnProgress | None = None,
    variant: str = DEFAULT_VARIANT,
    interim: Interim | None = None,
) -> TrainedModel:
    """Fit preprocessing and network to the people of `split.train`.

    `on_progress` is called after each epoch; when it returns False training stops and the best
    epoch so far is kept. What is handed over in the `interim` has no say in what is learned.
    Raises ConfigError for a variant that is not there, or that the settings are not for.
    """
    require_variant(variant, config)
    preprocessor = fit_preprocessor(split.train, config.background, config.target)
    model_config = ModelConfig(preprocessor.features, latent, variant=variant)
    training, validation = (
        _standardize(preprocessor, part, config) for part in (split.train, split.validation)
    )
    people = {
        "training background": len(training[0]),
        "training target": len(training[1]),
        "validation background": len(validation[0]),
        "validation target": len(validation[1]),
    }

    def finish(network: Network, history: Sequence[Progress]) -> TrainedModel:
        calibration = None
        if config.calibrate:
            size = preprocessor.mean_size(split.train, config.background)
            calibration = fit_calibration(network, *training, size, config.seed)
        return TrainedModel(
            model_config, config, network, preprocessor, calibration, tuple(history), people
        )

    on_best = None
    if interim is not None:
        keeper = _Keeper(interim, model_config, config.seed, finish, on_progress)
        on_best, on_progress = keeper.on_best, keeper.on_progress
    return finish(*fit_network(model_config, config, training, validation, on_progress, on_best))


class _Keeper:
    """Hands over the best so far, finished, when its time has come and there is a better one."""

    def __init__(
        self,
        interim: Interim,
        model_config: ModelConfig,
        seed: int,
        finish: Callable[[Network, Sequence[Progress]], TrainedModel],
        on_progress: OnProgress | None,
    ) -> None:
        self._interim, self._finish, self._told = interim, finish, on_progress
        self._network = initialize(model_config, seed)
        self._history: list[Progress] = []
        self._better = False
        self._last = time.monotonic()

    def on_best(self, weights: Mapping[str, Tensor]) -> None:
        """Of a better epoch."""
        self._network.load_state_dict(weights)
        self._better = True

    def on_progress(self, progress: Progress) -> bool | None:
        """After each epoch; passes the answer on."""
        answer = None if self._told is None else self._told(progress)
        self._history.append(progress)
        is_time = time.monotonic() - self._last >= self._interim.seconds
        if self._better and is_time and answer is not False:
            self._interim.keep(self._finish(self._network.eval(), self._history))
            self._better, self._last = False, time.monotonic()
        return answer


def fit_network(
    model_config: ModelConfig,
    config: TrainConfig,
    training: Pair,
    validation: Pair,
    on_progress: OnProgress | None = None,
    on_best: OnBest | None = None,
) -> tuple[Network, tuple[Progress, ...]]:
    """Minimize the objective on standardized data; return the best epoch's network on the CPU.

    `on_best` is called with the weights of each epoch that is better than those before it.
    """
    device = choose_device(config.device)
    background, target = (torch.as_tensor(x, dtype=torch.float32).to(device) for x in training)
    network = initialize(model_config, config.seed).to(device)
    generator = torch.Generator(device).manual_seed(config.seed)
    optimizer = _adam(network, config)
    opponent = None
    if model_config.variant == "total-correlation":
        opponent = _Opponent(model_config, config, device)
    best, best_score, best_epoch = copy.deepcopy(network.state_dict()), float("inf"), 0
    monitor = Monitor(training, validation, config.seed)
    history: list[Progress] = []
    started = time.monotonic()
    for epoch in range(1, config.epochs + 1):
        terms = _run_epoch(network, optimizer, background, target, config, generator, opponent)
        look = None
        if epoch % MONITOR_EVERY == 0 or epoch == config.epochs:
            look = monitor.look(network)
            if look.w2_background + look.w2_target < best_score:
                best_score, best_epoch = look.w2_background + look.w2_target, epoch
                best = copy.deepcopy(network.state_dict())
                if on_best is not None:
                    on_best(best)
        seconds = time.monotonic() - started
        history.append(Progress(epoch, config.epochs, terms, look, best_epoch, seconds))
        told_to_stop = on_progress is not None and on_progress(history[-1]) is False
        if told_to_stop or epoch - best_epoch >= config.patience + MONITOR_EVERY:
            break
    network.load_state_dict(best)
    return network.cpu().eval(), tuple(history)


def _standardize(preprocessor: Preprocessor, part: Cohort, config: TrainConfig) -> Pair:
    values = preprocessor.transform(part).values
    background = part.subjects["diagnosis"].isin(config.background).to_numpy()
    return values[background], values[~background]


def _adam(module: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    return torch.optim.Adam(
        module.parameters(), lr=config.learning_rate, betas=config.betas, foreach=True
    )


class _Opponent:
    """The discriminator of the variant total-correlation, with an Adam of its own."""

    def __init__(
        self, model_config: ModelConfig, config: TrainConfig, device: torch.device
    ) -> None:
        with seeded(config.seed):
            discriminator = Discriminator(model_config.latent, model_config.hidden)
        self.discriminator = discriminator.to(device)
        self.optimizer = _adam(self.discriminator, config)

    def learn(self, network: Network, target: Tensor, generator: torch.Generator) -> None:
        """One step, on latents that the network draws for target people as it is now."""
        with torch.no_grad():
            z = network.encode_common(target).sample(generator)
            s = network.encode_salient(target).sample(generator)
        loss = discrimination(self.discriminator, z, s, generator)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def _run_epoch(
    network: Network,
    optimizer: torch.optim.Optimizer,
    background: Tensor,
    target: Tensor,
    config: TrainConfig,
    generator: torch.Generator,
    opponent: _Opponent | None = None,
) -> dict[str, float]:
    network.train()
    discriminator = None if opponent is None else opponent.discriminator
    sums: dict[str, Tensor] = {}
    steps = 0
    for background_batch, target_batch in _batches(background, target, config, generator):
        terms = objective(network, target_batch, background_batch, config, generator, discriminator)
        optimizer.zero_grad()
        terms["total"].backward()
        optimizer.step()
        if opponent is not None:
            opponent.learn(network, target_batch, generator)
        sums = {name: sums.get(name, 0.0) + term.detach() for name, term in terms.items()}
        steps += 1
    return {name: float(total) / steps for name, total in sums.items()}


def _batches(
    background: Tensor, target: Tensor, config: TrainConfig, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Walk through the larger cohort once; the smaller one is dealt again as often as needed."""
    steps = -(-max(len(background), len(target)) // config.batch_size)
    dealt = [_deal(cohort, steps, config.batch_size, generator) for cohort in (background, target)]
    for batches in zip(*dealt, strict=True):
        background_batch, target_batch = (
            _blur(batch, config.input_noise, generator) for batch in batches
        )
        yield background_batch, target_batch


def _deal(cohort: Tensor, steps: int, size: int, generator: torch.Generator) -> list[Tensor]:
    """`steps` batches of at most `size` different people each, everyone about equally often."""
    size = min(size, len(cohort))
    rounds = -(-steps * size // len(cohort))
    order = torch.cat(
        [
            torch.randperm(len(cohort), generator=generator, device=cohort.device)
            for _ in range(rounds)
        ]
    )
    return [cohort[order[i * size : (i + 1) * size]] for i in range(steps)]


def _blur(values: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    if not noise:
        return values
    drawn = torch.randn(values.shape, generator=generator, device=values.device)
    return values + noise * drawn
