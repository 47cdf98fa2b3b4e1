"""Files made to do harm: refused in a sentence within seconds, or read and shown harmless."""

import io
import json
import time
import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cavae.cohort import read_cohort
from cavae.cohort import reading as reading_module
from cavae.cohort.coding import codes
from cavae.cohort.joining import join_cohorts
from cavae.cohort.names import covariate_rank, region
from cavae.cohort.parquet_pages import UNPACKED, _Reader, page_sizes
from cavae.cohort.text import to_numbers
from cavae.errors import DataError
from cavae.limits import Limits
from cavae.plots import plot_latent_matrix, plot_latent_pair, plot_severity
from cavae.plots.layout import inert
from cavae.plots.overview import plot_overview
from cavae.ui.uploads import File
from cavae.ui.widgets import plain
from tests.cohort_tables import INDICES, Upload, csv, people

MEGABYTE = 1024**2
EVIL = '<img src=x onerror=alert(1)><a href="https://evil.example">%{x}</a>**b** [l](javascript:1)'


def packed(table: pa.Table, **how) -> Upload:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **how)
    return Upload(buffer.getvalue(), "table.parquet")


# Size


class Endless:
    """An upload that says how large it is and must not be read to know it."""

    name, size = "endless.csv", 10**9

    def getvalue(self) -> bytes:
        raise AssertionError("a file that is too large was read")


@pytest.mark.parametrize("name", ["endless.csv", "endless.json", "endless.parquet"])
def test_a_gigabyte_is_refused_without_a_look(name):
    upload = Endless()
    upload.name = name
    with pytest.raises(DataError, match="too large: at most 209,715,200 bytes"):
        read_cohort(upload)


LONG_LINES = {
    "commas": b"ID,47\n" + b"," * (20 * MEGABYTE),
    "a header of commas": b"," * (20 * MEGABYTE) + b"\n1\n",
    "quoted line breaks": b"ID,47\n" + b',,,"\n"' * (3 * MEGABYTE),
    "one cell": b"ID,47\nx," + b"9" * (20 * MEGABYTE),
    "one quoted cell": b'ID,47\nx,"' + b"9\n" * (10 * MEGABYTE),
    "JSON": b'{"a": ' * MEGABYTE,
    "JSON after a space": b" [" * (5 * MEGABYTE),
    "100,000 columns": b",".join(b"c%d" % i for i in range(100_000)) + b"\n" + b"1," * 99_999,
    "a column name": b"ID," + b"4" * 100_000 + b"\nx,1\n",
}


@pytest.mark.parametrize("data", LONG_LINES.values(), ids=LONG_LINES)
def test_long_lines_are_refused_before_they_fill_the_memory(data):
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(DataError) as refusal:
            read_cohort(Upload(data, "long.csv"))
        assert tracemalloc.get_traced_memory()[1] < 12 * len(data) + 60 * MEGABYTE
    finally:
        tracemalloc.stop()
    assert time.process_time() - started < 15
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("text", ["0" * 131_000 + "x", "_" * 1_000 + "x", " (column 1)" * 90])
def test_no_text_takes_long_to_look_at(text):
    cells = pd.Series([text] * 3)
    started = time.process_time()
    codes(cells)
    to_numbers(cells, decimal_comma=True)
    if len(text) <= reading_module.MAX_NAME:
        region(text)
        for key in ("id", "age", "sex", "icv", "diagnosis", "site"):
            covariate_rank(text, key)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("name", ["_" * 900, "(" * 900, "_-.(" * 48, "ﷺ" * 180])
def test_no_column_name_takes_long_to_look_at(name):
    """In a table of thousands of columns each is looked at by every pattern."""
    started = time.process_time()
    for number in range(100):
        region(f"{name}{number}x")
        for key in ("id", "age", "sex", "icv", "diagnosis", "site"):
            covariate_rank(f"{name}{number}x", key)
    assert time.process_time() - started < 2


