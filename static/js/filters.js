// Filters apply as soon as one changes; the form's button does the same without this module.

for (const form of document.querySelectorAll("form.filters")) {
  form.addEventListener("change", (event) => {
    // Another catalogue has other encoders and categories.
    if (event.target.name === "catalogue") for (const name of ["encoder", "category"]) form.elements[name].value = "";
    for (const field of form.elements) if (field.name && field.value === "") field.disabled = true; // short addresses
    form.requestSubmit();
  });
}
