"""A model goes into an archive and comes out the same; whatever else is in one stays out."""

import io
import json
import shutil
import stat
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from cavae.archive import MANIFEST, pack_model, unpack_model
from cavae.checkpoint import MODEL_FILES, load_model, save_model
from cavae.cohort import Cohort
from cavae.config import VARIANTS, ModelConfig, train_config
from cavae.errors import CheckpointError
from cavae.fitted import FittedModel
from cavae.model import initialize
from cavae.preprocessing import fit_preprocessor
from cavae.synthesis import encode, healthy_twins
from tests.people import make_cohort


@pytest.fixture(scope="module")
def packed(tiny_model_folder) -> bytes:
    return pack_model(tiny_model_folder)


@pytest.fixture(scope="module")
def files(tiny_model_folder) -> dict[str, bytes]:
    return {name: (tiny_model_folder / name).read_bytes() for name in sorted(MODEL_FILES)}


def zipped(entries, method=zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of names, or entries, and what they hold."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return stream.getvalue()


def as_folder(files, folder="tiny", **more):
    return [(f"{folder}/{name}", content) for name, content in {**files, **more}.items()]


def refusal(archive: bytes, tmp_path, file_name="model.zip") -> str:
    """The one sentence with which an archive is refused, without a byte put anywhere else."""
    into = tmp_path / "deep" / "into"
    into.mkdir(parents=True)
    with pytest.raises(CheckpointError) as caught:
        unpack_model(archive, file_name, into)
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert [path.name for path in into.parent.iterdir()] == ["into"]
    written = {path.name for path in into.rglob("*") if not path.is_dir()}
    assert written <= MODEL_FILES | {MANIFEST}
    assert not [path for path in into.rglob("*") if path.is_symlink()]
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    return text


# --------------------------------------------------------------------------- round trip


def test_a_model_comes_out_as_it_went_in(packed, files, tiny_model, tmp_path):
    unpacked = unpack_model(packed, "whatever.zip", tmp_path)
    assert unpacked.verified
    assert unpacked.folder == tmp_path / "tiny"
    assert {path.name: path.read_bytes() for path in unpacked.folder.iterdir()} == files
    cohort = make_cohort()
    before, after = (
        healthy_twins(model, encode(model, cohort)).effect
        for model in (tiny_model, load_model(unpacked.folder))
    )
    np.testing.assert_array_equal(before, after)


def test_the_same_model_gives_the_same_bytes(packed, tiny_model_folder, tmp_path):
    copy = tmp_path / "tiny"
    shutil.copytree(tiny_model_folder, copy, copy_function=shutil.copyfile)  # Later, other times.
    assert pack_model(copy) == packed
    assert pack_model(unpack_model(packed, "x.zip", tmp_path / "..").folder) == packed


def test_an_archive_says_what_is_in_it_by_hash(packed, files):
    import hashlib

    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read(f"tiny/{MANIFEST}"))
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert manifest["sha256"] == {n: hashlib.sha256(c).hexdigest() for n, c in files.items()}


@pytest.mark.parametrize("entries", ["folder", "no folder", "a Mac", "stored"])
def test_a_folder_zipped_by_hand_is_taken_and_said_to_be_unverified(files, tmp_path, entries):
    inside = as_folder(files, "my model (1)")
    archive = {
        "folder": zipped([("my model (1)/", b""), *inside]),
        "no folder": zipped(files.items()),
        "a Mac": zipped(
            [*inside, ("__MACOSX/my model (1)/._card.md", b"x"), ("my model (1)/.DS_Store", b"x")]
        ),
        "stored": zipped(inside, zipfile.ZIP_STORED),
    }[entries]
    unpacked = unpack_model(archive, "C:\\fake path\\my model (1).zip", tmp_path)
    assert not unpacked.verified
    assert {path.name for path in unpacked.folder.iterdir()} == MODEL_FILES
    assert "/" not in unpacked.folder.name
    if entries != "no folder":
        assert unpacked.folder.name == "my-model-1"


