"""Explore: what is dragged changes at once in the browser, and Python then says the same."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from cavae.plots.colors import effect_colors
from tests.browser.conftest import SETTLE_MS, Visit, download, settle
from tests.browser.explorer_file import opened
from tests.cohort_tables import people

HIPPOCAMPUS = "Left hippocampus"
TWO_FRAMES = "() => new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))"


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


def agree(page: Page) -> None:
    """Wait until Python has told the numbers that the browser shows."""
    now = in_browser(page)[1]
    expect(page.get_by_role("row", name=re.compile(HIPPOCAMPUS)).first).to_contain_text(now)
    assert from_python(page) == in_browser(page)


def test_letting_go_python_shows_the_numbers_of_the_browser(explore: Page):
    page = explore
    before = from_python(page)
    assert in_browser(page) == before
    box = point(page).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 60, steps=12)
    page.evaluate(TWO_FRAMES)
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


def test_a_release_is_a_small_message_and_dragging_is_none(explore: Page):
    sent: list[int] = []
    # The session of a page that is already open cannot be listened to: a new one is.
    explore.on(
        "websocket",
        lambda socket: socket.on("framesent", lambda frame: sent.append(len(frame))),
    )
    explore.reload()
    ready(explore)
    sent.clear()
    box = point(explore).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    explore.mouse.move(x, y)
    explore.mouse.down()
    for step in range(240):
        explore.mouse.move(x + 0.2 * step, y - 0.2 * step)
    assert not sent
    explore.mouse.up()
    agree(explore)
    assert 0 < sum(sent) < 1000


def test_a_link_brings_back_model_person_and_position(visit: Visit):
    place = "model=semi-synthetic&person=synthetic-150&s=0.5,-1,1.5,2,0"
    page = ready(visit(f"explore?{place}"))
    expect(page.get_by_role("combobox", name="Model")).to_have_value("semi-synthetic")
    expect(page.locator("select.person")).to_have_value("synthetic-150")
    agree(page)
    shown = page.locator(".explorer").evaluate("one => Array.from(one.explorer.position().s)")
    assert shown == [0.5, -1, 1.5, 2, 0]


def test_on_a_phone_the_numbers_below_keep_their_words_whole(explore: Page):
    explore.set_viewport_size({"width": 393, "height": 727})
    settle(explore)
    among = explore.get_by_role("row", name=re.compile(HIPPOCAMPUS)).first.get_by_role("cell").last
    expect(among).to_contain_text("centile")
    assert among.bounding_box()["width"] > 150


def test_moving_the_point_adds_no_step_to_the_way_back(explore: Page):
    steps = explore.evaluate("history.length")
    for _ in range(3):
        before = explore.url
        point(explore).focus()
        explore.keyboard.press("Shift+ArrowDown")
        expect(explore).not_to_have_url(before)
        agree(explore)
        settle(explore)
    assert explore.evaluate("history.length") == steps
    person = explore.locator("select.person").input_value()
    assert f"person={person}" in explore.url


def test_another_model_begins_anew_with_its_own_people(explore: Page):
    explore.get_by_role("combobox", name="Model").click()
    explore.get_by_role("option", name="semi-synthetic").click()
    expect(explore.locator("select.person")).to_have_value(re.compile("synthetic-"))
    expect(explore).to_have_url(re.compile("model=semi-synthetic&person=synthetic-"))
    agree(explore)


def test_the_path_plays_from_healthy_to_severe_and_stops(explore: Page):
    for place in ("10", "0"):
        explore.get_by_label("Place on the path from healthy to severe").fill(place)
    explore.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    twin, now = in_browser(explore)
    assert twin == now
    explore.get_by_role("button", name="Play", exact=True).click()
    expect(explore.get_by_role("button", name="Pause")).to_be_visible()
    expect(explore.get_by_role("button", name="Play", exact=True)).to_be_visible(timeout=15_000)
    assert in_browser(explore)[1] != twin
    agree(explore)


def test_a_person_dropped_on_another_group_gets_that_disease(explore: Page):
    healthy = explore.locator(".explorer").evaluate(
        "one => one.explorer.data.people.find(person => person.group === 'CN').id"
    )
    explore.locator("select.person").select_option(healthy)
    settle(explore)
    box = point(explore).bounding_box()
    label = explore.locator(".scatter-name", has_text="AD").bounding_box()
    explore.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    explore.mouse.down()
    explore.mouse.move(label["x"] + label["width"] / 2, label["y"] + 90, steps=10)
    explore.mouse.up()
    expect(explore.locator(".being")).to_have_text(f"{healthy} with s as in AD")
    agree(explore)


def volumes(page: Page, place: str) -> list[str]:
    """Every volume of a picture of paired volumes."""
    return re.findall(r"\d?,?\d{3}", page.locator(place).inner_text())


def drag_down(page: Page) -> None:
    point(page).focus()
    for _ in range(4):
        page.keyboard.press("Shift+ArrowDown")
    page.evaluate(TWO_FRAMES)


def middle(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_two_moments_stand_side_by_side_and_only_one_moves(explore: Page):
    page = explore
    before = volumes(page, ".paired")
    compare = page.get_by_role("button", name="Compare")
    compare.click()
    expect(compare).to_have_attribute("aria-pressed", "true")
    assert volumes(page, ".keptPaired") == volumes(page, ".paired") == before
    drag_down(page)
    moved = volumes(page, ".paired")
    assert moved != before
    assert volumes(page, ".keptPaired") == before
    slices = page.locator(".keptSlices canvas").last
    box = slices.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    tip = re.compile(r"\nA demo-\d+: .* SD .*\nB demo-\d+: .* SD .*, ([\d,]+) mm³")
    told = page.locator(".tip").inner_text()
    moving = page.locator(".explorer").evaluate(
        """(one, label) => {
          const { data, state } = one.explorer;
          return Math.round(state().now[data.labels.indexOf(label)]);
        }""",
        told.splitlines()[0],
    )
    assert tip.search(told)[1] == f"{moving:,}", "B is the one that moves"

    page.get_by_role("button", name="Swap A and B").click()
    page.evaluate(TWO_FRAMES)
    assert (volumes(page, ".keptPaired"), volumes(page, ".paired")) == (moved, before)
    other = page.locator("select.keptPerson option").nth(9).get_attribute("value")
    page.get_by_label("A, kept").select_option(other)
    expect(page.locator(".keptWords")).to_have_text(f"{other} as they are")
    assert volumes(page, ".paired") == before
    compare.click()
    expect(page.locator(".keptPaired")).to_be_hidden()
    agree(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_fault_in_two_moments(visit: Visit, theme: str):
    page = ready(visit("explore", theme=theme))
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("button", name="Both").click()
    drag_down(page)
    expect(page.locator(".said")).to_contain_text("A, kept: demo-")
    found = Axe().run(page).response["violations"]
    assert not [f"{fault['help']}: {fault['nodes'][0]['html']}" for fault in found]


def test_two_brains_turn_as_one(explore: Page):
    page = explore
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("button", name="3-D", exact=True).click()
    poses = """one => [one.explorer.brains.kept.pose(), one.explorer.brains.moving.pose()]
        .map(pose => JSON.stringify(pose))"""
    first = page.locator(".explorer").evaluate(poses)
    assert first[0] == first[1]
    for place in (".keptBrain", ".brain"):
        x, y = middle(page.locator(f"{place} canvas"))
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 30, y + 20, steps=3)
        page.mouse.up()
        kept, moving = page.locator(".explorer").evaluate(poses)
        assert kept == moving != first[0]
        first = [kept, moving]


DROP = """(explorer, file) => {
  const carried = new DataTransfer();
  carried.items.add(new File([file.text], file.name));
  for (const name of ["dragover", "drop"])
    explorer.dispatchEvent(new DragEvent(name, { dataTransfer: carried, cancelable: true }));
}"""


def drop_table(page: Page, name: str, text: str) -> None:
    """Drop a file on the explorer, as from a folder of the visitor's."""
    page.locator(".explorer").evaluate(DROP, {"name": name, "text": text})


