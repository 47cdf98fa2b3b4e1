"""Made-up tables of all 139 regions, and uploads of them in any spelling."""

import io

import numpy as np
import pandas as pd

from cavae.atlas import rois

INDICES = tuple(one.index for one in rois())


class Upload(io.BytesIO):
    """A named file in memory, as Streamlit hands it over."""

    def __init__(self, data: bytes | str, name: str = "table.csv"):
        super().__init__(data.encode() if isinstance(data, str) else data)
        self.name = name


def people(n: int = 40, seed: int = 0) -> pd.DataFrame:
    """A clean table: ID, Age, Sex, ICV, DX, SITE and 139 volumes in mm³; men have larger heads."""
    generator = np.random.default_rng(seed)
    male = np.arange(n) % 2 == 0
    head = np.where(male, 1.08, 0.95) * generator.normal(1, 0.02, n)
    scatter = generator.normal(1, 0.05, (n, len(INDICES)))
    volumes = np.array([one.typical for one in rois()]) * head[:, None] * scatter
    covariates = pd.DataFrame(
        {
            "ID": [f"S{i:03d}" for i in range(n)],
            "Age": generator.uniform(50, 90, n).round(1),
            "Sex": np.where(male, "M", "F"),
            "ICV": (1.45e6 * head).round(1),
            "DX": [("CN", "MCI", "AD")[i % 3] for i in range(n)],
            "SITE": "North",
        }
    )
    return pd.concat([covariates, pd.DataFrame(volumes.round(2), columns=list(INDICES))], axis=1)


def csv(table: pd.DataFrame, name: str = "table.csv", encoding: str = "utf-8", **how) -> Upload:
    """The table as an upload of CSV text."""
    return Upload(table.to_csv(index=False, **how).encode(encoding), name)


def parquet(table: pd.DataFrame) -> Upload:
    """The table as an upload of Parquet."""
    buffer = io.BytesIO()
    table.to_parquet(buffer)
    return Upload(buffer.getvalue(), "table.parquet")
