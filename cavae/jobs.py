"""Work in the background: one order after another, each in a process of its own.

A job goes on when the page that started it is closed; whoever has its id finds it again. On disk
are its record (settings, curves, what became of it) and what it made, never a row of the people:
they go to the process through memory.
"""

from __future__ import annotations

import atexit
import json
import multiprocessing
import os
import queue
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from filelock import FileLock

from cavae.config import DEFAULT_VARIANT, TrainConfig, require_variant
from cavae.errors import CavaeError, ConfigError, Stopped
from cavae.limits import limits, require_training
from cavae.logs import begin, log, log_failure
from cavae.scatter import Camera
from cavae.storage import (
    KEY,
    LOCK,
    RECORD,
    cannot_keep,
    delete,
    is_worked_on,
    new_key,
    require_room,
)

if TYPE_CHECKING:
    from cavae.cohort import Cohort
    from cavae.optimization import Progress

MOST_PICTURES, MOST_FILMS = 200, 20
NAME = r"[A-Za-z0-9][\w.-]{0,63}"
ENDED = ("done", "cancelled", "failed", "interrupted")
CRASHED = "The process ended by itself (exit status {code}); there may be too little memory."
UNKEPT = "What it made could not be kept in the storage of this server ({why})."
CANNOT_WRITE = os.EX_CANTCREAT  # exit status of a process that could not leave a record
OVERTIME = "It was stopped at this server's limit of {minutes:,} minutes."
MINUTE = 60.0  # seconds
ENDING_SECONDS = 7.0  # that jobs have to keep what they have when the server ends
TOLD = ("epoch", "epochs", "terms", "best_epoch", "seconds")
FIGURES = (
    "w2_target",
    "w2_background",
    "floor_target",
    "floor_background",
    "leakage_auc",
    "separation_auc",
)
UNEXPECTED = "The work stopped on an unexpected error ({kind})."


def require_model_name(name: str) -> None:
    """Refuse a name that a model cannot have; raises ConfigError."""
    if not re.fullmatch(NAME, name):
        raise ConfigError(
            f"The model's name is {name[:80]!r}; accepted: up to 64 letters, digits, points, "
            "hyphens and underscores, beginning with a letter or digit."
        )


class Tell(Protocol):
    """How work says what it is doing, to those who look on."""

    def __call__(self, entry: dict[str, Any]) -> bool:
        """Add an entry to the history; False: come to an end."""

    def stopped(self) -> bool:
        """Whether to come to an end, with nothing to tell."""

    def doing(self, what: str) -> bool:
        """Say what is done now; False: leave it, somebody has said stop since the last answer."""

    def show(self, picture: object) -> None:
        """Have something looked at that describes persons: it stays in memory."""

    def keep(self, model: Path) -> None:
        """Say that a model is in that folder already, as good as it is so far."""


class Work(Protocol):
    """What a job can do; `Order`, a training, is one such thing.

    kind: which page shows the job; settings: plain JSON types, for the record.
    """

    kind: str
    name: str

    @property
    def settings(self) -> dict[str, Any]:
        """What the record says of it."""

    def work(self, folder: Path, tell: Tell) -> Path | None:
        """Do it, with all files in the folder of the job; returns the model, if it makes one."""


@dataclass(frozen=True)
class Order:
    """What is to be trained, on whom, and the name that the model gets.

    checkpoint: seconds of training after which the best so far is written down, again and again.
    """

    cohort: Cohort
    config: TrainConfig
    source: str
    name: str
    latent: int = 5
    variant: str = DEFAULT_VARIANT
    checkpoint: float = 20.0
    kind: ClassVar[str] = "training"

    def __post_init__(self) -> None:
        require_model_name(self.name)
        require_variant(self.variant, self.config)

    @property
    def settings(self) -> dict[str, Any]:
        """The training's configuration."""
        return self.config.to_dict()

    def work(self, folder: Path, tell: Tell) -> Path:
        """Train and write the model, its best epoch so far when told to stop."""
        from cavae.experiments import INTERIM, MEASURING, save_trained, train_and_save
        from cavae.training import Interim, TrainedModel, split_cohort

        camera, model = Camera(), folder / self.name

        def epoch_ended(progress: Progress) -> bool:
            if progress.look is not None:
                tell.show(camera.take(progress.epoch, progress.look))
            return tell(_epoch(progress))

        def keep(trained: TrainedModel) -> None:
            save_trained(trained, model, self.source, measured_on=INTERIM)
            tell.keep(model)

        def measure(what: str) -> None:
            step = f"{MEASURING.index(what) + 1} of {len(MEASURING)}"
            if not tell.doing(f"Measuring {what} ({step})"):
                raise Stopped

        train_and_save(
            split_cohort(self.cohort, self.config),
            self.config,
            model,
            self.source,
            self.latent,
            epoch_ended,
            self.variant,
            Interim(keep, self.checkpoint),
            measure,
        )
        return model


