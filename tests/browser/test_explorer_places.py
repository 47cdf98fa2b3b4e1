"""Where things stand in the explorer's pictures, and how its numbers are written."""

import math
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page
from scipy import stats

from cavae import numbers
from cavae.explorer.export import FOLDER
from cavae.plots.colors import effect_colors
from tests.browser.tiny_explorer import FACES, box

CENTILE_95 = stats.norm.ppf(0.95)
LISTEN = """() => {
  window.words = []; window.dots = []; window.clouds = [];
  const pen = CanvasRenderingContext2D.prototype;
  const { fillText, arc, putImageData } = pen;
  pen.fillText = function (...told) { words.push(told); fillText.call(this, ...told); };
  pen.arc = function (x, y, ...more) { dots.push([x, y]); arc.call(this, x, y, ...more); };
  pen.putImageData = function (image, ...more) {
    clouds.push(Array.from(image.data).filter((_, k) => k % 4 === 3));
    putImageData.call(this, image, ...more);
  };
}"""


def floats(node: Any, *names: str) -> list[float]:
    return [float(node.get_attribute(name)) for name in names]


@pytest.fixture
def scatter(drawn: Page) -> Page:
    """Axes of −3 to 3; who lies where, in data units, is in window.placed of each SVG point."""
    drawn.evaluate(LISTEN)
    drawn.evaluate("""() => {
      const covariance = [2, 0.6, 0, 0.6, 0.5, 0, 0, 0, 1];
      data.regions = [{ name: 'AD', mean: [1, -0.5, 0], covariance, color: '#0072B2',
                        kind: 'group', share: 1 }];
      const lie = (k) => [k < 9 ? 1 + k / 50 : -2.5, 1 + k / 30, 0];
      data.people.forEach((one, k) => { one.salient = lie(k); });
      const sliders = addNode(root, 'div', { class: 'sliders' });
      window.scatter = makeScatter(host('scatter'), data, theme, sliders);
      scatter.set({ person: { id: 'me', salient: [-2, 1, 0] }, s: [2, -1, 0] });
    }""")
    drawn.wait_for_function("words.length > 0")
    return drawn


def plane(page: Page):
    """From pixels to salient s1 and s2, by where the grid's numbers stand."""
    told = page.evaluate("words")
    value = {text: float(text.replace("−", "-")) for text, *_ in told}
    lowest = max(y for _, _, y in told)
    right = [(x, value[text]) for text, x, y in told if y == lowest]
    up = [(y, value[text]) for text, x, y in told if y != lowest]
    assert sorted(v for _, v in right) == sorted(v for _, v in up) == [-2, 0, 2]
    across, upward = (np.polyfit(*zip(*marks, strict=True), 1) for marks in (right, up))
    assert across[0] > 0 > upward[0], "s1 to the right, s2 to the top"
    return lambda places: np.column_stack(
        [
            np.polyval(line, axis)
            for line, axis in zip((across, upward), np.transpose(places), strict=True)
        ]
    )


def test_people_the_point_and_its_ghost_stand_at_their_salient_s(scatter: Page):
    to_salient = plane(scatter)
    people = scatter.evaluate("data.people.map((one) => one.salient.slice(0, 2))")
    assert to_salient(scatter.evaluate("dots.slice(-10)")) == pytest.approx(
        np.array(people), abs=0.03
    )
    ghost = to_salient([floats(scatter.locator(".scatter-ghost"), "cx", "cy")])[0]
    assert ghost == pytest.approx([-2, 1], abs=0.03)
    tether = floats(scatter.locator(".scatter-tether"), "x1", "y1", "x2", "y2")
    assert to_salient([tether[:2], tether[2:]]) == pytest.approx(
        np.array([[-2, 1], [2, -1]]), abs=0.03
    )


def test_a_group_is_outlined_at_two_sd_of_its_own_mean(scatter: Page):
    points = scatter.locator(".scatter-region").get_attribute("points")
    outline = plane(scatter)(
        np.reshape([float(x) for x in re.findall(r"[-\d.]+", points)], (-1, 2))
    )
    away = outline - [1, -0.5]
    inverse = np.linalg.inv([[2, 0.6], [0.6, 0.5]])
    far = np.sqrt(np.einsum("nd,de,ne->n", away, inverse, away))
    assert far == pytest.approx(np.full(len(far), 2.0), abs=0.05)
    assert len(np.unique(np.floor(np.arctan2(*away.T)))) == 7, "all round it"


