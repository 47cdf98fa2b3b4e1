"""The server around the pages: what it allows and keeps clean, and how it begins and ends."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import math
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from starlette.formparsers import MultiPartParser
from streamlit import config, logger, runtime
from streamlit.config_option import ConfigOption
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.session_manager import SessionManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.starlette import App
from uvicorn import Server

from cavae import storage
from cavae.errors import ConfigError
from cavae.limits import MEGABYTE, Limits, limits
from cavae.logs import begin, log, log_failure
from cavae.threads import use_one_thread
from cavae.ui import making, queue

TIDY, HOUR = 20.0, 3600.0  # seconds
FETCHED = 10.0  # seconds within which a browser comes for a file that was made for it
LINGER = 1  # second for which the end waits for who is sending or fetching a file
FILES = 3  # that a visitor may have sent: volumes, participants, and the one that comes next


def options() -> dict[str, Any]:
    """What `st.App` needs; ends the program with a sentence for a limit that cannot be meant, or a
    storage that cannot be written."""
    try:
        if not runtime.exists():  # Each page asks again.
            allowed = limits()
            if not allowed.demo:
                storage.prepare(allowed.storage)
    except ConfigError as error:
        sys.exit(f"The server cannot start. {error}")
    return {"lifespan": lifespan, "routes": [making.route()], "on_script_error": failed}


@asynccontextmanager
async def lifespan(_app: App) -> AsyncIterator[None]:
    """Begin and end with the server: a signal ends it in good order, jobs with their best kept."""
    allowed = limits()
    use_one_thread()  # Else libraries' own threads fight with those of the server, too.
    begin()
    _silence()
    log("start")
    keep_to(allowed)
    keep_downloads(runtime.get_instance().media_file_mgr)
    keep_uploads(runtime.get_instance().uploaded_file_mgr)
    _linger()
    queue.jobs()
    ended = threading.Event()
    threading.Thread(target=_clean, args=(allowed, ended), name="clean", daemon=True).start()
    tidying = asyncio.create_task(_tidy_often())
    yield
    tidying.cancel()
    ended.set()
    queue.jobs().close()
    making.end()
    log("stop")


def _silence() -> None:
    """Keep Streamlit and its server from writing by themselves, now and when their settings change:
    what an exception says may be somebody's data, and addresses are keys."""
    config.set_option("logger.enableRich", False, ConfigOption.STREAMLIT_DEFINITION)
    logger.setup_formatter = _hand_over
    logger.update_formatter()
    logging.getLogger("streamlit.error_util").disabled = True  # `failed` says it already.


def _hand_over(one: logging.Logger) -> None:
    one.handlers, one.propagate = [], True


def _linger() -> None:
    """Have uvicorn end though somebody is still sending or fetching a file, however slowly."""
    uvicorn = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if isinstance(uvicorn, Server):
        uvicorn.config.timeout_graceful_shutdown = LINGER


async def _tidy_often() -> None:
    here: list[AppSession] = []
    while True:
        await asyncio.sleep(TIDY)
        try:
            here = tidy(runtime.get_instance(), here)
        except Exception as error:  # The next time may be better.
            log_failure(error, "failed")


def tidy(server: Runtime, before: list[AppSession]) -> list[AppSession]:
    """Do once for all visitors what Streamlit would do after every click of each, and let go of who
    left longer ago than `server.disconnectedSessionTTL`, with all they loaded.

    Streamlit itself does so only when the next one leaves, which may be on Monday.

    Args:
        server: what runs here.
        before: who was here the last time; empty afterwards, so that nobody is held by it.

    Returns:
        Who is here, or may come back.
    """
    here, files = _empty_who_left(server._session_mgr, before), server.media_file_mgr
    files.remove_orphaned_files()
    with files._lock:  # Even of those who were here just now: what download buttons would make.
        files._remove_orphaned_deferred_callables()
    gc.unfreeze()  # Whoever was here when torch came was frozen with it (cavae/ui/models.py).
    gc.collect()  # A visit is full of references in circles.
    gc.freeze()
    with suppress(AttributeError, OSError, TypeError):  # glibc alone has it.
        ctypes.CDLL(None).malloc_trim(0)  # Else the system gets its memory back late.
    return here


def _empty_who_left(visits: SessionManager, before: list[AppSession]) -> list[AppSession]:
    """Take from who has left what they loaded and were shown; who is here, or may come back.

    Streamlit's loop holds the last one to leave in hand until another comes, and its storage drops
    some by itself when others leave: they were here before, and are not now.
    """
    expired = [one.session for _, one in visits._session_storage._cache.expire()]
    here = [one.session for one in visits.list_sessions()]
    for session in (*expired, *before):
        if session not in here:
            session.shutdown()
            session.session_state.clear()
            session._fragment_storage.clear()
            session._browser_queue.clear()
    before.clear()
    return here


def keep_downloads(files: MediaFileManager) -> None:
    """Keep a file that a download button has just made until its visitor has come for it.

    Nobody holds such a file. Streamlit marks it when anyone's script ends and deletes it when the
    next one does, which in a class of thirty is before the browser has asked for it.
    """
    remove, last, one_at_a_time = files.remove_orphaned_files, -math.inf, threading.Lock()

    def remove_seldom() -> None:
        nonlocal last
        with one_at_a_time:
            if time.monotonic() - last >= FETCHED:
                remove()
                last = time.monotonic()

    files.remove_orphaned_files = remove_seldom


def keep_uploads(files: MemoryUploadedFileManager) -> None:
    """Keep the last FILES of a visitor; a page forgets those that it does not need any more, but
    who sends them without a page could fill the memory."""
    add = files.add_file

    def add_and_forget(session_id: str, file: UploadedFileRec) -> None:
        add(session_id, file)
        for file_id in list(files.file_storage.get(session_id, ()))[:-FILES]:
            files.remove_file(session_id, file_id)

    files.add_file = add_and_forget


def failed(error: Exception) -> bool:
    """Write down that a page has failed; Streamlit tells the visitor."""
    log_failure(error)
    return False


def keep_to(allowed: Limits) -> None:
    """Have Streamlit take files as large as allowed, and keep them in memory.

    Starlette would write what is larger than 1 MB to disk until it has all of it.
    """
    largest = 0 if allowed.demo else allowed.upload_mb  # Also where no page asks for a file.
    config.set_option("server.maxUploadSize", largest, ConfigOption.STREAMLIT_DEFINITION)
    MultiPartParser.spool_max_size = allowed.upload_bytes + MEGABYTE


def _clean(allowed: Limits, ended: threading.Event) -> None:
    """The thread: delete what is too old, now and each hour."""
    while True:
        try:
            if folders := storage.clean(allowed.storage, allowed):
                log("cleaned", folders=folders)
        except OSError as error:  # The next hour may be better.
            log_failure(error, "failed")
        if ended.wait(HOUR):
            return
