"""Data protection says what this server keeps, and what each model was measured to give away."""

from tests.pages.session import open_page, said


def tables(app):
    return [table.value for table in app.main.table]


def test_every_thing_that_is_kept_has_its_place_and_time():
    app = open_page("data_protection")
    assert not app.exception
    kept, _ = tables(app)
    assert all(kept["Where"])
    assert all(kept["For how long"])
    assert (
        "close or reload"
        in kept.loc["A table that you load, and all that is computed from it"]["For how long"]
    )
    assert "No row of a table" in said(app)


def test_the_time_is_the_one_that_the_admin_has_set(monkeypatch):
    monkeypatch.setenv("CAVAE_KEEP_DAYS", "30")
    kept, _ = tables(open_page("data_protection"))
    assert "at most 30 days" in kept.loc["A model that you add", "For how long"]
    shared = "A copy of a model that you share"
    assert "only the server's admin" in kept.loc[shared, "For how long"]
    monkeypatch.setenv("CAVAE_DELETE_SHARED", "on")
    kept, _ = tables(open_page("data_protection"))
    assert "at most 30 days" in kept.loc[shared, "For how long"]


def test_a_demo_server_keeps_nothing_of_its_visitors(monkeypatch):
    monkeypatch.setenv("CAVAE_DEMO", "on")
    kept, _ = tables(open_page("data_protection"))
    assert not [what for what in kept.index if "you load" in what or "you add" in what]


def test_models_say_how_often_the_strongest_attack_was_right():
    """The figures are those of the models' own facts, measured by `pretrain`."""
    _, revealed = tables(open_page("data_protection"))
    assert revealed.loc["ad\\-mci"].tolist() == ["435 people", "87 of 100", "90 of 100"]


def test_every_page_says_that_it_is_no_diagnostic_device():
    for page in ("latent_space", "data"):
        app = open_page(page)
        in_sidebar = [caption.value for caption in app.sidebar.caption]
        assert any("Not a diagnostic device" in one for one in in_sidebar), page
