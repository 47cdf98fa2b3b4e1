// The atlas in three dimensions. WebGL says once a pose which region lies at each point and how much
// light falls on it; a frame then only looks colours up, so that it costs the same without a GPU.

const BRAIN_VIEWS = {
  left: { label: "Left", right: [0, -1, 0], up: [0, 0, 1] },
  right: { label: "Right", right: [0, 1, 0], up: [0, 0, 1] },
  medialLeft: { label: "Inside L", right: [0, 1, 0], up: [0, 0, 1], without: "right" },
  medialRight: { label: "Inside R", right: [0, -1, 0], up: [0, 0, 1], without: "left" },
  ventral: { label: "Below", right: [-1, 0, 0], up: [0, 1, 0] },
  dorsal: { label: "Above", right: [1, 0, 0], up: [0, 1, 0] },
  anterior: { label: "Front", right: [-1, 0, 0], up: [0, 0, 1] },
};
const VIEW_ALIASES = { lateral: "left", medial: "medialLeft" };
const KEY_TURN = 0.12; // radians
const POINTER_TURN = 0.011; // radians a pixel
const KEY_ZOOM = 1.2;
const WHEEL_ZOOM = 0.0015; // a pixel of the wheel, as a logarithm
const MOST_ZOOM = 6;
const STILL_MS = 160; // after turning, before the finer picture
const BRIGHTEST = 1.08;
const LIGHTS = 128; // shades of light a region may have
const SHELL = [138, 143, 156]; // the glass around what is deep
const SEAM = 0.74; // light on the border between two regions

const VERTEX_SHADER = `#version 300 es
in vec3 position; in vec3 normal; in float region;
uniform mat3 turn; uniform vec2 zoom;
out lowp vec2 seen;
void main() {
  vec3 place = turn * position;
  gl_Position = vec4(place.x * zoom.x, -place.y * zoom.y, -place.z / 200.0, 1.0);
  vec3 n = turn * normal;
  float light = 0.60 + 0.26 * max(dot(n, vec3(-0.35, 0.65, 0.67)), 0.0) + 0.22 * max(n.z, 0.0);
  seen = vec2((region + 1.0) / 255.0, light / ${BRIGHTEST});
}`;
const FRAGMENT_SHADER = `#version 300 es
precision lowp float;
in lowp vec2 seen; out vec4 color;
void main() { color = vec4(seen, 0.0, 1.0); }`;

