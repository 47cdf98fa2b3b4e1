"""The region table and the slice outlines that the brain picture is drawn from."""

from collections import Counter

import pytest

from cavae.atlas import Roi, roi, rois
from cavae.errors import DataError


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


def test_labels_are_unique() -> None:
    assert len({one.label for one in rois()}) == 139


@pytest.mark.parametrize("index", ["51", "702", "Hippocampus_R", ""])
def test_unknown_index_is_named_in_the_error(index: str) -> None:
    with pytest.raises(DataError, match=f'"{index}" is not the MUSE index'):
        roi(index)
