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
import secrets
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from cavae.config import DEFAULT_VARIANT, TrainConfig, require_variant
from cavae.errors import CavaeError, ConfigError

if TYPE_CHECKING:
    from cavae.cohort import Cohort
    from cavae.training import Progress

STORAGE = Path(__file__).resolve().parent.parent / "storage"
RECORD = "job.json"
NAME = r"[A-Za-z0-9][\w.-]{0,63}"
ID = r"[A-Za-z0-9_-]{22}"
ENDED = ("done", "cancelled", "failed", "interrupted")
CRASHED = "The process ended by itself (exit status {code}); there may be too little memory."
TOLD = ("epoch", "epochs", "terms", "best_epoch", "seconds")
FIGURES = ("w2_target", "w2_background", "floor_target", "floor_background", "leakage_auc")
UNEXPECTED = "The work stopped on an unexpected error ({kind})."

Tell = Callable[[dict[str, Any]], bool]  # Adds an entry to the history; False: come to an end.
Stopped = Callable[[], bool]  # Whether to come to an end, with nothing to tell.


class Work(Protocol):
    """What a job can do; `Order`, a training, is one such thing.

    kind: which page shows the job; settings: plain JSON types, for the record.
    """

    kind: str
    name: str

    @property
    def settings(self) -> dict[str, Any]:
        """What the record says of it."""

    def work(self, folder: Path, tell: Tell, stopped: Stopped) -> Path | None:
        """Do it, with all files in the folder of the job; returns the model, if it makes one."""


@dataclass(frozen=True)
class Order:
    """What is to be trained, on whom, and the name that the model gets."""

    cohort: Cohort
    config: TrainConfig
    source: str
    name: str
    latent: int = 5
    variant: str = DEFAULT_VARIANT
    kind: ClassVar[str] = "training"

    def __post_init__(self) -> None:
        if not re.fullmatch(NAME, self.name):
            raise ConfigError(
                f"The model's name is {self.name!r}; accepted: up to 64 letters, digits, "
                "points, hyphens and underscores, beginning with a letter or digit."
            )
        require_variant(self.variant, self.config)

    @property
    def settings(self) -> dict[str, Any]:
        """The training's configuration."""
        return self.config.to_dict()

    def work(self, folder: Path, tell: Tell, stopped: Stopped) -> Path:
        """Train and write the model, its best epoch so far when told to stop."""
        from cavae.experiments import train_and_save
        from cavae.training import split_cohort

        def epoch_ended(progress: Progress) -> bool:
            return tell(_epoch(progress))

        split, model = split_cohort(self.cohort, self.config), folder / self.name
        train_and_save(
            split, self.config, model, self.source, self.latent, epoch_ended, self.variant
        )
        return model


@dataclass
class Job:
    """What is known of a job: queued, running, or one of ENDED.

    history has an entry for each time that the work told something; of a training one an epoch: the
    loss terms, best_epoch, seconds, and the FIGURES of the look at validation people or None. model
    is the folder, once there is one; process is the id of the one that works.
    """

    id: str
    name: str
    settings: Mapping[str, Any]
    kind: str = Order.kind
    status: str = "queued"
    reason: str = ""
    history: list[dict[str, Any]] = field(default_factory=list)
    model: str | None = None
    process: int | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ENDED


