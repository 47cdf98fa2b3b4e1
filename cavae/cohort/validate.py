"""Faults of the values, by a pandera schema made from the atlas.

Volumes are in mm³. A faulty row is taken out of use; a fault of the whole table or of a column is
said once and leaves the rows in use unless no row can be used with it.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from cavae.atlas import rois
from cavae.cohort.findings import Field, Findings
from cavae.cohort.text import listed, quoted
from cavae.numbers import counted, people

AGE_RANGE = (18.0, 100.0)
ICV_RANGE = (600_000.0, 2_600_000.0)
ICV_IN_ML = (300.0, 3_000.0)
VOLUME_FACTOR = 8.0
"""A volume between typical / 8 and typical × 8 is possible; real people reach 0.27 and 2.0."""
MEDIAN_FACTOR = 3.0
"""A median this far off the typical volume is not that region."""
LARGEST_VALUE = 1e12
"""Of any feature; beyond it squares lose their meaning."""
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

# Sum of the regions over ICV. About 0.85 in truth; scanners and software that measure regions up to
# a third larger than others are not at fault.
LARGEST_BRAIN_SHARE = 1.5


def validate_volumes(fields: Mapping[str, Field], findings: Findings) -> pd.DataFrame:
    """The volumes (n, p) in mm³ under their MUSE index; columns without any number are left out."""
    values = _numbers(fields, findings)
    typical = pd.Series({one.index: one.typical for one in rois()}).reindex(values.columns)
    if values.shape[1]:
        _report_units(values / typical, findings)
        low, high = _limits(typical)
        _report_crowded((values >= low) & (values <= high), findings)
        _report_columns(values[findings.usable], fields, typical, findings)
        impossible = _impossible(values / typical, findings.usable)
        for column in np.flatnonzero(impossible.any(axis=0)):
            index, positions = values.columns[column], np.flatnonzero(impossible[:, column])
            _report_cells(positions, values[index], fields[index], findings, typical[index])
    _report_constant(values, fields, findings)
    return values


def validate_features(fields: Mapping[str, Field], findings: Findings) -> pd.DataFrame:
    """Other features (n, p), numbers of a likely size; columns without any number are left out."""
    values = _numbers(fields, findings)
    good = values.abs() <= LARGEST_VALUE  # nor is nan
    _report_crowded(good, findings)
    for name in values:
        bad = np.flatnonzero(~good[name] & findings.usable)
        _report_cells(bad, values[name], fields[name], findings)
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
    times = f"{ratio:,.0f} times" if ratio > 1 else f"one {1 / ratio:,.0f}th of"
    return _known_unit(ratio) or f"are {times} the typical ones"


def _known_unit(ratio: float) -> str | None:
    """What volumes look like that are `ratio` times the typical ones."""
    for factor, said in _UNITS:
        if 1 / MEDIAN_FACTOR < ratio / factor < MEDIAN_FACTOR:
            return said
    return None


def _report_crowded(good: pd.DataFrame, findings: Findings) -> None:
    """One fault for a row that is faulty throughout, instead of one for each of its cells."""
    faults = (~good).sum(axis=1).to_numpy()
    crowded = (faults > MAX_FAULTS_A_ROW) & findings.usable
    for position in np.flatnonzero(crowded):
        columns = f"{faults[position]} of {good.shape[1]} columns"
        findings.row(position, "row", f"has no usable number in {columns}.")


def _limits(typical):
    """Lowest and highest possible volume, in mm³, of one or of many typical ones."""
    return typical / VOLUME_FACTOR, typical * VOLUME_FACTOR


@lru_cache(maxsize=1)
def _ratio_schema():
    """Volumes over the typical ones of the atlas: all there and possible.

    One long column instead of 139 keeps pandera's cost for small tables at a few milliseconds.
    """
    import pandera.pandas as pa

    ratio = pa.Column(float, pa.Check.in_range(*_limits(1.0)), nullable=False)
    return pa.DataFrameSchema({"ratio": ratio})


def _impossible(ratios: pd.DataFrame, usable: np.ndarray) -> np.ndarray:
    """Which cells of the usable rows (n, p) hold no possible volume."""
    mask = np.zeros(ratios.shape, dtype=bool)
    table = pd.DataFrame({"ratio": ratios[usable].to_numpy().ravel()})
    failed = np.zeros(len(table), dtype=bool)
    failed[_failures(_ratio_schema(), table).get("ratio", [])] = True
    mask[usable] = failed.reshape(-1, ratios.shape[1])
    return mask


def _failures(schema, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Positions of the rows that break the schema, by column."""
    import pandera.errors as pe

    try:
        schema.validate(table, lazy=True)
    except pe.SchemaErrors as error:
        cases = error.failure_cases.dropna(subset=["index"])
        return {
            str(column): np.unique(found.to_numpy(dtype=int))
            for column, found in cases.groupby("column", sort=False)["index"]
        }
    return {}


