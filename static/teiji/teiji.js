// What Teiji adds to the admin: countdowns, copying, and chats that stay at their end.
"use strict";

(() => {
  const NEAR_END = 120; // pixels from the end at which a reader still follows the chat

  function untilWords(seconds) {
    const sign = seconds < 0 ? "−" : "";
    const rest = Math.abs(Math.round(seconds));
    const days = Math.floor(rest / 86400);
    const hours = Math.floor((rest % 86400) / 3600);
    const two = (number) => String(number).padStart(2, "0");
    const minutes = Math.floor((rest % 3600) / 60);
    const clock = `${two(hours)}:${two(minutes)}:${two(rest % 60)}`;
    return days ? `${sign}${daysInWords(days)} ${clock}` : `${sign}${clock}`;
  }

  function daysInWords(days) {
    const options = { style: "unit", unit: "day", unitDisplay: "long" };
    return new Intl.NumberFormat(document.documentElement.lang, options).format(days);
  }

  function tick() {
    const now = Date.now();
    for (const element of document.querySelectorAll("[data-countdown]")) {
      const seconds = (Date.parse(element.dataset.countdown) - now) / 1000;
      element.textContent = seconds > 0 ? untilWords(seconds) : "00:00:00";
      element.classList.toggle("is-soon", seconds < 60);
    }
  }

  async function copy(button) {
    const source = document.querySelector(button.dataset.copy);
    source.select();
    try {
      await navigator.clipboard.writeText(source.value);
    } catch {
      // Pages without https have no clipboard of their own; the text is selected.
      if (!document.execCommand("copy")) return;
    }
    button.textContent = button.dataset.copied;
  }

  function isAtEnd(log) {
    return log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
  }

  function toEnd(log) {
    log.scrollTop = log.scrollHeight;
  }

  function openChat(log) {
    let followed = true;
    let heightBefore = 0;
    let known = "";
    const sizes = () => `${log.scrollHeight} ${log.clientHeight}`;
    const stay = () => {
      if (followed) toEnd(log);
      known = sizes();
    };
    // Images that load later, and a window that is resized, make the chat longer.
    const observer = new ResizeObserver(stay);
    const observe = () => {
      for (const part of [log, ...log.querySelectorAll(".chat-message")]) observer.observe(part);
    };
    stay();
    observe();
    log.addEventListener("load", stay, true);
    log.addEventListener("scroll", () => {
      // Where the size changed, it was not the person who left the end.
      if (followed && sizes() !== known) stay();
      else followed = isAtEnd(log);
    });
    log.addEventListener("htmx:beforeSwap", (event) => {
      const answer = new URL(event.detail.xhr.responseURL);
      if (!answer.pathname.endsWith("/messages/")) {
        // Signed out meanwhile: the answer is the sign-in page.
        event.detail.shouldSwap = false;
        location.reload();
        return;
      }
      heightBefore = log.scrollHeight;
      if (event.detail.target.id === "chat-earlier") followed = false;
      log.querySelector(".chat-empty")?.remove();
    });
    log.addEventListener("htmx:afterSettle", (event) => {
      observe();
      if (followed) stay();
      else if (event.detail.requestConfig.path.includes("before=")) {
        dropRepeatedDays(log);
        log.scrollTop += log.scrollHeight - heightBefore;
        heightBefore = log.scrollHeight; // the event comes once for each new element
      }
    });
  }

  // The day above the first message is named again when earlier ones of that day come.
  function dropRepeatedDays(log) {
    let last = "";
    for (const day of log.querySelectorAll("[data-day]")) {
      if (day.dataset.day === last) day.remove();
      last = day.dataset.day;
    }
  }

  // The theme's box for choosing by search has no name of its own, and while nothing is chosen
  // no text either.
  function nameChoices() {
    for (const choice of document.querySelectorAll("select.select2-hidden-accessible")) {
      const label = document.querySelector(`label[for="${CSS.escape(choice.id)}"]`);
      if (!label || !choice.nextElementSibling) continue;
      for (const part of choice.nextElementSibling.querySelectorAll("[role=combobox], [role=textbox]")) {
        part.setAttribute("aria-label", label.textContent.trim());
      }
    }
  }

  // From a chosen row to what can be done with all of them.
  function toActs(event) {
    const choice = document.querySelector("#changelist-actions select");
    if (!choice) return;
    event.preventDefault();
    choice.focus();
  }

  // It comes when its own script is ready: before the page is loaded, after that, or with a new row.
  const isBox = (node) => node.nodeType === Node.ELEMENT_NODE && node.matches(".select2-container");
  new MutationObserver((changes) => {
    if (changes.some(({ addedNodes }) => [...addedNodes].some(isBox))) nameChoices();
  }).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-to-acts]")) toActs(event);
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
  document.addEventListener("DOMContentLoaded", () => {
    for (const log of document.querySelectorAll("[data-chat]")) openChat(log);
    if (document.querySelector("[data-countdown]")) {
      tick();
      setInterval(tick, 1000);
    }
  });
})();
