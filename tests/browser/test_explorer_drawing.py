"""The explorer's pictures, drawn by Chromium from two regions that are boxes."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from cavae.plots.colors import EFFECT_SCALE, effect_colors
from tests.browser.tiny_explorer import FACES, LEFT, RIGHT, box

MARGIN = (34 + 10, 8 + 30)


COLORED = """([name, wanted]) => {
  const canvas = document.querySelector(`.${name} canvas`);
  const { width, height } = canvas;
  const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  const has = (k) => {
    const [red, green, blue] = pixels.slice(4 * k, 4 * k + 3);
    return { red: red > 90 && !green && !blue, blue: blue > 90 && !red && !green }[wanted];
  };
  const found = Array.from({ length: width * height }, (_, k) => k).filter(has);
  const around = [-5, 5, -5 * width, 5 * width];
  const inside = found.find((k) => around.every((step) => has(k + step)));
  return [found.length, inside === undefined ? null : [inside % width, Math.floor(inside / width)]];
}"""


def colored(page: Page, host: str, wanted: str) -> tuple[int, list[int] | None]:
    """How many pixels of a picture have a colour, and where one well inside them is."""
    return tuple(page.evaluate(COLORED, [host, wanted]))


def hover(page: Page, host: str, place: list[int]) -> Any:
    """The region that is told when the pointer comes to a place of a picture."""
    corner = page.locator(f".{host} canvas").first.bounding_box()
    page.mouse.move(corner["x"] + place[0], corner["y"] + place[1])
    return page.evaluate("told.at(-1)")


def test_slices_color_each_region_and_name_the_one_under_the_pointer(drawn: Page):
    drawn.evaluate("""() => {
      window.slices = makeSlices(host('slices'), data, theme);
      slices.onHover((feature) => told.push(feature));
    }""")
    drawn.wait_for_function("document.querySelector('.slices canvas').width > 300")
    drawn.evaluate("slices.paint((j) => (j === 0 ? 'rgb(255,0,0)' : 'rgb(0,0,255)'))")
    (count, red), (same, blue) = colored(drawn, "slices", "red"), colored(drawn, "slices", "blue")
    assert count == pytest.approx(same, rel=0.1)
    assert count > 1000
    assert hover(drawn, "slices", red) == RIGHT
    assert hover(drawn, "slices", blue) == LEFT
    drawn.evaluate("slices.paint((j) => (j === 0 ? 'rgb(0,255,0)' : 'rgb(0,0,255)'))")
    assert colored(drawn, "slices", "red")[0] == 0
    assert colored(drawn, "slices", "blue")[0] == same
    svg = drawn.evaluate("slices.toSvg()")
    assert svg.count('fill="rgb(0,255,0)" data-roi="47"') == 8


@pytest.mark.parametrize(
    ("view", "front", "behind"),
    [
        *(("right", "red", "blue"), ("left", "blue", "red")),
        *(("medialLeft", "blue", "red"), ("medialRight", "red", "blue")),
    ],
)
def test_the_3d_atlas_shows_and_names_what_lies_in_front(drawn: Page, view, front, behind):
    drawn.evaluate(
        """(view) => {
      window.brain = makeBrain(host('brain'), data, theme);
      brain.onHover((feature) => told.push(feature));
      brain.paint(Float32Array.from([1, 0, 0, 0, 0, 1]));
      brain.view(view);
    }""",
        view,
    )
    assert drawn.evaluate("brain.ok")
    drawn.wait_for_timeout(400)
    count, place = colored(drawn, "brain", front)
    assert count > 1000
    assert colored(drawn, "brain", behind)[0] == 0
    assert hover(drawn, "brain", place) == (RIGHT if front == "red" else LEFT)


def test_keys_turn_the_atlas_and_home_puts_it_back(drawn: Page):
    drawn.evaluate("window.brain = makeBrain(host('brain'), data, theme)")
    drawn.evaluate("brain.paint(Float32Array.from([1, 0, 0, 0, 0, 1]))")
    drawn.wait_for_timeout(400)
    drawn.locator(".brain-canvas").focus()
    for _ in range(6):
        drawn.keyboard.press("ArrowRight")
    drawn.wait_for_timeout(400)
    assert colored(drawn, "brain", "red")[0] > 100
    drawn.keyboard.press("Home")
    drawn.wait_for_timeout(400)
    assert colored(drawn, "brain", "red")[0] == 0


def test_deep_regions_stand_in_a_shell_that_has_no_name(drawn: Page):
    shell = {"side": "L", "vertices": [2 * v for v in box(-40)], "faces": sum(FACES, ())}
    drawn.evaluate(
        """(shell) => {
      data.mesh.shells = [shell];
      window.brain = makeBrain(host('brain'), data, theme);
      brain.paint(Float32Array.from([1, 0, 0, 0, 0, 1]));
    }""",
        shell,
    )
    glass = """() => {
      const canvas = document.querySelector('.brain canvas');
      const { data: pixels, width, height } =
        canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const at = Array.from({ length: width * height }, (_, k) => k)
        .filter((k) => pixels[4 * k + 3] > 0 && pixels[4 * k + 3] < 200);
      const one = at[at.length >> 1];
      return [at.length, one === undefined ? null : brain.featureAt(one % width, one / width)];
    }"""
    drawn.wait_for_timeout(400)
    assert drawn.evaluate(glass)[0] < 1000
    drawn.get_by_role("button", name="Deep").click()
    drawn.wait_for_timeout(400)
    count, feature = drawn.evaluate(glass)
    assert count > 10_000
    assert feature is None
    assert colored(drawn, "brain", "blue")[0] > 1000


@pytest.fixture
def scatter(drawn: Page) -> Page:
    drawn.evaluate("""() => {
      const sliders = addNode(root, 'div', { class: 'sliders' });
      window.scatter = makeScatter(host('scatter'), data, theme, sliders);
      scatter.onMove(({ s }, phase) => told.push([...s, phase]));
      scatter.onPick(({ id }) => told.push(id));
    }""")
    drawn.wait_for_function("document.querySelector('.scatter canvas').width > 300")
    drawn.evaluate("scatter.set({ person: { id: 'me', salient: [0, 0, 0.5] }, s: [0, 0, 0.5] })")
    return drawn


def size(page: Page) -> tuple[float, float]:
    """Width and height of the scatter's plane, pixels; it holds −3 to 3 on both axes."""
    plot = page.locator(".scatter-plot").bounding_box()
    return plot["width"] - MARGIN[0], plot["height"] - MARGIN[1]


