"""A job of training as it stands: how far it is, what it has learned, and the model it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cavae.jobs import Job
from cavae.ui import charts, offering, registry, state
from cavae.ui.training import JOB, duration, jobs
from cavae.ui.widgets import plain

STATUS = {
    "queued": "Waiting",
    "running": "Training",
    "done": "Finished",
    "cancelled": "Stopped by you",
    "failed": "It did not work",
    "interrupted": "Stopped with the server",
}
READING = """\
Everything is measured on people who were held out: the network never learns from them.

- **Common z** is what everyone shares: healthy people and those with the disease should mix.
  **Salient s** is what the disease adds: they should part. Each point is a person held out, seen
  along two directions that follow where the points spread most.
- **Distance to people held out**: squared 2-Wasserstein distance of generated to real people.
  Dashed: that of the people it learns from, who are real. It may fall below where few are held
  out, as decoded people are smoother than real ones. The dotted line is the best epoch, which is
  kept.
- **How well z and s tell apart**: AUC of a logistic regression, cross-validated. The dashed line,
  0.5, is a coin toss: z should come near it, s should rise to 1.
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
    st.header(f"{STATUS[job.status]}: {plain(job.name)}", anchor=False)
    _tell_progress(job)
    if not job.ended:
        _offer_to_stop(job)
    if job.history:
        _draw(job)
    if not job.ended:
        st.caption(
            "You may close this page: the address above brings you back. Whoever has the address "
            "can see this job and its model."
        )


def _tell_progress(job: Job) -> None:
    if job.status == "queued":
        before = jobs().ahead(job.id)
        st.progress(0.0, f"{before} {'job' if before == 1 else 'jobs'} before this one.")
    elif job.status == "running":
        st.progress(*_share(job))
    if job.status == "failed":
        st.error(plain(job.reason), icon=":material/error:")
    if job.ended:
        st.markdown(_what_was_kept(job))


def _share(job: Job) -> tuple[float, str]:
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
    told = f"Epoch {last['epoch']:,} of at most {last['epochs']:,} · at most {left} left"
    return share, f"{told}{_early_end(last, patience)}"


def _early_end(last: Mapping[str, Any], patience: int) -> str:
    """When training would end before, if nothing gets better any more."""
    end = last["best_epoch"] + patience
    if not last["best_epoch"] or end >= last["epochs"]:
        return ""
    return f" · ends at {end:,} unless it gets better than epoch {last['best_epoch']:,}"


def _what_was_kept(job: Job) -> str:
    if job.model is None:
        return "No model was kept."
    if not job.history:
        return "The best so far was kept."
    last = job.history[-1]
    time, epochs = duration(last["seconds"]).capitalize(), f"{last['epoch']:,} epochs"
    kept = f"{time} of training; the best of {epochs}, number {last['best_epoch']:,}, was kept."
    if job.status in ("failed", "interrupted"):
        return f"{kept} It is a checkpoint, which may not be measured."
    return kept


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
    from cavae.plots.training import plot_learning, plot_people, plot_terms

    scatter, of_curves = jobs().shown(job.id), "Distance to held-out people and AUC, by epoch."
    if scatter is None:
        charts.draw(plot_learning(job.history, wide=True), "learning", of_curves)
    else:
        left, right = st.columns([2, 1])
        with left:
            charts.draw(plot_people(scatter), "people_seen", _in_words(scatter))
        with right:
            charts.draw(plot_learning(job.history), "learning", of_curves)
    charts.draw(plot_terms(job.history), "loss_terms", "Each term of the loss, by epoch.")
    with st.popover("How to read this", icon=":material/help:", type="tertiary"):
        st.markdown(READING)


def _in_words(scatter: Any) -> str:
    return (
        f"People held out at epoch {scatter.epoch}: healthy and diseased told apart by common z "
        f"with AUC {scatter.leakage_auc:.2f}, by salient s with AUC {scatter.separation_auc:.2f}."
    )


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