/** Draw the atlas in `host`; ok is false, and a sentence stands there, without WebGL. */
function makeBrain(host, data, theme) {
  const listeners = [];
  const followers = [];
  host.replaceChildren();
  const stage = addNode(host, "div", { class: "brain-stage" });
  const canvas = addNode(stage, "canvas", {
    class: "layer brain-canvas",
    tabindex: 0,
    role: "img",
    "aria-label": "Brain in three dimensions. Arrow keys turn it, plus and minus zoom, Home puts it back.",
  });
  const mesh = mergedMesh(data);
  const raster = brainRaster(mesh);
  const shades = new Float32Array(3 * mesh.regions.length).fill(0.8);
  const state = { name: "left", turn: null, zoom: 1, marked: -1, width: 0, height: 0, deep: false, waiting: 0, still: 0 };
  let seen = null;
  let ink = null;
  if (!raster) {
    canvas.remove();
    addNode(stage, "p", { class: "absent" }).textContent =
      "This browser draws no 3-D picture (WebGL 2 is off); the slices show the same.";
  }

  const fill = () => seen && ink && fillPixels(ink, seen, shadeTable(shades, state.marked));
  /** Look again from where the viewer stands now; finer is sharper and slower. */
  const look = (finer) => {
    state.waiting = 0;
    if (!raster || !ink) return;
    seen = raster.see(state, ink.image.width, ink.image.height, finer && ink.ratio < 1.5 ? 2 : 1);
    fill();
  };
  const lookSoon = () => {
    state.waiting ||= requestAnimationFrame(() => look(false));
    clearTimeout(state.still);
    state.still = setTimeout(() => look(true), STILL_MS);
  };
  /** Look again after a turn of the viewer's, and let the brain beside this one do the same. */
  const soon = () => {
    lookSoon();
    followers.forEach((follow) => follow(pose()));
  };
  const pose = () => ({ name: state.name, turn: state.turn, zoom: state.zoom, deep: state.deep });
  const press = () =>
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.view === state.name)));
  const view = (name) => {
    state.name = BRAIN_VIEWS[name] ? name : VIEW_ALIASES[name] || "left";
    const { right, up } = BRAIN_VIEWS[state.name];
    state.turn = [right, up, cross(right, up)];
    state.zoom = 1;
    press();
    soon();
  };
  const buttons = viewButtons(host, view, (deep) => {
    state.deep = deep;
    soon();
  });
  const rotate = (across, down) => {
    state.turn = turned(state.turn, across, down);
    soon();
  };
  /** Closer by a factor, between the whole brain and a few regions; whether anything changed. */
  const zoom = (factor) => {
    const next = Math.min(Math.max(state.zoom * factor, 1), MOST_ZOOM);
    if (next === state.zoom) return false;
    state.zoom = next;
    soon();
    return true;
  };
  const tell = (region, x, y) => {
    if (region !== state.marked) {
      state.marked = region;
      fill();
    }
    listeners.forEach((listener) => listener(region < 0 ? null : mesh.regions[region].feature, x, y));
  };
  const pick = (x, y) => {
    const region = seen ? regionUnder(seen, x / state.width, y / state.height) : -1;
    return region < mesh.regions.length ? region : -1; // the shell is behind every region
  };
  turnByPointer(canvas, rotate, zoom, (event) => tell(pick(...pointerPlace(event, canvas)), event.clientX, event.clientY));
  canvas.addEventListener("pointerleave", () => tell(-1, 0, 0));
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) rotate(KEY_TURN * step[0], KEY_TURN * step[1]);
    else if (event.key === "+" || event.key === "=") zoom(KEY_ZOOM);
    else if (event.key === "-") zoom(1 / KEY_ZOOM);
    else if (event.key === "Home") view(state.name);
    else return;
    event.preventDefault();
  });
  view("left");
  const resize = watchSize(stage, (width, height) => {
    const pen = sharpPen(canvas, width, height);
    Object.assign(state, { width, height });
    ink = { pen, ratio: canvas.width / width, image: pen.createImageData(canvas.width, canvas.height) };
    look(true);
  });

  return {
    ok: Boolean(raster),
    views: Object.entries(BRAIN_VIEWS).map(([name, { label }]) => ({ name, label })),
    view,
    paint(rgb) {
      mesh.regions.forEach(({ feature }, region) => {
        if (feature >= 0) for (let k = 0; k < 3; k++) shades[3 * region + k] = rgb[3 * feature + k];
      });
      fill();
    },
    /** Feature under a point of the canvas (CSS pixels), or null. */
    featureAt(x, y) {
      const region = pick(x, y);
      return region < 0 ? null : mesh.regions[region].feature;
    },
    onHover: (listener) => listeners.push(listener),
    pose,
    /** Stand as another brain does; nobody is told. */
    setPose(next) {
      Object.assign(state, next);
      press();
      lookSoon();
    },
    /** Lighten a feature's region as the pointer does, or none; nobody is told. */
    mark(feature) {
      const region = mesh.regions.findIndex((one) => feature !== null && one.feature === feature);
      if (region === state.marked) return;
      state.marked = region;
      fill();
    },
    onTurn: (follow) => followers.push(follow),
    toPng() {
      look(true);
      return canvas.toDataURL("image/png");
    },
    stop() {
      cancelAnimationFrame(state.waiting);
      clearTimeout(state.still);
    },
    resize,
    setTheme() {},
  };
}

// -- colours of pixels

/** 32-bit colours by 128 * (region + 1) + light; nothing at 0; the marked region lighter; last the shell. */
function shadeTable(shades, marked) {
  const count = shades.length / 3;
  const table = new Uint32Array(LIGHTS * (count + 2));
  for (let level = 0; level < LIGHTS; level++) {
    const alpha = 32 + 170 * Math.max(0, 0.9 - level / (LIGHTS - 1)); // thicker where it turns away
    table[LIGHTS * (count + 1) + level] = (alpha << 24) | (SHELL[2] << 16) | (SHELL[1] << 8) | SHELL[0];
  }
  for (let region = 0; region < count; region++) {
    const lift = region === marked ? 0.4 : 0;
    const [red, green, blue] = [0, 1, 2].map((k) => 255 * (shades[3 * region + k] * (1 - lift) + lift));
    for (let level = 0; level < LIGHTS; level++) {
      const light = (BRIGHTEST * level) / (LIGHTS - 1);
      const part = (value) => Math.min(255, value * light) | 0;
      table[LIGHTS * (region + 1) + level] = (255 << 24) | (part(blue) << 16) | (part(green) << 8) | part(red);
    }
  }
  return table;
}

