"""Models for the pages: opened once a process, and opened early while someone reads Home."""

from __future__ import annotations

import contextlib
import functools
import gc
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from cavae import checkpoint
from cavae.errors import CavaeError
from cavae.ui import state

if TYPE_CHECKING:
    from cavae.checkpoint import Model

_warming = threading.Event()
F = TypeVar("F", bound=Callable[..., Any])


def cached(most: int) -> Callable[[F], F]:
    """Keep what a function makes of a model, its first argument, for all visitors; `most` of it.

    Another model in the same folder is another one. A resource, not data: cache_data would pickle
    it. Shared by all visitors, so never changed.
    """

    def keep(function: F) -> F:
        def make(name: str, stamp: tuple[int, int], *rest: object) -> object:
            return function(name, *rest)

        # Streamlit tells functions apart by their names, and asks the one that is wrapped for its
        # arguments. No spinner of its own: the warm-up thread has no page to draw one on.
        make = functools.wraps(function)(make)
        del make.__wrapped__
        kept = st.cache_resource(make, show_spinner=False, max_entries=most)

        @functools.wraps(function)
        def look_up(name: str, *rest: object) -> object:
            return kept(name, checkpoint.model_stamp(name), *rest)

        return look_up

    return keep


@cached(most=16)
def load_model(name: str) -> Model:
    """The model of that name under pretrained/ or in that folder; raises CheckpointError."""
    _import_torch()
    return checkpoint.load_model(name)


@functools.cache
def _import_torch() -> None:
    import torch  # noqa: F401

    # What torch brought will never be garbage. Looking through it each time that Python collects
    # some takes 0.2 s, in which nobody is served; `server.tidy` alone still does.
    gc.freeze()


def current_model() -> Model:
    """The model in use; raises CheckpointError."""
    with st.spinner("Opening the model …"):
        return load_model(state.model_name())


def warm_up() -> None:
    """While Home is read, bring what the next page needs on a thread, once a process.

    Importing torch takes seconds, and Home must not wait for it. The first tick comes from a
    browser that has drawn Home, so tests without one never start the thread.
    """
    if _warming.is_set():
        return
    drawn = []

    @st.fragment(run_every=1.5)
    def tick() -> None:
        if not drawn:
            drawn.append(True)
        elif not _warming.is_set():
            _warming.set()
            threading.Thread(target=_get_ready, name="warm-up", daemon=True).start()

    tick()


def _get_ready() -> None:
    # Whoever needs these next is told what is wrong with them; here nobody would read it.
    with contextlib.suppress(CavaeError):
        state.demo_check()
        load_model(checkpoint.DEFAULT_MODEL)
        from cavae import plots, synthesis  # noqa: F401
