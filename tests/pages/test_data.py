import re

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cavae.atlas import roi, rois
from cavae.ui.state import DEMO
from cavae.ui.uploads import PARTICIPANTS, VOLUMES
from tests.cohort_tables import people
from tests.conftest import ROOT
from tests.pages.session import button

COVARIATES = ["Age", "Sex", "DX"]


def data() -> AppTest:
    app = AppTest.from_file(ROOT / "app.py", default_timeout=60).run()
    return app.switch_page("pages/data.py").run()


def drop(app: AppTest, table: pd.DataFrame | bytes, name: str = "mine.csv", where=VOLUMES):
    content = table if isinstance(table, bytes) else table.to_csv(index=False).encode()
    app.file_uploader(key=where).set_value((name, content, "text/csv")).run()
    assert not app.exception
    return app


def sidebar(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.sidebar.caption).replace("\\", "")


def said(app: AppTest) -> str:
    """All that the page says outside its tables."""
    elements = (*app.main.markdown, *app.main.caption, *app.main.warning, *app.main.info)
    return " ".join(element.value for element in (*elements, *app.main.error)).replace("\\", "")


def counts(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value.replace("\\", "") for metric in app.main.metric}


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.main.button]


def recognized(app: AppTest) -> dict[str, tuple[str, str]]:
    table = app.main.table[0].value
    return {row[0]: (row[1], row[2]) for row in table.itertuples(index=False)}


# A table comes in


def test_an_empty_page_says_what_to_drop_where_it_stays_and_offers_the_demo():
    app = data()
    assert len(app.file_uploader) == 2
    assert "memory of this session" in said(app)
    assert labels(app) == ["Start with the demo cohort"]
    button(app, "Start with the demo cohort").click().run()
    assert counts(app)["People"] == "300"
    assert labels(app) == ["Open Latent space"]


def test_a_clean_table_is_in_use_without_a_click():
    app = drop(data(), people(30))
    assert counts(app) == {
        "People": "30",
        "Usable": "30",
        "Regions found": "139 of 139",
        "Columns named like": "47",
    }
    assert "mine.csv" in sidebar(app)
    assert "30 people" in sidebar(app)
    button(app, "Open Latent space").click().run()
    assert app.title[0].value == "Latent space"


def test_what_was_recognized_is_said_by_column_and_meaning():
    table = people(30).drop(columns="SITE")
    found = recognized(drop(data(), table))
    assert found["Person"] == ("ID", "S000, …")
    assert found["Age"][0] == "Age"
    ages = table["Age"]
    assert found["Age"][1] == (
        f"{ages.min():.0f} to {ages.max():.0f} years, median {ages.median():.0f}"
    )
    assert found["Sex"] == ("Sex", "F 15, M 15")
    assert re.fullmatch(r"1,4\d\d,000 mm³ on average", found["ICV"][1])
    assert found["Diagnosis"] == ("DX", "CN 10, MCI 10, AD 10")
    assert found["Site"] == ("not found", "–")


def test_the_picture_shows_ages_hippocampus_and_regions_with_their_units():
    app = drop(data(), people(30))
    spec = app.main.get("plotly_chart")[0].proto.spec
    for words in ("Age (years)", "People", "Volume (mm³)", "Typical (mm³)"):
        assert words in spec or words.replace("³", "\\u00b3") in spec


def test_participants_are_joined_in_whatever_order_the_files_come():
    table = people(30)
    volumes, persons = table.drop(columns=COVARIATES), table[["ID", *COVARIATES]]
    app = drop(data(), volumes, "volumes.csv")
    assert counts(app)["Usable"] == "0"
    assert "add the participants file" in said(app)
    assert "No people loaded" in sidebar(app)
    drop(app, persons, "persons.csv", PARTICIPANTS)
    assert "30 people" in sidebar(app)

    app = drop(data(), persons, "persons.csv", PARTICIPANTS)
    assert "has no brain volumes" in said(app)
    drop(app, volumes, "volumes.csv")
    assert "30 people" in sidebar(app)


def test_a_table_and_what_was_understood_survive_a_change_of_pages():
    app = drop(data(), people(30))
    app.switch_page("pages/about.py").run()
    app.switch_page("pages/data.py").run()
    assert counts(app)["People"] == "30"
    assert "mine.csv" in sidebar(app)


