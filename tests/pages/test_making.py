"""A large file: made on disk while one looks on, cancelled, and gone with the visitor or server."""

import gc
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cavae.checkpoint import DEFAULT_MODEL
from cavae.errors import ConfigError, DataError
from cavae.synthesis import SampleRequest
from cavae.ui import making, pairs
from cavae.ui.making import Making
from tests.pages.session import open_page


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where files are made: here, and nothing is left of them in the end."""
    monkeypatch.setattr(making, "folder_for", lambda _: tmp_path)
    monkeypatch.setattr(making, "LOOK", 0.1)
    yield tmp_path
    gc.collect()
    until(lambda: not held(tmp_path))


def held(folder):
    """The files there that this process has open, also those that have no name any more."""
    places = []
    for number in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            places.append(os.readlink(number))
    return [place for place in places if place.startswith(str(folder))]


def content(made):
    return b"".join(made.pieces())


def until(true, seconds=180):  # A busy machine may take its time.
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.05)
    raise TimeoutError


def wanted(app, count):
    app.main.number_input(key="pairs").set_value(count).run()
    return app.main.button(key="make_file").click().run()


def links(app):
    return [link.proto.url for link in app.run().main.get("link_button")]


def test_the_file_is_that_of_the_command_and_is_deleted_on_request(folder):
    app = wanted(open_page("cohort"), pairs.AT_ONCE + 1)
    assert until(lambda: links(app)) == [f"made/{app.session_state['made'].token}"]
    assert held(folder)
    assert not list(folder.iterdir()), "nobody else may look in, and a killed server leaves nothing"
    request = SampleRequest(pairs.AT_ONCE + 1)
    made = content(app.session_state["made"])
    assert made == pairs.file_bytes(DEFAULT_MODEL, request, ".csv")
    assert "make_file" not in [button.key for button in app.main.button]
    app.main.button(key="forget_file").click().run()
    assert "made" not in app.session_state
    assert "make_file" in [button.key for button in app.main.button]


def test_cancelled_it_ends_soon_and_leaves_nothing(folder):
    app = wanted(open_page("cohort"), pairs.MOST)
    until(lambda: app.session_state["made"].progress.share > 0)
    app.main.button(key="forget_file").click().run()
    gc.collect()
    until(lambda: "making" not in [thread.name for thread in threading.enumerate()], 20)


def test_other_settings_are_another_file(folder):
    app = wanted(open_page("cohort"), pairs.AT_ONCE + 1)
    until(lambda: links(app))
    app.main.number_input(key="pairs_seed").set_value(3).run()
    assert not links(app)
    assert "make_file" in [button.key for button in app.main.button]


def make(write):
    return Making("this", "pairs.csv", "text/csv", 10, write)


def until_ready(progress):
    until(lambda: progress.status == making.READY)


def endless(stream, tell):
    while True:
        stream.write(b"more")
        tell(0.5)
        time.sleep(0.01)


def test_a_file_goes_with_the_visitor_who_wanted_it(folder):
    made = make(lambda stream, tell: stream.write(b"people"))
    until_ready(made.progress)
    assert content(made) == b"people"
    del made
    gc.collect()
    until(lambda: not held(folder))


def test_who_has_begun_to_download_gets_all_of_it(folder, monkeypatch):
    monkeypatch.setattr(making, "PIECE", 2)
    made = make(lambda stream, tell: stream.write(b"people"))
    until_ready(made.progress)
    one, other = made.pieces(), made.pieces()
    begun = [next(one), next(other)]
    made.progress.cancelled.set()
    until(lambda: made.progress.status == making.GONE)
    assert begun == [b"pe", b"pe"]
    assert b"".join(one) == b"".join(other) == b"ople"
    until(lambda: not held(folder))
    with pytest.raises(ValueError, match="closed"):
        made.pieces()


def test_a_visitor_who_is_gone_is_not_waited_for(folder, monkeypatch):
    gone = threading.Event()
    monkeypatch.setattr(making, "_visitor", lambda: lambda: not gone.is_set())
    ready = make(lambda stream, tell: stream.write(b"people"))
    until_ready(ready.progress)
    unfinished = make(endless)
    gone.set()
    until(lambda: not held(folder))
    assert (ready.progress.status, unfinished.progress.status) == (making.GONE, making.GONE)


def test_one_that_is_gone_ends_the_writing_and_the_next_file_is_made(folder):
    gone, next_one = make(endless), make(lambda stream, tell: stream.write(b"people"))
    assert next_one.progress.status == making.WAITING
    del gone
    gc.collect()
    until_ready(next_one.progress)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (DataError("There are no people."), "There are no people."),
        (OSError("disk"), "The file could not be made (OSError)."),
    ],
)
def test_what_goes_wrong_is_said(fault, said):
    def write(stream, tell):
        raise fault

    made = make(write)
    until(lambda: made.progress.status == making.FAILED)
    assert made.progress.reason == said


def test_a_disk_without_room_is_said_before(monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    room = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    with pytest.raises(ConfigError, match="the server's disk has"):
        making.folder_for(room)
