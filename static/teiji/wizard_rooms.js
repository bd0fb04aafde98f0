// The rooms of the registration form: searching, counting, choosing many at once.
"use strict";

(() => {
  const root = document.querySelector(".tj-wizard");
  const form = document.getElementById("step-form");

  for (const list of document.querySelectorAll(".tj-rooms")) {
    const items = list.querySelector(".tj-room-list");
    const boxes = () => [...items.querySelectorAll("[name=rooms]")];
    const recount = () => {
      list.querySelector("[data-count]").textContent = boxes().filter((box) => box.checked).length;
    };
    const find = async (keepTicked) => {
      const query = new URLSearchParams({
        unit: form.elements.unit.value,
        kind: list.dataset.kind,
        q: list.querySelector("[data-search]").value,
      });
      const answer = await fetch(`${root.dataset.rooms}?${query}`);
      if (!answer.ok) return;
      const found = document.createElement("ul");
      found.innerHTML = await answer.text();
      const ticked = keepTicked ? boxes().filter((box) => box.checked) : [];
      const ids = new Set(ticked.map((box) => box.value));
      const fresh = [...found.children].filter((item) => !ids.has(item.querySelector("input")?.value));
      items.replaceChildren(...ticked.map((box) => box.closest("li")), ...fresh);
      recount();
    };
    let search = null;
    list.querySelector("[data-search]").addEventListener("input", () => {
      clearTimeout(search);
      search = setTimeout(() => find(true), 250);
    });
    list.querySelector("[data-search]").addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
    for (const [name, value] of [["all", true], ["none", false]]) {
      list.querySelector(`[data-${name}]`).addEventListener("click", () => {
        for (const box of boxes()) box.checked = value;
        boxes()[0]?.dispatchEvent(new Event("input", { bubbles: true }));
        recount();
      });
    }
    items.addEventListener("change", recount);
    document.getElementById("id_unit")?.addEventListener("change", async () => {
      await find(false);
      list.querySelector(".tj-rooms-head").hidden = false;
      list.querySelector(":scope > .tj-empty")?.remove();
    });
  }
})();
