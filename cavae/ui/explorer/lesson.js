// lesson.js: six steps, each the explorer in a prepared state and a question. The texts are in
// lesson.json (LESSON); what they say of the model in braces is computed here from what is shown.

const LOST_SD = 1; // a patient of step 2 has lost at least so much
const CLEAR_CHANCE = 0.8; // a brain of which a subtype is asked belongs to it with that chance
const BINS = 24;

// -- what the texts say in braces

function lessonFacts(data, engine) {
  const named = (names) => data.people.filter((one) => names.split(", ").includes(one.group));
  const [healthy, patients] = [named(data.model.background), named(data.model.target)];
  const size = ({ mean }) => Math.hypot(...mean);
  const regions = (wanted) => data.regions.filter(({ kind }) => kind === wanted).sort((a, b) => size(a) - size(b));
  const [groups, subtypes] = [regions("group"), regions("subtype")];
  const severest = named(groups[groups.length - 1].name);
  const usual = Float64Array.from(data.labels, (_, k) => meanOf(severest, ({ effect }) => effect[k]));
  const peak = weakest(usual, (effect) => effect, (k) => !data.key.includes(k)); // of those drawn with their twin
  // The middle of several subtypes is nobody: the point is dragged to one of them.
  const far = subtypes.length ? subtypes[subtypes.length - 1] : groups[groups.length - 1];
  const there = engine.state(data.average, Float64Array.from(far.mean)).effect;
  const [farMost, farLeast] = [weakest(there, (effect) => effect), weakest(there, Math.abs)];
  const patient = personNamed(data, data.start);
  const most = weakest(patient.effect, (effect) => effect);
  const least = weakest(patient.effect, Math.abs);
  const small = weakest(patient.effect, Math.abs, (k) => bareName(data, k) === bareName(data, least));
  const pair = unlikePair(healthy, patients, peak);
  const ill = engine.state(pair.ill, pair.ill.salient);
  const signed = (value) => signedNumber(value, 1);
  const words = {
    count: data.features.length,
    latent: data.latent,
    unit: data.unit || "units",
    backgroundName: data.model.background,
    far: far.kind === "group" ? `group ${far.name}` : far.short,
    patient: patient.id,
    group: patient.group,
    mostRegion: data.labels[most],
    mostEffect: signed(patient.effect[most]),
    mostPercent: signedNumber(engine.state(patient, patient.salient).percent[most], 0),
    leastRegion: data.labels[least],
    leastEffect: signed(patient.effect[least]),
    smallRegion: data.labels[small],
    smallEffect: signed(patient.effect[small]),
    peakRegion: inSentence(data.labels[peak]),
    farMost: data.labels[farMost],
    farMostEffect: signed(there[farMost]),
    farLeast: data.labels[farLeast],
    farLeastEffect: signed(there[farLeast]),
    healthyOne: personWords(pair.healthy),
    illOne: personWords(pair.ill),
    healthySize: wholeNumber(pair.healthy.observed[peak]),
    illSize: wholeNumber(pair.ill.observed[peak]),
    difference: signedVolume(pair.ill.observed[peak] - pair.healthy.observed[peak]),
    illTwin: wholeNumber(ill.twin[peak]),
    illEffect: signedVolume(ill.now[peak] - ill.twin[peak]),
    groupEffects: groups
      .map(({ name }) => `${name} ${signed(meanOf(named(name), ({ effect }) => effect[peak]))} SD`)
      .join(", "),
  };
  return { words, peak, patient, healthy, patients, pair, cases: lessonCases(data, engine, healthy, patients, peak) };
}

/** Place of the smallest by(value), of those that are not left out. */
function weakest(values, by, leftOut = () => false) {
  let found = -1;
  values.forEach((value, k) => {
    if (!leftOut(k) && (found < 0 || by(value) < by(values[found]))) found = k;
  });
  return found;
}

function bareName(data, feature) {
  return data.labels[feature].replace(/^(Left|Right) /, "");
}

function inSentence(label) {
  return label.replace(/^(Left|Right) /, (side) => side.toLowerCase());
}

function signedVolume(value) {
  return `${value < 0 ? "−" : "+"}${wholeNumber(Math.abs(value))}`;
}

function personWords({ id, age, sex }) {
  const facts = [age === null ? "" : `${Math.round(age)} years`, sex].filter(Boolean).join(", ");
  return facts ? `${id} (${facts})` : id;
}

function meanOf(people, value) {
  return total(people.map(value)) / people.length;
}

/** A patient who has lost volume and still has more than a healthy person: the two of step 2. */
function unlikePair(healthy, patients, feature) {
  const bySize = (people) => [...people].sort((a, b) => a.observed[feature] - b.observed[feature]);
  const lost = patients.filter(({ effect }) => effect[feature] <= -LOST_SD);
  const some = bySize(lost.length ? lost : patients);
  const ill = some[Math.floor(0.95 * some.length)];
  const less = bySize(healthy).filter(({ observed }) => observed[feature] < ill.observed[feature]);
  return { healthy: less[Math.floor(less.length / 4)] || bySize(healthy)[0], ill };
}

