"""What tests of every kind share."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from cavae.threads import use_one_thread

ROOT = Path(__file__).resolve().parents[1]
STORAGE = tempfile.TemporaryDirectory(prefix="storage-")
os.environ["CAVAE_STORAGE"] = STORAGE.name  # What tests train is not kept beside the app.
use_one_thread()  # as the server and the commands


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real tables, which is not part of the project; skips where it is not."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real tables are not on this machine")
    return folder


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of eight regions, trained for a few seconds on made-up people and saved."""
    from cavae.config import train_config
    from cavae.experiments import save_trained
    from cavae.training import split_cohort, train
    from tests.people import make_cohort

    config = train_config("calibrated", target=("AD",), epochs=150, batch_size=64, input_noise=0.2)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    trained = train(split_cohort(make_cohort(), config), config)
    save_trained(trained, folder, trained_on="100 made-up people")
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_model_folder: Path):
    """The tiny model, loaded."""
    from cavae.checkpoint import load_model

    return load_model(tiny_model_folder)


@pytest.fixture(scope="session")
def semi_synthetic(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small semi-synthetic experiment and a model hardly trained on it: folders of both."""
    from cavae.config import train_config
    from cavae.experiments import SIMULATED, simulated_split, train_and_save
    from cavae.simulation import save_simulation

    folder = tmp_path_factory.mktemp("semi-synthetic")
    save_simulation(390, 3, folder / "data")
    config = train_config("calibrated", **SIMULATED, epochs=20, seed=0, device="cpu")
    train_and_save(simulated_split(folder / "data"), config, folder / "model", "390 made-up people")
    return folder / "data", folder / "model"


@pytest.fixture(scope="session")
def three_subtypes(tiny_model):
    """The tiny model as if it had found three subtypes, all of which change the hippocampus."""
    import numpy as np

    calibration, features = tiny_model.calibration, tiny_model.config.features
    changes = {  # amygdala 31, 32; hippocampus 47, 48; thalamus 59, 60; entorhinal area 116, 117
        **{"47": (-2.0, -3.0, -2.5), "48": (-2.0, -3.0, -2.5), "31": (-1.2, 0, 0)},
        **{"32": (-1.6, 0, 0), "116": (0, -1.6, 0), "117": (0, -2.0, 0), "59": (0, -0.1, 0)},
    }
    effects = np.zeros((3, len(features)))
    for name, values in changes.items():
        effects[:, features.index(name)] = values
    several = {
        name: np.stack([getattr(calibration, name)[0]] * 3)
        for name in ("means", "covariances", "decoded")
    }
    several["means"] *= np.array([[1.0], [2.0], [-2.0]])
    changed = replace(
        calibration,
        weights=np.array([0.5, 0.3, 0.2]),
        effects=effects,
        reliability=np.repeat(calibration.reliability, 3),
        severity=np.repeat(calibration.severity, 3),
        errors=np.where(effects != 0, 0.1, 0.0),
        criterion=np.array([90.0, 80.0, 60.0, 70.0]),
        **several,
    )
    return replace(tiny_model, calibration=changed)


@pytest.fixture(scope="session")
def three_subtypes_folder(three_subtypes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model with three subtypes, saved."""
    from cavae.checkpoint import save_model

    folder = tmp_path_factory.mktemp("models") / "three"
    save_model(three_subtypes, folder, three_subtypes.card, three_subtypes.facts)
    return folder
