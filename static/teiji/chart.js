// The organisation chart: units open where they stand, by mouse and by the keys of a tree.
"use strict";

(() => {
  const tree = document.querySelector(".org-tree");
  if (!tree) return;
  const ITEM = '[role="treeitem"]';
  const group = (item) => item.querySelector(':scope > [role="group"]');
  const above = (item) => item.parentElement.closest(ITEM);
  const isOpen = (item) => item.getAttribute("aria-expanded") === "true";
  const shown = () => [...tree.querySelectorAll(ITEM)].filter((item) => item.offsetParent !== null);

  // One stop of the tab key; what stands in a unit's row is reached from there.
  function stop(item) {
    for (const other of tree.querySelectorAll(ITEM)) other.tabIndex = -1;
    item.tabIndex = 0;
  }

  function prepare(within) {
    for (const item of within.querySelectorAll(ITEM)) item.tabIndex = -1;
    for (const toggle of within.querySelectorAll("a.org-toggle")) toggle.tabIndex = -1;
  }

  async function fetched(address) {
    const answer = await fetch(address, { headers: { "X-Requested-With": "fetch" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    const known = (item) => item.id && document.getElementById(item.id);
    for (const item of holder.content.querySelectorAll(ITEM)) if (known(item)) item.remove();
    return holder.content;
  }

  async function open(item) {
    const place = group(item);
    if (!place || item.ariaBusy === "true") return;
    if (!place.children.length) {
      item.ariaBusy = "true";
      try {
        place.append(await fetched(item.dataset.branches));
        prepare(place);
      } catch {
        tell(item);
        return;
      } finally {
        item.ariaBusy = null;
      }
    }
    item.setAttribute("aria-expanded", "true");
  }

  function close(item) {
    item.setAttribute("aria-expanded", "false");
  }

  async function more(link) {
    const line = link.closest("li");
    try {
      const further = await fetched(link.dataset.more);
      const first = further.querySelector(ITEM);
      line.before(further);
      line.remove();
      prepare(tree);
      go(first);
    } catch {
      tell(line);
    }
  }

  function tell(item) {
    let words = item.querySelector(":scope > .org-failed");
    if (!words) {
      words = document.createElement("p");
      words.className = "org-failed tj-bad-text";
      words.setAttribute("role", "alert");
      item.append(words);
    }
    words.textContent = tree.dataset.failed;
  }

  function go(item) {
    if (!item) return;
    stop(item);
    item.focus();
  }

  const KEYS = {
    ArrowDown: (item, all) => go(all[all.indexOf(item) + 1]),
    ArrowUp: (item, all) => go(all[all.indexOf(item) - 1]),
    Home: (_item, all) => go(all[0]),
    End: (_item, all) => go(all.at(-1)),
    ArrowRight: (item) => (isOpen(item) ? go(group(item).querySelector(ITEM)) : open(item)),
    ArrowLeft: (item) => (isOpen(item) ? close(item) : go(above(item))),
    " ": (item) => (isOpen(item) ? close(item) : open(item)),
    Enter: (item) => (item.dataset.more ? more(item) : item.querySelector(".org-name a").click()),
  };

  tree.addEventListener("keydown", (event) => {
    const item = event.target.closest(ITEM);
    // In a row's links the keys are the links' own, but for the arrows.
    const isInside = event.target !== item;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const all = shown();
    if (KEYS[event.key] && !(isInside && ["Enter", " "].includes(event.key))) {
      event.preventDefault();
      KEYS[event.key](item, all);
    } else if (event.key.length === 1 && !isInside) {
      const typed = event.key.toLocaleLowerCase();
      const from = all.indexOf(item) + 1;
      const named = (one) => one.querySelector(".org-name a")?.textContent.toLocaleLowerCase();
      go([...all.slice(from), ...all.slice(0, from)].find((one) => named(one)?.startsWith(typed)));
    }
  });

  tree.addEventListener("click", (event) => {
    const toggle = event.target.closest("a.org-toggle");
    const link = event.target.closest("[data-more]");
    if (!toggle && !link) return;
    event.preventDefault();
    if (link) {
      more(link);
      return;
    }
    const item = toggle.closest(ITEM);
    stop(item);
    if (isOpen(item)) close(item);
    else open(item);
  });

  prepare(tree);
  stop(tree.querySelector('[aria-current="true"]') || tree.querySelector(ITEM));
  tree.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "center" });
})();