// -- brains to guess

/** People to guess with their answers: the subtype the model gives, or else their group. */
function lessonCases(data, engine, healthy, patients, peak) {
  const subtypes = data.regions.filter(({ kind }) => kind === "subtype");
  const one = subtypes.length ? subtypeCase(engine, subtypes, peak) : groupCase(peak);
  const people = subtypes.length ? patients : [...healthy, ...patients];
  const known = people.map(one).filter(Boolean);
  const answers = subtypes.length ? subtypes.map(({ name }) => name) : data.groups.map(({ name }) => name);
  return { kind: subtypes.length ? "subtypes" : "groups", answers, people: mixed(known) };
}

function groupCase(peak) {
  return (person) => ({ person, answer: person.group, words: caseWords(person, person.group, peak, 1) });
}

function subtypeCase(engine, subtypes, peak) {
  return (person) => {
    const chances = engine.chances(person.salient);
    const best = chances.indexOf(Math.max(...chances));
    if (chances[best] < CLEAR_CHANCE) return null;
    const { name, short } = subtypes[best];
    return { person, answer: name, words: caseWords(person, short, peak, chances[best]) };
  };
}

function caseWords(person, group, peak, chance) {
  const caseChance = Math.min(99, Math.round(100 * chance));
  return { caseName: person.id, caseGroup: group, caseChance, caseEffect: signedNumber(person.effect[peak], 1) };
}

/** The cases in an order that does not help, the same for everyone (Park and Miller's numbers). */
function mixed(cases) {
  let seed = 20_011;
  const next = () => (seed = (seed * 16_807) % 2_147_483_647);
  return cases
    .map((one) => [next(), one])
    .sort(([first], [second]) => first - second)
    .map(([, one]) => one);
}

// -- the two groups as a picture