@dataclass
class Job:
    """What is known of a job: queued, running, or one of ENDED.

    history has an entry for each time that the work told something; of a training one an epoch: the
    loss terms, best_epoch, seconds, and the FIGURES of the look at validation people or None. doing
    says what is done that has no entries. model is the folder, once there is one; process is the id
    of the one that works.
    """

    id: str
    name: str
    settings: Mapping[str, Any]
    kind: str = Order.kind
    status: str = "queued"
    reason: str = ""
    history: list[dict[str, Any]] = field(default_factory=list)
    doing: str = ""
    model: str | None = None
    process: int | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ENDED


class JobQueue:
    """The jobs of one server; each has a folder of its own in `limits().storage`."""

    def __init__(self, storage: Path | None = None) -> None:
        self._storage = storage or limits().storage
        self._jobs: dict[str, Job] = {}
        self._shown: dict[str, list[Any]] = {}
        self._cancelled: dict[str, Event] = {}
        self._waiting: queue.SimpleQueue[tuple[str, Work]] = queue.SimpleQueue()
        self._spawn = multiprocessing.get_context("spawn")
        self._processes: set[multiprocessing.process.BaseProcess] = set()
        self._ending, self._taking = threading.Event(), threading.Lock()
        atexit.register(self._end)
        for _ in range(limits().jobs_at_once):
            threading.Thread(target=self._run_all, name="jobs", daemon=True).start()

    def submit(self, order: Work, others: Iterable[str] = ()) -> str:
        """Take an order; returns the job's id, which nobody can guess.

        others: ids of jobs of the same visitor. Raises ConfigError when the folder cannot be
        written, or when the server's limits are reached.
        """
        with self._taking:  # Of two at once, one gets the last place.
            self._require_place(others)
            job = Job(new_key(), order.name, order.settings, order.kind)
            try:
                self.folder(job.id).mkdir(mode=0o700, parents=True)
                _write_record(job, self.folder(job.id))
            except OSError as error:
                raise ConfigError(cannot_keep(self._storage, error)) from error
            self._cancelled[job.id] = self._spawn.Event()
            self._jobs[job.id] = job
        self._waiting.put((job.id, order))
        return job.id

    def find(self, job_id: str) -> Job | None:
        """The job of that id, of this server or of one before it; None if there is none."""
        if (job := self._jobs.get(job_id)) is not None:
            if not self._was_deleted(job):
                return job
            self._forget(job_id)
        if not re.fullmatch(KEY, job_id):
            return None
        folder = self._storage / job_id
        job = _read_record(folder)
        if job is not None and not job.ended and not is_worked_on(folder):
            job.status = "interrupted"
        return job

    def shown(self, job_id: str) -> tuple[Any, ...]:
        """What a job of this server has had looked at, in order: the first, the last, and some of
        those between."""
        return tuple(self._shown.get(job_id, ()))

    def folder(self, job_id: str) -> Path:
        """Where the files of a job are that `find` has found."""
        return self._storage / job_id

    def ahead(self, job_id: str) -> int:
        """How many jobs come before a queued one."""
        before = [job for job in tuple(self._jobs.values()) if not job.ended]
        return next((k for k, job in enumerate(before) if job.id == job_id), 0)

    def cancel(self, job_id: str) -> None:
        """Stop a job; what it has reached is kept, of a training the best epoch so far."""
        if job_id in self._cancelled:
            self._cancelled[job_id].set()

    def delete(self, job_id: str) -> None:
        """Delete a job that has ended, with all that it has left; raises ConfigError."""
        if (job := self.find(job_id)) is not None and job.ended:
            delete(self.folder(job_id), self._storage)
            if self.folder(job_id).exists():
                raise ConfigError("It cannot be deleted in the storage of this server.")
            self._forget(job_id)

    def close(self, seconds: float = ENDING_SECONDS) -> None:
        """End with the server: begin nothing more, and give each process so long to keep its best.

        A process that takes longer leaves what it has written down last.
        """
        self._end()
        until = time.monotonic() + seconds
        for process in tuple(self._processes):
            process.join(max(0.0, until - time.monotonic()))
            process.kill()

    def _was_deleted(self, job: Job) -> bool:
        """Whether the folder is gone of a job that has left something in it."""
        left = job.ended and (job.status != "failed" or job.model is not None)
        return left and not self.folder(job.id).exists()

    def _forget(self, job_id: str) -> None:
        for known in (self._jobs, self._cancelled, self._shown):
            known.pop(job_id, None)

    def _require_place(self, others: Iterable[str]) -> None:
        require_training()
        allowed, unfinished = limits(), [job for job in tuple(self._jobs.values()) if not job.ended]
        waiting = len(unfinished) - allowed.jobs_at_once
        own = len({job.id for job in unfinished} & set(others))
        if waiting >= allowed.jobs_waiting:
            raise ConfigError(
                f"{waiting} jobs are waiting already, as many as this server lets wait: try again "
                "when some have ended."
            )
        if own >= allowed.jobs_per_session:
            raise ConfigError(
                f"You have {own} jobs that have not ended, as many as this server gives one "
                "visitor: wait for one, or stop one."
            )
        require_room(self._storage)

    def _run_all(self) -> None:
        while not self._ending.is_set():
            try:  # No name here would hold an order, and its people.
                self._run(*self._waiting.get())
            except Exception as error:  # The next one must have its turn.
                log_failure(error, "failed")

    def _end(self) -> None:
        """Tell the processes to end with the server, which waits for them. They are no daemons, as
        these may not share their work with other processes."""
        self._ending.set()
        for process in tuple(self._processes):
            if process.is_alive():
                process.terminate()

    def _run(self, job_id: str, order: Work) -> None:
        job, cancelled, folder = self._jobs[job_id], self._cancelled[job_id], self.folder(job_id)
        if self._ending.is_set():
            return
        if cancelled.is_set():
            job.status = "cancelled"
            _keep_record(job, folder)
            return
        began = time.monotonic()
        log("job started", kind=job.kind)
        exit_status = self._work_in_a_process(job, order, folder, cancelled)
        seconds = time.monotonic() - began
        self._take_result(job, folder, exit_status, seconds > limits().job_minutes * MINUTE)
        log("job ended", kind=job.kind, status=job.status, seconds=seconds)

    def _work_in_a_process(
        self, job: Job, order: Work, folder: Path, cancelled: Event
    ) -> int | None:
        """Start it, listen until it has ended or its time is over; its exit status."""
        receiver, sender = self._spawn.Pipe(duplex=False)
        process = self._spawn.Process(
            target=_work, args=(job, order, folder, sender, cancelled), name=order.kind
        )
        try:
            process.start()
        except (OSError, MemoryError) as error:
            log_failure(error, "failed")
            return os.EX_OSERR
        finally:
            sender.close()
        self._processes.add(process)
        job.status, job.process = "running", process.pid
        last = limits().job_minutes * MINUTE
        with (  # as a visitor would stop it, see _Telling, and at last by force
            _after(last, cancelled.set),
            _after(last + MINUTE, cancelled.set),
            _after(last + 2 * MINUTE, process.kill),
        ):
            self._listen(job, receiver)
            process.join()
        self._processes.discard(process)
        return process.exitcode

    def _take_result(self, job: Job, folder: Path, exit_status: int | None, late: bool) -> None:
        """What became of a job, by the record that its process has left."""
        left = _read_record(folder)
        job.model = None if left is None else left.model
        if late and left is not None and left.status != "done":
            job.reason, job.status = OVERTIME.format(minutes=limits().job_minutes), "cancelled"
        elif left is not None and left.ended:
            job.reason, job.status = left.reason, left.status
            return
        elif exit_status == CANNOT_WRITE:
            job.reason, job.status = UNKEPT.format(why="it cannot be written"), "failed"
        else:
            job.reason, job.status = CRASHED.format(code=exit_status), "failed"
        _keep_record(job, folder)

    def _listen(self, job: Job, receiver: Connection) -> None:
        """Take in what the process tells, until it has nothing more to tell."""
        with suppress(EOFError, OSError):  # It has ended, or was killed in the middle of a word.
            while True:
                match receiver.recv():
                    case "entry", entry:
                        job.history.append(entry)
                    case "doing", what:
                        job.doing = what
                    case "shown", picture:
                        self._keep_in_memory(job.id, picture)

    def _keep_in_memory(self, job_id: str, picture: object) -> None:
        """At most MOST_PICTURES of a job, and those of the last MOST_FILMS jobs."""
        pictures = self._shown.setdefault(job_id, [])
        pictures.append(picture)
        if len(pictures) > MOST_PICTURES:
            del pictures[1:-1:2]
        if len(self._shown) > MOST_FILMS:
            self._shown.pop(next(iter(self._shown)), None)


