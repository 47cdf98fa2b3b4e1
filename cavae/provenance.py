"""Where a synthetic cohort comes from: the command that makes it again, and a record to keep."""

from __future__ import annotations

import hashlib
import json
import shlex
import tomllib
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from cavae.checkpoint import find_model, model_facts
from cavae.quality import Quality

if TYPE_CHECKING:
    from cavae.synthesis import SampleRequest

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
NOTE = (
    "Synthetic pairs of imagined people: none of them is a person. A twin is what the model "
    "expects without the disease, not a causal claim."
)
NOT_MEASURED = "Not measured when this model was made."


def sample_command(model_name: str, request: SampleRequest, output: str) -> str:
    """The command line that writes the same file: what the request leaves open is left out.

    A model in a folder is called by its name alone: where it lies here is nobody's business.
    """
    options: dict[str, object] = {
        "model": PurePath(model_name).name,
        **asdict(request),
        "output": output,
    }
    words = ["python", "-m", "cavae", "sample"]
    for name, value in options.items():
        if value is True:
            words.append(f"--{name}")
        elif value is not None and value is not False:
            words += [f"--{name}", _plain(value)]
    return shlex.join(words)


def sample_record(
    model_name: str, request: SampleRequest, file_name: str, made: datetime | None = None
) -> str:
    """What made a synthetic cohort, as JSON, to be kept beside the file of that name.

    `made` is the time of making, now when None. Raises CheckpointError when there is no such model.
    """
    record = {
        "file": file_name,
        "note": NOTE,
        "made": (made or datetime.now(UTC)).isoformat(timespec="seconds"),
        "model": {"name": PurePath(model_name).name, "weights_sha256": weights_sha256(model_name)},
        "settings": asdict(request),
        "unit": "SD" if request.standardized else "mm³",
        "command": sample_command(model_name, request, file_name),
        "quality": quality_record(model_name),
        "versions": {
            "cavae": project_version(),
            **{name: version(name) for name in ("torch", "numpy", "pandas")},
        },
    }
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def quality_record(model_name: str) -> dict[str, Any]:
    """How useful and how private the model's synthetic people are, see `Quality.record`; where it
    was not measured, measured_on says so. Raises CheckpointError without such a model."""
    quality = Quality.from_facts(model_facts(model_name))
    return {"measured_on": NOT_MEASURED} if quality is None else quality.record()


def weights_sha256(model_name: str) -> str:
    """SHA-256 of a model's weights, hexadecimal; raises CheckpointError without such a model."""
    weights = find_model(model_name) / "weights.safetensors"
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def project_version() -> str:
    """The version of this project, as pyproject.toml has it."""
    return tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["version"]


def _plain(value: object) -> str:
    """A number without needless digits: 75.0 is 75, 1400000.0 is 1400000."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)
