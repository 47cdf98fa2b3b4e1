"""A large file for one visitor: written to disk in the background, watched, cancelled, streamed.

Streamlit holds what its download button gives in memory, whole, as long as the session lasts. So a
large file is written piece by piece to disk, without a name, and `route`, which app.py adds to the
server, sends it from there. Only who knows its token can have it. It is deleted when its visitor is
gone, and by the system when the server is, however that ended.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import quote

import streamlit as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from streamlit import config, runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cavae.errors import CavaeError, ConfigError
from cavae.ui import state
from cavae.ui.widgets import plain

PATH, THREAD = "made", "making"
ROOMY = Path("/var/tmp")  # on disk where /tmp may be memory
WAITING, WRITING, READY, FAILED, GONE = "waiting", "writing", "ready", "failed", "gone"
LOOK, GRACE = 2.0, 120.0  # seconds between two looks for the visitor, and until they are missed
ENDING = 1.0  # second that all who write get to end with the server
PIECE = 1024**2  # bytes that are read at once
UNEXPECTED = "The file could not be made ({kind})."

Tell = Callable[[float], None]  # takes the share that is done
Write = Callable[[IO[bytes], Tell], None]
Present = Callable[[], bool]


class _CancelledError(Exception):
    """The visitor wants the file no more, or is gone."""


@dataclass
class _Progress:
    """What the thread that makes the file says of itself, and what it is told."""

    present: Present
    status: str = WAITING
    share: float = 0.0
    size: int = 0
    reason: str = ""
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def ended(self) -> bool:
        """Whether nothing more will change by itself."""
        return self.status in (READY, FAILED, GONE)

    def tell(self, share: float) -> None:
        """Take note, and end the writing when nobody wants the file any more."""
        self.share = share
        if self.cancelled.is_set() or not self.present():
            raise _CancelledError


class Making:
    """A file while it is made, and afterwards, until nobody holds this any more."""

    def __init__(self, wanted: Hashable, name: str, mime: str, size: float, write: Write) -> None:
        """Begin to write a file of about `size` bytes; `wanted` says which it is.

        Raises ConfigError when the disk has not room for two of them.
        """
        self.wanted, self.name, self.mime = wanted, name, mime
        self.token = secrets.token_urlsafe(32)
        self.progress = _Progress(_visitor())
        self._file = _Nameless(folder_for(size))
        weakref.finalize(self, self.progress.cancelled.set)
        threading.Thread(
            target=_make, args=(self._file, write, self.progress), name=THREAD, daemon=True
        ).start()
        _MADE[self.token] = self

    def pieces(self) -> Iterator[bytes]:
        """The file from its beginning, also when it is deleted meanwhile.

        Raises ValueError when it is deleted already.
        """
        return _pieces(self._file.opened())


class _Nameless:
    """A file that nobody else can open, and that no killed server leaves behind."""

    def __init__(self, folder: Path) -> None:
        self.stream = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (`close`)
        self._closing = threading.Lock()  # A closed file's number soon is that of another one.

    def opened(self) -> IO[bytes]:
        """It once more, for who reads it."""
        with self._closing:
            return os.fdopen(os.dup(self.stream.fileno()), "rb")

    def close(self) -> None:
        """Delete it."""
        with self._closing:
            self.stream.close()


def _pieces(opened: IO[bytes]) -> Iterator[bytes]:
    """By place, as all who read it at the same time share one position."""
    place = 0
    with opened:
        while piece := os.pread(opened.fileno(), PIECE, place):
            yield piece
            place += len(piece)


_MADE: weakref.WeakValueDictionary[str, Making] = weakref.WeakValueDictionary()
_ONE_AT_A_TIME = threading.Lock()


def _make(file: _Nameless, write: Write, progress: _Progress) -> None:
    """The thread: it writes the file and deletes it when nobody wants it any more.

    It holds no `Making`, so that one that nobody holds is one that nobody wants.
    """
    with closing(file):
        try:
            with _ONE_AT_A_TIME:
                progress.tell(0.0)
                progress.status = WRITING
                write(file.stream, progress.tell)
                file.stream.flush()
            progress.size, progress.status = os.fstat(file.stream.fileno()).st_size, READY
            while not progress.cancelled.wait(LOOK) and progress.present():
                pass
            progress.status = GONE
        except _CancelledError:
            progress.status = GONE
        except CavaeError as error:
            progress.reason, progress.status = str(error), FAILED
        except Exception as error:
            progress.reason = UNEXPECTED.format(kind=type(error).__name__)
            progress.status = FAILED


def _visitor() -> Present:
    """Says whether the visitor is there, or was there not long ago.

    Streamlit forgets a session some time after it has lost its visitor: when the next one comes.
    """
    context, seen = get_script_run_ctx(), time.monotonic()
    session = context and context.session_id  # The context itself would hold the file.

    def connected() -> bool:
        if session is None or not runtime.exists():
            return True  # There is no server that could lose anyone.
        return runtime.get_instance().is_active_session(session)

    def present() -> bool:
        nonlocal seen
        if connected():
            seen = time.monotonic()
        return time.monotonic() - seen < GRACE

    return present


def folder_for(size: float) -> Path:
    """Where temporary files belong: $TMPDIR, or where there is most likely to be room.

    Raises ConfigError when there is not room for two files of this size, in bytes.
    """
    folder = Path(tempfile.gettempdir())
    if "TMPDIR" not in os.environ and os.access(ROOMY, os.W_OK):
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


def _send(request: Request) -> StreamingResponse:
    """Stream a file that is ready; nothing is found for any other token."""
    made = _MADE.get(request.path_params["token"])
    if made is None or made.progress.status != READY:
        raise HTTPException(404)
    headers = {
        "Cache-Control": "no-store",
        "Content-Encoding": "identity",  # Not packed again.
        "Content-Length": str(made.progress.size),
        "Content-Disposition": f"attachment; filename*=utf-8''{quote(made.name)}",
    }
    return StreamingResponse(made.pieces(), headers=headers, media_type=made.mime)


def route() -> Route:
    """Where files are sent from, beside the pages, below the path at which the app stands."""
    base = config.get_option("server.baseUrlPath").strip("/")
    return Route(f"{'/' if base else ''}{base}/{PATH}/{{token}}", _send, methods=["GET"])


def end() -> None:
    """Delete all files: the server ends, perhaps without the clean-up of an interpreter that ends
    by itself."""
    for made in _MADE.values():
        made.progress.cancelled.set()
    until = time.monotonic() + ENDING
    for thread in threading.enumerate():
        if thread.name == THREAD:
            thread.join(max(0.0, until - time.monotonic()))


# --------------------------------------------------------------------------- the page


def offer(wanted: Hashable, label: str, size: float, name: str, mime: str, write: Write) -> None:
    """A button that begins to make the file; then its progress, and at last the file.

    wanted: all that the file depends on; label: what it is, "500,000 pairs"; size: about how large
    it will be, bytes.
    """
    made = st.session_state.get(state.Key.MADE)
    if made is not None and made.wanted == wanted and made.progress.status != GONE:
        ended = made.progress.ended
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
    if made is None or (made.progress.ended and not ended):
        st.rerun()  # The whole page: another button, and no timer any more.
    with st.container(horizontal=True, vertical_alignment="center", width="content"):
        _show_state(made, label)
        st.button("Delete it" if ended else "Cancel", key="forget_file", on_click=_forget)


def _show_state(made: Making, label: str) -> None:
    progress = made.progress
    if progress.status == READY:
        st.link_button(
            f"Download {label} ({megabytes(progress.size)})",
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
