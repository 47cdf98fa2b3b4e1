"""Any table is recognized or refused with a sentence, and its numbers are the ones it holds.

Tables are generated: every dialect, spelling and encoding the project knows, mutated, and faults of
which what must follow is known. `HYPOTHESIS_PROFILE=thorough` runs 10,000 tables; the usual few are
enough to notice what breaks.
"""

import io
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cavae.atlas import rois
from cavae.cohort import Check, Cohort, read_cohort
from cavae.errors import CavaeError
from cavae.preprocessing import Preprocessor, fit_preprocessor
from cavae.tables import csv_bytes
from tests.cohort_tables import INDICES, Upload, people
from tests.people import make_cohort

EXAMPLES = {"quick": 1, "thorough": 48}[os.environ.get("HYPOTHESIS_PROFILE", "quick")]
"""How many times the usual number of tables are generated."""

pytestmark = pytest.mark.filterwarnings("error")


def tables(usual: int):
    """Settings of a test that generates so many tables; the whole file makes 217 of them."""
    return settings(
        max_examples=usual * EXAMPLES,
        deadline=None,
        derandomize=EXAMPLES == 1,
        suppress_health_check=list(HealthCheck),
    )


# Tables as people write them

NAMES = {one.index: (one.name, one.label) for one in rois()}
DIALECTS = {
    "bare": lambda i: i,
    "spreadsheet": lambda i: f"{i}.0",
    "MUSE": lambda i: f"MUSE_{i}",
    "MUSE volume": lambda i: f"MUSE_Volume_{i}",
    "H MUSE": lambda i: f"H_MUSE_Volume_{i}",
    "DL MUSE": lambda i: f"DL_MUSE_Volume_{i}",
    "ROI": lambda i: f"ROI {i}",
    "name": lambda i: NAMES[i][0],
    "label": lambda i: NAMES[i][1],
    "unit": lambda i: f"MUSE_Volume_{i} (mm3)",
    "lower": lambda i: f"muse_volume_{i}",
}
HEADERS = {
    "ID": ("ID", "MRID", "PTID", "participant_id", "SubjID", "Subject ID"),
    "Age": ("Age", "age", "AGE", "Age (years)", "age_at_scan"),
    "Sex": ("Sex", "sex", "Gender", "SEX"),
    "ICV": ("ICV", "702", "DLICV", "MUSE_Volume_702", "icv_mm3", "TIV"),
    "DX": ("DX", "Diagnosis", "diagnosis", "DX_AD", "Group"),
    "SITE": ("SITE", "site", "Scanner", "Study"),
}
SEXES = ({"F": "F", "M": "M"}, {"F": "female", "M": "Male"}, {"F": 2, "M": 1}, {"F": 0, "M": 1})
SEXES += ({"F": "2.0", "M": "1.0"}, {"F": "woman", "M": "man"}, {"F": 1, "M": 0})
AGES = (str, "{:.2f}".format, "{:g}".format, "{:.3e}".format)
SIZES = (str, "{:.4f}".format, "{:.6e}".format, "{:,.2f}".format)


