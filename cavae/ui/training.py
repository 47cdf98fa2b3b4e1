"""Training from the app: what is asked for, what to expect of it, and the job it becomes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from cavae.config import DEFAULT_PRESET, FEWEST, VARIANTS, TrainConfig, train_config
from cavae.jobs import Order
from cavae.numbers import people
from cavae.plots import group_order
from cavae.registry import free_name, require_name
from cavae.ui import glossary, queue, registry
from cavae.ui.queue import duration

if TYPE_CHECKING:
    from cavae.cohort import Cohort

FEW = 50  # people on one side with whom a model is shaky
STEP_SECONDS = 0.004  # one batch of 256 + 256 on a usual core, measured by `benchmark`
LOOK_SECONDS = 0.03  # at people held out, of whom figures and pictures are made
AFTERWARDS_SECONDS = 12  # starting the process, calibration, and the figures of the card
APART_YEARS = 5.0
NAMED = 3  # sites that are named in a sentence
HEALTHY = "CN"
JOB = "job"
LOOKS = {"Calibrated": "calibrated", "As in the paper": "paper"}


@dataclass(frozen=True)
class Groups:
    """The labels on each side."""

    background: tuple[str, ...]
    target: tuple[str, ...]


def choose_groups(cohort: Cohort) -> Groups:
    """Which labels are healthy and which have the disease."""
    labels = group_order(label for label in cohort.subjects["diagnosis"] if label)
    healthy = [HEALTHY] if HEALTHY in labels else labels[:-1][:1]
    left, right = st.columns(2)
    background = left.multiselect(
        "Healthy people (background)",
        labels,
        healthy,
        key="train_background",
        help=glossary.explain("background"),
    )
    others = [label for label in labels if label not in background]
    target = right.multiselect(
        "People with the disease (target)",
        others,
        others,
        key="train_target",
        help="The labels of those who have what the model shall learn, the most severe last.",
    )
    return Groups(tuple(background), tuple(target))


def choose_settings(groups: Groups) -> tuple[TrainConfig, int, str]:
    """Preset, and on demand every setting: the configuration, latent dimensions and variant."""
    look = st.segmented_control(
        "Preset",
        list(LOOKS),
        default=next(iter(LOOKS)),
        required=True,
        key="train_preset",
        help="Calibrated: the paper's model, with healthy people read as s = 0, and the spread of "
        "real people measured afterwards. As in the paper: nothing but its objective (eq. 8).",
    )
    preset = LOOKS.get(look, DEFAULT_PRESET)
    with st.expander("All settings"):
        one, two, three = st.columns(3)
        variants = VARIANTS if preset == "paper" else VARIANTS[:1]
        variant = one.selectbox(
            "Variant",
            variants,
            key=f"train_variant_{preset}",
            help="contrastive: the paper's model. The others are what it was compared with; they "
            "come with the preset of the paper alone.",
        )
        weight = two.number_input(
            "λ",
            0.0,
            1e6,
            100.0,
            key="train_lambda",
            help="How strongly common z of both groups is made alike (weight of the MMD). More "
            "leaks less disease into z; too much costs detail.",
        )
        latent = three.number_input(
            "Dimensions of z and of s",
            1,
            32,
            5,
            key="train_latent",
            help="How many numbers describe a person, and how many their disease.",
        )
        epochs = one.number_input(
            "Epochs",
            1,
            5000,
            500,
            key="train_epochs",
            help="How often everyone is looked at, at most. Training ends earlier when people held "
            "out are no longer described better for 100 epochs.",
        )
        seed = two.number_input(
            "Seed", 0, 2**31, 0, key="train_seed", help="Same seed, same model."
        )
        device = three.selectbox(
            "Device",
            devices(),
            key="train_device",
            help="auto takes a GPU where there is one. A model this small needs none.",
        )
    config = train_config(
        preset,
        background=groups.background,
        target=groups.target,
        mmd_weight=float(weight),
        epochs=int(epochs),
        seed=int(seed),
        device=device,
    )
    return config, int(latent), variant


def devices() -> list[str]:
    """What `TrainConfig.device` may be on this machine."""
    from cavae.devices import available_devices

    return ["auto", *available_devices()]


def sides(cohort: Cohort, groups: Groups) -> tuple[Cohort, Cohort]:
    """The people on each side."""
    diagnosis = cohort.subjects["diagnosis"]
    return tuple(
        cohort.select(diagnosis.isin(labels).to_numpy())
        for labels in (groups.background, groups.target)
    )


def outlook(cohort: Cohort, config: TrainConfig, groups: Groups) -> str:
    """What will happen, in a sentence."""
    from cavae.optimization import MONITOR_EVERY

    healthy, ill = (len(side) for side in sides(cohort, groups))
    steps = -(-max(healthy, ill) // config.batch_size) * config.epochs
    features = cohort.features.shape[1]
    kind = "brain regions" if cohort.kind == "muse" else "features"
    looks = config.epochs / MONITOR_EVERY
    longest = duration(steps * STEP_SECONDS + looks * LOOK_SECONDS + AFTERWARDS_SECONDS)
    return (
        f"{healthy:,} healthy people and {ill:,} with the disease, {features} {kind}; "
        f"{100 * config.validation:.0f} % of each are held out to choose the best epoch. "
        f"About {longest} at most."
    )


def cautions(cohort: Cohort, groups: Groups) -> list[str]:
    """What may make the model worse than it looks."""
    healthy, ill = sides(cohort, groups)
    found = [
        f"Only {people(len(side))} {words}: below {FEW} the model learns those few people "
        "rather than what they have in common."
        for side, words in ((ill, "with the disease"), (healthy, "marked healthy"))
        if len(side) < FEW
    ]
    return [*found, *_of_sites(healthy, ill), *_of_ages(healthy, ill), *_of_sexes(healthy, ill)]


def _of_sites(healthy: Cohort, ill: Cohort) -> Iterator[str]:
    ours, theirs = (set(side.subjects["site"]) for side in (healthy, ill))
    lonely, together = sorted(ours ^ theirs), ours | theirs
    if len(together) < 2:
        yield "Everyone is of one site: what its scanner does cannot be told apart."
    elif lonely:
        named = ", ".join(lonely[:NAMED]) + (", …" if len(lonely) > NAMED else "")
        yield (
            f"{len(lonely)} of {len(together)} sites have either healthy people or people with the "
            f"disease ({named}): what their scanners do may be learned as disease."
        )


def _of_ages(healthy: Cohort, ill: Cohort) -> Iterator[str]:
    apart = ill.subjects["age"].mean() - healthy.subjects["age"].mean()
    if abs(apart) > APART_YEARS:
        older = "older" if apart > 0 else "younger"
        yield (
            f"Those with the disease are {abs(apart):.0f} years {older} on average: ageing is "
            "taken out as a straight line, and some of it may stay in s."
        )


def _of_sexes(healthy: Cohort, ill: Cohort) -> Iterator[str]:
    ours, theirs = (set(side.subjects["sex"]) for side in (healthy, ill))
    if len(ours | theirs) < 2:
        yield "Everyone is of one sex: the model knows nothing of the other."
        return
    for sexes, words in ((ours, "healthy people"), (theirs, "people with the disease")):
        if len(sexes) < 2:
            yield (
                f"All {words} are of one sex ({min(sexes)}): what sets the sexes apart may be "
                "learned as disease."
            )


def problem(cohort: Cohort, groups: Groups) -> str | None:
    """Why nothing can be trained yet, or None."""
    if len(labels := set(cohort.subjects["diagnosis"]) - {""}) < 2:
        return (
            "Training needs two groups, told apart by their diagnosis: healthy people and people "
            f"with the disease. The only diagnosis here is {', '.join(labels) or 'none'}: load a "
            "table with both on page Data."
        )
    if not groups.background or not groups.target:
        return "Choose at least one label on each side."
    for side, words in zip(sides(cohort, groups), ("healthy", "with the disease"), strict=True):
        if len(side) < FEWEST:
            found = people(len(side))
            return f"{found} {words}; training needs at least {FEWEST} on each side."
    return None


def suggested_name(table: str) -> str:
    """A model's name made of a table's, like that of no other model."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", Path(table).stem).strip("-.")[:40] or "model"
    return free_name(name, [entry.name for entry in registry.entries()])


def start(order: Order) -> None:
    """Take the order; its job stands in the page's address from now on.

    Raises ConfigError when there is a model of that name.
    """
    require_name(order.name, [entry.name for entry in registry.entries()])
    queue.take(order, JOB)
