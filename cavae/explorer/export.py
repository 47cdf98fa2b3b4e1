"""The explorer as ONE HTML file that needs no server and no network."""

from __future__ import annotations

import html
import json
from pathlib import Path
from string import Template
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "ui" / "explorer"
SCRIPTS = (
    "engine",
    "colors",
    "drawing",
    "slices",
    "brain3d",
    "scatter",
    "paired",
    "compare",
    "files",
    "main",
)
"""JavaScript files in the order in which they make one module."""
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)
"""Nothing is fetched, whatever the file holds."""


def scripts() -> str:
    """The explorer's JavaScript: one module that exports a function (component)."""
    return f"{_scripts()}\nexport default mountExplorer;"


def lesson_scripts() -> str:
    """The lesson's JavaScript, which is the explorer's and its own, and its texts."""
    texts = json.dumps(json.loads(_read("lesson.json")), ensure_ascii=True)
    lesson = _read("lesson.js")
    return f"{_scripts()}\n{lesson}\nconst LESSON = {texts};\nexport default mountLesson;"


def _scripts() -> str:
    return "\n".join(_read(f"{name}.js") for name in SCRIPTS)


def template() -> tuple[str, str]:
    """The explorer's HTML and CSS."""
    return _read("explorer.html"), _read("explorer.css") + _read("draw.css")


def lesson_template() -> tuple[str, str]:
    """The lesson's HTML, with the explorer in it, and its CSS."""
    body, style = template()
    html_text = Template(_read("lesson.html")).substitute(explorer=body)
    return html_text, style + _read("lesson.css")


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def export_html(data: dict[str, Any]) -> str:
    """A page that shows `explorer_data` when it is opened from disk, with the same numbers."""
    body, style = template()
    named = html.escape(data["model"]["name"])
    return Template(_read("export.html")).substitute(
        policy=POLICY,
        title=f"Healthy Twin: live explorer, model {named}",
        style=style,
        body=body,
        data=_json_in_html(data),
        script=_scripts(),
    )


def _json_in_html(data: dict[str, Any]) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
