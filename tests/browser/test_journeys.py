"""Whole ways through the app: from a table of one's own to files, and without a mouse."""

import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect
from typer.testing import CliRunner

from cavae.__main__ import app as command_line
from cavae.ui.state import DEMO
from tests.browser.conftest import SETTLE_MS, Visit, download, settle
from tests.browser.test_models import follow
from tests.browser.test_train import TRAINED_MS, heading, set_number

TABLE = "Download this person's table"
MODEL = "Download the model (ZIP)"


@pytest.fixture(params=["made up", "real"])
def own_files(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """Volumes and participants, in two files, in the spelling of a real study."""
    if request.param == "real":
        folder: Path = request.getfixturevalue("shared_data")
        names = ("study1_train_volumes.csv", "study1_train_participants.csv")
        return folder / names[0], folder / names[1]
    known = {"subject_id": "MRID", "age": "Age", "sex": "Sex", "diagnosis": "DX_AD", "icv": "DLICV"}
    people = pd.read_csv(DEMO, dtype=str).rename(columns=known).assign(SITE="Here")
    who = ["MRID", "Age", "Sex", "DX_AD", "DLICV", "SITE"]
    regions = {column: column.removeprefix("MUSE_Volume_") for column in people.columns}
    volumes, participants = tmp_path / "volumes.csv", tmp_path / "people.csv"
    people.drop(columns=who[1:]).rename(columns=regions).to_csv(volumes, index=False)
    people[who].to_csv(participants, index=False, sep=";")
    return volumes, participants


def same_as_the_command(page: Page, subject: str, arguments: list[str], folder: Path) -> None:
    """The table that the page lets out has the numbers that the command writes, to the last."""
    shown = pd.read_csv(download(page, TABLE).path(), float_precision="round_trip")
    output = folder / "told.csv"
    command = ["counterfactual", *arguments, "--intervals", "--output", str(output)]
    assert CliRunner().invoke(command_line, command).exit_code == 0
    told = pd.read_csv(output, float_precision="round_trip", dtype={"subject_id": str})
    told = told.set_index("subject_id").loc[subject]
    assert len(shown) == 139
    for column, name in (("healthy_twin_mm3", "healthy"), ("effect_sd", "effect")):
        assert shown[column].tolist() == [told[f"{name}_{index}"] for index in shown["roi"]]


def test_own_people_from_two_files_to_twins_and_to_a_model_of_their_own(
    visit: Visit, own_files: tuple[Path, Path], tmp_path: Path
):
    volumes, participants = own_files
    people = pd.read_csv(participants, dtype=str, sep=None, engine="python")
    subject = people["MRID"].iloc[-1]
    files = ["--volumes", str(volumes), "--participants", str(participants)]

    page = visit()
    page.get_by_role("button", name="Use my own table").click()
    heading(page, "Data")
    settle(page)
    page.locator("input[type=file]").first.set_input_files(volumes)
    expect(page.get_by_text("add the participants file above")).to_be_visible(timeout=SETTLE_MS)
    settle(page)
    page.locator("input[type=file]").nth(1).set_input_files(participants)
    page.get_by_role("button", name=re.compile("Use these|Open Latent")).click(timeout=SETTLE_MS)
    expect(page.get_by_test_id("stSidebar")).to_contain_text(f"{len(people)} people")

    follow(page, "Latent space")
    page.get_by_role("combobox", name="Add a person by id").focus()
    page.keyboard.type(subject)
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 person selected")).to_be_visible(timeout=SETTLE_MS)
    settle(page)
    page.get_by_role("button", name="Show their twins").click()
    heading(page, "Counterfactual")
    expect(page.get_by_role("combobox", name="Person")).to_have_value(re.compile(subject))
    same_as_the_command(page, subject, files, tmp_path)

    follow(page, "Cohort")
    picture = page.locator(".st-key-pairs_picture")
    expect(picture).to_contain_text("Loaded", timeout=SETTLE_MS)
    pairs = pd.read_csv(download(page, "Download 1,000 pairs").path())
    assert pairs.groupby("pair_id").size().eq(2).all()

    follow(page, "Train")
    page.get_by_text("All settings").click()
    set_number(page, "Epochs", 20)
    page.get_by_role("textbox", name="Name of the model").fill("ours")
    page.keyboard.press("Tab")
    settle(page)
    page.get_by_role("button", name="Train", exact=True).click()
    heading(page, "Finished: ours", 2 * TRAINED_MS)
    page.get_by_role("button", name="Use this model on every page").click()
    expect(page.get_by_text("Every page now shows this model.")).to_be_visible(timeout=SETTLE_MS)
    with zipfile.ZipFile(download(page, MODEL).path()) as archive:
        archive.extractall(tmp_path / "model")
    folder = next((tmp_path / "model").rglob("config.json")).parent

    follow(page, "Counterfactual")
    expect(page.get_by_role("combobox", name="Model")).to_have_value("ours")
    expect(page.get_by_role("combobox", name="Person")).to_have_value(re.compile(subject))
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=SETTLE_MS)
    same_as_the_command(page, subject, [*files, "--model", str(folder)], tmp_path)


