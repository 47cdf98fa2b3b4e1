"""Whether the tests notice: `nice python -m tests.benchmarks.mutations`, one JSON object, minutes.

In a copy of the tree one line after another is made wrong (a sign, a unit, an axis, a comparison,
a side), and the fast tests of its part are run. A mutation that no test fails on has survived, and
a test is missing. `--only kernels,losses` runs those whose file name holds one of the words.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import typer

from tests.conftest import ROOT

SECONDS = 300  # of a test run; a mutation that hangs is noticed too


@dataclass(frozen=True)
class Mutation:
    """In `file`, `old` (once in it) becomes `new`; `tests` should fail."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MATHS = ("test_correctness.py", "test_losses.py", "test_kernels.py", "test_model.py")
WAY = ("test_preprocessing.py", "test_correctness.py", "test_properties.py")
COHORT = ("test_cohort.py", "test_cohort_faults.py", "test_cohort_doubts.py")
TWINS = ("test_synthesis.py", "test_calibration.py", "test_person.py")
FIGURES = ("test_metrics.py", "test_correctness.py", "test_bootstrap.py")
PICTURES = ("test_plots_places.py",)
READ = ("test_plots.py",)
PAGES = ("test_ui.py",)
EXPLORER = ("browser/test_explorer_places.py",)


def _of(file: str, tests: tuple[str, ...], *changes: tuple[str, str]) -> list[Mutation]:
    return [Mutation(f"cavae/{file}", old, new, tests) for old, new in changes]


