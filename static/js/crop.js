// <crop-box>: which part of a photo is meant, by the proposals, by dragging, by arrow keys or by numbers.
// Four number fields hold the answer, in percent of the photo; without this module they do it, and the proposals' buttons.

const STILL = 1.5; // percent: a pointer that moved less has pressed, not dragged
const REACH = 22; // pixels around a corner
const WHOLE = [0, 0, 100, 100];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const holds = ([left, top, width, height], [x, y]) => x >= left && x <= left + width && y >= top && y <= top + height;

function place(element, area) {
  for (const [side, value] of ["left", "top", "width", "height"].map((name, at) => [name, area[at]])) element.style[side] = `${value}%`;
}

/** The part between two corners, in whole percent, inside the photo and never too small to see. */
function span(least, x0, y0, x1, y1) {
  const [left, top] = [Math.min(x0, x1), Math.min(y0, y1)].map((value, at) => clamp(Math.round(value), 0, 100 - least[at]));
  return [left, top, ...[Math.max(x0, x1) - left, Math.max(y0, y1) - top].map((size, at) => clamp(Math.round(size), least[at], 100 - [left, top][at]))];
}

/** The same part elsewhere, inside the photo. */
function shift([left, top, width, height], x, y) {
  return [clamp(Math.round(left + x), 0, 100 - width), clamp(Math.round(top + y), 0, 100 - height), width, height];
}

class CropBox extends HTMLElement {
  #drag = null; // where it began, what was chosen then, what is held and where that is by now

  #following = new Set(); // fields that nobody filled, which say the rest of the photo

