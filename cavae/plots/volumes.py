"""One person beside their healthy twin: volumes in mm³, and all effects in order."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cavae.numbers import ordinal, signed
from cavae.plots.colors import EFFECT_SCALE, LINE, effect_limit, group_color, see_through
from cavae.plots.layout import Interval, composed, effect_words, feature_label, inert

HEALTHY, NOW = group_color("healthy twin"), group_color("now")
BAND_COLOR = "#4A9FD6"
"""Lighter than the healthy twin's blue, so that the band shows on a dark page."""
INTERVAL_NAME = "90 % interval of the twin"
BAND_SD = 1.6449
"""The 5th and the 95th centile of a normal distribution, in SD from its mean."""
PAIR = ("healthy", "observed")
LETTER = 0.024
"""Width of a letter beside a dot as a share of a panel's axis, where two stand side by side."""
INTERVAL_WIDTH = 12
"""Pixels of the bar behind the twin's dot."""
FADED = 0.4
"""Opacity of effects whose interval holds 0."""
RANKING_DOMAINS = ((0.0, 0.348), (0.478, 1.0))
"""Where the panels of the ranking lie across, as shares of the picture."""
FLOOR = -0.55
"""Height of the twin's and the person's dots below the curve, whose peak is 1."""


def plot_paired_volumes(
    table: pd.DataFrame, columns: int = 2, height: int = 460, unit: str = "mm³"
) -> go.Figure:
    """Plot, for each ROI, a person's volume and their healthy twin's, among healthy people.

    What Figures 2a and 3a show for cohorts, for one person: twin and now joined by an arrow, over
    the distribution of healthy people of the same age, sex and intracranial volume.

    Args:
        table: one row an ROI: index (MUSE), healthy, observed (mm³), and mean and sd (mm³) of
            healthy people of this age, sex and ICV; if known twin_low and twin_high (mm³), the
            twin's 90 % interval. A row of panels shares its axis, so put the two sides of a
            structure next to each other.
        columns: panels side by side.
        height: pixels.
        unit: of the volumes; "" for features that are no volumes, which share no axis and whose
            change is in SD, because a share of them may mean nothing.
    """
    records = table.to_dict("records")
    layout: dict[str, Any] = {"annotations": []}
    traces = []
    for place, record in enumerate(records):
        neighbours = records[place // columns * columns :][:columns] if unit else [record]
        across, down = _domains(place, columns, math.ceil(len(records) / columns))
        number = str(place + 1) if place else ""
        axes = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        for trace in (*_healthy_people(record, unit), *_pair(record, unit)):
            named_once = trace.get("showlegend", True) and place == 0
            traces.append(trace | axes | {"type": "scatter", "showlegend": named_once})
        layout["annotations"] += _words(record, unit, **axes)
        layout[f"xaxis{number}"] = {
            "domain": across,
            "anchor": f"y{number}",
            "range": _range(neighbours),
            "title": {"text": f"Volume ({unit})" if unit else "Value", "standoff": 2},
            "tickformat": ",",
            "showgrid": False,
            "zeroline": False,
            "ticks": "outside",
        }
        layout[f"yaxis{number}"] = {
            "domain": down,
            "anchor": f"x{number}",
            "visible": False,
            "range": [-1.0, 1.55],
            "fixedrange": True,
        }
    return composed(traces, height, layout)


def _domains(place: int, columns: int, rows: int) -> tuple[list[float], list[float]]:
    """Return where panel number `place` lies across and down, as shares of the picture."""
    row, column = divmod(place, columns)
    gap_across, gap_down = 0.06, 0.34 / rows
    width = (1 - gap_across * (columns - 1)) / columns
    height = (1 - gap_down * (rows - 1)) / rows
    left, top = column * (width + gap_across), 1 - row * (height + gap_down)
    return [left, min(left + width, 1.0)], [max(top - height, 0.0), top]


def centile(value: float, mean: float, sd: float) -> str:
    """Return the place of a value in a normal distribution in words: "4th centile"."""
    share = 50 * (1 + math.erf((value - mean) / (sd * math.sqrt(2))))
    if share < 1:
        return "below 1st centile"
    if share > 99:
        return "above 99th centile"
    return f"{ordinal(round(share))} centile"


def _range(records: list[dict[str, Any]]) -> list[float]:
    """Return a common axis for these ROIs: all of the bells, and room for the words outside."""
    low = min(r["mean"] - 3.2 * r["sd"] for r in records)
    high = max(r["mean"] + 3.2 * r["sd"] for r in records)
    # A wider axis makes the words wider in its own units, but ever less so.
    for _ in range(20):
        width = high - low
        for r in records:
            left, right = sorted(r[name] for name in PAIR)
            ends = _twin_interval(r) or (left, right)
            low = min(low, left - width * _share_of_words(left, r), ends[0])
            high = max(high, right + width * _share_of_words(right, r), ends[1])
    return [low, high]


def _share_of_words(value: float, record: dict[str, Any]) -> float:
    """Return the width of the words beside a dot as a share of its panel's axis."""
    return LETTER * len(centile(value, record["mean"], record["sd"]))


def _amount(value: float, unit: str) -> str:
    """Return "2,980 mm³" for a volume, "2.35" for a feature without unit."""
    return f"{value:,.0f} {unit}" if unit else f"{value:,.3g}".replace("-", "−")


def _healthy_people(record: dict[str, Any], unit: str) -> list[dict[str, Any]]:
    """Return the bell of healthy people, its 5th to 95th centile darker, its median dotted."""
    mean, sd = record["mean"], record["sd"]
    bells = []
    for reach, alpha, name in (
        (3.2, 0.18, "Healthy people, same age, sex and head size"),
        (BAND_SD, 0.32, "their 5th to 95th centile"),
    ):
        z = np.linspace(-reach, reach, 61)
        bells.append(
            {
                "x": mean + sd * z,
                "y": np.exp(-0.5 * z**2),
                "mode": "lines",
                "line": {"width": 0},
                "fill": "tozeroy",
                "fillcolor": see_through(BAND_COLOR, alpha),
                "name": name,
                "legendgroup": name,
                "hoverinfo": "skip",
            }
        )
    median = {
        "x": [mean, mean],
        "y": [0, 1],
        "mode": "lines",
        "line": {"color": LINE, "width": 2, "dash": "dot"},
        "name": "their median",
        "legendgroup": "median",
        "hovertemplate": f"median of healthy people: {_amount(mean, unit)}<extra></extra>",
    }
    return [*bells, median]


def _twin_interval(record: dict[str, Any]) -> Interval | None:
    low, high = (record.get(name, math.nan) for name in ("twin_low", "twin_high"))
    return None if math.isnan(low) else (low, high)


def _interval_bar(interval: Interval, unit: str) -> dict[str, Any]:
    """Return the bar behind the twin's dot: where the twin is in 90 of 100 cases."""
    ends = " to ".join(_amount(value, unit) for value in interval)
    return {
        "x": list(interval),
        "y": [FLOOR, FLOOR],
        "mode": "lines",
        "line": {"color": see_through(BAND_COLOR, 0.5), "width": INTERVAL_WIDTH},
        "name": INTERVAL_NAME,
        "legendgroup": INTERVAL_NAME,
        "hovertemplate": f"{INTERVAL_NAME}: {ends}<extra></extra>",
    }


def _pair(record: dict[str, Any], unit: str) -> list[dict[str, Any]]:
    """Return twin and now, each with its volume and centile on its outer side."""
    twin, now = record["healthy"], record["observed"]
    interval = _twin_interval(record)
    traces = [] if interval is None else [_interval_bar(interval, unit)]
    for value, color, name, side in (
        (twin, HEALTHY, "Healthy twin", "right" if twin >= now else "left"),
        (now, NOW, "Now", "left" if twin >= now else "right"),
    ):
        place = centile(value, record["mean"], record["sd"])
        curve = math.exp(-0.5 * ((value - record["mean"]) / record["sd"]) ** 2)
        stem = {
            "x": [value, value],
            "y": [FLOOR, curve],
            "mode": "lines",
            "line": {"color": color, "width": 1},
            "hoverinfo": "skip",
            "showlegend": False,
        }
        dot = {
            "x": [value],
            "y": [FLOOR],
            "mode": "markers+text",
            "marker": {"color": color, "size": 14},
            "text": f"<b>{_amount(value, unit)}</b><br>{place}",
            "textposition": f"middle {side}",
            "cliponaxis": False,
            "name": name,
            "legendgroup": name,
            "hovertemplate": f"{name}: {_amount(value, unit)}, {place}<extra></extra>",
        }
        traces += [stem, dot]
    return traces


def _words(record: dict[str, Any], unit: str, xaxis: str, yaxis: str) -> list[dict[str, Any]]:
    """Return the arrow from twin to now, the ROI's name and the change in per cent (or in SD)."""
    twin, now = record["healthy"], record["observed"]
    arrow = {
        "x": now,
        "ax": twin,
        "y": FLOOR,
        "ay": FLOOR,
        "xref": xaxis,
        "yref": yaxis,
        "axref": xaxis,
        "ayref": yaxis,
        "standoff": 8,
        "startstandoff": 8,
        "arrowcolor": LINE,
        "arrowwidth": 2.5,
        "arrowhead": 2,
        "arrowsize": 0.8,
        "text": "",
    }
    change = f"{signed(100 * (now / twin - 1), 1)} %"
    if not unit:
        change = f"{signed((now - twin) / record['sd'], 1)} SD"
    corner = {"xref": f"{xaxis} domain", "yref": f"{yaxis} domain", "y": 1.0, "showarrow": False}
    name = {"text": f"<b>{inert(feature_label(record['index']))}</b>", "x": 0.0, "xanchor": "left"}
    share = {"text": f"<b>{change}</b>", "x": 1.0, "xanchor": "right"}
    return [arrow, corner | name | {"font": {"size": 14}}, corner | share | {"font": {"size": 18}}]


def plot_effect_ranking(
    effects: Mapping[str, float],
    unit: str = "SD",
    strongest: int = 12,
    limit: float | None = None,
    height: int = 420,
    intervals: Mapping[str, Interval] | None = None,
    clear: Collection[str] = (),
) -> go.Figure:
    """Plot the strongest effects by name, and beside them all effects in order.

    The paper names the affected ROIs in its text; this ranks all of them.

    Args:
        effects: effect by MUSE index.
        unit: of the effects.
        strongest: how many are named.
        limit: effect at both ends of the colour scale; from the largest effect when None.
        height: pixels.
        intervals: 90 % interval by MUSE index; without them nothing is said of certainty.
        clear: MUSE indices whose interval excludes 0; with intervals all others are faded.
    """
    limit = limit or effect_limit(effects.values(), unit)
    told = _Told(unit, limit, intervals, frozenset(clear))
    ranked = sorted(effects.items(), key=lambda item: item[1])
    named = sorted(effects.items(), key=lambda item: -abs(item[1]))[:strongest]
    named = sorted(named, key=lambda item: -item[1])
    counted = [v for index, v in effects.items() if intervals is None or index in told.clear]
    losses, gains = (sum(sign * value > 0 for value in counted) for sign in (-1, 1))
    word = "" if intervals is None else "clear "
    titles = (
        f"The {len(named)} strongest effects",
        f"All {len(ranked)} in order: {losses} {word}losses, {gains} {word}gains",
    )
    ends = [0.0, *(end for index, value in named for end in told.reach(index, value))]
    low, high = min(ends), max(ends)
    room = 0.25 * (high - low)
    traces = [
        _bars(named, told, "h"),
        _bars(ranked, told, "v") | {"xaxis": "x2", "yaxis": "y2"},
    ]
    if intervals is not None:
        traces.append(_numbers_beside(named, told, gap=0.12 * room))
    reach = [
        low - room * any(value < 0 for _, value in named),
        high + room * any(value > 0 for _, value in named),
    ]
    left, right = RANKING_DOMAINS
    effect = {"text": f"Effect ({unit})"}
    rank = {"text": "Rank (1 is the largest loss)"}
    layout = {
        "xaxis": {"domain": left, "anchor": "y", "title": effect, "range": reach},
        "yaxis": {"anchor": "x", "automargin": True},
        "xaxis2": {"domain": right, "anchor": "y2", "title": rank, "showgrid": False},
        "yaxis2": {"anchor": "x2", "title": effect},
        "annotations": [
            _heading(words, domain) for words, domain in zip(titles, RANKING_DOMAINS, strict=True)
        ],
        "showlegend": False,
        "bargap": 0.12,
    }
    return composed(traces, height, layout)


def _heading(words: str, domain: tuple[float, float]) -> dict[str, Any]:
    """Return words above the middle of a panel that lies there across."""
    place = {"x": sum(domain) / 2, "xanchor": "center", "y": 1.0, "yanchor": "bottom"}
    paper = {"xref": "paper", "yref": "paper", "showarrow": False}
    return place | paper | {"text": words, "font": {"size": 14}}


@dataclass(frozen=True)
class _Told:
    """How effects are written and how certain they are."""

    unit: str
    limit: float
    intervals: Mapping[str, Interval] | None
    clear: frozenset[str]

    def interval(self, index: str) -> Interval | None:
        return None if self.intervals is None else self.intervals[index]

    def reach(self, index: str, value: float) -> Interval:
        """Both ends of what is drawn for an effect."""
        return self.interval(index) or (value, value)

    def words(self, index: str, value: float) -> str:
        shown = effect_words(value, self.unit, self.interval(index))
        certain = ", clear" if index in self.clear else ""
        return f"{inert(feature_label(index))}: {shown}{certain}"


def _bars(items: list[tuple[str, float]], told: _Told, way: str) -> dict[str, Any]:
    labels = [inert(feature_label(index)) for index, _ in items]
    values = [value for _, value in items]
    across, known = way == "h", told.intervals is not None
    ranks = list(range(1, len(items) + 1))
    bar = {
        "type": "bar",
        "x": values if across else ranks,
        "y": labels if across else values,
        "orientation": way,
        "marker": {
            "color": values,
            "cmin": -told.limit,
            "cmax": told.limit,
            "colorscale": EFFECT_SCALE,
            "line": {"width": 0},
        },
        "textposition": "outside" if across else "none",
        "cliponaxis": False,
        "hovertext": [told.words(index, value) for index, value in items],
        "hoverinfo": "text",
        "customdata": [index for index, _ in items],
    }
    if across and not known:
        bar["text"] = [signed(value, 2) for value in values]
    if known:
        bar["marker"]["opacity"] = [1.0 if index in told.clear else FADED for index, _ in items]
    if known and across:
        reach = [told.reach(index, value) for index, value in items]
        bar["error_x"] = {
            "array": [high - value for (_, high), value in zip(reach, values, strict=True)],
            "arrayminus": [value - low for (low, _), value in zip(reach, values, strict=True)],
            "symmetric": False,
            "color": LINE,
            "thickness": 1.5,
            "width": 4,
        }
    return bar


def _numbers_beside(items: list[tuple[str, float]], told: _Told, gap: float) -> dict[str, Any]:
    """Return the effects in words, each beyond the end of its interval that is far from 0."""
    reach = [told.reach(*item) for item in items]
    lost = [value < 0 for _, value in items]
    return {
        "type": "scatter",
        "x": [
            low - gap if loss else high + gap for (low, high), loss in zip(reach, lost, strict=True)
        ],
        "y": [inert(feature_label(index)) for index, _ in items],
        "mode": "text",
        "text": [signed(value, 1) for _, value in items],
        "textposition": ["middle left" if loss else "middle right" for loss in lost],
        "cliponaxis": False,
        "hoverinfo": "skip",
    }
