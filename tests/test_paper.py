"""The paper's own figures, as printed."""

import numpy as np

from cavae import paper


def test_table_a1_is_complete_and_every_interval_holds_its_value():
    table = paper.table_a1()
    printed = table.dropna(subset="low")
    assert len(printed) == 6 * 3
    assert (printed["low"] < printed["value"]).all()
    assert (printed["value"] < printed["high"]).all()
    assert not table.duplicated(["variant", "metric"]).any()


def test_figures_of_the_variant_that_the_paper_chose():
    assert paper.reported() == {
        "w2_target": 60.47,
        "w2_background": 51.83,
        "separation": 15.16,
        "completeness": 0.315,
        "common_auc": 0.549,
    }


def test_the_separation_of_the_data_stands_beside_the_generated_one():
    real, generated = paper.reported(paper.REAL), paper.reported(paper.CONDITIONAL)
    assert real == {"separation": 20.36}
    assert np.isclose(generated["separation"], 12.48)
    assert paper.reported("nobody's variant") == {}
