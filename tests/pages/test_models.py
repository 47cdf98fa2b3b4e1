"""Models: compared, used, renamed, shared, deleted, taken along and in again; own ones are own."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cavae.archive import pack_model, unpack_model
from cavae.checkpoint import PRETRAINED
from cavae.evaluation import evaluate_cohort
from cavae.registry import Registry
from cavae.ui.state import DEMO
from tests.pages.session import figures, open_page, said, table, written
from tests.people import make_cohort, write_cohort


@pytest.fixture(autouse=True)
def storage(tmp_path, monkeypatch) -> Path:
    """A storage of this test's own."""
    from cavae.ui import registry

    monkeypatch.setenv("CAVAE_STORAGE", str(tmp_path / "storage"))
    registry.registry.clear()
    yield tmp_path / "storage"
    registry.registry.clear()


@pytest.fixture(scope="module")
def packed(tiny_model_folder) -> bytes:
    return pack_model(tiny_model_folder)


def upload(app: AppTest, archive: bytes, name: str = "tiny.zip") -> AppTest:
    app.file_uploader[0].upload(name, archive, "application/zip").run()
    assert not app.exception
    return app


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def rows(app: AppTest) -> dict[str, dict]:
    """The rows of the table by the model's name, which is marked when it is in use."""
    found = table(app).to_dict("records")
    return {row["Model"].removesuffix(" ●"): row for row in found}


def choices(app: AppTest) -> list[str]:
    return app.sidebar.selectbox[0].options


def address(app: AppTest) -> str:
    """The key of the one own model, which stands in the page's address."""
    return "".join(app.query_params["own"])


def told(app: AppTest) -> str:
    elements = [*app.main.success, *app.main.error]
    return " ".join(element.value for element in elements).replace("\\", "")


# --------------------------------------------------------------------------- comparing


def test_the_models_in_the_box_are_compared_and_it_says_where_own_ones_come_from():
    app = open_page("models")
    assert set(rows(app)) == {path.parent.name for path in PRETRAINED.glob("*/config.json")}
    real, simulated = rows(app)["ad-mci"], rows(app)["semi-synthetic"]
    facts = json.loads((PRETRAINED / "ad-mci" / "config.json").read_text())["facts"]
    card = {(one["metric"], one["group"]): one["value"] for one in facts["figures"]}
    assert real["In s (AUC)"] == card["salient s, AUC", "AD against CN"]
    assert real["Hippocampus (SD)"] == card["hippocampal effect, mean (SD)", "AD"]
    assert real["Attack (AUC)"] == facts["quality"]["figures"]["attack_likelihood"]["value"]
    assert 0.5 < simulated["W2 / floor"] < 1.5
    assert real["People"] == sum(facts["people"].values())
    assert (real["Whose"], real["Learned"]) == ("with the app", "CN → MCI, AD")
    assert (real["Reads"], real["Variant"]) == ("139 regions", "contrastive")
    assert "cross-validation" in real["Measured on"]
    assert "cannot be compared" in said(app)
    assert "Models that you train on page Train" in said(app)
    assert "Fits" not in real, "no table is loaded"
    assert f"−{-real['Hippocampus (SD)']:.2f}" in written(app, "Hippocampus (SD)")


def test_it_says_which_models_fit_the_loaded_table_and_why_others_do_not(
    people_csv, packed, tmp_path
):
    app = upload(open_page("models", people_csv), packed)
    assert rows(app)["ad-mci"]["Fits"] == "no"
    assert rows(app)["tiny"]["Fits"] == "yes"
    assert "It fits **people.csv**" in said(app)

    shown = open_page("models", people_csv)
    assert "It does not fit people.csv: The model needs 139 features and the table lacks 131" in (
        said(shown)
    )


def test_diagnoses_and_sites_that_a_model_has_not_learned_are_said(packed, tmp_path):
    cohort = make_cohort(healthy=8, sites=("Elsewhere",))
    cohort.subjects.loc[cohort.subjects["diagnosis"] == "AD", "diagnosis"] = "PD"
    write_cohort(cohort, tmp_path / "new.csv")
    app = upload(open_page("models", tmp_path / "new.csv"), packed)
    assert rows(app)["tiny"]["Fits"] == "yes, but"
    assert "40 people have a diagnosis that it has not learned (PD); it learned CN and AD" in (
        said(app)
    )
    assert "site 'Elsewhere' is new to the model" in said(app).replace("Site", "site")


