"""Bytes to a table of text: CSV, TSV or Parquet, in whatever spelling it comes.

Everything is read as text, so that a faulty value can be quoted as it stands in the file.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from cavae.cohort.parquet_pages import page_sizes
from cavae.cohort.text import file_name, quoted, shown
from cavae.errors import DataError
from cavae.limits import Limits, limits
from cavae.tables import armed

MAX_CELLS = 40_000_000
"""Rows times columns: what fits in memory as text."""

MAX_LINES = 2_000_000
"""With blank ones; a spreadsheet may export a million of them."""

MAX_PAGES = 500_000
"""Of a Parquet file: their headers are walked in seconds."""

MAX_NAME = 1_000
"""Characters of a column name."""
MAX_CELL = 131_072
"""Characters of a cell."""
MAX_LINE_FIELDS = 100_000
"""Separators in the lines of one record, those inside quotes too."""

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
ACCEPTED = "Accepted are CSV and TSV text (comma, semicolon or tab) and Parquet."

_SIGNATURES = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook; save the sheet as CSV first"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Office file; save the sheet as CSV first"),
    (b"\x1f\x8b", "compressed (gzip); unpack it first"),
    (b"BZh", "compressed (bzip2); unpack it first"),
    (b"\xfd7zXZ", "compressed (xz); unpack it first"),
    (b"7z\xbc\xaf", "compressed (7z); unpack it first"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format 3", "a database"),
    (b"$FL2", "an SPSS file; save it as CSV first"),
    (b"{", "JSON"),
    (b"[", "JSON"),
    (b"<", "a web page or XML"),
)
_BLANK = codecs.BOM_UTF8 + b" \t\r\n"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
MAX_CONTROL_SHARE = 0.01
"""Text with more control characters is binary data; a stray one happens in real exports."""
_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+(?:[eE][+-]?\d+)?")
_DECIMAL_POINT = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)\.\d+(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_NO_COLUMN_NAME = re.compile(r"\d{5,}|\d*[.,]0*[1-9]\d*")
"""Numbers, but not "47" nor the "47.0" that spreadsheets make of it."""


@runtime_checkable
class Buffer(Protocol):
    """A file in memory, such as Streamlit's UploadedFile; `name` may be missing."""

    def getvalue(self) -> bytes: ...  # noqa: D102


Source = str | Path | Buffer


@dataclass(frozen=True)
class Table:
    """One file as text.

    `cells` holds stripped strings under unique column names; `rows` (n,) the spreadsheet row of
    each; `ragged` maps a position to its number of fields where that differs from the header;
    `repeated` are the column names that occur more than once.
    """

    name: str
    cells: pd.DataFrame
    rows: np.ndarray
    ragged: dict[int, int]
    repeated: tuple[str, ...] = ()
    decimal_comma: bool = False
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.cells)

    def without(self, positions: Iterable[int]) -> "Table":
        """The table less some of its rows."""
        kept = np.setdiff1d(np.arange(len(self)), list(positions))
        cells = self.cells.iloc[kept].reset_index(drop=True)
        return replace(self, cells=cells, rows=self.rows[kept], ragged={})


def read_columns(source: Source) -> tuple[str, ...]:
    """Column names of one file, for a mapping by hand; raises DataError as `read_table` does."""
    return tuple(read_table(source).cells.columns)


def read_table(source: Source) -> Table:
    """Read one file.

    Raises:
        DataError: the file is missing, empty, too large, not a table, or has no rows.
    """
    name, data = _load(source)
    if not data.strip(b" \t\r\n\x00"):
        raise DataError(f"{quoted(name)} is empty. {ACCEPTED}")
    if data.startswith(b"PAR1"):
        table = _read_parquet(name, data)
    else:
        _refuse_other_formats(name, data)
        table = _read_text(name, data)
    if not len(table):
        raise DataError(f"{quoted(name)} has a header but no rows below it.")
    return table


def _load(source: Source) -> tuple[str, bytes]:
    if isinstance(source, str | Path):
        path = Path(source)
        try:
            if not path.is_file():
                raise DataError(f"There is no file {quoted(path)}.")
            _limit(path.name, path.stat().st_size, limits().upload_bytes, "bytes")
            return path.name, path.read_bytes()
        except (OSError, ValueError) as error:
            raise DataError(f"{quoted(path)} cannot be opened.") from error
    if not isinstance(source, Buffer):
        raise DataError(f"A table is a file or an upload, not {quoted(type(source).__name__)}.")
    name = file_name(str(getattr(source, "name", None) or "")) or "the table"
    most = limits().upload_bytes
    _limit(name, getattr(source, "size", 0) or 0, most, "bytes")
    data = source.getvalue()
    if not isinstance(data, bytes):
        raise DataError(f"{quoted(name)} must hold bytes, not {quoted(type(data).__name__)}.")
    _limit(name, len(data), most, "bytes")
    return name, data