def test_a_header_of_endless_numbers_is_refused_at_once():
    started = time.process_time()
    with pytest.raises(DataError, match="The column name"):
        read_cohort(Upload(f"id,age,.{'1' * 100_000}x\na,70,1\n".encode(), "long.csv"))
    assert time.process_time() - started < 2


@pytest.mark.parametrize("start", [b"\n\n", b" \t", b"\xef\xbb\xbf\r\n"])
def test_a_web_page_is_known_below_blank_lines_too(start):
    page = start + b"<html>,<b>\n1,2\n"
    with pytest.raises(DataError, match="not a table but a web page"):
        read_cohort(Upload(page, "page.csv"))


@pytest.mark.parametrize("value", ["1e300", "-1e308", "1.1e12"])
def test_a_number_beyond_all_measure_is_a_fault_of_its_row(value):
    """Its square is infinite, and so would everybody's results be."""
    rows = [f"p{n},70,F,{n},{n}.5" for n in range(8)]
    rows[3] = f"p3,70,F,3,{value}"
    check = read_cohort(Upload("\n".join(["id,age,sex,a,b", *rows]).encode(), "large.csv"))
    assert check.usable == 7
    (problem,) = (one for one in check.problems if one.rule == "too-large")
    assert (problem.row, problem.column, problem.value) == (5, "b", value)
    assert "accepted are numbers up to 1e+12 in size" in problem.message


def test_what_scripts_read_of_a_table_steers_no_terminal():
    rows = "\n".join(f"person-number-{n},70,F,CN,{n},2.5" for n in range(8))
    data = f"id,age,sex,dx,a,b\np,70,F,\x9b31m\u202eCN,9,2.5\n{rows}\n".encode()
    check = read_cohort(Upload(data, "steers.csv"))
    assert check.to_json().isprintable()
    assert json.loads(check.to_json())["diagnoses"] == check.diagnoses


# Parquet that unfolds


def test_a_small_parquet_of_repeated_text_is_refused_by_what_it_unfolds_to():
    """20 GB of text in a few kilobytes; written out it would fill the memory of the machine."""
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(200_000, "int32")), ["x" * 100_000])
    bomb = packed(pa.table({"ID": text, "47": pa.array(np.ones(200_000))}))
    assert len(bomb.getvalue()) < MEGABYTE
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="bytes when unpacked"):
            read_cohort(bomb)
        assert tracemalloc.get_traced_memory()[1] < 100 * MEGABYTE
    finally:
        tracemalloc.stop()
    assert pa.total_allocated_bytes() < 100 * MEGABYTE


def test_parquet_that_says_it_unfolds_too_far_is_not_read(monkeypatch):
    monkeypatch.setattr(Limits, "upload_bytes", MEGABYTE)
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", None)
    text = pa.array(["x" * 5000] * 2_000)
    bomb = packed(
        pa.table({"ID": text, "47": np.ones(2_000)}), use_dictionary=False, compression="zstd"
    )
    assert len(bomb.getvalue()) < MEGABYTE / 10
    with pytest.raises(DataError, match="bytes when unpacked"):
        read_cohort(bomb)


def with_page_of(upload: Upload, true: int, said: int) -> Upload:
    """The file with another size in the header of its page; at its end it says what it did."""

    def field(size: int) -> bytes:  # A field of Thrift: 32-bit integer, zigzag, seven bits a byte.
        value, digits = 2 * size, []
        while value:
            digits.append(value & 127 | 128)
            value >>= 7
        return bytes([0x15, *digits[:-1], digits[-1] & 127])

    data = upload.getvalue()
    at = data.index(field(true))
    return Upload(data[:at] + field(said) + data[at + len(field(true)) :], upload.name)


