// Liaison: a clock, countdowns and one poll a page. Every page works without it.

const page = document.documentElement;
const title = document.body.dataset.title;
const say = document.getElementById("say");

// The server's clock counts: a viewer's may be wrong by hours.
const skew = Date.parse(page.dataset.now) - Date.now();
const now = () => Date.now() + skew;

// --- countdowns ---------------------------------------------------------------------------

const SPOKEN = [900, 300, 60];
const TWO_DAYS = 172800;
const heard = new Map();

function asClock(seconds) {
  const a = Math.abs(seconds), sign = seconds < 0 ? "−" : "";
  const two = n => String(n).padStart(2, "0");
  if (a >= TWO_DAYS) return `${sign}${Math.floor(a / 86400)} days`;
  const hours = a >= 3600 ? two(Math.floor(a / 3600)) + ":" : "";
  return sign + hours + two(Math.floor(a / 60) % 60) + ":" + two(a % 60);
}

function speak(timer, seconds) {
  const before = heard.get(timer.dateTime);
  heard.set(timer.dateTime, seconds);
  if (before === undefined) return;
  const mark = SPOKEN.find(m => before > m && seconds <= m);
  if (mark === undefined) return;
  const minutes = mark === 60 ? "1 minute" : `${mark / 60} minutes`;
  say.textContent = `${minutes} left ${timer.dataset.what || ""}`.trim();
}

function tick() {
  for (const timer of document.querySelectorAll("time[data-left]")) {
    const seconds = Math.round((Date.parse(timer.dateTime) - now()) / 1000);
    const soon = timer.dataset.left === "in"; // what comes does not lie behind: it is due
    timer.textContent = soon ? (seconds > 0 ? `in ${asClock(seconds)}` : "due now") : asClock(seconds);
    if (timer.dataset.left === "main") {
      document.title = `${timer.textContent} · ${title}`;
      speak(timer, seconds);
    }
  }
  for (const clock of document.querySelectorAll("[data-clock]")) {
    clock.textContent = `${new Date(now()).toISOString().slice(11, 19)} UTC`;
  }
}

// --- the live part of a page --------------------------------------------------------------

const SLOWEST = 300; // seconds between tries while the server does not answer
const PATIENCE = 20; // seconds until a try counts as failed
const GONE = { 401: "You are signed out.", 403: "You may not read this any more.",
               404: "This is not here any more." };

const live = { tag: null, every: 30, next: 0, checked: 0, failures: 0, paused: false, over: "",
               busy: false, waiting: null };

const badge = () => document.querySelector("[data-live]");
const region = () => document.getElementById("live");

// What somebody is reading closely or writing in is not taken from under their hands.
function inUse(where) {
  const held = document.activeElement;
  if (held && where.contains(held) && held.matches("input, select, textarea")) return true;
  const marked = document.getSelection();
  if (marked && !marked.isCollapsed && where.contains(marked.anchorNode)) return true;
  return [...where.querySelectorAll("input, select, textarea")].some(edited);
}

function edited(control) {
  if (control.type === "hidden") return false;
  if (control.type === "checkbox" || control.type === "radio") {
    return control.checked !== control.defaultChecked;
  }
  if (control.matches("select")) {
    const options = [...control.options];
    const given = options.some(o => o.defaultSelected);
    return given && options.some(o => o.selected !== o.defaultSelected);
  }
  return control.value !== control.defaultValue;
}

function sameAs(element, where) {
  if (element.id) return document.getElementById(element.id);
  const link = element.getAttribute("href");
  const alike = link ? `[href="${CSS.escape(link)}"]` : element.hasAttribute("data-live-pause")
    ? "[data-live-pause]" : null;
  return alike && where.querySelector(alike);
}

// The menu comes with the live part: its counts belong to the same moment.
function putMenu(fresh) {
  const given = fresh.getElementById("menu"), menu = document.getElementById("menu");
  given?.remove();
  if (!given || !menu || given.innerHTML === menu.innerHTML) return;
  const held = menu.contains(document.activeElement) ? document.activeElement : null;
  menu.replaceChildren(...given.childNodes);
  if (held) sameAs(held, menu)?.focus({ preventScroll: true });
}

