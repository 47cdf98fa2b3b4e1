"""What the browser gets, and the file that is taken away."""

import base64
import json
import re

import numpy as np
import pytest

from cavae import explorer
from cavae.errors import ConfigError
from cavae.explorer.people import MAX_PEOPLE
from cavae.person import effect_at, person_table
from cavae.synthesis import decode, disease_effect, encode, healthy_twins
from tests.people import make_cohort


def unpacked(packed: dict) -> np.ndarray:
    flat = np.frombuffer(base64.b64decode(packed["base64"]), dtype=f"<{packed['dtype']}")
    return flat.reshape(packed["shape"])


@pytest.fixture(scope="module")
def cohort():
    return make_cohort(seed=1)


@pytest.fixture(scope="module")
def twins(tiny_model, cohort):
    return healthy_twins(tiny_model, encode(tiny_model, cohort))


@pytest.fixture(scope="module")
def data(tiny_model, cohort, twins):
    return explorer.explorer_data(tiny_model, cohort, twins)


def test_it_is_plain_json_and_tells_no_position(data):
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert "position" not in data


def test_the_decoder_that_is_sent_decodes_as_the_network_does(data, tiny_model):
    first, second = (
        [unpacked(data["decoder"][name][part]) for part in ("weight", "bias")]
        for name in ("first", "second")
    )
    z, s = np.random.default_rng(0).standard_normal((2, 20, 5))
    hidden = np.concatenate([z, s], axis=1) @ first[0].T + first[1]
    hidden = np.where(hidden < 0, data["decoder"]["slope"] * hidden, hidden)
    assert hidden @ second[0].T + second[1] == pytest.approx(decode(tiny_model, z, s), abs=1e-5)


def test_people_are_sent_with_their_numbers(data, cohort, twins):
    people = data["people"]
    assert people["id"] == cohort.subjects["subject_id"].tolist()
    assert np.array_equal(unpacked(people["salient"]), twins.encoding.salient)
    assert unpacked(people["effect"]) == pytest.approx(twins.effect, abs=1e-6)
    assert unpacked(people["observed"]) == pytest.approx(twins_observed(cohort, twins), rel=1e-6)


def twins_observed(cohort, twins):
    return cohort.features[list(twins.features)].to_numpy()


def test_it_begins_with_somebody_who_has_the_disease(data, cohort):
    subjects = cohort.subjects.set_index("subject_id")
    assert subjects.loc[data["start"], "diagnosis"] == "AD"


def test_axes_hold_everybody(data, twins):
    low, high = ([axis[end] for axis in data["axes"]] for end in ("low", "high"))
    assert (twins.encoding.salient >= low).all()
    assert (twins.encoding.salient <= high).all()
    assert "changes most" in data["axes"][0]["hint"]


def test_regions_are_the_groups_and_of_several_subtypes_the_subtypes(
    data, three_subtypes, cohort, twins
):
    assert [region["name"] for region in data["regions"]] == ["CN", "AD"]
    several = explorer.explorer_data(three_subtypes, cohort, twins)["regions"]
    assert [region["kind"] for region in several] == ["group"] * 2 + ["subtype"] * 3
    assert several[2]["name"].startswith("Subtype 1 (")


def test_of_many_people_2000_are_sent_and_it_says_so(tiny_model):
    many = make_cohort(healthy=1500, diseased=700)
    sent = explorer.explorer_data(
        tiny_model, many, healthy_twins(tiny_model, encode(tiny_model, many))
    )
    assert len(sent["people"]["id"]) == MAX_PEOPLE == len(set(sent["people"]["id"]))
    assert sent["notes"] == ["2,000 of 2,200 people are shown, drawn at random."]
    assert sent["start"] in sent["people"]["id"]


def test_the_average_person_has_no_disease_and_gets_the_expected_one(tiny_model):
    average = explorer.average_person(tiny_model)
    assert not average.effect.any()
    assert np.array_equal(average.observed, average.healthy)
    salient = tiny_model.calibration.means[0]
    expected = disease_effect(tiny_model, average.common[None], salient[None])[0]
    effect = effect_at(tiny_model, average, salient)
    assert effect == pytest.approx(expected, abs=1e-6)
    rows = person_table(average, effect)
    assert rows["observed"].to_numpy() == pytest.approx(average.healthy + average.sd * effect)


def test_a_conditional_vae_is_refused_in_a_sentence(tiny_model, cohort, twins):
    from dataclasses import replace

    conditional = replace(tiny_model, config=replace(tiny_model.config, variant="conditional"))
    with pytest.raises(ConfigError, match="no salient space to explore; accepted: a contrastive"):
        explorer.explorer_data(conditional, cohort, twins)


def test_bundled_people_suit_the_model(tiny_model):
    from cavae.checkpoint import load_model

    demo = explorer.bundled_cohort(load_model("ad-mci"))
    assert demo.subjects["subject_id"][0] == "demo-001"
    drawn = explorer.bundled_cohort(load_model("semi-synthetic"))
    assert drawn.subjects["diagnosis"].value_counts().to_dict() == {"patient": 180, "CN": 120}
    assert encode(load_model("semi-synthetic"), drawn).notices == ()


def test_the_file_stands_alone_and_holds_all_its_data(data):
    page = explorer.export_html(data)
    assert len(page.encode()) <= 3_000_000
    held = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert json.loads(held.group(1)) == data
    assert not re.search(r'(src|href)=["\']?(https?:|//)', page)
    assert "connect-src" not in page
    assert "default-src 'none'" in page


def test_nothing_in_the_data_can_leave_its_place(data):
    bad = "</script><script>alert(1)</script>"
    people = {**data["people"], "id": [bad, *data["people"]["id"][1:]]}
    page = explorer.export_html({**data, "people": people, "model": {**data["model"], "name": bad}})
    assert bad not in page
    assert page.count("<script") == 2
