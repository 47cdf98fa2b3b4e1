// main.js: state and wiring. One position (a person and their s) is what everything shows; it is
// drawn once a frame, and Python is told of it when it comes to rest.

const REST_MS = 250; // after the last key or step of the path
const INSIDE = 4.605; // squared distance in a plane that holds 90 % of a Gaussian

// -- the position and its link

// "person=demo-012&s=0.1,-2" as it stands in an address.
function positionLink({ model, person, s }) {
  return new URLSearchParams({ model, person, s: s.join(",") }).toString();
}

// The position that an address names, or null where it names none of these people.
function linkedPosition(data, address) {
  const known = new URLSearchParams(address);
  if (known.get("model") !== data.model.name) return null;
  const person = personNamed(data, known.get("person"));
  const s = (known.get("s") || "").split(",").map(Number);
  const sound = s.length === data.latent && known.get("s") && s.every(Number.isFinite);
  return person && { person, s: Float64Array.from(sound ? s : person.salient) };
}

function firstPosition(data) {
  const { search, hash } = window.location;
  const linked = linkedPosition(data, hash.slice(1)) || linkedPosition(data, search);
  const person = personNamed(data, data.start);
  return linked || { person, s: Float64Array.from(person.salient) };
}

function personNamed(data, id) {
  return id === data.average.id ? data.average : data.people.find((one) => one.id === id);
}

// -- regions: "this person, with that disease"

// Squared distance of s from a region's mean in the plane of two axes.
function planeDistance(region, axes, s) {
  const [[a, b], [, c]] = planeCovariance(region, axes);
  const [x, y] = axes.map((k) => s[k] - region.mean[k]);
  return (c * x * x - 2 * b * x * y + a * y * y) / (a * c - b * b);
}

function planeCovariance(region, axes) {
  const d = region.mean.length;
  return axes.map((i) => axes.map((j) => region.covariance[i * d + j]));
}

// The region in which s lies in the plane, the nearest of several, or null.
function regionAt(regions, axes, s) {
  const near = regions
    .map((region) => ({ region, distance: planeDistance(region, axes, s) }))
    .filter(({ distance }) => distance <= INSIDE)
    .sort((a, b) => a.distance - b.distance);
  return near.length ? near[0].region : null;
}

// s with the dimensions that the plane does not show as they are in that region, given those shown.
function asInRegion(region, axes, s) {
  const d = s.length;
  const [[a, b], [, c]] = planeCovariance(region, axes);
  const [x, y] = axes.map((k) => s[k] - region.mean[k]);
  const size = a * c - b * b;
  const pull = [(c * x - b * y) / size, (a * y - b * x) / size];
  return Float64Array.from(s, (value, k) => {
    if (axes.includes(k)) return value;
    return region.mean[k] + axes.reduce((sum, axis, i) => sum + region.covariance[k * d + axis] * pull[i], 0);
  });
}

// -- what is said

function stateWords(data, state) {
  const parts = data.key.map((j) => {
    const size = data.unit ? `${wholeNumber(state.now[j])} ${data.unit}, ` : "";
    return `${data.labels[j]} ${size}${signedNumber(state.effect[j], 1)} SD`;
  });
  return `${state.person.id}: ${parts.join("; ")}.`;
}

function beingWords(data, position, region) {
  if (sameNumbers(position.s, position.person.salient)) return "as they are";
  if (position.s.every((value) => value === 0)) return "without the disease";
  return region ? `with ${region.kind === "group" ? "s as in " : ""}${region.name}` : "imagined";
}

// -- files

function saveFile(name, address) {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}

// -- the whole

