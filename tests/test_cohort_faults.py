"""Malformed tables: each fault gets its sentence, good rows stay, nothing ends in a traceback."""

import io
import re
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cavae.cohort import Check, read_cohort
from cavae.cohort import reading as reading_module
from cavae.cohort.findings import MAX_PROBLEMS
from cavae.errors import DataError
from cavae.limits import Limits
from tests.cohort_tables import INDICES, Upload, csv, parquet, people

pytestmark = pytest.mark.filterwarnings("error")

CLEAN = people(12)
TEXT = CLEAN.to_csv(index=False)


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return buffer.getvalue()


def bare(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


# Files that are no tables

REFUSED = {
    "empty": (b"", "is empty"),
    "only a byte order mark": (b"\xff\xfe", "is empty|one column"),
    "only blank lines": (b"\n\r\n  \n", "is empty"),
    "only separators": (b",,,\n,,,\n", "is empty|one column"),
    "only zeros": (bytes(5000), "is empty"),
    "header only": (TEXT.split("\n")[0].encode(), "header but no rows"),
    "header and blank rows": (TEXT.split("\n")[0].encode() + b"\n,,\n\n", "header but no rows"),
    "binary": (bytes(range(256)) * 20, "binary data"),
    "random bytes": (np.random.default_rng(0).bytes(9000), "binary data"),
    "Excel called .csv": (zipped(), "Excel workbook"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel"),
    "gzip": (b"\x1f\x8b\x08" + bytes(50), "gzip"),
    "PDF": (b"%PDF-1.7\n1 0 obj", "PDF"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(40), "picture"),
    "pickle": (b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00cos\nsystem\n", "binary data"),
    "web page": (b"<!doctype html><html>Sign in, please</html>", "web page"),
    "JSON": (b'{"ID": ["a", "b"], "47": [1, 2]}', "JSON"),
    "prose": (b"Dear all\nplease find the table attached\n", "one column"),
    "separated by spaces": (b"ID 47 48\na 3500 3600\n", "one column"),
    "wrong UTF-16": (b"\xff\xfeI\x00D\x00,\x00\x00\xd8\x0a\x00x", "UTF-16"),
    "a quote never closed": (
        TEXT.replace("S003,", '"S003,').encode(),
        "Row 5 .*quote is not closed",
    ),
    "an endless cell": (b"ID,47\n" + b"9" * 200_000 + b",1\n", "longer than"),
    "no header": (TEXT.split("\n", 1)[1].encode(), "numbers where the column names"),
    "decimal commas between commas": (
        CLEAN.to_csv(index=False, decimal=",").replace('"', "").encode(),
        "decimal comma need semicolons",
    ),
    "damaged Parquet": (parquet(CLEAN).getvalue()[:-9], "damaged Parquet"),
    "Parquet cut in the middle": (b"PAR1" + bytes(90) + b"PAR1", "damaged Parquet"),
    "nested Parquet": (
        bare(pa.table({"ID": ["a"], "47": [[1.0, 2.0]]})),
        'Column "47".*only numbers and text',
    ),
    "bytes in Parquet": (
        bare(pa.table({"ID": ["a"], "47": [b"1"]})),
        'Column "47".*only numbers and text',
    ),
    "Parquet without rows": (bare(pa.table({"ID": pa.array([], "string")})), "no rows"),
    "Parquet without columns": (bare(pa.table({})), "no columns"),
    "nothing of ours": (b"name,colour\nrose,red\nviolet,blue\n", "No column was recognized"),
    "participants alone": (
        b"MRID,Age,Sex\na,70,F\nb,71,M\n",
        "A participants file needs the file with the volumes beside it.",
    ),
}


@pytest.mark.parametrize(("data", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_refused_in_a_sentence(data, sentence):
    with pytest.raises(DataError, match=sentence) as refusal:
        read_cohort(Upload(data, "upload.csv"))
    message = str(refusal.value)
    assert '"upload.csv"' in message or "recognized" in message
    assert "\n" not in message
    assert len(message) < 400


@pytest.mark.parametrize("source", ["no such file.csv", "/", "a\0b", ""])
def test_paths_that_are_no_files(source):
    with pytest.raises(DataError):
        read_cohort(source)


def test_text_called_parquet_is_refused():
    with pytest.raises(DataError, match="not a Parquet file"):
        read_cohort(Upload(TEXT, "table.parquet"))


@pytest.mark.parametrize(
    ("whose", "limit", "most", "unit"),
    [(Limits, "upload_bytes", 1_000, "bytes"), (reading_module, "MAX_CELLS", 500, "cells")],
)
@pytest.mark.parametrize("write", [csv, parquet], ids=["CSV", "Parquet"])
def test_enormous_tables_are_refused(monkeypatch, write, whose, limit, most, unit):
    monkeypatch.setattr(whose, limit, most)
    with pytest.raises(DataError, match=f"too large: at most {most:,} {unit}"):
        read_cohort(write(CLEAN))


@pytest.mark.parametrize("limit", ["rows", "columns"])
@pytest.mark.parametrize("write", [csv, parquet], ids=["CSV", "Parquet"])
def test_tables_larger_than_the_admin_allows_are_refused(monkeypatch, write, limit):
    monkeypatch.setenv(f"CAVAE_TABLE_{limit.upper()}", "10")
    with pytest.raises(DataError, match=f"too large: at most 10 {limit}"):
        read_cohort(write(CLEAN))


def test_a_file_too_large_is_not_even_opened(monkeypatch, tmp_path):
    monkeypatch.setattr(Limits, "upload_bytes", 10)
    (tmp_path / "large.csv").write_text(TEXT)
    with pytest.raises(DataError, match="too large"):
        read_cohort(tmp_path / "large.csv")


def test_parquet_that_unfolds_is_refused(monkeypatch):
    monkeypatch.setattr(Limits, "upload_bytes", 300_000)
    bomb = parquet(people(3000).assign(note="x" * 5000)[["ID", "Age", "note"]])
    assert len(bomb.getvalue()) < 300_000
    with pytest.raises(DataError, match="when unpacked"):
        read_cohort(bomb)


# Faulty rows: the third person, spreadsheet row 4, unless the scenario says otherwise


def cell(column: str, value: object):
    def spoil(table: pd.DataFrame) -> pd.DataFrame:
        table = table.astype({column: object})
        table.loc[2, column] = value
        return table

    return spoil


def volumes_times(factor: float):
    def spoil(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[2, list(INDICES)] *= factor
        return table

    return spoil


ROW_FAULTS = {
    "text in a volume": (cell("47", "twelve"), "not-a-number", "47", '"twelve" is not a volume'),
    "unit in a volume": (cell("47", "3500 mm3"), "not-a-number", "47", "not a volume in mm³"),
    "Excel error in a volume": (cell("47", "#VALUE!"), "missing-value", "47", "#VALUE!"),
    "formula in a volume": (cell("47", "=A1*2"), "not-a-number", "47", '"=A1\\*2" is not a volume'),
    "empty volume": (cell("47", ""), "missing-value", "47", "empty cell"),
    "NaN volume": (cell("47", "NaN"), "missing-value", "47", '"NaN"'),
    "infinite volume": (cell("47", "inf"), "infinite", "47", "finite"),
    "overflowing volume": (cell("47", "1e999"), "infinite", "47", "finite"),
    "negative volume": (
        cell("47", -3500),
        "not-positive",
        "47",
        r"accepted are numbers above 0, in mm³\.$",
    ),
    "zero volume": (
        cell("47", 0),
        "not-positive",
        "47",
        r"accepted are numbers above 0, in mm³\.$",
    ),
    "impossibly large volume": (
        cell("47", 99_000),
        "impossible",
        "47",
        r"accepted are [\d,]+ to [\d,]+ mm³\.$",
    ),
    "impossibly small volume": (cell("47", 12), "impossible", "47", "mm³"),
    "all volumes in mL": (
        volumes_times(1e-3),
        "unit",
        None,
        r"look like mL \(cm³\); accepted are volumes in mm³\.$",
    ),
    "all volumes in litres": (volumes_times(1e-6), "unit", None, "litres"),
    "all volumes in m³": (
        volumes_times(1e-9),
        "unit",
        None,
        "look like m³; accepted are volumes in mm³",
    ),
    "all volumes 1,000 times": (
        volumes_times(1e3),
        "unit",
        None,
        "1,000 times too large, as if mm³ had been",
    ),
    "all volumes 50 times": (volumes_times(50), "unit", None, "times the typical"),
    "all volumes a fortieth": (
        volumes_times(1 / 40),
        "unit",
        None,
        r"are one \d\dth of the",
    ),
    "all volumes negative": (volumes_times(-1), "row", None, "139 of 139 columns"),
    "all volumes NaN": (volumes_times(np.nan), "row", None, "139 of 139 columns"),
    "ICV in mL": (
        cell("ICV", 1450),
        "unit",
        "ICV",
        r"looks like mL \(cm³\); accepted are 600,000 to .* mm³\.$",
    ),
    "tiny ICV": (cell("ICV", 20_000), "icv", "ICV", r"accepted are 600,000 to 2,600,000 mm³\.$"),
    "huge ICV": (
        cell("ICV", 14_500_000),
        "icv",
        "ICV",
        r"accepted are 600,000 to 2,600,000 mm³\.$",
    ),
    "negative ICV": (cell("ICV", -1), "icv", "ICV", r"accepted are 600,000 to 2,600,000 mm³\.$"),
    "text ICV": (cell("ICV", "big"), "icv", "ICV", r"is not a number; accepted is ICV in mm³\.$"),
    "ICV below its regions": (cell("ICV", 700_000), "icv", "ICV", "sum of the volumes"),
    "unknown sex": (cell("Sex", "X"), "sex", "Sex", "accepted are M and F"),
    "missing sex": (cell("Sex", ""), "sex", "Sex", "accepted are M and F"),
    "missing age": (cell("Age", ""), "age", "Age", "18 to 100 years"),
    "age as text": (cell("Age", "old"), "age", "Age", "18 to 100 years"),
    "age of a child": (cell("Age", 9), "age", "Age", "18 to 100 years"),
    "age of nobody": (cell("Age", 140), "age", "Age", "18 to 100 years"),
    "age above the oldest": (cell("Age", 100.5), "age", "Age", "18 to 100 years"),
    "age below the youngest": (cell("Age", 17.5), "age", "Age", "18 to 100 years"),
    "infinite age": (cell("Age", "inf"), "age", "Age", "18 to 100 years"),
    "missing id": (cell("ID", ""), "missing-id", "ID", "id of a person"),
    "repeated id": (cell("ID", "S000"), "duplicate-id", "ID", "first one"),
}


@pytest.mark.parametrize(
    ("spoil", "rule", "column", "sentence"), ROW_FAULTS.values(), ids=ROW_FAULTS
)
def test_a_faulty_row_gets_one_problem_and_the_others_stay(spoil, rule, column, sentence):
    check = read_cohort(csv(spoil(CLEAN.copy())))
    (problem,) = check.problems
    assert (problem.row, problem.rule, problem.column) == (4, rule, column)
    assert problem.message.startswith("Row 4")
    assert re.search(sentence, problem.message), problem.message
    assert check.rows == 12
    assert check.cohort.subjects["subject_id"].tolist() == [
        identity for i, identity in enumerate(CLEAN["ID"]) if i != 2
    ]
    assert np.isfinite(check.cohort.features.to_numpy()).all()


def test_every_fault_of_a_row_is_listed():
    spoiled = cell("47", "x")(cell("48", -1)(cell("Age", 3)(CLEAN.copy())))
    check = read_cohort(csv(spoiled))
    assert {(p.row, p.column) for p in check.problems} == {(4, "47"), (4, "48"), (4, "Age")}
    assert check.usable == 11


def test_a_row_may_hold_both_infinities():
    check = read_cohort(
        csv(cell("47", "inf")(cell("48", "-inf")(CLEAN.copy())).drop(columns="ICV"))
    )
    assert [problem.rule for problem in check.problems] == ["infinite", "infinite"]


def test_rows_are_those_of_the_spreadsheet():
    lines = cell("47", "x")(CLEAN.copy()).to_csv(index=False).splitlines()
    lines.insert(2, "")
    lines.insert(0, "")
    (problem,) = read_cohort(Upload("\n".join(lines))).problems
    assert problem.row == 6


def test_an_identical_row_is_a_duplicate():
    check = read_cohort(csv(pd.concat([CLEAN, CLEAN.iloc[[0, 1]]])))
    assert [(p.row, p.rule, p.value) for p in check.problems] == [
        (14, "duplicate-id", "S000"),
        (15, "duplicate-id", "S001"),
    ]
    assert check.usable == 12


@pytest.mark.parametrize("change", [lambda r: r[:9], lambda r: [*r, "1"]], ids=["short", "long"])
def test_ragged_rows(change):
    lines = TEXT.splitlines()
    lines[3] = ",".join(change(lines[3].split(",")))
    check = read_cohort(Upload("\n".join(lines)))
    assert {p.row for p in check.problems} == {4}
    assert check.problems[0].rule == "ragged"
    fields, width = len(lines[3].split(",")), len(lines[0].split(","))
    assert check.problems[0].message == (f"Row 4 has {fields} fields where the header has {width}.")
    assert check.usable == 11


def test_an_empty_icv_is_estimated_by_the_model():
    check = read_cohort(csv(cell("ICV", "")(CLEAN.copy())))
    assert check.problems == ()
    assert np.isnan(check.cohort.subjects["icv"][2])
    assert any("1 person" in notice for notice in check.notices)


# Faults of the whole table


def table_problem(table: pd.DataFrame, **how) -> tuple[Check, object]:
    check = read_cohort(csv(table), **how)
    (problem,) = [problem for problem in check.problems if problem.row is None]
    return check, problem


@pytest.mark.parametrize(
    ("factor", "sentence"),
    [(1e-3, "mL"), (1e-9, "m³"), (1e3, "1,000 times"), (30, "times the typical")],
)
def test_a_table_in_another_unit_is_one_problem(factor, sentence):
    table = CLEAN.drop(columns="ICV")
    table[list(INDICES)] *= factor
    check, problem = table_problem(table)
    assert check.problems == (problem,)
    assert problem.rule == "unit"
    assert sentence in problem.message
    assert check.usable == 0


def test_where_half_the_table_or_less_is_in_another_unit_its_rows_are_named():
    table = CLEAN.copy()
    table.loc[:5, list(INDICES)] /= 1000
    check = read_cohort(csv(table))
    said = [(problem.row, problem.rule) for problem in check.problems]
    assert said == [(row, "unit") for row in range(2, 8)]
    assert check.usable == 6


def test_icv_of_everybody_in_ml_is_one_problem():
    check, problem = table_problem(CLEAN.assign(ICV=CLEAN["ICV"] / 1000))
    assert problem.message == (
        'Column "ICV": ICV of 12 rows looks like mL (cm³); accepted are 600,000 to 2,600,000 mm³.'
    )
    assert (problem.rule, problem.column) == ("unit", "ICV")
    assert check.problems == (problem,)
    assert check.usable == 0


def test_missing_regions_are_one_problem_and_rows_stay():
    check, problem = table_problem(CLEAN.drop(columns=["47", "48"]))
    assert problem.rule == "missing-rois"
    assert "2 of the 139 regions are missing" in problem.message
    assert "Right hippocampus" in problem.message
    assert check.usable == 12
    assert check.rois == 137
    assert "47" not in check.cohort.features


@pytest.mark.parametrize(("absent", "more"), [(10, False), (11, True)])
def test_a_list_ends_in_dots_only_where_more_is_left_out(absent, more):
    _, problem = table_problem(CLEAN.drop(columns=list(INDICES[:absent])))
    assert problem.message.endswith(", ….") == more


@pytest.mark.parametrize(("faulty", "problems"), [(10, 10), (11, 1)])
def test_a_row_that_is_faulty_throughout_has_one_problem(faulty, problems):
    table = CLEAN.astype(dict.fromkeys(INDICES[:faulty], object))
    table.loc[2, list(INDICES[:faulty])] = "x"
    check = read_cohort(csv(table))
    assert len(check.problems) == problems
    assert check.usable == 11


@pytest.mark.parametrize("value", ["", "n/a", "none of it"])
def test_a_column_without_numbers_is_a_missing_region(value):
    check, problem = table_problem(CLEAN.assign(**{"47": value}))
    assert (problem.rule, problem.column) == ("empty-column", "47")
    assert check.usable == 12
    assert "47" not in check.cohort.features
    assert "47" not in check.recognition.features


@pytest.mark.parametrize("column", ["Age", "Sex"])
def test_without_age_or_sex_nobody_is_usable_and_it_is_said_once(column):
    check, problem = table_problem(CLEAN.drop(columns=column))
    assert check.problems == (problem,)
    assert problem.rule == "missing-column"
    assert check.usable == 0
    assert check.rows == 12


def test_a_column_named_for_another_region():
    table = CLEAN.rename(columns={"47": "81", "81": "47"})  # hippocampus and frontal white matter
    check = read_cohort(csv(table))
    of_table = [problem for problem in check.problems if problem.row is None]
    assert {(p.rule, p.column) for p in of_table} == {("implausible", "47"), ("implausible", "81")}
    assert check.usable == 0


def test_a_large_median_alone_keeps_its_rows():
    check, problem = table_problem(CLEAN.assign(**{"47": CLEAN["47"] * 4}))
    assert (problem.rule, problem.column) == ("implausible", "47")
    assert check.usable == 12


def test_two_columns_of_one_region():
    same = CLEAN.assign(MUSE_47=CLEAN["47"])
    check = read_cohort(csv(same))
    assert check.problems == ()
    assert any("same values" in notice for notice in check.notices)
    assert check.recognition.features["47"] == "47"
    check = read_cohort(csv(CLEAN.assign(Hippocampus_R=CLEAN["47"] * 1.1)))
    assert "ambiguous" in {problem.rule for problem in check.problems}
    assert "47" not in check.cohort.features
    assert check.usable == 12


def test_a_column_name_that_occurs_twice():
    table = pd.concat([CLEAN, (CLEAN["47"] * 1.1).rename("47"), CLEAN["Age"]], axis=1)
    check = read_cohort(csv(table))
    repeated = [p.column for p in check.problems if p.rule == "duplicate-column"]
    assert sorted(repeated) == ["47", "Age"]
    assert "47" not in check.cohort.features
    assert check.cohort.subjects["age"].tolist() == CLEAN["Age"].tolist()


@pytest.mark.parametrize(("per_year", "unit"), [(12, "months"), (365.25, "days")])
def test_ages_in_another_unit_are_recognized(per_year, unit):
    check = read_cohort(csv(CLEAN.assign(Age=CLEAN["Age"] * per_year)))
    assert len(check.problems) == 12
    assert all(unit in problem.message for problem in check.problems)


@pytest.mark.parametrize("column", ["Age", "Sex", "ICV"])
def test_a_covariate_that_is_text_throughout(column):
    check = read_cohort(csv(CLEAN.assign(**{column: "unknown"})))
    assert [problem.row for problem in check.problems] == list(range(2, 14))
    assert {problem.column for problem in check.problems} == {column}
    assert check.usable == 0


def test_a_table_of_text_throughout():
    check = read_cohort(csv(CLEAN.assign(**dict.fromkeys(INDICES, "n/a"))))
    assert [problem.rule for problem in check.problems] == ["empty-column"]
    assert check.usable == 0


def test_suspicious_tables_are_noticed():
    from cavae.atlas import rois

    table = CLEAN.copy()
    for one in rois():
        left = f"{one.name[:-2]}_L"
        if one.hemisphere == "R":
            table[next(o.index for o in rois() if o.name == left)] = table[one.index]
    table["95"] = 11_900
    check = read_cohort(csv(table))
    assert any("left and the right" in notice for notice in check.notices)
    assert any("same value for everybody" in notice for notice in check.notices)


def test_people_twice_in_the_participants_table():
    participants = CLEAN[["ID", "Age", "Sex"]]
    twice = pd.concat([participants, participants.iloc[[0]].assign(Age=51.5)])
    check = read_cohort(csv(CLEAN[["ID", *INDICES]]), csv(twice, "people.csv"))
    (problem,) = check.problems
    assert (problem.row, problem.rule) == (14, "duplicate-id")
    assert '"people.csv"' in problem.message
    assert check.cohort.subjects["age"][0] == CLEAN["Age"][0]


def test_a_ragged_row_of_the_participants_is_not_trusted():
    lines = CLEAN[["ID", "Age", "Sex"]].to_csv(index=False).splitlines()
    lines[3] = lines[3].replace(",", ",,", 1)
    people_file = Upload("\n".join(lines), "people.csv")
    check = read_cohort(csv(CLEAN[["ID", *INDICES]]), people_file)
    assert [(p.row, p.rule) for p in check.problems] == [(4, "ragged"), (4, "unmatched")]
    assert check.usable == 11


def test_the_listing_of_problems_is_capped():
    table = pd.concat([CLEAN] * 200, ignore_index=True)
    check = read_cohort(csv(table))
    assert len(check.problems) == MAX_PROBLEMS + 1
    assert check.problems[-1].message.startswith("1,388 more problems")
    assert check.usable == 12


# Strangers' text


def test_strangers_text_is_shown_short_and_harmless():
    nasty = "{0.__class__} %s \x1b[31m\u202e" + "<script>" * 30
    check = read_cohort(csv(cell("47", nasty)(CLEAN.copy())))
    (problem,) = check.problems
    for text in (problem.value, problem.message):
        assert text.isprintable()
        assert len(text) < 200
    assert problem.value.startswith("{0.__class__} %s [31m")
    assert len(problem.value) == 60


def test_placeholders_in_names_stay_as_they_are():
    table = CLEAN.iloc[:1].assign(ID="{value} {0}")
    check = read_cohort(csv(table))
    assert check.cohort.subjects["subject_id"].tolist() == ["{value} {0}"]


# Anything at all


def reads_or_refuses(*sources) -> None:
    try:
        check = read_cohort(*sources)
    except DataError:
        return
    assert isinstance(check, Check)
    cohort = check.cohort
    assert len(cohort.subjects) == len(cohort.features) == len(cohort.extra) == check.usable
    assert np.isfinite(cohort.features.to_numpy(dtype=float)).all()
    assert cohort.subjects["age"].between(18, 100).all()
    assert cohort.subjects["sex"].isin(["F", "M"]).all()
    assert cohort.subjects["subject_id"].is_unique
    check.to_json()
    check.problems_table()


HEADERS = [
    "ID",
    "Age",
    "Sex",
    "47",
    "48",
    "31",
    "MUSE_32",
    "Caudate_R",
    "DX",
    "702",
    "x",
    "",
    "MRID",
]
CELLS = st.one_of(
    st.sampled_from(["", "a", "M", "F", "1", "0", "2", "70", "3500", "1.4e6", "-1", "inf", "1,5"]),
    st.floats(width=32).map(str),
    st.text(max_size=6),
)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    header=st.lists(st.sampled_from(HEADERS), min_size=1, max_size=12),
    rows=st.lists(st.lists(CELLS, max_size=12), max_size=6),
    separator=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-16", "latin-1"]),
)
def test_any_table_is_read_or_refused(header, rows, separator, encoding):
    text = "\n".join(separator.join(row) for row in [header, *rows])
    upload = Upload(text.encode(encoding, errors="replace"))
    reads_or_refuses(upload)
    reads_or_refuses(upload, csv(CLEAN[["ID", "Age", "Sex"]]))


@settings(max_examples=80, deadline=None)
@given(data=st.binary(max_size=300), start=st.sampled_from([b"", b"ID,47\n", b"PAR1", b"\xff\xfe"]))
def test_any_bytes_are_read_or_refused(data, start):
    reads_or_refuses(Upload(start + data))
