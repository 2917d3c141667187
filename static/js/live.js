// <live-topic topic url [ask|reload]>: fetches its fragment again when the topic's revision rises.
// One socket per page; where sockets are refused, a poll every 15 s.

const POLL_MS = 15_000;
const MIN_GAP_MS = 500;
const REFUSALS = 3;

class Feed {
  #listeners = new Map(); // topic -> Set of elements
  #socket = null;
  #attempt = 0;
  #refused = 0;
  #poll = 0;
  #planned = 0;

  join(topic, element) {
    if (!this.#listeners.has(topic)) this.#listeners.set(topic, new Set());
    this.#listeners.get(topic).add(element);
    clearTimeout(this.#planned);
    this.#planned = setTimeout(() => this.#open(), 0); // once for all elements of the page
  }

  leave(topic, element) {
    this.#listeners.get(topic)?.delete(element);
  }

  #open() {
    if (this.#socket || this.#poll) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const topics = [...this.#listeners.keys()].sort().join(",");
    const socket = new WebSocket(`${scheme}//${location.host}/ws/live/?topics=${encodeURIComponent(topics)}`);
    let opened = false;
    this.#socket = socket;
    socket.addEventListener("open", () => {
      opened = true;
      if (this.#attempt > 0) this.#tellAll(); // what happened while the line was down
      this.#attempt = 0;
      this.#refused = 0;
    });
    socket.addEventListener("message", (event) => {
      const { topic, revision } = JSON.parse(event.data);
      for (const element of this.#listeners.get(topic) ?? []) element.hear(revision);
    });
    socket.addEventListener("close", () => {
      this.#socket = null;
      if (!opened && navigator.onLine) this.#refused += 1;
      if (this.#refused >= REFUSALS) this.#poll = setInterval(() => this.#tellAll(), POLL_MS);
      else setTimeout(() => this.#open(), Math.min(30_000, 500 * 2 ** this.#attempt++) * (0.5 + Math.random()));
    });
  }

  #tellAll() {
    if (document.visibilityState === "hidden") return;
    for (const elements of this.#listeners.values()) for (const element of elements) element.hear(null);
  }
}

const feed = new Feed();

class LiveTopic extends HTMLElement {
  #revision = null;
  #missed = 0;
  #timer = 0;
  #body = null;

  connectedCallback() {
    feed.join(this.getAttribute("topic"), this);
  }

  disconnectedCallback() {
    feed.leave(this.getAttribute("topic"), this);
    clearTimeout(this.#timer);
  }

  /** A new revision was announced; null: unknown, look. The first announcement only sets the mark. */
  hear(revision) {
    if (revision !== null) {
      const first = this.#revision === null;
      const known = Number(this.querySelector("[data-revision]")?.dataset.revision ?? NaN);
      const before = this.#revision ?? (Number.isNaN(known) ? revision : known);
      this.#revision = revision;
      if (revision <= before && (first || revision === before)) return;
    }
    this.#missed += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#compare(), MIN_GAP_MS);
  }

  async #compare() {
    if (document.visibilityState === "hidden") {
      document.addEventListener("visibilitychange", () => this.#compare(), { once: true });
      return;
    }
    if (this.hasAttribute("reload")) return location.reload();
    const body = await this.#fetch();
    if (body === null || body === this.#body) return;
    if (this.#body === null && body === this.innerHTML) return;
    this.#body = body;
    if (this.hasAttribute("ask")) this.#offer(body);
    else this.#swap(body);
  }

  async #fetch() {
    try {
      const response = await fetch(this.getAttribute("url"), { headers: { Accept: "text/html" }, credentials: "same-origin" });
      return response.ok ? await response.text() : null;
    } catch {
      return null; // the next revision, or the next poll, tries again
    }
  }

  #offer(body) {
    let pill = this.previousElementSibling;
    if (!pill?.classList.contains("refresh-pill")) {
      pill = document.createElement("button");
      pill.type = "button";
      pill.className = "button primary small refresh-pill";
      this.before(pill);
      this.querySelector("[data-live-status]")?.remove();
    }
    const pattern = this.#missed === 1 ? this.dataset.textOne : this.dataset.textMany;
    pill.textContent = (pattern ?? "{count}").replace("{count}", this.#missed);
    pill.onclick = () => {
      pill.remove();
      this.#missed = 0;
      this.#swap(body);
      this.tabIndex = -1;
      this.focus({ preventScroll: true });
    };
  }

  #swap(body) {
    const focused = this.contains(document.activeElement) ? document.activeElement.id : "";
    const open = new Set([...this.querySelectorAll("details[open][id]")].map((element) => element.id));
    this.innerHTML = body;
    for (const id of open) this.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
}

customElements.define("live-topic", LiveTopic);
