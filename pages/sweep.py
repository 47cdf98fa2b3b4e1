"""Sweep: many trainings with other settings each, compared on people held out."""

import streamlit as st

from cavae.ui import frame, queue, state, sweep, training, widgets

frame.require()
st.title("Sweep", anchor=False)


def order_form(table: state.Loaded) -> None:
    """Who against whom, what varies, what to expect of it; and the button."""
    from cavae.sweep_runs import SweepOrder, require_people

    st.markdown(
        "Train many models with different settings, and see which do best on people they have not "
        "seen, and how much of that is chance."
    )
    groups = training.choose_groups(table.cohort)
    if (problem := training.problem(table.cohort, groups)) is not None:
        st.info(problem, icon=":material/info:")
        return
    grid = sweep.choose_grid(groups)
    require_people(grid.cells(), table.cohort)
    left, right = st.columns([2, 1], vertical_alignment="center")
    left.markdown(sweep.outlook(table.cohort, grid))
    if right.button("Sweep", type="primary", icon=":material/play_arrow:", width="stretch"):
        sweep.start(SweepOrder(table.cohort, grid, table.name))


with widgets.errors_as_sentences():
    if (job := queue.named_job(sweep.SWEEP, sweep.SWEEP)) is None:
        queue.offer_mine(sweep.SWEEP, sweep.RUNNING, sweep.SWEEP)
        widgets.require_training()
        order_form(widgets.require_cohort())
    else:
        sweep.show_job(job)
        with st.container(horizontal=True):
            sweep.go_on_button(job, state.loaded())
            queue.another_button("Another sweep", sweep.SWEEP)
            queue.offer_to_delete(job, sweep.SWEEP)
