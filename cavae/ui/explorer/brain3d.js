// The atlas in three dimensions: a small WebGL renderer of one merged mesh. Each vertex knows its
// region, and a texture of one texel a region holds the colours: a frame sends 139 colours.

const BRAIN_VIEWS = {
  left: { label: "Left", right: [0, -1, 0], up: [0, 0, 1] },
  right: { label: "Right", right: [0, 1, 0], up: [0, 0, 1] },
  medialLeft: { label: "Left, inside", right: [0, 1, 0], up: [0, 0, 1], without: "right" },
  medialRight: { label: "Right, inside", right: [0, -1, 0], up: [0, 0, 1], without: "left" },
  ventral: { label: "Below", right: [-1, 0, 0], up: [0, 1, 0] },
  dorsal: { label: "Above", right: [1, 0, 0], up: [0, 1, 0] },
  anterior: { label: "Front", right: [-1, 0, 0], up: [0, 0, 1] },
};
const VIEW_ALIASES = { lateral: "left", medial: "medialLeft" };
const KEY_TURN = 0.12; // radians
const POINTER_TURN = 0.011; // radians a pixel

const VERTEX_SHADER = `#version 300 es
in vec3 position; in vec3 normal; in float region;
uniform mat3 turn; uniform vec2 zoom; uniform sampler2D colors; uniform float picking, marked;
out lowp vec4 tint;
void main() {
  vec3 place = turn * position;
  gl_Position = vec4(place.xy * zoom, -place.z / 200.0, 1.0);
  vec3 n = turn * normal;
  float light = 0.60 + 0.26 * max(dot(n, vec3(-0.35, 0.65, 0.67)), 0.0) + 0.20 * max(n.z, 0.0);
  vec3 color = texelFetch(colors, ivec2(int(region), 0), 0).rgb;
  if (region == marked) color = mix(color, vec3(1.0), 0.35);
  tint = picking > 0.5 ? vec4((region + 1.0) / 255.0, 0.0, 0.0, 1.0) : vec4(color * light, 1.0);
}`;
const FRAGMENT_SHADER = `#version 300 es
precision lowp float;
in lowp vec4 tint; out vec4 color;
void main() { color = tint; }`;

/** Draw the atlas in `host`; ok is false, and a sentence stands there, without WebGL. */
function makeBrain(host, data, theme) {
  const listeners = [];
  host.replaceChildren();
  const canvas = addNode(host, "canvas", {
    class: "layer brain-canvas",
    tabindex: 0,
    role: "img",
    "aria-label": "Brain in three dimensions. Arrow keys turn it, Home puts it back.",
  });
  const mesh = mergedMesh(data);
  const colors = new Uint8Array(4 * mesh.regions.length).fill(200);
  let scene = brainScene(canvas, mesh);
  const state = { name: "left", turn: null, paused: false, marked: -1, width: 0, height: 0, ratio: 1, deep: false, waiting: 0 };
  if (!scene) {
    canvas.remove();
    addNode(host, "p", { class: "absent" }).textContent =
      "This browser draws no 3-D picture (WebGL 2 is off); the slices show the same.";
  }

  const draw = () => {
    state.waiting = 0;
    if (scene && state.width && !state.paused) scene.draw(state, colors);
  };
  const soon = () => {
    state.waiting ||= requestAnimationFrame(draw);
  };
  const view = (name) => {
    state.name = BRAIN_VIEWS[name] ? name : VIEW_ALIASES[name] || "left";
    const { right, up } = BRAIN_VIEWS[state.name];
    state.turn = [right, up, cross(right, up)];
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.view === state.name)));
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
  const mark = (region) => {
    if (region === state.marked) return;
    state.marked = region;
    soon();
  };
  const tell = (region, x, y) => {
    mark(region);
    const feature = region < 0 ? null : mesh.regions[region].feature;
    listeners.forEach((listener) => listener(feature, x, y));
  };
  const pick = (x, y) => (scene && state.width ? scene.pick(state, x, y) : -1);
  turnByPointer(canvas, rotate, (event) => tell(pick(...pointerPlace(event, canvas)), event.clientX, event.clientY));
  canvas.addEventListener("pointerleave", () => tell(-1, 0, 0));
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) rotate(KEY_TURN * step[0], KEY_TURN * step[1]);
    else if (event.key === "Home") view(state.name);
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
  canvas.addEventListener("webglcontextrestored", () => {
    scene = brainScene(canvas, mesh);
    soon();
  });
  view("left");
  const look = watchSize(host, (width, height) => {
    state.ratio = Math.min(window.devicePixelRatio || 1, 2);
    Object.assign(state, { width, height });
    canvas.width = Math.round(width * state.ratio);
    canvas.height = Math.round(height * state.ratio);
    draw();
  });

  return {
    ok: Boolean(scene),
    views: Object.entries(BRAIN_VIEWS).map(([name, { label }]) => ({ name, label })),
    view,
    paint(rgb) {
      mesh.regions.forEach(({ feature }, region) => {
        if (feature < 0) return;
        for (let k = 0; k < 3; k++) colors[4 * region + k] = 255 * rgb[3 * feature + k];
      });
      draw();
    },
    /** Feature under a point of the canvas (CSS pixels), or null. */
    featureAt(x, y) {
      const region = pick(x, y);
      return region < 0 ? null : mesh.regions[region].feature;
    },
    onHover: (listener) => listeners.push(listener),
    pause(paused) {
      state.paused = paused;
      look();
      soon();
    },
    toPng() {
      draw();
      return canvas.toDataURL("image/png");
    },
    resize: look,
    setTheme() {},
  };
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
  deep.textContent = "Deep only";
  deep.addEventListener("click", () => {
    const now = deep.getAttribute("aria-pressed") !== "true";
    deep.setAttribute("aria-pressed", String(now));
    goDeep(now);
  });
  return buttons;
}