def test_the_cloud_is_thickest_where_people_are(scatter: Page):
    cloud = np.array(scatter.evaluate("clouds.at(-1)")).reshape(72, 72)
    row, column = np.unravel_index(cloud.argmax(), cloud.shape)
    plot = scatter.evaluate(
        "(({ clientWidth, clientHeight }) => [clientWidth, clientHeight])"
        "(document.querySelector('.scatter-plot'))"
    )
    middle = [(column + 0.5) * plot[0] / 72, (row + 0.5) * plot[1] / 72]
    assert plane(scatter)([middle])[0] == pytest.approx([1.08, 1.13], abs=0.25)
    assert cloud.max() > 50
    assert cloud[0].max() < 5, "nobody is at the top"


def test_smoothing_is_a_normal_curve_along_one_axis(drawn: Page):
    smooth = """(wide) => {
      const grid = new Float32Array(81); grid[4 * 9 + 3] = 1;
      blurLines(grid, 9, 1, 9, wide);
      return Array.from(grid);
    }"""
    grid = np.array(drawn.evaluate(smooth, 1.5)).reshape(9, 9)
    assert grid[4] == pytest.approx(
        np.exp(-0.5 * ((np.arange(9) - 3) / 1.5) ** 2) * (abs(np.arange(9) - 3) <= 5), abs=1e-6
    )
    assert not np.delete(grid, 4, axis=0).any()
    values = [0.0, 10.0, 20.0, 90.0]
    assert drawn.evaluate("(values) => scott(values)", values) == pytest.approx(
        np.std(values) * 4 ** (-1 / 6)
    )


def test_the_grid_has_round_numbers_within_its_axis(drawn: Page):
    grid = "([low, high]) => roundValues({ low, high })"
    assert drawn.evaluate(grid, [-3, 3]) == [-2, 0, 2]
    assert drawn.evaluate(grid, [-2, 3]) == [-2, -1, 0, 1, 2, 3]
    assert drawn.evaluate(grid, [-5, 8]) == [-4, 0, 4, 8]


def test_a_traced_path_is_walked_in_even_steps_from_end_to_end(drawn: Page):
    path = drawn.evaluate("evenSteps([[0, 0], [3, 0], [3, 1]])")
    far = [math.dist(a, b) for a, b in pairwise(path)]
    assert far == pytest.approx([4 / 60] * 60)
    assert (path[0], path[45], path[-1]) == ([0, 0], pytest.approx([3, 0]), pytest.approx([3, 1]))
    assert drawn.evaluate("evenSteps([[1, 2], [1, 2]])") is None


def test_the_region_around_a_place_is_the_nearest_in_its_own_sd(drawn: Page):
    regions = [
        {"name": "narrow", "mean": [0, 0], "covariance": [0.04, 0, 0, 0.04]},
        {"name": "wide", "mean": [3, 0], "covariance": [4, 0, 0, 1]},
    ]

    def around(s: list[float]) -> str | None:
        return drawn.evaluate(
            "([regions, s]) => regionAround(regions, s)?.name ?? null", [regions, s]
        )

    assert around([0.1, 0]) == "narrow"
    assert around([1, 0]) == "wide", "1 SD of it, 5 SD of the nearer one"
    assert around([3, 3.4]) == "wide"
    assert around([3, 3.6]) is None


