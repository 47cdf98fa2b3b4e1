// People in salient space: density by group, regions with their names, and the point that is
// dragged, with a ghost where the person really is; a path drawn by hand. Sliders for the other
// dimensions.

const PLOT_MARGIN = { left: 34, right: 10, top: 8, bottom: 30 };
const DENSITY_CELLS = 72;
const DOT = 2.6;
const NEAR = 9; // pixels
const NEAR_TOUCH = 16;
const KEY_STEP = 0.1;
const KEY_LEAP = 0.5;
const KEY_REST = 250; // ms

/** Draw plot and axis choosers in `host`, sliders in `slidersHost`; positions are {person, s}. */
function makeScatter(host, data, theme, slidersHost) {
  host.replaceChildren();
  slidersHost.replaceChildren();
  const tell = { move: [], pick: [], plane: [], path: [] };
  const emit = (name, ...what) => tell[name].forEach((listener) => listener(...what));
  const state = { plane: [...(data.plane || [0, 1])], people: data.people, position: null, size: null, path: null };
  const plot = addNode(host, "div", { class: "scatter-plot" });
  const base = addNode(plot, "canvas", { class: "layer" });
  const marks = addSvg(plot, "svg", { class: "layer scatter-marks" });
  const overlay = scatterOverlay(marks, data);
  const point = addNode(plot, "div", {
    class: "scatter-point",
    tabindex: 0,
    role: "slider",
    "aria-label": "Position in salient space; arrow keys move it, with Shift further, Home puts it back",
  });
  groupKey(plot, data);
  subtypeKey(slidersHost, data);
  const choosers = axisChoosers(plot, data, (plane) => {
    setPlane(plane);
    emit("plane", plane);
  });
  const sliders = salientSliders(slidersHost, data, (k, value, phase) =>
    moveTo(withValue(state.position.s, k, value), phase),
  );
  const pencil = pathPencil(plot, () => setPath(null, true));
  const across = (value, k = state.plane[0]) => {
    const { low, high } = data.axes[k];
    return PLOT_MARGIN.left + ((value - low) / (high - low)) * (state.size[0] - PLOT_MARGIN.left - PLOT_MARGIN.right);
  };
  const down = (value, k = state.plane[1]) => {
    const { low, high } = data.axes[k];
    return state.size[1] - PLOT_MARGIN.bottom - ((value - low) / (high - low)) * (state.size[1] - PLOT_MARGIN.top - PLOT_MARGIN.bottom);
  };
  /** Salient position under a place in the plot; the other dimensions stay. */
  const salientAt = ([x, y]) => {
    const s = Float64Array.from(state.position.s);
    const [i, j] = state.plane;
    const share = (x - PLOT_MARGIN.left) / (state.size[0] - PLOT_MARGIN.left - PLOT_MARGIN.right);
    const rise = (state.size[1] - PLOT_MARGIN.bottom - y) / (state.size[1] - PLOT_MARGIN.top - PLOT_MARGIN.bottom);
    s[i] = within(data.axes[i].low + share * (data.axes[i].high - data.axes[i].low), data.axes[i]);
    s[j] = within(data.axes[j].low + rise * (data.axes[j].high - data.axes[j].low), data.axes[j]);
    return s;
  };
  const screenOf = (s) => [across(s[state.plane[0]]), down(s[state.plane[1]])];

  const moveTo = (s, phase) => {
    state.position = { person: state.position.person, s };
    placeMarks();
    if (phase === "drop") announce();
    emit("move", state.position, phase);
  };
  const placeMarks = () => {
    if (!state.size || !state.position) return;
    const { person, s } = state.position;
    const [x, y] = screenOf(s);
    point.style.transform = `translate(${x}px,${y}px)`;
    overlay.place(screenOf(person.salient), [x, y], state.path?.map(({ s: at }) => screenOf(at)));
    sliders.set(s, state.plane);
  };
  const announce = () => {
    const [i, j] = state.plane;
    const { s } = state.position;
    const words = [i, j].map((k) => `${data.axes[k].name} ${signedNumber(s[k], 1)}`).join(", ");
    setAttributes(point, {
      "aria-valuetext": words,
      "aria-valuenow": s[i].toFixed(2),
      "aria-valuemin": data.axes[i].low,
      "aria-valuemax": data.axes[i].high,
    });
  };
  const setPath = (path, byHand) => {
    state.path = path;
    state.drawn = byHand ? path : null;
    pencil.set(false, Boolean(state.drawn));
    placeMarks();
    if (byHand) emit("path", path);
  };
  const redraw = () => {
    if (!state.size) return;
    drawPeople(sharpPen(base, ...state.size), state, data, theme, across, down);
    overlay.regions(data.regions, state.plane, across, down, state.size, state.people.map(({ salient }) => screenOf(salient)));
    placeMarks();
  };
  const setPlane = (plane) => {
    state.plane = [...plane];
    choosers(state.plane);
    redraw();
    announce();
  };

  dragPoint(plot, point, {
    ready: () => state.position !== null && state.size !== null,
    screen: () => screenOf(state.position.s),
    drawing: pencil.active,
    personAt: (place, reach) => nearestPerson(state.people, screenOf, place, reach),
    picked: (person) => emit("pick", person),
    moved: (place, phase) => moveTo(salientAt(place), phase),
    traced: (places) => {
      const { person } = state.position;
      const way = evenSteps(places.map(salientAt));
      setPath(way && way.map((s) => ({ person, s })), true);
    },
  });
  moveByKeys(point, {
    step: (dx, dy) => {
      const [i, j] = state.plane;
      const s = Float64Array.from(state.position.s);
      s[i] = within(s[i] + dx, data.axes[i]);
      s[j] = within(s[j] + dy, data.axes[j]);
      moveTo(s, "drag");
      announce();
    },
    home: () => moveTo(Float64Array.from(state.position.person.salient), "drag"),
    rest: () => moveTo(state.position.s, "drop"),
  });
  choosers(state.plane);
  const look = watchSize(plot, (width, height) => {
    state.size = [width, height];
    setAttributes(marks, { width, height });
    redraw();
  });

  return {
    set(position) {
      const first = state.position === null || state.position.person !== position.person;
      state.position = { person: position.person, s: Float64Array.from(position.s) };
      placeMarks();
      if (first) announce();
    },
    onMove: (listener) => tell.move.push(listener),
    onPick: (listener) => tell.pick.push(listener),
    onPlane: (listener) => tell.plane.push(listener),
    onPath: (listener) => tell.path.push(listener),
    plane: () => [...state.plane],
    setPlane,
    setPeople(people) {
      state.people = people;
      redraw();
    },
    regionAt: (s) => regionAround(data.regions, s),
    /** The path drawn by hand, as positions, or null. */
    path: () => state.drawn || null,
    setPath: (path) => setPath(path, false),
    resize: look,
    setTheme(next) {
      theme = next;
      redraw();
    },
  };
}

