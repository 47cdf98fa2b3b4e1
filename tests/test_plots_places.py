"""Where things stand in the pictures: every point, bar and line at its own numbers."""

import base64

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cavae.atlas import roi, rois
from cavae.plots import (
    highlight,
    plot_brain,
    plot_common_auc_by_variant,
    plot_completeness_by_variant,
    plot_distributions,
    plot_effect_ranking,
    plot_latent_matrix,
    plot_latent_pair,
    plot_paired_volumes,
    plot_severity,
    plot_subtypes,
)
from cavae.plots.forest import plot_forest
from cavae.plots.latent import Outline, without_webgl
from cavae.plots.layout import density
from cavae.plots.overview import plot_overview
from cavae.plots.quality import plot_small_studies
from cavae.plots.sweep import plot_sweep
from cavae.subtypes import Change, Subtype
from cavae.usefulness import SmallStudy
from tests.people import make_cohort

CENTILE_95 = stats.norm.ppf(0.95)


def by_name(figure):
    return {trace.name.split(" (")[0]: trace for trace in figure.data if trace.name}


@pytest.fixture
def people() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    table = pd.DataFrame(rng.normal(size=(40, 3)), columns=["salient_1", "salient_2", "salient_3"])
    table["subject_id"] = [f"P{k:02d}" for k in range(40)]
    table["diagnosis"] = ["AD"] * 15 + ["CN"] * 25
    table["mad"] = rng.uniform(0.5, 1.5, 40)
    return table


def rows_of(trace, people):
    return people.set_index("subject_id").loc[[one[0] for one in trace.customdata]]


# People


def test_a_point_lies_at_its_persons_latents_across_and_up(people):
    figure = plot_latent_pair(people, "salient_1", "salient_2", "diagnosis")
    assert figure.layout.xaxis.title.text == "Salient s1 (prior SD)"
    assert figure.layout.yaxis.title.text == "Salient s2 (prior SD)"
    assert [trace.name for trace in figure.data] == ["AD (15)", "CN (25)"], "healthy people on top"
    for trace in figure.data:
        own = rows_of(trace, people)
        assert list(trace.x) == list(own["salient_1"])
        assert list(trace.y) == list(own["salient_2"])


def test_people_are_picked_by_their_id_however_it_is_shown(people):
    named = people.assign(subject_id=[f"<b>{k}</b>" for k in range(40)])
    for trace in highlight(plot_severity(named), ["<b>17</b>"]).data:
        if trace.customdata is not None:
            ids = [one[0] for one in trace.customdata]
            assert [ids[k] for k in trace.selectedpoints] == [i for i in ids if i == "<b>17</b>"]


def test_the_matrix_has_its_first_dimension_left_and_on_top(people):
    columns = ["salient_1", "salient_2", "salient_3"]
    figure = plot_latent_matrix(people, columns, "diagnosis")
    cloud = next(trace for trace in figure.data if trace.name == "AD (15)")
    own = rows_of(cloud, people)
    for dimension in cloud.dimensions:
        assert list(dimension.values) == list(own[dimension.label])
    across = [axis.domain for axis in (figure.layout[f"xaxis{k}"] for k in ("", 2, 3))]
    down = [axis.domain for axis in (figure.layout[f"yaxis{k}"] for k in ("", 2, 3))]
    assert across[0][0] == pytest.approx(0)
    assert across[2][1] == pytest.approx(1)
    assert down[0][1] == pytest.approx(1)
    assert down[2][0] == pytest.approx(0)
    assert across[0][1] < across[1][0] < across[1][1] < across[2][0], "cells do not overlap"
    assert down[2][1] < down[1][0] < down[1][1] < down[0][0]
    for k, column in enumerate(columns, start=1):
        low, high = figure.layout[f"xaxis{k if k > 1 else ''}"].range
        assert low < people[column].min() < people[column].max() < high
        assert figure.layout[f"yaxis{3 + k}"].domain == down[k - 1], "a density in its own cell"
    curves = [t for t in figure.data if t.type == "scatter" and t.line.color == "#D55E00"]
    for curve, column in zip(curves, columns, strict=True):
        assert curve.y == pytest.approx(density(own[column].to_numpy(), np.asarray(curve.x)))


