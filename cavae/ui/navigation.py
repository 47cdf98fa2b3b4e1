"""The pages of the app, in one list: the menu and Home's overview are both drawn from it."""

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Entry:
    """A page; `summary` says on Home what can be done there ("" = not listed); `hidden` ones are
    not in the menu, links lead there."""

    path: str
    title: str
    icon: str
    summary: str = ""
    hidden: bool = False


PAGES: tuple[Entry, ...] = (
    Entry("pages/home.py", "Home", ":material/home:"),
    Entry(
        "pages/data.py",
        "Data",
        ":material/table_view:",
        "Read a table and mend what was not recognized.",
    ),
    Entry(
        "pages/latent_space.py",
        "Latent space",
        ":material/scatter_plot:",
        "See who is like whom, in health and in disease.",
    ),
    Entry(
        "pages/counterfactual.py",
        "Counterfactual",
        ":material/compare_arrows:",
        "Put one person beside their healthy twin, region by region.",
    ),
    Entry(
        "pages/explore.py",
        "Explore",
        ":material/drag_pan:",
        "Drag a disease through a brain and see it change at once.",
    ),
    Entry(
        "pages/lesson.py",
        "Lesson",
        ":material/school:",
        "Learn in six steps what the method does, and what it does not tell.",
    ),
    Entry(
        "pages/cohort.py",
        "Cohort",
        ":material/group_add:",
        "Make a synthetic cohort of pairs and download it.",
    ),
    Entry(
        "pages/train.py",
        "Train",
        ":material/model_training:",
        "Train a model on your own people and watch it learn.",
    ),
    Entry(
        "pages/sweep.py",
        "Sweep",
        ":material/stacked_line_chart:",
        "Train many models with different settings and compare them.",
    ),
    Entry(
        "pages/models.py",
        "Models",
        ":material/inventory_2:",
        "Compare models, and keep, share or take along your own.",
    ),
    Entry(
        "pages/evaluate.py",
        "Evaluate",
        ":material/fact_check:",
        "See how good a model is, beside the paper and beside its floors.",
    ),
    Entry("pages/about.py", "About", ":material/info:"),
    Entry("pages/data_protection.py", "Data protection", ":material/lock:", hidden=True),
)


def pages() -> list[st.Page]:
    """Every page as Streamlit wants it; the first one opens by default."""
    return [
        st.Page(
            entry.path,
            title=entry.title,
            icon=entry.icon,
            default=entry is PAGES[0],
            visibility="hidden" if entry.hidden else "visible",
        )
        for entry in PAGES
    ]


def introduced() -> list[Entry]:
    """The pages that Home introduces, in the order of the menu."""
    return [entry for entry in PAGES if entry.summary]
