"""What the mean of a decoder leaves out, measured after training on the training data.

The decoder alone makes cohorts far too narrow, and the effect it decodes is blurred: salient s
also follows healthy variation, and the KL term shrinks it. Calibrated, a pair (standardized
target x, healthy twin y) is

    y = decode(z, 0) + shift + r,     r ~ N(0, residual), drawn once a pair and shared
    x = y + e,                        e ~ N(expected effect(z, s) + share * (y - mean), scatter)

s lies in a Gaussian mixture, whose components are subtypes, or near the salient latents of healthy
people. With g = decode(z, s) - decode(z, 0), which is 0 for s = 0, the expected effect of somebody
of subtype k is effects_k + reliability_k * (g - decoded_k) in the regions that subtype k affects
and 0 elsewhere: the mean difference of its people from background, and as much of the decoded
departure from its mean as the data bear out. Atrophy takes a share of what is there:
share = effects_k / size with size the mean volume in SD. Scatter is how much the same disease
differs from person to person beyond that: in all regions together by severity_k * effects_k, and
in each on its own by spread * effects_k (both SD).

`parameters` holds what was measured and what follows from it; `reading` reads people with it;
`fitting` measures it.
"""

from cavae.calibration.fitting import fit_calibration
from cavae.calibration.parameters import Calibration
from cavae.calibration.reading import Reading, read_people

__all__ = ["Calibration", "Reading", "fit_calibration", "read_people"]
