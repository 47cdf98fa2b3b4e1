"""From people to latents, healthy twins and effects; from a seed to pairs (paper, section 3.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from cavae.atlas import rois
from cavae.calibration import read_people
from cavae.cohort import Cohort
from cavae.errors import ConfigError
from cavae.fitted import FittedModel
from cavae.model import Network
from cavae.preprocessing import Adaptation

Array = NDArray[np.float64]

TWINS = ("residual", "paper")
NORMAL_90 = 1.645  # half width of a 90 % interval in SD
CHUNK = 10_000  # pairs in memory at once
MAX_PAIRS = 100_000_000
SMALLEST_SHARE = 0.25
DECIMALS = 2  # of drawn volumes: a hundredth of a mm³ is far below what a scan can tell
AGE_LIMITS, ICV_LIMITS = (18.0, 100.0), (600_000.0, 2_600_000.0)


@dataclass(frozen=True)
class Encoding:
    """A cohort in latent space, one row a person.

    standardized (n, p); common z and salient s (n, latent), posterior means; subjects as in
    `Standardized`; adaptations by site for the way back to mm³.
    """

    subjects: pd.DataFrame
    standardized: Array
    common: Array
    salient: Array
    adaptations: Mapping[str, Adaptation]
    notices: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """subject_id, diagnosis (if any is known), common_1…, salient_1…"""
        return pd.concat([self.people(), self.latents()], axis=1)

    def people(self) -> pd.DataFrame:
        """subject_id, diagnosis (if any is known)."""
        known = self.subjects[["subject_id", "diagnosis"]]
        return known[["subject_id"]] if (known["diagnosis"] == "").all() else known

    def latents(self) -> pd.DataFrame:
        """common_1…, salient_1…"""
        both = {"common": self.common, "salient": self.salient}
        return pd.DataFrame(
            {f"{n}_{k + 1}": m[:, k] for n, m in both.items() for k in range(m.shape[1])}
        )


@dataclass(frozen=True)
class Twins:
    """Healthy twins of a cohort.

    healthy: volumes of the twin in mm³ (n, p), for the person's own age, sex, ICV and site;
    effect: what the disease does to this person in SD (n, p): decode(z, s) - decode(z, 0), or of a
    calibrated model the posterior mean given all that was measured, with its 90 % interval;
    mad: mean over features of |x - decode(z, 0)| (paper, Figure 4b), (n,);
    effect_mad: mean over features of |effect|, (n,).
    """

    encoding: Encoding
    features: tuple[str, ...]
    healthy: Array
    effect: Array
    mad: Array
    effect_mad: Array
    effect_interval: tuple[Array, Array] | None

    def table(self, standardized: bool = False, intervals: bool = False) -> pd.DataFrame:
        """One row a person, the columns of the command `counterfactual`.

        intervals: with low_… and high_…, the ends of everyone's 90 % intervals in SD; raises
        ConfigError where the model has none.
        """
        blocks = {"healthy": self.healthy, "effect": self.effect}
        if intervals and self.effect_interval is None:
            raise ConfigError(
                "A model of the preset paper tells no intervals; accepted: a calibrated model."
            )
        if intervals:
            blocks |= dict(zip(("low", "high"), self.effect_interval, strict=True))
        if standardized:
            blocks["observed"] = self.encoding.standardized
        columns = {
            f"{block}_{name}": values[:, j]
            for block, values in blocks.items()
            for j, name in enumerate(self.features)
        }
        latents = self.encoding.table()
        known = [name for name in ("subject_id", "diagnosis") if name in latents]
        severity = pd.DataFrame({"mad": self.mad, "effect_mad": self.effect_mad})
        return pd.concat(
            [latents[known], severity, latents.drop(columns=known), pd.DataFrame(columns)], axis=1
        )


def encode(model: FittedModel, cohort: Cohort) -> Encoding:
    """Posterior means of z and s for everyone; raises DataError when features are missing."""
    standardized = model.preprocessor.transform(cohort)
    common, salient = encode_standardized(model, standardized.values)
    return Encoding(
        standardized.subjects,
        standardized.values,
        common,
        salient,
        standardized.adaptations,
        standardized.notices,
    )


def encode_standardized(model: FittedModel, x: Array) -> tuple[Array, Array]:
    """z and s, (n, latent) each, of standardized people x (n, p): posterior means.

    z of a calibrated model is that of the healthy twin (`calibration.read_people`).
    """
    reading = read_people(model.exact, model.calibration, x)
    return _array(reading.common.mean), reading.salient


def decode(model: FittedModel, common: Array, salient: Array) -> Array:
    """Mean of p(x|z, s), standardized, (n, p)."""
    return _decode(model.exact, common, salient)


def _decode(network: Network, common: Array, salient: Array) -> Array:
    """`decode` in the precision of the network."""
    precision = next(network.parameters()).dtype
    z, s = (torch.as_tensor(latent, dtype=precision) for latent in (common, salient))
    with torch.no_grad():
        return _array(network.decode(z, s))


def disease_effect(model: FittedModel, common: Array, salient: Array) -> Array:
    """Effect, SD, (n, p), that latents alone tell: target minus twin, exactly 0 at s = 0.

    decode(z, s) - decode(z, 0); of a calibrated model what is expected given it.
    """
    decoded = decode(model, common, salient) - decode(model, common, np.zeros_like(salient))
    if model.calibration is None:
        return decoded
    return model.calibration.expected_effect(salient, decoded)


def healthy_twins(model: FittedModel, encoding: Encoding, twin: str = "residual") -> Twins:
    """Give everyone a healthy twin.

    `paper`: decode(z, 0) (paper, Figure 4b). `residual`: x - effect, which keeps the person's own
    anatomy and takes away the effect alone.
    """
    if twin not in TWINS:
        raise ConfigError(f"twin is {twin!r}; accepted: {', '.join(TWINS)}.")
    without = decode(model, encoding.common, np.zeros_like(encoding.salient))
    decoded = decode(model, encoding.common, encoding.salient) - without
    effect, interval = _effect(model, encoding, decoded)
    standardized = without if twin == "paper" else encoding.standardized - effect
    healthy = model.preprocessor.inverse_transform(
        standardized, encoding.subjects, encoding.adaptations
    )
    return Twins(
        encoding=encoding,
        features=model.config.features,
        healthy=healthy,
        effect=effect,
        mad=np.abs(encoding.standardized - without).mean(axis=1),
        effect_mad=np.abs(effect).mean(axis=1),
        effect_interval=interval,
    )


def _effect(
    model: FittedModel, encoding: Encoding, decoded: Array
) -> tuple[Array, tuple[Array, Array] | None]:
    """Everyone's effect (n, p) and, of a calibrated model, its 90 % interval."""
    if model.calibration is None:
        return decoded, None
    mean, sd = model.calibration.effect_posterior(encoding.standardized, encoding.salient, decoded)
    return mean, (mean - NORMAL_90 * sd, mean + NORMAL_90 * sd)


