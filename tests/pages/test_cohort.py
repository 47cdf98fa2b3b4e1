import json
import shlex
import subprocess
import sys

import pytest
from streamlit.testing.v1 import AppTest

from cavae.checkpoint import DEFAULT_MODEL
from cavae.cohort import read_cohort
from cavae.synthesis import SampleRequest
from cavae.ui import pairs
from cavae.ui.state import Key, Loaded
from tests.cohort_tables import csv, people
from tests.conftest import ROOT
from tests.pages.session import open_page


def cohort(*, demo: bool = False) -> AppTest:
    app = AppTest.from_file(ROOT / "app.py", default_timeout=60).run()
    if demo:
        app.button(key="start_demo").click().run()
    app.switch_page("pages/cohort.py").run()
    assert not app.exception
    return app


def command(app: AppTest) -> list[str]:
    return shlex.split(app.main.code[0].value)


def axis_titles(app: AppTest) -> list[str]:
    layout = json.loads(app.main.get("plotly_chart")[0].proto.spec)["layout"]
    axes = [axis for name, axis in layout.items() if name.startswith(("xaxis", "yaxis"))]
    return [axis["title"]["text"] for axis in axes if "title" in axis]


def download(app: AppTest) -> str:
    return app.main.download_button(key="pairs_file").label


def test_a_cohort_can_be_made_before_anyone_is_loaded():
    app = cohort()
    assert download(app) == "Download 1,000 pairs (about 2 MB)"
    assert "Synthetic<br>density (1/mm³)" in axis_titles(app)
    assert not any(title.startswith("Loaded") for title in axis_titles(app))
    assert "nobody" in " ".join(caption.value for caption in app.main.caption)


def test_loaded_people_are_shown_above_the_synthetic_ones_in_either_unit():
    app = cohort(demo=True)
    assert "Loaded<br>density (1/mm³)" in axis_titles(app)
    assert "Left hippocampus (mm³)" in axis_titles(app)
    app.radio(key="pairs_unit").set_value("SD").run()
    assert not app.exception
    assert "Loaded<br>density (1/SD)" in axis_titles(app)
    assert "--standardized" in command(app)


def test_a_loaded_table_of_other_features_does_not_stand_in_the_way():
    table = people(20)[["ID", "Age", "Sex", "DX"]]
    for k in range(12):
        table[f"thickness_{k}"] = 2.0 + 0.01 * k + 0.001 * table.index
    app = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    app.session_state[Key.LOADED] = Loaded(read_cohort(csv(table)), "thickness.csv")
    app.run().switch_page("pages/cohort.py").run()
    assert not app.exception
    assert not app.error
    assert not any(title.startswith("Loaded") for title in axis_titles(app))


def test_the_command_follows_the_controls():
    app = cohort()
    app.number_input(key="pairs").set_value(50)
    app.number_input(key="pairs_age").set_value(75.0)
    app.radio(key="pairs_sex").set_value("F")
    app.number_input(key="pairs_icv").set_value(1_400_000.0)
    app.number_input(key="pairs_seed").set_value(9)
    app.radio(key="pairs_format").set_value("Parquet").run()
    words = " ".join(command(app))
    assert words.startswith("python -m cavae sample --model ad-mci --pairs 50 --seed 9 --age 75")
    assert "--sex F --icv 1400000" in words
    assert words.endswith("--output ad-mci_50-pairs_seed-9_age-75_sex-F_icv-1400000.parquet")
    table = app.main.dataframe[0].value
    assert set(table["sex"]) == {"F"}
    assert set(table["age"]) == {75.0}


def test_the_age_that_is_typed_is_the_age_that_is_shown_and_used():
    app = cohort()
    field = app.number_input(key="pairs_age")
    field.set_value(72.5).run()
    assert field.proto.format == "%g"  # Every digit that was typed, no rounding.
    assert "--age 72.5" in " ".join(command(app))


def test_what_the_fields_accept_is_said_beside_them():
    app = cohort()
    told = " ".join(caption.value for caption in app.main.caption)
    for key in ("pairs", "pairs_age", "pairs_icv"):
        field = app.number_input(key=key)
        assert f"{field.min:,.0f} to {field.max:,.0f}" in told


def test_the_first_pairs_are_shown_two_rows_each():
    table = cohort().main.dataframe[0].value
    assert list(table["pair_id"][:4]) == [1, 1, 2, 2]
    assert list(table["group"][:2]) == ["background", "target"]


def test_a_large_download_says_its_size_and_the_picture_takes_a_part():
    app = cohort()
    app.number_input(key="pairs").set_value(pairs.MOST).run()
    assert not app.exception
    assert app.button(key="make_file").label == "Make 1,000,000 pairs (about 2.3 GB)"
    assert "first 2,000 pairs" in " ".join(caption.value for caption in app.main.caption)


def test_the_size_said_is_the_size_of_the_file():
    for suffix in (".csv", ".parquet"):
        request = SampleRequest(2_000)
        size = len(pairs.file_bytes(DEFAULT_MODEL, request, suffix))
        assert pairs.file_size(DEFAULT_MODEL, request, suffix) == pytest.approx(size, rel=0.15)


def test_the_settings_survive_a_change_of_pages():
    app = cohort()
    app.number_input(key="pairs").set_value(77).run()
    app.switch_page("pages/about.py").run()
    app.switch_page("pages/cohort.py").run()
    assert "--pairs 77" in " ".join(command(app))


@pytest.mark.parametrize("kind", ["CSV", "Parquet"])
def test_the_file_is_what_the_shown_command_writes_byte_for_byte(kind: str, tmp_path):
    app = cohort()
    app.number_input(key="pairs").set_value(300)
    app.number_input(key="pairs_age").set_value(71.0)
    app.radio(key="pairs_format").set_value(kind).run()
    words = command(app)
    words[0], words[-1] = sys.executable, str(tmp_path / words[-1])
    subprocess.run(words, cwd=ROOT, check=True)
    file = pairs.file_bytes(DEFAULT_MODEL, SampleRequest(300, age=71.0), pairs.FORMATS[kind][0])
    assert (tmp_path / words[-1]).read_bytes() == file


def test_subtypes_are_chosen_by_what_they_change(three_subtypes_folder):
    page = open_page("cohort", model=three_subtypes_folder)
    assert not page.exception
    assert page.selectbox(key="pairs_subtype").options == [
        "All",
        "1: Amygdala and hippocampus",
        "2: Entorhinal area and hippocampus",
        "3: Hippocampus",
    ]
