// The images of the registration form: uploaded one by one, moved, taken out. Stands on wizard.js.
"use strict";

(() => {
  const root = document.querySelector(".tj-wizard");
  const upload = document.querySelector("[data-upload]");
  const order = document.querySelector("[data-images]");
  if (upload && order) {
    const { post, token, adopt, replace, Trouble, saved } = window.teijiWizard;
    const { dataset: say } = root;
    const said = document.getElementById("image-said");
    const problem = document.getElementById("image-problem");
    const rows = () => [...order.querySelectorAll("[data-image]")];
    const row = (id) => rows().find((item) => item.dataset.image === id);
    let stored = rows().map((item) => item.dataset.image); // the order that the server has
    const showImages = (answer) => {
      if (answer.closed) return;
      problem.textContent = "";
      stored = answer.ids;
      adopt(answer);
      replace("images", answer.list);
      document.querySelector("[data-image-count]").textContent = answer.count;
      said.textContent = answer.said;
    };
    const showStored = (words) => {
      problem.textContent = words;
      order.querySelector(".tj-images")?.append(...stored.map(row).filter(Boolean));
    };
    // One after the other: each change stands on the order that the one before has left.
    let last = Promise.resolve();
    const queue = (change) => {
      last = last.then(change).catch((error) => {
        if (!(error instanceof Trouble)) throw error;
        showStored(error.message);
      });
      return last;
    };
    const line = (name) => {
      const item = document.createElement("li");
      const title = document.createElement("span");
      title.textContent = name;
      const bar = document.createElement("progress");
      bar.max = 1;
      bar.value = 0;
      bar.setAttribute("aria-label", name);
      item.append(title, bar);
      document.getElementById("uploads").append(item);
      return item;
    };
    const complain = (item, message) => {
      item.querySelector("progress").remove();
      const words = document.createElement("span");
      words.className = "tj-bad-text";
      words.textContent = message;
      const close = document.createElement("button");
      close.type = "button";
      close.textContent = "×";
      close.setAttribute("aria-label", "×");
      close.addEventListener("click", () => item.remove());
      item.append(close, words);
    };
    const why = (request) => {
      if (request.status === 0) return say.sayImageOffline;
      if (request.status === 413) return say.sayImageLarge;
      return [200, 403].includes(request.status) ? say.saySignedOut : say.sayImageFault;
    };
    // XMLHttpRequest, because fetch tells nothing of how far an upload is.
    const send = (file) => new Promise((done) => {
      const item = line(file.name);
      const request = new XMLHttpRequest();
      const body = new FormData();
      body.append("images", file);
      request.open("POST", upload.action);
      request.setRequestHeader("X-CSRFToken", token());
      request.setRequestHeader("Accept", "application/json");
      request.responseType = "json";
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) item.querySelector("progress").value = event.loaded / event.total;
      });
      request.addEventListener("loadend", () => {
        const answer = request.status === 200 ? request.response : null; // null for a page too
        if (answer) showImages(answer);
        const refused = answer ? answer.closed || answer.refused[0]?.message : why(request);
        if (refused) complain(item, refused);
        else item.remove();
        done();
      });
      request.send(body);
    });
    const sendAll = async (files) => {
      await saved();
      for (const file of files) await queue(() => send(file));
    };
    upload.querySelector("input[type=file]").addEventListener("change", (event) => {
      const files = [...event.target.files];
      event.target.value = "";
      sendAll(files);
    });
    for (const name of ["dragenter", "dragover"]) {
      root.addEventListener(name, (event) => {
        if (![...event.dataTransfer.types].includes("Files")) return;
        event.preventDefault();
        upload.classList.add("is-over");
      });
    }
    root.addEventListener("dragleave", (event) => {
      if (!root.contains(event.relatedTarget)) upload.classList.remove("is-over");
    });
    root.addEventListener("drop", (event) => {
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      upload.classList.remove("is-over");
      sendAll([...event.dataTransfer.files]);
    });
    order.addEventListener("submit", (event) => {
      event.preventDefault();
      const button = event.submitter;
      const { name, value } = button;
      const url = button.getAttribute("formaction") || order.action;
      const image = button.closest("[data-image]").dataset.image;
      queue(async () => {
        const body = new FormData();
        body.append(name, value);
        const index = rows().findIndex((item) => item.dataset.image === image);
        showImages(await post(url, body, {}, say.sayImageOffline));
        refocus(row(image) || rows()[Math.min(index, rows().length - 1)], value.split(":")[1]);
      });
    });
    const refocus = (item, direction) => {
      const wanted = direction && item?.querySelector(`[value$=":${direction}"]:not(:disabled)`);
      (wanted || item?.querySelector("button:not(:disabled)"))?.focus();
    };
    order.addEventListener("images-moved", () => {
      const body = new FormData();
      for (const item of rows()) body.append("image", item.dataset.image);
      queue(async () => showImages(await post(order.action, body, {}, say.sayImageOffline)));
    });
  }
})();
