"""How useful synthetic people are: whether what is learned from them holds for real people.

Arrays are standardized (SD). Real people to test on are none that the generator has learned from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
        "Trained on synthetic people, AUC on real ones",
        "",
        "as high as the reference",
        "At the reference a classifier learns the disease from synthetic people as well as from "
        "the real ones that the model had; at 0.5 it learns nothing.",
        "trained on real people",
    ),
    Metric(
        "tuned_auc",
        "The same, tuned on synthetic people too, AUC",
        "",
        "as high as the reference",
        "Its L2 penalty is chosen on synthetic people too. Far below the reference they are easier "
        "to tell apart than real ones: take a stronger penalty than they ask for.",
        "trained on real people",
    ),
    Metric(
        "trtr_auc",
        "Trained on real people, AUC on other real ones",
        "",
        "higher, up to 1",
        "What real people teach, which synthetic ones are measured by: 1 is never wrong, 0.5 is a "
        "guess.",
    ),
    Metric(
        "augmented_auc",
        "Trained on 10 real people a group and synthetic ones, AUC",
        "",
        "above the reference",
        "Above the reference the download helps a small study; below it, it does harm.",
        "real ones alone",
    ),
    Metric(
        "column_shapes",
        "Distribution of a region (SDMetrics), median",
        "",
        "as high as the reference",
        "KSComplement. At the reference a region of synthetic people is distributed as in other "
        "real people; at 0 the two do not overlap.",
        "other real people",
    ),
    Metric(
        "column_pairs",
        "Correlation of two regions (SDMetrics), median",
        "",
        "as high as the reference",
        "CorrelationSimilarity. At the reference two regions go together in synthetic people as in "
        "other real people; at 0 they do the opposite.",
        "other real people",
    ),
)
"""In the order in which tables show them."""

PENALTIES = 10.0 ** np.arange(-2, 3)  # L2, a person; the best of them is taken
FOLDS = 5
SMALL_STUDIES = (5, 10, 20, 40, 80)  # real people a group
SMALL_STUDY = 10  # of them, the one that stands for all
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

    train: people that the generator learned from; test: others of the same sites. One classifier
    learns from all: its penalty is chosen on `train`, so that only the people differ.
    """
    penalty = choose_penalty(train)
    tstr, tuned, trtr = (
        _estimate(fit_classifier(people, strength), test, bootstrap)
        for people, strength in (
            (generated, penalty),
            (generated, choose_penalty(generated)),
            (train, penalty),
        )
    )
    curve = augment_small_studies(generated, train, test, penalty, bootstrap)
    same_size = generated.draw(train.sizes, np.random.default_rng(bootstrap.seed))
    shapes, pairs = (_compare(same_size, train, test, score) for score in (_shapes, _correlations))
    estimates = {
        "tstr_auc": replace(tstr, reference=trtr.value),
        "tuned_auc": replace(tuned, reference=trtr.value),
        "trtr_auc": trtr,
        "augmented_auc": _augmented(curve),
        "column_shapes": shapes,
        "column_pairs": pairs,
    }
    return estimates, curve


def measure_with(generated: Groups, people: Groups, bootstrap: Bootstrap) -> dict[str, Estimate]:
    """`tstr_auc` and `trtr_auc` on people of one's own, FOLDS or more a group; what real people
    teach is cross-validated."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    penalty = choose_penalty(people)
    trtr = _auc_estimate(
        cross_val_predict(
            _classifier(penalty, len(people.everyone)),
            people.everyone,
            people.diseased,
            cv=StratifiedKFold(FOLDS, shuffle=True, random_state=0),
            method="decision_function",
        ),
        people,
        bootstrap,
    )
    tstr = _estimate(fit_classifier(generated, penalty), people, bootstrap)
    return {"tstr_auc": replace(tstr, reference=trtr.value), "trtr_auc": trtr}


# --------------------------------------------------------------------------- classifier


def choose_penalty(people: Groups) -> float:
    """The one of PENALTIES with the best log likelihood of people left out, FOLDS folds."""
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.preprocessing import StandardScaler

    n = len(people.everyone)
    search = LogisticRegressionCV(
        Cs=1 / (PENALTIES * n),
        l1_ratios=(0.0,),
        cv=StratifiedKFold(min(FOLDS, *people.sizes), shuffle=True, random_state=0),
        scoring="neg_log_loss",
        max_iter=1000,
        use_legacy_attributes=False,
    )
    search.fit(StandardScaler().fit_transform(people.everyone), people.diseased)
    return 1 / (float(search.C_) * n)


def fit_classifier(people: Groups, penalty: float) -> Pipeline:
    """Logistic regression of target against background on standardized features."""
    classifier = _classifier(penalty, len(people.everyone))
    return classifier.fit(people.everyone, people.diseased)


def _classifier(penalty: float, people: int) -> Pipeline:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    logistic = LogisticRegression(C=1 / (penalty * people), max_iter=1000)
    return make_pipeline(StandardScaler(), logistic)


def _auc(classifier: Pipeline, test: Groups) -> float:
    scores = classifier.decision_function(test.everyone)
    return auc(scores[test.diseased], scores[~test.diseased])


def _estimate(classifier: Pipeline, test: Groups, bootstrap: Bootstrap) -> Estimate:
    return _auc_estimate(classifier.decision_function(test.everyone), test, bootstrap)


def _auc_estimate(scores: Array, test: Groups, bootstrap: Bootstrap) -> Estimate:
    """AUC of test people's scores; the interval resamples them within their groups."""
    positive, negative = scores[test.diseased], scores[~test.diseased]
    value = auc(positive, negative)
    return Estimate(value, bootstrap.interval(value, auc, positive, negative))


# --------------------------------------------------------------------------- small studies


def augment_small_studies(
    generated: Groups, real: Groups, test: Groups, penalty: float, bootstrap: Bootstrap
) -> tuple[SmallStudy, ...]:
    """The curve: `REPEATS` studies of each size drawn from real people, as far as they suffice."""
    generator = np.random.default_rng(bootstrap.seed)
    nobody = generated.draw((0, 0), generator)
    curve = []
    for people in SMALL_STUDIES:
        if people > min(real.sizes):
            break
        studies = [real.draw((people, people), generator) for _ in range(REPEATS)]
        alone, added = (
            _mean_auc([study.join(more) for study in studies], test, penalty, bootstrap)
            for more in (nobody, generated)
        )
        curve.append(SmallStudy(people, alone, added))
    return tuple(curve)


def _mean_auc(
    studies: Sequence[Groups], test: Groups, penalty: float, bootstrap: Bootstrap
) -> Estimate:
    values = np.array([_auc(fit_classifier(study, penalty), test) for study in studies])
    return Estimate(float(values.mean()), bootstrap.interval(values.mean(), np.mean, values))


def _augmented(curve: tuple[SmallStudy, ...]) -> Estimate:
    for study in curve:
        if study.people == SMALL_STUDY:
            return replace(study.added, reference=study.alone.value)
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
