"""Doubts about a table whose every cell is possible: columns, sides, sexes or rows mixed up.

Nothing here takes a row out of use. What is nearly certain is a problem of the whole table, what
only looks odd is a notice. The limits were set on two real studies (IXI, 291 people, and a clinical
one, 144), where none of them is reached, whole or in random parts of 10 people.
"""

import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from cavae.atlas import rois
from cavae.cohort.findings import Field, Findings
from cavae.cohort.text import ONE_GROUP, quoted

LOOKED_AT = 50
"""Cells of a column among which an example is looked for."""
MIN_PEOPLE = 10
"""Fewer people say little about a column."""
MIN_COLUMNS = 5
"""Fewer columns may agree between two people by chance."""
MIN_REGIONS = 100
"""Fewer of the 139 say nothing about the size of a head."""
MIN_PAIRS = 20
"""Fewer pairs of regions say nothing about the sides."""

EXCHANGED, UNLIKE = -0.3, 0.5
"""Correlation of the asymmetry of the pairs with that of the atlas; real ones are above 0.7."""
ODD_ASYMMETRY = 0.15
"""Log ratio of right to left, beyond chance; real studies are within 0.06 of the atlas."""
CLEAR_ASYMMETRY = 0.04
"""Log ratio of a pair of which one side is clearly the larger one, such as the hippocampi."""
MEDIAN_FACTOR, MEDIAN_OF_ONE, MEDIAN_PEOPLE = 1.5, 2.0, 3
"""A median this far off, relative to the other regions, is odd, and for n people by `MEDIAN_OF_ONE`
/ n more; real ones are within 1.2, those of ten people within 1.6 and of three within 2."""
HOMOLOGUE, HOMOLOGUE_GAIN, HOMOLOGUE_PEOPLE = 0.4, 0.25, 60
"""Correlation that a region has with its other side at least, and how much more of it two
columns must gain by being exchanged. Of two columns of one side exchanged at random in the real
studies nine in ten are found, by size or by this, and none in tables that are right."""
SHARE_OF_ICV = 0.82
"""Sum of the 139 regions over ICV."""
SHARE_FACTORS = (0.75, 1.35)
BRAIN_SHARE = 0.94
"""Of many people, more than the brain fills of any adult's head (real ones: 0.79 and 0.85), and
what the regions are of the whole brain (0.96 and 0.98)."""
HEAD_FACTORS = (0.7, 1.45)
MIN_GROUP = 10
MAX_P = 0.001
ICV_CORRELATION = 0.3
"""Of ICV with the sum of the regions; about 0.9 in real studies."""
SEX_DIFFERENCE, SEX_PEOPLE = 0.5, 30
"""SDs by which the heads of men are larger than those of women (real ones: 1.7), and people of
each sex that tell it."""
AGE_CORRELATION, AGE_SD, AGE_PEOPLE = -0.1, 7.0, 60
"""Of age with the share of ICV that the regions fill (real ones: below -0.4), where ages differ by
so many years among so many people."""
ALONE, ALONE_PEOPLE = 0.28, 100
"""Highest correlation of a region with any other (real ones: above 0.32), among so many people."""
MAX_NAMED = 10
REPEATED, REPEATED_PEOPLE = 0.2, 10
"""Share of the people, and so many at least, who have the very same volume of a region; real ones
are below 0.1, also where volumes are rounded to three digits."""
CODED, CODED_PEOPLE = 0.05, 3
"""The same for a volume of nines, such as 999, which is what many write for a missing value."""

_CUT = re.compile(r"(?<![^\0])[+-]?\d[.,]\d\dE[+-]\d\d(?![^\0])")


def doubt_volumes(
    values: pd.DataFrame, fields: Mapping[str, Field], subjects: pd.DataFrame, findings: Findings
) -> None:
    """Report what is odd about the volumes (n, p) in mm³ of the people who can be used.

    `fields` are the columns of the volumes by MUSE index; `subjects` has age, icv and site of the
    same people.
    """
    if values.empty:
        return
    typical = pd.Series({one.index: one.typical for one in rois()})[values.columns]
    _doubt_sides(values, typical, fields, findings)
    _doubt_medians(values, typical, fields, findings)
    _doubt_repeated(values, fields, findings)
    _doubt_order(values, fields, findings)
    _doubt_sites(values, subjects["site"], fields, findings)
    if len(typical) >= MIN_REGIONS:
        total = values.sum(axis=1).to_numpy()
        _doubt_heads(total, typical.sum(), subjects, findings)
        _doubt_ages(total, subjects, findings)
        _doubt_alone(values, fields, findings)


