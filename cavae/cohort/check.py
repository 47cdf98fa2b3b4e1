"""Read, recognize and validate one study: the way from files to a cohort."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cavae.atlas import rois
from cavae.cohort.coding import decode_diagnosis, decode_sex
from cavae.cohort.findings import Field, Findings
from cavae.cohort.joining import best_id, fields_of, id_columns, join
from cavae.cohort.names import COVARIATE_KEYS, age_unit, region
from cavae.cohort.odd_people import doubt_people
from cavae.cohort.plausibility import doubt_sex, doubt_volumes, report_cut, report_thousands
from cavae.cohort.reading import Source, Table, read_table
from cavae.cohort.recognize import Layout, checked_mapping, recognize, report_absent
from cavae.cohort.text import quoted
from cavae.cohort.types import COVARIATES, Check, Cohort, Recognition
from cavae.cohort.validate import (
    report_disagreement,
    validate_features,
    validate_icv,
    validate_subjects,
    validate_volumes,
)

AGE_ROUNDING = 1.0
"""Years by which two files may differ on one age, when one of them gives whole years."""


def read_cohort(
    volumes: Source,
    participants: Source | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Check:
    """Read a study from one table, or from two joined by id.

    CSV, TSV and Parquet are read, whatever their separator, encoding and column spelling.
    `mapping` overrides what is recognized: id, age, sex, icv, diagnosis, site or a MUSE index to
    the name of a column ("" for none). Faulty rows become problems and are left out of the cohort.

    Raises:
        DataError: a file cannot be read as a table, the two do not belong together, no features
            are found, or the mapping names what is not there.
    """
    table = read_table(volumes)
    other = None if participants is None else read_table(participants)
    if other is not None and _regions(other) > _regions(table):
        table, other = other, table  # the two were handed over in the wrong order
    tables = [table] if other is None else [table, other]
    chosen = checked_mapping(mapping, tables)
    findings = Findings(table.rows)
    _report_reading(tables, findings)
    id_field, fields = _fields(table, other, chosen, findings)
    layout = recognize(fields, chosen, findings)
    return _checked(layout, id_field, findings)


def _regions(table: Table) -> int:
    return sum(region(column) is not None for column in table.cells)


def _report_reading(tables: Sequence[Table], findings: Findings) -> None:
    """What reading noticed. Ragged rows of the volumes are faulty."""
    for table in tables:
        findings.notices.extend(table.notices)
        for name in table.repeated:
            message = (
                f"The column name {quoted(name)} occurs more than once in {quoted(table.name)}."
            )
            findings.whole("duplicate-column", message, name)
    table, *others = tables
    width = table.cells.shape[1]
    for position, fields in table.ragged.items():
        said = f"has {fields} fields where the header has {width}."
        findings.row(position, "ragged", said)
    for other in others:
        width = other.cells.shape[1]
        for position, fields in other.ragged.items():
            row = int(other.rows[position])
            message = f"Row {row} of {quoted(other.name)} has {fields} fields, its header {width}."
            findings.whole("ragged", message, None, row)


def _fields(
    table: Table, other: Table | None, mapping: Mapping[str, str | None], findings: Findings
) -> tuple[Field | None, list[Field]]:
    """The id column of the volumes, and every other column, those of the participants first."""
    joined: list[Field] = []
    if other is None:
        column = best_id(table, id_columns(table, mapping))
    else:
        # The cells of a ragged row may stand under the wrong names.
        column, joined = join(table, other.without(other.ragged), mapping, findings)
    own = fields_of(table)
    ids = next((field for field in own if field.column == column), None)
    return ids, joined + [field for field in own if field is not ids]


def _checked(layout: Layout, id_field: Field | None, findings: Findings) -> Check:
    report_absent(layout, findings)
    muse = layout.kind == "muse"
    values = (validate_volumes if muse else validate_features)(layout.features, findings)
    icv = validate_icv(layout.covariates["icv"], values if muse else None, findings)
    size = _head_size(icv, values if muse else None, findings.usable)
    subjects = pd.DataFrame(
        {
            "subject_id": _ids(id_field, findings),
            "age": _age(layout.covariates["age"], findings),
            "sex": _sex(layout.covariates["sex"], size, findings),
            "icv": icv,
            "site": _site(layout.covariates["site"]),
            "diagnosis": _diagnosis(layout.covariates["diagnosis"], findings),
        },
        columns=list(COVARIATES),
    )
    sources = {key: next(iter(layout.covariates[key]), None) for key in COVARIATE_KEYS[1:]}
    validate_subjects(
        subjects[["subject_id", "age", "sex"]],
        {"subject_id": id_field, "age": sources["age"], "sex": sources["sex"]},
        findings,
    )
    kept = findings.usable
    _doubt(layout, subjects, values, size, findings)
    counts = subjects["diagnosis"].value_counts()
    return Check(
        cohort=Cohort(
            *(part[kept].reset_index(drop=True) for part in (subjects, values, _extra(layout))),
            kind=layout.kind,
        ),
        recognition=_recognition(layout, id_field, sources, values),
        problems=findings.problems(),
        notices=tuple(findings.notices),
        rows=len(subjects),
        diagnoses={str(label): int(n) for label, n in counts.items() if label},
    )


def _doubt(
    layout: Layout,
    subjects: pd.DataFrame,
    values: pd.DataFrame,
    size: np.ndarray,
    findings: Findings,
) -> None:
    """Report what is odd about the people who can be used, as a whole."""
    numeric = [field for key in ("age", "icv") for field in layout.covariates[key]]
    numeric += layout.features.values()
    report_thousands(numeric, findings)
    report_cut(numeric, findings)
    kept = findings.usable
    if layout.kind == "muse":
        doubt_volumes(values[kept], layout.features, subjects[kept], findings)
    doubt_people(values[kept], layout.features, subjects[kept], layout.kind, findings)
    if layout.covariates["sex"]:
        column = layout.covariates["sex"][0].column
        doubt_sex(subjects["sex"].to_numpy()[kept], size[kept], column, findings)


def _recognition(
    layout: Layout,
    id_field: Field | None,
    sources: Mapping[str, Field | None],
    values: pd.DataFrame,
) -> Recognition:
    columns = {"id": id_field, **sources}
    return Recognition(
        columns={key: found and found.column for key, found in columns.items()},
        features={name: layout.features[name].column for name in values},
        dialect=layout.dialect,
        extra=tuple(_extra_names(layout.extra)),
    )


def _ids(field: Field | None, findings: Findings) -> np.ndarray:
    if field is None:
        findings.notices.append(
            "No column was recognized as the id; people are called by their row, such as "
            f'"row-{findings.rows[0]}".'
        )
        return np.array([f"row-{row}" for row in findings.rows], dtype=object)
    return field.cells.where(~field.absent, "").to_numpy(dtype=object)


def _head_size(icv: np.ndarray, values: pd.DataFrame | None, usable: np.ndarray) -> np.ndarray:
    """ICV, or the sum of the regions in a table without one; NaN for rows that are faulty."""
    size = icv
    if values is not None and not np.isfinite(icv).any():
        size = values[usable].sum(axis=1, skipna=False).reindex(values.index).to_numpy()
    return np.where(usable, size, np.nan)


def _age(fields: Sequence[Field], findings: Findings) -> np.ndarray:
    if not fields:
        return np.full(len(findings.rows), np.nan)
    unit = age_unit(fields[0].column)
    if unit:
        findings.notices.append(
            f"Column {quoted(fields[0].column)} is named for {unit}, but read as years."
        )
    first, *others = (field.numbers for field in fields)
    for rival, other in zip(fields[1:], others, strict=True):
        report_disagreement(
            "age", fields[0], rival, np.abs(first - other) >= AGE_ROUNDING, findings
        )
        first = np.where(np.isnan(first), other, first)
    return first


def _sex(fields: Sequence[Field], size: np.ndarray, findings: Findings) -> np.ndarray:
    return _labels(fields, "sex", lambda cells, name: decode_sex(cells, name, size), findings)


def _diagnosis(fields: Sequence[Field], findings: Findings) -> np.ndarray:
    return _labels(fields, "diagnosis", decode_diagnosis, findings)


def _site(fields: Sequence[Field]) -> np.ndarray | str:
    """Sites as written; the first file decides."""
    if not fields:
        return ""
    return fields[0].cells.where(~fields[0].absent, "").to_numpy(dtype=object)


def _labels(fields: Sequence[Field], rule: str, decode, findings: Findings) -> np.ndarray:
    """Decoded labels of the first column, of the second where it has none."""
    if not fields:
        return np.full(len(findings.rows), "", dtype=object)
    first, *others = (decode(field.cells, field.column) for field in fields)
    labels, notices = first
    findings.notices.extend(notices)
    for rival, (other, more) in zip(fields[1:], others, strict=True):
        findings.notices.extend(more)
        apart = (labels != other) & (labels != "") & (other != "")
        report_disagreement(rule, fields[0], rival, apart, findings)
        labels = np.where(labels == "", other, labels)
    return labels


def _extra_names(fields: Sequence[Field]) -> list[str]:
    """Names of the columns kept aside, told apart where both files have one of the same name."""
    own = {field.column for field in fields if not field.file}
    return [
        f"{field.column} (participants)" if field.file and field.column in own else field.column
        for field in fields
    ]


def _extra(layout: Layout) -> pd.DataFrame:
    """Columns kept aside, as numbers where every cell that holds something is one."""
    columns = {}
    for name, field in zip(_extra_names(layout.extra), layout.extra, strict=True):
        absent, numbers = field.absent, field.numbers
        numeric = not absent.all() and np.isfinite(numbers[~absent]).all()
        columns[name] = numbers if numeric else field.cells.where(~absent, "").to_numpy()
    n = len(next(iter(layout.features.values())).cells)
    return pd.DataFrame(columns, index=range(n))


def template_csv() -> str:
    """A table to fill in: the header, and one made-up person of typical volumes in mm³."""
    covariates = {
        "subject_id": "example-1",
        "age": "65",
        "sex": "F",
        "icv": "1400000",
        "site": "Site1",
        "diagnosis": "CN",
    }
    volumes = {f"MUSE_Volume_{one.index}": f"{one.typical:.0f}" for one in rois()}
    row = {**covariates, **volumes}
    return ",".join(row) + "\n" + ",".join(row.values()) + "\n"
