"""How fast everything is on this machine: the figures of `python -m cavae benchmark`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cavae.checkpoint import DEFAULT_MODEL, Model, load_model
from cavae.config import train_config
from cavae.errors import CavaeError
from cavae.experiments import SIMULATED, split_of
from cavae.simulation import simulate
from cavae.synthesis import SampleRequest, decode, encode_standardized, sample_chunks
from cavae.tables import save_table
from cavae.tasks import Task, run_tasks
from cavae.threads import one_thread
from cavae.training import Run, Split, train_together

ROOT = Path(__file__).resolve().parent.parent
MODELS = 8  # trained side by side
CALLS = 200  # of which the median is the latency
HOME = (
    "from streamlit.testing.v1 import AppTest;"
    "assert not AppTest.from_file('app.py', default_timeout=60).run().exception"
)


@dataclass(frozen=True)
class Workload:
    """How much is done; people come half and half, 54 % of them to learn from."""

    people: int = 3900
    epochs: int = 500
    pairs: int = 50_000
    many_pairs: int = 1_000_000


def run_benchmark(
    workload: Workload, on_step: Callable[[str], None] = lambda _: None
) -> dict[str, float]:
    """Seconds, milliseconds, pairs a second and megabytes by the names that CONTRACT gives them.

    `on_step` is told what is measured next. Everything is synthetic and ends in a temporary folder.
    """
    split = split_of(simulate(workload.people, 0))
    on_step(f"training, {workload.epochs} epochs")
    one = _seconds(lambda: _train(split, workload.epochs, [0]))
    on_step(f"training {MODELS} models side by side")
    eight = _seconds(lambda: _train_many(split, workload.epochs))
    on_step("encoding and decoding one person")
    model = load_model(DEFAULT_MODEL)
    encode_ms, decode_ms = _latencies(model)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "pairs.parquet"
        on_step(f"sampling {workload.pairs:,} pairs to Parquet")
        pairs = _seconds(lambda: _sample(model, workload.pairs, output))
        on_step(f"sampling {workload.many_pairs:,} pairs to Parquet, in a process of its own")
        sample = ["-m", "cavae", "sample", f"--pairs={workload.many_pairs}", f"--output={output}"]
        many, peak = _run_python(sample)
    on_step("opening Home, in a process of its own")
    home, _ = _run_python(["-c", HOME])
    return {
        "train_seconds_500_epochs": one,
        "ensemble8_ratio": eight / one,
        "encode_ms": encode_ms,
        "decode_ms": decode_ms,
        "pairs_per_second": workload.pairs / pairs,
        "million_pairs_seconds": many,
        "million_pairs_peak_mb": peak,
        "home_import_seconds": home,
    }


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _train(split: Split, epochs: int, seeds: Sequence[int]) -> None:
    """All epochs, whatever the validation people say; several seeds together."""
    settings = {**SIMULATED, "epochs": epochs, "patience": epochs, "device": "cpu"}
    train_together([Run(split, train_config(**settings, seed=seed)) for seed in seeds])


def _train_many(split: Split, epochs: int) -> None:
    half = MODELS // 2
    tasks = [Task(_train, (split, epochs, range(k, k + half))) for k in (0, half)]
    for _ in run_tasks(tasks):
        pass


def _latencies(model: Model) -> tuple[float, float]:
    """Milliseconds to encode and to decode one person: medians of CALLS."""
    person = np.zeros((1, len(model.config.features)))
    nothing = np.zeros((1, model.config.latent))
    with one_thread():
        return (
            1000 * _median_seconds(lambda: encode_standardized(model, person)),
            1000 * _median_seconds(lambda: decode(model, nothing, nothing)),
        )


def _median_seconds(work: Callable[[], object]) -> float:
    work()
    return statistics.median(_seconds(work) for _ in range(CALLS))


def _sample(model: Model, pairs: int, output: Path) -> None:
    save_table((part.table() for part in sample_chunks(model, SampleRequest(pairs))), output)


def _run_python(arguments: list[str]) -> tuple[float, float]:
    """Wall seconds and peak memory (MB, the operating system's figure) of a fresh interpreter.

    Raises CavaeError with the last line of what it said when it fails.
    """
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        if process.returncode:
            said.seek(0)
            last = said.read().decode(errors="replace").strip().splitlines()[-1:]
            raise CavaeError(f"A measured command failed: {''.join(last)}")
    return seconds, used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1024)
