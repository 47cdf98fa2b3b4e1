import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import Visit


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    ["", "about", "latent_space", "evaluate", "explore", "lesson", "train", "sweep", "models"],
)
def test_axe_finds_no_fault(visit: Visit, path: str, theme: str):
    found = Axe().run(visit(path, theme=theme)).response["violations"]
    assert not [f"{fault['help']}: {fault['nodes'][0]['html']}" for fault in found]
