"""Healthy people in any number: a generative reference in place of a cohort nobody may share.

Gaussian copula: `curves` says how each volume is distributed at an age and sex, `sampling` joins
them by the correlation of real healthy people, `fitting` estimates both and writes the asset.
"""

from cavae.reference.curves import Curves
from cavae.reference.sampling import (
    AGE_RANGE,
    REFERENCE,
    Reference,
    load_reference,
    sample_reference,
)

__all__ = ["AGE_RANGE", "REFERENCE", "Curves", "Reference", "load_reference", "sample_reference"]
