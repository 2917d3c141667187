// The search page: a photo is made small before it is sent, weights are shown while they are moved, and addresses stay short.
// Without this module the same forms and links work by themselves.

const LONGEST_SIDE = 1024;
const QUALITY = 0.9;

/** The photo, upright and at most 1,024 pixels long, as a JPEG of its pixels alone: no place, no camera, no time. */
async function shrink(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // under what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((done, fail) => canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("no picture"))), "image/jpeg", QUALITY));
}

const pictureIn = (transfer) => [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/"));

/** <photo-form>: a photo is searched with as soon as it is taken, chosen, pasted or dropped. */
class PhotoForm extends HTMLElement {
  #busy = false;

  connectedCallback() {
    this.form = this.querySelector("form");
    this.note = this.querySelector("[role=status]");
    this.addEventListener("change", (event) => {
      if (event.target.type === "file" && event.target.files[0]) this.#send(event.target.files[0]);
    });
    for (const [kind, listener] of this.#everywhere) document.addEventListener(kind, listener);
  }

  disconnectedCallback() {
    for (const [kind, listener] of this.#everywhere) document.removeEventListener(kind, listener);
  }

  // What is dropped beside the form would replace the page.
  #over = (event) => {
    event.preventDefault();
    this.toggleAttribute("data-over", true);
  };

  #leave = (event) => {
    if (!event.relatedTarget) this.removeAttribute("data-over"); // the window was left, not one element for another
  };

  #drop = (event) => {
    event.preventDefault();
    this.removeAttribute("data-over");
    this.#take(event.dataTransfer);
  };

  #paste = (event) => {
    if (pictureIn(event.clipboardData)) this.#take(event.clipboardData);
  };

  #everywhere = Object.entries({ dragover: this.#over, dragleave: this.#leave, drop: this.#drop, paste: this.#paste });

  #take(transfer) {
    const file = pictureIn(transfer);
    if (file) this.#send(file);
    else this.#say(this.dataset.textNone);
  }

  /** Say something where it is seen: the form may stand folded away. */
  #say(words) {
    const fold = this.closest("details");
    if (fold) fold.open = true;
    this.note.textContent = words;
    this.note.scrollIntoView({ block: "nearest" });
  }

  async #send(file) {
    if (this.#busy) return;
    this.#busy = true;
    this.setAttribute("aria-busy", "true");
    this.#say(this.dataset.textSending);
    try {
      const body = new FormData(this.form);
      body.delete("photo");
      // What this browser cannot read goes as it is: the server says in words what it thinks of it.
      body.append("photo", await shrink(file).catch(() => file), "photo");
      const response = await fetch(this.form.action, { method: "POST", body, headers: { "X-Part": "photo" } });
      const told = await response.text();
      if (response.ok) location.assign(JSON.parse(told).address);
      else this.#refuse(told);
    } catch {
      this.#refuse(this.dataset.textOffline);
    }
  }

  #refuse(told) {
    try {
      told = JSON.parse(told).message;
    } catch {
      // A limit's answer is text.
    }
    this.#say(told);
    this.#busy = false;
    this.removeAttribute("aria-busy");
    this.form.reset();
  }
}

/** <aspect-weights>: what is moved is the person's own; until then the sliders follow what the page chose. */
class AspectWeights extends HTMLElement {
  connectedCallback() {
    this.own = this.querySelector("input[name=own]");
    if (matchMedia("(width >= 900px)").matches) this.querySelector("details").open = true;
    this.addEventListener("input", (event) => {
      if (event.target.type !== "range") return;
      this.own.checked = true;
      this.#say(event.target);
    });
    this.querySelector("[data-back]")?.addEventListener("click", (event) => {
      event.preventDefault();
      this.own.checked = false;
      this.own.dispatchEvent(new Event("input", { bubbles: true }));
      this.own.focus();
    });
  }

  /** The weights that the page chose, by the sliders' names. */
  follow(chosen) {
    if (this.own.checked) return;
    for (const slider of this.querySelectorAll("[type=range]")) {
      if (!(slider.name in chosen)) continue;
      slider.value = chosen[slider.name];
      this.#say(slider);
    }
  }

  #say(slider) {
    slider.closest(".weight").querySelector("output").textContent = slider.value;
  }
}

// What the answer does not depend on is left out of its address, and so is the button that was pressed: the fields
// and the check box say the same.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt.id !== "wishes") return;
  const own = detail.elt.querySelector("input[name=own]")?.checked;
  for (const name of Object.keys(detail.parameters)) {
    const idle = detail.parameters[name] === "" || name === "region" || (!own && (name === "own" || name.startsWith("w-")));
    if (idle) delete detail.parameters[name];
  }
});

// To come back from keeping a photo longer is to come back to what is asked by now.
document.addEventListener("submit", ({ target }) => {
  const here = target.querySelector("[data-here]");
  if (here) here.value = location.pathname + location.search;
});

// Moving a slider, or a crop by keys, on and on is one step for the back button.
let moved = null; // what the last address moved
document.addEventListener("htmx:beforeHistoryUpdate", ({ detail }) => {
  const field = detail.requestConfig.triggeringEvent?.target;
  const now = field?.type === "range" ? field.name : field?.closest?.("crop-box[data-steps]") ? "crop" : null;
  if (now && now === moved) detail.history.type = "replace";
  moved = now;
});

// Whoever pressed something that the answer took away goes on at the answer, and hears it.
let isTaken = false;
document.addEventListener("htmx:beforeSwap", ({ detail }) => (isTaken = detail.target.contains(document.activeElement)));
document.addEventListener("htmx:afterSettle", () => {
  const [answer, said] = ["answer", "search-said"].map((id) => document.getElementById(id));
  if (isTaken && document.activeElement === document.body) answer?.focus({ preventScroll: true });
  if (said && !said.textContent) said.textContent = answer.dataset.said;
  const chosen = document.querySelector("#answer [data-weights]");
  if (chosen) document.querySelector("aspect-weights")?.follow(JSON.parse(chosen.dataset.weights));
});

for (const failed of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failed, () => {
    const note = document.getElementById("search-note");
    if (note) note.textContent = note.dataset.textOffline;
  });
}
document.addEventListener("htmx:beforeRequest", () => {
  const note = document.getElementById("search-note");
  if (note) note.textContent = "";
});
// Whoever goes back twice at once, or while an answer is on its way, sees the page that they went to last.
let restoring = null;
document.addEventListener("htmx:historyCacheMiss", ({ detail }) => {
  restoring?.abort();
  restoring = detail.xhr;
  document.getElementById("wishes")?.dispatchEvent(new CustomEvent("htmx:abort", { bubbles: true, detail: {} }));
});
// A page that was left may be gone meanwhile: then the server says so.
document.addEventListener("htmx:historyCacheMissLoadError", () => location.reload());

customElements.define("photo-form", PhotoForm);
customElements.define("aspect-weights", AspectWeights);
