from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT


def about() -> AppTest:
    app = AppTest.from_file(ROOT / "app.py", default_timeout=60).run()
    return app.switch_page("pages/about.py").run()


def test_about_explains_limits_sources_and_privacy():
    app = about()
    assert not app.exception
    text = " ".join(markdown.value for markdown in app.main.markdown)
    for said in ("Not a diagnostic device", "Not causal", "CC BY-SA 3.0", "SBIA", "memory"):
        assert said in text


def test_about_shows_the_equation():
    assert any("MMD" in formula.value for formula in about().main.latex)


def test_every_model_has_its_card():
    from cavae.checkpoint import available_models

    shown = [expander.label for expander in about().main.expander]
    assert shown == [model.name for model in available_models()]