function put(html) {
  const where = region();
  if (!where) return;
  const fresh = new DOMParser().parseFromString(html, "text/html");
  putMenu(fresh);
  const source = fresh.getElementById("live") || fresh.body;
  const held = where.contains(document.activeElement) ? document.activeElement : null;
  const open = [...where.querySelectorAll("details")].map(d => d.open);
  where.replaceChildren(...source.childNodes);
  const folds = [...where.querySelectorAll("details")];
  if (folds.length === open.length) folds.forEach((d, i) => { d.open = open[i]; });
  tick();
  show(); // what is hidden takes no focus
  if (held) sameAs(held, where)?.focus({ preventScroll: true });
}

async function look() {
  const at = badge();
  live.busy = true;
  try {
    const headers = live.tag ? { "If-None-Match": live.tag } : {};
    const answer = await fetch(at.dataset.live, {
      headers, cache: "no-store", credentials: "same-origin", redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE * 1000),
    });
    // A redirect leads to the sign-in page: the session has ended.
    if (answer.type === "opaqueredirect") live.over = GONE[401];
    else if (answer.status in GONE) live.over = GONE[answer.status];
    else if (answer.status === 200) {
      live.waiting = await answer.text();
      live.tag = answer.headers.get("ETag");
    } else if (answer.status !== 304) throw new Error(String(answer.status));
    live.every = Number(answer.headers.get("X-Poll-Interval")) || live.every;
    live.failures = 0;
    live.checked = Date.now();
  } catch {
    live.failures += 1;
  }
  live.busy = false;
  // One look that fails is a hiccup: the next comes as usual. Only then they grow rare.
  const slower = 2 ** Math.max(0, live.failures - 1);
  const wait = Math.min(live.every * slower, Math.max(SLOWEST, live.every));
  live.next = Date.now() + wait * 1000;
}

function words() {
  if (live.over) return live.over;
  if (live.paused) return "Paused";
  const seconds = Math.max(0, Math.round((Date.now() - live.checked) / 1000));
  const ago = seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
  if (live.failures) return `No answer, last checked ${ago} ago`;
  if (live.waiting) return "Changed; shown when you have finished here";
  return `Live · checked ${ago} ago`;
}

function show() {
  const at = badge();
  if (!at) return;
  at.hidden = false;
  const text = at.querySelector("[data-live-text]"), button = at.querySelector("[data-live-pause]");
  if (text && text.textContent !== words()) text.textContent = words();
  if (button) {
    const does = live.over ? "Reload" : live.paused ? "Resume updates" : "Pause updates";
    if (button.textContent !== does) button.textContent = does;
  }
  at.classList.toggle("still", Boolean(live.paused || live.over));
  at.classList.toggle("lost", live.failures > 0);
}

function beat() {
  const at = badge(), where = region();
  if (!at || !where) return;
  if (live.waiting && !inUse(where)) {
    const html = live.waiting;
    live.waiting = null;
    put(html);
  }
  const rest = live.busy || live.paused || live.over || document.hidden;
  if (!rest && Date.now() >= live.next) look().then(show);
  show();
}

function begin() {
  const at = badge();
  if (!at) return;
  live.every = Number(at.dataset.every) || live.every;
  live.checked = Date.now();
  live.next = Date.now() + live.every * 1000;
  document.addEventListener("click", event => {
    if (!event.target.closest("[data-live-pause]")) return;
    if (live.over) return location.reload();
    live.paused = !live.paused;
    live.next = 0; // who resumes wants to see the present
    beat();
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) beat(); });
  beat();
  setInterval(beat, 1000);
}

// --- copying ------------------------------------------------------------------------------

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break; // only over HTTPS and on this machine; the text can be selected
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    await navigator.clipboard.writeText(field.value);
    button.lastElementChild.textContent = say.textContent = "Copied";
  });
}

// --- start --------------------------------------------------------------------------------

tick();
setInterval(tick, 1000);
begin();
document.getElementById("errors")?.focus();

// A second click does not send a form twice; coming back to the page makes it whole again.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// What a choice asks for opens with it: <details data-open-with="name=value">.
for (const fold of document.querySelectorAll("details[data-open-with]")) {
  const [name, value] = fold.dataset.openWith.split("=");
  for (const box of document.querySelectorAll(`input[name="${name}"]`)) {
    box.addEventListener("change", () => {
      if (box.checked && box.value === value) fold.open = true;
    });
  }
}
