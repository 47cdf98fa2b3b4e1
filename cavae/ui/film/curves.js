// Curves over epochs, one panel each: {title, unit, log, low, high, best, lines, levels}, where a
// line is {label, color, dash, end, x, y} and a level {color, y}.

const SVG = "http://www.w3.org/2000/svg";
const AROUND = { left: 38, right: 14, top: 6, bottom: 18 };
const WORD = 11; // pixels, its height
const LOG_STEPS = [1, 1.5, 2, 3, 5, 7];

function add(parent, name, attributes = {}, text = "") {
  const node = name in { svg: 0, path: 0, line: 0, text: 0, circle: 0, rect: 0, g: 0 }
    ? document.createElementNS(SVG, name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  parent.append(node);
  return node;
}

/** At most about `count` round numbers from low to high. */
function ticksOf({ log }, low, high, count) {
  if (log) {
    const powers = [];
    for (let k = Math.floor(Math.log10(low)); k <= Math.log10(high); k++) powers.push(10 ** k);
    const all = powers.flatMap((power) => LOG_STEPS.map((step) => step * power)).filter((t) => t >= low && t <= high);
    const every = Math.ceil(all.length / count) || 1;
    return all.filter((_, k) => k % every === 0);
  }
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9; k++) ticks.push(Number((k * step).toPrecision(6)));
  return ticks;
}

const rounded = (value) => String(Number(value.toPrecision(3))).replace("-", "−");

/** Heights of words that stand at the ends of curves, moved apart where they would overlap. */
function apart(heights) {
  const order = heights.map((_, k) => k).sort((a, b) => heights[a] - heights[b]);
  const moved = [...heights];
  for (let k = 1; k < order.length; k++) {
    const gap = moved[order[k]] - moved[order[k - 1]];
    if (gap < WORD) {
      moved[order[k - 1]] -= (WORD - gap) / 2;
      moved[order[k]] += (WORD - gap) / 2;
    }
  }
  return moved;
}

/** The range of a panel: what it says, or what its curves and levels need. */
function reachOf(panel) {
  const all = [...panel.lines.flatMap((line) => line.y), ...panel.levels.map((level) => level.y)];
  if (!all.length) return [panel.low ?? 1, panel.high ?? 10];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  if (panel.log) return [least / 1.1, most * 1.05];
  return [panel.low ?? 0, panel.high ?? (most * 1.08 || 1)];
}

/** Draw a panel anew in its figure; what is under the pointer is said beside its title. */
function drawPanel(figure, panel, until) {
  const svg = figure.querySelector("svg");
  svg.setAttribute("aria-label", panel.alt);
  const { width, height } = svg.getBoundingClientRect();
  if (!width) return;
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const [low, high] = reachOf(panel);
  const scale = panel.log ? Math.log : (value) => value;
  const across = (x) => AROUND.left + (x / until) * (width - AROUND.left - AROUND.right);
  const up = (y) =>
    height - AROUND.bottom - ((scale(y) - scale(low)) / (scale(high) - scale(low))) * (height - AROUND.top - AROUND.bottom);
  for (const y of ticksOf(panel, low, high, 4)) {
    add(svg, "line", { class: "grid", x1: AROUND.left, x2: width - AROUND.right, y1: up(y), y2: up(y) });
    add(svg, "text", { x: AROUND.left - 5, y: up(y) + 4, "text-anchor": "end" }, rounded(y));
  }
  for (const x of ticksOf({}, 0, until, width < 240 ? 3 : 5)) {
    add(svg, "text", { x: across(x), y: height - 4, "text-anchor": "middle" }, rounded(x));
  }
  for (const { color, y } of panel.levels) {
    add(svg, "line", { class: "level", stroke: color, x1: AROUND.left, x2: width - AROUND.right, y1: up(y), y2: up(y) });
  }
  if (panel.best) {
    add(svg, "line", { class: "best", x1: across(panel.best), x2: across(panel.best), y1: AROUND.top, y2: height - AROUND.bottom });
  }
  const known = panel.lines.filter((line) => line.x.length);
  for (const { color, dash, x, y } of known) {
    const path = x.map((one, k) => `${k ? "L" : "M"}${across(one).toFixed(1)},${up(y[k]).toFixed(1)}`).join("");
    add(svg, "path", { class: "curve", d: path, stroke: color, "stroke-dasharray": dash ? "2 2" : "none" });
  }
  const named = known.filter((line) => line.end);
  const heights = apart(named.map((line) => up(line.y.at(-1)) + 4));
  named.forEach(({ end, x }, k) => add(svg, "text", { x: across(x.at(-1)) + 4, y: heights[k] }, end));
  const hair = add(svg, "line", { class: "hair", y1: AROUND.top, y2: height - AROUND.bottom, visibility: "hidden" });
  svg.onpointermove = (event) => {
    const at = ((event.offsetX - AROUND.left) / (width - AROUND.left - AROUND.right)) * until;
    const [line] = known;
    if (!line) return;
    const k = line.x.reduce((best, x, i) => (Math.abs(x - at) < Math.abs(line.x[best] - at) ? i : best), 0);
    const values = known.filter((one) => one.y.length > k).map((one) => `${one.label} ${rounded(one.y[k])}`.trim());
    figure.querySelector("span").textContent = `${line.x[k]}: ${values.join(", ")}`;
    for (const end of ["x1", "x2"]) hair.setAttribute(end, across(line.x[k]));
    hair.setAttribute("visibility", "visible");
  };
  svg.onpointerleave = () => {
    figure.querySelector("span").textContent = panel.unit;
    hair.setAttribute("visibility", "hidden");
  };
}

/** One figure a panel in `host`, made when their titles change. */
function panelsIn(host, panels) {
  const titles = panels.map((panel) => panel.title).join("|");
  if (host.dataset.titles !== titles) {
    host.dataset.titles = titles;
    host.replaceChildren();
    for (const { title, unit } of panels) {
      const figure = add(host, "figure", { class: "filmPanel" });
      const caption = add(figure, "figcaption", {}, title);
      add(caption, "span", {}, unit);
      add(figure, "svg", { role: "img" });
    }
  }
  return [...host.children];
}
