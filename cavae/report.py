"""All that is known of how good models are, to take away: one HTML file, or its numbers as CSV.

The file needs nothing but a browser: plotly.js is in it once, and nothing is fetched. The same
content gives the same bytes.
"""

from __future__ import annotations

import io
import shlex
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go
from plotly.io.json import to_json_plotly

from cavae import figures, findings
from cavae.atlas import ASSETS
from cavae.cohort import read_cohort
from cavae.figures import PaperFigure, Picture, Scene
from cavae.plots.forest import plot_forest
from cavae.tables import csv_bytes, whole_file

if TYPE_CHECKING:
    from cavae.checkpoint import Model
    from cavae.evaluation import Figure
    from cavae.simulation import SemiSynthetic
    from cavae.simulation_evaluation import SimulationFigures

TEMPLATE = ASSETS / "report.html"
DEMO = ASSETS / "demo_cohort.csv"
TITLE = "How good the models are"
LEAD = (
    "Every figure of merit beside its floor or best value and the paper's, Table A1, and the "
    "figures of the paper by name, made with the models of this project.",
    "For research and teaching. Not a diagnostic device.",
)
DEMO_PEOPLE = (
    "Shown are the 300 people of the demo cohort, whom the model made itself: they show how to "
    "read the picture, not how good the model is."
)
RECORDED = "Recorded when the model was made; its card says on whom."
NO_ABLATION = "No ablation is recorded. These commands make one:"
CLOCK = (1980, 1, 1, 0, 0, 0)
"""Time of the files in an archive: always the same, so that its bytes are."""
SIMULATED_COMMANDS = (
    "python -m cavae simulate --seed 1 --output simulated",
    "python -m cavae train --data simulated --output pretrained/semi-synthetic",
)
"""How to make a model of the semi-synthetic experiment."""
AXIS = {"gridcolor": "rgba(128,132,145,0.28)", "automargin": True, "title": {"standoff": 8}}


@dataclass(frozen=True)
class Measured:
    """One model: figures of merit as numbers, as text and as a forest, and pictures' people.

    legend: names of the filled dots, the upright lines and the hollow dots of the forest.
    """

    model: str
    card: str
    words: str
    commands: tuple[str, ...]
    numbers: pd.DataFrame
    text: pd.DataFrame
    forest: pd.DataFrame
    legend: tuple[str, str, str]
    scene: Scene | None

    def picture(self) -> go.Figure:
        """The forest, drawn."""
        return plot_forest(self.forest, *self.legend)


@dataclass(frozen=True)
class Section:
    """A part of the report."""

    title: str
    words: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[pd.DataFrame, ...] = ()
    code: tuple[str, ...] = ()
    markdown: str = ""


# --------------------------------------------------------------------------- one model


def measured_simulation(
    model: Model, merit: SimulationFigures, scene: Scene, commands: Sequence[str]
) -> Measured:
    """A model on the test people of a semi-synthetic experiment, of which `scene` is."""
    table = merit.table()
    return Measured(
        model=model.name,
        card=model.card,
        words=" ".join([scene.people, *merit.notices]),
        commands=tuple(commands),
        numbers=table,
        text=findings.measured_text(table),
        forest=findings.measured_forest(table),
        legend=(model.name, "what it should be", "paper, other people"),
        scene=scene,
    )


def measured_cohort(
    model: Model, scene: Scene | None, loaded: Sequence[Figure] = (), remark: str = ""
) -> Measured:
    """A model of real people: what its card records, and figures on the loaded people of `scene`.

    scene is None when the model knows other features than regions; remark is said beside it all.
    """
    table = findings.clinical_table(model.facts.get("figures", ()), loaded)
    words = [RECORDED, scene.people if loaded and scene else "", remark]
    return Measured(
        model=model.name,
        card=model.card,
        words=" ".join(word for word in words if word),
        commands=(),
        numbers=table,
        text=findings.clinical_text(table),
        forest=findings.clinical_forest(table),
        legend=("recorded", "best", "loaded people"),
        scene=scene,
    )


def report_of_simulation(
    model: Model, simulated: SemiSynthetic, merit: SimulationFigures, data: str
) -> Report:
    """What `evaluate --report` writes: this model on the folder `data`, the default model on the
    demo cohort, and the recorded ablation."""
    from cavae.checkpoint import load_model

    people = f"{_sizes(simulated)} test people of {data}."
    scene = figures.simulated_scene(model, simulated, model.name, people)
    real = load_model()
    return Report(
        measured_simulation(model, merit, scene, [evaluate_command(model.name, data)]),
        measured_cohort(real, demo_scene(real)),
        findings.recorded_ablation(),
    )


def seed_scene(model: Model, simulated: SemiSynthetic, seed: int) -> Scene:
    """The test people of a simulation made from a seed, as a model sees them."""
    people = (
        f"{_sizes(simulated)} test people of simulation seed {seed}: new to every model that was "
        "not trained on this seed."
    )
    return figures.simulated_scene(model, simulated, model.name, people)


def _sizes(simulated: SemiSynthetic) -> str:
    healthy, diseased = len(simulated.background["test"]), len(simulated.target["test"])
    return f"{healthy} healthy and {diseased} diseased"


def demo_scene(model: Model) -> Scene:
    """The bundled demo cohort; raises DataError when the model needs regions that it lacks."""
    from cavae.synthesis import encode, healthy_twins

    cohort = read_cohort(DEMO).cohort
    twins = healthy_twins(model, encode(model, cohort))
    return figures.cohort_scene(model, twins, model.name, DEMO_PEOPLE)


