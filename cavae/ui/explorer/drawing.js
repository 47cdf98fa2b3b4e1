// What the pictures share: nodes, sharp canvases, the tip beside the pointer, numbers as words.

const SVG = "http://www.w3.org/2000/svg";

function setAttributes(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function addNode(parent, name, attributes = {}) {
  return parent.appendChild(setAttributes(document.createElement(name), attributes));
}

function addSvg(parent, name, attributes = {}) {
  return parent.appendChild(setAttributes(document.createElementNS(SVG, name), attributes));
}

/** Set a text only where it changed: what did not change costs no layout. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Pen of a canvas as sharp as the screen, in CSS pixels. */
function sharpPen(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 3);
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}

/** Tell (width, height) of an element whenever it changes, and at once. */
function watchSize(element, tell) {
  let known = "";
  const look = () => {
    const [width, height] = [element.clientWidth, element.clientHeight];
    const now = `${width} ${height} ${window.devicePixelRatio}`;
    if (!width || !height || now === known) return;
    known = now;
    tell(width, height);
  };
  new ResizeObserver(look).observe(element);
  return look;
}

/** Where a pointer is in an element, in its CSS pixels. */
function pointerPlace(event, element) {
  const box = element.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/** Words beside the pointer; inside `root`, kept within the window. */
function makeTip(root, theme) {
  const tip = addNode(root, "div", { class: "tip", "aria-hidden": "true" });
  return {
    show(text, clientX, clientY) {
      setText(tip, text);
      tip.style.display = "block";
      const left = Math.min(clientX + 14, window.innerWidth - tip.offsetWidth - 8);
      const top = clientY + 18 + tip.offsetHeight > window.innerHeight ? clientY - 14 - tip.offsetHeight : clientY + 18;
      tip.style.transform = `translate(${Math.max(4, left)}px,${top}px)`;
    },
    hide() {
      tip.style.display = "none";
    },
    setTheme() {},
  };
}

/** Tabs that show one of two pictures, or both: tell(name) on a change. */
function makeViews(host, names, tell) {
  const buttons = names.map(([name, label]) => {
    const button = addNode(host, "button", { type: "button", "data-view": name });
    button.textContent = label;
    button.addEventListener("click", () => choose(name));
    return button;
  });
  const choose = (name) => {
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.view === name)));
    tell(name);
  };
  return { choose };
}

/** "−1.70" or "+0.42": a number with its sign; what rounds to zero has none. */
function signedNumber(value, places) {
  const text = Math.abs(value).toFixed(places);
  return /[1-9]/.test(text) ? (value < 0 ? "−" : "+") + text : text;
}

/** "3,512": a volume in mm³, without its unit. */
function wholeNumber(value) {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "4th centile" of a share of healthy people with less, from 0 to 1. */
function centileWords(share) {
  if (!(share >= 0)) return "";
  if (share < 0.01) return "below 1st centile";
  if (share > 0.99) return "above 99th centile";
  return `${ordinalNumber(Math.round(100 * share))} centile`;
}

function ordinalNumber(number) {
  const teen = number % 100 > 10 && number % 100 < 14;
  return number + (teen ? "th" : { 1: "st", 2: "nd", 3: "rd" }[number % 10] || "th");
}
