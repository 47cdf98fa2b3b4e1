"""What a column name says: a region of the atlas, a covariate, or nothing we know.

Pure functions of the name; the values are looked at elsewhere.
"""

import re
import unicodedata
from functools import lru_cache

from cavae.atlas import rois
from cavae.cohort.text import squashed

ICV_INDEX = "702"
NUMBERED_DIALECTS = ("47", "MUSE_47", "MUSE_Volume_47", "H_MUSE_Volume_47", "DL_MUSE_Volume_47")
NAMED_DIALECT = "names"

_LONGEST = 200
"""Characters of a name that may be one of ours."""
_PREFIXES = frozenset(["h", "dl", "muse", "dlmuse", "hmuse", "volume", "volumes", "vol", "roi"])
"""Words around an index or a name that do not change which region is meant."""
_UNIT = re.compile(
    r"(?<![\s_\-.(\[])[\s_\-.(\[]+(?:in[\s_])?(?:mm\W?3|cm\W?3|ml|cc)[)\]]*$", re.IGNORECASE
)
"""Tried once where a gap begins: at every place of it, a name of gaps alone would take minutes."""
_INDEX = re.compile(r"(.*?)(\d{1,3})(?:[.,]0+)?")
_SIDES = {"l": "L", "left": "L", "lh": "L", "r": "R", "right": "R", "rh": "R"}
_COMPOSITE = "corpuscallosum"
"""MUSE name of composite ROI 501, one word, not to be taken for the label of 95, two words."""

_WHO = "(pt|subject|subj|participant|patient)?"
_WHEN = "(at|in|of)?(first|scan|visit|mri|mr|imaging|entry|baseline|bl|exam|acquisition|test)?"
_STATES = "(cn|nc|hc|mci|ad|dementia|dem)*"
COVARIATE_NAMES: dict[str, tuple[str, ...]] = {
    "id": (
        "mrid",
        "(subject|participant|patient|subj|sub|person|case)(id|code|number|no|name|key)",
        "ptid|rid|eid|iid|id",
        "subject|participant|sub|subj",
        "(scan|image|session|mri)id",
        "scan|studyid|uniqueid|identifier|patient|case|person|name",
        "unnamed(column)?[0-9]+|index",
    ),
    "age": (f"{_WHO}(scan|entry|mri|visit)?age{_WHEN}(in)?(y|yr|yrs|years?|months?|days?)?",),
    "sex": (
        f"{_WHO}(biological)?(sex|gender)(atbirth|mf|fm|code|coded|num|bin)?",
        "(is)?(male|female)",
        "(sex|gender)([0-9][a-z0-9]{1,12}|((male|female|m|f)[0-2]){2})",
    ),
    "icv": ("(dl|muse|h|s|e|sb|t|fs)*(icv|tiv)", "(estimated|e)?(total)?intracranial(vol)?"),
    "diagnosis": (
        f"(clinical|baseline|bl|current|research)?(diagnosis|diag|dx){_STATES}"
        f"(bl|baseline|current|group|label|code|coded|bin|binary|status|text|name|{_WHEN})?",
        "(research|diagnostic|clinical|patient|disease|study)?group|(clinical|disease)status",
        f"(group|class)?label|{_STATES}label",
        "(is)?(patient|case|casecontrol|patientcontrol|control|mci|ad|dementia|alzheimers?)"
        "(status)?",
    ),
    "site": (
        "(acquisition|scan|imaging|mri|study)?site(id|name|code|no|number)?",
        "scanner(id|name|code|no|number)?|(acquisition|scan)?cent(er|re)(id|name|code)?",
        "study(name)?|dataset|cohort",
    ),
}
"""Patterns of the squashed name (letters and digits, lower case), the most telling first."""

FALLBACKS = ("id", "diagnosis", "site")
"""Covariates whose last pattern is a fallback."""
COVARIATE_KEYS = tuple(COVARIATE_NAMES)


def covariate_rank(name: str, key: str) -> int | None:
    """How well the column name fits the covariate: 0 is best, None is not at all."""
    if _too_long(name):
        return None
    plain = squashed(_bare(name))
    if key == "icv":
        if (numbered(name) or ("",))[0] == ICV_INDEX:
            return 0
        plain = "".join(word for word in _words(name) if word not in _PREFIXES)
    for rank, pattern in enumerate(COVARIATE_NAMES[key]):
        if plain and re.fullmatch(pattern, plain):
            return rank
    return None


def _too_long(name: str) -> bool:
    """Whether it is no name of ours by its length alone, so that no pattern looks through it.

    One character may stand for eighteen.
    """
    longest = max(len(name), len(unicodedata.normalize("NFKC", name[:_LONGEST])))
    return longest > _LONGEST


def age_unit(name: str) -> str | None:
    """ "months" or "days" where the name of an age says so, in which no age is read."""
    stated = re.search(r"(month|day)s$|^age(?:in)?(month|day)$", squashed(_bare(name)))
    return f"{stated[1] or stated[2]}s" if stated else None


def is_fallback(name: str, key: str) -> bool:
    """Whether the name fits only for want of a better one: the study for the site, the row names
    of R and pandas for the id, "patient" for the diagnosis.
    """
    return key in FALLBACKS and covariate_rank(name, key) == len(COVARIATE_NAMES[key]) - 1


def numbered(name: str) -> tuple[str, str] | None:
    """Index and spelling ("MUSE_Volume_47") of a column named by MUSE index, any index."""
    if _too_long(name):
        return None
    match = _INDEX.fullmatch(_bare(name))
    if not match or not set(_words(match[1])) <= _PREFIXES or match[2].startswith("0"):
        return None
    spelling = match[1] + "47"
    known = {dialect.casefold(): dialect for dialect in NUMBERED_DIALECTS}
    return match[2], known.get(spelling.casefold(), spelling)


def region(name: str) -> tuple[str, str] | None:
    """MUSE index and dialect of a column that is one of the 139 regions, else None."""
    if _too_long(name):
        return None
    by_number = numbered(name)
    if by_number:
        return by_number if by_number[0] in _indices() else None
    index = _by_words().get(_key(name))
    return (index, NAMED_DIALECT) if index else None


@lru_cache(maxsize=1)
def _indices() -> frozenset[str]:
    return frozenset(one.index for one in rois())


@lru_cache(maxsize=1)
def _by_words() -> dict[tuple[str, str], str]:
    """Words and side of every MUSE name and every label, to the MUSE index."""
    return {_key(spelling): one.index for one in rois() for spelling in (one.name, one.label)}


def _bare(name: str) -> str:
    """The name without a unit, and without what `reading` adds to a name that occurs twice."""
    plain = unicodedata.normalize("NFKC", name).strip()
    return _UNIT.sub("", re.sub(r" \(column \d+\)'*$", "", plain))


def _words(name: str) -> list[str]:
    plain = _bare(name)
    plain = re.sub(r"(?<=[a-z])([LR])$", r"_\1", plain)  # HippocampusR
    plain = re.sub(r"^(left|right)(?=[a-z])|(?<=[a-z])(left|right)$", r"_\1\2_", plain.casefold())
    return [word for word in re.split(r"[\W_]+", plain) if word]


def _key(name: str) -> tuple[str, str]:
    """The words of a name joined, and its side: "L", "R", "" (none said) or "?" (both said)."""
    words = [word for word in _words(name) if word not in _PREFIXES]
    if words == [_COMPOSITE]:
        return _COMPOSITE, "?"
    sides = {_SIDES[word] for word in words if word in _SIDES}
    side = "?" if len(sides) > 1 else "".join(sides)
    return "".join(word for word in words if word not in _SIDES), side
