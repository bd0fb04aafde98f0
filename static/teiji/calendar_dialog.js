// The calendar's dialog: a page of one time, shown over the calendar. Its forms are answered in it.
"use strict";

(() => {
  const dialog = document.getElementById("calendar-dialog");
  const PAUSE = 400; // milliseconds without a change
  let shown = 0;

  function show(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    dialog.replaceChildren(...page.body.childNodes);
    if (!dialog.open) dialog.showModal();
    (dialog.querySelector("[data-first]") ?? dialog.querySelector("h2"))?.focus();
    // Where it is dragged to: what stands in the way there is told before anything is touched.
    const dragged = dialog.querySelector("form[data-look][data-dragged]");
    if (dragged) look(dragged);
  }

  // A part of a page; null where another page was led to: it is gone to.
  async function ask(address, body) {
    const turn = (shown += 1);
    const answer = await fetch(address, {
      method: body ? "POST" : "GET",
      body,
      headers: { "X-Part": "dialog" },
    });
    const was = new URL(address, location.href).pathname;
    if (answer.redirected && new URL(answer.url).pathname !== was) {
      location.assign(answer.url);
      return;
    }
    if (turn !== shown) return;
    if (answer.headers.has("X-Go-To")) {
      location.assign(answer.headers.get("X-Go-To"));
      return;
    }
    if (answer.ok) show(await answer.text());
    else show(`<p role="alert"></p>`) || (dialog.querySelector("p").textContent = dialog.dataset.sayTrouble);
  }

  function open(address, body) {
    ask(address, body).catch(() => {
      show("<p role=\"alert\"></p>");
      dialog.querySelector("p").textContent = dialog.dataset.sayTrouble;
    });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open(link.href);
    }
    if (event.target.closest("#calendar-dialog [data-close]")) dialog.close();
  });
  dialog.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-part]")) return;
    event.preventDefault();
    open(form.action, new FormData(form, event.submitter));
  });

  // What a time would do is told while it is chosen.
  let pause = null;
  let looked = 0;

  async function look(form) {
    const turn = (looked += 1);
    const place = form.querySelector("[data-look-answer]");
    const headers = { "X-Part": "dialog" };
    try {
      const answer = await fetch(form.dataset.look, { method: "POST", body: new FormData(form), headers });
      const html = answer.ok && !answer.redirected ? await answer.text() : "";
      if (turn !== looked) return;
      const page = new DOMParser().parseFromString(html, "text/html");
      place.replaceChildren(...page.body.childNodes);
    } catch {
      if (turn === looked) place.replaceChildren();
    }
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-look]");
    if (!form || !form.checkValidity()) return;
    clearTimeout(pause);
    pause = setTimeout(look, PAUSE, form);
  });
  window.teijiDialog = { open };
})();
