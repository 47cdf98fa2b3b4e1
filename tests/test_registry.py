"""Models of one's own: named, shared and deleted by who has the key, all of it or nothing."""

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from cavae.archive import pack_model
from cavae.checkpoint import MODEL_FILES, load_model
from cavae.errors import CheckpointError, ConfigError
from cavae.registry import BOX, OWN, SHARED_BY_OTHERS, Registry
from cavae.storage import LOCK


@pytest.fixture(scope="module")
def packed(tiny_model_folder) -> bytes:
    return pack_model(tiny_model_folder)


@pytest.fixture
def registry(tmp_path) -> Registry:
    return Registry(tmp_path / "storage", box=tmp_path / "box")


def add(registry: Registry, packed: bytes, keys=()) -> str:
    key, _ = registry.add(packed, "model.zip", keys)
    return key


def seen(registry: Registry, *keys: str) -> list[tuple[str, str]]:
    return [(entry.name, entry.kind) for entry in registry.visible(keys)]


def test_an_uploaded_model_is_seen_by_who_has_its_key_alone(registry, packed, tmp_path):
    key = add(registry, packed)
    assert seen(registry, key) == [("tiny", OWN)]
    assert seen(registry) == []
    assert seen(registry, "a" * 22, "..", "../storage", "", "shared") == []
    assert len(key) == 22
    assert load_model(registry.find(key)).name == "tiny"
    assert os.stat(tmp_path / "storage" / key).st_mode & 0o077 == 0, "others on the disk"


def test_the_box_comes_first_and_nobody_can_change_it(
    registry, packed, tiny_model_folder, tmp_path
):
    shutil.copytree(tiny_model_folder, tmp_path / "box" / "tiny")
    key = add(registry, packed)
    assert seen(registry, key) == [("tiny", BOX), ("tiny-2", OWN)]
    for change in (registry.delete, registry.share, registry.withdraw):
        with pytest.raises(CheckpointError, match="not there any more"):
            change("")
    with pytest.raises(ConfigError, match="already"):
        registry.rename(key, "Tiny", [key])


def test_names_of_ones_own_are_free_of_each_other(registry, packed):
    first = add(registry, packed)
    second = add(registry, packed, [first])
    third = add(registry, packed, [first, second])
    assert [name for name, _ in seen(registry, first, second, third)] == [
        "tiny",
        "tiny-2",
        "tiny-3",
    ]
    stranger = add(registry, packed)
    assert seen(registry, stranger) == [("tiny", OWN)], "others' names are nobody's business"


def test_a_model_gets_another_name(registry, packed):
    key = add(registry, packed)
    folder = registry.rename(key, "mine.v2", [key])
    assert seen(registry, key) == [("mine.v2", OWN)]
    assert load_model(folder).name == "mine.v2"
    assert registry.find(key) == folder


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../up", "a/b", "-x", "a" * 65, "a b", "x\n", "\0"]
)
def test_a_name_that_is_no_file_name_is_refused(registry, packed, name):
    key = add(registry, packed)
    with pytest.raises(ConfigError, match="name is"):
        registry.rename(key, name, [key])
    assert seen(registry, key) == [("tiny", OWN)]


def test_a_deleted_model_leaves_nothing(registry, packed, tmp_path):
    key, other = add(registry, packed), add(registry, packed)
    registry.delete(key)
    assert seen(registry, key) == []
    assert [path.name for path in (tmp_path / "storage").iterdir()] == [other]
    with pytest.raises(CheckpointError, match="not there any more"):
        registry.delete(key)


def test_sharing_shows_a_copy_to_everybody_until_it_is_taken_back(registry, packed, tmp_path):
    key, stranger = add(registry, packed), add(registry, packed)
    public = registry.share(key)
    assert public == tmp_path / "storage" / "shared" / "tiny"
    assert seen(registry) == [("tiny", SHARED_BY_OTHERS)]
    assert seen(registry, key) == [("tiny", OWN)], "not twice for who shared it"
    assert pack_model(public) == packed
    assert registry.share(key) == public, "sharing twice changes nothing"
    for path in public.rglob("*"):
        assert key not in path.read_text(errors="replace"), "the key is nobody's business"

    registry.withdraw(stranger)
    with pytest.raises(ConfigError, match="already"):
        registry.share(stranger)
    assert ("tiny", SHARED_BY_OTHERS) in seen(registry, stranger)

    registry.withdraw(key)
    assert seen(registry) == []
    assert seen(registry, key) == [("tiny", OWN)]
    assert registry.share(stranger) == public