def test_dumbbells_stand_on_one_straight_axis(drawn: Page):
    drawn.evaluate("""() => {
      const state = { effect: [-2, 1], percent: [-20, 10], twin: [4000, 3600], now: [3200, 3900],
                      mean: [4100, 3700], sd: [400, 300], centile: [0.012, 0.748] };
      makePaired(host('paired'), { ...data, unit: 'mm³' }, theme).draw(state);
    }""")
    row = drawn.locator(".paired svg > *")
    key = drawn.locator(".paired-key i").evaluate_all(
        "all => all.map((one) => [one.nextSibling.textContent, one.style.background])"
    )
    assert dict(key[:2]) == {"twin": "rgb(0, 114, 178)", "now": "rgb(213, 94, 0)"}
    assert row.nth(0).text_content() == "Left hippocampus", "in the order of data.key"
    for first, (mean, sd, twin, now) in (
        (0, (3700, 300, 3600, 3900)),
        (10, (4100, 400, 4000, 3200)),
    ):
        kinds = ("title", "wide", "band", "median", "bar", "twin", "now", "words", "one", "other")
        part = {kind: row.nth(first + k) for k, kind in enumerate(kinds)}
        at_mean, at_twin, at_now = (
            floats(part[kind], name)[0]
            for kind, name in (("median", "x1"), ("twin", "cx"), ("now", "cx"))
        )
        pixel = (at_now - at_twin) / (now - twin)
        assert pixel > 0
        assert at_mean == pytest.approx(at_twin + pixel * (mean - twin))
        assert floats(part["bar"], "x1", "x2") == [at_twin, at_now]
        for kind, reach in (("wide", 3), ("band", CENTILE_95)):
            left, width = floats(part[kind], "x", "width")
            assert left == pytest.approx(at_mean - pixel * reach * sd, abs=0.1)
            assert width == pytest.approx(2 * pixel * reach * sd, abs=0.1)
        fills = [part[kind].get_attribute("fill") for kind in ("twin", "now")]
        assert fills == ["#0072B2", "#D55E00"], "blue is healthy, as in every picture"
        heights = [floats(part["twin"], "cy"), floats(part["now"], "cy"), floats(part["bar"], "y1")]
        assert heights[0] == heights[1] == heights[2]
        assert part["one"].text_content() == numbers.volume(twin).removesuffix(" mm³")
        outside = ("start", "end") if twin > now else ("end", "start")
        assert (
            part["one"].get_attribute("text-anchor"),
            part["other"].get_attribute("text-anchor"),
        ) == outside
    assert row.nth(7).text_content() == "+10 %, 75th centile"


def test_bars_of_the_strongest_are_as_long_as_the_effect(drawn: Page):
    draw = """([unit, limit]) => {
      const state = { effect: [-0.5, 2], percent: [-20, 10] };
      document.querySelector('.strongest')?.remove();
      makeStrongest(host('strongest'), data, theme).draw(state, unit, limit);
    }"""
    for unit, limit, names, words in (
        ("SD", 2.5, ["Left hippocampus", "Right hippocampus"], ["+2.0", "−0.5"]),
        ("%", 40, ["Right hippocampus", "Left hippocampus"], ["−20", "+10"]),
    ):
        drawn.evaluate(draw, [unit, limit])
        assert drawn.locator(".strongest .chart-name").all_text_contents() == names
        assert drawn.locator(".strongest .chart-value").all_text_contents() == words
        (first, x), (second, same) = (
            floats(bar, "width", "x") for bar in drawn.locator(".strongest rect").all()
        )
        assert x == same
        fills = [bar.get_attribute("fill") for bar in drawn.locator(".strongest rect").all()]
        values = (2, -0.5) if unit == "SD" else (-20, 10)
        for fill, ours in zip(fills, effect_colors(values, limit), strict=True):
            parts = [[int(part) for part in re.findall(r"\d+", color)] for color in (fill, ours)]
            assert parts[0] == pytest.approx(parts[1], abs=2)
        ratio = 4 if unit == "SD" else 2
        assert first == pytest.approx(ratio * second)
        ends = [floats(one, "x")[0] for one in drawn.locator(".strongest .chart-value").all()]
        assert ends == pytest.approx([x + first + 5, x + second + 5])
        tops = [floats(bar, "y")[0] for bar in drawn.locator(".strongest rect").all()]
        assert tops[0] < tops[1], "the strongest on top"