function within(value, { low, high }) {
  return Math.min(Math.max(value, low), high);
}

function withValue(s, k, value) {
  const moved = Float64Array.from(s);
  moved[k] = value;
  return moved;
}

/** Marks above the canvas: regions, path, tether, ghost; made once, moved each frame. */
function scatterOverlay(svg, data) {
  const regions = addSvg(svg, "g", { class: "scatter-regions" });
  const path = addSvg(svg, "polyline", { class: "scatter-path" });
  const tether = addSvg(svg, "line", { class: "scatter-tether" });
  const ghost = addSvg(svg, "circle", { class: "scatter-ghost", r: 8 });
  const own = addSvg(svg, "text", { class: "scatter-own" });
  own.textContent = "as they are";
  return {
    place(from, to, way) {
      setAttributes(tether, { x1: from[0], y1: from[1], x2: to[0], y2: to[1] });
      setAttributes(ghost, { cx: from[0], cy: from[1] });
      const apart = Math.hypot(from[0] - to[0], from[1] - to[1]) > 30;
      const side = to[0] > from[0] ? -1 : 1;
      own.style.opacity = apart ? 1 : 0;
      setAttributes(own, { x: from[0] + 13 * side, y: from[1], "text-anchor": side < 0 ? "end" : "start" });
      path.setAttribute("points", way ? way.map((at) => at.join(",")).join(" ") : "");
    },
    regions(list, plane, across, down, size, dots) {
      regions.replaceChildren();
      const taken = [];
      const outlines = list.map((region) => drawRegion(regions, region, plane, across, down));
      list.forEach((region, k) => nameRegion(regions, region, outlines[k], taken, size, dots));
    },
  };
}

