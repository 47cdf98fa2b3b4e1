"""The one queue of jobs of this server, and what every page says alike of a job."""

from __future__ import annotations

import functools
from dataclasses import replace

import streamlit as st

from cavae import numbers
from cavae.jobs import Job, JobQueue, Work
from cavae.ui import registry, state
from cavae.ui.widgets import plain

STATUS = {
    "queued": "Waiting",
    "done": "Finished",
    "cancelled": "Stopped",
    "failed": "It did not work",
    "interrupted": "Stopped with the server",
}
GONE = (
    "The job that the address of this page names is not on this server: it was deleted, or the "
    "address was cut short."
)


@functools.cache  # Streamlit's own cache can be cleared by any visitor, and the limits with it.
def jobs() -> JobQueue:
    """The one queue of this server, which makes it when it begins."""
    return JobQueue()


def named_job(parameter: str, kind: str) -> Job | None:
    """The job of that kind which the address names, if any; says so where it is not here."""
    if not (job_id := st.query_params.get(parameter)):
        return None
    job = jobs().find(job_id)
    if job is not None and job.kind == kind:
        return job
    st.warning(GONE, icon=":material/link_off:")
    return None


def take(order: Work, parameter: str) -> None:
    """Take an order; its job stands in the page's address from now on. Raises ConfigError.

    The second click of a double click orders the same of the same people: it leads to the first.
    """
    given = st.session_state.setdefault(state.Key.RESULTS, {})  # of the table in use
    key = f"ordered {replace(order, cohort=None)}"
    known = jobs().find(given[key]) if key in given else None
    if known is None or known.ended:
        others = state.own_keys()
        # One after the other in plain Python: at any access to the session a run may end here,
        # for the second click, and what was not noted down would be ordered again.
        given[key] = jobs().submit(order, others)
    st.query_params[parameter] = given[key]
    state.own(given[key])
    st.rerun()


def title(job: Job, running: str) -> str:
    """How it stands, and its name; running: the word for work that goes on."""
    return f"{STATUS.get(job.status, running)}: {plain(job.name)}"


def offer_mine(kind: str, running: str, parameter: str) -> None:
    """Back to this visitor's jobs of a kind that still go on, and to the last that ended."""
    found = [job for key in state.own_keys() if (job := jobs().find(key)) is not None]
    mine = [job for job in found if job.kind == kind]
    for job in mine:
        if job.ended and job is not mine[-1]:
            continue
        label, key = title(job, running), f"watch_{job.id}"
        if st.button(label, key=key, icon=":material/visibility:", help="How it goes or went"):
            st.query_params[parameter] = job.id
            st.rerun()


def tell_waiting(job: Job) -> None:
    """How many are before one that waits."""
    before = jobs().ahead(job.id)
    words = f"{numbers.counted(before, 'job')} before this one."
    st.progress(0.0, words if before else "It begins in a moment.")


def tell_reason(job: Job) -> None:
    """Why it failed, or ended before its time."""
    if job.status == "failed":
        st.error(plain(job.reason), icon=":material/error:")
    elif job.reason:
        st.info(plain(job.reason), icon=":material/schedule:")


def offer_to_delete(job: Job, parameter: str) -> None:
    """Delete a job that has ended and left no model, which page Models would show."""
    if not job.ended or registry.registry().find(job.id) is not None:
        return
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown("It will be gone for good, with its settings and all that it has found.")
        if st.button("Delete it", key="delete_job", type="primary"):
            jobs().delete(job.id)
            del st.query_params[parameter]
            st.rerun()


def another_button(label: str, parameter: str) -> None:
    """Back to the form; this job stays where its address leads."""
    if st.button(label, key="another", icon=":material/add:"):
        del st.query_params[parameter]
        st.rerun()


def duration(seconds: float) -> str:
    """`20 seconds`, `3 minutes`, `5 hours`: rounded as people say it."""
    for unit, name, longest in ((1, "second", 90), (60, "minute", 90), (3600, "hour", 48)):
        count = max(1, round(seconds / unit))
        if count < longest:
            return numbers.counted(count, name)
    return numbers.counted(round(seconds / 86400), "day")
