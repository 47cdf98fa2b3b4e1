import re
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FloatRect, Page, expect
from typer.testing import CliRunner

from cavae.__main__ import app as command_line
from cavae.ui.state import DEMO
from tests.browser.conftest import SETTLE_MS, Visit, download, settle


@pytest.fixture
def person(visit: Visit) -> Page:
    """Counterfactual with the first person of the demo cohort."""
    return load_demo(visit("counterfactual"))


def load_demo(page: Page) -> Page:
    page.get_by_role("button", name="Start with the demo cohort").click()
    expect(page.get_by_role("combobox", name="Person")).to_be_visible(timeout=SETTLE_MS)
    settle(page)
    return page


def words(page: Page) -> str:
    """All that is written into the picture of pairs."""
    written = page.locator(".js-plotly-plot").first.locator(".main-svg")
    return " ".join(written.evaluate_all("parts => parts.map(part => part.textContent)"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_picture_and_sliders_fit_the_first_screen(visit: Visit, theme: str):
    page = load_demo(visit("counterfactual", theme=theme))
    expect(page.locator(".js-plotly-plot").first).to_be_in_viewport(ratio=1)
    # The slider itself is an input of one pixel; its group is what one sees.
    for number in range(1, 6):
        expect(page.get_by_role("group", name=f"s{number}")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Reset to this person")).to_be_in_viewport(ratio=1)
    expect(page.get_by_text("not a causal claim and not a diagnosis")).to_be_in_viewport(ratio=1)


def test_in_a_narrow_window_the_picture_keeps_the_width_that_its_numbers_need(person: Page):
    person.set_viewport_size({"width": 900, "height": 720})
    settle(person)
    picture = person.locator(".js-plotly-plot").first.bounding_box()
    assert picture is not None
    assert picture["width"] >= 512
    assert picture["x"] + picture["width"] <= 900


def test_on_a_phone_no_words_of_the_pictures_lie_on_others(person: Page):
    person.set_viewport_size({"width": 393, "height": 727})
    settle(person)
    for picture in ("brain", "ranking"):
        words = person.locator(f".st-key-{picture} .main-svg text:not(:empty)")
        expect(words.nth(8)).to_be_attached()
        boxes = [box for one in words.all() if (box := one.bounding_box())]
        for first, second in combinations(boxes, 2):
            assert not overlap(first, second), f"{picture}: {first}, {second}"


def overlap(first: FloatRect, second: FloatRect) -> bool:
    """Whether two boxes share more than the rims of their letters."""
    return all(
        min(first[at] + first[size], second[at] + second[size]) - max(first[at], second[at]) > 4
        for at, size in (("x", "width"), ("y", "height"))
    )


def test_intervals_are_drawn_in_a_colour_that_shows_on_page_and_bar(person: Page):
    ends = person.locator(".st-key-ranking .errorbar path")
    expect(ends.first).to_be_attached()
    page_text = person.locator(".stApp").evaluate("app => getComputedStyle(app).color")
    expect(ends.first).to_have_css("stroke", page_text)


def test_the_keyboard_moves_a_slider_and_the_picture_follows(person: Page):
    before = words(person)
    slider = person.get_by_role("slider", name="s1")
    slider.focus()
    for _ in range(8):
        person.keyboard.press("ArrowRight")
    expect(person.get_by_text("now is imagined, not measured")).to_be_visible()
    settle(person)
    assert words(person) != before
    person.get_by_role("button", name="Reset to this person").click()
    expect(person.get_by_text("now is imagined, not measured")).to_have_count(0)
    settle(person)
    assert words(person) == before


def test_a_slider_redraws_this_person_and_nothing_else(person: Page):
    # The menu and everyone's severity stay as they are: only the fragment runs.
    severity = person.locator(".js-plotly-plot").last.element_handle()
    slider = person.get_by_role("slider", name="s2")
    slider.focus()
    person.keyboard.press("ArrowRight")
    expect(person.get_by_text("now is imagined, not measured")).to_be_visible()
    settle(person)
    assert severity.evaluate("plot => plot.isConnected")


def test_next_and_previous_go_through_the_people(person: Page):
    first = words(person)
    person.get_by_role("button", name="Next person").click()
    expect(person.get_by_role("combobox", name="Person")).to_have_value(re.compile("demo-002"))
    settle(person)
    assert words(person) != first
    person.get_by_role("button", name="Previous person").click()
    expect(person.get_by_role("combobox", name="Person")).to_have_value(re.compile("demo-001"))


def test_the_download_has_the_numbers_of_the_command(person: Page, tmp_path: Path):
    waiting = download(person, "Download this person's table")
    assert waiting.suggested_filename == "demo-001_healthy_twin.csv"
    page = pd.read_csv(waiting.path(), float_precision="round_trip").set_index("roi")
    output = tmp_path / "twins.csv"
    arguments = ["counterfactual", "--volumes", str(DEMO), "--output", str(output), "--intervals"]
    assert CliRunner().invoke(command_line, arguments).exit_code == 0
    told = pd.read_csv(output, float_precision="round_trip").set_index("subject_id").iloc[0]
    assert len(page) == 139
    for index, row in page.iterrows():
        assert row["healthy_twin_mm3"] == told[f"healthy_{index}"]
        assert row["effect_sd"] == told[f"effect_{index}"]
        assert row["effect_sd_low"] == told[f"low_{index}"]
        assert row["effect_sd_high"] == told[f"high_{index}"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_fault_with_a_person_shown(visit: Visit, theme: str):
    page = load_demo(visit("counterfactual", theme=theme))
    found = Axe().run(page).response["violations"]
    assert not [f"{fault['help']}: {fault['nodes'][0]['html']}" for fault in found]
