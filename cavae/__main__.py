"""The command line: python -m cavae COMMAND."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cavae import numbers
from cavae.atlas import ASSETS
from cavae.checkpoint import (
    DEFAULT_MODEL,
    PRETRAINED,
    Model,
    available_models,
    load_model,
    require_model_folder,
)
from cavae.cohort import Check, diagnosis_label, read_cohort
from cavae.cohort.text import shown
from cavae.config import DEFAULT_VARIANT, default_preset, require_variant, train_config
from cavae.errors import CavaeError, ConfigError, DataError
from cavae.tables import require_output, save_table, whole_file
from cavae.threads import use_one_thread

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="See what a disease does to a brain, one person at a time.",
)

INTERRUPTED = 130  # what shells say of a program that Ctrl-C ended
DEMO_COHORT = ASSETS / "demo_cohort.csv"

Volumes = Annotated[Path, typer.Option(help="Table of volumes: CSV, TSV or Parquet.")]
Participants = Annotated[
    Path | None, typer.Option(help="Table of covariates, joined by subject id.")
]
VolumesIfAny = Annotated[Path | None, typer.Option(help="Table of volumes.")]
Simulated = Annotated[Path | None, typer.Option(help="Folder of `simulate`, instead.")]
Background = Annotated[str, typer.Option(help="Labels of the healthy, by comma.")]
Latent = Annotated[int, typer.Option(help="Dimensions of z and of s, each.")]
Scheduler = Annotated[
    str,
    typer.Option(
        help="local, or tcp://HOST:PORT of a dask scheduler. Ctrl-C stops what runs here at once; "
        "a worker of the scheduler first finishes the task that it has begun."
    ),
]
ModelName = Annotated[str, typer.Option(help="Name under pretrained/, or a model folder.")]
Output = Annotated[Path, typer.Option(help="File to write: .csv or .parquet.")]
Seed = Annotated[int, typer.Option(help="Same seed, same result.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON answer and nothing else.")]


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the models at hand, with what each was trained on."""
    found = available_models()
    if as_json:
        typer.echo(json.dumps([asdict(model) for model in found]))
        return
    for model in found:
        _tell(
            f"{model.name}: {model.variant}, {model.rois} features, "
            f"{'/'.join(model.background)} against {'/'.join(model.target)}; {model.trained_on}"
        )


@app.command()
def check(volumes: Volumes, participants: Participants = None, as_json: AsJson = False) -> None:
    """Say what is recognized in a table, and every problem by row and column."""
    result = read_cohort(volumes, participants)
    if as_json:
        typer.echo(result.to_json())
        return
    _tell(f"{numbers.people(result.rows)}, {result.usable} usable; {_found(result)}.")
    for name, column in result.recognition.columns.items():
        _tell(f"  {name}: {column if column is not None else 'not found'}")
    for label, count in result.diagnoses.items():
        _tell(f"  {label}: {count}")
    for notice in result.notices:
        _tell(notice)
    for problem in result.problems:
        _tell(f"Problem: {problem.message}")


@app.command()
def simulate(
    output: Annotated[Path, typer.Option(help="Folder to write.")],
    subjects: Annotated[int, typer.Option(help="How many people, half of them diseased.")] = 3900,
    seed: Seed = 0,
) -> None:
    """Write the semi-synthetic experiment: background, target and the targets' true twins."""
    from cavae.simulation import save_simulation

    save_simulation(subjects, seed, output)


