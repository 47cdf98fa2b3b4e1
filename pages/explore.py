"""Explore: drag a point through salient space and see the brain change at once."""

import numpy as np
import streamlit as st

from cavae.ui import (
    comparison,
    downloads,
    explorer,
    frame,
    models,
    notices,
    people,
    uploads,
    widgets,
)

frame.require()
st.title("Explore", anchor=False)

explorer.show_dropped()


# A fragment: letting the point go computes the numbers again, and nothing else on the page.
@st.fragment
def drag() -> None:
    """The explorer, and under it the numbers where the point was let go."""
    from cavae import person as core

    if uploads.waiting():
        st.rerun()  # The whole page: other people change the sidebar, too.
    with widgets.errors_as_sentences():
        model = models.current_model()
        shown = explorer.shown()
        place = explorer.position(model, shown, explorer.mount(shown))
        explorer.link(model, place)
        person = place.person
        effect = core.effect_at(model, person, place.salient)
        rows = core.person_table(person, effect)
        st.header("Where the point was let go", anchor=False)
        key_rows = comparison.key_rows(person, rows)
        st.markdown(f"{people.facts(person)}  \n{comparison.in_a_sentence(key_rows, person)}")
        notices.cautions(core.caveats(model, person))
        notices.remarks(shown.notes)
        explorer.show_rows(key_rows, person.unit)
        comparison.show_all(rows, person.unit)
        moved = not np.array_equal(place.salient, person.salient)
        st.caption(comparison.caption(moved, person, "residual", model.calibration is not None))
        downloads.csv_button(
            "Download this person's table",
            lambda: core.export_table(rows, person.unit),
            f"{person.subject_id}_{'moved_' * moved}healthy_twin.csv",
            "download_person",
        )
        explorer.export_button(model, shown)


drag()