/** Ellipse of 2 SD of a region in the shown plane; returns its points on the screen. */
function drawRegion(group, { name, color, mean, covariance, kind }, [i, j], across, down) {
  const d = mean.length;
  const [a, b, c] = [covariance[i * d + i], covariance[i * d + j], covariance[j * d + j]];
  const root = Math.sqrt(Math.max(a, 1e-9));
  const [l21, l22] = [b / root, Math.sqrt(Math.max(c - (b * b) / (root * root), 1e-9))];
  const points = Array.from({ length: 49 }, (_, k) => {
    const [u, v] = [2 * Math.cos((k * Math.PI) / 24), 2 * Math.sin((k * Math.PI) / 24)];
    return [across(mean[i] + root * u), down(mean[j] + l21 * u + l22 * v)];
  });
  const outline = addSvg(group, "polygon", { points: points.map((at) => at.map((x) => x.toFixed(1)).join(",")).join(" "), stroke: color, class: `scatter-region ${kind}` });
  addSvg(outline, "title").textContent = name;
  return points;
}

const NAME_TALL = 14;
const DOT_COST = 60; // square pixels of another name that a covered dot weighs as much as

/** Write a region's short name beside its outline, off names already there and off most dots. */
function nameRegion(group, { name, short = name }, points, taken, [width, height], dots) {
  const half = 3.9 * short.length;
  const centre = [0, 1].map((axis) => points.reduce((sum, at) => sum + at[axis], 0) / points.length);
  const boxes = points
    .filter((_, k) => k % 2 === 0)
    .map(([x, y]) => {
      const away = [x - centre[0], y - centre[1]];
      const far = Math.hypot(...away) || 1;
      const middle = within(x + ((half + 3) * away[0]) / far, { low: half + PLOT_MARGIN.left, high: width - half });
      const top = within(y + (10 * away[1]) / far - NAME_TALL / 2, { low: 32, high: height - 60 - NAME_TALL });
      return { middle, left: middle - half, right: middle + half, top, bottom: top + NAME_TALL };
    });
  const overlap = (a, b) =>
    Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) * Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const covered = ({ left, right, top, bottom }) => dots.filter(([x, y]) => x > left && x < right && y > top && y < bottom).length;
  const cost = (box) => taken.reduce((sum, other) => sum + 4 * overlap(box, other), 0) + DOT_COST * covered(box) + 0.05 * box.top;
  const costs = boxes.map(cost);
  const best = boxes[costs.indexOf(Math.min(...costs))];
  taken.push(best);
  const text = addSvg(group, "text", { "text-anchor": "middle", class: "scatter-name", x: best.middle, y: best.top + 11 });
  text.textContent = short;
  addSvg(text, "title").textContent = name;
}

/** Density clouds, axes and dots. */
function drawPeople(pen, { people, plane, size }, data, theme, across, down) {
  const [width, height] = size;
  pen.clearRect(0, 0, width, height);
  drawGrid(pen, plane, size, data, theme, across, down);
  for (const { name, color } of data.groups) {
    const places = people.filter((one) => one.group === name).map(({ salient }) => [across(salient[plane[0]]), down(salient[plane[1]])]);
    if (places.length > 4) drawDensity(pen, places, size, color, theme);
    pen.fillStyle = seeThrough(color, 0.75);
    for (const [x, y] of places) {
      pen.beginPath();
      pen.arc(x, y, DOT, 0, 2 * Math.PI);
      pen.fill();
    }
  }
}

function drawGrid(pen, [i, j], [width, height], data, theme, across, down) {
  pen.font = `11px ${theme.font}`;
  pen.fillStyle = theme.muted;
  pen.strokeStyle = theme.border;
  pen.lineWidth = 1;
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const value of roundValues(data.axes[i])) {
    const x = Math.round(across(value)) + 0.5;
    line(pen, x, PLOT_MARGIN.top, x, height - PLOT_MARGIN.bottom);
    pen.fillText(signedNumber(value, 0), x, height - PLOT_MARGIN.bottom + 4);
  }
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const value of roundValues(data.axes[j])) {
    const y = Math.round(down(value)) + 0.5;
    line(pen, PLOT_MARGIN.left, y, width - PLOT_MARGIN.right, y);
    pen.fillText(signedNumber(value, 0), PLOT_MARGIN.left - 5, y);
  }
}

function line(pen, x1, y1, x2, y2) {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

function roundValues({ low, high }) {
  const step = high - low > 12 ? 4 : high - low > 5 ? 2 : 1;
  const values = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) values.push(value);
  return values;
}

