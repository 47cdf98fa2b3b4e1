"""Sweep: what is said before, a sweep from start to table, stopped, and nobody else's."""

import json
import re

import pandas as pd
import pytest

from cavae.limits import limits
from cavae.sweep import Cohorts, Grid
from cavae.sweep_runs import run_sweep
from tests.pages.session import button, figures, open_page, run_until, said, written
from tests.people import make_cohort, write_cohort


@pytest.fixture(scope="module")
def cohort():
    return make_cohort(healthy=40, diseased=30)


@pytest.fixture(scope="module")
def table(cohort, tmp_path_factory):
    path = tmp_path_factory.mktemp("people") / "people.csv"
    write_cohort(cohort, path)
    return path


def small(app, epochs=3):
    """Two λ, one seed, two folds."""
    app.main.multiselect(key="sweep_lambdas").set_value(["10", "100"])
    app.main.number_input(key="sweep_seeds").set_value(1)
    app.main.number_input(key="sweep_folds").set_value(2)
    return app.main.number_input(key="sweep_epochs").set_value(epochs).run()


def test_without_people_it_says_how_to_begin():
    assert "No people loaded yet" in said(open_page("sweep"))


def test_it_says_before_how_many_trainings_that_is(table):
    app = small(open_page("sweep", table))
    assert "4 trainings: 2 settings × 1 seed × 2 folds" in said(app).replace("*", "")
    app.main.multiselect(key="sweep_models").set_value(["Calibrated", "Conditional VAE"]).run()
    assert "6 trainings" in said(app), "a conditional VAE has no λ to vary"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("sweep_lambdas", ["ten"], "λ is ten; accepted: numbers."),
        ("sweep_lambdas", [], "lambdas is empty; accepted: at least one."),
        ("sweep_models", [], "variants is empty; accepted: at least one."),
    ],
)
def test_what_cannot_be_swept_is_said(table, key, value, words):
    app = open_page("sweep", table)
    app.main.multiselect(key=key).set_value(value).run()
    assert words in said(app)
    assert "Sweep" not in [one.label for one in app.main.button]


def trainings(app):
    """How many trainings the ended sweep says it has."""
    return int(re.search(r"(\d+) of 8 trainings ended", said(app))[1])


def at_address(page, parameter, app):
    """A page whose address names the sweep of another."""
    opened = open_page(page)
    opened.query_params[parameter] = app.query_params["sweep"]
    return opened.run()


def test_a_sweep_stopped_gone_on_with_and_finished(table, cohort, tmp_path):
    app = small(open_page("sweep", table), epochs=60)
    app.main.number_input(key="sweep_seeds").set_value(2).run()
    button(app, "Sweep").click().run()
    run_until(app, "95 % interval over seeds and folds")
    button(app, "Stop").click().run()
    kept = trainings(run_until(app, "trainings ended."))
    assert 0 < kept < 8
    stopped = "".join(app.query_params["sweep"])

    assert "trainings ended" not in said(open_page("sweep", table)), "without the address"
    button(app, "Go on").click().run()
    assert "".join(app.query_params["sweep"]) != stopped
    assert trainings(run_until(app, "Finished: people")) == 8
    assert "Finished" not in said(at_address("train", "job", app)), "a sweep is no training"
    grid = Grid((10.0, 100.0), (0, 1), folds=2, cohorts=(Cohorts(("CN",), ("AD",)),), epochs=60)
    runs = run_sweep(cohort, grid, tmp_path)
    leakage = runs[runs["metric"] == "common_auc"].groupby("lambda")["value"]
    shown = app.main.dataframe[0].value
    pd.testing.assert_series_equal(
        shown.set_index("λ")["Mean"], leakage.mean(), check_names=False, rtol=1e-12
    )
    assert written(app, "λ") == ["10", "100"]
    assert len(figures(app)[0]["data"]) == 2
    button(app, "Another sweep").click().run()
    assert "sweep" not in app.query_params
    button(app, "Finished: people.csv").click().run()
    assert trainings(app) == 8, "whoever was away finds it again"


def test_a_sweep_that_has_ended_can_be_deleted():
    """Page Models, where models are deleted, has no sweeps."""
    key = "deleted" + "x" * 15
    folder = limits().storage / key
    folder.mkdir(parents=True)
    settings = Grid().to_dict() | {"trainings": 3}
    record = {"id": key, "name": "people.csv", "kind": "sweep", "status": "interrupted"}
    (folder / "job.json").write_text(json.dumps(record | {"settings": settings}))
    app = open_page("sweep")
    app.query_params["sweep"] = key
    app.run()
    assert "Stopped with the server: people.csv" in said(app)
    button(app, "Delete it").click().run()
    assert "sweep" not in app.query_params
    assert not folder.exists()