def test_on_the_same_people_models_can_be_compared(packed, people_csv, tiny_model):
    app = upload(open_page("models", people_csv), packed)
    recorded = rows(app)["tiny"]["Measured on"]
    app.main.radio[0].set_value("On your people").run()
    assert not app.exception
    figures = {
        (one.metric, one.group): one.value
        for one in evaluate_cohort(tiny_model, make_cohort(seed=1))
    }
    found = rows(app)["tiny"]
    assert found["In s (AUC)"] == pytest.approx(figures["salient s, AUC", "AD against CN"])
    assert found["Hippocampus (SD)"] == pytest.approx(
        figures["hippocampal effect, mean (SD)", "AD"], abs=1e-3
    )
    assert found["Measured on"] == "people.csv" != recorded
    assert pd.isna(rows(app)["ad-mci"]["In s (AUC)"]), "it does not fit"
    assert "so they can be compared" in said(app)

    demo = open_page("models", DEMO)
    demo.main.radio[0].set_value("On your people").run()
    assert pd.isna(rows(demo)["semi-synthetic"]["Hippocampus (SD)"]), "no patient of its own kind"
    assert "flatter" in said(app)


def test_another_model_is_chosen_by_name():
    app = open_page("models")
    assert "MCI, AD against CN" in said(app)
    app.main.selectbox[0].select("semi-synthetic").run()
    assert "patient against CN" in said(app)
    app.switch_page("pages/about.py").run()
    assert "patient against CN" in said(app.switch_page("pages/models.py").run())


# --------------------------------------------------------------------------- own models


def test_a_model_goes_out_is_deleted_and_comes_in_the_same(packed, people_csv, storage):
    app = upload(open_page("models", people_csv), packed)
    assert told(app) == "tiny was added. Every file is as it was packed."
    press(app, "use_model")
    used = app.session_state["model"]
    assert pack_model(Path(used)) == packed, "what it is downloaded as"
    before = effects(app)

    app.switch_page("pages/models.py").run()
    assert rows(app)["tiny"]["Model"] == "tiny ●"
    press(app, "delete")
    assert told(app) == "tiny was deleted."
    assert "tiny" not in rows(app)
    assert app.session_state["model"] == "ad-mci"
    assert list(storage.iterdir()) == []

    upload(app, packed)
    press(app, "use_model")
    assert app.session_state["model"] != used
    assert effects(app) == before


def effects(app: AppTest) -> list[dict]:
    """What is drawn of the first person on page Counterfactual."""
    app.switch_page("pages/counterfactual.py").run()
    assert not app.exception
    assert not app.main.warning
    drawn = figures(app)
    assert len(drawn) > 1
    return [one["data"] for one in drawn]


def test_nobody_else_sees_an_own_model_until_it_is_shared(packed, storage):
    mine = upload(open_page("models"), packed)
    other = open_page("models")
    assert "tiny" not in rows(other)
    assert choices(other) == ["ad-mci", "semi-synthetic"]

    press(mine, "share")
    assert rows(mine)["tiny"]["Whose"] == "yours, shared"
    other.run()
    assert rows(other)["tiny (shared)"]["Whose"] == "shared"
    assert choices(other) == ["ad-mci", "semi-synthetic", "tiny (shared)"]
    other.sidebar.selectbox[0].select(str(storage / "shared" / "tiny")).run()
    fresh = open_page("models", model=storage / "shared" / "tiny")
    assert "was shared by somebody else" in said(fresh)
    assert not [one for one in fresh.main.button if one.key in ("delete", "withdraw", "rename")]

    press(mine, "withdraw")
    other.run()
    assert "Model tiny is gone" in " ".join(one.value for one in other.sidebar.caption)
    assert other.session_state["model"] == "ad-mci"
    assert "tiny (shared)" not in rows(other)


def test_another_model_under_a_shared_name_is_not_taken_for_the_first(
    packed, three_subtypes_folder, people_csv, storage, tmp_path
):
    """What a session computed with the first must not be shown for the second."""
    mine = upload(open_page("models"), packed)
    press(mine, "share")
    other = open_page("counterfactual", people_csv, storage / "shared" / "tiny")
    first = [one["data"] for one in figures(other)]
    press(mine, "withdraw")

    another = shutil.copytree(three_subtypes_folder, tmp_path / "tiny")
    mine = upload(open_page("models"), pack_model(another))
    press(mine, "share")
    assert not other.run().exception
    assert other.session_state["model"] == str(storage / "shared" / "tiny")
    assert [one["data"] for one in figures(other)] != first