def test_the_matrix_on_paper_has_the_same_cells(people):
    columns = ["salient_1", "salient_2", "salient_3"]
    drawn = without_webgl(plot_latent_matrix(people, columns, "diagnosis"))
    cells = [t for t in drawn.data if t.mode == "markers" and t.name == "AD (15)"]
    assert [(t.xaxis, t.yaxis) for t in cells] == [("x", "y2"), ("x", "y3"), ("x2", "y3")]
    for cell, (across, up) in zip(cells, [(0, 1), (0, 2), (1, 2)], strict=True):
        own = rows_of(cell, people)
        assert list(cell.x) == list(own[columns[across]])
        assert list(cell.y) == list(own[columns[up]])
    assert [t.showlegend for t in cells] == [True, False, False]
    few = without_webgl(plot_latent_matrix(people, columns), most=20)
    assert len(few.data[0].x) == 20


def test_a_density_is_the_mean_of_normal_curves_around_the_values():
    values, grid = np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.linspace(-2, 6, 9)
    width = 1.06 * (2 / 1.349) * 5**-0.2  # Their quartiles are 1 and 3.
    expected = stats.norm.pdf(grid[:, None], values, width).mean(axis=1)
    assert density(values, grid) == pytest.approx(expected)


def test_severity_stands_at_its_height_above_its_diagnosis(people):
    figure = plot_severity(people)
    for place, name in enumerate(("CN", "AD")):
        box, points = figure.data[2 * place : 2 * place + 2]
        own = rows_of(points, people)
        assert points.name == name
        assert list(points.y) == list(own["mad"])
        assert sorted(box.y) == sorted(own["mad"])
        assert box.x0 == place
        sideways = np.asarray(points.x) - place
        assert np.abs(sideways).max() < 0.5
        assert sideways.min() < 0 < sideways.max()
    assert figure.layout.xaxis.ticktext == ("CN<br>n = 25", "AD<br>n = 15")
    low, high = figure.layout.xaxis.range
    assert low < -0.5
    assert high > 1.5


def test_distributions_are_drawn_over_their_volumes_real_above_synthetic():
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"47": rng.normal(10, 1, 200), "group": ["target", "background"] * 100})
    made = real.assign(**{"47": real["47"] + 5})
    figure = plot_distributions(real, made, rois=["47"])
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]
    assert figure.layout.yaxis.title.text == "Real, density (1/SD)"
    for table, axis in ((real, "y"), (made, "y2")):
        for name in ("background", "target"):
            own = table.loc[table["group"] == name, "47"]
            curve, median = (t for t in figure.data if (t.name, t.yaxis) == (name, axis))
            assert curve.y == pytest.approx(density(own.to_numpy(), np.asarray(curve.x)))
            assert np.ptp(curve.x) > np.ptp(own), "the axis holds both rows"
            assert list(median.x) == [own.median()] * 2
            assert median.y[0] == 0
            top = density(own.to_numpy(), np.array([own.median()]))
            assert median.y[1] == pytest.approx(top[0], rel=0.01)
            assert figure.layout.yaxis.range[1] > max(curve.y)


def test_an_outline_is_named_at_its_top(people):
    outline = Outline("Subtype 1", np.array([1.0, -1.0]), np.array([[2.0, 0.8], [0.8, 1.0]]))
    figure = plot_latent_pair(people, "salient_1", "salient_2", outlines=[outline])
    (name,) = (mark for mark in figure.layout.annotations if "Subtype 1" in mark.text)
    # The top of xᵀ Σ⁻¹ x = r² is at r (Σ₁₂, Σ₂₂) / √Σ₂₂, and r² = −2 ln 0.1 holds nine in ten.
    radius = np.sqrt(-2 * np.log(0.1))
    assert (name.x, name.y) == pytest.approx((1 + 0.8 * radius, -1 + radius), abs=0.1)
    assert name.yanchor == "bottom"


# A table


