"""A small model of the conditional variant, as `train --variant conditional` makes it."""

from pathlib import Path

from cavae.config import train_config
from cavae.experiments import save_trained
from cavae.training import split_cohort, train
from tests.people import make_cohort


def save_conditional(folder: Path) -> Path:
    config = train_config("paper", target=("AD",), epochs=60, batch_size=64)
    trained = train(split_cohort(make_cohort(), config), config, variant="conditional")
    save_trained(trained, folder, trained_on="100 made-up people")
    return folder
