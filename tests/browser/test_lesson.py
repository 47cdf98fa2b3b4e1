"""Lesson: six steps with a question each, and nothing is asked of the server after the start."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from cavae.explorer.export import FOLDER
from tests.browser.conftest import SETTLE_MS, Visit, settle

STEPS = json.loads((FOLDER / "lesson.json").read_text(encoding="utf-8"))["steps"]


@pytest.fixture
def lesson(visit: Visit) -> Page:
    return ready(visit("lesson"))


def ready(page: Page) -> Page:
    expect(page.locator(".lesson[data-ready]")).to_be_visible(timeout=SETTLE_MS)
    settle(page)
    return page


def answers(page: Page) -> Locator:
    return page.get_by_role("radio")


def answer(page: Page, place: int) -> str:
    """Choose the answer at that place by keyboard; what is said of it."""
    answers(page).nth(place).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator(".lessonFeedback strong")).to_be_visible()
    return page.locator(".lessonFeedback").inner_text()


def right_place(step: dict) -> int:
    return next(k for k, one in enumerate(step["answers"]) if one.get("right"))


def go_to(page: Page, number: int) -> None:
    for _ in range(number - 1):
        page.get_by_role("button", name="Next").click()
    expect(page.locator(".lessonProgress")).to_have_text(f"Step {number} of 6")


def test_all_steps_by_keyboard_without_asking_the_server(lesson: Page):
    page = lesson
    sent: list[str | bytes] = []
    # The session of a page that is already open cannot be listened to: a new one is.
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    ready(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sent.clear()
    for number, step in enumerate(STEPS, start=1):
        expect(page.locator(".lessonProgress")).to_have_text(f"Step {number} of 6")
        expect(page.get_by_role("heading", name=step["title"])).to_be_visible()
        assert "{" not in page.locator(".lessonWords").inner_text()
        if step["at"] == "case":
            answer(page, 0)
        else:
            wrong = (right_place(step) + 1) % len(step["answers"])
            assert answer(page, wrong).startswith("Not quite.")
            assert answer(page, right_place(step)).startswith("Right.")
        if number < len(STEPS):
            page.get_by_role("button", name="Next").focus()
            page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    assert not sent
    assert not asked


def test_the_answer_of_step_one_is_the_strongest_loss_of_the_person_shown(lesson: Page):
    strongest = lesson.locator(".lesson").evaluate(
        """({ explorer: { data, state } }) =>
            data.labels[state().effect.indexOf(Math.min(...state().effect))]"""
    )
    expect(lesson.locator(".most")).to_be_hidden()
    chosen = right_place(STEPS[0])
    assert lesson.locator(".lessonAnswers label").nth(chosen).inner_text() == strongest
    answer(lesson, chosen)
    expect(lesson.locator(".strongest .chart-name").first).to_have_text(strongest)


TWO_PEOPLE = """(one, [region, ...ids]) => {
  const { data, engine } = one.explorer;
  const k = data.labels.findIndex((label) => label.toLowerCase() === region.toLowerCase());
  return ids.map((id) => {
    const person = data.people.find((other) => other.id === id);
    const { twin, now } = engine.state(person, person.salient);
    return { group: person.group, size: person.observed[k], twin: twin[k], now: now[k] };
  });
}"""


def written(value: float) -> str:
    return f"{value:+,.0f}".replace("-", "−")


def test_the_numbers_of_step_two_are_those_of_its_two_people(lesson: Page):
    go_to(lesson, 2)
    words = lesson.locator(".lessonText").inner_text()
    region = re.match(r"The (.+?) of healthy people", words)[1]
    told = re.findall(r"(demo-\d+) \(.+?\) is (healthy|a patient) and has ([\d,]+) mm³", words)
    assert [one[1] for one in told] == ["healthy", "a patient"]
    healthy, ill = lesson.locator(".lesson").evaluate(TWO_PEOPLE, [region, told[0][0], told[1][0]])
    assert healthy["group"] == "CN" != ill["group"]
    assert [one[2] for one in told] == [f"{one['size']:,.0f}" for one in (healthy, ill)]
    difference = ill["size"] - healthy["size"]
    assert difference > 0, "a patient who has more all the same"
    expect(lesson.locator(".lessonQuestion")).to_contain_text(f"is {written(difference)} mm³")

    group = lesson.locator(".lessonGroups")
    marks = [
        (float(one.get_attribute("x1")), one.get_attribute("stroke"))
        for one in group.locator("line[stroke-width='2.5']").all()
    ]
    assert [color for _, color in sorted(marks)] == ["#0072B2", "#D55E00"], "the patient has more"
    expect(group).to_contain_text(f"{told[1][0]}, patient: {told[1][2]}")
    key = group.locator(".lessonKey i").evaluate_all(
        "all => all.map((one) => [one.style.background, one.nextSibling.textContent])"
    )
    assert key[0][0] == "rgb(0, 114, 178)"
    assert key[0][1].startswith("CN ")

    said = answer(lesson, right_place(STEPS[1]))
    assert ill["now"] < ill["twin"]
    assert f"would have {ill['twin']:,.0f} mm³ without the disease" in said
    assert f"the effect is {written(ill['now'] - ill['twin'])} mm³" in said


def test_healthy_makes_now_the_twin(lesson: Page):
    go_to(lesson, 3)
    lesson.get_by_role("button", name="Healthy (s = 0)").click()
    row = lesson.locator(".paired .chart-volume")
    expect(row.nth(1)).to_have_text(row.nth(0).text_content())


def test_the_point_is_dragged_and_the_brain_follows(lesson: Page):
    go_to(lesson, 4)
    point = lesson.get_by_role("slider", name=re.compile("Position in salient space"))
    lost = "one => Math.min(...one.explorer.state().effect)"
    assert abs(lesson.locator(".lesson").evaluate(lost)) < 0.01
    point.focus()
    for _ in range(4):
        lesson.keyboard.press("Shift+ArrowDown")
    expect(lesson.locator(".being")).not_to_contain_text("as they are")
    assert lesson.locator(".lesson").evaluate(lost) < -0.5


@pytest.mark.parametrize("model", ["ad-mci", "semi-synthetic"])
def test_who_it_is_stays_hidden_until_it_is_guessed(lesson: Page, model: str):
    page = lesson
    if model != "ad-mci":
        page.get_by_role("combobox", name="Model").click()
        page.get_by_role("option", name=model).click()
        ready(page)
        expect(page.locator(".lessonText")).to_contain_text("synthetic-")
    go_to(page, 5)
    expected = "Subtype 1" if model == "semi-synthetic" else "CN"
    expect(page.locator(".lessonAnswers")).to_contain_text(expected)
    shown = page.locator(".lesson").evaluate("one => one.explorer.position().person.id")
    assert shown not in page.locator(".lesson").inner_text()
    expect(page.locator(".scatter")).to_be_hidden()
    answer(page, 0)
    expect(page.locator(".lessonFeedback")).to_contain_text(shown)
    expect(page.locator(".scatter")).to_be_visible()
    page.get_by_role("button", name="Another brain").click()
    expect(page.locator(".scatter")).to_be_hidden()
    expect(page.locator(".lessonFeedback")).to_be_empty()
    other = page.locator(".lesson").evaluate("one => one.explorer.position().person.id")
    assert other != shown


def test_a_reload_returns_to_the_step_and_back_keeps_the_answer(lesson: Page):
    answer(lesson, 0)
    go_to(lesson, 2)
    lesson.reload()
    ready(lesson)
    expect(lesson.locator(".lessonProgress")).to_have_text("Step 2 of 6")
    answer(lesson, 1)
    lesson.get_by_role("button", name="Back").click()
    lesson.get_by_role("button", name="Next").click()
    expect(answers(lesson).nth(1)).to_be_checked()
    expect(lesson.locator(".lessonFeedback")).to_contain_text("Not quite.")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_fault_in_any_step(visit: Visit, theme: str):
    page = ready(visit("lesson", theme=theme))
    for number in range(1, 7):
        answer(page, 0)
        found = Axe().run(page).response["violations"]
        assert not [f"{number} {fault['help']}: {fault['nodes'][0]['html']}" for fault in found]
        if number < 6:
            page.get_by_role("button", name="Next").click()
