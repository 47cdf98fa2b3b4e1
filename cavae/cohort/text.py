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

_GROUPS = r"[+-]?[1-9]\d{0,2}(?:[%s]\d{3})+(?:[%s]\d+)?"
_GAPS = "'’ \u00a0\u2009\u202f"  # between thousands wherever the decimal sign is
_GROUPED_WITH_POINT = re.compile(_GROUPS % ("," + _GAPS, "."))
_GROUPED_WITH_COMMA = re.compile(_GROUPS % ("." + _GAPS, ","))
ONE_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
"""Thousands where points and commas group them, else a number with three decimals."""
_FRACTIONS = {sign: re.compile(rf"[+-]?\d+{re.escape(sign)}\d+(?:[eE][+-]?\d+)?") for sign in ".,"}


def shown(text: object) -> str:
    """The text as a sentence may quote it: one line, no control characters, 60 characters."""
    plain = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in str(text)[:500])
    plain = " ".join(plain.split())
    return plain if len(plain) <= SHOWN_LENGTH else plain[: SHOWN_LENGTH - 1] + "…"


def has_invisible(text: str) -> bool:
    """Whether there are control characters, marks of writing direction and the like in it."""
    return not text.isprintable() and any(unicodedata.category(c)[0] == "C" for c in text)


def quoted(text: object) -> str:
    """`shown` in double quotes."""
    return f'"{shown(text)}"'


def file_name(path: str) -> str:
    """The last part of a path by a stranger, whatever machine it was written for."""
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1]


def listed(texts: Iterable[object], most: int = 10) -> str:
    """The first `most` of the texts, quoted and separated by commas, "…" when there are more."""
    texts = list(texts)
    return ", ".join(map(quoted, texts[:most])) + (", …" if len(texts) > most else "")


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
    a comma. "inf" stays infinite. Where a column uses one sign for thousands and for decimals
    ("1,234" and "0,5"), cells that could be either are no numbers; a column of decimal points
    among others with decimal commas is read with points.
    """
    joined = "\0".join(cells)
    if "_" not in joined and not (decimal_comma and "." in joined):
        plain = joined.replace(",", ".").split("\0") if decimal_comma else cells
        with contextlib.suppress(ValueError):  # some cell is not a number
            return np.array(plain, dtype=object).astype(float)
    texts = set(cells)
    mixed = any(_is_fraction(text, "." if decimal_comma else ",") for text in texts)
    if decimal_comma and mixed and "," not in joined:
        return to_numbers(cells)
    read = {
        text: math.nan if mixed and ONE_GROUP.fullmatch(text) else _number(text, decimal_comma)
        for text in texts
    }
    return cells.map(read).to_numpy(dtype=float)


def _is_fraction(text: str, sign: str) -> bool:
    """Whether the sign can only be a decimal sign here."""
    return bool(_FRACTIONS[sign].fullmatch(text)) and not ONE_GROUP.fullmatch(text)


def _number(text: str, decimal_comma: bool) -> float:
    group, decimal = ".," if decimal_comma else ",."
    if "_" in text:  # float() takes "1_000" for a number
        return math.nan
    if group not in text or (decimal_comma and _is_fraction(text, ".")):
        with contextlib.suppress(ValueError):
            return float(text.replace(",", ".") if decimal_comma else text)
    pattern = _GROUPED_WITH_COMMA if decimal_comma else _GROUPED_WITH_POINT
    if not pattern.fullmatch(text):
        return math.nan
    return float(re.sub(rf"[^\d{decimal}+-]", "", text).replace(",", "."))