function fillPixels({ pen, image }, { keys, mixed, parts }, table) {
  const pixels = new Uint32Array(image.data.buffer);
  for (let k = 0; k < keys.length; k++) pixels[k] = table[keys[k]];
  for (let k = 0; k < mixed.length; k++) pixels[mixed[k]] = mean4(table, parts, 4 * k);
  pen.putImageData(image, 0, 0);
}

/** Mean colour of the four samples of a pixel, as opaque as they cover it. */
function mean4(table, parts, from) {
  let [red, green, blue, covered] = [0, 0, 0, 0];
  for (let k = from; k < from + 4; k++) {
    const color = table[parts[k]];
    const alpha = color >>> 24;
    red += alpha * (color & 255);
    green += alpha * ((color >> 8) & 255);
    blue += alpha * ((color >> 16) & 255);
    covered += alpha;
  }
  if (!covered) return 0;
  return ((covered / 4) << 24) | ((blue / covered) << 16) | ((green / covered) << 8) | (red / covered | 0);
}

/**
 * What lies at each pixel: keys into the table of shades; `mixed` pixels, where samples of one pixel
 * differ, have their four keys in `parts`.
 */
function seenPixels(samples, width, height, fine) {
  const across = width * fine;
  const found = sampleKeys(samples, across, height * fine);
  if (fine === 1) return { keys: found, mixed: [], parts: [], found, across, down: height };
  const keys = new Uint16Array(width * height);
  const mixed = [];
  const parts = [];
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      const first = 2 * row * across + 2 * column;
      const four = [found[first], found[first + 1], found[first + across], found[first + across + 1]];
      const [a, b, c, d] = four;
      if (a >> 7 === b >> 7 && a >> 7 === c >> 7 && a >> 7 === d >> 7) keys[at] = (a + b + c + d) >> 2;
      else {
        mixed.push(at);
        parts.push(a, b, c, d);
      }
    }
  }
  return { keys, mixed, parts, found, across, down: height * fine };
}

/** Key of each sample; where its neighbour is another region, darker. */
function sampleKeys(samples, across, down) {
  const keys = new Uint16Array(across * down);
  for (let k = 0, at = 0; k < keys.length; k++, at += 4) {
    const region = samples[at];
    if (!region) continue;
    const beside = samples[at + 4];
    const below = samples[at + 4 * across];
    const seam = (beside && beside !== region) || (below && below !== region);
    keys[k] = LIGHTS * region + ((samples[at + 1] * (seam ? SEAM : 1)) >> 1);
  }
  return keys;
}

function regionUnder({ found, across, down }, x, y) {
  const [column, row] = [Math.floor(x * across), Math.floor(y * down)];
  if (column < 0 || row < 0 || column >= across || row >= down) return -1;
  return (found[row * across + column] >> 7) - 1;
}

function viewButtons(host, view, goDeep) {
  const bar = addNode(host, "div", { class: "choice brain-views", role: "group", "aria-label": "View of the brain" });
  const buttons = Object.entries(BRAIN_VIEWS).map(([name, { label }]) => {
    const button = addNode(bar, "button", { type: "button", "data-view": name });
    button.textContent = label;
    button.addEventListener("click", () => view(name));
    return button;
  });
  const deep = addNode(bar, "button", { type: "button", "aria-pressed": "false" });
  deep.textContent = "Deep";
  deep.title = "Without the cortex: hippocampus, amygdala and deep grey matter";
  deep.addEventListener("click", () => {
    const now = deep.getAttribute("aria-pressed") !== "true";
    deep.setAttribute("aria-pressed", String(now));
    goDeep(now);
  });
  return buttons;
}

