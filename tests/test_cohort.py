"""Any table of brain volumes is understood: what is read, recognized, coded and joined."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from cavae.atlas import rois
from cavae.cohort import COVARIATES, join_cohorts, read_cohort, read_columns, template_csv
from cavae.cohort.names import region
from cavae.errors import DataError
from cavae.tables import csv_bytes
from tests.cohort_tables import INDICES, Upload, csv, parquet, people


def same_people(check, table: pd.DataFrame) -> None:
    """Everybody of the clean table came out, with the same numbers."""
    cohort = check.cohort
    assert not check.problems
    assert cohort.kind == "muse"
    assert list(cohort.subjects) == list(COVARIATES)
    assert list(cohort.features) == list(INDICES)
    assert cohort.subjects["subject_id"].tolist() == table["ID"].tolist()
    assert cohort.subjects["sex"].tolist() == table["Sex"].tolist()
    assert cohort.subjects["diagnosis"].tolist() == table["DX"].tolist()
    assert cohort.subjects["site"].tolist() == table["SITE"].tolist()
    np.testing.assert_allclose(cohort.subjects["age"], table["Age"], rtol=1e-12)
    np.testing.assert_allclose(cohort.subjects["icv"], table["ICV"], rtol=1e-12)
    np.testing.assert_allclose(cohort.features, table[list(INDICES)], rtol=1e-12)


def renamed(table: pd.DataFrame, spell) -> pd.DataFrame:
    return table.rename(columns={one.index: spell(one) for one in rois()})


# Files

FILES = {
    "comma": lambda t: csv(t),
    "semicolon": lambda t: csv(t, sep=";"),
    "tab": lambda t: csv(t, "table.tsv", sep="\t"),
    "tab in a .csv": lambda t: csv(t, sep="\t"),
    "decimal comma, semicolon": lambda t: csv(t, sep=";", decimal=","),
    "decimal comma, tab": lambda t: csv(t, sep="\t", decimal=","),
    "decimal comma, quoted": lambda t: csv(t, decimal=",", quoting=1),
    "everything quoted": lambda t: csv(t, quoting=1),
    "Windows line ends": lambda t: csv(t, lineterminator="\r\n"),
    "old Mac line ends": lambda t: csv(t, lineterminator="\r"),
    "UTF-8 with mark": lambda t: csv(t, encoding="utf-8-sig"),
    "UTF-16": lambda t: csv(t, encoding="utf-16"),
    "UTF-16 without mark": lambda t: csv(t, encoding="utf-16-le"),
    "UTF-16 big end first": lambda t: csv(t, encoding="utf-16-be"),
    "blank lines": lambda t: Upload("\n" + t.to_csv(index=False) + "\n\n,,,\n  \n"),
    "spaces around everything": lambda t: Upload(t.to_csv(index=False).replace(",", " , ")),
    "trailing separators": lambda t: Upload(t.to_csv(index=False).replace("\n", ",\n")),
    "separator stated": lambda t: Upload("sep=;\n" + t.to_csv(index=False, sep=";")),
    "row names of pandas": lambda t: Upload(t.to_csv()),
    "row numbers of R": lambda t: Upload(t.set_axis(t.index + 1).to_csv().removeprefix(",")),
    "Parquet": parquet,
    "Parquet called .csv": lambda t: Upload(parquet(t).getvalue(), "table.csv"),
    "Parquet with categories": lambda t: parquet(t.astype({"Sex": "category", "DX": "category"})),
    "columns the other way round": lambda t: csv(t[t.columns[::-1]]),
}


@pytest.mark.parametrize("write", FILES.values(), ids=FILES)
def test_every_kind_of_file_gives_the_same_people(write):
    table = people(12)
    check = read_cohort(write(table))
    same_people(check, table)
    assert set(check.recognition.extra) <= {"unnamed column 1"}


def test_a_path_is_read_like_an_upload(tmp_path):
    table = people(6)
    table.to_csv(tmp_path / "study.csv", index=False)
    same_people(read_cohort(tmp_path / "study.csv"), table)
    same_people(read_cohort(str(tmp_path / "study.csv")), table)


def test_latin_1_letters_are_read_and_said():
    table = people(6).assign(SITE="Zürich")
    check = read_cohort(csv(table, encoding="latin-1"))
    same_people(check, table)
    assert any("Latin-1" in notice for notice in check.notices)


def test_thousands_may_be_grouped():
    table = people(6)
    grouped = table.assign(ICV=[f"{icv:,.1f}" for icv in table["ICV"]])
    same_people(read_cohort(csv(grouped)), table)


def test_thousands_and_decimals_of_europe():
    table = people(6)
    icv = [f"{v:,.1f}".replace(",", " ").replace(".", ",").replace(" ", ".") for v in table["ICV"]]
    same_people(read_cohort(csv(table.assign(ICV=icv), sep=";", decimal=",")), table)


# Names of regions

DIALECTS = {
    "47": "{}",
    "MUSE_47": "MUSE_{}",
    "MUSE_Volume_47": "MUSE_Volume_{}",
    "H_MUSE_Volume_47": "H_MUSE_Volume_{}",
    "DL_MUSE_Volume_47": "DL_MUSE_Volume_{}",
}
SPELLINGS = {
    "MUSE name": lambda r: r.name,
    "lower case": lambda r: r.name.lower(),
    "label": lambda r: r.label,
    "side first, dash": lambda r: {"L": "Left-", "R": "Right-"}.get(r.hemisphere, "") + stem(r),
    "side last, space": lambda r: stem(r) + {"L": " Left", "R": " Right"}.get(r.hemisphere, ""),
    "side first, snake": lambda r: {"L": "left_", "R": "right_"}.get(r.hemisphere, "") + stem(r),
    "hemisphere letters": lambda r: {"L": "lh.", "R": "rh."}.get(r.hemisphere, "") + stem(r),
    "unit in the name": lambda r: f"{r.name} (mm³)",
    "prefix": lambda r: f"MUSE_Volume_{r.name}",
    "spreadsheet index": lambda r: f"{r.index}.0",
    "upper case prefix": lambda r: f"MUSE_VOLUME_{r.index}",
}


def stem(one) -> str:
    return one.name.removesuffix("_L").removesuffix("_R")


@pytest.mark.parametrize(("dialect", "pattern"), DIALECTS.items(), ids=DIALECTS)
@pytest.mark.parametrize("change", [str, str.lower, str.upper])
def test_numbered_dialects(dialect, pattern, change):
    table = people(6)
    check = read_cohort(csv(renamed(table, lambda r: change(pattern.format(r.index)))))
    same_people(check, table)
    assert check.recognition.dialect == dialect


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_spellings_of_regions(spell):
    table = people(6)
    same_people(read_cohort(csv(renamed(table, spell))), table)


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_no_spelling_exchanges_sides(spell):
    for one in rois():
        assert region(spell(one))[0] == one.index


NO_REGIONS = """Left_Right_Hippocampus Hippocampus Hippocampus_X Hippocampus_R_thickness
Hippocampus_R_z R47 047 470 MUSE_702 MUSE_47_R Frontal_L Cerebellum_R Frontal_WM MUSE_1 4 11 49 50
51 52 3rdVentricle CorpusCallosum MUSE_Volume_501 TotalBrain"""


@pytest.mark.parametrize("name", NO_REGIONS.split())
def test_names_that_are_none_of_the_139(name):
    assert region(name) is None


def test_composites_of_the_dictionary_are_never_regions(shared_data):
    dictionary = pd.read_csv(shared_data / "muse_dictionary.csv", dtype=str)
    for _, row in dictionary.iterrows():
        expected = row["Index"] if row["Index"] in INDICES else None
        for name in (row["Index"], row["Code"], row["Name"], row["Name"].lower()):
            assert (region(name) or (None,))[0] == expected, name


def test_composites_and_unknown_columns_are_kept_aside():
    table = people(6).assign(**{"701": 1.2e6, "Frontal_L": 150_000, "MMSE": [30, 29, "", 28, 9, 1]})
    check = read_cohort(csv(table))
    same_people(check, table)
    assert set(check.recognition.extra) == {"701", "Frontal_L", "MMSE"}
    assert check.cohort.extra["MMSE"].isna().tolist() == [False, False, True, False, False, False]


# Names and codes of covariates

NAMES = {
    "id": "ID id MRID PTID participant_id SubjID subject_id Subject subject SubjectID sub_id RID",
    "age": "Age age AGE age_years AGE_at_scan Age(years) ageAtScan PTAGE scan_age Age_at_MRI",
    "sex": "Sex sex SEX Gender gender PTGENDER Sex_MF",
    "icv": "702 MUSE_702 H_MUSE_Volume_702 702.0 ICV DLICV DL_ICV TIV eTIV icv_mm3 "
    "EstimatedTotalIntraCranialVol Intracranial_volume",
    "diagnosis": "DX DX_AD dx Diagnosis diagnosis Group group label DX_bl clinical_diagnosis",
    "site": "SITE Site site scanner Scanner site_id Study study",
}
PLAIN = {"id": "ID", "age": "Age", "sex": "Sex", "icv": "ICV", "diagnosis": "DX", "site": "SITE"}


def few_regions(n: int) -> pd.DataFrame:
    """A table whose reading takes little time."""
    return people(n)[[*PLAIN.values(), *INDICES[:8]]]


def faulty_rows(check) -> list:
    return [problem for problem in check.problems if problem.row is not None]


@pytest.mark.parametrize(
    ("key", "name"), [(key, name) for key, names in NAMES.items() for name in names.split()]
)
def test_spellings_of_covariates(key, name):
    table = few_regions(6)
    check = read_cohort(csv(table.rename(columns={PLAIN[key]: name})))
    assert check.recognition.columns[key] == name
    assert check.usable == 6
    subjects = check.cohort.subjects.set_axis(["id", *COVARIATES[1:]], axis=1)
    assert subjects[key].tolist() == table[PLAIN[key]].tolist()


def test_site_comes_before_study():
    table = people(6)
    check = read_cohort(csv(table.assign(Study="A")))
    assert check.recognition.columns["site"] == "SITE"
    same_people(check, table)


SEXES = {
    "words": {"M": "Male", "F": "Female"},
    "small letters": {"M": "m", "F": "f"},
    "1/2": {"M": "1", "F": "2"},
    "1.0/2.0": {"M": "1.0", "F": "2.0"},
    "0/1, 1 is male": {"M": "1", "F": "0"},
    "0/1, 1 is female": {"M": "0", "F": "1"},
    "1/2, 2 is male": {"M": "2", "F": "1"},
}


@pytest.mark.parametrize("coding", SEXES.values(), ids=SEXES)
@pytest.mark.parametrize("icv", [True, False], ids=["by ICV", "by volumes"])
def test_codes_of_sex(coding, icv):
    table = few_regions(40)
    written = table.assign(Sex=table["Sex"].map(coding))
    check = read_cohort(csv(written if icv else written.drop(columns="ICV")))
    assert not faulty_rows(check)
    assert check.cohort.subjects["sex"].tolist() == table["Sex"].tolist()
    numbers = coding["M"][0] in "012"
    assert any("Sex" in notice for notice in check.notices) == numbers


def test_a_sex_coding_is_turned_round_only_where_heads_say_so():
    table = few_regions(40)
    coded = table["Sex"].map({"M": "1", "F": "0"})
    check = read_cohort(csv(table.assign(Sex=coded, ICV=table["ICV"].mean())))
    assert any("usual coding" in notice for notice in check.notices)
    assert check.cohort.subjects["sex"].tolist() == table["Sex"].tolist()


def test_a_sex_coding_is_not_turned_round_for_few_people():
    table = people(12)
    check = read_cohort(csv(table.assign(Sex=table["Sex"].map({"M": "0", "F": "1"}))))
    assert check.cohort.subjects["sex"].tolist() == table["Sex"].map({"M": "F", "F": "M"}).tolist()
    assert any("0 as F and 1 as M" in notice for notice in check.notices)


@pytest.mark.parametrize("coding", [{"M": "1", "F": "2"}, {"M": "1", "F": "0"}])
def test_few_people_are_read_by_the_usual_coding(coding):
    table = people(6)
    check = read_cohort(csv(table.assign(Sex=table["Sex"].map(coding))))
    assert check.cohort.subjects["sex"].tolist() == table["Sex"].tolist()
    assert any("the usual coding" in notice for notice in check.notices)


def test_zero_is_no_sex_where_one_and_two_are():
    table = people(12)
    coded = table["Sex"].map({"M": "1", "F": "2"})
    coded[3] = "0"
    check = read_cohort(csv(table.assign(Sex=coded)))
    assert [(p.row, p.rule) for p in check.problems] == [(5, "sex")]
    assert check.usable == 11


@pytest.mark.parametrize(
    ("column", "one"), [("female", "F"), ("is_male", "M"), ("Sex (1=F, 0=M)", "F")]
)
def test_a_column_that_names_its_sex_coding(column, one):
    table = people(6).rename(columns={"Sex": column})
    coded = [str(int(sex == one)) for sex in table[column]]
    check = read_cohort(csv(table.assign(**{column: coded})))
    assert check.cohort.subjects["sex"].tolist() == table[column].tolist()


DIAGNOSES = {
    "words": ("Diagnosis", "control,MCI,Alzheimer's disease", "CN,MCI,AD"),
    "more words": ("group", "Healthy Control,mild cognitive impairment,dementia", "CN,MCI,AD"),
    "ADNI": ("DX_bl", "CN,LMCI,AD", "CN,MCI,AD"),
    "0/1/2": ("DX", "0,1,2", "CN,MCI,AD"),
    "1/2/3": ("DIAGNOSIS", "1,2,3", "CN,MCI,AD"),
    "0/1, AD named": ("DX_AD", "0,1,1", "CN,AD,AD"),
    "0/1, just DX": ("DX", "0.0,1.0,1.0", "CN,AD,AD"),
    "0/1, a label of AD": ("AD_label", "0,1,1", "CN,AD,AD"),
    "0/1, MCI named": ("DX_MCI", "0,1,1", "CN,MCI,MCI"),
    "0/1, any patient": ("patient", "0,1,1", "CN,patient,patient"),
    "0/1, a group": ("group", "0,1,0", "CN,patient,CN"),
    "0/1, control": ("control", "1,0,0", "CN,patient,patient"),
    "other labels": ("DX", "CN,FTD, LBD ", "CN,FTD,LBD"),
    "0/1, a column called AD": ("AD", "0,1,0", "CN,AD,CN"),
    "case and control": ("patient", "case,control,case", "case,CN,case"),
    "yes and no": ("dementia", "no,yes,no", "CN,AD,CN"),
    "1/2 without 0 or 3": ("DX", "1,2,1", "1,2,1"),
    "a scale": ("DX", "0,0.5,1", "0,0.5,1"),
    "numbers below 0": ("DX", "-1,0,1", "-1,0,1"),
    "with and without": ("DX", "AD-,AD+,AD", "AD-,AD+,AD"),
    "missing": ("DX", "CN,,NA", "CN,,"),
}


@pytest.mark.parametrize(("column", "written", "meant"), DIAGNOSES.values(), ids=DIAGNOSES)
def test_codes_of_diagnosis(column, written, meant):
    table = few_regions(6).rename(columns={"DX": column})
    check = read_cohort(csv(table.assign(**{column: written.split(",") * 2})))
    assert not faulty_rows(check)
    assert check.cohort.subjects["diagnosis"].tolist() == meant.split(",") * 2
    labels = [label for label in meant.split(",") if label]
    assert check.diagnoses == {label: 2 * labels.count(label) for label in labels}
    if written[0] in "01n":
        assert any("Diagnosis" in notice for notice in check.notices)


def test_a_table_without_icv_diagnosis_and_site_is_fine():
    table = people(6).drop(columns=["ICV", "DX", "SITE"])
    check = read_cohort(csv(table))
    assert not check.problems
    assert check.usable == 6
    assert check.cohort.subjects["icv"].isna().all()
    assert set(check.cohort.subjects["diagnosis"]) == set(check.cohort.subjects["site"]) == {""}
    assert any("ICV" in notice and "estimates" in notice for notice in check.notices)


def test_a_table_without_ids_calls_people_by_row():
    check = read_cohort(csv(people(3).drop(columns="ID")))
    assert check.cohort.subjects["subject_id"].tolist() == ["row-2", "row-3", "row-4"]
    assert check.recognition.columns["id"] is None


def test_the_id_is_the_column_that_tells_people_apart():
    table = people(6).assign(PTID=["a", "a", "b", "b", "c", "c"])
    assert read_cohort(csv(table[table.columns[::-1]])).recognition.columns["id"] == "ID"
    assert read_cohort(csv(table.rename(columns={"ID": "MRID"}))).usable == 6


def test_a_column_of_patients_may_be_the_id():
    table = people(6).rename(columns={"ID": "Patient"})
    check = read_cohort(csv(table))
    assert check.recognition.columns["id"] == "Patient"
    assert check.recognition.columns["diagnosis"] == "DX"


def test_row_names_are_ids_only_where_there_are_no_others():
    table = people(6).set_index("ID")
    table.index.name = None
    same_people(read_cohort(Upload(table.to_csv())), people(6))
    buffer = io.BytesIO()
    table.to_parquet(buffer)
    same_people(read_cohort(Upload(buffer.getvalue())), people(6))


# Mapping by hand


def test_columns_can_be_listed_to_choose_from():
    assert read_columns(Upload(" a ;b;b\n1;2;3\n")) == ("a", "b", "b (column 3)")


def test_a_mapping_overrides_recognition():
    names = {"ID": "who", "Age": "alter", "Sex": "geschlecht", "47": "Hippo right"}
    table = people(6)
    mapping = {"id": "who", "age": "alter", "sex": "geschlecht", "47": "Hippo right"}
    same_people(read_cohort(csv(table.rename(columns=names)), mapping=mapping), table)


def test_a_region_may_be_mapped_in_either_file():
    table = people(6)
    volumes, participants = apart(table)
    moved = participants.assign(hippo=table["47"])
    check = read_cohort(csv(volumes.drop(columns="47")), csv(moved), {"47": "hippo"})
    same_people(check, table)
    assert check.recognition.features["47"] == "hippo"


def test_a_mapping_may_say_that_there_is_none():
    check = read_cohort(csv(people(6)), mapping={"icv": "", "diagnosis": ""})
    assert check.recognition.columns["icv"] is None
    assert check.diagnoses == {}


def test_a_mapping_to_an_absent_column_names_close_ones():
    with pytest.raises(DataError, match=r'"Agee".*close to it are "Age"'):
        read_cohort(csv(people(3)), mapping={"age": "Agee"})


def test_a_mapping_of_an_unknown_thing_says_what_is_accepted():
    with pytest.raises(DataError, match=r'"weight" cannot be mapped.*id, age, sex'):
        read_cohort(csv(people(3)), mapping={"weight": "Age"})


# Two files


def apart(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Volumes and participants of one table, the participants in another order."""
    return table[["ID", "ICV", *INDICES]], table[["ID", "Age", "Sex", "DX", "SITE"]][::-1]