  connectedCallback() {
    this.stage = this.querySelector(".crop-photo");
    this.frame = this.querySelector(".crop-frame");
    this.fields = ["left", "top", "width", "height"].map((name) => this.querySelector(`[name=${name}]`));
    this.least = this.fields.slice(2).map((field) => Number(field.min)); // percent across and down: less shows nothing
    this.parts = [...this.querySelectorAll("button[data-area]")];
    this.boxes = [...this.stage.querySelectorAll("[data-area]")]; // the same on the photo, for pointers alone
    for (const box of this.boxes) place(box, this.#read(box));
    for (const hidden of this.querySelectorAll("[data-crop-only]")) hidden.hidden = false;
    this.addEventListener("click", (event) => this.#click(event));
    this.addEventListener("input", (event) => this.#type(event));
    this.addEventListener("change", () => this.#settle());
    this.frame.addEventListener("keydown", (event) => this.#press(event));
    this.stage.addEventListener("pointerdown", (event) => this.#grasp(event));
    this.stage.addEventListener("pointermove", (event) => this.#pull(event));
    this.stage.addEventListener("pointerup", (event) => this.#release(event));
    for (const lost of ["pointercancel", "lostpointercapture"]) this.stage.addEventListener(lost, () => this.#forget());
    this.stage.addEventListener("dragstart", (event) => event.preventDefault());
    this.#show();
  }

  get area() {
    const given = this.fields.map((field) => field.valueAsNumber);
    return given.some(Number.isNaN) ? WHOLE : given;
  }

  /** Choose a part and search by it, maybe as one of many small steps; the whole photo leaves the fields empty, and the address short. */
  choose(area, isStep = false) {
    this.toggleAttribute("data-steps", isStep);
    const whole = area.every((value, at) => value === WHOLE[at]);
    this.#following.clear();
    this.fields.forEach((field, at) => (field.value = whole ? "" : area[at]));
    this.fields[0].dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Whether the fields say a part of the photo, or nothing at all, which is all of it. */
  #isCrop() {
    const [left, top, width, height] = this.fields.map((field) => field.valueAsNumber);
    const isPart = this.fields.every((field) => Number.isInteger(field.valueAsNumber) && field.valueAsNumber >= field.min);
    return (isPart && left + width <= 100 && top + height <= 100) || this.fields.every((field) => field.value === "");
  }

  /** What is left of the photo from where a crop begins. */
  #rest(at) {
    return at < 2 ? 0 : 100 - (this.fields[at - 2].valueAsNumber || 0);
  }

  /** A number is typed: the empty ones follow from the whole photo; what is no crop yet is not searched with. */
  #type(event) {
    const field = event.target;
    const isEmpty = field.value === "";
    if (event.isTrusted) this.toggleAttribute("data-steps", true);
    this.#following.delete(field);
    if (isEmpty && this.#following.size === 3) {
      for (const other of this.#following) other.value = "";
      this.#following.clear();
    }
    for (const other of this.fields) if (!isEmpty && other.value === "") this.#following.add(other);
    this.fields.forEach((other, at) => this.#following.has(other) && (other.value = this.#rest(at)));
    if (this.#isCrop()) this.#show();
    else event.stopPropagation();
  }

  /** What was typed and is no crop becomes the nearest one. */
  #settle() {
    if (this.#isCrop()) return;
    const given = this.fields.map((field, at) => (Number.isNaN(field.valueAsNumber) ? this.#rest(at) : Math.round(field.valueAsNumber)));
    const begin = given.slice(0, 2).map((value, at) => clamp(value, 0, 100 - this.least[at]));
    this.choose([...begin, ...given.slice(2).map((value, at) => clamp(value, this.least[at], 100 - begin[at]))], true);
  }

  #read(box) {
    return box.dataset.area.split(",").map(Number);
  }

  #show() {
    const area = this.area;
    const whole = area.join() === WHOLE.join();
    this.frame.hidden = whole && document.activeElement !== this.frame;
    place(this.frame, area);
    for (const part of this.parts) part.setAttribute("aria-pressed", this.#read(part).join() === area.join());
  }

  #click(event) {
    const part = event.target.closest("button[data-area]");
    if (part) {
      event.preventDefault(); // it would send the form
      this.choose(this.#read(part));
    } else if (event.target.closest("[data-by-hand]")) {
      this.choose(this.area.join() === WHOLE.join() ? [15, 15, 70, 70] : this.area);
      this.frame.focus();
    }
  }

  #press(event) {
    const arrow = ARROWS[event.key];
    if (!arrow || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const [left, top, width, height] = this.area;
    const [x, y] = arrow.map((step) => 2 * step);
    if (event.shiftKey) this.choose([left, top, clamp(width + x, this.least[0], 100 - left), clamp(height + y, this.least[1], 100 - top)], true);
    else this.choose(shift(this.area, x, y), true);
  }

  /** Where a pointer is, in percent of the photo. */
  #locate(event) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    return [(100 * (event.clientX - left)) / width, (100 * (event.clientY - top)) / height].map((value) => clamp(value, 0, 100));
  }

  /** The corner of the frame that a pointer is at, "inside" of it, or nothing. */
  #hold(event) {
    if (this.frame.hidden) return null;
    const { left, top, right, bottom } = this.frame.getBoundingClientRect();
    const [x, y] = [event.clientX, event.clientY];
    for (const corner of ["nw", "ne", "sw", "se"]) {
      const apart = Math.hypot(x - (corner.includes("w") ? left : right), y - (corner.includes("n") ? top : bottom));
      if (apart <= REACH) return corner;
    }
    return x >= left && x <= right && y >= top && y <= bottom ? "inside" : null;
  }

  #grasp(event) {
    if (event.button !== 0 || this.#drag) return;
    const held = this.#hold(event);
    // A finger elsewhere may only press: it scrolls the page.
    const mayDrag = event.pointerType !== "touch" || held !== null;
    this.#drag = { begin: this.#locate(event), area: this.area, held, mayDrag, moved: null };
    if (mayDrag) this.stage.setPointerCapture(event.pointerId);
  }

  #pull(event) {
    if (!this.#drag?.mayDrag) return;
    const { begin, area, held, moved } = this.#drag;
    const [x, y] = this.#locate(event);
    if (!moved && Math.hypot(x - begin[0], y - begin[1]) < STILL) return;
    const [left, top, width, height] = area;
    if (held === null) this.#drag.moved = span(this.least, ...begin, x, y);
    else if (held === "inside") this.#drag.moved = shift(area, x - begin[0], y - begin[1]);
    else this.#drag.moved = span(this.least, held.includes("w") ? left + width : left, held.includes("n") ? top + height : top, x, y);
    this.frame.hidden = false;
    place(this.frame, this.#drag.moved);
  }

  #release(event) {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag) return;
    if (drag.moved) this.choose(drag.moved);
    else this.#pick(this.#locate(event));
  }

  /** A press: the smallest proposal there, or of several the next larger one at each further press. */
  #pick(point) {
    const size = ([, , width, height]) => width * height;
    const under = this.boxes.map((box) => this.#read(box)).filter((area) => holds(area, point)).sort((one, other) => size(one) - size(other));
    const at = under.findIndex((area) => area.join() === this.area.join());
    if (under.length && !(under.length === 1 && at === 0)) this.choose(under[(at + 1) % under.length]);
  }

  #forget() {
    if (!this.#drag) return;
    this.#drag = null;
    this.#show();
  }
}

customElements.define("crop-box", CropBox);
