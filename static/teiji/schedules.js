// The schedules' pages: a form is sent once, however often its button is pressed.
"use strict";

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.closest(".tj")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
});

// Coming back with the back button finds the page as it was left: let its forms be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll(".tj form[data-sent]")) delete form.dataset.sent;
});

// A part that is asked for again keeps what was unfolded in it.
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
