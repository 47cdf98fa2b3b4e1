"""Where there is no disease none is found; `tests/benchmarks/null.py` has the full run."""

import numpy as np
import pytest

from tests.benchmarks.null import LOSS, chance_limits, look, summary

SEEDS, PEOPLE, EPOCHS = 3, 240, 20


def test_healthy_people_called_patients_by_lot_show_no_effect():
    runs = [look(seed, PEOPLE, EPOCHS) for seed in range(SEEDS)]
    low, high = chance_limits(PEOPLE // 6 * SEEDS, PEOPLE // 6 * SEEDS)
    for name in ("salient", "mad", "common"):
        assert low < np.mean([run[name] for run in runs]) < high
    assert sum(run["regions"] > 0 for run in runs) <= 1
    assert np.mean([run["effect_sd"] for run in runs]) < 0.05


def test_the_same_people_with_a_disease_do():
    found = look(0, PEOPLE, EPOCHS, LOSS)
    assert found["salient"] > 0.8
    assert found["regions"] >= 3
    assert found["effect_sd"] > 0.02


def test_too_many_finds_are_told_from_chance():
    areas = np.full(20, 0.5) + np.tile([0.01, -0.01], 10)
    assert summary(areas)["p_of_beyond"] == 1
    areas[:6] += 0.2
    told = summary(areas)
    assert told["beyond"] == 6
    assert told["p_of_beyond"] < 0.001
    assert told["mean"] == pytest.approx(0.56)
