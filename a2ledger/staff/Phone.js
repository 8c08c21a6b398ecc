// Running calls: looked at again every few seconds, and ended on request.
// @ts-check
import { element, reload, told, write } from "./A2Ledger.js";

const EVERY = 3000;

/** @type {number | undefined} */
let timer;

/** Look again, as long as the page is shown. */
async function again() {
  if (!document.getElementById("a2l-phone")) {
    return;
  }
  if (!document.hidden && !document.querySelector("#a2l-said p")) {
    await reload().catch(() => {}); // a server that restarts is asked again
    return; // what was loaded has begun its own time
  }
  wait();
}

function wait() {
  window.clearTimeout(timer);
  timer = window.setTimeout(again, EVERY);
}

/** @param {HTMLElement} button */
function hangUp(button) {
  const said = document.getElementById("a2l-said");
  button.setAttribute("disabled", "");
  write({ action: "hang-up", call: button.dataset.call }, () =>
    said?.replaceChildren(element("p", { className: "quiet" }, "Asking the switch …")),
  )
    .then(async (done) => {
      await reload();
      document.getElementById("a2l-said")?.replaceChildren(told(done));
      window.setTimeout(() => document.getElementById("a2l-said")?.replaceChildren(), 2 * EVERY);
    })
    .catch((error) => said?.replaceChildren(told({ error: `${error}`, said: [], code: 1 })));
}

export default {
  onExtensionPageLoad() {
    for (const button of document.querySelectorAll("#a2l-phone button")) {
      button.addEventListener("click", () => hangUp(/** @type {HTMLElement} */ (button)));
      button.removeAttribute("disabled");
    }
    wait();
  },
};
