"""A model folder as a ZIP archive, and back: whatever a stranger's archive holds, only the four
files of a model come out of it, each of a likely size, and they make a model that can be loaded.

The archive holds one folder, of the model's name, with those files and a manifest of their SHA-256.
The same model gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cavae.checkpoint import (
    MAX_CARD_BYTES,
    MAX_JSON_BYTES,
    MAX_WEIGHTS_BYTES,
    MODEL_FILES,
    load_model,
)
from cavae.errors import CheckpointError
from cavae.jobs import NAME

MANIFEST = "manifest.json"
LIMITS: Mapping[str, int] = {
    "config.json": MAX_JSON_BYTES,
    "preprocessor.json": MAX_JSON_BYTES,
    "weights.safetensors": MAX_WEIGHTS_BYTES,
    "card.md": MAX_CARD_BYTES,
    MANIFEST: 10_000,
}
MAX_ARCHIVE_BYTES = 100_000_000
MAX_ENTRIES_BYTES = 20_000  # of the table of contents; five files need 500
EPOCH = (1980, 1, 1, 0, 0, 0)  # The date of every entry: archives of one model are the same.
CHUNK = 1 << 16
ENCRYPTED = 0x1 | 0x40
END = b"PK\x05\x06"
END_BYTES, ZIP64_LOCATOR, ZIP64_LOCATOR_BYTES = 22, b"PK\x06\x07", 20
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# What a Mac and Windows put beside the files when a folder is zipped by hand: passed over unread.
LITTER = re.compile(r"__MACOSX/.*|(.*/)?(\.DS_Store|\._[^/]*|Thumbs\.db|desktop\.ini)")


@dataclass(frozen=True)
class Unpacked:
    """A model out of an archive; verified: it had a manifest, and every file was as it says."""

    folder: Path
    verified: bool


def pack_model(folder: Path) -> bytes:
    """The archive of a model folder; raises CheckpointError when a file is missing."""
    contents = {}
    for name in sorted(MODEL_FILES):
        try:
            contents[name] = (folder / name).read_bytes()
        except OSError as error:
            raise CheckpointError(
                f"{name} of model {folder.name!r} cannot be read: {error.strerror}."
            ) from error
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    manifest = json.dumps({"sha256": hashes}, indent=2, sort_keys=True) + "\n"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in {MANIFEST: manifest.encode(), **contents}.items():
            entry = zipfile.ZipInfo(f"{folder.name}/{name}", EPOCH)
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def unpack_model(archive: bytes, file_name: str, into: Path) -> Unpacked:
    """Put the model of an archive into a new folder under `into`, and load it once to be sure.

    The model has the name of the folder in the archive, or of the file where there is none. Raises
    CheckpointError; what was written until then is the caller's to throw away.
    """
    from cavae.quality import Quality  # which brings torch

    _require_small_contents(archive)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            name, entries = _entries(opened, file_name)
            folder = into / name
            folder.mkdir()
            hashes = {
                file: _extract(opened, entry, folder / file) for file, entry in entries.items()
            }
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
        raise CheckpointError(f"{file_name!r} is a damaged ZIP archive: {error}.") from error
    except (UnicodeError, ValueError, OverflowError, IndexError, struct.error) as error:
        raise CheckpointError(f"{file_name!r} cannot be read as a ZIP archive.") from error
    verified = MANIFEST in entries
    if verified:
        _require_hashes(folder / MANIFEST, hashes)
        (folder / MANIFEST).unlink()
    Quality.from_facts(load_model(folder).facts)
    return Unpacked(folder, verified)


def _require_small_contents(archive: bytes) -> None:
    """Refuse before a table of contents of a million entries is read, whatever it says it has."""
    if len(archive) > MAX_ARCHIVE_BYTES:
        raise CheckpointError(
            f"The archive has {len(archive) / 1e6:,.0f} MB; accepted: up to "
            f"{MAX_ARCHIVE_BYTES / 1e6:.0f} MB."
        )
    end = archive[-END_BYTES:]
    if len(end) < END_BYTES or not (end.startswith(END) and end.endswith(b"\0\0")):
        raise CheckpointError(
            "This is no ZIP archive of a model; accepted: what this app or the folder's owner "
            "zipped, without a comment."
        )
    before = archive[-END_BYTES - ZIP64_LOCATOR_BYTES : -END_BYTES]
    if before.startswith(ZIP64_LOCATOR):
        raise CheckpointError("The archive is of the kind ZIP64, which no model needs.")
    if int.from_bytes(end[12:16], "little") > MAX_ENTRIES_BYTES:
        raise CheckpointError("The archive has too many entries to be a model.")


def _entries(archive: zipfile.ZipFile, file_name: str) -> tuple[str, dict[str, zipfile.ZipInfo]]:
    """The model's name and the entries of its files; raises CheckpointError for anything else."""
    found: dict[str, zipfile.ZipInfo] = {}
    folders = set()
    for entry in archive.infolist():
        if LITTER.fullmatch(entry.filename):
            continue
        _require_plain(entry)
        path = PurePosixPath(entry.filename)
        if entry.is_dir():
            folders.add(str(path))
            continue
        if path.name not in LIMITS:
            raise CheckpointError(
                f"The archive holds {_short(entry.filename)}; accepted: one folder with "
                f"{', '.join(sorted(MODEL_FILES))}."
            )
        if path.name in found:
            raise CheckpointError(f"The archive holds {path.name} twice.")
        if entry.file_size > (limit := LIMITS[path.name]):
            raise CheckpointError(
                f"{path.name} in the archive has {entry.file_size:,} bytes; accepted: up to "
                f"{limit:,}."
            )
        found[path.name] = entry
        folders.add(str(path.parent))
    if missing := sorted(MODEL_FILES - set(found)):
        raise CheckpointError(f"The archive lacks {missing[0]}: it is no model.")
    if len(folders) != 1:
        raise CheckpointError("The archive holds several folders; accepted: the one of a model.")
    (folder,) = folders
    return _model_name(Path(file_name).stem if folder == "." else folder), found


