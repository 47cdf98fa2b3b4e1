from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cavae.ui.navigation import PAGES
from tests.browser.conftest import SETTLE_MS, Visit, no_fault, settle
from tests.browser.test_models import follow

ADDRESSES = ["", *(Path(entry.path).stem for entry in PAGES[1:])]


def open_everything(page: Page, where: str) -> None:
    """Open what is folded away, all at once, and what lies over the page, one by one."""
    main = page.get_by_test_id("stMain")
    for fold in main.locator("details").all():
        if fold.get_attribute("open") is None:
            fold.locator("summary").click()
            expect(fold).to_have_attribute("open", "")
    settle(page)
    no_fault(page, f"{where}, unfolded")
    panels = main.get_by_test_id("stPopoverButton").and_(page.locator(":enabled"))
    for panel in panels.all():
        panel.click()
        expect(page.get_by_test_id("stPopoverBody")).to_be_visible()
        no_fault(page, f"{where}, {panel.inner_text()}")
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ADDRESSES)
def test_axe_finds_no_fault(visit: Visit, path: str, theme: str):
    page = visit(path, theme=theme)
    no_fault(page, path)
    open_everything(page, path)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_fault_once_people_are_loaded(visit: Visit, theme: str):
    page = visit(theme=theme)
    page.get_by_role("button", name="Start with the demo cohort").click()
    latent = page.get_by_role("heading", name="Latent space", level=1)
    expect(latent).to_be_visible(timeout=SETTLE_MS)
    settle(page)
    for entry in PAGES[1:]:
        if not entry.hidden:
            follow(page, entry.title)
            no_fault(page, entry.title)
            open_everything(page, entry.title)
