"""Sex and diagnosis, from the many ways people write them to one."""

import re
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd

from cavae.cohort.plausibility import MIN_GROUP, clearly_smaller
from cavae.cohort.text import listed, missing, quoted, squashed
from cavae.numbers import counted

_SEX = dict.fromkeys(("m", "male", "man", "men", "boy"), "M") | dict.fromkeys(
    ("f", "female", "w", "woman", "women", "girl"), "F"
)
_YES_NO = {"true": "1", "yes": "1", "false": "0", "no": "0"}

_DIAGNOSES = {
    "CN": "0 cn nc hc nl cu control controls ctrl healthy normal healthycontrol healthycontrols "
    "normalcontrol normalcontrols cognitivelynormal cognitivelyunimpaired cognitivelyhealthy "
    "nondemented nodementia",
    "MCI": "mci emci lmci amci earlymci latemci mildcognitiveimpairment amnesticmci",
    "AD": "ad dat dementia demented alzheimer alzheimers alzheimerdisease alzheimersdisease "
    "alzheimersdementia alzheimerdementia addementia probablead dementiaalzheimertype "
    "dementiaofalzheimertype dementiaofthealzheimertype",
}
_SIGNS = ("+", "-", "−", "–")
_LABELS = {word: label for label, words in _DIAGNOSES.items() for word in words.split()}


def diagnosis_label(text: str) -> str:
    """The label that a diagnosis goes by here: "HC" is "CN"; words nobody knows stay as written.

    "AD-" is not "AD": a sign at the end says whether somebody has it.
    """
    plain = text.strip()
    return plain if plain.endswith(_SIGNS) else _LABELS.get(squashed(plain), plain)


def codes(cells: pd.Series) -> np.ndarray:
    """The cells with "1.0" and "01" written "1" and yes/no as 1/0; "" where there is no value."""
    plain = cells.str.replace(r"^\+?(?:0(?=\d))*+(\d{1,20})(?:[.,]0*)?$", r"\1", regex=True)
    plain = plain.where(~missing(cells), "")
    words = plain.str.lower()
    if set(words) <= {*_YES_NO, ""}:
        plain = words.map({**_YES_NO, "": ""})
    return plain.to_numpy(dtype=object)


def are_groups(cells: pd.Series) -> bool:
    """Whether the cells say who belongs together (0/1, case/control) and not who is who."""
    present = [code for code in codes(cells) if code]
    return set(present) <= {"0", "1"} or len(set(present)) <= min(5, len(present) - 1)


def decode_sex(
    cells: pd.Series, column: str, size: np.ndarray | None = None
) -> tuple[np.ndarray, list[str]]:
    """Sex as "F", "M" or "" (unknown), (n,) str, and notices of what was assumed.

    Letters and words mean what they say; a 0 beside them is unknown. Of numbers, 1 is M and 2 is F
    wherever a 2 occurs (0 is then unknown); where only 0 and 1 occur 0 is F and 1 is M, unless the
    name of the column says otherwise. As studies code both ways, the coding is checked against the
    head size (n,) of the people, NaN where not known, and turned round when the group called men is
    clearly smaller.
    """
    found = codes(cells)
    sex = np.array([_SEX.get(str(code).lower(), "") for code in found], dtype=object)
    numeric = np.isin(found, ["0", "1", "2"])
    present = set(found[numeric])
    if not present or (present == {"0"} and (sex != "").any()):
        return sex, []
    coding = {"1": "M", "2": "F"} if "2" in present else {"0": "F", "1": "M"}
    reason = "the usual coding"
    named = _named_coding(column)
    if named:
        coding, reason = named, "by the name of the column"
    coded = np.array([coding.get(code, "") for code in found], dtype=object)
    if _men_smaller(np.where(numeric, coded, ""), size):
        coding = {code: "F" if meant == "M" else "M" for code, meant in coding.items()}
        coded = np.array([coding.get(code, "") for code in found], dtype=object)
        reason = "turned round because the heads of the other group are clearly larger"
    said = " and ".join(f"{code} as {meant}" for code, meant in coding.items() if code in present)
    notice = f"Sex in column {quoted(column)} is read with {said or 'no known code'} ({reason})."
    return np.where(numeric, coded, sex), [notice]


