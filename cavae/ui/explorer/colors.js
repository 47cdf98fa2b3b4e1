// Colours: the scale of effects, with the numbers of cavae/plots/colors.py; the page's theme; the
// legend in SD or per cent.

const EFFECT_SCALE = [
  [0.0, "#A34700"],
  [0.2, "#D55E00"],
  [0.36, "#EBA170"],
  [0.5, "#DFE0E4"],
  [0.64, "#7FB5DA"],
  [0.8, "#0072B2"],
  [1.0, "#00507F"],
];
const HEALTHY = "#0072B2";
const BAND = "#4A9FD6";
const NOW = "#D55E00";
const LINE = "#8A8F9C";
const SHADES = 512;

/** The scale as a table of shades, so that no colour is computed or written while dragging. */
function effectPalette() {
  const numbers = new Float32Array(3 * (SHADES + 1));
  const words = [];
  for (let k = 0; k <= SHADES; k++) {
    const rgb = shadeAt(k / SHADES);
    numbers.set(rgb.map((part) => part / 255), 3 * k);
    words.push(`rgb(${rgb.map(Math.round).join(",")})`);
  }
  const place = (effect, limit) =>
    Math.round(((Math.min(Math.max(effect / limit, -1), 1) + 1) / 2) * SHADES);
  return {
    css: (effect, limit) => (Number.isFinite(effect) ? words[place(effect, limit)] : null),
    /** Write red, green, blue from 0 to 1 into `out`. */
    rgb(effect, limit, out, offset) {
      const from = 3 * (Number.isFinite(effect) ? place(effect, limit) : SHADES / 2);
      out[offset] = numbers[from];
      out[offset + 1] = numbers[from + 1];
      out[offset + 2] = numbers[from + 2];
    },
  };
}

/** Red, green, blue (0 to 255) at a share of the scale, straight between its stops. */
function shadeAt(share) {
  const next = Math.max(1, EFFECT_SCALE.findIndex(([stop]) => stop >= share));
  const [[from, low], [to, high]] = [EFFECT_SCALE[next - 1], EFFECT_SCALE[next]];
  const way = (share - from) / (to - from);
  const [a, b] = [hexParts(low), hexParts(high)];
  return a.map((part, k) => part + way * (b[k] - part));
}

function hexParts(color) {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}

/** "#RRGGBB" with an opacity. */
function seeThrough(color, alpha) {
  return `rgba(${hexParts(color).join(",")},${alpha})`;
}

/** The page's colours and font, from Streamlit's variables, or plain ones for its theme. */
function readTheme(element) {
  const style = getComputedStyle(element);
  const dark = isDark(style.getPropertyValue("--st-background-color").trim());
  const plain = dark
    ? { background: "#10181D", surface: "#1A252C", text: "#E4ECEF", border: "#2E3D46", accent: "#6CC5CB" }
    : { background: "#FFFFFF", surface: "#F1F5F6", text: "#0B161C", border: "#D5DEE2", accent: "#0B6E75" };
  const known = (name, fallback) => style.getPropertyValue(`--st-${name}`).trim() || fallback;
  return {
    dark,
    background: known("background-color", plain.background),
    surface: known("secondary-background-color", plain.surface),
    text: known("text-color", plain.text),
    muted: dark ? "#A9B6BC" : "#56656D",
    border: known("border-color", plain.border),
    accent: known("link-color", plain.accent),
    font: known("font", '"Source Sans", "Source Sans 3", system-ui, sans-serif'),
  };
}

/** Give the style sheet the theme's colours, and native controls its brightness. */
function applyTheme(element, theme) {
  for (const name of ["background", "surface", "text", "muted", "border", "accent", "font"])
    element.style.setProperty(`--${name}`, theme[name]);
  element.style.colorScheme = theme.dark ? "dark" : "light";
}

function isDark(background) {
  if (!background) return matchMedia("(prefers-color-scheme: dark)").matches;
  const pen = document.createElement("canvas").getContext("2d");
  pen.fillStyle = background;
  const [red, green, blue] = hexParts(pen.fillStyle);
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

/** Colour bar with its numbers, and the switch between SD and per cent. */
function makeLegend(host, data, theme) {
  const listeners = [];
  const stops = EFFECT_SCALE.map(([stop, color]) => `${color} ${100 * stop}%`).join(",");
  host.replaceChildren();
  const words = addNode(host, "span", { class: "legend-title" });
  const scale = addNode(host, "div", { class: "legend-scale", role: "img" });
  const bar = addNode(scale, "div", { class: "legend-bar" });
  bar.style.background = `linear-gradient(90deg,${stops})`;
  const ticks = [-1, -0.5, 0, 0.5, 1].map((at) => {
    const tick = addNode(scale, "span", { class: "legend-tick" });
    tick.style.left = `${50 * (at + 1)}%`;
    return tick;
  });
  const choice = addNode(host, "div", { class: "choice", role: "group", "aria-label": "Unit of the colours" });
  const buttons = ["SD", "%"].map((unit) => {
    const button = addNode(choice, "button", { type: "button" });
    button.textContent = unit;
    button.setAttribute("aria-label", unit === "%" ? "Per cent of the volume" : "Standard deviations");
    button.addEventListener("click", () => listeners.forEach((tell) => tell(unit)));
    return button;
  });
  const set = (unit, limit) => {
    const places = unit === "%" || limit >= 10 || (limit * 2) % 2 === 0 ? (unit === "%" ? 0 : 1) : 2;
    words.textContent = unit === "%" ? "Change (% of the twin)" : "Effect (SD)";
    [-1, -0.5, 0, 0.5, 1].forEach((at, k) => {
      ticks[k].textContent = signedNumber(at * limit, places);
    });
    ticks[0].textContent += " loss";
    ticks[4].textContent += " gain";
    scale.setAttribute(
      "aria-label",
      `Colours: vermillion is loss, blue is gain, light grey is no change; ends at ${signedNumber(limit, places)} ${unit}`,
    );
    buttons.forEach((button, k) => button.setAttribute("aria-pressed", String(["SD", "%"][k] === unit)));
  };
  return { set, onUnit: (tell) => listeners.push(tell), setTheme() {}, resize() {} };
}
