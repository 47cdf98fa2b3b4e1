"""What pages share, in a Streamlit session without a browser."""

import io
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cavae import numbers
from cavae.checkpoint import DEFAULT_MODEL, PRETRAINED
from cavae.config import train_config
from cavae.errors import ConfigError
from cavae.jobs import Job
from cavae.person import draw_person, step_effects
from cavae.plots.layout import feature_label
from cavae.registry import Registry
from cavae.sweep import Cohorts, Grid
from cavae.synthesis import SampleRequest, sample_pairs
from cavae.ui import (
    comparison,
    downloads,
    keeping,
    latents,
    making,
    pairs,
    people,
    protection,
    queue,
    registry,
    selection,
    sliders,
    state,
    subtypes,
    sweep,
    training,
    watching,
    widgets,
)
from cavae.ui.glossary import explain
from tests.conftest import ROOT
from tests.people import make_cohort


def run(script, **session) -> AppTest:
    app = AppTest.from_function(script, default_timeout=60)
    for key, value in session.items():
        app.session_state[key] = value
    return app.run()


def test_a_new_table_forgets_what_was_selected_in_and_computed_from_the_last():
    def script():
        import streamlit as st

        from cavae.ui import state

        state.load_demo()
        state.select_subjects(["a", "b"])
        st.text(state.once("answer", lambda: "first"))
        st.text(state.once("answer", lambda: "never computed"))
        st.text(state.selected_subjects())
        state.load(state.loaded().check, "mine.csv")
        st.text(state.once("answer", lambda: "second"))
        st.text(state.selected_subjects())

    shown = [text.value for text in run(script).text]
    assert shown == ["first", "first", "('a', 'b')", "second", "()"]


def test_another_model_has_its_own_results():
    def script():
        import streamlit as st

        from cavae.ui import state

        st.text(state.once("name", state.model_name))

    app = run(script, model="one")
    app.session_state["model"] = "two"
    assert app.run().text[0].value == "two"


def test_a_page_without_people_offers_both_ways_to_begin_and_stops():
    def script():
        import streamlit as st

        from cavae.ui import widgets

        widgets.require_cohort()
        st.text("people are here")

    app = run(script)
    assert [button.key for button in app.button] == ["start_demo", "start_own"]
    assert not app.text
    app.button(key="start_demo").click().run()
    assert app.text[0].value == "people are here"


def test_an_error_is_shown_as_its_sentence_and_ends_the_page():
    def script():
        import streamlit as st

        from cavae.errors import DataError
        from cavae.ui import widgets

        with widgets.errors_as_sentences():
            raise DataError("Row 3, column AGE: 'forty' is not a number of years.")
        st.text("not reached")

    app = run(script)
    assert [error.value for error in app.error] == [
        widgets.plain("Row 3, column AGE: 'forty' is not a number of years.")
    ]
    assert not app.text
    assert not app.exception


@pytest.mark.parametrize("text", ["a_b*c*.csv", "$x$", ":red[x]", "<b>", "[a](b)", "`x`", "# x"])
def test_text_from_a_file_is_not_markdown(text):
    escaped = widgets.plain(text)
    assert escaped.replace("\\", "") == text
    assert all(escaped[at - 1] == "\\" for at, char in enumerate(escaped) if char in "*_$[<`#")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("demo-001_healthy_twin.csv", "demo-001_healthy_twin.csv"),
        ("Zoë (2).1_problems.csv", "Zoë (2).1_problems.csv"),
        ("../../etc/passwd_healthy_twin.csv", "_.._etc_passwd_healthy_twin.csv"),
        ("C:\\x\r\nSet-Cookie: a=b\0.csv", "C__x__Set-Cookie_ a_b_.csv"),
        ("-rf $HOME`id`;\u202e.csv", "rf _HOME_id___.csv"),
        ("...csv", "table.csv"),
        ("x" * 200_000 + "_healthy_twin.csv", "x" * 100 + ".csv"),
    ],
)
def test_a_download_has_a_name_that_any_computer_takes(written, name):
    assert downloads.plain_name(written) == name