class _Telling:
    """`Tell` in the process that works; what is lost when it is killed is what came after `keep`.

    Whoever says stop while the work goes on means its end; said again, it means what is done then.
    """

    def __init__(self, job: Job, folder: Path, sender: Connection, cancelled: Event) -> None:
        self._job, self._folder = job, folder
        self._sender, self._cancelled = sender, cancelled
        for told in (signal.SIGTERM, signal.SIGINT):
            signal.signal(told, self._interrupt)

    def __call__(self, entry: dict[str, Any]) -> bool:
        self._job.history.append(entry)
        self._send("entry", entry)
        return not self.stopped()

    def doing(self, what: str) -> bool:
        self._job.doing = what
        self._send("doing", what)
        return not self._told_to_stop()

    def show(self, picture: object) -> None:
        self._send("shown", picture)

    def keep(self, model: Path) -> None:
        self._job.model = str(model)
        _write_record(self._job, self._folder)

    def stopped(self) -> bool:
        self._told_to_stop()
        return self._job.status != "running"

    def _told_to_stop(self) -> bool:
        if self._cancelled.is_set():
            self._cancelled.clear()
            self._job.status = "cancelled"
            return True
        return self._job.status == "interrupted"

    def _send(self, kind: str, value: object) -> None:
        try:
            self._sender.send((kind, value))
        except OSError:  # The server is gone: keep what there is while nobody looks on.
            self._interrupt()

    def _interrupt(self, *_: object) -> None:
        self._job.status = "interrupted"


