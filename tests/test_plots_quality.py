"""Pictures of quality: what is drawn where, with which interval, and what the axes are."""

import pandas as pd
import pytest

from cavae.estimates import Estimate
from cavae.plots.colors import GREY
from cavae.plots.quality import PRIVATE, plot_privacy, plot_small_studies, plot_usefulness
from cavae.usefulness import SmallStudy

COLUMNS = ["key", "metric", "value", "low", "high"]
TABLE = pd.DataFrame(
    [
        ("tstr_auc", "synthetic", 0.8, 0.7, 0.85),
        ("trtr_auc", "real", 0.9, 0.8, 0.95),
        ("closest_5", "distance", 1.02, float("nan"), float("nan")),
        ("closer_to_training", "share", 0.45, 0.38, 0.52),
        ("attack_distance", "distance", 0.61, 0.52, 0.7),
    ],
    columns=COLUMNS,
)
STUDIES = (
    SmallStudy(5, Estimate(0.6, (0.5, 0.7)), Estimate(0.8, (0.78, 0.82))),
    SmallStudy(10, Estimate(0.7, (0.65, 0.75)), Estimate(0.81, (0.8, 0.83))),
)


def dots(figure):
    return {trace.name: trace for trace in figure.data}


def test_a_dot_stands_at_its_value_with_its_interval():
    drawn = dots(plot_usefulness(TABLE))
    assert set(drawn) == {"Real people", "Synthetic people"}
    synthetic = drawn["Synthetic people"]
    assert synthetic.x[0] == pytest.approx(0.8)
    assert synthetic.error_x.array[0] == pytest.approx(0.05)
    assert synthetic.error_x.arrayminus[0] == pytest.approx(0.1)
    assert synthetic.text == "0.80"
    assert synthetic.hovertemplate == "synthetic: 0.80 (0.70 to 0.85)<extra></extra>"


def test_real_people_are_grey_and_synthetic_ones_are_not():
    drawn = dots(plot_usefulness(TABLE))
    assert drawn["Real people"].marker.color == GREY
    assert drawn["Synthetic people"].marker.color != GREY
    small = dots(plot_small_studies(STUDIES))
    assert small["Real alone"].line.color == GREY
    assert small["With synthetic"].line.color == drawn["Synthetic people"].marker.color


def test_what_was_not_measured_is_left_out():
    assert set(dots(plot_privacy(TABLE))) == {
        PRIVATE["closer_to_training"],
        PRIVATE["attack_distance"],
    }


@pytest.mark.parametrize("plot", [plot_usefulness, plot_privacy])
def test_everything_measured_and_the_best_are_in_sight(plot):
    figure = plot(TABLE)
    low, high = figure.layout.xaxis.range
    for trace in figure.data:
        assert low < trace.x[0] - trace.error_x.arrayminus[0]
        assert trace.x[0] + trace.error_x.array[0] < high
    (line,) = figure.layout.shapes
    assert line.x0 == line.x1 == 0.5
    assert "AUC" in figure.layout.xaxis.title.text
    bottom, top = figure.layout.yaxis.range
    assert bottom > top, "the first row is on top"


def test_the_line_says_what_it_is_and_each_attack_what_it_looks_at():
    (guess,), (best,) = (plot(TABLE).layout.annotations for plot in (plot_usefulness, plot_privacy))
    assert (guess.text, best.text) == ("guess", "best")
    attacks = {key: PRIVATE[f"attack_{key}"] for key in ("reconstruction", "likelihood")}
    assert attacks == {"reconstruction": "Model: error", "likelihood": "Model: twin"}


def test_small_studies_alone_and_with_synthetic_people():
    figure = plot_small_studies(STUDIES)
    drawn = dots(figure)
    assert list(drawn["Real alone"].x) == ["5", "10"]
    assert list(drawn["Real alone"].y) == [0.6, 0.7]
    assert list(drawn["With synthetic"].y) == [0.8, 0.81]
    assert drawn["Real alone"].error_y.array[0] == pytest.approx(0.1)
    assert figure.layout.xaxis.title.text == "Real people a group"
    assert figure.layout.yaxis.title.text == "AUC on real people"