def test_several_models_can_be_chosen_from(tmp_path, monkeypatch):
    for name in ("another", DEFAULT_MODEL):
        shutil.copytree(PRETRAINED / DEFAULT_MODEL, tmp_path / name)
    monkeypatch.setattr(registry, "registry", lambda: Registry(tmp_path / "none", box=tmp_path))

    app = AppTest.from_file(ROOT / "app.py", default_timeout=60).run()
    choice = app.sidebar.selectbox[0]
    assert choice.options == ["ad-mci", "another"]
    assert choice.value == DEFAULT_MODEL
    choice.select("another").run()
    assert app.session_state["model"] == "another"


def test_a_browser_cannot_name_a_model_that_is_not_on_offer(tmp_path, monkeypatch):
    """What a page offers is a matter of the page; its protocol takes any text for the answer."""
    for name in ("another", DEFAULT_MODEL):
        shutil.copytree(PRETRAINED / DEFAULT_MODEL, tmp_path / "box" / name)
    elsewhere = shutil.copytree(PRETRAINED / DEFAULT_MODEL, tmp_path / "elsewhere" / "theirs")
    monkeypatch.setattr(
        registry, "registry", lambda: Registry(tmp_path / "none", box=tmp_path / "box")
    )
    app = AppTest.from_file(ROOT / "app.py", default_timeout=60).run()
    choice = app.sidebar.selectbox[0]
    choice.options = [str(elsewhere)]
    choice.select_index(0)
    monkeypatch.setattr(type(choice), "index", 0)
    app.run()
    assert not app.exception
    assert "model" not in app.session_state
    assert app.sidebar.selectbox[0].proto.options == [DEFAULT_MODEL, "another"]


def test_every_word_is_explained_or_said_to_be_unknown():
    assert "severity" in explain("MAD")
    with pytest.raises(ConfigError, match="'phlogiston'; explained are: background"):
        explain("phlogiston")


def test_the_demo_is_where_the_app_looks_for_it():
    assert state.DEMO.is_file()


def test_a_person_is_introduced_with_sex_age_diagnosis_and_head_size():
    known = {"sex": "F", "age": 82.0, "diagnosis": "AD", "icv": 1_468_000.0}
    shown = SimpleNamespace(subject_id="demo-012", facts=pd.Series(known))
    assert people.facts(shown) == "**demo\\-012** · woman, 82 years · AD · head size 1,468 mL"
    man = SimpleNamespace(subject_id="p", facts=pd.Series({"sex": "M", "icv": float("nan")}))
    assert people.facts(man) == "**p** · man"


def test_people_are_chosen_by_id_diagnosis_and_age():
    subjects = make_cohort().subjects.head(2).assign(age=[74.5, float("nan")])
    assert people._described(subjects) == ["p000 · CN · 75 years", "p001 · CN"]


def test_columns_of_numbers_are_named_for_what_they_hold_with_its_unit():
    named = {name: one["label"] for name, one in comparison.COLUMNS.items()}
    assert named == {
        "label": "Region",
        "healthy": "Twin (mm³)",
        "observed": "Now (mm³)",
        "effect": "Effect (SD)",
        "interval": "Interval (SD)",
        "percent": "Effect (%)",
        "percent_interval": "Interval (%)",
        "certain": "Clear",
    }
    picked = {name: one["label"] for name, one in selection.TABLE_COLUMNS.items()}
    assert picked["age"] == "Age (years)"
    assert picked["mad"] == "Severity, MAD (SD)"
    assert picked["effect_mad"] == "Pure effect (SD)"
    assert comparison.SEVERITIES == {
        "mad": "Distance from the twin (MAD)",
        "effect_mad": "Pure effect",
    }


ROWS = pd.DataFrame(
    {
        "index": ["47", "48"],
        "label": ["Right hippocampus", "Left hippocampus"],
        "healthy": [4000.0, 3800.0],
        "observed": [3200.0, 3990.0],
        "effect": [-2.04, 0.31],
        "percent": [-20.0, 5.0],
        "low": [-2.9, -0.2],
        "high": [-1.1, 0.8],
        "mean": [4000.0, 4000.0],
        "sd": [400.0, 400.0],
    }
)


def test_a_picture_of_a_person_is_said_in_words_twin_before_now():
    assert comparison.in_words(ROWS, "mm³").split("; ") == [
        "Right hippocampus: healthy twin 4,000 mm³, now 3,200 mm³, "
        "effect −2.0 SD (90 % interval −2.9 to −1.1)",
        "Left hippocampus: healthy twin 3,800 mm³, now 3,990 mm³, "
        "effect +0.3 SD (90 % interval −0.2 to +0.8)",
    ]


