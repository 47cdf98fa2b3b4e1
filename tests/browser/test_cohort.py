"""The Cohort page in a browser: from a visit to files that can be made again."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SETTLE_MS, Visit, download, settle
from tests.browser.server import Server
from tests.conftest import ROOT


def set_number(page: Page, label: str, value: str, option: str) -> None:
    """Fill a field in and wait until the shown command has it."""
    field = page.get_by_role("spinbutton", name=label)
    field.fill(value)
    field.press("Enter")
    code = page.get_by_test_id("stCode")
    expect(code).to_contain_text(f"{option} {value}", timeout=SETTLE_MS)
    settle(page)


def test_the_downloaded_file_is_what_the_shown_command_writes(visit: Visit, tmp_path: Path):
    page = visit("cohort")
    set_number(page, "Pairs", "250", "--pairs")
    set_number(page, "Age (years)", "72", "--age")
    pairs = download(page, "Download 250 pairs")
    words = shlex.split(page.get_by_test_id("stCode").inner_text())
    assert pairs.suggested_filename == words[-1]
    subprocess.run([sys.executable, *words[1:-1], tmp_path / words[-1]], cwd=ROOT, check=True)
    assert Path(pairs.path()).read_bytes() == (tmp_path / words[-1]).read_bytes()

    record = download(page, "Download its record")
    content = json.loads(Path(record.path()).read_text(encoding="utf-8"))
    assert content["file"] == words[-1]
    assert shlex.split(content["command"]) == words


def test_picture_and_download_are_seen_without_scrolling(visit: Visit):
    page = visit("data")
    page.get_by_role("button", name="Start with the demo cohort").click()
    expect(page.get_by_test_id("stSidebar")).to_contain_text("Demo cohort")
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Cohort").click()
    button = page.get_by_role("button", name="Download 1,000 pairs")
    expect(button).to_be_in_viewport(ratio=1, timeout=SETTLE_MS)
    expect(page.locator(".st-key-pairs_picture")).to_be_in_viewport(ratio=0.95)


def test_the_keyboard_alone_orders_and_downloads(visit: Visit):
    page = visit("cohort")
    page.get_by_role("spinbutton", name="Pairs").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("120")
    page.keyboard.press("Enter")
    settle(page)
    button = page.get_by_role("button", name="Download 120 pairs")
    for _ in range(40):
        if button.evaluate("button => button.matches(':focus-visible')"):
            break
        page.keyboard.press("Tab")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    assert waiting.value.suggested_filename == "ad-mci_120-pairs_seed-0.csv"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_fault(visit: Visit, theme: str):
    found = Axe().run(visit("cohort", theme=theme)).response["violations"]
    assert not [f"{fault['help']}: {fault['nodes'][0]['html']}" for fault in found]


def test_own_people_are_measured_and_nothing_is_cut(visit: Visit):
    page = visit("data")
    page.get_by_role("button", name="Start with the demo cohort").click()
    expect(page.get_by_test_id("stSidebar")).to_contain_text("Demo cohort")
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Cohort").click()
    page.get_by_role("button", name="Measure on my people").click()
    own = page.locator(".st-key-quality_own")
    expect(own).to_contain_text("Synthetic people", timeout=SETTLE_MS)
    settle(page)
    for width in (1280, 700, 420):
        page.set_viewport_size({"width": width, "height": 720})
        settle(page)
        cut = "node => node.scrollWidth > node.clientWidth + 1"
        assert not page.get_by_test_id("stMain").evaluate(cut)
        inside = own.bounding_box()
        words = own.locator(".ytick, .xtick, .xtitle, .annotation").all()
        assert len(words) > 6
        for text in words:
            box = text.bounding_box()
            assert box["x"] >= inside["x"] - 1
            assert box["x"] + box["width"] <= inside["x"] + inside["width"] + 1
    found = Axe().run(page).response["violations"]
    assert not [f"{fault['help']}: {fault['nodes'][0]['html']}" for fault in found]


def test_a_large_file_is_made_watched_and_streamed_to_its_visitor_alone(
    visit: Visit, server: Server, browser: Browser, tmp_path: Path
):
    page = visit("cohort")
    set_number(page, "Pairs", "20000", "--pairs")
    page.get_by_role("button", name="Make 20,000 pairs").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    link = page.get_by_role("link", name="Download 20,000 pairs")
    expect(link).to_be_visible(timeout=2 * SETTLE_MS)
    faults = Axe().run(page).response["violations"]
    assert not [f"{fault['help']}: {fault['nodes'][0]['html']}" for fault in faults]
    with page.expect_download() as waiting:
        link.click()
    words = shlex.split(page.get_by_test_id("stCode").inner_text())
    subprocess.run([sys.executable, *words[1:-1], tmp_path / words[-1]], cwd=ROOT, check=True)
    assert waiting.value.suggested_filename == words[-1]
    assert Path(waiting.value.path()).read_bytes() == (tmp_path / words[-1]).read_bytes()

    address = f"{server.url}/{link.get_attribute('href')}"
    other = browser.new_page()
    other.goto(f"{server.url}/cohort")
    expect(other.get_by_role("button", name="Download 1,000 pairs")).to_be_visible(
        timeout=SETTLE_MS
    )
    assert page.request.get(address[:-1] + "x").status == 404
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("button", name="Make 20,000 pairs")).to_be_visible()
    assert page.request.get(address).status == 404
    other.close()
