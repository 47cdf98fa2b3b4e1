"""Tasks give the same results wherever they run, and what goes wrong is said in a sentence."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cavae.errors import CavaeError, ConfigError, DataError
from cavae.tasks import Task, run_tasks
from tests.conftest import ROOT


def power(base, exponent):
    return base**exponent, os.getpid()


def refuse(reason):
    raise DataError(reason)


def threads(_):
    import torch

    return torch.get_num_threads()


def results(tasks, scheduler="local"):
    return dict(run_tasks(tasks, scheduler))


TASKS = [Task(power, (base, 2)) for base in range(6)]


def test_every_task_gives_its_result_under_its_number_in_another_process():
    found = results(TASKS)
    assert {number: value for number, (value, _) in found.items()} == {
        number: number**2 for number in range(6)
    }
    assert os.getpid() not in {process for _, process in found.values()}


def test_a_task_has_one_thread():
    assert set(results([Task(threads, (k,)) for k in range(2)]).values()) == {1}


def test_what_a_task_refuses_is_refused_with_its_words():
    with pytest.raises(DataError, match="a column is missing"):
        results([*TASKS, Task(refuse, ("a column is missing",))])


def test_the_iteration_can_be_left_early():
    tasks = run_tasks(TASKS)
    next(tasks)
    tasks.close()
    assert len(results(TASKS)) == 6


@pytest.mark.parametrize("address", ["", "nowhere", "http://here:80", "tcp://here", "local:1"])
def test_an_address_that_is_none_is_refused_with_what_is_accepted(address):
    with pytest.raises(ConfigError, match=r"accepted: local, or tcp://HOST:PORT"):
        results(TASKS, address)


def test_a_scheduler_that_does_not_answer_is_refused(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("cavae.tasks.PATIENCE", 0.5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(ConfigError, match=f"No scheduler answers at 'tcp://127.0.0.1:{port}'"):
        results(TASKS, f"tcp://127.0.0.1:{port}")


@pytest.fixture(scope="module")
def scheduler():
    """The address of a real dask scheduler with two workers."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, protocol="tcp"
    ) as cluster:
        yield cluster.scheduler_address


def test_workers_with_other_software_are_refused(scheduler, monkeypatch):
    monkeypatch.setattr("cavae.tasks.version", lambda _: "1.0")
    words = r"has torch 2\.\S+, this machine has 1.0; accepted: the same on both"
    with pytest.raises(ConfigError, match=words):
        results(TASKS, scheduler)


def test_a_cluster_gives_what_this_machine_gives(scheduler):
    here, there = results(TASKS), results(TASKS, scheduler)
    assert {k: value for k, (value, _) in here.items()} == {
        k: value for k, (value, _) in there.items()
    }


def test_a_scheduler_without_workers_is_refused(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("cavae.tasks.PATIENCE", 1)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None, protocol="tcp") as cluster,
        pytest.raises(ConfigError, match="has no worker"),
    ):
        results(TASKS, cluster.scheduler_address)


def die_once(number, folder):
    """Kill the worker that the task with number 1 runs in, the first time."""
    if number == 1:
        _die_unless(folder / "died")
    return number**2


def _die_unless(flag):
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def always_die(number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


PLACES = ["local", pytest.param("scheduler", id="cluster")]


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_worker_costs_another_try_and_no_result(place, request, tmp_path):
    where = place if place == "local" else request.getfixturevalue(place)
    tasks = [Task(die_once, (number, tmp_path)) for number in range(5)]
    assert results(tasks, where) == {number: number**2 for number in range(5)}
    assert (tmp_path / "died").exists()


@pytest.mark.parametrize("place", PLACES)
def test_a_task_that_kills_every_worker_is_named(place, request):
    where = place if place == "local" else request.getfixturevalue(place)
    tasks = [Task(always_die, (n,), name=f"task {n}") for n in range(4)]
    with pytest.raises(CavaeError, match="died 4 times at task 2; there may be too little memory"):
        results(tasks, where)


def wait_for_ever(_):
    time.sleep(600)


@pytest.mark.parametrize("place", PLACES)
def test_tasks_are_stopped_at_once(place, request):
    where = place if place == "local" else request.getfixturevalue(place)
    begun = time.monotonic()
    tasks = [Task(wait_for_ever, (0,))]
    assert not list(run_tasks(tasks, where, lambda: time.monotonic() > begun + 1))
    assert time.monotonic() < begun + 10


RUNS = """
import sys
from cavae.tasks import Task, run_tasks
from tests.test_tasks import wait_for_ever, write_process
list(run_tasks([Task(write_process, (sys.argv[1],)), Task(wait_for_ever, (0,))]))
"""


def write_process(path):
    with open(path, "w") as file:
        file.write(f"{os.getpid()}\n")


def test_workers_end_with_the_process_that_asked_for_them(tmp_path):
    told = tmp_path / "worker"
    asking = subprocess.Popen([sys.executable, "-c", RUNS, told], cwd=ROOT)
    until(lambda: told.exists() and told.read_text().endswith("\n"))
    worker = int(told.read_text())
    os.kill(worker, 0)
    asking.kill()
    asking.wait()
    until(lambda: not Path(f"/proc/{worker}/cmdline").exists())


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)


def test_a_cluster_that_is_lost_is_not_waited_for(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("cavae.tasks.MISSED", 1)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=":0", protocol="tcp"
    ) as cluster:
        found = run_tasks(
            [Task(power, (2, 2)), Task(wait_for_ever, (0,))], cluster.scheduler_address
        )
        assert next(found)[1][0] == 4
        cluster.scale(0)
        with pytest.raises(CavaeError, match="has lost all its workers"):
            next(found)
