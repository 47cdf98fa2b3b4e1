"""Synthetic pairs on their way to the Cohort page: what is drawn, shown and downloaded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import PurePath
from typing import IO, TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from cavae.atlas import roi
from cavae.errors import DataError
from cavae.plots import plot_distributions
from cavae.plots.cohorts import MEMORY_ROIS
from cavae.synthesis import (
    AGE_LIMITS,
    ICV_LIMITS,
    PairedCohort,
    SampleRequest,
    sample_chunks,
    sample_pairs,
)
from cavae.tables import without_formulas, write_table
from cavae.ui import glossary, making, models, results, state, subtypes

if TYPE_CHECKING:
    from cavae.checkpoint import Model
    from cavae.cohort import Cohort

MOST = 1_000_000
"""Pairs that the page makes; the command line has no such limit."""
AT_ONCE = 5_000
"""Pairs up to which a file is made when it is downloaded, in memory (12 MB)."""
PICTURED = 2_000
FEWEST = 5
"""People of a group whose distribution is drawn."""
WEIGHED = (500, 1_500)
PREVIEWED = 10
# A field outside its limits turns red and says nothing: the words stand below the fields.
ACCEPTED = (
    f"Accepted: 1 to {MOST:,} pairs, age {AGE_LIMITS[0]:.0f} to {AGE_LIMITS[1]:.0f} years, "
    f"ICV {ICV_LIMITS[0]:,.0f} to {ICV_LIMITS[1]:,.0f} mm³. "
    "More pairs: the command below."
)
FORMATS = {"CSV": (".csv", "text/csv"), "Parquet": (".parquet", "application/octet-stream")}
SEXES = {"Both": None, "F": "F", "M": "M"}


def choose(model: Model) -> SampleRequest:
    """The controls: what to draw. Empty age and ICV are drawn as in the disease cohort."""
    population = model.preprocessor.populations["target"]
    groups = " and ".join(model.training.target)
    drawn = f"Empty: as in the people with {groups} that the model learned from"
    with st.container(horizontal=True):
        pairs = st.number_input(
            "Pairs",
            *(1, MOST, 1_000, 100),
            key="pairs",
            help=f"{glossary.explain('pair')} At most {MOST:,} here; more with the command below.",
            persist_state="session",
            width=100,
        )
        age = st.number_input(
            "Age (years)",
            *(*AGE_LIMITS, None, 1.0, "%g"),
            key="pairs_age",
            placeholder=f"{population.ages[0]:.0f}–{population.ages[-1]:.0f}",
            help=f"{drawn}, {population.ages[0]:.0f} to {population.ages[-1]:.0f} years for most.",
            persist_state="session",
            width=110,
        )
        sex = st.radio(
            "Sex",
            list(SEXES),
            horizontal=True,
            key="pairs_sex",
            persist_state="session",
        )
        icv = st.number_input(
            "ICV (mm³)",
            *(*ICV_LIMITS, None, 50_000.0, "%g"),
            key="pairs_icv",
            placeholder="any",
            help=f"{glossary.explain('ICV')} {drawn}.",
            persist_state="session",
            width=140,
        )
        subtype = _choose_subtype(model)
        unit = st.radio(
            "Volumes in",
            ["mm³", "SD"],
            horizontal=True,
            key="pairs_unit",
            help=f"SD: {glossary.explain('standardized')} Cohorts of different ages compare in SD.",
            persist_state="session",
        )
        seed = st.number_input(
            "Seed",
            *(0, 2**31 - 1, 0, 1),
            key="pairs_seed",
            help="The same seed and settings make the same people again.",
            persist_state="session",
            width=90,
        )
    st.caption(ACCEPTED)
    return SampleRequest(pairs, seed, age, SEXES[sex], icv, subtype, unit == "SD")


def _choose_subtype(model: Model) -> int | None:
    """One subtype of the disease, where the model knows several; None is all of them."""
    found = subtypes.of_model(model)
    if len(found) < 2:
        return None
    names = {one.number: f"{one.number}: {one.name}" for one in found}
    return st.selectbox(
        "Subtype",
        [None, *names],
        format_func=lambda subtype: names.get(subtype, "All"),
        key="pairs_subtype",
        help=glossary.explain("subtype"),
        persist_state="session",
        width=300,
    )


def shown(request: SampleRequest) -> PairedCohort:
    """The first pairs of the request, enough for a picture; the file begins with the same ones."""
    few = replace(request, pairs=min(request.pairs, PICTURED))
    return _sampled(state.model_name(), few)


@models.cached(most=8)
def _sampled(model_name: str, request: SampleRequest) -> PairedCohort:
    return sample_pairs(models.load_model(model_name), request)


def picture(pairs: PairedCohort, loaded: pd.DataFrame | None, unit: str) -> go.Figure:
    """Hippocampus and amygdala of the loaded people above those of the pairs (Figures 2a, 3a)."""
    rois = [index for index in MEMORY_ROIS if index in pairs.features] or list(pairs.features[:4])
    height = 290 if loaded is None else 350
    figure = plot_distributions(loaded, pairs.table(), rois, unit=unit, height=height)
    names = ["Synthetic"] if loaded is None else ["Loaded", "Synthetic"]
    for row, name in enumerate(names, start=1):
        figure.update_yaxes(title_text=f"{name}<br>density (1/{unit})", row=row, col=1)
    return figure


def loaded_groups(cohort: Cohort, model: Model, standardized: bool) -> pd.DataFrame | None:
    """Features of the loaded people with their `group`, background or target of the model.

    In mm³ as measured, or standardized (SD). A group of fewer than FEWEST has no distribution. None
    when neither group has one, or when the table does not have the features of the model.
    """
    known = dict.fromkeys(model.training.background, "background")
    known |= dict.fromkeys(model.training.target, "target")
    groups = cohort.subjects["diagnosis"].map(known)
    groups = groups[groups.map(groups.value_counts()) >= FEWEST].reindex(groups.index)
    features = list(model.config.features)
    if groups.isna().all() or not set(features) <= set(cohort.features):
        return None
    table = cohort.features[features]
    if standardized:
        table = pd.DataFrame(results.encoding(cohort).standardized, columns=features)
    return table.assign(group=groups)[groups.notna()]


def show_table(pairs: PairedCohort, unit: str) -> None:
    """The first rows as the file has them; a region's name shows when its number is pointed at."""
    number = "%.2f" if unit == "SD" else "%.0f"
    columns = {
        index: st.column_config.NumberColumn(index, format=number, help=_region_name(index))
        for index in pairs.features
    }
    columns["icv"] = st.column_config.NumberColumn("icv", format="%.0f", help="mm³")
    table = without_formulas(pairs.table().head(PREVIEWED))
    st.dataframe(table, hide_index=True, column_config=columns, height="content")