def _limit(name: str, size: int, most: int, unit: str) -> None:
    if size > most:
        raise DataError(f"{quoted(name)} is too large: at most {most:,} {unit} are accepted.")


def _limit_shape(name: str, rows: int, columns: int, most: Limits) -> None:
    _limit(name, rows, most.table_rows, "rows")
    _limit(name, columns, most.table_columns, "columns")
    _limit(name, rows * columns, MAX_CELLS, "cells (rows times columns)")


def _refuse_other_formats(name: str, data: bytes) -> None:
    start = data[:1000].lstrip(_BLANK)
    for signature, what in _SIGNATURES:
        if start.startswith(signature):
            raise DataError(f"{quoted(name)} is not a table but {what}. {ACCEPTED}")
    if name.lower().endswith((".parquet", ".pq")):
        raise DataError(f"{quoted(name)} is not a Parquet file although its name says so.")


def _framed(header: list[str], columns: np.ndarray) -> tuple[pd.DataFrame, list[str]]:
    """The columns (p, n) as a table under unique names, and the names that were not."""
    clean = [" ".join(name.replace("\ufeff", "").split()) for name in header]
    for name in clean:
        if len(name) > MAX_NAME:
            raise DataError(
                f"The column name {quoted(name)} has {len(name):,} characters; at most "
                f"{MAX_NAME:,} are accepted."
            )
    repeated = [name for name, times in Counter(clean).items() if name and times > 1]
    names = pd.Index(_unique(clean, repeated), dtype=object)
    return pd.DataFrame(np.ascontiguousarray(columns).T, columns=names), repeated


def _unique(header: list[str], repeated: list[str]) -> list[str]:
    """Column names, made different by their position where they repeat or are empty."""
    seen: set[str] = set()
    names: list[str] = []
    for position, name in enumerate(header, start=1):
        unique = name or f"unnamed column {position}"
        if name in repeated and name in seen:
            unique = f"{name} (column {position})"
        while unique in seen:
            unique += "'"
        seen.update((name, unique))
        names.append(unique)
    return names


# Text


def _read_text(name: str, data: bytes) -> Table:
    text, notices = _decode(name, data)
    delimiter, text = _delimiter(name, text)
    records = _records(name, text, delimiter)
    header_row, header = next(records, (0, []))
    rows, cells, most = [], [], limits()  # once: looking them up for every row would take longer
    for row, record in records:
        rows.append(row)
        cells.append(record)
        _limit_shape(name, len(rows), len(header), most)
    header, ragged = _squared(name, header, cells)
    if sum(bool(_NO_COLUMN_NAME.fullmatch(c)) for c in header) >= 2:
        raise DataError(
            f"Row {header_row} of {quoted(name)} holds numbers where the column names should be."
        )
    comma = _has_decimal_comma(cells, delimiter)
    if comma:
        notices.append(f"Numbers of {quoted(name)} are read with a decimal comma.")
    frame, repeated = _framed(header, np.array(cells, dtype=object).reshape(-1, len(header)).T)
    rows = np.array(rows, dtype=int)
    return Table(name, frame, rows, ragged, tuple(repeated), comma, tuple(notices))


