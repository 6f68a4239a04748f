// What htmx and the server leave to the browser: its own time zone, where the focus goes, lists that are filtered.
(() => {
  "use strict";
  const page = document.documentElement.lang;
  const language = navigator.languages.find((each) => each.startsWith(page)) || page;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const long = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const full = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" });
  const exact = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  const weekday = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

  function ago(moment) {
    const seconds = (moment - Date.now()) / 1000;
    const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) || units[3];
    return relative.format(Math.round(seconds / size), unit);
  }

  function showTimes(root) {
    for (const time of root.querySelectorAll("time[data-show]")) {
      const moment = new Date(time.dateTime);
      const show = { ago, full: (at) => long.format(at), exact: (at) => exact.format(at), next: (at) => weekday.format(at) }[time.dataset.show];
      time.textContent = show(moment);
      time.title = full.format(moment);
    }
    for (const place of root.querySelectorAll("[data-zone]")) place.textContent = zone;
    for (const input of root.querySelectorAll("input[data-own-zone]")) if (!input.value) input.value = zone;
  }

  function filterLists(root) {
    for (const input of root.querySelectorAll("input[data-filters]")) {
      const entries = document.getElementById(input.dataset.filters).children;
      input.addEventListener("input", () => {
        const wanted = input.value.toLowerCase();
        for (const entry of entries) entry.hidden = !entry.textContent.toLowerCase().includes(wanted);
      });
    }
  }

  function chooseAll(root) {
    for (const all of root.querySelectorAll("input[data-all]")) {
      all.addEventListener("change", () => {
        for (const box of document.querySelectorAll(`input[name="${all.dataset.all}"]`)) box.checked = all.checked;
      });
    }
  }

  // Parts of a form that matter only for one choice: <div data-when="field" data-is="value other">.
  function showChosen() {
    for (const part of document.querySelectorAll("[data-when]")) {
      const fields = part.closest("form").elements[part.dataset.when];
      part.hidden = !fields || !part.dataset.is.split(" ").includes(fields.value);
    }
  }
  document.addEventListener("change", showChosen);

  function begin(root) {
    showChosen();
    showTimes(root);
    filterLists(root);
    chooseAll(root);
  }

  // Nothing that is typed is lost: leaving a changed form asks, and a form whose session ended is there again after
  // signing in. Only this tab keeps it, and no password; <form data-keeps="where the form is made again">.
  const kept = () => `kept:${window.location.pathname}`;
  let changed = false;
  function notice({ target }) {
    if (target.closest("form[data-keeps]")) changed = true;
  }
  document.addEventListener("input", notice);
  document.addEventListener("change", notice);
  window.addEventListener("beforeunload", (event) => {
    if (changed && document.querySelector("form[data-keeps]")) event.preventDefault();
  });
  function keep() {
    const form = document.querySelector("form[data-keeps]");
    if (!form || !changed) return;
    const secret = new Set([...form.querySelectorAll("input[type=password]")].map((input) => input.name));
    sessionStorage.setItem(kept(), JSON.stringify([...new FormData(form)].filter(([name]) => !secret.has(name))));
    changed = false;
  }
  function restore() {
    const form = document.querySelector("form[data-keeps]");
    const stored = form && sessionStorage.getItem(kept());
    if (!stored) return;
    sessionStorage.removeItem(kept());
    const values = { do: "restore" };
    for (const [name, value] of JSON.parse(stored)) {
      if (name !== "do") values[name] = name in values ? [values[name], value].flat() : value;
    }
    changed = true;
    htmx.ajax("POST", form.dataset.keeps, { target: "#page", select: "#page", swap: "outerHTML", values });
  }
  document.addEventListener("htmx:beforeOnLoad", ({ detail: { xhr } }) => {
    if (xhr.status === 401) keep();
    else if (xhr.getResponseHeader("HX-Redirect")) changed = false;
  });

  const scrolled = {};
  // A page that nobody looks at asks for nothing: each look costs.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const polls = event.target.getAttribute("hx-trigger")?.startsWith("every");
    if (polls && document.hidden) event.preventDefault();
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (!(xhr.getResponseHeader("Content-Type") || "").startsWith("text/html")) {
      event.detail.shouldSwap = false;
      if (xhr.status === 401) window.location.reload();
      else if (xhr.status >= 400) complain();
    }
    for (const box of document.querySelectorAll("[data-keep-scroll]")) scrolled[box.id] = box.scrollTop;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    begin(document);
    if (!document.querySelector("form[data-keeps]")) changed = false;
    for (const [id, top] of Object.entries(scrolled)) document.getElementById(id)?.scrollTo({ top });
    if (event.detail.elt.id === "page" || event.detail.elt.id === "notices") moveFocus();
  });
  document.addEventListener("htmx:sendError", complain);

  // What is typed while the form is fetched again stays.
  const typed = new Map();
  const sent = new WeakMap();
  document.addEventListener("input", ({ target }) => {
    if (target.id && !["checkbox", "radio"].includes(target.type)) typed.set(target.id, { value: target.value, at: performance.now() });
  });
  document.addEventListener("htmx:beforeSend", ({ detail }) => sent.set(detail.xhr, performance.now()));
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    for (const [id, { value, at }] of typed) {
      const field = document.getElementById(id);
      if (field && at > sent.get(detail.xhr)) field.value = value;
    }
  });

  // To what there is to know; else htmx has kept it where it was, unless that is gone.
  function moveFocus() {
    const told = document.querySelector("#page [data-focus]");
    if (told) told.focus();
    else if (document.activeElement === document.body) document.getElementById("page").focus({ preventScroll: true });
  }

  function complain() {
    const notices = document.getElementById("notices");
    const template = document.getElementById("no-answer");
    notices.replaceChildren(template.content.cloneNode(true));
    notices.querySelector("[data-focus]").focus();
  }

  begin(document);
  document.addEventListener("htmx:load", restore, { once: true });
})();
