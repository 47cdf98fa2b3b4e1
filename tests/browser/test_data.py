"""The Data page in a browser: files dropped on it, seen at a glance, mended by hand."""

from pathlib import Path

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from cavae.cohort import template_csv
from tests.browser.conftest import SETTLE_MS, Visit, download, settle
from tests.cohort_tables import people


def write(folder: Path, table: pd.DataFrame, name: str = "mine.csv") -> Path:
    path = folder / name
    table.to_csv(path, index=False)
    return path


def drop(page: Page, path: Path, place: int = 0) -> None:
    page.locator("input[type=file]").nth(place).set_input_files(path)
    expect(page.get_by_role("heading", name=path.name)).to_be_visible(timeout=SETTLE_MS)
    settle(page)


def aging() -> pd.DataFrame:
    """People of whom nothing is in doubt: brains shrink with age."""
    table = people(60)
    regions = [column for column in table if column.isdigit()]
    left = 1 - 0.006 * (table["Age"] - 70)
    return table.assign(**{region: (table[region] * left).round(2) for region in regions})


def faulty() -> pd.DataFrame:
    table = people(40).astype({"47": object})
    table["Sex"] = table["Sex"].map({"M": 1, "F": 2})
    table.loc[::4, "47"] = "n.d."
    return table


def unnamed() -> pd.DataFrame:
    return people(30).rename(columns={"Age": "Alter", "47": "hippo rechts"})


def test_a_table_is_understood_at_a_glance(visit: Visit, tmp_path: Path):
    page = visit("data")
    drop(page, write(tmp_path, aging()))
    expect(page.get_by_test_id("stSidebar")).to_contain_text("60 people")
    expect(page.get_by_role("button", name="Open Latent space")).to_be_in_viewport(ratio=1)
    expect(page.get_by_test_id("stPlotlyChart")).to_be_in_viewport(ratio=0.9)
    page.get_by_role("button", name="Open Latent space").click()
    title = page.get_by_role("heading", name="Latent space", level=1)
    expect(title).to_be_visible(timeout=SETTLE_MS)  # The first visit imports torch.


def test_a_bad_file_after_a_good_one_changes_nothing(visit: Visit, tmp_path: Path):
    page = visit("data")
    drop(page, write(tmp_path, aging()))
    workbook = tmp_path / "book.xlsx"
    workbook.write_bytes(b"PK\x03\x04 and the rest")
    page.locator("input[type=file]").first.set_input_files(workbook)
    expect(page.get_by_text("save the sheet as CSV first")).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_contain_text("60 people")


def test_a_region_is_given_its_column_by_hand(visit: Visit, tmp_path: Path):
    page = visit("data")
    drop(page, write(tmp_path, unnamed()))
    bring_into_view(page.get_by_role("button", name="Read with these columns"))
    page.get_by_role("combobox", name="Age").click()
    page.get_by_role("option", name="Alter").click()
    choose_in_grid(page, "hippo rechts")
    page.get_by_role("button", name="Read with these columns").click()
    expect(page.get_by_test_id("stSidebar")).to_contain_text("30 people", timeout=SETTLE_MS)
    settle(page)
    expect(page.get_by_text("139 of 139")).to_be_visible()


def bring_into_view(place: Locator) -> None:
    """Scroll, and wait: a list that opens while the page still scrolls closes again."""
    place.scroll_into_view_if_needed()
    place.page.wait_for_timeout(500)


def choose_in_grid(page: Page, option: str) -> None:
    """Choose a column for the first of the regions. The grid is painted: nothing to wait for."""
    box = page.get_by_test_id("stDataFrame").bounding_box()
    x, y = box["x"] + 0.75 * box["width"], box["y"] + 53
    page.mouse.move(x - 20, y)
    for _ in ("select", "open"):
        page.mouse.move(x, y)
        page.mouse.click(x, y)
        page.wait_for_timeout(500)
    page.get_by_role("option", name=option).click()
    page.wait_for_timeout(500)


def test_problems_and_template_can_be_downloaded(visit: Visit, tmp_path: Path):
    page = visit("data")
    template = download(page, "Template table")
    assert Path(template.path()).read_text(encoding="utf-8") == template_csv()

    drop(page, write(tmp_path, faulty()))
    problems = download(page, "Download the problems")
    assert problems.suggested_filename == "mine_problems.csv"
    table = pd.read_csv(problems.path())
    assert list(table.columns) == ["row", "column", "value", "rule", "message"]
    assert list(table["row"]) == list(range(2, 42, 4))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("make", [lambda: people(40), faulty, unnamed], ids=["ok", "bad", "hand"])
def test_axe_finds_no_fault(visit: Visit, tmp_path: Path, make, theme: str):
    page = visit("data", theme=theme)
    drop(page, write(tmp_path, make()))
    # Streamlit's own place for files is a presentation with a label.
    context = {"exclude": [["[data-testid=stFileUploaderDropzone]"]]}
    found = Axe().run(page, context=context).response["violations"]
    assert not [f"{fault['help']}: {fault['nodes'][0]['html']}" for fault in found]
