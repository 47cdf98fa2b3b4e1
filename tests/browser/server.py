"""The app, run for a test as a person would run it: streamlit run app.py on a free port."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A running app: its address, its process and what it writes."""

    url: str
    process: subprocess.Popen[bytes]

    log: Path

    @property
    def said(self) -> str:
        """What it has written to standard output and error."""
        return self.log.read_text(errors="replace")


@dataclass(frozen=True)
class User:
    """Whom a process runs as, and the Python that they can run; by default whoever runs this."""

    name: str | None = None
    python: str = sys.executable

    @property
    def options(self) -> dict[str, Any]:
        """What `Popen` needs to become that user."""
        named = {"user": self.name, "group": "nogroup", "extra_groups": []}
        return named if self.name else {}


@contextmanager
def running_app(
    path: str = "",
    environment: Mapping[str, str] | None = None,
    user: User | None = None,
    script: str = "app.py",
    folder: Path = ROOT,
) -> Iterator[Server]:
    """Start the app at a path such as "/brain", wait until it answers, stop it afterwards."""
    port, user = free_port(), user or User()
    command = [user.python, "-m", "streamlit", "run", script, f"--server.port={port}"]
    settings = os.environ | {"STREAMLIT_SERVER_BASE_URL_PATH": path} | (environment or {})
    with (
        tempfile.NamedTemporaryFile() as log,
        subprocess.Popen(
            command, cwd=folder, env=settings, stdout=log, stderr=subprocess.STDOUT, **user.options
        ) as process,
    ):
        server = Server(f"http://127.0.0.1:{port}{path}", process, Path(log.name))
        try:
            wait_for(server)
            yield server
        except TimeoutError as error:
            raise RuntimeError(server.said) from error
        finally:
            process.terminate()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(server: Server) -> None:
    """Wait until it answers; raises TimeoutError."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError
