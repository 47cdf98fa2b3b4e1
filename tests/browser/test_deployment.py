"""The app as a server runs it: nginx in front, under a path, both as a user without rights."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from cavae.ui.state import DEMO
from tests.browser.conftest import SETTLE_MS, download, settle
from tests.browser.server import Server, User, free_port, running_app, wait_for
from tests.conftest import ROOT

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
PATH = "/brain"


LIBRARIES = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if "site-packages" in path)}


def without_rights() -> User:
    """Somebody who may do nothing, where this one may become another and they can run Python."""
    if os.getuid() == 0:
        for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
            user, run = User("nobody", python), [python, "-c", "import streamlit"]
            try:
                subprocess.run(
                    run, env=LIBRARIES, check=True, stderr=subprocess.DEVNULL, **user.options
                )
            except (OSError, subprocess.CalledProcessError):
                continue
            return user
    return User()


def image(folder: Path) -> Path:
    """A folder with all that .dockerignore lets into the image, and no more."""
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            here, there = ROOT / line[1:], folder / line[1:]
            there.parent.mkdir(parents=True, exist_ok=True)
            if here.is_dir():
                shutil.copytree(here, there, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(here, there)
    return folder


def started(config: Path, port: int, app: Server, user: User) -> subprocess.Popen[bytes]:
    """nginx with the deployed configuration; only where the two are differs."""
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    here = {
        "/tmp/": f"{config.parent}/",
        "listen 8080": f"listen 127.0.0.1:{port}",
        "http://app:8501": app.url.removesuffix(PATH),
    }
    for there, local in here.items():
        assert there in text
        text = text.replace(there, local)
    config.write_text(text)
    command = [NGINX, "-c", str(config), "-g", "daemon off;"]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, **user.options)


@pytest.fixture
def deployed(browser: object) -> Iterator[Server]:
    if NGINX is None:
        pytest.skip("There is no nginx on this machine; apt-get install nginx-light.")
    user, port = without_rights(), free_port()
    # No folder of pytest's: those are closed to everybody else.
    with tempfile.TemporaryDirectory(prefix="deployed-", dir="/var/tmp") as name:
        folder = Path(name)
        if user.name:
            os.chown(folder, pwd.getpwnam(user.name).pw_uid, -1)
        there = {"CAVAE_STORAGE": f"{name}/storage", "HOME": name, **LIBRARIES}
        with (
            running_app(PATH, there, user, folder=image(folder / "app")) as app,
            started(folder / "nginx.conf", port, app, user) as nginx,
        ):
            server = Server(f"http://127.0.0.1:{port}{PATH}", app.process, app.log)
            try:
                wait_for(server)
                yield server
            finally:
                nginx.terminate()


def follow(page: Page, link: str) -> None:
    page.get_by_test_id("stSidebarNavLink").filter(has_text=link).click()
    expect(page.get_by_role("heading", name=link, level=1)).to_be_visible(timeout=SETTLE_MS)
    settle(page)


def test_every_part_works_behind_nginx_under_a_path(page: Page, deployed: Server, tmp_path: Path):
    page.goto(deployed.url.removesuffix(PATH))
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=SETTLE_MS)
    assert page.url == f"{deployed.url}/"
    port = deployed.url.removesuffix(PATH).rsplit(":", 1)[1]
    settings = {"STREAMLIT_SERVER_PORT": port, "STREAMLIT_SERVER_BASE_URL_PATH": "brain"}
    subprocess.run([sys.executable, "deploy/healthy.py"], cwd=ROOT, env=settings, check=True)
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{deployed.url}/_stcore/metrics")
    page.get_by_role("button", name="Start with the demo cohort").click()
    expect(page.get_by_role("heading", name="Latent space", level=1)).to_be_visible(
        timeout=2 * SETTLE_MS
    )
    assert page.url.startswith(f"{deployed.url}/latent_space")
    follow(page, "Counterfactual")
    follow(page, "Explore")
    explorer = page.get_by_role("slider", name="Position in salient space")
    expect(explorer).to_be_visible(timeout=SETTLE_MS)
    explorer.press("ArrowRight")
    table = download(page, "Download this person's table")
    assert len(pd.read_csv(table.path())) > 100

    follow(page, "Data")
    page.get_by_text("Load another table").click()
    mine = tmp_path / "mine.csv"
    pd.read_csv(DEMO).tail(90).to_csv(mine, index=False)
    page.locator("input[type=file]").first.set_input_files(mine)
    expect(page.get_by_test_id("stSidebar")).to_contain_text("90 people", timeout=SETTLE_MS)
    page.reload()  # An address of the app itself, not of a page that was followed to.
    expect(page.get_by_role("heading", name="Data", level=1)).to_be_visible(timeout=SETTLE_MS)


def test_the_server_ends_in_good_order_within_ten_seconds(page: Page, deployed: Server):
    page.goto(f"{deployed.url}/")
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=SETTLE_MS)
    began = time.monotonic()
    deployed.process.terminate()
    deployed.process.wait(10)
    assert time.monotonic() - began < 10
    assert '"event": "stop"' in deployed.said