/** One pointer that is down rotates, two zoom as they part, and the wheel does; others hover. */
function turnByPointer(canvas, rotate, zoom, hover) {
  const down = new Map(); // places by pointer
  const apart = () => {
    const [a, b] = [...down.values()];
    return Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
  };
  canvas.addEventListener("pointerdown", (event) => {
    down.set(event.pointerId, [event.clientX, event.clientY]);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const from = down.get(event.pointerId);
    if (!from) return hover(event);
    const before = down.size === 2 && apart();
    down.set(event.pointerId, [event.clientX, event.clientY]);
    if (before) zoom(apart() / before);
    else rotate(POINTER_TURN * (event.clientX - from[0]), POINTER_TURN * (event.clientY - from[1]));
  });
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, (event) => down.delete(event.pointerId));
  // With the whole brain in view, rolling further back scrolls the page.
  canvas.addEventListener("wheel", (event) => zoom(Math.exp(-WHEEL_ZOOM * event.deltaY)) && event.preventDefault(), {
    passive: false,
  });
}

function cross(a, b) {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function normalized(v) {
  const length = Math.hypot(...v) || 1;
  return v.map((part) => part / length);
}

/** Rows right, up, towards the viewer, after turning about the screen's own axes. */
function turned([right, up, near], across, down) {
  const mix = (a, b, angle) => a.map((part, k) => part * Math.cos(angle) + b[k] * Math.sin(angle));
  const newRight = mix(right, near, across);
  const nearer = mix(near, right, -across);
  const newUp = normalized(mix(up, nearer, -down));
  const last = normalized(cross(newRight, newUp));
  return [cross(newUp, last), newUp, last];
}

/** White matter of a lobe lies under its cortex and would hide the rest. */
const LOBAR_WHITE = /white matter$/;
const DEEP =
  /hippocampus|amygdala|accumbens|caudate|putamen|pallidum|thalamus|basal forebrain|diencephalon|fornix|internal capsule|corpus callosum|brain stem/;

/**
 * All regions as one mesh, in blocks of one side and depth, so that a view hides a side by leaving
 * out a block, and the shells of both sides. positions (mm), normals, regions of vertices, indices.
 */
function mergedMesh(data) {
  const stored = data.mesh;
  const { vertices, faces } = stored;
  const place = new Map(data.features.map((index, k) => [index, k]));
  const regions = stored.names.map((index, from) => {
    const feature = place.has(index) ? place.get(index) : -1;
    return { index, from, feature, label: feature < 0 ? "" : data.rois[feature].label.toLowerCase() };
  });
  const shown = regions.filter(({ label }) => !LOBAR_WHITE.test(label));
  const blockOf = ({ label }) => (/^(left|right) /.exec(label)?.[1] || "middle") + (DEEP.test(label) ? " deep" : "");
  const blocks = [...new Set(shown.map(blockOf))].map((name) => ({ name, start: 0, count: 0 }));
  const indices = [];
  for (const block of blocks) {
    block.start = indices.length;
    for (const region of shown.filter((one) => blockOf(one) === block.name)) {
      const shift = stored.vertexOffsets[region.from];
      for (let k = 3 * stored.faceOffsets[region.from]; k < 3 * stored.faceOffsets[region.from + 1]; k++)
        indices.push(faces[k] + shift);
    }
    block.count = indices.length - block.start;
  }
  const shells = stored.shells || [];
  let before = vertices.length;
  for (const { side, vertices: own, faces: corners } of shells) {
    blocks.push({ name: side === "L" ? "left shell" : "right shell", start: indices.length, count: corners.length });
    for (const corner of corners) indices.push(corner + before / 3);
    before += own.length;
  }
  const positions = new Float32Array(before);
  [vertices, ...shells.map((shell) => shell.vertices)].reduce((at, own) => {
    own.forEach((value, k) => (positions[at + k] = value * stored.scale));
    return at + own.length;
  }, 0);
  const owner = new Uint8Array(before / 3).fill(regions.length);
  regions.forEach((_, k) => owner.fill(k, stored.vertexOffsets[k], stored.vertexOffsets[k + 1]));
  const half = centred(positions);
  return { regions, blocks, positions, owner, half, indices: Uint32Array.from(indices), normals: meshNormals(positions, indices) };
}

/** Put the middle of all points at 0 and return half their extent, mm. */
function centred(positions) {
  const half = [0, 1, 2].map((axis) => {
    let [low, high] = [Infinity, -Infinity];
    for (let k = axis; k < positions.length; k += 3) {
      low = Math.min(low, positions[k]);
      high = Math.max(high, positions[k]);
    }
    const middle = (low + high) / 2;
    for (let k = axis; k < positions.length; k += 3) positions[k] -= middle;
    return (high - low) / 2;
  });
  return half;
}

/** Smooth normals as signed bytes: the mean of the faces around a vertex, by area. */
function meshNormals(positions, indices) {
  const sums = new Float32Array(positions.length);
  const point = (k) => [positions[3 * k], positions[3 * k + 1], positions[3 * k + 2]];
  for (let k = 0; k < indices.length; k += 3) {
    const [a, b, c] = [point(indices[k]), point(indices[k + 1]), point(indices[k + 2])];
    const normal = cross(
      [b[0] - a[0], b[1] - a[1], b[2] - a[2]],
      [c[0] - a[0], c[1] - a[1], c[2] - a[2]],
    );
    for (let corner = 0; corner < 3; corner++)
      for (let axis = 0; axis < 3; axis++) sums[3 * indices[k + corner] + axis] += normal[axis];
  }
  const normals = new Int8Array(positions.length);
  for (let k = 0; k < sums.length; k += 3) {
    const length = Math.hypot(sums[k], sums[k + 1], sums[k + 2]) || 1;
    for (let axis = 0; axis < 3; axis++) normals[k + axis] = Math.round((127 * sums[k + axis]) / length);
  }
  return normals;
}

/** The WebGL side: see(state, width, height, fine) gives `seenPixels`; null without WebGL 2. */
function brainRaster(mesh) {
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2", { antialias: false, depth: true });
  if (!gl) return null;
  let uniforms = prepared(gl, mesh);
  canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
  canvas.addEventListener("webglcontextrestored", () => {
    uniforms = prepared(gl, mesh);
  });
  const drawBlocks = ({ name }, wanted) => {
    const { without = "none" } = BRAIN_VIEWS[name];
    for (const block of mesh.blocks)
      if (wanted.test(block.name) && !block.name.startsWith(without))
        gl.drawElements(gl.TRIANGLES, block.count, gl.UNSIGNED_INT, 4 * block.start);
  };
  return {
    see(state, width, height, fine) {
      canvas.width = width * fine;
      canvas.height = height * fine;
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.uniformMatrix3fv(uniforms.turn, true, state.turn.flat());
      gl.uniform2fv(uniforms.zoom, zoomOf(state, mesh.half));
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      if (state.deep) {
        drawBlocks(state, /shell$/);
        gl.clear(gl.DEPTH_BUFFER_BIT); // what is deep lies over its shell
        drawBlocks(state, /deep$/);
      } else drawBlocks(state, /^(?!.*shell)/);
      const samples = new Uint8Array(4 * canvas.width * canvas.height);
      gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, samples);
      return seenPixels(samples, width, height, fine);
    },
  };
}

