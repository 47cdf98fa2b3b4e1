"""A model while it learns, as panels of curves: how near it comes to people held out, how well its
latents tell them apart, and each term of its loss.

Panels are plain JSON types, which the browser draws (ui/film): a picture of plotly is made anew
each time that it changes, which flickers once a second.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cavae.plots.colors import GREY, OTHERS, group_color

History = Mapping[str, Any]
Panel = dict[str, Any]

COHORTS = {"background": "Healthy", "target": "Disease"}
SPACES = {"leakage_auc": "z", "separation_auc": "s"}
MOST = 400  # points of a curve


@dataclass(frozen=True)
class Term:
    """A term of the loss; end: what stands at the end of its curve."""

    key: str
    cohort: str = ""
    end: str = ""
    dash: bool = False


PANELS = {
    "Reconstruction": (
        Term("background_reconstruction", "background"),
        Term("target_reconstruction", "target"),
    ),
    "KL to the prior": (
        Term("background_common_kl", "background"),
        Term("target_common_kl", "target", "z"),
        Term("target_salient_kl", "target", "s", dash=True),
    ),
    "Unlikeness of z (MMD)": (Term("mmd"),),
    "Total correlation": (Term("total_correlation"),),
    "Salient silence": (Term("salient_silence", "background"),),
}
"""The terms of the loss, those of one meaning together, by the title of their panel."""


def learning_panels(history: Sequence[History]) -> list[Panel]:
    """What is learned, over epochs, from entries as `jobs.Job.history` has them, at least one.

    The squared 2-Wasserstein distance of generated to validation people (SD²), with that of real
    people as a level, and the AUC with which common z and salient s tell the cohorts apart.
    """
    looks = _some([entry for entry in history if entry["w2_target"] is not None])
    distances = [
        _line(looks, f"w2_{cohort}", label, group_color(cohort))
        for cohort, label in COHORTS.items()
    ]
    floors = [
        {"color": group_color(cohort), "y": looks[-1][f"floor_{cohort}"]}
        for cohort in COHORTS
        if looks
    ]
    apart = [
        _line(looks, key, label, color, end=label)
        for (key, label), color in zip(SPACES.items(), OTHERS, strict=False)
        if any(entry[key] is not None for entry in looks)
    ]
    return [
        {
            "title": "Distance to people held out",
            "unit": "SD²",
            "log": True,
            "best": history[-1]["best_epoch"],
            "lines": distances,
            "levels": floors,
            "alt": _in_words("Distance to people held out, SD²", distances, floors),
        },
        {
            "title": f"Groups told apart by {' and '.join(line['label'] for line in apart) or 'z'}",
            "unit": "AUC",
            "low": 0.3,
            "high": 1.02,
            "lines": apart,
            "levels": [{"color": GREY, "y": 0.5}],
            "alt": _in_words("AUC of the groups", apart, ()),
        },
    ]


def term_panels(history: Sequence[History]) -> list[Panel]:
    """The terms of the loss (nats) over epochs, from entries as for `learning_panels`."""
    there = history[-1]["terms"]
    entries = [{"epoch": entry["epoch"], **entry["terms"]} for entry in _some(history)]
    panels = []
    for title, terms in PANELS.items():
        lines = [
            _line(
                entries,
                term.key,
                f"{COHORTS.get(term.cohort, '')} {term.end}".strip(),
                group_color(term.cohort) if term.cohort else GREY,
                term.end,
                term.dash,
            )
            for term in terms
            if term.key in there
        ]
        if lines:
            alt = _in_words(f"{title}, nats", lines, ())
            panels.append(
                {"title": title, "unit": "nats", "lines": lines, "levels": [], "alt": alt}
            )
    return panels


def _line(
    entries: Sequence[History], key: str, label: str, color: str, end: str = "", dash: bool = False
) -> dict[str, Any]:
    known = [entry for entry in entries if entry[key] is not None and math.isfinite(entry[key])]
    x, y = [entry["epoch"] for entry in known], [float(f"{entry[key]:.5g}") for entry in known]
    return {"label": label, "color": color, "end": end, "dash": dash, "x": x, "y": y}


def _in_words(title: str, lines: Sequence[Mapping[str, Any]], floors: Sequence[Any]) -> str:
    ends = [f"{line['label']} {line['y'][-1]:.3g}".strip() for line in lines if line["y"]]
    real = [f"{floor['y']:.3g}" for floor in floors]
    compared = f"; other real people {', '.join(real)}" if real else ""
    return f"{title}, by epoch; last: {', '.join(ends) or 'nothing yet'}{compared}."


def _some(entries: Sequence[History]) -> Sequence[History]:
    """At most MOST of them, the last among them: curves are sent again each second."""
    step = -(-len(entries) // MOST)
    return entries[(len(entries) - 1) % step :: step] if entries else entries