def _report_cells(
    positions: np.ndarray,
    values: pd.Series,
    field: Field,
    findings: Findings,
    typical: float | None = None,
) -> None:
    """Say what is wrong with cells that hold no usable number; volumes have a typical one."""
    found, absent = values.to_numpy()[positions], field.absent[positions]
    infinite, text = np.isinf(found), np.isnan(found) & ~absent
    needed = "a number" if typical is None else "a volume in mm³"
    findings.at(positions[absent], "missing-value", f"stands where {needed} is needed.", field)
    findings.at(positions[text], "not-a-number", f"is not {needed}.", field)
    findings.at(positions[infinite], "infinite", "is not a finite number.", field)
    if typical is None:
        said = f"is too large: accepted are numbers up to {LARGEST_VALUE:.0e} in size."
        findings.at(positions[np.isfinite(found)], "too-large", said, field)
        return
    low, high = _limits(typical)
    below = np.isfinite(found) & (found <= 0)
    said = "is not a volume: accepted are numbers above 0, in mm³."
    findings.at(positions[below], "not-positive", said, field)
    said = f"is not possible here: accepted are {low:,.0f} to {high:,.0f} mm³."
    findings.at(positions[np.isfinite(found) & ~below], "impossible", said, field)


def _report_columns(
    values: pd.DataFrame, fields: Mapping[str, Field], typical: pd.Series, findings: Findings
) -> None:
    """Columns whose median does not fit the region they are named for."""
    if len(values) < MIN_PEOPLE:
        return
    ratio = (values / typical).where(values > 0).median()
    off = ratio[(ratio > MEDIAN_FACTOR) | (ratio < 1 / MEDIAN_FACTOR)]
    for index in off.index[:MAX_NAMED_COLUMNS]:
        column, unit = fields[index].column, _known_unit(ratio[index])
        doubt = f"its values {unit}" if unit else "is it named for another region?"
        findings.whole(
            "implausible",
            f"Column {quoted(column)}: its median, {values[index].median():,.0f} mm³, is far from "
            f"the typical {typical[index]:,.0f} mm³; {doubt}",
            column,
        )
    if len(off) > MAX_NAMED_COLUMNS:
        findings.whole(
            "implausible",
            f"{counted(len(off), 'column')} in all are far from their typical volume; "
            "are the columns in the order of their names?",
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
        with np.errstate(invalid="ignore"):  # a row may hold both infinities
            total = values.sum(axis=1).to_numpy()
        small = (icv < total / LARGEST_BRAIN_SHARE) & findings.usable
        said = "is far below the sum of the volumes; accepted is the whole intracranial volume."
        findings.at(np.flatnonzero(small), "icv", said, field)
    absent = int((np.isnan(icv) & findings.usable).sum())
    if absent:
        findings.notices.append(
            f"ICV is not given for {people(absent)}; the model estimates it "
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
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
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
    checked = [name for name in subjects if sources[name] is not None]
    failures = _failures(_subject_schema(), subjects[checked])
    for name, positions in failures.items():
        field = sources[name]
        if name == "subject_id":
            _report_ids(positions, field, findings)
            continue
        positions = positions[~findings.unmatched[positions]]  # nobody to ask about them
        if name == "sex":
            said = "is not a known sex; accepted are M and F, Male and Female, 1 and 2 or 0 and 1."
        else:
            said = "is not an accepted age; accepted are {:g} to {:g} years.".format(*AGE_RANGE)
            said += _age_hint(subjects["age"])
        findings.at(positions, name, said, field)


def _report_ids(positions: np.ndarray, field: Field, findings: Findings) -> None:
    absent = field.absent[positions]
    said = "stands where the id of a person is needed."
    findings.at(positions[absent], "missing-id", said, field)
    said = "is the id of a row above; only the first one is used."
    findings.at(positions[~absent], "duplicate-id", said, field)


@lru_cache(maxsize=1)
def _subject_schema():
    import pandera.pandas as pa

    once = pa.Check(lambda ids: (ids != "") & ~ids.duplicated())
    return pa.DataFrameSchema(
        {
            "subject_id": pa.Column(str, once, required=False),
            "age": pa.Column(float, pa.Check.in_range(*AGE_RANGE), required=False),
            "sex": pa.Column(str, pa.Check.isin(["F", "M"]), required=False),
        }
    )


def _age_hint(ages: pd.Series) -> str:
    """What the ages may be when most are far above a life."""
    known = ages[np.isfinite(ages)]
    if known.empty:
        return ""
    median = known.median()
    for unit, per_year in (("months", 12), ("days", 365.25)):
        if AGE_RANGE[1] < median and AGE_RANGE[0] <= median / per_year <= AGE_RANGE[1]:
            return f" Ages look like {unit}; give years."
    return ""
