"""What an admin sets is obeyed, and what cannot be meant is refused with a sentence."""

import re
import tomllib
from dataclasses import fields

import pytest

from cavae.errors import ConfigError
from cavae.limits import PREFIX, Limits, limits, require_training, require_uploads
from tests.conftest import ROOT


def test_without_variables_everything_has_its_default():
    assert limits({"PATH": "/bin"}) == Limits()


def test_what_is_set_counts():
    told = {"CAVAE_UPLOAD_MB": "5", "CAVAE_TRAINING": "off", "CAVAE_STORAGE": "/data"}
    allowed = limits(told)
    assert (allowed.upload_bytes, allowed.trains, str(allowed.storage)) == (5242880, False, "/data")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CAVAE_UPLOAD_MB", "0"),
        ("CAVAE_UPLOAD_MB", "5 MB"),
        ("CAVAE_KEEP_DAYS", "-1"),
        ("CAVAE_JOBS_AT_ONCE", "1.5"),
        ("CAVAE_TRAINING", "maybe"),
        ("CAVAE_STORAGE", ""),
        ("CAVAE_UPLOADS", "5"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(name, text):
    with pytest.raises(ConfigError, match=f"^{name} is .*; accepted: "):
        limits({name: text})


def test_a_demo_server_takes_in_nothing(monkeypatch):
    monkeypatch.setenv("CAVAE_DEMO", "1")
    for required in (require_training, require_uploads):
        with pytest.raises(ConfigError, match="server"):
            required()


def test_streamlit_takes_files_as_large_as_the_app():
    """The server sets one from the other; the file is for who starts the app without it."""
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["maxUploadSize"] == Limits().upload_mb


def test_every_limit_is_documented_with_its_default():
    text = (ROOT / "docs" / "ADMIN.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `(CAVAE_\w+)` \| ([^|]+) \|", text, re.MULTILINE))
    assert set(documented) == {PREFIX + one.name.upper() for one in fields(Limits)}
    for one in fields(Limits):
        said = documented[PREFIX + one.name.upper()].strip()
        words = {True: "on", False: "off"} if isinstance(one.default, bool) else {}
        if one.name != "storage":
            assert said.replace(",", "") == str(words.get(one.default, one.default)), one.name
