"""What an admin turns off is off on every page, which says so, and the rest works."""

import pytest

from cavae.limits import NO_TRAINING, NO_UPLOADS
from cavae.ui.state import DEMO
from tests.conftest import ROOT
from tests.pages.session import open_page, said

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


def uploaders(app):
    return len(app.main.get("file_uploader"))


@pytest.mark.parametrize("page", ["data", "models", "train", "sweep", "home"])
def test_a_demo_server_says_that_it_takes_in_nothing(monkeypatch, page):
    monkeypatch.setenv("CAVAE_DEMO", "on")
    app = open_page(page, DEMO)
    words = said(app) + " ".join(info.value for info in app.main.info)
    assert NO_UPLOADS in words
    assert not uploaders(app)
    assert not app.exception


def test_what_is_dropped_on_the_explorer_of_a_demo_server_is_refused(monkeypatch):
    monkeypatch.setenv("CAVAE_DEMO", "on")
    from cavae.ui import uploads

    kept = {}
    monkeypatch.setattr(uploads.st, "session_state", kept)
    uploads.take("mine.csv", b"ID,Age\n1,2\n")
    assert uploads.current().error == NO_UPLOADS


@pytest.mark.parametrize("page", ["train", "sweep"])
def test_where_training_is_off_its_pages_say_so(monkeypatch, page):
    monkeypatch.setenv("CAVAE_TRAINING", "off")
    app = open_page(page, DEMO)
    assert [info.value for info in app.main.info] == [NO_TRAINING]
    assert not app.main.button
