"""What was understood of a table: how many people, which column is what, and what to do next."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from cavae.atlas import rois
from cavae.numbers import counted, people, volume, years
from cavae.plots import group_order
from cavae.ui import glossary, state, uploads
from cavae.ui.widgets import plain

if TYPE_CHECKING:
    from cavae.cohort import Check, Cohort

COVARIATES = {
    "id": "Person",
    "age": "Age",
    "sex": "Sex",
    "icv": "ICV",
    "diagnosis": "Diagnosis",
    "site": "Site",
}
NEEDED = ("age", "sex")
NOBODY, NOT_GIVEN = "–", "not given"
MOST_LABELS, MOST_DOUBTS = 6, 4
UNLISTED = "more"  # rule of the problem that only counts the rest


def show_counts(check: Check) -> None:
    """How many people, how many the model in use can read, and which columns hold the features."""
    everyone, usable, features, names = st.columns([2, 2, 3, 4])
    everyone.metric("People", f"{check.rows:,}")
    if check.usable and uploads.lacking(check):  # Good rows, and nothing this model can read.
        usable.metric(f"For model {plain(state.model_label())}", "0")
    else:
        usable.metric("Usable", f"{check.usable:,}")
    if check.cohort.kind == "muse":
        help_ = glossary.explain("ROI")
        features.metric("Regions found", f"{check.rois} of {len(rois())}", help=help_)
        names.metric("Columns named like", plain(check.recognition.dialect or NOBODY))
    else:
        features.metric("Other features", f"{len(check.recognition.features):,}")


def show_columns(check: Check) -> None:
    """Which column was taken for what, and what its values were taken to mean."""
    said = _understood(check.cohort)
    rows = []
    for key, name in COVARIATES.items():
        column = check.recognition.columns[key]
        meaning = said[key] if column is not None and len(check.cohort) else NOBODY
        rows.append((name, plain(column) if column is not None else "not found", meaning))
    if check.recognition.columns["icv"] is None and check.cohort.kind == "muse":
        rows[list(COVARIATES).index("icv")] = ("ICV", "not found", "estimated by the model")
    table = pd.DataFrame(rows, columns=["What", "Column", "Understood as"])
    st.table(table, border="horizontal", hide_index=True)


def _understood(cohort: Cohort) -> dict[str, str]:
    them = cohort.subjects
    age, icv, sites = them["age"], them["icv"], them["site"][them["site"] != ""]
    several = len(them) > 1
    ages = f"{age.min():.0f} to {age.max():.0f} years, median {age.median():.0f}"
    return {
        "id": plain(them["subject_id"].iloc[0]) + ", …" * several if len(them) else NOBODY,
        "age": ages if several else years(age.mean()),
        "sex": _counts(them["sex"]),
        "icv": volume(round(icv.mean(), -3)) + " on average" * several,
        "diagnosis": _counts(them["diagnosis"]),
        "site": _counts(sites) if sites.nunique() <= 4 else f"{sites.nunique()} sites",
    }


def _counts(labels: pd.Series) -> str:
    counts = labels.replace("", NOT_GIVEN).value_counts()
    most = counts.head(MOST_LABELS)
    said = ", ".join(f"{plain(str(label))} {most[label]:,}" for label in group_order(most.index))
    return said if len(most) == len(counts) else f"{said} and {len(counts) - len(most)} more"


def show_next_step(check: Check, reading: uploads.Reading | None) -> None:
    """The button for the one thing to do next; none while the table cannot be used."""
    in_use = reading is None or reading.in_use
    lacking = check.usable and uploads.lacking(check)
    if in_use and lacking:
        st.page_link("pages/models.py", label="Choose another model", icon=":material/inventory_2:")
        st.page_link("pages/train.py", label="Train one on them", icon=":material/model_training:")
    elif in_use:
        alone = check.usable == 1  # Nobody to be compared with.
        label = "Show the healthy twin" if alone else "Open Latent space"
        icon = ":material/arrow_forward:"
        if st.button(label, key="next", type="primary", icon=icon, width="stretch"):
            st.switch_page("pages/counterfactual.py" if alone else "pages/latent_space.py")
    elif check.usable:
        st.button(
            "Use them with another model" if lacking else f"Use these {people(check.usable)}",
            key="use",
            type="secondary" if lacking else "primary",
            icon=":material/check:",
            on_click=uploads.use,
            args=(reading,),
            width="stretch",
        )


def show_state(check: Check, reading: uploads.Reading | None) -> None:
    """What to confirm or to mend before the table is used, and what was assumed when it is."""
    if reading is None or reading.in_use:
        if lacking := check.usable and uploads.lacking(check):
            st.warning(f"{_why_not(check, lacking)}.")
        _show_assumptions(check, "Assumed")
        return
    if absent := [key for key in NEEDED if check.recognition.columns[key] is None]:
        st.warning(
            f"No column was recognized as {' and '.join(absent)}, needed for everyone: add the "
            "participants file above, or choose the column below."
        )
    elif not check.usable:
        first = f": {check.problems[0].message}" if check.problems else "."
        st.warning(plain(f"Nobody can be used yet{first}"))
    elif lacking := uploads.lacking(check):
        _show_lacking(check, lacking, reading)
    else:
        _show_assumptions(check, "Please check what was assumed")
    show_still_in_use()


def show_still_in_use() -> None:
    """Say that what was loaded before has not changed."""
    if (table := state.loaded()) is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                f"Still in use, unchanged: **{plain(table.name)}**, {people(len(table.cohort))}."
            )
            st.button("Back to it", key="back", icon=":material/undo:", on_click=uploads.forget)


def _show_assumptions(check: Check, title: str) -> None:
    _show_doubts(check)
    sentences = list(check.notices)
    if left_out := check.rows - check.usable:
        sentences.append(f"{counted(left_out, 'row')} left out; the problems below say why.")
    if sentences:
        st.markdown(f"**{title}**")
        st.markdown("\n".join(f"- {plain(sentence)}" for sentence in sentences))


def _show_doubts(check: Check) -> None:
    """What is wrong with the table as a whole although its rows can be used."""
    doubts = [p.message for p in check.problems if p.row is None and p.rule != UNLISTED]
    if doubts:
        more = f"\n- {counted(len(doubts) - MOST_DOUBTS, 'more problem')} of the table below."
        st.warning(
            "\n".join(f"- {plain(doubt)}" for doubt in doubts[:MOST_DOUBTS])
            + (more if len(doubts) > MOST_DOUBTS else ""),
            icon=":material/warning:",
        )


def _show_lacking(check: Check, lacking: tuple[str, ...], reading: uploads.Reading) -> None:
    """Why the model in use cannot read the table, and how to train one that can."""
    show = st.warning if check.cohort.kind == "muse" else st.info
    columns = "Choose the columns below, or train" if check.cohort.kind == "muse" else "Train"
    show(
        f"{_why_not(check, lacking)}. {columns} a model of your own on these "
        f"{people(check.usable)}: use them and open page Train, or in a terminal:"
    )
    st.code(_train_command(check, reading), language=None, wrap_lines=True)
    if len(check.diagnoses) < 2:
        st.caption(
            "Training needs two groups: a diagnosis for everyone, healthy people among them."
        )


def _why_not(check: Check, lacking: tuple[str, ...]) -> str:
    """Why the model in use cannot read the table, a sentence without its full stop."""
    name = plain(state.model_label())
    if check.cohort.kind != "muse":
        features = f"{len(check.recognition.features):,}"
        return f"These are {features} numbers of another kind, no volumes that model {name} knows"
    missing = "one region is" if len(lacking) == 1 else f"{len(lacking)} regions are"
    first = ", ".join(_region_label(index) for index in lacking[:5])
    more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
    return f"Nobody can be used with the model {name}: {missing} missing ({plain(first + more)})"


def _region_label(index: str) -> str:
    return next((one.label for one in rois() if one.index == index), index)


def _train_command(check: Check, reading: uploads.Reading) -> str:
    volumes, *participants = (file.name for file in reading.files)
    healthy = "CN" if "CN" in check.diagnoses else next(iter(check.diagnoses), "CN")
    others = [label for label in check.diagnoses if label != healthy] or ["AD"]
    words = ["python", "-m", "cavae", "train", "--volumes", volumes]
    words += ["--participants", *participants] if participants else []
    words += ["--background", healthy, "--target", ",".join(others)]
    return shlex.join([*words, "--output", "pretrained/my-model"])
