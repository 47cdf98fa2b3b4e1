"""A training as a film: people held out, who part while it learns, and curves, all in the browser.

Each second the browser is sent the last looks, and lets people glide from one to the next; when the
training has ended it is sent the whole, which can be played again.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.components import v2

from cavae.jobs import Job
from cavae.plots.colors import GREY, group_color
from cavae.plots.training import COHORTS, learning_panels, term_panels
from cavae.scatter import Scatter

FOLDER = Path(__file__).parent
SCRIPTS = ("curves.js", "people.js", "film.js")
RECENT = 25  # looks that are sent while it goes on; about ten are new each second
MARKS = {"background": "circle", "target": "square"}
TITLES = {"common": "Common z: should mix", "salient": "Salient s: should part"}


def mount(job: Job, looks: Sequence[Scatter]) -> None:
    """Draw a job with a history, and its people if they are still in memory."""
    html, css = (_read(f"film.{kind}") for kind in ("html", "css"))
    script = "\n".join(_read(name) for name in SCRIPTS)
    component = v2.component("film", html=html, css=css, js=script)
    component(key="film", data=film_data(job, looks))


def film_data(job: Job, looks: Sequence[Scatter]) -> dict[str, Any]:
    """All that the browser draws, as plain JSON types."""
    sent = looks if job.ended else looks[-RECENT:]
    return {
        "job": job.id,
        "ended": job.ended,
        "best": job.history[-1]["best_epoch"],
        "until": job.history[-1]["epoch"],
        "learning": learning_panels(job.history),
        "terms": term_panels(job.history),
        "titles": TITLES,
        "groups": [{"color": group_color(cohort)} for cohort in COHORTS],
        "isTarget": looks[-1].is_target.astype(int).tolist() if looks else [],
        "frames": [_frame(look) for look in sent],
        "key": [
            *(
                {"label": label, "color": group_color(cohort), "mark": MARKS[cohort]}
                for cohort, label in COHORTS.items()
            ),
            {"label": "other real people, or a coin toss", "color": GREY, "mark": "dashes"},
            {"label": "the best epoch", "color": GREY, "mark": "dots"},
        ],
    }


def _frame(look: Scatter) -> dict[str, Any]:
    spaces = {"common": look.common}
    if look.salient.any():  # The conditional variant has but a label there.
        spaces["salient"] = look.salient
    auc = {"common": look.leakage_auc, "salient": look.separation_auc}
    return {
        "epoch": look.epoch,
        "auc": {space: None if np.isnan(value) else value for space, value in auc.items()},
        **{space: _hundredths(seen) for space, seen in spaces.items()},
    }


def _hundredths(seen: np.ndarray) -> str:
    """Positions (n, 2) as base64 of 16-bit integers, which is a tenth of their text."""
    limited = np.clip(np.round(100 * seen), -32_000, 32_000)
    return base64.b64encode(limited.astype("<i2").tobytes()).decode("ascii")


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
