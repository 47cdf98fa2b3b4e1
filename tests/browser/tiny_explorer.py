"""A tiny explorer: two regions that are boxes, ten people in a row, a page that draws them."""

import json
from typing import Any

from playwright.sync_api import Page

from cavae.explorer.export import FOLDER, SCRIPTS
from cavae.explorer.export import template as explorer_template

RIGHT, LEFT = 0, 1
CUTS = [("coronal", (-3, -18, -51)), ("axial", (-12, 12, 24)), ("sagittal", (-9, 9))]
CORNERS = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
FACES = [
    (0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1),
    (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3),
]  # fmt: skip


def ring(x: int) -> list[int]:
    return [x, -30, x + 30, -30, x + 30, 30, x, 30]


def box(x: int) -> list[int]:
    return [v for a, b, c in CORNERS for v in (x + 30 * a, -30 + 60 * b, -30 + 60 * c)]


def tiny_data() -> dict[str, Any]:
    """Region 47 lies at x from 10 to 40, region 48 at −40 to −10; three salient dimensions."""
    cut = {"outline": [ring(-45), ring(15)], "ventricles": []}
    shapes = {"47": [ring(10)], "48": [ring(-40)]}
    people = [{"id": f"p{k}", "group": "CN", "salient": [k / 5 - 1, 2, 0]} for k in range(10)]
    return {
        "features": ["47", "48"],
        "rois": [{"label": "Right hippocampus"}, {"label": "Left hippocampus"}],
        "key": [LEFT, RIGHT],
        "axes": [{"name": f"s{k + 1}", "low": -3, "high": 3, "hint": ""} for k in range(3)],
        "plane": [0, 1],
        "groups": [{"name": "CN", "color": "#0072B2"}],
        "people": people,
        "regions": [],
        "slices": {
            "slices": [
                {"plane": plane, "position_mm": at, "shapes": shapes, **cut}
                for plane, places in CUTS
                for at in places
            ]
        },
        "mesh": {
            "names": ["47", "48"],
            "scale": 1,
            "vertices": box(10) + box(-40),
            "faces": [corner for face in FACES * 2 for corner in face],
            "vertexOffsets": [0, 8, 16],
            "faceOffsets": [0, 12, 24],
        },
    }


def with_scripts(page: Page) -> Page:
    """A page with the drawing scripts; `data`, `theme` and a host of 600 x 300 for each picture."""
    _, style = explorer_template()
    drawing = [name for name in SCRIPTS if name not in ("engine", "main")]
    scripts = "\n".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in drawing)
    page.set_content(
        f"<style>{style} .host {{ position: relative; width: 600px; height: 300px; flex: none }}"
        "</style><section class='explorer'></section>"
        f"<script>{scripts}\nconst data = {json.dumps(tiny_data())};"
        "const root = document.querySelector('.explorer');"
        "const theme = readTheme(root); applyTheme(root, theme); const told = [];"
        "const host = (name) => addNode(root, 'div', { class: `host ${name}` });</script>"
    )
    return page