function startExplorer(root, data, tell, give) {
  const find = (name) => root.querySelector(`.${name}`);
  const engine = makeEngine(data);
  const palette = effectPalette();
  const colors = new Float32Array(3 * data.features.length);
  let theme = readTheme(root);
  applyTheme(root, theme);
  let position = firstPosition(data);
  let state = null;
  let unit = "SD";
  let view = "slices";
  let frame = 0;
  let resting = 0;

  const legend = makeLegend(find("legend"), data, theme);
  const scatter = makeScatter(find("scatter"), data, theme, find("sliders"));
  const pictures = { scatter, legend };
  if (data.slices) pictures.slices = makeSlices(find("slices"), data, theme);
  pictures.paired = makePaired(find("paired"), data, theme);
  pictures.strongest = makeStrongest(find("strongest"), data, theme);
  const tip = makeTip(root, theme);
  const files = makeFiles(root, give);

  function limit() {
    return unit === "SD" ? data.limit : data.percentLimit;
  }

  function paint({ slices, brain, paired }, shown) {
    const values = unit === "SD" ? shown.effect : shown.percent;
    if (view !== "brain") slices?.paint((j) => palette.css(values[j], limit()));
    if (view !== "slices" && brain) {
      for (let j = 0; j < values.length; j++) palette.rgb(values[j], limit(), colors, 3 * j);
      brain.paint(colors);
    }
    paired.draw(shown);
  }

  function draw() {
    frame = 0;
    state = engine.state(position.person, position.s);
    paint(pictures, state);
    compare.draw();
    pictures.strongest.draw(state, unit, limit());
    root.dataset.frames = Number(root.dataset.frames || 0) + 1;
  }

  function redraw() {
    if (!frame) frame = requestAnimationFrame(draw);
  }

  // Show a position; the scatter already does where it came from there.
  function move(next, from) {
    position = next;
    if (from !== scatter) scatter.set(position);
    redraw();
  }

  function rest() {
    clearTimeout(resting);
    resting = 0;
    const region = regionHere(position.s);
    setText(find("being"), `${position.person.id} ${beingWords(data, position, region)}`);
    find("person").value = position.person.id;
    compare.say();
    setText(find("said"), stateWords(data, engine.state(position.person, position.s)) + compare.words());
    tell({ model: data.model.name, person: position.person.id, s: Array.from(position.s) });
  }

  function restSoon() {
    clearTimeout(resting);
    resting = setTimeout(rest, REST_MS);
  }

  function axes() {
    return scatter.plane ? scatter.plane() : data.plane;
  }

  function regionHere(s) {
    return regionAt(data.regions, axes(), s);
  }

  function show(next) {
    move(next);
    rest();
  }

  let begun = position; // where the drag began
  scatter.onPick((person) => show({ person, s: Float64Array.from(person.salient) }));
  scatter.onMove((next, phase) => {
    if (phase === "drag") return move(next, scatter);
    const region = regionAt(data.regions, axes(), next.s);
    const before = regionAt(data.regions, axes(), begun.s);
    const other = region && region !== before && next.person !== data.average;
    move(other ? { person: next.person, s: asInRegion(region, axes(), next.s) } : next, other ? null : scatter);
    begun = position;
    rest();
  });

  function stateAnnounced() {
    return stateWords(data, state);
  }

  // -- controls

  fillPeople(find("person"), data);
  find("person").addEventListener("change", (event) => {
    const person = personNamed(data, event.target.value);
    show({ person, s: Float64Array.from(person.salient) });
  });
  find("reset").addEventListener("click", () =>
    show({ person: position.person, s: Float64Array.from(position.person.salient) }),
  );
  find("healthy").addEventListener("click", () =>
    show({ person: position.person, s: new Float64Array(data.latent) }),
  );
  legend.onUnit((next) => {
    unit = next;
    legend.set(unit, limit());
    compare.changed();
    redraw();
  });
  const hover = (feature, x, y) => {
    compare.mark(feature);
    if (feature === null || !state) return tip.hide();
    tip.show(compare.on() ? compare.hoverWords(state, feature) : hoverWords(data, state, feature), x, y);
  };
  const compare = makeCompare(root, data, theme, {
    engine,
    pictures,
    position: () => position,
    region: regionHere,
    paint,
    hover,
    redraw,
    show,
  });
  pictures.slices?.onHover(hover);
  pictures.strongest.onHover(hover);

  const player = makePlayer(root, data, scatter, () => position, (next, last) => {
    move(next);
    if (last) rest();
    else restSoon();
  });

  scatter.onPath(() => player.go(0, false));

  // Merging its meshes takes time: the 3-D view is made when it is first looked at.
  function makeBrainOnce() {
    if (pictures.brain) return;
    pictures.brain = makeBrain(find("brain"), data, theme);
    pictures.brain.onHover(hover);
  }

  let views = null;
  if (data.slices && data.mesh) {
    const names = [["slices", "Slices"], ["brain", "3-D"], ["both", "Both"]];
    views = makeViews(find("views"), names, (name) => {
      view = name;
      root.dataset.view = name;
      find("slices").hidden = name === "brain";
      find("brain").hidden = name === "slices";
      if (name !== "slices") makeBrainOnce();
      pictures.slices.resize();
      pictures.brain?.resize();
      compare.view(name);
      redraw();
    });
    views.choose("slices");
  } else {
    find("brainPlace").hidden = find("brainBar").hidden = true;
  }
  find("saveSlices").addEventListener("click", () => {
    const svg = new Blob([pictures.slices.toSvg()], { type: "image/svg+xml" });
    const address = URL.createObjectURL(svg);
    saveFile(`${position.person.id}_slices.svg`, address);
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  });
  find("saveBrain").addEventListener("click", () => {
    if (view === "slices") views.choose("both");
    draw();
    saveFile(`${position.person.id}_brain.png`, pictures.brain.toPng());
  });

  legend.set(unit, limit());
  scatter.set(position);
  draw();
  const region = regionAt(data.regions, axes(), position.s);
  setText(find("being"), `${position.person.id} ${beingWords(data, position, region)}`);
  find("person").value = position.person.id;
  root.dataset.ready = "true";

  return {
    data,
    engine,
    position: () => position,
    state: () => state,
    show,
    words: stateAnnounced,
    player,
    files,
    get brains() {
      return { moving: pictures.brain, kept: compare.brain() };
    },
    setTheme() {
      theme = readTheme(root);
      applyTheme(root, theme);
      Object.values(pictures).forEach((picture) => picture.setTheme?.(theme));
      compare.setTheme(theme);
      redraw();
    },
    stop() {
      cancelAnimationFrame(frame);
      clearTimeout(resting);
      player.pause();
      compare.stop();
      files.stop();
      Object.values(pictures).forEach((picture) => picture.stop?.());
    },
  };
}

