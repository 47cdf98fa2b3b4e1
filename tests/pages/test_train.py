"""Train: what is asked and said before, a job from start to model, and what is refused."""

import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cavae.jobs import JobQueue
from cavae.ui import training
from cavae.ui.queue import jobs
from cavae.ui.state import DEMO
from tests.conftest import ROOT
from tests.pages.session import button, open_page, run_until, said
from tests.people import make_cohort, write_cohort

GROUPS = training.Groups(("CN",), ("AD",))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("people") / "people.csv"
    write_cohort(make_cohort(healthy=40, diseased=30, sites=("Here",)), path)
    return path


def test_without_people_it_says_how_to_begin():
    words = said(open_page("train"))
    assert "No people loaded yet" in words
    assert "a reload, or another tab, has none" in words, "people do not vanish without a word"


def test_it_says_what_will_happen_before_it_begins(table):
    words = said(open_page("train", table))
    assert "40 healthy people and 30 with the disease, 8 brain regions" in words
    assert "Only 30 people with the disease" in words
    assert "Everyone is of one site" in words


def cautions(**changed) -> str:
    """What is said of 60 healthy and 60 diseased people whose columns were changed."""
    cohort = make_cohort(healthy=60, diseased=60)
    subjects = cohort.subjects.assign(**{"age": 70.0, **changed})
    return " ".join(training.cautions(replace(cohort, subjects=subjects), GROUPS))


def test_people_of_two_sites_and_both_sexes_need_no_caution():
    assert cautions() == ""


def test_what_is_confounded_with_the_disease_is_said():
    ill = np.arange(120) >= 60
    assert "2 of 2 sites have either healthy people or people with the disease (A, B)" in cautions(
        site=np.where(ill, "B", "A")
    )
    assert "All people with the disease are of one sex (M)" in cautions(
        sex=np.where(ill | (np.arange(120) % 2 == 0), "M", "F")
    )
    assert "All healthy people are of one sex (F)" in cautions(sex=np.where(ill, "M", "F"))
    assert "Everyone is of one sex" in cautions(sex="F")
    assert "60 years older" in cautions(age=20 + 60.0 * ill)
    assert "10 years younger" in cautions(age=70 - 10.0 * ill)
    assert "years" not in cautions(age=70 + 4.0 * ill)


def test_the_most_severe_label_comes_last_whatever_the_alphabet_says():
    """Figures such as "AD against CN" are of the last label."""
    app = open_page("train", DEMO)
    assert app.main.multiselect(key="train_target").value == ["MCI", "AD"]


def test_a_side_without_labels_cannot_be_trained_on(table):
    app = open_page("train", table)
    app.main.multiselect(key="train_target").set_value([]).run()
    assert "Choose at least one label on each side." in app.main.info[0].value
    assert "Train" not in [one.label for one in app.main.button]


def test_a_job_becomes_a_model_for_every_page(table):
    app = open_page("train", table)
    app.main.number_input(key="train_epochs").set_value(5).run()
    button(app, "Train").click().run()
    job_id = "".join(app.query_params["job"])
    run_until(app, "Finished: people")
    button(app, "Use this model on every page").click().run()
    assert app.session_state["model"] == JobQueue().find(job_id).model
    app.switch_page("pages/latent_space.py").run()
    assert not app.exception
    assert not app.error

    app.query_params.clear()  # As the menu does.
    app.switch_page("pages/train.py").run()
    button(app, "Finished: people").click().run()
    assert "5 epochs" in said(app), "whoever was away finds how it went"


def test_what_a_killed_server_leaves_is_found_by_its_address_and_can_be_used(table):
    app = open_page("train", table)
    app.main.number_input(key="train_epochs").set_value(5).run()
    button(app, "Train").click().run()
    run_until(app, "Finished: people")
    made = Path(JobQueue().find("".join(app.query_params["job"])).model).parent
    lost = made.with_name("killed" + "x" * 16)
    shutil.copytree(made, lost)
    record = (lost / "job.json").read_text(encoding="utf-8")
    record = record.replace(made.name, lost.name).replace('"done"', '"running"')
    (lost / "job.json").write_text(record, encoding="utf-8")

    later = AppTest.from_file(ROOT / "app.py", default_timeout=60).run()
    later.query_params["job"] = lost.name
    later.switch_page("pages/train.py").run()
    assert "Stopped with the server: people" in said(later)
    assert "epoch 5, the best when last written down" in said(later)
    button(later, "Use this model on every page").click().run()
    assert later.session_state["model"] == str(lost / made.joinpath("people").name)


def test_stopping_keeps_the_best_so_far():
    app = open_page("train", DEMO)
    app.main.number_input(key="train_epochs").set_value(5000).run()
    button(app, "Train").click().run()
    run_until(app, "Training: demo")
    time.sleep(5)
    button(app.run(), "Stop and keep the best so far").click().run()
    assert "Download the model (ZIP)" in [
        one.proto.label for one in run_until(app, "Stopped").main.get("download_button")
    ]


def order(app: AppTest, epochs: int) -> str:
    """Train with so many epochs; the id of the job."""
    app.main.number_input(key="train_epochs").set_value(epochs).run()
    button(app, "Train").click().run()
    return "".join(app.query_params["job"])


def test_the_second_click_of_a_double_click_orders_nothing_more(table):
    app = open_page("train", table)
    first = order(app, 5000)
    app.query_params.clear()  # The second click is sent from the page as it was before the first.
    assert order(app.run(), 5000) == first
    app.query_params.clear()
    other = order(app.run(), 4000)
    assert other != first
    assert app.session_state["own"] == (first, other)
    for job_id in (other, first):
        jobs().cancel(job_id)


def test_the_address_of_a_job_that_is_gone_says_so(table):
    app = open_page("train", table)
    app.query_params["job"] = "deleted"
    app.run()
    assert "The job that the address of this page names is not on this server" in said(app)
    assert "Train" in [one.label for one in app.main.button]


def test_a_name_that_cannot_be_is_refused(table):
    app = open_page("train", table)
    app.main.text_input[0].set_value("../up").run()
    button(app, "Train").click().run()
    assert "The model's name is" in said(app)
    assert "job" not in app.query_params


def test_another_visitor_without_the_address_sees_nothing_of_it(table):
    app = open_page("train", table)
    app.main.number_input(key="train_epochs").set_value(1).run()
    button(app, "Train").click().run()
    other = open_page("train", table)
    assert "Training:" not in said(other)
    assert "Finished:" not in said(other)
