from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT


def home() -> AppTest:
    return AppTest.from_file(ROOT / "app.py", default_timeout=60).run()


def test_home_says_what_it_is_and_offers_two_ways_to_begin():
    app = home()
    assert not app.exception
    assert "twin" in app.title[0].value
    assert [button.label for button in app.main.button] == [
        "Start with the demo cohort",
        "Use my own table",
    ]


def test_home_introduces_the_pages():
    links = [link.proto.label.strip("*") for link in home().main.get("page_link")]
    assert links == [
        "Data",
        "Latent space",
        "Counterfactual",
        "Explore",
        "Lesson",
        "Cohort",
        "Train",
        "Sweep",
        "Models",
        "Evaluate",
    ]


def test_the_sidebar_says_what_is_loaded_and_what_this_is_not():
    captions = " ".join(caption.value for caption in home().sidebar.caption)
    assert "No people loaded" in captions
    assert "Not a diagnostic device" in captions


def test_own_table_leads_to_data():
    app = home()
    app.button(key="start_own").click().run()
    assert not app.exception
    assert app.title[0].value == "Data"


def test_demo_leads_to_latent_space_with_its_people_in_the_sidebar():
    app = home()
    app.button(key="start_demo").click().run()
    assert not app.exception
    assert app.title[0].value == "Latent space"
    captions = " ".join(caption.value for caption in app.sidebar.caption)
    assert "Demo cohort" in captions
    assert "300 people" in captions
    assert "AD" in captions
