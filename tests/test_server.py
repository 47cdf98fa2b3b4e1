"""A real server: what it writes when a page fails, and what it leaves when a signal ends it."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
from starlette.formparsers import MultiPartParser
from streamlit import config
from streamlit.config_option import ConfigOption
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from cavae.checkpoint import load_model
from cavae.jobs import JobQueue
from cavae.limits import Limits
from cavae.ui import server as app_server
from tests.browser.server import Server, running_app
from tests.conftest import ROOT
from tests.visitor import Visitor, play, visiting

FAILING = """
import streamlit as st
from cavae.ui import server
app = st.App(__file__, **server.options())
if __name__ == "__main__":
    raise ValueError("Mrs Miller")
"""
TALKATIVE = """
import logging, threading, warnings
import streamlit as st
from streamlit.logger import get_logger, update_formatter
from cavae.ui import server

def fail():
    raise ValueError("Mrs Miller")

app = st.App(__file__, **server.options())
if __name__ == "__main__":
    update_formatter()  # as when the settings change
    logging.getLogger("library").warning("Mrs Miller")
    get_logger("streamlit.new").error("Mrs Miller")
    warnings.warn("Mrs Miller")
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
"""


def test_what_an_error_says_is_not_in_the_log(tmp_path: Path):
    """It may be somebody's data."""
    script = tmp_path / "app.py"
    script.write_text(FAILING)

    async def visit(server: Server) -> None:
        async with visiting(server.url) as visitor:
            await visitor.look()

    with running_app(script=str(script), environment={"PYTHONPATH": "."}) as server:
        play(visit(server))
        said = server.said
    assert '"event": "page failed", "error": "ValueError"' in said
    assert "app.py:6 <module>" in said
    assert "Miller" not in said
    assert "Traceback" not in said


def test_of_what_libraries_say_the_log_has_only_who_says_it_and_where(tmp_path: Path):
    script = tmp_path / "app.py"
    script.write_text(TALKATIVE)

    async def visit(server: Server) -> None:
        async with visiting(server.url) as visitor:
            await visitor.look()

    with running_app(script=str(script), environment={"PYTHONPATH": "."}) as server:
        play(visit(server))
        said = server.said
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    written = {line.get("name") or line.get("error"): line["event"] for line in lines[1:]}
    assert written == {
        "library": "library",
        "streamlit.new": "library",
        "py.warnings": "library",
        "ValueError": "failed",
    }
    assert "Miller" not in said
    assert "GET /" not in said, "addresses are keys"


def test_old_jobs_are_looked_for_at_once_and_each_hour(tmp_path: Path):
    old = tmp_path / ("k" * 22)
    old.mkdir()
    (old / "job.json").write_text("{}")
    week_ago = time.time() - 7 * 24 * 3600
    os.utime(old / "job.json", (week_ago, week_ago))
    waited = []

    class Ended:
        def wait(self, seconds: float) -> bool:
            waited.append(seconds)
            return len(waited) == 2

    app_server._clean(Limits(storage=tmp_path, keep_days=6), Ended())
    assert not old.exists()
    assert waited == [3600, 3600]


def test_files_up_to_the_limit_are_taken_in_and_stay_in_memory():
    before = config.get_option("server.maxUploadSize"), MultiPartParser.spool_max_size
    try:
        app_server.keep_to(Limits(upload_mb=7))
        assert config.get_option("server.maxUploadSize") == 7
        assert MultiPartParser.spool_max_size >= 7 * 1024**2
        app_server.keep_to(Limits(upload_mb=7, demo=True))
        assert config.get_option("server.maxUploadSize") == 0
    finally:
        config.set_option("server.maxUploadSize", before[0], ConfigOption.STREAMLIT_DEFINITION)
        MultiPartParser.spool_max_size = before[1]


def test_a_download_waits_for_its_visitor_while_others_work():
    async def visit(server: Server) -> bytes:
        async with visiting(server.url) as one, visiting(server.url) as other:
            await one.look()
            await one.press("start_demo")
            await one.follow("counterfactual")
            place = await one.ask_for("download_person")
            for _ in range(3):
                await other.look()
            return await one.fetch(place)

    with running_app() as server:
        assert play(visit(server)).startswith(b"roi,")


