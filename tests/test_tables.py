"""Tables are written whole or not at all."""

import io

import pandas as pd
import pyarrow.parquet as pq
import pytest

from cavae import tables
from cavae.errors import DataError
from cavae.tables import save_table

CHUNKS = [
    pd.DataFrame({"id": ["a", "b"], "x": [1.5, 2.25]}),
    pd.DataFrame({"id": ["c"], "x": [0.1]}),
]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_chunks_become_one_table(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    save_table(iter(CHUNKS), path)
    read = pd.read_csv(path) if suffix == ".csv" else pd.read_parquet(path)
    pd.testing.assert_frame_equal(read, pd.concat(CHUNKS, ignore_index=True))


def test_small_chunks_share_a_row_group_of_parquet(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "ROW_GROUP", 3)
    path = tmp_path / "out.parquet"
    save_table(CHUNKS * 2 + CHUNKS[:1], path)
    file = pq.ParquetFile(path)
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [3, 3, 2]
    whole = pd.concat(CHUNKS * 2 + CHUNKS[:1], ignore_index=True)
    pd.testing.assert_frame_equal(pd.read_parquet(path), whole)


def test_no_more_than_one_chunk_is_made_ahead():
    made, ahead = 0, []

    def chunks():
        nonlocal made
        for _ in range(5):
            made += 1
            yield CHUNKS[0]

    class Stream(io.BytesIO):
        def write(self, text):
            written = self.getvalue().count(b"a,") + 1
            ahead.append(made - written)
            return super().write(text)

    tables.write_table(chunks(), Stream(), ".csv")
    assert len(ahead) == 5
    assert max(ahead) <= 1


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")

    def failing():
        yield CHUNKS[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        save_table(failing(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_format_is_refused_with_those_known(tmp_path):
    with pytest.raises(DataError, match=r"accepted: \.csv, \.parquet"):
        save_table(CHUNKS, tmp_path / "out.xlsx")


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        save_table(CHUNKS, tmp_path / "file" / "out.csv")
