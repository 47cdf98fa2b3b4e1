"""Settings survive the way to JSON and back, and nothing unknown gets in."""

import json

import pytest

from cavae.config import ModelConfig, TrainConfig, train_config
from cavae.errors import ConfigError


@pytest.mark.parametrize(
    "config",
    [ModelConfig(features=("47", "48"), latent=3), train_config("calibrated", epochs=7)],
    ids=["model", "training"],
)
def test_json_round_trip(config):
    text = json.dumps(config.to_dict())
    assert type(config).from_dict(json.loads(text)) == config


def test_unknown_settings_are_refused():
    with pytest.raises(ConfigError, match="Unknown setting 'speed'"):
        TrainConfig.from_dict(TrainConfig().to_dict() | {"speed": 3})


def test_the_papers_preset_is_section_4_2():
    config = train_config("paper")
    assert (config.mmd_weight, config.epochs, config.learning_rate) == (100.0, 500, 1e-3)
    assert config.betas == (0.5, 0.999)
    assert config.salient_silence == config.input_noise == 0


def test_given_settings_win_and_absent_ones_keep_the_presets():
    config = train_config("calibrated", mmd_weight=5.0)
    assert config.mmd_weight == 5.0
    assert config.epochs == 500
    assert config.salient_silence > 0


@pytest.mark.parametrize(
    "settings",
    [
        {"features": ("a",)},
        {"features": ("a", "a")},
        {"features": ("a", "subtype")},
        {"latent": 0},
        {"hidden": 10**6},
    ],
)
def test_shapes_out_of_range_are_refused(settings):
    with pytest.raises(ConfigError, match="accepted"):
        ModelConfig(**({"features": ("a", "b")} | settings))
