"""One colour and one marker for each group of people, and one scale for disease effects.

Safe for colour-blind readers (Okabe and Ito, 2008), and legible on light and dark pages: texts keep
the page's own colour, lines that must show on both are mid grey.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from plotly.colors import sample_colorscale

BLUE, AMBER, VERMILLION, GREY = "#0072B2", "#E69F00", "#D55E00", "#888888"
OTHERS = ("#009E73", "#CC79A7", "#56B4E9", "#F0E442")
"""Colours of groups that `PALETTE` does not name, in order."""
OTHER_SYMBOLS = ("cross", "triangle-up", "star", "triangle-down", "hexagon", "pentagon")
NO_GROUP = "not given"

PALETTE = {"CN": BLUE, "MCI": AMBER, "AD": VERMILLION}
"""Colour of each group with a fixed meaning; the other words for them are in `ALIASES`."""
SYMBOLS = {"CN": "circle", "MCI": "diamond", "AD": "square"}
ALIASES = {
    "CN": (
        "background",
        "healthy",
        "healthy twin",
        "control",
        "controls",
        "hc",
        "nc",
        "cu",
        "none",
    ),
    "MCI": ("emci", "lmci"),
    "AD": ("target", "diseased", "disease", "patient", "patients", "dementia", "now"),
}
_NAMED = {word.casefold(): group for group, words in ALIASES.items() for word in (group, *words)}

NEUTRAL = "#DFE0E4"
EFFECT_SCALE = (
    (0.0, "#A34700"),
    (0.2, VERMILLION),
    (0.36, "#EBA170"),
    (0.5, NEUTRAL),
    (0.64, "#7FB5DA"),
    (0.8, BLUE),
    (1.0, "#00507F"),
)
"""Plotly colour scale of effects, centred at 0: loss vermillion, none light grey, gain blue."""
VALUE_SCALE = "Cividis"
"""Plotly colour scale of ages, severities and volumes."""
LINE = "#8A8F9C"
"""Colour of rings and arrows that must show on light and dark pages."""
POINT_EDGE = {"width": 0.6, "color": "rgba(255,255,255,0.7)"}
"""Thin edge of a point, so that crowded points stay apart."""


def group_color(label: str, labels: Sequence[str] = ()) -> str:
    """Return the colour of a group of people.

    Args:
        label: diagnosis or cohort as written, for example "CN" or "target"; "" when not given.
        labels: every label in the figure, so that groups of no fixed meaning differ.

    Returns:
        "#RRGGBB"; grey for no label.
    """
    if not label or label == NO_GROUP:
        return GREY
    named = _NAMED.get(label.casefold())
    return PALETTE[named] if named else OTHERS[_place(label, labels) % len(OTHERS)]


def group_symbol(label: str, labels: Sequence[str] = ()) -> str:
    """Return the plotly marker of a group; arguments as for `group_color`."""
    if not label or label == NO_GROUP:
        return "circle-open"
    named = _NAMED.get(label.casefold())
    return SYMBOLS[named] if named else OTHER_SYMBOLS[_place(label, labels) % len(OTHER_SYMBOLS)]


def group_order(labels: Iterable[str]) -> list[str]:
    """Return each label once: healthy, MCI, diseased, then the others by name, "" last."""
    ranks = {group: place for place, group in enumerate(PALETTE)}

    def key(label: str) -> tuple[int, str]:
        rank = ranks.get(_NAMED.get(label.casefold(), ""), len(ranks))
        return (rank if label and label != NO_GROUP else len(ranks) + 1, label)

    return sorted(set(labels), key=key)


def _place(label: str, labels: Sequence[str]) -> int:
    others = sorted({one for one in labels if one and one.casefold() not in _NAMED})
    return others.index(label) if label in others else 0


def see_through(color: str, alpha: float) -> str:
    """Return "#RRGGBB" as plotly's "rgba(…)" with this opacity."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return f"rgba({red},{green},{blue},{alpha})"


def effect_limit(values: Iterable[float], unit: str = "SD") -> float:
    """Return the end of a symmetric scale for these effects: the largest, rounded up to a half.

    In SD it is at least 1, so that the noise of a healthy person does not look like a disease.
    """
    finite = np.abs(np.asarray([value for value in values if np.isfinite(value)], dtype=float))
    largest = float(finite.max(initial=0.0))
    if unit == "SD":
        return max(1.0, float(np.ceil(largest * 2) / 2))
    return largest or 1.0


def effect_colors(values: Sequence[float], limit: float) -> list[str]:
    """Return the colour of each effect on a scale from -limit to limit; beyond it, the end's."""
    shares = np.clip((np.asarray(values, dtype=float) / limit + 1) / 2, 0, 1)
    return sample_colorscale([list(stop) for stop in EFFECT_SCALE], shares.tolist())