@pytest.mark.parametrize("order", [1, -1], ids=["volumes first", "handed over the wrong way"])
def test_two_files_are_joined_by_id(order):
    table = people(6)
    volumes, participants = apart(table)
    files = [csv(volumes), csv(participants.rename(columns={"ID": "participant_id"}))][::order]
    same_people(read_cohort(*files), table)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("7.0", "7"), ("007", "7"), ("sub-A7", "a7"), (" A7 ", "A7"), ("e\u03017", "é7")],
)
def test_ids_are_matched_loosely_only_when_none_agrees(ours, theirs):
    volumes, participants = apart(people(2))
    volumes = volumes.assign(ID=[ours, ours.replace("7", "8")])
    participants = participants.assign(ID=[theirs.replace("7", "8"), theirs])
    check = read_cohort(csv(volumes), csv(participants))
    assert not check.problems
    assert check.usable == 2
    assert check.cohort.subjects["sex"].tolist() == ["M", "F"]


def test_exact_ids_come_before_loose_ones():
    volumes, participants = apart(people(2))
    check = read_cohort(
        csv(volumes.assign(ID=["7", "007"])), csv(participants.assign(ID=["007", "7"]))
    )
    assert check.cohort.subjects["sex"].tolist() == ["M", "F"]


def test_ids_are_not_loosened_where_two_people_would_become_one():
    volumes, participants = apart(people(2))
    with pytest.raises(DataError, match="No id of"):
        read_cohort(csv(volumes.assign(ID=["007", "7.0"])), csv(participants.assign(ID=["8", "7"])))


