"""How good a model is, measured on the semi-synthetic experiment, where the true twins are known.

Everything is in standardized units of the model's own preprocessing and on test people alone;
generated people are those of `sample --standardized --pairs 2000 --seed 0`, latents those of
`encode`, effects those of `counterfactual`, so that every figure can be computed again from files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cavae import paper
from cavae.bootstrap import RESAMPLES, Bootstrap
from cavae.estimates import UNKNOWN, Estimate, Metric
from cavae.evaluation import ranking_auc
from cavae.fitted import FittedModel
from cavae.metrics import held_out_scores, logistic_auc, logistic_aucs, wasserstein2
from cavae.simulation import HEALTHY, SemiSynthetic
from cavae.synthesis import (
    Encoding,
    SampleRequest,
    Twins,
    encode,
    encode_standardized,
    healthy_twins,
    sample_pairs,
)

Array = NDArray[np.float64]

PAIRS = 2000
SEED = 0
CLUSTERS = 4  # three subtypes and the healthy
REPEATS = 10  # partitions into folds; one alone moves the AUC by 0.005


# --------------------------------------------------------------------------- what is measured


METRICS = (
    Metric(
        "w2_target",
        "W2, generated to real target",
        "SD²",
        "lower, down to the floor",
        "At the floor generated patients are as close to real ones as other real patients are; "
        "far above it they are too much alike, shifted, or lack a subtype.",
        "floor",
    ),
    Metric(
        "w2_background",
        "W2, generated to real background",
        "SD²",
        "lower, down to the floor",
        "At the floor generated healthy people are as close to real ones as other real healthy "
        "people are; far above it they are too much alike or shifted.",
        "floor",
    ),
    Metric(
        "separation",
        "W2, generated target to generated background",
        "SD²",
        "equal to the real one",
        "At the real value the generated disease is as strong and as varied as the real one; below "
        "it the disease is too weak, above it too strong.",
        "real",
    ),
    Metric(
        "completeness",
        "Completeness of clusters of salient s",
        "",
        "higher, up to 1",
        "At 1 everyone of a subtype, and all healthy people, fall in one cluster each; at 0 "
        "clusters have nothing to do with subtypes.",
        best=1.0,
    ),
    Metric(
        "common_auc",
        "AUC of target against background on common z",
        "",
        "lower, down to 0.5",
        "At 0.5 common z says nothing of the disease; towards 1 the disease leaks into it, and "
        "twins lose what is theirs or keep what is not. Beyond 0.5 by as much as the true twins, "
        "the two cohorts differ by chance.",
        "true twins",
        best=0.5,
    ),
    Metric(
        "effect_r",
        "Effect, correlation with the truth",
        "",
        "higher, up to 1",
        "At 1 the effect is found in the right people and regions; at 0 it is unrelated to what "
        "the disease did.",
        best=1.0,
    ),
    Metric(
        "effect_rmse",
        "Effect, typical error",
        "SD",
        "lower, down to 0",
        "At 0 every effect is exact; at the reference it is no better than claiming no effect at "
        "all.",
        "no effect",
        best=0.0,
    ),
    Metric(
        "effect_slope",
        "Effect, slope of the true on the estimated one",
        "",
        "1 is best",
        "At 1 an effect of 2 SD is 2 SD in truth, on average; below 1 effects are overstated, "
        "above 1 understated.",
        best=1.0,
    ),
    Metric(
        "coverage90",
        "Effect on affected regions, truths inside their 90 % interval",
        "",
        "0.9 is best",
        "At 0.9 the intervals are as wide as they should be; below it they promise too much, above "
        "it they are wider than needed.",
        best=0.9,
    ),
    Metric(
        "mad",
        "Median difference of a target from the twin decode(z, 0)",
        "SD",
        "above the background's",
        "Well above the median of the background, severity tells patients from healthy people; "
        "equal to it, it does not.",
        "background",
    ),
    Metric(
        "effect_mad",
        "Mean size of the effect on a target",
        "SD",
        "equal to the true one",
        "At the true value the disease is as strong as it is in truth; below it, it is too weak, "
        "above it too strong.",
        "true",
    ),
)
"""In the order in which tables show them."""

WITH_INTERVAL = ("w2_target", "w2_background")
WITH_REFERENCE = (*WITH_INTERVAL, "separation")
NOT_ANSWERED = ("mad", "effect_mad")


@dataclass(frozen=True)
class SimulationFigures:
    """Estimates by key of `METRICS`; notices: what preprocessing had to assume, in sentences."""

    estimates: Mapping[str, Estimate]
    notices: tuple[str, ...] = ()

    def answer(self) -> dict[str, Any]:
        """The JSON answer of the command `evaluate`; null where a figure is not known."""
        return {
            metric.key: _answer(metric, self.estimates[metric.key])
            for metric in METRICS
            if metric.key not in NOT_ANSWERED
        }

    def table(self) -> pd.DataFrame:
        """One row a metric: key, metric, value, low, high, reference, referred_to, best, paper
        (λ = 10), unit, direction, meaning; nan where something is not known."""
        of_paper = paper.reported()
        rows = []
        for metric in METRICS:
            estimate = self.estimates[metric.key]
            rows.append(
                {
                    "key": metric.key,
                    "metric": metric.name,
                    "value": estimate.value,
                    "low": estimate.interval[0],
                    "high": estimate.interval[1],
                    "reference": estimate.reference,
                    "referred_to": metric.reference,
                    "best": metric.best,
                    "paper": of_paper.get(metric.key, float("nan")),
                    "unit": metric.unit,
                    "direction": metric.direction,
                    "meaning": metric.meaning,
                }
            )
        return pd.DataFrame(rows)

    def report(self) -> str:
        """The table as text for a terminal, two lines a metric; what is not known is left out."""
        rows = self.table().dropna(subset="value")
        return "\n".join(f"{_line(row)}\n    {row.meaning}" for row in rows.itertuples())


# --------------------------------------------------------------------------- measuring


def evaluate_simulation(
    model: FittedModel,
    simulated: SemiSynthetic,
    resamples: int = RESAMPLES,
    on_progress: Callable[[float], None] | None = None,
) -> SimulationFigures:
    """Measure a model on the test people of a semi-synthetic experiment.

    Without resamples there are no intervals, and nothing takes long. on_progress is told, after
    each part, which share of the parts is done.

    Raises:
        DataError: the model needs regions that the experiment lacks.
    """
    bootstrap = Bootstrap(resamples)
    target, background = (
        encode(model, people["test"]) for people in (simulated.target, simulated.background)
    )
    train_target, train_background = (
        model.preprocessor.transform(people["train"]).values
        for people in (simulated.target, simulated.background)
    )
    pairs = sample_pairs(model, SampleRequest(PAIRS, SEED, standardized=True))
    twins, healthy = healthy_twins(model, target), healthy_twins(model, background)
    true = true_effect(model, simulated, target)
    test = target.standardized, background.standardized
    parts: tuple[Callable[[], dict[str, Estimate]], ...] = (
        lambda: {"w2_target": fidelity(pairs.target, test[0], train_target, bootstrap)},
        lambda: {"w2_background": fidelity(pairs.background, test[1], train_background, bootstrap)},
        lambda: {"separation": separation((pairs.target, pairs.background), test, bootstrap)},
        lambda: _latent_figures(model, target, background, simulated, bootstrap),
        lambda: effect_recovery(twins.effect, true, bootstrap),
        lambda: {"coverage90": coverage(twins.effect_interval, true, bootstrap)},
        lambda: _severity(twins, healthy, true, bootstrap),
    )
    estimates: dict[str, Estimate] = {}
    for done, part in enumerate(parts, start=1):
        estimates |= part()
        if on_progress is not None:
            on_progress(done / len(parts))
    return SimulationFigures(
        estimates, tuple(dict.fromkeys([*target.notices, *background.notices]))
    )


def true_effect(model: FittedModel, simulated: SemiSynthetic, target: Encoding) -> Array:
    """Standardized test targets less their standardized true twins, SD, (n, p)."""
    return target.standardized - true_twins(model, simulated)


def true_twins(model: FittedModel, simulated: SemiSynthetic) -> Array:
    """Standardized true twins of the test targets, (n, p).

    Twins are transformed under the labels of their targets: as healthy people of their own they
    might be taken for another site.
    """
    truth = replace(simulated.truth["test"], subjects=simulated.target["test"].subjects)
    return model.preprocessor.transform(truth).values


def fidelity(generated: Array, test: Array, train: Array, bootstrap: Bootstrap) -> Estimate:
    """W2 of all generated people (2,000) to the test people; reference: the floor, W2 of the
    training people to the test people. The interval resamples generated and test people."""
    value = wasserstein2(generated, test)
    interval = bootstrap.wasserstein2_interval(value, generated, test)
    return Estimate(value, interval, wasserstein2(train, test))


def separation(
    generated: tuple[Array, Array], test: tuple[Array, Array], bootstrap: Bootstrap
) -> Estimate:
    """W2 of target to background, (target, background) each, in samples of one size, unpaired.

    Reference: all test targets to all test background people (450 each; of the smaller size m if
    sizes differ). Generated: pairs are cut in their order into blocks of m (pairs 1 to 450, 451 to
    900 …; an incomplete last block is left out); the value is the mean over blocks of W2 of the
    targets of a block to the background people of the block before (of the first: of the last). A
    single block moves by 3 % from seed to seed, their mean by less than 1 %. The interval
    resamples one block.
    """
    size = min(len(test[0]), len(test[1]), len(generated[0]) // 2)
    targets, backgrounds = (_blocks(people, size) for people in generated)
    before = [backgrounds[-1], *backgrounds[:-1]]
    value = float(np.mean([wasserstein2(t, b) for t, b in zip(targets, before, strict=True)]))
    interval = bootstrap.wasserstein2_interval(value, targets[0], before[0])
    return Estimate(value, interval, wasserstein2(test[0][:size], test[1][:size]))


def completeness(salient: Array, subtypes: Sequence[str], bootstrap: Bootstrap) -> Estimate:
    """Completeness of k-means (k = 4, best of 10 starts, random_state 0) on salient means (n, d),
    as they are, of test targets and background, against their subtypes, healthy being one.

    The interval resamples people and keeps their clusters.
    """
    from sklearn.cluster import KMeans

    clusters = KMeans(CLUSTERS, n_init=10, random_state=0).fit_predict(salient)
    both = np.column_stack([np.unique(subtypes, return_inverse=True)[1], clusters])
    value = _completeness(both)
    return Estimate(value, bootstrap.interval(value, _completeness, both))


def leakage(common: Array, diseased: NDArray[np.bool_], bootstrap: Bootstrap) -> Estimate:
    """Area under the ROC curve of a logistic regression on common means (n, d), target against
    background: mean of `logistic_auc` (5-fold, folds shuffled) over the seeds 0 to 9.

    The interval resamples people with the scores that they had when left out. nan when a group has
    fewer people than folds.
    """
    value = float(np.mean([logistic_auc(common, diseased, seed) for seed in range(REPEATS)]))
    if np.isnan(value):
        return UNKNOWN
    scored = np.column_stack([_held_out_scores(common, diseased), diseased])

    def of(people: Array) -> float:
        return ranking_auc(people[:, 0], people[:, 1].astype(bool))

    return Estimate(value, bootstrap.interval(value, of, scored))


def effect_recovery(estimated: Array, true: Array, bootstrap: Bootstrap) -> dict[str, Estimate]:
    """Estimated against true effects, SD, (n, p), over all n p pairs of person and region.

    effect_r: Pearson correlation; effect_rmse: root mean square of the difference (reference: of
    the true effect itself); effect_slope: least squares slope of the true on the estimated effect,
    with an intercept. Intervals resample people.
    """
    moments = np.column_stack(
        [
            product.mean(axis=1)
            for product in (estimated, true, estimated**2, true**2, estimated * true)
        ]
    )
    statistics = {"effect_r": _correlation, "effect_rmse": _rmse, "effect_slope": _slope}
    references = {"effect_rmse": float(np.sqrt(np.mean(true**2)))}
    return {
        key: Estimate(
            statistic(moments),
            bootstrap.interval(statistic(moments), statistic, moments),
            references.get(key, float("nan")),
        )
        for key, statistic in statistics.items()
    }


def coverage(interval: tuple[Array, Array] | None, true: Array, bootstrap: Bootstrap) -> Estimate:
    """Share of the pairs of person and region with a true effect whose interval holds it, bounds
    included; interval: lower and upper bounds, SD, (n, p) each, or None: not known.

    Regions that the disease spared are left out: that their effect is 0 is easily said.
    """
    if interval is None:
        return UNKNOWN
    low, high = interval
    affected = true != 0
    inside = (low <= true) & (true <= high) & affected
    counts = np.column_stack([inside.sum(axis=1), affected.sum(axis=1)]).astype(float)
    value = _share(counts)
    return Estimate(value, bootstrap.interval(value, _share, counts))


def latent_figures(
    common: Array, salient: Array, subtypes: NDArray[np.str_], bootstrap: Bootstrap
) -> dict[str, Estimate]:
    """completeness and common_auc of people's common and salient means (n, d) and subtypes (n,).

    Clusters are sought in salient s; a conditional VAE has none, so there in its only latent, z.
    """
    return {
        "completeness": completeness(_clustered(common, salient), subtypes, bootstrap),
        "common_auc": leakage(common, subtypes != HEALTHY, bootstrap),
    }


def latent_folds(
    common: Array, salient: Array, subtypes: NDArray[np.str_], folds: int
) -> dict[str, Array]:
    """completeness and common_auc fold by fold, (folds,) each (paper, Figure A1).

    The classifier learns from the people of the other folds, and so do the clusters, of which
    those of a fold take the nearest. nan when a group has fewer people than folds.
    """
    return {
        "completeness": completeness_folds(_clustered(common, salient), subtypes, folds),
        "common_auc": logistic_aucs(common, subtypes != HEALTHY, SEED, folds),
    }


def completeness_folds(points: Array, subtypes: NDArray[np.str_], folds: int) -> Array:
    """`completeness` of the people of each fold, by clusters of the others' points (n, d)."""
    from sklearn.cluster import KMeans
    from sklearn.model_selection import StratifiedKFold

    _, codes, counts = np.unique(subtypes, return_inverse=True, return_counts=True)
    if counts.min() < folds:
        return np.full(folds, np.nan)
    found = []
    dealt = StratifiedKFold(folds, shuffle=True, random_state=SEED)
    for others, fold in dealt.split(points, codes):
        clusters = KMeans(CLUSTERS, n_init=10, random_state=0).fit(points[others])
        both = np.column_stack([codes[fold], clusters.predict(points[fold])])
        found.append(_completeness(both))
    return np.array(found)


