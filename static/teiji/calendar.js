// The calendar: FullCalendar over our feed. The address keeps view, day and filters.
"use strict";

(() => {
  const place = document.getElementById("calendar");
  const notes = document.getElementById("calendar-notes");
  const title = document.querySelector("[data-title]");
  const VIEWS = { month: "dayGridMonth", week: "timeGridWeek", day: "timeGridDay" };
  const NAMES = Object.fromEntries(Object.entries(VIEWS).map(([name, view]) => [view, name]));
  const say = place.dataset;
  const isPhone = matchMedia("(max-width: 640px)").matches;
  const FAR = 8; // pixels: so much is no click
  const choice = window.teijiChoice; // for those who may change anything
  let feed = { quiet: [], holidays: {}, loads: {}, full: [], more: {}, notes: [] };

  // Times are those of the zone that the page names, whatever this machine's clock says.
  function clock() {
    const parts = new Intl.DateTimeFormat("sv-SE", {
      timeZone: say.zone, dateStyle: "short", timeStyle: "medium",
    });
    return parts.format(new Date()).replace(" ", "T");
  }

  const today = () => clock().slice(0, 10);
  const dateOf = (moment) => moment.toISOString().slice(0, 10);

  function element(tag, className, text) {
    const made = document.createElement(tag);
    made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function note(texts) {
    notes.replaceChildren(
      ...texts.map((text) => {
        const line = element("p", "tj-note");
        const icon = element("span", "material-symbols-outlined", "info");
        icon.setAttribute("aria-hidden", "true");
        line.append(icon, element("span", "", text));
        return line;
      }),
    );
  }

  async function load(range, done, failed) {
    const asked = new URLSearchParams(location.search);
    asked.set("start", range.startStr.slice(0, 10));
    asked.set("end", range.endStr.slice(0, 10));
    try {
      const answer = await fetch(`${say.feed}?${asked}`);
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      feed = await answer.json();
      note(feed.notes);
      const quiet = feed.quiet.map(([startTime, endTime]) => ({
        groupId: "quiet", startTime, endTime, display: "background", classNames: ["cal-is-quiet"],
      }));
      const holidays = Object.keys(feed.holidays).map((start) => ({
        start, allDay: true, display: "background", classNames: ["cal-is-holiday"],
      }));
      done([...feed.events.map(eventOf), ...quiet, ...holidays]);
      markDays();
    } catch (error) {
      note([say.sayTrouble]);
      failed(error);
    }
  }

  function eventOf(row) {
    const { id, title: name, start, movable, ...facts } = row;
    return {
      id, title: name, start, startEditable: movable, extendedProps: { ...facts, movable },
      classNames: ["cal-event", `tj-${row.tone}`],
    };
  }

  function drawEvent({ event, timeText }) {
    if (event.display === "background") return undefined;
    const icon = element("span", "material-symbols-outlined", event.extendedProps.icon);
    icon.setAttribute("aria-hidden", "true");
    const marks = [];
    if (event.extendedProps.clash) {
      marks.push(element("span", "material-symbols-outlined cal-clash", "warning"));
      marks[0].setAttribute("aria-hidden", "true");
    }
    if (choice?.has(event.id)) {
      marks.unshift(element("span", "material-symbols-outlined cal-chosen-mark", "check_box"));
      marks[0].setAttribute("aria-hidden", "true");
    }
    return {
      domNodes: [...marks, icon, element("b", "cal-event-time", timeText), element("span", "cal-event-title", event.title)],
    };
  }

  function describe({ event, el }) {
    if (event.display === "background") return;
    el.dataset.key = event.id;
    name(event, el);
  }

  function name(event, el) {
    const facts = event.extendedProps;
    const words = [choice?.has(event.id) && say.sayChosen,
      event.startStr.slice(11, 16), event.title, facts.label, facts.why, facts.unit,
      facts.clash && say.sayClash.replace("{who}", facts.clash)];
    const all = words.filter(Boolean).join(" · ");
    el.setAttribute("title", all);
    el.setAttribute("aria-label", all);
  }

  const isOneDay = () => calendar.view.type === VIEWS.day;

  function dayAddress(day) {
    const address = new URL(location.href);
    address.searchParams.set("view", "day");
    address.searchParams.set("date", day);
    return address.search;
  }

  // Holidays, what a room has had, and days that have more stand in the days' heads.
  function markDays() {
    for (const cell of place.querySelectorAll("[data-date]:is(.fc-daygrid-day, .fc-col-header-cell)")) {
      const day = cell.dataset.date;
      const head = cell.querySelector(".fc-daygrid-day-top") ?? cell.querySelector(".fc-scrollgrid-sync-inner");
      if (!head || (cell.matches(".fc-daygrid-day") && cell.closest(".fc-timegrid"))) continue;
      head.querySelector(".cal-marks")?.remove();
      const marks = element("span", "cal-marks");
      for (const name of feed.holidays[day] ?? []) marks.append(element("span", "cal-holiday", name));
      if (feed.loads[day]) {
        const [words, isFull, short] = feed.loads[day];
        const load = element("span", `cal-load${isFull ? " is-full" : ""}`, isPhone && !isOneDay() ? short : words);
        load.title = words;
        marks.append(load);
      }
      if (feed.full.includes(day)) marks.append(element("span", "cal-full", say.sayFull));
      if (feed.more[day]) {
        const [words, byState, count] = feed.more[day];
        const link = element("a", "cal-full", isPhone ? `+${count || ""}` : words);
        link.href = isOneDay() ? say.schedules : dayAddress(day);
        link.dataset.navlink = ""; // a click on it is none on the day
        link.title = [words, byState].filter(Boolean).join(" – ");
        link.setAttribute("aria-label", link.title);
        marks.append(link);
      }
      if (marks.childNodes.length) head.append(marks);
    }
  }

  function follow(info) {
    title.textContent = info.view.title;
    const view = NAMES[info.view.type];
    const address = new URL(location.href);
    address.searchParams.set("view", view);
    address.searchParams.set("date", dateOf(calendar.getDate()));
    history.replaceState(null, "", address);
    for (const link of document.querySelectorAll("[data-view]")) {
      if (link === place) continue;
      const other = new URL(address);
      other.searchParams.set("view", link.dataset.view);
      link.href = other.search;
      if (link.dataset.view === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    for (const name of ["view", "date"]) {
      const field = document.querySelector(`.cal-filters [name=${name}]`);
      field.value = address.searchParams.get(name);
    }
    markDays();
  }

  function register(info) {
    if (!say.register) return;
    if (info.dateStr.slice(0, 10) < today() || (!info.allDay && info.dateStr.slice(0, 16) < clock().slice(0, 16))) {
      note([say.sayPast]);
      return;
    }
    const asked = new URLSearchParams({ date: info.dateStr.slice(0, 10), zone: say.zone });
    if (!info.allDay) asked.set("time", info.dateStr.slice(11, 16));
    location.assign(`${say.register}?${asked}`);
  }

  // The address of one time's dialog: with the way back, and where it is dragged to.
  function asked(event, to) {
    const address = new URL(event.extendedProps.address, location.href);
    address.searchParams.set("back", location.search || "?view=month");
    if (to) {
      address.searchParams.set("to", to);
      address.searchParams.set("zone", say.zone);
    }
    return address.href;
  }

  const calendar = new FullCalendar.Calendar(place, {
    initialView: VIEWS[say.view],
    initialDate: say.date,
    locale: say.locale,
    firstDay: Number(say.firstWeekday),
    timeZone: "UTC", // as written: the feed's times are wall-clock times
    now: clock,
    headerToolbar: false,
    height: "auto",
    allDaySlot: false,
    nowIndicator: true,
    dayMaxEvents: isPhone ? 2 : 5,
    // Seven columns of a phone have no place for the month and “週六”.
    views: { timeGridWeek: isPhone ? { dayHeaderFormat: { day: "numeric", weekday: "narrow" } } : {} },
    eventMaxStack: 4,
    // A link without an address, which opens what it says.
    moreLinkDidMount: ({ el }) => el.setAttribute("role", "button"),
    moreLinkContent: ({ num }) => (isPhone ? `+${num}` : say.sayMore.replace("{n}", num)),
    forceEventDuration: true,
    defaultTimedEventDuration: "00:30",
    nextDayThreshold: "09:00",
    eventInteractive: true,
    eventDisplay: "block",
    displayEventEnd: false,
    slotEventOverlap: false,
    eventDurationEditable: false,
    editable: false,
    eventTimeFormat: { hour: "2-digit", minute: "2-digit", hour12: false },
    slotLabelFormat: { hour: "2-digit", minute: "2-digit", hour12: false },
    scrollTime: "08:00",
    events: load,
    eventContent: drawEvent,
    eventDidMount: describe,
    eventClassNames: ({ event }) => (choice?.has(event.id) ? ["is-chosen"] : []),
    datesSet: follow,
    dateClick: register,
    eventClick(info) {
      info.jsEvent.preventDefault();
      const adds = info.jsEvent.ctrlKey || info.jsEvent.metaKey || info.jsEvent.shiftKey;
      if (!choice || !(choice.isOn() || adds)) window.teijiDialog.open(asked(info.event));
      else if (info.event.extendedProps.movable) choice.toggle(info.event.id);
      else note([say.sayFixed]);
    },
    eventDrop(info) {
      const to = info.event.startStr.slice(0, 19);
      const span = info.event.start - info.oldEvent.start;
      info.revert(); // it moves when the dialog says so
      if (choice?.has(info.event.id) && choice.size > 1) choice.move(span);
      else if (to < clock()) note([say.sayMovedPast]);
      else window.teijiDialog.open(asked(info.event, to));
    },
  });
  // What stays where it is says so, where somebody tries to drag it: the library just does nothing.
  let pulled = null;
  place.addEventListener("pointerdown", ({ target, clientX, clientY }) => {
    const el = target.closest(".cal-event");
    const event = el && calendar.getEventById(el.dataset.key);
    pulled = say.register && event && !event.extendedProps.movable ? { event, clientX, clientY } : null;
  });
  document.addEventListener("pointerup", ({ clientX, clientY }) => {
    if (pulled && Math.hypot(clientX - pulled.clientX, clientY - pulled.clientY) > FAR) {
      note([pulled.event.extendedProps.gone ? say.saySent : say.sayFixed]);
    }
    pulled = null;
  });
  document.addEventListener("pointercancel", () => (pulled = null));
  document.addEventListener("click", (event) => {
    const step = event.target.closest("[data-step]");
    const view = event.target.closest("a[data-view]");
    if (step) calendar[step.dataset.step]();
    else if (view && view.dataset.view in VIEWS) calendar.changeView(VIEWS[view.dataset.view]);
    else return;
    event.preventDefault();
  });
  if (choice) {
    choice.redraw = (key) => {
      const event = calendar.getEventById(key);
      if (!event) return; // of days that are not shown
      event.setExtendedProp("chosen", choice.has(key));
      for (const el of place.querySelectorAll(".cal-event")) if (el.dataset.key === key) name(event, el);
    };
  }
  calendar.render();
  window.teijiCalendar = calendar;
})();
