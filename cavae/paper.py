"""What the paper reports of its own semi-synthetic experiment, for a table beside ours.

Its reference people (iSTAGING) are not ours: distances compare in kind, not to the decimal.
"""

from __future__ import annotations

import pandas as pd

REAL = "Semi-synthetic data"
CONDITIONAL = "Conditional VAE"
LAMBDA_0, LAMBDA_5, LAMBDA_10, LAMBDA_15 = (f"Contrastive VAE, λ = {n}" for n in (0, 5, 10, 15))
TOTAL_CORRELATION = "Contrastive VAE, TC loss"
CHOSEN = LAMBDA_10
"""The variant that the paper goes on with."""

METRICS = ("w2_target", "w2_background", "separation")
TABLE_A1 = {
    CONDITIONAL: ((59.45, 58.62, 62.45), (61.7, 60.79, 64.66), (12.48, 11.9, 14.94)),
    LAMBDA_0: ((62.18, 60.94, 65.29), (51.33, 50.73, 55.05), (14.99, 14.4, 16.81)),
    LAMBDA_5: ((59.98, 59.28, 62.82), (53.19, 52.25, 57.26), (15.01, 14.28, 17.08)),
    LAMBDA_10: ((60.47, 59.73, 63.15), (51.83, 51.42, 55.06), (15.16, 14.48, 17.35)),
    LAMBDA_15: ((62.05, 60.86, 64.91), (54.21, 52.99, 58.43), (14.86, 14.15, 16.91)),
    TOTAL_CORRELATION: ((61.14, 60.2, 64.14), (56.46, 55.34, 60.9), (13.58, 12.9, 15.75)),
}
"""Table A1: value and 95 % interval of each of METRICS, SD²."""

NO_INTERVAL = float("nan")
BESIDE_THE_TABLE = (
    (REAL, "separation", 20.36, NO_INTERVAL, NO_INTERVAL),  # Table A1, first row
    (CHOSEN, "completeness", 0.315, NO_INTERVAL, NO_INTERVAL),  # appendix A.1, Figure A1b
    (CHOSEN, "common_auc", 0.549, NO_INTERVAL, NO_INTERVAL),  # appendix A.1, Figure A1a
)


def table_a1() -> pd.DataFrame:
    """Columns variant, metric, value, low, high, as `ablation` writes them; nan: not reported."""
    rows = [
        (variant, metric, *figures)
        for variant, of_variant in TABLE_A1.items()
        for metric, figures in zip(METRICS, of_variant, strict=True)
    ]
    return pd.DataFrame(
        [*rows, *BESIDE_THE_TABLE], columns=["variant", "metric", "value", "low", "high"]
    )


def reported(variant: str = CHOSEN) -> dict[str, float]:
    """What the paper reports of a variant, by metric; empty when it reports nothing."""
    table = table_a1()
    return table[table["variant"] == variant].set_index("metric")["value"].to_dict()