@app.command()
def train(
    output: Annotated[Path, typer.Option(help="Model folder to write.")],
    volumes: VolumesIfAny = None,
    participants: Participants = None,
    data: Simulated = None,
    background: Background = "CN",
    target: Annotated[str, typer.Option(help="Labels of the diseased, by comma.")] = "MCI,AD",
    mmd_weight: Annotated[float | None, typer.Option("--lambda", help="λ of eq. 8.")] = None,
    epochs: Annotated[int | None, typer.Option(help="At most so many epochs.")] = None,
    latent: Latent = 5,
    seed: Seed = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    preset: Annotated[
        str | None, typer.Option(help="paper or calibrated; of other variants paper alone.")
    ] = None,
    variant: Annotated[
        str, typer.Option(help="contrastive, conditional or total-correlation.")
    ] = DEFAULT_VARIANT,
) -> None:
    """Fit preprocessing and model to the labelled people of a table, or of a simulation."""
    from cavae import experiments
    from cavae.training import split_cohort

    require_model_folder(output)
    settings = {"mmd_weight": mmd_weight, "epochs": epochs, "seed": seed, "device": device}
    preset = preset or default_preset(variant)
    remarks: list[str] = []
    _require_one(volumes, data)
    if data is not None:
        config = train_config(preset, **{**experiments.SIMULATED, **_given(settings)})
        split, source = experiments.simulated_split(data), f"semi-synthetic data of {data.name}"
    else:
        labels = {"background": _labels(background), "target": _labels(target)}
        config = train_config(preset, **labels, **_given(settings))
        table = _usable(read_cohort(volumes, participants))
        remarks += _remarks(table)
        split, source = split_cohort(table.cohort, config), volumes.name
    require_variant(variant, config)
    kept = f"No model was written to {output}."
    with _progress("Training", config.epochs, lambda: kept) as bar:
        trained = experiments.train_and_save(
            split, config, output, source, latent, lambda _: bar.update(1), variant
        )
    _tell(f"Model written to {output} (best epoch {trained.best_epoch}).")
    _say(remarks)


@app.command()
def encode(
    volumes: Volumes,
    output: Output,
    model: ModelName = DEFAULT_MODEL,
    participants: Participants = None,
) -> None:
    """Write common z and salient s of every usable person."""
    loaded, table = _model_and_table(model, volumes, participants, output)
    from cavae import synthesis

    encoding = synthesis.encode(loaded, table.cohort)
    save_table([encoding.table()], output)
    _say([*_remarks(table), *encoding.notices])


@app.command()
def counterfactual(
    volumes: Volumes,
    output: Output,
    model: ModelName = DEFAULT_MODEL,
    participants: Participants = None,
    twin: Annotated[str, typer.Option(help="residual or paper.")] = "residual",
    standardized: Annotated[bool, typer.Option(help="Add observed_… in SD.")] = False,
    intervals: Annotated[
        bool, typer.Option("--intervals", help="Add 90 % intervals, low_… and high_… in SD.")
    ] = False,
) -> None:
    """Write everyone's healthy twin (mm³), disease effect (SD) and severity."""
    loaded, table = _model_and_table(model, volumes, participants, output)
    from cavae import synthesis

    twins = synthesis.healthy_twins(loaded, synthesis.encode(loaded, table.cohort), twin)
    save_table([twins.table(standardized, intervals)], output)
    _say([*_remarks(table), *twins.encoding.notices])


