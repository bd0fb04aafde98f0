// Passkeys: offered where the browser has them, and what went wrong is said on the page.
"use strict";

(() => {
  // A passkey belongs to a host name: under a bare address there can be none.
  const isBareAddress = /^[\d.]+$|^\[/.test(location.hostname);
  const canHavePasskeys = Boolean(window.PublicKeyCredential) && !isBareAddress;
  const show = (selector) => {
    for (const element of document.querySelectorAll(selector)) element.hidden = false;
  };

  show(canHavePasskeys ? "[data-passkey]" : "[data-passkey-none]");
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault(); // else it goes to the console, where nobody reads it
    show("[data-passkey-trouble]");
  });
  document.getElementById("passkey")?.addEventListener("click", () => {
    for (const element of document.querySelectorAll("[data-passkey-trouble]")) element.hidden = true;
  });
})();