names = some.text(
    some.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\0"),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    features=some.lists(names, min_size=2, max_size=5, unique=True),
    labels=some.lists(names, min_size=3, max_size=3, unique=True),
    latent=some.integers(1, 4),
    hidden=some.integers(1, 9),
    variant=some.sampled_from(VARIANTS),
    seed=some.integers(0, 99),
)
def test_any_model_comes_out_as_it_went_in(
    tmp_path_factory, features, labels, latent, hidden, variant, seed
):
    healthy, *ill = labels
    cohort = made_up_cohort(features, healthy, ill, seed)
    training = train_config("paper", background=(healthy,), target=tuple(ill), seed=seed)
    config = ModelConfig(tuple(features), latent, hidden, variant)
    network = initialize(config, seed).eval()
    preprocessor = fit_preprocessor(cohort, (healthy,), tuple(ill))
    fitted = FittedModel(config, training, network, preprocessor, None)
    place = tmp_path_factory.mktemp("any")
    save_model(fitted, place / "any", "# card", {"people": {"all": 3}})
    again = load_model(unpack_model(pack_model(place / "any"), "x.zip", place / "..").folder)
    shutil.rmtree(again.folder)

    assert (again.config, again.training) == (config, training)
    assert again.preprocessor.to_dict() == preprocessor.to_dict()
    before, after = network.state_dict(), again.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    np.testing.assert_array_equal(encode(again, cohort).common, encode(fitted, cohort).common)


def made_up_cohort(features, healthy, ill, seed) -> Cohort:
    """Thirty people of two sites with any features and labels."""
    cohort = make_cohort(healthy=20, diseased=10, sites=("A", "B"), seed=seed)
    diagnosis = [healthy] * 20 + [ill[k % 2] for k in range(10)]
    values = np.random.default_rng(seed).normal(10, 1, (30, len(features)))
    return Cohort(
        cohort.subjects.assign(diagnosis=diagnosis),
        pd.DataFrame(values, columns=list(features)),
        cohort.extra,
        "other",
    )


# --------------------------------------------------------------------------- tricks with paths


@pytest.mark.parametrize(
    "name",
    [
        "../card.md",
        "tiny/../card.md",
        "tiny/../../card.md",
        "/etc/card.md",
        "/card.md",
        "C:/card.md",
        "C:card.md",
        "tiny\\card.md",
        "..\\..\\card.md",
        "\\\\server\\share\\card.md",
        "tiny/deeper/card.md",
        "./card.md",
        "tiny//card.md",
        "tiny/card.md\nx",
        "tiny/model.pkl",
        "tiny/__init__.py",
        "tiny/CARD.MD",
        "tiny/card.md ",
        "tiny/config.json/",
        "other/card.md",
        "other/",
        "__pycache__/card.md",
    ],
)
def test_a_path_that_leads_elsewhere_or_a_file_of_no_model_is_refused(files, tmp_path, name):
    entries = as_folder({n: c for n, c in files.items() if n != "card.md" or name.endswith("/")})
    said = refusal(zipped([*entries, (name, b"# card")]), tmp_path)
    assert "accepted" in said or "plain file" in said or "it is no model" in said


def test_a_model_that_lies_deeper_than_in_one_folder_is_refused(files, tmp_path):
    assert "accepted" in refusal(zipped(as_folder(files, "outer/tiny")), tmp_path)


