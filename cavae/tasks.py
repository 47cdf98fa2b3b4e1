"""Run pure functions side by side, on this machine or on a cluster, with the same results.

A task is a function of a module, and arguments that can be pickled; what it returns depends on
nothing else, and it runs on one thread, so that its numbers do not depend on where it ran. A worker
process that dies costs another try and no result.

Workers are joblib's (loky) on this machine, and elsewhere those of a dask scheduler. Both are asked
as executors: joblib's own backend for dask waits for ever for a task that has killed its workers.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cavae.errors import CavaeError, ConfigError
from cavae.threads import one_thread

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
ADDRESS = r"tcp://\[?[\w.:-]+\]?:\d{1,5}"
ACCEPTED = "accepted: local, or tcp://HOST:PORT of a dask scheduler with workers"
PATIENCE = 10  # seconds until a scheduler or its first worker has to answer
MISSED = 60  # seconds until workers that were all lost are not waited for any more
RETRIES = 3  # of a task whose worker died, here and by dask's own default
LOOK = 0.5  # seconds between two looks at whether to stop
GONE = "The scheduler {scheduler!r} is gone."
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pandas")  # what numbers depend on
DIED = "The worker process died {times} times at {task}; there may be too little memory."

Stopped = Callable[[], bool]


@dataclass(frozen=True)
class Task:
    """function(*arguments); how long it takes compared with other tasks, for the time left; and
    what an error calls it."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    cost: float = 1.0
    name: str = "one task"


def run_tasks(
    tasks: Sequence[Task], scheduler: str = LOCAL, stopped: Stopped = lambda: False
) -> Iterator[tuple[int, Any]]:
    """Start tasks in their order; yield number and result of each as soon as it has ended.

    scheduler: "local" (as many processes as processors), or "tcp://HOST:PORT" of a running dask
    scheduler, whose workers must have this package. Ending the iteration ends what runs; so does
    `stopped`, which is asked twice a second. A dask worker alone finishes, unheard, the task that
    it has begun: nothing but its own end could interrupt that.

    Raises:
        ConfigError: the address is none, or no scheduler or worker answers there.
        CavaeError: a task killed its workers; the scheduler was lost; or what a task raised.
    """
    if not tasks:
        return iter(())
    if scheduler == LOCAL:
        return _run_here(tasks, stopped)
    return _run_there(tasks, scheduler, stopped)


class _DiedError(Exception):
    """Workers died while these tasks ran; the first of them is the one that was asked for."""

    def __init__(self, running: list[int]) -> None:
        super().__init__(running)
        self.running = running


def _results(
    executor: Executor,
    size: Callable[[], int],
    tasks: Sequence[Task],
    numbers: Iterable[int],
    stopped: Stopped,
    lost: type[Exception],
) -> Iterator[tuple[int, Any]]:
    """What `run_tasks` yields, of some tasks, never more than `size` of them at once, which is
    asked each round.

    Raises _DiedError where the executor raises `lost`.
    """
    waiting, running = deque(numbers), dict[Future, int]()
    while (waiting or running) and not stopped():
        allowed = size()
        while waiting and len(running) < allowed:
            task = tasks[waiting[0]]
            try:
                future = executor.submit(_alone, task.function, task.arguments)
            except lost as error:
                raise _DiedError(list(running.values())) from error
            running[future] = waiting.popleft()
        for future in wait(running, LOOK, FIRST_COMPLETED).done:
            try:
                result = future.result()
            except lost as error:
                raise _DiedError([running.pop(future), *running.values()]) from error
            yield running.pop(future), result


_PROCESS = threading.Lock()


