"""The film of a training: curves and people where their numbers are."""

import base64

import numpy as np
import pytest
from playwright.sync_api import Page

from cavae.ui.film import FOLDER

PANEL = {
    "title": "Distance",
    "unit": "SD²",
    "log": True,
    "best": 40,
    "lines": [
        {"label": "Healthy", "color": "#0072B2", "end": "", "dash": False, "x": [10, 20, 50],
         "y": [90.0, 30.0, 11.0]},
        {"label": "Disease", "color": "#D55E00", "end": "s", "dash": True, "x": [10, 20, 50],
         "y": [70.0, 40.0, 20.0]},
    ],
    "levels": [{"color": "#0072B2", "y": 10.0}],
    "alt": "in words",
}  # fmt: skip


@pytest.fixture
def film(page: Page) -> Page:
    scripts = "\n".join((FOLDER / name).read_text() for name in ("curves.js", "people.js"))
    page.set_content(
        "<style>svg { width: 400px; height: 200px } canvas { width: 300px; height: 300px }</style>"
        f"<div id='host'></div><canvas></canvas><script>{scripts}</script>"
    )
    return page


def drawn(film: Page, panel: dict, until: int = 50):
    """Curves, levels and the best epoch of a panel, in epochs and its unit, by its own ticks."""
    film.evaluate(
        """([panel, until]) => {
      const [figure] = panelsIn(document.getElementById('host'), [panel]);
      drawPanel(figure, panel, until);
    }""",
        [panel, until],
    )
    parts = film.evaluate("""() => [...document.querySelectorAll('svg > *')].map((one) => ({
      kind: one.getAttribute('class') || one.tagName, words: one.textContent,
      at: ['x', 'y', 'x1', 'y1', 'x2', 'y2'].map((name) => Number(one.getAttribute(name))),
      path: one.getAttribute('d'), color: one.getAttribute('stroke'),
    }))""")
    heights = [one["at"][3] for one in parts if one["kind"] == "grid"]
    words = [one for one in parts if one["kind"] == "text" and one["words"] != "s"]
    values = [float(one["words"]) for one in words[: len(heights)]]
    epochs = [(one["at"][0], float(one["words"])) for one in words[len(heights) :]]
    scale = np.log if panel.get("log") else np.asarray
    up, across = np.polyfit(heights, scale(values), 1), np.polyfit(*zip(*epochs, strict=True), 1)
    assert up[0] < 0 < across[0]
    back = np.exp if panel.get("log") else np.asarray

    def numbers(path: str) -> np.ndarray:
        places = np.array([pair.split(",") for pair in path[1:].split("L")], dtype=float)
        return np.column_stack(
            [np.polyval(across, places[:, 0]), back(np.polyval(up, places[:, 1]))]
        )

    curves = {one["color"]: numbers(one["path"]) for one in parts if one["kind"] == "curve"}
    levels = {
        one["color"]: float(back(np.polyval(up, one["at"][3])))
        for one in parts
        if one["kind"] == "level"
    }
    best = [np.polyval(across, one["at"][2]) for one in parts if one["kind"] == "best"]
    return curves, levels, best, values


def test_curves_go_through_their_numbers_on_a_log_axis(film: Page):
    curves, levels, best, ticks = drawn(film, PANEL)
    for line in PANEL["lines"]:
        expected = np.column_stack([line["x"], line["y"]])
        assert curves[line["color"]] == pytest.approx(expected, rel=0.02)
    assert levels == {"#0072B2": pytest.approx(10, rel=0.02)}
    assert best == [pytest.approx(40, abs=0.3)]
    assert all(9 < tick < 95 for tick in ticks)
    assert film.locator("svg").get_attribute("aria-label") == "in words"
    assert film.locator("figcaption span").text_content() == "SD²"


def test_curves_go_through_their_numbers_on_a_plain_axis(film: Page):
    line = PANEL["lines"][0] | {"y": [0.4, 0.9, 0.6]}
    panel = PANEL | {"log": False, "low": 0.3, "high": 1.02, "lines": [line], "levels": []}
    curves, levels, _, ticks = drawn(film, panel | {"best": 0})
    assert curves[line["color"]][:, 1] == pytest.approx(line["y"], abs=0.01)
    assert not levels
    assert ticks == [0.4, 0.6, 0.8, 1.0]


def test_the_pointer_reads_the_nearest_epoch(film: Page):
    drawn(film, PANEL)
    box = film.locator("svg").bounding_box()
    film.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 100)
    assert film.locator("figcaption span").text_content() == "20: Healthy 30, Disease 40"
    film.mouse.move(box["x"] + box["width"] - 2, box["y"] + 100)
    assert film.locator("figcaption span").text_content() == "50: Healthy 11, Disease 20"
    film.mouse.move(box["x"] + 100, box["y"] + 300)
    assert film.locator("figcaption span").text_content() == "SD²"


def test_words_at_the_ends_of_curves_are_moved_apart(film: Page):
    assert film.evaluate("apart([50, 20, 53])") == [46, 20, 57]


def test_people_glide_straight_from_one_look_to_the_next(film: Page):
    before, after = np.array([[-150, 0], [100, 200], [0, -250]]), np.array([[150, 100]] * 3)
    sent = [base64.b64encode(one.astype("<i2").tobytes()).decode() for one in (before, after)]
    words, people = film.evaluate(
        """(sent) => {
      const [words, people] = [[], []];
      const pen = CanvasRenderingContext2D.prototype;
      pen.fillText = (text, x, y) => words.push([text, x, y]);
      pen.arc = function (x, y) { people.push([0, x, y, this.fillStyle]); };
      pen.rect = function (x, y, w, h) { people.push([1, x + w / 2, y + h / 2, this.fillStyle]); };
      const frames = sent.map((text) => ({ common: places(text) }));
      window.reach = reachOfPeople(frames, 'common');
      const groups = [{ color: '#0072B2' }, { color: '#D55E00' }];
      const canvas = document.querySelector('canvas');
      drawPeople(canvas, frames, 'common', 0.25, reach, groups, [0, 1, 1]);
      return [words, people];
    }""",
        sent,
    )
    assert film.evaluate("reach") == 3
    value = [float(text.replace("−", "-")) for text, *_ in words[::2]]
    assert sorted(value) == [-2, -1, 0, 1, 2]
    assert all(0 < x < 300 and 0 < y < 300 for _, x, y in words), "within the canvas"
    across = np.polyfit([x for _, x, _ in words[::2]], value, 1)
    up = np.polyfit([y - 4 for _, _, y in words[1::2]], value, 1)
    assert across[0] > 0 > up[0]
    expected = (0.75 * before + 0.25 * after) / 100
    assert {(kind, color) for kind, _, _, color in people} == {(0, "#0072b2"), (1, "#d55e00")}
    found = sorted([(np.polyval(across, x), np.polyval(up, y), kind) for kind, x, y, _ in people])
    assert np.array(found) == pytest.approx(
        np.array(sorted((x, y, int(k > 0)) for k, (x, y) in enumerate(expected))), abs=0.02
    )


def test_the_view_widens_until_everybody_is_in_it_and_everybody_is_drawn_once(film: Page):
    assert film.evaluate("reachOfPeople([{ s: [0, -250] }, { s: [430, 0] }], 's')") == 5
    for many in (1, 2, 7, 100):
        visited = film.evaluate(
            "(many) => Array.from({ length: many }, (_, i) => (i * stride(many)) % many)", many
        )
        assert sorted(visited) == list(range(many))
