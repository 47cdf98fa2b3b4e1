// Slices of the brain as vector shapes, filled again each frame.

const SLICE_ROWS = [
  [["coronal", -3], ["coronal", -18], ["coronal", -51], ["sagittal", -9]],
  [["axial", -12], ["axial", 12], ["axial", 24], ["sagittal", 9]],
];
const SLICE_GAP = 14; // mm
const CAPTION_ROOM = 19; // mm
const NO_VALUE = "rgba(128,134,150,0.35)";
const FLUID = "rgba(128,134,150,0.20)";
const VENTRICLE = "rgba(128,134,150,0.45)";
const BORDER = "rgba(60,64,74,0.55)";

/**
 * Draw the slices in `host` (a positioned element with a size of its own).
 *
 * One path holds all the shapes of a region: 139 fills a frame. Borders and words lie on a canvas
 * above, drawn only when the size or theme changes.
 */
function makeSlices(host, data, theme, rows = SLICE_ROWS) {
  const listeners = [];
  let layout = placeSlices(data.slices.slices, rows);
  const place = new Map(data.features.map((index, k) => [index, k]));
  host.replaceChildren();
  const fills = addNode(host, "canvas", { class: "layer" });
  const lines = addNode(host, "canvas", { class: "layer", role: "img" });
  lines.setAttribute("aria-label", "Slices of the brain: each region in the colour of its effect");
  let pen = null;
  let paths = null;
  let view = null;
  let colorOf = () => null;
  let marked = null;

  const paint = (colors) => {
    colorOf = colors;
    if (!pen) return;
    pen.clearRect(0, 0, view.width, view.height);
    pen.fillStyle = FLUID;
    pen.fill(paths.fluid);
    pen.fillStyle = VENTRICLE;
    pen.fill(paths.ventricles);
    for (const [index, path] of paths.rois) {
      const feature = place.get(index);
      pen.fillStyle = (feature === undefined ? null : colorOf(feature)) || NO_VALUE;
      pen.fill(path);
    }
  };

  const resize = (width, height) => {
    const scale = Math.min(width / layout.width, height / layout.height);
    view = { width, height, scale };
    view.left = (width - scale * layout.width) / 2;
    view.top = (height - scale * layout.height) / 2;
    pen = sharpPen(fills, width, height);
    paths = slicePaths(layout, view);
    marked = null;
    drawLines(sharpPen(lines, width, height));
    paint(colorOf);
  };

  const drawLines = (ink) => {
    ink.lineWidth = 0.7;
    ink.lineJoin = "round";
    ink.strokeStyle = BORDER;
    paths.rois.forEach((path) => ink.stroke(path));
    if (marked) {
      ink.lineWidth = 2.2;
      ink.strokeStyle = theme.text;
      ink.stroke(marked);
    }
    const size = Math.max(10, Math.min(12.5, 9 * view.scale));
    ink.font = `${size}px ${theme.font}`;
    ink.fillStyle = theme.muted;
    ink.textAlign = "center";
    for (const panel of layout.panels) {
      const [x, bottom] = toScreen(view, panel.left + panel.width / 2, panel.bottom);
      ink.textBaseline = "top";
      const fits = ink.measureText(panel.caption).width < view.scale * (panel.column + SLICE_GAP) - 2;
      ink.fillText(fits ? panel.caption : panel.short, x, bottom + 1);
      const [, top] = toScreen(view, 0, panel.bottom - panel.height);
      const sides = panel.plane === "sagittal" ? "PA" : "LR";
      const reach = (view.scale * panel.width) / 2 - 4;
      ink.fillText(sides[0], x - reach, top + size / 2);
      ink.fillText(sides[1], x + reach, top + size / 2);
    }
  };

  const look = watchSize(host, resize);
  lines.addEventListener("pointermove", (event) => {
    const found = pen ? roiAt(pen, paths.rois, ...pointerPlace(event, lines)) : null;
    const feature = found === null ? undefined : place.get(found);
    listeners.forEach((tell) => tell(feature ?? null, event.clientX, event.clientY));
  });
  lines.addEventListener("pointerleave", () => listeners.forEach((tell) => tell(null, 0, 0)));

  return {
    paint,
    onHover: (tell) => listeners.push(tell),
    resize: look,
    /** Outline a feature's region, or none. */
    mark(feature) {
      const next = (feature !== null && paths?.rois.get(String(data.features[feature]))) || null;
      if (next === marked) return;
      marked = next;
      drawLines(sharpPen(lines, view.width, view.height));
    },
    /** Show other slices in the same place. */
    setRows(next) {
      if (next === rows) return;
      rows = next;
      layout = placeSlices(data.slices.slices, rows);
      if (view) resize(view.width, view.height);
    },
    setTheme(next) {
      theme = next;
      if (pen) drawLines(sharpPen(lines, view.width, view.height));
    },
    toSvg: () => slicesSvg(layout, (index) => colorOf(place.get(index)), theme),
  };
}

