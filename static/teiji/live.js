// A part of a page that is asked for again keeps what was unfolded in it.
"use strict";

const unfolded = new Set();
document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.elt.closest("[data-live]");
  if (!part) return;
  if (!new URL(event.detail.xhr.responseURL).pathname.endsWith("/state/")) {
    // Signed out meanwhile: the answer is the sign-in page.
    event.detail.shouldSwap = false;
    location.reload();
    return;
  }
  unfolded.clear();
  for (const details of part.querySelectorAll("details[open][id]")) unfolded.add(details.id);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
  unfolded.clear();
});
