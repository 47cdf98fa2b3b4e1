"""The log tells an admin what happens, and nothing of anybody."""

import json
import logging
import re

import pytest

from cavae.logs import LOG, log, log_failure


@pytest.fixture
def lines(caplog):
    """What is written, as objects."""
    caplog.set_level(logging.INFO, LOG.name)
    return lambda: [json.loads(record.message) for record in caplog.records]


def test_an_event_is_a_json_object_with_its_time(lines):
    log("upload", kind="table", outcome="read", bytes=69501, rows=60)
    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "event": "upload",
        "kind": "table",
        "outcome": "read",
        "bytes": 69501,
        "rows": 60,
    }


def test_seconds_are_written_to_the_millisecond(lines):
    log("job ended", kind="training", status="done", seconds=1.23456)
    (line,) = lines()
    assert line["seconds"] == 1.235
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])


def test_a_word_that_is_not_ours_is_not_written(lines):
    log("upload", kind="Mrs Miller.csv", outcome="subject-0815")
    (line,) = lines()
    assert (line["kind"], line["outcome"]) == ("other", "other")


def test_an_error_is_written_with_its_place_and_without_its_words(lines):
    try:
        int("Mrs Miller")
    except ValueError as error:
        log_failure(error)
    (line,) = lines()
    assert line["error"] == "ValueError"
    assert line["trace"][0].startswith("tests/test_logs.py:")
    assert "Miller" not in json.dumps(line)
