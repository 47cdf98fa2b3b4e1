"""Jobs train in the background, survive who started them, and say what became of them."""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from cavae import jobs as jobs_module
from cavae.checkpoint import load_model
from cavae.config import train_config
from cavae.errors import ConfigError
from cavae.jobs import FIGURES, MOST_FILMS, MOST_PICTURES, OVERTIME, TOLD, Job, JobQueue, Order
from cavae.limits import Limits
from cavae.storage import DAY, clean
from cavae.training import split_cohort, train
from tests.conftest import ROOT
from tests.people import make_cohort

QUICK = train_config(target=("AD",), epochs=6, batch_size=32, device="cpu")
ENDLESS = replace(QUICK, epochs=100_000, patience=100_000)


def order(config=QUICK, name="mine", **settings):
    return Order(make_cohort(healthy=40, diseased=30), config, "people.csv", name, **settings)


@dataclass(frozen=True)
class Nothing:
    """Work that is done at once."""

    name: str = "nothing"
    kind: ClassVar[str] = "sweep"
    settings: dict[str, Any] = field(default_factory=dict)

    def work(self, _folder, _tell):
        return None


@dataclass(frozen=True)
class CutOff(Nothing):
    """Work whose process is killed in the middle of what it says, as when memory is out."""

    def work(self, _folder, tell):
        os.write(tell._sender.fileno(), struct.pack("!i", 1000) + b"half of it")
        os.kill(os.getpid(), signal.SIGKILL)


def wait(jobs: JobQueue, job_id: str, until) -> Job:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        if (job := jobs.find(job_id)) and until(job):
            return job
        time.sleep(0.05)
    raise TimeoutError(jobs.find(job_id))


def ended(job: Job) -> bool:
    return job.ended


@pytest.fixture
def jobs(tmp_path):
    return JobQueue(tmp_path / "storage")


def test_a_job_makes_the_model_that_the_same_seed_makes_elsewhere(jobs, tmp_path):
    job_id = jobs.submit(order())
    job = wait(jobs, job_id, ended)
    assert (job.status, job.reason, len(job.history)) == ("done", "", 6)
    here = train(split_cohort(order().cohort, QUICK), QUICK).network.state_dict()
    there = load_model(job.model).network.state_dict()
    assert all(torch.equal(here[name], there[name]) for name in here)

    after_a_restart = JobQueue(tmp_path / "storage").find(job_id)
    assert after_a_restart == job


def test_what_a_training_leaves_on_disk_names_nobody(jobs, tmp_path):
    job = wait(jobs, jobs.submit(order()), ended)
    assert job.model
    kept = {
        path.name: path.read_bytes()
        for path in (tmp_path / "storage").rglob("*.*")
        if path.is_file()
    }
    assert "weights.safetensors" in kept
    for subject_id in order().cohort.subjects["subject_id"]:
        assert not [name for name, data in kept.items() if subject_id.encode() in data]


def test_a_model_names_the_file_and_sites_that_it_was_made_of(jobs):
    """As page Data protection says."""
    job = wait(jobs, jobs.submit(order()), ended)
    assert "people.csv" in load_model(job.model).card
    sites = json.loads((Path(job.model) / "preprocessor.json").read_text())["sites"]
    assert sites == ["North", "South"]


def test_what_was_deleted_is_found_no_more(jobs, tmp_path):
    """By who asks for the job, or deletes its model, or by itself when its time has come."""
    first, second = jobs.submit(Nothing()), jobs.submit(Nothing())
    for one in (first, second):
        wait(jobs, one, ended)
    jobs.delete(first)
    shutil.rmtree(tmp_path / "storage" / second)
    assert jobs.find(first) is jobs.find(second) is None
    assert os.listdir(tmp_path / "storage") == []


def test_a_job_that_still_goes_on_cannot_be_deleted(jobs):
    running = jobs.submit(order(ENDLESS))
    jobs.delete(running)
    assert jobs.find(running).status in ("queued", "running")
    jobs.close(0.0)


def test_films_are_forgotten_when_others_have_come(jobs):
    for number in range(MOST_FILMS + 1):
        jobs._keep_in_memory(str(number), "a picture")
    assert jobs.shown("0") == ()
    assert jobs.shown("1") == ("a picture",)


def test_jobs_wait_for_each_other_and_cancel_keeps_the_best_so_far(jobs):
    running, waiting = jobs.submit(order(ENDLESS)), jobs.submit(order())
    wait(jobs, running, lambda job: len(job.history) > 6)
    assert jobs.find(waiting).status == "queued"
    assert jobs.ahead(waiting) == 1
    jobs.cancel(running)
    job = wait(jobs, running, ended)
    assert job.status == "cancelled"
    assert load_model(job.model).facts["best_epoch"] == job.history[-1]["best_epoch"]
    assert wait(jobs, waiting, ended).status == "done"


def test_a_job_cancelled_before_it_began_leaves_no_model(jobs):
    running, waiting = jobs.submit(order(ENDLESS)), jobs.submit(order())
    jobs.cancel(waiting)
    jobs.cancel(running)
    job = wait(jobs, waiting, ended)
    assert (job.status, job.model) == ("cancelled", None)


