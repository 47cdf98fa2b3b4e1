"""The Evaluate page in a browser: figures by name, measuring, and a report that opens anywhere."""

import zipfile
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from cavae.figures import NAMES
from tests.browser.conftest import SETTLE_MS, Visit, download, settle

SEMI_SYNTHETIC = "semi-synthetic"


def pick(page: Page, name: str) -> None:
    """Ask for a figure and wait for it."""
    page.get_by_role("radiogroup", name="Figure").get_by_text(name, exact=True).click()
    expect(page.get_by_role("heading", name=f"Figure {name}:")).to_be_visible(timeout=SETTLE_MS)
    settle(page)


def choose_model(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_role("combobox").click()
    page.get_by_role("option", name=name).click()
    settle(page)


def open_report(context: BrowserContext, path: Path, theme: str) -> tuple[Page, list[str]]:
    """The file from disk, with no network, once its pictures are drawn; and what went wrong."""
    context.set_offline(True)
    page, faults = context.new_page(), []
    page.on("console", lambda message: message.type == "error" and faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: request.url != path.as_uri() and faults.append(request.url))
    page.emulate_media(color_scheme=theme)
    page.goto(path.as_uri())
    last = page.locator(".plot").last.locator(".main-svg").first
    expect(last).to_be_attached(timeout=SETTLE_MS)
    return page, faults


def test_the_picture_is_on_the_first_screen(visit: Visit):
    page = visit("evaluate")
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_in_viewport(ratio=0.95)


@pytest.mark.parametrize("name", ["2b", "3a", "4b", "A2"])
def test_figures_are_picked_by_name_and_their_numbers_taken(visit: Visit, name: str):
    page = visit("evaluate")
    pick(page, name)
    file = download(page, f"Download the numbers of Figure {name}")
    assert file.suggested_filename == f"figure_{name}.csv"
    assert len(Path(file.path()).read_text().splitlines()) > 100


def test_a_model_is_measured_with_intervals(visit: Visit):
    page = visit("evaluate")
    choose_model(page, SEMI_SYNTHETIC)
    page.get_by_role("button", name="Measure on fresh simulated people").click()
    expect(page.get_by_text("floor").first).to_be_visible(timeout=2 * SETTLE_MS)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0, timeout=4 * SETTLE_MS)
    settle(page)
    table = page.locator(".st-key-sentences_merit")
    expect(table).to_contain_text("\u00a0to\u00a0", timeout=SETTLE_MS)


def test_the_report_opens_from_disk_without_a_network_in_both_themes(visit: Visit, tmp_path: Path):
    page = visit("evaluate")
    file = tmp_path / "report.html"
    download(page, "Report (HTML)").save_as(file)
    for theme in ("light", "dark"):
        report, faults = open_report(page.context, file, theme)
        expect(report.get_by_role("heading", name="Figure 2a")).to_be_visible()
        drawn = report.locator(".plot:has(.main-svg)").count()
        assert drawn == report.locator(".plot").count() > 15
        found = Axe().run(report).response["violations"]
        assert not [f"{fault['help']}: {fault['nodes'][0]['html'][:200]}" for fault in found]
        assert not faults


def test_all_numbers_come_as_one_archive(visit: Visit):
    page = visit("evaluate")
    with zipfile.ZipFile(download(page, "All figures' numbers").path()) as archive:
        names = set(archive.namelist())
    of_people = {f"figure_{name}.csv" for name in NAMES if not name.startswith("A1")}
    assert of_people | {"metrics_ad-mci.csv", f"metrics_{SEMI_SYNTHETIC}.csv"} <= names


def test_wide_pictures_scroll_in_a_narrow_window(visit: Visit):
    page = visit("evaluate")
    page.set_viewport_size({"width": 800, "height": 720})
    pick(page, "A2")
    settle(page)
    box = page.locator("[class*=st-key-regions_] > *").first.bounding_box()
    assert box["width"] >= 600
    page_width = page.evaluate("document.documentElement.scrollWidth")
    assert page_width <= 800
