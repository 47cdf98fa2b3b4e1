"""Training from the app: what is asked for, what to expect of it, and a job while it runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from cavae import numbers
from cavae.config import DEFAULT_PRESET, FEWEST, VARIANTS, TrainConfig, train_config
from cavae.jobs import Job, JobQueue, Order
from cavae.registry import free_name
from cavae.ui import charts, glossary, offering, registry, state
from cavae.ui.widgets import plain

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from cavae.cohort import Cohort

FEW = 50  # people on one side with whom a model is shaky
STEP_SECONDS = 0.007  # one batch of 256 + 256 on a usual core, measured by `benchmark`
AFTERWARDS_SECONDS = 25  # starting the process, calibration, and the figures of the card
APART_YEARS = 5.0
HEALTHY = "CN"
JOB = "job"
STATUS = {
    "queued": "Waiting",
    "running": "Training",
    "done": "Finished",
    "cancelled": "Stopped by you",
    "failed": "It did not work",
    "interrupted": "Stopped with the server",
}
LOOKS = {"Calibrated": "calibrated", "As in the paper": "paper"}


@st.cache_resource(show_spinner=False)
def jobs() -> JobQueue:
    """The one queue of this server."""
    return JobQueue()


@dataclass(frozen=True)
class Groups:
    """The labels on each side."""

    background: tuple[str, ...]
    target: tuple[str, ...]


def choose_groups(cohort: Cohort) -> Groups:
    """Which labels are healthy and which have the disease."""
    labels = sorted({label for label in cohort.subjects["diagnosis"] if label})
    healthy = [HEALTHY] if HEALTHY in labels else labels[:1]
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
        help="The labels of those who have what the model shall learn.",
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
    from cavae.training import available_devices

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
    healthy, ill = (len(side) for side in sides(cohort, groups))
    steps = -(-max(healthy, ill) // config.batch_size) * config.epochs
    features = cohort.features.shape[1]
    kind = "brain regions" if cohort.kind == "muse" else "features"
    longest = duration(steps * STEP_SECONDS + AFTERWARDS_SECONDS)
    return (
        f"{healthy:,} healthy people and {ill:,} with the disease, {features} {kind}; "
        f"{100 * config.validation:.0f} % of each are held out to choose the best epoch. "
        f"About {longest} at most."
    )


def cautions(cohort: Cohort, groups: Groups) -> list[str]:
    """What may make the model worse than it looks."""
    healthy, ill = sides(cohort, groups)
    found = []
    if len(ill) < FEW:
        found.append(
            f"Only {len(ill)} people have the disease: below {FEW} the model learns those few "
            "people rather than their disease."
        )
    if cohort.subjects["site"].nunique() < 2:
        found.append("Everyone is of one site: what its scanner does cannot be told apart.")
    apart = ill.subjects["age"].mean() - healthy.subjects["age"].mean()
    if abs(apart) > APART_YEARS:
        older = "older" if apart > 0 else "younger"
        found.append(
            f"Those with the disease are {abs(apart):.0f} years {older} on average: ageing is "
            "taken out as a straight line, and some of it may stay in s."
        )
    return found


def problem(cohort: Cohort, groups: Groups) -> str | None:
    """Why nothing can be trained yet, or None."""
    if not groups.background or not groups.target:
        return "Choose at least one label on each side."
    for side, words in zip(sides(cohort, groups), ("healthy", "with the disease"), strict=True):
        if len(side) < FEWEST:
            return f"{len(side)} people are {words}; training needs at least {FEWEST} on each side."
    return None


def suggested_name(table: str) -> str:
    """A model's name made of a table's, like that of no other model."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", Path(table).stem).strip("-.")[:40] or "model"
    return free_name(name, [entry.name for entry in registry.entries()])


def start(order: Order) -> None:
    """Take the order; its job stands in the page's address from now on."""
    job_id = jobs().submit(order)
    st.query_params[JOB] = job_id
    state.own(job_id)
    st.rerun()


def current_job() -> Job | None:
    """The job that the address names, if any."""
    job_id = st.query_params.get(JOB)
    job = jobs().find(job_id) if job_id else None
    if job is not None:
        state.own(job.id)
    return job


def show_job(job: Job) -> None:
    """The job as it stands, again each second until it has ended."""
    st.fragment(_show_job, run_every=None if job.ended else 1.0)(job.id, job.ended)


def _show_job(job_id: str, ended: bool) -> None:
    job = jobs().find(job_id)
    if job is None:
        return
    if job.ended and not ended:
        st.rerun()  # The whole page: no timer any more, and what can be done with the model.
    st.header(f"{STATUS[job.status]}: {plain(job.name)}", anchor=False)
    _progress(job)
    if job.history:
        charts.draw(
            _curves(job), "training_curves", "Distance to held-out people and loss, by epoch."
        )
    if not job.ended:
        if st.button("Stop and keep the best so far", key="cancel_job", icon=":material/stop:"):
            jobs().cancel(job_id)
        st.caption(
            "You may close this page: the address above brings you back. Whoever has the address "
            "can see this job and its model."
        )


def _curves(job: Job) -> go.Figure:
    from cavae.plots.training import plot_training

    return plot_training(job.history)


def _progress(job: Job) -> None:
    if job.status == "queued":
        before = jobs().ahead(job.id)
        st.progress(0.0, f"{before} {'job' if before == 1 else 'jobs'} before this one.")
    elif job.status == "running":
        st.progress(*_share(job))
    elif job.status == "failed":
        st.error(plain(job.reason), icon=":material/error:")
    elif job.history:
        last = job.history[-1]
        best = f"the best of {last['epoch']:,} epochs was number {last['best_epoch']:,}"
        st.markdown(f"{duration(last['seconds']).capitalize()} of training; {best}.")
    if job.ended and job.model is None:
        st.markdown("No model was kept.")


def _share(job: Job) -> tuple[float, str]:
    if not job.history:
        return 0.0, "Starting …"
    last = job.history[-1]
    share = last["epoch"] / last["epochs"]
    if share >= 1 or last["epoch"] - last["best_epoch"] >= job.settings["patience"]:
        return 1.0, "Measuring the model on the people held out …"
    left = duration(last["seconds"] * (1 - share) / share)
    return share, f"Epoch {last['epoch']:,} of {last['epochs']:,}, at most {left} left"


def duration(seconds: float) -> str:
    """`20 seconds`, `3 minutes`: rounded as people say it."""
    if seconds < 90:
        return numbers.count(max(1, round(seconds)), "second" if round(seconds) <= 1 else "seconds")
    return numbers.count(round(seconds / 60), "minutes")


def offer_model(job: Job) -> None:
    """Use a finished model on every page, take it along, and read its card."""
    if job.model is None or not job.ended:
        return
    if (folder := registry.registry().find(job.id)) is None:
        st.info("Its model was deleted.", icon=":material/delete:")
        return
    address = str(folder)
    if state.model_name() == address:
        st.success("Every page now shows this model.", icon=":material/check:")
    with st.container(horizontal=True):
        offering.use_button(address)
        offering.download_button(address)
        st.page_link(
            "pages/models.py", label="Compare, rename or share it", icon=":material/inventory_2:"
        )
    offering.card(address)


def another_button() -> None:
    """Back to the form; this job stays where its address leads."""
    if st.button("Train another model", key="another", icon=":material/add:"):
        del st.query_params[JOB]
        st.rerun()
