// Puts a placeholder into the text where the cursor stands. Without it, people type it.
"use strict";

document.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-insert]");
  const text = document.getElementById("id_text");
  if (!chosen || !text) return;
  text.setRangeText(chosen.dataset.insert, text.selectionStart, text.selectionEnd, "end");
  text.focus();
  text.dispatchEvent(new Event("input", { bubbles: true }));
});