def test_files_are_not_joined_by_their_row_numbers():
    table = people(6)
    volumes, participants = apart(table)
    check = read_cohort(Upload(volumes.to_csv()), Upload(participants[1:].reset_index().to_csv()))
    assert check.recognition.columns["id"] == "ID"
    assert check.cohort.subjects["age"].tolist() == table["Age"][:5].tolist()


def test_people_of_one_file_only_are_problems():
    volumes, participants = apart(people(6))
    check = read_cohort(csv(volumes.drop(index=0)), csv(participants.drop(index=5)))
    assert [(p.row, p.rule, p.value) for p in check.problems] == [
        (6, "unmatched", "S000"),
        (6, "unmatched", "S005"),
    ]
    assert check.cohort.subjects["subject_id"].tolist() == ["S001", "S002", "S003", "S004"]


def test_files_of_different_people_are_refused():
    volumes, participants = apart(people(3))
    with pytest.raises(DataError, match=r'No id of "table.csv".*"S000"'):
        read_cohort(csv(volumes), csv(participants.assign(ID=["x", "y", "z"])))


def test_covariates_may_sit_in_either_file_and_fill_each_other():
    table = people(6)
    volumes, participants = apart(table)
    volumes = volumes.assign(Age=table["Age"])
    participants = participants.assign(Age=["", *participants["Age"][1:]])
    same_people(read_cohort(csv(volumes), csv(participants)), table)


