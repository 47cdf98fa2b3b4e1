import numpy as np
import pytest

from cavae.embedding import MIN_PEOPLE_FOR_UMAP, principal_components, umap_coordinates
from cavae.errors import DataError


def people(n: int = 40, dimensions: int = 5, seed: int = 0) -> np.ndarray:
    """Latents that differ most in the third dimension, then in the first."""
    spread = np.array([2.0, 0.1, 4.0, 0.1, 0.1])[:dimensions]
    return np.random.default_rng(seed).standard_normal((n, dimensions)) * spread


def test_the_first_direction_is_the_one_in_which_people_differ_most():
    latents = people()
    found = principal_components(latents)
    assert found.values.shape == (40, 2)
    assert np.corrcoef(found.values[:, 0], latents[:, 2])[0, 1] > 0.99
    assert np.corrcoef(found.values[:, 1], latents[:, 0])[0, 1] > 0.99
    assert 0.99 < found.share < 1


def test_the_plane_of_the_picture_is_known_for_what_is_drawn_beside_people():
    latents = people()
    found = principal_components(latents)
    assert (latents - found.center) @ found.directions == pytest.approx(found.values)


@pytest.mark.parametrize("seed", range(6))
def test_a_direction_points_to_where_its_largest_weight_is_positive(seed):
    mixing = np.random.default_rng(seed).standard_normal((5, 5))
    directions = principal_components(people() @ mixing).directions
    assert (directions[np.abs(directions).argmax(axis=0), [0, 1]] > 0).all()


def test_distances_keep_their_unit():
    latents = people(dimensions=2)
    shown = principal_components(latents).values
    distance = np.linalg.norm(latents[0] - latents[1])
    assert np.linalg.norm(shown[0] - shown[1]) == pytest.approx(distance)


def test_the_picture_does_not_depend_on_the_order_of_people():
    latents = people()
    assert principal_components(latents[::-1]).values[::-1] == pytest.approx(
        principal_components(latents).values
    )


@pytest.mark.parametrize("shape", [(1, 5), (2, 5), (30, 1)])
def test_little_to_see_is_no_error(shape: tuple[int, int]):
    found = principal_components(np.random.default_rng(0).standard_normal(shape))
    assert found.values.shape == (shape[0], 2)
    assert found.share == pytest.approx(1.0)


def test_umap_keeps_two_groups_apart_and_draws_them_the_same_way_each_time():
    latents = people(30)
    latents[15:] += 50
    shown = umap_coordinates(latents)
    assert shown.shape == (30, 2)
    assert (shown == umap_coordinates(latents)).all()
    nearest = [np.argsort(np.linalg.norm(shown - one, axis=1))[1] for one in shown]
    assert [place < 15 for place in nearest] == [place < 15 for place in range(30)]


def test_umap_of_too_few_people_says_so():
    with pytest.raises(DataError, match="at least 10 people and there are 9"):
        umap_coordinates(people(MIN_PEOPLE_FOR_UMAP - 1))
