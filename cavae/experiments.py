"""Runs that end in a model folder, with figures on people that the model was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from cavae.card import facts, write_card
from cavae.checkpoint import save_model
from cavae.cohort import join_cohorts
from cavae.config import DEFAULT_VARIANT, TrainConfig
from cavae.errors import Stopped
from cavae.evaluation import Figure, evaluate_cohort
from cavae.fidelity import fidelity_figures
from cavae.optimization import OnProgress
from cavae.quality import STEPS, OnStep, Quality, measure_quality
from cavae.simulation import SemiSynthetic, read_simulation
from cavae.threads import one_thread
from cavae.training import Interim, Split, TrainedModel, train

SEPARATION = "how well it tells people apart"
MEASURING = (SEPARATION, *STEPS)
STOPPED = "Not measured: it was stopped before that."
INTERIM = "Not measured, interim: this is the best so far of a training that went on."

# Labels of the semi-synthetic experiment, and the λ that the paper has for it (section 4.2).
SIMULATED = {"background": ("CN",), "target": ("patient",), "mmd_weight": 10.0}


@one_thread()
def train_and_save(
    split: Split,
    config: TrainConfig,
    folder: Path,
    trained_on: str,
    latent: int = 5,
    on_progress: OnProgress | None = None,
    variant: str = DEFAULT_VARIANT,
    interim: Interim | None = None,
    on_step: OnStep = lambda _: None,
) -> TrainedModel:
    """Train and write the model folder, its card with figures on the validation people; those of
    what it generates are measured on the test people, if there are any.

    `interim` is handed what was trained before anything is measured, too. `on_step` is called with
    each of MEASURING when it begins; it ends measuring by raising Stopped, and what was measured
    until then is in the card.
    """
    trained = train(split, config, latent, on_progress, variant, interim)
    if interim is not None:
        interim.keep(trained)
    figures: tuple[Figure, ...] = ()
    quality, measured_on = None, STOPPED
    with suppress(Stopped):
        on_step(SEPARATION)
        figures = evaluate_cohort(trained, split.validation)
        figures += fidelity_figures(trained, split.train, split.validation)
        measured_on = (
            f"Measured on the {len(split.validation)} people that training was monitored with. "
            "They had a part in choosing the epoch: read these figures as a first impression."
        )
        quality = _quality_apart(trained, split, measured_on, on_step)
    save_trained(trained, folder, trained_on, figures, measured_on, quality=quality)
    return trained


def _quality_apart(
    trained: TrainedModel, split: Split, of_validation: str, on_step: OnStep
) -> Quality | None:
    """Quality on the test people, and without any on the validation people."""
    if split.test is None:
        quality = measure_quality(trained, split.train, split.validation, on_step=on_step)
        measured_on = of_validation
    else:
        quality = measure_quality(
            trained, split.train, split.test, split.validation, on_step=on_step
        )
        measured_on = f"Measured on {len(split.test):,} test people, who had no part in training."
    return None if quality is None else replace(quality, measured_on=measured_on)


def simulated_split(folder: Path) -> Split:
    """The people of a semi-synthetic experiment written by `simulate`."""
    return split_of(read_simulation(folder))


def split_of(simulated: SemiSynthetic) -> Split:
    """Background and target people of a semi-synthetic experiment, by the part they have in it."""
    return Split(
        *(
            join_cohorts([simulated.background[part], simulated.target[part]])
            for part in ("train", "validation", "test")
        )
    )


def save_trained(
    trained: TrainedModel,
    folder: Path,
    trained_on: str,
    figures: Sequence[Figure] = (),
    measured_on: str = "Not measured.",
    sources: str = "",
    command: str = "python -m cavae train",
    quality: Quality | None = None,
) -> None:
    """Write the model folder with a card."""
    if quality is not None:
        quality = replace(quality, command=command)
    card = write_card(
        trained, folder.name, sources or trained_on, figures, measured_on, command, quality
    )
    save_model(trained, folder, card, facts(trained, trained_on, figures, measured_on, quality))