def test_files_that_disagree_are_problems():
    table = people(6)
    volumes, participants = apart(table)
    volumes = volumes.assign(Age=table["Age"].round(), Sex=["F", *table["Sex"][1:]])
    volumes.loc[1, "Age"] += 20
    check = read_cohort(csv(volumes), csv(participants))
    assert [(p.row, p.rule) for p in check.problems] == [(2, "sex"), (3, "age")]
    assert check.usable == 4


def test_ages_of_two_files_may_differ_by_less_than_a_year_and_the_participants_count():
    table = people(6)
    volumes, participants = apart(table)
    later = table["Age"] + [0.9, 0.9, 0.9, 0.9, 0.9, 1.1]
    check = read_cohort(csv(volumes.assign(Age=later)), csv(participants))
    assert [(p.row, p.rule) for p in check.problems] == [(7, "age")]
    np.testing.assert_allclose(check.cohort.subjects["age"], table["Age"][:5])


def test_where_two_files_disagree_throughout_the_participants_count_and_that_is_said():
    table = people(6)
    volumes, participants = apart(table)
    check = read_cohort(csv(volumes.assign(DX="MCI")), csv(participants.assign(DX="AD")))
    assert check.diagnoses == {"AD": 6}
    assert [p.rule for p in check.problems] == ["diagnosis"]
    assert 'disagree in 6 rows; "DX" is used' in check.problems[0].message


