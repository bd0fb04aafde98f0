// Worklists: ticking many, and how many are ticked.
"use strict";

for (const form of document.querySelectorAll("[data-choices]")) {
  const all = form.querySelector("[data-all]");
  const count = form.querySelector("[data-count]");
  if (!all) continue;
  const rows = [...form.querySelectorAll("input[name=row]")];
  const show = () => {
    const ticked = rows.filter((row) => row.checked).length;
    all.checked = ticked === rows.length;
    all.indeterminate = ticked > 0 && ticked < rows.length;
    count.textContent = ticked ? `${ticked} ${count.dataset.words}` : "";
    for (const button of form.querySelectorAll("[data-many]")) button.disabled = !ticked;
  };
  all.addEventListener("change", () => {
    for (const row of rows) row.checked = all.checked;
    show();
  });
  form.addEventListener("change", show);
  // Coming back, the browser ticks again what was ticked.
  window.addEventListener("pageshow", show);
  show();
}
