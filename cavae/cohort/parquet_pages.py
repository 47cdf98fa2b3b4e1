"""What the pages of a Parquet file unfold to, by their own headers.

A file says in its last bytes how large it becomes, and each page says so again in its header. The
reader takes as much memory as a page's header says before it looks at the page, so a file that says
little at its end and much in a page would take it all. pyarrow does not show the headers: they are
walked here, in Thrift's compact protocol (PageHeader of parquet.thrift: field 2 is the unpacked
size of a page, field 3 the packed one).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

UNPACKED, PACKED = 2, 3
DEEPEST = 8  # structs and lists within each other; a PageHeader has 3
BOOLEANS, BYTE, INTEGERS, DOUBLE, BINARY = (1, 2), 3, (4, 5, 6), 7, 8
LISTS, STRUCT = (9, 10), 12


def page_sizes(data: bytes, metadata: Any) -> Iterator[int]:
    """Bytes of each page once decompressed; metadata: pyarrow's, of the same file.

    Raises ValueError where a header cannot be read.
    """
    for i in range(metadata.num_row_groups):
        group = metadata.row_group(i)
        for j in range(group.num_columns):
            yield from _sizes_of(data, group.column(j))


def _sizes_of(data: bytes, column: Any) -> Iterator[int]:
    """Those of one column of a row group; without values no page is read."""
    if not column.num_values:
        return
    first, dictionary = column.data_page_offset, column.dictionary_page_offset
    at = dictionary if column.has_dictionary_page and 0 < dictionary < first else first
    end = min(at + column.total_compressed_size, len(data))
    while at < end:
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
        self._data, self.at = data, at

    def integers(self, depth: int = 0) -> dict[int, int]:
        """The integers of a struct by the number of their field; all else is passed over."""
        found, number = {}, 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else self._signed()
            if kind in INTEGERS:
                found[number] = self._signed()
            else:
                self._pass(kind, depth)
        return found

    def _pass(self, kind: int, depth: int) -> None:
        if depth > DEEPEST:
            raise ValueError("too deep")
        if kind in BOOLEANS:  # The kind is the value.
            return
        if kind in (BYTE, DOUBLE):
            self.at += 1 if kind == BYTE else 8
        elif kind in INTEGERS:
            self._unsigned()
        elif kind == BINARY:
            length = self._unsigned()
            self.at += length
        elif kind in LISTS:
            self._pass_list(depth)
        elif kind == STRUCT:
            self.integers(depth + 1)
        else:
            raise ValueError(f"a field of kind {kind}")

    def _pass_list(self, depth: int) -> None:
        head = self._byte()
        length, kind = head >> 4, head & 15
        for _ in range(self._unsigned() if length == 15 else length):
            if kind in BOOLEANS:
                self.at += 1
            else:
                self._pass(kind, depth + 1)
            if self.at > len(self._data):
                raise ValueError("a list beyond the end")

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

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)