@pytest.mark.parametrize(
    ("factor", "problems", "notices"), [(1.0, 0, 0), (1.005, 0, 1), (1.03, 1, 0)]
)
def test_two_icv_columns(factor, problems, notices):
    table = people(6)
    check = read_cohort(csv(table.assign(DLICV=table["ICV"] * factor)))
    assert len(check.problems) == problems
    assert len(check.notices) == notices
    assert check.usable == 6
    np.testing.assert_allclose(check.cohort.subjects["icv"], table["ICV"])


def test_icv_columns_that_differ_a_little_say_by_how_much():
    table = people(6)
    other = table["ICV"] * np.array([1.0, 1.002, 0.996, 1.0, 1.0, 1.0])
    (told,) = read_cohort(csv(table.assign(DLICV=other))).notices
    assert told == 'ICV in "ICV" and "DLICV" differs by up to 0.4 %; "ICV" is used.'


def test_extra_columns_of_both_files_are_kept():
    volumes, participants = apart(people(6))
    check = read_cohort(csv(volumes.assign(QC="ok")), csv(participants.assign(QC=1, MMSE=30)))
    assert list(check.cohort.extra) == ["QC (participants)", "MMSE", "QC"]
    assert check.cohort.extra["QC"].tolist() == ["ok"] * 6


