// Offers the words that are in use below a field that takes several. Without it, people type them.
"use strict";

(() => {
  const separators = /[,;，、；]/;
  const words = (field) => field.value.split(separators).map((word) => word.trim()).filter(Boolean);

  function button(field, word) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "teiji-word";
    made.textContent = word;
    made.addEventListener("click", () => {
      const written = words(field);
      const others = written.filter((other) => other !== word);
      const isSingle = field.dataset.wordsOne !== undefined;
      const added = others.length === written.length ? [...(isSingle ? [] : written), word] : others;
      field.value = added.join(", ");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    return made;
  }

  for (const field of document.querySelectorAll("[data-words]")) {
    const row = document.createElement("div");
    row.className = "teiji-words";
    row.append(field.dataset.wordsLabel);
    const buttons = JSON.parse(field.dataset.words).map((word) => button(field, word));
    row.append(...buttons);
    const show = () => {
      const written = words(field);
      for (const each of buttons) each.setAttribute("aria-pressed", written.includes(each.textContent));
    };
    field.addEventListener("input", show);
    show();
    field.after(row);
  }
})();