/** Where each slice lies in the picture, mm to the right and down. */
function placeSlices(slices, chosen) {
  const rows = chosen.map((row) =>
    row.map(([plane, at]) => measured(slices.find((cut) => cut.plane === plane && cut.position_mm === at))),
  );
  const widths = rows[0].map((_, k) => Math.max(...rows.map((row) => row[k].width)));
  const panels = [];
  let top = 0;
  for (const row of rows) {
    const tallest = Math.max(...row.map((cut) => cut.height));
    let left = 0;
    row.forEach((cut, k) => {
      panels.push({
        ...cut,
        column: widths[k],
        left: left + (widths[k] - cut.width) / 2,
        bottom: top + tallest,
        shift: [left + (widths[k] - cut.width) / 2 - cut.low[0], top + (tallest - cut.height) / 2 + cut.high[1]],
      });
      left += widths[k] + SLICE_GAP;
    });
    top += tallest + CAPTION_ROOM;
  }
  panels.forEach((panel) => {
    panel.height = panel.bottom - (panel.shift[1] - panel.high[1]);
  });
  return { panels, width: widths.reduce((sum, width) => sum + width + SLICE_GAP, -SLICE_GAP), height: top };
}

function measured(cut) {
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (const ring of cut.outline)
    ring.forEach((value, k) => {
      low[k % 2] = Math.min(low[k % 2], value);
      high[k % 2] = Math.max(high[k % 2], value);
    });
  const axis = { coronal: "y", axial: "z", sagittal: "x" }[cut.plane];
  const side = cut.plane !== "sagittal" ? "" : cut.position_mm < 0 ? " left" : " right";
  const at = `${cut.position_mm}`.replace("-", "−");
  return {
    plane: cut.plane,
    outline: cut.outline,
    ventricles: cut.ventricles,
    shapes: cut.shapes,
    low,
    high,
    width: high[0] - low[0],
    height: high[1] - low[1],
    short: `${axis} ${at}`,
    caption: `${cut.plane}${side}, ${axis} ${at} mm`,
  };
}

/** Screen place of a point of the picture, mm to the right and down. */
function toScreen(view, x, y) {
  return [view.left + view.scale * x, view.top + view.scale * y];
}

/** Path2D of the fluid, of the ventricles and of each region, over all slices. */
function slicePaths(layout, view) {
  const paths = { fluid: new Path2D(), ventricles: new Path2D(), rois: new Map() };
  const trace = (path, panel, rings) => {
    for (const ring of rings) {
      for (let k = 0; k < ring.length; k += 2) {
        const [x, y] = toScreen(view, ring[k] + panel.shift[0], panel.shift[1] - ring[k + 1]);
        if (k) path.lineTo(x, y);
        else path.moveTo(x, y);
      }
      path.closePath();
    }
  };
  for (const panel of layout.panels) {
    trace(paths.fluid, panel, panel.outline);
    trace(paths.ventricles, panel, panel.ventricles);
    for (const [index, rings] of Object.entries(panel.shapes)) {
      if (!paths.rois.has(index)) paths.rois.set(index, new Path2D());
      trace(paths.rois.get(index), panel, rings);
    }
  }
  return paths;
}

/** MUSE index of the region under a point (CSS pixels), or null. */
function roiAt(pen, rois, x, y) {
  const ratio = pen.getTransform().a;
  for (const [index, path] of rois) if (pen.isPointInPath(path, x * ratio, y * ratio)) return index;
  return null;
}

/** The picture as an SVG file's text; colors(index) is a CSS colour or null. */
function slicesSvg(layout, colors, theme) {
  const outline = (panel, rings) =>
    rings.map((ring) => `M${ringWords(panel, ring)}Z`).join("");
  const parts = layout.panels.map((panel) => {
    const rois = Object.entries(panel.shapes).map(
      ([index, rings]) =>
        `<path fill="${colors(index) || NO_VALUE}" data-roi="${index}" d="${outline(panel, rings)}"/>`,
    );
    const x = panel.left + panel.width / 2;
    return (
      `<path fill="${FLUID}" d="${outline(panel, panel.outline)}"/>` +
      `<path fill="${VENTRICLE}" d="${outline(panel, panel.ventricles)}"/>` +
      `<g stroke="${BORDER}" stroke-width="0.5">${rois.join("")}</g>` +
      `<text x="${x.toFixed(1)}" y="${(panel.bottom + 10).toFixed(1)}">${panel.caption}</text>`
    );
  });
  const box = `0 0 ${layout.width.toFixed(1)} ${layout.height.toFixed(1)}`;
  return (
    `<svg xmlns="${SVG}" viewBox="${box}" font-family="sans-serif" font-size="8" ` +
    `text-anchor="middle" fill="${theme.text}">${parts.join("")}</svg>`
  );
}

function ringWords(panel, ring) {
  const words = [];
  for (let k = 0; k < ring.length; k += 2)
    words.push(`${(ring[k] + panel.shift[0]).toFixed(1)} ${(panel.shift[1] - ring[k + 1]).toFixed(1)}`);
  return words.join("L");
}
