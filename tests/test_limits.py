"""What an admin sets is obeyed, and what cannot be meant is refused with a sentence."""

import re
import tomllib
from dataclasses import fields

import pytest
import yaml

from cavae.errors import ConfigError
from cavae.limits import PREFIX, Limits, limits, require_training, require_uploads
from tests.conftest import ROOT


def test_without_variables_everything_has_its_default():
    assert limits({"PATH": "/bin"}) == Limits()


def test_what_is_set_counts():
    told = {"CAVAE_UPLOAD_MB": "5", "CAVAE_TRAINING": "off", "CAVAE_STORAGE": "/data"}
    allowed = limits(told)
    assert (allowed.upload_bytes, allowed.trains, str(allowed.storage)) == (5242880, False, "/data")


@pytest.mark.parametrize("word", ["1", "true", "Yes", "ON"])
def test_yes_and_no_are_said_in_many_ways(word):
    assert limits({"CAVAE_DEMO": word}).demo
    opposite = {"1": "0", "true": "false", "Yes": "No", "ON": "OFF"}[word]
    assert not limits({"CAVAE_TRAINING": opposite}).training


def test_nothing_is_trained_where_training_is_off_or_nothing_is_taken_in():
    assert Limits().trains
    assert not Limits(demo=True).trains
    assert not Limits(training=False).trains


def test_both_ends_of_what_is_accepted_are_accepted():
    ends = {"CAVAE_UPLOAD_MB": "2000", "CAVAE_KEEP_DAYS": "0"}
    assert (limits(ends).upload_mb, limits(ends).keep_days) == (2000, 0)
    with pytest.raises(ConfigError, match="accepted: a whole number, 1 to 2,000"):
        limits({"CAVAE_UPLOAD_MB": "2001"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CAVAE_UPLOAD_MB", "0"),
        ("CAVAE_UPLOAD_MB", "5 MB"),
        ("CAVAE_UPLOAD_MB", "9" * 5_000),
        ("CAVAE_UPLOAD_MB", "٣"),
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


def test_the_files_of_the_deployment_agree():
    """Without a container engine nobody else would notice."""
    app = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["app"]
    nginx = (ROOT / "deploy" / "nginx.conf").read_text()
    dockerfile = (ROOT / "Dockerfile").read_text()
    allowed = limits(
        {name: str(text) for name, text in app["environment"].items() if name[:5] == "CAVAE"}
    )
    body = int(re.search(r"client_max_body_size (\d+)m;", nginx)[1])
    assert allowed.upload_mb < body <= 1.3 * allowed.upload_mb
    path = app["environment"]["STREAMLIT_SERVER_BASE_URL_PATH"]
    assert f"location /{path}/ {{" in nginx
    port = re.search(r"^EXPOSE (\d+)$", dockerfile, re.MULTILINE)[1]
    assert f"proxy_pass http://app:{port};" in nginx
    storage = re.search(r"^VOLUME (.+)$", dockerfile, re.MULTILINE)[1]
    assert f"CAVAE_STORAGE={storage} " in dockerfile
    assert f"storage:{storage}" in app["volumes"]
    (torch,) = re.findall(r"^torch==.+$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert f" {torch} " in dockerfile