def test_the_explorers_rows_stand_below_what_they_are():
    def script():
        from cavae.ui import explorer
        from tests.test_ui import ROWS

        explorer.show_rows(ROWS, "mm³")

    shown = run(script).table[0].value
    assert shown.loc["Right hippocampus"].to_dict() == {
        "Healthy twin (mm³)": "4,000",
        "Now (mm³)": "3,200",
        "Effect (SD)": "−2.04",
        "Effect (%)": "−20.0",
        "Now, among healthy people like this one": "2nd centile",
    }


def test_how_severe_a_person_is_is_said_beside_the_medians_of_the_groups():
    everyone = pd.DataFrame(
        {
            "subject_id": list("abcdef"),
            "diagnosis": ["CN", "CN", "CN", "AD", "AD", "AD"],
            "mad": [0.5, 0.6, 1.3, 1.0, 1.2, 2.9],
        }
    )
    assert comparison.severity_words(everyone, "mad", "d") == (
        "**d**: 1.00 SD; medians: CN 0.60, AD 1.20 SD"
    )


def test_means_of_a_sweep_stand_between_the_ends_of_their_interval():
    def script():
        import pandas as pd

        from cavae.ui import sweep

        row = {"model": "Calibrated", "lambda": 10.0, "mean": 0.6, "sd": 0.02}
        sweep._show_table(pd.DataFrame([row | {"low": 0.55, "high": 0.66, "runs": 6}]))

    (shown,) = run(script).dataframe[0].value.to_dict("records")
    assert (shown["95 % from"], shown["Mean"], shown["to"]) == (0.55, 0.6, 0.66)
    assert (shown["λ"], shown["SD"], shown["Trainings"]) == (10, 0.02, 6)


def test_sliders_say_which_features_they_change_most_and_by_how_much(tiny_model):
    shown = draw_person(tiny_model, 1)
    for hint, change in zip(
        sliders._hints(tiny_model, shown), step_effects(tiny_model, shown), strict=True
    ):
        if np.abs(change).max() >= 0.05:
            first = int(np.abs(change).argmax())
            told = f"{feature_label(shown.features[first])} {numbers.deviation(change[first])},"
            assert hint.startswith(f"One more of it changes most: {told}")


def test_loaded_people_stand_above_the_pairs_in_the_group_of_their_diagnosis(tiny_model):
    cohort = make_cohort(seed=2)
    groups = pairs.loaded_groups(cohort, tiny_model, standardized=False)
    assert groups["group"].tolist() == ["background"] * 60 + ["target"] * 40
    pd.testing.assert_frame_equal(groups[list(cohort.features)], cohort.features)
    drawn = pairs.picture(sample_pairs(tiny_model, SampleRequest(20)), groups, "mm³")
    rows = [drawn.layout.yaxis, *(drawn.layout[f"yaxis{k}"] for k in (5,))]
    assert [row.title.text for row in rows] == [
        "Loaded<br>density (1/mm³)",
        "Synthetic<br>density (1/mm³)",
    ]
    assert rows[0].domain[0] > rows[1].domain[1]


def test_chances_are_said_the_likeliest_first_in_per_cent():
    names = ["none", "Subtype 1", "Subtype 2"]
    assert subtypes.in_words(names, np.array([0.05, 0.93, 0.02])) == (
        "Chances: **Subtype 1 93 %**, none 5 %, Subtype 2 2 %"
    )
    assert subtypes.in_words(names, np.array([0.004, 0.0, 0.996])) == (
        "Chances: **Subtype 2 over 99 %**"
    )
    assert "**none 99 %**" in subtypes.in_words(names, np.array([0.99, 0.005, 0.005]))


def test_a_group_is_seen_in_a_plane_from_its_middle():
    mean, covariance = np.array([1.0, 2.0, 3.0]), np.diag([1.0, 4.0, 9.0])
    turned = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    seen = latents.Group("a", mean, covariance).seen_in(np.array([0.5, 0.5, 9.0]), turned)
    assert seen.mean.tolist() == [1.5, 0.5]
    assert seen.covariance.tolist() == [[4, 0], [0, 1]]