@st.composite
def spellings(draw) -> tuple[pd.DataFrame, bytes, str]:
    """A clean table, its bytes in some spelling, and the name of the file."""
    clean = people(draw(st.integers(12, 24)), seed=draw(st.integers(0, 9)))
    kept = draw(st.lists(st.sampled_from(INDICES), min_size=8, max_size=139, unique=True))
    clean = clean[[*HEADERS, *kept]]
    table = clean.astype(object)
    table["Sex"] = table["Sex"].map(draw(st.sampled_from(SEXES)))
    table["Age"] = table["Age"].map(draw(st.sampled_from(AGES)))
    table["ICV"] = table["ICV"].map(draw(st.sampled_from(SIZES)))
    dialect = DIALECTS[draw(st.sampled_from(sorted(DIALECTS)))]
    names = {key: draw(st.sampled_from(of)) for key, of in HEADERS.items()}
    table = table.rename(columns={**names, **{i: dialect(i) for i in kept}})
    table = table[draw(st.permutations(list(table.columns)))]
    if draw(st.booleans()):
        buffer = io.BytesIO()
        table.astype(dict.fromkeys(table.columns, str)).to_parquet(buffer)
        return clean, buffer.getvalue(), "table.parquet"
    separator = draw(st.sampled_from(",;\t"))
    text = table.to_csv(
        index=False,
        sep=separator,
        quoting=draw(st.sampled_from([0, 1])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
    )
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"]))
    return clean, text.encode(encoding), "table.csv"


@tables(40)
@given(spelling=spellings())
def test_every_spelling_of_a_table_gives_the_same_people(spelling):
    clean, data, name = spelling
    check = read_cohort(Upload(data, name))
    subjects, features = check.cohort.subjects, check.cohort.features
    assert [p for p in check.problems if p.row is not None] == []
    assert subjects["subject_id"].tolist() == clean["ID"].tolist()
    # Numbers for sexes are turned round by the heads where the usual coding is not meant.
    assert subjects["sex"].tolist() == clean["Sex"].tolist() or len(clean) < 20
    np.testing.assert_allclose(subjects["age"], clean["Age"], atol=0.051)
    np.testing.assert_allclose(subjects["icv"], clean["ICV"], rtol=1e-5)
    indices = sorted(clean.columns[6:], key=int)
    assert list(features) == indices
    np.testing.assert_allclose(features, clean[indices], rtol=1e-12)


# Faults whose consequence is known


def in_unit(column: str, factor: float):
    return lambda table: table.assign(**{column: table[column] * factor})


@st.composite
def faults(draw) -> tuple[pd.DataFrame, str]:
    """A table with one thing wrong in it as a whole, and what."""
    table = people(draw(st.integers(12, 30)), seed=draw(st.integers(0, 9)))
    kind = draw(
        st.sampled_from(["all volumes", "one volume", "icv", "age", "sides", "rows", "columns"])
    )
    factor = draw(st.sampled_from([1e-9, 1e-6, 1e-3, 1e3]))
    if kind == "all volumes":
        table[list(INDICES)] *= factor
    elif kind == "one volume":
        table[draw(st.sampled_from(INDICES))] *= factor
    elif kind == "icv":
        table["ICV"] *= factor
    elif kind == "age":
        table["Age"] *= draw(st.sampled_from([12, 52, 365.25, 0.1]))
    elif kind == "sides":
        names = {one.name: one.index for one in rois()}
        turned = {
            index: names[name[:-2] + {"R": "_L", "L": "_R"}[name[-1]]]
            for name, index in names.items()
            if name[-2:] in ("_R", "_L")
        }
        table = table.rename(columns=turned)
    elif kind == "rows":
        table["ICV"] = np.roll(table["ICV"], 1)  # men and women alternate
    else:
        moved = dict(zip(INDICES, [*INDICES[1:], INDICES[0]], strict=True))
        table = table.rename(columns=moved)
    return table, kind


@tables(30)
@given(fault=faults())
def test_a_table_that_is_wrong_as_a_whole_is_never_read_in_silence(fault):
    table, kind = fault
    check = read_cohort(Upload(table.to_csv(index=False)))
    said = [p.message for p in check.problems] + list(check.notices)
    assert said, f"nothing was said of wrong {kind}"
    if kind in ("all volumes", "one volume", "icv", "age"):
        assert check.usable == 0


# Anything


@st.composite
def mutants(draw) -> bytes:
    """The bytes of a small good table after some accidents."""
    table = people(6, seed=1)[["ID", "Age", "Sex", "ICV", "DX", "SITE", *INDICES[:7]]]
    data = bytearray(
        draw(
            st.sampled_from(
                [table.to_csv(index=False).encode(), table.to_csv(sep=";", decimal=",").encode()]
            )
        )
    )
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        patch = draw(
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from(SHRAPNEL),
                st.sampled_from([bytes(data[:60]), bytes(data[-80:])]),
            )
        )
        data[start:end] = patch
    return bytes(data)


SHRAPNEL = [
    *(
        b"\n",
        b",",
        b";",
        b"\t",
        b'"',
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\r",
        b"1e309",
        b"-",
        b"'=",
    ),
    *(b"NaN", b"inf", b"-inf", b"1,234", b"1.234,5", b"0x10", b"1_0", b"1e-400", b"\xe2\x80\xae"),
    *(b"True", b"#DIV/0!", b"=1+1", b"9" * 400, b"2024-01-02", b"01-Mar", b"\xd9\xa3", b"\xc2\xa0"),
]


@tables(60)
@given(data=mutants())
def test_a_damaged_table_is_read_or_refused(data):
    check = reads_or_refuses(data)
    if check is not None:
        sound(check)


def reads_or_refuses(data: bytes, name: str = "t.csv") -> Check | None:
    try:
        return read_cohort(Upload(data, name))
    except CavaeError as refusal:
        sentence = str(refusal)
        assert "\n" not in sentence
        assert sentence.endswith((".", "…"))
        assert len(sentence) < 1000
        return None


def sound(check: Check) -> None:
    """What is promised of the people who can be used, whatever the table."""
    subjects, features = check.cohort.subjects, check.cohort.features
    assert len(subjects) == len(features) == len(check.cohort.extra) == check.usable
    assert check.usable <= check.rows
    assert subjects["subject_id"].is_unique
    assert (subjects["subject_id"] != "").all()
    assert subjects["age"].between(18, 100).all()
    assert subjects["sex"].isin(["F", "M"]).all()
    assert (subjects["icv"].isna() | subjects["icv"].between(6e5, 2.6e6)).all()
    assert np.isfinite(features.to_numpy(float)).all()
    if check.cohort.kind == "muse":
        typical = pd.Series({one.index: one.typical for one in rois()})[features.columns]
        ratios = (features / typical).to_numpy()
        assert ((ratios >= 1 / 8) & (ratios <= 8)).all()
    for problem in check.problems:
        assert problem.message.isprintable()
    check.to_json()
    csv_bytes(check.problems_table())