def _decode(name: str, data: bytes) -> tuple[str, list[str]]:
    """The text, and a notice when the encoding had to be guessed."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strictly(name, data[len(mark) :], encoding), []
    guess = _unmarked_utf16(data)
    if guess:
        return _strictly(name, data, guess), [f"{quoted(name)} is read as UTF-16."]
    try:
        return _printable(name, data.decode("utf-8")), []
    except UnicodeDecodeError:
        notice = f"{quoted(name)} is not UTF-8; its letters are read as Windows-1252 (Latin-1)."
    try:
        return _printable(name, data.decode("cp1252")), [notice]
    except UnicodeDecodeError:
        return _printable(name, data.decode("latin-1")), [notice]


def _strictly(name: str, data: bytes, encoding: str) -> str:
    try:
        return _printable(name, data.decode(encoding))
    except UnicodeDecodeError as error:
        raise DataError(
            f"{quoted(name)} says it is {encoding.upper()} but is not. Save it as CSV in UTF-8."
        ) from error


def _unmarked_utf16(data: bytes) -> str | None:
    """UTF-16 of mostly Western text has a zero in every other byte."""
    sample = np.frombuffer(data[:4000], dtype=np.uint8)
    zeros = [np.mean(sample[start::2] == 0) if len(sample) > 3 else 0.0 for start in (0, 1)]
    if max(zeros) < 0.7 or min(zeros) > 0.1:
        return None
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def _printable(name: str, text: str) -> str:
    text = text.rstrip("\x1a\x00")
    sample = text[:100_000]
    if "\0" in text or len(_CONTROL.findall(sample)) > MAX_CONTROL_SHARE * len(sample):
        raise DataError(f"{quoted(name)} is not text: it holds binary data. {ACCEPTED}")
    return text


def _delimiter(name: str, text: str) -> tuple[str, str]:
    """The separator and the text below an Excel line such as "sep=;"."""
    stated = re.match(r"\s*\"?sep=([,;\t])\"?[^\S\n\r]*\r?\n", text, flags=re.IGNORECASE)
    if stated and text[stated.end() :].strip():
        # An empty line in its place keeps the row numbers of the spreadsheet.
        return stated[1], "\n" + text[stated.end() :]
    sample = text[:1_000_000]
    if not sample.strip():
        raise DataError(f"{quoted(name)} is empty. {ACCEPTED}")
    widths = {delimiter: _widths(sample, delimiter) for delimiter in DELIMITERS}
    best = max(widths, key=lambda delimiter: _agreement(widths[delimiter]))
    if not widths[best] or widths[best][0] < 2:
        raise DataError(
            f"Only one column was found in {quoted(name)}: "
            "separate the columns by comma, semicolon or tab."
        )
    return best, text


def _lines(text: str) -> io.TextIOWrapper:
    """Lines with their ends, as csv wants them; takes a quarter of the memory of StringIO."""
    return io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="")


class _Lines:
    """Lines for csv, which would make a list of all the fields of a record however many."""

    def __init__(self, name: str, text: str, delimiter: str) -> None:
        self.name, self.delimiter, self.fields = name, delimiter, 0
        self.columns = limits().table_columns
        self._lines = _lines(text)

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.fields += line.count(self.delimiter)
        if self.fields > MAX_LINE_FIELDS:
            _limit(self.name, self.fields, self.columns, "columns")
        return line


def _widths(sample: str, delimiter: str, most: int = 20) -> list[int]:
    """Number of fields of the first records."""
    widths: list[int] = []
    reader = csv.reader(_lines(sample), delimiter=delimiter)
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                widths.append(len(record))
            if len(widths) == most:
                break
    except csv.Error:
        return widths
    return widths


def _agreement(widths: list[int]) -> float:
    """Columns of the header, scaled by the share of records that have as many (or one more)."""
    if not widths:
        return 0.0
    alike = sum(abs(width - widths[0]) <= 1 for width in widths)
    return (widths[0] - 1) * alike / len(widths)


def _records(name: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Records that are not blank, stripped, with their spreadsheet row.

    An apostrophe that keeps a spreadsheet from running a cell (`tables.disarmed`) is taken away.
    """
    lines = _Lines(name, text, delimiter)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    row = 0
    try:
        for row, record in enumerate(reader, start=1):
            lines.fields = 0
            _limit(name, row, MAX_LINES, "lines")
            _limit(name, len(record), lines.columns, "columns")
            cells = [armed(cell.strip()) if "'" in cell else cell.strip() for cell in record]
            if any(cells):
                yield row, cells
    except csv.Error as error:
        raise DataError(
            f"Row {row + 1} of {quoted(name)} cannot be read: a quote is not closed, "
            f"or a cell is longer than {MAX_CELL:,} characters."
        ) from error


def _squared(
    name: str, header: list[str], cells: list[list[str]]
) -> tuple[list[str], dict[int, int]]:
    """Give every record the width of the header, in place, and tell which did not have it."""
    numbered = all(record[0] == str(number) for number, record in enumerate(cells, start=1))
    if numbered and {len(record) for record in cells} == {len(header) + 1}:
        header = ["", *header]  # R writes row numbers without a name for their column.
    header = header[: max(_filled(record) for record in [header, *cells])]
    width, ragged = len(header), {}
    for position, record in enumerate(cells):
        if len(record) < width or any(record[width:]):
            ragged[position] = len(record)
        record[:] = record[:width] + [""] * (width - len(record))
    if cells and len(ragged) == len(cells):
        raise DataError(
            f"No row of {quoted(name)} has as many fields as its header ({width}); the first "
            f"has {ragged[0]}. Numbers with a decimal comma need semicolons or tabs between them."
        )
    return header, ragged