/** Send the mesh; rows are drawn top down, so faces turn the other way. */
function prepared(gl, mesh) {
  const program = linkedProgram(gl);
  gl.useProgram(program);
  fillAttribute(gl, program, "position", mesh.positions, 3, gl.FLOAT, false);
  fillAttribute(gl, program, "normal", mesh.normals, 3, gl.BYTE, true);
  fillAttribute(gl, program, "region", mesh.owner, 1, gl.UNSIGNED_BYTE, false);
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, mesh.indices, gl.STATIC_DRAW);
  gl.enable(gl.DEPTH_TEST);
  gl.enable(gl.CULL_FACE);
  gl.frontFace(gl.CW);
  gl.clearColor(0, 0, 0, 0);
  return { turn: gl.getUniformLocation(program, "turn"), zoom: gl.getUniformLocation(program, "zoom") };
}

/** Clip units a mm: at zoom 1 the brain, taken as an ellipsoid, fits above the buttons in this pose. */
function zoomOf(state, half) {
  const reach = (row) => Math.hypot(...row.map((part, axis) => part * half[axis]));
  const scale = 0.93 * state.zoom * Math.min(state.width / 2 / reach(state.turn[0]), state.height / 2 / reach(state.turn[1]));
  return [(2 * scale) / state.width, (2 * scale) / state.height];
}

function linkedProgram(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX_SHADER], [gl.FRAGMENT_SHADER, FRAGMENT_SHADER]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return program;
}

function fillAttribute(gl, program, name, values, size, type, normalize) {
  const place = gl.getAttribLocation(program, name);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
  gl.enableVertexAttribArray(place);
  gl.vertexAttribPointer(place, size, type, normalize, 0, 0);
}