def reach(page: Page, place: Locator) -> None:
    """Press Tab as often as it takes to stand there."""
    for _ in range(120):
        if place.count() and place.evaluate("place => place.matches(':focus')"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {place}")


def test_the_keyboard_alone_gets_from_the_demo_to_a_twin_and_both_downloads(visit: Visit):
    page = visit()
    reach(page, page.get_by_role("button", name="Start with the demo cohort"))
    page.keyboard.press("Enter")
    heading(page, "Latent space")
    expect(page.get_by_role("combobox", name="Add a person by id")).to_be_visible(timeout=SETTLE_MS)
    settle(page)
    reach(page, page.get_by_role("combobox", name="Add a person by id"))
    page.keyboard.type("demo-007")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 person selected")).to_be_visible(timeout=SETTLE_MS)
    settle(page)
    reach(page, page.get_by_role("button", name="Show their twins"))
    page.keyboard.press("Enter")
    heading(page, "Counterfactual")
    expect(page.get_by_role("combobox", name="Person")).to_have_value(re.compile("demo-007"))
    settle(page)
    reach(page, page.get_by_role("slider", name="s1"))
    page.keyboard.press("ArrowRight")
    imagined = page.get_by_text("now is imagined, not measured")
    expect(imagined).to_be_visible(timeout=SETTLE_MS)
    settle(page)
    reach(page, page.get_by_role("button", name="Reset to this person"))
    page.keyboard.press("Enter")
    expect(imagined).to_have_count(0, timeout=SETTLE_MS)
    settle(page)
    reach(page, page.get_by_role("button", name=TABLE))
    with page.expect_download(timeout=SETTLE_MS) as waiting:
        page.keyboard.press("Enter")
    assert waiting.value.suggested_filename == "demo-007_healthy_twin.csv"
    assert len(pd.read_csv(waiting.value.path())) == 139

    reach(page, page.get_by_test_id("stSidebar").get_by_role("link", name="Cohort"))
    page.keyboard.press("Enter")
    heading(page, "Cohort")
    pairs = page.get_by_role("button", name="Download 1,000 pairs")
    expect(pairs).to_be_visible(timeout=SETTLE_MS)
    settle(page)
    reach(page, pairs)
    with page.expect_download(timeout=SETTLE_MS) as waiting:
        page.keyboard.press("Enter")
    assert len(pd.read_csv(waiting.value.path())) == 2000


def test_back_and_forward_keep_the_people_and_the_model(visit: Visit):
    page = visit()
    page.get_by_role("button", name="Start with the demo cohort").click()
    heading(page, "Latent space")
    settle(page)
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="semi-synthetic").click()
    settle(page)
    follow(page, "Counterfactual")
    for go, title in ((page.go_back, "Latent space"), (page.go_forward, "Counterfactual")):
        go()
        heading(page, title)
        settle(page)
        expect(page.get_by_test_id("stSidebar")).to_contain_text("300 people")
        expect(page.get_by_role("combobox", name="Model")).to_have_value("semi-synthetic")
        expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=SETTLE_MS)
