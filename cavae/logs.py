"""What the server says of itself: one JSON object a line on standard error.

Nothing of a person, of a file or of a visitor can get in: a value is a number, a word of ours, or a
name or place in the code. What libraries say may be data, and of that only who says it and where is
written.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path

LOG = logging.getLogger("cavae")
ROOT = Path(__file__).resolve().parents[1]
WORDS = {
    *("start", "stop", "job started", "job ended", "upload", "page failed", "cleaned"),
    *("failed", "library", "warning", "error", "critical"),
    *("training", "sweep", "table", "model"),
    *("queued", "running", "done", "cancelled", "failed", "interrupted", "overtime"),
    *("read", "refused", "unforeseen"),
}

Value = int | float | bool | str | type


def begin() -> None:
    """Write to standard error from now on, and have nobody else in this process write there."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOG.handlers, LOG.propagate = [handler], False
    LOG.setLevel(logging.INFO)
    logging.root.handlers = [_Library(logging.WARNING)]
    logging.captureWarnings(True)
    os.environ["PYTHONWARNINGS"] = "ignore"  # In processes that this one starts.
    sys.excepthook = lambda _kind, error, _trace: log_failure(error, "failed")
    threading.excepthook = sys.unraisablehook = _log_uncaught


def log(event: str, **told: Value) -> None:
    """Write down an event with what is told of it; words that are not in WORDS become "other"."""
    _write(event, {name: _safe(value) for name, value in told.items()})


def log_failure(error: BaseException, event: str = "page failed") -> None:
    """Write down where in the code an error came up, and not what it says, which may be data."""
    _write(event, _failure(error))


def _log_uncaught(told: threading.ExceptHookArgs | sys.UnraisableHookArgs) -> None:
    if told.exc_value is not None:
        log_failure(told.exc_value, "failed")


class _Library(logging.Handler):
    """Writes who said something, how bad it is and where, and not what."""

    def emit(self, record: logging.LogRecord) -> None:
        told = {
            "name": record.name,
            "level": _safe(record.levelname.lower()),
            "place": _place(record.pathname, record.lineno, record.funcName),
        }
        error = record.exc_info[1] if record.exc_info else None
        _write("library", told | (_failure(error) if error else {}))


def _failure(error: BaseException) -> dict[str, object]:
    frames = traceback.extract_tb(error.__traceback__)
    trace = [_place(one.filename, one.lineno, one.name) for one in frames]
    return {"error": type(error).__name__, "trace": trace}


def _place(file: str, line: int | None, function: str) -> str:
    path = Path(file)
    name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name
    return f"{name}:{line} {function}"


def _safe(value: Value) -> int | float | bool | str:
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, str):
        return value if value in WORDS else "other"
    return round(value, 3)


def _write(event: str, told: dict[str, object]) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    LOG.info(json.dumps({"time": now, "event": _safe(event), **told}))