@dataclass(frozen=True)
class PairedCohort:
    """Synthetic pairs: row i of background and of target are one person without and with disease.

    subjects: age, sex, icv; background and target (n, p) in mm³, or in SD when standardized;
    subtype (n,): component of the salient mixture, counted from 1.
    """

    subjects: pd.DataFrame
    features: tuple[str, ...]
    background: Array
    target: Array
    subtype: NDArray[np.int64]
    first_pair: int = 1

    def table(self) -> pd.DataFrame:
        """Two rows a pair, the columns of the command `sample`."""
        n = len(self.subjects)
        # A column is contiguous, as Parquet takes it.
        values = np.empty((len(self.features), 2 * n))
        values[:, 0::2], values[:, 1::2] = self.background.T, self.target.T
        people = self.subjects.loc[self.subjects.index.repeat(2)].reset_index(drop=True)
        head = pd.DataFrame(
            {
                "pair_id": np.repeat(np.arange(self.first_pair, self.first_pair + n), 2),
                "group": np.tile(["background", "target"], n),
                "subtype": np.repeat(self.subtype, 2),
                "age": people["age"],
                "sex": people["sex"],
                "icv": people["icv"],
            }
        )
        return pd.concat([head, pd.DataFrame(values.T, columns=list(self.features))], axis=1)


@dataclass(frozen=True)
class SampleRequest:
    """What to draw: `pairs` people by `seed`; age (years), sex, icv (mm³), subtype if given."""

    pairs: int
    seed: int = 0
    age: float | None = None
    sex: str | None = None
    icv: float | None = None
    subtype: int | None = None
    standardized: bool = False

    def __post_init__(self) -> None:
        _within("pairs", self.pairs, 1, MAX_PAIRS)
        _within("seed", self.seed, 0, 2**63 - 1)
        _within("age", self.age, *AGE_LIMITS)
        _within("icv", self.icv, *ICV_LIMITS)
        if self.sex not in (None, "F", "M"):
            raise ConfigError(f"sex is {self.sex!r}; accepted: F, M.")