def middle(page: Page) -> tuple[float, float]:
    point = page.locator(".scatter-point").bounding_box()
    return point["x"] + point["width"] / 2, point["y"] + point["height"] / 2


def test_a_drag_tells_where_the_point_is_and_then_that_it_was_let_go(scatter: Page):
    width, height = size(scatter)
    x, y = middle(scatter)
    scatter.mouse.move(x, y)
    scatter.mouse.down()
    scatter.mouse.move(x + width / 6, y - height / 12, steps=4)
    scatter.mouse.up()
    *s, phase = scatter.evaluate("told.at(-1)")
    assert s == pytest.approx([1.0, 0.5, 0.5], abs=0.02)
    assert phase == "drop"
    assert scatter.evaluate("told.slice(0, -1).every((one) => one[3] === 'drag')")
    ghost = scatter.locator(".scatter-ghost").bounding_box()
    assert ghost["x"] + ghost["width"] / 2 == pytest.approx(x, abs=2)


def test_arrow_keys_move_the_point_and_tell_when_they_rest(scatter: Page):
    scatter.locator(".scatter-point").focus()
    scatter.keyboard.press("ArrowRight")
    scatter.keyboard.press("Shift+ArrowDown")
    scatter.wait_for_function("told.at(-1)[3] === 'drop'")
    assert scatter.evaluate("told.at(-1)")[:3] == pytest.approx([0.1, -0.5, 0.5])
    expect(scatter.locator(".scatter-point")).to_have_attribute(
        "aria-valuetext", "s1 +0.1, s2 −0.5"
    )


def test_a_click_on_a_dot_picks_that_person(scatter: Page):
    width, height = size(scatter)
    x, y = middle(scatter)
    scatter.mouse.click(x - width / 6, y - height / 3)
    assert scatter.evaluate("told.at(-1)") == "p0"


def test_other_axes_are_chosen_and_the_slider_follows(scatter: Page):
    slider = scatter.get_by_role("slider", name="Salient s3")
    expect(slider).to_be_visible()
    slider.fill("2")
    assert scatter.evaluate("told.at(-1)")[2] == 2
    scatter.get_by_label("Vertical axis").select_option("s3")
    assert scatter.evaluate("scatter.plane()") == [0, 2]
    expect(slider).to_be_hidden()
    expect(scatter.get_by_role("slider", name="Salient s2")).to_be_visible()


