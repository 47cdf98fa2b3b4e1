"""The app, run for a test as a person would run it: streamlit run app.py on a free port."""

import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.conftest import ROOT

START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A running app: its address and its process."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def running_app() -> Iterator[Server]:
    """Start the app, wait until it answers, stop it afterwards."""
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        server = Server(f"http://127.0.0.1:{port}", process)
        try:
            _wait_for(server)
            yield server
        except TimeoutError as error:
            log.seek(0)
            raise RuntimeError(log.read().decode(errors="replace")) from error
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _wait_for(server: Server) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError
