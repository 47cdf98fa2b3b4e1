"""Training: from people to a model, with preprocessing before it and calibration after."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from cavae.calibration import fit_calibration
from cavae.cohort import Cohort
from cavae.config import (
    DEFAULT_VARIANT,
    FEWEST,
    ModelConfig,
    TrainConfig,
    require_variant,
)
from cavae.errors import DataError
from cavae.fitted import FittedModel
from cavae.model import Network, initialize
from cavae.monitoring import Pair
from cavae.numbers import people
from cavae.optimization import OnProgress, Problem, Progress, fit_networks
from cavae.preprocessing import Preprocessor, fit_preprocessor
from cavae.threads import one_thread

LARGE_GROUP = 5  # people of one diagnosis and site that are held out by their own share


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
                f"{people(found)} labelled {', '.join(labels)}; training needs at least "
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


@dataclass(frozen=True)
class Run:
    """A training: on whom and how.

    on_progress is called after each epoch; when it returns False training stops and the best epoch
    so far is kept. What is handed over in the interim has no say in what is learned.
    """

    split: Split
    config: TrainConfig
    latent: int = 5
    variant: str = DEFAULT_VARIANT
    on_progress: OnProgress | None = None
    interim: Interim | None = None


def train(
    split: Split,
    config: TrainConfig,
    latent: int = 5,
    on_progress: OnProgress | None = None,
    variant: str = DEFAULT_VARIANT,
    interim: Interim | None = None,
) -> TrainedModel:
    """Fit preprocessing and network to the people of `split.train`, as `Run` says.

    Raises ConfigError for a variant that is not there, or that the settings are not for.
    """
    return train_together([Run(split, config, latent, variant, on_progress, interim)])[0]


@one_thread()
def train_together(runs: Sequence[Run]) -> list[TrainedModel]:
    """Each model as `train` makes it, in less time: see `optimization`."""
    prepared = _prepare(runs)
    fitted = fit_networks([one.problem() for one in prepared])
    return [one.finish(*pair) for one, pair in zip(prepared, fitted, strict=True)]


def _prepare(runs: Sequence[Run]) -> list[_Prepared]:
    """Everyone's data standardized; people that runs have in common once."""
    known: dict[tuple[int, tuple[str, ...], tuple[str, ...]], tuple[Preprocessor, Pair, Pair]] = {}
    prepared = []
    for run in runs:
        require_variant(run.variant, run.config)
        people = id(run.split), run.config.background, run.config.target
        if people not in known:
            known[people] = _standardize(run.split, run.config)
        prepared.append(_Prepared(run, *known[people]))
    return prepared


def _standardize(split: Split, config: TrainConfig) -> tuple[Preprocessor, Pair, Pair]:
    preprocessor = fit_preprocessor(split.train, config.background, config.target)

    def sides(part: Cohort) -> Pair:
        values = preprocessor.transform(part).values
        background = part.subjects["diagnosis"].isin(config.background).to_numpy()
        return values[background], values[~background]

    return preprocessor, sides(split.train), sides(split.validation)


@dataclass(frozen=True)
class _Prepared:
    """A run whose people are standardized."""

    run: Run
    preprocessor: Preprocessor
    training: Pair
    validation: Pair

    @property
    def model(self) -> ModelConfig:
        return ModelConfig(self.preprocessor.features, self.run.latent, variant=self.run.variant)

    def problem(self) -> Problem:
        """What the network is fitted to."""
        on_progress, on_best = self.run.on_progress, None
        if self.run.interim is not None:
            keeper = _Keeper(self)
            on_progress, on_best = keeper.on_progress, keeper.on_best
        return Problem(
            self.model, self.run.config, self.training, self.validation, on_progress, on_best
        )

    def finish(self, network: Network, history: Sequence[Progress]) -> TrainedModel:
        """The model of a fitted network, calibrated if it is to be."""
        run, calibration = self.run, None
        if run.config.calibrate:
            size = self.preprocessor.mean_size(run.split.train, run.config.background)
            calibration = fit_calibration(network, *self.training, size, run.config.seed)
        people = {
            "training background": len(self.training[0]),
            "training target": len(self.training[1]),
            "validation background": len(self.validation[0]),
            "validation target": len(self.validation[1]),
        }
        return TrainedModel(
            self.model, run.config, network, self.preprocessor, calibration, tuple(history), people
        )


class _Keeper:
    """Hands over the best so far, finished, when its time has come and there is a better one."""

    def __init__(self, prepared: _Prepared) -> None:
        self._prepared, self._interim = prepared, prepared.run.interim
        self._network = initialize(prepared.model, prepared.run.config.seed)
        self._history: list[Progress] = []
        self._better = False
        self._last = time.monotonic()

    def on_best(self, weights: Mapping[str, Tensor]) -> None:
        """Of a better epoch."""
        self._network.load_state_dict(weights)
        self._better = True

    def on_progress(self, progress: Progress) -> bool | None:
        """After each epoch; passes the answer on."""
        told = self._prepared.run.on_progress
        answer = None if told is None else told(progress)
        self._history.append(progress)
        is_time = time.monotonic() - self._last >= self._interim.seconds
        if self._better and is_time and answer is not False:
            self._interim.keep(self._prepared.finish(self._network.eval(), self._history))
            self._better, self._last = False, time.monotonic()
        return answer
