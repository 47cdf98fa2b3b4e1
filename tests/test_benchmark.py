"""The benchmark measures what the contract names, by doing it."""

import pytest

from cavae.benchmark import Workload, run_benchmark

FIGURES = {
    "train_seconds_500_epochs",
    "ensemble8_ratio",
    "encode_ms",
    "decode_ms",
    "pairs_per_second",
    "million_pairs_seconds",
    "million_pairs_peak_mb",
    "home_import_seconds",
}


@pytest.fixture(scope="module")
def steps():
    return []


@pytest.fixture(scope="module")
def figures(steps):
    return run_benchmark(Workload(people=120, epochs=1, pairs=40, many_pairs=40), steps.append)


def test_every_figure_of_the_contract_is_measured(figures):
    assert set(figures) == FIGURES
    assert all(value > 0 for value in figures.values())


def test_each_figure_is_in_the_unit_of_its_name(figures):
    """Bounds that any machine keeps and a figure upside down, or in seconds, does not."""
    assert figures["ensemble8_ratio"] > 1, "eight models take longer than one"
    assert 0.1 < figures["encode_ms"] < 500
    assert figures["decode_ms"] < figures["encode_ms"], "encoding decodes too, and more"
    assert figures["pairs_per_second"] > 1
    assert 0.3 < figures["home_import_seconds"] < 120


def test_memory_is_that_of_a_process_with_torch(figures):
    assert 100 < figures["million_pairs_peak_mb"] < 4000


def test_it_says_what_it_measures(figures, steps):
    assert len(steps) == 6
    assert "training, 1 epochs" in steps[0]
