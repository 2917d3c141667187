// <race-room>: goes on when the race does, and copies the link to its room, or its result.
// Without it the same links can be pressed.

class RaceRoom extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => this.#copy(event));
    for (const button of this.querySelectorAll("[data-copy]")) button.hidden = false;
    // Wherever on the page: a game that has ended leads back to its race.
    new MutationObserver(() => this.#lead()).observe(document.getElementById("main"), { childList: true, subtree: true });
    this.#lead();
  }

  /** The race was started, or is over: what comes now is on another page. */
  #lead() {
    const link = document.querySelector("[data-go]");
    if (link) location.replace(link.href);
  }

  async #copy(event) {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(field.value);
      this.querySelector("[role=status]").textContent = this.dataset.textCopied;
    } catch {
      field.select(); // not permitted: it can be copied by hand
    }
  }
}

customElements.define("race-room", RaceRoom);
