"""Faults of the values, by a pandera schema made from the atlas.

Volumes are in mm³. A faulty row is taken out of use; a fault of the whole table or of a column is
said once and leaves the rows in use unless no row can be used with it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cavae.atlas import rois
from cavae.cohort.findings import Field, Findings
from cavae.cohort.text import counted, listed, quoted

AGE_RANGE = (18.0, 100.0)
ICV_RANGE = (600_000.0, 2_600_000.0)
ICV_IN_ML = (300.0, 3_000.0)
VOLUME_FACTOR = 8.0
"""A volume between typical / 8 and typical × 8 is possible; real people reach 0.27 and 2.0."""
MEDIAN_FACTOR = 3.0
"""A median this far off the typical volume is not that region."""
MAX_FAULTS_A_ROW = 10
"""A row with more faulty volumes has one fault."""
MAX_NAMED_COLUMNS = 10
MIN_PEOPLE = 5
"""Fewer people say nothing about a column as a whole."""

_UNITS = (
    (1e-3, "look like mL (cm³)"),
    (1e-9, "look like m³"),
    (1e-6, "look like litres"),
    (1e3, "look 1,000 times too large, as if mm³ had been converted twice"),
)
_SAID = {
    "missing-volume": "where a volume in mm³ is needed.",
    "text": "is not a number; accepted is a volume in mm³.",
    "not-positive": "is not a volume: accepted are numbers above 0, in mm³.",
    "missing-value": "where a number is needed.",
    "not-a-number": "is not a number.",
    "infinite": "is not a finite number.",
}


def validate_volumes(fields: Mapping[str, Field], findings: Findings) -> pd.DataFrame:
    """The volumes (n, p) in mm³ under their MUSE index; columns without any number are left out."""
    values = _numbers(fields, findings)
    typical = pd.Series({one.index: one.typical for one in rois()}).reindex(values.columns)
    if values.shape[1]:
        _report_units(values / typical, findings)
        _report_crowded(_possible(values, typical), findings)
        _report_columns(values[findings.usable], fields, typical, findings)
        _report_failures(_volume_schema(typical), values, fields, typical, findings)
        _report_equal_sides(values, findings)
    _report_constant(values, fields, findings)
    return values


def validate_features(fields: Mapping[str, Field], findings: Findings) -> pd.DataFrame:
    """Other features (n, p), any finite numbers; columns without any number are left out."""
    values = _numbers(fields, findings)
    crowded = np.isfinite(values)
    _report_crowded(crowded, findings)
    for name in values:
        bad = np.flatnonzero(~crowded[name] & findings.usable)
        _report_cells(bad, values[name], fields[name], findings, "missing-value", "not-a-number")
    _report_constant(values, fields, findings)
    return values


def _numbers(fields: Mapping[str, Field], findings: Findings) -> pd.DataFrame:
    numbers = {name: field.numbers for name, field in fields.items()}
    empty = [name for name, column in numbers.items() if not np.isfinite(column).any()]
    if empty:
        findings.whole(
            "empty-column",
            f"{counted(len(empty), 'column holds', 'columns hold')} no number in any row and "
            f"{'is' if len(empty) == 1 else 'are'} left out: "
            f"{listed(fields[name].column for name in empty)}.",
            fields[empty[0]].column if len(empty) == 1 else None,
        )
    kept = [name for name in numbers if name not in empty]
    if not kept:
        findings.exclude(np.ones(len(findings.rows), dtype=bool))
    return pd.DataFrame(
        {name: numbers[name] for name in kept}, index=range(len(findings.rows)), columns=kept
    )


def _report_units(ratios: pd.DataFrame, findings: Findings) -> None:
    """Rows whose volumes are, as a whole, far from typical (n, p of volume / typical)."""
    ratio = ratios.where(np.isfinite(ratios) & (ratios > 0)).median(axis=1).to_numpy()
    with np.errstate(invalid="ignore"):
        wrong = (ratio < 1 / VOLUME_FACTOR) | (ratio > VOLUME_FACTOR)
    wrong &= findings.usable
    if not wrong.any():
        return
    if wrong.sum() > len(wrong) / 2:
        findings.exclude(wrong)
        findings.whole(
            "unit",
            f"The volumes of {counted(int(wrong.sum()), 'row')} "
            f"{_unit(float(np.median(ratio[wrong])))}; accepted are volumes in mm³.",
        )
        return
    for position in np.flatnonzero(wrong):
        said = f"has volumes that {_unit(ratio[position])}; accepted are volumes in mm³."
        findings.row(position, "unit", said)


def _unit(ratio: float) -> str:
    for factor, said in _UNITS:
        if 1 / MEDIAN_FACTOR < ratio / factor < MEDIAN_FACTOR:
            return said
    times = f"{ratio:,.0f} times" if ratio > 1 else f"one {1 / ratio:,.0f}th of"
    return f"are {times} the typical ones"


def _possible(values: pd.DataFrame, typical: pd.Series) -> pd.DataFrame:
    return (values > typical / VOLUME_FACTOR) & (values < typical * VOLUME_FACTOR)


def _report_crowded(good: pd.DataFrame, findings: Findings) -> None:
    """One fault for a row that is faulty throughout, instead of one for each of its cells."""
    faults = (~good).sum(axis=1).to_numpy()
    crowded = (faults > MAX_FAULTS_A_ROW) & findings.usable
    for position in np.flatnonzero(crowded):
        columns = f"{faults[position]} of {good.shape[1]} columns"
        findings.row(position, "row", f"has no usable number in {columns}.")


def _volume_schema(typical: pd.Series):
    import pandera.pandas as pa

    def column(low: float, high: float) -> pa.Column:
        possible = pa.Check.in_range(low, high, error="impossible")
        return pa.Column(float, [pa.Check.gt(0, error="not-positive"), possible], nullable=False)

    return pa.DataFrameSchema(
        {
            index: column(volume / VOLUME_FACTOR, volume * VOLUME_FACTOR)
            for index, volume in typical.items()
        }
    )


def _failures(schema, table: pd.DataFrame) -> pd.DataFrame:
    """The cells (column, check, index) that break the schema, the first check of each."""
    import pandera.errors as pe

    try:
        schema.validate(table, lazy=True)
    except pe.SchemaErrors as error:
        cases = error.failure_cases[["column", "check", "index"]].dropna()
        return cases.drop_duplicates(["column", "index"])
    return pd.DataFrame({"column": [], "check": [], "index": []})


def _report_failures(
    schema,
    values: pd.DataFrame,
    fields: Mapping[str, Field],
    typical: pd.Series,
    findings: Findings,
) -> None:
    cases = _failures(schema, values[findings.usable])
    for (index, check), found in cases.groupby(["column", "check"], sort=False):
        positions = np.sort(found["index"].to_numpy(dtype=int))
        field = fields[index]
        if check == "impossible":
            low, high = typical[index] / VOLUME_FACTOR, typical[index] * VOLUME_FACTOR
            said = f"is not possible here: accepted are {low:,.0f} to {high:,.0f} mm³."
            infinite = np.isinf(values[index].to_numpy()[positions])
            findings.at(positions[infinite], "infinite", _SAID["infinite"], field)
            findings.at(positions[~infinite], check, said, field)
        elif check == "not_nullable":
            _report_cells(positions, values[index], field, findings, "missing-volume", "text")
        else:
            findings.at(positions, check, _SAID[check], field)


def _report_cells(
    positions: np.ndarray,
    values: pd.Series,
    field: Field,
    findings: Findings,
    if_missing: str,
    if_text: str,
) -> None:
    """Cells that hold no number: nothing, infinity or text."""
    absent = field.absent[positions]
    infinite = np.isinf(values.to_numpy()[positions])
    findings.at(positions[absent], if_missing, _SAID[if_missing], field)
    findings.at(positions[infinite], "infinite", _SAID["infinite"], field)
    findings.at(positions[~absent & ~infinite], if_text, _SAID[if_text], field)


def _report_columns(
    values: pd.DataFrame, fields: Mapping[str, Field], typical: pd.Series, findings: Findings
) -> None:
    """Columns whose median does not fit the region they are named for."""
    if len(values) < MIN_PEOPLE:
        return
    ratio = (values / typical).where(values > 0).median()
    off = ratio[(ratio > MEDIAN_FACTOR) | (ratio < 1 / MEDIAN_FACTOR)]
    for index in off.index[:MAX_NAMED_COLUMNS]:
        column = fields[index].column
        findings.whole(
            "implausible",
            f"Column {quoted(column)}: its median, {values[index].median():,.0f} mm³, is far from "
            f"the typical {typical[index]:,.0f} mm³; is it named for another region?",
            column,
        )
    if len(off) > MAX_NAMED_COLUMNS:
        findings.whole(
            "implausible",
            f"{counted(len(off), 'column')} in all are far from their typical volume; "
            "are the columns in the order of their names?",
        )


def _report_equal_sides(values: pd.DataFrame, findings: Findings) -> None:
    by_name = {one.name: one.index for one in rois() if one.index in values}
    rights = [name for name in by_name if name.endswith("_R") and name[:-1] + "L" in by_name]
    pairs = [(by_name[name], by_name[name[:-1] + "L"]) for name in rights]
    if pairs and all(values[right].equals(values[left]) for right, left in pairs):
        findings.notices.append(
            "The left and the right volume are equal in every pair of regions; "
            "real brains are not that symmetric."
        )


def _report_constant(values: pd.DataFrame, fields: Mapping[str, Field], findings: Findings) -> None:
    constant = [name for name in values if values[name].nunique() == 1]
    if constant and len(values) >= MIN_PEOPLE:
        findings.notices.append(
            f"{counted(len(constant), 'column holds', 'columns hold')} one and the same value for "
            f"everybody: {listed(fields[name].column for name in constant)}."
        )


def validate_icv(
    fields: Sequence[Field], values: pd.DataFrame | None, findings: Findings
) -> np.ndarray:
    """ICV in mm³ (n,), NaN where none is given.

    The first column is used, then the others where it is empty; `values` are the volumes, which
    must not add up to more than the ICV.
    """
    if not fields:
        return np.full(len(findings.rows), np.nan)
    columns = [field.numbers for field in fields]
    for field, other in zip(fields[1:], columns[1:], strict=True):
        _compare_icv(fields[0], columns[0], field, other, findings)
    icv = columns[0].copy()
    for other in columns[1:]:
        icv = np.where(np.isfinite(icv), icv, other)
    field = fields[0]
    text = np.isnan(icv) & ~field.absent & findings.usable
    findings.at(np.flatnonzero(text), "icv", "is not a number; accepted is ICV in mm³.", field)
    _report_icv_range(icv, field, findings)
    if values is not None:
        total = values.sum(axis=1).to_numpy()
        small = (icv < total) & findings.usable
        said = "is smaller than the sum of the volumes; accepted is the whole intracranial volume."
        findings.at(np.flatnonzero(small), "icv", said, field)
    absent = int((np.isnan(icv) & findings.usable).sum())
    if absent:
        findings.notices.append(
            f"ICV is not given for {counted(absent, 'person', 'people')}; the model estimates it "
            "from the volumes, age and sex."
        )
    return icv


def _report_icv_range(icv: np.ndarray, field: Field, findings: Findings) -> None:
    low, high = ICV_RANGE
    with np.errstate(invalid="ignore"):
        in_ml = (icv >= ICV_IN_ML[0]) & (icv <= ICV_IN_ML[1]) & findings.usable
        out = ((icv < low) | (icv > high)) & ~in_ml & findings.usable
    accepted = f"accepted are {low:,.0f} to {high:,.0f} mm³."
    if in_ml.sum() > len(icv) / 2:
        findings.exclude(in_ml)
        findings.whole(
            "unit",
            f"Column {quoted(field.column)}: ICV of {counted(int(in_ml.sum()), 'row')} looks like "
            f"mL (cm³); {accepted}",
            field.column,
        )
    else:
        said = f"looks like mL (cm³); {accepted}"
        findings.at(np.flatnonzero(in_ml), "unit", said, field)
    findings.at(np.flatnonzero(out), "icv", f"is no ICV; {accepted}", field)


def _compare_icv(
    field: Field, icv: np.ndarray, rival: Field, other: np.ndarray, findings: Findings
) -> None:
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.abs(other / icv - 1)
    if (apart > 0.01).any():
        report_disagreement("icv", field, rival, apart > 0.01, findings)
    elif (apart > 1e-4).any():
        findings.notices.append(
            f"ICV in {quoted(field.column)} and {quoted(rival.column)} differs by up to "
            f"{100 * np.nanmax(apart):.1f} %; {quoted(field.column)} is used."
        )


def report_disagreement(
    rule: str, field: Field, rival: Field, apart: np.ndarray, findings: Findings
) -> None:
    """Two columns that say different things of the rows where `apart` (n,) holds.

    A few such rows are faulty; where most are, the columns mean different things and the first is
    used.
    """
    apart = apart & findings.usable
    number = int(apart.sum())
    if number > len(apart) / 2:
        findings.whole(
            rule,
            f"Columns {quoted(field.column)} and {quoted(rival.column)} disagree in "
            f"{counted(number, 'row')}; {quoted(field.column)} is used.",
            field.column,
        )
        return
    for position in np.flatnonzero(apart):
        said = f"disagrees with {quoted(rival.cells.iat[position])} in {quoted(rival.column)}."
        findings.at([position], rule, said, field)


def validate_subjects(
    subjects: pd.DataFrame, sources: Mapping[str, Field | None], findings: Findings
) -> None:
    """Ids present and once only, ages in range, sexes known.

    `subjects` has subject_id, age and sex; `sources` their columns, None where there is none.
    """
    low, high = AGE_RANGE
    age = f"accepted are {low:g} to {high:g} years"
    said = {
        "missing-id": "where the id of a person is needed.",
        "duplicate-id": "is the id of a row above; only the first one is used.",
        "sex": "is not a known sex; accepted are M and F, Male and Female, 1 and 2 or 0 and 1.",
        "not_nullable": f"is no age; {age}.",
        "age": f"is not an accepted age; {age}.",
    }
    checked = [name for name in subjects if sources[name] is not None]
    cases = _failures(_subject_schema(checked), subjects[checked])
    for (column, check), found in cases.groupby(["column", "check"], sort=False):
        positions = np.sort(found["index"].to_numpy(dtype=int))
        if column != "subject_id":  # without a partner in the other file there is nothing to check
            positions = positions[~findings.unmatched[positions]]
        rule = "age" if check == "not_nullable" else check
        hint = _age_hint(subjects["age"]) if check == "age" else ""
        findings.at(positions, rule, said[check] + hint, sources[column])


def _subject_schema(columns: Sequence[str]):
    import pandera.pandas as pa

    first = pa.Check(lambda ids: ~ids.duplicated(), error="duplicate-id")
    given = pa.Check(lambda ids: ids != "", error="missing-id")
    known = {
        "subject_id": pa.Column(str, [given, first]),
        "age": pa.Column(float, pa.Check.in_range(*AGE_RANGE, error="age"), nullable=False),
        "sex": pa.Column(str, pa.Check.isin(["F", "M"], error="sex")),
    }
    return pa.DataFrameSchema({name: known[name] for name in columns})


def _age_hint(ages: pd.Series) -> str:
    """What the ages may be when most are far above a life."""
    median = ages.median()
    for unit, per_year in (("months", 12), ("days", 365.25)):
        if AGE_RANGE[1] < median and AGE_RANGE[0] <= median / per_year <= AGE_RANGE[1]:
            return f" Ages look like {unit}; give years."
    return ""
