"""Write tables as CSV or Parquet, in chunks, whole or not at all."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pandas as pd

from cavae.errors import DataError

FORMATS = (".csv", ".parquet")


def require_output(path: Path, *inputs: Path | None, formats: tuple[str, ...] = FORMATS) -> str:
    """The format that the suffix of an output asks for.

    Raises DataError for any other format, for a folder, and for an output that is an input.
    """
    suffix = path.suffix.lower()
    if suffix not in formats:
        known = ", ".join(formats)
        raise DataError(f"Output {path.name!r} has no known format; accepted: {known}.")
    if path.is_dir():
        raise DataError(f"Output {str(path)!r} is a folder; accepted: a file to write.")
    for source in inputs:
        if source is not None and path.exists() and source.exists() and path.samefile(source):
            raise DataError(
                f"Output {str(path)!r} is the input and would destroy it; accepted: another file."
            )
    return suffix


def save_table(chunks: Iterable[pd.DataFrame], path: Path) -> None:
    """Write chunks of one table to `path`; the file appears only once it is complete."""
    suffix = require_output(path)
    with whole_file(path) as stream:
        write_table(chunks, stream, suffix)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary stream to write; the file appears at `path` once all of it is there, or never.

    Raises DataError when it cannot be written.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix=path.suffix)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as stream:
            yield stream
        temporary.chmod(0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise DataError(f"Output {str(path)!r} cannot be written: {error.strerror}.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def csv_bytes(table: pd.DataFrame) -> bytes:
    """A table as commands write it to .csv, byte for byte."""
    stream = io.BytesIO()
    write_table([table], stream, ".csv")
    return stream.getvalue()


def write_table(chunks: Iterable[pd.DataFrame], stream: IO[bytes], suffix: str) -> None:
    """Write chunks of one table to a binary stream, memory flat in their number."""
    if suffix == ".parquet":
        _write_parquet(chunks, stream)
        return
    for number, chunk in enumerate(chunks):
        stream.write(chunk.to_csv(index=False, header=number == 0).encode("utf-8"))


def _write_parquet(chunks: Iterable[pd.DataFrame], stream: IO[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer: pq.ParquetWriter | None = None
    try:
        for chunk in chunks:
            table = pa.Table.from_pandas(chunk, preserve_index=False)
            if writer is None:
                writer = pq.ParquetWriter(stream, table.schema)
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()