/** Histograms of a region's size in healthy people and patients, with two people marked. */
function drawGroups(host, data, facts) {
  const { healthy, patients, pair, peak } = facts;
  const [width, height, left, base] = [560, 256, 10, 232];
  const sizes = (people) => people.map(({ observed }) => observed[peak]);
  const all = [...sizes(healthy), ...sizes(patients)];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const across = (size) => left + ((size - low) / (high - low)) * (width - 2 * left);
  const bins = [healthy, patients].map((people) => {
    const shares = new Float64Array(BINS);
    for (const size of sizes(people))
      shares[Math.min(BINS - 1, Math.floor(((size - low) / (high - low)) * BINS))] += 1 / people.length;
    return shares;
  });
  const most = Math.max(...bins[0], ...bins[1]);
  const label = `${data.labels[peak]} of healthy people and patients: two groups that overlap`;
  host.replaceChildren();
  const svg = addSvg(host, "svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  const write = (text, x, y, anchor = "middle") =>
    setText(addSvg(svg, "text", { x, y, "text-anchor": anchor, class: "chart-value" }), text);
  const step = (width - 2 * left) / BINS;
  [HEALTHY, NOW].forEach((color, k) =>
    bins[k].forEach((share, bin) => {
      const tall = (share / most) * 170;
      addSvg(svg, "rect", { x: left + bin * step, y: base - tall, width: step - 1, height: tall, fill: color, "fill-opacity": 0.55 });
    }),
  );
  addSvg(svg, "line", { x1: left, x2: width - left, y1: base, y2: base, stroke: LINE });
  for (const [person, color, name, side] of [[pair.healthy, HEALTHY, "healthy", "end"], [pair.ill, NOW, "patient", "start"]]) {
    const x = across(person.observed[peak]);
    addSvg(svg, "line", { x1: x, x2: x, y1: 26, y2: base, stroke: color, "stroke-width": 2.5 });
    write(`${person.id}, ${name}: ${wholeNumber(person.observed[peak])}`, x, 16, side);
  }
  write(wholeNumber(low), left, base + 18, "start");
  write(`${data.labels[peak]}${data.unit ? ` (${data.unit})` : ""}`, width / 2, base + 18);
  write(wholeNumber(high), width - left, base + 18, "end");
  const key = addNode(host, "p", { class: "lessonKey" });
  [[HEALTHY, `${data.model.background} (${healthy.length})`], [NOW, `${data.model.target} (${patients.length})`]].forEach(
    ([color, words]) => {
      addNode(key, "i").style.background = color;
      key.append(words);
    },
  );
}

// -- the whole

function fillIn(text, words) {
  return text.replace(/\{(\w+)\}/g, (braces, name) => words[name] ?? braces);
}

function firstStep() {
  const step = Number(new URLSearchParams(window.location.hash.slice(1)).get("step"));
  return Number.isInteger(step) && step >= 1 && step <= LESSON.steps.length ? step - 1 : 0;
}

function startLesson(root, data) {
  const find = (name) => root.querySelector(`.${name}`);
  const explorer = startExplorer(root.querySelector(".explorer"), data, () => {}, null);
  const facts = lessonFacts(data, explorer.engine);
  const chosen = LESSON.steps.map(() => null); // what was answered, kept when one goes back
  let at = firstStep();
  let turn = 0; // which brain is to be guessed
  let { step, words } = prepared();

  drawGroups(find("lessonGroups"), data, facts);

  function theCase() {
    return facts.cases.people[turn % facts.cases.people.length];
  }

  // The step with its variant, and its answers where they are those of the model.
  function prepared() {
    const plain = LESSON.steps[at];
    if (plain.at !== "case") return { step: plain, words: facts.words };
    const variant = plain[facts.cases.kind];
    const answers = facts.cases.answers.map((text) => {
      const right = text === theCase().answer;
      return { text, right, feedback: right ? variant.right : variant.wrong };
    });
    const text = [...plain.text, variant.hint];
    return { step: { ...plain, ...variant, text, answers }, words: { ...facts.words, ...theCase().words } };
  }

  function startingPosition() {
    const people = { patient: facts.patient, average: data.average, ill: facts.pair.ill, healthy: facts.pair.healthy };
    const person = step.at === "case" ? theCase().person : people[step.at];
    return { person, s: Float64Array.from(person.salient) };
  }

  function go(next, focus) {
    at = next;
    ({ step, words } = prepared());
    setText(find("lessonProgress"), `Step ${at + 1} of ${LESSON.steps.length}`);
    setText(find("lessonTitle"), step.title);
    paragraphs(find("lessonText"), step.text);
    setText(find("lessonQuestion"), fillIn(step.question, words));
    fillAnswers();
    find("lessonBack").disabled = at === 0;
    find("lessonNext").disabled = at === LESSON.steps.length - 1;
    find("lessonAnother").hidden = !step.another;
    explorer.player.pause();
    root.querySelector("button[data-view=slices]")?.click();
    explorer.show(startingPosition());
    say();
    history.replaceState(history.state, "", `#step=${at + 1}`);
    if (focus) find("lessonTitle").focus({ preventScroll: true });
  }

  function paragraphs(host, texts) {
    host.replaceChildren();
    texts.forEach((text) => setText(addNode(host, "p"), fillIn(text, words)));
  }

  function fillAnswers() {
    find("lessonAnswers").replaceChildren();
    step.answers.forEach(({ text }, k) => {
      const label = addNode(find("lessonAnswers"), "label");
      const choice = addNode(label, "input", { type: "radio", name: "lessonAnswer", value: k });
      choice.checked = chosen[at] === k;
      label.append(fillIn(text, words));
    });
  }

  // Say whether the answer is right, and show what was hidden until it was given.
  function say() {
    const answer = step.answers[chosen[at]];
    const done = answer && (answer.right || step.at === "case");
    root.dataset.shows = (done ? step.reveals : step.shows).join(" ");
    const feedback = find("lessonFeedback");
    feedback.replaceChildren();
    if (!answer) return;
    const line = addNode(feedback, "p", { class: answer.right ? "lessonRight" : "lessonWrong" });
    setText(addNode(line, "strong"), answer.right ? "Right. " : "Not quite. ");
    line.append(fillIn(answer.feedback, words));
    if (done) setText(addNode(feedback, "p"), fillIn(step.explanation, words));
  }

  find("lessonForm").addEventListener("submit", (event) => {
    event.preventDefault();
    const choice = find("lessonAnswers").querySelector(":checked");
    if (choice) {
      chosen[at] = Number(choice.value);
      say();
    } else setText(find("lessonFeedback"), "Choose an answer first.");
  });
  find("lessonAnother").addEventListener("click", () => {
    turn++;
    chosen[at] = null;
    go(at, false);
  });
  find("lessonBack").addEventListener("click", () => go(at - 1, true));
  find("lessonNext").addEventListener("click", () => go(at + 1, true));
  go(at, false);
  root.dataset.ready = "true";
  return explorer;
}

// Streamlit calls this again after each run of the page: only another model begins anew.
function mountLesson({ parentElement, data }) {
  const root = parentElement.querySelector(".lesson");
  const source = sourceText(data);
  if (root.source === source) {
    root.explorer.setTheme();
    return;
  }
  root.explorer?.stop();
  root.blank ||= Array.from(root.childNodes, (node) => node.cloneNode(true));
  if (root.source) root.replaceChildren(...root.blank.map((node) => node.cloneNode(true)));
  root.source = source;
  root.explorer = startLesson(root, readData(JSON.parse(source)));
}
