"""What the pages of a Parquet file unfold to, by their own headers.

A file says in its last bytes how large it becomes, and each page says so again in its header. The
reader takes as much memory as a page's header says before it looks at the page, so a file that says
little at its end and much in a page would take it all. pyarrow does not show the headers, and asked
for a column of the file's end that makes no sense it ends the whole program: both are walked here,
in Thrift's compact protocol (parquet.thrift), as the reader walks them. A field counts only if it
has the type that it should have, and integers are cut to their width: what the reader passes over
must not hide what it reads.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

BYTE, SHORT, INTEGER, LONG, DOUBLE, BINARY, STRUCT = 3, 4, 5, 6, 7, 8, 12
BOOLEANS, INTEGERS, LISTS = (1, 2), {SHORT: 16, INTEGER: 32, LONG: 64}, (9, 10)
LIST = 9
# Fields by number and type: of FileMetaData, RowGroup, ColumnChunk, ColumnMetaData, PageHeader.
ROW_GROUPS, COLUMNS, META_DATA = (4, LIST), (1, LIST), (3, STRUCT)
VALUES, LENGTH, DATA_PAGE, DICTIONARY_PAGE = (5, LONG), (7, LONG), (9, LONG), (11, LONG)
UNPACKED, PACKED = (2, INTEGER), (3, INTEGER)
DEEPEST = 8  # structs and lists within each other; a PageHeader has 3
TAIL_BYTES = 8  # the length of the file's description, and "PAR1"

Field = tuple[int, int]


def page_sizes(data: bytes) -> Iterator[int]:
    """Bytes of each page once decompressed; ValueError where the file cannot be walked."""
    for chunk in _column_chunks(data):
        yield from _sizes_of(data, chunk)


class _Chunk(NamedTuple):
    """Where the pages of one column of a row group lie."""

    start: int
    end: int


def _column_chunks(data: bytes) -> Iterator[_Chunk]:
    """Those of which the file's description says that they hold values."""
    (length,) = struct.unpack("<I", data[-TAIL_BYTES:-4])
    reader = _Reader(data, len(data) - TAIL_BYTES - length)
    for _ in reader.items(ROW_GROUPS):
        for _ in reader.items(COLUMNS):
            said = reader.integers(META_DATA)
            if not said.get(VALUES):
                continue
            first, dictionary = said.get(DATA_PAGE, -1), said.get(DICTIONARY_PAGE, 0)
            start = dictionary if 0 < dictionary < first else first
            yield _Chunk(start, min(start + said.get(LENGTH, 0), len(data)))


def _sizes_of(data: bytes, chunk: _Chunk) -> Iterator[int]:
    at = chunk.start
    while at < chunk.end:
        reader = _Reader(data, at)
        header = reader.integers()
        packed, unpacked = header.get(PACKED, -1), header.get(UNPACKED, -1)
        if packed < 0 or unpacked < 0:
            raise ValueError("a page without a size")
        yield unpacked
        at = reader.at + packed


class _Reader:
    """Thrift's compact protocol from one place on; ValueError where it does not hold."""

    def __init__(self, data: bytes, at: int) -> None:
        if at < 0:
            raise ValueError("a place before the beginning")
        self._data, self.at = data, at

    def items(self, wanted: Field) -> Iterator[None]:
        """Stop at each struct of a list in the struct here; the caller reads it to its end."""
        for field in self._fields():
            if field != wanted:
                self._pass(field[1])
                continue
            length, kind = self._list()
            if kind != STRUCT and length:
                raise ValueError("a list of something else")
            for _ in range(length):
                yield

    def integers(self, within: Field | None = None) -> dict[Field, int]:
        """The integers of the struct here, or of one within it; all else is passed over."""
        found: dict[Field, int] = {}
        for field in self._fields():
            if field == within:
                found |= self.integers()
            elif within is None and field[1] in INTEGERS:
                found[field] = self._signed(INTEGERS[field[1]])
            else:
                self._pass(field[1])
        return found

    def _fields(self) -> Iterator[Field]:
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = _cut(number + step, 16) if step else self._signed(INTEGERS[SHORT])
            yield number, kind

    def _pass(self, kind: int, depth: int = 0) -> None:
        if depth > DEEPEST:
            raise ValueError("too deep")
        if kind in BOOLEANS:  # The kind is the value.
            return
        if kind in (BYTE, DOUBLE):
            self.at += 1 if kind == BYTE else 8
        elif kind in INTEGERS:
            self._unsigned()
        elif kind == BINARY:
            length = self._length()
            self.at += length
        elif kind in LISTS:
            self._pass_list(depth)
        elif kind == STRUCT:
            for _, inner in self._fields():
                self._pass(inner, depth + 1)
        else:
            raise ValueError(f"a field of kind {kind}")

    def _pass_list(self, depth: int) -> None:
        length, kind = self._list()
        for _ in range(length):
            if kind in BOOLEANS:
                self.at += 1
            else:
                self._pass(kind, depth + 1)
            if self.at > len(self._data):
                raise ValueError("a list beyond the end")

    def _list(self) -> tuple[int, int]:
        """Length and kind of what a list holds."""
        head = self._byte()
        short = head >> 4
        return self._length() if short == 15 else short, head & 15

    def _length(self) -> int:
        length = _cut(self._unsigned(), 32)
        if length < 0:
            raise ValueError("a length below 0")
        return length

    def _byte(self) -> int:
        if self.at >= len(self._data):
            raise ValueError("a header beyond the end")
        self.at += 1
        return self._data[self.at - 1]

    def _unsigned(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("an endless number")

    def _signed(self, bits: int) -> int:
        """A number in zigzag, cut to so many bits as the reader cuts it."""
        value = self._unsigned() & (2 ** max(bits, 32) - 1)
        return _cut((value >> 1) ^ -(value & 1), bits)


def _cut(value: int, bits: int) -> int:
    """The lowest bits of a number, as a signed one."""
    value &= 2**bits - 1
    return value - 2**bits if value >> (bits - 1) else value
