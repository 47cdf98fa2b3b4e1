import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, settle

BUTTONS = ("Start with the demo cohort", "Use my own table")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_home_shows_its_picture_and_both_ways_to_begin_without_scrolling(visit: Visit, theme: str):
    page = visit(theme=theme)
    expect(page.get_by_role("img", name="healthy twin")).to_be_in_viewport(ratio=1)
    for name in BUTTONS:
        expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("heading", name="What you can do")).to_be_in_viewport(ratio=1)


def is_dark(page: Page) -> bool:
    background = page.locator(".stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    return sum(int(part) for part in background.strip("rgb()").split(",")) < 3 * 128


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_follows_the_theme_of_the_machine(visit: Visit, theme: str):
    assert is_dark(visit(theme=theme)) == (theme == "dark")


def test_the_theme_can_be_chosen_in_the_menu(visit: Visit):
    page = visit()
    page.get_by_test_id("stMainMenu").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    expect(page.locator(".stApp")).to_have_css("color-scheme", "dark")
    assert is_dark(page)


def tab_to(page: Page, name: str) -> None:
    """Press Tab as often as it takes to stand on the button."""
    button = page.get_by_role("button", name=name)
    for _ in range(40):
        if button.evaluate("button => button.matches(':focus-visible')"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {name}")


def test_the_keyboard_alone_gets_from_home_to_the_demo(visit: Visit):
    page = visit()
    tab_to(page, BUTTONS[0])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Latent space", level=1)).to_be_visible()
    settle(page)
    expect(page.get_by_test_id("stSidebar")).to_contain_text("300 people")


def test_the_keyboard_alone_gets_from_home_to_an_own_table(visit: Visit):
    page = visit()
    tab_to(page, BUTTONS[1])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Data", level=1)).to_be_visible()


def test_every_introduced_page_opens_from_home(visit: Visit):
    for name in ("Data", "Latent space", "Counterfactual", "Cohort"):
        page = visit()
        page.get_by_test_id("stMain").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        settle(page)