def test_a_demo_server_takes_in_no_file_that_no_page_asked_for():
    async def send(server: Server) -> None:
        async with visiting(server.url) as visitor:
            await visitor.look()
            place = await visitor._place_for("people.csv")
            visitor._put(place.upload_url, "people.csv", b"id,age\n1,70\n")

    with (
        running_app(environment={"CAVAE_DEMO": "on"}) as server,
        pytest.raises(HTTPError, match="413"),
    ):
        play(send(server))


def test_a_server_that_is_told_to_end_keeps_the_best_of_a_training(tmp_path: Path):
    storage = tmp_path / "storage"
    with running_app(environment={"CAVAE_STORAGE": str(storage)}) as server:
        play(start_training(server))
        began = time.monotonic()
        server.process.terminate()
        server.process.wait(15)
        assert time.monotonic() - began < 10
        assert '"event": "stop"' in server.said
    (folder,) = storage.glob("*/job.json")
    job = JobQueue(storage).find(folder.parent.name)
    assert job.status == "interrupted"
    assert load_model(job.model).facts["best_epoch"] > 0


def test_the_end_waits_for_nobody_who_sends_a_file_slowly():
    """Else neither jobs would be told to end, nor the server within ten seconds."""

    async def send_slowly(server: Server) -> None:
        async with visiting(server.url) as visitor:
            await visitor.look()
            place = await visitor._place_for("people.csv")
            address = urlsplit(server.url)
            with socket.create_connection((address.hostname, address.port)) as connection:
                head = {**visitor._signed(), "Content-Type": "multipart/form-data; boundary=end"}
                lines = [f"PUT {place.upload_url} HTTP/1.1", "Host: here", "Content-Length: 999"]
                lines += [f"{name}: {value}" for name, value in head.items()]
                connection.sendall("\r\n".join([*lines, "", "--end"]).encode())
                await asyncio.sleep(1)
                server.process.terminate()
                await asyncio.to_thread(server.process.wait, 10)

    with running_app() as server:
        play(send_slowly(server))
        assert '"event": "stop"' in server.said


def test_no_visitor_can_clear_away_what_limits_them(tmp_path: Path):
    """Streamlit clears its caches for everybody when anybody's browser says so."""

    async def visit(server: Server) -> list[str]:
        async with visiting(server.url) as visitor:
            await train(visitor)
            assert not visitor.faults
            asked = BackMsg(clear_cache=True)
            await visitor._connection.send(asked.SerializeToString())
        async with visiting(server.url) as another:
            await train(another)
            return another.faults

    there = {"CAVAE_STORAGE": str(tmp_path), "CAVAE_JOBS_WAITING": "0"}
    with running_app(environment=there) as server:
        (fault,) = play(visit(server))
    assert "as many as this server lets wait" in fault


async def train(visitor: Visitor) -> None:
    await visitor.look()
    await visitor.press("start_demo")
    await visitor.follow("train")
    await visitor.press("Train")


def test_of_the_files_that_a_visitor_sends_the_last_ones_are_kept():
    files = MemoryUploadedFileManager("/upload")
    app_server.keep_uploads(files)
    for number in range(10):
        files.add_file("one", UploadedFileRec(f"file {number}", "a.csv", "text/csv", bytes(10)))
    files.add_file("other", UploadedFileRec("file 0", "a.csv", "text/csv", bytes(10)))
    assert list(files.file_storage["one"]) == ["file 7", "file 8", "file 9"]
    assert list(files.file_storage["other"]) == ["file 0"]


def test_a_server_that_can_keep_nothing_says_so_and_does_not_start(tmp_path: Path):
    (tmp_path / "file").touch()
    there = os.environ | {"CAVAE_STORAGE": str(tmp_path / "file")}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port=0"]
    ended = subprocess.run(
        command, cwd=ROOT, env=there, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines() == [
        f"The server cannot start. Models cannot be kept in '{tmp_path}/file': File exists; "
        "CAVAE_STORAGE names another folder."
    ]


async def start_training(server: Server) -> None:
    """Train on the demo cohort, and stay until there is a best epoch to keep."""
    async with visiting(server.url, remember=True) as visitor:
        await visitor.look()
        await visitor.press("start_demo")
        await visitor.follow("train")
        await visitor.press("Train")
        until = time.monotonic() + 60
        while not any(b"ends at" in data for data in visitor.heard):
            assert time.monotonic() < until
            await asyncio.sleep(0.5)
            await visitor.look()