def test_a_job_that_cannot_work_says_why(jobs):
    job = wait(jobs, jobs.submit(order(replace(QUICK, target=("PD",)))), ended)
    assert job.status == "failed"
    assert "0 people labelled PD" in job.reason


def test_a_process_that_is_killed_fails_with_its_reason_and_offers_the_last_checkpoint(jobs):
    running = jobs.submit(order(ENDLESS, checkpoint=0.0))
    wait(jobs, running, lambda job: len(job.history) > 6)
    os.kill(jobs.find(running).process, signal.SIGKILL)
    job = wait(jobs, running, ended)
    assert job.status == "failed"
    assert "ended by itself (exit status -9)" in job.reason
    model = load_model(job.model)
    assert model.facts["best_epoch"] == 5
    assert "Not measured, interim" in model.card


def test_a_process_that_is_killed_before_its_first_checkpoint_leaves_no_model(jobs, tmp_path):
    running = jobs.submit(order(ENDLESS))
    wait(jobs, running, lambda job: len(job.history) > 1)
    another_server = JobQueue(tmp_path / "storage")
    assert another_server.find(running).status == "running", "its process is there"
    os.kill(another_server.find(running).process, signal.SIGKILL)
    job = wait(jobs, running, ended)
    assert (job.status, job.model) == ("failed", None)


def test_people_are_seen_while_it_trains_and_written_down_nowhere(jobs, tmp_path):
    """And measuring, which comes after the first stop, is stopped by a second one."""
    running = jobs.submit(order(ENDLESS))
    wait(jobs, running, lambda job: len(job.history) > 10)
    before, seen = jobs.shown(running)[0], jobs.find(running).history[4]
    assert before.common.shape == before.salient.shape == (len(before.is_target), 2)
    assert seen["w2_target"] > seen["floor_target"] > 0
    wait(jobs, running, lambda job: jobs.shown(running)[-1].epoch > before.epoch)
    jobs.cancel(running)
    wait(jobs, running, lambda job: job.doing.startswith("Measuring"))
    jobs.cancel(running)
    job = wait(jobs, running, ended)
    assert job.status == "cancelled"
    assert "Not measured" in load_model(job.model).card
    record = json.loads((tmp_path / "storage" / running / "job.json").read_text())
    assert {name for entry in record["history"] for name in entry} == {*TOLD, *FIGURES}


def test_nobody_finds_a_job_by_guessing_or_by_a_path(jobs):
    jobs.submit(order())
    for guess in ("", "../..", "a" * 22, "/etc/passwd"):
        assert jobs.find(guess) is None


def test_without_its_storage_a_job_fails_with_its_reason_and_the_next_one_runs(jobs, tmp_path):
    running = jobs.submit(order(ENDLESS))
    wait(jobs, running, lambda job: len(job.history) > 6)
    storage = tmp_path / "storage"
    shutil.rmtree(storage)
    storage.touch()
    jobs.cancel(running)
    job = wait(jobs, running, ended)
    storage.unlink()
    assert job.status == "failed"
    assert "could not be kept in the storage of this server" in job.reason
    assert wait(jobs, jobs.submit(order()), ended).status == "done"


def test_a_process_that_is_killed_while_it_speaks_stops_no_other_job(jobs):
    assert wait(jobs, jobs.submit(CutOff()), ended).status == "failed"
    assert wait(jobs, jobs.submit(Nothing()), ended).status == "done"


def test_a_process_that_cannot_be_started_stops_no_other_job(jobs, monkeypatch):
    def start(_process):
        raise BlockingIOError("Resource temporarily unavailable")

    with monkeypatch.context() as without_room:
        without_room.setattr(SpawnProcess, "start", start)
        assert wait(jobs, jobs.submit(Nothing()), ended).status == "failed"
    assert wait(jobs, jobs.submit(Nothing()), ended).status == "done"


def test_the_people_of_a_job_are_forgotten_when_it_has_ended(jobs):
    one = Nothing()
    people = weakref.ref(one)
    wait(jobs, jobs.submit(one), ended)
    del one
    end = time.monotonic() + 10
    while people() is not None:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_job_that_waited_until_its_folder_was_deleted_still_works(jobs, tmp_path):
    storage = tmp_path / "storage"
    running, waiting = jobs.submit(order(ENDLESS)), jobs.submit(order())
    wait(jobs, running, lambda job: len(job.history) > 1)
    then = time.time() - 2 * DAY
    os.utime(storage / waiting / "job.json", (then, then))
    assert clean(storage, Limits(keep_days=1)) == 1
    jobs.cancel(running)
    job = wait(jobs, waiting, ended)
    assert job.status == "done"
    assert load_model(job.model)
    assert os.stat(storage / waiting).st_mode & 0o077 == 0, "others on the disk"