# Other features


def thickness(n: int = 8) -> pd.DataFrame:
    generator = np.random.default_rng(1)
    names = [f"{side}_{name}_thickness" for side in ("lh", "rh") for name in "abcdefgh"]
    values = pd.DataFrame(generator.normal(2.5, 0.2, (n, len(names))), columns=names)
    return pd.concat([people(n)[["ID", "Age", "Sex", "DX"]], values], axis=1)


def test_other_numeric_features_are_accepted():
    check = read_cohort(csv(thickness().assign(note="fine")))
    assert (check.cohort.kind, check.recognition.dialect) == ("other", "other features")
    assert check.cohort.features.shape == (8, 16)
    assert check.rois == 0
    assert not check.problems
    assert not check.notices
    assert list(check.cohort.extra) == ["note"]


def test_columns_of_other_numbers_are_filled_by_half_and_hold_little_else():
    half, less = [1.5, 2.5, 3.5, 4.5, "", "", "", ""], [1.5, 2.5, 3.5, "", "", "", "", ""]
    codes = [1, 2, 3, 4, 5, 6, "a", "b"]
    check = read_cohort(csv(thickness().assign(half=half, less=less, codes=codes)))
    assert "half" in check.recognition.features
    assert list(check.cohort.extra) == ["less", "codes"]


