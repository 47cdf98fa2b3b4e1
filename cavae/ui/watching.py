"""A job of training as it stands: how far it is, what it has learned, and the model it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cavae.checkpoint import model_facts
from cavae.jobs import Job
from cavae.ui import film, offering, queue, registry, state
from cavae.ui.queue import duration, jobs

RUNNING = "Training"
READING = """\
Everything is measured on people who were held out: the network never learns from them.

- **Common z** is what everyone shares: healthy people and those with the disease should mix.
  **Salient s** is what the disease adds: they should part. Each point is a person held out, seen
  along two directions that turn to where people spread most. When it has ended the best epoch
  is shown, and all can be played again, until the server is restarted: nothing of these people
  is written down.
- **Distance to people held out**: squared 2-Wasserstein distance of generated to real people.
  Dashed: that of the people it learns from, who are real. It may fall below where few are held
  out, as decoded people are smoother than real ones. The dotted line is the best epoch, which is
  kept.
- **Groups told apart by z and s**: AUC of a logistic regression, cross-validated, of s with its
  squares, as subtypes may lie around the healthy. The dashed line, 0.5, is a coin toss: z should
  come near it, s should rise to 1.
- **Below**: what is minimized, term by term, as a mean over each epoch (nats), blue for healthy
  people and orange for those with the disease.
"""


def show_job(job: Job) -> None:
    """The job as it stands, again each second until it has ended."""
    st.fragment(_show_job, run_every=None if job.ended else 1.0)(job.id, job.ended)


def _show_job(job_id: str, ended: bool) -> None:
    job = jobs().find(job_id)
    if job is None:
        return
    if job.ended and not ended:
        st.rerun()  # The whole page: no timer any more, and what can be done with the model.
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"
    ):
        st.header(queue.title(job, RUNNING), anchor=False, width="content")
        if not job.ended:
            _offer_to_stop(job)
    _tell_progress(job)
    if job.history:
        _draw(job)
    if not job.ended:
        st.caption(
            "You may close this page: the address above brings you back. Whoever has the address "
            "can see this job, and use, share or delete its model."
        )


def _tell_progress(job: Job) -> None:
    if job.status == "queued":
        queue.tell_waiting(job)
    elif job.status == "running":
        st.progress(*progress(job))
    queue.tell_reason(job)
    if job.ended:
        st.markdown(_what_was_kept(job))


def progress(job: Job) -> tuple[float, str]:
    """How far a running training is, 0 to 1, and in words."""
    if job.doing:
        return 1.0, f"{job.doing} …"
    if not job.history:
        return 0.0, "Starting: a process of its own, and the people made comparable …"
    last = job.history[-1]
    share, patience = last["epoch"] / last["epochs"], job.settings["patience"]
    waited = last["epoch"] - last["best_epoch"]
    if share >= 1 or waited >= patience:
        return 1.0, "Measuring how far people differ from what is decoded …"
    left = duration(last["seconds"] * (1 - share) / share)
    epochs = f"Epoch {last['epoch']:,} of at most {last['epochs']:,}"
    return share, f"{epochs} · at most {left} of training left{_early_end(last, patience)}"


def _early_end(last: Mapping[str, Any], patience: int) -> str:
    """When training would end before, if nothing gets better any more."""
    end = last["best_epoch"] + patience
    if not last["best_epoch"] or end >= last["epochs"]:
        return ""
    return f" · ends at {end:,} unless it gets better than epoch {last['best_epoch']:,}"


def _what_was_kept(job: Job) -> str:
    folder = registry.registry().find(job.id) if job.model else None
    if folder is None:
        return "It has no model."
    facts = model_facts(folder)
    last = job.history[-1]
    best = "the best" if job.status in ("done", "cancelled") else "the best when last written down"
    measured = "" if facts.get("figures") else " It was not measured."
    return (
        f"{duration(last['seconds']).capitalize()} of training, {last['epoch']:,} epochs. The "
        f"model is that of epoch {facts['best_epoch']:,}, {best}.{measured}"
    )


def _offer_to_stop(job: Job) -> None:
    if job.status == "queued":
        label, told, explained = "Leave the queue", "Left the queue.", None
    elif job.doing:
        label, told = "Skip measuring", "The rest is skipped."
        explained = "The model is kept; its card says what was not measured."
    else:
        label, told = "Stop and keep the best so far", "Stopping after this epoch …"
        explained = "The best epoch until now becomes the model, and is measured."
    if st.button(label, key="cancel_job", icon=":material/stop:", help=explained):
        jobs().cancel(job.id)
        st.toast(told)


def _draw(job: Job) -> None:
    film.mount(job, jobs().shown(job.id))
    # Not a popover: it would scroll, and cannot be scrolled without a mouse.
    with st.expander("How to read this", icon=":material/help:"):
        st.markdown(READING)


def offer_model(job: Job) -> None:
    """Use a finished model on every page, take it along, and read its card."""
    if job.model is None or not job.ended:
        return
    if (folder := registry.registry().find(job.id)) is None:
        return
    address = str(folder)
    if state.model_name() == address:
        st.success("Every page now shows this model.", icon=":material/check:")
    with st.container(horizontal=True, vertical_alignment="center"):
        offering.use_button(address)
        offering.download_button(address)
        st.page_link(
            "pages/models.py", label="Compare, rename or share it", icon=":material/inventory_2:"
        )
    offering.card(address)
