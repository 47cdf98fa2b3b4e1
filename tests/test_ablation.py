"""Table A1 and Figure A1: who is compared, the files, and what a person reads."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from cavae import paper
from cavae.ablation import (
    CALIBRATED,
    FOLD_COLUMNS,
    OF_PAPER,
    TABLE_COLUMNS,
    order,
    read_folds,
    read_table,
    readable_table,
    without_parts,
)
from cavae.config import PRESETS, TrainConfig, require_variant, train_config
from cavae.errors import DataError
from cavae.plots import plot_common_auc_by_variant, plot_completeness_by_variant
from cavae.tables import save_table


@pytest.fixture
def table():
    rows = [
        (paper.REAL, "separation", 59.4, 55.0, 63.0),
        (paper.LAMBDA_10, "w2_target", 72.04, 70.5, 74.0),
        (paper.LAMBDA_10, "completeness", 0.553, 0.5, 0.6),
        (CALIBRATED.name, "w2_target", 11.2, 10.0, 12.4),
        ("Gaussian copula", "w2_target", 11.5, np.nan, np.nan),
    ]
    return pd.DataFrame(rows, columns=list(TABLE_COLUMNS))


@pytest.fixture
def folds():
    rows = [
        (variant, fold, metric, 0.5 + 0.01 * fold)
        for variant in (paper.CONDITIONAL, paper.LAMBDA_10, CALIBRATED.name)
        for fold in range(1, 6)
        for metric in ("common_auc", "completeness")
    ]
    return pd.DataFrame(rows, columns=list(FOLD_COLUMNS))


# --------------------------------------------------------------------------- who is compared


def test_every_variant_of_table_a1_is_there_in_its_order():
    assert [one.name for one in OF_PAPER] == list(paper.TABLE_A1)
    assert order()[0] == paper.REAL
    assert len(order()) == len(set(order()))


def test_lambdas_are_those_of_their_names():
    lambdas = {one.name: one.settings.get("mmd_weight") for one in OF_PAPER}
    assert [lambdas[f"Contrastive VAE, λ = {n}"] for n in (0, 5, 10, 15)] == [0, 5, 10, 15]


def test_each_part_of_the_calibrated_preset_is_left_out_once():
    parts = [set(one.settings) for one in without_parts()]
    assert parts == [{part} for part in PRESETS["calibrated"]]
    neutral = {one.name: one.default for one in fields(TrainConfig)}
    for one in without_parts():
        assert all(value == neutral[part] for part, value in one.settings.items())


def test_every_variant_can_be_trained_with_its_settings():
    for one in (*OF_PAPER, CALIBRATED, *without_parts()):
        require_variant(one.variant, train_config(one.preset, **one.settings))


# --------------------------------------------------------------------------- files


def test_tables_come_back_as_they_were_written(table, folds, tmp_path):
    save_table([table], tmp_path / "table.csv")
    save_table([folds], tmp_path / "folds.csv")
    pd.testing.assert_frame_equal(read_table(tmp_path / "table.csv"), table)
    pd.testing.assert_frame_equal(read_folds(tmp_path / "folds.csv"), folds)


def test_what_is_no_such_table_is_refused_with_what_is_accepted(table, tmp_path):
    with pytest.raises(DataError, match="is missing; `ablation` writes it"):
        read_table(tmp_path / "table.csv")
    save_table([table], tmp_path / "table.csv")
    with pytest.raises(DataError, match="accepted: variant, fold, metric, value"):
        read_folds(tmp_path / "table.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(DataError, match=r"empty\.csv cannot be read"):
        read_table(tmp_path / "empty.csv")


# --------------------------------------------------------------------------- for people


def cells(markdown: str, variant: str) -> list[list[str]]:
    lines = [line for line in markdown.splitlines() if line.startswith(f"| {variant} |")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_papers_figures_stand_beside_ours(table):
    distances, latents = cells(readable_table(table), paper.LAMBDA_10)
    assert distances[1:3] == ["72.0 (70.5 to 74.0)", "60.5 (59.7 to 63.1)"]
    assert latents[1:5] == ["0.55 (0.50 to 0.60)", "0.32", "", "0.55"]


def test_what_a_variant_lacks_is_left_empty_and_the_paper_has_no_copula(table):
    (copula,) = cells(readable_table(table), "Gaussian copula")
    assert copula == ["Gaussian copula", "11.5", "", "", "", "", ""]


def test_figures_have_a_box_a_variant_from_the_top_and_a_point_a_fold(folds):
    for plot in (plot_common_auc_by_variant, plot_completeness_by_variant):
        figure = plot(folds)
        (box,) = figure.data
        assert len(box.x) == 15
        assert list(figure.layout.yaxis.categoryarray) == [
            CALIBRATED.name,
            paper.LAMBDA_10,
            paper.CONDITIONAL,
        ]
        assert "is best" in figure.layout.xaxis.title.text