def test_a_dropped_table_becomes_people_in_the_scatter(explore: Page):
    drop_table(explore, "mine.csv", people(40).to_csv(index=False))
    expect(explore.get_by_test_id("stSidebar")).to_contain_text("40 people", timeout=SETTLE_MS)
    expect(explore.locator("select.person")).to_have_value(re.compile(r"S\d+"))
    expect(explore.locator("select.person option")).to_have_count(41)
    settle(explore)
    agree(explore)
    drag_down(explore)
    agree(explore)


def test_a_dropped_file_that_is_no_table_changes_nothing(explore: Page):
    drag_down(explore)
    agree(explore)
    before = in_browser(explore)
    drop_table(explore, "notes.csv", "<html>")
    expect(explore.get_by_test_id("stAlert").first).to_contain_text("notes.csv")
    expect(explore.get_by_test_id("stSidebar")).to_contain_text("No people loaded")
    settle(explore)
    assert in_browser(explore) == before
    expect(explore.locator(".fileNote")).to_be_empty()
    agree(explore)
    explore.get_by_role("button", name="Dismiss").click()
    expect(explore.get_by_test_id("stAlert")).to_have_count(0)


def test_a_table_to_be_checked_is_shown_and_used_on_a_click(explore: Page):
    table = people(40)
    table.loc[3, "Age"] = 300
    drop_table(explore, "faulty.csv", table.to_csv(index=False))
    expect(explore.get_by_role("heading", name="1 problem")).to_be_visible(timeout=SETTLE_MS)
    expect(explore.locator("select.person")).to_have_value(re.compile("demo-"))
    explore.get_by_role("button", name="Use these 39 people").click()
    expect(explore.get_by_test_id("stSidebar")).to_contain_text("39 people", timeout=SETTLE_MS)
    expect(explore.locator("select.person option")).to_have_count(40)
    agree(explore)


