"""The exported explorer, opened from disk: what tests of its numbers and of the file share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, expect

from cavae import explorer
from cavae.synthesis import encode, healthy_twins

READY = '[data-ready="true"]'


def write_explorer(model, path: Path):
    """Write the explorer of a model with its bundled people; their cohort and twins."""
    cohort = explorer.bundled_cohort(model)
    twins = healthy_twins(model, encode(model, cohort))
    path.write_text(explorer.export_html(explorer.explorer_data(model, cohort, twins)))
    return cohort, twins


@contextmanager
def opened(browser: Browser, path: Path, place: str = "", **settings) -> Iterator[Page]:
    """The file in a browser that has no network; fails on any fault or request."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 720}, **settings)
    page, faults = context.new_page(), []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda asked: (
            None if asked.url.startswith(("file:", "blob:", "data:")) else faults.append(asked.url)
        ),
    )
    page.goto(f"{path.as_uri()}{place}")
    expect(page.locator(f".explorer{READY}")).to_be_visible()
    yield page
    context.close()
    assert not faults, "; ".join(faults)


def numbers(page: Page, code: str, argument: object = None) -> np.ndarray:
    """What JavaScript gives for `explorer` (a mounted one) and `given`, as an array."""
    body = f"given => {{ const {{ explorer }} = document.querySelector('.explorer'); {code} }}"
    return np.asarray(page.evaluate(body, argument))
