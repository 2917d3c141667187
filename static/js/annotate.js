// Keys press the buttons that name them in data-key, and go to the fields that do, while the focus is in the
// question; without this module the buttons do the same.

const work = document.querySelector(".annotate-work");

work.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const named = work.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]:not(:disabled)`);
  if (!named) return;
  event.preventDefault();
  if (named.matches("button")) named.click();
  else named.focus();
});

// Each answer leads to a new page: its question is read out, and its keys work.
document.getElementById("annotate-heading").focus();

// A second press while the answer is on its way would be an answer to the same question. A page that is gone back to
// takes answers again.
const keys = (disabled) => {
  for (const button of work.querySelectorAll("button")) button.disabled = disabled;
};
document.addEventListener("submit", () => setTimeout(keys, 0, true));
addEventListener("pageshow", () => keys(false));