def _alone(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """One task, on one thread whatever the worker has.

    And one at a time: a dask worker may have several threads, but torch's random state and number
    of threads belong to the process. Arguments come as one tuple, which dask sends along with the
    task; single ones it would keep on one worker, and lose with it.
    """
    with _PROCESS, one_thread():
        return function(*arguments)


# --------------------------------------------------------------------------- this machine


def _run_here(tasks: Sequence[Task], stopped: Stopped) -> Iterator[tuple[int, Any]]:
    """A dead worker takes the pool along: what was not done yet is run in a new one.

    Which of the tasks at hand killed it is not known, so all of them are suspects, and come last.
    One that was there RETRIES times runs alone: if it was not to blame, it ends now.
    """
    left, deaths = dict.fromkeys(range(len(tasks))), Counter[int]()
    while left and not stopped():
        suspects = [number for number in left if deaths[number] >= RETRIES]
        try:
            chosen = suspects[:1] or list(left)
            with _processes(len(chosen)) as (executor, size):
                for number, result in _results(
                    executor, lambda: size, tasks, chosen, stopped, BrokenExecutor
                ):
                    del left[number]
                    yield number, result
        except _DiedError as died:
            for number in died.running:
                deaths[number] += 1
                left[number] = left.pop(number)
            if suspects and deaths[suspects[0]] > RETRIES:
                blamed = suspects[0]
                raise CavaeError(
                    DIED.format(times=deaths[blamed], task=tasks[blamed].name)
                ) from died


@contextmanager
def _processes(most: int) -> Iterator[tuple[Executor, int]]:
    """Worker processes, one a processor but `most` at most, killed at the end; and how many."""
    from joblib import cpu_count
    from joblib.externals.loky import ProcessPoolExecutor

    size = min(cpu_count(), most)
    executor = ProcessPoolExecutor(size, initializer=_follow, initargs=(os.getpid(),))
    try:
        yield executor, size
    finally:
        executor.shutdown(kill_workers=True)


def _follow(parent: int) -> None:
    """Make this worker end when the process that asked for it ends, however that ended, and leave
    Ctrl-C, which reaches every process of a terminal, to that process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


# --------------------------------------------------------------------------- a cluster


def _run_there(
    tasks: Sequence[Task], scheduler: str, stopped: Stopped
) -> Iterator[tuple[int, Any]]:
    """Dask itself gives the task of a dead worker to others, RETRIES times."""
    client = _connect(scheduler)
    from distributed import KilledWorker

    try:
        _require_same_software(client, scheduler)
        executor = client.get_executor(pure=False)
        threads, everything = _threads(client, scheduler), range(len(tasks))
        yield from _results(executor, threads, tasks, everything, stopped, KilledWorker)
    except _DiedError as died:
        name = tasks[died.running[0]].name
        raise CavaeError(DIED.format(times=RETRIES + 1, task=name)) from died
    except CancelledError as error:
        raise CavaeError(GONE.format(scheduler=scheduler)) from error
    finally:
        client.close()


def _threads(client: Client, scheduler: str) -> Callable[[], int]:
    """How many threads all workers have, each time it is asked.

    It raises CavaeError when the scheduler is gone, or all workers have been for a while.
    """
    seen = time.monotonic()

    def threads() -> int:
        nonlocal seen
        try:
            found = sum(client.nthreads().values())
        except OSError as error:
            raise CavaeError(GONE.format(scheduler=scheduler)) from error
        if found:
            seen = time.monotonic()
        elif time.monotonic() > seen + MISSED:
            raise CavaeError(f"The scheduler {scheduler!r} has lost all its workers.")
        return found

    return threads


def _connect(scheduler: str) -> Client:
    """A client of a dask scheduler that has at least one worker."""
    if not re.fullmatch(ADDRESS, scheduler):
        raise ConfigError(f"scheduler is {scheduler!r}; {ACCEPTED}.")
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigError("A scheduler needs the package distributed; accepted: local.") from error
    for name in ("distributed", "distributed.client"):  # What fails is said below, once.
        logging.getLogger(name).setLevel(logging.CRITICAL)
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


def _require_same_software(client: Client, scheduler: str) -> None:
    """Refuse workers that would give other numbers, or none."""
    mine = _software()
    try:
        theirs = client.run(_software)
    except Exception as error:  # Whatever an import there raises.
        raise ConfigError(
            f"A worker of {scheduler!r} cannot run this package ({error}); accepted: workers that "
            "have it, and all that it needs."
        ) from error
    for worker, found in theirs.items():
        for name, here in mine.items():
            if found[name] != here:
                raise ConfigError(
                    f"The worker {worker} has {name} {found[name]}, this machine has {here}; "
                    "accepted: the same on both, or their numbers would differ."
                )


def _software() -> dict[str, str]:
    """Versions of what numbers depend on, and a digest of this package."""
    source = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        source.update(path.read_bytes())
    return {name: version(name) for name in PACKAGES} | {"cavae": source.hexdigest()[:12]}
