"""The figures of a model on people it was not trained on, and which way each of them points."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from cavae.evaluation import MEANINGS, clinical_figures, evaluate_cohort, ranking_auc
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


def test_each_figure_is_of_the_groups_that_it_names():
    diagnosis = ["CN"] * 10 + ["MCI"] * 10 + ["AD"] * 10 + ["other"] * 2
    mad = np.concatenate([np.arange(10), 10 + np.arange(10), 15 + np.arange(10), [99, 99]])
    apart = np.concatenate([np.linspace(-1, 1, 10)] * 3 + [[0, 0]])[:, None]
    shift = np.repeat([0, 100, 100, -500], [10, 10, 10, 2])[:, None]
    effect = np.zeros((32, 3))
    effect[:, 1:] = np.repeat([0.1, -1.0, -2.0, 7.0], [10, 10, 10, 2])[:, None] + [0.5, -0.5]
    twins = SimpleNamespace(
        mad=mad,
        effect_mad=np.concatenate([np.arange(10), np.full(10, 50), 5 + np.arange(10), [0, 0]]),
        effect=effect,
        features=("31", "47", "48"),
        encoding=SimpleNamespace(
            subjects=pd.DataFrame({"diagnosis": diagnosis}), salient=apart + shift, common=apart
        ),
    )
    found = {(f.metric, f.group): f for f in clinical_figures(twins, ("CN",), ("MCI", "AD"))}
    values = {key: figure.value for key, figure in found.items()}
    medians = [values["MAD, median (SD)", name] for name in ("CN", "MCI", "AD")]
    assert medians == [4.5, 14.5, 19.5]
    hippocampi = [values["hippocampal effect, mean (SD)", name] for name in ("CN", "MCI", "AD")]
    assert hippocampi == pytest.approx([0.1, -1.0, -2.0]), "the mean of both sides"
    # Of 100 pairs of AD and CN the AD effect is larger in 85 and equal in 5.
    assert values["effect, AUC", "AD against CN"] == pytest.approx(0.875)
    assert values["salient s, AUC", "AD against CN"] == 1
    assert values["common z, AUC (leakage)", "MCI/AD against CN"] == pytest.approx(0.5, abs=0.2)
    rank = np.repeat([0, 1, 2], 10)
    spearman = np.corrcoef(rankdata(mad[:30]), rankdata(rank))[0, 1]
    assert values["MAD, Spearman with diagnosis", "all"] == pytest.approx(spearman)
    goods = {key: figure.good for key, figure in found.items()}
    assert goods["hippocampal effect, mean (SD)", "CN"] == "0"
    assert goods["hippocampal effect, mean (SD)", "AD"] == "below 0"
