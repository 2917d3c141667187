// Filters apply as soon as one changes; without this module the form's button does the same.

for (const form of document.querySelectorAll("form.filters")) {
  form.querySelector("button[type=submit]").hidden = true;
  form.addEventListener("change", () => {
    for (const field of form.elements) if (field.name && field.value === "") field.disabled = true; // short addresses
    form.requestSubmit();
  });
}