def test_volumes_wait_for_their_participants_while_another_page_is_read():
    table = people(30)
    app = drop(data(), table.drop(columns=COVARIATES))
    app.switch_page("pages/about.py").run()
    app.switch_page("pages/data.py").run()
    drop(app, table[["ID", *COVARIATES]], "persons.csv", PARTICIPANTS)
    assert "30 people" in sidebar(app)


def test_the_demo_takes_the_place_of_an_uploaded_table():
    app = drop(data(), people(30))
    app.switch_page("pages/home.py").run()
    app.button(key="start_demo").click().run()
    app.switch_page("pages/data.py").run()
    assert counts(app)["People"] == "300"
    assert app.main.header[0].value == "Demo cohort"


def links(app):
    """Where the links of the page lead."""
    return [one.proto.page for one in app.main.get("page_link")]


# A table with faults


def test_faulty_rows_are_listed_and_the_good_ones_are_used_by_one_click():
    table = people(30).astype({"47": object})
    table.loc[3, "47"] = "n.d."
    table.loc[5, "ID"] = table.loc[4, "ID"]
    app = drop(data(), table)
    assert "No people loaded" in sidebar(app)
    assert "2 rows left out" in said(app)
    assert "2 rows of 30 left out." in said(app)
    listed = app.main.table[1].value
    assert list(listed.columns) == ["Row", "Column", "Value", "Rule", "What is wrong"]
    first, second = (list(listed.iloc[k].str.replace("\\", "")) for k in (0, 1))
    assert first[:4] == ["5", "47", "n.d.", "not-a-number"]
    assert second[:4] == ["7", "ID", "S004", "duplicate-id"]
    assert "Download the problems" in [one.label for one in app.main.download_button]

    button(app, "Use these 28 people").click().run()
    assert "28 people" in sidebar(app)
    assert "Open Latent space" in labels(app)


def test_a_guess_is_said_and_waits_to_be_confirmed():
    table = people(30)
    table["Sex"] = table["Sex"].map({"M": 1, "F": 2})
    app = drop(data(), table)
    assert "1 as M and 2 as F" in said(app)
    assert "No people loaded" in sidebar(app)
    button(app, "Use these 30 people").click().run()
    assert "30 people" in sidebar(app)


def test_missing_icv_is_said_to_be_estimated():
    app = drop(data(), people(30).drop(columns="ICV"))
    assert recognized(app)["ICV"] == ("not found", "estimated by the model")


def test_a_table_nobody_can_be_used_of_says_why_at_once():
    table = people(30)
    table.iloc[:, 6:] /= 1000
    app = drop(data(), table)
    assert "look like mL" in app.main.warning[0].value
    assert not [label for label in labels(app) if label.startswith("Use")]


