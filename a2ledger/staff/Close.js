// What would close now; closing asks once, and shows how far it is.
// @ts-check
import { address, element, reload, say, told, write } from "./A2Ledger.js";

/** @typedef {{customer: string, name?: string, number: string | null, period: {start: string}, last: string,
 *    gross: string, to_pay: string, currency: string, closed: boolean,
 *    warnings: {code: string, message: string}[]}} Row */
/** @typedef {{ready: Row[], waiting: Row[], ready_count: number, waiting_count: number, first: number, page: number,
 *    behind: string[], totals: string[], sources: string[], without: string[],
 *    held: {customer: string, name: string, reason: string, count: number}[], held_count: number,
 *    unclaimed: {text?: string}}} Due */

/** Milliseconds until it is asked again whether what would close is drawn up. */
const AGAIN = 700;

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
    const remarks = row.warnings.map((warning) => warning.message).join("; ");
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
  const box = element("div", { className: "a2l-wide", tabIndex: 0 }, made);
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", ready ? "Periods that would close" : "Periods that stay open");
  return box;
}

/**
 * The way to other pages of the periods that would close.
 * @param {HTMLElement} place
 * @param {Due} due
 */
function pager(place, due) {
  const last = due.first + due.ready.length;
  const box = element("p", { className: "buttons pager" }, `${due.first + 1}–${last} of ${due.ready_count}`);
  for (const [text, first, there] of /** @type {[string, number, boolean][]} */ ([
    ["‹ before", due.first - due.page, due.first > 0],
    ["next ›", last, last < due.ready_count],
  ])) {
    if (there) {
      const button = element("button", { type: "button", className: "muted" }, text);
      button.addEventListener("click", () => draw(place, due.without, first).catch(console.error));
      box.append(button);
    }
  }
  return box;
}

/** Calls that the bills would lack. @param {Due} due */
function missing(due) {
  const nodes = [];
  if (due.held_count) {
    nodes.push(element("h2", {}, "Not on these bills"));
    const rows = due.held.map((one) =>
      element("tr", {},
        element("td", { className: "num" }, `${one.count}`),
        element("td", { className: "text" }, element("a", { href: address("Imports", { reason: one.reason }) }, one.reason)),
        element("td", { className: "text" }, one.customer
          ? element("a", { href: address("Customers", { customer: one.customer }) }, one.customer)
          : "nobody knows whose", ` ${one.name}`)));
    const head = element("tr", {}, ...[["num", "Calls"], ["text", "In quarantine"], ["text", "Customer"]].map(([className, text]) =>
      element("th", { className }, text)));
    const said = `${due.held_count} ${due.held_count > 1 ? "calls" : "call"} of these periods in quarantine: a bill that is closed lacks them.`;
    nodes.push(element("p", { className: "a2l-problem", id: "a2l-held" }, said));
    nodes.push(element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
  }
  if (due.unclaimed.text) {
    nodes.push(element("p", { className: "a2l-problem", id: "a2l-unclaimed" }, due.unclaimed.text));
  }
  return nodes;
}

/**
 * @param {HTMLElement} place
 * @param {Due} due
 */
function show(place, due) {
  const count = due.ready_count;
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
    nodes.push(...missing(due), table(due.ready, true));
    if (count > due.ready.length) {
      nodes.push(pager(place, due));
    }
  } else {
    nodes.push(element("p", { id: "a2l-due", className: "quiet" }, "Nothing would close now."));
  }
  const behind = due.behind.length > 0;
  if (due.waiting.length) {
    const more = due.waiting_count > due.waiting.length ? `, the first ${due.waiting.length} of ${due.waiting_count}` : "";
    nodes.push(element("h2", {}, `Left open${more}`));
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
 * @param {Due} due
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
  if (bills.length > LINKS) {
    links.push(element("a", { href: address("Invoices", { which: "all" }) }, `and ${bills.length - LINKS} more`));
  }
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
        say(...closed(done));
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
 * @param {number} [first]
 */
async function draw(place, without, first = 0) {
  unwaited = without;
  asked += 1;
  const turn = asked;
  const url = new URL("due", window.location.href);
  for (const name of without) {
    url.searchParams.append("without", name);
  }
  if (first) {
    url.searchParams.set("first", `${first}`);
  }
  let due = await (await fetch(url)).json();
  while (due.pending && turn === asked && place.isConnected) {
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
    due = await (await fetch(url)).json();
  }
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
