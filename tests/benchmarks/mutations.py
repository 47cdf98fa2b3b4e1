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
        ("'*[=+\\-@\\t\\r\\n", "'*[=+@\\t\\r\\n"),
        ('_ARMED.sub("\'", text)', "text"),
        ("pc.less(size, SHORT[1])", "pc.greater(size, SHORT[1])"),
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
