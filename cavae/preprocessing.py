"""From volumes to standardized values and back (paper, section 4.1).

Sites are harmonized with ComBat-GAM (Pomponio et al., 2020), age, sex and ICV are removed by a
linear model, and the rest is divided by its standard deviation; all of it is fitted on the
background training cohort alone and kept as plain arrays, so that the way back to mm³ is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from cavae.atlas import rois
from cavae.cohort import Cohort
from cavae.errors import CheckpointError, DataError

Array = NDArray[np.float64]

MIN_HEALTHY_TO_ADAPT = 20  # healthy people that a site the model has never seen must bring
MIN_HEALTHY_TO_FIT = 10  # background people that a training site must bring
SPLINE_DEGREE, SPLINE_DF = 3, 5
AGE_MARGIN = 3.0  # years outside the training ages that pass without a notice
# Root mean square, over features, of the mean standardized value of a known site's own healthy
# people: above it the name is known but the measurements are not those of that site.
KNOWN_SITE_TOLERANCE = 0.5
ICV_UNIT = 1e6  # ICV enters linear models in litres, which keeps them well conditioned


# --------------------------------------------------------------------------- linear covariates


def _covariate_matrix(subjects: pd.DataFrame, covariates: Sequence[str]) -> Array:
    """Age (years), sex (1 = M) and ICV (litres), those of `covariates`, as (n, c)."""
    columns = {
        "age": lambda: subjects["age"].to_numpy(float),
        "sex": lambda: (subjects["sex"] == "M").to_numpy(float),
        "icv": lambda: subjects["icv"].to_numpy(float) / ICV_UNIT,
    }
    return np.column_stack(
        [columns[name]() for name in covariates] or [np.empty((len(subjects), 0))]
    )


@dataclass(frozen=True)
class LinearModel:
    """Ordinary or ridge regression as plain arrays: intercept (p,), coefficients (c, p)."""

    intercept: Array
    coefficients: Array

    def predict(self, inputs: Array) -> Array:
        """Expected values (n, p) for inputs (n, c)."""
        return self.intercept + inputs @ self.coefficients


def _least_squares(inputs: Array, outputs: Array) -> LinearModel:
    design = np.column_stack([np.ones(len(inputs)), inputs])
    solution = np.linalg.lstsq(design, outputs, rcond=None)[0]
    return LinearModel(solution[0], solution[1:])


# --------------------------------------------------------------------------- harmonization


@dataclass(frozen=True)
class Harmonizer:
    """ComBat-GAM as plain arrays for p features and S training sites.

    Expected volume: grand_mean (p,) + [sex, B-splines of age, ICV] @ coefficients (q, p);
    each site shifts the rest by location (S, p) and stretches it by scale (S, p), in units of
    pooled_sd (p,).
    """

    sites: tuple[str, ...]
    covariates: tuple[str, ...]
    knots: Array
    grand_mean: Array
    coefficients: Array
    pooled_sd: Array
    location: Array
    scale: Array

    def transform(self, volumes: Array, subjects: pd.DataFrame) -> Array:
        """Remove the effect of known sites, (n, p) to (n, p); other people pass unchanged."""
        expected, location, scale = self._effects(subjects)
        rest = (volumes - expected) / self.pooled_sd
        return expected + (rest - location) / scale * self.pooled_sd

    def inverse_transform(self, harmonized: Array, subjects: pd.DataFrame) -> Array:
        """Put the effect of known sites back; inverse of `transform`."""
        expected, location, scale = self._effects(subjects)
        rest = (harmonized - expected) / self.pooled_sd
        return expected + (rest * scale + location) * self.pooled_sd

    def _effects(self, subjects: pd.DataFrame) -> tuple[Array, Array, Array]:
        design = _spline_design(subjects, self.covariates, self.knots)
        expected = self.grand_mean + design @ self.coefficients
        neutral_location = np.vstack([self.location, np.zeros_like(self.grand_mean)])
        neutral_scale = np.vstack([self.scale, np.ones_like(self.grand_mean)])
        row = {site: i for i, site in enumerate(self.sites)}
        rows = [row.get(site, len(self.sites)) for site in subjects["site"]]
        return expected, neutral_location[rows], neutral_scale[rows]


def _spline_design(subjects: pd.DataFrame, covariates: Sequence[str], knots: Array) -> Array:
    """Columns in the order in which combatlearn builds them: sex, splines of age, then ICV."""
    ages = np.clip(subjects["age"].to_numpy(float), knots[0], knots[-1])
    splines = BSpline.design_matrix(ages, knots, SPLINE_DEGREE).toarray()[:, 1:]
    blocks = [_covariate_matrix(subjects, [c for c in ("sex",) if c in covariates]), splines]
    blocks.append(_covariate_matrix(subjects, [c for c in ("icv",) if c in covariates]))
    return np.hstack(blocks)


def _fit_harmonizer(
    volumes: Array, subjects: pd.DataFrame, covariates: tuple[str, ...]
) -> Harmonizer | None:
    """Fit ComBat-GAM on background people of sites with enough of them; None for one site."""
    counts = subjects["site"].value_counts()
    sites = sorted(counts.index[counts >= MIN_HEALTHY_TO_FIT])
    if len(sites) < 2 or "age" not in covariates:
        return None
    from combatlearn.core import ComBatModel  # slow to import, needed for training alone

    rows = subjects["site"].isin(sites).to_numpy()
    people = subjects[rows].reset_index(drop=True)
    continuous = pd.DataFrame({"age": people["age"]})
    if "icv" in covariates:
        continuous["icv"] = people["icv"] / ICV_UNIT
    discrete = None
    if "sex" in covariates and people["sex"].nunique() == 2:
        discrete = pd.DataFrame({"sex": pd.Categorical(people["sex"], ["F", "M"])})
    combat = ComBatModel(
        method="gam", smooth_terms=["age"], spline_df=SPLINE_DF, spline_degree=SPLINE_DEGREE
    )
    combat.fit(
        pd.DataFrame(volumes[rows]),
        batch=people["site"],
        discrete_covariates=discrete,
        continuous_covariates=continuous,
    )
    modelled = tuple(c for c in covariates if c != "sex" or discrete is not None)
    return Harmonizer(
        sites=tuple(str(level) for level in combat._batch_levels),
        covariates=modelled,
        knots=np.asarray(combat._smooth_knots["age"], float),
        grand_mean=np.asarray(combat._grand_mean, float),
        coefficients=np.asarray(combat._beta_hat_nonbatch, float),
        pooled_sd=np.sqrt(np.asarray(combat._pooled_var, float)),
        location=np.asarray(combat._gamma_star, float),
        scale=np.sqrt(np.asarray(combat._delta_star, float)),
    )


@dataclass(frozen=True)
class Adaptation:
    """Shift (p,) and stretch (p,) of a site the model has never seen, in standardized units."""

    location: Array
    scale: Array
    people: int


def adapt(standardized: Array) -> Adaptation:
    """Estimate a new site's shift and stretch from its own healthy people, (n, p).

    Empirical Bayes of ComBat (Johnson et al., 2007, section 3.2): both are drawn towards their
    average over features, the more so the fewer the people.
    """
    n = len(standardized)
    mean, variance = standardized.mean(axis=0), standardized.var(axis=0, ddof=1)
    prior_mean, prior_variance = mean.mean(), mean.var(ddof=1)
    m, v = variance.mean(), variance.var(ddof=1)
    shape, rate = (2 * v + m**2) / v, (m * v + m**3) / v
    location, square = mean, variance
    for _ in range(100):
        previous = location, square
        location = (n * prior_variance * mean + square * prior_mean) / (n * prior_variance + square)
        sum_of_squares = (n - 1) * variance + n * (mean - location) ** 2
        square = (rate + 0.5 * sum_of_squares) / (n / 2 + shape - 1)
        if np.allclose(previous, (location, square), rtol=1e-6, atol=1e-9):
            break
    return Adaptation(location, np.sqrt(square), n)


# --------------------------------------------------------------------------- missing ICV


@dataclass(frozen=True)
class IcvModel:
    """ICV (mm³) from age, sex and all volumes, by ridge regression on the background cohort.

    error: root mean square error in mm³ on people left out of the fit (5-fold).
    """

    model: LinearModel
    error: float

    def predict(self, volumes: Array, subjects: pd.DataFrame) -> Array:
        """Expected ICV in mm³, (n,)."""
        inputs = np.column_stack([_covariate_matrix(subjects, ("age", "sex")), volumes])
        return self.model.predict(inputs)[:, 0]


def _fit_icv(volumes: Array, subjects: pd.DataFrame) -> IcvModel:
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    inputs = np.column_stack([_covariate_matrix(subjects, ("age", "sex")), volumes])
    icv = subjects["icv"].to_numpy(float)
    pipeline = make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(-1, 4, 11)))
    folds = min(5, len(icv))
    error = np.sqrt(np.mean((cross_val_predict(pipeline, inputs, icv, cv=folds) - icv) ** 2))
    scaler, ridge = (step for _, step in pipeline.fit(inputs, icv).steps)
    slopes = ridge.coef_ / scaler.scale_
    intercept = ridge.intercept_ - slopes @ scaler.mean_
    return IcvModel(LinearModel(np.array([intercept]), slopes[:, None]), float(error))


# --------------------------------------------------------------------------- who is drawn


@dataclass(frozen=True)
class Population:
    """Age, sex and ICV of a training cohort as summary figures, to draw new people from.

    female: share of women; ages: 5th, 15th, … 95th percentile in whole years;
    icv: mean and SD (mm³) of F and of M.
    """

    female: float
    ages: tuple[float, ...]
    icv: Mapping[str, tuple[float, float]]

    def sample(self, people: int, generator: np.random.Generator) -> pd.DataFrame:
        """Draw `people` new subjects: columns age (years), sex, icv (mm³)."""
        sex = np.where(generator.random(people) < self.female, "F", "M")
        rank = generator.uniform(5, 95, people)
        age = np.interp(rank, np.linspace(5, 95, len(self.ages)), self.ages).round(1)
        mean, sd = (np.array([self.icv[s][k] for s in sex]) for k in (0, 1))
        icv = (mean + sd * np.clip(generator.standard_normal(people), -2.5, 2.5)).round()
        return pd.DataFrame({"age": age, "sex": sex, "icv": icv})


def _fit_population(subjects: pd.DataFrame) -> Population:
    ages = np.percentile(subjects["age"], np.linspace(5, 95, 10)).round()
    icv = {}
    for sex in ("F", "M"):
        of_sex = subjects.loc[subjects["sex"] == sex, "icv"]
        values = of_sex if len(of_sex) > 2 else subjects["icv"]
        icv[sex] = (round(float(values.mean()), -3), round(float(values.std()), -3))
    female = float((subjects["sex"] == "F").mean())
    return Population(round(female, 3), tuple(float(a) for a in ages), icv)


# --------------------------------------------------------------------------- all of it


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
        """Standardize a cohort; raises DataError when features or covariates are missing."""
        volumes = self._select_features(cohort)
        subjects, notices = self._complete(cohort.subjects, volumes)
        values = self._standardize(volumes, subjects)
        values, status, adaptations, site_notices = self._settle_sites(values, volumes, subjects)
        subjects["site_status"] = status
        return Standardized(values, subjects, adaptations, (*notices, *site_notices))

    def inverse_transform(
        self,
        values: Array,
        subjects: pd.DataFrame,
        adaptations: Mapping[str, Adaptation] | None = None,
    ) -> Array:
        """Standardized values (n, p) to mm³ for the age, sex, ICV and site of `subjects`.

        People without a `site` column, or of a site unknown to the model, come out on the
        harmonized scale; `adaptations` (from `Standardized`) put an adapted site back.
        """
        if "site" not in subjects:
            subjects = subjects.assign(site="")
        values = self._readapt(values, subjects["site"], adaptations or {})
        rest = values * self.sd
        harmonized = rest + self.linear.predict(_covariate_matrix(subjects, self.covariates))
        if self.harmonizer is None:
            return harmonized
        hidden = subjects.assign(site=_mask_sites(subjects["site"], adaptations or {}))
        return self.harmonizer.inverse_transform(harmonized, hidden)

    def expected_volumes(self, subjects: pd.DataFrame) -> Array:
        """Mean volume (mm³, harmonized scale) of healthy people of this age, sex and ICV."""
        return self.linear.predict(_covariate_matrix(subjects, self.covariates))

    # -- steps of transform

    def _select_features(self, cohort: Cohort) -> Array:
        missing = [name for name in self.features if name not in cohort.features]
        if missing:
            named = ", ".join(_label(name) for name in missing[:5])
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            raise DataError(
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
                raise DataError(
                    f"The model needs {name} for everyone and {int(empty.sum())} people have "
                    f"none, the first being subject {subjects['subject_id'][empty].iloc[0]!r}."
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
            raise DataError("ICV is missing and this model has no way to estimate it.")
        estimate = self.icv.predict(volumes, subjects)
        subjects.loc[missing, "icv"] = estimate[missing]
        subjects["icv_estimated"] = missing
        per_cent = 100 * self.icv.error / self._typical_icv()
        return subjects, (
            f"ICV was missing for {int(missing.sum())} of {len(subjects)} people and was estimated "
            f"from the other volumes, age and sex (typical error {self.icv.error / 1000:.0f} mL, "
            f"{per_cent:.1f} %)."
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
            f"{int(outside.sum())} of {len(subjects)} people are outside the ages the model "
            f"learned from ({low:.0f} to {high:.0f} years): read their results with care.",
        )

    def _standardize(self, volumes: Array, subjects: pd.DataFrame) -> Array:
        if self.harmonizer is not None:
            volumes = self.harmonizer.transform(volumes, subjects)
        expected = self.linear.predict(_covariate_matrix(subjects, self.covariates))
        return (volumes - expected) / self.sd

    def _settle_sites(
        self, values: Array, volumes: Array, subjects: pd.DataFrame
    ) -> tuple[Array, list[str], dict[str, Adaptation], list[str]]:
        """Adapt every site that the model does not know and that brings enough healthy people."""
        values, status = values.copy(), np.full(len(subjects), "as is", dtype=object)
        adaptations: dict[str, Adaptation] = {}
        notices: list[str] = []
        healthy = subjects["diagnosis"].isin(self.background).to_numpy()
        for site in subjects["site"].unique():
            people = (subjects["site"] == site).to_numpy()
            own = people & healthy
            known = site in self.sites
            if known and not (
                own.sum() >= MIN_HEALTHY_TO_ADAPT
                and _root_mean_square(values[own].mean(axis=0)) > KNOWN_SITE_TOLERANCE
            ):
                status[people] = "known"
                continue
            if own.sum() >= MIN_HEALTHY_TO_ADAPT:
                if known:  # same name, other scanner: start again from the unharmonized values
                    unnamed = subjects[people].assign(site="")
                    values[people] = self._standardize(volumes[people], unnamed)
                adaptations[site] = adapt(values[own])
                values[people] = (values[people] - adaptations[site].location) / adaptations[
                    site
                ].scale
                status[people] = "adapted"
            notices.append(self._site_notice(site, known, int(people.sum()), int(own.sum())))
        return values, list(status), adaptations, notices

    def _site_notice(self, site: str, known: bool, people: int, healthy: int) -> str:
        named = f"Site {site!r}" if site else "The scanner or study of these people (no site given)"
        if known:
            return (
                f"{named} has the name of a site the model knows, but its {healthy} healthy "
                "people measure otherwise: it was adapted from them as a new site."
            )
        if healthy >= MIN_HEALTHY_TO_ADAPT:
            return (
                f"{named} is new to the model: its {people} people were adapted "
                f"from their own {healthy} healthy people."
            )
        return (
            f"Warning: {named[0].lower() + named[1:]} is new to the model and has {healthy} people "
            f"marked healthy ({', '.join(self.background)}); {MIN_HEALTHY_TO_ADAPT} are needed to "
            f"correct for the scanner. The volumes of its {people} people are used as they are, so "
            "scanner differences may look like disease."
        )

    def _readapt(
        self, values: Array, sites: pd.Series, adaptations: Mapping[str, Adaptation]
    ) -> Array:
        values = np.array(values, dtype=float)
        for site, adaptation in adaptations.items():
            people = (sites == site).to_numpy()
            values[people] = values[people] * adaptation.scale + adaptation.location
        return values

    # -- JSON

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON types."""
        return _plain(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Preprocessor:
        """Rebuild from `to_dict`; raises CheckpointError when parts are missing or misshapen."""
        try:
            preprocessor = _rebuild(content)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(f"preprocessor.json cannot be read: {error}.") from error
        _check_shapes(preprocessor)
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
                f"{int(found.sum())} people are labelled {', '.join(labels)}; at least 2 are "
                f"needed. Labels in the table: {labelled}."
            )
    covariates = _usable_covariates(cohort.subjects[healthy | diseased])
    subjects = cohort.subjects.reset_index(drop=True).copy()
    volumes = cohort.features.to_numpy(float)
    icv_model = None
    if "icv" in covariates:
        known = healthy & subjects["icv"].notna().to_numpy()
        icv_model = _fit_icv(volumes[known], subjects[known])
        missing = subjects["icv"].isna().to_numpy()
        subjects.loc[missing, "icv"] = icv_model.predict(volumes, subjects)[missing]
    own, people = volumes[healthy], subjects[healthy].reset_index(drop=True)
    harmonizer = _fit_harmonizer(own, people, covariates)
    if harmonizer is not None:
        own = harmonizer.transform(own, people)
    inputs = _covariate_matrix(people, covariates)
    linear = _least_squares(inputs, own)
    sd = (own - linear.predict(inputs)).std(axis=0, ddof=1)
    _require_variation(sd, cohort)
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
            "background": _fit_population(_complete_population(subjects[healthy])),
            "target": _fit_population(_complete_population(subjects[diseased])),
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