class JobQueue:
    """The jobs of one server; each has a folder of its own in $CAVAE_STORAGE or STORAGE."""

    def __init__(self, storage: Path | None = None) -> None:
        self._storage = storage or Path(os.environ.get("CAVAE_STORAGE", STORAGE))
        self._jobs: dict[str, Job] = {}
        self._cancelled: dict[str, Event] = {}
        self._waiting: queue.SimpleQueue[tuple[str, Work]] = queue.SimpleQueue()
        self._spawn = multiprocessing.get_context("spawn")
        self._process: multiprocessing.process.BaseProcess | None = None
        atexit.register(self._end)
        threading.Thread(target=self._run_all, name="jobs", daemon=True).start()

    def submit(self, order: Work) -> str:
        """Take an order; returns the job's id, which nobody can guess.

        Raises ConfigError when the folder cannot be written.
        """
        job = Job(secrets.token_urlsafe(16), order.name, order.settings, order.kind)
        try:
            (self._storage / job.id).mkdir(mode=0o700, parents=True)
            _write_record(job, self._storage / job.id)
        except OSError as error:
            raise ConfigError(
                f"Models cannot be kept in {str(self._storage)!r}: {error.strerror}; "
                "CAVAE_STORAGE names another folder."
            ) from error
        self._jobs[job.id] = job
        self._cancelled[job.id] = self._spawn.Event()
        self._waiting.put((job.id, order))
        return job.id

    def find(self, job_id: str) -> Job | None:
        """The job of that id, of this server or of one before it; None if there is none."""
        if job_id in self._jobs:
            return self._jobs[job_id]
        if not re.fullmatch(ID, job_id):
            return None
        job = _read_record(self._storage / job_id)
        if job is not None and not job.ended and not _runs(job.process):
            job.status = "interrupted"
        return job

    def folder(self, job_id: str) -> Path:
        """Where the files of a job are that `find` has found."""
        return self._storage / job_id

    def ahead(self, job_id: str) -> int:
        """How many jobs come before a queued one."""
        before = [job for job in self._jobs.values() if not job.ended]
        return next((k for k, job in enumerate(before) if job.id == job_id), 0)

    def cancel(self, job_id: str) -> None:
        """Stop a job; what it has reached is kept, of a training the best epoch so far."""
        if job_id in self._cancelled:
            self._cancelled[job_id].set()

    def _run_all(self) -> None:
        while True:
            job_id, order = self._waiting.get()
            self._run(self._jobs[job_id], order, self._cancelled[job_id])

    def _end(self) -> None:
        """Tell the process to end with the server, which waits for it. It is no daemon, as these
        may not share their work with other processes."""
        if self._process is not None and self._process.is_alive():
            self._process.terminate()

    def _run(self, job: Job, order: Work, cancelled: Event) -> None:
        folder = self._storage / job.id
        if cancelled.is_set():
            job.status = "cancelled"
            _write_record(job, folder)
            return
        receiver, sender = self._spawn.Pipe(duplex=False)
        process = self._process = self._spawn.Process(
            target=_work, args=(job, order, folder, sender, cancelled), name=order.kind
        )
        process.start()
        sender.close()
        job.status, job.process = "running", process.pid
        _listen(job, receiver)
        process.join()
        ended = _read_record(folder)
        if ended is not None and ended.ended:
            job.reason, job.model, job.status = ended.reason, ended.model, ended.status
        else:
            job.reason, job.status = CRASHED.format(code=process.exitcode), "failed"
            _write_record(job, folder)


def _listen(job: Job, receiver: Connection) -> None:
    """Add to the history what the process tells, until it has nothing more to tell."""
    try:
        while True:
            job.history.append(receiver.recv())
    except EOFError:
        return


def _work(job: Job, order: Work, folder: Path, sender: Connection, cancelled: Event) -> None:
    """The process: do the work, and say in the record what became of it."""

    def interrupt(*_: object) -> None:
        job.status = "interrupted"

    def stopped() -> bool:
        if cancelled.is_set():
            job.status = "cancelled"
        return job.status != "running"

    def tell(entry: dict[str, Any]) -> bool:
        job.history.append(entry)
        try:
            sender.send(entry)
        except OSError:  # The server is gone: keep what there is while nobody looks on.
            interrupt()
        return not stopped()

    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, interrupt)
    job.status, job.process = "running", os.getpid()
    _write_record(job, folder)
    try:
        model = order.work(folder, tell, stopped)
        job.model = None if model is None else str(model)
        if job.status == "running":
            job.status = "done"
    except CavaeError as error:
        job.status, job.reason = "failed", str(error)
    except Exception as error:
        job.status, job.reason = "failed", UNEXPECTED.format(kind=type(error).__name__)
    _write_record(job, folder)


def _epoch(progress: Progress) -> dict[str, Any]:
    """Progress as plain JSON: of a look its figures (None where nobody looked), not its people."""
    told = {name: getattr(progress, name) for name in TOLD}
    look = {name: getattr(progress.look, name, None) for name in FIGURES}
    return told | {name: None if value != value else value for name, value in look.items()}


def _runs(process: int | None) -> bool:
    """Whether a process, which may have lost its server and be saving its model, still runs."""
    if process is None:
        return False
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


def _write_record(job: Job, folder: Path) -> None:
    written = folder / f".{RECORD}"
    written.write_text(json.dumps(asdict(job)), encoding="utf-8")
    os.replace(written, folder / RECORD)


def _read_record(folder: Path) -> Job | None:
    """The job as it was last written down, or None."""
    try:
        return Job(**json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