function hoverWords(data, state, j) {
  return `${data.labels[j]}: ${effectWords(data, state, j)}`;
}

function effectWords(data, state, j) {
  const size = data.unit ? `, ${wholeNumber(state.now[j])} ${data.unit}` : "";
  return `${signedNumber(state.effect[j], 2)} SD (${signedNumber(state.percent[j], 0)} %)${size}`;
}

function fillPeople(select, data) {
  const option = (person, words) => {
    const node = document.createElement("option");
    node.value = person.id;
    node.textContent = words;
    return node;
  };
  const words = ({ id, diagnosis, age }) =>
    [id, diagnosis, age === null ? "" : `${Math.round(age)} years`].filter(Boolean).join(" · ");
  // A long name may be cut: in full under the pointer.
  select.addEventListener("pointerenter", () => {
    select.title = select.selectedOptions[0]?.textContent || "";
  });
  select.replaceChildren(
    option(data.average, data.average.id),
    ...data.people.map((person) => option(person, words(person))),
  );
}

// Plays a path of positions: play, pause, scrub.
function makePlayer(root, data, scatter, position, show) {
  const button = root.querySelector(".play");
  const scrub = root.querySelector(".scrub");
  const words = root.querySelector(".pathWords");
  const seconds = 6;
  let playing = 0;
  let share = 0;
  let last = 0;

  function path() {
    const drawn = scatter.path?.();
    return drawn && drawn.length > 1 ? drawn : diseasePath(data, position());
  }

  function go(to, final) {
    share = Math.min(Math.max(to, 0), 1);
    scrub.value = Math.round(1000 * share);
    setText(words, `${Math.round(100 * share)} %`);
    show(alongPath(path(), share), final);
  }

  function tick(now) {
    const step = last ? (now - last) / 1000 / seconds : 0;
    last = now;
    go(share + step, share + step >= 1);
    if (share < 1) playing = requestAnimationFrame(tick);
    else pause();
  }

  function play() {
    if (share >= 1) share = 0;
    last = 0;
    playing = requestAnimationFrame(tick);
    dress();
  }

  function pause() {
    cancelAnimationFrame(playing);
    playing = 0;
    dress();
  }

  function dress() {
    setText(button, playing ? "Pause" : "Play");
    button.setAttribute("aria-pressed", String(Boolean(playing)));
  }

  button.addEventListener("click", () => (playing ? pause() : play()));
  scrub.addEventListener("input", () => {
    pause();
    go(scrub.value / 1000, false);
  });
  scrub.addEventListener("change", () => go(scrub.value / 1000, true));
  return { play, pause, go };
}

