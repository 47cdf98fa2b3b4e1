"""The words of the app, each explained once; pages show them as tooltips."""

from cavae.errors import ConfigError

GLOSSARY: dict[str, str] = {
    "background": "The healthy people the model learned from, all cognitively normal.",
    "target": "The people with a diagnosis the model learned from (MCI and AD).",
    "common z": (
        "Five numbers that describe what healthy people and patients share: "
        "head shape, normal anatomy, normal ageing."
    ),
    "salient s": (
        "Five numbers that describe what only patients have: the disease. "
        "For a healthy person they are exactly zero in training and close to zero afterwards."
    ),
    "healthy twin": (
        "The same person as the model would expect them without the disease: "
        "same anatomy, age, sex and head size, salient s set to zero. Estimated, never measured."
    ),
    "effect": (
        "The person minus their healthy twin, region by region: what the model puts down to "
        "disease. Negative means volume lost."
    ),
    "interval": (
        "What one measurement leaves open. 90 of 100 such intervals hold the true effect, measured "
        "on simulated people whose truth is known."
    ),
    "subtype": (
        "A group among the patients that the model found by itself, by what their disease changes. "
        "Chances are those of someone of whom nothing but the volumes is known, if 5 of 100 such "
        "people have the disease."
    ),
    "pair": "Two synthetic brains of one imagined person: with the disease, and the healthy twin.",
    "MAD": (
        "Mean absolute difference between a person and the healthy twin rebuilt from z alone, over "
        "all 139 regions, in SD. A measure of severity."
    ),
    "SD": (
        "Standard deviation of healthy people of the same age, sex and head size: "
        "−2 SD is smaller than about 98 of 100 of them."
    ),
    "centile": "Of 100 healthy people of the same age, sex and head size, how many have less.",
    "ICV": "Intracranial volume, the size of the head's inside in mm³.",
    "ROI": "Region of interest: one of the 139 brain regions of the MUSE atlas.",
    "MUSE": "The atlas and software that measured the regions; columns are named by its numbers.",
    "standardized": (
        "In SD from the average healthy person, after correcting for age, sex, head size "
        "and scanner."
    ),
    "W2": (
        "Squared 2-Wasserstein distance between two groups of people, in SD²: how far apart and "
        "how differently spread they are. 0 would be one and the same."
    ),
    "floor": (
        "W2 between two groups of real people of one kind. People differ by chance, so generated "
        "ones cannot come closer to real ones than that."
    ),
    "separation": (
        "W2 between patients and healthy people. Generated ones should be as far apart as real "
        "ones: less is too weak a disease, more too strong."
    ),
    "completeness": (
        "Whether all people of a subtype fall into one cluster of salient s: 1 is all, 0 is none."
    ),
    "leakage": (
        "Disease that has found its way into common z, as an AUC: 0.5 is none, 1 is that common z "
        "tells all patients from healthy people."
    ),
    "AUC": (
        "Area under the ROC curve: how often a patient scores above a healthy person. 1 is "
        "always, 0.5 is a coin toss."
    ),
    "coverage": (
        "How many true effects lie inside their 90 % interval; 0.9 is what the interval promises."
    ),
    "CN": "Cognitively normal.",
    "MCI": "Mild cognitive impairment.",
    "AD": "Alzheimer's disease.",
}


def explain(term: str) -> str:
    """The tooltip of a term, for the `help` of a widget; ConfigError if it is not in GLOSSARY."""
    try:
        return GLOSSARY[term]
    except KeyError:
        known = ", ".join(GLOSSARY)
        raise ConfigError(f"No explanation of {term!r}; explained are: {known}.") from None
