// Shows how far checking and importing are. Without it the page waits for the end.
"use strict";

(() => {
  const progress = document.getElementById("progress");
  const refusal = document.getElementById("refusal");
  const figures = new Intl.NumberFormat(document.documentElement.lang || "en");

  function show(line, form) {
    if (line.rows) {
      progress.querySelector("[data-rows]").textContent = figures.format(line.rows);
      const bar = progress.querySelector("progress");
      if (form.dataset.total) [bar.max, bar.value] = [Number(form.dataset.total), line.rows];
    }
    if (line.writing) {
      progress.querySelector("[data-words]").textContent = form.dataset.writing;
      progress.querySelector("progress").removeAttribute("value");
    }
    if (line.then) window.location.assign(line.then);
    if (line.error) refuse(line.error, form);
    return Boolean(line.then || line.error);
  }

  function refuse(words, form) {
    progress.hidden = true;
    refusal.querySelector("[data-words]").textContent = words;
    refusal.hidden = false;
    refusal.scrollIntoView({ block: "center" });
    for (const button of form.querySelectorAll("button")) button.disabled = false;
  }

  async function follow(form, body) {
    const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Progress": "1" } });
    if (!answer.ok) throw new Error(answer.status);
    let isOver = false;
    let rest = "";
    const text = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece = await text.read(); !piece.done; piece = await text.read()) {
      const lines = (rest + piece.value).split("\n");
      rest = lines.pop();
      for (const line of lines) isOver = show(JSON.parse(line), form) || isOver;
    }
    if (!isOver) throw new Error("cut off");
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-progress]");
    const go = event.submitter?.value;
    if (!form || !["check", "import"].includes(go)) return;
    event.preventDefault();
    const body = new FormData(form);
    body.set("go", go);
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    refusal.hidden = true;
    progress.querySelector("[data-words]").textContent = form.dataset.reading;
    progress.hidden = false;
    progress.scrollIntoView({ block: "center" });
    try {
      await follow(form, body);
    } catch {
      refuse(form.dataset.lost, form);
    }
  });
})();
