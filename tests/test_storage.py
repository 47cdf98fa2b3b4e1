"""Jobs and models go when their time has come, and nothing else does."""

import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from filelock import FileLock

from cavae.errors import ConfigError
from cavae.limits import Limits
from cavae.storage import DAY, LOCK, clean, prepare, require_room

KEY = "k" * 21


def kept(folder, days=0.0):
    """A folder with a file in it that is so many days old."""
    folder.mkdir(parents=True)
    (folder / "job.json").write_text("{}")
    (folder / LOCK).touch()
    then = time.time() - days * DAY
    os.utime(folder / "job.json", (then, then))
    os.utime(folder, (then, then))
    return folder


def test_what_is_older_than_allowed_is_deleted(tmp_path):
    old, young = kept(tmp_path / f"{KEY}1", 31), kept(tmp_path / f"{KEY}2", 29)
    assert clean(tmp_path, Limits(keep_days=30)) == 1
    assert not old.exists()
    assert young.exists()
    assert os.listdir(tmp_path) == [young.name], "nothing of the old one is left"


def test_a_model_is_as_old_as_the_newest_of_its_files(tmp_path):
    used = kept(tmp_path / f"{KEY}1", 31)
    (used / "weights").touch()
    assert clean(tmp_path, Limits(keep_days=30)) == 0
    assert used.exists()


def test_asking_whether_a_job_works_makes_it_no_younger(tmp_path):
    old = kept(tmp_path / f"{KEY}1", 31)
    clean(tmp_path, Limits(keep_days=365))
    clean(tmp_path, Limits(keep_days=30))
    assert not old.exists()


def test_nothing_is_deleted_unless_it_is_said(tmp_path):
    mine, shared = kept(tmp_path / f"{KEY}1", 999), kept(tmp_path / "shared" / "model", 999)
    assert clean(tmp_path, Limits()) == 0
    clean(tmp_path, Limits(keep_days=30))
    assert not mine.exists()
    assert shared.exists()
    clean(tmp_path, Limits(keep_days=30, delete_shared=True))
    assert not shared.exists()


def test_a_job_at_work_and_what_is_not_ours_stay(tmp_path):
    working, notes = kept(tmp_path / f"{KEY}1", 99), kept(tmp_path / "notes", 99)
    named_like_a_key = kept(tmp_path / "brain_volumes_of_2024_", 99)
    (named_like_a_key / "job.json").rename(named_like_a_key / "volumes.csv")
    with FileLock(working / LOCK):
        clean(tmp_path, Limits(keep_days=1))
    assert working.exists()
    assert notes.exists()
    assert (named_like_a_key / "volumes.csv").exists()


def test_a_model_that_was_added_goes_too(tmp_path):
    model = kept(tmp_path / f"{KEY}1" / "model", 31)
    (model / "job.json").rename(model / "config.json")
    assert clean(tmp_path, Limits(keep_days=30)) == 1
    assert os.listdir(tmp_path) == []


def test_what_a_killed_server_left_half_done_goes_after_a_day(tmp_path):
    left, new = kept(tmp_path / ".staging-a", 2), kept(tmp_path / ".staging-b", 0.5)
    clean(tmp_path, Limits())
    assert not left.exists()
    assert new.exists()


def test_a_full_storage_takes_nothing_more(tmp_path, monkeypatch):
    monkeypatch.setenv("CAVAE_STORAGE_MB", "10")
    require_room(tmp_path)
    (tmp_path / "weights").write_bytes(bytes(10 * 1024**2))
    with pytest.raises(ConfigError, match=r"full \(10 MB\)"):
        require_room(tmp_path)


def test_how_full_it_is_can_be_asked_while_things_are_deleted(tmp_path):
    done = threading.Event()

    def come_and_go() -> None:
        while not done.is_set():
            shutil.rmtree(kept(tmp_path / "job" / "model"))

    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(come_and_go)
        for _ in range(2000):
            require_room(tmp_path)
        done.set()
        coming.result()


def test_what_cannot_be_looked_into_keeps_nothing_else_from_being_deleted(tmp_path):
    old, odd = kept(tmp_path / f"{KEY}2", 31), kept(tmp_path / f"{KEY}1", 31)
    (odd / LOCK).unlink()
    (odd / LOCK).mkdir()  # A lock that nobody can take.
    assert clean(tmp_path, Limits(keep_days=30)) == 1
    assert not old.exists()
    assert odd.exists()


def test_a_storage_in_which_nothing_can_be_kept_is_refused(tmp_path):
    prepare(tmp_path / "new" / "storage")
    assert os.listdir(tmp_path / "new" / "storage") == []
    assert os.stat(tmp_path / "new" / "storage").st_mode & 0o077 == 0, "others on the disk"
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=f"'{tmp_path}/file'.*CAVAE_STORAGE names another"):
        prepare(tmp_path / "file")
