"""Arrays as text that a browser turns back into typed arrays, without loss."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def pack(values: ArrayLike, dtype: str) -> dict[str, Any]:
    """An array as dtype, shape and base64 of its little-endian bytes, row by row.

    dtype: a numpy one of those that browsers have: "f4", "f8", "i2", "i4" or "u2".
    """
    array = np.ascontiguousarray(values, dtype=f"<{dtype}")
    return {
        "dtype": dtype,
        "shape": list(array.shape),
        "base64": base64.b64encode(array.tobytes()).decode("ascii"),
    }