def test_before_a_sweep_it_is_said_how_many_trainings_and_how_long(monkeypatch):
    monkeypatch.setattr(sweep, "_workers", lambda: 4)
    sides = (Cohorts(("CN",), ("AD",)),)
    grid = Grid((10.0,), (0, 1, 2, 3), folds=3, cohorts=sides, epochs=10_000)
    assert sweep.outlook(make_cohort(), grid) == (
        "**12 trainings**: 1 setting × 4 seeds × 3 folds, 4 at a time. About 2 minutes at most."
    ), "10,000 epochs of one batch at 4 ms"


def test_a_large_file_tells_which_share_of_it_is_written(tiny_model):
    told = []
    pairs.write_file(tiny_model, SampleRequest(30), ".csv", io.BytesIO(), told.append)
    assert told[-1] == 1
    assert told == sorted(told)


def test_what_sharing_may_give_away_is_said_in_cases_of_a_hundred():
    measured = SimpleNamespace(figures={"attack_auc": 0.87})
    assert "picks that one 87 times of 100. 50 is a guess." in keeping._risk(measured)
    assert "was not measured" in keeping._risk(SimpleNamespace(figures={}))


def test_how_long_models_are_kept_is_what_the_admin_has_set(monkeypatch):
    assert "until you delete them" in keeping.remembered()
    monkeypatch.setenv("CAVAE_KEEP_DAYS", "30")
    assert "until 30 days after they were made" in keeping.remembered()
    assert "at most" not in protection._until(protection.SHARED)
    assert "30 days after you made yours, only" in protection._until(protection.SHARED)
    monkeypatch.setenv("CAVAE_DELETE_SHARED", "on")
    assert "at most 30 days" in protection._until(protection.SHARED)


def test_sizes_are_written_in_the_unit_that_they_need():
    assert [making.megabytes(size) for size in (400, 2_340_000, 1_200_000_000)] == [
        "1 MB",
        "2 MB",
        "1.2 GB",
    ]


def test_times_are_rounded_as_people_say_them():
    told = {0.2: "1 second", 89: "89 seconds", 91: "2 minutes", 5300: "88 minutes"}
    told |= {5400: "2 hours", 18_000: "5 hours", 172_900: "2 days", 864_000: "10 days"}
    assert {seconds: queue.duration(seconds) for seconds in told} == told


def test_a_training_tells_how_far_it_is_and_when_it_ends_if_nothing_gets_better():
    last = {"epoch": 100, "epochs": 400, "best_epoch": 80, "seconds": 60}
    job = Job("a" * 22, "mine", {"patience": 150}, status="running", history=[last])
    assert watching.progress(job) == (
        0.25,
        "Epoch 100 of at most 400 · at most 3 minutes of training left"
        " · ends at 230 unless it gets better than epoch 80",
    )
    job.history[-1] = last | {"best_epoch": 0}
    assert watching.progress(job)[1].endswith("training left")
    job.history[-1] = last | {"epoch": 230}
    share, words = watching.progress(job)
    assert share == 1
    assert words.startswith("Measuring")


def test_before_a_training_it_is_said_who_learns_and_who_is_held_out():
    config = train_config("calibrated", target=("AD",), epochs=1000, batch_size=25, validation=0.3)
    sides = training.Groups(("CN",), ("AD",))
    assert training.outlook(make_cohort(), config, sides).startswith(
        "60 healthy people and 40 with the disease, 8 brain regions; 30 % of each are held out"
    )
    short, long = (
        training.outlook(make_cohort(), replace(config, epochs=epochs), sides).split("About ")[1]
        for epochs in (100, 100_000)
    )
    assert short.endswith("seconds at most.")
    assert long.endswith("minutes at most."), "100,000 epochs of 3 batches at 4 ms, and its looks"


def test_a_sweep_tells_how_far_it_is_by_what_this_process_has_done():
    told = [{"done": 4, "seconds": 0.0}, {"done": 10, "seconds": 60.0}]
    job = Job("a" * 22, "mine", {"trainings": 40}, status="running", history=told)
    assert sweep.progress(job) == (0.25, "10 of 40 trainings, about 5 minutes left")
    job.history = []
    assert sweep.progress(job) == (0.0, "0 of 40 trainings")