@app.command()
def subtypes(
    model: ModelName = DEFAULT_MODEL,
    volumes: Annotated[Path | None, typer.Option(help="Table of volumes, for memberships.")] = None,
    participants: Participants = None,
    output: Annotated[Path | None, typer.Option(help="File of memberships to write.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the subtypes that a model found; with a table, write to which of them people belong."""
    if (volumes is None) != (output is None):
        raise ConfigError("Give both --volumes and --output, or neither.")
    table = None
    if volumes is None or output is None:
        loaded = load_model(model)
    else:
        loaded, table = _model_and_table(model, volumes, participants, output)
    from cavae import subtypes as core
    from cavae import synthesis

    answer = core.answer(loaded)
    remarks: list[str] = []
    if table is not None:
        encoding = synthesis.encode(loaded, table.cohort)
        save_table([core.membership_table(loaded, encoding)], output)
        remarks += [*_remarks(table), *encoding.notices]
    _tell(json.dumps(answer, allow_nan=False) if as_json else core.report(loaded))
    _say(remarks)


@app.command()
def sample(
    pairs: Annotated[int, typer.Option(help="How many pairs.")],
    output: Output,
    model: ModelName = DEFAULT_MODEL,
    seed: Seed = 0,
    standardized: Annotated[bool, typer.Option(help="Values in SD instead of mm³.")] = False,
    age: Annotated[float | None, typer.Option(help="Everyone of this age, years.")] = None,
    sex: Annotated[str | None, typer.Option(help="Everyone F or M.")] = None,
    icv: Annotated[float | None, typer.Option(help="Everyone of this ICV, mm³.")] = None,
    subtype: Annotated[int | None, typer.Option(help="Everyone of this subtype, 1, 2 …")] = None,
) -> None:
    """Write a synthetic cohort of healthy-diseased pairs, two rows a pair."""
    require_output(output)
    from cavae import synthesis

    request = synthesis.SampleRequest(pairs, seed, age, sex, icv, subtype, standardized)
    loaded = load_model(model)
    save_table((part.table() for part in synthesis.sample_chunks(loaded, request)), output)
    low, high = loaded.preprocessor.age_range
    if age is not None and not low <= age <= high:
        _say(
            [f"Age {age:g} is outside the ages the model learned from ({low:g} to {high:g} years)."]
        )


@app.command()
def evaluate(
    model: ModelName,
    data: Annotated[Path, typer.Option(help="Folder of `simulate`.")],
    as_json: AsJson = False,
    report: Annotated[
        Path | None, typer.Option(help="Also write all tables and figures: one .html file.")
    ] = None,
) -> None:
    """Measure a model on the test people of a simulation: every metric, its floor and interval."""
    from cavae import simulation, simulation_evaluation

    if report is not None:
        require_output(report, formats=(".html",))
    loaded, simulated = load_model(model), simulation.read_simulation(data)
    figures = simulation_evaluation.evaluate_simulation(loaded, simulated)
    if report is not None:
        from cavae.report import report_of_simulation, save_report

        save_report(report_of_simulation(loaded, simulated, figures, data.name).html(), report)
    _tell(json.dumps(figures.answer(), allow_nan=False) if as_json else figures.report())
    _say(figures.notices)


@app.command()
def ablation(
    data: Annotated[Path, typer.Option(help="Folder of `simulate`.")],
    output: Annotated[Path, typer.Option(help="Folder to write the tables and figures into.")],
    folds: Annotated[int, typer.Option(help="Folds of Figure A1.")] = 5,
    scheduler: Scheduler = "local",
) -> None:
    """Train and measure every variant of the paper: Table A1 with intervals, and Figure A1."""
    from cavae.ablation_runs import Effort, run_ablation

    effort = Effort(folds=folds)
    kept = f"Nothing was written to {output}: the tables are written when all is measured."
    with _progress("Ablation", 1000, lambda: kept) as bar:
        run_ablation(
            data, output, effort, scheduler, lambda share: bar.update(int(1000 * share) - bar.pos)
        )
    _tell(f"Table A1 and Figure A1 written to {output}.")


@app.command()
def sweep(
    output: Annotated[Path, typer.Option(help="Folder of runs.csv and summary.csv.")],
    volumes: VolumesIfAny = None,
    participants: Participants = None,
    data: Simulated = None,
    background: Background = "CN",
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="Labels of the diseased, by comma; given again, another cohort. MCI,AD by default."
        ),
    ] = None,
    lambdas: Annotated[str, typer.Option(help="Values of λ, by comma.")] = "100",
    seeds: Annotated[str, typer.Option(help="Seeds, by comma.")] = "0",
    folds: Annotated[int, typer.Option(help="In how many parts people are held out.")] = 3,
    variants: Annotated[
        str, typer.Option(help="contrastive, conditional, total-correlation, by comma.")
    ] = DEFAULT_VARIANT,
    preset: Annotated[
        str, typer.Option(help="paper, calibrated, or both by comma; the usual one of a variant.")
    ] = "",
    epochs: Annotated[int, typer.Option(help="At most so many epochs.")] = 500,
    latent: Latent = 5,
    scheduler: Scheduler = "local",
    as_json: AsJson = False,
) -> None:
    """Train every combination of settings and measure each on people held out; goes on where a
    sweep into the same folder was stopped."""
    from cavae.experiments import SIMULATED
    from cavae.simulation import read_simulation
    from cavae.sweep import RUNS_FILE, Cohorts, Grid, answer, read_runs, report
    from cavae.sweep_runs import run_sweep

    _require_one(volumes, data)
    cohorts = tuple(Cohorts(_labels(background), _labels(one)) for one in target or ["MCI,AD"])
    if data is not None:
        cohorts = (Cohorts(SIMULATED["background"], SIMULATED["target"]),)
    grid = Grid(
        lambdas=_numbers("lambdas", lambdas, float),
        seeds=_numbers("seeds", seeds, int),
        folds=folds,
        variants=_words(variants),
        presets=_words(preset),
        cohorts=cohorts,
        epochs=epochs,
        latent=latent,
    )
    remarks: list[str] = []
    if data is not None:
        people = read_simulation(data)
    else:
        table = _usable(read_cohort(volumes, participants))
        people, remarks = table.cohort, list(_remarks(table))
    count = len(grid.cells())

    def kept() -> str:
        ended = answer(read_runs(output), grid)["done"]
        return (
            f"{ended} of {count} trainings are kept in {output / RUNS_FILE}; the same command goes "
            "on from there."
        )

    with _progress("Sweep", count, kept) as bar:
        runs = run_sweep(
            people, grid, output, scheduler, lambda ended, _: bar.update(ended - bar.pos)
        )
    told = answer(runs, grid)
    _tell(json.dumps(told, allow_nan=False) if as_json else report(told, output))
    _say(remarks)


@app.command()
def benchmark(as_json: AsJson = False) -> None:
    """Measure how fast this machine trains, encodes, decodes, samples and opens Home (minutes)."""
    from cavae.benchmark import Workload, run_benchmark

    show = sys.stderr.isatty()
    figures = run_benchmark(
        Workload(), lambda step: _tell(f"Measuring {step} …", err=True) if show else None
    )
    if as_json:
        typer.echo(json.dumps(figures, allow_nan=False))
        return
    for name, value in figures.items():
        _tell(f"{name}: {value:,.4g}")


@app.command()
def explorer(
    output: Annotated[Path, typer.Option(help="File to write: .html.")],
    model: ModelName = DEFAULT_MODEL,
) -> None:
    """Write the live explorer with synthetic people as one HTML file that works offline."""
    require_output(output, formats=(".html",))
    from cavae import explorer as core

    with whole_file(output) as stream:
        stream.write(core.export_html(core.bundled_data(load_model(model))).encode())
    _tell(f"Explorer written to {output}; open it in a browser.")


@app.command("fit-reference", hidden=True)
def fit_reference(
    data: Annotated[Path, typer.Option(help="Folder of the centile, IXI and Study1 tables.")],
    output: Annotated[Path, typer.Option(help="Asset to write.")] = ASSETS / "reference.json",
) -> None:
    """Fit the reference cohort again."""
    from cavae.pretraining import read_ad_mci
    from cavae.reference import fitting

    fitting.save_reference(fitting.fit_reference(read_ad_mci(data), data), output)


@app.command(hidden=True)
def pretrain(
    data: Annotated[Path, typer.Option(help="Folder with the IXI and Study1 tables.")],
    output: Annotated[Path, typer.Option(help="Folder of the models.")] = PRETRAINED,
    demo: Annotated[Path, typer.Option(help="File of the demo cohort.")] = DEMO_COHORT,
) -> None:
    """Make the models in the box again, with their cards, and the demo cohort."""
    from cavae.pretraining import pretrain_ad_mci, pretrain_semi_synthetic

    for trained, name in (
        (pretrain_ad_mci(data, output, demo), "ad-mci"),
        (pretrain_semi_synthetic(output), "semi-synthetic"),
    ):
        _tell(f"Model written to {output / name} (best epoch {trained.best_epoch}).")


def _found(result: Check) -> str:
    if result.cohort.kind == "muse":
        return f"{result.rois} of 139 ROIs"
    return f"no ROIs, {len(result.recognition.features)} other features to train a model on"


def _given(settings: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in settings.items() if value is not None}


def _require_one(volumes: Path | None, data: Path | None) -> None:
    """Refuse both and neither of a table and a simulation."""
    if (volumes is None) == (data is None):
        raise ConfigError("Give either --volumes or --data.")


def _labels(text: str) -> tuple[str, ...]:
    """Labels by comma, under the names that reading a table gives them: HC is CN."""
    return tuple(diagnosis_label(label) for label in text.split(",") if label.strip())


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _numbers(option: str, text: str, kind: Callable[[str], float]) -> tuple:
    try:
        return tuple(kind(word) for word in _words(text))
    except ValueError as error:
        accepted = "whole numbers" if kind is int else "numbers"
        raise ConfigError(f"{option} is {text!r}; accepted: {accepted}, by comma.") from error


class _StoppedError(Exception):
    """Ctrl-C, and in a sentence what is kept."""


@contextmanager
def _progress(label: str, length: int, kept: Callable[[], str]) -> Iterator[Any]:
    """A bar on a terminal while something long is done; says what is kept when Ctrl-C ends it."""
    hidden = not sys.stderr.isatty()
    try:
        with typer.progressbar(length=length, label=label, file=sys.stderr, hidden=hidden) as bar:
            yield bar
    except KeyboardInterrupt as error:
        raise _StoppedError(f"Stopped. {kept()}") from error


def _model_and_table(
    model: str, volumes: Path, participants: Path | None, output: Path
) -> tuple[Model, Check]:
    """Read the table and load the model; refuse a bad output before any work."""
    require_output(output, volumes, participants)
    table = _usable(read_cohort(volumes, participants))
    return load_model(model), table


def _usable(table: Check) -> Check:
    """The table, unless nobody in it can be used."""
    if not len(table.cohort):
        first = f" The first problem: {table.problems[0].message}" if table.problems else ""
        raise DataError(f"None of {numbers.people(table.rows)} can be used.{first}")
    return table


def _remarks(table: Check) -> Iterator[str]:
    """What was assumed, what is wrong with the table as a whole, who was left out."""
    yield from table.notices
    yield from (problem.message for problem in table.problems if problem.row is None)
    left_out = table.rows - table.usable
    if left_out:
        yield f"{left_out} of {numbers.people(table.rows)} left out; `check` lists the problems."


def _tell(text: str, err: bool = False) -> None:
    """Say it in the terminal, which nothing that stands in a stranger's table may steer."""
    seen = ("�" if c != "\n" and unicodedata.category(c) in ("Cc", "Cf") else c for c in text)
    typer.echo("".join(seen), err=err)


def _say(sentences: Iterable[str]) -> None:
    """Remarks go to standard error, after the work: a failure has one line there, its own."""
    for sentence in sentences:
        _tell(sentence, err=True)


def main() -> int:
    """Run a command; bad input gives exit status 2 and one line on standard error, Ctrl-C 130."""
    use_one_thread()
    try:
        status = app(standalone_mode=False)
    except CavaeError as error:
        return _refuse(str(error))
    except _StoppedError as stopped:
        return _end(str(stopped))
    except OSError as error:
        if not error.filename:
            raise
        return _refuse(f"{shown(error.filename)!r} cannot be used: {error.strerror}.")
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            _tell(error.format_message(), err=True)
            return 2
        return _refuse(error.format_message())
    if status == INTERRUPTED:
        return _end("Stopped.")
    return status if isinstance(status, int) else 0


def _end(message: str) -> int:
    _tell(f"\n{message}", err=True)
    return INTERRUPTED


def _refuse(message: str) -> int:
    _tell("Error: " + " ".join(message.split()), err=True)
    return 2


if __name__ == "__main__":
    sys.exit(main())
