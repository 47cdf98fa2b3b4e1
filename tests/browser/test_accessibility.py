import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import SETTLE_MS, Visit
from tests.browser.test_models import follow

# Streamlit's uploader has a role that its own label contradicts: "minor", and not ours to mend.
OPTIONS = {"rules": {"presentation-role-conflict": {"enabled": False}}}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    ["", "about", "latent_space", "evaluate", "explore", "lesson", "train", "sweep", "models"],
)
def test_axe_finds_no_fault(visit: Visit, path: str, theme: str):
    found = Axe().run(visit(path, theme=theme), options=OPTIONS).response["violations"]
    assert not [f"{fault['help']}: {fault['nodes'][0]['html']}" for fault in found]


def test_axe_finds_no_fault_once_people_are_loaded(visit: Visit):
    page = visit(theme="dark")
    page.get_by_role("button", name="Start with the demo cohort").click()
    latent = page.get_by_role("heading", name="Latent space", level=1)
    expect(latent).to_be_visible(timeout=SETTLE_MS)
    for link in ("Data", "Counterfactual", "Train", "Sweep", "Models"):
        follow(page, link)
        found = Axe().run(page, options=OPTIONS).response["violations"]
        assert not [f"{link}, {one['help']}: {one['nodes'][0]['html']}" for one in found]
