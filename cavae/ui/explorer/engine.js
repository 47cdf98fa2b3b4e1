// engine.js: the numbers. Unpacks what Python sent; decodes a position in salient space into
// effects (SD) and volumes (mm³), as cavae.synthesis.disease_effect and cavae.person.effect_at do.

const ARRAYS = { f4: Float32Array, f8: Float64Array, i2: Int16Array, i4: Int32Array, u2: Uint16Array };
const SPLINE_DEGREE = 3;

// -- unpacking

function unpackArray(packed) {
  const text = atob(packed.base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new ARRAYS[packed.dtype](bytes.buffer);
}

function unpackAll(value) {
  if (Array.isArray(value)) return typeof value[0] === "object" ? value.map(unpackAll) : value;
  if (value === null || typeof value !== "object") return value;
  if (typeof value.base64 === "string") return unpackArray(value);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, unpackAll(part)]));
}

function readPeople(columns, latent, features) {
  const part = (name, k, size) => columns[name].subarray(k * size, (k + 1) * size);
  return columns.id.map((id, k) => ({
    id,
    group: columns.diagnosis[k],
    diagnosis: columns.diagnosis[k],
    age: columns.age[k],
    sex: columns.sex[k],
    icv: columns.icv[k],
    site: columns.site[k],
    common: part("common", k, latent),
    salient: part("salient", k, latent),
    observed: part("observed", k, features),
    effect: part("effect", k, features),
  }));
}

// What Python packed, as plain objects and typed arrays; slices stay as they are.
function readData(raw) {
  const { slices, ...packed } = raw;
  const data = unpackAll(packed);
  data.slices = slices;
  data.people = readPeople(data.people, data.latent, data.features.length);
  data.average.group = "";
  data.labels = data.rois.map(({ label }) => label);
  return data;
}

// -- decoder: two linear layers with LeakyReLU between

function linear(layer, input) {
  const { weight, bias } = layer;
  const output = new Float64Array(bias.length);
  for (let i = 0, at = 0; i < output.length; i++) {
    let sum = bias[i];
    for (let j = 0; j < input.length; j++) sum += weight[at++] * input[j];
    output[i] = sum;
  }
  return output;
}

function decode(decoder, z, s) {
  const input = new Float64Array(z.length + s.length);
  input.set(z);
  input.set(s, z.length);
  const hidden = linear(decoder.first, input);
  for (let i = 0; i < hidden.length; i++) if (hidden[i] < 0) hidden[i] *= decoder.slope;
  return linear(decoder.second, hidden);
}

// -- calibration: chances of subtypes and the effect that is expected

function logDensity(gaussian, s) {
  const { mean, whitener, logRoot } = gaussian;
  let square = 0;
  for (let i = 0; i < mean.length; i++) {
    let scaled = 0;
    for (let j = 0; j <= i; j++) scaled += whitener[i * mean.length + j] * (s[j] - mean[j]);
    square += scaled * scaled;
  }
  return -0.5 * square - logRoot;
}

// Chance of each subtype before that at s = 0 is taken off.
function rawChances(calibration, s) {
  const { prevalence, weights, healthy, subtypes } = calibration;
  const logs = subtypes.map((one, k) => logDensity(one, s) + Math.log(prevalence * weights[k]));
  logs.unshift(logDensity(healthy, s) + Math.log(1 - prevalence));
  const most = Math.max(...logs);
  const shares = logs.map((log) => Math.exp(log - most));
  const sum = total(shares);
  return shares.slice(1).map((share) => share / sum);
}

function total(values) {
  return values.reduce((sum, value) => sum + value, 0);
}

// Chance of each subtype at s; the rest to 1 is being healthy, which s = 0 is for certain.
function subtypeChances(calibration, s) {
  const atZero = total(rawChances(calibration, new Float64Array(s.length)));
  const chances = rawChances(calibration, s);
  const diseased = total(chances);
  const beyond = Math.max((diseased - atZero) / (1 - atZero), 0);
  return chances.map((chance) => (chance / Math.max(diseased, 1e-300)) * beyond);
}

function expectedEffect(calibration, s, decoded) {
  const { effects, decoded: usual, reliability } = calibration;
  const chances = subtypeChances(calibration, s);
  const healthy = 1 - total(chances);
  const size = decoded.length;
  const expected = new Float64Array(size);
  for (let j = 0; j < size; j++) {
    let affected = false;
    let sum = 0;
    for (let k = 0; k < chances.length; k++) {
      const effect = effects[k * size + j];
      if (effect === 0) continue;
      affected = true;
      sum += chances[k] * (effect + reliability[k] * (decoded[j] - usual[k * size + j]));
    }
    expected[j] = sum + (affected ? healthy * decoded[j] : 0);
  }
  return expected;
}

// -- the way to volumes: for one age, sex, ICV and site it is a straight line, mean + sd * value

// The B-splines of an age but the first, as scipy.interpolate.BSpline.design_matrix has them.
function splines(age, knots) {
  const count = knots.length - SPLINE_DEGREE - 1;
  const x = Math.min(Math.max(age, knots[0]), knots[knots.length - 1]);
  let span = SPLINE_DEGREE;
  while (span < count - 1 && x >= knots[span + 1]) span++;
  const basis = new Float64Array(count);
  basis[span] = 1;
  for (let degree = 1; degree <= SPLINE_DEGREE; degree++) {
    for (let i = span - degree; i <= span; i++) {
      const left = knots[i + degree] - knots[i];
      const right = knots[i + degree + 1] - knots[i + 1];
      const rising = left > 0 ? ((x - knots[i]) / left) * basis[i] : 0;
      const next = i < span ? basis[i + 1] : 0;
      const falling = right > 0 ? ((knots[i + degree + 1] - x) / right) * next : 0;
      basis[i] = rising + falling;
    }
  }
  return Array.from(basis.subarray(1));
}

