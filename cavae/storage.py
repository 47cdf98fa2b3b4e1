"""The folder in which jobs and models are kept: how full it is, and what is deleted when.

A folder in it belongs to one key, which nobody can guess; `shared` to everybody.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from cavae.errors import ConfigError
from cavae.limits import MEGABYTE, Limits, limits

LOCK = ".lock"
SHARED = "shared"
KEY = r"[A-Za-z0-9_-]{22}"
RECORD = "job.json"
STAGING, DISCARDED = ".staging-", ".discarded-"
DAY = 86_400.0  # seconds


def new_key() -> str:
    """A key that nobody can guess, of the pattern KEY."""
    return secrets.token_urlsafe(16)


def cannot_keep(storage: Path, error: OSError) -> str:
    """The sentence that says so."""
    return (
        f"Models cannot be kept in {str(storage)!r}: {error.strerror}; CAVAE_STORAGE names another "
        "folder."
    )


def prepare(storage: Path) -> None:
    """Make the folder where there is none; raises ConfigError when nothing can be kept there."""
    try:
        storage.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=storage).close()
    except OSError as error:
        raise ConfigError(cannot_keep(storage, error)) from error


def require_room(storage: Path) -> None:
    """Raises ConfigError when what is kept there has reached `storage_mb`."""
    most = limits().storage_mb
    if _size(storage) >= most * MEGABYTE:
        raise ConfigError(
            f"The storage of this server is full ({most:,} MB): delete models that you do not "
            "need on page Models, or ask who runs the server."
        )


def clean(storage: Path, allowed: Limits, now: float | None = None) -> int:
    """Delete what is older than it may be, and what a killed server left; how much was deleted.

    now: seconds since 1970. The age of a job or a model is that of its newest file.
    """
    now = time.time() if now is None else now
    old = [path for path in _left_behind(storage) if now - _changed(path) > DAY]
    if allowed.keep_days:
        kept = allowed.keep_days * DAY
        old += [path for path in _deletable(storage, allowed) if now - _changed(path) > kept]
    return sum(delete(path, storage) for path in old)


def is_worked_on(folder: Path) -> bool:
    """Whether a process, which may have lost its server and be saving its model, still runs.

    The operating system takes the lock from a process that is killed; its id may be another's soon.
    """
    if not (folder / LOCK).exists():
        return False
    try:
        with FileLock(folder / LOCK, blocking=False):
            return False
    except Timeout:
        return True


def _left_behind(storage: Path) -> Iterator[Path]:
    for prefix in (STAGING, DISCARDED):
        yield from storage.glob(f"{prefix}*")


def _deletable(storage: Path, allowed: Limits) -> Iterator[Path]:
    """Whose time may have come: jobs and models, shared ones only where that is said."""
    for path in storage.glob("*"):
        with suppress(OSError):  # Of somebody else, who has put it there.
            if _is_of_a_key(path) and not is_worked_on(path):
                yield path
    if allowed.delete_shared:
        yield from (storage / SHARED).glob("*")


def _is_of_a_key(path: Path) -> bool:
    """A job or a model, and no other folder whose name happens to look like a key."""
    if not re.fullmatch(KEY, path.name):
        return False
    return (path / RECORD).exists() or any(path.glob("*/config.json"))


def delete(path: Path, storage: Path) -> bool:
    """Delete a folder of the storage, at once for everybody, by renaming: nobody sees half of it.
    False where that was not possible."""
    gone = storage / f"{DISCARDED}{path.name}"
    try:
        if not path.name.startswith((STAGING, DISCARDED)):
            path = path.rename(gone)
        shutil.rmtree(path)
    except OSError:  # Somebody else was faster, or the next time will be better.
        return False
    return True


def _files(folder: Path) -> Iterator[os.stat_result]:
    for inside, _, names in os.walk(folder):  # Unlike rglob it bears what is deleted meanwhile.
        for name in names:
            with suppress(OSError):
                if name != LOCK:  # which asking changes
                    yield os.lstat(os.path.join(inside, name))


def _size(folder: Path) -> int:
    return sum(one.st_size for one in _files(folder))


def _changed(folder: Path) -> float:
    """When the newest file in it was written, seconds since 1970."""
    with suppress(OSError):
        return max((one.st_mtime for one in _files(folder)), default=folder.stat().st_mtime)
    return float("inf")