def test_parquet_of_which_a_page_unfolds_further_than_the_file_says_is_not_read(monkeypatch):
    rows = 200_000
    table = pa.table({"ID": np.arange(rows), "47": np.ones(rows)})
    how = {
        "use_dictionary": False,
        "compression": "zstd",
        "data_page_size": 10**8,
        "max_rows_per_page": rows,
    }
    honest = packed(table, **how)
    both = sum(page_sizes(honest.getvalue()))
    lying = with_page_of(honest, both // 2, 2**27 - 1)
    assert pq.read_metadata(io.BytesIO(lying.getvalue())).row_group(0).total_byte_size < 2**22
    monkeypatch.setattr(Limits, "upload_bytes", 8 * MEGABYTE)
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", None)
    with pytest.raises(DataError, match="bytes when unpacked"):
        read_cohort(lying)


I32, I64 = 0x15, 0x16  # the head of a field that is one further than the last


def thrift(value: int) -> bytes:
    """A number as Thrift's compact protocol has it: zigzag, seven bits a byte."""
    value, digits = 2 * value, []
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


@pytest.mark.parametrize(
    "decoy",
    [
        b"\x06" + thrift(2) + thrift(1),  # field 2 again, as a 64-bit number: the reader skips it
        b"\x05" + thrift(2 + 2**16) + thrift(1),  # its number is cut to 16 bits: field 2 once more
    ],
    ids=["another type", "a number that is cut"],
)
def test_a_page_cannot_say_one_size_to_the_reader_and_another_to_us(decoy):
    large, small = 2**30, 1
    head = bytes([I32]) + thrift(0) + bytes([I32]) + thrift(large)
    assert header_of(head + decoy) == (small if decoy[0] == I32 & 15 else large)
    assert header_of(bytes([I32]) + thrift(0) + bytes([I32]) + thrift(2**33 + 7)) == 7


def header_of(fields: bytes) -> int:
    return _Reader(fields + b"\0", 0).integers()[UNPACKED]


def test_parquet_whose_end_makes_no_sense_does_not_end_the_program():
    """pyarrow aborts the process when it is asked for this column's description."""
    data = packed(pa.table({"ID": ["a", "b"], "47": [1.0, 2.0]})).getvalue()
    optional = b"\x25\x02\x18\x0247"  # counts of its empty cells follow, which a required one lacks
    assert data.count(optional) == 1
    with pytest.raises(DataError, match="damaged Parquet"):
        read_cohort(Upload(data.replace(optional, b"\x25\x00\x18\x0247"), "table.parquet"))


def as_json(texts: pa.Array) -> pa.Array:
    return pa.ExtensionArray.from_storage(pa.json_(), texts)


@pytest.mark.parametrize(
    ("names", "kind", "said"),
    [
        (["ID", "47"], as_json, "only numbers and text"),
        (["ID", "47"], lambda texts: texts.cast(pa.string_view()), "at most 131,072"),
        (["ID", "ID"], lambda texts: texts, "at most 131,072"),
        (["I.D", "47"], lambda texts: texts, "at most 131,072"),
    ],
    ids=["JSON", "views", "two of one name", "a name with a point"],
)
def test_no_kind_of_text_is_written_out_before_it_is_measured(names, kind, said):
    text = kind(pa.array(["x" * 200_000] * 50))
    bomb = packed(pa.table([text, pa.array(["1"] * 50)], names=names))
    del text
    pa.default_memory_pool().release_unused()
    with pytest.raises(DataError, match=said):
        read_cohort(bomb)


def test_a_parquet_packed_in_a_way_that_is_not_read_is_not_called_damaged():
    how = {"use_dictionary": False, "column_encoding": {"ID": "DELTA_BYTE_ARRAY", "47": "PLAIN"}}
    with pytest.raises(DataError, match="save it again with other settings, or as CSV"):
        read_cohort(packed(pa.table({"ID": ["a", "b"], "47": [1.0, 2.0]}), **how))


def test_a_page_that_was_changed_is_damaged_where_the_file_can_tell():
    how = {"use_dictionary": False, "compression": "none", "write_page_checksum": True}
    data = packed(pa.table({"ID": ["a", "b", "c"], "47": [1.0, 1234.5, 2e3]}), **how).getvalue()
    changed = data.replace(np.float64(1234.5).tobytes(), np.float64(1234.25).tobytes())
    assert changed != data
    with pytest.raises(DataError, match="damaged Parquet"):
        read_cohort(Upload(changed, "table.parquet"))


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"compression": "none", "use_dictionary": False},
        {"compression": "gzip", "data_page_version": "2.0"},
        {"compression": "zstd", "row_group_size": 7, "data_page_size": 64},
        {"compression": "snappy", "write_page_index": True, "write_page_checksum": True},
    ],
    ids=str,
)
def test_the_pages_of_an_honest_parquet_add_up_to_what_it_declares(how):
    data = packed(pa.Table.from_pandas(people(300)), **how).getvalue()
    declared = pq.read_metadata(io.BytesIO(data))
    groups = [declared.row_group(i) for i in range(declared.num_row_groups)]
    headers = sum(group.total_byte_size for group in groups) - sum(page_sizes(data))
    assert 0 < headers < 2_000 * len(groups) * declared.num_columns
    assert len(read_cohort(Upload(data, "people.parquet")).cohort) == 300


