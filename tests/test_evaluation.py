"""The figures of a model on people it was not trained on, and which way each of them points."""

import numpy as np
import pytest

from cavae.evaluation import MEANINGS, evaluate_cohort, ranking_auc
from tests.people import make_cohort


@pytest.fixture(scope="module")
def figures(tiny_model):
    """(metric, group) to value, on new people; the disease shrinks the hippocampi."""
    found = evaluate_cohort(tiny_model, make_cohort(seed=8))
    return {(figure.metric, figure.group): figure.value for figure in found}


def test_the_diseased_lie_further_from_their_twins(figures):
    assert figures["MAD, median (SD)", "AD"] > 1.1 * figures["MAD, median (SD)", "CN"]
    assert figures["MAD, Spearman with diagnosis", "all"] > 0.3


def test_effect_and_salient_tell_the_groups_apart_and_common_hardly_does(figures):
    assert figures["effect, AUC", "AD against CN"] > 0.8
    assert figures["salient s, AUC", "AD against CN"] > 0.8
    leakage = figures["common z, AUC (leakage)", "AD against CN"]
    assert leakage < figures["salient s, AUC", "AD against CN"]


def test_hippocampi_are_smaller_in_the_diseased_and_as_expected_in_the_healthy(figures):
    assert figures["hippocampal effect, mean (SD)", "AD"] < -1
    assert abs(figures["hippocampal effect, mean (SD)", "CN"]) < 0.5


def test_every_figure_says_what_it_means(figures):
    assert {metric for metric, _ in figures} <= MEANINGS.keys()


def test_a_score_that_is_higher_in_the_diseased_ranks_above_one_half():
    score, diseased = np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, False, True, True])
    assert ranking_auc(score, diseased) == 1
    assert ranking_auc(-score, diseased) == 0
