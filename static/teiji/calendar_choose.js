// Choosing several times in the drawn calendar: what is chosen stays so from view to view.
"use strict";

(() => {
  const form = document.querySelector("[data-drawn-choices]");
  const button = document.querySelector("[data-choose]");
  if (!form || !button) return;
  const count = form.querySelector("[data-count]");
  const keys = form.querySelector("[data-keys]");
  const chosen = new Set();
  let redraw = () => {};

  function show() {
    count.textContent = `${chosen.size} ${count.dataset.words}`;
    for (const each of form.querySelectorAll("[data-many]")) each.disabled = !chosen.size;
    keys.replaceChildren(
      ...[...chosen].map((value) => {
        const field = document.createElement("input");
        Object.assign(field, { type: "hidden", name: "row", value });
        return field;
      }),
    );
  }

  function isOn() {
    return !form.hidden;
  }

  function turn(on) {
    form.hidden = !on;
    button.setAttribute("aria-pressed", String(on));
    if (!on) {
      const were = [...chosen];
      chosen.clear();
      were.forEach(redraw);
    }
    show();
  }

  function toggle(key) {
    if (!isOn()) turn(true);
    if (!chosen.delete(key)) chosen.add(key);
    redraw(key);
    show();
  }

  // All of them by as much as the one that was dragged; the page that follows asks.
  function move(milliseconds) {
    const minutes = Math.round(milliseconds / 60_000);
    form.elements.days.value = Math.trunc(minutes / 1440);
    form.elements.minutes.value = minutes % 1440;
    form.requestSubmit(form.querySelector("[data-many][value=shift]"));
  }

  button.addEventListener("click", () => turn(!isOn()));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isOn() && !document.querySelector("dialog[open]")) turn(false);
  });
  form.addEventListener("submit", () => {
    form.elements.back.value = location.search || "?view=month";
  });
  // Coming back, the browser may keep what was typed, but not what was chosen.
  window.addEventListener("pageshow", show);
  show();
  window.teijiChoice = {
    isOn, toggle, move,
    has: (key) => chosen.has(key),
    get size() { return chosen.size; },
    set redraw(act) { redraw = act; },
  };
})();