def test_parquet_in_too_many_pages_is_refused(monkeypatch):
    monkeypatch.setattr(reading_module, "MAX_PAGES", 100)
    with pytest.raises(DataError, match="at most 100 pages are accepted"):
        read_cohort(packed(pa.Table.from_pandas(people(300))))


def test_parquet_in_several_row_groups_is_read_as_one():
    table = people(30).assign(note=["a", "b", "c"] * 10)
    upload = packed(pa.Table.from_pandas(table), row_group_size=7)
    cohort = read_cohort(upload).cohort
    assert cohort.subjects["subject_id"].tolist() == table["ID"].tolist()
    assert cohort.extra["note"].tolist() == table["note"].tolist()


def test_an_endless_cell_of_parquet_is_refused_like_one_of_csv():
    with pytest.raises(DataError, match="at most 131,072"):
        read_cohort(packed(pa.table({"ID": ["x" * 200_000], "47": [1.0]})))


NESTED = {
    "list": pa.array([[1.0]]),
    "struct": pa.array([{"a": 1}]),
    "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
    "bytes": pa.array([b"1"]),
    "fixed bytes": pa.array([b"1"], pa.binary(1)),
    "list in a dictionary": pa.array([b"1"]).dictionary_encode(),
}


@pytest.mark.parametrize("column", NESTED.values(), ids=NESTED)
def test_nested_and_binary_columns_are_refused_by_name(column):
    with pytest.raises(DataError, match=r'Column "47".*only numbers and text'):
        read_cohort(packed(pa.table({"ID": ["a"], "47": column})))


# Letters


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_with_and_without_a_mark_give_the_same_people(encoding):
    check = read_cohort(csv(people(12), encoding=encoding))
    assert check.cohort.subjects["subject_id"].tolist() == people(12)["ID"].tolist()
    assert check.usable == 12


@pytest.mark.parametrize("where", ["S000", "47", "ID"])
def test_nul_bytes_are_binary_data(where):
    text = people(3).to_csv(index=False).replace(where, f"{where}\0", 1)
    with pytest.raises(DataError, match="binary data"):
        read_cohort(Upload(text))


HIDDEN = ["S\u202e000", "S\u200b001", "\u2066S002", "S\ufeff003"]


def test_ids_with_invisible_characters_are_kept_and_said():
    check = read_cohort(csv(people(4).assign(ID=HIDDEN)))
    assert check.usable == 4
    (notice,) = (notice for notice in check.notices if "invisible" in notice)
    assert notice.isprintable()
    assert notice.startswith("4 ids hold invisible characters")


