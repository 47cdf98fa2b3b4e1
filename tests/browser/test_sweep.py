"""A sweep in a browser: started, seen filling, found again after a reload, stopped, taken away."""

import pandas as pd
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import download, settle
from tests.browser.server import Server


def fill(page: Page, name: str, value: int) -> None:
    field = page.get_by_role("spinbutton", name=name)
    field.fill(str(value))
    field.press("Tab")
    settle(page)


def test_a_sweep_fills_its_picture_comes_back_and_stops(page: Page, server: Server):
    page.goto(server.url)
    page.get_by_role("button", name="Start with the demo cohort").click()
    expect(page.get_by_role("heading", name="Latent space")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Sweep").click()
    fill(page, "Seeds", 50)
    fill(page, "Epochs", 3)
    expect(page.get_by_text("450 trainings: 3 settings × 50 seeds × 3 folds")).to_be_visible()
    page.get_by_role("button", name="Sweep", exact=True).click()
    expect(page.get_by_role("heading", name="Sweeping: Demo cohort")).to_be_visible(timeout=30_000)

    page.reload()
    expect(page.get_by_text("No people loaded")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("of 450 trainings, about")).to_be_visible(timeout=60_000)
    picture = page.locator(".js-plotly-plot")
    expect(picture).to_be_visible(timeout=30_000)
    few = picture.locator(".points path").count()
    expect(picture.locator(".points path").nth(few + 3)).to_be_attached(timeout=60_000)

    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("heading", name="Stopped")).to_be_visible(timeout=30_000)
    found = Axe().run(page).response["violations"]
    assert not [f"{fault['help']}: {fault['nodes'][0]['html']}" for fault in found]
    runs = pd.read_csv(download(page, "All runs (CSV)").path())
    assert set(runs["lambda"]) <= {10, 100, 1000}
    assert 2 < len(runs[["lambda", "seed", "fold"]].drop_duplicates()) < 450
