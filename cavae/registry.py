"""Which models there are: those in the box, a visitor's own, and those that someone has shared.

A model of one's own lies in the folder $CAVAE_STORAGE/<key>/<name>, whether a job made it there or
an archive was uploaded; whoever has the key, which nobody can guess, has the model. Shared ones lie
in $CAVAE_STORAGE/shared/<name> for everybody; the key of who shared it, of which only a digest is
kept there, takes it back. Every change is one renaming of a folder: nobody sees half of it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from cavae.archive import Unpacked, unpack_model
from cavae.checkpoint import MODEL_FILES, PRETRAINED
from cavae.errors import CheckpointError, ConfigError
from cavae.jobs import NAME, require_model_name
from cavae.limits import limits, require_uploads
from cavae.storage import KEY, SHARED, STAGING, cannot_keep, is_worked_on, new_key, require_room

OWNER = ".owner"  # SHA-256 of the key of who shared it
BOX, OWN, SHARED_BY_OTHERS = "in the box", "own", "shared"


@dataclass(frozen=True)
class Entry:
    """A model that a visitor may use.

    kind: one of BOX, OWN, SHARED_BY_OTHERS; key: of one's own; public: what others see of one's
    own, if it is shared.
    """

    folder: Path
    kind: str
    key: str = ""
    public: Path | None = None

    @property
    def name(self) -> str:
        """Its name, which is that of its folder."""
        return self.folder.name


class Registry:
    """The models of one server, in a folder, else `limits().storage`."""

    def __init__(self, storage: Path | None = None, box: Path = PRETRAINED) -> None:
        self._storage = storage or limits().storage
        self._box = box

    def visible(self, keys: Iterable[str]) -> tuple[Entry, ...]:
        """What someone with these keys may use: the box, own ones in the order of keys, shared."""
        public = self._public()
        shared = {digest: folder for folder, digest in public.items()}
        own = [
            Entry(folder, OWN, key, shared.get(_digest(key)))
            for key in dict.fromkeys(keys)
            if (folder := self.find(key)) is not None
        ]
        mine = {entry.public for entry in own}
        others = [Entry(f, SHARED_BY_OTHERS) for f in public if f not in mine]
        box = [Entry(folder, BOX) for folder in _models(self._box)]
        return (*box, *own, *others)

    def find(self, key: str) -> Path | None:
        """The model of that key; None while it is being made, and when there is none."""
        if not re.fullmatch(KEY, key):
            return None
        place = self._storage / key
        found = _models(place)
        return found[0] if found and not is_worked_on(place) else None

    def add(self, archive: bytes, file_name: str, keys: Iterable[str]) -> tuple[str, Unpacked]:
        """Take in an uploaded archive; its key and what came out, named like no other model that
        someone with these keys sees. Raises CheckpointError, and ConfigError where the server takes
        in nothing or has no room."""
        require_uploads()
        require_room(self._storage)
        key = new_key()
        with self._staging() as staging:
            unpacked = unpack_model(archive, file_name, staging)
            name = free_name(unpacked.folder.name, [one.name for one in self.visible(keys)])
            _move(unpacked.folder, staging / name)
            os.rename(staging, self._storage / key)
        return key, Unpacked(self._storage / key / name, unpacked.verified)

    def rename(self, key: str, name: str, keys: Iterable[str]) -> Path:
        """Give one's own model another name, new among what someone with these keys sees.

        Raises ConfigError for a name that cannot be or is taken, or when the model is shared.
        """
        entry = self._own(key, keys)
        if entry.public is not None:
            raise ConfigError(f"{entry.name} is shared: stop sharing it before renaming it.")
        require_name(name, [one.name for one in self.visible(keys) if one != entry])
        target = entry.folder.with_name(name)
        _move(entry.folder, target)
        return target

    def share(self, key: str) -> Path:
        """Let everybody on this server see one's own model, under its name.

        Raises ConfigError when a model of that name is in the box or shared already.
        """
        require_uploads()
        require_room(self._storage)
        entry = self._own(key, [key])
        if entry.public is not None:
            return entry.public
        others = [one.name for one in self.visible([]) if one.folder != entry.folder]
        require_name(entry.name, others)
        with self._staging() as staging:
            copy = staging / entry.name
            copy.mkdir(mode=0o755)
            for file in sorted(MODEL_FILES):
                shutil.copyfile(entry.folder / file, copy / file)
            (copy / OWNER).write_text(_digest(key), encoding="ascii")
            target = self._storage / SHARED / entry.name
            target.parent.mkdir(exist_ok=True)
            _move(copy, target)  # Fails when another was faster: a folder with files in it stays.
        return target

    def withdraw(self, key: str) -> None:
        """Take back what was shared with this key; nobody else can, but whoever has the disk."""
        if (public := self._own(key, [key]).public) is not None:
            self._discard(public)

    def delete(self, key: str) -> None:
        """Delete one's own model with all that its job has left, and take it back from others."""
        self._own(key, [key])
        self.withdraw(key)
        self._discard(self._storage / key)

    def _own(self, key: str, keys: Iterable[str]) -> Entry:
        for entry in self.visible(keys):
            if key and entry.key == key:
                return entry
        raise CheckpointError("The model is not there any more; choose another one.")

    def _public(self) -> dict[Path, str]:
        """Every shared model, and the digest of who shared it; "" for those of the admin."""
        found = {}
        for folder in _models(self._storage / SHARED):
            try:
                found[folder] = (folder / OWNER).read_text(encoding="ascii")
            except (OSError, UnicodeDecodeError):
                found[folder] = ""
        return found

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        """A new folder on the same disk, gone afterwards unless it was moved away."""
        try:
            self._storage.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=self._storage, prefix=STAGING))
        except OSError as error:
            raise CheckpointError(cannot_keep(self._storage, error)) from error
        try:
            yield folder
        except OSError as error:
            raise CheckpointError(f"The model cannot be kept: {error.strerror}.") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _discard(self, folder: Path) -> None:
        with self._staging() as staging:
            _move(folder, staging / "discarded")


def require_name(name: str, taken: Iterable[str]) -> None:
    """Refuse a name that a model cannot have, or that another one has; raises ConfigError."""
    require_model_name(name)
    if name.casefold() in {one.casefold() for one in taken}:
        raise ConfigError(f"There is a model {name!r} already; accepted: another name.")


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name, or `name-2`, `name-3`, … if it is taken."""
    known = {one.casefold() for one in taken}
    numbered = (f"{name[:60]}-{number}" for number in count(2))
    return next(one for one in chain([name], numbered) if one.casefold() not in known)


def _models(folder: Path) -> list[Path]:
    """The model folders in a folder, by name; what may not be read is not there."""
    found = []
    with suppress(OSError):  # Somebody deletes the folder just now, or there is none.
        for path in folder.iterdir():
            with suppress(OSError):
                if re.fullmatch(NAME, path.name) and (path / "config.json").is_file():
                    found.append(path)
    return sorted(found)


def _move(folder: Path, target: Path) -> None:
    """Rename a folder, which fails where there is one with something in it."""
    try:
        os.rename(folder, target)
    except FileNotFoundError as error:
        raise CheckpointError("The model is not there any more; choose another one.") from error
    except OSError as error:
        raise ConfigError(
            f"There is a model {target.name!r} already; accepted: another name."
        ) from error


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
