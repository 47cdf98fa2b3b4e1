from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from typer.testing import CliRunner

from cavae.__main__ import app as command_line
from cavae.ui.state import DEMO
from tests.browser.conftest import SETTLE_MS, Visit, download, settle


@pytest.fixture
def people(visit: Visit) -> Page:
    """Latent space with the demo cohort."""
    return load_demo(visit("latent_space"))


def load_demo(page: Page) -> Page:
    page.get_by_role("button", name="Start with the demo cohort").click()
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=SETTLE_MS)
    settle(page)
    return page


def lasso(page: Page, picture: int, area: int = 0) -> None:
    """Draw around most of a picture, or of one cell of a matrix."""
    plot = page.locator(".js-plotly-plot").nth(picture)
    plot.scroll_into_view_if_needed()
    box = plot.locator(".nsewdrag").nth(area).bounding_box()
    corners = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9), (0.1, 0.12)]
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()


def shown_people(page: Page) -> list[int]:
    """How many people stand out in each picture of people."""
    return page.locator(".js-plotly-plot").evaluate_all(
        "plots => plots.slice(0, 2).map(plot => plot.data"
        ".map(trace => (trace.selectedpoints ?? []).length).reduce((a, b) => a + b, 0))"
    )


@pytest.mark.parametrize("picture", [0, 1])
def test_a_lasso_in_either_picture_selects_in_both(people: Page, picture: int):
    lasso(people, picture)
    words = people.get_by_text("people selected")
    expect(words).to_be_visible()
    settle(people)
    picked = int(words.inner_text().split()[0])
    assert 10 < picked <= 300
    assert shown_people(people) == [picked, picked]


def test_a_lasso_in_the_matrix_selects_too(people: Page):
    people.get_by_text("All pairs").click()
    cells = people.locator(".js-plotly-plot").nth(1).locator(".nsewdrag")
    expect(cells.nth(2)).to_be_attached(timeout=SETTLE_MS)  # Once the matrix is there.
    settle(people)
    lasso(people, 1, area=2)
    expect(people.get_by_text("people selected")).to_be_visible()


def test_the_selection_is_carried_on_and_cleared(people: Page):
    lasso(people, 1)
    expect(people.get_by_text("people selected")).to_be_visible()
    settle(people)
    people.get_by_role("button", name="Clear").click()
    expect(people.get_by_text("Nobody selected")).to_be_visible()
    settle(people)
    assert shown_people(people) == [0, 0]
    lasso(people, 0)
    expect(people.get_by_text("people selected")).to_be_visible()
    settle(people)
    people.get_by_role("button", name="Show their twins").click()
    expect(people.get_by_role("heading", name="Counterfactual", level=1)).to_be_visible()
    expect(people.get_by_role("radio", name="Selected (")).to_be_checked()


def test_the_keyboard_alone_selects_a_person(people: Page):
    people.get_by_role("combobox", name="Add a person by id").focus()
    people.keyboard.type("demo-007")
    people.keyboard.press("Enter")
    expect(people.get_by_text("1 person selected")).to_be_visible()


@pytest.mark.parametrize(
    ("button", "command"),
    [("Download the latents", "encode"), ("Download who belongs where", "subtypes")],
)
def test_a_download_is_the_file_of_the_command(
    people: Page, tmp_path: Path, button: str, command: str
):
    waiting = download(people, button)
    output = tmp_path / "told.csv"
    arguments = [command, "--volumes", str(DEMO), "--output", str(output)]
    assert CliRunner().invoke(command_line, arguments).exit_code == 0
    assert Path(waiting.path()).read_bytes() == output.read_bytes()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_fault_with_people_loaded(visit: Visit, theme: str):
    page = load_demo(visit("latent_space", theme=theme))
    found = Axe().run(page).response["violations"]
    assert not [f"{fault['help']}: {fault['nodes'][0]['html']}" for fault in found]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_pictures_and_their_controls_fit_the_first_screen(visit: Visit, theme: str):
    page = load_demo(visit("latent_space", theme=theme))
    for plot in page.locator(".js-plotly-plot").all()[:2]:
        expect(plot).to_be_in_viewport(ratio=0.95)
    expect(page.get_by_role("radiogroup", name="View")).to_be_in_viewport(ratio=1)


def test_figures_stay_readable_when_the_theme_is_changed(people: Page):
    people.get_by_test_id("stMainMenu").click()
    people.get_by_role("menuitemradio", name="Dark").click()
    expect(people.locator(".stApp")).to_have_css("color-scheme", "dark")
    page_text = people.locator(".stApp").evaluate("app => getComputedStyle(app).color")
    for words in (".xtick text", ".ytitle", ".legendtext"):
        expect(people.locator(f".js-plotly-plot {words}").first).to_have_css("fill", page_text)
