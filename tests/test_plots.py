"""What people read off the figures: names, units, colours, and who each point is."""

import json
import time

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from cavae.atlas import rois
from cavae.numbers import ordinal, signed
from cavae.plots import (
    PALETTE,
    group_color,
    group_order,
    group_symbol,
    highlight,
    plot_brain,
    plot_criterion,
    plot_distributions,
    plot_effect_ranking,
    plot_latent_matrix,
    plot_latent_pair,
    plot_paired_volumes,
    plot_severity,
    plot_subtypes,
)
from cavae.plots.brain import LAYOUT_MM
from cavae.plots.colors import EFFECT_SCALE, NEUTRAL, effect_colors, effect_limit, see_through
from cavae.plots.latent import Outline
from cavae.plots.layout import axis_title, density
from cavae.plots.volumes import FADED, centile
from cavae.subtypes import Change, Subtype

EFFECTS = {one.index: -1.0 if one.lobe == "Limbic" else 0.1 for one in rois()} | {"47": -1.9}
CERTAIN = {index: (value - 0.5, value + 0.4) for index, value in EFFECTS.items()}
SALIENT = [f"salient_{place}" for place in range(1, 6)]


@pytest.fixture
def people() -> pd.DataFrame:
    """Twelve people of three diagnoses, one of them not given."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(12, 5)), columns=SALIENT)
    table["subject_id"] = [f"P{place:02d}" for place in range(12)]
    table["diagnosis"] = ["AD"] * 4 + ["CN"] * 4 + ["MCI"] * 3 + [""]
    table["age"] = rng.uniform(60, 80, 12)
    table["mad"] = rng.uniform(0.5, 1, 12)
    return table


@pytest.fixture
def pair_table() -> pd.DataFrame:
    rows = [("48", 3690.0, 2980.0, 3720.0, 390.0), ("47", 3900.0, 4105.0, 3990.0, 410.0)]
    return pd.DataFrame(rows, columns=["index", "healthy", "observed", "mean", "sd"])


def subject_ids(figure: go.Figure) -> set[str]:
    return {
        row[0] for trace in figure.data if trace.customdata is not None for row in trace.customdata
    }


def by_name(figure: go.Figure) -> dict[str, go.Scatter]:
    """Traces by the name in the legend, without the number of people."""
    return {trace.name.split(" (")[0]: trace for trace in figure.data if trace.name}


def visible_axes(figure: go.Figure) -> list:
    axes = [*figure.select_xaxes(), *figure.select_yaxes()]
    return [axis for axis in axes if axis.visible is not False]


# Groups and scales


def test_the_same_group_has_one_colour_and_marker_under_every_name() -> None:
    assert (
        group_color("CN") == group_color("background") == group_color("Healthy twin") == "#0072B2"
    )
    assert group_color("mci") == PALETTE["MCI"] == "#E69F00"
    assert group_color("AD") == group_color("target") == group_color("now") == "#D55E00"
    assert group_color("") == group_color("not given") == "#888888"
    assert len({group_symbol(name) for name in ("CN", "MCI", "AD", "S1", "")}) == 5


def test_groups_of_no_fixed_meaning_differ_from_each_other_and_from_the_others() -> None:
    labels = ["background", "S1", "S2", "S3", "FTD"]
    assert len({group_color(label, labels) for label in labels}) == 5
    assert len({group_symbol(label, labels) for label in labels}) == 5


def test_groups_come_in_the_order_of_the_disease() -> None:
    assert group_order(["", "AD", "S2", "MCI", "S1", "CN", "AD"]) == [
        "CN",
        "MCI",
        "AD",
        "S1",
        "S2",
        "",
    ]


def test_loss_is_vermillion_gain_blue_and_nothing_grey() -> None:
    loss, none, gain = effect_colors([-1.2, 0.0, 1.2], limit=2.0)
    assert loss == "rgb(213, 94, 0)"
    assert none == "rgb({}, {}, {})".format(*bytes.fromhex(NEUTRAL[1:]))
    assert gain == "rgb(0, 114, 178)"
    assert effect_colors([-9.0], limit=2.0) == effect_colors([-2.0], limit=2.0)


def test_a_colour_one_can_see_through_is_the_same_colour() -> None:
    assert see_through("#D55E00", 0.25) == "rgba(213,94,0,0.25)"


def test_scale_ends_beyond_the_largest_effect_and_not_below_one_sd() -> None:
    assert effect_limit([0.1, -0.2]) == 1.0
    assert effect_limit([0.1, -1.7, float("nan")]) == 2.0
    assert effect_limit([0.1, -1.2]) == 1.5
    assert effect_limit([3.0, -12.5], unit="%") == 12.5
    assert effect_limit([]) == 1.0


# Words and numbers


def test_axes_say_what_and_in_which_unit() -> None:
    assert axis_title("salient_1") == "Salient s1 (prior SD)"
    assert axis_title("common_5", short=True) == "z5 (prior SD)"
    assert axis_title("age") == "Age (years)"
    assert axis_title("47") == "Right hippocampus (mm³)"
    assert axis_title("47", {"47": "SD"}) == "Right hippocampus (SD)"
    assert axis_title("effect_48") == "Left hippocampus, effect (SD)"
    assert axis_title("healthy_48") == "Left hippocampus, healthy twin (mm³)"
    assert axis_title("observed_48") == "Left hippocampus (SD)"
    assert axis_title("icv") == "Intracranial volume (mm³)"
    assert axis_title("effect_mad") == "Mean absolute effect (SD)"
    assert axis_title("pca_2") == "Principal component PC2 (prior SD)"
    assert axis_title("umap_1") == "UMAP 1 (no unit)"
    assert axis_title("thickness") == "thickness"
    assert axis_title("9999") == "9999"


def test_numbers_are_written_as_people_read_them() -> None:
    assert [signed(value, 2) for value in (-1.234, 0.5, 0.001, -0.001)] == [
        "−1.23",
        "+0.50",
        "0.00",
        "0.00",
    ]
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 13, 22)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "13th",
        "22nd",
    ]
    assert centile(3000.0, 3000.0, 400.0) == "50th centile"
    assert centile(2300.0, 3000.0, 400.0) == "4th centile"
    assert centile(1000.0, 3000.0, 400.0) == "below 1st centile"
    assert centile(5000.0, 3000.0, 400.0) == "above 99th centile"
    assert centile(2130.0, 3000.0, 400.0) == "1st centile"
    assert centile(3870.0, 3000.0, 400.0) == "99th centile"


def test_density_integrates_to_one_and_is_flat_for_a_single_value() -> None:
    grid = np.linspace(-6, 6, 400)
    curve = density(np.random.default_rng(0).normal(size=500), grid)
    assert np.trapezoid(curve, grid) == pytest.approx(1, abs=0.01)
    assert not density(np.array([1.0]), grid).any()
    assert not density(np.array([2.0, 2.0, np.nan]), grid).any()


# Brain


def test_every_region_of_the_brain_tells_its_name_and_effect() -> None:
    texts = {trace.name: trace.text for trace in plot_brain(EFFECTS).data if trace.text}
    assert texts.keys() == {one.index for one in rois()}
    assert texts["47"] == "Right hippocampus: −1.90 SD"


def test_regions_are_coloured_on_the_same_scale_as_the_colour_bar() -> None:
    figure = plot_brain(EFFECTS, limit=2.0)
    fills = {trace.name: trace.fillcolor for trace in figure.data}
    assert fills["47"] == effect_colors([-1.9], 2.0)[0]
    (bar,) = (trace.marker for trace in figure.data if trace.marker.showscale)
    assert (bar.cmin, bar.cmax) == (-2.0, 2.0)
    assert tuple(bar.colorscale) == EFFECT_SCALE
    assert bar.colorbar.title.text == "Effect (SD)"
    assert bar.colorbar.ticktext == ("−2.0 loss", "−1.0", "0.0", "+1.0", "+2.0 gain")


def test_brain_shows_sides_and_positions_at_equal_scale() -> None:
    figure = plot_brain(EFFECTS)
    words = [mark.text for mark in figure.layout.annotations]
    assert "coronal, y −18 mm" in words
    assert "sagittal left, x −9 mm" in words
    assert words.count("L") == words.count("R") == 6
    assert figure.layout.yaxis.scaleanchor == "x"
    assert figure.layout.yaxis.scaleratio == 1
    sides = {mark.text: mark.x for mark in figure.layout.annotations[:3]}
    assert sides["L"] < sides["R"]


def test_a_region_without_a_value_is_drawn_and_says_so() -> None:
    texts = {trace.name: trace.text for trace in plot_brain({"47": -1.0, "48": np.nan}).data}
    assert texts["48"] == "Left hippocampus: no value"
    assert texts["31"] == "Right amygdala: no value"


def test_brain_is_quick_and_small() -> None:
    plot_brain(EFFECTS)
    start = time.perf_counter()
    size = len(plot_brain(EFFECTS).to_json())
    assert time.perf_counter() - start < 1.0
    assert size < 400_000


# Latent spaces


def test_pair_carries_each_person_and_their_group(people: pd.DataFrame) -> None:
    figure = plot_latent_pair(people, "salient_1", "salient_2", "diagnosis")
    assert subject_ids(figure) == set(people["subject_id"])
    groups = by_name(figure)
    assert groups["AD"].marker.color == PALETTE["AD"]
    assert groups["CN"].marker.symbol == group_symbol("CN")
    assert len(groups["MCI"].x) == 3
    assert len(groups["not given"].x) == 1


def test_pair_coloured_by_a_number_has_a_scale_with_its_unit(people: pd.DataFrame) -> None:
    (trace,) = plot_latent_pair(people, "salient_1", "salient_2", "age").data
    assert trace.hovertemplate == (
        "%{customdata[1]}<br>Age (years): %{marker.color:.4g}<extra></extra>"
    )
    assert trace.marker.colorbar.title.text == "Age (years)"
    assert list(trace.marker.color) == list(people["age"])
    dark, bright = (bytes.fromhex(trace.marker.colorscale[end][1][1:]) for end in (0, -1))
    assert sum(dark) < sum(bright), "more is brighter"


def test_marked_person_is_named_at_their_point(people: pd.DataFrame) -> None:
    figure = plot_latent_pair(people, "salient_1", "salient_2", "diagnosis", marked="P05")
    (arrow,) = figure.layout.annotations
    assert "P05" in arrow.text
    assert (arrow.x, arrow.y) == tuple(people.loc[5, ["salient_1", "salient_2"]])
    assert subject_ids(figure) == set(people["subject_id"])


def test_thousands_of_people_are_drawn_by_the_graphics_card(people: pd.DataFrame) -> None:
    many = pd.concat([people] * 200, ignore_index=True)
    assert {trace.type for trace in plot_latent_pair(many, "salient_1", "age").data} == {
        "scattergl"
    }


def test_matrix_has_every_dimension_person_and_density(people: pd.DataFrame) -> None:
    figure = plot_latent_matrix(people, SALIENT, "diagnosis")
    clouds = [trace for trace in figure.data if trace.type == "splom"]
    curves = [trace for trace in figure.data if trace.type == "scatter"]
    assert [one.label for one in clouds[0].dimensions] == SALIENT
    assert subject_ids(figure) == set(people["subject_id"])
    assert len(clouds) == 4
    assert len(curves) == 4 * 5
    assert {curve.line.color for curve in curves} == {cloud.marker.color for cloud in clouds}


@pytest.mark.parametrize("color", [None, "age"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_matrix_without_groups(people: pd.DataFrame, color: str | None, count: int) -> None:
    figure = plot_latent_matrix(people, SALIENT[:count], color)
    assert [trace.type for trace in figure.data].count("splom") == 1


def test_matrix_stays_small_for_two_thousand_people() -> None:
    rng = np.random.default_rng(0)
    many = pd.DataFrame(rng.normal(size=(2000, 5)), columns=SALIENT)
    many["subject_id"] = [f"P{place}" for place in range(2000)]
    many["diagnosis"] = rng.choice(["CN", "AD"], 2000)
    assert len(plot_latent_matrix(many, SALIENT, "diagnosis").to_json()) < 400_000


# One person


def test_paired_volumes_show_twin_and_now_in_mm3_with_centiles(pair_table: pd.DataFrame) -> None:
    figure = plot_paired_volumes(pair_table)
    twins = [trace for trace in figure.data if trace.name == "Healthy twin"]
    nows = [trace for trace in figure.data if trace.name == "Now"]
    assert [trace.x[0] for trace in twins] == [3690.0, 3900.0]
    assert [trace.x[0] for trace in nows] == [2980.0, 4105.0]
    assert {trace.marker.color for trace in twins} == {"#0072B2"}
    assert {trace.marker.color for trace in nows} == {"#D55E00"}
    assert nows[0].text == "<b>2,980 mm³</b><br>3rd centile"
    assert nows[0].hovertemplate == "Now: 2,980 mm³, 3rd centile<extra></extra>"
    assert twins[0].hovertemplate == "Healthy twin: 3,690 mm³, 47th centile<extra></extra>"
    medians = {trace.hovertemplate for trace in figure.data if trace.name == "their median"}
    assert "median of healthy people: 3,720 mm³<extra></extra>" in medians
    titles = {axis.title.text for axis in figure.select_xaxes()}
    assert titles == {"Volume (mm³)"}
    # The words lie on the outer sides, so that they never cover each other.
    assert [trace.textposition for trace in nows] == ["middle left", "middle right"]


def test_paired_volumes_name_the_region_and_the_change(pair_table: pd.DataFrame) -> None:
    words = " ".join(mark.text for mark in plot_paired_volumes(pair_table).layout.annotations)
    assert "Left hippocampus" in words
    assert "−19.2 %" in words
    assert "+5.3 %" in words


def test_paired_volumes_of_one_row_share_their_axis(pair_table: pd.DataFrame) -> None:
    figure = plot_paired_volumes(pair_table)
    assert figure.layout.xaxis.range == figure.layout.xaxis2.range
    low, high = figure.layout.xaxis.range
    assert low < 2980 < 4105 < high


def test_ranking_names_the_strongest_and_holds_all() -> None:
    strongest, everything = plot_effect_ranking(EFFECTS, strongest=5).data
    assert strongest.y[-1] == "Right hippocampus"
    assert len(strongest.y) == 5
    assert len(everything.y) == 139
    assert list(everything.y) == sorted(everything.y)
    assert everything.hovertext[0] == "Right hippocampus: −1.90 SD"


def test_ranking_with_intervals_draws_them_and_fades_what_is_not_clear() -> None:
    effects = {"47": -1.8, "48": -0.3, "31": 0.6}
    intervals = {"47": (-2.4, -1.2), "48": (-0.8, 0.2), "31": (0.1, 1.1)}
    figure = plot_effect_ranking(effects, intervals=intervals, clear=("47", "31"))
    bars, everything, words = figure.data
    ends = dict(zip(bars.y, zip(bars.x, bars.error_x.arrayminus, strict=True), strict=True))
    assert ends["Right hippocampus"] == (-1.8, pytest.approx(0.6))
    assert dict(zip(bars.customdata, bars.marker.opacity, strict=True)) == {
        "47": 1.0,
        "48": FADED,
        "31": 1.0,
    }
    told = "Right hippocampus: −1.8 SD (90 % interval −2.4 to −1.2), clear"
    assert told in bars.hovertext
    assert told in everything.hovertext
    assert dict(zip(words.y, words.text, strict=True))["Right hippocampus"] == "−1.8"
    assert "1 clear losses, 1 clear gains" in figure.layout.annotations[1].text
    low, high = figure.layout.xaxis.range
    assert low < min(words.x)
    assert high > max(words.x)


def test_the_twins_interval_lies_behind_its_dot_and_on_the_axis(pair_table: pd.DataFrame) -> None:
    table = pair_table.assign(twin_low=[3400.0, np.nan], twin_high=[6000.0, np.nan])
    figure = plot_paired_volumes(table)
    (bar,) = [trace for trace in figure.data if trace.name == "90 % interval of the twin"]
    assert bar.x == (3400.0, 6000.0)
    assert "3,400 mm³ to 6,000 mm³" in bar.hovertemplate
    assert figure.layout.xaxis.range[1] >= 6000


def test_the_brain_tells_intervals_where_they_are_known() -> None:
    figure = plot_brain({"47": -1.8}, intervals={"47": (-2.4, -1.2)})
    told = [trace.text for trace in figure.data if trace.name == "47"]
    assert told == ["Right hippocampus: −1.8 SD (90 % interval −2.4 to −1.2)"]


def test_ranking_counts_losses_and_gains_and_ranks_from_the_largest_loss() -> None:
    figure = plot_effect_ranking({"47": -1.8, "48": -0.3, "31": 0.6})
    assert figure.layout.annotations[1].text == "All 3 in order: 2 losses, 1 gains"
    assert figure.layout.xaxis2.title.text == "Rank (1 is the largest loss)"
    assert figure.data[1].y[0] == -1.8


def test_ranking_takes_features_that_are_no_regions() -> None:
    strongest, _ = plot_effect_ranking({"thickness_a": -0.2, "thickness_b": 0.4}).data
    assert set(strongest.y) == {"thickness_a", "thickness_b"}


# Cohorts


def test_severity_orders_diagnoses_and_marks_one_person(people: pd.DataFrame) -> None:
    figure = plot_severity(people, marked="P09")
    labels = [text.split("<br>")[0] for text in figure.layout.xaxis.ticktext]
    assert labels == ["CN", "MCI", "AD", "not given"]
    assert figure.layout.xaxis.title.text == "Diagnosis"
    assert by_name(figure)["MCI"].hovertemplate == (
        "%{customdata[1]}<br>MCI: %{y:.2f} SD<extra></extra>"
    )
    assert subject_ids(figure) == set(people["subject_id"])
    (arrow,) = figure.layout.annotations
    assert "P09" in arrow.text
    assert arrow.y == people.loc[9, "mad"]
    assert round(arrow.x) == labels.index("MCI")


def test_severity_is_the_same_picture_every_time(people: pd.DataFrame) -> None:
    assert plot_severity(people).to_json() == plot_severity(people).to_json()


@pytest.fixture
def cohorts() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(80, 4)), columns=["48", "47", "32", "31"])
    table["group"] = ["target"] * 40 + ["background"] * 40
    table.loc[:39, "48"] -= 2
    return table


def test_distributions_put_synthetic_below_real(cohorts: pd.DataFrame) -> None:
    figure = plot_distributions(cohorts, cohorts)
    titles = [axis.title.text for axis in figure.select_yaxes() if axis.title.text]
    assert titles == ["Real, density (1/SD)", "Synthetic, density (1/SD)"]
    legend = [trace for trace in figure.data if trace.showlegend]
    assert [trace.name for trace in legend] == ["background", "target"]
    assert [trace.line.color for trace in legend] == ["#0072B2", "#D55E00"]


def test_distributions_state_the_difference_of_the_medians(cohorts: pd.DataFrame) -> None:
    middle = cohorts.groupby("group")["48"].median()
    expected = f"difference {signed(middle['target'] - middle['background'], 2)} SD"
    figure = plot_distributions(None, cohorts)
    assert figure.layout.annotations[0].text == expected
    told = f"target, median {middle['target']:,.2f} SD<extra></extra>"
    assert by_name(figure)["target"].hovertemplate is None, "the dotted line of the median"
    assert told in {trace.hovertemplate for trace in figure.data}


# All figures


@pytest.fixture
def figures(
    people: pd.DataFrame, pair_table: pd.DataFrame, cohorts: pd.DataFrame
) -> dict[str, go.Figure]:
    return {
        "brain": plot_brain(EFFECTS),
        "pair": plot_latent_pair(people, "salient_1", "salient_2", "diagnosis"),
        "matrix": plot_latent_matrix(people, SALIENT, "diagnosis"),
        "volumes": plot_paired_volumes(pair_table),
        "ranking": plot_effect_ranking(EFFECTS),
        "certain": plot_effect_ranking(EFFECTS, intervals=CERTAIN, clear=("47",)),
        "severity": plot_severity(people, marked=people["subject_id"].iloc[0]),
        "distributions": plot_distributions(cohorts, cohorts, unit="mm³"),
        "subtypes": plot_subtypes(made_up_subtypes(), ["one", "two"]),
        "criterion": plot_criterion({1: 90.0, 2: 60.0}),
    }


def test_every_figure_suits_a_light_and_a_dark_page(figures: dict[str, go.Figure]) -> None:
    for name, figure in figures.items():
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)", name
        assert figure.layout.font.color is None, name
        assert all(mark.font.color is None for mark in figure.layout.annotations), name


def test_plotly_accepts_every_figure(figures: dict[str, go.Figure]) -> None:
    """Those drawn at every click are put together without its checks."""
    for name, figure in figures.items():
        checked = go.Figure(figure.to_dict())  # raises ValueError
        assert json.loads(checked.to_json()) == json.loads(figure.to_json()), name


def test_a_figure_that_was_changed_changes_no_later_one() -> None:
    first = plot_brain(EFFECTS)
    first.update_traces(line_width=9, x=[0]).update_annotations(text="x")
    assert plot_brain(EFFECTS) == plot_brain(EFFECTS, layout=[list(row) for row in LAYOUT_MM])
    assert plot_brain(EFFECTS) != first


def test_every_axis_with_numbers_has_a_title_with_a_unit(figures: dict[str, go.Figure]) -> None:
    for name in ("pair", "volumes", "criterion"):
        assert all("(" in (axis.title.text or "") for axis in visible_axes(figures[name])), name
    for axis in visible_axes(figures["matrix"]):
        assert axis.title.text.endswith("(prior SD)")
    assert figures["severity"].layout.yaxis.title.text.endswith("(SD)")
    assert figures["ranking"].layout.xaxis.title.text == "Effect (SD)"
    assert figures["ranking"].layout.yaxis2.title.text == "Effect (SD)"
    assert figures["subtypes"].layout.xaxis2.title.text == "Effect (SD)"
    lowest = [axis.title.text for axis in figures["distributions"].select_xaxes(row=2)]
    assert lowest[0] == "Left hippocampus (mm³)"
    assert all(title.endswith("(mm³)") for title in lowest)


def test_picked_people_stand_out_in_every_group(people: pd.DataFrame) -> None:
    picked = people["subject_id"].iloc[[0, 5]].tolist()
    for figure in (
        plot_latent_pair(people, "salient_1", "salient_2", color="diagnosis"),
        plot_latent_matrix(people, SALIENT, color="diagnosis"),
    ):
        traces = [t for t in highlight(figure, picked).data if t.customdata is not None]
        shown = {t.customdata[place][0] for t in traces for place in t.selectedpoints}
        assert shown == set(picked)
        assert all(t.unselected.marker.opacity < 0.2 for t in traces)


def test_with_nobody_picked_everyone_looks_as_before(people: pd.DataFrame) -> None:
    figure = highlight(plot_latent_pair(people, "salient_1", "salient_2"), ())
    assert all(trace.selectedpoints is None for trace in figure.data)


def test_paired_features_that_are_no_volumes_have_no_mm3() -> None:
    table = pd.DataFrame(
        {
            "index": ["thickness", "curvature"],
            "healthy": [2.5, -0.1],
            "observed": [2.1, -0.3],
            "mean": [2.4, -0.1],
            "sd": [0.2, 0.1],
        }
    )
    figure = plot_paired_volumes(table, unit="")
    words = " ".join(mark.text for mark in figure.layout.annotations)
    assert "thickness" in words
    assert "−2.0 SD" in words
    assert "mm³" not in figure.to_json()
    assert "%" not in words
    # Features without a common unit do not share an axis.
    assert figure.layout.xaxis.range != figure.layout.xaxis2.range


def test_words_beside_the_dots_have_room(pair_table: pd.DataFrame) -> None:
    far = pair_table.assign(observed=1000.0)  # below the 1st centile: the longest words
    low, high = plot_paired_volumes(far).layout.xaxis.range
    assert (1000 - low) / (high - low) > 0.38


def test_no_effect_is_neither_loss_nor_gain() -> None:
    figure = plot_effect_ranking(dict.fromkeys(EFFECTS, 0.0))
    assert figure.layout.annotations[1].text == "All 139 in order: 0 losses, 0 gains"


def made_up_subtypes() -> tuple[Subtype, ...]:
    def change(label: str, effect: float) -> Change:
        return Change("1", label, effect, 10 * effect)

    changes = [
        (change("Hippocampus", -2.0), change("Amygdala", -1.0)),
        (change("Temporal pole", -1.5), change("Hippocampus", -0.5), change("Putamen", 0.4)),
    ]
    return tuple(
        Subtype(number, "Name", 0.5, own, own) for number, own in enumerate(changes, start=1)
    )


def test_subtypes_share_their_structures_and_their_scale() -> None:
    figure = plot_subtypes(made_up_subtypes(), ["one", "two"])
    first, second = figure.data
    assert first.y == second.y == ("Putamen", "Temporal pole", "Amygdala", "Hippocampus")
    assert first.x == (0, 0, -1.0, -2.0)
    assert second.x == (0.4, -1.5, 0, -0.5)
    assert figure.layout.xaxis.range == figure.layout.xaxis2.range
    assert first.hovertext[0] == "Putamen: no clear change"
    assert first.hovertext[3] == "Hippocampus: −2.0 SD, −20 %"
    assert second.text == ("+0.4", "−1.5", "", "−0.5")


def test_the_lowest_criterion_is_marked() -> None:
    figure = plot_criterion({1: 90.0, 2: 60.0, 3: 70.0})
    assert figure.layout.annotations[0].x == 2
    assert figure.data[0].marker.size == (9, 14, 9)
    assert list(figure.data[0].y) == [90.0, 60.0, 70.0]
    assert figure.layout.xaxis.title.text == "Subtypes (number)"
    assert figure.layout.yaxis.title.text == "BIC (no unit, lower is better)"


def test_an_outline_holds_nine_in_ten_and_selects_nobody(people: pd.DataFrame) -> None:
    covariance = np.array([[2.0, 0.8], [0.8, 1.0]])
    outline = Outline("Subtype 1", np.array([1.0, -1.0]), covariance)
    drawn = np.random.default_rng(0).multivariate_normal(outline.mean, covariance, 4000)
    away = outline.ellipse() - outline.mean
    far = np.einsum("nd,de,ne->n", away, np.linalg.inv(covariance), away)
    own = drawn - outline.mean
    inside = np.einsum("nd,de,ne->n", own, np.linalg.inv(covariance), own) <= far.mean()
    assert np.ptp(far) < 1e-6
    assert inside.mean() == pytest.approx(0.9, abs=0.02)
    figure = plot_latent_pair(people, "salient_1", "salient_2", outlines=[outline])
    assert by_name(figure)["Subtype 1"].customdata is None
    assert "<b>Subtype 1</b>" in [mark.text for mark in figure.layout.annotations]
