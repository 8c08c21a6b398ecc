// What would close now; closing asks once, and shows how far it is.
// @ts-check
import { address, element, reload, told, write } from "./A2Ledger.js";

/** @typedef {{customer: string, name?: string, number: string | null, period: {start: string}, last: string,
 *    gross: string, to_pay: string, currency: string, closed: boolean,
 *    warnings: {code: string, message: string}[]}} Row */

/** Rows that are shown. */
const MOST = 500;

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
  const lines = rows.slice(0, MOST).map((row) => {
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
      element("td", { className: "text" }, customer, ` ${row.name ?? ""}`),
      element("td", {}, `${row.period.start} – ${row.last}`),
      ...cells,
      element("td", { className: "text quiet" }, remarks),
    );
  });
  const made = element("table", {}, element("thead", {}, head), element("tbody", {}, ...lines));
  const more = rows.length > MOST ? [`The first ${MOST} of ${rows.length} are shown.`] : [];
  return element("div", { className: "a2l-wide" }, made, ...more);
}

/**
 * @param {HTMLElement} place
 * @param {{ready: Row[], waiting: Row[], totals: string[], sources: string[],
 *   without: string[]}} due
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
      const text = `Close ${count} period${count > 1 ? "s" : ""}`;
      nodes.push(asking(place, text, totals, due.without));
    }
    nodes.push(table(due.ready, true));
  } else {
    nodes.push(element("p", { id: "a2l-due", className: "quiet" }, "Nothing would close now."));
  }
  const behind = due.waiting.some((row) => row.warnings.some((one) => one.code === "source-behind"));
  if (due.waiting.length) {
    nodes.push(element("h2", {}, "Left open"));
  }
  if (behind || due.without.length) {
    nodes.push(sources(place, due));
  }
  if (due.waiting.length) {
    nodes.push(table(due.waiting, false));
  }
  place.replaceChildren(...nodes);
}

/**
 * Boxes to tick for sources that are not to be waited for.
 * @param {HTMLElement} place
 * @param {{sources: string[], without: string[]}} due
 */
function sources(place, due) {
  const box = element("div", { className: "buttons" }, "Do not wait for");
  for (const name of due.sources) {
    const tick = element("input", { type: "checkbox", checked: due.without.includes(name) });
    tick.addEventListener("change", () => {
      const others = due.without.filter((other) => other !== name);
      draw(place, tick.checked ? [...others, name] : others).catch(console.error);
    });
    box.append(element("label", {}, tick, name));
  }
  return box;
}

/** Bills that are linked once they are closed. */
const LINKS = 50;

/**
 * What became of a close: what it said, and the way to the bills. What stays open is no failure.
 * @param {any} done
 */
function closed(done) {
  const bills = Array.isArray(done.result) ? done.result.filter((row) => row.closed && row.number) : [];
  const said = told(bills.length ? { ...done, code: 0 } : done);
  const links = bills.slice(0, LINKS).flatMap((/** @type {Row} */ row) => [
    element("a", { href: address("Customers", { document: row.number ?? "" }) }, `${row.number}`), " ",
  ]);
  return links.length ? [said, element("p", {}, "Bills: ", ...links)] : [said];
}

/**
 * The button, which asks once more before anything is closed.
 * @param {HTMLElement} place
 * @param {string} text
 * @param {string} totals
 * @param {string[]} without
 */
function asking(place, text, totals, without) {
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
    write({ action: "close", without }, (job) => {
      now.textContent = job.now || job.said.at(-1) || "closing";
      const share = job.now.match(/(\d+)%/);
      if (share) {
        bar.value = Number(share[1]) / 100;
      }
    })
      .then(async (done) => {
        await reload();
        document.getElementById("a2l-said")?.replaceChildren(...closed(done));
      })
      .catch((error) => place.prepend(told({ error: `${error}`, said: [], code: 1 })));
  });
  box.append(ask);
  return box;
}

/** How often it was asked what is due: an answer that comes after a later question is not shown. */
let asked = 0;

/** Sources that are not waited for: the page may be loaded anew while somebody chooses.
 * @type {string[]} */
let unwaited = [];

/**
 * @param {HTMLElement} place
 * @param {string[]} without
 */
async function draw(place, without) {
  unwaited = without;
  asked += 1;
  const turn = asked;
  const url = new URL("due", window.location.href);
  for (const name of without) {
    url.searchParams.append("without", name);
  }
  const due = await (await fetch(url)).json();
  if (turn !== asked) {
    return;
  }
  if (due.error) {
    place.replaceChildren(element("p", { className: "a2l-problem" }, due.error));
  } else {
    show(place, due);
  }
}

export default {
  onExtensionPageLoad() {
    const place = document.getElementById("a2l-close");
    if (place) {
      draw(place, unwaited).catch(console.error);
    }
  },
};
