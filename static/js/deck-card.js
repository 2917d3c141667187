// One pair on the stack: its pictures, when they became visible, and how it leaves.

const EXIT_MS = 240;
const FADE_MS = 120;
const EASE = "cubic-bezier(.2,.7,.3,1)";
const LABELS = { question: "Looking for", candidate: "Found" };

export class Card {
  #shownAt = null; // performance.now() while both pictures are decoded, on top and on a visible page
  #seenMs = 0;
  ready = false;
  broken = false;

  constructor(deal, template, size, urgent = false) {
    this.deal = deal;
    this.element = document.importNode(template.content, true).firstElementChild; // a template's own document loads no pictures
    this.element.setAttribute("aria-label", `Pair ${deal.place} of ${size}`);
    const order = deal.side === "candidate-first" ? ["candidate", "question"] : ["question", "candidate"];
    this.images = order.map((name, at) => {
      const figure = this.element.querySelector(`[data-role="${at === 0 ? "first" : "second"}"]`);
      figure.querySelector("figcaption").textContent = LABELS[name];
      const image = figure.querySelector("img");
      const picture = deal[name];
      image.width = picture.width;
      image.height = picture.height;
      image.alt = picture.alt;
      image.fetchPriority = urgent ? "high" : "low"; // what the player waits for comes first
      image.dataset.source = picture.image;
      return image;
    });
  }

  /** Resolves once both pictures are decoded (true) or one of them failed (false). */
  async load() {
    this.broken = false;
    try {
      await Promise.all(
        this.images.map((image) => {
          image.src = image.dataset.source;
          return image.decode();
        }),
      );
    } catch {
      this.broken = true;
      return false;
    }
    this.ready = true;
    this.element.dataset.ready = "";
    return true;
  }

  /** The clock of "time since both pictures were decoded" runs while the player can see them. */
  look(visible) {
    const now = performance.now();
    if (visible && this.ready) this.#shownAt ??= now;
    else if (this.#shownAt !== null) {
      this.#seenMs += now - this.#shownAt;
      this.#shownAt = null;
    }
  }

  get dwellMs() {
    const running = this.#shownAt === null ? 0 : performance.now() - this.#shownAt;
    return Math.round(this.#seenMs + running);
  }

  move(dx, dy, width) {
    const tilt = (dx / width) * 12;
    this.element.style.transform = `translate3d(${dx}px, ${dy * 0.25}px, 0) rotate(${tilt}deg)`;
    const pull = Math.min(1, Math.abs(dx) / (width * 0.28));
    this.element.querySelector(".stamp.dope").style.opacity = dx > 0 ? pull : 0;
    this.element.querySelector(".stamp.nope").style.opacity = dx < 0 ? pull : 0;
  }

  settle() {
    this.element.style.transform = "";
    for (const stamp of this.element.querySelectorAll(".stamp")) stamp.style.opacity = "";
  }

  async leave(answer, calm) {
    const element = this.element;
    element.inert = true;
    element.dataset.depth = "away";
    const stamp = element.querySelector(`.stamp.${answer}`);
    if (stamp) stamp.style.opacity = 1;
    const from = element.style.transform || "none";
    const away = {
      dope: "translate3d(120vw, -4vh, 0) rotate(16deg)",
      nope: "translate3d(-120vw, -4vh, 0) rotate(-16deg)",
      skip: "translate3d(0, 60vh, 0) scale(.9)",
    }[answer];
    const frames = calm ? [{ opacity: 1 }, { opacity: 0 }] : [{ transform: from, opacity: 1 }, { transform: away, opacity: 0.4 }];
    await element.animate(frames, { duration: calm ? FADE_MS : EXIT_MS, easing: EASE, fill: "forwards" }).finished.catch(() => {});
    element.remove();
  }

  async arriveFrom(answer, calm) {
    const start = { dope: "translate3d(120vw,0,0) rotate(12deg)", nope: "translate3d(-120vw,0,0) rotate(-12deg)", skip: "translate3d(0,60vh,0)" }[answer];
    const frames = calm ? [{ opacity: 0 }, { opacity: 1 }] : [{ transform: start, opacity: 0.4 }, { transform: "none", opacity: 1 }];
    await this.element.animate(frames, { duration: calm ? FADE_MS : 180, easing: EASE }).finished.catch(() => {});
  }
}
