// "Try it": Swagger UI over our own document. The key is typed by whoever tries, and is kept in
// this page's memory only: nothing is stored, nothing is taken from the address.
const place = document.getElementById("swagger");
const root = document.documentElement;
const sky = matchMedia("(prefers-color-scheme: dark)");

function dress() {
  const chosen = root.dataset.theme;
  root.classList.toggle("dark-mode", chosen ? chosen === "night" : sky.matches);
}

async function begin() {
  const answer = await fetch(place.dataset.specification);
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const document_ = await answer.json();
  for (const call of Object.values(document_.paths).flatMap(Object.values)) {
    // Swagger UI would send them along unasked, and the example's order is not the reader's.
    for (const parameter of call.parameters ?? []) delete parameter.schema?.example;
  }
  // The calls go to where this page came from, whatever other names the portal has.
  document_.servers = [{ url: location.origin }];
  globalThis.SwaggerUIBundle({
    spec: document_,
    domNode: place,
    presets: [globalThis.SwaggerUIBundle.presets.apis],
    deepLinking: false,
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    persistAuthorization: false,
    queryConfigEnabled: false,
    showMutatedRequest: false,
    tryItOutEnabled: true,
    validatorUrl: null,
  });
}

dress();
sky.addEventListener("change", dress);
begin().catch((error) => {
  const told = document.createElement("p");
  told.textContent = `The description could not be loaded (${error.message}). Reload the page.`;
  place.replaceChildren(told);
});