def test_the_overview_counts_women_to_the_left_and_men_to_the_right():
    cohort = make_cohort()
    figure = plot_overview(cohort)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    for sex, side in (("F", -1), ("M", 1)):
        for name in ("CN", "AD"):
            (bar,) = (b for b in bars if b.name == name and f", {sex}," in b.hovertemplate)
            own = cohort.subjects.query("sex == @sex and diagnosis == @name")["age"]
            for length, middle, told in zip(bar.x, bar.y, bar.customdata, strict=True):
                here = int(((own >= middle - 2.5) & (own < middle + 2.5)).sum())
                assert (length, told[2]) == (side * here, here)
                assert (told[0], told[1]) == (middle - 2.5, middle + 1.5), "50–54 years"
            assert abs(sum(bar.x)) == len(own)
    assert figure.layout.xaxis.title.text == "People"
    assert figure.layout.yaxis.title.text == "Age (years)"
    letters = {mark.text: mark.x for mark in figure.layout.annotations if len(mark.text) == 8}
    assert letters["<b>F</b>"] < letters["<b>M</b>"]
    ticks = dict(zip(figure.layout.xaxis.ticktext, figure.layout.xaxis.tickvals, strict=False))
    assert ticks["0"] == 0
    shown = list(zip(figure.layout.xaxis.ticktext, figure.layout.xaxis.tickvals, strict=True))
    assert [(text, -place) for text, place in shown] == shown[::-1], "as many on both sides"
    assert all(int(text) == abs(place) for text, place in shown)
    assert list(figure.layout.xaxis.tickvals) == sorted(figure.layout.xaxis.tickvals)
    longest = max(
        abs(np.sum([b.x for b in bars if (np.array(b.x) * s >= 0).all()], axis=0)).max()
        for s in (-1, 1)
    )
    assert figure.layout.xaxis.range[1] > longest
    assert figure.layout.xaxis.range[0] < -longest


def test_the_overview_adds_both_hippocampi_and_compares_medians_with_typical_ones():
    cohort = make_cohort()
    figure = plot_overview(cohort)
    both = (cohort.features["47"] + cohort.features["48"]).to_numpy()
    points = [t for t in figure.data if t.type == "scatter" and t.name in ("CN", "AD")]
    drawn = {row[0]: xy for t in points for row, *xy in zip(t.customdata, t.x, t.y, strict=True)}
    ids, ages = cohort.subjects["subject_id"], cohort.subjects["age"]
    assert drawn == {one: [age, v] for one, age, v in zip(ids, ages, both, strict=True)}
    typical = next(t for t in figure.data if t.name == "typical at 65")
    assert list(typical.y) == [roi("47").typical + roi("48").typical] * 2
    assert list(typical.x) == [ages.min() - 2, ages.max() + 2]
    assert "Hippocampus, left + right" in {mark.text for mark in figure.layout.annotations}
    regions = by_name(figure)["regions"]
    assert list(regions.x) == [roi(name).typical for name in cohort.features]
    assert list(regions.y) == list(cohort.features.median())
    assert figure.layout.xaxis3.type == figure.layout.yaxis3.type == "log"
    assert figure.layout.xaxis3.title.text == "Typical (mm³)"
    assert figure.layout.yaxis3.title.text == "Median here (mm³)"
    assert figure.layout.xaxis2.title.text == "Age (years)"
    assert figure.layout.yaxis2.title.text == "Volume (mm³)"
    line = by_name(figure)["as typical"]
    assert list(line.x) == list(line.y)
    for name, words in (
        ("CN", "%{customdata[1]}<br>CN: %{x:.0f} years, %{y:,.0f} mm³<extra></extra>"),
        ("regions", "%{text}<br>here %{y:,.0f} mm³, typical %{x:,.0f} mm³<extra></extra>"),
    ):
        assert words in {trace.hovertemplate for trace in figure.data if trace.name == name}
    (named,) = (mark for mark in figure.layout.annotations if mark.text == "as typical")
    assert 10**named.y == pytest.approx(line.y[-1]), "an annotation on a log axis wants the log"


# One person