def _named_coding(column: str) -> dict[str, str]:
    """The coding that the column name states, such as "Sex (1=M, 2=F)" or "female"."""
    if squashed(column) in ("female", "isfemale"):
        return {"0": "M", "1": "F"}
    name = column.lower()
    stated = re.findall(r"([012])\s*[=:]\s*([mf])", name)
    turned = re.findall(r"\b(m|f)(?:ale|emale)?\s*[=:]\s*([012])", name)
    # In "1=M:2=F" the middle reads as "M:2", too; the way that finds more pairs is the one meant.
    pairs = max(stated, [pair[::-1] for pair in turned], key=len)
    return {code: letter.upper() for code, letter in pairs}


def _men_smaller(sex: np.ndarray, size: np.ndarray | None) -> bool:
    if size is None:
        return False
    known = np.isfinite(size)
    men, women = size[known & (sex == "M")], size[known & (sex == "F")]
    return min(len(men), len(women)) >= MIN_GROUP and clearly_smaller(men, women)


def decode_diagnosis(cells: pd.Series, column: str) -> tuple[np.ndarray, list[str]]:
    """Diagnosis labels, (n,) str with "" where there is none, and notices of what was assumed.

    Words for healthy, MCI and Alzheimer's disease become "CN", "MCI" and "AD"; any other label is
    kept as written. Numbers 0/1/2 and 1/2/3 become CN/MCI/AD. Of 0/1 the 0 is "CN" and the 1 what
    the column is about: "MCI" when its name says MCI, "AD" when it says AD or is just a word for
    diagnosis, else "patient", because a "group" or "case" may be of any disease. A column called
    "control" has its 1 as "CN". Numbers of any other set (1 and 2 without 0 or 3) are kept.
    """
    found = codes(cells)
    present = set(found) - {""}
    coding = _numeric_coding(present, column)
    if coding:
        labels = np.array([coding.get(code, "") for code in found], dtype=object)
        said = ", ".join(f"{code} as {coding[code]}" for code in sorted(present))
        return labels, [f"Diagnosis in column {quoted(column)} is read with {said}."]
    if present and all(re.fullmatch(r"[+-]?\d+(?:[.,]\d+)?", str(code)) for code in present):
        return found, [
            f"Diagnosis in column {quoted(column)} holds {counted(len(present), 'number')} "
            "without a known meaning; they are kept as labels."
        ]
    labels = np.array([diagnosis_label(str(c)) for c in found], dtype=object)
    notices = []
    renamed = Counter((c, label) for c, label in zip(found, labels, strict=True) if c != label)
    for meant in ("CN", "MCI", "AD"):
        written = [c for c, label in renamed if label == meant and c.upper() != meant]
        if written:
            notices.append(f"Diagnosis {listed(sorted(written))} is read as {meant}.")
    return labels, notices


def _numeric_coding(present: set[str], column: str) -> Mapping[str, str] | None:
    """What the numbers of a diagnosis column mean; None when they are not one of our codings."""
    if present and present <= {"0", "1"}:
        return _binary_coding(column)
    if present <= {"0", "1", "2"} and "0" in present:
        return {"0": "CN", "1": "MCI", "2": "AD"}
    if present <= {"1", "2", "3"} and "3" in present:
        return {"1": "CN", "2": "MCI", "3": "AD"}
    return None


def _binary_coding(column: str) -> Mapping[str, str]:
    name = squashed(column)
    words = set(re.split(r"[\W_\d]+", column.lower()))
    if name in ("control", "iscontrol"):
        return {"0": "patient", "1": "CN"}
    if "mci" in name and not words & {"ad", "dementia"}:
        return {"0": "CN", "1": "MCI"}
    diagnosis = re.match(r"(clinical|baseline|current)?(dx|diag)", name)
    alzheimer = words & {"ad", "dementia"} or "alzheimer" in name
    return {"0": "CN", "1": "AD" if diagnosis or alzheimer else "patient"}