def _clustered(common: Array, salient: Array) -> Array:
    return common if np.ptp(salient, axis=0).max() == 0 else salient


# --------------------------------------------------------------------------- parts


def _latent_figures(
    model: FittedModel,
    target: Encoding,
    background: Encoding,
    simulated: SemiSynthetic,
    bootstrap: Bootstrap,
) -> dict[str, Estimate]:
    """`latent_figures` of test people; reference of common_auc: with the true twins as targets."""
    people = simulated.target["test"], simulated.background["test"]
    subtypes = np.concatenate([cohort.extra["subtype"].to_numpy(str) for cohort in people])
    common, salient = (
        np.concatenate([getattr(target, name), getattr(background, name)])
        for name in ("common", "salient")
    )
    figures = latent_figures(common, salient, subtypes, bootstrap)
    twins, _ = encode_standardized(model, true_twins(model, simulated))
    by_chance = leakage(
        np.concatenate([twins, background.common]), subtypes != HEALTHY, Bootstrap(0)
    )
    return figures | {"common_auc": replace(figures["common_auc"], reference=by_chance.value)}


def _severity(
    twins: Twins, healthy: Twins, true: Array, bootstrap: Bootstrap
) -> dict[str, Estimate]:
    """mad: median over targets; effect_mad: mean over targets."""
    mad, size = float(np.median(twins.mad)), float(twins.effect_mad.mean())
    return {
        "mad": Estimate(
            mad, bootstrap.interval(mad, np.median, twins.mad), float(np.median(healthy.mad))
        ),
        "effect_mad": Estimate(
            size, bootstrap.interval(size, np.mean, twins.effect_mad), float(np.abs(true).mean())
        ),
    }