def test_twin_and_now_stand_in_the_bell_of_healthy_people():
    row = ("47", 3900.0, 3100.0, 4000.0, 400.0)
    figure = plot_paired_volumes(
        pd.DataFrame([row], columns=["index", "healthy", "observed", "mean", "sd"])
    )
    drawn = by_name(figure)
    everyone, middle = figure.data[0], drawn["their 5th to 95th centile"]
    assert everyone.y == pytest.approx(np.exp(-((np.asarray(everyone.x) - 4000) ** 2) / 320_000))
    assert (min(middle.x), max(middle.x)) == pytest.approx(
        (4000 - CENTILE_95 * 400, 4000 + CENTILE_95 * 400), abs=0.1
    )
    assert list(drawn["their median"].x) == [4000, 4000]
    stems = [trace for trace in figure.data if trace.mode == "lines" and not trace.name]
    assert [stem.x[0] for stem in stems] == [3900, 3100]
    heights = [np.exp(-(0.25**2) / 2), np.exp(-(2.25**2) / 2)]
    assert [stem.y[1] for stem in stems] == pytest.approx(heights)
    arrow = figure.layout.annotations[0]
    assert (arrow.ax, arrow.x) == (3900, 3100), "from the twin to now"
    assert figure.layout.xaxis.range[0] < 4000 - 3 * 400


def test_panels_go_from_left_to_right_and_from_the_top_down():
    table = pd.DataFrame(
        {
            "index": ["48", "47", "32"],
            "healthy": 4000.0,
            "observed": 3900.0,
            "mean": 4000.0,
            "sd": 300.0,
        }
    )
    layout = plot_paired_volumes(table, columns=2).layout
    assert layout.xaxis.domain[1] < layout.xaxis2.domain[0]
    assert layout.yaxis.domain == layout.yaxis2.domain
    assert layout.yaxis3.domain[1] < layout.yaxis.domain[0]
    assert layout.xaxis3.domain == layout.xaxis.domain


def test_the_strongest_effect_is_on_top_with_both_ends_of_its_interval():
    effects = {"47": -1.8, "48": -0.3, "31": 0.6, "32": 0.1}
    intervals = {"47": (-2.4, -1.1), "48": (-0.8, 0.3), "31": (0.1, 1.2), "32": (-0.2, 0.3)}
    figure = plot_effect_ranking(
        effects, strongest=3, limit=2.5, intervals=intervals, clear=("47",)
    )
    bars, everything, words = figure.data
    assert bars.customdata == ("31", "48", "47"), "plotly puts the last on top"
    assert bars.x == (0.6, -0.3, -1.8)
    assert bars.error_x.array == pytest.approx((0.6, 0.6, 0.7))
    assert bars.error_x.arrayminus == pytest.approx((0.5, 0.5, 0.6))
    assert words.textposition == ("middle right", "middle left", "middle left")
    assert words.x[0] > 1.2
    assert words.x[1] < -0.8
    assert words.x[2] < -2.4
    gaps = np.abs(np.subtract(words.x, (1.2, -0.8, -2.4)))
    assert (gaps < 0.05 * 3.6).all(), "beside the end of their interval"
    beyond = (1.2 - -2.4) / 4  # room on both sides for the numbers, a quarter of all
    assert figure.layout.xaxis.range == pytest.approx((-2.4 - beyond, 1.2 + beyond))
    assert (everything.x, everything.y) == ((1, 2, 3, 4), (-1.8, -0.3, 0.1, 0.6))
    for shown in (bars, everything):
        assert (shown.marker.cmin, shown.marker.cmax) == (-2.5, 2.5)
        assert list(shown.marker.color) == list(shown.x if shown is bars else shown.y)


def test_numbers_keep_their_distance_from_bars_in_any_unit():
    def gap(times):
        ends = {"47": (-2.4 * times, -1.2 * times)}
        figure = plot_effect_ranking({"47": -1.8 * times}, unit="%", intervals=ends)
        return -2.4 * times - figure.data[2].x[0]

    assert gap(10) == pytest.approx(10 * gap(1))


def test_where_there_are_but_losses_the_axis_ends_at_zero():
    figure = plot_effect_ranking({"47": -1.6, "48": -0.4})
    assert figure.layout.xaxis.range == pytest.approx((-2.0, 0.0))
    assert plot_effect_ranking({"47": 1.6}).layout.xaxis.range == pytest.approx((0.0, 2.0))


