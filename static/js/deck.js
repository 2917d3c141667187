// <swipe-deck>: deals pairs, takes votes by drag, button or key, and ends a round.
import { Card } from "deck-card";
import { enableDrag } from "deck-drag";
import { Notes } from "deck-notes";
import { Outbox } from "deck-outbox";
import { Supply } from "deck-supply";
import { postJson } from "wire";

const KEYS = { ArrowLeft: "nope", ArrowRight: "dope", ArrowDown: "skip", Backspace: "undo" };
const RECENT = 6;
const REVEAL_MS = 1100;

class SwipeDeck extends HTMLElement {
  #cards = [];
  #last = null; // {card, answer}: the vote that undo would take back
  #spent = 0; // places the server knows to be spent in this round
  #streak = 0;
  #known = false;
  #panel = null;
  #panelName = null;
  #revealTimer = 0;
  #undoing = false;
  #stale = "";

  connectedCallback() {
    if (this.supply) return;
    const { sitting, catalogue, deals, votes, known } = this.dataset;
    this.stack = this.querySelector(".deck-stack");
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.#known = known === "true";
    this.#streak = Number(document.querySelector("[data-streak]")?.textContent ?? 0);
    this.outbox = new Outbox({ url: votes, sitting, persistent: this.#known });
    this.supply = new Supply({
      url: deals,
      sitting,
      catalogue,
      held: () => this.#cards.map((card) => card.deal.id),
      pending: () => this.outbox.deals,
      owed: () => this.supply.size - this.#judged - this.#cards.length,
    });
    this.notes = new Notes(this);
    this.#listen();
    this.#render();
    this.#begin();
  }

  /** Votes kept from an earlier visit leave first, so that the server knows what is judged. */
  async #begin() {
    if (this.outbox.size && navigator.onLine) await this.outbox.hurry();
    this.supply.fill();
  }

  get #judged() {
    return Math.min(this.supply.size, this.#spent + this.outbox.size);
  }

  get #top() {
    return this.#cards[0] ?? null;
  }

