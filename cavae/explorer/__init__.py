"""What the live explorer needs to decode in a browser, as one JSON-able dict, and as one HTML file.

The browser has the weights, so it moves a point in salient space without asking anybody; the
numbers are those of `synthesis.disease_effect` and `person.effect_at`, to 1e-5 SD.

`data` puts everything together, `model_parts` gives what decoding needs, `people` says who is
shown, `packing` turns arrays into text, `export` writes the file.
"""

from cavae.explorer.data import bundled_data, explorer_data
from cavae.explorer.export import (
    export_html,
    lesson_scripts,
    lesson_template,
    scripts,
    template,
)
from cavae.explorer.people import AVERAGE, MAX_PEOPLE, average_person, bundled_cohort, shown_rows

__all__ = [
    "AVERAGE",
    "MAX_PEOPLE",
    "average_person",
    "bundled_cohort",
    "bundled_data",
    "explorer_data",
    "export_html",
    "lesson_scripts",
    "lesson_template",
    "scripts",
    "shown_rows",
    "template",
]