def test_slices_have_left_on_the_left_up_on_top_and_their_captions_below(drawn: Page):
    upper_right = [10, 0, 40, 0, 40, 20, 10, 20]  # From the middle upwards.
    drawn.evaluate(LISTEN)
    drawn.evaluate(
        """(shape) => {
      for (const cut of data.slices.slices) cut.shapes = { 47: [shape] };
      window.slices = makeSlices(host('slices'), data, theme);
    }""",
        upper_right,
    )
    drawn.wait_for_function("words.length >= 24")
    svg = drawn.evaluate("slices.toSvg()")
    shapes = [
        np.reshape([float(x) for x in re.findall(r"-?\d+\.\d", d)], (-1, 2))
        for d in re.findall(r'd="([^"]+)"', svg)
    ]
    captions = re.findall(r'<text x="([\d.]+)" y="([\d.]+)">([^<]+)<', svg)
    assert len(captions) == 8
    assert captions[1][2] == "coronal, y −18 mm"
    assert captions[3][2] == "sagittal left, x −9 mm"
    assert captions[4][2] == "axial, z −12 mm"
    assert captions[7][2] == "sagittal right, x 9 mm"
    for k, (x, y, _) in enumerate(captions):
        fluid, region = shapes[2 * k : 2 * k + 2]  # No ventricles.
        middle = (fluid.max(axis=0) + fluid.min(axis=0)) / 2
        assert middle[0] == pytest.approx(float(x), abs=0.1)
        assert fluid[:, 1].max() < float(y) < fluid[:, 1].max() + 15
        assert region - middle == pytest.approx(
            np.array([[10, 0], [40, 0], [40, -20], [10, -20]]), abs=0.1
        )
    told = drawn.evaluate("words.slice(-24)")
    for k in range(8):
        (_, x, y), (first, left, top), (second, right, same) = told[3 * k : 3 * k + 3]
        assert first + second == ("PA" if k % 4 == 3 else "LR")
        assert left < x < right
        assert top == same < y
    assert told[3][1] > told[0][1], "the next one stands to the right"
    assert told[12][2] > told[0][2], "the second row stands below"


@pytest.mark.parametrize("value", [-1234.5, -0.04, 0, 0.06, 3.26])
def test_numbers_are_written_as_python_writes_them(drawn: Page, value: float):
    assert drawn.evaluate("(value) => signedNumber(value, 1)", value) == numbers.signed(
        value, 1
    ).replace(",", "")
    assert f"{drawn.evaluate('wholeNumber', 1000 * abs(value))} mm³" == numbers.volume(
        1000 * abs(value)
    )


def test_centiles_are_written_as_python_writes_them(drawn: Page):
    shares = [0.011, 0.02, 0.03, 0.11, 0.12, 0.13, 0.21, 0.5, 0.99]
    assert drawn.evaluate("(shares) => shares.map(centileWords)", shares) == [
        numbers.centile(share) for share in shares
    ]
    assert drawn.evaluate("[0.004, 0.996, NaN].map(centileWords)") == [
        "below 1st centile",
        "above 99th centile",
        "",
    ]


@pytest.mark.parametrize(
    ("view", "right", "up"),
    [
        ("left", [0, -1, 0], [0, 0, 1]),
        ("right", [0, 1, 0], [0, 0, 1]),
        ("dorsal", [1, 0, 0], [0, 1, 0]),
        ("ventral", [-1, 0, 0], [0, 1, 0]),
        ("anterior", [-1, 0, 0], [0, 0, 1]),
    ],
)
def test_from_every_side_regions_stand_where_one_would_see_them(drawn: Page, view, right, up):
    """Region 47 lies right, in front and on top (x, y, z), 48 left, behind and below."""
    lie = np.array([[25, 15, 55], [-25, -25, -25]])
    drawn.evaluate(
        """([view, shift]) => {
      data.mesh.vertices.forEach((value, k, all) => {
        const [corner, axis] = [Math.floor(k / 3) % 8, k % 3];
        all[k] = shift[k < 24 ? 0 : 1][axis] + 15 * ((corner >> (2 - axis)) % 2 ? 1 : -1);
      });
      window.brain = makeBrain(host('brain'), data, theme);
      brain.paint(Float32Array.from([1, 0, 0, 0, 0, 1]));
      brain.view(view);
    }""",
        [view, lie.tolist()],
    )
    drawn.wait_for_timeout(400)
    seen = drawn.evaluate("""() => {
      const { width, height } = document.querySelector('.brain canvas');
      const sums = [[0, 0, 0], [0, 0, 0]];
      for (let y = 0; y < height; y += 2) for (let x = 0; x < width; x += 2) {
        const feature = brain.featureAt(x, y);
        if (feature !== null) [1, x, y].forEach((value, k) => (sums[feature][k] += value));
      }
      return sums.map(([count, x, y]) => [x / count, y / count]);
    }""")
    away = np.subtract(*seen)
    expected = np.array([right, up]) @ (lie[0] - lie[1])
    assert away[0] / expected[0] == pytest.approx(-away[1] / expected[1], rel=0.1), "one scale"
    assert away[0] * expected[0] > 0