def _complete_population(subjects: pd.DataFrame) -> pd.DataFrame:
    """Fill what a table of other features may lack, so that people can still be drawn."""
    return subjects.assign(
        age=subjects["age"].fillna(0.0),
        sex=subjects["sex"].replace("", "F"),
        icv=subjects["icv"].fillna(0.0),
    )


def _require_variation(sd: Array, cohort: Cohort) -> None:
    constant = [name for name, value in zip(cohort.features, sd, strict=True) if not value > 0]
    if constant:
        raise DataError(
            f"Column {_label(constant[0])} has the same value for all background people "
            "once age, sex and ICV are removed: leave it out."
        )


def _mask_sites(sites: pd.Series, adaptations: Mapping[str, Adaptation]) -> pd.Series:
    """Adapted sites never went through the harmonizer, even if they share a known name."""
    return sites.where(~sites.isin(list(adaptations)), "")


def _root_mean_square(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _label(feature: str) -> str:
    labels = {roi.index: roi.label for roi in rois()}
    return f"{labels[feature]} ({feature})" if feature in labels else repr(feature)


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
        features=tuple(content["features"]),
        covariates=tuple(content["covariates"]),
        background=tuple(content["background"]),
        sites=tuple(content["sites"]),
        age_range=tuple(content["age_range"]),
        linear=_linear(content["linear"]),
        sd=_array(content["sd"]),
        harmonizer=None
        if harmonizer is None
        else Harmonizer(
            sites=tuple(harmonizer["sites"]),
            covariates=tuple(harmonizer["covariates"]),
            **{
                name: _array(harmonizer[name])
                for name in (
                    "knots",
                    "grand_mean",
                    "coefficients",
                    "pooled_sd",
                    "location",
                    "scale",
                )
            },
        ),
        icv=None if icv is None else IcvModel(_linear(icv["model"]), float(icv["error"])),
        populations={
            group: Population(
                float(summary["female"]),
                tuple(summary["ages"]),
                {sex: tuple(figures) for sex, figures in summary["icv"].items()},
            )
            for group, summary in content["populations"].items()
        },
    )


def _array(values: Any) -> Array:
    array = np.asarray(values, dtype=float)
    if not np.isfinite(array).all():
        raise ValueError("a number is not finite")
    return array


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
            ("harmonizer.grand_mean", h.grand_mean, (p,)),
            ("harmonizer.pooled_sd", h.pooled_sd, (p,)),
            ("harmonizer.location", h.location, (len(h.sites), p)),
            ("harmonizer.scale", h.scale, (len(h.sites), p)),
        ]
    if preprocessor.icv is not None:
        expected.append(("icv.coefficients", preprocessor.icv.model.coefficients, (p + 2, 1)))
    for name, array, shape in expected:
        if array.shape != shape:
            raise CheckpointError(
                f"preprocessor.json: {name} has shape {array.shape}; expected {shape}."
            )