def test_a_shared_model_keeps_its_name_and_goes_when_it_is_deleted(registry, packed):
    key = add(registry, packed)
    registry.share(key)
    with pytest.raises(ConfigError, match="stop sharing"):
        registry.rename(key, "other", [key])
    registry.delete(key)
    assert seen(registry) == []


def test_a_model_put_there_by_the_admin_is_shared_and_nobodys(
    registry, packed, tiny_model_folder, tmp_path
):
    shutil.copytree(tiny_model_folder, tmp_path / "storage" / "shared" / "house")
    key = add(registry, packed)
    assert ("house", SHARED_BY_OTHERS) in seen(registry, key)
    registry.delete(key)
    assert seen(registry) == [("house", SHARED_BY_OTHERS)]


def test_a_model_that_is_being_made_is_not_there_yet(registry, packed, tmp_path):
    key = add(registry, packed)
    with FileLock(tmp_path / "storage" / key / LOCK):
        assert seen(registry, key) == []
        with pytest.raises(CheckpointError):
            registry.delete(key)
    assert seen(registry, key) == [("tiny", OWN)]


def test_what_cannot_be_unpacked_leaves_nothing(registry, tmp_path):
    with pytest.raises(CheckpointError):
        registry.add(b"PK\x05\x06" + bytes(18), "x.zip", [])
    assert list((tmp_path / "storage").iterdir()) == []


def test_a_key_that_is_a_path_opens_nothing(registry, packed, tiny_model_folder, tmp_path):
    key = add(registry, packed)
    registry.share(key)
    shutil.copytree(tiny_model_folder, tmp_path / "secret")
    for path in ("..", ".", "shared", f"../storage/{key}", f"./{key}", f"{key}/", key[:-1]):
        assert registry.find(path) is None
        assert seen(registry, path) == [("tiny", SHARED_BY_OTHERS)]
        with pytest.raises(CheckpointError):
            registry.delete(path)
    assert (tmp_path / "secret" / "config.json").exists()


def test_a_storage_that_cannot_be_written_is_said(tmp_path, packed):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match="CAVAE_STORAGE names another folder"):
        Registry(tmp_path / "file").add(packed, "x.zip", [])


def test_of_many_who_share_one_name_one_succeeds_and_nobody_sees_half(registry, packed, tmp_path):
    keys = [add(registry, packed) for _ in range(8)]
    done, halves = threading.Event(), []

    def look() -> None:
        while not done.is_set():
            for entry in registry.visible([]):
                held = {path.name for path in entry.folder.glob("[!.]*")}
                if held != MODEL_FILES and entry.folder.exists():
                    halves.append(held)

    def share(key: str) -> bool:
        try:
            registry.share(key)
        except ConfigError:
            return False
        return True

    watcher = threading.Thread(target=look)
    watcher.start()
    with ThreadPoolExecutor(8) as pool:
        succeeded = list(pool.map(share, keys))
    done.set()
    watcher.join()
    assert sum(succeeded) == 1
    assert not halves
    leftovers = [p.name for p in (tmp_path / "storage").iterdir() if p.name.startswith(".")]
    assert not leftovers
    winner = keys[succeeded.index(True)]
    (entry,) = registry.visible([winner])
    assert entry.public is not None


def test_what_lies_beside_the_models_is_no_model(registry, packed, tmp_path):
    key = add(registry, packed)
    registry.share(key)
    shared = tmp_path / "storage" / "shared"
    (shared / "notes.txt").write_text("of the admin")
    (shared / "empty").mkdir()
    (shared / ".hidden").mkdir()
    shutil.copytree(shared / "tiny", shared / "a b")
    (shared / "gone").symlink_to(tmp_path / "nowhere")
    assert seen(registry) == [("tiny", SHARED_BY_OTHERS)]


def test_another_process_sees_the_same(registry, packed, tmp_path):
    key = add(registry, packed)
    registry.share(key)
    other = Registry(Path(tmp_path / "storage"), box=tmp_path / "box")
    assert seen(other, key) == seen(registry, key)
    other.delete(key)
    assert seen(registry) == []
