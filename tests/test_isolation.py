"""Nobody gets to see the people of somebody else, and no row of them leaves the memory.

Two visitors of a real server, one of them with marked people: whatever the other is sent, whatever
is logged and whatever lies on disk is searched for the marks.
"""

import asyncio
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser

from cavae.limits import Limits
from cavae.ui import server as app_server
from cavae.ui.state import DEMO
from tests.browser.server import Server, running_app
from tests.conftest import ROOT
from tests.visitor import Visitor, play, visiting

NAME, NUMBER, SITE, FILE = "anna-mustermann", 3141.592653, "marked-hospital", "secret-study.csv"
MARKS = (NAME.encode(), b"3141.592", SITE.encode(), b"secret-study")
HIPPOCAMPUS = "MUSE_Volume_47"
PAGES = ("data", "latent_space", "counterfactual", "explore", "cohort", "train", "models")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """A server that has nowhere else to write to than this folder."""
    there = {"CAVAE_STORAGE": f"{folder}/storage", "TMPDIR": f"{folder}/tmp", "HOME": str(folder)}
    (folder / "tmp").mkdir()
    with running_app(environment=there) as app:
        yield app


def marked() -> bytes:
    """The demo cohort, with marks on every row."""
    table = pd.read_csv(DEMO)
    table["subject_id"] = [f"{NAME}-{row}" for row in range(len(table))]
    table[HIPPOCAMPUS] = [NUMBER, *table[HIPPOCAMPUS][1:]]
    return table.assign(site=SITE).to_csv(index=False).encode()


async def look_around(visitor: Visitor) -> None:
    """Open every page that shows people, and take away what they offer."""
    for page in PAGES:
        await visitor.follow(page)
        if page == "latent_space":
            await visitor.download("download_latents")
        if page == "counterfactual":
            await visitor.download("download_person")
        if page == "explore":
            await visitor.download("export_explorer")


def seen_by(visitor: Visitor) -> set[bytes]:
    return {mark for mark in MARKS for data in visitor.heard if mark in data}


def files_with_marks(*folders: Path) -> list[Path]:
    """Files that hold a mark or are named by one."""
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [
        path
        for path in found
        if any(mark in path.read_bytes() or mark in os.fsencode(path.name) for mark in MARKS)
    ]


async def both(server: Server) -> tuple[Visitor, Visitor]:
    """One with the marked people, the other with the demo, on every page at the same time."""
    async with (
        visiting(server.url, remember=True) as anna,
        visiting(server.url, remember=True) as bert,
    ):
        await anna.look()
        await bert.look()
        await bert.press("start_demo")
        await anna.follow("data")
        await anna.upload("volumes_file", FILE, marked())
        await asyncio.gather(look_around(anna), look_around(bert))
        late = visiting(server.url, remember=True)
        async with late as carl:
            await carl.look()
            await look_around_empty(carl)
            bert.heard += carl.heard
    return anna, bert


async def look_around_empty(visitor: Visitor) -> None:
    for page in PAGES:
        await visitor.follow(page)


def test_marked_people_are_seen_by_their_owner_alone(server: Server, folder: Path):
    anna, bert = play(both(server))
    assert not anna.faults
    assert not bert.faults
    assert {NAME.encode(), SITE.encode(), b"secret-study"} <= seen_by(anna), "the search finds them"
    assert not seen_by(bert)
    assert not any(mark in server.said.encode() for mark in MARKS)
    assert '"event": "upload"' in server.said
    assert not files_with_marks(folder)


WATCHED = """
import threading, time, weakref
from pathlib import Path
import streamlit as st
from cavae.ui import frame, server, state

app = st.App(__file__, **server.options())

def say():
    while True:
        alive = sum(one() is not None for one in server.watched)
        Path("new").write_text(str(alive))
        Path("new").rename("watched")
        time.sleep(0.2)

if __name__ == "__main__":
    try:
        frame.run()
    finally:
        if not hasattr(server, "watched"):
            server.watched = []
            threading.Thread(target=say, daemon=True).start()
        if (table := state.loaded()) is not None:
            server.watched.append(weakref.ref(table.cohort.features))
        del table
"""


@pytest.mark.parametrize("others", [0, 1])
def test_nothing_of_the_first_visitor_is_left_when_they_have_gone(tmp_path: Path, others: int):
    """Though torch came while they looked on, and whether or not somebody comes after them."""
    (tmp_path / "app.py").write_text(WATCHED)
    for part in ("pages", "assets", ".streamlit"):
        (tmp_path / part).symlink_to(ROOT / part)
    there = {"PYTHONPATH": str(ROOT), "STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": "1"}

    async def visit(server: Server) -> None:
        async with visiting(server.url) as anna:
            await anna.look()
            await anna.follow("data")
            await anna.upload("volumes_file", FILE, marked())
            await look_around(anna)
            assert not anna.faults
        for _ in range(others):
            await asyncio.sleep(1.5)  # Anna is waited for no longer.
            async with visiting(server.url) as bert:
                await bert.look()

    def alive() -> int:
        return int((tmp_path / "watched").read_text())

    with running_app(folder=tmp_path, environment=there) as server:
        play(visit(server))
        assert alive() > 0
        until = time.monotonic() + 60
        while alive() and time.monotonic() < until:
            time.sleep(0.5)
        assert not alive()


def test_an_uploaded_file_stays_in_memory_while_it_comes():
    """Starlette would put it into a temporary file beyond a megabyte."""
    app_server.keep_to(Limits(upload_mb=5))
    body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n%s\r\n--x--\r\n'

    async def sent():
        yield body % bytes(4_000_000)

    async def form():
        headers = Headers({"content-type": "multipart/form-data; boundary=x"})
        return await MultiPartParser(headers, sent()).parse()

    file = play(form())["f"].file
    assert not file._rolled
    assert isinstance(file._file, io.BytesIO)
