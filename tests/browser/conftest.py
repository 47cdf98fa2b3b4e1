"""A browser on the running app: every test fails on a console error or a foreign request.

Tests take `visit` (open a page, wait until it stands still) and Playwright's own `page`.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Download, Page, Request, WebSocket, expect

from tests.browser.server import Server, running_app
from tests.browser.tiny_explorer import with_scripts

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTLE_MS = 30_000
# Streamlit's uploader has a role that its own label contradicts: "minor", and not ours to mend.
AXE = {"rules": {"presentation-role-conflict": {"enabled": False}}}

Visit = Callable[..., Page]


def find_chromium() -> str | None:
    """Path of a Chromium or Chrome: $CHROMIUM, or what the machine has installed."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


def settle(page: Page) -> None:
    """Wait until the app has drawn all it was asked for."""
    expect(page.locator("[data-test-script-state=notRunning]")).to_be_visible(timeout=SETTLE_MS)
    expect(page.locator("[data-stale=true]")).to_have_count(0, timeout=SETTLE_MS)


def no_fault(page: Page, where: str) -> None:
    """Axe finds nothing to complain of on the page as it is."""
    found = Axe().run(page, options=AXE).response["violations"]
    assert not [f"{where}, {fault['help']}: {fault['nodes'][0]['html']}" for fault in found]


def download(page: Page, button: str) -> Download:
    """Click a download button once the page stands still, and wait for the file."""
    settle(page)
    with page.expect_download(timeout=2 * SETTLE_MS) as waiting:
        page.get_by_role("button", name=button).click()
    return waiting.value


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser on a busy machine may time out: each of these tests has a second try."""
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = find_chromium()
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("CI must test in a browser, but there is no Chromium on this machine.")
    if path is None:
        pytest.skip("There is no Chromium on this machine; install it, or name one in $CHROMIUM.")
    return {**browser_type_launch_args, "executable_path": path, "args": CHROMIUM_ARGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1280, "height": 720}}


# After the browser, so that no server starts where there is none.
@pytest.fixture(scope="session")
def server(browser: object) -> Iterator[Server]:
    with running_app() as app:
        yield app


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    faults: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # Opened at /data, Streamlit first looks for its server at /data/_stcore: not a fault.
        if message.type == "error" and "/_stcore/" not in message.location["url"]:
            faults.append(f"console: {message.text}")

    def asked(request: Request | WebSocket) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            faults.append(f"request: {request.url}")

    page.on("console", heard)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("request", asked)
    page.on("websocket", asked)
    yield page
    assert not faults


@pytest.fixture
def visit(page: Page, server: Server) -> Visit:
    """Open a page of the app in a theme and wait for it: visit("latent_space", theme="dark")."""

    def go(path: str = "", *, theme: str = "light") -> Page:
        page.emulate_media(color_scheme=theme)
        page.goto(f"{server.url}/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=SETTLE_MS)
        settle(page)
        return page

    return go


@pytest.fixture
def drawn(page: Page) -> Page:
    """A page that draws the tiny explorer's pictures, without the app."""
    return with_scripts(page)
