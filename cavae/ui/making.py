"""A large file for one visitor: written to disk in the background, watched, cancelled, streamed.

Streamlit holds what its download button gives in memory, whole, as long as the session lasts. So a
large file is written piece by piece into a folder of its own, and `ROUTE`, which app.py adds to the
server, sends it from there. Only who knows its token can have it; it is deleted with the session.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import streamlit as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from cavae.errors import CavaeError, ConfigError
from cavae.ui import state
from cavae.ui.widgets import plain

PATH = "made"
ROOMY = Path("/var/tmp")  # on disk where /tmp may be memory
WAITING, WRITING, READY, FAILED = "waiting", "writing", "ready", "failed"
UNEXPECTED = "The file could not be made ({kind})."

Tell = Callable[[float], None]  # takes the share that is done
Write = Callable[[IO[bytes], Tell], None]


class _CancelledError(Exception):
    """The visitor wants the file no more, or is gone."""


@dataclass
class _Progress:
    """What the thread that writes says of itself, and what it is told."""

    status: str = WAITING
    share: float = 0.0
    reason: str = ""
    cancelled: threading.Event = field(default_factory=threading.Event)

    def tell(self, share: float) -> None:
        """Take note, and end the writing when it is cancelled."""
        self.share = share
        if self.cancelled.is_set():
            raise _CancelledError


class Making:
    """A file while it is made, and afterwards; when nobody holds it any more, it is deleted."""

    def __init__(self, wanted: Hashable, name: str, mime: str, size: float, write: Write) -> None:
        """Begin to write a file of about `size` bytes; `wanted` says which it is.

        Raises ConfigError when the disk has not room for two of them.
        """
        folder = folder_for(size)
        self.wanted, self.name, self.mime = wanted, name, mime
        self.token = secrets.token_urlsafe(32)
        self._folder = tempfile.TemporaryDirectory(
            prefix="cavae-", dir=folder, ignore_cleanup_errors=True
        )
        self.path = Path(self._folder.name) / "file"
        self.progress = _Progress()
        weakref.finalize(self, self.progress.cancelled.set)
        threading.Thread(
            target=_write, args=(self.path, write, self.progress), name="making", daemon=True
        ).start()
        _MADE[self.token] = self


_MADE: weakref.WeakValueDictionary[str, Making] = weakref.WeakValueDictionary()
_ONE_AT_A_TIME = threading.Lock()


def _write(path: Path, write: Write, progress: _Progress) -> None:
    """The thread: it holds no `Making`, so that one that nobody wants any more ends it."""
    with _ONE_AT_A_TIME:
        try:
            progress.tell(0.0)
            progress.status = WRITING
            with path.open("wb") as stream:
                write(stream, progress.tell)
            progress.status = READY
        except _CancelledError:
            pass
        except CavaeError as error:
            progress.reason, progress.status = str(error), FAILED
        except Exception as error:
            progress.reason = UNEXPECTED.format(kind=type(error).__name__)
            progress.status = FAILED


def folder_for(size: float) -> Path:
    """Where temporary files belong: $TMPDIR, or where there is most likely to be room.

    Raises ConfigError when there is not room for two files of this size, in bytes.
    """
    folder = Path(tempfile.gettempdir())
    if "TMPDIR" not in os.environ and ROOMY.is_dir():
        folder = ROOMY
    free = shutil.disk_usage(folder).free
    if free < 2 * size:
        raise ConfigError(
            f"The file would have {megabytes(size)}, and the server's disk has {megabytes(free)} "
            "left. Take fewer pairs, or the command below on another machine."
        )
    return folder


def megabytes(size: float) -> str:
    """`12 MB`, `1.3 GB`."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, size / 1e6):,.0f} MB"


# --------------------------------------------------------------------------- the server


def _send(request: Request) -> FileResponse:
    """Stream a file that is ready; nothing is found for any other token."""
    made = _MADE.get(request.path_params["token"])
    if made is None or made.progress.status != READY:
        raise HTTPException(404)
    headers = {"Cache-Control": "no-store", "Content-Encoding": "identity"}  # Not packed again.
    return FileResponse(made.path, headers=headers, media_type=made.mime, filename=made.name)


ROUTE = Route(f"/{PATH}/{{token}}", _send, methods=["GET"])


# --------------------------------------------------------------------------- the page


def offer(wanted: Hashable, label: str, size: float, name: str, mime: str, write: Write) -> None:
    """A button that begins to make the file; then its progress, and at last the file.

    wanted: all that the file depends on; label: what it is, "500,000 pairs"; size: about how large
    it will be, bytes.
    """
    made = st.session_state.get(state.Key.MADE)
    if made is not None and made.wanted == wanted:
        ended = made.progress.status in (READY, FAILED)
        st.fragment(_show, run_every=None if ended else 1.0)(label, ended)
    elif st.button(
        f"Make {label} (about {megabytes(size)})",
        key="make_file",
        type="primary",
        icon=":material/download:",
        help="So large a file is written on the server first. Then you download it.",
    ):
        _forget()  # One at a time: the last one makes room.
        st.session_state[state.Key.MADE] = Making(wanted, name, mime, size, write)
        st.rerun()


def _show(label: str, ended: bool) -> None:
    made = st.session_state.get(state.Key.MADE)
    if made is None or (made.progress.status in (READY, FAILED) and not ended):
        st.rerun()  # The whole page: another button, and no timer any more.
    with st.container(horizontal=True, vertical_alignment="center", width="content"):
        _show_state(made, label)
        st.button("Delete it" if ended else "Cancel", key="forget_file", on_click=_forget)


def _show_state(made: Making, label: str) -> None:
    progress = made.progress
    if progress.status == READY:
        st.link_button(
            f"Download {label} ({megabytes(made.path.stat().st_size)})",
            f"{PATH}/{made.token}",
            type="primary",
            icon=":material/download:",
        )
    elif progress.status == FAILED:
        st.error(plain(progress.reason), icon=":material/error:")
    else:
        words = f"Making {label}: {progress.share:.0%}"
        if progress.status == WAITING:
            words = "Waiting for another file …"
        st.progress(progress.share, words, width=240)


def _forget() -> None:
    """Delete the file, or end the making of it."""
    made = st.session_state.pop(state.Key.MADE, None)
    if made is not None:
        made.progress.cancelled.set()
