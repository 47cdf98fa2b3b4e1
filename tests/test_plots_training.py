"""Training as it is drawn: curves with what they can reach, people who do not jump."""

import numpy as np
import pytest

from cavae.monitoring import Look
from cavae.plots.colors import group_color
from cavae.plots.training import MOST, plot_learning, plot_people, plot_terms
from cavae.scatter import Camera, Scatter

TERMS = {"target_reconstruction": 9.0, "background_reconstruction": 8.0, "mmd": 0.1, "total": 17.1}
NOTHING = dict.fromkeys(
    ("w2_target", "w2_background", "floor_target", "floor_background", "leakage_auc"), None
) | {"separation_auc": None}
LOOK = {
    "w2_target": 30.0,
    "w2_background": 20.0,
    "floor_target": 12.0,
    "floor_background": 10.0,
    "leakage_auc": 0.6,
    "separation_auc": 0.9,
}


def history(epochs):
    return [
        {"epoch": k, "epochs": epochs, "terms": TERMS, "best_epoch": k // 5 * 5, "seconds": k}
        | (NOTHING if k % 5 else LOOK)
        for k in range(1, epochs + 1)
    ]


def look_at(latents):
    is_target = np.arange(len(latents)) < len(latents) // 2
    return Look(1.0, 1.0, 1.0, 1.0, latents, latents, is_target)


def curve(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_distances_come_with_their_floors_and_auc_with_a_coin_toss():
    figure = plot_learning(history(23))
    assert curve(figure, "Disease").x == (5, 10, 15, 20)
    lines = {(line.y0, line.line.color) for line in figure.layout.shapes if line.y0 == line.y1}
    assert {(12.0, group_color("target")), (10.0, group_color("background"))} < lines
    assert 0.5 in {y for y, _ in lines}
    assert curve(figure, "s").y == (0.9,) * 4


def test_before_the_first_look_there_are_axes_and_no_curve():
    assert not curve(plot_learning(history(2)), "Disease").x
    assert len(plot_terms(history(1)).data) == 3


def test_terms_of_one_meaning_are_in_one_panel():
    titles = [note.text for note in plot_terms(history(6)).layout.annotations]
    assert titles == ["Reconstruction", "Unlikeness of z (MMD)"]


def test_a_long_training_is_drawn_with_few_points_the_last_among_them():
    x = plot_terms(history(5000)).data[0].x
    assert len(x) <= MOST
    assert x[-1] == 5000


def test_people_keep_their_place_when_latents_turn_only_a_little():
    """Axes of a fresh PCA would flip signs or swap; these follow."""
    generator = np.random.default_rng(0)
    latents, camera = generator.standard_normal((60, 5)).astype(np.float32), Camera()
    before = camera.take(5, look_at(latents)).common
    for epoch in range(10, 60, 5):
        latents = latents + 0.05 * generator.standard_normal((60, 5)).astype(np.float32)
        now = camera.take(epoch, look_at(latents)).common
        assert np.abs(now - before).max() < 1.0
        before = now


def test_the_camera_turns_to_where_people_begin_to_part():
    mixed, camera = np.random.default_rng(0).standard_normal((60, 5)).astype(np.float32), Camera()
    camera.take(5, look_at(mixed))
    parted = mixed + 6.0 * np.outer(np.arange(60) < 30, np.eye(5)[4]).astype(np.float32)
    for epoch in range(10, 30, 5):
        seen = camera.take(epoch, look_at(parted)).common
    assert np.linalg.norm(seen[:30].mean(axis=0) - seen[30:].mean(axis=0)) > 5.0


@pytest.mark.parametrize("dimensions", [1, 2])
def test_few_dimensions_are_shown_as_they_are(dimensions):
    latents = np.random.default_rng(0).standard_normal((20, dimensions)).astype(np.float32)
    seen = Camera().take(1, look_at(latents)).common
    assert seen.shape == (20, 2)
    assert np.square(seen).sum() == pytest.approx(np.square(latents - latents.mean(0)).sum())


def test_a_model_whose_s_is_but_a_label_is_shown_in_z_alone():
    z, is_target = np.zeros((4, 2)), np.array([False, False, True, True])
    titles = [
        note.text
        for note in plot_people(Scatter(5, z, z, is_target, 0.5, float("nan"))).layout.annotations
    ]
    assert titles == ["Common z: should mix (AUC 0.50)"]