def report_thousands(fields: Iterable[Field], findings: Findings) -> None:
    """Say how numbers such as "1,234" are read, which mean another number elsewhere."""
    for field in fields:
        for text, number in zip(field.cells[:LOOKED_AT], field.numbers, strict=False):
            if abs(number) >= 1000 and ONE_GROUP.fullmatch(text):
                findings.notices.append(
                    f"Numbers such as {quoted(text)} in column {quoted(field.column)} are read "
                    f"with thousands separated, as {number:.0f}."
                )
                return


def report_cut(fields: Iterable[Field], findings: Findings) -> None:
    """Say where a spreadsheet left three digits of a longer number, such as "1.23E+03"."""
    for field in fields:
        cut = _CUT.search("\0".join(field.cells))
        if cut:
            findings.notices.append(
                f"Numbers such as {quoted(cut[0])} in column {quoted(field.column)} hold three "
                "digits, as a spreadsheet leaves of longer ones; they are read as they stand."
            )
            return


def doubt_sex(sex: np.ndarray, size: np.ndarray, column: str, findings: Findings) -> None:
    """Report where the heads (n,) of women are clearly the larger ones; sex (n,) is F, M or ""."""
    women, men = (size[(sex == label) & np.isfinite(size)] for label in "FM")
    fewer = min(len(women), len(men))
    if fewer >= MIN_GROUP and clearly_smaller(men, women):
        findings.whole(
            "sex",
            f"Column {quoted(column)}: the heads of people called M are clearly smaller than those "
            f"of people called F (by {100 * (1 - men.mean() / women.mean()):.0f} %); are the two "
            "exchanged, or the rows mixed up?",
            column,
        )
    elif fewer >= SEX_PEOPLE:
        sd = np.sqrt((men.var(ddof=1) + women.var(ddof=1)) / 2)
        if men.mean() - women.mean() < SEX_DIFFERENCE * sd:
            findings.notices.append(
                f"Column {quoted(column)}: men and women have heads of the same size, which is "
                "unusual; are the rows mixed up?"
            )


