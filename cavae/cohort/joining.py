"""One row a person: volumes and participants joined by id, studies stacked."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cavae.cohort.coding import are_groups
from cavae.cohort.findings import Field, Findings
from cavae.cohort.names import covariate_rank, is_fallback
from cavae.cohort.reading import Table
from cavae.cohort.text import listed, missing, quoted
from cavae.cohort.types import Cohort
from cavae.errors import DataError
from cavae.numbers import counted, people

MAX_UNMATCHED = 20
"""People without volumes that are listed one by one."""


def id_columns(table: Table, mapping: Mapping[str, str | None]) -> list[str]:
    """Columns that may hold the id, best first."""
    if "id" in mapping:
        return [column for column in table.cells if column == mapping["id"]]
    taken = set(mapping.values())
    ranks = {
        column: rank
        for column in table.cells
        if column not in taken and (rank := covariate_rank(column, "id")) is not None
    }
    columns = sorted((c for c in ranks if not _is_diagnosis(c, table)), key=ranks.__getitem__)
    named = [column for column in columns if not is_fallback(column, "id")]
    return named or [column for column in columns if table.cells[column].is_unique]


def _is_diagnosis(column: str, table: Table) -> bool:
    """Whether "patient" or "case" says yes or no instead of who."""
    return is_fallback(column, "diagnosis") and are_groups(table.cells[column])


def best_id(table: Table, columns: Sequence[str]) -> str | None:
    """The first candidate that tells all people apart, else the first."""
    for column in columns:
        ids = table.cells[column]
        if ids.is_unique and not missing(ids).any():
            return column
    return columns[0] if columns else None


def fields_of(table: Table) -> list[Field]:
    """The columns of the volumes table."""
    return [Field(c, table.cells[c], table.decimal_comma) for c in table.cells]


def join(
    volumes: Table,
    participants: Table,
    mapping: Mapping[str, str | None],
    findings: Findings,
) -> tuple[str, list[Field]]:
    """Id column of the volumes, and the columns of the participants in the volumes' row order.

    Ids are compared as they are written; only when none agrees, without leading zeros, ".0",
    case, "sub-" and ways to write an accent. Ids without a partner are problems.

    Raises:
        DataError: one of the tables has no id, or no id agrees.
    """
    left, right = _best_pair(volumes, participants, mapping)
    ours, theirs = volumes.cells[left], participants.cells[right]
    if not set(ours) & set(theirs) - {""}:
        ours, theirs = _loosened(ours, theirs)
        if not set(ours) & set(theirs) - {""}:
            raise DataError(
                f"No id of {quoted(volumes.name)} (column {quoted(left)}: "
                f"{listed(volumes.cells[left], 3)}) is in {quoted(participants.name)} "
                f"(column {quoted(right)}: {listed(participants.cells[right], 3)})."
            )
        findings.notices.append(
            'The ids of the two files agree only without leading zeros, ".0", case, "sub-" and '
            "ways to write an accent; they are joined that way."
        )
    where = _positions(participants, right, theirs, findings)
    positions = ours.map(where).fillna(-1).to_numpy(dtype=int)
    _report_unmatched(ours, positions, Field(left, volumes.cells[left]), participants, findings)
    unused = sorted(set(where.values()) - set(positions))
    _report_without_volumes(participants, right, unused, findings)
    padded = pd.concat([participants.cells, pd.DataFrame("", [-1], participants.cells.columns)])
    rows = padded.iloc[np.where(positions < 0, len(participants), positions)]
    rows = rows.reset_index(drop=True)
    return left, [
        Field(c, rows[c], participants.decimal_comma, participants.name) for c in rows if c != right
    ]


def _best_pair(
    volumes: Table, participants: Table, mapping: Mapping[str, str | None]
) -> tuple[str, str]:
    """The pair with the best names that agrees for at least half as many people as any other."""
    lefts, rights = id_columns(volumes, mapping), id_columns(participants, mapping)
    if "id" in mapping:  # the name may be right for one file alone
        automatic = {key: column for key, column in mapping.items() if key != "id"}
        lefts = lefts or id_columns(volumes, automatic)
        rights = rights or id_columns(participants, automatic)
    for table, columns in ((volumes, lefts), (participants, rights)):
        if not columns:
            raise DataError(
                f"No column of {quoted(table.name)} was recognized as the id, which is needed to "
                "join the two files; accepted names are ID, MRID, PTID, participant_id, SubjID."
            )
    people = {c: set(volumes.cells[c]) - {""} for c in lefts}
    agreeing = {
        (left, right): len(people[left] & set(participants.cells[right]))
        for left in lefts
        for right in rights
    }
    most = max(agreeing.values())
    return next(pair for pair, number in agreeing.items() if 2 * number >= most)


def _loosened(ours: pd.Series, theirs: pd.Series) -> tuple[pd.Series, pd.Series]:
    loose = [_loose(ids) for ids in (ours, theirs)]
    for ids, plain in zip((ours, theirs), loose, strict=True):
        if plain.nunique() < ids.nunique():  # two people would become one
            return ours, theirs
    return loose[0], loose[1]


def _loose(ids: pd.Series) -> pd.Series:
    plain = ids.str.normalize("NFKC").str.casefold().str.replace(r"^sub[-_]", "", regex=True)
    return plain.str.replace(r"^(?:0(?=\d))*+(\d{1,40})(?:\.0*)?$", r"\1", regex=True)


def _positions(
    participants: Table, column: str, ids: pd.Series, findings: Findings
) -> dict[str, int]:
    """Position of each id, its first; later ones and empty ones are problems."""
    where: dict[str, int] = {}
    absent = missing(ids)
    for position, identity in enumerate(ids):
        row = int(participants.rows[position])
        place = f"Row {row} of {quoted(participants.name)}"
        if absent[position]:
            findings.whole("missing-id", f"{place} has no id.", column, row, "")
        elif identity in where:
            message = f"{place} repeats the id {quoted(identity)}; the first one is used."
            findings.whole("duplicate-id", message, column, row, identity)
        else:
            where[identity] = position
    return where


def _report_unmatched(
    ours: pd.Series,
    positions: np.ndarray,
    source: Field,
    participants: Table,
    findings: Findings,
) -> None:
    alone = np.flatnonzero((positions < 0) & ~missing(ours))
    findings.unmatched[alone] = True
    findings.at(alone, "unmatched", f"is not in {quoted(participants.name)}.", source)


def _report_without_volumes(
    participants: Table, column: str, positions: Sequence[int], findings: Findings
) -> None:
    ids = participants.cells[column]
    if len(positions) > MAX_UNMATCHED:
        findings.whole(
            "unmatched",
            f"{people(len(positions))} of {quoted(participants.name)} have "
            f"no volumes: {listed(ids.iloc[positions])}.",
            column,
        )
        return
    for position in positions:
        row, identity = int(participants.rows[position]), ids.iat[position]
        message = f"Row {row} of {quoted(participants.name)}: {quoted(identity)} has no volumes."
        findings.whole("unmatched", message, column, row, identity)


def join_cohorts(cohorts: Sequence[Cohort]) -> Cohort:
    """Stack the people of several studies, in the order given.

    Features and extra columns that all have are kept, in the order of the first.

    Raises:
        DataError: nothing to join, brain regions and other features mixed, no feature in common,
            or an id that occurs in two of them.
    """
    if not cohorts:
        raise DataError("There is no table to join.")
    if len({cohort.kind for cohort in cohorts}) > 1:
        raise DataError("A table of brain regions and one of other features cannot be joined.")
    subjects, features, extra = (
        pd.concat([getattr(cohort, part) for cohort in cohorts], join="inner", ignore_index=True)
        for part in ("subjects", "features", "extra")
    )
    if features.shape[1] == 0:
        raise DataError("The tables to join have no feature in common.")
    repeated = subjects["subject_id"][subjects["subject_id"].duplicated()].unique()
    if len(repeated):
        raise DataError(
            f"{counted(len(repeated), 'id')} occur in more than one of the tables to join: "
            f"{listed(repeated)}. Give every person an id of their own."
        )
    return Cohort(subjects, features, extra, cohorts[0].kind)
