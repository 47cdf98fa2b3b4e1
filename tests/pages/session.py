"""A visitor's session for page tests: a small model, a small table, a page."""

import json
import time
from pathlib import Path
from typing import Any

import pandas as pd
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from cavae.cohort import read_cohort
from cavae.ui.state import Loaded
from tests.conftest import ROOT


def open_page(page: str, table: Path | None = None, model: Path | None = None) -> AppTest:
    """The app at a page, with a table in use and a model folder; without them as one finds it."""
    app = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    if model is not None:
        app.session_state["model"] = str(model)
    if table is not None:
        app.session_state["loaded"] = Loaded(read_cohort(table), table.name)
    return app.run().switch_page(f"pages/{page}.py").run()


def said(app: AppTest) -> str:
    """All that the page says in words, without Markdown's backslashes."""
    main = app.main
    groups = (main.title, main.header, main.markdown, main.caption, main.warning, main.error)
    return " ".join(element.value for group in groups for element in group).replace("\\", "")


def button(app: AppTest, label: str) -> Button:
    """The button of that label."""
    return next(one for one in app.main.button if one.label == label)


def run_until(app: AppTest, words: str, seconds: float = 90) -> AppTest:
    """Draw the page again and again until it says the words."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if words in said(app.run()):
            return app
        time.sleep(0.5)
    raise AssertionError(said(app))


def figures(app: AppTest) -> list[dict[str, Any]]:
    """The figures of the page, top to bottom, as plotly's own dictionaries."""
    return [json.loads(chart.proto.spec) for chart in app.main.get("plotly_chart")]


def people_in(figure: dict[str, Any]) -> set[str]:
    """The ids of the people whose points are in a figure."""
    traces = (trace for trace in figure["data"] if "customdata" in trace)
    return {one[0] for trace in traces for one in trace["customdata"]}


def highlighted(figure: dict[str, Any]) -> set[str]:
    """The ids of the people who stand out in a figure."""
    traces = (trace for trace in figure["data"] if "selectedpoints" in trace)
    return {trace["customdata"][place][0] for trace in traces for place in trace["selectedpoints"]}


def table(app: AppTest) -> pd.DataFrame:
    """The first table of the page."""
    return app.main.dataframe[0].value


def written(app: AppTest, column: str) -> list[str]:
    """What people read in a column of the first table of the page: numbers as they are written."""
    shown = app.main.dataframe[0]
    texts = convert_arrow_bytes_to_pandas_df(shown.proto.arrow_data.styler.display_values)
    return texts.iloc[:, list(shown.value.columns).index(column)].tolist()
