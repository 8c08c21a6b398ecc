// Rows in quarantine: try them again.
// @ts-check
import { ask, element, reload, say, told, write } from "./A2Ledger.js";

/** @param {Record<string, any>} form */
function retry(form) {
  const said = document.getElementById("a2l-said");
  for (const button of document.querySelectorAll(".a2l button")) {
    button.setAttribute("disabled", "");
  }
  write({ action: "retry", ...form }, ({ now, said: lines }) =>
    said?.replaceChildren(element("p", { className: "quiet" }, now || lines.at(-1) || "Trying again …")),
  )
    .then(async (done) => {
      await reload();
      say(told(done));
    })
    .catch((error) => said?.replaceChildren(told({ error: `${error}`, said: [], code: 1 })));
}

export default {
  onExtensionPageLoad() {
    const box = document.getElementById("a2l-retry");
    const accept = box?.querySelector("input");
    const all = box?.querySelector("button");
    all?.addEventListener("click", () =>
      retry({ reason: box?.dataset.reason, accept: Boolean(accept?.checked) }),
    );
    all?.removeAttribute("disabled"); // as the page came, a click would have been lost
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-accept]"))) {
      button.addEventListener("click", () => retry({ identities: [button.dataset.accept], accept: true }));
      button.disabled = false;
    }
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-drop]"))) {
      button.addEventListener("click", () =>
        ask("Drop a row for good", "dropped.csv keeps what it was, when and why. Imported again, it is billed to nobody.",
          [{ name: "reason", label: "Reason", needed: true }],
          (values) => ({ action: "drop", ...values, identities: [button.dataset.drop] })),
      );
      button.disabled = false;
    }
    for (const button of document.querySelectorAll("#a2l-quarantine [data-identity]")) {
      button.addEventListener("click", () =>
        retry({
          identities: [/** @type {HTMLElement} */ (button).dataset.identity],
          accept: Boolean(accept?.checked),
        }),
      );
      button.removeAttribute("disabled");
    }
  },
};
