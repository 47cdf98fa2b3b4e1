"""Pages with a conditional VAE in use: nothing breaks, and what it lacks is said."""

from pathlib import Path

import pytest

from cavae.ui.latents import VIEWS
from tests.pages.session import figures, open_page, said
from tests.variants import save_conditional


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save_conditional(tmp_path_factory.mktemp("models") / "conditional")


@pytest.mark.parametrize("view", [one for one in VIEWS if one != "umap"])
def test_latent_space_says_that_there_is_no_salient_space(people_csv: Path, folder: Path, view):
    app = open_page("latent_space", people_csv, folder)
    app.radio(key="view").set_value(view).run()
    assert not app.exception
    assert len(figures(app)) == 2
    assert "Everyone is at the same place here" in said(app)


def test_umap_of_one_place_is_not_asked_for(people_csv: Path, folder: Path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "cavae.embedding.umap_coordinates", lambda x: asked.append(x.shape) or x[:, :2]
    )
    app = open_page("latent_space", people_csv, folder)
    app.radio(key="view").set_value("umap").run()
    assert not app.exception
    assert [columns for _, columns in asked] == [5]


def test_counterfactual_shows_twin_and_now_with_one_slider(people_csv: Path, folder: Path):
    app = open_page("counterfactual", people_csv, folder)
    assert not app.exception
    assert [slider.label for slider in app.main.slider][:1] == ["s1"]
    app.slider[0].set_value(0.0).run()
    assert not app.exception


@pytest.mark.parametrize("page", ["home", "cohort", "about"])
def test_other_pages_open(people_csv: Path, folder: Path, page):
    assert not open_page(page, people_csv, folder).exception