MUTATIONS = (
    *_of(
        "kernels.py",
        MATHS,
        ("scale = -2.0 *", "scale = -1.0 *"),
        ("(a_people, b_people, -2.0)", "(a_people, b_people, 2.0)"),
        ("(2.0 / scale)", "(-2.0 / scale)"),
    ),
    *_of(
        "losses.py",
        MATHS,
        ("+ beyond).sub_(log_variance)", "+ beyond).add_(log_variance)"),
        ("(0.5 * gradient) * beyond", "(-0.5 * gradient) * beyond"),
        ("return 0.5 * torch.linalg.vector_norm", "return torch.linalg.vector_norm"),
        ("gradient[..., None] * difference", "-gradient[..., None] * difference"),
        ("[s_x_draw, torch.zeros_like(z_y_draw)]", "[s_x_draw, torch.ones_like(z_y_draw)]"),
        ("softplus(-one) + softplus(two)", "softplus(one) + softplus(two)"),
        ("config.mmd_weight * mmd(", "-config.mmd_weight * mmd("),
    ),
    *_of(
        "ensemble.py",
        ("test_ensemble.py",),
        ("deviation, value=-rate", "deviation, value=rate"),
        ("_rate * unbiased /", "_rate /"),
        ("1.0 - of_square)", "of_square)"),
        ("x, self.weight.transpose(1, 2)", "-x, self.weight.transpose(1, 2)"),
    ),
    *_of(
        "model.py",
        MATHS,
        ("(0.5 * self.log_variance)", "(-0.5 * self.log_variance)"),
        ("self.decode(z, torch.zeros_like(z))", "self.decode(z, torch.ones_like(z))"),
        ("label = torch.ones_like(x[..., :1])", "label = torch.zeros_like(x[..., :1])"),
    ),
    *_of(
        "preprocessing/linear.py",
        WAY,
        ('subjects["sex"] == "M"', 'subjects["sex"] == "F"'),
        ("ICV_UNIT = 1e6", "ICV_UNIT = 1e3"),
        ("self.intercept + inputs", "self.intercept - inputs"),
    ),
    *_of(
        "preprocessing/icv.py",
        WAY,
        ("ridge.coef_ / scaler.scale_", "ridge.coef_ * scaler.scale_"),
        ("ridge.intercept_ - slopes", "ridge.intercept_ + slopes"),
    ),
    *_of(
        "preprocessing/harmonizer.py",
        WAY,
        ("(rest - location) / scale", "(rest + location) / scale"),
        ("rest * scale + location", "rest * scale - location"),
        ("(n - 1) * variance", "n * variance"),
        ("n / 2 + shape - 1", "n / 2 + shape + 1"),
    ),
    *_of(
        "preprocessing/preprocessor.py",
        WAY,
        ("(volumes - expected * factor - offset)", "(volumes - expected * factor + offset)"),
        ("volumes += expected * factor", "volumes -= expected * factor"),
        ("AGE_MARGIN = 3.0", "AGE_MARGIN = 6.0"),
        ("own.sum() < MIN_HEALTHY_TO_ADAPT", "own.sum() > MIN_HEALTHY_TO_ADAPT"),
    ),
    *_of(
        "metrics.py",
        FIGURES,
        ("- 2.0 * cross", "- cross"),
        ("np.square(mean_a - mean_b)", "np.square(mean_a + mean_b)"),
        ('"left") + np', '"right") + np'),
        ("b.mean(axis=0)", "b.mean(axis=1)"),
    ),
    *_of(
        "synthesis.py",
        TWINS,
        ("encoding.standardized - effect", "encoding.standardized + effect"),
        ("NORMAL_90 = 1.645", "NORMAL_90 = 1.96"),
        ("background + effect, drawn", "background - effect, drawn"),
        ("np.maximum(values, floor", "np.minimum(values, floor"),
        ("np.abs(effect).mean(axis=1)", "np.abs(effect).mean(axis=0)"),
        ("values[:, 0::2], values[:, 1::2]", "values[:, 1::2], values[:, 0::2]"),
        ("background + effect, drawn + 1", "background + effect, drawn"),
        ("SMALLEST_SHARE = 0.25", "SMALLEST_SHARE = 0.025"),
        ("(request.seed, number)", "(request.seed, 0)"),
        ('populations["target"]', 'populations["background"]'),
        (
            "decode(model, common, salient) - decode(model, common, np.zeros_like(salient))",
            "decode(model, common, np.zeros_like(salient)) - decode(model, common, salient)",
        ),
    ),
    *_of(
        "calibration/parameters.py",
        TWINS,
        ("kept = 1 + self.share[k]", "kept = 1 - self.share[k]"),
        ("return self.shift + noise", "return noise - self.shift"),
        (
            "(x - self.mean - own) @ gain.T\n            mean",
            "(x - own) @ gain.T\n            mean",
        ),
        ("PREVALENCE = 0.05", "PREVALENCE = 0.95"),
        ("variance + np.square(self.errors[k])", "variance - np.square(self.errors[k])"),
    ),
    *_of(
        "calibration/fitting.py",
        ("test_calibration.py", "test_null.py"),
        ("mean - background.mean(axis=0)", "background.mean(axis=0) - mean"),
        ("mean - background.mean(axis=0)", "mean + background.mean(axis=0)"),
        ("np.where(real > 0.5, real, 0.0)", "np.where(real < 0.5, real, 0.0)"),
        (") < MAX_CHANCE / 2", ") < 2.0"),
        ("unbiased = people / (people - 1)", "unbiased = (people - 1) / people"),
        (
            "error = np.sqrt(variance / people + background.var(axis=0) / len(background))",
            "error = variance / people + background.var(axis=0) / len(background)",
        ),
        ("kept, squares = 1 + share_of_size", "kept, squares = 1 - share_of_size"),
        ("severity - reliability**2 * of_decoded", "severity + reliability**2 * of_decoded"),
        ("np.outer(sd, sd)).sum()) / len(t)", "np.outer(sd, sd)).sum())"),
        ("int(criterion.argmin())", "int(criterion.argmax())"),
        ("(0.5 * posterior.log_variance).exp()", "posterior.log_variance.exp()"),
        ("background.mean(axis=0) - twins.mean", "background.mean(axis=0) + twins.mean"),
        ("covariance - np.cov(twins", "covariance + np.cov(twins"),
        ("+ len(departures) * unknown", "+ unknown"),
        (
            "z = mean + generator.standard_normal((MOMENT",
            "z = -mean + generator.standard_normal((MOMENT",
        ),
        ("for effect in effects) / squares", "for effect in effects) * squares"),
    ),
    *_of(
        "tables.py",
        ("test_tables.py",),
        ('"[-－]"', '"[－]"'),
        ('_ARMED.sub("\'", text)', "text"),
        ("pc.less(size, SHORT[1])", "pc.greater(size, SHORT[1])"),
        ("SHORT = (1e-4, 1e9)", "SHORT = (1e-6, 1e9)"),
        ("SHORT = (1e-4, 1e9)", "SHORT = (1e-4, 1e20)"),
        ("temporary.chmod(0o644)", "temporary.chmod(0o600)"),
    ),
    *_of(
        "cohort/names.py",
        COHORT,
        ('"left": "L", "lh"', '"left": "R", "lh"'),
        ('ICV_INDEX = "702"', 'ICV_INDEX = "701"'),
    ),
    *_of(
        "cohort/coding.py",
        COHORT,
        ('{"1": "M", "2": "F"} if', '{"1": "F", "2": "M"} if'),
        ('else {"0": "F", "1": "M"}', 'else {"0": "M", "1": "F"}'),
    ),
    *_of(
        "cohort/validate.py",
        COHORT,
        ("VOLUME_FACTOR = 8.0", "VOLUME_FACTOR = 8000.0"),
        ('f"mL (cm³); {accepted}"', 'f"mm³; {accepted}"'),
        ("icv >= ICV_IN_ML[0]", "icv <= ICV_IN_ML[0]"),
        ("icv < total / LARGEST_BRAIN_SHARE", "icv > total / LARGEST_BRAIN_SHARE"),
    ),
    *_of(
        "cohort/plausibility.py",
        COHORT,
        ("right, left = values[rights]", "left, right = values[rights]"),
        ("likeness < EXCHANGED", "likeness > -EXCHANGED"),
        ("a.mean() >= b.mean()", "a.mean() <= b.mean()"),
    ),
    *_of(
        "simulation.py",
        ("test_simulation.py",),
        ("people.features - lost", "people.features + lost"),
        ("inputs - inputs.mean(axis=0)", "inputs + inputs.mean(axis=0)"),
    ),
    *_of(
        "person.py",
        TWINS,
        ("self.observed - self.sd * effect", "self.observed + self.sd * effect"),
        ("zero, one - zero\n", "zero, zero - one\n"),
        ('"percent": 100 * person.sd', '"percent": person.sd'),
        ("own = shared + peculiar", "own = shared - peculiar"),
        ("low - AGE_MARGIN <=", "low + AGE_MARGIN <="),
        ("common=encoding.common[row]", "common=encoding.salient[row]"),
    ),
    *_of(
        "reference/curves.py",
        ("test_reference.py",),
        ("median * np.exp(", "median / np.exp("),
        ("(1 + skew * spread * inner)", "(1 - skew * spread * inner)"),
        ("np.stack([self.skew, np.log(self.median)", "np.stack([-self.skew, np.log(self.median)"),
    ),
    *_of(
        "bootstrap.py",
        FIGURES,
        ("(tail, 1 - tail)", "(tail, 1 - 2 * tail)"),
        ("(len(people) - 1)", "len(people)"),
    ),
    *_of(
        "plots/overview.py",
        PICTURES,
        ("*(-t for t in ticks", "*(t for t in ticks"),
        ("x=side * counts", "x=-side * counts"),
    ),
    *_of("plots/latent.py", PICTURES, ("points[:, 1].argmax()", "points[:, 0].argmax()")),
    *_of("plots/forest.py", PICTURES, ('"array": high - values', '"array": values - low')),
    *_of(
        "standing.py",
        ("test_standing.py",),
        ("value / reference", "value * reference"),
        ('"w2_ratio": (FLOOR_RATIO,)', '"w2_ratio": (SEPARATION_RATIO,)'),
    ),
    *_of(
        "findings.py",
        ("test_findings.py",),
        ('"beside_low": theirs.get("low"', '"beside_low": theirs.get("high"'),
        ('"low": table["low"]', '"low": table["high"]'),
        ('"value": table["recorded"]', '"value": table["loaded"]'),
        ("row.value, row.unit, row.low, row.high", "row.value, row.unit, row.high, row.low"),
    ),
    *_of(
        "scatter.py",
        ("test_film.py",),
        ("self._common.project(look.common)", "self._common.project(look.salient)"),
        ("            look.leakage_auc,", "            look.separation_auc,"),
    ),
    *_of(
        "demo.py",
        ("test_demo.py",),
        ('"background" if healthy else "target"', '"target" if healthy else "background"'),
        ("values = without + calibration", "values = without - calibration"),
        ("decode(model, z, s) - without", "without - decode(model, z, s)"),
        ("salient.mean(axis=0) + generator", "-salient.mean(axis=0) + generator"),
        ("values += calibration", "values -= calibration"),
        ('"CN": 120, "MCI": 90', '"CN": 90, "MCI": 120'),
    ),
    *_of(
        "explorer/data.py",
        ("test_explorer.py",),
        ("np.argsort(-spread", "np.argsort(spread"),
        ("np.ceil(usual / 10) * 10", "np.ceil(usual / 10)"),
    ),
    *_of(
        "explorer/model_parts.py",
        ("test_explorer.py",),
        ("float(np.log(np.diag(root)).sum())", "float(-np.log(np.diag(root)).sum())"),
        ("pack(np.linalg.inv(root)", "pack(np.linalg.inv(root).T"),
        ('"prevalence": PREVALENCE', '"prevalence": 1 - PREVALENCE'),
        ('"effects": pack(calibration.effects', '"effects": pack(calibration.decoded'),
        ('"icvUnit": ICV_UNIT', '"icvUnit": ICV_UNIT / 1000'),
        ("_gaussian(calibration.healthy_mean", "_gaussian(-calibration.healthy_mean"),
    ),
    *_of(
        "explorer/people.py",
        ("test_explorer.py",),
        ("healthy + calibration.shift", "healthy - calibration.shift"),
        ("sd=one - zero", "sd=zero - one"),
    ),
    *_of(
        "ui/explorer/scatter.js",
        ("browser/test_explorer_places.py",),
        ("[row * n + column]", "[column * n + row]"),
        ("mean[j] + l21 * u", "mean[j] - l21 * u"),
    ),
    *_of(
        "ui/explorer/brain3d.js",
        ("browser/test_explorer_places.py",),
        ("up, nearer, -down", "up, nearer, down"),
    ),
    *_of(
        "ui/film/people.js",
        ("browser/test_film_places.py",),
        ("half - (y / reach)", "half + (y / reach)"),
    ),
    *_of(
        "embedding.py",
        ("test_embedding.py",),
        ("latents - latents.mean(axis=0)\n", "latents + latents.mean(axis=0)\n"),
        ("directions *= np.sign", "directions *= -np.sign"),
        ("np.abs(directions).argmax(axis=1)", "np.abs(directions).argmin(axis=1)"),
    ),
    *_of(
        "evaluation.py",
        ("test_evaluation.py",),
        ("twins.effect[:, columns].mean", "-twins.effect[:, columns].mean"),
        ("healthy = np.isin(diagnosis, background)", "healthy = np.isin(diagnosis, target)"),
        ("auc(score[diseased], score[~diseased])", "auc(score[~diseased], score[diseased])"),
    ),
    *_of(
        "privacy.py",
        ("test_privacy.py",),
        ("return -np.square(x - decode", "return np.square(x - decode"),
        ("return -(departure * scaled)", "return (departure * scaled)"),
        ("(real.mahalanobis(x) - mixed", "(real.mahalanobis(x) + mixed"),
    ),
    *_of(
        "subtypes.py",
        ("test_subtypes.py",),
        ("np.clip(1 - chance.sum(axis=1)", "np.clip(chance.sum(axis=1)"),
        ("100 * share[rows].mean()", "share[rows].mean()"),
    ),
    *_of(
        "monitoring.py",
        ("test_monitoring.py", "test_training.py"),
        (
            "network.decode_background(z), network.decode(z, network.prior_salient(s))",
            "network.decode(z, network.prior_salient(s)), network.decode_background(z)",
        ),
    ),
    *_of("reference/sampling.py", ("test_reference.py",), ("@ factor.T", "@ factor")),
    *_of(
        "atlas.py",
        ("test_atlas.py",),
        ('"axial": (2, 0, 1)', '"axial": (2, 1, 0)'),
        ('"sagittal": (0, 1, 2)', '"sagittal": (0, 2, 1)'),
    ),
    *_of(
        "optimization.py",
        ("test_training.py",),
        ("background, target = (torch.stack", "target, background = (torch.stack"),
        ("dim=1) / self.members[0].problem.steps", "dim=1)"),
    ),
    *_of(
        "training.py",
        ("test_training.py",),
        (
            '"training background": len(self.training[0])',
            '"training background": len(self.training[1])',
        ),
    ),
    *_of(
        "numbers.py",
        ("test_numbers.py",),
        ("if value < 0 else", "if value > 0 else"),
        ("signed(100 * fraction, 0)", "signed(fraction, 0)"),
    ),
    *_of(
        "preprocessing/adaptation.py",
        WAY,
        ("1 + location * sd", "1 - location * sd"),
        ("mean >= SIZE_IN_SD * sd", "mean < SIZE_IN_SD * sd"),
    ),
    *_of(
        "preprocessing/population.py",
        ("test_preprocessing.py", "test_synthesis.py"),
        ('< self.female, "F", "M"', '< self.female, "M", "F"'),
        ("rank = generator.uniform(5, 95", "rank = generator.uniform(95, 100"),
        ('(subjects["sex"] == "F").mean()', '(subjects["sex"] == "M").mean()'),
        ('subjects["sex"] == sex, "icv"', 'subjects["sex"] != sex, "icv"'),
        ("-2.5, 2.5)", "-0.25, 0.25)"),
    ),
    *_of(
        "simulation_evaluation.py",
        ("test_simulation_evaluation.py",),
        ("ee - 2 * et + tt", "ee + 2 * et + tt"),
        ("(low <= true) & (true <= high)", "(low <= true) | (true <= high)"),
        ("/ (ee - e**2))\n", "/ (ee + e**2))\n"),
        ("1 - within / of_cluster", "within / of_cluster"),
    ),
    *_of("plots/brain.py", READ, ('"scaleratio": 1}', '"scaleratio": 2}')),
    *_of(
        "plots/cohorts.py",
        READ,
        ("%{{y:.2f}} {unit}", "%{{x:.2f}} {unit}"),
        ("median {curve.median:,", "median {curve.heights.max():,"),
    ),
    *_of(
        "plots/colors.py",
        READ,
        ("np.ceil(largest * 2) / 2", "np.ceil(largest)"),
        ("rgba({red},{green},{blue},", "rgba({blue},{green},{red},"),
        ('"Cividis"', '"Cividis_r"'),
    ),
    *_of(
        "plots/layout.py",
        READ,
        ('("Intracranial volume", "mm³")', '("Intracranial volume", "mL")'),
        ('("Mean absolute effect", "SD")', '("Mean absolute effect", "mm³")'),
        ('("{}, healthy twin", "mm³")', '("{}, healthy twin", "SD")'),
        ('observed_(\\d+)": ("{}", "SD")', 'observed_(\\d+)": ("{}", "mm³")'),
        ('PC{}", "prior SD")', 'PC{}", "no unit")'),
    ),
    *_of("plots/latent.py", READ, ("%{{marker.color:.4g}}", "%{{x:.4g}}")),
    *_of(
        "plots/overview.py",
        PICTURES,
        ('"Age (years)",\n        range', '"Age (months)",\n        range'),
        ('", left + right"', '", left − right"'),
    ),
    *_of(
        "plots/subtypes.py",
        READ,
        ("lower is better", "higher is better"),
        ("else signed(one.effect, 1) for", "else signed(-one.effect, 1) for"),
    ),
    *_of(
        "plots/volumes.py",
        READ,
        ('f"Volume ({unit})"', '"Volume (mL)"'),
        ("for sign in (-1, 1))", "for sign in (1, -1))"),
        ("1 is the largest loss", "1 is the largest gain"),
        ('"above 99th centile"', '"below 1st centile "'),
        ("{name}: {_amount(value, unit)}", "{name}: {_amount(twin, unit)}"),
        ("people: {_amount(mean, unit)}", "people: {_amount(sd, unit)}"),
        ("if share < 1:", "if share < 5:"),
    ),
    *_of(
        "plots/quality.py",
        ("test_plots_quality.py", *PICTURES),
        ('"Model: error"', '"Model: twin"'),
        (
            "({row['low']:.2f} to {row['high']:.2f})",
            "({row['high']:.2f} to {row['low']:.2f})",
        ),
        ("[len(known) - 0.5, -0.8]", "[-0.8, len(known) - 0.5]"),
        ('"guess", height', '"best", height'),
        ("customdata[0]:.2f} to %{customdata[1]", "customdata[1]:.2f} to %{customdata[0]"),
        ('("Real alone", GREY,', '("Real alone", SYNTHETIC,'),
    ),
    *_of(
        "plots/forest.py",
        ("test_forest.py",),
        ('beside, VERMILLION, "circle-open"', 'beside, BLUE, "circle-open"'),
        ('value, BLUE, "circle")', 'value, BLUE, "circle-open")'),
    ),
    *_of(
        "plots/sweep.py",
        PICTURES,
        ("customdata[1]}, fold %{customdata[2]}", "customdata[2]}, fold %{customdata[1]}"),
        ("trainings: %{y:.3f}", "trainings: %{x:.3f}"),
    ),
    *_of(
        "plots/ablation.py",
        PICTURES,
        ("best=1.0, color", "best=0.0, color"),
        ("0.5 is best)", "1 is best)"),
        ("%{y}, fold %{customdata}: %{x:.3f}", "%{x}, fold %{customdata}: %{y:.3f}"),
    ),
    *_of(
        "plots/training.py",
        ("test_film.py",),
        ('"unit": "SD²"', '"unit": "SD"'),
        ('"unit": "nats"', '"unit": "bits"'),
        ('history[-1]["best_epoch"]', 'history[0]["best_epoch"]'),
        ('"log": True', '"log": False'),
        ('"target_common_kl", "target", "z"', '"target_common_kl", "target", "s"'),
        ('"background_reconstruction", "background"', '"background_reconstruction", "target"'),
        ('"high": 1.02', '"high": 0.92'),
    ),
    *_of(
        "storage.py",
        ("test_storage.py",),
        ("DAY = 86_400.0", "DAY = 3_600.0"),
        ("max((one.st_mtime", "min((one.st_mtime"),
    ),
    *_of(
        "limits.py", ("test_limits.py",), ("least <= int(word) <= most", "least < int(word) < most")
    ),
    *_of("logs.py", ("test_logs.py",), ("round(value, 3)", "round(value, 0)")),
    *_of(
        "provenance.py",
        ("test_provenance.py",),
        ('"SD" if request.standardized', '"mm³" if request.standardized'),
    ),
    *_of("jobs.py", ("test_jobs.py",), ("MINUTE = 60.0", "MINUTE = 3600.0")),
    *_of(
        "cohort/check.py",
        COHORT,
        ("AGE_ROUNDING = 1.0", "AGE_ROUNDING = 10.0"),
        ("np.where(np.isnan(first), other, first)", "np.where(np.isnan(other), first, other)"),
        ('np.where(labels == "", other, labels)', 'np.where(other == "", labels, other)'),
        (
            "{fields} fields where the header has {width}",
            "{width} fields where the header has {fields}",
        ),
    ),
    *_of("cohort/reading.py", COHORT, ("Row {row + 1} of", "Row {row} of")),
    *_of("cohort/text.py", COHORT, ("if len(texts) > most", "if len(texts) >= most")),
    *_of(
        "archive.py",
        ("test_archive.py",),
        ("{len(archive) / 1e6:,.0f}", "{len(archive) / 1e3:,.0f}"),
    ),
    *_of(
        "checkpoint.py",
        ("test_checkpoint_hostile.py",),
        ("LARGEST_WEIGHT = 1e6", "LARGEST_WEIGHT = 1e12"),
    ),
    *_of(
        "cohort/joining.py",
        COHORT,
        ("plain.nunique() < ids.nunique()", "plain.nunique() > ids.nunique()"),
    ),
    *_of(
        "cohort/recognize.py",
        COHORT,
        ("numbers >= 0.9 * filled", "numbers >= 0.1 * filled"),
        ("filled >= len(field.cells) / 2", "filled >= 0"),
    ),
    *_of(
        "cohort/plausibility.py",
        COHORT,
        ("{np.exp(found[position]):.2f} times the", "{np.exp(usual[position]):.2f} times the"),
        ("is {off[index]:.1f} times", "is {1 / off[index]:.1f} times"),
        ('as {number:.0f}."', 'as {number / 1000:.3f}."'),
        ("(correlation {likeness:.2f}", "(correlation {1 - likeness:.2f}"),
    ),
    *_of(
        "cohort/odd_people.py",
        COHORT,
        ("{100 * share.min():.0f} to {100 * share.max()", "{share.min():.0f} to {share.max()"),
    ),
    *_of(
        "cohort/validate.py",
        COHORT,
        ("its median, {values[index].median():,", "its median, {typical[index]:,"),
        ("faults > MAX_FAULTS_A_ROW", "faults >= MAX_FAULTS_A_ROW"),
    ),
    *_of(
        "__main__.py",
        ("test_commands.py",),
        ("{result.usable} usable; {_found", "{result.rows} usable; {_found"),
        (
            "{'/'.join(model.background)} against {'/'.join(model.target)}",
            "{'/'.join(model.target)} against {'/'.join(model.background)}",
        ),
        ("None and not low <= age <= high", "None and low <= age <= high"),
        ('yield f"{left_out} of', 'yield f"{table.usable} of'),
    ),
    *_of(
        "figures.py",
        ("test_figures.py",),
        ('model.training.background, "background")', 'model.training.background, "target")'),
        ('for side in "LR"]', 'for side in "RL"]'),
        ('(SD)", 22)', '(mm³)", 22)'),
        ('"group" if about.name == "3b"', '"group" if about.name == "4a"'),
        ('("completeness", plot_', '("common_auc", plot_'),
    ),
    *_of(
        "report.py",
        ("test_report.py",),
        ("healthy, diseased = len", "diseased, healthy = len"),
        ('("recorded", "best", "loaded people")', '("loaded people", "best", "recorded")'),
    ),
    *_of(
        "card.py",
        ("test_quality.py",),
        ("{low:.0f} to {high:.0f} years", "{low:.0f} to {high:.0f} months"),
        ("healthy, ill = ", "ill, healthy = "),
        ("{f.value:.2f} | {f.good}", "{f.value:.0f} | {f.good}"),
        ("({low:.2f} to {high:.2f})", "({high:.2f} to {low:.2f})"),
        ("λ = {training.mmd_weight:g}", "λ = {training.seed:g}"),
        ('"value": value, **known', '"value": -value, **known'),
    ),
    *_of(
        "ui/comparison.py",
        PAGES,
        ('NumberColumn("Twin (mm³)"', 'NumberColumn("Now (mm³)"'),
        ("twin {row.healthy:,.4g}", "twin {row.observed:,.4g}"),
        ("[measure].median()", "[measure].mean()"),
        (
            '"Distance from the twin (MAD)", "effect_mad": "Pure effect"',
            '"Pure effect", "effect_mad": "Distance from the twin (MAD)"',
        ),
    ),
    *_of("ui/selection.py", PAGES, ("Severity, MAD (SD)", "Severity, MAD (mm³)")),
    *_of(
        "ui/sweep.py",
        PAGES,
        ('"low": "95 % from", "high": "to"', '"high": "95 % from", "low": "to"'),
    ),
    *_of(
        "ui/sliders.py",
        PAGES,
        ("np.argsort(-np.abs(change))[:2]", "np.argsort(np.abs(change))[:2]"),
        ("deviation(change[k])", "deviation(-change[k])"),
    ),
    *_of(
        "ui/pairs.py",
        PAGES,
        ('model.training.background, "background")', 'model.training.background, "target")'),
        ('["Loaded", "Synthetic"]', '["Synthetic", "Loaded"]'),
        ("part.first_pair - 1 +", "part.first_pair +"),
    ),
    *_of(
        "ui/keeping.py",
        PAGES,
        ("{100 * attack:.0f} times", "{attack:.0f} times"),
        ("{days:,} days after", "{days:,} hours after"),
    ),
    *_of(
        "ui/protection.py",
        PAGES,
        ("    if limits().delete_shared", "    if not limits().delete_shared"),
    ),
    *_of(
        "ui/training.py",
        ("pages/test_train.py",),
        ('"older" if apart > 0', '"older" if apart > -99'),
        ("APART_YEARS = 5.0", "APART_YEARS = 1.0"),
    ),
    *_of(
        "ui/server.py",
        ("test_server.py",),
        ("ended.wait(HOUR)", "ended.wait(MINUTE)"),
        ("allowed.upload_bytes + MEGABYTE", "allowed.upload_mb + MEGABYTE"),
    ),
    *_of(
        "ui/explorer/__init__.py",
        PAGES,
        (
            'signed(value, 2) for value in rows["effect"]',
            'signed(value, 2) for value in rows["percent"]',
        ),
    ),
    *_of(
        "ui/explorer/colors.js",
        ("browser/test_explorer_drawing.py", *EXPLORER),
        ('HEALTHY = "#0072B2"', 'HEALTHY = "#D55E00"'),
        ("linear-gradient(90deg", "linear-gradient(270deg"),
        ("${50 * (at + 1)}%", "${50 * (1 - at)}%"),
        ('"Change (% of the twin)" :', '"Change (SD)" :'),
    ),
    *_of(
        "ui/explorer/paired.js",
        EXPLORER,
        ("r: 5.5, fill: HEALTHY", "r: 5.5, fill: NOW"),
        ('entry(HEALTHY, "twin"', 'entry(NOW, "twin"'),
        ("palette.css(value, limit)", "palette.css(-value, limit)"),
    ),
    *_of(
        "ui/explorer/brain3d.js",
        ("browser/test_explorer_drawing.py", *EXPLORER),
        ('without: "right"', 'without: "left"'),
        ("rotate(POINTER_TURN", "rotate(-POINTER_TURN"),
        ("ArrowLeft: [-1, 0], ArrowRight: [1, 0]", "ArrowLeft: [1, 0], ArrowRight: [-1, 0]"),
    ),
    *_of("ui/explorer/slices.js", EXPLORER, ('axial: "z"', 'axial: "y"')),
    *_of(
        "ui/explorer/main.js",
        EXPLORER,
        ("(c * x * x - 2 * b", "(c * x * x + 2 * b"),
        ("INSIDE = 4.605", "INSIDE = 9.21"),
        ("region.mean[k] + axes.reduce", "region.mean[k] - axes.reduce"),
        ("size(a) - size(b)", "size(b) - size(a)"),
        ("1.3 * value", "0.3 * value"),
        ("value + way * (to.s[i] - value)", "value - way * (to.s[i] - value)"),
        ("signedNumber(state.effect[j], 2)", "signedNumber(state.percent[j], 2)"),
        ("signedNumber(state.effect[j], 1)", "signedNumber(state.percent[j], 1)"),
    ),
    *_of(
        "ui/explorer/main.js",
        ("browser/test_explore.py",),
        (
            '"SD" ? shown.effect : shown.percent',
            '"%" ? shown.effect : shown.percent',
        ),
        ('"SD" ? data.limit : data.percentLimit', '"%" ? data.limit : data.percentLimit'),
    ),
    *_of(
        "ui/explorer/compare.js",
        ("browser/test_explore.py",),
        ('values("A", state), values("B", moving)', 'values("A", moving), values("B", state)'),
    ),
    *_of(
        "ui/explorer/lesson.js",
        ("browser/test_lesson.py",),
        (
            "pair.ill.observed[peak] - pair.healthy.observed[peak]",
            "pair.healthy.observed[peak] - pair.ill.observed[peak]",
        ),
        ("ill.now[peak] - ill.twin[peak]", "ill.twin[peak] - ill.now[peak]"),
        (
            '[[pair.healthy, HEALTHY, "healthy", "end"], [pair.ill, NOW,',
            '[[pair.healthy, NOW, "healthy", "end"], [pair.ill, HEALTHY,',
        ),
    ),
    *_of(
        "ui/comparing.py",
        ("pages/test_models.py",),
        (
            "{', '.join(one.background)} → {', '.join(one.target)}",
            "{', '.join(one.target)} → {', '.join(one.background)}",
        ),
        ('"with the app" if entry.kind == BOX', '"with the app" if entry.kind != BOX'),
    ),
    *_of(
        "ui/comparison.py",
        ("pages/test_counterfactual.py",),
        ("shown.healthy) / shown.sd", "shown.healthy) * shown.sd"),
    ),
    *_of("ui/sweep.py", PAGES, ("max(sum(each) / at_once", "max(sum(each) * at_once")),
    *_of(
        "ui/subtypes.py",
        PAGES,
        ("chance > 0.995", "chance > 0.9"),
        ("np.argsort(-chances", "np.argsort(chances"),
    ),
    *_of("ui/latents.py", PAGES, ("(self.mean - center) @", "(self.mean + center) @")),
    *_of(
        "ui/recognition.py",
        ("pages/test_data.py",),
        ("{age.min():.0f} to {age.max():.0f}", "{age.max():.0f} to {age.min():.0f}"),
    ),
    *_of("ui/people.py", PAGES, ("numbers.years(age) if", "numbers.years(age / 12) if")),
    *_of(
        "ui/film/__init__.py",
        ("test_film.py",),
        ("looks[-1].is_target.astype", "(~looks[-1].is_target).astype"),
    ),
    *_of(
        "ui/film/people.js",
        ("browser/test_film_places.py",),
        ("groups[isTarget[k]]", "groups[1 - isTarget[k]]"),
    ),
)


