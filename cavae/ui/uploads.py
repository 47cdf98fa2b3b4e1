"""The files a visitor drops on the Data page: kept for the session, read, then put in use.

Streamlit forgets a dropped file when its page is left, so a copy is kept here. What is in use
changes only by `use`: a file that cannot be read changes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import streamlit as st

from cavae.atlas import rois
from cavae.cohort.text import file_name
from cavae.errors import ConfigError, DataError
from cavae.limits import require_uploads
from cavae.logs import log
from cavae.ui import models, state

if TYPE_CHECKING:
    from cavae.cohort import Check

VOLUMES, PARTICIPANTS = "volumes_file", "participants_file"
NO_VOLUMES = "The participants file has no brain volumes: drop the file that has them, too."


@dataclass(frozen=True)
class File:
    """A copy of a dropped file, a `Source` for `read_cohort`; no folders are left in its name."""

    name: str
    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", file_name(self.name))

    def getvalue(self) -> bytes:
        """The bytes of the file."""
        return self.data


@dataclass(frozen=True)
class Reading:
    """Dropped files and what reading them gave: a check, or an error in one sentence.

    `mapping` is what was chosen by hand; `before` the table in use when the files were dropped.
    """

    volumes: File | None
    participants: File | None
    before: state.Loaded | None
    mapping: Mapping[str, str] = field(default_factory=dict)
    check: Check | None = None
    error: str = ""

    @property
    def files(self) -> tuple[File, ...]:
        """What was dropped, the volumes first."""
        return tuple(file for file in (self.volumes, self.participants) if file is not None)

    @property
    def names(self) -> str:
        """The names of the files: "volumes.csv with participants.csv"."""
        return " with ".join(file.name for file in self.files)

    @property
    def in_use(self) -> bool:
        """Whether the pages show this table."""
        table = state.loaded()
        return table is not None and table.check is self.check


def drop_volumes() -> None:
    """Take what was dropped: the volumes, and the participants that lie beside them."""
    _keep(_dropped(VOLUMES), _dropped(PARTICIPANTS))


def drop_participants() -> None:
    """Take the participants, beside the volumes that were dropped before, even on another visit."""
    volumes, kept = _dropped(VOLUMES), current()
    if volumes is None and kept is not None:
        volumes = kept.volumes
    _keep(volumes, _dropped(PARTICIPANTS))


def take(name: str, data: bytes) -> None:
    """Take a file that was dropped elsewhere than on page Data."""
    _keep(File(name, data), None)


def map_by_hand(reading: Reading, mapping: Mapping[str, str]) -> None:
    """Read the same files again with these columns."""
    again = replace(reading, mapping=mapping, before=state.loaded(), check=None, error="")
    _store(again)


def current() -> Reading | None:
    """The files dropped last, read or not; None once another table was put in use."""
    reading: Reading | None = st.session_state.get(state.Key.UPLOAD)
    if reading is None or reading.in_use or state.loaded() is reading.before:
        return reading
    forget()
    return None


def waiting() -> bool:
    """Whether files were dropped that nobody has read yet."""
    reading = current()
    return reading is not None and reading.check is None and not reading.error


def read() -> Reading | None:
    """The files dropped last and what they hold, read at the first call only.

    A table without any fault, guess or gap is put in use at once.
    """
    reading = current()
    if reading is None or reading.check is not None or reading.error:
        return reading
    with st.spinner("Reading the table …"):
        reading = _read(reading)
    _store(reading)
    check = reading.check
    if check and check.usable and not check.problems and not check.notices and not lacking(check):
        use(reading)
        st.rerun()  # The sidebar has been drawn already, without these people.
    return reading


def use(reading: Reading) -> None:
    """Put the usable people of the table in use."""
    state.load(reading.check, reading.files[0].name)


def forget() -> None:
    """Let go of the dropped files; the table in use stays."""
    st.session_state.pop(state.Key.UPLOAD, None)


def lacking(check: Check) -> tuple[str, ...]:
    """Features that the model in use needs and the table does not have; raises CheckpointError."""
    if check.rois == len(rois()):  # No need to open a model for this.
        return ()
    needed = models.current_model().config.features
    return tuple(name for name in needed if name not in check.recognition.features)


def columns(reading: Reading) -> list[str]:
    """Every column of the files, those not used yet first; none of a file that is no table."""
    if reading.check:
        known = reading.check.recognition
        named = [column for column in known.columns.values() if column is not None]
        return list(dict.fromkeys([*known.extra, *named, *known.features.values()]))
    from cavae.cohort.reading import read_table

    found: dict[str, None] = {}
    for file in reading.files:
        with contextlib.suppress(DataError):
            found |= dict.fromkeys(read_table(file).cells)
    return list(found)


def _dropped(key: str) -> File | None:
    file = st.session_state.get(key)
    return None if file is None else File(file.name, file.getvalue())


def _keep(volumes: File | None, participants: File | None) -> None:
    forget()
    if volumes or participants:
        reading = Reading(volumes, participants, state.loaded())
        try:
            require_uploads()
        except ConfigError as error:
            reading = replace(reading, error=str(error))
        _store(reading)


def _store(reading: Reading) -> None:
    st.session_state[state.Key.UPLOAD] = reading


def _read(reading: Reading) -> Reading:
    from cavae.cohort import read_cohort

    size = sum(len(file.data) for file in reading.files)
    try:
        check = read_cohort(*reading.files, mapping=reading.mapping)
        log("upload", kind="table", outcome="read", bytes=size, rows=check.rows)
        return replace(reading, check=check)
    except DataError as error:
        text = str(error) if reading.volumes else NO_VOLUMES
        log("upload", kind="table", outcome="refused", bytes=size)
    except Exception as error:  # Whatever a stranger's file does, the visitor gets a sentence.
        text = f"{reading.names} cannot be read: something in it was not foreseen."
        log("upload", kind="table", outcome="unforeseen", bytes=size, error=type(error))
    return replace(reading, error=text)