def test_the_numbered_columns_of_a_connectome_are_no_regions():
    generator = np.random.default_rng(1)
    edges = pd.DataFrame(generator.normal(size=(8, 250)), columns=[str(i) for i in range(1, 251)])
    check = read_cohort(csv(pd.concat([people(8)[["ID", "Age", "Sex"]], edges], axis=1)))
    assert check.cohort.kind == "other"
    assert check.cohort.features.shape == (8, 250)
    assert check.usable == 8


# What comes out


def test_the_template_reads_without_a_problem():
    check = read_cohort(Upload(template_csv(), "template.csv"))
    assert check.problems == ()
    assert check.notices == ()
    assert check.cohort.subjects["subject_id"].tolist() == ["example-1"]
    assert check.rois == 139


def test_the_answer_of_the_command_check():
    table = people(6)
    table.loc[2, "Age"] = 400
    answer = json.loads(read_cohort(csv(table)).to_json())
    assert answer["subjects"] == 6
    assert answer["usable"] == 5
    assert answer["rois"] == 139
    assert answer["columns"] == PLAIN
    assert answer["diagnoses"] == {"CN": 2, "MCI": 2, "AD": 2}
    assert answer["dialect"] == "47"
    assert answer["features"]["47"] == "47"
    assert answer["extra"] == answer["notices"] == []
    (problem,) = answer["problems"]
    assert problem.pop("message")
    assert problem == {"row": 4, "column": "Age", "value": "400.0", "rule": "age"}


def test_problems_come_as_a_table():
    table = people(6)
    table.loc[2, "Age"] = 400
    problems = read_cohort(csv(table.drop(columns="47"))).problems_table()
    assert list(problems) == ["row", "column", "value", "rule", "message"]
    assert problems["rule"].tolist() == ["missing-rois", "age"]
    assert problems["row"].isna().tolist() == [True, False]
    assert read_cohort(csv(people(3))).problems_table().empty


def test_studies_are_stacked_with_what_they_share():
    first = read_cohort(csv(people(4).assign(MMSE=30, QC="ok"))).cohort
    other = people(3).assign(ID=["a", "b", "c"], MMSE=29).drop(columns="47")
    both = join_cohorts([first, read_cohort(csv(other)).cohort])
    assert both.subjects["subject_id"].tolist() == ["S000", "S001", "S002", "S003", "a", "b", "c"]
    assert list(both.features) == [index for index in INDICES if index != "47"]
    assert list(both.extra) == ["MMSE"]
    assert both.subjects.index.equals(pd.RangeIndex(7))


def test_studies_that_cannot_be_stacked():
    cohort = read_cohort(csv(people(4))).cohort
    with pytest.raises(DataError, match='"S000"'):
        join_cohorts([cohort, cohort])
    with pytest.raises(DataError, match="cannot be joined"):
        join_cohorts([cohort, read_cohort(csv(thickness())).cohort])
    with pytest.raises(DataError, match="no table"):
        join_cohorts([])


def test_what_was_kept_from_a_spreadsheets_formulas_is_read_as_it_was():
    ids = ["=1+1", "@home", "-7", "plain"]
    table = people(4).assign(ID=ids, **{"-note": ["+a", "b", "c", "d"]})
    cohort = read_cohort(Upload(csv_bytes(table))).cohort
    assert cohort.subjects["subject_id"].tolist() == ids
    assert cohort.extra["-note"].tolist() == ["+a", "b", "c", "d"]
