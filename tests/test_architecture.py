"""The walls of the house: who may import whom, and what must never be in it."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

# Imports go one way: a module may use what stands before it.
ORDER = (
    "errors",
    "numbers",
    "threads",
    "limits",
    "logs",
    "storage",
    "config",
    "tables",
    "atlas",
    "atlas_build",
    "cohort",
    "folds",
    "preprocessing",
    "reference",
    "simulation",
    "devices",
    "model",
    "ensemble",
    "kernels",
    "losses",
    "metrics",
    "bootstrap",
    "estimates",
    "groups",
    "baselines",
    "paper",
    "calibration",
    "fitted",
    "monitoring",
    "scatter",
    "optimization",
    "training",
    "checkpoint",
    "suitability",
    "synthesis",
    "subtypes",
    "demo",
    "embedding",
    "person",
    "evaluation",
    "simulation_evaluation",
    "usefulness",
    "privacy",
    "quality",
    "fidelity",
    "standing",
    "provenance",
    "tasks",
    "sweep",
    "ablation",
    "card",
    "experiments",
    "pretraining",
    "findings",
    "plots",
    "explorer",
    "ablation_runs",
    "figures",
    "report",
    "benchmark",
    "jobs",
    "sweep_runs",
    "archive",
    "registry",
    "ui",
    "__main__",
)
CORE = sorted((ROOT / "cavae").rglob("*.py"))
APP = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]
HEAVY = ("torch", "sklearn", "umap", "scipy.stats", "pandera")


def imports(path: Path) -> set[str]:
    """Every module that a file imports, at the top or inside a function, for types or for use."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "cavae":
            found |= {f"cavae.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            found.add(node.module)
    return found


def part(path: Path) -> str:
    """The part of the house a file belongs to: cavae/ui/state.py is "ui"."""
    name = path.relative_to(ROOT / "cavae").parts[0]
    return name.removesuffix(".py")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [p for p in CORE if part(p) != "__init__"], ids=name)
def test_imports_go_one_way(path):
    here = part(path)
    assert here in ORDER, f"give {here} its place in ORDER"
    used = {module.split(".")[1] for module in imports(path) if module.startswith("cavae.")}
    later = {other for other in used if ORDER.index(other) > ORDER.index(here)}
    assert not later, f"{here} stands before {', '.join(sorted(later))}"


@pytest.mark.parametrize("path", CORE, ids=name)
def test_only_the_ui_knows_streamlit(path):
    known = {module.split(".")[0] for module in imports(path)}
    assert part(path) == "ui" or "streamlit" not in known


@pytest.mark.parametrize("path", [*CORE, *APP], ids=name)
def test_nothing_unpickles(path):
    known = {module.split(".")[0] for module in imports(path)}
    assert not known & {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}
    assert "allow_pickle=True" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [*CORE, *APP], ids=name)
def test_nothing_talks_to_the_network(path):
    harmless = {"urllib.parse"}  # Writes addresses and file names, and opens none.
    known = {module.split(".")[0] for module in imports(path) - harmless}
    assert not known & {"requests", "urllib", "urllib3", "httpx", "aiohttp", "socket", "http"}


@pytest.mark.parametrize("path", [*CORE, *APP], ids=name)
def test_only_tables_write_csv(path):
    """There alone text is kept from running as a formula."""
    written = re.search(r"\.to_csv\(|csv\.(Dict)?[wW]riter\(", path.read_text(encoding="utf-8"))
    assert path.name == "tables.py" or not written


@pytest.mark.parametrize("path", sorted((ROOT / "assets").glob("*.svg")), ids=name)
def test_drawings_fetch_nothing(path):
    text = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|//|@import|<script", text)


def loaded_after(code: str) -> set[str]:
    """Which of the heavy libraries a fresh interpreter has imported after running the code."""
    report = f"import sys; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_reading_tables_needs_no_heavy_library():
    assert not loaded_after("import cavae.cohort, cavae.atlas, cavae.checkpoint")


def test_home_opens_without_heavy_libraries():
    code = (
        "from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('app.py', default_timeout=60).run()\n"
        "assert app.title[0].value and not app.exception"
    )
    assert not loaded_after(code)
