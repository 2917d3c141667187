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
  #revision = null; // the newest one heard of
  #timer = 0;
  #stale = false; // something changed while nobody looked

  connectedCallback() {
    document.addEventListener("visibilitychange", this.#look);
    feed.join(this.getAttribute("topic"), this);
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#look);
    feed.leave(this.getAttribute("topic"), this);
    clearTimeout(this.#timer);
  }

  #look = () => {
    if (this.#stale && document.visibilityState === "visible") this.#react();
  };

  /** The revision that the fragment on the page was made from, where it says so. */
  get #shown() {
    const stated = this.querySelector("[data-revision]")?.dataset.revision;
    return stated === undefined ? null : Number(stated);
  }

  /** A revision was announced; null: unknown, look. */
  hear(revision) {
    const newest = this.#revision ?? this.#shown;
    if (revision !== null && newest !== null && revision <= newest) return;
    this.#revision = revision;
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      this.#react();
    }, MIN_GAP_MS);
  }

  async #react() {
    if (document.visibilityState === "hidden") {
      this.#stale = true;
      return;
    }
    this.#stale = false;
    if (this.hasAttribute("ask")) return this.#ask();
    const body = await this.#fetch();
    if (body === null) return;
    if (!this.hasAttribute("reload")) this.#swap(body);
    else if (!body.includes("data-preparing")) location.reload();
  }

  async #ask() {
    if (this.#revision === null) {
      const stated = /data-revision="(\d+)"/.exec((await this.#fetch()) ?? "");
      if (stated) this.#revision = Number(stated[1]);
    }
    const missed = this.#revision === null || this.#shown === null ? 0 : this.#revision - this.#shown;
    if (missed > 0) this.#offer(missed);
  }

  async #fetch() {
    try {
      const response = await fetch(this.getAttribute("url"), { headers: { Accept: "text/html" }, credentials: "same-origin" });
      // Whoever is signed out meanwhile is sent to sign in: that page is no fragment.
      if (response.redirected && !this.hasAttribute("reload")) return null;
      return response.ok ? await response.text() : null;
    } catch {
      return null; // the next revision, or the next poll, tries again
    }
  }

  #offer(missed) {
    let pill = this.previousElementSibling;
    if (!pill?.classList.contains("refresh-pill")) {
      pill = document.createElement("button");
      pill.type = "button";
      pill.className = "button primary small refresh-pill";
      pill.addEventListener("click", () => this.#refresh(pill));
      this.before(pill);
    }
    const pattern = missed === 1 ? this.dataset.textOne : this.dataset.textMany;
    pill.textContent = pattern.replace("{count}", missed);
  }

  async #refresh(pill) {
    const body = await this.#fetch();
    if (body === null) return;
    this.#swap(body);
    this.tabIndex = -1;
    this.focus({ preventScroll: true });
    pill.remove();
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