  #listen() {
    enableDrag(this.stack, {
      top: () => this.#top,
      decide: (card, answer) => this.#vote(answer, "drag"),
      pull: (answer) => {
        for (const name of ["dope", "nope"]) this.#button(name).toggleAttribute("data-pull", answer === name);
      },
    });
    this.addEventListener("click", (event) => {
      const act = event.target.closest("[data-act]")?.dataset.act;
      if (act) this.#act(act, "button");
    });
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("visibilitychange", () => this.#watch());
    for (const name of ["online", "offline"]) window.addEventListener(name, () => this.#render());
    this.supply.addEventListener("dealt", (event) => this.#take(event.detail));
    this.supply.addEventListener("state", () => this.#render());
    this.outbox.addEventListener("change", () => this.#render());
    this.outbox.addEventListener("settled", (event) => this.#settle(event.detail));
    this.outbox.addEventListener("trouble", (event) => {
      if (event.detail.kind === "busy") this.notes.report(event.detail.message, "textBusy");
    });
    this.outbox.addEventListener("stale", () => {
      this.#stale = this.dataset.textStale;
      this.#render();
    });
    this.outbox.addEventListener("dropped", (event) => {
      const { votes, reason } = event.detail;
      this.#last = null;
      this.notes.say("textDropped", { count: this.notes.counted(votes.length), reason });
      this.supply.fill();
    });
  }

  #key(event) {
    const act = KEYS[event.key];
    if (!act || event.repeat || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("input, select, textarea, [popover], [contenteditable]")) return;
    event.preventDefault();
    this.#act(act, "key");
  }

  #act(act, modality) {
    if (act === "undo") this.#undo();
    else if (act === "reload") location.reload();
    else if (act === "retry") this.#load(this.#top);
    else this.#vote(act, modality);
  }

  #take(reply) {
    const held = new Set(this.#cards.map((card) => card.deal.id));
    this.#spent = Math.max(0, reply.judged);
    for (const deal of reply.deals) {
      if (held.has(deal.id) || this.outbox.has(deal.id)) continue;
      const card = new Card(deal, this.#part("card"), reply.size, this.#cards.length === 0);
      this.#cards.push(card);
      this.#load(card);
    }
    this.#render();
  }

  async #load(card) {
    if (!card) return;
    card.element.querySelector(".broken")?.remove();
    const loaded = await card.load();
    if (!loaded) {
      card.element.append(this.#part("broken").content.cloneNode(true));
      window.addEventListener("online", () => card.broken && this.#load(card), { once: true });
    }
    this.#render();
  }

  #vote(answer, modality) {
    const card = this.#top;
    if (!card || this.#stale || this.#undoing) return;
    if (!card.ready && !(card.broken && answer === "skip")) return;
    const vote = { deal: card.deal.id, answer, dwell_ms: card.dwellMs, modality };
    card.look(false);
    this.#cards.shift();
    this.#last = { card, answer };
    this.#streak += 1;
    this.outbox.add(vote);
    card.leave(answer, this.calm.matches);
    this.#remember(card, answer);
    this.notes.announce("textSaid", { answer: this.#word(answer), place: this.#judged, size: this.supply.size });
    this.#render();
    this.supply.fill();
  }

  async #undo() {
    if (!this.#last || this.#undoing) return;
    const { card, answer } = this.#last;
    clearTimeout(this.#revealTimer);
    this.#revealTimer = 0;
    this.#undoing = true;
    try {
      const deal = await this.#takeBack(card.deal);
      this.#last = null;
      const again = new Card(deal, this.#part("card"), this.supply.size);
      const dealt = this.#cards.find((card) => card.deal.id === deal.id); // meanwhile, with the next pairs
      dealt?.element.remove();
      this.#cards = [again, ...this.#cards.filter((card) => card !== dealt)];
      this.querySelector(".deck-recent").firstElementChild?.remove();
      this.#streak = Math.max(0, this.#streak - 1);
      this.notes.announce("textUndone");
      this.#render();
      again.arriveFrom(answer, this.calm.matches);
      await this.#load(again);
    } catch (error) {
      const offline = error.kind === "offline";
      if (!offline && error.kind !== "busy") this.#last = null;
      if (offline) this.notes.say("textUndoOffline");
      else this.notes.report(error.message, "textUndoFailed");
    } finally {
      this.#undoing = false;
      this.#render();
      this.supply.fill();
    }
  }

  /** The deal to judge again: the same one while its vote has not left, else a new one from the server. */
  async #takeBack(deal) {
    if (this.outbox.retract(deal.id)) return deal;
    if (this.outbox.has(deal.id)) await this.outbox.hurry();
    if (this.outbox.retract(deal.id)) return deal;
    const reply = await postJson(this.dataset.undo, this.dataset.sitting, { deal: deal.id });
    this.#spent = Math.max(0, this.#spent - 1);
    return reply.deal;
  }

  #settle(reply) {
    // Where no vote was this player's there is no round to speak of.
    if (reply.results.some(({ status }) => status !== 404 && status !== 422)) this.#spent = reply.judged;
    this.#streak = reply.streak + this.outbox.size;
    if (!this.#known && reply.results.some((result) => result.status === 200)) {
      this.#known = true;
      import("worker").then(({ enableOfflinePage }) => enableOfflinePage());
    }
    if (!this.#undoing) this.supply.fill();
  }

  // Screen ------------------------------------------------------------------------------------------------

  #render() {
    const top = this.#top;
    this.#cards.slice(0, 3).forEach((card, depth) => {
      card.element.dataset.depth = depth;
      card.element.inert = depth > 0;
      card.element.setAttribute("aria-hidden", depth > 0 ? "true" : "false");
      if (!card.element.isConnected) this.stack.append(card.element);
    });
    this.#watch();
    const votable = Boolean(top?.ready) && !this.#stale;
    for (const name of ["dope", "nope"]) this.#enable(name, votable);
    this.#enable("skip", votable || Boolean(top?.broken));
    this.#enable("undo", Boolean(this.#last) && !this.#stale);
    this.#drawProgress();
    this.#show(this.#pickPanel());
    this.notes.stand({
      offline: !navigator.onLine || this.supply.state === "offline",
      kept: this.outbox.size,
      pairs: Boolean(this.#top),
    });
  }

  #watch() {
    this.#cards.forEach((card, depth) => card.look(depth === 0 && document.visibilityState === "visible"));
  }

  #pickPanel() {
    if (this.#stale || this.supply.state === "refused") return "failed";
    if (this.#top) return null;
    const finished = this.#judged >= this.supply.size || (this.supply.exhausted && this.#judged > 0);
    if (this.supply.round !== null && finished && !this.#undoing) {
      if (this.outbox.size === 0) this.#reveal();
      return this.outbox.size > 0 && !navigator.onLine ? "held" : "done";
    }
    if (this.supply.exhausted) return "exhausted";
    return { offline: "waiting", busy: "busy" }[this.supply.state] ?? "loading";
  }

  /** A short pause lets the last vote be taken back; then the results open. */
  #reveal() {
    this.#revealTimer ||= setTimeout(() => {
      location.assign(`${this.dataset.rounds}${this.supply.round}/`);
    }, REVEAL_MS);
  }

  #show(name) {
    if (name === this.#panelName) return;
    this.#panelName = name;
    this.#panel?.remove();
    this.#panel = null;
    if (!name) return;
    this.#panel = this.#part(name).content.firstElementChild.cloneNode(true);
    const message = this.#panel.querySelector("[data-message]");
    if (message) message.textContent = this.#stale || this.supply.message;
    this.stack.prepend(this.#panel);
  }

  #drawProgress() {
    const ticks = document.querySelector(".ticks");
    if (!ticks) return;
    while (ticks.childElementCount < this.supply.size) ticks.append(document.createElement("i"));
    while (ticks.childElementCount > this.supply.size) ticks.lastElementChild.remove(); // the pairs ran out
    [...ticks.children].forEach((tick, place) => tick.toggleAttribute("data-spent", place < this.#judged));
    ticks.setAttribute("aria-valuemax", this.supply.size);
    ticks.setAttribute("aria-valuenow", this.#judged);
    document.querySelector("[data-streak]").textContent = this.#streak;
  }

  #remember(card, answer) {
    const list = this.querySelector(".deck-recent");
    const item = document.importNode(this.#part("recent").content, true).firstElementChild;
    item.dataset.answer = answer;
    item.querySelectorAll("img").forEach((image, at) => (image.src = card.images[at].src));
    item.querySelector("[data-mark]").append(this.#part(`icon-${answer}`).content.cloneNode(true));
    list.prepend(item);
    while (list.childElementCount > RECENT) list.lastElementChild.remove();
  }

  #word(answer) {
    return { dope: this.dataset.textDope, nope: this.dataset.textNope, skip: this.dataset.textSkip }[answer];
  }

  #part(name) {
    return this.querySelector(`template[data-part="${name}"]`);
  }

  #button(name) {
    return this.querySelector(`.deck-actions [data-act="${name}"]`);
  }

  #enable(name, on) {
    this.#button(name).setAttribute("aria-disabled", String(!on));
  }
}

customElements.define("swipe-deck", SwipeDeck);
