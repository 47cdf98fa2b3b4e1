"""Models in a browser: taken along, deleted, in again with the same numbers, and shared."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from cavae.archive import pack_model
from cavae.checkpoint import PRETRAINED
from tests.browser.conftest import SETTLE_MS, Visit, download, no_fault, settle
from tests.browser.server import Server


def follow(page: Page, link: str) -> None:
    """Go to a page by the menu."""
    page.get_by_test_id("stSidebarNavLink").filter(has_text=link).click()
    expect(page.get_by_role("heading", name=link, level=1)).to_be_visible(timeout=SETTLE_MS)
    settle(page)


def add(page: Page, archive: Path, name: str) -> None:
    page.locator("input[type=file]").set_input_files(archive)
    expect(page.get_by_text(f"{name} was added.")).to_be_visible(timeout=SETTLE_MS)
    page.get_by_role("button", name="Use this model on every page").click()
    expect(page.get_by_role("combobox", name="Model")).to_have_value(name)
    settle(page)


def numbers(page: Page) -> list[str]:
    """What page Counterfactual says of the first person."""
    follow(page, "Counterfactual")
    said = page.get_by_test_id("stMain").locator(".js-plotly-plot .ytick, .js-plotly-plot .trace")
    expect(said.first).to_be_visible(timeout=SETTLE_MS)
    found = page.get_by_test_id("stMain").get_by_test_id("stMarkdown").all_inner_texts()
    follow(page, "Models")
    return found


def act(page: Page, button: str, answer: str) -> None:
    """Open a small panel, press its button, and wait for what the page says then."""
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("button", name=f"{button} it")).to_be_visible()
    no_fault(page, button)
    page.get_by_role("button", name=f"{button} it").click()
    expect(page.get_by_text(answer)).to_be_visible(timeout=SETTLE_MS)
    settle(page)


def test_a_model_goes_out_comes_in_and_is_shared_by_choice(
    visit: Visit, page: Page, server: Server, browser: Browser, tmp_path: Path
):
    original = tmp_path / "original.zip"
    original.write_bytes(pack_model(PRETRAINED / "semi-synthetic"))
    visit()
    page.get_by_role("button", name="Start with the demo cohort").click()
    expect(page.get_by_role("heading", name="Latent space", level=1)).to_be_visible(
        timeout=SETTLE_MS
    )
    follow(page, "Models")
    add(page, original, "semi-synthetic-2")
    before = numbers(page)
    assert any("SD" in one for one in before)

    saved = tmp_path / "saved.zip"
    download(page, "Download the model (ZIP)").save_as(saved)
    act(page, "Delete", "semi-synthetic-2 was deleted.")
    expect(page.get_by_role("combobox", name="Model")).to_have_value("ad-mci")
    add(page, saved, "semi-synthetic-2")
    assert numbers(page) == before

    other = browser.new_context().new_page()
    other.goto(f"{server.url}/models")
    choice = other.get_by_role("combobox", name="Model")
    expect(choice).to_be_visible(timeout=SETTLE_MS)
    settle(other)
    choice.click()
    expect(other.get_by_role("option", name="semi-synthetic", exact=True)).to_be_visible()
    expect(other.get_by_role("option", name="semi-synthetic-2")).to_have_count(0)

    act(page, "Share", "semi-synthetic-2 is shared with everybody")
    other.reload()
    expect(choice).to_be_visible(timeout=SETTLE_MS)
    settle(other)
    choice.click()
    expect(other.get_by_role("option", name="semi-synthetic-2 (shared)")).to_be_visible()

    page.get_by_role("button", name="Stop sharing").click()
    expect(page.get_by_text("is yours alone again")).to_be_visible(timeout=SETTLE_MS)

    page.reload()  # A new session: the address brings one's own models back.
    expect(page.get_by_text("No people loaded")).to_be_visible(timeout=SETTLE_MS)
    settle(page)
    page.get_by_role("combobox", name="Model").click()
    expect(page.get_by_role("option", name="semi-synthetic-2", exact=True)).to_be_visible()
