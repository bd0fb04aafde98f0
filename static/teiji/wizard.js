// The registration form: saves while one types and shows what the server answers.
// Everything here also goes without: each step is an ordinary form.
"use strict";

(() => {
  const PAUSE = 450; // milliseconds without typing before it is saved
  const AGAIN = 15_000; // milliseconds after which a save that found no connection is tried again
  const root = document.querySelector(".tj-wizard");
  const form = document.getElementById("step-form");
  if (!root) return;
  const say = root.dataset;
  const savedLine = document.getElementById("saved");
  const touched = new Set();
  let timer = null;
  let running = null; // the save that is under way
  let dirty = false;
  // The page shows a conflict, with this window's text: saving once more lets that stand.
  let undecided = root.dataset.unsaved === "conflict";
  let stale = undecided; // another window changed this step: the person decides
  let underWay = ""; // the values that were sent last and not yet confirmed
  let closed = false; // there is no draft any more to save to
  let trouble = false; // the last save got no answer
  let settling = false; // a submit waits for its save
  let leaving = false;
  let newest = -1; // the highest revision that an answer told of

  const place = () => `teiji:${root.dataset.keep}`;

  // Signing in again, in whichever window, changes the token: the cookie has the newest.
  function token() {
    const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
    return cookie ? cookie[1] : document.querySelector("[name=csrfmiddlewaretoken]").value;
  }

  // Saving

  function values() {
    const data = new FormData(form);
    data.delete("csrfmiddlewaretoken");
    return data;
  }

  class Trouble extends Error {}

  async function post(url, body, options = {}, offline = say.sayUnsaved) {
    const headers = { "X-CSRFToken": token(), Accept: "application/json" };
    let answer = null;
    try {
      answer = await fetch(url, { method: "POST", body, headers, ...options });
    } catch {
      throw new Trouble(offline);
    }
    if (answer.redirected || answer.status === 403) throw new Trouble(say.saySignedOut);
    if (answer.status === 404) throw new Trouble(say.sayGone);
    if (!answer.ok) throw new Trouble(say.sayFault);
    const told = await answer.json();
    if (told.closed) close(told);
    return told;
  }

  function changed(event) {
    if (!form || event.target.form !== form || !event.target.name) return;
    touched.add(event.target.name);
    dirty = true;
    keep();
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  }

  async function save() {
    clearTimeout(timer);
    while (running) await running;
    if (!dirty || stale || closed || !form) return;
    dirty = false;
    savedLine.classList.remove("is-bad");
    savedLine.textContent = say.saySaving;
    underWay = plain(values());
    keep();
    running = post(root.dataset.live, values()).then(show).catch(failed);
    await running;
    running = null;
  }

  function failed(error) {
    if (!(error instanceof Trouble)) throw error;
    dirty = true;
    trouble = true;
    complain(error.message);
    clearTimeout(timer);
    timer = setTimeout(save, AGAIN);
  }

  function complain(words) {
    savedLine.textContent = words;
    savedLine.classList.add("is-bad");
  }

  function show(answer) {
    trouble = false;
    if (answer.closed) return;
    if (answer.conflict) {
      stale = true;
      note(answer.conflict, form.action, say.sayTheirs, forget);
      savedLine.textContent = "";
      return;
    }
    adopt(answer);
    underWay = "";
    if (dirty || answer.unsaved) keep();
    else forget();
    if (answer.unsaved) complain(answer.unsaved);
    else savedLine.textContent = `${say.saySaved} ${answer.saved_at}`;
    showProblems(answer.problems);
    if (answer.url !== new URL(form.action).pathname) moveTo(answer.url);
  }

  // Registered in another window: nothing can be saved here any more.
  function close(told) {
    closed = true;
    note(told.closed, told.url, told.link);
    if (savedLine) complain(say.sayNotSaved);
  }

  // The draft was made by the first save: from now on this page is its page.
  function moveTo(url) {
    form.action = url;
    root.dataset.live = `${url}live/`;
    history.replaceState(null, "", url);
  }

  function adopt(answer) {
    // Answers may overtake each other: an older one says nothing new.
    if (answer.revision < newest) return;
    newest = answer.revision;
    for (const name of ["revision", "seen"]) {
      for (const input of document.querySelectorAll(`#step-form [name=${name}]`)) {
        input.value = answer[name];
      }
    }
    replace("steps", answer.steps);
    replace("panel", answer.panel);
  }

  const shown = {};

  function replace(id, html) {
    const place = document.getElementById(id);
    if (!place || html === undefined || shown[id] === html) return;
    shown[id] = html;
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    // Images that are there already are kept: loading them again would make them flicker.
    for (const image of fresh.content.querySelectorAll("img")) {
      const old = place.querySelector(`img[src="${image.getAttribute("src")}"]`);
      if (old && id === "panel") image.replaceWith(old);
    }
    const open = [...place.querySelectorAll("details")].map((details) => details.open);
    fresh.content.querySelectorAll("details").forEach((details, index) => {
      if (index in open) details.open = open[index];
    });
    place.replaceChildren(fresh.content);
  }

  function note(words, url, linkWords, clicked = () => {}) {
    const told = document.createElement("p");
    told.className = "tj-note tj-warn";
    const link = document.createElement("a");
    link.href = url;
    link.textContent = linkWords;
    link.addEventListener("click", clicked);
    const text = document.createElement("span");
    text.append(words, " ", link);
    told.append(text);
    document.getElementById("conflict").replaceChildren(told);
    told.scrollIntoView({ block: "nearest" });
  }

  // Only at fields that the person has touched, or where one is shown already: nobody wants to
  // be told that a field is empty before having come to it.
  function showProblems(problems) {
    for (const list of document.querySelectorAll("[data-problems]")) {
      const name = list.dataset.problems;
      const found = problems[name] || [];
      if (found.length && !touched.has(name) && !list.childElementCount) continue;
      const texts = [...list.children].map((item) => item.textContent);
      if (texts.join("\n") === found.join("\n")) continue;
      list.replaceChildren(...found.map((text) => {
        const item = document.createElement("li");
        item.textContent = text;
        return item;
      }));
      list.closest("[data-field]")?.classList.toggle("has-problem", found.length > 0);
      for (const input of document.querySelectorAll(`[name="${name}"]`)) {
        input.toggleAttribute("aria-invalid", found.length > 0);
        if (found.length) input.setAttribute("aria-invalid", "true");
      }
    }
  }

  // What is typed and not yet saved outlives a reload in this window, together with the marks
  // that it was typed against: what another window saved meanwhile must not be overwritten.

  function keep() {
    const data = new URLSearchParams(values());
    if (undecided) data.set("revision", "-1");
    if (undecided) data.set("seen", "");
    const found = JSON.stringify({ text: data.toString(), sent: underWay });
    try { sessionStorage.setItem(place(), found); } catch { /* full or forbidden */ }
  }

  function forget() {
    try { sessionStorage.removeItem(place()); } catch { /* forbidden */ }
  }

  function plain(data) {
    const fields = [...new URLSearchParams(data)].filter(([name, value]) => value && !["revision", "seen"].includes(name));
    return new URLSearchParams(fields).toString();
  }

  function putBack() {
    let found = null;
    try { found = JSON.parse(sessionStorage.getItem(place())); } catch { /* forbidden */ }
    // A page that shows what was posted and not stored is itself what was typed.
    if (!found?.text || !form || root.dataset.unsaved) return;
    const kept = new URLSearchParams(found.text);
    const isOwn = plain(values()) === found.sent; // the page was made from this window's save
    let differs = false;
    for (const input of form.elements) {
      if (!input.name || input.type === "hidden" || input.tagName === "BUTTON") continue;
      if (input.type === "checkbox" || input.type === "radio") {
        const was = kept.getAll(input.name).includes(input.value);
        differs ||= was !== input.checked;
        input.checked = was;
      } else if (kept.has(input.name) && input.name !== "skip_dates") {
        const was = kept.get(input.name).replace(/\r\n/g, "\n");
        differs ||= was !== input.value;
        input.value = was;
      }
    }
    if (!differs) { forget(); return; }
    for (const name of ["revision", "seen"]) {
      if (!isOwn && kept.has(name)) form.elements[name].value = kept.get(name);
    }
    for (const [name] of kept) touched.add(name);
    dirty = true;
    // At once: what was sent while leaving may arrive just now, and is then the same.
    save().then(() => {
      if (!stale && !savedLine.classList.contains("is-bad")) savedLine.textContent = say.sayRestored;
    });
  }

  // Leaving

  document.addEventListener("submit", (event) => {
    const sent = event.target;
    if (!sent.closest(".tj") || sent.matches("[data-images], [data-upload]")) return;
    if (sent.dataset.sent || (sent === form && closed)) { event.preventDefault(); return; }
    if (sent === form && undecided) {
      undecided = stale = false;
      dirty = true;
    }
    if (sent === form && (running || (dirty && !stale))) {
      event.preventDefault();
      settle(event.submitter?.value || "next");
      return;
    }
    sent.elements.csrfmiddlewaretoken.value = token();
    clearTimeout(timer);
    sent.dataset.sent = "yes";
    leaving = true;
  });

  // One leaves a step only when the server has said that it is stored, or why it is not: until
  // then what was typed stays on this page.
  async function settle(wish) {
    if (settling) return;
    settling = true;
    await save();
    settling = false;
    if (trouble || closed) return;
    form.requestSubmit(document.querySelector(`[name=go][value="${wish}"]`));
  }

  const retry = () => { if (trouble) save(); };
  window.addEventListener("online", retry);
  window.addEventListener("focus", retry);

  document.querySelector("[data-theirs]")?.addEventListener("click", forget);

  window.addEventListener("beforeunload", () => {
    if (!dirty || leaving || stale || closed || !form) return;
    // What is kept stays: the next page may be made before this arrives.
    post(root.dataset.live, values(), { keepalive: true }).catch(() => {});
  });

  window.addEventListener("pageshow", (event) => {
    leaving = false;
    for (const sent of document.querySelectorAll("form[data-sent]")) delete sent.dataset.sent;
    // A page from the browser's memory may be older than the draft.
    if (event.persisted && !dirty) location.reload();
  });

  // Small conveniences

  document.addEventListener("click", (event) => {
    const preset = event.target.closest("[data-set]");
    if (!preset) return;
    const input = document.getElementById(`id_${preset.dataset.set}`);
    input.value = preset.dataset.value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });

  function count() {
    const counter = document.querySelector("[data-counter]");
    if (!counter) return;
    const text = document.getElementById("id_text").value.trim();
    const lengths = {
      utf16: () => text.length,
      bytes: () => new TextEncoder().encode(text).length,
      characters: () => [...text].length,
      wide: () => [...text].reduce((sum, one) => sum + (one < "\u0080" ? 1 : 2), 0),
    };
    const length = lengths[counter.dataset.unit]();
    counter.querySelector("b").textContent = length;
    counter.classList.toggle("is-over", length > Number(counter.dataset.most));
  }

  document.addEventListener("input", (event) => {
    if (event.target.id === "id_text") count();
    if (event.target.id === "id_zone") {
      for (const name of ["time", "valid_from", "valid_until"]) {
        document.querySelector(`#field-${name} .tj-suffix`).textContent = event.target.value;
      }
    }
    const dates = event.target.closest("[data-dates]");
    if (dates && dates.lastElementChild.value) {
      const next = dates.lastElementChild.cloneNode();
      dates.lastElementChild.removeAttribute("id");
      next.value = "";
      dates.append(next);
    }
    changed(event);
  });
  document.addEventListener("change", (event) => {
    if (["checkbox", "radio"].includes(event.target.type) || event.target.tagName === "SELECT") changed(event);
  });

  // For the script of the images.
  window.teijiWizard = { post, token, adopt, replace, Trouble, saved: () => running };

  count();
  putBack();
  // From the review, a link leads to the field that is to be put right.
  const wrong = document.querySelector(".has-problem .tj-input, [aria-invalid=true]");
  const asked = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  const first = asked?.querySelector("input:not([type=hidden]), textarea, select") || wrong;
  if (first) first.focus();
  else if (document.activeElement === document.body) {
    // Who steers by keyboard or listens starts at the step, not at the site's menu.
    const heading = root.querySelector("h2");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus({ preventScroll: true });
  }
})();
