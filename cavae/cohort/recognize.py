"""Which column is what: covariates, regions or other features, the rest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cavae.atlas import rois
from cavae.cohort.coding import are_groups
from cavae.cohort.findings import Field, Findings
from cavae.cohort.names import (
    COVARIATE_KEYS,
    covariate_rank,
    is_fallback,
    numbered,
    region,
)
from cavae.cohort.reading import Table
from cavae.cohort.text import closest, listed, quoted
from cavae.errors import DataError
from cavae.numbers import counted

MIN_ROIS = 5
"""With fewer recognized regions, more numeric columns of another kind are the features."""
MIN_FEATURES = 2
STRAY_INDICES = 5
"""So many bare numbers that no MUSE table has (2, 3, 5, …) mean the numbers are no regions."""

_WORDS = {
    "id": "the id",
    "age": "the age",
    "sex": "the sex",
    "icv": "ICV",
    "diagnosis": "the diagnosis",
    "site": "the site",
}


@dataclass(frozen=True, eq=False)
class Layout:
    """What was recognized.

    `covariates` maps age, sex, icv, diagnosis and site to their columns: the one to use first,
    then others that say the same; `features` maps feature names to columns in the order of the
    atlas (of the table, for other features).
    """

    covariates: Mapping[str, Sequence[Field]]
    features: Mapping[str, Field]
    kind: str
    dialect: str
    extra: Sequence[Field]


def checked_mapping(
    mapping: Mapping[str, str] | None, tables: Sequence[Table]
) -> dict[str, str | None]:
    """The mapping by hand with its keys as id, age, … or MUSE index; an empty column means none.

    Raises:
        DataError: a key is not known, or no table has the column.
    """
    columns = [column for table in tables for column in table.cells]
    checked: dict[str, str | None] = {}
    for key, column in (mapping or {}).items():
        name = "id" if key == "subject_id" else str(key)
        if name not in COVARIATE_KEYS:
            found = region(name)
            if not found:
                raise DataError(
                    f"{quoted(key)} cannot be mapped: accepted are {', '.join(COVARIATE_KEYS)} "
                    "and the MUSE indices of the 139 regions."
                )
            name = found[0]
        column = " ".join(str(column or "").split())
        if column and column not in columns:
            close = closest(column, columns)
            hint = f"close to it are {listed(close)}" if close else f"there are {listed(columns)}"
            raise DataError(f"No column is named {quoted(column)}; {hint}.")
        checked[name] = column or None
    return checked


def recognize(
    fields: Sequence[Field], mapping: Mapping[str, str | None], findings: Findings
) -> Layout:
    """Recognize columns by name, by hand where the mapping says so.

    `fields` are all columns but the id, those of the participants first.

    Raises:
        DataError: there are neither regions nor other numeric features.
    """
    covariates = {
        key: _covariate(key, fields, mapping, findings) for key in COVARIATE_KEYS if key != "id"
    }
    taken = {id(field) for found in covariates.values() for field in found}
    by_hand = {column for key, column in mapping.items() if key not in COVARIATE_KEYS}
    rest = [
        field
        for field in fields
        if id(field) not in taken and (not field.file or field.column in by_hand)
    ]
    regions, dialect = _regions(rest, mapping, findings)
    others = {} if len(regions) >= MIN_ROIS else _other_features(rest, regions)
    kind = "muse"
    if len(others) > len(regions):
        regions, dialect, kind = others, "other features", "other"
    if not regions:
        beside = " A participants file needs the file with the volumes beside it."
        raise DataError(
            "No column was recognized as a brain region, and there are no other numeric columns. "
            f'Accepted names are "47", "MUSE_Volume_47" or "Hippocampus_R"; there are '
            f"{listed(field.column for field in fields)}."
            f"{beside if covariates['age'] or covariates['sex'] else ''}"
        )
    used = {id(found[0]) for found in covariates.values() if found}
    used |= {id(field) for field in regions.values()}
    extra = [field for field in fields if id(field) not in used]
    return Layout(covariates, regions, kind, dialect, extra)


def _covariate(
    key: str, fields: Sequence[Field], mapping: Mapping[str, str | None], findings: Findings
) -> list[Field]:
    """Columns of one covariate, the one to use first; one of each file, or all that hold ICV."""
    if key in mapping:
        return [field for field in fields if field.column == mapping[key]]
    mapped = set(mapping.values())
    ranked = [
        (is_fallback(field.column, key), not field.file, rank, position)
        for position, field in enumerate(fields)
        if field.column not in mapped and (rank := _rank(field, key)) is not None
    ]
    found = [fields[position] for *_, position in sorted(ranked)]
    if not found or is_fallback(found[0].column, key):
        return found[:1]
    found = [field for field in found if not is_fallback(field.column, key)]
    if key == "icv":
        return found
    rivals = [field for field in found[1:] if field.file == found[0].file]
    if rivals:
        findings.notices.append(
            f"The columns {listed(field.column for field in [found[0], *rivals])} may all be "
            f"{_WORDS[key]}; {quoted(found[0].column)} is used."
        )
    return found[:1] + [field for field in found if field.file != found[0].file][:1]


def _rank(field: Field, key: str) -> int | None:
    rank = covariate_rank(field.column, key)
    if key == "diagnosis" and is_fallback(field.column, key) and not are_groups(field.cells):
        return None  # "patient" with names in it
    return rank


def _regions(
    fields: Sequence[Field], mapping: Mapping[str, str | None], findings: Findings
) -> tuple[dict[str, Field], str]:
    """MUSE index to column, in the order of the atlas, and the most common spelling."""
    mapped = set(mapping.values())
    bare_numbers_mean_regions = not _has_stray_indices(fields)
    claims: dict[str, list[Field]] = {}
    dialects: Counter[str] = Counter()
    for field in fields:
        found = region(field.column)
        if not found or field.column in mapped or found[0] in mapping:
            continue
        if found[1] != "47" or bare_numbers_mean_regions:
            claims.setdefault(found[0], []).append(field)
            dialects[found[1]] += 1
    by_column = {field.column: field for field in fields}
    for index, column in mapping.items():
        if index not in COVARIATE_KEYS and column in by_column:
            claims[index] = [by_column[column]]
            dialects["by hand"] += 1
    chosen = {
        i: _one_claim(i, claims[i], findings) for i in (r.index for r in rois()) if i in claims
    }
    dialect = dialects.most_common(1)[0][0] if dialects else ""
    return {index: field for index, field in chosen.items() if field}, dialect


def _has_stray_indices(fields: Sequence[Field]) -> bool:
    """Whether bare numbers count the columns, as in a connectome, rather than name regions."""
    numbers = {
        found[0] for field in fields if (found := numbered(field.column)) if found[1] == "47"
    }
    singles = {one.index for one in rois()} | {"1", "4", "11", "49", "50", "51", "52"}
    return len({n for n in numbers if int(n) < 300} - singles) >= STRAY_INDICES


def _one_claim(index: str, claims: Sequence[Field], findings: Findings) -> Field | None:
    """The column of a region; None when several claim it with different values."""
    if len(claims) == 1:
        return claims[0]
    columns = listed(field.column for field in claims)
    first, *others = (field.numbers for field in claims)
    if all(np.array_equal(first, other, equal_nan=True) for other in others):
        findings.notices.append(
            f"The columns {columns} hold the same values of one region; the first is used."
        )
        return claims[0]
    findings.whole(
        "ambiguous",
        f"The columns {columns} all name region {index} but hold different values; none is used.",
        claims[0].column,
    )
    return None


def _other_features(fields: Sequence[Field], regions: Mapping[str, Field]) -> dict[str, Field]:
    """Columns of numbers: at least half filled, nine tenths of that numbers."""
    found = {}
    for field in fields:
        if covariate_rank(field.column, "id") is not None:
            continue
        filled = np.count_nonzero(~field.absent)
        numbers = np.count_nonzero(np.isfinite(field.numbers))
        if filled and filled >= len(field.cells) / 2 and numbers >= 0.9 * filled:
            found[field.column] = field
    more = len(found) - len(regions)
    return found if len(found) >= MIN_FEATURES and more > len(regions) else {}


def report_absent(layout: Layout, findings: Findings) -> None:
    """Say which regions and needed covariates the table does not have."""
    absent = [one.label for one in rois() if one.index not in layout.features]
    if layout.kind == "muse" and absent:
        findings.whole(
            "missing-rois",
            f"{counted(len(absent), 'of the 139 regions is', 'of the 139 regions are')} missing: "
            f"{listed(absent)}.",
        )
    for key in ("age", "sex"):
        if not layout.covariates[key]:
            findings.usable[:] = False
            findings.whole(
                "missing-column",
                f"No column was recognized as {_WORDS[key]}, which is needed for every person; "
                "name one, or add the participants table.",
            )
    if layout.kind == "muse" and not layout.covariates["icv"]:
        findings.notices.append(
            "No column was recognized as ICV; the model estimates it from the volumes, age and sex."
        )
