"""Run pure functions side by side, on this machine or on a cluster, with the same results.

A task is a function of a module, and arguments that can be pickled; what it returns depends on
nothing else. Each runs on one thread, so that its numbers do not depend on where it ran.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cavae.errors import CavaeError, ConfigError
from cavae.threads import one_thread

LOCAL = "local"
ADDRESS = r"tcp://\[?[\w.:-]+\]?:\d{1,5}"
ACCEPTED = "accepted: local, or tcp://HOST:PORT of a dask scheduler with workers"
PATIENCE = 10  # seconds until a scheduler or its first worker has to answer


@dataclass(frozen=True)
class Task:
    """function(*arguments), and how long it takes compared with other tasks, for the time left."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    cost: float = 1.0


def run_tasks(tasks: Sequence[Task], scheduler: str = LOCAL) -> Iterator[tuple[int, Any]]:
    """Start tasks in their order; yield number and result of each as soon as it has ended.

    scheduler: "local" (as many processes as processors), or "tcp://HOST:PORT" of a running dask
    scheduler, whose workers must have this package. Ending the iteration early ends what runs.

    Raises:
        ConfigError: the address is none, or no scheduler or worker answers there.
        CavaeError: a worker died; or what a task raised.
    """
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    calls = [
        delayed(_run_alone)(number, task.function, task.arguments)
        for number, task in enumerate(tasks)
    ]
    with _workers(scheduler):
        parallel = Parallel(return_as="generator_unordered", batch_size=1)
        try:
            yield from parallel(calls)
        except TerminatedWorkerError as error:
            raise CavaeError("A worker process ended early; there may be too little memory.") from (
                error
            )


def _run_alone(number: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """One task, on one thread whatever the worker has, and starting no further tasks."""
    from joblib import parallel_config

    with one_thread(), parallel_config("sequential"):
        return number, function(*arguments)


@contextmanager
def _workers(scheduler: str) -> Iterator[None]:
    """Where joblib runs calls, as long as the context lasts."""
    from joblib import parallel_config

    if scheduler == LOCAL:
        with parallel_config("loky", n_jobs=-1, inner_max_num_threads=1):
            yield
        return
    client = _connect(scheduler)
    try:
        with parallel_config("dask", n_jobs=-1, client=client, wait_for_workers_timeout=PATIENCE):
            yield
    finally:
        client.close()


def _connect(scheduler: str) -> Any:
    """A client of a dask scheduler that has at least one worker."""
    if not re.fullmatch(ADDRESS, scheduler):
        raise ConfigError(f"scheduler is {scheduler!r}; {ACCEPTED}.")
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigError("A scheduler needs the package distributed; accepted: local.") from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # What fails is said below, once.
    try:
        client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ConfigError(f"No scheduler answers at {scheduler!r}; {ACCEPTED}.") from error
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        client.close()
        raise ConfigError(f"The scheduler {scheduler!r} has no worker; {ACCEPTED}.") from error
    return client