def test_an_own_model_gets_another_name_and_stays_in_use(packed):
    app = upload(open_page("models"), packed)
    press(app, "use_model")
    app.main.text_input[0].set_value("../up").run()
    press(app, "rename")
    assert "The model's name is '../up'; accepted" in told(app)
    app.main.text_input[0].set_value("ad-mci").run()
    press(app, "rename")
    assert "There is a model 'ad-mci' already" in told(app)
    app.main.text_input[0].set_value("better").run()
    press(app, "rename")
    assert told(app) == "tiny is called better now."
    assert rows(app)["better"]["Model"] == "better ●"
    assert choices(app)[-1] == "better"


def test_the_address_brings_own_models_back_and_nobody_guesses_it(packed):
    app = upload(open_page("models"), packed)
    key = address(app)
    assert len(key) == 22

    later = AppTest.from_file(Path(__file__).parents[2] / "app.py", default_timeout=60)
    later.query_params["own"] = [key, "a" * 22, "../../etc", ""]
    later.run().switch_page("pages/models.py").run()
    if "tiny" not in rows(later):  # AppTest drops the address with the page, as a menu does.
        later.query_params["own"] = [key, "a" * 22, "../../etc", ""]
        later.run()
    assert "tiny" in rows(later)
    assert address(later) == key


def test_two_models_of_one_name_can_be_told_apart(packed):
    app = upload(upload(open_page("models"), packed), packed)
    assert {"tiny", "tiny-2"} <= set(rows(app))


# --------------------------------------------------------------------------- bad archives


@pytest.mark.parametrize(
    ("name", "archive"),
    [
        ("broken.zip", b"PK\x03\x04 not whole"),
        ("empty.zip", b"PK\x05\x06" + bytes(18)),
        ("pickle.zip", b"\x80\x04\x95"),
    ],
)
def test_an_archive_that_is_none_gets_a_sentence_and_changes_nothing(name, archive, storage):
    app = upload(open_page("models"), archive, name)
    assert len(app.main.error) == 1
    assert set(rows(app)) == {"ad-mci", "semi-synthetic"}
    assert not storage.exists() or list(storage.iterdir()) == []


def test_an_archive_zipped_by_hand_is_said_to_be_unverified(tiny_model_folder, tmp_path):
    shutil.make_archive(str(tmp_path / "hand"), "zip", tiny_model_folder.parent, "tiny")
    app = upload(open_page("models"), (tmp_path / "hand.zip").read_bytes())
    assert "has no manifest" in told(app)
    assert "tiny" in rows(app)


def test_a_card_and_words_made_to_harm_are_shown_as_text(packed, tmp_path):
    evil = "<img src=x onerror=alert(1)> ![x](http://evil.example/x.png) [y](javascript:alert(1))"
    folder = unpack_model(packed, "x.zip", tmp_path).folder
    (folder / "card.md").write_text(f"# {evil}\n")
    content = json.loads((folder / "config.json").read_text())
    content["facts"] |= {"trained_on": evil, "measured_on": evil}
    (folder / "config.json").write_text(json.dumps(content))
    app = upload(open_page("models"), pack_model(folder))
    shown = [one.value for one in app.main.markdown if "evil.example" in one.value]
    assert len(shown) == 2
    for text in shown:
        assert "![x]" not in text
        assert "[y](javascript" not in text
        assert "<img" not in text.replace("\\<img", "")


EVIL = "<img src=x onerror=alert(1)>![x](http://evil.example/x.png):red[x]$x$"


