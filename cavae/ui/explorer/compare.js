// compare.js: two moments side by side. A is kept, B is the point that moves; both have one colour
// scale, one view and one pose. All of it stays in the browser: Python is told nothing.

const COMPARED_ROWS = [
  [["coronal", -3], ["coronal", -18]],
  [["axial", -12], ["axial", 12]],
];
const KEPT_MOMENT = " "; // no id of a person

/**
 * The second column of pictures and its controls. `scene` is what main.js lends: engine, pictures (of
 * B), position(), region(s), paint(pictures, state), hover(feature, x, y), redraw() and show(position).
 */
function makeCompare(root, data, theme, scene) {
  const find = (name) => root.querySelector(`.${name}`);
  const [button, select] = [find("compare"), find("keptPerson")];
  const kept = {}; // the pictures of A
  let position = null; // of A; null: nothing is compared
  let state = null;
  let stale = true;

  function start() {
    kept.paired ||= makePaired(find("keptPaired"), data, theme);
    if (data.slices && !kept.slices) {
      kept.slices = makeSlices(find("keptSlices"), data, theme, COMPARED_ROWS);
      kept.slices.onHover(scene.hover);
    }
    keep(scene.position());
  }

  function stop() {
    mark(null);
    position = state = null;
    dress();
  }

  function mark(feature) {
    for (const { slices, brain } of [kept, scene.pictures]) {
      slices?.mark(feature);
      brain?.mark(feature);
    }
  }

  // Hold a position as A.
  function keep(next) {
    position = { person: next.person, s: Float64Array.from(next.s) };
    state = scene.engine.state(position.person, position.s);
    dress();
  }

  function swap() {
    const moving = scene.position();
    const next = position;
    keep(moving);
    scene.show(next);
  }

  function dress() {
    const on = Boolean(position);
    button.setAttribute("aria-pressed", String(on));
    root.toggleAttribute("data-compare", on);
    for (const part of root.querySelectorAll(".kept")) part.hidden = !on;
    scene.pictures.slices?.setRows(on ? COMPARED_ROWS : SLICE_ROWS);
    scene.pictures.strongest.keep(state);
    say();
    view(root.dataset.view);
  }

  function say() {
    if (!position) return;
    const words = (one) => `${one.person.id} ${beingWords(data, one, scene.region(one.s))}`;
    const own = sameNumbers(position.s, position.person.salient);
    select.value = own ? position.person.id : KEPT_MOMENT;
    setText(find("keptWords"), words(position));
    setText(find("movingWords"), words(scene.position()));
  }

  // Show A in the view of B, in its pose.
  function view(name) {
    stale = true;
    if (!position) return;
    find("keptSlices").hidden = name === "brain";
    find("keptBrain").hidden = name === "slices";
    if (name !== "slices" && scene.pictures.brain) pairBrains(scene.pictures.brain);
    Object.values(kept).forEach((picture) => picture.resize());
    Object.values(scene.pictures).forEach((picture) => picture.resize?.());
    scene.redraw();
  }

  function pairBrains(brain) {
    if (kept.brain) return;
    kept.brain = makeBrain(find("keptBrain"), data, theme);
    kept.brain.onHover(scene.hover);
    kept.brain.onTurn(brain.setPose);
    brain.onTurn(kept.brain.setPose);
    kept.brain.setPose(brain.pose());
  }

  fillPeople(select, data);
  select.prepend(new Option("This moment", KEPT_MOMENT));
  select.addEventListener("change", () => {
    const person = personNamed(data, select.value);
    keep(person ? { person, s: person.salient } : scene.position());
  });
  button.addEventListener("click", () => (position ? stop() : start()));
  find("keepMoment").addEventListener("click", () => keep(scene.position()));
  find("swap").addEventListener("click", swap);
  root.removeAttribute("data-compare");

  return {
    on: () => Boolean(position),
    brain: () => kept.brain,
    view,
    say,
    /** Colour A again after a change of unit, view or A itself: it does not move. */
    draw() {
      if (position && stale) scene.paint(kept, state);
      stale = false;
    },
    /** Show the region under the pointer in A and in B; none where nothing is compared. */
    mark(feature) {
      if (position) mark(feature);
    },
    /** What a reader that sees no picture is told of A, beside B. */
    words: () => (position ? ` A, kept: ${stateWords(data, state)}` : ""),
    changed() {
      stale = true;
    },
    /** The region in A and in B, a line each. */
    hoverWords(moving, feature) {
      const values = (letter, one) => `${letter} ${one.person.id}: ${effectWords(data, one, feature)}`;
      return [data.labels[feature], values("A", state), values("B", moving)].join("\n");
    },
    setTheme(next) {
      theme = next;
      Object.values(kept).forEach((picture) => picture.setTheme(theme));
      stale = true;
    },
    stop() {
      Object.values(kept).forEach((picture) => picture.stop?.());
    },
  };
}
