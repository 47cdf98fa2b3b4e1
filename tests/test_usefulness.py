"""Useful synthetic people teach what real ones teach; useless ones teach nothing."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.model_selection import StratifiedKFold, cross_val_score

from cavae.bootstrap import Bootstrap
from cavae.groups import Groups
from cavae.usefulness import (
    METRICS,
    PENALTIES,
    SMALL_STUDIES,
    choose_penalty,
    fit_classifier,
    measure_usefulness,
    measure_with,
)

FEW = Bootstrap(resamples=50)
SHIFT = np.array([-1.0, -0.7, -0.3, 0.0, 0.0, 0.0])
ELSEWHERE = np.array([0.0, 0.0, 0.0, -1.0, 0.0, 0.0])  # where the disease does nothing


def people(count: int, seed: int, shift=SHIFT, scale: float = 1.0) -> Groups:
    """Six features, the last two of them correlated; the disease shifts the first three."""
    generator = np.random.default_rng(seed)
    root = np.eye(6)
    root[4, 5] = 1.0

    def draw() -> np.ndarray:
        return scale * generator.standard_normal((count, 6)) @ root

    return Groups(draw(), draw() + shift)


TRAIN, TEST = people(200, 1), people(200, 2)


@pytest.fixture(scope="module")
def honest():
    return measure_usefulness(people(400, 3), TRAIN, TEST, FEW)


@pytest.fixture(scope="module")
def useless():
    return measure_usefulness(people(400, 3, ELSEWHERE), TRAIN, TEST, FEW)


def test_people_of_the_same_kind_teach_as_much_as_real_ones(honest):
    figures, _ = honest
    assert figures["tstr_auc"].value == pytest.approx(figures["trtr_auc"].value, abs=0.04)
    assert figures["tstr_auc"].reference == figures["trtr_auc"].value
    low, high = figures["tstr_auc"].interval
    assert 0.7 < low < figures["tstr_auc"].value < high < 1.0


def test_a_generator_of_another_disease_teaches_nothing(useless):
    figures, _ = useless
    assert figures["tstr_auc"].value == pytest.approx(0.5, abs=0.08)
    assert figures["trtr_auc"].value > 0.75


def test_groups_the_wrong_way_round_are_worse_than_a_guess():
    generated = people(400, 3)
    swapped = Groups(generated.target, generated.background)
    figures, _ = measure_usefulness(swapped, TRAIN, TEST, FEW)
    assert figures["tstr_auc"].value < 0.3


def test_small_studies_gain_from_good_people_and_lose_by_useless_ones(honest, useless):
    for (figures, curve), helps in ((honest, True), (useless, False)):
        smallest = curve[0]
        assert (smallest.added.value > smallest.alone.value) == helps
        assert (figures["augmented_auc"].value > figures["augmented_auc"].reference) == helps


def test_the_curve_goes_as_far_as_there_are_people():
    assert [s.people for s in measure_usefulness(people(50, 3), people(45, 1), TEST, FEW)[1]] == [
        size for size in SMALL_STUDIES if size <= 45
    ]
    figures, curve = measure_usefulness(people(50, 3), people(15, 1), TEST, FEW)
    assert [study.people for study in curve] == [5, 10]
    assert not np.isnan(figures["augmented_auc"].value)
    figures, curve = measure_usefulness(people(50, 3), people(8, 1), TEST, FEW)
    assert [study.people for study in curve] == [5]
    assert np.isnan(figures["augmented_auc"].value)


def test_a_penalty_chosen_on_people_too_easy_to_tell_apart_is_too_weak():
    """Synthetic people without the noise of real ones ask for hardly any penalty."""
    figures, _ = measure_usefulness(people(400, 3, scale=0.2), people(40, 1), TEST, FEW)
    assert figures["tuned_auc"].value <= figures["tstr_auc"].value + 0.02
    assert figures["tuned_auc"].reference == figures["trtr_auc"].value


def test_more_real_people_alone_teach_more(honest):
    _, curve = honest
    assert curve[-1].alone.value > curve[0].alone.value


def test_columns_and_pairs_score_like_other_real_people_when_they_are_alike(honest):
    figures, _ = honest
    for key in ("column_shapes", "column_pairs"):
        assert figures[key].value == pytest.approx(figures[key].reference, abs=0.05)
        assert 0.85 < figures[key].value <= 1


def test_scores_of_columns_and_pairs_are_those_of_their_definitions():
    """1 less the Kolmogorov-Smirnov statistic, and 1 less half the difference of correlations."""
    drawn = people(200, 3, scale=1.5)
    figures, _ = measure_usefulness(drawn, TRAIN, TEST, FEW)
    for found, which in (("value", drawn), ("reference", TRAIN)):
        groups = (which.background, TEST.background), (which.target, TEST.target)
        shapes = [1 - ks_2samp(a[:, k], b[:, k]).statistic for a, b in groups for k in range(6)]
        pairs = [
            1 - abs(np.corrcoef(a.T)[i, j] - np.corrcoef(b.T)[i, j]) / 2
            for a, b in groups
            for i, j in combinations(range(6), 2)
        ]
        for key, scores in (("column_shapes", shapes), ("column_pairs", pairs)):
            assert getattr(figures[key], found) == pytest.approx(np.median(scores), abs=1e-6)


def test_the_penalty_is_the_one_under_which_people_left_out_are_likeliest():
    few = people(40, 1)
    likelihood = {
        penalty: cross_val_score(
            fit_classifier(few, penalty),
            few.everyone,
            few.diseased,
            cv=StratifiedKFold(5, shuffle=True, random_state=0),
            scoring="neg_log_loss",
        ).mean()
        for penalty in PENALTIES
    }
    best = max(likelihood, key=likelihood.get)
    assert PENALTIES[0] < best < PENALTIES[-1]
    assert choose_penalty(few) == pytest.approx(best)


def test_too_narrow_a_cohort_scores_low_on_columns():
    figures, _ = measure_usefulness(people(400, 3, scale=0.3), TRAIN, TEST, FEW)
    assert figures["column_shapes"].value < figures["column_shapes"].reference - 0.1


def test_the_same_people_give_the_same_figures(honest):
    again = measure_usefulness(people(400, 3), TRAIN, TEST, FEW)
    np.testing.assert_equal(again, honest)


def test_every_figure_is_explained(honest):
    assert set(honest[0]) == {metric.key for metric in METRICS}
    assert all(metric.meaning.endswith(".") and metric.direction for metric in METRICS)


def test_own_people_are_tested_on_and_learned_from_in_turn():
    figures = measure_with(people(400, 3), TEST, FEW)
    assert figures["tstr_auc"].value == pytest.approx(figures["trtr_auc"].value, abs=0.05)
    noise = Groups(*np.random.default_rng(0).standard_normal((2, 100, 6)))
    nothing = measure_with(people(400, 3), noise, FEW)
    assert nothing["trtr_auc"].value == pytest.approx(0.5, abs=0.15)