def test_a_path_is_drawn_and_cleared(scatter: Page):
    width, height = size(scatter)
    x, y = middle(scatter)
    scatter.get_by_role("button", name="Draw a path").click()
    scatter.mouse.move(x, y)
    scatter.mouse.down()
    scatter.mouse.move(x + width / 3, y + height / 6, steps=5)
    scatter.mouse.up()
    path = scatter.evaluate("scatter.path().map(({ s }) => [...s])")
    assert path[0] == pytest.approx([0, 0, 0.5], abs=0.02)
    assert path[-1] == pytest.approx([2, -1, 0.5], abs=0.05)
    scatter.get_by_role("button", name="Clear path").click()
    assert scatter.evaluate("scatter.path()") is None


def test_pairs_and_strongest_effects_say_names_volumes_and_centiles(drawn: Page):
    drawn.evaluate("""() => {
      const state = { effect: [-2, -0.4], percent: [-20, -4], twin: [4000, 3900], now: [3200, 3744],
                      mean: [4000, 4000], sd: [400, 400], centile: [0.023, 0.261] };
      const paired = makePaired(host('paired'), { ...data, unit: 'mm³' }, theme);
      const strongest = makeStrongest(host('strongest'), data, theme);
      paired.draw(state);
      strongest.draw(state, 'SD', 3);
    }""")
    paired = drawn.locator(".paired")
    for words in ("Right hippocampus", "3,200", "4,000", "−20 %, 2nd centile"):
        expect(paired).to_contain_text(words)
    names = drawn.locator(".strongest .chart-name").all_text_contents()
    assert names == ["Right hippocampus", "Left hippocampus"]


def test_long_names_are_short_words_first_and_cut_last(drawn: Page):
    def short(name: str, letters: int) -> str:
        return drawn.evaluate("([name, letters]) => shortened(name, letters)", [name, letters])

    assert short("Left amygdala", 26) == "Left amygdala"
    assert short("Right inferior temporal gyrus", 28) == "R inferior temporal gyrus"
    assert short("Right inferior temporal gyrus", 22) == "R inf. temporal gyrus"
    assert short("Right parahippocampal gyrus", 12) == "R parahippo…"


def test_a_subtype_has_its_short_name_at_the_outline_and_all_of_it_in_the_key(drawn: Page):
    drawn.evaluate("""() => {
      const shape = { mean: [1, 1, 0], covariance: [1, 0, 0, 0, 1, 0, 0, 0, 1], color: '#0072B2' };
      const name = 'Subtype 2 (Hippocampus, amygdala and middle frontal gyrus)';
      data.regions = [{ ...shape, name, short: 'Subtype 2', kind: 'subtype', share: 1 }];
      const sliders = addNode(root, 'div', { class: 'sliders' });
      makeScatter(host('scatter'), data, theme, sliders);
    }""")
    name = drawn.locator(".scatter-name")
    expect(name).to_be_visible()
    assert name.evaluate("one => one.firstChild.textContent") == "Subtype 2"
    expect(name.locator("title")).to_have_text(re.compile(r"^Subtype 2 \(Hippocampus"))
    expect(drawn.locator(".scatter-subtypes")).to_have_text(re.compile("middle frontal gyrus"))


def test_the_legend_has_both_ends_and_both_units(drawn: Page):
    drawn.evaluate("""() => {
      const legend = makeLegend(host('legend'), data, theme);
      legend.onUnit((unit) => legend.set(unit, unit === '%' ? 30 : 3));
      legend.set('SD', 3);
    }""")
    legend = drawn.locator(".legend")
    for words in ("Effect (SD)", "−3.0 loss", "+3.0 gain"):
        expect(legend).to_contain_text(words)
    places = [one.bounding_box()["x"] for one in drawn.locator(".legend-tick").all()]
    assert places == sorted(places), "loss on the left"
    bar = drawn.locator(".legend-bar").evaluate("one => getComputedStyle(one).backgroundImage")
    loss, gain = (bar.index(f"rgb{part}") for part in ("(163, 71, 0)", "(0, 80, 127)"))
    assert bar.startswith("linear-gradient(90deg")
    assert loss < gain
    expect(drawn.get_by_role("img", name="vermillion is loss, blue is gain")).to_be_visible()
    drawn.get_by_role("button", name="Per cent of the volume").click()
    expect(legend).to_contain_text("−30 loss")
    expect(legend).to_contain_text("Change (% of the twin)")


def test_colors_are_those_of_the_other_pictures(drawn: Page):
    assert drawn.evaluate("EFFECT_SCALE") == [list(stop) for stop in EFFECT_SCALE]
    for value in (-5, -1.3, 0, 0.4, 3):
        browser = drawn.evaluate("(value) => effectPalette().css(value, 3)", value)
        ours = effect_colors([value], 3)[0]
        parts = [[int(x) for x in color[4:-1].split(",")] for color in (browser, ours)]
        assert parts[0] == pytest.approx(parts[1], abs=2)
