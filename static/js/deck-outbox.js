// Votes on their way: kept until the server has answered for each, sent in batches, never twice counted
// (a deal is single-use, so a repeated vote gets the same answer).
import { WireError, backoffMs, postJson } from "wire";

const KEY = "dopeornope.vote."; // one entry per vote: tabs of one browser never overwrite each other's
const PAUSE_MS = 600;
const BATCH = 50;

/** Events: "change"; "settled" {results, judged, streak}; "dropped" {votes, reason}; "stale";
    "trouble" {kind, message}, in the server's words where it said to wait. */
export class Outbox extends EventTarget {
  #url;
  #sitting;
  #votes = new Map(); // deal id -> vote, in order of judging
  #inFlight = new Set();
  #sent = new Set(); // deals whose vote may have arrived, answered or not
  #flight = null;
  #timer = 0;
  #attempt = 0;
  #persistent;

  constructor({ url, sitting, persistent }) {
    super();
    this.#url = url;
    this.#sitting = sitting;
    this.#persistent = persistent;
    if (persistent) for (const vote of readStore()) this.#votes.set(vote.deal, vote);
    window.addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.#farewell();
      else this.hurry();
    });
    window.addEventListener("pagehide", () => this.#farewell());
  }

  get size() {
    return this.#votes.size;
  }

  get deals() {
    return [...this.#votes.keys()];
  }

  add(vote) {
    this.#votes.set(vote.deal, vote);
    this.#keep(vote);
    this.#plan(PAUSE_MS);
    this.#tell("change");
  }

  /** Takes an unsent vote back and returns it; null when it may have arrived: then only the server can. */
  retract(deal) {
    const vote = this.#votes.get(deal);
    if (!vote || this.#inFlight.has(deal) || this.#sent.has(deal)) return null;
    this.#drop(deal);
    this.#tell("change");
    return vote;
  }

  has(deal) {
    return this.#votes.has(deal);
  }

  /** Sends what waits now; resolves when that attempt has ended, well or not. */
  async hurry() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.#flight) await this.#flight;
    if (!this.#votes.size) return;
    this.#flight = this.#send().finally(() => (this.#flight = null));
    await this.#flight;
  }

  #plan(delay) {
    if (this.#timer || this.#flight) return;
    this.#timer = setTimeout(() => this.hurry(), delay);
  }

  async #send() {
    const votes = [...this.#votes.values()].slice(0, BATCH);
    for (const vote of votes) this.#inFlight.add(vote.deal);
    this.#mark(votes);
    let delay = PAUSE_MS;
    try {
      const reply = await postJson(this.#url, this.#sitting, { votes });
      this.#attempt = 0;
      this.#settle(reply);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      delay = this.#handle(error, votes);
    } finally {
      for (const vote of votes) this.#inFlight.delete(vote.deal);
      this.#tell("change");
    }
    if (this.#votes.size && delay !== null) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.hurry(), delay);
    }
  }

  #handle(error, votes) {
    if (error.kind === "refused") {
      if (error.status === 403) {
        this.#tell("stale");
        return null;
      }
      for (const vote of votes) this.#drop(vote.deal);
      this.#tell("dropped", { votes, reason: error.message });
      return PAUSE_MS;
    }
    this.#tell("trouble", { kind: error.kind, message: error.status === 429 ? error.message : "" });
    return backoffMs(this.#attempt++, error.retryAfter);
  }

  #settle(reply) {
    const lost = [];
    let accepted = false;
    for (const result of reply.results) {
      const vote = this.#votes.get(result.deal);
      this.#drop(result.deal);
      if (result.status === 200) accepted = true;
      else if (vote) lost.push({ vote, reason: result.message });
    }
    if (accepted && !this.#persistent) {
      this.#persistent = true;
      for (const vote of this.#votes.values()) this.#keep(vote);
    }
    this.#tell("settled", reply);
    if (lost.length) this.#tell("dropped", { votes: lost.map(({ vote }) => vote), reason: lost[0].reason });
  }

  /** The page may be going away: hand everything unanswered to the browser, which sends it on its own. */
  #farewell() {
    if (!this.#votes.size) return;
    const votes = [...this.#votes.values()].slice(0, BATCH);
    const sent = new Set(votes.map((vote) => vote.deal));
    this.#mark(votes);
    postJson(this.#url, this.#sitting, { votes }, { keepalive: true }).then(
      (reply) => this.#settle({ ...reply, results: reply.results.filter((result) => sent.has(result.deal)) }),
      () => {}, // the next visible moment, or the next visit, tries again
    );
  }

  // A request without an answer may still have arrived, unless the browser knew of no network at all.
  #mark(votes) {
    if (navigator.onLine) for (const vote of votes) this.#sent.add(vote.deal);
  }

  // Storage only after the first accepted vote: before it nothing about a visitor is kept.
  #keep(vote) {
    if (!this.#persistent) return;
    try {
      localStorage.setItem(KEY + vote.deal, JSON.stringify(vote));
    } catch {
      this.#persistent = false; // storage refused (private window, full): memory still holds the votes
    }
  }

  #drop(deal) {
    this.#votes.delete(deal);
    this.#sent.delete(deal);
    try {
      localStorage.removeItem(KEY + deal);
    } catch {
      // storage refused: nothing was kept
    }
  }

  #tell(name, detail = undefined) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function readStore() {
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(KEY));
    return keys.map((key) => ({ ...JSON.parse(localStorage.getItem(key)), deal: key.slice(KEY.length) }));
  } catch {
    return [];
  }
}
