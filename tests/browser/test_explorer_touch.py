"""Explore on a tablet: fingers drag the point, pick a person, turn and zoom the 3-D view."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Locator, Page, expect

from tests.browser.conftest import Visit, settle
from tests.browser.test_explore import agree, in_browser, point, ready

SMALLEST = 32  # pixels of what a finger is to hit
TABLETS = {"upright": (820, 1180), "across": (1180, 820)}

Place = tuple[float, float]


@pytest.fixture(params=TABLETS)
def browser_context_args(
    browser_context_args: dict[str, Any], request: pytest.FixtureRequest
) -> dict[str, Any]:
    width, height = TABLETS[request.param]
    return {
        **browser_context_args,
        "has_touch": True,
        "viewport": {"width": width, "height": height},
    }


@pytest.fixture
def tablet(visit: Visit) -> Page:
    return ready(visit("explore"))


@pytest.fixture
def fingers(tablet: Page) -> Iterator[CDPSession]:
    session = tablet.context.new_cdp_session(tablet)
    yield session
    session.detach()


def touch(fingers: CDPSession, kind: str, *places: Place) -> None:
    """Put fingers down ("touchStart"), move ("touchMove") or lift them ("touchEnd")."""
    points = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(places)]
    fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def drag(fingers: CDPSession, start: Place, across: float, down: float, steps: int = 10) -> None:
    """Put one finger down and move it evenly; it stays down."""
    touch(fingers, "touchStart", start)
    for step in range(1, steps + 1):
        share = step / steps
        touch(fingers, "touchMove", (start[0] + share * across, start[1] + share * down))


def middle(one: Locator) -> Place:
    one.scroll_into_view_if_needed()
    box = one.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def scrolled(page: Page) -> list[float]:
    """How far the page and what it consists of are scrolled."""
    return page.evaluate("() => [...document.querySelectorAll('*')].map((one) => one.scrollTop)")


def explorer(page: Page, code: str) -> Any:
    return page.locator(".explorer").evaluate(f"one => {code}")


def pixels(page: Page) -> int:
    """How much of the 3-D view the brain covers, in pixels, once it stands still."""
    page.wait_for_timeout(400)
    return page.locator(".brain:not([hidden]) canvas").evaluate(
        """canvas => {
          const { width, height } = canvas;
          const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
          return data.filter((value, k) => k % 4 === 3 && value).length;
        }"""
    )


def picture(page: Page) -> str:
    page.wait_for_timeout(400)
    return page.locator(".brain:not([hidden]) canvas").evaluate("canvas => canvas.toDataURL()")


def brain(page: Page) -> Locator:
    page.get_by_role("button", name="3-D", exact=True).tap()
    canvas = page.get_by_role("img", name=re.compile("Brain in three dimensions"))
    expect(canvas).to_be_visible()
    canvas.scroll_into_view_if_needed()
    return canvas


def test_a_finger_drags_the_point_and_the_page_stays(tablet: Page, fingers: CDPSession):
    before, place = in_browser(tablet), middle(point(tablet))
    still = scrolled(tablet)
    drag(fingers, place, 40, 60)  # Still among their own group.
    tablet.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    dragged = in_browser(tablet)
    assert dragged != before
    assert scrolled(tablet) == still
    touch(fingers, "touchEnd")
    assert in_browser(tablet) == dragged
    agree(tablet)


def test_a_tap_on_a_dot_picks_that_person(tablet: Page):
    chosen = explorer(
        tablet,
        """{
          const { data, position } = one.explorer;
          const [i, j] = data.plane;
          const gap = ({ salient: a }, { salient: b }) => Math.hypot(a[i] - b[i], a[j] - b[j]);
          const alone = (person) => Math.min(
            ...data.people.filter((other) => other !== person).map((other) => gap(other, person)));
          const best = data.people.filter((person) => person !== position().person)
            .reduce((a, b) => (alone(a) > alone(b) ? a : b));
          const [x, y] = [data.axes[i], data.axes[j]];
          return [best.id, (best.salient[i] - x.low) / (x.high - x.low),
            (best.salient[j] - y.low) / (y.high - y.low)];
        }""",
    )
    name, across, up = chosen
    plot = tablet.locator(".scatter-plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    x = box["x"] + 34 + across * (box["width"] - 44)
    y = box["y"] + box["height"] - 30 - up * (box["height"] - 38)
    tablet.touchscreen.tap(x, y)
    expect(tablet.locator("select.person")).to_have_value(name)
    agree(tablet)


def test_a_finger_moves_a_slider(tablet: Page, fingers: CDPSession):
    slider = tablet.locator(".scatter-slider:not([hidden]) input").first
    x, y = middle(slider)
    before = slider.input_value()
    drag(fingers, (x, y), 50, 0)
    touch(fingers, "touchEnd")
    assert float(slider.input_value()) != float(before)
    settle(tablet)
    agree(tablet)


def test_fingers_turn_and_zoom_the_brain_and_a_view_puts_it_back(tablet: Page, fingers: CDPSession):
    canvas = brain(tablet)
    first, whole = picture(tablet), pixels(tablet)
    drag(fingers, middle(canvas), 70, 30)
    touch(fingers, "touchEnd")
    assert picture(tablet) != first
    tablet.get_by_role("button", name="Left", exact=True).tap()
    assert picture(tablet) == first
    (x, y), still = middle(canvas), scrolled(tablet)
    touch(fingers, "touchStart", (x - 20, y), (x + 20, y))
    for apart in range(25, 65, 5):
        touch(fingers, "touchMove", (x - apart, y), (x + apart, y))
    touch(fingers, "touchEnd")
    assert pixels(tablet) > 1.5 * whole
    assert scrolled(tablet) == still
    assert tablet.evaluate("visualViewport.scale") == 1
    tablet.get_by_role("button", name="Left", exact=True).tap()
    assert pixels(tablet) == whole


def test_wheel_and_keys_zoom_within_bounds(tablet: Page):
    canvas = brain(tablet)
    whole = pixels(tablet)
    canvas.focus()
    tablet.keyboard.press("+")
    assert pixels(tablet) > 1.2 * whole
    tablet.keyboard.press("Home")
    assert pixels(tablet) == whole
    tablet.keyboard.press("-")
    assert pixels(tablet) == whole
    tablet.mouse.move(*middle(canvas))
    tablet.mouse.wheel(0, -400)
    assert pixels(tablet) > 1.5 * whole
    for _ in range(30):
        tablet.keyboard.press("-")
    assert pixels(tablet) == whole


def test_everything_to_hit_is_large_enough(tablet: Page):
    brain(tablet)
    small = explorer(
        tablet,
        f"""[...one.querySelectorAll('button, select, input, .scatter-point')]
          .filter((node) => node.getClientRects().length)
          .map((node) => [node.className || node.textContent, node.getBoundingClientRect()])
          .filter(([, {{ width, height }}]) => Math.min(width, height) < {SMALLEST})
          .map(([name]) => name)""",
    )
    assert small == []
    wide = tablet.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
