"""What the browser gets, and the file that is taken away."""

import base64
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from cavae import explorer
from cavae.atlas import roi
from cavae.errors import ConfigError
from cavae.explorer.people import MAX_PEOPLE
from cavae.person import effect_at, person_table
from cavae.plots.cohorts import MEMORY_ROIS
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


def test_the_calibration_that_is_sent_tells_subtypes_and_effects_as_the_core_does(
    three_subtypes, cohort, twins
):
    sent = explorer.explorer_data(three_subtypes, cohort, twins)["calibration"]
    own = three_subtypes.calibration
    way = np.linspace(0, 1, 60)[:, None]  # from health to disease: no chance is but 0 or 1
    s = np.concatenate([(1 - way) * own.healthy_mean + way * mean for mean in own.means])
    s = np.vstack([np.zeros(5), s])

    def log_density(gaussian):
        scaled = (s - unpacked(gaussian["mean"])) @ unpacked(gaussian["whitener"]).T
        return -0.5 * np.square(scaled).sum(axis=1) - gaussian["logRoot"]

    ill = np.stack(
        [
            log_density(one) + np.log(sent["prevalence"] * weight)
            for one, weight in zip(sent["subtypes"], sent["weights"], strict=True)
        ]
    )
    healthy = log_density(sent["healthy"]) + np.log(1 - sent["prevalence"])
    chance = np.exp(ill - np.logaddexp.reduce([*ill, healthy], axis=0)).T
    ill = chance.sum(axis=1, keepdims=True)
    beyond = np.clip((ill - ill[0]) / (1 - ill[0]), 0, None)  # nobody is at s = 0
    assert chance / ill * beyond == pytest.approx(own.membership(s), abs=1e-6)
    assert ((ill > 0.1) & (ill < 0.9)).any()
    assert np.array_equal(unpacked(sent["effects"]), own.effects)
    assert np.array_equal(unpacked(sent["decoded"]), own.decoded)
    assert sent["reliability"] == own.reliability.tolist()


def test_the_preprocessing_that_is_sent_leads_back_to_volumes(data, tiny_model, cohort):
    sent, subjects = data["preprocessing"], cohort.subjects.assign(site="")
    columns = {
        "age": subjects["age"],
        "sex": (subjects["sex"] == "M").astype(float),
        "icv": subjects["icv"] / sent["icvUnit"],
    }
    inputs = np.column_stack([columns[name] for name in sent["covariates"]])
    values = np.random.default_rng(0).normal(size=(len(cohort), 8))
    expected = unpacked(sent["intercept"]) + inputs @ unpacked(sent["coefficients"])
    assert expected + values * unpacked(sent["sd"]) == pytest.approx(
        tiny_model.preprocessor.inverse_transform(values, subjects)
    )


def test_people_are_sent_with_their_numbers(data, cohort, twins):
    people = data["people"]
    assert people["id"] == cohort.subjects["subject_id"].tolist()
    assert np.array_equal(unpacked(people["salient"]), twins.encoding.salient)
    assert np.array_equal(unpacked(people["common"]), twins.encoding.common)
    assert unpacked(people["effect"]) == pytest.approx(twins.effect, abs=1e-6)
    assert unpacked(people["observed"]) == pytest.approx(twins_observed(cohort, twins), rel=1e-6)


def twins_observed(cohort, twins):
    return cohort.features[list(twins.features)].to_numpy()


def test_it_begins_with_somebody_who_has_the_disease(data, cohort):
    subjects = cohort.subjects.set_index("subject_id")
    assert subjects.loc[data["start"], "diagnosis"] == "AD"


def test_it_begins_with_the_middle_one_of_the_diseased(data, cohort, twins):
    ill = np.flatnonzero(cohort.subjects["diagnosis"] == "AD")
    effect = np.abs(twins.effect[ill]).mean(axis=1)
    row = cohort.subjects["subject_id"].tolist().index(data["start"])
    assert (effect < np.abs(twins.effect[row]).mean()).sum() == len(ill) // 2


