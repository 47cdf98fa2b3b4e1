"""What the server says of itself: one JSON object a line on standard error.

Nothing of a person, of a file or of a visitor can get in: a value is a number, a word of ours, or a
place in the code.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

LOG = logging.getLogger("cavae")
ROOT = Path(__file__).resolve().parents[1]
WORDS = {
    *("start", "stop", "job started", "job ended", "upload", "page failed", "cleaned"),
    *("training", "sweep", "table", "model"),
    *("queued", "running", "done", "cancelled", "failed", "interrupted", "overtime"),
    *("read", "refused", "unforeseen"),
}

Value = int | float | bool | str | type


def begin() -> None:
    """Write to standard error from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOG.handlers, LOG.propagate = [handler], False
    LOG.setLevel(logging.INFO)


def log(event: str, **told: Value) -> None:
    """Write down an event with what is told of it; words that are not in WORDS become "other"."""
    _write(event, {name: _safe(value) for name, value in told.items()})


def log_failure(error: BaseException) -> None:
    """Write down where in the code an error came up, and not what it says, which may be data."""
    frames = traceback.extract_tb(error.__traceback__)
    _write("page failed", {"error": type(error).__name__, "trace": [_place(one) for one in frames]})


def _place(frame: traceback.FrameSummary) -> str:
    path = Path(frame.filename)
    name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name
    return f"{name}:{frame.lineno} {frame.name}"


def _safe(value: Value) -> int | float | bool | str:
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, str):
        return value if value in WORDS else "other"
    return round(value, 3)


def _write(event: str, told: dict[str, object]) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    LOG.info(json.dumps({"time": now, "event": _safe(event), **told}))