function covariateRow(facts, covariates, icvUnit) {
  const known = { age: facts.age, sex: facts.sex === "M" ? 1 : 0, icv: facts.icv / icvUnit };
  return covariates.map((name) => known[name]);
}

function linearModel(intercept, coefficients, row) {
  const result = Float64Array.from(intercept);
  const size = result.length;
  row.forEach((value, c) => {
    for (let j = 0; j < size; j++) result[j] += value * coefficients[c * size + j];
  });
  return result;
}

// Mean and SD (p) of healthy people of this age, sex and ICV, as this site measures them.
function healthyPeople(preprocessing, facts) {
  const { covariates, icvUnit, intercept, coefficients, adaptations, harmonizer } = preprocessing;
  const mean = linearModel(intercept, coefficients, covariateRow(facts, covariates, icvUnit));
  const sd = Float64Array.from(preprocessing.sd);
  const adapted = Object.hasOwn(adaptations, facts.site) ? adaptations[facts.site] : null;
  if (adapted) {
    for (let j = 0; j < mean.length; j++) {
      mean[j] = mean[j] * adapted.factor[j] + adapted.offset[j];
      sd[j] *= adapted.scale[j];
    }
    return { mean, sd };
  }
  const site = harmonizer ? harmonizer.sites.indexOf(facts.site) : -1;
  return site < 0 ? { mean, sd } : atSite(harmonizer, site, facts, icvUnit, mean, sd);
}

function atSite(harmonizer, site, facts, icvUnit, mean, sd) {
  const { covariates, knots, grand_mean, coefficients, pooled_sd, location, scale } = harmonizer;
  const [sex, icv] = ["sex", "icv"].map((name) =>
    covariateRow(facts, covariates.includes(name) ? [name] : [], icvUnit),
  );
  const row = [...sex, ...splines(facts.age, knots), ...icv];
  const expected = linearModel(grand_mean, coefficients, row);
  const size = mean.length;
  for (let j = 0; j < size; j++) {
    const stretch = scale[site * size + j];
    mean[j] = expected[j] + (mean[j] - expected[j]) * stretch + location[site * size + j] * pooled_sd[j];
    sd[j] *= stretch;
  }
  return { mean, sd };
}

// -- normal distribution

// Share of a normal distribution below x SD; error below 2e-7 (Numerical Recipes, erfc by
// Chebyshev fit).
function normalShare(x) {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * z);
  const series = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398,
    1.48851587, -0.82215223, 0.17087277,
  ];
  const power = series.reduceRight((sum, term) => sum * t + term, 0);
  const tail = 0.5 * t * Math.exp(-z * z + power);
  return x < 0 ? tail : 1 - tail;
}

// -- the engine

function sameNumbers(a, b) {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function makeEngine(data) {
  const { decoder, calibration, preprocessing } = data;
  const nothing = new Float64Array(data.latent);
  const known = new Map(); // by person: what does not change while they are moved

  function effect(z, s, healthy = decode(decoder, z, nothing)) {
    const decoded = decode(decoder, z, s);
    for (let j = 0; j < decoded.length; j++) decoded[j] -= healthy[j];
    return calibration ? expectedEffect(calibration, s, decoded) : decoded;
  }

  function knownOf(person) {
    if (!known.has(person)) {
      const healthy = decode(decoder, person.common, nothing);
      const own = effect(person.common, person.salient, healthy);
      known.set(person, { healthy, own, ...healthyPeople(preprocessing, person) });
    }
    return known.get(person);
  }

  // The effect (p) that s would have on a person: of what is peculiar to theirs, as much goes with
  // them as the effect is large.
  function effectOn(person, s) {
    if (sameNumbers(s, person.salient)) return Float64Array.from(person.effect);
    const { healthy, own } = knownOf(person);
    const there = effect(person.common, s, healthy);
    for (let j = 0; j < there.length; j++) {
      const ratio = own[j] === 0 ? 0 : there[j] / own[j];
      there[j] += (person.effect[j] - own[j]) * Math.min(Math.max(ratio, 0), 1);
    }
    return there;
  }

  function state(person, s) {
    const { mean, sd } = knownOf(person);
    const moved = effectOn(person, s);
    const size = moved.length;
    const [percent, twin, now, centile] = [0, 1, 2, 3].map(() => new Float64Array(size));
    for (let j = 0; j < size; j++) {
      twin[j] = person.observed[j] - sd[j] * person.effect[j];
      now[j] = person.observed[j] + sd[j] * (moved[j] - person.effect[j]);
      percent[j] = (100 * sd[j] * moved[j]) / twin[j];
      centile[j] = normalShare((now[j] - mean[j]) / sd[j]);
    }
    return { person, s, effect: moved, percent, twin, now, mean, sd, centile, limit: data.limit };
  }

  return {
    features: data.features,
    decode: (z, s) => decode(decoder, z, s),
    effect,
    state,
    chances: (s) => (calibration ? subtypeChances(calibration, s) : []),
  };
}
