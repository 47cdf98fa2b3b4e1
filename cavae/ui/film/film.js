// A training while it goes on, and again when it has ended: people glide from look to look.

const GLIDE = 500; // ms, about half of the time between two pages
const REPLAY = 9000; // ms, from the first look to the last
const LINES = { dashes: "5 4", dots: "2 3" };
const SPACES = ["common", "salient"];

function makeFilm(root) {
  const find = (name) => root.querySelector(`.${name}`);
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const state = { job: null, frames: [], at: 0, reach: {}, playing: false, data: null };
  let drawn = "";
  let before = 0;

  const last = () => state.frames.length - 1;

  /** The look that is closest to an epoch. */
  function nearest(epoch) {
    const away = state.frames.map((frame) => Math.abs(frame.epoch - epoch));
    return Math.max(0, away.indexOf(Math.min(...away)));
  }

  /** Take in what Python knows now; looks that are here already are kept. */
  function show(data) {
    if (data.job !== state.job) Object.assign(state, { job: data.job, frames: [], at: 0, reach: {} });
    const started = state.frames.length > 0;
    const known = new Set(state.frames.map((frame) => frame.epoch));
    const fresh = data.frames.filter((frame) => !known.has(frame.epoch)).map((frame) => ({
      ...frame,
      ...Object.fromEntries(SPACES.filter((space) => frame[space]).map((space) => [space, places(frame[space])])),
    }));
    const ended = data.ended && !state.data?.ended;
    const seen = state.frames[Math.round(state.at)]?.epoch;
    state.frames = [...state.frames, ...fresh].sort((a, b) => a.epoch - b.epoch);
    state.at += fresh.filter((frame) => frame.epoch < seen).length;
    if (!started || calm.matches) state.at = Math.max(0, last());
    if (ended) state.at = nearest(data.best);
    state.data = data;
    root.classList.toggle("alone", !state.frames.length);
    for (const figure of root.querySelectorAll(".filmSpace")) {
      figure.hidden = !state.frames.length || !(figure.dataset.space in state.frames[0]);
    }
    find("filmReplay").hidden = !data.ended || last() < 1;
    find("filmEpoch").max = last();
    key();
    curves();
    drawn = "";
    requestAnimationFrame(tick);
  }

  /** What colours and lines mean. */
  function key() {
    const text = JSON.stringify(state.data.key);
    if (find("filmKey").dataset.text === text) return;
    find("filmKey").dataset.text = text;
    find("filmKey").replaceChildren();
    for (const { label, color, mark } of state.data.key) {
      const entry = add(find("filmKey"), "span");
      const svg = add(entry, "svg", { width: LINES[mark] ? 22 : 10, height: 10, "aria-hidden": "true" });
      if (mark === "circle") add(svg, "circle", { cx: 5, cy: 5, r: 4.5, fill: color });
      else if (mark === "square") add(svg, "rect", { x: 1, y: 1, width: 8, height: 8, fill: color });
      else add(svg, "line", { x1: 0, x2: 22, y1: 5, y2: 5, stroke: color, "stroke-width": 1.6, "stroke-dasharray": LINES[mark] });
      entry.append(label);
    }
  }

  function curves() {
    for (const [host, panels] of [["filmLearning", state.data.learning], ["filmTerms", state.data.terms]]) {
      panelsIn(find(host), panels).forEach((figure, k) => drawPanel(figure, panels[k], state.data.until));
    }
  }

  /** People where they are between two looks, and which look that is. */
  function people() {
    const shown = state.frames[Math.round(state.at)];
    for (const figure of root.querySelectorAll(".filmSpace:not([hidden])")) {
      const space = figure.dataset.space;
      const wanted = reachOfPeople(state.frames.slice(Math.floor(state.at), Math.ceil(state.at) + 1), space);
      const reach = (state.reach[space] = Math.max(wanted, state.reach[space] ?? 0));
      const canvas = figure.querySelector("canvas");
      drawPeople(canvas, state.frames, space, state.at, reach, state.data.groups, state.data.isTarget);
      const auc = shown.auc[space];
      const told = auc === null ? "" : `AUC ${auc.toFixed(2)}`;
      figure.querySelector("figcaption").replaceChildren(state.data.titles[space], " ");
      add(figure.querySelector("figcaption"), "span", {}, told);
      canvas.setAttribute("aria-label", `${state.data.titles[space]}: people held out at epoch ${shown.epoch}. ${told}`);
    }
    find("filmEpoch").value = Math.round(state.at);
    find("filmEpoch").setAttribute("aria-valuetext", `Epoch ${shown.epoch}`);
    find("filmSaid").textContent = `Epoch ${shown.epoch.toLocaleString("en")}`;
  }

  function tick(now) {
    if (!root.isConnected || !state.frames.length) return;
    const passed = Math.min(100, now - before);
    before = now;
    if (state.playing) {
      state.at = Math.min(last(), state.at + (passed / REPLAY) * last());
      if (state.at >= last()) play(false);
    } else if (!state.data.ended) {
      const gap = last() - state.at;
      state.at = gap < 0.01 ? last() : state.at + gap * Math.min(1, passed / GLIDE);
    }
    const width = root.querySelector("canvas").clientWidth;
    const place = `${state.at} ${width}`;
    if (place !== drawn) people();
    drawn = place;
    if (state.playing || (!state.data.ended && state.at < last())) requestAnimationFrame(tick);
  }

  function play(on) {
    state.playing = on;
    find("filmPlay").textContent = on ? "❚❚" : "▶";
    find("filmPlay").setAttribute("aria-label", on ? "Pause" : "Play it again");
    if (!on) return;
    if (state.at >= last()) state.at = 0;
    before = performance.now();
    requestAnimationFrame(tick);
  }

  find("filmPlay").addEventListener("click", () => play(!state.playing));
  find("filmEpoch").addEventListener("input", (event) => {
    play(false);
    state.at = Number(event.target.value);
    requestAnimationFrame(tick);
  });
  new ResizeObserver(() => {
    if (!state.data) return;
    curves();
    drawn = "";
    requestAnimationFrame(tick);
  }).observe(root);
  return { show };
}

// Streamlit calls this again each time that there is something new.
export default function mountFilm({ parentElement, data }) {
  const root = parentElement.querySelector(".film");
  root.film ||= makeFilm(root);
  root.film.show(data);
}
