"""Everything that the explorer in a browser needs, as one JSON-able dict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cavae import numbers
from cavae.atlas import ASSETS, are_regions, rois
from cavae.checkpoint import Model
from cavae.cohort import Cohort
from cavae.explorer.model_parts import (
    calibration_part,
    decoder_part,
    preprocessing_part,
    require_explorable,
)
from cavae.explorer.packing import pack
from cavae.explorer.people import MAX_PEOPLE, average_person, bundled_cohort, shown_rows
from cavae.person import Person, step_effects
from cavae.plots.cohorts import MEMORY_ROIS
from cavae.plots.colors import OTHERS, effect_limit, group_color, group_order, group_symbol
from cavae.plots.layout import feature_label
from cavae.subtypes import describe_subtypes
from cavae.synthesis import Encoding, Twins, encode, healthy_twins

Array = NDArray[np.float64]

REACH = 3.0  # prior SD that axes reach at least, as the sliders of Counterfactual do
VISIBLE = 0.05  # SD; a smaller change would be written as 0.0
SMALLEST_GROUP = 8  # people of whom a mean and a spread say something
USUAL_LARGEST = 98  # percentile of people's largest effects at which colours end


def explorer_data(model: Model, cohort: Cohort, twins: Twins) -> dict[str, Any]:
    """What the browser needs to show these people and to move them, p features.

    cohort and twins ("residual") are of the same people, of whom at most MAX_PEOPLE are sent.
    Arrays are packed (`packing.pack`): float64 where 1e-5 SD needs it, else float32. Raises
    ConfigError for a model that has no salient plane.
    """
    require_explorable(model)
    rows, encoding = shown_rows(len(cohort)), twins.encoding
    average, muse = average_person(model), are_regions(model.config.features)
    return {
        "model": {
            "name": model.name,
            "calibrated": model.calibration is not None,
            "background": ", ".join(model.training.background),
            "target": ", ".join(model.training.target),
        },
        "unit": average.unit,
        "features": list(model.config.features),
        "rois": [_roi(name) for name in model.config.features],
        "key": _key_rows(model, twins),
        "latent": model.config.latent,
        "limit": _limit(twins.effect),
        "percentLimit": _percent_limit(cohort, twins),
        "decoder": decoder_part(model),
        "calibration": calibration_part(model.calibration),
        "preprocessing": preprocessing_part(model.preprocessor, encoding.adaptations),
        "people": _people(cohort, twins, rows),
        "average": _average(average),
        "axes": _axes(model, average, encoding.salient),
        "plane": _plane(encoding),
        "groups": _groups(encoding),
        "regions": [*_group_regions(encoding), *_subtype_regions(model)],
        "start": _start(model, twins, rows),
        "notes": _notes(len(cohort)),
        "slices": _slices() if muse else None,
        "mesh": _mesh(model.config.features) if muse else None,
    }


def bundled_data(model: Model) -> dict[str, Any]:
    """`explorer_data` of a model with the people that go with it."""
    cohort = bundled_cohort(model)
    return explorer_data(model, cohort, healthy_twins(model, encode(model, cohort)))


def _roi(feature: str) -> dict[str, str]:
    """Index, name for people, side and lobe of a region; of another feature its name."""
    known = {one.index: one for one in rois()}.get(feature)
    if known is None:
        return {"index": feature, "label": feature, "hemisphere": "", "lobe": ""}
    names = ("index", "label", "hemisphere", "lobe")
    return {name: getattr(known, name) for name in names}


def _key_rows(model: Model, twins: Twins) -> list[int]:
    """Hippocampus and amygdala; where the model has other features, the four most affected."""
    features = model.config.features
    if set(MEMORY_ROIS) <= set(features):
        return [features.index(name) for name in MEMORY_ROIS]
    return np.argsort(-np.abs(twins.effect).mean(axis=0), kind="stable")[:4].tolist()


def _limit(effects: Array) -> float:
    """The effect (SD) at both ends of the colour scale, the same for everyone."""
    largest = np.abs(effects).max(axis=1, initial=0.0)
    return effect_limit([float(np.percentile(largest, USUAL_LARGEST))] if len(largest) else [])


def _percent_limit(cohort: Cohort, twins: Twins) -> float:
    """The same for effects in per cent of the twin, a multiple of 10."""
    observed = cohort.features[list(twins.features)].to_numpy(float)
    size = np.where(twins.healthy == 0, np.inf, np.abs(twins.healthy))
    largest = np.max(100 * np.abs(observed - twins.healthy) / size, axis=1, initial=0.0)
    usual = np.percentile(largest, USUAL_LARGEST) if len(largest) else 0.0
    return float(np.clip(np.ceil(usual / 10) * 10, 10, 100))


def _people(cohort: Cohort, twins: Twins, rows: NDArray[np.int64]) -> dict[str, Any]:
    """Columns of everyone shown: common and salient float64, observed and effect (p,) float32."""
    encoding = twins.encoding
    subjects = encoding.subjects.iloc[rows]
    observed = cohort.features[list(twins.features)].to_numpy(float)
    return {
        "id": subjects["subject_id"].tolist(),
        "diagnosis": subjects["diagnosis"].tolist(),
        "age": _numbers(subjects["age"]),
        "sex": subjects["sex"].tolist(),
        "icv": _numbers(subjects["icv"]),
        "site": subjects["site"].tolist(),
        "common": pack(encoding.common[rows], "f8"),
        "salient": pack(encoding.salient[rows], "f8"),
        "observed": pack(observed[rows], "f4"),
        "effect": pack(twins.effect[rows], "f4"),
    }


def _numbers(column: pd.Series) -> list[float | None]:
    return [None if pd.isna(value) else float(value) for value in column]


def _average(person: Person) -> dict[str, Any]:
    facts = person.facts
    return {
        "id": person.subject_id,
        "diagnosis": "",
        **{name: facts[name] for name in ("age", "sex", "icv", "site")},
        "common": pack(person.common, "f8"),
        "salient": pack(person.salient, "f8"),
        "observed": pack(person.observed, "f8"),
        "effect": pack(person.effect, "f8"),
    }


def _axes(model: Model, average: Person, salient: Array) -> list[dict[str, Any]]:
    """Name, ends (whole numbers) and what one more of it changes, of each salient dimension."""
    low = np.floor(salient.min(axis=0, initial=-REACH))
    high = np.ceil(salient.max(axis=0, initial=REACH))
    hints = [_hint(model, change) for change in step_effects(model, average)]
    ends = zip(low.tolist(), high.tolist(), hints, strict=True)
    return [
        {"name": f"s{k + 1}", "low": left, "high": right, "hint": hint}
        for k, (left, right, hint) in enumerate(ends)
    ]


def _hint(model: Model, change: Array) -> str:
    if np.abs(change).max() < VISIBLE:
        return "One more of it changes hardly anything in an average person."
    words = (
        f"{feature_label(model.config.features[k])} {numbers.deviation(change[k])}"
        for k in np.argsort(-np.abs(change))[:2]
    )
    return f"One more of it changes most: {', '.join(words)}."


def _plane(encoding: Encoding) -> list[int]:
    """The two dimensions in which groups of people differ most."""
    by_group = pd.DataFrame(encoding.salient).groupby(encoding.subjects["diagnosis"].to_numpy())
    between = by_group.mean().var(ddof=0) if by_group.ngroups > 1 else None
    spread = between if between is not None else pd.DataFrame(encoding.salient).var()
    return sorted(np.argsort(-spread.to_numpy(), kind="stable")[:2].tolist())


def _groups(encoding: Encoding) -> list[dict[str, Any]]:
    """Each diagnosis with its colour and marker, in order."""
    counts = encoding.subjects["diagnosis"].value_counts()
    return [
        {
            "name": name,
            "color": group_color(name, list(counts.index)),
            "symbol": group_symbol(name, list(counts.index)),
            "count": int(counts[name]),
        }
        for name in group_order(counts.index)
    ]


def _group_regions(encoding: Encoding) -> list[dict[str, Any]]:
    """Where the people of each diagnosis lie in salient space, as a Gaussian."""
    diagnosis = encoding.subjects["diagnosis"]
    counts = diagnosis.value_counts()
    return [
        _region(
            name,
            name,
            "group",
            group_color(name, list(counts.index)),
            float(counts[name] / len(diagnosis)),
            own.mean(axis=0),
            np.cov(own, rowvar=False) + 1e-6 * np.eye(own.shape[1]),
        )
        for name in group_order(counts.index)
        if name and counts[name] >= SMALLEST_GROUP
        for own in [encoding.salient[(diagnosis == name).to_numpy()]]
    ]


def _subtype_regions(model: Model) -> list[dict[str, Any]]:
    """Where each of several subtypes lies; a single pattern is what all patients share."""
    calibration = model.calibration
    if calibration is None or calibration.subtypes < 2:
        return []
    return [
        _region(
            f"Subtype {one.number} ({one.name})",
            f"Subtype {one.number}",
            "subtype",
            OTHERS[k % len(OTHERS)],
            one.share,
            calibration.means[k],
            calibration.covariances[k],
        )
        for k, one in enumerate(describe_subtypes(model))
    ]


def _region(
    name: str, short: str, kind: str, color: str, share: float, mean: Array, covariance: Array
) -> dict[str, Any]:
    packed = {"mean": pack(mean, "f8"), "covariance": pack(covariance, "f8")}
    return {"name": name, "short": short, "kind": kind, "color": color, "share": share, **packed}


def _start(model: Model, twins: Twins, rows: NDArray[np.int64]) -> str:
    """Id of the person to begin with: of the severest diagnosis, with a usual effect."""
    subjects = twins.encoding.subjects.iloc[rows]
    diseased = [
        name for name in group_order(subjects["diagnosis"]) if name in model.training.target
    ]
    chosen = rows[(subjects["diagnosis"] == diseased[-1]).to_numpy()] if diseased else rows
    by_effect = chosen[np.argsort(twins.effect_mad[chosen], kind="stable")]
    return str(twins.encoding.subjects["subject_id"].iloc[by_effect[len(by_effect) // 2]])


def _notes(people: int) -> list[str]:
    if people <= MAX_PEOPLE:
        return []
    return [f"{MAX_PEOPLE:,} of {people:,} people are shown, drawn at random."]


def _slices() -> dict[str, Any]:
    return json.loads((ASSETS / "slices.json").read_text(encoding="utf-8"))


def _mesh(features: Sequence[str]) -> dict[str, Any]:
    """The meshes of these regions and the shells of both hemispheres; mm = vertex × scale."""
    with np.load(ASSETS / "muse_atlas.npz") as atlas:
        names = atlas["roi_names"].tolist()
        at = [names.index(name) for name in features]
        # Each look into the file unpacks an array: once is enough.
        vertices = _parts(atlas["roi_verts"], atlas["roi_voff"], at)
        faces = _parts(atlas["roi_faces"], atlas["roi_foff"], at)
        return {
            "names": list(features),
            "scale": float(atlas["roi_scale"]),
            "vertices": pack(np.concatenate(vertices), "i2"),
            "faces": pack(np.concatenate(faces), "u2"),
            "vertexOffsets": pack(_offsets(vertices), "i4"),
            "faceOffsets": pack(_offsets(faces), "i4"),
            "shells": [
                {
                    "side": side,
                    "vertices": pack(atlas[f"glass_hemi_{side}_v"], "i2"),
                    "faces": pack(atlas[f"glass_hemi_{side}_f"], "u2"),
                }
                for side in "LR"
            ],
        }


def _parts(values: np.ndarray, offsets: np.ndarray, at: Sequence[int]) -> list[np.ndarray]:
    return [values[offsets[k] : offsets[k + 1]] for k in at]


def _offsets(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.cumsum([0, *(len(part) for part in parts)])
