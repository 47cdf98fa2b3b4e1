"""What the chosen model makes of the loaded people, computed once a session and shared by pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cavae.ui import models, state

if TYPE_CHECKING:
    import pandas as pd

    from cavae.cohort import Cohort
    from cavae.synthesis import Encoding, Twins


def encoding(cohort: Cohort) -> Encoding:
    """The loaded cohort in latent space; raises DataError when the model cannot read it."""
    return state.once("encoding", lambda: _encode(cohort))


def twins(cohort: Cohort, twin: str = "residual") -> Twins:
    """Healthy twins and effects of the loaded cohort, "residual" or "paper"; raises DataError."""
    return state.once(f"twins {twin}", lambda: _twins(cohort, twin))


def memberships(cohort: Cohort) -> pd.DataFrame:
    """To which subtypes the loaded people belong, the table of the command `subtypes`."""

    def compute() -> pd.DataFrame:
        from cavae.subtypes import membership_table

        return membership_table(models.current_model(), encoding(cohort))

    return state.once("memberships", compute)


def _encode(cohort: Cohort) -> Encoding:
    model = models.current_model()  # first: it brings torch, and says so while people wait
    from cavae.synthesis import encode

    return encode(model, cohort)


def _twins(cohort: Cohort, twin: str) -> Twins:
    model = models.current_model()
    from cavae.synthesis import healthy_twins

    return healthy_twins(model, encoding(cohort), twin)
