"""How useful synthetic people are: whether what is learned from them holds for real people.

Arrays are standardized (SD). Real people to test on are none that the generator has learned from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cavae.bootstrap import Bootstrap
from cavae.estimates import UNKNOWN, Estimate, Metric
from cavae.groups import Groups
from cavae.metrics import auc

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Array = NDArray[np.float64]

METRICS = (
    Metric(
        "tstr_auc",
        "Classifier trained on synthetic people, AUC on real ones",
        "",
        "as high as trained on real people",
        "At the reference synthetic people teach the disease as well as the real ones do that the "
        "model learned from; at 0.5 they teach nothing.",
        "trained on real people",
    ),
    Metric(
        "trtr_auc",
        "The same classifier trained on real people, AUC on real ones",
        "",
        "higher, up to 1",
        "What real people teach, and so what synthetic ones can be measured by; 0.5 is nothing.",
    ),
    Metric(
        "augmented_auc",
        "Classifier of 20 real people a group with synthetic ones added, AUC on real ones",
        "",
        "above the real ones alone",
        "Above the reference the download helps a small study; below it, it does harm.",
        "20 real people a group alone",
    ),
    Metric(
        "column_shapes",
        "Distribution of each region (SDMetrics KSComplement), median",
        "",
        "as high as other real people",
        "At the reference a region of synthetic people is distributed as in other real people; at "
        "0 the two do not overlap.",
        "other real people",
    ),
    Metric(
        "column_pairs",
        "Correlation of two regions (SDMetrics CorrelationSimilarity), median",
        "",
        "as high as other real people",
        "At the reference two regions go together in synthetic people as in other real people; at "
        "0 they do the opposite.",
        "other real people",
    ),
)
"""In the order in which tables show them."""

STRENGTHS = 10.0 ** np.arange(-4, 1)  # inverse of the L2 penalty, the best of them is taken
FOLDS = 5
SMALL_STUDIES = (10, 20, 40, 80)  # real people a group
SMALL_STUDY = 20  # of them, the one that stands for all
REPEATS = 10  # small studies drawn of each size
COLUMN_PAIRS = 30  # pairs of regions that stand for all 9,591: the score of each takes 10 ms


@dataclass(frozen=True)
class SmallStudy:
    """AUC on real people of a classifier of `people` real people a group, alone and with synthetic
    ones added: means over studies drawn at random, with the interval of the mean."""

    people: int
    alone: Estimate
    added: Estimate


def measure_usefulness(
    generated: Groups, train: Groups, test: Groups, bootstrap: Bootstrap
) -> tuple[dict[str, Estimate], tuple[SmallStudy, ...]]:
    """Estimates by key of `METRICS`, and the curve of small studies.

    train: the people that the generator learned from; test: others.
    """
    of_synthetic, of_real = fit_classifier(generated), fit_classifier(train)
    tstr, trtr = (score_classifier(fitted, test, bootstrap) for fitted in (of_synthetic, of_real))
    strengths = _strength(of_real), _strength(of_synthetic)
    curve = augment_small_studies(generated, train, test, strengths, bootstrap)
    same_size = generated.draw(train.sizes, np.random.default_rng(bootstrap.seed))
    shapes, pairs = (_compare(same_size, train, test, score) for score in (_shapes, _correlations))
    estimates = {
        "tstr_auc": Estimate(tstr.value, tstr.interval, trtr.value),
        "trtr_auc": trtr,
        "augmented_auc": _augmented(curve),
        "column_shapes": shapes,
        "column_pairs": pairs,
    }
    return estimates, curve


def measure_with(generated: Groups, people: Groups, bootstrap: Bootstrap) -> Mapping[str, Estimate]:
    """`tstr_auc` and `trtr_auc` on people of one's own; what real people teach is cross-validated.

    UNKNOWN when a group has fewer than 5 people.
    """
    if min(people.sizes) < FOLDS:
        return {"tstr_auc": UNKNOWN, "trtr_auc": UNKNOWN}
    trtr = _estimate(_held_out_scores(people), people, bootstrap)
    tstr = score_classifier(fit_classifier(generated), people, bootstrap)
    return {"tstr_auc": Estimate(tstr.value, tstr.interval, trtr.value), "trtr_auc": trtr}


# --------------------------------------------------------------------------- classifier


def fit_classifier(people: Groups) -> Pipeline:
    """Logistic regression of target against background, its L2 penalty chosen by 5 folds."""
    return _chosen_classifier(people).fit(people.everyone, people.diseased)


def score_classifier(classifier: Pipeline, test: Groups, bootstrap: Bootstrap) -> Estimate:
    """AUC on test people; the interval resamples them within their groups."""
    return _estimate(classifier.decision_function(test.everyone), test, bootstrap)


def _estimate(scores: Array, test: Groups, bootstrap: Bootstrap) -> Estimate:
    positive, negative = scores[test.diseased], scores[~test.diseased]
    value = auc(positive, negative)
    return Estimate(value, bootstrap.interval(value, auc, positive, negative))


def _chosen_classifier(people: Groups) -> Pipeline:
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = StratifiedKFold(min(FOLDS, *people.sizes), shuffle=True, random_state=0)
    logistic = LogisticRegressionCV(
        Cs=STRENGTHS,
        l1_ratios=(0.0,),
        cv=folds,
        scoring="neg_log_loss",
        max_iter=1000,
        use_legacy_attributes=False,
    )
    return make_pipeline(StandardScaler(), logistic)


def _strength(classifier: Pipeline) -> float:
    return float(classifier[-1].C_)


def _held_out_scores(people: Groups) -> Array:
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    return cross_val_predict(
        _chosen_classifier(people),
        people.everyone,
        people.diseased,
        cv=folds,
        method="decision_function",
    )


# --------------------------------------------------------------------------- small studies


def augment_small_studies(
    generated: Groups,
    real: Groups,
    test: Groups,
    strengths: tuple[float, float],
    bootstrap: Bootstrap,
) -> tuple[SmallStudy, ...]:
    """The curve: `REPEATS` studies of each size drawn from real people, as far as they suffice.

    strengths: of a classifier alone and with synthetic people. Chosen beforehand, from everybody:
    what twenty people choose is noise.
    """
    generator = np.random.default_rng(bootstrap.seed)
    nobody = generated.draw((0, 0), generator)
    curve = []
    for people in SMALL_STUDIES:
        if people > min(real.sizes):
            break
        studies = [real.draw((people, people), generator) for _ in range(REPEATS)]
        alone, added = (
            _mean_auc([study.join(more) for study in studies], test, strength, bootstrap)
            for more, strength in zip((nobody, generated), strengths, strict=True)
        )
        curve.append(SmallStudy(people, alone, added))
    return tuple(curve)


def _mean_auc(
    studies: Sequence[Groups], test: Groups, strength: float, bootstrap: Bootstrap
) -> Estimate:
    values = np.array([_auc(study, test, strength) for study in studies])
    return Estimate(float(values.mean()), bootstrap.interval(values.mean(), np.mean, values))


def _auc(study: Groups, test: Groups, strength: float) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
    classifier.fit(study.everyone, study.diseased)
    scores = classifier.decision_function(test.everyone)
    return auc(scores[test.diseased], scores[~test.diseased])


def _augmented(curve: tuple[SmallStudy, ...]) -> Estimate:
    for study in curve:
        if study.people == SMALL_STUDY:
            return Estimate(study.added.value, study.added.interval, study.alone.value)
    return UNKNOWN


# --------------------------------------------------------------------------- SDMetrics


def _compare(
    generated: Groups,
    train: Groups,
    test: Groups,
    score: Callable[[Array, Array], list[float]],
) -> Estimate:
    """Median score of generated against test people, over columns and both groups; reference: of
    train against test people, who are as many as the generated ones."""
    value, reference = (
        np.median([*score(people.background, test.background), *score(people.target, test.target)])
        for people in (generated, train)
    )
    return Estimate(float(value), reference=float(reference))


def _shapes(a: Array, b: Array) -> list[float]:
    from sdmetrics.single_column import KSComplement

    return [
        KSComplement.compute(pd.Series(one), pd.Series(other))
        for one, other in zip(b.T, a.T, strict=True)
    ]


def _correlations(a: Array, b: Array) -> list[float]:
    from sdmetrics.column_pairs import CorrelationSimilarity

    tables = pd.DataFrame(b), pd.DataFrame(a)
    return [
        CorrelationSimilarity.compute(*(table[list(pair)] for table in tables))
        for pair in _column_pairs(a.shape[1])
    ]


def _column_pairs(columns: int) -> list[tuple[int, int]]:
    """Pairs of columns, all of them or COLUMN_PAIRS at random, always the same."""
    first, second = np.triu_indices(columns, 1)
    chosen = np.random.default_rng(0).permutation(len(first))[:COLUMN_PAIRS]
    return [(int(first[k]), int(second[k])) for k in chosen]