def test_a_file_that_is_there_twice_is_refused(files, tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        archive = zipped([*as_folder(files), ("tiny/card.md", b"another")])
    assert refusal(archive, tmp_path) == "The archive holds card.md twice."


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_are_refused(files, tmp_path, kind):
    link = zipfile.ZipInfo("tiny/card.md")
    link.create_system, link.external_attr = 3, (kind | 0o777) << 16
    rest = as_folder({n: c for n, c in files.items() if n != "card.md"})
    assert "no plain file" in refusal(zipped([*rest, (link, "/etc/passwd")]), tmp_path)


def test_a_name_cut_by_a_nul_is_refused(files, tmp_path):
    archive = zipped(
        as_folder({n if n != "card.md" else "card.mdXevil": c for n, c in files.items()})
    )
    assert "accepted" in refusal(archive.replace(b"card.mdXevil", b"card.md\0evil"), tmp_path)


@pytest.mark.parametrize(
    "file_name", ["../../evil.zip", ".zip", "", "a" * 300, "\0.zip", "-rf.zip"]
)
def test_the_file_name_becomes_a_name_that_a_model_may_have(files, tmp_path, file_name):
    folder = unpack_model(zipped(files.items()), file_name, tmp_path).folder
    assert folder.parent == tmp_path
    assert len(folder.name) <= 64


# --------------------------------------------------------------------------- bombs


def patched(archive: bytes, name: bytes, *, offset: int, local: int, value: int) -> bytes:
    """Overwrite four bytes that both headers of an entry have, after its name was found."""
    data, at = bytearray(archive), 0
    while (at := data.find(name, at + 1)) >= 0:
        for size, signature, place in ((30, b"PK\x03\x04", local), (46, b"PK\x01\x02", offset)):
            start = at - size
            if start >= 0 and data[start : start + 4] == signature:
                data[start + place : start + place + 4] = struct.pack("<I", value)
    return bytes(data)


def refusal_and_peak(archive, tmp_path):
    """What is said of an archive, and the bytes that were held at most to say it."""
    tracemalloc.start()
    said = refusal(archive, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return said, peak


def test_a_bomb_that_says_so_is_refused_unread(files, tmp_path):
    archive = zipped(as_folder(files | {"card.md": bytes(300_000_000)}))
    assert len(archive) < 1_000_000
    said, peak = refusal_and_peak(archive, tmp_path)
    assert "card.md in the archive has 300,000,000 bytes; accepted: up to 100,000" in said
    assert peak < 5_000_000


@pytest.mark.parametrize("said", [10, 100_000, 0])
def test_a_bomb_that_lies_is_cut_off(files, tmp_path, said):
    honest = zipped(as_folder(files | {"card.md": bytes(300_000_000)}))
    archive = patched(honest, b"tiny/card.md", offset=24, local=22, value=said)
    text, peak = refusal_and_peak(archive, tmp_path)
    assert "damaged" in text
    assert peak < 5_000_000
    assert sum(path.stat().st_size for path in tmp_path.rglob("card.md")) <= 100_000


def test_a_file_that_is_shorter_than_it_says_is_refused(files, tmp_path):
    archive = patched(zipped(as_folder(files)), b"tiny/card.md", offset=24, local=22, value=90_000)
    assert "smaller than it says" in refusal(archive, tmp_path)


def test_a_million_entries_are_refused_before_they_are_read(tmp_path):
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *[0] * 6, *[0] * 3, 1, *[0] * 4, 0, 0) + b"a"
    contents = entry * 1_000_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 5, 5, len(contents), 0, 0)
    archive = contents + end
    tracemalloc.start()
    assert "too many entries" in refusal(archive, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_entries_that_share_their_bytes_are_refused(files, tmp_path):
    archive = bytearray(zipped(as_folder(files), zipfile.ZIP_STORED))
    first = archive.find(b"PK\x01\x02")
    second = archive.find(b"PK\x01\x02", first + 1)
    archive[second + 42 : second + 46] = archive[first + 42 : first + 46]
    assert "damaged" in refusal(bytes(archive), tmp_path)


def test_an_archive_in_an_archive_is_not_opened(packed, tmp_path):
    assert "accepted" in refusal(zipped([("tiny/model.zip", packed)]), tmp_path)


# --------------------------------------------------------------------------- other kinds


def flagged(archive: bytes, name: bytes, flags: int) -> bytes:
    data, at = bytearray(archive), 0
    while (at := data.find(name, at + 1)) >= 0:
        for size, signature, place in ((30, b"PK\x03\x04", 6), (46, b"PK\x01\x02", 8)):
            if data[at - size : at - size + 4] == signature:
                data[at - size + place : at - size + place + 2] = struct.pack("<H", flags)
    return bytes(data)


def test_an_encrypted_archive_is_refused(files, tmp_path):
    archive = flagged(zipped(as_folder(files)), b"tiny/card.md", 1)
    assert refusal(archive, tmp_path) == "'tiny/card.md' in the archive is encrypted."


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_compression_is_refused(files, tmp_path, method):
    assert "accepted: none, deflate" in refusal(zipped(as_folder(files), method), tmp_path)


@pytest.mark.parametrize(
    "archive",
    {
        "nothing": b"",
        "text": b"hello" * 100,
        "gzip": zlib.compress(b"x"),
        "pickle": b"\x80\x04\x95" + b"x" * 100,
        "end alone": b"PK\x05\x06" + bytes(18),
        "end of much": b"PK\x05\x06" + bytes(8) + struct.pack("<LL", 10_000, 0) + bytes(2),
        "ZIP64": b"PK\x06\x07" + bytes(16) + b"PK\x05\x06" + bytes(18),
    }.items(),
    ids=lambda one: one[0],
)
def test_what_is_no_archive_of_a_model_is_refused(tmp_path, archive):
    assert "archive" in refusal(archive[1], tmp_path)


def test_an_archive_that_is_too_large_is_refused(tmp_path):
    said = refusal(bytes(100_000_001), tmp_path)
    assert said == "The archive has 100 MB; accepted: up to 100 MB."


@pytest.mark.parametrize("name", sorted(MODEL_FILES))
def test_an_archive_without_one_of_the_files_is_refused(files, tmp_path, name):
    archive = zipped(as_folder({n: c for n, c in files.items() if n != name}))
    assert refusal(archive, tmp_path) == f"The archive lacks {name}: it is no model."


# --------------------------------------------------------------------------- hashes and content


@pytest.mark.parametrize("name", sorted(MODEL_FILES))
def test_a_file_that_was_changed_after_packing_is_refused(packed, files, tmp_path, name):
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        manifest = archive.read(f"tiny/{MANIFEST}")
    changed = files | {name: files[name][:-1] + b" "}
    said = refusal(zipped(as_folder(changed, **{MANIFEST: manifest})), tmp_path)
    assert said.startswith(f"{name} has changed since the model was packed")


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{}", b'{"sha256": 1}', b"[" * 9000, b"\xff"])
def test_a_manifest_that_is_none_is_refused(files, tmp_path, manifest):
    said = refusal(zipped(as_folder(files, **{MANIFEST: manifest})), tmp_path)
    assert "manifest.json cannot be read" in said


def test_a_sound_archive_of_an_unsound_model_is_refused(files, tmp_path):
    bad = json.loads(files["config.json"])
    bad["model"]["hidden"] = 10**9
    archive = zipped(as_folder(files | {"config.json": json.dumps(bad).encode()}))
    assert "hidden is 1000000000" in refusal(archive, tmp_path)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=some.data())
def test_a_damaged_archive_is_refused_or_gives_the_same_model(
    packed, files, tmp_path_factory, data
):
    damaged = bytearray(packed)
    for _ in range(data.draw(some.integers(1, 4))):
        # Mostly where the archive describes itself: the two ends.
        end = len(damaged) - 1
        place = data.draw(some.one_of(some.integers(0, 60), some.integers(end - 700, end)))
        damaged[place] = data.draw(some.integers(0, 255))
    into = tmp_path_factory.mktemp("fuzz")
    try:
        folder = unpack_model(bytes(damaged), "x.zip", into).folder
    except CheckpointError:
        return
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files