def _blocks(people: Array, size: int) -> list[Array]:
    return [people[start : start + size] for start in range(0, len(people) - size + 1, size)]


def _share(counts: Array) -> float:
    """Sum of the first column over that of the second; nan when the second is 0."""
    part, whole = counts.sum(axis=0)
    return float(part / whole) if whole else float("nan")


def _completeness(both: NDArray[np.int64]) -> float:
    """1 - H(cluster | subtype) / H(cluster) of people's subtypes and clusters (n, 2), from 0 on.

    scikit-learn's completeness_score, without the checks that a thousand resamples do not need.
    """
    subtypes, clusters = both.max(axis=0) + 1
    joint = np.bincount(both[:, 0] * clusters + both[:, 1], minlength=subtypes * clusters)
    joint = joint.reshape(subtypes, clusters) / len(both)
    of_cluster = _entropy(joint.sum(axis=0))
    within = _entropy(joint.ravel()) - _entropy(joint.sum(axis=1))
    return float(1 - within / of_cluster) if of_cluster else 1.0


def _entropy(shares: Array) -> float:
    present = shares[shares > 0]
    return float(-(present * np.log(present)).sum())


def _held_out_scores(latents: Array, diseased: NDArray[np.bool_]) -> Array:
    """Log-odds of everyone by the classifier of `logistic_auc`, from the folds without them."""
    scores = np.empty(len(latents))
    for people, score in held_out_scores(latents, diseased):
        scores[people] = score
    return scores


