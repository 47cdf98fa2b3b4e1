"""Subtypes: the components of the salient mixture, named by the regions that they change."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cavae.atlas import rois
from cavae.calibration import Calibration
from cavae.errors import ConfigError
from cavae.fitted import FittedModel
from cavae.numbers import deviation
from cavae.synthesis import Encoding

Array = NDArray[np.float64]

NONE = "none"
ONE_PATTERN = "The model found one pattern, whose strength varies from person to person."
NAMED = 3  # structures in a name, at most
STRONG = 0.5  # share of a subtype's largest effect that a structure in its name has at least
DISTINCTIVE = 0.5  # share of its effect that another subtype may have on a distinctive structure
SIDES = ("Left ", "Right ")


@dataclass(frozen=True)
class Change:
    """What a subtype does to a structure on average: effect (SD) and per cent of its volume.

    index is its ROI, or both of its ROIs ("47 48") where the sides are taken together; percent is
    NaN for features that are no amounts.
    """

    index: str
    label: str
    effect: float
    percent: float


@dataclass(frozen=True)
class Subtype:
    """One subtype: number from 1, name, share of the target training people, what it changes.

    regions: every region that it clearly changes, strongest first; structures: the same with left
    and right taken together, by their mean.
    """

    number: int
    name: str
    share: float
    regions: tuple[Change, ...]
    structures: tuple[Change, ...]


def describe_subtypes(model: FittedModel) -> tuple[Subtype, ...]:
    """The subtypes that a model found; raises ConfigError for a model that looked for none."""
    calibration = known_calibration(model)
    labels = {roi.index: roi.label for roi in rois()}
    named = [labels.get(name, name) for name in model.config.features]
    structures = _structures(named)
    effects = np.stack([calibration.effects[:, rows].mean(axis=1) for rows in structures.values()])
    return tuple(
        Subtype(
            number=k + 1,
            name=_name(list(structures), effects, k),
            share=float(calibration.weights[k]),
            regions=_changes(
                model, {label: [row] for row, label in enumerate(named)}, calibration, k
            ),
            structures=_changes(model, structures, calibration, k),
        )
        for k in range(calibration.subtypes)
    )


def known_calibration(model: FittedModel) -> Calibration:
    """The calibration of a model; raises ConfigError where it has none."""
    if model.calibration is None:
        raise ConfigError(
            "A model of the preset paper knows no subtypes; accepted: a calibrated model."
        )
    return model.calibration


def subtype_chances(model: FittedModel, salient: Array) -> Array:
    """Chance of none and of each subtype at salient s (n, latent), (n, 1 + K), rows sum to 1."""
    chance = known_calibration(model).membership(salient)
    return np.column_stack([np.clip(1 - chance.sum(axis=1), 0.0, 1.0), chance])


def membership_table(model: FittedModel, encoding: Encoding) -> pd.DataFrame:
    """Whom each person of a cohort belongs to, one row a person.

    subject_id, diagnosis (if any is known), subtype ("1", "2" … or "none", the likeliest),
    chance_none, chance_1 …, which sum to 1.
    """
    chances = subtype_chances(model, encoding.salient)
    names = [NONE, *(str(k) for k in range(1, chances.shape[1]))]
    columns = pd.DataFrame(chances, columns=[f"chance_{name}" for name in names])
    columns.insert(0, "subtype", np.array(names)[chances.argmax(axis=1)])
    return pd.concat([encoding.people(), columns], axis=1)


def answer(model: FittedModel) -> dict[str, object]:
    """What the command `subtypes` answers, ready for JSON.

    subtypes: number, name, share, regions (roi, label, effect in SD, percent); criterion: BIC by
    number of subtypes tried, the lowest chosen.
    """
    return {
        "subtypes": [
            {
                "number": one.number,
                "name": one.name,
                "share": one.share,
                "regions": [_plain(change) for change in one.regions],
            }
            for one in describe_subtypes(model)
        ],
        "criterion": criterion(model),
    }


def report(model: FittedModel) -> str:
    """What the command `subtypes` says without --json: a line for each subtype, and the choice."""
    found = describe_subtypes(model)
    lines = [
        f"{one.number}: {one.name}; {100 * one.share:.0f} % of the patients learned from; "
        + ", ".join(f"{change.label} {deviation(change.effect)}" for change in one.regions[:3])
        for one in found
    ]
    if len(found) == 1:
        lines.insert(0, ONE_PATTERN)
    tried = "; ".join(f"{k}: {value:.1f}" for k, value in criterion(model).items())
    return "\n".join([*lines, f"BIC by number of subtypes, the lowest chosen: {tried}"])


def criterion(model: FittedModel) -> dict[int, float]:
    """BIC of the salient mixture by its number of subtypes; the lowest was chosen."""
    return dict(enumerate(known_calibration(model).criterion.tolist(), start=1))


def _plain(change: Change) -> dict[str, object]:
    known = asdict(change)
    percent = None if np.isnan(change.percent) else change.percent
    return {"roi": known.pop("index")} | known | {"percent": percent}


def _structures(labels: list[str]) -> dict[str, list[int]]:
    """Rows of each structure's regions, both sides: {"Hippocampus": [3, 4], …}."""
    found: dict[str, list[int]] = {}
    for row, label in enumerate(labels):
        found.setdefault(_without_side(label), []).append(row)
    return found


def _without_side(label: str) -> str:
    for side in SIDES:
        label = label.removeprefix(side)
    return label[:1].upper() + label[1:]


def _changes(
    model: FittedModel, structures: dict[str, list[int]], calibration: Calibration, k: int
) -> tuple[Change, ...]:
    effects, share = calibration.effects[k], calibration.share[k]
    found = [
        Change(
            index=" ".join(model.config.features[row] for row in rows),
            label=label,
            effect=float(effects[rows].mean()),
            percent=float(100 * share[rows].mean()) if share[rows].any() else float("nan"),
        )
        for label, rows in structures.items()
        if effects[rows].any()
    ]
    return tuple(sorted(found, key=lambda change: -abs(change.effect)))


def _name(structures: list[str], effects: Array, k: int) -> str:
    """The strongest of the structures that tell subtype k from the others, then of the rest.

    effects: (structures, K). A structure is distinctive when some subtype leaves it, compared with
    this one, mostly alone.
    """
    size = np.abs(effects)
    own, least = size[:, k], size.min(axis=1)
    distinctive = least < DISTINCTIVE * own
    strong = np.flatnonzero(own >= max(STRONG * own.max(), np.finfo(float).tiny))
    best = sorted(strong, key=lambda row: (not distinctive[row], -own[row]))[:NAMED]
    return _listed([structures[row] for row in best]) if best else "No clear change"


def _listed(names: list[str]) -> str:
    """`Hippocampus, amygdala and entorhinal area`; abbreviations keep their capitals."""
    first, *others = names
    later = [name if name[:2].isupper() else name[:1].lower() + name[1:] for name in others]
    parts = [first, *later]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
