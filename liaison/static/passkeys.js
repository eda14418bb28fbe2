// Passkeys: asks the server for a challenge, the browser for an answer, and sends the form.

const SAID = {
  none: "This browser has no passkeys. Give a code of your authenticator.",
  wait: "Follow what your browser or device asks.",
  off: "Nothing was done: the passkey was cancelled, or took too long. Try again when ready.",
  known: "This device has a passkey for you already.",
  server: "The portal did not answer as it should. Reload the page and try again.",
  name: "Give the passkey a name first.",
  odd: "The passkey could not be used here. Give a code of your authenticator.",
};

const bytes = text => Uint8Array.from(
  atob(text.replaceAll("-", "+").replaceAll("_", "/")), char => char.charCodeAt(0));

const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

class Refused extends Error {}

const named = list => (list || []).map(one => ({ ...one, id: bytes(one.id) }));

async function challenge(button) {
  const token = button.form.elements.csrf_token.value;
  const answer = await fetch(button.dataset.options, {
    method: "POST", headers: { "X-CSRFToken": token }, credentials: "same-origin",
    cache: "no-store", redirect: "manual",
  });
  const json = (answer.headers.get("Content-Type") || "").startsWith("application/json");
  const said = json ? await answer.json() : {};
  if (answer.status === 409 && said.detail) throw new Refused(said.detail);
  if (answer.status !== 200 || !json) throw new Refused(SAID.server);
  return said;
}

async function create(options) {
  const made = await navigator.credentials.create({ publicKey: {
    ...options, challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: named(options.excludeCredentials),
  } });
  return { ...outer(made), response: {
    clientDataJSON: text(made.response.clientDataJSON),
    attestationObject: text(made.response.attestationObject),
    transports: made.response.getTransports ? made.response.getTransports() : [],
  } };
}

async function get(options) {
  const used = await navigator.credentials.get({ publicKey: {
    ...options, challenge: bytes(options.challenge),
    allowCredentials: named(options.allowCredentials),
  } });
  const { clientDataJSON, authenticatorData, signature, userHandle } = used.response;
  return { ...outer(used), response: {
    clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData),
    signature: text(signature), userHandle: userHandle ? text(userHandle) : null,
  } };
}

const outer = made => ({
  id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: {},
});

function wrong(error) {
  if (error instanceof Refused) return error.message;
  if (error.name === "NotAllowedError" || error.name === "AbortError") return SAID.off;
  if (error.name === "InvalidStateError") return SAID.known;
  return error instanceof TypeError ? SAID.server : SAID.odd;
}

async function go(button) {
  const form = button.form;
  const say = form.querySelector("[data-passkey-say]");
  const name = form.elements.name;
  if (button.dataset.passkey === "create" && name && !name.value.trim()) {
    say.textContent = SAID.name;
    return name.focus();
  }
  button.disabled = true;
  say.textContent = SAID.wait;
  try {
    const options = await challenge(button);
    const answer = button.dataset.passkey === "create" ? await create(options) : await get(options);
    form.elements.credential.value = JSON.stringify(answer);
    form.submit();
  } catch (error) {
    say.textContent = wrong(error);
    button.disabled = false;
  }
}

// Without a script the page says why there is no button; here there is one, or another reason.
for (const button of document.querySelectorAll("[data-passkey]")) {
  const usable = Boolean(window.PublicKeyCredential);
  button.form.querySelector("[data-passkey-say]").textContent = usable ? "" : SAID.none;
  if (!usable) continue;
  button.hidden = false;
  button.addEventListener("click", () => go(button));
}
