"""Who is held out in which fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cavae.cohort import Cohort


def deal_folds(
    cohort: Cohort, target: Sequence[str], folds: int, seed: int
) -> Iterator[NDArray[np.bool_]]:
    """Masks of held-out people, (n,), one a fold: everyone of a tested site is in one of them.

    Each fold has its share of every diagnosis. Sites of healthy people alone stay in training:
    without patients they cannot be tested.
    """
    from sklearn.model_selection import StratifiedKFold

    subjects = cohort.subjects
    with_target = subjects.loc[subjects["diagnosis"].isin(target), "site"].unique()
    tested = np.flatnonzero(subjects["site"].isin(with_target))
    dealt = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for _, rows in dealt.split(tested, subjects["diagnosis"].iloc[tested]):
        held_out = np.zeros(len(cohort), dtype=bool)
        held_out[tested[rows]] = True
        yield held_out