@pytest.fixture(scope="module")
def evil_model(tiny_model_folder, tmp_path_factory) -> Path:
    """The tiny model, every name in which is HTML and Markdown."""
    folder = shutil.copytree(tiny_model_folder, tmp_path_factory.mktemp("evil") / "tiny")
    config = json.loads((folder / "config.json").read_text())
    preprocessor = json.loads((folder / "preprocessor.json").read_text())
    names = [f"{EVIL}{k}" for k in range(len(preprocessor["features"]))]
    config["model"]["features"] = preprocessor["features"] = names
    config["training"] |= {"background": [EVIL], "target": [EVIL.upper()]}
    preprocessor |= {"background": [EVIL]}
    preprocessor["sites"] = preprocessor["harmonizer"]["sites"] = [EVIL, EVIL.upper()]
    for one in config["facts"]["figures"]:
        one |= {"metric": EVIL, "group": EVIL}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor.json").write_text(json.dumps(preprocessor))
    return folder


@pytest.mark.parametrize(
    "place",
    [
        *("models", "data", "latent_space", "counterfactual", "explore", "lesson", "cohort"),
        *("train", "evaluate", "about"),
    ],
)
@pytest.mark.parametrize("loaded", [False, True])
def test_names_made_to_harm_are_shown_as_text_on_every_page(place, evil_model, people_csv, loaded):
    app = open_page(place, people_csv if loaded else None, evil_model)
    assert not app.exception
    for group in (app.main.markdown, app.main.caption, app.main.warning, app.main.error):
        for element in group:
            assert "![x](" not in element.value.replace("\\!\\[x\\]\\(", "")
            assert "<img" not in element.value.replace("\\<img", "")
            unsafe = getattr(element.proto, "allow_html", False)
            assert not (unsafe and "onerror" in element.value)


def test_a_model_that_was_damaged_on_disk_is_in_the_table_with_the_reason(packed, storage):
    app = upload(open_page("models"), packed)
    [config] = storage.glob("*/tiny/config.json")
    config.write_text("{}")
    app.run()
    assert not app.exception
    assert "lacks 'model'" in rows(app)["tiny"]["Measured on"]
    assert "lacks" in told(app)
    press(app, "delete")
    assert "tiny" not in rows(app)


# --------------------------------------------------------------------------- misfits


@pytest.mark.parametrize("place", ["latent_space", "counterfactual", "explore"])
def test_a_page_that_needs_the_table_says_why_it_does_not_fit_and_the_ways_out(place, people_csv):
    app = open_page(place, people_csv)  # Eight regions, and the model of 139.
    assert not app.exception
    [warning] = app.main.warning
    assert "people.csv does not fit the model ad-mci" in warning.value.replace("\\", "")
    assert "131 of them" in warning.value
    assert [one.proto.page for one in app.main.get("page_link")] == ["models", "data", "train"]


@pytest.mark.parametrize("place", ["cohort", "evaluate"])
def test_a_page_that_can_do_without_the_table_does(place, people_csv):
    app = open_page(place, people_csv)
    assert not app.exception
    assert not app.main.warning
    assert not app.main.error


@pytest.mark.parametrize(
    "place", ["latent_space", "counterfactual", "explore", "cohort", "evaluate"]
)
def test_a_damaged_model_is_said_on_every_page_with_the_way_to_another(
    place, tiny_model_folder, people_csv, tmp_path
):
    folder = shutil.copytree(tiny_model_folder, tmp_path / "tiny")
    (folder / "weights.safetensors").write_bytes(b"nothing")
    app = open_page(place, people_csv, folder)
    assert not app.exception
    assert "weights.safetensors" in said(app)
    assert "models" in [one.proto.page for one in app.main.get("page_link")]


def test_where_a_model_lies_is_said_nowhere(packed, people_csv):
    """The folder's name is the key of the model: whoever reads it may delete it."""
    app = upload(open_page("models", people_csv), packed)
    press(app, "use_model")
    key = address(app)
    for page in ("data", "latent_space", "counterfactual", "explore", "cohort", "evaluate"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        assert key not in said(app)
        assert key not in " ".join(one.value for one in app.main.code)
        assert key not in str([one.options for one in app.selectbox])
        assert key not in str([one.proto.url for one in app.main.get("download_button")])


def test_the_registry_of_the_pages_is_that_of_the_storage(packed, storage):
    app = upload(open_page("models"), packed)
    key = address(app)
    folder = Registry(storage).find(key)
    with zipfile.ZipFile(io.BytesIO(pack_model(folder))) as archive:
        assert "tiny/config.json" in archive.namelist()


def test_the_demo_fits_the_models_in_the_box():
    app = open_page("models", DEMO)
    assert rows(app)["ad-mci"]["Fits"] == "yes"
