"""From volumes to standardized values and back (paper, section 4.1).

Sites are harmonized with ComBat-GAM, age, sex and ICV are removed by a linear model, and the rest
is divided by its standard deviation; all of it is fitted on the background training cohort alone
and kept as plain arrays, so that the way back to mm³ is exact.
"""

from cavae.preprocessing.adaptation import Adaptation
from cavae.preprocessing.population import Population
from cavae.preprocessing.preprocessor import (
    HARMONIZED,
    Preprocessor,
    Standardized,
    fit_preprocessor,
)

__all__ = [
    "HARMONIZED",
    "Adaptation",
    "Population",
    "Preprocessor",
    "Standardized",
    "fit_preprocessor",
]