// From s = 0 through the means of the groups from the mildest to the severest, and a bit beyond.
function diseasePath(data, { person }) {
  const nothing = new Float64Array(data.latent);
  const size = ({ mean }) => Math.hypot(...mean);
  const groups = data.regions.filter((region) => region.kind === "group");
  const steps = [...(groups.length ? groups : data.regions)].sort((a, b) => size(a) - size(b)).slice(1);
  const means = steps.length ? steps.map(({ mean }) => mean) : [person.salient];
  const beyond = Float64Array.from(means[means.length - 1], (value) => 1.3 * value);
  return [nothing, ...means, beyond].map((s) => ({ person, s }));
}

// The position at a share of a path's length.
function alongPath(path, share) {
  const lengths = path.slice(1).map(({ s }, k) => Math.hypot(...s.map((value, i) => value - path[k].s[i])));
  let left = share * total(lengths);
  let k = 0;
  while (k < lengths.length - 1 && left > lengths[k]) left -= lengths[k++];
  const way = lengths[k] ? Math.min(left / lengths[k], 1) : 0;
  const [from, to] = [path[k], path[k + 1]];
  return { person: from.person, s: Float64Array.from(from.s, (value, i) => value + way * (to.s[i] - value)) };
}

// -- mounting

function sourceText(source) {
  return typeof source === "string" ? source : new TextDecoder().decode(source);
}

// Streamlit calls this again after each run of the page, on the same elements: only other data
// begin anew.
function mountExplorer({ parentElement, data, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".explorer");
  const source = sourceText(data);
  const page = location.pathname;
  const tell = (value) => {
    // In the app Python writes the address, each time as a step for Back. Written before, as Python
    // will, it takes the place of the last position.
    // A word that comes late, after the visitor has gone on, must not change another page's.
    if (root.give && location.pathname === page) {
      history.replaceState(history.state, "", `?${positionLink(value)}`);
    }
    root.tell("position", value);
  };
  const give = setTriggerValue ? (file) => root.give("file", file) : null;
  root.tell = setStateValue;
  root.give = setTriggerValue;
  if (root.source === source) {
    root.explorer.setTheme();
    root.explorer.files.heard();
    return;
  }
  root.explorer?.stop();
  root.blank ||= Array.from(root.childNodes, (node) => node.cloneNode(true));
  if (root.source) root.replaceChildren(...root.blank.map((node) => node.cloneNode(true)));
  root.source = source;
  root.explorer = startExplorer(root, readData(JSON.parse(source)), tell, give);
}
