"""What a fresh server does: it opens any page whole, and gets ready while Home is read."""

import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cavae.ui.navigation import PAGES
from tests.browser.server import Server, running_app

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def torch_is_loaded(server: Server) -> bool:
    return "libtorch" in Path(f"/proc/{server.process.pid}/maps").read_text()


def test_a_fresh_server_opens_any_page_in_its_frame_and_warms_up_on_home(page: Page):
    with running_app() as server:
        page.goto(f"{server.url}/about")
        expect(page.get_by_role("heading", name="About", level=1)).to_be_visible()
        expect(page.get_by_test_id("stSidebarNavLink")).to_have_count(
            sum(not entry.hidden for entry in PAGES)
        )

        page.get_by_test_id("stSidebarNavLink").filter(has_text="Home").click()
        expect(page.get_by_role("button", name="Use my own table")).to_be_visible()
        assert not torch_is_loaded(server)

        end = time.monotonic() + 30
        while not torch_is_loaded(server) and time.monotonic() < end:
            page.wait_for_timeout(200)
        assert torch_is_loaded(server)
