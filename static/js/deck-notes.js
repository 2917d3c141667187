// What the deck says: a pill on the card for eyes, an announcement for screen readers.

const NOTE_MS = 4000;

export class Notes {
  #deck;
  #pill;
  #voice;
  #standing = "";
  #timer = 0;

  /** Texts are the deck's data-text-* attributes: templates with {names}, translated by the server. */
  constructor(deck) {
    this.#deck = deck;
    this.#pill = deck.querySelector(".deck-note [role=status]");
    this.#voice = deck.querySelector("[data-announce]");
  }

  /** What holds now: without a network, how many votes are kept and whether there are pairs to go on with. */
  stand({ offline, kept, pairs }) {
    const name = pairs ? "textOffline" : "textWaiting";
    this.#standing = offline ? this.#text(name, { count: this.counted(kept) }) : "";
    if (offline || this.#timer === 0) this.#write(this.#standing);
  }

  /** Something that passes: shown for a few seconds. */
  say(name, words) {
    this.#pass(this.#text(name, words));
  }

  /** As `say`, in the server's own words where it gave any. */
  report(message, name) {
    this.#pass(message || this.#text(name));
  }

  announce(name, words) {
    this.#voice.textContent = this.#text(name, words);
  }

  counted(count) {
    return this.#text(count === 1 ? "textOneVote" : "textVotes", { count });
  }

  #pass(text) {
    clearTimeout(this.#timer);
    this.#write(text);
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.#write(this.#standing);
    }, NOTE_MS);
  }

  #write(text) {
    if (this.#pill.textContent !== text) this.#pill.textContent = text;
  }

  #text(name, words = {}) {
    return this.#deck.dataset[name].replace(/\{(\w+)\}/g, (whole, word) => words[word] ?? whole);
  }
}