@pytest.mark.parametrize("text", [*HIDDEN, EVIL, "a\nb", "\x1b[31m"])
def test_strangers_text_on_a_page_is_one_visible_line(text):
    assert plain(text).replace("\u2060", "").isprintable()


@pytest.mark.parametrize("text", ["https://evil.example", "www.evil.example", "me@evil.example"])
def test_addresses_on_a_page_are_no_links(text):
    """Streamlit's Markdown links them even behind backslashes, but not across a word joiner."""
    assert "\u2060" in plain(text)
    assert plain(text).replace("\u2060", "").replace("\\", "") == text


# Markup in ids, diagnoses, sites, column names and file names


@pytest.fixture
def evil():
    table = people(30).rename(columns={"47": "47"})
    table = table.assign(ID=[f"{EVIL}{i}" for i in range(30)], SITE=EVIL, **{EVIL: 1.5})
    table["DX"] = [("CN", EVIL)[i % 2] for i in range(30)]
    return table


def test_markup_and_formulas_in_a_table_are_data_like_any_other(evil):
    check = read_cohort(Upload(evil.to_csv(index=False), "../../<b>evil</b>.csv"))
    assert check.cohort.subjects["subject_id"].tolist() == evil["ID"].tolist()
    assert EVIL in check.diagnoses
    assert EVIL in check.cohort.extra


def test_pictures_hold_no_markup_of_strangers(evil):
    cohort = read_cohort(csv(evil)).cohort
    table = cohort.subjects.assign(
        common_1=1.0, common_2=range(30), mad=2.0, **{EVIL: np.arange(30.0)}
    )
    pair, person = ("common_1", "common_2"), f"{EVIL}3"
    figures = [
        plot_severity(table, marked=person),
        plot_latent_pair(table, *pair, color="diagnosis", marked=person),
        plot_latent_pair(table, EVIL, "common_2", color=EVIL),
        plot_latent_matrix(table, pair, color="site"),
        plot_overview(cohort),
    ]
    for figure in figures:
        for text in shown_texts(figure):
            assert "<img" not in text
            assert "<a " not in text
            assert "%{x}<" not in text


def shown_texts(figure) -> list[str]:
    """Everything that plotly shows as words: names, hovers, titles, ticks, annotations."""
    layout = figure.layout
    axes = [*figure.select_xaxes(), *figure.select_yaxes()]
    texts = [axis.title.text for axis in axes] + [note.text for note in layout.annotations]
    texts += [tick for axis in axes for tick in (axis.ticktext or ())]
    for trace in figure.data:
        texts += [trace.name, trace.hovertemplate, getattr(trace, "text", None)]
        color_bar = getattr(trace.marker, "colorbar", None) if hasattr(trace, "marker") else None
        texts.append(color_bar.title.text if color_bar else None)
        if trace.customdata is not None and "%{customdata[1]}" in (trace.hovertemplate or ""):
            texts += [str(row[1]) for row in trace.customdata]
        assert "%{customdata[0]}<br>" not in (trace.hovertemplate or "")
    return [text for text in texts if isinstance(text, str)]


@pytest.mark.parametrize("text", ["a < b & c", "S-001", "50 %", "%{y}", "été"])
def test_harmless_text_reads_in_a_picture_as_it_is_written(text):
    import html

    assert html.unescape(inert(text)) == text


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "/etc/passwd", "..\\..\\passwd", "C:\\x\\passwd", "a/passwd/"]
)
def test_a_file_name_holds_no_folders(name):
    with pytest.raises(DataError, match=r'^"passwd" is empty'):
        read_cohort(Upload(b"", name))
    assert File(name, b"").name == "passwd"


def test_hostile_studies_can_be_stacked_without_harm(evil):
    one = read_cohort(csv(evil)).cohort
    other = read_cohort(csv(people(30).assign(**{EVIL: 2.0}))).cohort
    both = join_cohorts([one, other])
    assert len(both) == 60
    assert list(both.features) == list(INDICES)