def _require_plain(entry: zipfile.ZipInfo) -> None:
    """Refuse an entry that leads elsewhere, is no plain file or folder, or is packed unusually."""
    name, kind = entry.filename, stat.S_IFMT(entry.external_attr >> 16)
    # orig_filename is what was written, before Python cut it at a NUL or turned its slashes.
    parts = entry.orig_filename.removesuffix("/").split("/")
    odd = re.search(r"[\\:\x00-\x1f]", entry.orig_filename) or entry.orig_filename != name
    if odd or len(parts) > 2 or any(part in ("", ".", "..") for part in parts):
        raise CheckpointError(
            f"The archive holds the path {_short(entry.orig_filename)}; accepted: files in one "
            "folder."
        )
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or entry.is_dir() != name.endswith("/"):
        raise CheckpointError(f"{_short(name)} in the archive is no plain file.")
    if entry.flag_bits & ENCRYPTED:
        raise CheckpointError(f"{_short(name)} in the archive is encrypted.")
    if entry.compress_type not in METHODS:
        raise CheckpointError(
            f"{_short(name)} in the archive is compressed by method {entry.compress_type}; "
            "accepted: none, deflate."
        )


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> str:
    """Write one file, counting what really comes out; its SHA-256, hexadecimal."""
    seen, digest = 0, hashlib.sha256()
    with archive.open(entry) as source, target.open("xb") as written:
        while chunk := source.read(CHUNK):
            seen += len(chunk)
            if seen > min(entry.file_size, LIMITS[target.name]):
                raise CheckpointError(f"{target.name} in the archive is larger than it says.")
            digest.update(chunk)
            written.write(chunk)
    if seen != entry.file_size:
        raise CheckpointError(f"{target.name} in the archive is smaller than it says.")
    return digest.hexdigest()


def _require_hashes(manifest: Path, found: Mapping[str, str]) -> None:
    try:
        said = json.loads(manifest.read_text(encoding="utf-8"))["sha256"]
        expected = {name: str(said[name]) for name in MODEL_FILES}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f"{MANIFEST} cannot be read; accepted: the one that was packed with the model, or none."
        ) from error
    for name in sorted(MODEL_FILES):
        if found[name] != expected[name]:
            raise CheckpointError(
                f"{name} has changed since the model was packed: {MANIFEST} says otherwise."
            )


def _model_name(text: str) -> str:
    """A name that a model may have, close to the given one."""
    name = re.sub(r"[^\w.-]+", "-", text).strip("-._")[:64]
    return name if re.fullmatch(NAME, name) else "model"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
