"""What is known of how good models are, as tables for people: measured, recorded, and the paper's.

Each kind has a table of numbers, `forest` rows for `plots.forest`, and `text` for reading.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cavae import numbers, paper
from cavae.ablation import read_folds, read_table
from cavae.atlas import ASSETS
from cavae.evaluation import MEANINGS, Figure

ABLATION_FILES = ("ablation.csv", "ablation_folds.csv")
ABLATION_SEED = 101
"""Seed of the simulation of the recorded ablation: one that nothing was trained or chosen on."""
ABLATION_COMMANDS = (
    f"python -m cavae simulate --seed {ABLATION_SEED} --output simulated",
    "python -m cavae ablation --data simulated --output ablation",
)
RECORDED = f"A recorded run on the people of simulation seed {ABLATION_SEED}."
NOT_THE_PAPERS_PEOPLE = (
    "The paper's people are not ours: it drew on iSTAGING, we on a reference cohort fitted to "
    "centile curves. Compare each distance with its own floor or real value, not to the decimal."
)
PANELS = {
    "SD²": "Squared distance W2 (SD²)",
    "": "Share, area or correlation (no unit)",
    "SD": "Size (SD)",
}
A1 = {
    "w2_target": "W2, generated to real target",
    "w2_background": "W2, generated to real background",
    "separation": "W2, generated target to background",
}
"""The columns of Table A1, SD²."""
BESIDE_A1 = {
    "completeness": "Completeness of clusters of s",
    "common_auc": "AUC on common z",
    "effect_r": "Effect, correlation with the truth",
    "effect_slope": "Effect, slope",
    "coverage90": "Truths in 90 % intervals",
}
"""What else `ablation` measures of each variant, no unit."""
LABEL_WIDTH = 40


# --------------------------------------------------------------------------- numbers as text


def figure_text(value: float, unit: str = "", low: float = np.nan, high: float = np.nan) -> str:
    """`11.3 (10.5 to 12.8)`: a figure with its interval; squared distances to 0.1, others 0.01."""
    if not np.isfinite(value):
        return numbers.MISSING
    places = 1 if unit == "SD²" else 2
    text = numbers.number(value, places)
    if np.isfinite(low) and np.isfinite(high):
        text += f" ({numbers.number(low, places)}\u00a0to\u00a0{numbers.number(high, places)})"
    return text


def _in_two_lines(title: str) -> str:
    return "<br>".join(textwrap.wrap(title, len(title) // 2 + 4))


def _wrapped(label: str) -> str:
    return "<br>".join(textwrap.wrap(label, LABEL_WIDTH))


# --------------------------------------------------------------------------- semi-synthetic


def measured_forest(table: pd.DataFrame) -> pd.DataFrame:
    """Rows for `plot_forest` of `SimulationFigures.table()`: best value or reference, and paper."""
    return pd.DataFrame(
        {
            "panel": table["unit"].map(PANELS),
            "label": table["metric"].map(_wrapped),
            "value": table["value"],
            "low": table["low"],
            "high": table["high"],
            "reference": table["best"].fillna(table["reference"]),
            "beside": table["paper"],
        }
    )


def measured_text(table: pd.DataFrame) -> pd.DataFrame:
    """`SimulationFigures.table()` as people read it."""
    return pd.DataFrame(
        [
            {
                "Metric": _with_unit(row.metric, row.unit),
                "This model": figure_text(row.value, row.unit, row.low, row.high),
                "Should be": _should_be(row),
                "Paper": figure_text(row.paper, row.unit),
                "Good and bad": row.meaning,
            }
            for row in table.itertuples()
        ]
    )


def _with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _should_be(row: Any) -> str:
    """`floor 9.6`, `1`, `0; no effect: 0.68`, `above background 0.66`"""
    best = f"{row.best:g}" if np.isfinite(row.best) else ""
    if not np.isfinite(row.reference):
        return best or numbers.MISSING
    reference = f"{row.referred_to} {figure_text(row.reference, row.unit)}"
    if best:
        return f"{best} ({reference})"
    return f"above {reference}" if row.direction.startswith("above") else reference


# --------------------------------------------------------------------------- real people


def clinical_table(
    recorded: Iterable[Mapping[str, Any]], loaded: Iterable[Figure] = ()
) -> pd.DataFrame:
    """Columns metric, group, recorded, loaded, unit, best, meaning; nan where not known.

    recorded: the figures of a model's card, as its config.json has them.
    """
    values: dict[tuple[str, str], dict[str, float]] = {}
    for one in recorded:
        key = str(one.get("metric", "")), str(one.get("group", ""))
        values.setdefault(key, {})["recorded"] = float(one.get("value", np.nan))
    for figure in loaded:
        values.setdefault((figure.metric, figure.group), {})["loaded"] = figure.value
    rows = [
        {
            "metric": metric,
            "group": group,
            "recorded": both.get("recorded", np.nan),
            "loaded": both.get("loaded", np.nan),
            "unit": "SD" if "(SD)" in metric else "",
            "best": _best(metric),
            "meaning": MEANINGS.get(metric, ""),
        }
        for (metric, group), both in values.items()
    ]
    columns = ["metric", "group", "recorded", "loaded", "unit", "best", "meaning"]
    return pd.DataFrame(rows, columns=columns)


def _best(metric: str) -> float:
    if "(SD)" in metric:
        return float("nan")
    return 0.5 if "leakage" in metric else 1.0


def clinical_forest(table: pd.DataFrame) -> pd.DataFrame:
    """Rows for `plot_forest` of a `clinical_table`: recorded, with loaded people beside."""
    names = table["metric"].str.replace(" (SD)", "", regex=False) + ", " + table["group"]
    return pd.DataFrame(
        {
            "panel": table["unit"].map(PANELS),
            "label": _capital(names).map(_wrapped),
            "value": table["recorded"],
            "low": np.nan,
            "high": np.nan,
            "reference": table["best"],
            "beside": table["loaded"],
        }
    )


def _capital(names: pd.Series) -> pd.Series:
    return names.str[:1].str.upper() + names.str[1:]


def clinical_text(table: pd.DataFrame) -> pd.DataFrame:
    """A `clinical_table` as people read it."""
    text = pd.DataFrame(
        {
            "Figure": _capital(table["metric"]),
            "Of": table["group"],
            "Recorded": table["recorded"].map(figure_text),
            "Loaded people": table["loaded"].map(figure_text),
            "Best": table["best"].map(lambda best: f"{best:g}" if np.isfinite(best) else ""),
            "Good and bad": table["meaning"].mask(table["metric"].duplicated(), ""),
        }
    )
    return text if table["loaded"].notna().any() else text.drop(columns="Loaded people")


# --------------------------------------------------------------------------- Table A1


@dataclass(frozen=True)
class Ablation:
    """A recorded run of the command `ablation`: its table, and its folds."""

    table: pd.DataFrame
    folds: pd.DataFrame


def recorded_ablation(folder: Path = ASSETS) -> Ablation | None:
    """The recorded run that ships with the project; None where there is none.

    Raises:
        DataError: a file is not what `ablation` writes.
    """
    table, folds = (folder / name for name in ABLATION_FILES)
    if not (table.is_file() and folds.is_file()):
        return None
    return Ablation(read_table(table), read_folds(folds))


def a1_forest(ours: pd.DataFrame) -> pd.DataFrame:
    """Rows for `plot_forest` of Table A1: ours, the paper's, and our floor or real value."""
    papers = paper.table_a1()
    rows = []
    for metric, name in A1.items():
        of_ours, of_paper = (_by_variant(table, metric) for table in (ours, papers))
        for variant in _variants(ours):
            mine, theirs = of_ours.get(variant, {}), of_paper.get(variant, {})
            rows.append(
                {
                    "panel": _in_two_lines(f"{name} (SD²)"),
                    "label": variant,
                    **{column: mine.get(column, np.nan) for column in ("value", "low", "high")},
                    "reference": of_ours.get(paper.REAL, {}).get("value", np.nan),
                    "beside": theirs.get("value", np.nan),
                    "beside_low": theirs.get("low", np.nan),
                    "beside_high": theirs.get("high", np.nan),
                }
            )
    return pd.DataFrame(rows)