def _filled(record: list[str]) -> int:
    """Number of fields up to the last that is not empty."""
    width = len(record)
    while width and not record[width - 1]:
        width -= 1
    return width


def _has_decimal_comma(cells: list[list[str]], delimiter: str) -> bool:
    """Whether more numbers have a decimal comma than a point, in the first rows.

    "1,234" throughout is taken for thousands, except between semicolons, which come from where the
    comma is the decimal sign.
    """
    sample = [cell for record in cells[:200] for cell in record]
    commas = [cell for cell in sample if _DECIMAL_COMMA.fullmatch(cell)]
    if delimiter != ";" and all(_THOUSANDS.fullmatch(cell) for cell in commas):
        return False
    return len(commas) > sum(bool(_DECIMAL_POINT.fullmatch(cell)) for cell in sample)


# Parquet


def _read_parquet(name: str, data: bytes) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        texts = _text_columns(pq.read_schema(pa.BufferReader(data)))
        # Repeated text is packed as a dictionary; unpacked it can be far more than the file holds.
        file = pq.ParquetFile(
            pa.BufferReader(data), read_dictionary=texts, page_checksum_verification=True
        )
        _limit_shape(name, file.metadata.num_rows, len(file.schema_arrow), limits())
        _refuse_others(name, file.schema_arrow)
        _limit_pages(name, page_sizes(data))
        batches, size = [], 0
        for batch in file.iter_batches(batch_size=1000):
            size += sum(_unpacked_size(name, column) for column in batch.columns)
            _limit_unpacked(name, size)
            batches.append(batch)
        columns = [
            _as_text(column) for column in pa.Table.from_batches(batches, file.schema_arrow).columns
        ]
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        if "Not yet implemented" in str(error):
            raise DataError(
                f"{quoted(name)} is packed in a way that is not read here; save it again with "
                "other settings, or as CSV."
            ) from error
        raise DataError(f"{quoted(name)} is a damaged Parquet file.") from error
    if not columns:
        raise DataError(f"{quoted(name)} has no columns.")
    header = ["" if re.fullmatch(r"__index_level_\d+__", c) else c for c in file.schema_arrow.names]
    frame, repeated = _framed(header, np.array(columns, dtype=object).reshape(len(header), -1))
    return Table(name, frame, np.arange(len(frame)) + 2, {}, tuple(repeated))


def _limit_unpacked(name: str, size: int) -> None:
    _limit(name, size, 4 * limits().upload_bytes, "bytes when unpacked")


def _limit_pages(name: str, sizes: Iterable[int]) -> None:
    total = 0
    for pages, size in enumerate(sizes, start=1):
        total += size
        _limit(name, pages, MAX_PAGES, "pages")
        _limit_unpacked(name, total)


def _text_columns(schema) -> list[int]:
    """By position: of columns of one name pyarrow would find the last alone."""
    return [position for position, field in enumerate(schema) if _is_text(field.type)]


def _unpacked_size(name: str, column) -> int:
    """Bytes of the cells of one batch of a column once every one of them is written out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type) or not _is_text(column.type.value_type):
        return column.nbytes
    lengths = pc.binary_length(column.dictionary)
    longest = pc.max(lengths).as_py() or 0
    if longest > MAX_CELL:
        raise DataError(
            f"A cell of {quoted(name)} has {longest:,} characters; at most {MAX_CELL:,} are "
            "accepted."
        )
    return column.nbytes + (pc.sum(pc.take(lengths, column.indices)).as_py() or 0)


def _is_text(kind) -> bool:
    import pyarrow as pa

    is_text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in is_text)


def _is_plain(kind) -> bool:
    """Whether a value of the type takes a few bytes, however the file packs it; null is one too."""
    import pyarrow as pa

    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
    return any(test(kind) for test in (*numbers, pa.types.is_temporal, pa.types.is_null))


def _refuse_others(name: str, schema) -> None:
    """Refuse columns of anything but numbers, times and text."""
    import pyarrow as pa

    for field in schema:
        packed = pa.types.is_dictionary(field.type)
        kind = field.type.value_type if packed else field.type
        if not (_is_plain(kind) or (packed and _is_text(kind))):
            raise DataError(
                f"Column {quoted(field.name)} of {quoted(name)} holds {shown(kind)} values; "
                "only numbers and text are accepted."
            )


def _as_text(column) -> np.ndarray:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    text = column.cast(pa.string()).fill_null("").to_pandas()
    return text.str.strip().to_numpy(dtype=object)
