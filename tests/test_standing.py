"""The few figures that models are compared by: which of the card's they are, over what."""

from dataclasses import replace

import numpy as np
import pytest

from cavae.checkpoint import save_model
from cavae.estimates import Estimate
from cavae.evaluation import FLOOR_RATIO, SEPARATION_RATIO, evaluate_cohort
from cavae.quality import FACT, Quality
from cavae.standing import standing, standing_among
from tests.people import make_cohort

W2, APART = "W2, generated to real target", "W2, generated target to generated background"


def figure(metric, value, group="AD", **more):
    return {"metric": metric, "group": group, "value": value, **more}


@pytest.fixture
def compared(tiny_model, tmp_path):
    """A model of people with MCI and AD whose card has these figures."""
    quality = Quality(
        {
            "attack_distance": Estimate(0.52),
            "attack_density": Estimate(0.61),
            "attack_likelihood": Estimate(float("nan")),
            "tstr_auc": Estimate(0.83),
            "trtr_auc": Estimate(0.9),
        },
        (),
    )
    facts = {
        "people": {"background": 60, "target": 40},
        "figures": [
            figure("salient s, AUC", 0.93),
            figure("common z, AUC (leakage)", 0.63),
            figure("hippocampal effect, mean (SD)", -0.9, "MCI"),
            figure("hippocampal effect, mean (SD)", -1.8, "AD"),
            figure("hippocampal effect, mean (SD)", -0.2, "CN"),
            figure(W2, 12.0, reference=10.0),
            figure(APART, 24.0, reference=25.0),
        ],
        FACT: quality.to_dict(),
    }
    model = replace(tiny_model, training=replace(tiny_model.training, target=("MCI", "AD")))
    save_model(model, tmp_path / "model", "card", tiny_model.facts | facts)
    return standing(tmp_path / "model")


def test_figures_are_those_of_the_most_severe_and_ratios_to_what_they_refer_to(compared):
    assert compared.figures == pytest.approx(
        {
            "salient_auc": 0.93,
            "leakage_auc": 0.63,
            "hippocampus": -1.8,
            "w2_ratio": 1.2,
            "separation": 0.96,
            "useful_auc": 0.83,
            "attack_auc": 0.61,
        }
    ), "of attacks the strongest, of usefulness that of synthetic people"


def test_a_card_that_has_the_ratios_themselves_is_read_as_it_is(tiny_model, tmp_path):
    figures = [figure(FLOOR_RATIO, 1.3, "target"), figure(SEPARATION_RATIO, 0.9, "target")]
    save_model(tiny_model, tmp_path / "model", "card", tiny_model.facts | {"figures": figures})
    told = standing(tmp_path / "model").figures
    assert (told["w2_ratio"], told["separation"]) == (1.3, 0.9)


def test_it_says_from_whom_it_was_made(compared):
    assert (compared.people, compared.features, compared.kind) == (100, 8, "regions")
    assert (compared.background, compared.target) == (("CN",), ("MCI", "AD"))


def test_on_own_people_they_are_what_is_measured_on_them(tiny_model):
    cohort = make_cohort(seed=8)
    own = standing_among(tiny_model, cohort)
    measured = {(f.metric, f.group): f.value for f in evaluate_cohort(tiny_model, cohort)}
    assert own["salient_auc"] == measured["salient s, AUC", "AD against CN"]
    assert own["hippocampus"] == measured["hippocampal effect, mean (SD)", "AD"] < -1
    assert all(np.isfinite(value) for value in own.values())


def test_people_of_one_group_have_no_figures_of_two(tiny_model):
    own = standing_among(tiny_model, make_cohort(healthy=0, diseased=20, seed=8))
    assert "hippocampus" in own
    assert "salient_auc" not in own
