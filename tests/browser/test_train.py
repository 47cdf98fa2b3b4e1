"""Train in a browser: watched, left, found again by its address, stopped, used; and whose it is."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SETTLE_MS, no_fault, settle
from tests.browser.server import Server
from tests.people import make_cohort, write_cohort

TRAINED_MS = 90_000


def set_number(page: Page, name: str, value: int) -> None:
    field = page.get_by_role("spinbutton", name=name)
    field.fill(str(value))
    field.press("Tab")
    settle(page)


def heading(page: Page, words: str, timeout: int = SETTLE_MS) -> None:
    expect(page.get_by_role("heading", name=words)).to_be_visible(timeout=timeout)


def test_a_job_outlives_its_page_and_its_model_is_used_everywhere(page: Page, server: Server):
    page.goto(server.url)
    page.get_by_role("button", name="Start with the demo cohort").click()
    heading(page, "Latent space")
    page.get_by_role("link", name="Train", exact=True).click()
    page.get_by_text("All settings").click()
    set_number(page, "Epochs", 5000)
    expect(page.get_by_text("seconds at most.")).to_be_visible()
    page.get_by_role("button", name="Train", exact=True).click()
    heading(page, "Training: Demo-cohort")
    expect(page.get_by_role("progressbar")).to_be_visible()

    page.reload()
    expect(page.get_by_text("No people loaded")).to_be_visible(timeout=SETTLE_MS)
    expect(page.get_by_text("of at most 5,000")).to_be_visible(timeout=SETTLE_MS)
    people = page.get_by_role("img", name="Common z: should mix: people held out")
    before = people.get_attribute("aria-label")
    distance = page.get_by_role("img", name="Distance to people held out")
    curve = distance.get_attribute("aria-label")
    expect(people).not_to_have_accessible_name(before, timeout=SETTLE_MS)  # They move on.
    expect(distance).not_to_have_accessible_name(curve, timeout=SETTLE_MS)
    expect(page.get_by_role("img", name="Salient s: should part")).to_be_visible()
    no_fault(page, "training")
    page.get_by_role("button", name="Stop and keep the best so far").click()
    heading(page, "Stopped: Demo-cohort", TRAINED_MS)

    kept = re.search(r"that of epoch (\d+)", page.get_by_text("The model is that").inner_text())[1]
    expect(people).to_have_accessible_name(re.compile(f"epoch {kept}. "))
    look = page.get_by_role("slider", name="Look")
    look.press("Home")
    expect(people).to_have_accessible_name(re.compile("epoch 5. "))
    page.get_by_role("button", name="Use this model on every page").click()
    expect(page.get_by_text("Every page now shows this model.")).to_be_visible()
    no_fault(page, "stopped")
    page.get_by_text("How to read this").click()
    expect(page.get_by_text("Everything is measured on people who were held out")).to_be_visible()
    no_fault(page, "how to read it")
    page.get_by_role("link", name="Counterfactual").click()
    heading(page, "Counterfactual")
    expect(page.get_by_role("combobox", name="Model")).to_have_value("Demo-cohort")
    assert "job=" not in page.url


def order(page: Page, server: Server, table: Path, epochs: int) -> str:
    """Have a model trained on a table of one's own; the address to come back by."""
    page.goto(f"{server.url}/data")
    page.locator("input[type=file]").first.set_input_files(table)
    heading(page, table.name)
    settle(page)
    page.get_by_role("button", name="Use them").click()
    page.get_by_role("link", name="Train", exact=True).click()
    page.get_by_text("All settings").click()
    set_number(page, "Epochs", epochs)
    page.get_by_role("button", name="Train", exact=True).dblclick(delay=30)
    expect(page.get_by_role("heading", name=f": {table.stem}")).to_be_visible(timeout=SETTLE_MS)
    return page.url


def test_two_visitors_train_at_once_close_their_tabs_and_come_back_to_their_own(
    browser: Browser, server: Server, tmp_path: Path
):
    visitors = {"anna": browser.new_context(), "bert": browser.new_context()}
    addresses = {}
    for seed, (name, visitor) in enumerate(visitors.items()):
        table = tmp_path / f"{name}.csv"
        write_cohort(make_cohort(healthy=40, diseased=30, seed=seed), table)
        tab = visitor.new_page()
        addresses[name] = order(tab, server, table, epochs=60)
        tab.close()

    anna, bert = (visitor.new_page() for visitor in visitors.values())
    for tab, name in ((anna, "anna"), (bert, "bert")):
        tab.goto(addresses[name])
        heading(tab, f"Finished: {name}", TRAINED_MS)
    for tab, own, strange in ((anna, "anna", "bert"), (bert, "bert", "anna")):
        tab.get_by_role("link", name="Models", exact=True).click()
        heading(tab, "Models")
        settle(tab)
        models = tab.get_by_role("combobox", name="Model").first
        models.click()
        expect(tab.get_by_role("option", name=own)).to_be_visible()
        expect(tab.get_by_role("option", name=strange)).to_have_count(0)
    for visitor in visitors.values():
        visitor.close()
