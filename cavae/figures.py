"""The paper's figures by name, 2a to A5, of the semi-synthetic experiment and of real people.

Each is a picture to look at, a caption, and the table that it was drawn from.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cavae.atlas import are_regions, rois
from cavae.plots import plot_distributions, plot_latent_matrix, plot_severity
from cavae.plots.ablation import plot_common_auc_by_variant, plot_completeness_by_variant
from cavae.plots.latent import without_webgl
from cavae.plots.layout import feature_label
from cavae.simulation import DIAGNOSES

if TYPE_CHECKING:
    from cavae.fitted import FittedModel
    from cavae.simulation import SemiSynthetic
    from cavae.synthesis import Encoding, Twins

SIMULATED, REAL, ABLATION = "semi-synthetic", "real", "ablation"
SPACES = {"common": "Common z", "salient": "Salient s"}
ACROSS = 4
"""Regions side by side in one picture."""
DECIMALS = 4  # of SD in a table to take away


@dataclass(frozen=True)
class Words:
    """What a figure of the paper is: its name there, title, what it is drawn from (SIMULATED, REAL
    or ABLATION), caption, and what to look for; regions by MUSE name without the side."""

    name: str
    title: str
    source: str
    caption: str
    look_for: str
    regions: tuple[str, ...] = ()


DISTRIBUTIONS = (
    "Distribution of standardized volumes in healthy people (background) and patients (target): "
    "{} above, generated pairs below."
)
LATENTS = (
    "Everyone's common z and salient s, each dimension against each other, and its density on the "
    "diagonal."
)
SAME = (
    "The lower row should look like the upper one: as wide, and with the same difference between "
    "the groups."
)
OVERLAP = "Groups should lie on each other in common z and part in salient s."
FIGURES = (
    Words(
        "2a",
        "Volumes, semi-synthetic",
        SIMULATED,
        DISTRIBUTIONS.format("semi-synthetic test people"),
        f"{SAME} Subtypes S1 and S2 shrink the hippocampus, S1 alone the amygdala.",
        ("Hippocampus", "Amygdala"),
    ),
    Words(
        "2b",
        "Latents, semi-synthetic",
        SIMULATED,
        LATENTS,
        "All should lie on each other in common z; in salient s healthy people stay together and "
        "the subtypes S1 to S3 part.",
    ),
    Words(
        "3a",
        "Volumes, real people",
        REAL,
        DISTRIBUTIONS.format("loaded people"),
        f"{SAME} Real groups overlap widely.",
        ("Hippocampus", "Amygdala"),
    ),
    Words("3b", "Latents, real people", REAL, LATENTS, OVERLAP),
    Words(
        "4a",
        "Latents by diagnosis",
        REAL,
        LATENTS,
        "In salient s MCI should lie between CN, which it overlaps, and AD.",
    ),
    Words(
        "4b",
        "Severity by diagnosis",
        REAL,
        "Mean absolute difference (MAD) between a person and the healthy twin decode(z, 0), over "
        "all regions.",
        "It should rise from CN to MCI to AD; groups overlap, so it diagnoses nobody.",
    ),
    Words(
        "A1a",
        "Leakage by variant",
        ABLATION,
        "Area under the ROC curve of a logistic regression that tells patients from healthy people "
        "by common z, for each fold and variant.",
        "0.5 is best: no disease in common z. The paper has 0.549 at λ = 10.",
    ),
    Words(
        "A1b",
        "Subtypes found by variant",
        ABLATION,
        "Completeness of four clusters of salient s against the three subtypes and the healthy, "
        "for each fold and variant.",
        "1 is best: everyone of a subtype in one cluster. The paper has 0.315 at λ = 10.",
    ),
    Words(
        "A2",
        "More volumes, semi-synthetic (1)",
        SIMULATED,
        DISTRIBUTIONS.format("semi-synthetic test people"),
        SAME,
        (
            "TemporalPole",
            "AngularGyrus",
            "EntorhinalArea",
            "FrontalOperculum",
            "InferiorTemporalGyrus",
            "LateralOrbitalGyrus",
            "MedialFrontalCortex",
        ),
    ),
    Words(
        "A3",
        "More volumes, semi-synthetic (2)",
        SIMULATED,
        DISTRIBUTIONS.format("semi-synthetic test people"),
        SAME,
        (
            "MiddleFrontalGyrus",
            "MiddleOccipitalGyrus",
            "OpercularPartInferiorFrontalGyrus",
            "ParahippocampalGyrus",
            "PosteriorInsula",
            "ParietalOperculum",
            "SupramarginalGyrus",
        ),
    ),
    Words(
        "A4",
        "More volumes, real people (1)",
        REAL,
        DISTRIBUTIONS.format("loaded people"),
        f"{SAME} These are regions of the temporal lobe, where Alzheimer's disease begins.",
        ("EntorhinalArea", "ParahippocampalGyrus", "TemporalPole", "InferiorTemporalGyrus"),
    ),
    Words(
        "A5",
        "More volumes, real people (2)",
        REAL,
        DISTRIBUTIONS.format("loaded people"),
        f"{SAME} These regions are affected later or hardly at all.",
        ("Precuneus", "PosteriorCingulateGyrus", "SupramarginalGyrus", "ThalamusProper"),
    ),
)
"""In the order of the paper. A2 and A3 are the other regions of its Table 1."""
NAMES = tuple(one.name for one in FIGURES)
FOLD_PLOTS = {
    "A1a": ("common_auc", plot_common_auc_by_variant),
    "A1b": ("completeness", plot_completeness_by_variant),
}


@dataclass(frozen=True)
class Picture:
    """One drawing of a figure; title "" when the figure has only one."""

    title: str
    drawing: go.Figure


@dataclass(frozen=True)
class PaperFigure:
    """A figure of the paper, made with our models: words, whom it shows, its data, and how it is
    drawn, which takes longer than all the rest."""

    words: Words
    people: str
    table: pd.DataFrame
    draw: Callable[[], tuple[Picture, ...]]

    @property
    def file_name(self) -> str:
        """`figure_2a.csv`"""
        return f"figure_{self.words.name}.csv"


@dataclass(frozen=True)
class Scene:
    """One experiment, as figures need it: people as a model sees them, and pairs that it makes.

    source: SIMULATED or REAL; people: who they are, in a sentence. latents has one row a person:
    subject_id, group ("background", "target", "" for neither), label (subtype or diagnosis),
    common_1…, salient_1…, and mad (SD) of real people. measured (the same rows) and generated have
    the group and the regions by MUSE index, SD.
    """

    source: str
    model: str
    people: str
    latents: pd.DataFrame
    measured: pd.DataFrame
    generated: pd.DataFrame


def words(name: str) -> Words:
    """What the figure of that name is; one of NAMES."""
    return next(one for one in FIGURES if one.name == name)


def draw_figure(name: str, scene: Scene) -> PaperFigure:
    """Make a figure of the semi-synthetic experiment or of real people."""
    about = words(name)
    if about.regions:
        return _distributions(about, scene)
    return _severity(about, scene) if name == "4b" else _latents(about, scene)


def draw_folds(name: str, folds: pd.DataFrame, people: str) -> PaperFigure:
    """Make A1a or A1b from the folds that `ablation` writes: variant, fold, metric, value."""
    metric, plot = FOLD_PLOTS[name]
    table = folds[folds["metric"] == metric].reset_index(drop=True)
    return PaperFigure(words(name), people, table, lambda: (Picture("", plot(folds)),))


# --------------------------------------------------------------------------- scenes


def simulated_scene(model: FittedModel, simulated: SemiSynthetic, name: str, people: str) -> Scene:
    """The test people of a semi-synthetic experiment, encoded as `evaluate` does, and its pairs."""
    from cavae.synthesis import encode

    parts = {"background": simulated.background["test"], "target": simulated.target["test"]}
    encodings = {group: encode(model, cohort) for group, cohort in parts.items()}
    latents = pd.concat(
        [
            _people(encoding).assign(group=group, label=parts[group].extra["subtype"].to_numpy(str))
            for group, encoding in encodings.items()
        ],
        ignore_index=True,
    )
    standardized = np.concatenate([one.standardized for one in encodings.values()])
    return _scene(model, SIMULATED, name, people, latents, standardized)


def cohort_scene(model: FittedModel, twins: Twins, name: str, people: str) -> Scene:
    """People of a table, by their diagnoses, and the pairs of a model of such people."""
    encoding = twins.encoding
    diagnosis = encoding.subjects["diagnosis"].to_numpy(str)
    groups = dict.fromkeys(model.training.background, "background")
    groups |= dict.fromkeys(model.training.target, "target")
    latents = _people(encoding).assign(
        group=[groups.get(label, "") for label in diagnosis], label=diagnosis, mad=twins.mad
    )
    return _scene(model, REAL, name, people, latents, encoding.standardized)


def _people(encoding: Encoding) -> pd.DataFrame:
    return pd.concat([encoding.subjects[["subject_id"]], encoding.latents()], axis=1)


def _scene(
    model: FittedModel,
    source: str,
    name: str,
    people: str,
    latents: pd.DataFrame,
    standardized: np.ndarray,
) -> Scene:
    from cavae.simulation_evaluation import PAIRS, SEED
    from cavae.synthesis import SampleRequest, sample_pairs

    measured = pd.DataFrame(standardized, columns=list(model.config.features))
    pairs = sample_pairs(model, SampleRequest(PAIRS, SEED, standardized=True))
    return Scene(
        source, name, people, latents, measured.assign(group=latents["group"]), pairs.table()
    )


def fits_simulation(model: FittedModel) -> bool:
    """Whether a model is one of the semi-synthetic experiment: its labels, and brain regions."""
    labels = (DIAGNOSES["background"],), (DIAGNOSES["target"],)
    same = (tuple(model.training.background), tuple(model.training.target)) == labels
    return same and are_regions(model.config.features)


# --------------------------------------------------------------------------- drawings


def _distributions(about: Words, scene: Scene) -> PaperFigure:
    known = [index for index in _both_sides(about.regions) if index in scene.measured]
    measured = scene.measured[scene.measured["group"] != ""]
    table = pd.concat(
        [
            measured[["group", *known]].assign(people="measured"),
            scene.generated[["group", *known]].assign(people="generated"),
        ],
        ignore_index=True,
    )
    table = table[["people", "group", *known]].round(DECIMALS)
    rows = [known[start : start + ACROSS] for start in range(0, len(known), ACROSS)]
    return PaperFigure(
        about,
        scene.people,
        table,
        lambda: tuple(Picture("", _densities(measured, scene.generated, row)) for row in rows),
    )


def _densities(measured: pd.DataFrame, generated: pd.DataFrame, shown: list[str]) -> go.Figure:
    drawing = plot_distributions(
        measured if len(measured) else None, generated, shown, height=330 if len(measured) else 230
    )
    rows = ["Measured", "Generated"] if len(measured) else ["Generated"]
    for row, name in enumerate(rows, start=1):
        drawing.update_yaxes(title_text=f"{name}<br>density (1/SD)", row=row, col=1)
    for column, index in enumerate(shown, start=1):
        title = "<br>".join(textwrap.wrap(f"{feature_label(index)} (SD)", 22))
        drawing.update_xaxes(title_text=title, row=len(rows), col=column)
    return drawing


def _both_sides(names: tuple[str, ...]) -> list[str]:
    """MUSE indices of regions, left before right."""
    index = {one.name: one.index for one in rois()}
    return [index[f"{name}_{side}"] for name in names for side in "LR"]


def _harmless(table: pd.DataFrame) -> pd.DataFrame:
    """The table with words that a picture writes as they are, HTML or not."""
    text = [name for name in ("subject_id", "label", "diagnosis") if name in table]
    return table.assign(**{name: table[name].map(partial(escape, quote=False)) for name in text})


def _latents(about: Words, scene: Scene) -> PaperFigure:
    """Coloured by group in 3b, by diagnosis in 4a, by subtype in 2b."""
    color = "group" if about.name == "3b" else "label"
    head = ["subject_id", "group", "label"]
    spaces = {
        title: [name for name in scene.latents if name.startswith(f"{space}_")]
        for space, title in SPACES.items()
    }
    table = scene.latents[[*head, *chain.from_iterable(spaces.values())]]

    def draw() -> tuple[Picture, ...]:
        harmless = _harmless(table)
        matrices = {
            title: plot_latent_matrix(harmless, columns, color=color, height=520)
            for title, columns in spaces.items()
        }
        return tuple(Picture(title, without_webgl(one)) for title, one in matrices.items())

    return PaperFigure(about, scene.people, table.round(DECIMALS), draw)


def _severity(about: Words, scene: Scene) -> PaperFigure:
    table = scene.latents[["subject_id", "label", "mad"]].rename(columns={"label": "diagnosis"})
    return PaperFigure(
        about,
        scene.people,
        table.round(DECIMALS),
        lambda: (Picture("", plot_severity(_harmless(table), "mad", "diagnosis")),),
    )
