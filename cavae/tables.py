"""Write tables as CSV or Parquet, in chunks, whole or not at all.

CSV is opened in spreadsheets, which run cells that begin with = + - @ as formulas, also those that
a stranger wrote into an id or a column name. So text that a spreadsheet may run is written with an
apostrophe in front, as OWASP advises ("CSV Injection"), at the start of a cell and after a
semicolon, tab or line break inside it, where another locale starts a cell; also if there are blanks
or quotes before the sign, which such a cell may lose. `cavae.cohort` takes these apostrophes away
again, so that our own files come back as they were (`disarmed` and `armed`).
Columns of numbers stay numbers, negative ones too, and Parquet, which no spreadsheet opens as text,
is written as it is.
"""

from __future__ import annotations

import csv
import io
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import pandas as pd

from cavae.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

Item = TypeVar("Item")

FORMATS = (".csv", ".parquet")
ROW_GROUP = 50_000  # rows of Parquet in memory at once
# Where a spreadsheet would begin a formula, with the apostrophes that stand there already. A minus
# after a blank is one at the start of a cell alone: "a; -2" is text. Blanks and quotes are no start
# themselves, so that each character is looked at once, however many there are.
_BLANK, _MINUS = r"['\" \u00a0\u3000]*", "[-－]"
_FORMULA = (
    rf"(?:^|(?<=[;\t\r\n]))(?={_BLANK}[=+@＝＋＠]|['\"]*{_MINUS})|^(?={_BLANK}{_MINUS}|'*[\t\r\n])"
)
_ARMED = re.compile(_FORMULA)
_DISARMED = re.compile(f"(?:{_FORMULA})'")
SHORT = (1e-4, 1e9)  # numbers that pandas and arrow write with the same digits and no exponent


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


def disarmed(text: str) -> str:
    """The text with an apostrophe before each sign that would make a spreadsheet run it.

    Apostrophes that stand there already get one more, so that `armed` is the exact way back.
    """
    return _ARMED.sub("'", text)


def armed(text: str) -> str:
    """The text that `disarmed` was given; a text with nothing to take away stays as it is."""
    return _DISARMED.sub("", text)


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its text and its column names `disarmed`; the same object where all is so.

    For tables on a page, too: Streamlit's own button saves them as CSV.
    """
    safe = {}
    for position, (_, column) in enumerate(table.items()):
        if not pd.api.types.is_numeric_dtype(column):
            found = {text: disarmed(text) for text in column.unique() if isinstance(text, str)}
            if any(text != plain for text, plain in found.items()):
                safe[position] = [found.get(cell, cell) for cell in column]
    names = [disarmed(name) if isinstance(name, str) else name for name in table.columns]
    if not safe and names == list(table.columns):
        return table
    table = table.copy(deep=False)
    for position, cells in safe.items():
        table.isetitem(position, cells)
    return table.set_axis(names, axis=1)


def csv_bytes(table: pd.DataFrame) -> bytes:
    """A table as commands write it to .csv, byte for byte."""
    stream = io.BytesIO()
    write_table([table], stream, ".csv")
    return stream.getvalue()


def write_table(chunks: Iterable[pd.DataFrame], stream: IO[bytes], suffix: str) -> None:
    """Write chunks of one table to a binary stream, memory flat in their number."""
    chunks = _made_ahead(chunks)
    if suffix == ".parquet":
        _write_parquet(chunks, stream)
        return
    for number, chunk in enumerate(chunks):
        stream.write(_csv(chunk, header=number == 0))


def _made_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items in the same order; the next one is made while the last one is used."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as other_core:
        upcoming = other_core.submit(next, iterator, end)
        while (item := upcoming.result()) is not end:
            upcoming = other_core.submit(next, iterator, end)
            yield item


def _csv(chunk: pd.DataFrame, header: bool) -> bytes:
    """A chunk without formulas as pandas writes it, byte for byte.

    Five times faster than pandas where arrow can do it.
    """
    import pyarrow as pa

    chunk = without_formulas(chunk)
    try:
        if chunk.shape[1] > 1 and chunk.columns.is_unique:
            return _arrow_csv(pa.Table.from_pandas(chunk, preserve_index=False), header)
    except pa.ArrowException:  # text that needs quotes, columns of mixed types or of rare numbers
        pass
    text = chunk.to_csv(index=False, header=header)
    if "\r" in text:  # pandas leaves it bare, and what reads the file would take it for a new row
        text = chunk.to_csv(index=False, header=header, quoting=csv.QUOTE_NONNUMERIC)
    return text.encode("utf-8")


def _arrow_csv(table: pa.Table, header: bool) -> bytes:
    """Raises ArrowException where pandas would write another text."""
    import pyarrow as pa
    from pyarrow.csv import WriteOptions, write_csv

    columns = [_as_pandas_writes(column) for column in table.columns]
    stream = io.BytesIO()
    options = WriteOptions(include_header=header, quoting_style="none", quoting_header="none")
    write_csv(pa.table(columns, names=table.column_names), stream, options)
    return stream.getvalue()


def _as_pandas_writes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text and whole numbers as they are, other numbers as text with a point."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(column.type) or pa.types.is_integer(column.type):
        return column
    if not pa.types.is_float64(column.type):
        raise pa.ArrowInvalid(f"{column.type} may be written otherwise")
    size = pc.abs(column)
    short = pc.and_(pc.greater_equal(size, SHORT[0]), pc.less(size, SHORT[1]))
    if not pc.all(pc.or_(short, pc.equal(size, 0.0)), min_count=0).as_py():
        raise pa.ArrowInvalid("pandas may write other digits")
    text = pc.cast(column, pa.string())
    pointed = pc.binary_join_element_wise(text, ".0", "")
    return pc.if_else(pc.match_substring(text, "."), text, pointed)


def _write_parquet(chunks: Iterable[pd.DataFrame], stream: IO[bytes]) -> None:
    import pyarrow.parquet as pq

    writer: pq.ParquetWriter | None = None
    try:
        for table in _row_groups(chunks):
            if writer is None:
                writer = pq.ParquetWriter(
                    stream,
                    table.schema,
                    compression="zstd",
                    compression_level=1,
                    use_dictionary=_repeating(table.schema),
                )
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _row_groups(chunks: Iterable[pd.DataFrame]) -> Iterator[pa.Table]:
    """Chunks put together to about ROW_GROUP rows: Parquet keeps a note of every row group and
    column until the file is closed."""
    import pyarrow as pa

    waiting: list[pa.Table] = []
    for chunk in chunks:
        waiting.append(pa.Table.from_pandas(chunk, preserve_index=False))
        if sum(table.num_rows for table in waiting) >= ROW_GROUP:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _repeating(schema: pa.Schema) -> list[str]:
    """Columns worth a dictionary: text and whole numbers; measured values hardly repeat."""
    import pyarrow as pa

    return [field.name for field in schema if not pa.types.is_floating(field.type)]
