// Shows of an audience's form what belongs to its kind. What is not shown is not sent.
"use strict";

(() => {
  const kind = document.querySelector("#audience_form [name=kind]");
  if (!kind) return;
  const parts = document.querySelectorAll("fieldset.audience-rule, fieldset.audience-list");
  function show() {
    for (const part of parts) {
      part.hidden = part.disabled = !part.classList.contains(`audience-${kind.value}`);
    }
  }
  kind.addEventListener("change", show);
  window.addEventListener("pageshow", show);
  show();
})();
