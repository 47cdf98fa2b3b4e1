"""Ours beside others' in one run: `python -m tests.benchmarks.rivals PYTHON`, one JSON object.

PYTHON is the interpreter of another environment, with `pip install torch scvi-tools sdv pyarrow` in
it; the licence of SDV keeps it out of ours. Each measures itself, so that imports do not count:

- 500 epochs on 1050 + 1050 people, 139 regions, batches of 256, hidden layers of 128 and 5 + 5
  latent dimensions: ours by the preset paper with its MMD, and the contrastive VAE of scvi-tools
  (ContrastiveVI), which has no MMD;
- people a second that are drawn into a table: ours in pairs, and SDV's Gaussian copula, each from a
  model of the same 1050 people.

Ours and theirs take turns, so that a machine that slows down slows both; ratios are medians.
"""

import json
import statistics
import subprocess
import sys

RUNS = 3
OURS_TRAIN = """
import time, numpy as np
from cavae.config import ModelConfig, train_config
from cavae.optimization import Problem, fit_networks
from cavae.threads import one_thread
generator = np.random.default_rng(0)
people = [generator.standard_normal((1050, 139)) for _ in range(2)]
held_out = [generator.standard_normal((450, 139)) for _ in range(2)]
config = train_config("paper", mmd_weight=10.0, epochs=500, patience=500, device="cpu")
problem = Problem(ModelConfig(tuple(map(str, range(139)))), config, people, held_out)
with one_thread():
    started = time.perf_counter()
    fit_networks([problem])
    print(time.perf_counter() - started)
"""
THEIR_TRAIN = """
import logging, time, warnings, anndata, numpy as np, scvi
warnings.filterwarnings("ignore")
scvi.settings.verbosity = logging.ERROR
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
counts = np.random.default_rng(0).poisson(100, (2100, 139)).astype(np.float32)
data = anndata.AnnData(counts)
scvi.external.ContrastiveVI.setup_anndata(data)
model = scvi.external.ContrastiveVI(
    data, n_hidden=128, n_background_latent=5, n_salient_latent=5, n_layers=1)
started = time.perf_counter()
model.train(background_indices=list(range(1050)), target_indices=list(range(1050, 2100)),
    max_epochs=500, batch_size=256, train_size=1.0, early_stopping=False, accelerator="cpu",
    enable_progress_bar=False, logger=False, enable_checkpointing=False)
print(time.perf_counter() - started)
"""
OURS_DRAW = """
import tempfile, time, pathlib
from cavae.checkpoint import load_model
from cavae.synthesis import SampleRequest, sample_chunks
from cavae.tables import save_table
model, pairs = load_model("semi-synthetic"), 25_000
with tempfile.TemporaryDirectory() as folder:
    started = time.perf_counter()
    parts = (part.table() for part in sample_chunks(model, SampleRequest(pairs)))
    save_table(parts, pathlib.Path(folder) / "pairs.parquet")
    print(2 * pairs / (time.perf_counter() - started))
"""
THEIR_DRAW = """
import tempfile, time, pathlib, warnings, numpy as np, pandas as pd
warnings.filterwarnings("ignore")
from sdv.metadata import Metadata
from sdv.single_table import GaussianCopulaSynthesizer
mixed = np.random.default_rng(0).standard_normal((1050, 139)) @ np.linalg.qr(
    np.random.default_rng(1).standard_normal((139, 139)))[0]
table = pd.DataFrame(mixed, columns=[f"r{k}" for k in range(139)])
columns = {column: {"sdtype": "numerical"} for column in table}
metadata = Metadata.load_from_dict({"tables": {"people": {"columns": columns}}})
synthesizer = GaussianCopulaSynthesizer(metadata, default_distribution="norm")
synthesizer.fit({"people": table})
with tempfile.TemporaryDirectory() as folder:
    started = time.perf_counter()
    synthesizer.sample(50_000)["people"].to_parquet(pathlib.Path(folder) / "people.parquet")
    print(50_000 / (time.perf_counter() - started))
"""


def measured(python: str, code: str) -> float:
    """The figure that a program prints last."""
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{python} failed: {done.stderr.strip().splitlines()[-1]}")
    return float(done.stdout.split()[-1])


def compare(theirs: str, our_code: str, their_code: str) -> dict[str, float]:
    """Medians of both, and of theirs in multiples of ours, turn by turn."""
    turns = [
        (measured(sys.executable, our_code), measured(theirs, their_code)) for _ in range(RUNS)
    ]
    return {
        "ours": round(statistics.median(ours for ours, _ in turns), 2),
        "theirs": round(statistics.median(others for _, others in turns), 2),
        "theirs_by_ours": round(statistics.median(others / ours for ours, others in turns), 3),
    }


def main() -> None:
    """Print all comparisons."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    theirs = sys.argv[1]
    report = {
        "training_seconds_scvi": compare(theirs, OURS_TRAIN, THEIR_TRAIN),
        "people_per_second_sdv": compare(theirs, OURS_DRAW, THEIR_DRAW),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
