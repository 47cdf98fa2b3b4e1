"""The browser's numbers are those of Python: 1e-5 SD, both models in the box, both presets."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from cavae import explorer
from cavae.checkpoint import load_model
from cavae.person import effect_at, person_of, person_table
from cavae.synthesis import decode, disease_effect, encode, healthy_twins
from tests.browser.explorer_file import numbers, opened, write_explorer
from tests.people import make_cohort

POSITIONS = 300


def model_of(name: str, preset: str):
    model = load_model(name)
    return model if preset == "calibrated" else replace(model, calibration=None)


@pytest.fixture(scope="module", params=["ad-mci", "semi-synthetic"])
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=["paper", "calibrated"])
def shown(request: pytest.FixtureRequest, name: str, browser: Browser, tmp_path_factory):
    """A model, its people and the page that shows them."""
    model = model_of(name, request.param)
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    cohort, twins = write_explorer(model, path)
    with opened(browser, path) as page:
        yield model, cohort, twins, page


def positions(model) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(4)
    z = generator.standard_normal((POSITIONS, model.config.latent))
    return z, generator.uniform(-4, 4, z.shape)


def test_decoded_values_and_effects_of_300_positions(shown):
    model, *_, page = shown
    z, s = positions(model)
    code = (
        "return given.map(([z, s]) => [explorer.engine.decode(z, s), explorer.engine.effect(z, s)]"
        ".map(values => Array.from(values)))"
    )
    given = [[a.tolist(), b.tolist()] for a, b in zip(z, s, strict=True)]
    decoded, effect = np.moveaxis(numbers(page, code, given), 1, 0)
    assert np.abs(decoded - decode(model, z, s)).max() < 1e-5
    assert np.abs(effect - disease_effect(model, z, s)).max() < 1e-5


def test_at_zero_there_is_no_effect_at_all(shown):
    model, *_, page = shown
    zero = [0.0] * model.config.latent
    effect = numbers(page, "return Array.from(explorer.engine.effect(given, given))", zero)
    assert not effect.any()


STATE = """
const person = explorer.data.people[given.row];
const state = explorer.engine.state(person, Float64Array.from(given.s));
return ['twin', 'now', 'effect', 'percent', 'mean', 'sd', 'centile']
  .map(part => Array.from(state[part]));
"""


def compared(page, model, cohort, twins, row: int, salient: np.ndarray) -> None:
    """Every number of a person at a position, in SD of that person's scanner."""
    got = numbers(page, STATE, {"row": row, "s": salient.tolist()})
    twin, now, effect, percent, mean, sd, centile = got
    person = person_of(model, cohort, twins, row)
    rows = person_table(person, effect_at(model, person, salient))
    assert sd == pytest.approx(person.sd, rel=1e-9)
    for column, values in {"healthy": twin, "observed": now, "mean": mean}.items():
        assert (np.abs(values - rows[column]) / person.sd).max() < 1e-4, column
    assert np.abs(effect - rows["effect"]).max() < 1e-4
    assert percent == pytest.approx(rows["percent"].to_numpy(), abs=1e-2)
    from scipy.stats import norm

    assert centile == pytest.approx(
        norm.cdf((rows["observed"] - rows["mean"]) / rows["sd"]), abs=1e-4
    )


@pytest.mark.parametrize("row", [0, 7, 150, 299])
def test_a_person_at_their_own_place_without_the_disease_and_elsewhere(shown, row: int):
    model, cohort, twins, page = shown
    own = twins.encoding.salient[row]
    for salient in (own, np.zeros_like(own), own + 0.7, np.array([2.0, -1.0, 1.5, 0.3, -2.0])):
        compared(page, model, cohort, twins, row, salient)


@pytest.mark.parametrize("site_factor", [1.0, 1.3])
def test_sites_known_to_the_model_and_adapted_ones(
    tiny_model, browser: Browser, tmp_path: Path, site_factor: float
):
    sites = ("North", "South", "Elsewhere") if site_factor == 1 else ("Far",)
    cohort = make_cohort(sites=sites, site_factor=site_factor, seed=5)
    twins = healthy_twins(tiny_model, encode(tiny_model, cohort))
    path = tmp_path / "sites.html"
    path.write_text(explorer.export_html(explorer.explorer_data(tiny_model, cohort, twins)))
    assert tiny_model.preprocessor.harmonizer is not None
    assert bool(twins.encoding.adaptations)
    with opened(browser, path) as page:
        for row in range(0, 100, 9):
            compared(page, tiny_model, cohort, twins, row, np.full(5, 1.2))
