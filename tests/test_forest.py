"""Figures of merit as dots: what stands where, and what is named."""

import numpy as np
import pandas as pd
import pytest

from cavae.plots.colors import BLUE, VERMILLION
from cavae.plots.forest import plot_forest

NAN = float("nan")


@pytest.fixture
def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "panel": ["Distance (SD²)", "Distance (SD²)", "Share (no unit)"],
            "label": ["first", "second", "third"],
            "value": [11.0, 12.0, 0.9],
            "low": [10.0, NAN, NAN],
            "high": [13.0, NAN, NAN],
            "reference": [9.0, 9.5, 1.0],
            "beside": [60.0, NAN, NAN],
        }
    )


def test_dots_carry_their_intervals_and_the_first_row_is_on_top(rows):
    figure = plot_forest(rows, "ours", "floor", "paper")
    ours = next(trace for trace in figure.data if trace.name == "ours")
    assert ours.error_x.arrayminus[0] == 1.0
    assert ours.error_x.array[0] == 2.0
    assert "(10 to 13)" in ours.customdata[0][0]
    assert figure.layout.yaxis.categoryarray == ("second", "first")
    paper = next(trace for trace in figure.data if trace.name == "paper")
    assert (ours.marker.symbol, ours.marker.color) == ("circle", BLUE)
    assert (paper.marker.symbol, paper.marker.color) == ("circle-open", VERMILLION)


def test_every_axis_has_its_unit_and_every_kind_of_mark_one_name(rows):
    figure = plot_forest(rows, "ours", "floor", "paper")
    titles = [figure.layout.xaxis.title.text, figure.layout.xaxis2.title.text]
    assert titles == ["Distance (SD²)", "Share (no unit)"]
    named = [trace.name for trace in figure.data if trace.showlegend]
    assert sorted(named) == ["floor", "ours", "paper"]


def test_side_by_side_all_panels_have_the_same_rows(rows):
    both = pd.concat([rows.assign(panel="a"), rows.assign(panel="b")])
    figure = plot_forest(both, stacked=False)
    assert figure.layout.yaxis2.matches == "y"
    assert figure.layout.height == plot_forest(rows.assign(panel="a")).layout.height


def test_what_nobody_knows_is_not_named(rows):
    figure = plot_forest(rows.assign(beside=np.nan), "ours", "floor", "paper")
    assert "paper" not in {trace.name for trace in figure.data}