def test_a_pose_turns_the_way_it_is_dragged_and_stays_a_rotation(drawn: Page):
    start = np.eye(3)
    for across, down in ((0.3, 0), (0, 0.2), (0.4, -0.7)):
        turn = np.array(
            drawn.evaluate(
                "([turn, across, down]) => turned(turn, across, down)",
                [start.tolist(), across, down],
            )
        )
        assert turn @ turn.T == pytest.approx(np.eye(3))
        assert np.linalg.det(turn) == pytest.approx(1)
        nearest = turn @ start[2]
        assert np.sign(nearest[:2]) == pytest.approx([np.sign(across), -np.sign(down)], abs=1e-9)
        assert math.hypot(nearest[0], math.hypot(*nearest[1:])) == pytest.approx(1)
    side = drawn.evaluate("turned([[1, 0, 0], [0, 1, 0], [0, 0, 1]], Math.PI / 2, 0)")
    assert np.array(side) == pytest.approx(np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]]), abs=1e-9)


def test_the_brain_turns_with_the_pointer_and_with_the_keys(drawn: Page):
    drawn.evaluate("window.brain = makeBrain(host('brain'), data, theme)")
    x, y, width, height = (
        drawn.locator(".brain-canvas").bounding_box()[name]
        for name in ("x", "y", "width", "height")
    )

    def nearest_moves(act) -> np.ndarray:
        """Where what was nearest to the viewer has gone, to the right and up."""
        drawn.evaluate("brain.view('left')")
        before = drawn.evaluate("brain.pose().turn[2]")
        act()
        return np.array(drawn.evaluate("brain.pose().turn"))[:2] @ before

    def dragged(across: float, down: float) -> None:
        drawn.mouse.move(x + width / 2, y + height / 2)
        drawn.mouse.down()
        drawn.mouse.move(x + width / 2 + across, y + height / 2 + down, steps=3)
        drawn.mouse.up()

    drawn.locator(".brain-canvas").focus()
    for act, way in (
        (lambda: dragged(40, 0), [1, 0]),
        (lambda: dragged(0, 40), [0, -1]),
        (lambda: drawn.keyboard.press("ArrowRight"), [1, 0]),
        (lambda: drawn.keyboard.press("ArrowLeft"), [-1, 0]),
        (lambda: drawn.keyboard.press("ArrowUp"), [0, 1]),
        (lambda: drawn.keyboard.press("ArrowDown"), [0, -1]),
    ):
        moved = nearest_moves(act)
        assert np.abs(moved).max() > 0.1
        assert np.sign(np.round(moved, 6)).tolist() == way


@pytest.fixture
def words(drawn: Page) -> Page:
    """With what the explorer says and where it goes, functions of main.js and engine.js."""
    for name in ("engine", "main"):
        drawn.add_script_tag(path=FOLDER / f"{name}.js")
    return drawn


REGION = {
    "name": "AD",
    "kind": "group",
    "mean": [1.0, -0.5, 2.0],
    "covariance": [2, 0.6, 0.4, 0.6, 0.5, -0.3, 0.4, -0.3, 1.0],
}


def test_how_far_a_place_is_from_a_group_is_counted_in_the_plane_that_is_shown(words: Page):
    covariance = np.reshape(REGION["covariance"], (3, 3))[np.ix_([0, 2], [0, 2])]
    away = np.array([3.0, 1.0]) - [1.0, 2.0]
    square = away @ np.linalg.inv(covariance) @ away
    given = [REGION, [0, 2], [3.0, 9.0, 1.0]]
    assert words.evaluate("(given) => planeDistance(...given)", given) == pytest.approx(square)
    share = stats.chi2.cdf(words.evaluate("INSIDE"), df=2)
    assert share == pytest.approx(0.9, abs=1e-3), "an outline holds 90 %"
    other = REGION | {"name": "CN", "mean": [-3.0, 0.0, 0.0]}
    at = "([regions, s]) => regionAt(regions, [0, 1], s)?.name ?? null"
    assert words.evaluate(at, [[other, REGION], [0.5, -0.5, 0]]) == "AD", "the nearest of both"
    assert words.evaluate(at, [[other, REGION], [9, 9, 0]]) is None