def test_it_begins_with_the_severest_diagnosis_and_says_who_is_compared(tiny_model, cohort, twins):
    subjects = twins.encoding.subjects.assign(diagnosis=["CN"] * 60 + ["MCI"] * 20 + ["AD"] * 20)
    told = replace(twins, encoding=replace(twins.encoding, subjects=subjects))
    model = replace(tiny_model, training=replace(tiny_model.training, target=("MCI", "AD")))
    sent = explorer.explorer_data(model, cohort, told)
    assert sent["start"] in set(subjects["subject_id"][80:])
    assert (sent["model"]["background"], sent["model"]["target"]) == ("CN", "MCI, AD")


def test_key_rows_are_memory_regions_or_else_what_is_changed_most(tiny_model, data, cohort, twins):
    assert [data["features"][row] for row in data["key"]] == list(MEMORY_ROIS)
    effect = np.tile([0.1, -2.0, 0.0, 3.0, -4.0, 0.2, 1.0, 0.0], (100, 1))
    names = tuple("abcdefgh")
    own = replace(tiny_model.preprocessor, features=names)
    config = replace(tiny_model.config, features=names)
    other = explorer.explorer_data(
        replace(tiny_model, config=config, preprocessor=own),
        replace(cohort, features=cohort.features.set_axis(names, axis=1), kind="other"),
        replace(twins, effect=effect, features=names),
    )
    assert other["key"] == [4, 3, 1, 6]


def test_axes_hold_everybody_and_three_sd_and_end_at_whole_numbers(tiny_model, cohort, twins):
    far = twins.encoding.salient.copy()
    far[0] = (4.2, -5.1, 0, 0, 0)
    wide = replace(twins, encoding=replace(twins.encoding, salient=far))
    axes = explorer.explorer_data(tiny_model, cohort, wide)["axes"]
    for k, axis in enumerate(axes):
        assert axis["low"] == min(-3, np.floor(far[:, k].min()))
        assert axis["high"] == max(3, np.ceil(far[:, k].max()))
    assert [axis["name"] for axis in axes] == ["s1", "s2", "s3", "s4", "s5"]


def test_a_hint_names_the_two_regions_that_one_more_changes_most(data, tiny_model):
    average = explorer.average_person(tiny_model)
    steps = [effect_at(tiny_model, average, one) for one in np.eye(5)]
    for axis, change in zip(data["axes"], steps, strict=True):
        if np.abs(change).max() < 0.05:
            assert "hardly anything" in axis["hint"]
            continue
        first, second = np.argsort(np.abs(change))[::-1][:2]
        words = [
            f"{roi(tiny_model.config.features[k]).label} {change[k]:+.1f} SD"
            for k in (first, second)
        ]
        assert axis["hint"].endswith(f"most: {', '.join(words)}.".replace("-", "−"))


def test_the_plane_is_that_in_which_the_groups_differ(tiny_model, cohort, twins):
    salient = np.random.default_rng(0).normal(size=twins.encoding.salient.shape)
    salient[:, 0] *= 9  # wide, and no group in it
    ill = (cohort.subjects["diagnosis"] == "AD").to_numpy()
    salient[:, 0] -= np.where(ill, salient[ill, 0].mean(), salient[~ill, 0].mean())
    salient[ill, 4] += 5
    salient[ill, 2] -= 3
    shown = replace(twins, encoding=replace(twins.encoding, salient=salient))
    assert explorer.explorer_data(tiny_model, cohort, shown)["plane"] == [2, 4]


def test_colours_end_where_all_but_two_in_a_hundred_people_are(tiny_model, cohort, twins):
    effect = np.zeros_like(twins.effect)
    effect[:, 3] = -np.linspace(0, 3.3, len(effect))  # the 98th percentile is 3.23: to 3.5
    told = replace(twins, effect=effect, healthy=twins_observed(cohort, twins) / 0.75)
    sent = explorer.explorer_data(tiny_model, cohort, told)
    assert sent["limit"] == 3.5
    assert sent["percentLimit"] == 30, "everybody is at 75 % of their twin"