def simulation_commands(model: str, seed: int) -> tuple[str, str]:
    """The command line that measures a model on the people of a seed."""
    return (
        f"python -m cavae simulate --seed {seed} --output simulated",
        evaluate_command(model, "simulated"),
    )


def evaluate_command(model: str, folder: str) -> str:
    """The command line that measures a model on a folder of `simulate`."""
    return shlex.join(["python", "-m", "cavae", "evaluate", "--model", model, "--data", folder])


# --------------------------------------------------------------------------- everything


@dataclass(frozen=True)
class Report:
    """What goes into the file: a semi-synthetic model, one of real people, and the ablation."""

    simulated: Measured | None = None
    real: Measured | None = None
    ablation: findings.Ablation | None = None

    def figure(self, name: str) -> PaperFigure | None:
        """A figure of the paper, or None when what it shows is not at hand."""
        source = figures.words(name).source
        if source == figures.ABLATION:
            return self.ablation and fold_figure(name, self.ablation)
        measured = self.simulated if source == figures.SIMULATED else self.real
        return scene_figure(name, measured and measured.scene)

    def figures(self) -> list[PaperFigure]:
        """All figures at hand, in the order of the paper."""
        return [one for name in figures.NAMES if (one := self.figure(name)) is not None]

    def html(self) -> str:
        """The report as one HTML file."""
        return _html(
            [*self._models(), self._table_a1(), *map(_figure, self.figures()), *self._cards()]
        )

    def tables(self) -> dict[str, pd.DataFrame]:
        """The numbers behind everything, by file name."""
        found = {f"metrics_{one.model}.csv": one.numbers for one in self._measured()}
        if self.ablation is not None:
            found["table_a1.csv"] = self.ablation.table
        return found | {one.file_name: one.table for one in self.figures()}

    def archive(self) -> bytes:
        """All `tables` as CSV files in one ZIP archive."""
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, table in self.tables().items():
                archive.writestr(
                    zipfile.ZipInfo(name, CLOCK), csv_bytes(table), zipfile.ZIP_DEFLATED
                )
        return stream.getvalue()

    def _measured(self) -> list[Measured]:
        return [one for one in (self.simulated, self.real) if one is not None]

    def _models(self) -> list[Section]:
        return [
            Section(
                f"Model {one.model}",
                (one.words,),
                (Picture("", one.picture()),) if len(one.forest) else (),
                (one.text,),
                one.commands,
            )
            for one in self._measured()
        ]

    def _table_a1(self) -> Section:
        title, commands = "Table A1", findings.ABLATION_COMMANDS
        if self.ablation is None:
            return Section(title, (NO_ABLATION,), code=commands)
        picture = Picture("", table_a1_picture(self.ablation))
        words = findings.NOT_THE_PAPERS_PEOPLE, findings.RECORDED
        return Section(title, words, (picture,), a1_tables(self.ablation), commands)

    def _cards(self) -> list[Section]:
        return [Section(f"Card of {one.model}", markdown=one.card) for one in self._measured()]


def scene_figure(name: str, scene: Scene | None) -> PaperFigure | None:
    """A figure of people; None without them."""
    return None if scene is None else figures.draw_figure(name, scene)


def fold_figure(name: str, ablation: findings.Ablation) -> PaperFigure:
    """A1a or A1b of the recorded ablation."""
    return figures.draw_folds(name, ablation.folds, findings.RECORDED)


def table_a1_picture(ablation: findings.Ablation) -> go.Figure:
    """Table A1 as a forest: ours filled, the paper's hollow, our floor or real value upright."""
    rows = findings.a1_forest(ablation.table)
    return plot_forest(
        rows, "ours", "our floor or real value", "paper, other people", stacked=False
    )


def a1_tables(ablation: findings.Ablation) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table A1 and what else was measured of each variant, as people read them."""
    return findings.a1_text(ablation.table), findings.beside_a1_text(ablation.table)


def _figure(one: PaperFigure) -> Section:
    about = one.words
    return Section(
        f"Figure {about.name}: {about.title}",
        (about.caption, about.look_for, one.people),
        one.draw(),
    )


# --------------------------------------------------------------------------- files


def save_report(html: str, path: Path) -> None:
    """Write the report whole or not at all; raises DataError."""
    with whole_file(path) as stream:
        stream.write(html.encode("utf-8"))


def _html(sections: Sequence[Section]) -> str:
    """Fill the template in: all text is escaped, and Markdown may hold no HTML."""
    from jinja2 import Environment, StrictUndefined
    from plotly.offline import get_plotlyjs

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        title=TITLE, lead=LEAD, sections=[_filled(one) for one in sections], plotly=get_plotlyjs()
    )


def _filled(section: Section) -> Mapping[str, Any]:
    return {
        "title": section.title,
        "words": [line for line in section.words if line],
        "pictures": [{"title": one.title, "json": _json(one.drawing)} for one in section.pictures],
        "tables": section.tables,
        "code": section.code,
        "html": _rendered(section.markdown),
    }


def _json(drawing: go.Figure) -> str:
    """A picture as JSON that cannot end the script element it stands in."""
    shown = drawing.to_dict()
    shown["layout"]["template"] = {"layout": {"xaxis": AXIS, "yaxis": AXIS}}
    return to_json_plotly(shown).replace("<", "\\u003c").replace(">", "\\u003e")


def _rendered(markdown: str) -> str:
    """Markdown as HTML, with HTML in it escaped; its headings go below those of the report."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
    return parser.renderer.render(tokens, parser.options, {})