def _work(job: Job, order: Work, folder: Path, sender: Connection, cancelled: Event) -> None:
    """The process: do the work, and say in the record what became of it."""
    begin()
    try:
        _work_and_record(job, order, folder, sender, cancelled)
    except OSError as error:
        log_failure(error, "failed")
        sys.exit(CANNOT_WRITE)


def _work_and_record(
    job: Job, order: Work, folder: Path, sender: Connection, cancelled: Event
) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # It may have waited for too many days.
    with FileLock(folder / LOCK):
        tell = _Telling(job, folder, sender, cancelled)
        job.status, job.process = "running", os.getpid()
        _write_record(job, folder)
        try:
            model = order.work(folder, tell)
            job.model = None if model is None else str(model)
            if job.status == "running":
                job.status = "done"
        except CavaeError as error:
            job.status, job.reason = "failed", str(error)
        except OSError as error:
            job.status, job.reason = "failed", UNKEPT.format(why=error.strerror)
        except Exception as error:
            log_failure(error, "failed")
            job.status, job.reason = "failed", UNEXPECTED.format(kind=type(error).__name__)
        _write_record(job, folder)


@contextmanager
def _after(seconds: float, do: Callable[[], object]) -> Iterator[None]:
    """Do something if the block lasts longer than that."""
    timer = threading.Timer(seconds, do)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _epoch(progress: Progress) -> dict[str, Any]:
    """Progress as plain JSON: of a look its figures (None where nobody looked), not its people."""
    told = {name: getattr(progress, name) for name in TOLD}
    look = {name: getattr(progress.look, name, None) for name in FIGURES}
    return told | {name: None if value != value else value for name, value in look.items()}


def _write_record(job: Job, folder: Path) -> None:
    written = folder / f".{RECORD}"
    written.write_text(json.dumps(asdict(job)), encoding="utf-8")
    os.replace(written, folder / RECORD)


def _keep_record(job: Job, folder: Path) -> None:
    """Write down what the server knows of it, where that is possible: the next jobs go on."""
    with suppress(OSError):
        _write_record(job, folder)


def _read_record(folder: Path) -> Job | None:
    """The job as it was last written down, or None."""
    try:
        return Job(**json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