/** A soft cloud: people counted on a grid, smoothed (Scott's width), drawn enlarged. */
function drawDensity(pen, places, [width, height], color, theme) {
  const n = DENSITY_CELLS;
  const grid = new Float32Array(n * n);
  const scale = [n / width, n / height];
  for (const [x, y] of places) {
    const [column, row] = [Math.floor(x * scale[0]), Math.floor(y * scale[1])];
    if (column >= 0 && row >= 0 && column < n && row < n) grid[row * n + column] += 1;
  }
  const wide = [0, 1].map((axis) => 1.3 * scott(places.map((at) => at[axis] * scale[axis])));
  blurLines(grid, n, 1, n, wide[0]);
  blurLines(grid, n, n, 1, wide[1]);
  const most = grid.reduce((a, b) => Math.max(a, b), 0);
  const cloud = document.createElement("canvas");
  cloud.width = cloud.height = n;
  const ink = cloud.getContext("2d");
  const picture = ink.createImageData(n, n);
  const [red, green, blue] = hexParts(color);
  grid.forEach((value, k) => {
    const share = value / most;
    picture.data.set([red, green, blue, (theme.dark ? 120 : 95) * Math.pow(share, 0.8)], 4 * k);
  });
  ink.putImageData(picture, 0, 0);
  pen.imageSmoothingEnabled = true;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(cloud, 0, 0, width, height);
}

/** Scott's kernel width of one axis of points in the plane. */
function scott(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return Math.max(1, spread * Math.pow(values.length, -1 / 6));
}

/** Smooth a square grid along one axis by a normal curve of `wide` cells. */
function blurLines(grid, n, step, lineStep, wide) {
  const reach = Math.ceil(3 * wide);
  const kernel = Array.from({ length: reach + 1 }, (_, k) => Math.exp(-0.5 * (k / wide) ** 2));
  const old = new Float32Array(n);
  for (let row = 0; row < n; row++) {
    for (let k = 0; k < n; k++) old[k] = grid[row * lineStep + k * step];
    for (let k = 0; k < n; k++) {
      let sum = 0;
      for (let at = Math.max(0, k - reach); at <= Math.min(n - 1, k + reach); at++) sum += old[at] * kernel[Math.abs(at - k)];
      grid[row * lineStep + k * step] = sum;
    }
  }
}

function groupKey(plot, data) {
  const key = addNode(plot, "div", { class: "scatter-key" });
  for (const { name, color } of data.groups) {
    const entry = addNode(key, "span");
    addNode(entry, "i").style.background = color;
    entry.append(name || "not given");
  }
}

/** What each subtype is, in full; the plot has room for its short name alone. */
function subtypeKey(host, data) {
  const subtypes = data.regions.filter(({ kind }) => kind === "subtype");
  if (!subtypes.length) return;
  const key = addNode(host, "div", { class: "scatter-subtypes" });
  for (const { name, color } of subtypes) {
    const entry = addNode(key, "span", { title: name });
    addNode(entry, "i").style.borderColor = color;
    entry.append(name);
  }
}

/** Choosers of the two axes, in the plot's corners. */
function axisChoosers(plot, data, choose) {
  const selects = ["Horizontal axis", "Vertical axis"].map((label, which) => {
    const select = addNode(plot, "select", { class: `scatter-axis axis-${which}`, "aria-label": label });
    data.axes.forEach(({ name }, k) => {
      addNode(select, "option", { value: k }).textContent = name;
    });
    return select;
  });
  selects.forEach((select, which) =>
    select.addEventListener("change", () => {
      const plane = selects.map((one) => Number(one.value));
      if (plane[0] === plane[1]) plane[1 - which] = plane[which] === 0 ? 1 : 0;
      choose(plane);
    }),
  );
  return (plane) => selects.forEach((select, which) => (select.value = String(plane[which])));
}

/** A slider for each dimension; those on the axes are hidden. */
function salientSliders(host, data, moved) {
  const rows = data.axes.map(({ name, low, high, hint }, k) => {
    const row = addNode(host, "label", { class: "scatter-slider", title: hint || "" });
    addNode(row, "span").textContent = name;
    const input = addNode(row, "input", { type: "range", min: low, max: high, step: 0.01, "aria-label": `Salient ${name}` });
    const words = addNode(row, "output");
    input.addEventListener("input", () => moved(k, Number(input.value), "drag"));
    input.addEventListener("change", () => moved(k, Number(input.value), "drop"));
    return { row, input, words };
  });
  return {
    set(s, plane) {
      rows.forEach(({ row, input, words }, k) => {
        row.hidden = plane.includes(k);
        if (row.hidden) return;
        if (Number(input.value) !== s[k] && document.activeElement !== input) input.value = s[k];
        setText(words, signedNumber(s[k], 1));
      });
    },
  };
}