def clearly_smaller(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether a (n,) is smaller than b (m,) beyond doubt: Welch's t test, one-sided."""
    if a.mean() >= b.mean():
        return False
    from scipy.stats import ttest_ind

    return bool(ttest_ind(a, b, equal_var=False, alternative="less").pvalue < MAX_P)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Of a (n,) with b (n,); 0 where one of them does not vary."""
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) and np.ptp(b) else 0.0


def side_pairs(values: pd.DataFrame) -> list[tuple[str, str]]:
    """Index of the right and of the left region of every pair that is there."""
    by_name = {one.name: one.index for one in rois() if one.index in values}
    rights = [name for name in by_name if name.endswith("_R") and name[:-1] + "L" in by_name]
    return [(by_name[name], by_name[name[:-1] + "L"]) for name in rights]


def _doubt_sides(
    values: pd.DataFrame, typical: pd.Series, fields: Mapping[str, Field], findings: Findings
) -> None:
    pairs = side_pairs(values)
    if len(pairs) < MIN_PAIRS:
        return
    rights, lefts = (list(side) for side in zip(*pairs, strict=True))
    right, left = values[rights].to_numpy(), values[lefts].to_numpy()
    if np.array_equal(right, left):
        findings.notices.append(
            "The left and the right volume are equal in every pair of regions; "
            "real brains are not that symmetric."
        )
        return
    found = np.log(right / left)
    usual = np.log(typical[rights].to_numpy() / typical[lefts].to_numpy())
    middle = np.median(found, axis=0)
    likeness = _correlation(middle, usual)
    if likeness < EXCHANGED:
        findings.whole(
            "sides",
            "Left and right seem to be exchanged throughout: regions that are larger on the left "
            "in healthy adults are larger on the right here, and the other way round.",
        )
    elif likeness < UNLIKE and len(values) >= MIN_PEOPLE:
        findings.whole(
            "sides",
            "Left and right differ otherwise than in healthy adults: the sides of some regions may "
            "be exchanged, or the columns in another order.",
        )
    elif len(values) >= MIN_PEOPLE:
        chance = 5 * 1.25 * found.std(axis=0, ddof=1) / np.sqrt(len(found))
        _report_pairs(pairs, fields, middle, usual, chance, findings)


def _report_pairs(
    pairs: list[tuple[str, str]],
    fields: Mapping[str, Field],
    found: np.ndarray,
    usual: np.ndarray,
    chance: np.ndarray,
    findings: Findings,
) -> None:
    """Pairs whose asymmetry (pairs,) is not that of the atlas by more than `chance` (pairs,)."""
    apart, turned_apart = np.abs(found - usual), np.abs(found + usual)
    turned = (np.abs(usual) >= CLEAR_ASYMMETRY) & (turned_apart < apart / 2) & (apart > chance)
    odd = (apart > ODD_ASYMMETRY + chance) & ~turned
    for position in np.flatnonzero(odd)[:MAX_NAMED]:
        right, left = (fields[index].column for index in pairs[position])
        if findings.names(right) or findings.names(left):
            continue
        findings.whole(
            "implausible",
            f"Columns {quoted(right)} and {quoted(left)}: the right side has "
            f"{np.exp(found[position]):.2f} times the volume of the left, where "
            f"{np.exp(usual[position]):.2f} times is typical; is one of them named for another "
            "region?",
            right,
        )
    for position in np.flatnonzero(turned)[:MAX_NAMED]:
        right, left = (fields[index].column for index in pairs[position])
        findings.whole(
            "sides",
            f"Columns {quoted(right)} and {quoted(left)}: the larger side is the "
            f"{'right' if found[position] > 0 else 'left'} one, where it is the other one in "
            "healthy adults; are the two exchanged?",
            right,
        )


def _doubt_medians(
    values: pd.DataFrame, typical: pd.Series, fields: Mapping[str, Field], findings: Findings
) -> None:
    """Columns that are not in proportion to the others; `validate` has those far off already."""
    if len(values) < MEDIAN_PEOPLE or len(typical) < MIN_PAIRS:
        return
    factor = MEDIAN_FACTOR + MEDIAN_OF_ONE / len(values)
    ratio = values.median() / typical
    relative = ratio / ratio.median()
    off = relative[(relative > factor) | (relative < 1 / factor)]
    unnamed = [index for index in off.index if not findings.names(fields[index].column)]
    for index in unnamed[:MAX_NAMED]:
        findings.notices.append(
            f"Column {quoted(fields[index].column)}: compared with the other regions its median, "
            f"{values[index].median():,.0f} mm³, is {off[index]:.1f} times the typical one; is it "
            "named for another region?"
        )


def _doubt_repeated(values: pd.DataFrame, fields: Mapping[str, Field], findings: Findings) -> None:
    """Volumes that many people share, as a code for a missing value; `validate` has constants."""
    volumes, times = _most_common(values.to_numpy())
    nines = np.isin(volumes, (99.0, 999.0, 9999.0, 99999.0))
    least = np.where(
        nines,
        max(CODED_PEOPLE, CODED * len(values)),
        max(REPEATED_PEOPLE, REPEATED * len(values)),
    )
    for column in np.flatnonzero((times >= least) & (times < len(values)))[:MAX_NAMED]:
        name = fields[values.columns[column]].column
        findings.notices.append(
            f"Column {quoted(name)}: {times[column]} of {len(values)} people have the very same "
            f"volume, {volumes[column]:g} mm³; is it a code for a missing value?"
        )


def _most_common(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The value that occurs most often in each column of (n, p), (p,), and how often (p,)."""
    ordered = np.sort(values, axis=0)
    place = np.arange(len(ordered))[:, None]
    new = np.vstack([np.ones((1, ordered.shape[1]), bool), ordered[1:] != ordered[:-1]])
    times = place - np.maximum.accumulate(np.where(new, place, 0)) + 1
    return ordered[times.argmax(axis=0), np.arange(ordered.shape[1])], times.max(axis=0)


def _doubt_order(values: pd.DataFrame, fields: Mapping[str, Field], findings: Findings) -> None:
    """Two columns of one side that each go with the other side of the other."""
    pairs = side_pairs(values)
    if len(values) < HOMOLOGUE_PEOPLE or len(pairs) < MIN_PAIRS:
        return
    logs = np.log(values)
    relative = logs.sub(logs.mean(axis=1), axis=0)
    relative = relative - relative.mean()
    relative = (relative / np.sqrt(np.square(relative).sum())).fillna(0.0)
    rights, lefts = (list(side) for side in zip(*pairs, strict=True))
    likeness = relative[rights].to_numpy().T @ relative[lefts].to_numpy()
    own = np.diag(likeness)
    better = (likeness > HOMOLOGUE) & (likeness > own[:, None] + HOMOLOGUE_GAIN)
    better &= likeness > own[None, :] + HOMOLOGUE_GAIN
    for a, b in zip(*np.nonzero(np.triu(better & better.T)), strict=True):
        one, other = (fields[rights[position]].column for position in (a, b))
        findings.whole(
            "implausible",
            f"Columns {quoted(one)} and {quoted(other)} each go with the other side of the other "
            "one; are the two exchanged?",
            one,
        )


def _doubt_sites(
    values: pd.DataFrame, sites: pd.Series, fields: Mapping[str, Field], findings: Findings
) -> None:
    """Columns that are another region at one site than elsewhere."""
    if values.shape[1] < MIN_PAIRS:
        return
    named = 0
    for site, count in sites.value_counts().items():
        here = (sites == site).to_numpy()
        if min(count, len(values) - count) < MIN_PEOPLE:
            continue
        ratio = values[here].median() / values[~here].median()
        relative = ratio / ratio.median()
        for index in relative.index[(relative > MEDIAN_FACTOR) | (relative < 1 / MEDIAN_FACTOR)]:
            if named < MAX_NAMED and not findings.names(fields[index].column):
                named += 1
                findings.notices.append(
                    f"Column {quoted(fields[index].column)}: compared with the other regions, its "
                    f"values at site {quoted(site)} are {relative[index]:.1f} times those "
                    "elsewhere; is it named for another region there?"
                )


def _doubt_heads(
    total: np.ndarray, typical: float, subjects: pd.DataFrame, findings: Findings
) -> None:
    """The size of the heads, as the sum of the regions (n,) and as ICV."""
    icv = subjects["icv"].to_numpy(float)
    known = np.isfinite(icv)
    size = float(np.median(total) / typical)
    if not HEAD_FACTORS[0] < size < HEAD_FACTORS[1]:
        findings.notices.append(
            f"The volumes are, as a whole, {size:.2f} times the typical ones; are they in mm³?"
        )
    if not known.any():
        return
    share = float(np.median(total[known] / icv[known]))
    expected = SHARE_OF_ICV * typical / sum(one.typical for one in rois())
    if not SHARE_FACTORS[0] < share / expected < SHARE_FACTORS[1]:
        findings.notices.append(
            f"The volumes add up to {100 * share:.0f} % of ICV, where about {100 * expected:.0f} % "
            "is typical; are both in mm³?"
        )
    elif share > BRAIN_SHARE * expected / SHARE_OF_ICV and known.sum() >= MIN_PEOPLE:
        findings.notices.append(
            f"The volumes add up to {100 * share:.0f} % of ICV, where about {100 * expected:.0f} % "
            "is typical; is it the volume of the brain and not of the head?"
        )
    if known.sum() < MIN_PEOPLE:
        return
    if not np.ptp(icv[known]):
        findings.notices.append("ICV is one and the same for everybody; is it their own?")
        return
    likeness = _correlation(total[known], icv[known])
    if likeness < (ICV_CORRELATION if known.sum() >= 2 * MIN_PEOPLE else 0.0):
        findings.whole(
            "icv",
            f"ICV hardly goes with the volumes (correlation {likeness:.2f}, about 0.9 is typical); "
            "are the rows of the two mixed up?",
        )


def _doubt_ages(total: np.ndarray, subjects: pd.DataFrame, findings: Findings) -> None:
    """Brains that do not shrink with age: the ages may be those of other rows."""
    ages, icv = subjects["age"].to_numpy(float), subjects["icv"].to_numpy(float)
    if len(ages) >= MIN_PEOPLE and not np.ptp(ages):
        findings.notices.append(f"Everybody has the same age, {ages[0]:g} years; is it their own?")
    known = np.isfinite(ages) & np.isfinite(icv)
    if known.sum() < AGE_PEOPLE or ages[known].std() < AGE_SD:
        return
    if _correlation(ages[known], total[known] / icv[known]) > AGE_CORRELATION:
        findings.notices.append(
            "The volumes do not shrink with age, which is unusual; are the rows mixed up?"
        )


def _doubt_alone(values: pd.DataFrame, fields: Mapping[str, Field], findings: Findings) -> None:
    """Columns that go with no other, as when one is sorted apart from the rest."""
    if len(values) < ALONE_PEOPLE:
        return
    varying = values.loc[:, np.ptp(values.to_numpy(), axis=0) > 0]
    if varying.shape[1] < MIN_REGIONS:
        return
    likeness = np.corrcoef(varying.to_numpy(), rowvar=False)
    np.fill_diagonal(likeness, -1.0)
    for position in np.flatnonzero(likeness.max(axis=0) < ALONE)[:MAX_NAMED]:
        column = fields[varying.columns[position]].column
        findings.notices.append(
            f"Column {quoted(column)} goes with no other region, which is unusual; are its rows "
            "those of the others?"
        )