def test_what_the_plane_hides_becomes_what_is_usual_in_the_group(words: Page):
    covariance = np.reshape(REGION["covariance"], (3, 3))
    shown = [0, 1]
    pull = np.linalg.solve(covariance[np.ix_(shown, shown)], np.array([2.0, -1.0]) - [1.0, -0.5])
    expected = [2.0, -1.0, 2.0 + covariance[2, shown] @ pull]
    given = [REGION, shown, [2.0, -1.0, 7.0]]
    found = words.evaluate("(given) => Array.from(asInRegion(...given))", given)
    assert found == pytest.approx(expected)


def test_the_path_goes_from_health_through_the_milder_group_to_the_severe_one(words: Page):
    groups = [{"kind": "group", "mean": [0, size], "name": str(size)} for size in (4, 0.1, 1)]
    path = words.evaluate(
        """(regions) => {
      const place = ({ s }) => Array.from(s);
      window.way = diseasePath({ latent: 2, regions }, { person: { id: 'me' } });
      return way.map(place).concat([0, 0.5, 1].map((share) => place(alongPath(way, share))));
    }""",
        groups,
    )
    assert np.array(path) == pytest.approx(
        np.array([[0, 0], [0, 1], [0, 4], [0, 5.2], [0, 0], [0, 2.6], [0, 5.2]])
    )


def test_what_is_said_of_a_region_is_its_effect_its_change_and_its_volume_now(words: Page):
    words.evaluate("""() => {
      window.state = { person: { id: 'p1' }, effect: [-2.04, 0.31], percent: [-20.4, 5.1],
                       twin: [4000, 3800], now: [3184, 3994] };
      window.named = { labels: ['Right hippocampus', 'Left hippocampus'], unit: 'mm³',
                       key: [1, 0] };
    }""")
    assert words.evaluate("hoverWords(named, state, 0)") == (
        "Right hippocampus: −2.04 SD (−20 %), 3,184 mm³"
    )
    assert words.evaluate("stateWords(named, state)") == (
        "p1: Left hippocampus 3,994 mm³, +0.3 SD; Right hippocampus 3,184 mm³, −2.0 SD."
    )


def test_a_mesh_is_centred_its_normals_point_outwards_and_it_fits_its_frame(drawn: Page):
    corners = np.array(box(10), dtype=float).reshape(-1, 3)
    half = drawn.evaluate(
        "(flat) => { window.points = Float32Array.from(flat); return centred(points); }",
        corners.ravel().tolist(),
    )
    middle = np.array(drawn.evaluate("Array.from(points)")).reshape(-1, 3)
    assert half == [15, 30, 30]
    assert middle == pytest.approx(corners - corners.mean(axis=0))
    normals = drawn.evaluate(
        "(faces) => Array.from(meshNormals(points, faces))",
        [corner for face in FACES for corner in face],
    )
    normals = np.reshape(normals, (-1, 3))
    assert np.linalg.norm(normals, axis=1) == pytest.approx(np.full(8, 127), abs=2)
    assert (np.sign(normals) == np.sign(middle)).all()
    zoom = drawn.evaluate("""() => zoomOf({ zoom: 1, width: 600, height: 300,
      turn: [[0, 1, 0], [0, 0, 1], [1, 0, 0]] }, [10, 60, 90])""")
    assert zoom == pytest.approx([0.93 / 90 / 2, 0.93 / 90]), "its height is what fits"


def test_a_region_is_as_bright_as_its_light_and_mixes_where_it_ends(drawn: Page):
    """Table of shades: 128 levels of light a region, little-endian red, green, blue, opacity."""
    told = drawn.evaluate("""() => {
      const table = shadeTable(Float32Array.from([1, 0.5, 0, 0, 0, 1]), -1);
      const lifted = shadeTable(Float32Array.from([1, 0.5, 0, 0, 0, 1]), 0);
      const parts = (color) => [0, 8, 16, 24].map((shift) => (color >>> shift) & 255);
      const mixed = mean4(table, [128 + 118, 128 + 118, 256 + 118, 0], 0);
      return [table[128 + 118], table[128 + 59], lifted[128 + 118], mixed, table[0]].map(parts);
    }""")
    full, half, lifted, mixed, nothing = told
    assert full == pytest.approx([255, 128, 0, 255], abs=1)
    assert half == pytest.approx([128, 64, 0, 255], abs=1)
    assert lifted == pytest.approx([255, 0.6 * 128 + 102, 102, 255], abs=2)
    assert mixed == pytest.approx([170, 85, 85, 191], abs=1), "by how much each covers"
    assert nothing == [0, 0, 0, 0]
