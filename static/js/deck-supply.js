// The next pairs: asked for in time, both pictures decoded before they are needed.
import { WireError, backoffMs, postJson } from "wire";

const WANTED = 6;
const LOW = 4;

/** Events: "dealt" {deals, reply}; "state" {state}: "idle" | "asking" | "offline" | "busy" | "refused". */
export class Supply extends EventTarget {
  #options;
  #asking = false;
  #timer = 0;
  #attempt = 0;
  round = null;
  size = 20;
  exhausted = false;
  state = "idle";
  message = "";

  /** held(): deals on the page; pending(): deals judged, their votes on the way; owed(): places left to deal. */
  constructor(options) {
    super();
    this.#options = options;
    window.addEventListener("online", () => this.#again(0));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && this.#timer) this.#again(0);
    });
  }

  async fill() {
    const { url, sitting, catalogue, held, pending, owed } = this.#options;
    const before = held().length;
    if (this.#asking || this.exhausted || this.state === "refused" || before >= LOW) return;
    const count = Math.min(WANTED - before, this.round === null ? WANTED : owed());
    if (count <= 0) return;
    this.#asking = true;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#enter(this.state === "idle" ? "asking" : this.state);
    try {
      const reply = await postJson(url, sitting, {
        catalogue,
        round: this.round,
        held: [...held(), ...pending()],
        count,
      });
      this.#attempt = 0;
      this.round = reply.round;
      this.size = reply.size;
      this.exhausted = reply.exhausted;
      this.#asking = false;
      this.#enter("idle");
      this.dispatchEvent(new CustomEvent("dealt", { detail: reply }));
      if (held().length === 0 && !reply.exhausted && owed() > 0) this.#again(backoffMs(this.#attempt++));
    } catch (error) {
      this.#asking = false;
      if (!(error instanceof WireError)) throw error;
      this.message = error.message;
      this.#enter(error.kind);
      if (error.kind !== "refused") this.#again(backoffMs(this.#attempt++, error.retryAfter));
    }
  }

  #again(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.fill();
    }, delay);
  }

  #enter(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state } }));
  }
}
