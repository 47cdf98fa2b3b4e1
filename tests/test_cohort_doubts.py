"""Tables whose every cell is possible and that are wrong all the same: each is caught or shown.

The table is the bundled cohort, whose regions go with each other and with age, sex and ICV as
those of real people do.
"""

import re

import numpy as np
import pandas as pd
import pytest

from cavae.atlas import ASSETS, rois
from cavae.cohort import Check, read_cohort
from cavae.cohort.text import to_numbers
from tests.cohort_tables import csv, people

CLEAN = pd.read_csv(ASSETS / "demo_cohort.csv")
COLUMN = {one.name: f"MUSE_Volume_{one.index}" for one in rois()}
VOLUMES = list(COLUMN.values())
PAIRS = [
    (column, COLUMN[name[:-1] + "L"])
    for name, column in COLUMN.items()
    if name.endswith("_R") and name[:-1] + "L" in COLUMN
]


def exchanged(table: pd.DataFrame, *pairs: tuple[str, str]) -> pd.DataFrame:
    """The values of two columns each under the name of the other."""
    names = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    return table.rename(columns=names)[list(table.columns)]


def shuffled(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """These columns sorted apart from the rest, as by a spreadsheet."""
    order = np.random.default_rng(0).permutation(len(table))
    return table.assign(**{c: table[c].to_numpy()[order] for c in columns})


def said(check: Check) -> list[str]:
    """What is said of the whole table, problems and notices."""
    return [p.message for p in check.problems if p.row is None] + list(check.notices)


@pytest.mark.parametrize("name", ["age_at_scan_day", "Age at MRI day", "age"])
def test_the_day_of_a_scan_is_no_unit_of_an_age(name):
    check = read_cohort(csv(CLEAN.rename(columns={"age": name})))
    assert not [notice for notice in check.notices if "named for" in notice]


def test_nothing_is_said_of_a_clean_table_nor_of_ten_people_of_it():
    for rows in (range(300), range(10), range(145, 160), range(0, 300, 7), [3], [200]):
        check = read_cohort(csv(CLEAN.iloc[list(rows)]))
        assert said(check) == []
        assert check.usable == check.rows


hippocampus, amygdala = COLUMN["Hippocampus_R"], COLUMN["Amygdala_R"]
caudate, putamen = COLUMN["Caudate_R"], COLUMN["Putamen_R"]
planum = (COLUMN["PlanumTemporale_R"], COLUMN["PlanumTemporale_L"])
left = {c: c.replace(COLUMN[n], COLUMN[n[:-1] + "L"]) for n, c in COLUMN.items() if n[-2:] == "_R"}

DOUBTS = {
    "all sides exchanged": (exchanged(CLEAN, *PAIRS), "exchanged throughout"),
    "all sides of one person exchanged": (exchanged(CLEAN.iloc[[0]], *PAIRS), "throughout"),
    "the sides of every third region exchanged": (
        exchanged(CLEAN, *sorted(PAIRS, key=str)[::3]),
        "exchanged",
    ),
    "the sides of one region exchanged": (exchanged(CLEAN, planum), "the larger side is the right"),
    "two columns of different size exchanged": (
        exchanged(CLEAN, (hippocampus, amygdala)),
        rf'"{hippocampus}": its median, 9\d\d mm³, is far from the typical 4,030 mm³; is it named',
    ),
    "two columns of a similar size exchanged": (
        exchanged(CLEAN, (caudate, putamen)),
        r"right side has 1\.2\d times the volume of the left, where 1\.0\d times is typical",
    ),
    "two regions exchanged on both sides": (
        exchanged(CLEAN, (hippocampus, amygdala), (left[hippocampus], left[amygdala])),
        "named for another region",
    ),
    "a region too large on both sides": (
        CLEAN.assign(**{c: 1.8 * CLEAN[c] for c in (hippocampus, left[hippocampus])}),
        rf'"{hippocampus}": compared .* mm³, is 1\.[67] times the typical one; is it named for',
    ),
    "columns moved by one": (
        CLEAN.assign(**dict(zip(VOLUMES[1:], CLEAN[VOLUMES[:-1]].to_numpy().T, strict=True))),
        "far from the typical|named for another region",
    ),
    "one column in mL": (
        CLEAN.assign(**{hippocampus: CLEAN[hippocampus] / 1e3}),
        r"its median, [34] mm³, is far from the typical [34],\d{3} mm³; its values look like mL",
    ),
    "one column 1,000 times": (
        CLEAN.assign(**{hippocampus: CLEAN[hippocampus] * 1e3}),
        "1,000 times too large",
    ),
    "voxels of 1.2 mm counted": (
        CLEAN.assign(**(CLEAN[VOLUMES] / 1.2**3)),
        r"46 % of ICV, where about 82 % is typical; are both in mm³\?$",
    ),
    "voxels counted, in ICV too": (
        CLEAN.assign(**(CLEAN[[*VOLUMES, "icv"]] / 1.2**3)),
        r"0\.5\d times the typical ones; are they in mm³\?$",
    ),
    "the whole brain called ICV": (
        CLEAN.assign(icv=1.03 * CLEAN[VOLUMES].sum(axis=1)),
        r"97 % of ICV, .*is it the volume of the brain and not of the head\?$",
    ),
    "hippocampus and amygdala exchanged in three people": (
        exchanged(CLEAN.iloc[:3], (hippocampus, amygdala)),
        f'"{amygdala}".* its median, 3,[0-9]{{3}} mm³, is [34].[0-9] times the typical one',
    ),
    "999 for a missing volume": (
        CLEAN.assign(**{amygdala: CLEAN[amygdala].where(CLEAN.index % 12 > 0, 999)}),
        f'"{amygdala}": 25 of 300 people have the very same volume, 999 mm³; is it a code',
    ),
    "one volume for a third of the people": (
        CLEAN.assign(**{amygdala: CLEAN[amygdala].where(CLEAN.index % 3 > 0, 1234.5)}),
        "100 of 300 people have the very same volume, 1234.5 mm³; is it a code",
    ),
    "one age for all": (CLEAN.assign(age=65), "Everybody has the same age, 65 years"),
    "ages that are called months": (
        CLEAN.rename(columns={"age": "Age (months)"}),
        r'"Age \(months\)" is named for months, but read as years',
    ),
    "volumes as a spreadsheet cuts them": (
        CLEAN.assign(**{amygdala: [f"{volume:.2E}" for volume in CLEAN[amygdala]]}),
        rf'"\d\.\d\dE\+0[23]" in column "{amygdala}" hold three digits',
    ),
    "voxels counted, no ICV": (
        CLEAN.assign(**(CLEAN[VOLUMES] / 1.2**3)).drop(columns="icv"),
        r"0\.5\d times the typical ones; are they in mm³\?$",
    ),
    "women called M": (
        CLEAN.assign(sex=CLEAN["sex"].map({"F": "M", "M": "F"})),
        r"called M are clearly smaller than those of people called F \(by 1[0-9] %\)",
    ),
    "ICV of other rows": (
        shuffled(CLEAN, ["icv"]),
        r"ICV hardly goes with the volumes \(correlation -?0\.[01]\d, about 0\.9 is typical\)",
    ),
    "sexes of other rows": (shuffled(CLEAN, ["sex"]), "heads of the same size"),
    "ages of other rows": (shuffled(CLEAN, ["age"]), "do not shrink with age"),
    "one column sorted apart": (
        CLEAN.assign(**{caudate: np.sort(CLEAN[caudate])}),
        f'"{caudate}" goes with no other region',
    ),
    "the hippocampi exchanged": (
        exchanged(CLEAN, (hippocampus, left[hippocampus])),
        "the larger side is the left one",
    ),
    "one person under two ids": (
        pd.concat([CLEAN, CLEAN.iloc[[4]].assign(subject_id="again")]),
        "are they one person",
    ),
    "ids as a spreadsheet spoils them": (
        CLEAN.assign(subject_id=[f"{1 + i / 1000:.3f}E+11" for i in range(300)]),
        "spreadsheet",
    ),
    "ids that became dates": (
        CLEAN.iloc[:2].assign(subject_id=["1-Mar", "Sep-02"]),
        "2 ids look like",
    ),
}


@pytest.mark.parametrize(("table", "sentence"), DOUBTS.values(), ids=DOUBTS)
def test_what_is_wrong_as_a_whole_is_said(table, sentence):
    assert pd.Series(said(read_cohort(csv(table)))).str.contains(sentence).any()


TENTH, HALF, LAST = (CLEAN.index % 10 == 0, CLEAN.index % 2 == 0, CLEAN.index >= 200)
SIDES, OTHER = exchanged(CLEAN, *PAIRS), exchanged(CLEAN, (hippocampus, amygdala))


def voxels(edge: float) -> pd.DataFrame:
    """The volumes as numbers of voxels of so many mm."""
    return CLEAN.assign(**(CLEAN[VOLUMES] / edge**3))


def of_some(rows: np.ndarray, spoiled: pd.DataFrame) -> pd.DataFrame:
    """The clean table, with these rows of the spoiled one."""
    return pd.concat([CLEAN[~rows], spoiled[rows]]).sort_index()


SOME_PEOPLE = {
    "the sides of every tenth person exchanged": (
        of_some(TENTH, SIDES),
        'exchanged in 30 people, unlike in the others: "demo-001", "demo-011"',
    ),
    "voxels of 1.2 mm counted for every tenth person": (
        of_some(TENTH, voxels(1.2)),
        'volumes of 30 people are much larger or smaller.*"demo-001", "demo-011"',
    ),
    "the same without ICV": (
        of_some(TENTH, voxels(1.2)).drop(columns="icv"),
        "are much larger or smaller",
    ),
    "voxels of 1.1 mm counted for half of the people": (
        of_some(HALF, voxels(1.1)),
        "more different than people are|much larger or smaller",
    ),
    "voxels of 1.07 mm counted for half of the people": (
        of_some(HALF, voxels(1.07)),
        r"add up to 5\d to 8\d % of ICV, which is more different than people are",
    ),
    "ICV of somebody else": (
        of_some(CLEAN.index == 7, CLEAN.assign(icv=1.6 * CLEAN["icv"])),
        'volumes of 1 person are much larger or smaller.*"demo-008"',
    ),
    "voxels counted for one person, in ICV too": (
        of_some(CLEAN.index == 7, CLEAN.assign(**(CLEAN[[*VOLUMES, "icv"]] * 1.8))),
        'brains of 1 person are much larger or smaller.*"demo-008"',
    ),
    "a slip of the decimal sign": (
        of_some(CLEAN.index == 7, CLEAN.assign(**{amygdala: CLEAN[amygdala] * 4.5})),
        rf'^1 volume does not fit .*row 9, column "{amygdala}" \(3,650 mm³, 4 times what',
    ),
    "one ICV for all": (CLEAN.assign(icv=1_400_000), "one and the same for everybody"),
    "two columns exchanged at one site": (
        of_some(LAST, OTHER).assign(site=np.where(LAST, "South", "North")),
        f'Column "{hippocampus}".*at site "(?:North|South)" are [023].[0-9] times those elsewhere',
    ),
}


@pytest.mark.parametrize(("table", "sentence"), SOME_PEOPLE.values(), ids=SOME_PEOPLE)
def test_what_is_wrong_of_some_people_is_said(table, sentence):
    check = read_cohort(csv(table))
    assert pd.Series(said(check)).str.contains(sentence).any()
    assert check.usable == 300


UNUSABLE = ("one column in mL", "one column 1,000 times", "columns moved by one")


@pytest.mark.parametrize("name", [name for name in DOUBTS if name not in UNUSABLE])
def test_a_doubt_takes_nobody_out_of_use(name):
    table, _ = DOUBTS[name]
    assert read_cohort(csv(table)).usable >= 0.95 * len(table)


@pytest.mark.parametrize("name", UNUSABLE)
def test_impossible_columns_are_never_used(name):
    table, _ = DOUBTS[name]
    assert read_cohort(csv(table)).usable == 0


def test_numbers_for_sexes_are_turned_round_by_the_heads_and_that_is_said():
    check = read_cohort(csv(CLEAN.assign(sex=CLEAN["sex"].map({"F": 1, "M": 0}))))
    assert check.cohort.subjects["sex"].tolist() == CLEAN["sex"].tolist()
    assert "turned round" in said(check)[0]


@pytest.mark.parametrize(
    ("column", "coding"),
    [
        ("Sex (M=2, F=1)", {"M": 2, "F": 1}),
        ("Sex 2=M:1=F", {"M": 2, "F": 1}),
        ("Sex M:2:F:1", {"M": 2, "F": 1}),
        ("Sex 0=M:1=F", {"M": 0, "F": 1}),
        ("sex (male: 0, female: 1)", {"M": 0, "F": 1}),
        ("Sex (0=M 1=F)", {"M": 0, "F": 1}),
    ],
)
def test_a_coding_of_the_sex_that_the_column_states_is_kept(column, coding):
    few = CLEAN.iloc[:8].rename(columns={"sex": column})
    check = read_cohort(csv(few.assign(**{column: few[column].map(coding)})))
    assert check.cohort.subjects["sex"].tolist() == CLEAN["sex"].iloc[:8].tolist()
    assert "by the name of the column" in said(check)[0]


def test_a_zero_beside_letters_is_no_sex():
    check = read_cohort(csv(CLEAN.assign(sex=CLEAN["sex"].where(CLEAN.index % 10 > 0, "0"))))
    assert check.usable == 270
    assert {(p.rule, p.value) for p in check.problems} == {("sex", "0")}


def test_a_fault_of_a_column_is_said_once():
    messages = said(read_cohort(csv(exchanged(CLEAN, (hippocampus, amygdala)))))
    assert sum(f'"{hippocampus}"' in message for message in messages) == 1


def test_regions_without_any_likeness_are_no_reason_for_doubt():
    """Scatter that is drawn for each region apart, as in made-up tables."""
    assert said(read_cohort(csv(people(50)))) == []


def test_nothing_is_doubted_of_two_studies_of_different_scanners_together(shared_data):
    columns = [one.index for one in rois()]
    tables = []
    for study in ("ixi", "study1_train"):
        files = (shared_data / f"{study}_{part}.csv" for part in ("volumes", "participants"))
        volumes, participants = (pd.read_csv(file) for file in files)
        key = volumes.columns[0]
        table = volumes[[key, "702", *columns]].merge(participants[[key, "Age", "Sex"]], on=key)
        tables.append(table.rename(columns={key: "ID"}).assign(Site=study))
    doubts = [m for m in said(read_cohort(csv(pd.concat(tables).dropna()))) if "?" in m]
    assert [m for m in doubts if "heads of people" not in m] == []


@pytest.mark.parametrize("study", ["ixi", "study1_train"])
def test_nothing_is_doubted_in_real_studies_nor_in_parts_of_them(shared_data, study):
    files = (shared_data / f"{study}_{part}.csv" for part in ("volumes", "participants"))
    volumes, participants = (pd.read_csv(file) for file in files)
    key = volumes.columns[0]
    generator = np.random.default_rng(0)
    for size in (len(volumes), 40, 10, 1):
        part = volumes.iloc[generator.permutation(len(volumes))[:size]]
        merged = part[[key, "702", *(one.index for one in rois())]].merge(participants, on=key)
        assert [m for m in said(read_cohort(csv(merged))) if "?" in m or "exchanged" in m] == []


ALIKE = {
    "everybody alike": CLEAN.assign(**CLEAN.iloc[0][VOLUMES]),
    "one side a share of the other": CLEAN.assign(
        **{right: 1.1 * CLEAN[of_left] for right, of_left in PAIRS}
    ),
    "one column that varies": CLEAN.assign(
        **CLEAN.iloc[0][VOLUMES].drop(VOLUMES[5]), age=70, icv=1.4e6
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("table", ALIKE.values(), ids=ALIKE)
def test_tables_that_do_not_vary_are_doubted_without_a_slip(table):
    check = read_cohort(csv(table))
    assert check.rows == 300
    assert said(check)


# Numbers that mean one thing here and another there


NAN = float("nan")


@pytest.mark.parametrize(
    ("cells", "decimal_comma", "expected"),
    [
        (["1,234", "2,345", "3,456"], False, [1234, 2345, 3456]),
        (["1,234", "2,345", "0,5"], False, [NAN, NAN, NAN]),
        (["1,234", "2,345.5", "3"], False, [1234, 2345.5, 3]),
        (["0,512", "1,5", "1e3"], False, [NAN, NAN, 1000]),
        (["1.234", "2.345", "3.456"], True, [1234, 2345, 3456]),
        (["1.234", "2.345", "0.512"], True, [1.234, 2.345, 0.512]),
        (["1.234", "2,5", "3.456.789"], True, [1234, 2.5, 3456789]),
        (["1.234", "2,5", "0.512"], True, [NAN, 2.5, 0.512]),
        (["1 234", "2'345", "3\u00a0456"], False, [1234, 2345, 3456]),
        (["1’234.5", "2\u2009345", "3"], False, [1234.5, 2345, 3]),
        (["1’234,5", "2\u2009345", "3"], True, [1234.5, 2345, 3]),
        (["1_000", "-1,234", "+2"], False, [NAN, -1234, 2]),
    ],
)
def test_one_column_is_never_read_in_two_ways(cells, decimal_comma, expected):
    np.testing.assert_array_equal(to_numbers(pd.Series(cells), decimal_comma), expected)


def test_a_number_that_could_be_another_is_named():
    table = people(5).astype({"ICV": object})
    table["ICV"] = [f"{value:,.0f}" for value in people(5)["ICV"]]
    table["47"] = [f"{value:,.0f}" for value in people(5)["47"]]
    check = read_cohort(csv(table))
    (notice,) = check.notices
    told = re.search(r'such as "(\d,\d{3})" .* are read with thousands separated, as (\d+)', notice)
    assert told[1].replace(",", "") == told[2]
    assert check.usable == 5
