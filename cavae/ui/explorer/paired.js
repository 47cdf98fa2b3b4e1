// Hippocampus and amygdala on both sides, twin against now in mm³; the ten strongest effects.

const STRONGEST = 10;
const NARROW = 290; // pixels, in which the per cent has no room
const BAND_SD = 1.6449; // 5th and 95th centile
const REACH_SD = 5;
const ROOM = 42; // pixels for a number beside the last dot

/** Dumbbells over the band of healthy people of this age, sex and head size; draw(state). */
function makePaired(host, data, theme) {
  host.replaceChildren();
  pairedKey(host);
  const stage = addNode(host, "div", { class: "paired-chart" });
  const svg = addSvg(stage, "svg", { class: "chart", role: "img", "aria-label": "Volumes of the healthy twin and now" });
  const rows = Array.from(data.key, (feature) => ({ feature }));
  rows.forEach((row) => {
    row.title = addSvg(svg, "text", { class: "chart-title" });
    row.title.textContent = data.rois[row.feature].label;
    row.wide = addSvg(svg, "rect", { fill: seeThrough(BAND, 0.18), rx: 3 });
    row.band = addSvg(svg, "rect", { fill: seeThrough(BAND, 0.34), rx: 3 });
    row.median = addSvg(svg, "line", { stroke: BAND, "stroke-width": 1.5 });
    row.bar = addSvg(svg, "line", { stroke: NOW, "stroke-width": 3, "stroke-linecap": "round" });
    row.twin = addSvg(svg, "circle", { r: 5.5, fill: HEALTHY, class: "ringed" });
    row.now = addSvg(svg, "circle", { r: 6.5, fill: NOW, class: "ringed" });
    row.words = addSvg(svg, "text", { class: "chart-value", "text-anchor": "end" });
    row.volumes = [0, 1].map(() => addSvg(svg, "text", { class: "chart-volume" }));
  });
  let size = null;
  let state = null;

  const draw = (next) => {
    state = next;
    if (!size || !state) return;
    const step = size.height / rows.length;
    rows.forEach((row, k) => drawRow(row, k * step, step));
  };
  const drawRow = (row, top, step) => {
    const at = row.feature;
    const [mean, sd, twin, now] = [state.mean[at], state.sd[at], state.twin[at], state.now[at]];
    const across = (volume) => {
      const share = (volume - mean) / (2 * REACH_SD * sd) + 0.5;
      return ROOM + Math.min(Math.max(share, 0), 1) * (size.width - 2 * ROOM);
    };
    const y = top + step * 0.66;
    const half = Math.min(9, step * 0.16);
    setAttributes(row.title, { x: 0, y: top + step * 0.3 });
    setAttributes(row.words, { x: size.width, y: top + step * 0.3 });
    const percent = size.width < NARROW ? "" : `${signedNumber(state.percent[at], 0)} %, `;
    setText(row.words, percent + centileWords(state.centile[at]));
    placeVolumes(row.volumes, [across(twin), across(now)], [twin, now], y, size.width);
    placeBand(row.wide, across(mean - 3 * sd), across(mean + 3 * sd), y, half);
    placeBand(row.band, across(mean - BAND_SD * sd), across(mean + BAND_SD * sd), y, half);
    setAttributes(row.median, { x1: across(mean), x2: across(mean), y1: y - half, y2: y + half });
    setAttributes(row.bar, { x1: across(twin), x2: across(now), y1: y, y2: y });
    setAttributes(row.twin, { cx: across(twin), cy: y });
    setAttributes(row.now, { cx: across(now), cy: y });
  };
  const look = watchSize(stage, (width, height) => {
    size = { width, height };
    setAttributes(svg, { width, height });
    draw(state);
  });
  return { draw, resize: look, setTheme() {} };
}

function pairedKey(host) {
  const key = addNode(host, "p", { class: "paired-key" });
  const entry = (color, words, name) => {
    addNode(key, "i", { class: name }).style.background = color;
    key.append(words);
  };
  entry(HEALTHY, "twin", "dot");
  entry(NOW, "now", "dot");
  key.title = "Peers: healthy people of the same age, sex and head size, 5th to 95th centile";
  entry(seeThrough(BAND, 0.5), "90 % of healthy peers", "band");
}

/** Numbers outside the two dots, where there is room for them. */
function placeVolumes(texts, places, volumes, y, width) {
  const swap = places[1] > places[0];
  texts.forEach((text, k) => {
    const right = (k === 0) !== swap;
    const words = wholeNumber(volumes[k]);
    const room = 7 * words.length;
    const x = right ? Math.min(places[k] + 10, width - room) : Math.max(places[k] - 10, room);
    setText(text, words);
    setAttributes(text, { x, y, "text-anchor": right ? "start" : "end" });
  });
}

