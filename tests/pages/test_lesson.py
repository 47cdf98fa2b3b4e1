"""Lesson without a browser: the page stands, and its texts say only what the model can fill in."""

import json
import re

import pytest

from cavae.explorer.export import FOLDER
from tests.pages.session import open_page, said


def test_the_lesson_opens():
    app = open_page("lesson")
    assert not app.exception
    assert app.title[0].value == "Lesson"
    assert "Not a diagnostic device" in said(app)


@pytest.fixture(scope="module")
def steps() -> list[dict]:
    return json.loads((FOLDER / "lesson.json").read_text(encoding="utf-8"))["steps"]


def test_each_of_six_questions_has_one_right_answer_and_says_why(steps: list[dict]):
    assert len(steps) == 6
    for step in steps:
        if step["at"] == "case":  # its answers are the model's groups or subtypes
            continue
        assert sum(answer.get("right", False) for answer in step["answers"]) == 1
        assert all(answer["feedback"] for answer in step["answers"])


def test_every_word_in_braces_is_computed(steps: list[dict]):
    script = (FOLDER / "lesson.js").read_text(encoding="utf-8")
    for word in set(re.findall(r"\{(\w+)\}", json.dumps(steps))):
        assert re.search(rf"\b{word}\b", script), word
