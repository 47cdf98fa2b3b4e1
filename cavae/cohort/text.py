"""Strangers' text: made safe to show, compared without its spelling, read as numbers."""

import contextlib
import difflib
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

SHOWN_LENGTH = 60
_NO_VALUE = """na n/a n.a. nan null none missing . - -- ? <na> nat
#n/a #na #null! #value! #div/0! #num! #ref! #name?"""
MISSING = frozenset(["", *_NO_VALUE.split()])
"""What people write into a cell that has no value, in lower case."""

_GROUPS = r"[+-]?\d{1,3}(?:[%s]\d{3})+(?:[%s]\d+)?"
_GROUPED_WITH_POINT = re.compile(_GROUPS % (",' \u00a0\u202f", "."))
_GROUPED_WITH_COMMA = re.compile(_GROUPS % (".' \u00a0\u202f", ","))


def shown(text: object) -> str:
    """The text as a sentence may quote it: one line, no control characters, 60 characters."""
    plain = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in str(text)[:500])
    plain = " ".join(plain.split())
    return plain if len(plain) <= SHOWN_LENGTH else plain[: SHOWN_LENGTH - 1] + "…"


def quoted(text: object) -> str:
    """`shown` in double quotes."""
    return f'"{shown(text)}"'


def listed(texts: Iterable[object], most: int = 10) -> str:
    """The first `most` of the texts, quoted and separated by commas, "…" when there are more."""
    texts = list(texts)
    return ", ".join(map(quoted, texts[:most])) + (", …" if len(texts) > most else "")


def counted(number: int, one: str, more: str | None = None) -> str:
    """The number with its noun: "1 row", "2,000 rows"."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def squashed(text: str) -> str:
    """Lower case letters and digits only: "Age (years)" and "AGE_years" become "ageyears"."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in plain if c.isalnum())


def closest(name: str, names: Sequence[str]) -> list[str]:
    """Up to three of the names that are spelled most like `name`, best first."""
    by_key = {squashed(one): one for one in reversed(names)}
    keys = difflib.get_close_matches(squashed(name), list(by_key), n=3, cutoff=0.5)
    return [by_key[key] for key in keys]


def missing(cells: pd.Series) -> np.ndarray:
    """Which cells hold no value: (n,) bool."""
    return cells.isin([text for text in set(cells) if text.lower() in MISSING]).to_numpy()


def to_numbers(cells: pd.Series, decimal_comma: bool = False) -> np.ndarray:
    """The cells as numbers, (n,) float64; NaN where a cell is missing or not a number.

    Thousands may be grouped by commas, apostrophes or spaces, by points when the decimal sign is
    a comma. "inf" stays infinite.
    """
    joined = "\0".join(cells)
    if "_" not in joined and not (decimal_comma and "." in joined):
        plain = joined.replace(",", ".").split("\0") if decimal_comma else cells
        with contextlib.suppress(ValueError):  # some cell is not a number
            return np.array(plain, dtype=object).astype(float)
    read = {text: _number(text, decimal_comma) for text in set(cells)}
    return cells.map(read).to_numpy(dtype=float)


def _number(text: str, decimal_comma: bool) -> float:
    plain = text.replace(",", ".") if decimal_comma and "." not in text else text
    try:
        return math.nan if "_" in plain else float(plain)  # float() takes "1_000" for a number
    except ValueError:
        pass
    pattern = _GROUPED_WITH_COMMA if decimal_comma else _GROUPED_WITH_POINT
    if not pattern.fullmatch(text):
        return math.nan
    decimal = "," if decimal_comma else "."
    return float(re.sub(rf"[^\d{decimal}+-]", "", text).replace(",", "."))
