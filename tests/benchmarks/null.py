"""Whether the null holds: `nice python -m tests.benchmarks.null`, one JSON object, minutes.

Healthy people of the reference are called background or target by lot, so there is no disease to
find. For each of 20 seeds a model is trained on two thirds of them, with the preset that people get
unless they ask for another, and looked at on the rest. Chance alone gives areas under the curve
around 0.5 and, in one seed of 20, one beyond its 95 % limits. The same people with the
disease of `simulate` show that there is power to find one.
"""

import json
import sys
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray
from scipy.stats import binomtest, ttest_1samp

from cavae.cohort import Cohort
from cavae.config import train_config
from cavae.metrics import auc, logistic_auc
from cavae.reference import sample_reference
from cavae.synthesis import encode, healthy_twins
from cavae.training import split_cohort, train

SEEDS = 20
PEOPLE, EPOCHS = 900, 100
TEST_SHARE = 3  # every third person is looked at and not learned from
LOSS = 0.2  # of both hippocampi and amygdalae, for the disease that is there to be found
DISEASED_REGIONS = ("47", "48", "31", "32")
BEYOND = 0.05


def by_lot(people: int, seed: int, loss: float = 0.0) -> Cohort:
    """Healthy people, half of them called "patient" by lot; these lose `loss` of four regions."""
    generator = np.random.default_rng((seed, 0))
    cohort = sample_reference(people, generator)
    patient = generator.permutation(people) % 2 == 0
    cohort.subjects["diagnosis"] = np.where(patient, "patient", "CN")
    columns = list(DISEASED_REGIONS)
    cohort.features.loc[patient, columns] *= 1 - loss
    return cohort


def look(seed: int, people: int = PEOPLE, epochs: int = EPOCHS, loss: float = 0.0) -> dict:
    """Train on such people and look at others: areas under the curve and what is claimed.

    salient: logistic regression on s; mad: distance from the healthy twin; common: leakage into z;
    regions: how many regions the model says the disease affects; effect_sd: mean absolute effect
    (SD) that it says people called patient have; clear: share of their regions whose 90 % interval
    holds no 0.
    """
    cohort = by_lot(people, seed, loss)
    held_out = np.arange(people) % TEST_SHARE == 0
    config = train_config("calibrated", target=("patient",), epochs=epochs, seed=seed, device="cpu")
    model = train(split_cohort(cohort.select(~held_out), config), config)
    rest = cohort.select(held_out)
    twins = healthy_twins(model, encode(model, rest))
    patient = rest.subjects["diagnosis"].to_numpy() == "patient"
    low, high = twins.effect_interval
    return {
        "seed": seed,
        "salient": logistic_auc(twins.encoding.salient, patient),
        "mad": auc(twins.mad[patient], twins.mad[~patient]),
        "common": logistic_auc(twins.encoding.common, patient),
        "regions": int((model.calibration.effects != 0).any(axis=0).sum()),
        "effect_sd": float(twins.effect_mad[patient].mean()),
        "clear": float(((low > 0) | (high < 0))[patient].mean()),
    }


def chance_limits(positive: int, negative: int) -> tuple[float, float]:
    """Between which an area under the curve lies by chance in 95 of 100 (Mann and Whitney)."""
    sd = np.sqrt((positive + negative + 1) / (12 * positive * negative))
    return 0.5 - 1.96 * sd, 0.5 + 1.96 * sd


def summary(areas: NDArray[np.float64], people: int = PEOPLE) -> dict[str, Any]:
    """Of areas (seeds,): mean, chance of such a mean, and of so many seeds beyond the limits."""
    tested = people // TEST_SHARE
    low, high = chance_limits(tested // 2, tested - tested // 2)
    beyond = int(((areas < low) | (areas > high)).sum())
    return {
        "mean": round(float(areas.mean()), 4),
        "sd": round(float(areas.std(ddof=1)), 4),
        "p_of_mean": round(float(ttest_1samp(areas, 0.5).pvalue), 4),
        "limits": [round(low, 3), round(high, 3)],
        "beyond": beyond,
        "p_of_beyond": round(binomtest(beyond, len(areas), BEYOND, "greater").pvalue, 4),
    }


def main(seeds: int = SEEDS, people: int = PEOPLE, epochs: int = EPOCHS, diseased: int = 3) -> None:
    """Run the seeds, and `diseased` of them with a disease; print the figures."""
    runs = []
    for seed in range(seeds):
        runs.append(look(seed, people, epochs))
        print(runs[-1], file=sys.stderr)
    answer = {
        name: summary(np.array([run[name] for run in runs]), people)
        for name in ("salient", "mad", "common")
    }
    answer["regions"] = [run["regions"] for run in runs]
    for name in ("effect_sd", "clear"):
        answer[name] = round(float(np.mean([run[name] for run in runs])), 5)
    answer["with_disease"] = [look(seed, people, epochs, LOSS) for seed in range(diseased)]
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    typer.run(main)