def corners(trace):
    """Of an area in the brain, (n, 2); its numbers are packed as the browser gets them."""
    axes = [
        np.frombuffer(base64.b64decode(one["bdata"]), one["dtype"]) for one in (trace.x, trace.y)
    ]
    return np.column_stack(axes)


def test_in_the_brain_left_is_left_front_is_at_a_and_up_is_up():
    figure = plot_brain(dict.fromkeys((one.index for one in rois()), 0.5))
    marks = {mark.text: mark for mark in figure.layout.annotations if len(mark.text) > 1}

    def middles(caption, regions):
        """Where these regions lie, (n, 2), in the slice above this caption."""
        mark = marks[caption]
        spots = [corners(trace) for trace in figure.data if trace.name in regions]
        own = np.concatenate(spots)
        near = (np.abs(own[:, 0] - mark.x) < 100) & (own[:, 1] > mark.y)
        return own[near & (own[:, 1] < mark.y + 160)]

    def lobe(name):
        return {one.index for one in rois() if one.lobe == name}

    coronal = "coronal, y −18 mm"
    assert middles(coronal, {"48"})[:, 0].max() < marks[coronal].x
    assert middles(coronal, {"47"})[:, 0].min() > marks[coronal].x
    assert middles(coronal, {"47"})[:, 1].max() < middles(coronal, {"59"})[:, 1].max()
    side = "sagittal right, x 9 mm"
    front, back = (middles(side, lobe(name))[:, 0].mean() for name in ("Frontal", "Occipital"))
    assert front > back
    letters = {m.text: m.x for m in figure.layout.annotations if abs(m.x - marks[side].x) < 110}
    assert letters["P"] < letters["A"]


def test_the_slices_of_the_brain_lie_apart_each_over_its_caption():
    figure = plot_brain({})
    heights = sorted({round(m.y, 3) for m in figure.layout.annotations if len(m.text) > 1})
    assert len(heights) == 2
    brain = corners(figure.data[0])
    brain = brain[~np.isnan(brain[:, 0])]
    assert brain[:, 1].min() > heights[0]
    upper = brain[:, 1] > heights[1]
    assert brain[~upper, 1].max() < heights[1] - 10, "the caption has room"
    for row in (upper, ~upper):
        across = np.sort(brain[row, 0])
        assert (np.diff(across) > 15).sum() == 3, "four slices, three gaps"


# Figures of merit


def test_a_forest_has_what_should_be_and_the_others_dots_on_the_same_rows():
    nan = float("nan")
    rows = pd.DataFrame(
        {
            "panel": "AUC",
            "label": ["one", "two"],
            "value": [0.7, 0.8],
            "low": nan,
            "high": nan,
            "reference": [0.5, 0.6],
            "beside": [0.9, 0.4],
            "beside_low": [0.8, nan],
            "beside_high": [0.95, nan],
        }
    )
    drawn = by_name(plot_forest(rows, "ours", "floor", "paper"))
    at = {name: dict(zip(t.y, t.x, strict=True)) for name, t in drawn.items()}
    assert at == {
        "ours": {"one": 0.7, "two": 0.8},
        "floor": {"one": 0.5, "two": 0.6},
        "paper": {"one": 0.9, "two": 0.4},
    }
    assert drawn["paper"].error_x.array[0] == pytest.approx(0.05)
    assert drawn["paper"].error_x.arrayminus[0] == pytest.approx(0.1)
    assert drawn["floor"].hovertemplate == "%{y}<br>floor: %{x:.4~g}<extra></extra>"
    assert drawn["paper"].hovertemplate == (
        "%{y}<br>paper: %{x:.4~g}%{customdata[0]}<extra></extra>"
    )
    assert drawn["paper"].customdata[0][0] == " (0.8 to 0.95)"


