// Tells the portal that this page stands open, and the reader which colleagues have it open, too.

const at = document.querySelector("[data-presence]");

const token = document.querySelector("input[name=csrf_token]"); // of the bar's own forms

const EVERY = 20000; // milliseconds; the portal forgets a reader after a minute
const GONE = [401, 403, 404];

let over = false;

function writing() {
  const held = document.activeElement;
  return at.dataset.writing || (held && held.matches("textarea")) ? "1" : "0";
}

async function sign() {
  if (over || document.hidden || !at.dataset.presence) return;
  try {
    const answer = await fetch(at.dataset.presence, {
      method: "POST", body: new URLSearchParams({ writing: writing() }),
      headers: { "X-CSRFToken": token.value }, credentials: "same-origin",
      cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(EVERY),
    });
    if (answer.type === "opaqueredirect" || GONE.includes(answer.status)) over = true;
    if (answer.status !== 200) return;
    const { words } = await answer.json();
    if (at.textContent !== words) at.textContent = words;
  } catch {
    // No answer: the next sign may get through.
  }
}

if (at && token) {
  sign();
  setInterval(sign, EVERY);
  document.addEventListener("visibilitychange", sign);
  // A new draft has a place to be present at from its first save on.
  new MutationObserver(sign).observe(at, { attributeFilter: ["data-presence"] });
}
