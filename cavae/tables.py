"""Write tables as CSV or Parquet, in chunks, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import pandas as pd

from cavae.errors import DataError

FORMATS = (".csv", ".parquet")


def require_format(path: Path) -> str:
    """The format that the suffix of `path` asks for; raises DataError for any other."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise DataError(f"Output {path.name!r} has no known format; accepted: .csv, .parquet.")
    return suffix


def save_table(chunks: Iterable[pd.DataFrame], path: Path) -> None:
    """Write chunks of one table to `path`; the file appears only once it is complete."""
    suffix = require_format(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix=suffix)
    except OSError as error:
        raise DataError(f"Output {str(path)!r} cannot be written: {error.strerror}.") from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            write_table(chunks, stream, suffix)
        temporary.chmod(0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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
