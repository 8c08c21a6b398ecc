// What would close now; closing asks once, and shows how far it is.
// @ts-check
import { address, element, reload, told, write } from "./A2Ledger.js";

/** @typedef {{customer: string, number: string | null, period: {start: string}, last: string,
 *    gross: string, to_pay: string, currency: string, closed: boolean,
 *    warnings: {code: string, message: string}[]}} Row */

/**
 * @param {Row[]} rows
 * @param {boolean} ready
 */
function table(rows, ready) {
  const heads = ready
    ? ["Customer", "Period", "Number", "Billed", "To pay", "", "Remarks"]
    : ["Customer", "Period", "Why it stays open"];
  const numbers = new Set(["Billed", "To pay"]);
  const head = element("tr", {}, ...heads.map((text) =>
    element("th", { className: numbers.has(text) ? "num" : "text" }, text)));
  const lines = rows.map((row) => {
    const customer = element("a", { href: address("Customers", { customer: row.customer }) }, row.customer);
    const remarks = row.warnings.map((warning) => warning.message).join("\n");
    const cells = ready
      ? [
          element("td", {}, row.number ?? "statement"),
          element("td", { className: "num" }, row.gross),
          element("td", { className: "num" }, row.to_pay),
          element("td", {}, row.currency),
        ]
      : [];
    return element(
      "tr",
      {},
      element("td", {}, customer),
      element("td", {}, `${row.period.start} – ${row.last}`),
      ...cells,
      element("td", { className: "text quiet" }, remarks),
    );
  });
  const made = element("table", {}, element("thead", {}, head), element("tbody", {}, ...lines));
  return element("div", { className: "a2l-wide" }, made);
}

/**
 * @param {HTMLElement} place
 * @param {{ready: Row[], waiting: Row[], totals: string[]}} due
 */
function show(place, due) {
  const count = due.ready.length;
  const totals = due.totals.join(" and ");
  const nodes = [];
  if (count) {
    nodes.push(
      element("p", { id: "a2l-due" }, `${count} period${count > 1 ? "s" : ""} would close now, ${totals} billed.`),
    );
    if (place.dataset.mayWrite) {
      nodes.push(asking(place, `Close ${count} period${count > 1 ? "s" : ""}`, totals));
    }
    nodes.push(table(due.ready, true));
  } else {
    nodes.push(element("p", { id: "a2l-due", className: "quiet" }, "Nothing would close now."));
  }
  if (due.waiting.length) {
    nodes.push(element("h2", {}, "Left open"), table(due.waiting, false));
  }
  place.replaceChildren(...nodes);
}

/**
 * The button, which asks once more before anything is closed.
 * @param {HTMLElement} place
 * @param {string} text
 * @param {string} totals
 */
function asking(place, text, totals) {
  const box = element("div", { className: "buttons" });
  const ask = element("button", { type: "button", id: "a2l-ask" }, `${text} …`);
  const sure = element("button", { type: "button", id: "a2l-sure" }, text);
  const no = element("button", { type: "button", className: "muted" }, "Not now");
  ask.addEventListener("click", () =>
    box.replaceChildren(`This bills ${totals} and cannot be undone.`, sure, no),
  );
  no.addEventListener("click", () => box.replaceChildren(ask));
  sure.addEventListener("click", () => {
    const bar = /** @type {HTMLProgressElement} */ (element("progress"));
    const now = element("span", { className: "quiet" }, "closing");
    box.replaceChildren(bar, now);
    write({ action: "close" }, (job) => {
      now.textContent = job.now || job.said.at(-1) || "closing";
      const share = job.now.match(/(\d+)%/);
      if (share) {
        bar.value = Number(share[1]) / 100;
      }
    })
      .then(async (done) => {
        await reload();
        document.getElementById("a2l-said")?.replaceChildren(told(done));
      })
      .catch((error) => place.prepend(told({ error: `${error}`, said: [], code: 1 })));
  });
  box.append(ask);
  return box;
}

export default {
  onExtensionPageLoad() {
    const place = document.getElementById("a2l-close");
    if (place) {
      fetch(new URL("due", window.location.href))
        .then((answer) => answer.json())
        .then((due) => {
          if (due.error) {
            place.replaceChildren(element("p", { className: "a2l-problem" }, due.error));
          } else {
            show(place, due);
          }
        })
        .catch(console.error);
    }
  },
};
