// A draft is saved while it is typed. Without this script the page's own button saves it.

const form = document.querySelector("form[data-autosave]");
const said = document.querySelector("[data-saved]");

const PAUSE = 2000; // milliseconds after the last key
const AGAIN = 15000; // until a save that failed is tried again
const PATIENCE = 20000; // until a save counts as failed

const draft = { changed: false, busy: false, over: false, timer: 0 };

function say(text, ...links) {
  said.replaceChildren(text);
  for (const [words, address] of links) {
    if (!address) continue;
    const link = document.createElement("a");
    link.href = address;
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = words;
    said.append(" ", link);
  }
}

function typed() {
  const fields = new FormData(form);
  fields.delete("act"); // the button that is pressed is no part of the draft
  return new URLSearchParams(fields);
}

function later(wait) {
  clearTimeout(draft.timer);
  draft.timer = setTimeout(save, wait);
}

async function save() {
  if (!draft.changed || draft.busy || draft.over) return;
  draft.busy = true;
  draft.changed = false;
  let answer, told = {};
  try {
    answer = await fetch(form.dataset.autosave, {
      method: "POST", body: typed(), credentials: "same-origin", cache: "no-store",
      redirect: "manual", signal: AbortSignal.timeout(PATIENCE),
    });
    const json = (answer.headers.get("Content-Type") || "").startsWith("application/json");
    told = json ? await answer.json() : {};
  } catch {
    answer = { status: 0 };
  }
  draft.busy = false;
  if (!draft.over) hear(answer, told);
}

function hear(answer, told) {
  if (answer.status === 200 && told.id) return saved(told);
  draft.changed = true;
  if (answer.type === "opaqueredirect") {
    draft.over = true;
    say("Not saved: you are signed out. Save or check: you sign in, and the form is there again.");
  } else if (answer.status === 409) {
    draft.over = true;
    say(`Not saved: ${told.detail || "somebody else changed it."}`,
      ["Read theirs", told.theirs], ["Read yours, kept for 12 hours", told.mine]);
  } else if (answer.status === 404 || answer.status === 403) {
    draft.over = true;
    say("Not saved: this draft is not there any more. Save or check to keep what you typed.");
  } else if (answer.status >= 400 && answer.status < 500) {
    say(`Not saved: ${told.detail || "the portal cannot store what the form holds."}`);
  } else {
    say("Not saved: the portal does not answer. It is tried again.");
    later(AGAIN);
  }
}

function saved(told) {
  form.elements.unfinished.value = told.id;
  form.elements.saved.value = told.edit;
  const presence = document.querySelector("[data-presence]");
  if (presence && !presence.dataset.presence) presence.dataset.presence = told.presence;
  say(`Saved ${told.at} UTC`);
  if (draft.changed) later(PAUSE);
}

function touched(event) {
  if (!event.target.name || event.target.form !== form) return;
  draft.changed = true;
  later(PAUSE);
}

if (form && said) {
  form.addEventListener("input", touched);
  form.addEventListener("change", touched);
  form.addEventListener("submit", () => {
    clearTimeout(draft.timer);
    draft.over = true; // what is sent now is newer than any save on its way
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
  // Back by the browser's own button: the form is as it was typed.
  addEventListener("pageshow", event => { if (event.persisted) draft.over = false; });
  if ("unsaved" in form.dataset) {
    draft.changed = true;
    later(PAUSE);
  }
}
