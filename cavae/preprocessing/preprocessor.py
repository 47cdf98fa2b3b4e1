"""Everything fitted on the background training cohort, the way there and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cavae import numbers
from cavae.atlas import rois
from cavae.cohort import Cohort
from cavae.cohort.text import shown
from cavae.cohort.validate import LARGEST_VALUE
from cavae.config import MAX_NAME
from cavae.errors import CheckpointError, DataError, MisfitError
from cavae.preprocessing.adaptation import MIN_HEALTHY_TO_ADAPT, Adaptation, adapt
from cavae.preprocessing.harmonizer import SPLINE_DEGREE, Harmonizer, fit_harmonizer
from cavae.preprocessing.icv import IcvModel, fit_icv
from cavae.preprocessing.linear import Array, LinearModel, covariate_matrix, least_squares
from cavae.preprocessing.population import Population, fit_population

HARMONIZED = "harmonized"  # the site of people who are on the model's own scale, as samples are
FAR_IN_SD, FAR_FACTOR = 10.0, 2.0  # a middle person further off is measured otherwise, not ill
OLDEST = 150  # years
AGE_MARGIN = 3.0  # years outside the training ages that pass without a notice
# How far n healthy people of a site that the model knows by name may lie from 0 on average (root
# mean square over features, SD) before the site is taken for another: what chance does to n people,
# 2 / sqrt(n), and what is too little to matter.
CHANCE, TOO_LITTLE = 2.0, 0.2


@dataclass(frozen=True)
class Standardized:
    """A cohort as the network sees it.

    values: (n, p), SDs of the background training cohort after covariate correction;
    subjects: as in the cohort, with `icv` filled, `icv_estimated` and `site_status`
    ("known", "adapted" or "as is"); adaptations: by site, needed for the way back.
    """

    values: Array
    subjects: pd.DataFrame
    adaptations: Mapping[str, Adaptation] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preprocessor:
    """Everything fitted on the background training cohort; p features, c covariates."""

    features: tuple[str, ...]
    covariates: tuple[str, ...]
    background: tuple[str, ...]
    sites: tuple[str, ...]
    age_range: tuple[float, float]
    linear: LinearModel
    sd: Array
    harmonizer: Harmonizer | None
    icv: IcvModel | None
    populations: Mapping[str, Population]

    def transform(self, cohort: Cohort) -> Standardized:
        """Standardize a cohort; raises MisfitError when features or covariates are missing."""
        volumes = self._select_features(cohort)
        subjects, notices = self._complete(cohort.subjects, volumes)
        subjects["site_status"], adaptations, sites = self._settle_sites(volumes, subjects)
        values = self._standardize(volumes, subjects, adaptations)
        far = self._far_notice(values, adaptations)
        return Standardized(values, subjects, adaptations, (*notices, *sites, *far))

    def inverse_transform(
        self,
        values: Array,
        subjects: pd.DataFrame,
        adaptations: Mapping[str, Adaptation] | None = None,
    ) -> Array:
        """Standardized values (…, n, p) to mm³ for the age, sex, ICV and site of `subjects`.

        People without a `site` column, or of a site unknown to the model, come out on the
        harmonized scale; `adaptations` (from `Standardized`) put an adapted site back.
        """
        if "site" not in subjects:
            subjects = subjects.assign(site="")
        factor, offset, scale = self._site_effects(subjects["site"], adaptations or {})
        expected = self.expected_volumes(subjects)
        volumes = values * self.sd
        volumes *= scale  # in place: of many people these arrays are large
        volumes += expected * factor
        volumes += offset
        if self.harmonizer is None:
            return volumes
        hidden = subjects.assign(site=_hide_sites(subjects["site"], adaptations or {}))
        return self.harmonizer.inverse_transform(volumes, hidden)

    def expected_volumes(self, subjects: pd.DataFrame) -> Array:
        """Mean volume (mm³, harmonized scale) of healthy people of this age, sex and ICV."""
        return self.linear.predict(covariate_matrix(subjects, self.covariates))

    def mean_size(self, cohort: Cohort, labels: Sequence[str]) -> Array:
        """Expected value of each feature in people with these labels, in SD, (p,)."""
        people = cohort.select(cohort.subjects["diagnosis"].isin(labels))
        return self.expected_volumes(self.transform(people).subjects).mean(axis=0) / self.sd

    # -- steps of transform

    def _select_features(self, cohort: Cohort) -> Array:
        missing = [name for name in self.features if name not in cohort.features]
        if missing:
            named = ", ".join(_label(name) for name in missing[:5])
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            raise MisfitError(
                f"The model needs {len(self.features)} features and the table lacks "
                f"{len(missing)} of them: {named}{more}. Add these columns, or train a model "
                "of your own on the columns that you have."
            )
        return cohort.features.loc[:, list(self.features)].to_numpy(float)

    def _complete(
        self, subjects: pd.DataFrame, volumes: Array
    ) -> tuple[pd.DataFrame, tuple[str, ...]]:
        subjects = subjects.reset_index(drop=True).copy()
        for name, empty in (("age", subjects["age"].isna()), ("sex", subjects["sex"] == "")):
            if name in self.covariates and empty.any():
                first = subjects["subject_id"][empty].iloc[0]
                raise MisfitError(
                    f"The model needs {name} for everyone and lacks it for "
                    f"{numbers.people(int(empty.sum()))}, the first being subject {first!r}."
                )
        subjects["icv_estimated"] = False
        notices = list(self._age_notice(subjects))
        missing = subjects["icv"].isna().to_numpy()
        if "icv" in self.covariates and missing.any():
            subjects, notice = self._estimate_icv(subjects, volumes, missing)
            notices.append(notice)
        return subjects, tuple(notices)

    def _estimate_icv(
        self, subjects: pd.DataFrame, volumes: Array, missing: NDArray[np.bool_]
    ) -> tuple[pd.DataFrame, str]:
        if self.icv is None:
            raise MisfitError("ICV is missing and this model has no way to estimate it.")
        estimate = self.icv.predict(volumes, subjects)
        subjects.loc[missing, "icv"] = estimate[missing]
        subjects["icv_estimated"] = missing
        per_cent = 100 * self.icv.error / self._typical_icv()
        return subjects, (
            f"ICV was missing for {int(missing.sum())} of {numbers.people(len(subjects))} and was "
            "estimated from the other volumes, age and sex (typical error "
            f"{self.icv.error / 1000:.0f} mL, {per_cent:.1f} % in healthy people; it comes "
            "out too low where the brain has shrunk)."
        )

    def _typical_icv(self) -> float:
        means = self.populations["background"].icv.values()
        return float(np.mean([mean for mean, _ in means]))

    def _age_notice(self, subjects: pd.DataFrame) -> tuple[str, ...]:
        if "age" not in self.covariates:
            return ()
        low, high = self.age_range
        outside = (subjects["age"] < low - AGE_MARGIN) | (subjects["age"] > high + AGE_MARGIN)
        if not outside.any():
            return ()
        return (
            f"Outside the ages the model learned from ({low:.0f} to {high:.0f} years): "
            f"{int(outside.sum())} of {numbers.people(len(subjects))}. Read their results with "
            "care.",
        )

    def _far_notice(self, values: Array, adaptations: Mapping[str, Adaptation]) -> tuple[str, ...]:
        """Features that are so far off that they may be in another unit or another feature."""
        far = np.abs(np.median(values, axis=0)) > FAR_IN_SD
        for adaptation in adaptations.values():
            far |= (adaptation.factor > FAR_FACTOR) | (adaptation.factor < 1 / FAR_FACTOR)
            far |= np.abs(adaptation.offset) > FAR_IN_SD * self.sd
        if not far.any():
            return ()
        named = [_label(self.features[k]) for k in np.flatnonzero(far)]
        more = f" and {len(named) - 3} more" if len(named) > 3 else ""
        return (
            f"Warning: {', '.join(named[:3])}{more} are far from what the model learned from (by "
            f"more than {FAR_IN_SD:.0f} SD, or {FAR_FACTOR:g} times as large or small): are they "
            "in the same unit, and under the right name?",
        )

    def _standardize(
        self, volumes: Array, subjects: pd.DataFrame, adaptations: Mapping[str, Adaptation]
    ) -> Array:
        if self.harmonizer is not None:
            hidden = subjects.assign(site=_hide_sites(subjects["site"], adaptations))
            volumes = self.harmonizer.transform(volumes, hidden)
        factor, offset, scale = self._site_effects(subjects["site"], adaptations)
        expected = self.expected_volumes(subjects)
        return (volumes - expected * factor - offset) / (self.sd * scale)

    def _site_effects(
        self, sites: pd.Series, adaptations: Mapping[str, Adaptation]
    ) -> tuple[Array, Array, Array]:
        """Factor, offset and scale of everyone's site, (n, p) each; 1, 0, 1 unless adapted.

        (1, p) each where no site is adapted.
        """
        shape = (len(sites) if adaptations else 1, len(self.features))
        factor, offset, scale = np.ones(shape), np.zeros(shape), np.ones(shape)
        for site, adaptation in adaptations.items():
            people = (sites == site).to_numpy()
            factor[people], offset[people] = adaptation.factor, adaptation.offset
            scale[people] = adaptation.scale
        return factor, offset, scale

    def _settle_sites(
        self, volumes: Array, subjects: pd.DataFrame
    ) -> tuple[list[str], dict[str, Adaptation], list[str]]:
        """Adapt every site that the model does not know and that brings enough healthy people."""
        status = np.full(len(subjects), "as is", dtype=object)
        adaptations: dict[str, Adaptation] = {}
        notices: list[str] = []
        uncorrected: dict[str, int] = {}
        healthy = subjects["diagnosis"].isin(self.background).to_numpy()
        for site in subjects["site"].unique():
            people = (subjects["site"] == site).to_numpy()
            own = people & healthy
            known = site in (*self.sites, HARMONIZED)
            if known and self._fits(volumes[own], subjects[own]):
                status[people] = "known"
                continue
            if own.sum() < MIN_HEALTHY_TO_ADAPT:
                uncorrected[site] = int(people.sum())
                continue
            expected = self.expected_volumes(subjects[own])
            adaptations[site] = adapt(volumes[own], expected, self.sd)
            status[people] = "adapted"
            notices.append(_adapted(site, known, int(people.sum()), int(own.sum())))
        if uncorrected:
            notices.append(self._uncorrected(uncorrected))
        return list(status), adaptations, notices

    def _fits(self, volumes: Array, subjects: pd.DataFrame) -> bool:
        """Whether healthy people measure as their site did in training; too few cannot tell."""
        if len(subjects) < MIN_HEALTHY_TO_ADAPT:
            return True
        mean = self._standardize(volumes, subjects, {}).mean(axis=0)
        return float(np.mean(mean**2)) <= CHANCE**2 / len(subjects) + TOO_LITTLE**2

    def _uncorrected(self, sites: Mapping[str, int]) -> str:
        """The warning for new sites, with how many people each, that could not be corrected."""
        if len(sites) == 1:
            who = f"{_named(next(iter(sites)))} is new to the model and has"
        else:
            first = ", ".join(_named(site) for site in list(sites)[:3])
            more = f" and {len(sites) - 3} more" if len(sites) > 3 else ""
            who = f"{first}{more} are new to the model and each have"
        return (
            f"Warning: {who} fewer than {MIN_HEALTHY_TO_ADAPT} people marked healthy "
            f"({', '.join(self.background)}), too few to correct for the scanner. The volumes of "
            f"{numbers.people(sum(sites.values()))} are used as they are, so scanner differences "
            "may look like disease."
        )

    # -- JSON

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON types."""
        return _plain(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Preprocessor:
        """Rebuild from `to_dict`; raises CheckpointError when parts are missing or misshapen."""
        try:
            preprocessor = _rebuild(content)
        except KeyError as error:
            raise CheckpointError(f"preprocessor.json lacks {error}.") from error
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CheckpointError(f"preprocessor.json cannot be read: {error}.") from error
        _check_shapes(preprocessor)
        _check_values(preprocessor)
        return preprocessor


def fit_preprocessor(
    cohort: Cohort, background: Sequence[str], target: Sequence[str]
) -> Preprocessor:
    """Fit on the background people of a training cohort.

    Volumes of target people are not used; their age, sex and ICV are summarized, so that
    cohorts can be drawn with the ages at which the disease occurs.
    """
    healthy = cohort.subjects["diagnosis"].isin(background).to_numpy()
    diseased = cohort.subjects["diagnosis"].isin(target).to_numpy()
    for found, labels in ((healthy, background), (diseased, target)):
        if found.sum() < 2:
            labelled = ", ".join(sorted(set(cohort.subjects["diagnosis"]) - {""})) or "none"
            raise DataError(
                f"{numbers.people(int(found.sum()))} labelled {', '.join(labels)}; at least 2 are "
                f"needed. Labels in the table: {labelled}."
            )
    _require_variation(cohort.features[healthy])
    covariates = _usable_covariates(cohort.subjects[healthy | diseased])
    subjects = cohort.subjects.reset_index(drop=True).copy()
    volumes = cohort.features.to_numpy(float)
    icv_model = None
    if "icv" in covariates:
        known = healthy & subjects["icv"].notna().to_numpy()
        icv_model = fit_icv(volumes[known], subjects[known])
        missing = subjects["icv"].isna().to_numpy()
        subjects.loc[missing, "icv"] = icv_model.predict(volumes, subjects)[missing]
    own, people = volumes[healthy], subjects[healthy].reset_index(drop=True)
    harmonizer = fit_harmonizer(own, people, covariates)
    if harmonizer is not None:
        own = harmonizer.transform(own, people)
    inputs = covariate_matrix(people, covariates)
    linear = least_squares(inputs, own)
    sd = (own - linear.predict(inputs)).std(axis=0, ddof=1)
    sites = harmonizer.sites if harmonizer is not None else tuple(sorted(set(people["site"])))
    ages = people["age"] if "age" in covariates else pd.Series([0.0, 0.0])
    return Preprocessor(
        features=tuple(cohort.features.columns),
        covariates=covariates,
        background=tuple(background),
        sites=sites,
        age_range=(float(np.floor(ages.min())), float(np.ceil(ages.max()))),
        linear=linear,
        sd=sd,
        harmonizer=harmonizer,
        icv=icv_model,
        populations={
            "background": fit_population(subjects[healthy]),
            "target": fit_population(subjects[diseased]),
        },
    )


def _usable_covariates(subjects: pd.DataFrame) -> tuple[str, ...]:
    """Age and sex where everyone has them; ICV where at least half of the people have it."""
    usable = {
        "age": subjects["age"].notna().all(),
        "sex": (subjects["sex"] != "").all(),
        "icv": subjects["icv"].notna().mean() >= 0.5,
    }
    return tuple(name for name, there in usable.items() if there)


def _require_variation(features: pd.DataFrame) -> None:
    largest = features.abs().max()
    if largest.max() > LARGEST_VALUE:
        raise DataError(
            f"Column {_label(largest.idxmax())} holds {largest.max():.3g}; accepted are numbers up "
            f"to {LARGEST_VALUE:.0e} in size."
        )
    varies = features.std() > 1e-9 * features.abs().mean()
    if not varies.all():
        raise DataError(
            f"Column {_label(varies.idxmin())} has the same value for all background people: "
            "leave it out."
        )


def _named(site: str) -> str:
    return (
        f"site {shown(site)!r}" if site else "the scanner or study of these people (no site given)"
    )


def _adapted(site: str, known: bool, number: int, healthy: int) -> str:
    named = _named(site)[0].upper() + _named(site)[1:]
    if known:
        return (
            f"{named} has the name of a site the model knows, but its {healthy} healthy people "
            "measure otherwise: it was adapted from them as a new site."
        )
    return (
        f"{named} is new to the model: its {number} people were adapted from their own {healthy} "
        "healthy people."
    )


def _hide_sites(sites: pd.Series, adaptations: Mapping[str, Adaptation]) -> pd.Series:
    """Adapted sites never went through the harmonizer, even if they share a known name."""
    return sites.where(~sites.isin(list(adaptations)), "")


def _label(feature: str) -> str:
    labels = {roi.index: roi.label for roi in rois()}
    return f"{labels[feature]} ({feature})" if feature in labels else repr(shown(feature))


# --------------------------------------------------------------------------- JSON round trip


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _rebuild(content: Mapping[str, Any]) -> Preprocessor:
    harmonizer, icv = content["harmonizer"], content["icv"]
    return Preprocessor(
        features=_texts(content["features"]),
        covariates=_texts(content["covariates"]),
        background=_texts(content["background"]),
        sites=_texts(content["sites"]),
        age_range=_two_numbers(content["age_range"]),
        linear=_linear(content["linear"]),
        sd=_array(content["sd"]),
        harmonizer=None if harmonizer is None else _harmonizer(harmonizer),
        icv=None if icv is None else IcvModel(_linear(icv["model"]), _number(icv["error"])),
        populations={
            group: Population(
                _number(content["populations"][group]["female"]),
                tuple(_array(content["populations"][group]["ages"]).tolist()),
                {
                    sex: _two_numbers(content["populations"][group]["icv"][sex])
                    for sex in ("F", "M")
                },
            )
            for group in ("background", "target")
        },
    )


def _harmonizer(content: Mapping[str, Any]) -> Harmonizer:
    arrays = ("knots", "grand_mean", "coefficients", "pooled_sd", "location", "scale")
    return Harmonizer(
        sites=_texts(content["sites"]),
        covariates=_texts(content["covariates"]),
        **{name: _array(content[name]) for name in arrays},
    )


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise TypeError("what should be a list of names is something else")
    if any(len(one) > MAX_NAME for one in values) or len(set(values)) != len(values):
        raise ValueError(f"a name has over {MAX_NAME} characters or is there twice")
    return tuple(values)


def _array(values: Any) -> Array:
    array = np.asarray(values)
    if array.dtype.kind not in "if" or _holds_truth(values):
        raise TypeError("an array holds something else than numbers")
    array = array.astype(float)  # before its size is taken: the lowest integer has none
    if not (np.abs(array) <= LARGEST_VALUE).all():  # nor is nan
        raise ValueError("a number is not finite or beyond all measure")
    return array


def _holds_truth(values: Any) -> bool:
    """Whether there is a true or false among the numbers, which would become 1 or 0."""
    return any(map(_holds_truth, values)) if isinstance(values, list) else isinstance(values, bool)


def _number(value: Any) -> float:
    (number,) = _array([value])
    return float(number)


def _two_numbers(values: Any) -> tuple[float, float]:
    low, high = values
    return _number(low), _number(high)


def _linear(content: Mapping[str, Any]) -> LinearModel:
    return LinearModel(_array(content["intercept"]), _array(content["coefficients"]))


def _check_shapes(preprocessor: Preprocessor) -> None:
    p, c = len(preprocessor.features), len(preprocessor.covariates)
    expected = [
        ("linear.intercept", preprocessor.linear.intercept, (p,)),
        ("linear.coefficients", preprocessor.linear.coefficients, (c, p)),
        ("sd", preprocessor.sd, (p,)),
    ]
    if preprocessor.harmonizer is not None:
        h = preprocessor.harmonizer
        expected += [
            ("harmonizer.knots", h.knots, (max(h.knots.size, 2 * SPLINE_DEGREE + 2),)),
            ("harmonizer.grand_mean", h.grand_mean, (p,)),
            ("harmonizer.coefficients", h.coefficients, (h.design_columns, p)),
            ("harmonizer.pooled_sd", h.pooled_sd, (p,)),
            ("harmonizer.location", h.location, (len(h.sites), p)),
            ("harmonizer.scale", h.scale, (len(h.sites), p)),
        ]
    if (icv := preprocessor.icv) is not None:
        expected.append(("icv.model.intercept", icv.model.intercept, (1,)))
        expected.append(("icv.model.coefficients", icv.model.coefficients, (p + 2, 1)))
    for name, array, shape in expected:
        if array.shape != shape:
            raise CheckpointError(
                f"preprocessor.json: {name} has shape {array.shape}; expected {shape}."
            )


def _check_values(preprocessor: Preprocessor) -> None:
    """Refuse numbers of the right shape that cannot be what they stand for."""
    h, icv = preprocessor.harmonizer, preprocessor.icv
    scales = {"sd": preprocessor.sd}
    if h is not None:
        scales |= {"harmonizer.pooled_sd": h.pooled_sd, "harmonizer.scale": h.scale}
    for name, values in scales.items():
        if not (values > 1 / LARGEST_VALUE).all():
            raise CheckpointError(f"preprocessor.json: {name} must be above 0 everywhere.")
    known = {"age", "sex", "icv"}
    used = set(preprocessor.covariates) | set(() if h is None else h.covariates)
    low, high = preprocessor.age_range
    everyone = preprocessor.populations.values()
    spreads = [sd for one in everyone for _, sd in one.icv.values()]
    rising = [np.asarray(one.ages) for one in everyone]
    faults = {
        f"covariates are {sorted(used)}; accepted: age, sex, icv": not used <= known,
        f"it was trained on ages from {low:g} to {high:g}": not 0 <= low <= high <= OLDEST,
        "icv.error is below 0": icv is not None and icv.error < 0,
        "a share of women is not in 0 to 1": not all(0 <= one.female <= 1 for one in everyone),
        "an SD of ICV is below 0": min(spreads) < 0,
        "harmonizer.knots are none of splines": h is not None and not h.has_clamped_knots,
        f"ages do not rise from 0 to at most {OLDEST}": any(
            one.ndim != 1
            or not one.size
            or (np.diff(one) < 0).any()
            or not 0 <= one[0] <= one[-1] <= OLDEST
            for one in rising
        ),
    }
    for fault, found in faults.items():
        if found:
            raise CheckpointError(f"preprocessor.json: {fault}.")
