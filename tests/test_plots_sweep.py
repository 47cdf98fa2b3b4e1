"""The picture of a sweep: every training, the means, and no more certainty than there is."""

import pandas as pd

from cavae.plots.sweep import plot_sweep

MODELS = ["Calibrated", "As in the paper", "Conditional VAE"]


def tables(models=MODELS[:2], runs=3):
    rows = [
        {"model": model, "lambda": weight, "seed": 0, "fold": k, "value": 0.5 + 0.1 * k}
        for model in models
        for weight in (100.0, 10.0)
        for k in range(runs)
    ]
    means = [
        {"model": model, "lambda": weight, "mean": 0.6, "low": 0.5, "high": 0.7, "runs": runs}
        for model in models
        for weight in (100.0, 10.0)
    ]
    return pd.DataFrame(rows), pd.DataFrame(means)


def test_a_dot_a_training_and_a_mean_a_setting():
    figure = plot_sweep(*tables(), MODELS, "AUC", 0.5)
    dots, means = figure.data[0::2], figure.data[1::2]
    assert [len(one.x) for one in dots] == [6, 6]
    assert [one.name for one in means] == ["Calibrated", "As in the paper"]
    assert list(figure.layout.xaxis.ticktext) == ["10", "100"]
    assert [round(x) for x in means[0].x] == [0, 1], "by λ, from small to large"
    assert means[0].marker.symbol != means[1].marker.symbol, "not by colour alone"
    assert figure.layout.shapes[0].y0 == 0.5


def test_two_trainings_have_no_interval():
    few, enough = (plot_sweep(*tables(runs=runs), MODELS, "AUC", 0.5).data[1] for runs in (2, 3))
    assert pd.isna(few.error_y.array).all()
    assert not pd.isna(enough.error_y.array).any()


def test_without_a_best_value_there_is_no_line():
    assert not plot_sweep(*tables(), MODELS, "MAD", float("nan")).layout.shapes


def test_a_model_looks_the_same_whichever_came_first():
    late = plot_sweep(*tables(MODELS[1:2]), MODELS, "AUC", 0.5).data[1]
    both = plot_sweep(*tables(), MODELS, "AUC", 0.5).data[3]
    assert late.name == both.name
    assert late.marker == both.marker
