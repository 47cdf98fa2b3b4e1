"""A table full of markup on every page that shows people: nothing of it becomes part of a page."""

import re

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from cavae.ui.state import DEMO
from tests.browser.conftest import SETTLE_MS, Visit, settle

EVIL = (
    "<img src=x onerror=alert(1)><a href='https://evil.example'>a</a>**b** www.evil.example \u202e"
)
PAGES = ("Latent space", "Counterfactual", "Cohort", "Explore")


@pytest.fixture
def evil() -> bytes:
    table = pd.read_csv(DEMO)
    table["subject_id"] = [f"{EVIL}{i}" for i in range(len(table))]
    table["diagnosis"] = table["diagnosis"].replace("AD", EVIL)
    return table.assign(site=EVIL, **{EVIL: 1.5}).to_csv(index=False).encode()


def harmless(page: Page) -> None:
    settle(page)
    assert page.locator("a[href*='evil'], img[src='x'], [onerror]").count() == 0
    assert page.locator("svg a").count() == 0, "plotly made a link"


def test_markup_in_a_table_stays_text_on_every_page(visit: Visit, evil: bytes):
    page = visit("data")
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    chooser = page.locator("input[type=file]").first
    name = "..\\evil<img src=x onerror=alert(1)>.csv"
    chooser.set_input_files([{"name": name, "mimeType": "text/csv", "buffer": evil}])
    use = page.get_by_role("button", name=re.compile("Use these|Open Latent space"))
    expect(use).to_be_visible(timeout=SETTLE_MS)
    harmless(page)
    use.click()
    expect(page.get_by_text("300 people").first).to_be_visible(timeout=SETTLE_MS)
    for title in PAGES:
        page.get_by_role("link", name=title, exact=True).click()
        heading = page.get_by_role("heading", name=title, level=1)
        expect(heading).to_be_visible(timeout=SETTLE_MS)
        harmless(page)
        assert page.get_by_text("<img src=x", exact=False).count() > 0, f"{title} shows no text"