def _region_name(feature: str) -> str | None:
    try:
        return roi(feature).label
    except DataError:  # a model of features of its own
        return None


def offer_file(model_name: str, request: SampleRequest, suffix: str, mime: str) -> None:
    """The file of the command `sample`: at once, or if it is large made on the server first."""
    name = stem(model_name, request) + suffix
    label = f"{request.pairs:,} pairs"
    size = file_size(model_name, request, suffix)
    if request.pairs > AT_ONCE:
        write = partial(write_file, models.load_model(model_name), request, suffix)
        making.offer((model_name, request, suffix), label, size, name, mime, write)
        return
    st.download_button(
        f"Download {label} ({_words(size)})",
        partial(file_bytes, model_name, request, suffix),
        name,
        mime,
        key="pairs_file",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


def write_file(
    model: Model,
    request: SampleRequest,
    suffix: str,
    stream: IO[bytes],
    tell: making.Tell = lambda _: None,
) -> None:
    """Write the file of the command `sample`, byte for byte, and tell which share is done."""

    def tables() -> Iterator[pd.DataFrame]:
        for part in sample_chunks(model, request):
            yield part.table()
            tell((part.first_pair - 1 + len(part.subjects)) / request.pairs)

    write_table(tables(), stream, suffix)


def file_bytes(model_name: str, request: SampleRequest, suffix: str) -> bytes:
    """The file of the command `sample`."""
    stream = io.BytesIO()
    write_file(models.load_model(model_name), request, suffix, stream)
    return stream.getvalue()


def file_size(model_name: str, request: SampleRequest, suffix: str) -> float:
    """About how large the file of the request will be, bytes."""
    return request.pairs * _bytes_a_pair(model_name, request.standardized, suffix)


def _words(size: float) -> str:
    """`about 5 MB`, from bytes."""
    return f"about {making.megabytes(size)}" if size >= 1e6 else "under 1 MB"


@models.cached(most=16)
def _bytes_a_pair(model_name: str, standardized: bool, suffix: str) -> float:
    """What more pairs add: what every file has besides, columns and their notes, is left out."""
    few, more = (
        len(file_bytes(model_name, SampleRequest(count, standardized=standardized), suffix))
        for count in WEIGHED
    )
    return (more - few) / (WEIGHED[1] - WEIGHED[0])


def stem(model_name: str, request: SampleRequest) -> str:
    """Name of the file without its ending: ad-mci_1000-pairs_seed-0, and what was fixed."""
    fixed = {
        "age": request.age and f"{request.age:g}",
        "sex": request.sex,
        "subtype": request.subtype,
        "icv": request.icv and f"{request.icv:.0f}",
        "unit": "SD" if request.standardized else None,
    }
    parts = [PurePath(model_name).name, f"{request.pairs}-pairs", f"seed-{request.seed}"]
    return "_".join(parts + [f"{name}-{value}" for name, value in fixed.items() if value])