def a1_text(ours: pd.DataFrame) -> pd.DataFrame:
    """Table A1 as people read it: a row of floors and real values, then a row a variant."""
    papers = paper.table_a1()
    columns = {"ours": ours, "paper": papers}
    return pd.DataFrame(
        {
            "Variant": "Floor, or real value" if variant == paper.REAL else variant,
            **{
                f"{name} (SD²), {whose}": _cell(table, variant, metric, "SD²")
                for metric, name in A1.items()
                for whose, table in columns.items()
            },
        }
        for variant in (paper.REAL, *_variants(ours))
    )


def beside_a1_text(ours: pd.DataFrame) -> pd.DataFrame:
    """Latents and effects of each variant as people read it; the paper has two figures of them."""
    columns = {
        metric: name for metric, name in BESIDE_A1.items() if (ours["metric"] == metric).any()
    }
    return pd.DataFrame(
        {
            "Variant": variant,
            **{name: _cell(ours, variant, metric) for metric, name in columns.items()},
        }
        for variant in _variants(ours)
    )


def _variants(ours: pd.DataFrame) -> list[str]:
    """The variants that have a figure of Table A1, the paper's first, in its order."""
    found = [*paper.TABLE_A1, *ours.loc[ours["metric"].isin(list(A1)), "variant"]]
    return [variant for variant in dict.fromkeys(found) if variant != paper.REAL]


def _by_variant(table: pd.DataFrame, metric: str) -> dict[str, dict[str, float]]:
    chosen = table[table["metric"] == metric].drop_duplicates("variant").set_index("variant")
    return chosen[["value", "low", "high"]].to_dict("index")


def _cell(table: pd.DataFrame, variant: str, metric: str, unit: str = "") -> str:
    found = _by_variant(table, metric).get(variant)
    if found is None:
        return numbers.MISSING
    return figure_text(found["value"], unit, found["low"], found["high"])