def test_a_table_is_opened_by_keyboard(explore: Page, tmp_path: Path):
    path = tmp_path / "mine.tsv"
    people(12).to_csv(path, index=False, sep="\t")
    # Not expect_file_chooser, which listens too late for a key.
    explore.on("filechooser", lambda chooser: chooser.set_files(path))
    explore.get_by_role("button", name="Open table…").focus()
    explore.keyboard.press("Enter")
    expect(explore.locator("select.person option")).to_have_count(13, timeout=SETTLE_MS)
    settle(explore)


def test_what_is_too_large_never_leaves_the_browser(explore: Page):
    drop_table(explore, "large.csv", "x" * (21 * 1024**2))
    expect(explore.locator(".fileNote")).to_contain_text("large.csv has 21 MB")


def test_the_export_is_the_same_explorer_without_a_server(
    explore: Page, browser: Browser, tmp_path: Path
):
    shown = in_browser(explore)
    path = tmp_path / "explorer.html"
    download(explore, "Export explorer").save_as(path)
    assert path.stat().st_size <= 3_000_000
    with opened(browser, path) as page:
        assert in_browser(page) == shown
        point(page).focus()
        page.keyboard.press("Shift+ArrowDown")
        page.wait_for_url(re.compile("#model=ad-mci&person=demo-"))
        moved, place = in_browser(page), page.url.split("#")[1]
        assert moved != shown
        expect(page.locator(".said")).to_contain_text("Left hippocampus")
        expect(page.get_by_role("button", name="Open table…")).to_be_hidden()
        drop_table(page, "mine.csv", "ID")
        expect(page.locator(".fileNote")).to_contain_text("needs the Healthy Twin app")
    with opened(browser, path, f"#{place}") as page:
        assert in_browser(page) == moved


@pytest.mark.parametrize("unit", ["SD", "%"])
def test_a_saved_picture_has_the_colours_of_the_unit(explore: Page, unit: str):
    if unit == "%":
        explore.get_by_role("button", name="Per cent of the volume").click()
        explore.evaluate(TWO_FRAMES)
    with explore.expect_download() as waiting:
        explore.get_by_role("button", name=re.compile("as SVG")).click()
    svg = waiting.value.path().read_text(encoding="utf-8")
    value, limit = explore.locator(".explorer").evaluate(
        """(one, unit) => {
          const { data, state } = one.explorer;
          const { effect, percent } = state();
          const values = unit === 'SD' ? effect : percent;
          const k = data.features.indexOf('47');
          return [values[k], unit === 'SD' ? data.limit : data.percentLimit];
        }""",
        unit,
    )
    drawn = re.search(r'fill="rgb\((\d+),(\d+),(\d+)\)" data-roi="47"', svg).groups()
    ours = re.findall(r"\d+", effect_colors([value], limit)[0])
    assert [int(part) for part in drawn] == pytest.approx([int(part) for part in ours], abs=3)
    first = explore.locator(".strongest .chart-value").first
    expect(first).to_have_text(re.compile(r"^[−+]\d+$" if unit == "%" else r"^[−+]\d+\.\d$"))


@pytest.mark.parametrize("name", ["SVG", "PNG"])
def test_pictures_are_saved(explore: Page, name: str):
    if name == "SVG":  # PNG shows the 3-D view of its own accord.
        explore.get_by_role("button", name="Both").click()
    with explore.expect_download() as waiting:
        explore.get_by_role("button", name=re.compile(f"as {name}")).click()
    head = waiting.value.path().read_bytes()[:8]
    assert head.startswith(b"<svg" if name == "SVG" else b"\x89PNG")
