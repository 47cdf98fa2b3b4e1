"""What the chosen model makes of the loaded people, computed once a session and shared by pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cavae.ui import models, state

if TYPE_CHECKING:
    from cavae.cohort import Cohort
    from cavae.synthesis import Encoding, Twins


def encoding(cohort: Cohort) -> Encoding:
    """The loaded cohort in latent space; raises DataError when the model cannot read it."""
    from cavae.synthesis import encode

    return state.once("encoding", lambda: encode(models.current_model(), cohort))


def twins(cohort: Cohort, twin: str = "residual") -> Twins:
    """Healthy twins and effects of the loaded cohort, "residual" or "paper"; raises DataError."""
    from cavae.synthesis import healthy_twins

    return state.once(
        f"twins {twin}", lambda: healthy_twins(models.current_model(), encoding(cohort), twin)
    )
