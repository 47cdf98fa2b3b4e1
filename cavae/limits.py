"""What the admin of a server allows, from environment variables; docs/ADMIN.md has the same list.

The variable of a field is its name in capitals after CAVAE_: CAVAE_UPLOAD_MB is `upload_mb`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from cavae.errors import ConfigError

PREFIX = "CAVAE_"
STORAGE = Path(__file__).resolve().parent.parent / "storage"
YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
MEGABYTE = 1024**2
NO_TRAINING = "Training is turned off on this server."
NO_UPLOADS = (
    "This server only shows what it came with: no tables and models can be loaded, and nothing is "
    "trained."
)


def _number(default: int, least: int, most: int) -> Any:
    return field(default=default, metadata={"range": (least, most)})


@dataclass(frozen=True)
class Limits:
    """Sizes in megabytes of 1024² bytes. The defaults suit one person at a computer of their own.

    keep_days: after so many days a job and its model are deleted, 0 never; delete_shared: shared
    models, too; jobs_per_session: of one visitor, waiting or running; demo: a public server that
    takes in nothing, so that nothing can be trained either.
    """

    storage: Path = STORAGE
    storage_mb: int = _number(10_000, 10, 100_000_000)
    keep_days: int = _number(0, 0, 36_500)
    delete_shared: bool = False
    upload_mb: int = _number(200, 1, 2_000)
    table_rows: int = _number(200_000, 10, 10_000_000)
    table_columns: int = _number(5_000, 10, 100_000)
    jobs_at_once: int = _number(1, 1, 64)
    jobs_waiting: int = _number(20, 0, 10_000)
    jobs_per_session: int = _number(5, 1, 10_000)
    job_minutes: int = _number(1_440, 1, 100_000)
    training: bool = True
    demo: bool = False

    @property
    def upload_bytes(self) -> int:
        """The largest file that is taken in."""
        return self.upload_mb * MEGABYTE

    @property
    def trains(self) -> bool:
        """Whether jobs are taken."""
        return self.training and not self.demo


def limits(environment: Mapping[str, str] = os.environ) -> Limits:
    """What is allowed here; raises ConfigError for a value or a variable that is not known."""
    known = {PREFIX + one.name.upper(): one for one in fields(Limits)}
    said = {name: text for name, text in environment.items() if name.startswith(PREFIX)}
    if unknown := sorted(said.keys() - known.keys()):
        raise ConfigError(
            f"{unknown[0]} is set in the environment; accepted: {', '.join(sorted(known))}."
        )
    values = {known[name].name: _value(name, text, known[name]) for name, text in said.items()}
    return Limits(**values)


def _value(name: str, text: str, one: Field[Any]) -> Path | bool | int:
    word = text.strip()
    if isinstance(one.default, Path):
        if not word:
            raise ConfigError(f"{name} is empty; accepted: a folder.")
        return Path(word)
    if isinstance(one.default, bool):
        if word.lower() not in YES + NO:
            raise ConfigError(f"{name} is {word!r}; accepted: {', '.join(YES + NO)}.")
        return word.lower() in YES
    least, most = one.metadata["range"]
    if not (re.fullmatch(r"[0-9]{1,20}", word) and least <= int(word) <= most):
        raise ConfigError(
            f"{name} is {word[:20]!r}; accepted: a whole number, {least:,} to {most:,}."
        )
    return int(word)


def require_training() -> None:
    """Raises ConfigError where nothing may be trained."""
    if not limits().trains:
        raise ConfigError(NO_TRAINING)


def require_uploads() -> None:
    """Raises ConfigError where nothing may be taken in."""
    if limits().demo:
        raise ConfigError(NO_UPLOADS)
