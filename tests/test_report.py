"""The report: one file that needs nothing, says everything, and does no harm."""

import io
import json
import re
import sys
import zipfile
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from cavae import __main__ as commands
from cavae import figures, findings, paper, report
from cavae.ablation import FOLD_COLUMNS, TABLE_COLUMNS
from cavae.checkpoint import load_model
from cavae.simulation import read_simulation, simulate
from cavae.simulation_evaluation import evaluate_simulation
from cavae.synthesis import encode, healthy_twins
from tests.people import make_cohort

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def ablation() -> findings.Ablation:
    table = [
        (paper.LAMBDA_10, "w2_target", 72.0, 70.0, 74.0),
        (EVIL, "w2_target", 11.0, 10.0, 12.0),
    ]
    folds = [(paper.LAMBDA_10, k, m, 0.5) for k in range(3) for m in ("common_auc", "completeness")]
    return findings.Ablation(
        pd.DataFrame(table, columns=list(TABLE_COLUMNS)),
        pd.DataFrame(folds, columns=list(FOLD_COLUMNS)),
    )


@pytest.fixture(scope="module")
def simulated(semi_synthetic) -> report.Measured:
    data, folder = semi_synthetic
    model, people = load_model(folder), read_simulation(data)
    merit = evaluate_simulation(model, people, resamples=0)
    scene = report.seed_scene(model, people, 3)
    return report.measured_simulation(
        model, merit, scene, report.simulation_commands(model.name, 3)
    )


@pytest.fixture(scope="module")
def real(tiny_model) -> report.Measured:
    """A model with a hostile card, and hostile people."""
    cohort = make_cohort(seed=2)
    subjects = cohort.subjects.assign(subject_id=cohort.subjects["subject_id"] + EVIL)
    subjects.loc[3:9, "diagnosis"] = EVIL
    cohort = replace(cohort, subjects=subjects)
    model = replace(tiny_model, card=f"# Card\n\n{EVIL}\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n")
    twins = healthy_twins(model, encode(model, cohort))
    scene = figures.cohort_scene(model, twins, model.name, f"people of {EVIL}.csv")
    return report.measured_cohort(model, scene, remark=f"{EVIL}.csv is said beside it")


@pytest.fixture(scope="module")
def whole(simulated, real, ablation) -> report.Report:
    return report.Report(simulated, real, ablation)


@pytest.fixture(scope="module")
def html(whole) -> str:
    return whole.html()


def without_plotly(html: str) -> str:
    from plotly.offline import get_plotlyjs

    assert html.count(get_plotlyjs()) == 1
    return html.replace(get_plotlyjs(), "")


def elements(html: str) -> list[tuple[str, dict[str, str | None]]]:
    """Every element of a page as a browser finds it: its name and attributes."""
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.append((tag, dict(attrs)))

    Reader().feed(html)
    return found


def test_everything_is_in_it(html):
    for name in figures.NAMES:
        assert f"Figure {name}: " in html
    for words in ("Table A1", "W2, generated to real target", "common z, AUC (leakage)"):
        assert words in html
    assert "python -m cavae simulate --seed 3 --output simulated" in html
    assert "<td>1</td>" in html  # the table of a card


def test_it_says_how_many_people_were_measured_and_which_dot_is_which(semi_synthetic):
    people = read_simulation(semi_synthetic[0])
    fewer = replace(people, target={"test": people.target["test"].select([0, 1])})
    scene = report.seed_scene(load_model(semi_synthetic[1]), fewer, 3)
    healthy = len(people.background["test"])
    assert scene.people.startswith(f"{healthy} healthy and 2 diseased test people of simulation")
    drawn = report.measured_cohort(load_model(), None).picture().data
    named = {one.marker.symbol: one.name for one in drawn}
    assert named == {"circle": "recorded", "line-ns": "best"}


def test_it_is_one_file_that_asks_for_nothing(html):
    assert len(html) < 10_000_000
    assert "default-src 'none'" in html
    for _, attributes in elements(html):
        assert "src" not in attributes
        assert attributes.get("href", "#").startswith("#")


def test_nothing_of_a_table_or_a_card_becomes_a_part_of_the_page(html):
    found = elements(html)
    pictures = [one for one in found if one[1].get("class") == "plot"]
    assert len([tag for tag, _ in found if tag == "script"]) == len(pictures) + 2
    assert "img" not in {tag for tag, _ in found}
    assert not {name for _, attributes in found for name in attributes if name.startswith("on")}
    assert without_plotly(html).count("&lt;script&gt;alert(1)") > 2


def test_its_pictures_are_json(html):
    drawings = re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert len(drawings) > 20
    assert all(json.loads(one)["data"] for one in drawings)


def test_the_same_findings_give_the_same_bytes(whole, html):
    assert whole.html() == html
    assert whole.archive() == whole.archive()


def test_the_archive_holds_every_table(whole):
    with zipfile.ZipFile(io.BytesIO(whole.archive())) as archive:
        names = archive.namelist()
        table = pd.read_csv(archive.open("figure_4b.csv"))
    wanted = {f"figure_{name}.csv" for name in figures.NAMES} | {"table_a1.csv"}
    assert wanted < set(names)
    assert len([name for name in names if name.startswith("metrics_")]) == 2
    assert len(table) == 100


def test_what_is_not_at_hand_is_left_out_and_the_ablation_says_how(real):
    alone = report.Report(real=real)
    page = without_plotly(alone.html())
    assert "Figure 3a" in page
    assert "Figure 2a" not in page
    assert findings.ABLATION_COMMANDS[1] in page
    assert alone.figure("2b") is None
    assert alone.figure("A1a") is None


def test_a_seed_gives_what_the_commands_give(semi_synthetic):
    data, folder = semi_synthetic
    model = load_model(folder)
    from_seed = evaluate_simulation(model, simulate(390, 3), resamples=0)
    assert from_seed.answer() == evaluate_simulation(model, read_simulation(data), 0).answer()


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["cavae", *map(str, words)])
    status = commands.main()
    return status, capsys.readouterr()


def test_evaluate_writes_it_beside_its_answer(semi_synthetic, tmp_path, monkeypatch, capsys):
    data, model = semi_synthetic
    words = ("evaluate", "--model", model, "--data", data, "--json")
    file = tmp_path / "report.html"
    status, said = run(monkeypatch, capsys, *words, "--report", file)
    assert status == 0
    assert json.loads(said.out).keys() >= {"w2_target", "coverage90"}
    page = file.read_text(encoding="utf-8")
    assert f"Model {model.name}" in page
    assert "Model ad-mci" in page
    assert "Figure 3a" in page


def test_a_report_of_another_format_is_refused_before_the_work(
    semi_synthetic, tmp_path, monkeypatch, capsys
):
    data, model = semi_synthetic
    words = ("evaluate", "--model", model, "--data", data, "--report", tmp_path / "report.pdf")
    status, said = run(monkeypatch, capsys, *words)
    assert status == 2
    assert "accepted: .html" in said.err
    assert not list(tmp_path.iterdir())