MALFORMED = {
    "empty.csv": b"",
    "blank.csv": b"\n\n \n",
    "header.csv": b"ID,Age,Sex,47\n",
    "one_column.csv": b"ID\n1\n2\n",
    "words.csv": b"ID,Name\nA,one\nB,two\n",
    "workbook.xlsx": b"PK\x03\x04 and the rest",
    "picture.csv": b"\x89PNG\r\n\x1a\n",
    "binary.csv": bytes(range(256)) * 8,
    "broken.parquet": b"PAR1 but nothing else PAR1",
    "named.parquet": b"ID,Age\n1,2\n",
    "page.csv": b"<!DOCTYPE html><html></html>",
    "json.csv": b'{"ID": 1}',
    "quote.csv": b'ID,47\n"A,1\nB,2\n',
    "utf16.csv": b"\xff\xfeI",
    "numbers.csv": b"1.5,2.5,3.5\n1.5,2.5,3.5\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_gets_a_sentence_and_changes_nothing(name: str):
    app = data()
    button(app, "Start with the demo cohort").click().run()
    loaded = sidebar(app)
    drop(app, MALFORMED[name], name)
    [error] = app.main.error
    assert error.value.rstrip().endswith((".", ")", '"'))
    assert "Traceback" not in error.value
    assert "Demo cohort" in loaded
    assert sidebar(app) == loaded
    button(app, "Back to it").click().run()
    assert not app.main.error
    assert app.main.header[0].value == "Demo cohort"


def test_a_file_that_breaks_the_reader_gets_a_sentence_too(monkeypatch):
    def break_down(*_, **__):
        raise ZeroDivisionError("secret")

    app = drop(data(), people(30))
    monkeypatch.setattr("cavae.cohort.read_cohort", break_down)
    drop(app, people(20), "strange.csv")
    assert app.main.error[0].value.replace("\\", "") == (
        "strange.csv cannot be read: something in it was not foreseen."
    )
    assert "30 people" in sidebar(app)


def test_a_file_taken_back_leaves_what_was_loaded():
    app = drop(data(), people(30))
    app.file_uploader(key=VOLUMES).set_value(None).run()
    assert "30 people" in sidebar(app)
    assert counts(app)["People"] == "30"


def test_names_from_a_file_are_shown_as_they_are_written():
    table = people(30).rename(columns={"Age": "Age *in* [years](http://x)"})
    app = drop(data(), table, "my_*bold*_table.csv")
    assert app.main.header[0].value == r"my\_\*bold\*\_table.csv"
    assert "](" not in recognized(app)["Age"][0].replace("\\]\\(", "")


# Columns named by hand


def test_columns_that_were_not_recognized_are_named_by_hand():
    table = people(30).rename(columns={"Age": "Alter", "Sex": "Geschlecht"})
    app = drop(data(), table)
    assert "No column was recognized as age and sex" in app.main.warning[0].value
    assert app.main.expander[-1].proto.expanded
    chosen = {box.label: box for box in app.main.selectbox}
    chosen["Age"].select("Alter")
    chosen["Sex"].select("Geschlecht")
    button(app, "Read with these columns").click().run()
    assert "30 people" in sidebar(app)
    assert recognized(app)["Age"][0] == "Alter"
    assert "30 of 30 rows without a fault" in app.main.success[0].value

    button(app, "Undo all choices").click().run()
    assert recognized(app)["Age"][0] == "not found"
    assert "30 people" in sidebar(app)


def test_a_recognized_column_can_be_taken_back():
    app = drop(data(), people(30))
    assert not app.main.expander[-1].proto.expanded
    next(box for box in app.main.selectbox if box.label == "Diagnosis").select("(none)")
    button(app, "Read with these columns").click().run()
    assert recognized(app)["Diagnosis"] == ("not found", "–")


def test_a_region_that_was_not_found_is_named_with_the_columns_left():
    table = people(30).rename(columns={"47": "hippo rechts"})
    app = drop(data(), table)
    assert counts(app)["Regions found"] == "138 of 139"
    assert counts(app)[r"For model ad\-mci"] == "0"  # No button to use them, so no word of use.
    assert "Usable" not in counts(app)
    assert "one region is missing" in app.main.warning[0].value
    assert "train a model of your own on these 30 people" in app.main.warning[0].value
    assert roi("47").label in app.main.warning[0].value
    assert app.main.expander[-1].proto.expanded

    button(app, "Use them with another model").click().run()
    assert "30 people" in sidebar(app)
    assert "one region is missing" in app.main.warning[0].value
    assert links(app) == ["models", "train"]


# Numbers of another kind


def test_other_features_can_train_a_model_of_their_own():
    table = people(30)[["ID", "Age", "Sex", "DX"]]
    for k in range(12):
        table[f"thickness_{k}"] = 2.0 + 0.01 * k + 0.001 * table.index
    app = drop(data(), table, "my thickness.csv")
    assert counts(app)["Other features"] == "12"
    assert app.main.code[0].value == (
        "python -m cavae train --volumes 'my thickness.csv' --background CN --target MCI,AD "
        "--output pretrained/my-model"
    )
    assert "No people loaded" in sidebar(app)


# Real tables


@pytest.mark.parametrize(("study", "number"), [("ixi", 291), ("study1_train", 144)])
def test_real_tables_are_understood_without_a_hand(shared_data, study: str, number: int):
    app = drop(data(), (shared_data / f"{study}_volumes.csv").read_bytes(), "volumes.csv")
    drop(app, (shared_data / f"{study}_participants.csv").read_bytes(), "p.csv", PARTICIPANTS)
    assert counts(app)["Usable"] == str(number)
    assert counts(app)["Regions found"] == "139 of 139"
    assert f"{number} people" in sidebar(app)


def test_what_is_wrong_with_the_table_as_a_whole_stands_above_what_was_assumed():
    cohort = pd.read_csv(DEMO)
    names = {one.name: f"MUSE_Volume_{one.index}" for one in rois()}
    turned = {
        column: names[name[:-2] + {"_R": "_L", "_L": "_R"}[name[-2:]]]
        for name, column in names.items()
        if name[-2:] in ("_R", "_L")
    }
    app = drop(data(), cohort.rename(columns=turned))
    assert "Left and right seem to be exchanged throughout" in app.main.warning[0].value
    button(app, "Use these 300 people").click().run()
    assert "Left and right seem to be exchanged throughout" in app.main.warning[0].value