def test_of_many_who_ask_at_once_one_gets_the_last_place(jobs, monkeypatch):
    monkeypatch.setenv("CAVAE_JOBS_WAITING", "0")
    together = threading.Barrier(8)

    def ask(_number: int) -> bool:
        together.wait()
        try:
            jobs.submit(order(ENDLESS))
        except ConfigError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 1
    jobs.close(0.0)


def test_a_job_that_takes_too_long_is_stopped_keeps_its_best_and_says_so(jobs, monkeypatch):
    monkeypatch.setenv("CAVAE_JOB_MINUTES", "1")
    monkeypatch.setattr(jobs_module, "MINUTE", 10.0)
    job = wait(jobs, jobs.submit(order(ENDLESS, checkpoint=0.0)), ended)
    assert (job.status, job.reason) == ("cancelled", OVERTIME.format(minutes=1))
    assert load_model(job.model)  # On a busy machine that of the first epoch.


def test_a_job_has_its_minutes_and_one_more_each_to_end_and_to_be_measured(jobs, monkeypatch):
    monkeypatch.setenv("CAVAE_JOB_MINUTES", "3")
    given, after = [], jobs_module._after
    monkeypatch.setattr(
        jobs_module, "_after", lambda seconds, do: given.append(seconds) or after(seconds, do)
    )
    wait(jobs, jobs.submit(order(replace(QUICK, epochs=1))), ended)
    assert given == [180, 240, 300], "seconds"


def test_of_many_pictures_the_first_and_the_last_are_kept_in_their_order(jobs):
    for number in range(1_000):
        jobs._keep_in_memory("a job", number)
    shown = jobs.shown("a job")
    assert (shown[0], shown[-1]) == (0, 999)
    assert list(shown) == sorted(shown)
    assert len(shown) <= MOST_PICTURES


def test_a_visitor_with_enough_jobs_and_a_full_queue_are_told_to_wait(jobs, monkeypatch):
    monkeypatch.setenv("CAVAE_JOBS_PER_SESSION", "1")
    running = jobs.submit(order(ENDLESS))
    with pytest.raises(ConfigError, match="You have 1 job"):
        jobs.submit(order(), [running])
    waiting = jobs.submit(order(), ["another visitor's"])
    monkeypatch.setenv("CAVAE_JOBS_WAITING", "1")
    with pytest.raises(ConfigError, match="1 jobs are waiting already"):
        jobs.submit(order())
    for one in (waiting, running):
        jobs.cancel(one)
        jobs.cancel(one)


def test_where_training_is_off_no_job_is_taken(jobs, monkeypatch):
    monkeypatch.setenv("CAVAE_TRAINING", "off")
    with pytest.raises(ConfigError, match="turned off"):
        jobs.submit(order())


def test_a_closing_server_ends_its_jobs_within_seconds_and_begins_no_other(jobs):
    running, waiting = jobs.submit(order(ENDLESS)), jobs.submit(order())
    wait(jobs, running, lambda job: len(job.history) > 6)
    began = time.monotonic()
    jobs.close()
    assert time.monotonic() - began < 10
    job = wait(jobs, running, ended)
    assert job.status == "interrupted"
    assert load_model(job.model).facts["best_epoch"] > 0
    assert jobs.find(waiting).status == "queued"


def test_two_jobs_run_at_once_where_that_is_allowed(tmp_path, monkeypatch):
    monkeypatch.setenv("CAVAE_JOBS_AT_ONCE", "2")
    jobs = JobQueue(tmp_path / "storage")
    both = [jobs.submit(order(ENDLESS)) for _ in range(2)]
    for one in both:
        wait(jobs, one, lambda job: len(job.history) > 1)
    jobs.close(0.0)


@pytest.mark.parametrize("name", ["", "../up", "a/b", "-x", "a" * 65, "a b"])
def test_a_name_that_is_no_file_name_is_refused(name):
    with pytest.raises(ConfigError, match="name is"):
        order(name=name)


SERVER = """
import sys, time
from pathlib import Path
from cavae.jobs import JobQueue
from tests.test_jobs import ENDLESS, order
if __name__ == "__main__":
    jobs = JobQueue(Path(sys.argv[1]))
    job_id = jobs.submit(order(ENDLESS, checkpoint=0.0))
    while len(jobs.find(job_id).history) < 7:
        time.sleep(0.05)
    print(job_id, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("ending", "with_its_process"),
    [(signal.SIGKILL, False), (signal.SIGINT, False), (signal.SIGKILL, True)],
)
def test_a_server_that_ends_leaves_the_best_so_far(tmp_path, ending, with_its_process):
    server = tmp_path / "server.py"
    server.write_text(SERVER)
    process = subprocess.Popen(
        [sys.executable, str(server), str(tmp_path / "storage")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    job_id = process.stdout.readline().strip()
    if with_its_process:
        os.kill(JobQueue(tmp_path / "storage").find(job_id).process, signal.SIGKILL)
    process.send_signal(ending)
    process.wait()
    process.stdout.close()
    job = wait(JobQueue(tmp_path / "storage"), job_id, ended)
    assert job.status == "interrupted"
    assert load_model(job.model).facts["best_epoch"] == job.history[-1]["best_epoch"]