def sample_pairs(model: FittedModel, request: SampleRequest) -> PairedCohort:
    """Draw all pairs into memory; `sample_chunks` keeps memory flat."""
    chunks = list(sample_chunks(model, request))
    return PairedCohort(
        pd.concat([c.subjects for c in chunks], ignore_index=True),
        chunks[0].features,
        np.concatenate([c.background for c in chunks]),
        np.concatenate([c.target for c in chunks]),
        np.concatenate([c.subtype for c in chunks]),
    )


def sample_chunks(model: FittedModel, request: SampleRequest) -> Iterator[PairedCohort]:
    """Draw pairs, CHUNK at a time.

    Every chunk has its own random stream (seed, number of the chunk), so the first pairs of a
    large request are those of a small one.
    """
    known = model.calibration.subtypes if model.calibration is not None else 1
    _within("subtype", request.subtype, 1, known)
    for number, start in enumerate(range(0, request.pairs, CHUNK)):
        generator = np.random.default_rng((request.seed, number))
        size = min(CHUNK, request.pairs - start)
        subjects = _draw_subjects(model, request, generator).iloc[:size]
        background, target, subtype = (
            drawn[:size] for drawn in _draw_standardized(model, request, generator)
        )
        if not request.standardized:
            both = np.stack([background, target])
            background, target = possible_volumes(model, both, subjects)
        yield PairedCohort(
            subjects, model.config.features, background, target, subtype, first_pair=start + 1
        )


def possible_volumes(model: FittedModel, standardized: Array, subjects: pd.DataFrame) -> Array:
    """Drawn values (n, p) in mm³, no brain region below SMALLEST_SHARE of what is expected.

    Several draws of the same subjects may be stacked, (draws, n, p). Normal tails know no zero;
    features that are not volumes are left as they are.
    """
    values = model.preprocessor.inverse_transform(standardized, subjects)
    if not set(model.config.features) <= {roi.index for roi in rois()}:
        return values
    floor = SMALLEST_SHARE * model.preprocessor.expected_volumes(subjects)
    return np.maximum(values, floor, out=values).round(DECIMALS, out=values)


def draw_prior(
    model: FittedModel, people: int, generator: np.random.Generator
) -> tuple[Array, Array]:
    """z ~ N(0, I) (people, latent) and s of target people, as the network's prior has it."""
    z, noise = generator.standard_normal((2, people, model.config.latent))
    return z, model.network.prior_salient(torch.as_tensor(noise)).numpy()


def _draw_standardized(
    model: FittedModel, request: SampleRequest, generator: np.random.Generator
) -> tuple[Array, Array, NDArray[np.int64]]:
    """CHUNK pairs in SD: background and target (CHUNK, p), and the subtype of each pair.

    Without calibration as in section 3.3 of the paper: z, s by `draw_prior`, background
    decode(z, 0), target decode(z, s). With it, see `calibration`. Decoded in single precision,
    which is enough for draws and takes half the time.
    """
    if model.calibration is None:
        z, s = draw_prior(model, CHUNK, generator)
        background, target = (
            _decode(model.network, z, np.zeros_like(s)),
            _decode(model.network, z, s),
        )
        return background, target, np.ones(CHUNK, dtype=np.int64)
    calibration = model.calibration
    z = calibration.sample_common(CHUNK, generator)
    component = None if request.subtype is None else request.subtype - 1
    s, drawn = calibration.sample_salient(CHUNK, generator, component)
    without = _decode(model.network, z, np.zeros_like(s))
    background = without + calibration.sample_residual(CHUNK, generator)
    decoded = _decode(model.network, z, s) - without
    effect = calibration.sample_effect(background, decoded, drawn, generator)
    return background, background + effect, drawn + 1


def _draw_subjects(
    model: FittedModel, request: SampleRequest, generator: np.random.Generator
) -> pd.DataFrame:
    """Age, sex and ICV as in the target training cohort: the ages at which the disease occurs."""
    population = model.preprocessor.populations["target"]
    if request.sex is not None:
        population = replace(population, female=float(request.sex == "F"))
    subjects = population.sample(CHUNK, generator)
    fixed = {"age": request.age, "icv": request.icv}
    return subjects.assign(**{name: value for name, value in fixed.items() if value is not None})


def _within(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise ConfigError(f"{name} is {value}; accepted: {low:,.0f} to {high:,.0f}.")


def _array(values: Tensor) -> Array:
    return values.double().numpy()