def test_variants_come_from_the_top_with_a_line_at_the_best():
    folds = pd.DataFrame(
        {
            "variant": ["b", "b", "a"],
            "fold": [0, 1, 0],
            "metric": "common_auc",
            "value": [0.6, 0.7, 0.5],
        }
    )
    figure = plot_common_auc_by_variant(folds)
    assert list(figure.data[0].x) == [0.6, 0.7, 0.5]
    assert list(figure.data[0].y) == ["b", "b", "a"]
    assert figure.layout.yaxis.categoryarray == ("a", "b")
    assert figure.layout.shapes[0].x0 == 0.5
    assert figure.data[0].hovertemplate == "%{y}, fold %{customdata}: %{x:.3f}<extra></extra>"
    assert figure.layout.xaxis.title.text.endswith("0.5 is best)")
    other = plot_completeness_by_variant(folds.assign(metric="completeness"))
    assert other.layout.shapes[0].x0 == 1
    assert other.layout.xaxis.title.text.endswith("1 is best)")


def test_a_sweep_has_every_training_above_its_lambda():
    runs = pd.DataFrame(
        {
            "model": "m",
            "lambda": [10.0, 10.0, 100.0],
            "seed": [0, 1, 0],
            "fold": 0,
            "value": [0.6, 0.7, 0.9],
        }
    )
    means = pd.DataFrame(
        {
            "model": "m",
            "lambda": [100.0, 10.0],
            "mean": [0.9, 0.65],
            "low": [0.9, 0.55],
            "high": [0.9, 0.75],
            "runs": [1, 3],
        }
    )
    dots, line = plot_sweep(runs, means, ["m"], "AUC", 0.5).data
    assert [round(x) for x in dots.x] == [0, 0, 1]
    assert dots.x[0] < dots.x[1], "beside each other"
    assert list(dots.y) == [0.6, 0.7, 0.9]
    assert [list(one) for one in dots.customdata] == [[10, 0, 0], [10, 1, 0], [100, 0, 0]]
    assert dots.hovertemplate == (
        "λ %{customdata[0]:g}, seed %{customdata[1]}, fold %{customdata[2]}: %{y:.3f}"
        "<extra></extra>"
    )
    assert line.hovertemplate == "mean of %{customdata} trainings: %{y:.3f}<extra></extra>"
    assert list(line.customdata) == [3, 1]
    assert (list(line.x), list(line.y)) == ([0, 1], [0.65, 0.9])
    assert line.error_y.array[0] == pytest.approx(0.1)
    two = plot_sweep(
        pd.concat([runs, runs.assign(model="n")]),
        pd.concat([means, means.assign(model="n")]),
        ["m", "n"],
        "AUC",
        0.5,
    )
    assert two.data[1].x[0] < 0 < two.data[3].x[0], "models stand side by side"


def test_small_studies_have_the_lower_and_the_upper_end():
    from cavae.estimates import Estimate

    study = SmallStudy(5, Estimate(0.6, (0.4, 0.7)), Estimate(0.8, (0.75, 0.9)))
    for trace, (down, up) in zip(
        plot_small_studies([study]).data, [(0.2, 0.1), (0.05, 0.1)], strict=True
    ):
        assert trace.error_y.arrayminus[0] == pytest.approx(down)
        assert trace.error_y.array[0] == pytest.approx(up)
        assert trace.hovertemplate.endswith(
            "%{x} people a group: %{y:.2f} "
            "(%{customdata[0]:.2f} to %{customdata[1]:.2f})<extra></extra>"
        )
        assert trace.customdata[0] == pytest.approx([trace.y[0] - down, trace.y[0] + up])


def test_subtypes_have_room_beyond_their_longest_bar_and_one_colour_scale():
    one, two = ((Change("1", "Hippocampus", value, 0.0),) for value in (-2.0, 0.5))
    figure = plot_subtypes(
        [Subtype(1, "A", 0.5, one, one), Subtype(2, "B", 0.5, two, two)], ["a", "b"]
    )
    low, high = figure.layout.xaxis.range
    assert low < -2
    assert high > 0.5
    for bar, value in zip(figure.data, (-2.0, 0.5), strict=True):
        assert list(bar.x) == list(bar.marker.color) == [value]
        assert (bar.marker.cmin, bar.marker.cmax) == (-2.0, 2.0)
