"""What tests of every kind share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


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
