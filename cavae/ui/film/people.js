// People in a latent space, between one look at the network and the next.

const MARGIN = 22;
const NEAREST = 3; // prior SD: shown at least
const DOT = 3.4;

/** Numbers of base64 text: x, y of each person in hundredths. */
function places(text) {
  return new Int16Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

/** Draw people at `at`, which is between the looks floor(at) and ceil(at); `reach` in prior SD. */
function drawPeople(canvas, frames, space, at, reach, groups, isTarget) {
  const side = canvas.clientWidth;
  const dense = window.devicePixelRatio || 1;
  if (!side) return;
  if (canvas.width !== Math.round(side * dense)) canvas.width = canvas.height = Math.round(side * dense);
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  pen.clearRect(0, 0, side, side);
  const half = (side - MARGIN) / 2;
  const across = (x) => MARGIN + half + (x / reach) * half;
  const down = (y) => half - (y / reach) * half;
  pen.font = `12px ${style.fontFamily}`;
  pen.textAlign = "center";
  const step = reach > 5 ? 2 : 1;
  for (let k = -Math.floor(reach); k <= reach; k++) {
    if (k % step) continue;
    pen.strokeStyle = style.getPropertyValue("--line");
    pen.beginPath();
    pen.moveTo(MARGIN, down(k));
    pen.lineTo(side, down(k));
    pen.moveTo(across(k), 0);
    pen.lineTo(across(k), side - MARGIN);
    pen.stroke();
    pen.fillStyle = style.color;
    if (Math.abs(k) < reach) {
      pen.fillText(rounded(k), across(k), side - 6);
      pen.fillText(rounded(k), 10, down(k) + 4);
    }
  }
  const before = frames[Math.floor(at)][space];
  const after = frames[Math.ceil(at)][space];
  const share = at - Math.floor(at);
  pen.globalAlpha = 0.8;
  pen.lineWidth = 0.6;
  pen.strokeStyle = "rgba(255,255,255,0.7)";
  const many = isTarget.length;
  const leap = stride(many);
  for (let i = 0; i < many; i++) {
    const k = (i * leap) % many; // Mixed, so that neither group lies upon the other.
    const [x, y] = [2 * k, 2 * k + 1].map((j) => (before[j] + share * (after[j] - before[j])) / 100);
    pen.fillStyle = groups[isTarget[k]].color;
    pen.beginPath();
    if (isTarget[k]) pen.rect(across(x) - DOT, down(y) - DOT, 2 * DOT, 2 * DOT);
    else pen.arc(across(x), down(y), DOT + 0.4, 0, 2 * Math.PI);
    pen.fill();
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

/** A step that visits all of `many` people, far from one to the next. */
function stride(many) {
  const common = (a, b) => (b ? common(b, a % b) : a);
  let step = Math.max(1, Math.round(many * 0.618));
  while (common(step, many) > 1) step++;
  return step;
}

/** How far to look so that everyone of these looks is seen. */
function reachOfPeople(frames, space) {
  const most = frames.reduce((far, frame) => frame[space].reduce((one, value) => Math.max(one, Math.abs(value)), far), 0);
  return Math.max(NEAREST, Math.ceil(most / 100 + 0.2));
}
