"""Training as it is drawn: curves with what they can reach, people who do not jump."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from cavae.jobs import Job
from cavae.monitoring import Look
from cavae.plots.colors import group_color
from cavae.plots.training import MOST, learning_panels, term_panels
from cavae.scatter import Camera, Scatter
from cavae.ui.film import RECENT, film_data

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


def scatter(epoch):
    seen = np.array([[-1.5, 0.0], [0.0, 1.0], [1.5, 0.0]])
    return Scatter(epoch, seen, seen, np.array([False, False, True]), 0.5, 0.9)


def curve(panel, label):
    return next(line for line in panel["lines"] if line["label"] == label)


def test_distances_come_with_their_floors_and_auc_with_a_coin_toss():
    distance, apart = learning_panels(history(23))
    assert curve(distance, "Disease")["x"] == [5, 10, 15, 20]
    floors = {level["color"]: level["y"] for level in distance["levels"]}
    assert floors == {group_color("target"): 12.0, group_color("background"): 10.0}
    assert [level["y"] for level in apart["levels"]] == [0.5]
    assert curve(apart, "s")["y"] == [0.9] * 4
    assert distance["alt"].endswith("last: Healthy 20, Disease 30; other real people 10, 12.")
    assert (distance["unit"], distance["log"], distance["best"]) == ("SD²", True, 20)
    assert apart["unit"] == "AUC"
    assert apart["low"] < 0.5
    assert apart["high"] >= 1


def test_before_the_first_look_there_are_panels_without_curves():
    distance, _ = learning_panels(history(2))
    assert curve(distance, "Disease")["x"] == []
    assert len(term_panels(history(1))) == 2


def test_terms_of_one_meaning_are_in_one_panel():
    assert {panel["title"]: len(panel["lines"]) for panel in term_panels(history(6))} == {
        "Reconstruction": 2,
        "Unlikeness of z (MMD)": 1,
    }


def test_terms_are_in_nats_and_each_curve_is_that_of_its_group_and_space():
    terms = {"background_common_kl": 3.0, "target_common_kl": 2.0, "target_salient_kl": 1.0}
    reconstruction, kl = term_panels([{**history(1)[0], "terms": TERMS | terms}])[:2]
    assert {panel["unit"] for panel in (reconstruction, kl)} == {"nats"}
    for panel, label, group, value in (
        (reconstruction, "Healthy", "background", 8.0),
        (reconstruction, "Disease", "target", 9.0),
        (kl, "Healthy", "background", 3.0),
        (kl, "Disease z", "target", 2.0),
        (kl, "Disease s", "target", 1.0),
    ):
        line = curve(panel, label)
        assert (line["y"], line["color"]) == ([value], group_color(group))


def test_a_long_training_is_drawn_with_few_points_the_last_among_them():
    (line, *_) = term_panels(history(5000))[0]["lines"]
    assert len(line["x"]) <= MOST
    assert line["x"][-1] == 5000


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


def test_the_picture_of_a_plane_is_never_turned():
    """Of two dimensions the first picture has all, whatever people do afterwards."""
    first = np.random.default_rng(0).standard_normal((60, 2)) * (3.0, 1.0)
    camera = Camera()
    seen = camera.take(5, look_at(first)).common
    axes = np.linalg.lstsq(first - first.mean(axis=0), seen, rcond=None)[0]
    for degrees in range(15, 180, 15):  # the way in which they differ most
        angle = np.radians(degrees)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        moved = (first @ turn) @ np.diag([1.0, 0.7])
        shown = camera.take(10, look_at(moved)).common
        np.testing.assert_allclose(shown, (moved - moved.mean(axis=0)) @ axes, atol=1e-9)


def test_common_and_salient_are_each_in_their_own_picture():
    generator = np.random.default_rng(0)
    common, salient = generator.standard_normal((2, 60, 1))
    salient[:30] += 9.0
    shown = Camera().take(5, Look(1.0, 1.0, 1.0, 1.0, common, salient, np.arange(60) < 30))
    assert np.abs(shown.common[:, 0]) == pytest.approx(np.abs(common - common.mean())[:, 0])
    assert np.abs(shown.salient[:, 0]) == pytest.approx(np.abs(salient - salient.mean())[:, 0])
    assert shown.leakage_auc < 0.7 < shown.separation_auc == 1.0


@pytest.mark.parametrize("dimensions", [1, 2])
def test_few_dimensions_are_shown_as_they_are(dimensions):
    latents = np.random.default_rng(0).standard_normal((20, dimensions)).astype(np.float32)
    seen = Camera().take(1, look_at(latents)).common
    assert seen.shape == (20, 2)
    assert np.square(seen).sum() == pytest.approx(np.square(latents - latents.mean(0)).sum())


def test_the_browser_is_sent_the_last_looks_while_it_goes_on_and_all_at_its_end():
    looks = [scatter(epoch) for epoch in range(5, 500, 5)]
    job = Job("a" * 22, "mine", {}, status="running", history=history(5))
    assert [frame["epoch"] for frame in film_data(job, looks)["frames"]][-1] == 495
    assert len(film_data(job, looks)["frames"]) == RECENT
    job.status = "done"
    data = film_data(job, looks)
    assert len(data["frames"]) == len(looks)
    assert data["groups"] == [{"color": group_color(group)} for group in ("background", "target")]
    assert data["isTarget"] == [0, 0, 1]
    assert data["frames"][0]["auc"] == {"common": 0.5, "salient": 0.9}
    told = {one["label"]: (one["color"], one["mark"]) for one in data["key"]}
    assert told["Healthy"] == (group_color("background"), "circle")
    assert told["Disease"] == (group_color("target"), "square")
    sent = np.frombuffer(base64.b64decode(data["frames"][0]["salient"]), "<i2").reshape(-1, 2)
    assert sent[:, 0].tolist() == [-150, 0, 150]
    json.dumps(data, allow_nan=False)


def test_a_model_whose_s_is_but_a_label_is_shown_in_z_alone():
    label = replace(scatter(5), salient=np.zeros((3, 2)), separation_auc=float("nan"))
    job = Job("a" * 22, "mine", {}, history=history(5))
    (frame,) = film_data(job, [label])["frames"]
    assert "salient" not in frame
    assert frame["auc"] == {"common": 0.5, "salient": None}
    assert "and s" not in learning_panels([{**history(5)[-1], "separation_auc": None}])[1]["title"]