/** Rotate by dragging; otherwise the pointer hovers. */
function turnByPointer(canvas, rotate, hover) {
  let from = null;
  canvas.addEventListener("pointerdown", (event) => {
    from = [event.clientX, event.clientY];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return hover(event);
    rotate(POINTER_TURN * (event.clientX - from[0]), POINTER_TURN * (event.clientY - from[1]));
    from = [event.clientX, event.clientY];
  });
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, () => {
      from = null;
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
 * out a block. positions (mm), normals, regions of vertices, indices.
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
  const positions = Float32Array.from(vertices, (value) => value * stored.scale);
  const owner = new Uint8Array(vertices.length / 3);
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

/** The WebGL side: draw(state, colors) and pick(state, x, y); null without WebGL 2. */
function brainScene(canvas, mesh) {
  const gl = canvas.getContext("webgl2", { alpha: true, antialias: true, premultipliedAlpha: true });
  if (!gl) return null;
  const program = linkedProgram(gl);
  gl.useProgram(program);
  const at = (name) => gl.getUniformLocation(program, name);
  const uniforms = { turn: at("turn"), zoom: at("zoom"), picking: at("picking"), marked: at("marked") };
  fillAttribute(gl, program, "position", mesh.positions, 3, gl.FLOAT, false);
  fillAttribute(gl, program, "normal", mesh.normals, 3, gl.BYTE, true);
  fillAttribute(gl, program, "region", mesh.owner, 1, gl.UNSIGNED_BYTE, false);
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, mesh.indices, gl.STATIC_DRAW);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
    gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
  gl.enable(gl.DEPTH_TEST);
  gl.enable(gl.CULL_FACE);
  gl.clearColor(0, 0, 0, 0);
  const target = pickTarget(gl);

  const render = (state, picking) => {
    const view = BRAIN_VIEWS[state.name];
    gl.uniformMatrix3fv(uniforms.turn, true, state.turn.flat());
    gl.uniform2fv(uniforms.zoom, zoomOf(state, mesh.half));
    gl.uniform1f(uniforms.picking, picking ? 1 : 0);
    gl.uniform1f(uniforms.marked, picking ? -1 : state.marked);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    for (const block of mesh.blocks) {
      if (view.without && block.name.startsWith(view.without)) continue;
      if (state.deep && !block.name.endsWith("deep")) continue;
      gl.drawElements(gl.TRIANGLES, block.count, gl.UNSIGNED_INT, 4 * block.start);
    }
  };
  return {
    draw(state, colors) {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, mesh.regions.length, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, colors);
      gl.viewport(0, 0, canvas.width, canvas.height);
      render(state, false);
    },
    pick(state, x, y) {
      const [left, bottom] = [Math.floor(x), Math.floor(state.height - y)];
      if (left < 0 || bottom < 0 || left >= state.width || bottom >= state.height) return -1;
      target.bind(state.width, state.height);
      gl.viewport(0, 0, state.width, state.height);
      gl.enable(gl.SCISSOR_TEST);
      gl.scissor(left, bottom, 1, 1);
      render(state, true);
      gl.disable(gl.SCISSOR_TEST);
      const texel = new Uint8Array(4);
      gl.readPixels(left, bottom, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, texel);
      gl.bindFramebuffer(gl.FRAMEBUFFER, null);
      return texel[0] - 1;
    },
  };
}

/** Clip units a mm so that the brain, taken as an ellipsoid, just fits in this pose. */
function zoomOf(state, half) {
  const reach = (row) => Math.hypot(...row.map((part, axis) => part * half[axis]));
  const room = state.height - VIEW_BAR;
  const scale = 0.95 * Math.min(state.width / 2 / reach(state.turn[0]), room / 2 / reach(state.turn[1]));
  return [(2 * scale) / state.width, (2 * scale) / state.height];
}

const VIEW_BAR = 4; // pixels kept free

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

/** A picture off screen, in CSS pixels, whose red says which region lies where. */
function pickTarget(gl) {
  const frame = gl.createFramebuffer();
  const color = gl.createRenderbuffer();
  const depth = gl.createRenderbuffer();
  let known = "";
  return {
    bind(width, height) {
      gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
      if (known === `${width} ${height}`) return;
      known = `${width} ${height}`;
      gl.bindRenderbuffer(gl.RENDERBUFFER, color);
      gl.renderbufferStorage(gl.RENDERBUFFER, gl.RGBA8, width, height);
      gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.RENDERBUFFER, color);
      gl.bindRenderbuffer(gl.RENDERBUFFER, depth);
      gl.renderbufferStorage(gl.RENDERBUFFER, gl.DEPTH_COMPONENT16, width, height);
      gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.DEPTH_ATTACHMENT, gl.RENDERBUFFER, depth);
    },
  };
}