function placeBand(rect, from, to, y, half) {
  setAttributes(rect, { x: from, y: y - half, width: Math.max(0, to - from), height: 2 * half });
}

const SHORT_WORDS = { Left: "L", Right: "R", inferior: "inf.", superior: "sup.", anterior: "ant.", posterior: "post.", middle: "mid.", medial: "med.", lateral: "lat.", segment: "seg.", cerebellum: "cereb." };

/** A region's name with as few of its words shortened as fit so many letters. */
function shortened(text, letters) {
  const words = text.split(" ");
  for (let k = 0; k < words.length && words.join(" ").length > letters; k++)
    words[k] = SHORT_WORDS[words[k]] || words[k];
  const short = words.join(" ");
  return short.length <= letters ? short : `${short.slice(0, Math.max(3, letters - 1)).trimEnd()}…`;
}

/** The ten strongest effects as bars with names; draw(state, unit, limit). */
function makeStrongest(host, data, theme) {
  const listeners = [];
  const palette = effectPalette();
  host.replaceChildren();
  const svg = addSvg(host, "svg", { class: "chart", role: "img", "aria-label": "The ten strongest effects" });
  const axis = addSvg(svg, "line", { stroke: LINE, "stroke-width": 1 });
  const rows = Array.from({ length: Math.min(STRONGEST, data.features.length) }, () => {
    const group = addSvg(svg, "g");
    const row = { feature: -1 };
    row.bar = addSvg(group, "rect", { rx: 2 });
    row.kept = addSvg(group, "line", { class: "strongest-kept", display: "none" });
    row.name = addSvg(group, "text", { class: "chart-name", "text-anchor": "end" });
    row.words = addSvg(group, "text", { class: "chart-value" });
    group.addEventListener("pointermove", (event) =>
      listeners.forEach((tell) => tell(row.feature, event.clientX, event.clientY)),
    );
    group.addEventListener("pointerleave", () => listeners.forEach((tell) => tell(null, 0, 0)));
    return row;
  });
  let size = null;
  let last = null;
  let kept = null;
  const order = Array.from(data.features, (_, k) => k);

  const draw = (state, unit, limit) => {
    last = [state, unit, limit];
    if (!size || !state) return;
    const values = unit === "%" ? state.percent : state.effect;
    order.sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]));
    const names = Math.min(size.width * 0.66, 190);
    const step = size.height / STRONGEST;
    const zero = names + 8;
    setAttributes(axis, { x1: zero, x2: zero, y1: 2, y2: size.height - 2 });
    rows.forEach((row, k) => {
      row.feature = order[k];
      const value = values[row.feature];
      const across = Math.max(0, size.width - zero - (kept ? 96 : 38)) / limit;
      const length = Math.min(Math.abs(value), limit) * across;
      setText(row.name, shortened(data.rois[row.feature].label, names / 5.9));
      setAttributes(row.name, { x: names, y: (k + 0.5) * step });
      setAttributes(row.bar, { x: zero, y: k * step + 2, width: length, height: Math.max(2, step - 4), fill: palette.css(value, limit) });
      setText(row.words, signedNumber(value, unit === "%" ? 0 : 1));
      let end = zero + length;
      if (kept) end = Math.max(end, drawKept(row, unit, limit, zero, across, k * step, step));
      setAttributes(row.words, { x: end + 5, y: (k + 0.5) * step });
    });
  };
  const look = watchSize(host, (width, height) => {
    size = { width, height };
    setAttributes(svg, { width, height });
    if (last) draw(...last);
  });
  // The value of A: a line where its bar would end, none where it is of the other sign; its end.
  const drawKept = (row, unit, limit, zero, across, top, step) => {
    const [here, there] = [last[0], kept].map((one) => (unit === "%" ? one.percent : one.effect)[row.feature]);
    const x = zero + Math.min(Math.abs(there), limit) * across;
    const same = here * there > 0;
    setText(row.words, `${row.words.textContent} · A ${signedNumber(there, unit === "%" ? 0 : 1)}`);
    setAttributes(row.kept, { x1: x, x2: x, y1: top, y2: top + step, display: same ? "inline" : "none" });
    return same ? x : zero;
  };
  /** Mark where another state stands, or none. */
  const keep = (state) => {
    kept = state;
    rows.forEach((row) => row.kept.setAttribute("display", kept ? "inline" : "none"));
    if (last) draw(...last);
  };
  return { draw, keep, onHover: (tell) => listeners.push(tell), resize: look, setTheme() {} };
}
