"""Explore: what is dragged changes at once in the browser, and Python then says the same."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SETTLE_MS, Visit, settle

HIPPOCAMPUS = "Left hippocampus"


@pytest.fixture
def explore(visit: Visit) -> Page:
    return ready(visit("explore"))


def ready(page: Page) -> Page:
    expect(page.get_by_role("region", name="Live explorer")).to_be_visible(timeout=SETTLE_MS)
    settle(page)
    return page


def point(page: Page) -> Locator:
    return page.get_by_role("slider", name=re.compile("Position in salient space"))


def in_browser(page: Page) -> list[str]:
    """Twin and now of the left hippocampus, mm³, as the explorer draws them."""
    words = page.locator(".paired").inner_text()
    row = words[words.index(HIPPOCAMPUS) :]
    return re.findall(r"\d,\d{3}", row)[:2]


def from_python(page: Page) -> list[str]:
    """The same two numbers in the table that Python writes."""
    row = page.get_by_role("row", name=re.compile(HIPPOCAMPUS)).first
    return re.findall(r"\d,\d{3}", row.inner_text())[:2]


def test_letting_go_python_shows_the_numbers_of_the_browser(explore: Page):
    page = explore
    before = from_python(page)
    assert in_browser(page) == before
    box = point(page).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 60, steps=12)
    dragged = in_browser(page)
    assert dragged != before
    assert from_python(page) == before
    page.mouse.up()
    expect(page.get_by_role("row", name=re.compile(HIPPOCAMPUS)).first).to_contain_text(dragged[1])
    assert from_python(page) == dragged


def test_by_keyboard_the_point_moves_and_a_reload_finds_it_again(explore: Page):
    page = explore
    before = in_browser(page)
    point(page).focus()
    for _ in range(4):
        page.keyboard.press("Shift+ArrowDown")
    expect(point(page)).to_be_focused()
    moved = in_browser(page)
    assert moved != before
    expect(page.get_by_role("row", name=re.compile(HIPPOCAMPUS)).first).to_contain_text(moved[1])
    settle(page)
    page.reload()
    ready(page)
    assert in_browser(page) == moved


def test_without_the_disease_now_is_the_twin(explore: Page):
    explore.get_by_role("button", name="Healthy (s = 0)").click()
    twin, now = in_browser(explore)
    assert twin == now