/** Pointer in the plot: drag the point, click a person, jump and drag, or trace a path. */
function dragPoint(plot, point, on) {
  let drag = null;
  const isControl = (event) => event.target.closest("select, button");
  plot.addEventListener("pointerdown", (event) => {
    if (!on.ready() || isControl(event) || event.button > 0) return;
    const place = pointerPlace(event, plot);
    plot.setPointerCapture(event.pointerId);
    if (on.drawing()) {
      drag = { trace: [place] };
      return;
    }
    const reach = event.pointerType === "touch" ? NEAR_TOUCH : NEAR;
    const at = on.screen();
    const held = Math.hypot(place[0] - at[0], place[1] - at[1]) < 2.2 * reach;
    const person = held ? null : on.personAt(place, reach);
    drag = { from: place, shift: held ? [at[0] - place[0], at[1] - place[1]] : [0, 0], person, moved: false };
    if (!held && !person) follow(place, "drag");
    event.preventDefault();
    point.focus({ preventScroll: true });
  });
  const follow = (place, phase) => {
    drag.moved = true;
    on.moved([place[0] + drag.shift[0], place[1] + drag.shift[1]], phase);
  };
  plot.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const place = pointerPlace(event, plot);
    if (drag.trace) drag.trace.push(place);
    else if (drag.moved || Math.hypot(place[0] - drag.from[0], place[1] - drag.from[1]) > 3) follow(place, "drag");
  });
  plot.addEventListener("pointerup", (event) => {
    if (!drag) return;
    if (drag.trace) on.traced(drag.trace);
    else if (drag.moved) follow(pointerPlace(event, plot), "drop");
    else if (drag.person) on.picked(drag.person);
    drag = null;
  });
  plot.addEventListener("pointercancel", () => {
    drag = null;
  });
}

function moveByKeys(point, { step, home, rest }) {
  let waiting = 0;
  point.addEventListener("keydown", (event) => {
    const size = event.shiftKey ? KEY_LEAP : KEY_STEP;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (way) step(size * way[0], size * way[1]);
    else if (event.key === "Home") home();
    else return;
    event.preventDefault();
    clearTimeout(waiting);
    waiting = setTimeout(rest, KEY_REST);
  });
}

function nearestPerson(people, screenOf, [x, y], reach) {
  let best = null;
  let least = reach;
  for (const person of people) {
    const [px, py] = screenOf(person.salient);
    const distance = Math.hypot(px - x, py - y);
    if (distance < least) [best, least] = [person, distance];
  }
  return best;
}

/** The region whose middle is nearest to s, counted in its own SD, if within 2.5 of them. */
function regionAround(regions, s) {
  let best = null;
  let least = 2.5 * Math.sqrt(s.length);
  for (const region of regions) {
    const d = s.length;
    const square = s.reduce((sum, value, k) => sum + (value - region.mean[k]) ** 2 / region.covariance[k * d + k], 0);
    if (Math.sqrt(square) < least) [best, least] = [region, Math.sqrt(square)];
  }
  return best;
}

const PATH_STEPS = 60;

/** Button that makes the pointer draw a path; pressed with a path there, it takes it away. */
function pathPencil(plot, clear) {
  const button = addNode(plot, "button", { type: "button", class: "scatter-pencil", "aria-pressed": "false" });
  let active = false;
  const set = (now, there) => {
    active = now;
    plot.classList.toggle("drawing", now);
    button.setAttribute("aria-pressed", String(now));
    setText(button, there ? "Clear path" : now ? "Draw now…" : "Draw a path");
    button.dataset.there = there;
  };
  button.addEventListener("click", () => (button.dataset.there === "true" ? clear() : set(!active, false)));
  set(false, false);
  return { set, active: () => active };
}

/** A traced path in even steps, or null for a mere click. */
function evenSteps(points) {
  const lengths = [0];
  for (let k = 1; k < points.length; k++)
    lengths.push(lengths[k - 1] + Math.hypot(...points[k].map((value, axis) => value - points[k - 1][axis])));
  const whole = lengths[lengths.length - 1];
  if (!whole) return null;
  let k = 1;
  return Array.from({ length: PATH_STEPS + 1 }, (_, step) => {
    const goal = (step / PATH_STEPS) * whole;
    while (k < points.length - 1 && lengths[k] < goal) k++;
    const share = Math.min(1, Math.max(0, (goal - lengths[k - 1]) / (lengths[k] - lengths[k - 1] || 1)));
    return points[k - 1].map((value, axis) => value + share * (points[k][axis] - value));
  });
}
