"""The region table and the slice outlines that the brain picture is drawn from."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cavae.atlas import ASSETS, PLANES, Rings, Roi, Slice, are_regions, roi, rois, slice_outlines
from cavae.errors import DataError

CENTILES = Path(__file__).resolve().parents[2] / "shared" / "data"
SMALL_MM2 = 20.0


def test_there_are_139_regions_in_index_order() -> None:
    indices = [int(one.index) for one in rois()]
    assert len(indices) == len(set(indices)) == 139
    assert indices == sorted(indices)
    assert Counter(one.tissue for one in rois()) == {"grey": 119, "white": 20}


def test_left_and_right_regions_come_in_pairs() -> None:
    def sided(side: str) -> set[str]:
        return {one.name[:-2] for one in rois() if one.hemisphere == side}

    assert sided("L") == sided("R")
    for one in rois():
        word = {"L": "Left ", "R": "Right "}.get(one.hemisphere, "")
        assert one.label.startswith(word)
        assert one.name.endswith(f"_{one.hemisphere}") or not one.hemisphere


def test_hippocampus_is_described_in_plain_words() -> None:
    found = roi("47")
    assert isinstance(found, Roi)
    assert found.name == "Hippocampus_R"
    assert found.label == "Right hippocampus"
    assert 3000 < found.typical < 5000


def test_features_are_regions_only_when_every_one_is_in_the_atlas() -> None:
    assert are_regions(["47", "48"])
    assert not are_regions(["47", "cortisol"])


def test_labels_are_unique() -> None:
    assert len({one.label for one in rois()}) == 139


@pytest.mark.parametrize("index", ["51", "702", "Hippocampus_R", ""])
def test_unknown_index_is_named_in_the_error(index: str) -> None:
    with pytest.raises(DataError, match=f'"{index}" is not the MUSE index'):
        roi(index)


@pytest.mark.skipif(not CENTILES.exists(), reason="the centile tables are not on this machine")
def test_typical_volumes_are_the_published_medians_at_65() -> None:
    medians = pd.concat(
        pd.read_csv(CENTILES / f"centiles_cn_{sex}.csv").query("Age == 65").set_index("ROI")
        for sex in ("female", "male")
    ).centile_50
    mean = medians.groupby(level=0).mean()
    for one in rois():
        assert one.typical == pytest.approx(
            mean[int(one.index)], abs=5 if one.typical < 1e4 else 50
        )


def area(rings: Rings) -> float:
    """Area in mm², holes (clockwise rings) taken off."""
    closed = [np.vstack([ring, ring[:1]]).astype(float) for ring in rings]
    return sum(0.5 * np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) for x, y in (one.T for one in closed))


def label_areas(cut: Slice) -> dict[str, float]:
    """Area in mm² of each label in the same plane of the label volume."""
    with np.load(ASSETS / "muse_atlas.npz") as atlas:
        volume, affine = atlas["vol_labels"], atlas["vol_affine"]
    across = PLANES[cut.plane][0]
    step = affine[0, 0]
    plane = np.take(volume, round((cut.position_mm - affine[across, 3]) / step), axis=across)
    labels, counts = np.unique(plane, return_counts=True)
    return dict(zip(labels.astype(str), counts * step**2, strict=True))


def test_slices_cover_the_three_planes_and_every_region() -> None:
    assert {cut.plane for cut in slice_outlines()} == {"coronal", "axial", "sagittal"}
    drawn = {index for cut in slice_outlines() for index, _ in cut.shapes}
    assert drawn == {one.index for one in rois()}


def test_hippocampus_and_amygdala_are_cut_on_both_sides() -> None:
    cuts = {(cut.plane, cut.position_mm): dict(cut.shapes) for cut in slice_outlines()}
    assert {"47", "48"} <= cuts["coronal", -18.0].keys() & cuts["axial", -12.0].keys()
    assert {"31", "32"} <= cuts["coronal", -3.0].keys()


def test_every_outline_is_a_polygon_inside_the_brain() -> None:
    for cut in slice_outlines():
        border = np.concatenate(cut.outline)
        low, high = border.min(axis=0) - 0.5, border.max(axis=0) + 0.5
        for index, rings in cut.shapes:
            assert area(rings) > 0, (cut.plane, cut.position_mm, index)
            for ring in rings:
                assert ring.shape[0] >= 3
                assert ring.shape[1] == 2
                assert (ring >= low).all()
                assert (ring <= high).all()


def test_planes_are_drawn_with_x_across_and_the_top_or_the_front_up() -> None:
    across, horizontal, vertical = zip(
        *(PLANES[p] for p in ("coronal", "axial", "sagittal")), strict=True
    )
    assert (across, horizontal, vertical) == ((1, 2, 0), (0, 0, 1), (2, 1, 2))


def test_left_is_negative_x() -> None:
    for cut in slice_outlines():
        for index, rings in cut.shapes:
            side = {"L": -1, "R": 1, "": 0}[roi(index).hemisphere]
            middle = max(rings, key=len)[:, 0].mean()
            x = cut.position_mm if cut.plane == "sagittal" else middle
            assert x * side >= 0, (cut.plane, cut.position_mm, roi(index).label)


def test_areas_agree_with_the_label_volume() -> None:
    for cut in slice_outlines():
        expected = label_areas(cut)
        for index, rings in cut.shapes:
            if expected[index] >= SMALL_MM2:
                assert area(rings) == pytest.approx(expected[index], rel=0.15), roi(index).label


def test_neighbours_share_their_border_without_gap_or_overlap() -> None:
    for cut in slice_outlines():
        expected = label_areas(cut)
        fluid = expected.get("1", 0.0)
        inside = area(cut.outline) - fluid
        filled = sum(area(rings) for _, rings in cut.shapes) + area(cut.ventricles)
        assert filled == pytest.approx(inside, rel=0.03), (cut.plane, cut.position_mm)


def test_import_is_light() -> None:
    heavy = "{'torch', 'sklearn', 'umap', 'plotly', 'contourpy'}"
    code = f"import sys, cavae.atlas; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_outlines_can_be_made_again_from_the_volume() -> None:
    pytest.importorskip("contourpy")
    from cavae.atlas_build import build_slices

    with np.load(ASSETS / "muse_atlas.npz") as atlas:
        volume, affine = atlas["vol_labels"], atlas["vol_affine"]
    (made,) = build_slices(volume, affine, {"coronal": (-18.0,)})["slices"]
    (stored,) = (c for c in slice_outlines() if (c.plane, c.position_mm) == ("coronal", -18.0))
    assert made["shapes"].keys() == dict(stored.shapes).keys()
    for index, rings in stored.shapes:
        again = [np.reshape(ring, (-1, 2)) for ring in made["shapes"][index]]
        assert area(again) == pytest.approx(area(rings), rel=0.01), roi(index).label
        middles = [np.concatenate(one).mean(axis=0) for one in (again, rings)]
        assert middles[0] == pytest.approx(middles[1], abs=0.2), "mm"
