// Theme: follows the device until the visitor chooses; only then a cookie remembers the choice.

const ORDER = ["auto", "light", "dark"];
const YEAR_S = 31_536_000;
const root = document.documentElement;

function apply(theme, button) {
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  button.querySelector("span").textContent = button.dataset[theme];
  button.title = button.dataset[theme];
}

for (const button of document.querySelectorAll(".theme-toggle")) {
  button.hidden = false;
  apply(root.dataset.theme ?? "auto", button);
  button.addEventListener("click", () => {
    const theme = ORDER[(ORDER.indexOf(root.dataset.theme ?? "auto") + 1) % ORDER.length];
    const age = theme === "auto" ? 0 : YEAR_S;
    document.cookie = `theme=${theme}; Path=/; Max-Age=${age}; SameSite=Lax`;
    apply(theme, button);
  });
}

const bar = document.querySelector(".bar");
const mark = () => bar.toggleAttribute("data-edge", window.scrollY > 4);
document.addEventListener("scroll", mark, { passive: true });
mark();
