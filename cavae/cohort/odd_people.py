"""Doubts about single people of a table: their sides, their size, their ids.

Nothing here takes a row out of use. The limits were set as those of `plausibility`.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cavae.atlas import rois
from cavae.cohort.findings import Field, Findings
from cavae.cohort.plausibility import (
    MAX_NAMED,
    MIN_COLUMNS,
    MIN_PAIRS,
    MIN_PEOPLE,
    MIN_REGIONS,
    side_pairs,
)
from cavae.cohort.text import has_invisible, listed, quoted
from cavae.numbers import counted, people

TURNED = -0.15
"""Correlation of one person's asymmetries with those of the atlas; real ones are above 0.15."""
SHARE_OF_OTHERS = (0.77, 1.25)
"""Share of ICV that a person's regions fill, over that of the middle person; real ones are within
0.82 to 1.09, two studies of different scanners together."""
SHARE_SD = 0.1
"""SD of the logarithm of that share; real ones are below 0.05."""
TOTAL_OF_OTHERS = (0.62, 1.6)
"""Sum of a person's regions over that of the middle person; real ones are within 0.73 to 1.38."""
CELL_FACTORS = (0.2, 3.0)
"""A volume over what is usual, both in proportion to the person's others; real ones are within 0.27
to 2.0."""


def doubt_people(
    values: pd.DataFrame,
    fields: Mapping[str, Field],
    subjects: pd.DataFrame,
    kind: str,
    findings: Findings,
) -> None:
    """Report what is odd about single people, values (n, p), who can be used.

    `fields` are the columns of the values by name; `subjects` has subject_id and icv; the volumes
    of `kind` "muse" are in mm³ by MUSE index.
    """
    ids = subjects["subject_id"].astype(str)
    _doubt_repeated(values, ids, findings)
    _doubt_ids(ids, findings)
    if kind == "muse" and len(values):
        _doubt_sides(values, ids, findings)
        _doubt_sizes(values, ids, subjects["icv"].to_numpy(float), findings)
        _doubt_cells(values, fields, findings)


def _doubt_repeated(values: pd.DataFrame, ids: pd.Series, findings: Findings) -> None:
    repeated = values.duplicated(keep=False).to_numpy()
    if values.shape[1] >= MIN_COLUMNS and repeated.any():
        findings.whole(
            "repeated-values",
            f"{counted(int(repeated.sum()), 'row')} with different ids hold the very same values "
            f"as another row: {listed(ids[repeated])}; are they one person?",
        )


def _doubt_ids(ids: pd.Series, findings: Findings) -> None:
    hidden = np.array([has_invisible(one) for one in ids], dtype=bool)
    if hidden.any():
        findings.notices.append(
            f"{counted(int(hidden.sum()), 'id holds', 'ids hold')} invisible characters and may "
            f"not be found in another table: {listed(ids[hidden], 3)}."
        )
    changed = ids.str.fullmatch(r"\d[.,]\d+E\+\d+|\d{1,2}-[A-Z][a-z]{2}|[A-Z][a-z]{2}-\d{2}")
    if changed.any():
        findings.notices.append(
            f"{counted(int(changed.sum()), 'id')} look like numbers or dates that a spreadsheet "
            f"has changed: {listed(ids[changed], 3)}."
        )


def _doubt_sides(values: pd.DataFrame, ids: pd.Series, findings: Findings) -> None:
    """People whose left is the right; where most are such, that is said of the whole table."""
    pairs = side_pairs(values)
    if len(pairs) < MIN_PAIRS:
        return
    rights, lefts = (list(side) for side in zip(*pairs, strict=True))
    typical = pd.Series({one.index: one.typical for one in rois()})
    found = np.log(values[rights].to_numpy() / values[lefts].to_numpy())
    usual = np.log(typical[rights].to_numpy() / typical[lefts].to_numpy())
    found, usual = found - found.mean(axis=1, keepdims=True), usual - usual.mean()
    size = np.linalg.norm(found, axis=1) * np.linalg.norm(usual)
    turned = found @ usual < TURNED * size
    if 0 < turned.sum() <= len(turned) / 2:
        findings.whole(
            "sides",
            f"Left and right seem to be exchanged in {people(int(turned.sum()))}, unlike in the "
            f"others: {listed(ids[turned])}.",
        )


def _doubt_sizes(values: pd.DataFrame, ids: pd.Series, icv: np.ndarray, findings: Findings) -> None:
    """People whose volumes are in another unit than those of the others, or of another person."""
    if values.shape[1] < MIN_REGIONS:
        return
    total, known = values.sum(axis=1).to_numpy(), np.isfinite(icv)
    share = total[known] / icv[known]
    odd = np.zeros(len(values), dtype=bool)
    odd[known] = _unlike_others(share, SHARE_OF_OTHERS)
    far = _unlike_others(total, TOTAL_OF_OTHERS) & ~odd
    if far.any():
        findings.notices.append(
            f"The brains of {people(int(far.sum()))} are much larger or smaller, as a whole, than "
            f"those of the others: {listed(ids[far])}; are all in mm³?"
        )
    if odd.any():
        findings.notices.append(
            f"The volumes of {people(int(odd.sum()))} are much larger or smaller, for the size of "
            f"the head, than those of the others: {listed(ids[odd])}; are all in mm³, and the ICV "
            "their own?"
        )
    elif len(share) >= MIN_PEOPLE and np.log(share).std() > SHARE_SD:
        findings.notices.append(
            f"The volumes add up to {100 * share.min():.0f} to {100 * share.max():.0f} % of ICV, "
            "which is more different than people are; are all in mm³, and measured alike?"
        )


def _doubt_cells(values: pd.DataFrame, fields: Mapping[str, Field], findings: Findings) -> None:
    """Single volumes far from the other people's; a few people are compared with typical ones."""
    if values.shape[1] < MIN_PAIRS:
        return
    relative = values / pd.Series({one.index: one.typical for one in rois()})[values.columns]
    relative = relative.div(relative.median(axis=1), axis=0)
    if len(values) >= MIN_PEOPLE:
        relative = relative / relative.median()
    rows = findings.rows[findings.usable]
    low, high = CELL_FACTORS
    odd = [
        f"row {rows[person]}, column {quoted(column)} ({values.iat[person, region]:,.0f} mm³, "
        f"{relative.iat[person, region]:.2g} times what is usual)"
        for person, region in zip(
            *np.nonzero(((relative < low) | (relative > high)).to_numpy()), strict=True
        )
        if not findings.names(column := fields[values.columns[region]].column)
    ]
    if odd:
        more = f" and {len(odd) - MAX_NAMED} more" if len(odd) > MAX_NAMED else ""
        findings.notices.append(
            f"{counted(len(odd), 'volume does', 'volumes do')} not fit the other regions of the "
            f"same person: {'; '.join(odd[:MAX_NAMED])}{more}. A slip, or a code for a missing "
            "value?"
        )


def _unlike_others(sizes: np.ndarray, factors: tuple[float, float]) -> np.ndarray:
    """Which sizes (n,) are that far from the middle one."""
    if len(sizes) < MIN_PEOPLE:
        return np.zeros(len(sizes), dtype=bool)
    relative = sizes / np.median(sizes)
    return (relative < factors[0]) | (relative > factors[1])