CELLS = st.one_of(
    st.sampled_from(
        ["", "NA", "F", "M", "1", "0", "2", "70", "3500", "1.4e6", "-1", "1,5", "1.234"]
    ),
    st.floats().map(repr),
    st.integers().map(str),
    st.text(max_size=8),
)
COLUMN_NAMES = st.one_of(
    st.sampled_from([name for names in HEADERS.values() for name in names]),
    st.builds(
        lambda d, i: DIALECTS[d](i), st.sampled_from(sorted(DIALECTS)), st.sampled_from(INDICES)
    ),
    st.text(max_size=10),
)


@tables(60)
@example(["ID", "47", "ICV", "702"], [["", "", "1.2e308", "1e-300"]], ",", False)
@given(
    header=st.lists(COLUMN_NAMES, min_size=1, max_size=14),
    rows=st.lists(st.lists(CELLS, max_size=14), max_size=8),
    separator=st.sampled_from(",;\t| "),
    parquet=st.booleans(),
)
def test_any_cells_under_any_names_are_read_or_refused(header, rows, separator, parquet):
    if parquet:
        cells = [(row + [""] * len(header))[: len(header)] for row in rows]
        names = list(dict.fromkeys(header))
        table = pd.DataFrame(cells, columns=header, dtype=str).loc[
            :, ~pd.Index(header).duplicated()
        ]
        buffer = io.BytesIO()
        try:
            table[names].to_parquet(buffer)
        except (UnicodeEncodeError, ValueError):  # half of a character, which no file can hold
            return
        data = buffer.getvalue()
    else:
        text = "\n".join(separator.join(row) for row in [header, *rows])
        data = text.encode("utf-8", errors="replace")
    check = reads_or_refuses(data)
    if check is not None:
        sound(check)


# Round trips


@tables(12)
@given(
    shape=st.tuples(st.integers(15, 40), st.integers(3, 20)),
    sites=st.sampled_from([("A",), ("A", "B"), ("A", "B", "C")]),
    factor=st.sampled_from([1.0, 0.8, 1.3]),
    seed=st.integers(0, 99),
)
def test_the_way_through_preprocessing_and_back_is_exact(shape, sites, factor, seed):
    cohort = make_cohort(*shape, sites=sites, seed=seed)
    fitted = fit_preprocessor(cohort, ["CN"], ["AD"])
    loaded = Preprocessor.from_dict(fitted.to_dict())
    others = make_cohort(30, 5, sites=(*sites, "elsewhere"), site_factor=factor, seed=seed + 1)
    for preprocessor in (fitted, loaded):
        there = preprocessor.transform(others)
        back = preprocessor.inverse_transform(there.values, there.subjects, there.adaptations)
        np.testing.assert_allclose(back, others.features, rtol=1e-9)


@tables(15)
@given(
    ids=st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=9),
        min_size=3,
        max_size=8,
        unique=True,
    ),
    notes=st.lists(
        st.sampled_from(["", "=1+1", "a;b", 'x"y', "1,5", "007", "+3", "été"]), min_size=8
    ),
)
def test_csv_and_parquet_hold_the_same_people(ids, notes):
    table = people(len(ids))[[*people(1).columns[:6], *INDICES[:9]]].assign(
        ID=ids, note=notes[: len(ids)]
    )
    one = read_cohort(Upload(csv_bytes(table)))
    buffer = io.BytesIO()
    table.to_parquet(buffer)
    other = read_cohort(Upload(buffer.getvalue(), "t.parquet"))
    same(one.cohort, other.cohort)
    again = read_cohort(Upload(csv_bytes(as_table(other.cohort))))
    same(other.cohort, again.cohort)


def as_table(cohort: Cohort) -> pd.DataFrame:
    return pd.concat([cohort.subjects, cohort.features, cohort.extra], axis=1)


def same(one: Cohort, other: Cohort) -> None:
    pd.testing.assert_frame_equal(one.subjects, other.subjects)
    pd.testing.assert_frame_equal(one.features, other.features)
    pd.testing.assert_frame_equal(one.extra, other.extra)


def test_a_model_that_was_saved_reads_people_as_before(tiny_model, tmp_path):
    from cavae.checkpoint import load_model, save_model
    from cavae.synthesis import encode, healthy_twins

    folder = tmp_path / "again"
    save_model(tiny_model, folder, tiny_model.card, {})
    cohort = make_cohort(seed=11)
    one, other = (
        healthy_twins(model, encode(model, cohort)).table(True, True)
        for model in (tiny_model, load_model(folder))
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)
