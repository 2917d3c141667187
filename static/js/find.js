// The navigation game: sends the page's own forms without leaving the page, and adds keys.
// Without it the same forms work by themselves.
import { backoffMs } from "wire";

const PATIENCE_MS = 20_000;
const PICTURES_MS = 1500;
// A finger's two taps within this time are one double tap (Android), and nobody has seen a slate so soon.
const ARRIVING_MS = 300;

class FindGame extends HTMLElement {
  #shownAt = null; // performance.now() once all pictures of the slate are decoded
  #modality = "mouse";
  #sending = false;
  #stray = false; // the pointer went down before what lies under it now could have been meant
  #resting = null;

  connectedCallback() {
    this.changing = this.querySelector("[data-part]");
    this.note = this.querySelector(".find-note [role=status]");
    this.addEventListener("submit", (event) => this.#submit(event));
    this.addEventListener("click", (event) => this.#click(event));
    this.addEventListener("keydown", (event) => this.#press(event));
    this.addEventListener("pointerdown", (event) => {
      this.#modality = event.pointerType === "touch" ? "touch" : "mouse";
      this.#stray = this.#sending || this.changing.hasAttribute("data-arriving");
    });
    this.addEventListener("mousedown", (event) => {
      if (this.#stray) event.preventDefault(); // the focus stays, or keys would be lost
    });
    this.#arrive();
  }

  get #tiles() {
    return [...this.querySelectorAll(".find-slate [name=pick]")];
  }

  /** A new slate, or the end, is on the page. */
  #arrive() {
    this.#shownAt = null;
    this.#rest();
    for (const button of this.querySelectorAll("[data-share]")) button.hidden = false;
    const slate = this.querySelector(".find-slate");
    (slate ?? this.querySelector("h1[tabindex]"))?.focus({ preventScroll: Boolean(slate) });
    if (!slate) return;
    const pictures = this.#tiles.map((tile) => tile.querySelector("img"));
    const ready = pictures.map((picture) => picture.decode());
    Promise.all(ready).then(
      () => {
        if (pictures[0].isConnected) this.#shownAt = performance.now();
      },
      () => {}, // a picture that did not load: the move counts, its time is not known
    );
  }

  /** Pointers rest for a moment: what was meant for the slate before must not answer this one. */
  #rest() {
    clearTimeout(this.#resting);
    this.changing.setAttribute("data-arriving", "");
    this.#resting = setTimeout(() => this.changing.removeAttribute("data-arriving"), ARRIVING_MS);
  }

  #press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !this.querySelector("[data-moves]")) return;
    this.#modality = "key";
    const tiles = this.#tiles;
    if (event.repeat && /^([0-8?u]|Enter)$/.test(event.key)) event.preventDefault(); // held down, it answers once
    else if (/^[1-8]$/.test(event.key) && tiles[event.key - 1]) tiles[event.key - 1].click();
    else if (event.key === "0" || event.key === "?") this.querySelector("[name=kind][value=unsure]").click();
    else if (event.key === "u") this.querySelector("[name=kind][value=undo]").click();
    else if (!this.#walk(event.key, tiles)) return;
    event.preventDefault();
  }

  /** Arrow keys move the focus over the tiles as they lie on the screen. */
  #walk(key, tiles) {
    const columns = tiles.filter((tile) => tile.getBoundingClientRect().top === tiles[0].getBoundingClientRect().top).length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
    if (!step) return false;
    const at = tiles.indexOf(document.activeElement);
    const inside = this.querySelector(".find-slate").contains(document.activeElement);
    if (!inside) return false;
    tiles[at < 0 ? 0 : Math.min(tiles.length - 1, Math.max(0, at + step))].focus();
    return true;
  }

  async #submit(event) {
    event.preventDefault();
    if (this.#sending) return;
    const form = event.target;
    const body = new FormData(form, event.submitter);
    body.set("modality", this.#modality);
    if (this.#shownAt !== null) body.set("dwell_ms", Math.round(performance.now() - this.#shownAt));
    this.#sending = true;
    form.setAttribute("aria-busy", "true");
    try {
      await this.#send(form.action, body);
    } finally {
      this.#sending = false;
      form.removeAttribute("aria-busy");
    }
  }

  /** The same move may be sent again and again: it counts once. */
  async #send(address, body) {
    for (let attempt = 0; ; attempt += 1) {
      const response = await this.#post(address, body);
      const retry = !response || response.status === 429 || response.status >= 500;
      if (retry) {
        this.note.textContent = response ? this.dataset.textBusy : this.dataset.textWaiting;
        const asked = Number(response?.headers.get("Retry-After")) || null;
        await new Promise((done) => setTimeout(done, backoffMs(attempt, asked)));
        continue;
      }
      const text = await response.text().catch(() => null);
      if (text === null) continue; // the answer was cut off
      if (response.headers.get("Content-Type").startsWith("application/json")) {
        this.note.textContent = JSON.parse(text).message;
        return;
      }
      const next = document.createElement("template");
      next.innerHTML = text;
      await this.#fetch(next.content.querySelectorAll(".find-slate img"));
      this.note.textContent = "";
      this.changing.replaceChildren(next.content);
      this.#arrive();
      return;
    }
  }

  /** Fetches pictures before they are shown, so that a slate does not arrive empty; not for ever. */
  #fetch(pictures) {
    const fetched = [...pictures].map((picture) => {
      const image = new Image();
      image.src = picture.getAttribute("src");
      return image.decode().catch(() => {});
    });
    return Promise.race([Promise.all(fetched), new Promise((done) => setTimeout(done, PICTURES_MS))]);
  }

  async #post(address, body) {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const headers = { "X-Part": "game" };
    return fetch(address, { method: "POST", body: new URLSearchParams(body), headers, signal }).catch(() => null);
  }

  #click(event) {
    // The second half of a double click would answer the slate that the first one led to; a mouse's may come late.
    const second = event.detail > 1 && this.#modality === "mouse" && event.target.closest("[data-moves] button");
    const stray = event.detail > 0 && this.#stray && event.target.closest("[data-part] :is(a, button)"); // 0: no pointer's
    if (second || stray) event.preventDefault();
    else if (event.target.closest("[data-share]")) this.#share();
  }

  async #share() {
    const text = this.querySelector(".find-share").value;
    try {
      if (this.#modality === "touch" && navigator.share) await navigator.share({ text });
      else {
        await navigator.clipboard.writeText(text);
        this.note.textContent = this.dataset.textCopied;
      }
    } catch {
      this.querySelector(".find-share").select(); // declined, or not permitted: the text can be copied by hand
    }
  }
}

customElements.define("find-game", FindGame);