def test_a_group_is_outlined_by_its_own_mean_and_covariance(data, cohort, twins):
    for region, name in zip(data["regions"], ("CN", "AD"), strict=True):
        own = twins.encoding.salient[(cohort.subjects["diagnosis"] == name).to_numpy()]
        assert unpacked(region["mean"]) == pytest.approx(own.mean(axis=0))
        spread = (own - own.mean(axis=0)).T @ (own - own.mean(axis=0)) / (len(own) - 1)
        assert unpacked(region["covariance"]) == pytest.approx(spread, abs=1e-5)
        assert region["share"] == pytest.approx(len(own) / len(cohort))
    assert [(g["name"], g["count"], g["color"]) for g in data["groups"]] == [
        ("CN", 60, "#0072B2"),
        ("AD", 40, "#D55E00"),
    ]


def test_the_average_person_is_of_median_age_and_the_commoner_sex(tiny_model):
    population = tiny_model.preprocessor.populations["target"]
    facts = explorer.average_person(tiny_model).facts
    assert facts["age"] == np.median(population.ages)
    assert facts["sex"] == ("F" if population.female >= 0.5 else "M")
    assert facts["icv"] == population.icv[facts["sex"]][0]


def test_the_average_person_is_as_healthy_people_are_on_average(tiny_model):
    """The mean of the healthy is what is decoded and what decoding lacks of them."""
    own = replace(tiny_model.calibration, shift=np.linspace(0.5, 4.0, 8))
    average = explorer.average_person(replace(tiny_model, calibration=own))
    decoded = decode(tiny_model, own.common_mean[None], np.zeros((1, 5)))[0]
    assert (average.healthy - average.mean) / average.sd == pytest.approx(decoded + own.shift)
    subjects = average.facts.to_frame().T.astype({"age": float, "icv": float})
    expected = tiny_model.preprocessor.expected_volumes(subjects)[0]
    assert average.mean == pytest.approx(expected)
    assert average.sd == pytest.approx(tiny_model.preprocessor.sd)


def test_the_mesh_of_a_region_is_on_its_own_side(data):
    mesh = data["mesh"]
    at, vertices = unpacked(mesh["vertexOffsets"]), unpacked(mesh["vertices"])
    faces, ends = unpacked(mesh["faces"]), unpacked(mesh["faceOffsets"])
    for k, name in enumerate(mesh["names"]):
        own = vertices[at[k] : at[k + 1]] * mesh["scale"]
        right = own[:, 0].mean() > 0
        assert right == (roi(name).hemisphere == "R"), name
        assert np.abs(own).max() < 100, "mm"
        assert faces[ends[k] : ends[k + 1]].max() == len(own) - 1
    sides = {shell["side"]: unpacked(shell["vertices"])[:, 0].mean() for shell in mesh["shells"]}
    assert sides["L"] < 0 < sides["R"]


def test_regions_are_the_groups_and_of_several_subtypes_the_subtypes(
    data, three_subtypes, cohort, twins
):
    assert [region["name"] for region in data["regions"]] == ["CN", "AD"]
    several = explorer.explorer_data(three_subtypes, cohort, twins)["regions"]
    assert [region["kind"] for region in several] == ["group"] * 2 + ["subtype"] * 3
    assert several[2]["name"].startswith("Subtype 1 (")
    own = three_subtypes.calibration
    for k, region in enumerate(several[2:]):
        assert np.array_equal(unpacked(region["mean"]), own.means[k])
        assert np.array_equal(unpacked(region["covariance"]), own.covariances[k])
        assert region["share"] == own.weights[k]


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
    hippocampus = drawn.features["47"].groupby(drawn.subjects["diagnosis"]).mean()
    assert hippocampus["patient"] < 0.95 * hippocampus["CN"]


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
