// "Forget me": the server drops the cookie, this page drops what it keeps itself.
import { postJson } from "wire";
import { removeOfflinePage } from "worker";

for (const form of document.querySelectorAll("form[data-forget]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const status = form.querySelector("[role=status]");
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await postJson(form.action, form.elements.sitting.value, {});
      localStorage.clear();
      await removeOfflinePage();
      status.textContent = form.dataset.done;
    } catch (error) {
      status.textContent = error.kind === "offline" ? form.dataset.offline : error.message || form.dataset.failed;
      button.disabled = false;
    }
  });
}