# Statistics of people's moments (n, 5): means over regions of e, t, e², t², e t, with e the
# estimated and t the true effect. From them a thousand resamples take no time.


def _correlation(moments: Array) -> float:
    e, t, ee, tt, et = moments.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float((et - e * t) / np.sqrt((ee - e**2) * (tt - t**2)))


def _rmse(moments: Array) -> float:
    _, _, ee, tt, et = moments.mean(axis=0)
    return float(np.sqrt(max(ee - 2 * et + tt, 0.0)))


def _slope(moments: Array) -> float:
    e, t, ee, _, et = moments.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float((et - e * t) / (ee - e**2))


def _answer(metric: Metric, estimate: Estimate) -> Any:
    if metric.key not in WITH_REFERENCE:
        return _known(estimate.value)
    answer: dict[str, Any] = {
        "value": _known(estimate.value),
        metric.reference: _known(estimate.reference),
    }
    if metric.key in WITH_INTERVAL:
        answer["interval"] = [_known(bound) for bound in estimate.interval]
    return answer


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _line(row: Any) -> str:
    places = 2 if row.unit == "SD²" else 3
    parts = [f"{row.metric}: {row.value:.{places}f} {row.unit}".rstrip()]
    if np.isfinite(row.low):
        parts[0] += f" ({row.low:.{places}f} to {row.high:.{places}f})"
    if np.isfinite(row.reference):
        parts.append(f"{row.referred_to}: {row.reference:.{places}f}")
    if np.isfinite(row.paper):
        parts.append(f"paper: {row.paper:.{places}f}")
    return "; ".join([*parts, row.direction])
