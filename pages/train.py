"""Train: a model of the loaded people, watched while it learns."""

import streamlit as st

from cavae.jobs import Order
from cavae.ui import frame, notices, queue, state, training, watching, widgets

frame.require()
st.title("Train", anchor=False)


def order_form(table: state.Loaded) -> None:
    """Who against whom, with which settings; what to expect; and the button."""
    st.markdown("Train a model on people of your own, watch it learn, and use it on every page.")
    groups = training.choose_groups(table.cohort)
    if (problem := training.problem(table.cohort, groups)) is not None:
        st.info(problem, icon=":material/info:")
        return
    config, latent, variant = training.choose_settings(groups)
    st.markdown(training.outlook(table.cohort, config, groups))
    notices.cautions(training.cautions(table.cohort, groups))
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    name = left.text_input("Name of the model", training.suggested_name(table.name), max_chars=64)
    if right.button("Train", type="primary", icon=":material/play_arrow:", width="stretch"):
        training.start(Order(table.cohort, config, table.name, name, latent, variant))


with widgets.errors_as_sentences():
    if (job := queue.named_job(training.JOB, Order.kind)) is None:
        queue.offer_mine(Order.kind, watching.RUNNING, training.JOB)
        widgets.require_training()
        order_form(widgets.require_cohort())
    else:
        state.own(job.id)  # Whoever has the address may use its model.
        watching.show_job(job)
        watching.offer_model(job)
        with st.container(horizontal=True):
            queue.another_button("Train another model", training.JOB)
            queue.offer_to_delete(job, training.JOB)
