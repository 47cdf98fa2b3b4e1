import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import Visit

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
