"""How fast the live explorer is: `python -m tests.benchmarks.explorer_timing`, one JSON object.

In headless Chromium on the running app: 240 pointer moves with slices and with the 3-D view
(software GL), from the pointer to the picture, from letting go to Python's numbers, and from
opening the page to the first picture, warm.
"""

import json
import sys
import time

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import CHROMIUM_ARGS, find_chromium
from tests.browser.server import running_app

MOVES = 240
WATCH = """() => {
  const root = [...document.querySelectorAll('*')]
    .map(one => one.shadowRoot?.querySelector('.explorer')).find(Boolean);
  const seen = { pictures: [], delays: [], moved: 0, frames: root.dataset.frames };
  window.seen = seen;
  root.addEventListener('pointermove', () => { seen.moved ||= performance.now(); }, true);
  new MutationObserver(() => {
    const now = performance.now();
    seen.pictures.push(now);
    if (seen.moved) seen.delays.push(now - seen.moved);
    seen.moved = 0;
  }).observe(root, { attributes: true, attributeFilter: ['data-frames'] });
}"""


def drag(page: Page) -> dict[str, float]:
    """Frames a second and the 95th percentile (ms) from pointer to picture."""
    point = page.get_by_role("slider", name="Position in salient space").bounding_box()
    x, y = point["x"] + point["width"] / 2, point["y"] + point["height"] / 2
    page.evaluate(WATCH)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(MOVES):
        page.mouse.move(x - 0.3 * step, y - 0.3 * step)
    seen = page.evaluate("seen")
    page.mouse.up()
    pictures, delays = seen["pictures"], sorted(seen["delays"])
    return {
        "frames_per_second": 1000 * (len(pictures) - 1) / (pictures[-1] - pictures[0]),
        "pointer_to_picture_p95_ms": delays[int(0.95 * len(delays))],
        "pictures": len(pictures),
    }


def release(page: Page) -> float:
    """Milliseconds from a click that moves the point to other numbers in Python's table."""
    return page.evaluate(
        """() => new Promise(done => {
          const root = [...document.querySelectorAll('*')]
            .map(one => one.shadowRoot?.querySelector('.explorer')).find(Boolean);
          const tables = () => [...document.querySelectorAll('table')];
          const words = () => tables().map(one => one.innerText).join();
          const [before, start] = [words(), performance.now()];
          const look = () =>
            words() === before ? requestAnimationFrame(look) : done(performance.now() - start);
          root.querySelector('.healthy').click();
          look();
        })"""
    )


def main() -> None:
    """Measure, and print."""
    with running_app() as app, sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        answer = {}
        for visit in ("cold", "warm"):
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            start = time.perf_counter()
            page.goto(f"{app.url}/explore")
            page.locator('.explorer[data-ready="true"]').wait_for(timeout=60_000)
            answer[f"first_picture_{visit}_s"] = time.perf_counter() - start
            page.wait_for_timeout(1500)
            if visit == "cold":
                page.close()
        answer["slices"] = drag(page)
        page.wait_for_timeout(1500)
        page.get_by_role("button", name="Reset", exact=True).click()
        page.wait_for_timeout(1500)
        answer["release_to_python_ms"] = release(page)
        page.wait_for_timeout(1000)
        page.get_by_role("button", name="3-D", exact=True).click()
        page.get_by_role("button", name="Reset", exact=True).click()
        page.wait_for_timeout(1500)
        answer["brain"] = drag(page)
        browser.close()
    json.dump(answer, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