def copy_of_tree(folder: Path) -> Path:
    """What git knows of, as it lies here now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def passes(tree: Path, tests: tuple[str, ...]) -> bool:
    """Whether the tests pass there; running out of time is failing."""
    files = [f"tests/{test}" for test in tests]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def outcome(tree: Path, mutation: Mutation) -> str:
    """killed, survived, or absent where the line is not there once."""
    path = tree / mutation.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutation.old) != 1:
        return "absent"
    path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        return "survived" if passes(tree, mutation.tests) else "killed"
    finally:
        path.write_text(text, encoding="utf-8")


def main(only: str = "") -> None:
    """Run the mutations one after the other and print what became of them."""
    words = only.split(",")
    chosen = [mutation for mutation in MUTATIONS if any(word in mutation.file for word in words)]
    answer: dict[str, list[str]] = {
        "killed": [],
        "survived": [],
        "absent": [],
        "failing before": [],
    }
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        tree = copy_of_tree(Path(folder))
        sound = {tests: passes(tree, tests) for tests in {m.tests for m in chosen}}
        for mutation in chosen:
            found = outcome(tree, mutation) if sound[mutation.tests] else "failing before"
            answer[found].append(f"{mutation.file}: {mutation.old} → {mutation.new}")
            print(f"{found}: {answer[found][-1]}", file=sys.stderr, flush=True)
    counts = {name: len(found) for name, found in answer.items()}
    print(json.dumps(counts | {"survivors": answer["survived"], "not there": answer["absent"]}))


if __name__ == "__main__":
    typer.run(main)
