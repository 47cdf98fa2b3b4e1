// files.js: a table dropped on the explorer, or chosen with its button, is handed to Python, which
// reads it. Nothing of it is looked at here.

const MOST_MEGABYTES = 20;
const NEEDS_APP = "A table of your own needs the Healthy Twin app, page Explore: nothing here can read it.";

/** Take files for `give({name, base64})`; where that is null there is no Python. */
function makeFiles(root, give) {
  const note = root.querySelector(".fileNote");
  const chooser = root.querySelector(".tableFile");
  const button = root.querySelector(".openTable");
  const ending = new AbortController();
  const on = (node, name, act) => node.addEventListener(name, act, { signal: ending.signal });

  async function take(files) {
    const fault = give ? fileFault(files) : NEEDS_APP;
    setText(note, fault || `Reading ${files[0].name} …`);
    if (fault) return;
    try {
      give({ name: files[0].name, base64: await fileBase64(files[0]) });
    } catch {
      setText(note, `${files[0].name} cannot be read: it may have been moved or changed.`);
    }
  }

  const carriesFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  on(root, "dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault(); // else the browser would leave the page for the file
    root.toggleAttribute("data-dropping", true);
  });
  on(root, "dragleave", (event) => {
    if (!root.contains(event.relatedTarget)) root.removeAttribute("data-dropping");
  });
  on(root, "drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    root.removeAttribute("data-dropping");
    take(event.dataTransfer.files);
  });
  on(button, "click", () => chooser.click());
  on(chooser, "change", () => {
    if (chooser.files.length) take(chooser.files);
    chooser.value = ""; // the same file may be chosen again, mended
  });
  button.hidden = !give;
  root.removeAttribute("data-dropping");
  return {
    /** Python has run since: what it has to say of a file stands on the page. */
    heard: () => setText(note, ""),
    stop: () => ending.abort(),
  };
}

/** Why these files are not taken, in a sentence; empty where they are. */
function fileFault(files) {
  if (files.length !== 1) return "Drop one file at a time; page Data takes volumes and participants apart.";
  const megabytes = files[0].size / 1024 ** 2;
  if (megabytes <= MOST_MEGABYTES) return "";
  return `${files[0].name} has ${Math.ceil(megabytes)} MB: the explorer takes up to ${MOST_MEGABYTES} MB, page Data takes more.`;
}

/** The bytes of a file in base64. */
function fileBase64(file) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(",")[1] || "");
    reader.onerror = () => fail(reader.error);
    reader.readAsDataURL(file);
  });
}
