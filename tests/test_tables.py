"""Tables are written whole or not at all."""

import csv
import io
import re
import stat

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


NUMBERS = [1.0, 70.0, 12202.28, 0.1 + 0.2, -3.5, 0.0, -0.0, 1e-4, 999_999_999.5, np.nan, 1 / 3]
COLUMNS = {
    "numbers": {"x": NUMBERS, "n": range(11)},
    "whole numbers": {"x": [1, -2], "n": [0.0, 1e8]},
    "tiny": {"x": [9.9e-5, 1e-7], "n": [1, 2]},
    "huge": {"x": [1e9, 123456789012.5, 1e20], "n": [1, 2, 3]},
    "a little too small": {"x": [1.234e-5, 2.0], "n": [1, 2]},
    "a little too large": {"x": [123456789125.0, 3.5], "n": [1, 2]},
    "infinite": {"x": [np.inf, -np.inf], "n": [1, 2]},
    "text": {"x": ["a", "été", " b ", ""], "n": [1, 2, 3, 4]},
    "text with a comma": {"x": ["a,b", "c"], "n": [1, 2]},
    "text with a quote": {"x": ['a"b', "c"], "n": [1, 2]},
    "text with a line": {"x": ["a\nb", "c\nd"], "n": [1, 2]},
    "text that is a number": {"x": ["1.0", "007"], "n": [1, 2]},
    "missing text": {"x": ["a", None, np.nan], "n": [1, 2, 3]},
    "mixed": {"x": ["a", 1, 2.5], "n": [1, 2, 3]},
    "yes and no": {"x": [True, False], "n": [1, 2]},
    "yes, no, missing": {"x": [True, None], "n": [1, 2]},
    "one column": {"x": ["a", ""]},
    "one number": {"x": [1.5, np.nan]},
    "a name to quote": {"x, y": [1.5], "n": [2]},
    "halves": {"x": np.array([0.1, 2.5], np.float32), "n": [1, 2]},
    "nobody": {"x": [], "n": []},
    "objects": {"x": np.array([0.1, 1e-9], object), "n": [1, 2]},
    "categories": {"x": pd.Categorical(["a", "b"]), "n": [1, 2]},
    "whole numbers with gaps": {"x": pd.array([1, None], "Int64"), "n": [1, 2]},
    "days": {"x": pd.to_datetime(["2020-01-01", None]), "n": [1, 2]},
}


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
def test_csv_is_what_pandas_writes(columns):
    table = pd.DataFrame(columns)
    assert tables.csv_bytes(table) == table.to_csv(index=False).encode()


def test_drawn_numbers_are_written_as_pandas_writes_them(monkeypatch):
    generator = np.random.default_rng(0)
    sizes = 10 ** generator.uniform(-4, 9, (2_000, 3)) * generator.choice([-1, 1], (2_000, 3))
    table = pd.DataFrame(sizes).assign(rounded=sizes[:, 0].round(2).clip(1), whole=sizes[:, 1] // 1)
    expected = table.to_csv(index=False).encode()
    monkeypatch.setattr(pd.DataFrame, "to_csv", None)  # by arrow alone
    assert tables.csv_bytes(table) == expected


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


def test_whoever_may_enter_the_folder_may_read_the_file(tmp_path):
    save_table([pd.DataFrame({"x": [1]})], tmp_path / "out.csv")
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o644


def test_an_unknown_format_is_refused_with_those_known(tmp_path):
    with pytest.raises(DataError, match=r"accepted: \.csv, \.parquet"):
        save_table(CHUNKS, tmp_path / "out.xlsx")


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        save_table(CHUNKS, tmp_path / "file" / "out.csv")


# Formulas


FORMULAS = ["=1+1", "+1", "-2+3", "@SUM(A1)", "\tx", "\r=x", "\n=x", "＝1", "a;=1", "a\n-1", "'=1"]
# Quotes that another locale takes away when it splits the line at semicolons, and blanks.
FORMULAS += ['"=1', 'a;"=1+1;', 'a\n"-2+3\n', "a; =1", " =1", " -2+3", "\u00a0=1", "a;'\"@x"]
HARMLESS = ["", "a=b", "1-2", "O'Neill", "'quoted'", "a@b.org", "p-1; -2", "1'234"]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_a_spreadsheet_would_run_is_written_with_an_apostrophe(text):
    table = pd.DataFrame({"id": [text, "a"], text: [1.5, 2.0]})
    (name, *_), *_ = rows = list(csv.reader(io.StringIO(csv_text(table), newline="")))
    assert name == "id"
    for cell in (rows[0][1], rows[1][0]):
        assert not re.search(r"(^|[;\t\r\n])['\" \u00a0]*[=+\-@＝＋－＠]", cell.replace("'", "x"))
        assert cell.replace("'", "") == text.replace("'", "")
        assert tables.armed(cell) == text


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@given(text=st.text(alphabet="=+-@\t\r\n;,'\"a1＝", max_size=12))
def test_no_locale_finds_a_formula_in_text(delimiter, text):
    written = csv_text(pd.DataFrame({"id": ["a"], "words": [text], "x": [1.5]}))
    for row in csv.reader(io.StringIO(written, newline=""), delimiter=delimiter):
        assert not [cell for cell in row if cell[:1] in tuple("=+-@＝＋－＠")]


def csv_text(table: pd.DataFrame) -> str:
    return tables.csv_bytes(table).decode()


def test_a_carriage_return_in_a_cell_starts_no_row():
    table = pd.DataFrame({"id": ["a\rb", "c"], "x": [1.5, np.nan]})
    read = pd.read_csv(io.BytesIO(tables.csv_bytes(table)))
    assert read["id"].tolist() == ["a\rb", "c"]


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_is_written_as_it_is(text):
    assert tables.disarmed(text) == text
    assert tables.armed(text) == text


def test_numbers_are_never_taken_for_formulas():
    numbers = pd.DataFrame({"x": [-1.5, 2.0], "n": [-3, 4], "gaps": pd.array([-1, None], "Int64")})
    assert csv_text(numbers) == "x,n,gaps\n-1.5,-3,-1\n2.0,4,\n"


def test_formulas_in_categories_and_in_repeated_columns_are_found():
    twice = pd.DataFrame([["=a", "b"], ["c", "=d"]], columns=["x", "x"])
    kinds = twice.assign(kind=pd.Categorical(["=e", "f"]))
    assert csv_text(kinds) == "x,x,kind\n'=a,b,'=e\nc,'=d,f\n"
    assert twice.iloc[0, 0] == "=a", "the table that was handed over is left alone"


@given(text=st.text(alphabet="=+-@\t\r\n;,'\" a1＝", max_size=12))
def test_the_way_back_from_an_apostrophe_is_exact(text):
    assert tables.armed(tables.disarmed(text)) == text


def test_parquet_keeps_text_as_it_is(tmp_path):
    save_table([pd.DataFrame({"=id": ["=1", "@a"]})], tmp_path / "out.parquet")
    read = pd.read_parquet(tmp_path / "out.parquet")
    assert read.to_dict("list") == {"=id": ["=1", "@a"]}
