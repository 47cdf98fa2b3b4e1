"""About: the method in plain words, its limits, sources and privacy."""

import streamlit as st

from cavae.checkpoint import available_models, model_card
from cavae.ui import frame, widgets
from cavae.ui.glossary import GLOSSARY

frame.require()

OBJECTIVE = r"""
\mathcal{L} \;=\; \sum_{i=1}^{N_x} \mathcal{L}_x(x_i) \;+\; \sum_{j=1}^{N_y} \mathcal{L}_y(y_j)
\;-\; \lambda\, \mathrm{MMD}(z_x, z_y)
"""
PATIENTS = r"""
\mathcal{L}_x(x) = \mathbb{E}\,\log p_\theta(x \mid z, s)
- \mathrm{KL}\big(q(z \mid x)\,\|\,p(z)\big) - \mathrm{KL}\big(q(s \mid x)\,\|\,p(s)\big)
"""
HEALTHY = r"""
\mathcal{L}_y(y) = \mathbb{E}\,\log p_\theta(y \mid z, 0)
- \mathrm{KL}\big(q(z \mid y)\,\|\,p(z)\big)
"""


def method() -> None:
    """The model in words, then its equation."""
    st.markdown(
        """
Nobody is measured twice, once with a disease and once without. This model learns from two groups
of *different* people, healthy and diseased, and still makes pairs.

It writes each brain, 139 regional volumes corrected for age, sex, head size and scanner, as two
short codes of five numbers:

- **Common z** is what healthy people and patients share: size, shape, normal ageing.
- **Salient s** is what only patients have. For healthy people s is *exactly zero* while the model
  learns, so whatever the model rebuilds from s has to be the disease.

Decoding z with s is the person; decoding z with s = 0 is the same person without the disease.
The difference is the **effect**, region by region. The **healthy twin** keeps the person's own
anatomy and takes only the effect away. New pairs come from random z and s.

The model is trained to maximize (equation 8 of the paper)
"""
    )
    st.latex(OBJECTIVE)
    st.markdown("with, for each patient and for each healthy person,")
    st.latex(PATIENTS)
    st.latex(HEALTHY)
    st.markdown(
        "The first terms rebuild the brain, KL keeps the codes simple, and MMD, weighed by λ, "
        "makes z look the same in both groups, so that no disease hides in it."
    )
    st.markdown(
        "A **calibrated** model, such as ad-mci, goes beyond the paper: it learns how s scatters "
        "among patients and among the healthy, believes the effect on a region as far as chance "
        "allows, and gives each person the effect to be expected from all that was measured in "
        "them, with its interval. Common z is read from the twin, so that both members of a pair "
        "share it. Pairs are drawn as varied as real people are."
    )


def words() -> None:
    """The glossary, as in the tooltips of the other pages."""
    st.markdown("\n".join(f"- **{term}**: {meaning}" for term, meaning in GLOSSARY.items()))


def limits() -> None:
    """What must not be read into the results."""
    st.markdown(
        """
- **Not a diagnostic device.** It has not been tested for, and must not guide, anyone's care.
- **Not causal, not a forecast.** A healthy twin is an estimate from group differences. Nobody has
  measured it, and it does not say what would have happened or will happen.
- **A few hundred people.** The models here learned from few people of few studies. Ages, origins
  and diseases outside them are extrapolation.
- **Scanners differ.** A scanner or software version that the model has never seen can look like
  disease. With at least 20 healthy people of that site in your table it is corrected; otherwise
  the result carries a warning.
- **Synthetic is not new evidence.** A thousand synthetic pairs know no more than the people the
  model learned from.
"""
    )


def sources() -> None:
    """Whose data and ideas these are."""
    st.markdown(
        """
- **Method**: *Unpaired-to-paired data synthesis: learning to model disease effects via contrastive
  analysis of neuroimaging-derived features*, under review.
- **IXI**, healthy adults, [brain-development.org](https://brain-development.org/ixi-dataset):
  CC BY-SA 3.0.
- **[CBICA/NiChart_Project](https://github.com/CBICA/NiChart_Project)**, regional volumes of a
  clinical study, centile curves of the iSTAGING consortium, MUSE dictionary: SBIA Software
  License, research use, attribution kept.
- **Brain atlas**: made for this project from 27 label maps of the same sources.
- **Source Sans**, the typeface, travels with Streamlit: SIL Open Font License.

No row of these data is in this app: it ships what was computed from them, and synthetic people.
"""
    )


def privacy() -> None:
    """Where an uploaded table goes, which is nowhere, and where a trained model goes."""
    st.markdown(
        """
- A table you load stays in the memory of the computer that runs this app, for this browser session
  only. No row of it is written to disk, and nothing is fetched from or sent to anywhere.
- A model that you train or add is kept on that computer. Nobody else sees it unless you share it on
  page *Models*; whoever has the address of its page can open, share and delete it.
- Synthetic people are nobody. Yet whoever already holds somebody's volumes can often tell whether a
  model learned from that person.
"""
    )
    st.page_link(
        "pages/data_protection.py",
        label="What is kept, where and how long, and what a model gives away",
        icon=":material/lock:",
    )


def cards() -> None:
    """What each model was trained on, and how good it is."""
    summaries = available_models()
    if not summaries:
        st.markdown("No model is installed.")
    for summary in summaries:
        with st.expander(summary.name, icon=":material/model_training:"):
            st.markdown(model_card(summary.name))


SECTIONS = {
    "Method": method,
    "Limits": limits,
    "Privacy": privacy,
    "Sources": sources,
    "Models": cards,
    "Words": words,
}

st.title("About", anchor=False)
with st.container(width=820), widgets.errors_as_sentences():
    for name, section in SECTIONS.items():
        st.header(name)
        section()
