"""What is kept of a visitor, where and for how long, and what a download can give away."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cavae import numbers
from cavae.checkpoint import model_facts
from cavae.errors import CavaeError
from cavae.jobs import MOST_FILMS
from cavae.limits import limits
from cavae.registry import Entry
from cavae.ui import registry
from cavae.ui.widgets import plain

FORGOTTEN = "two to three minutes after you close or reload the page"
ATTACKS = {
    "1,000 of its pairs": ("attack_distance", "attack_density"),
    "The model": ("attack_reconstruction", "attack_likelihood"),
}
NOT_MEASURED = "not measured"
READING = (
    "Take two people, one of whom the model learned from, and an attacker who has the volumes of "
    "both: so many times of 100 the strongest attack that was measured picks the right one. 50 is "
    "a guess, and 100 gives everyone away."
)


def show_kept() -> None:
    """What is kept, as a table."""
    rows = [(*row, _until(row[0])) for row in KEPT if not limits().demo or row[0] not in TAKEN_IN]
    table = pd.DataFrame(rows, columns=["What", "Where", "For how long"]).set_index("What")
    st.table(table, border="horizontal")


TABLE, MADE, JOB, FILM, LARGE, LOG = (
    "A table that you load, and all that is computed from it",
    "What you download",
    "What you train: the model, its settings and curves; they name your file, its groups and sites",
    "The film of a training: where people that it was measured on lie in z and s",
    "A synthetic cohort of many pairs, while it is made and downloaded",
    "The server's log",
)
ADDED, SHARED, BROWSER = (
    "A model that you add",
    "A copy of a model that you share",
    "In your browser",
)
TAKEN_IN = (TABLE, JOB, FILM, ADDED, SHARED)
KEPT = (
    (
        TABLE,
        "Memory of the server, in your session alone, and of the processes of a job until it ends",
    ),
    (MADE, "Memory of the server; then wherever you save it"),
    (LARGE, "Temporary folder of the server; no row is a person"),
    (JOB, "Storage of the server, under a key that nobody can guess; no row of a person"),
    (FILM, "Memory of the server, under the key of the job"),
    (ADDED, "Storage of the server, under a key that nobody can guess"),
    (SHARED, "Storage of the server; everybody who can open this app sees it"),
    (LOG, "Wherever the server's admin has it; numbers only: no names, ids, files, addresses"),
    (BROWSER, "A cookie that keeps others from sending in your name, and how your menu looks"),
)


def _until(what: str) -> str:
    """For how long something is kept, as the server's admin has it."""
    days = limits().keep_days
    deleted = "Until you delete it on page Models"
    kept = f"{deleted}, at most {days:,} days" if days else deleted
    return {
        TABLE: f"Until you load another, and {FORGOTTEN}",
        MADE: f"Until {FORGOTTEN}",
        LARGE: f"Until {FORGOTTEN}",
        JOB: f"{kept}; without a model, on its own page",
        FILM: f"Until {MOST_FILMS} others have been trained, or the server ends",
        ADDED: kept,
        SHARED: "Until you take it back" + _shared_until(days),
        LOG: "As the admin decides",
        BROWSER: "Until you close the browser, or clear its data",
    }[what]


def _shared_until(days: int) -> str:
    """Only who still has their own can take the copy back."""
    if not days:
        return ""
    if limits().delete_shared:
        return f", at most {days:,} days"
    return f"; {days:,} days after you made yours, only the server's admin can"


def show_revealed() -> None:
    """What each model, and a cohort that it makes, gives away about those it learned from."""
    rows = [_revealed(entry) for entry in registry.entries()]
    st.table(pd.DataFrame(rows).set_index("Model"), border="horizontal")
    st.caption(READING)


def _revealed(entry: Entry) -> dict[str, str]:
    from cavae.quality import Quality  # which brings torch

    row = {"Model": plain(entry.name), "Learned from": "not said"}
    row |= dict.fromkeys(ATTACKS, NOT_MEASURED)
    try:
        facts = model_facts(registry.address(entry))
        quality = Quality.from_facts(facts)
    except CavaeError:
        return row
    if people := sum(facts.get("people", {}).values()):
        row["Learned from"] = numbers.people(people)
    estimates = quality.estimates if quality else {}
    for name, keys in ATTACKS.items():
        if known := [estimates[key].value for key in keys if key in estimates]:
            row[name] = f"{100 * max(known):.0f} of 100"
    return row
