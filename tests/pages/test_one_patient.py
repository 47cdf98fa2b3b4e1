"""A table of one patient: every page says what it can of them, and nothing that needs more."""

import numpy as np
import pytest

from tests.pages.session import button, figures, open_page, people_in, said
from tests.people import make_cohort, write_cohort


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    cohort = make_cohort()
    ill = np.flatnonzero(cohort.subjects["diagnosis"] == "AD")[:1]
    path = tmp_path_factory.mktemp("patient") / "patient.csv"
    write_cohort(cohort.select(np.isin(np.arange(len(cohort)), ill)), path)
    return path


def test_data_leads_to_their_twin(patient, tiny_model_folder):
    app = open_page("data", patient, tiny_model_folder)
    understood = app.main.table[0].value.set_index("What")["Understood as"]
    assert understood["Person"].count("…") == 0
    assert " to " not in understood["Age"]
    button(app, "Show the healthy twin").click().run()
    assert not app.exception
    assert app.main.title[0].value == "Counterfactual"


@pytest.mark.parametrize("view", ["pca", "pair", "umap"])
def test_latent_space_shows_where_they_are(patient, tiny_model_folder, view):
    app = open_page("latent_space", patient, tiny_model_folder)
    app.radio(key="view").set_value(view).run()
    assert not app.exception
    assert len(people_in(figures(app)[0])) == 1
    assert "1 of 1 person loaded" in said(app)
    assert "Everyone is at the same place" not in said(app)


def test_cohort_draws_no_distribution_of_one(patient, tiny_model_folder):
    app = open_page("cohort", patient, tiny_model_folder)
    assert not app.exception
    assert "Loaded" not in str(figures(app)[0]["layout"])


def test_training_says_that_it_needs_two_groups(patient):
    (told,) = open_page("train", patient).main.info
    assert "The only diagnosis here is AD: load a table with both" in told.value
