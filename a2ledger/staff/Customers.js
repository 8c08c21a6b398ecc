// The table of all customers, and the forms of one.
// @ts-check
import { address, ask, element, facts, sending } from "./A2Ledger.js";

const ROWS = 100;
const [ID, NAME, CURRENCY, , , , , AVAILABLE, , STATUS, PHONE] = Array(11).keys();
const NUMBERS = new Set([3, 4, 5, 6, 7]);
const OPTIONAL = new Set([2, 4, 5, 6, 8, 10]);
const COLUMNS = [0, 1, 3, 4, 5, 6, 7, 2, 8, 9, 10];

/** How the table was last looked at: it is found like that again. */
const state = { key: -1, down: false, text: "", over: false, first: 0, typed: 0 };

/** Milliseconds for which somebody who has typed is taken to be typing still. */
const TYPING = 5000;

/** @type {string[][]} */
let rows = [];

function chosen() {
  const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter(
    (row) =>
      (!state.over || row[STATUS] === "over limit") &&
      words.every((word) =>
        `${row[ID]} ${row[NAME]} ${row[STATUS]} ${row[CURRENCY]} ${row[PHONE]}`.toLowerCase().includes(word),
      ),
  );
  if (state.key >= 0) {
    const key = state.key;
    const compare = NUMBERS.has(key)
      ? (/** @type {string[]} */ a, /** @type {string[]} */ b) => Number(a[key]) - Number(b[key])
      : new Intl.Collator(undefined, { numeric: true }).compare;
    const sign = state.down ? -1 : 1;
    found.sort((a, b) =>
      sign * (NUMBERS.has(key) ? compare(a, b) : compare(a[key], b[key])),
    );
  }
  return found;
}

/** @param {string[]} row */
function line(row) {
  const over = row[STATUS] === "over limit";
  const made = element("tr", { className: over ? "over" : row[STATUS] });
  for (const column of COLUMNS) {
    const classes = [
      NUMBERS.has(column) ? "num" : "",
      OPTIONAL.has(column) ? "optional" : "",
      column === STATUS ? "status" : "",
      column === NAME ? "text place" : "",
    ];
    const text = row[column];
    made.append(
      element(
        "td",
        { className: classes.join(" ") },
        column === ID
          ? element("a", { href: address("Customers", { customer: text }) }, text)
          : text,
      ),
    );
  }
  return made;
}

/** @param {HTMLElement} table */
function draw(table) {
  const found = chosen();
  state.first = Math.max(0, Math.min(state.first, found.length - 1));
  state.first -= state.first % ROWS;
  const shown = found.slice(state.first, state.first + ROWS);
  table.querySelector("tbody")?.replaceChildren(...shown.map(line));
  for (const head of table.querySelectorAll("th[data-key]")) {
    const mine = Number(head.getAttribute("data-key")) === state.key;
    head.setAttribute("aria-sort", mine ? (state.down ? "descending" : "ascending") : "none");
    head.toggleAttribute("data-order", mine);
    if (mine) {
      head.setAttribute("data-order", state.down ? "desc" : "asc");
    }
  }
  const many = found.length.toLocaleString();
  const last = state.first + shown.length;
  const count = document.getElementById("a2l-count");
  if (count) {
    count.textContent =
      found.length > ROWS ? `${state.first + 1}–${last} of ${many}` : `${many} customers`;
  }
  const pager = document.getElementById("a2l-pager");
  if (pager) {
    pager.hidden = found.length <= ROWS;
  }
}

async function list(/** @type {HTMLElement} */ table) {
  const answer = await fetch(new URL("rows", window.location.href));
  rows = await answer.json();
  const filter = /** @type {HTMLInputElement} */ (document.getElementById("a2l-filter"));
  const over = /** @type {HTMLInputElement} */ (document.getElementById("a2l-over"));
  filter.value = state.text;
  if (Date.now() - state.typed < TYPING) {
    filter.focus(); // the page was loaded anew under his hands
  }
  over.checked = state.over;
  const change = () => {
    const typed = Date.now();
    Object.assign(state, { text: filter.value, over: over.checked, first: 0, typed });
    draw(table);
  };
  filter.addEventListener("input", change);
  over.addEventListener("change", change);
  document.getElementById("a2l-back")?.addEventListener("click", () => {
    state.first -= ROWS;
    draw(table);
  });
  document.getElementById("a2l-next")?.addEventListener("click", () => {
    state.first += ROWS;
    draw(table);
  });
  for (const head of table.querySelectorAll("th[data-key]")) {
    head.addEventListener("click", () => {
      const key = Number(head.getAttribute("data-key"));
      const down = state.key === key ? !state.down : NUMBERS.has(key) && key !== AVAILABLE;
      Object.assign(state, { key, down, first: 0 });
      draw(table);
    });
  }
  draw(table);
}

/** Names of facts as people say them; others are said as they are called. */
const SAID = { vat_id: "VAT number", iban: "IBAN", bic: "BIC", email: "E-mail", vat: "VAT" };
const PLACES = ["name", "email", "phone", "contact", "street", "street2", "postcode", "city", "region", "country",
  "vat_id", "language", "delivery", "terms", "iban", "bic", "registration", "peppol", "buyer_reference", "order_reference"];

/** @param {string} key */
const said = (key) =>
  /** @type {any} */ (SAID)[key] ?? (key[0].toUpperCase() + key.slice(1)).replaceAll("_", " ");

/** @typedef {import("./A2Ledger.js").Field} Field */

/**
 * What can be done for a customer: title, note, fields, form.
 * @param {any} data
 * @returns {Record<string, [string, string, Field[], (values: any) => any]>}
 */
function actions(data) {
  const customer = data.customer;
  const amount = (/** @type {string} */ label, needed = true, value = "") =>
    ({ name: "amount", label: `${label}, ${data.currency}`, kind: "amount", needed, value });
  const date = { name: "date", label: "Date", value: data.today, needed: true };
  const from = { name: "date", label: "From", value: data.today, needed: true };
  const text = { name: "description", label: "Text on the statement" };
  const reason = { name: "reason", label: "Reason", needed: true };
  const method = { name: "method", label: "Method", choices: [/** @type {[string, string]} */ (["", "as usual"]), ...data.methods] };
  const service = { name: "service", label: "Service", choices: data.services.filter((/** @type {string} */ one) => one !== "Calls") };
  const numbers = data.documents.slice().reverse();
  const open = [["", "the oldest that are open"], ...data.invoices.map((/** @type {any} */ one) =>
    [one.number, `${one.number}: ${one.open} open, due ${one.due_date}`])];
  const paid = data.payments.slice().reverse().map((/** @type {any} */ one) =>
    [one.id, `${one.date}: ${one.amount} ${one.method} ${one.reference}`]);
  const fees = data.fees.map((/** @type {any} */ one) => [one.id, `${one.id}: ${one.amount}, ${one.description || one.service}`]);
  const with_ = (/** @type {string} */ action) => (/** @type {any} */ values) => ({ action, customer, ...values });
  const before = (/** @type {string[]} */ keys) =>
    Object.fromEntries(keys.map((key) => [key, data.facts[key] ?? ""]));
  /** @type {any} */
  const all = {
    Payment: ["Record a payment", "Gross: what arrived in the bank.",
      [amount("Amount, gross"), date, { name: "invoice", label: "For invoice", choices: open }, method,
        { name: "reference", label: "Reference" }, text], with_("payment")],
    Refill: ["Record a refill", "Credit to talk with.", [amount("Amount"), date, method, { name: "reference", label: "Reference" }, text], with_("refill")],
    Charge: ["Charge once", "Net: VAT comes with the bill.", [amount("Amount, net"), date, service, text], with_("charge")],
    "Add a fee": ["Add a fee", "Net, every month, quarter or year.",
      [amount("Price of each, net"), { name: "quantity", label: "How many", value: "1" }, service,
        { name: "every", label: "Every", choices: ["month", "quarter", "year"] }, from, { name: "description", label: "Text on the bill" }], with_("fee-add")],
    "Change a fee": fees.length && ["Change a fee", "", [{ name: "fee", label: "Fee", choices: fees }, amount("New price of each, net"), { name: "quantity", label: "How many", hint: "as before if empty" }, from], with_("fee-change")],
    "Stop a fee": fees.length && ["Stop a fee", "Days billed ahead are credited.", [{ name: "fee", label: "Fee", choices: fees }, { ...from, label: "Not due from" }], with_("fee-stop")],
    "Credit note": numbers.length && ["Credit an invoice", "A numbered document of its own. Without lines the whole invoice is credited.",
      [{ name: "invoice", label: "Invoice", choices: numbers }, { name: "lines", label: "Lines", hint: "1, 3: all if empty" },
        amount("Only so much of the one line, net", false), reason],
      (/** @type {any} */ values) => ({ action: "credit-note", customer, ...values, lines: values.lines.split(/[ ,;]+/).filter(Boolean) })],
    Refund: ["Pay money back", "", [amount("Amount"), date, method, text], with_("refund")],
    Returned: paid.length && ["A payment came back", "The debt is as it was.", [{ name: "payment", label: "Payment", choices: paid }, date, text], with_("returned")],
    Goodwill: ["Give a credit", "No correction of a bill.", [amount("Amount, gross"), date, text], with_("goodwill")],
    "Write-off": ["Give up a debt", "All that is owed on bills if no amount is given.", [amount("Amount", false), { name: "vat-relief", label: "Take its VAT back", kind: "check" }, date, text], with_("write-off")],
    Transfer: paid.length && ["Move a payment to another customer", "", [{ name: "payment", label: "Payment", choices: paid }, { name: "to", label: "To customer", needed: true, hint: "an id, or suspense" }, text], with_("transfer")],
    Deposit: ["Take a deposit", "", [amount("Amount"), date, method, text], with_("deposit")],
    Limit: ["Change the credit limit", "", [amount("Credit limit", true, data.facts.credit_limit), from],
      (/** @type {any} */ values) => ({ action: "limit", customer, ...values, before: before(["credit_limit"]) })],
    Tariff: ["Change the tariff", "", [{ name: "tariff", label: "Price lists", value: data.facts.tariff, needed: true, hint: `there is ${data.tariffs.join(", ")}` }, from],
      (/** @type {any} */ values) => ({ action: "tariff", customer, ...values, before: before(["tariff"]) })],
    Numbers: ["Change numbers and devices", "With commas between.", [{ name: "identifiers", label: "Identifiers", value: data.facts.identifiers }, from],
      (/** @type {any} */ values) => ({ action: "details", customer, date: values.date, facts: { identifiers: values.identifiers }, before: before(["identifiers"]) })],
    Details: ["Change details", "", [...PLACES.map((key) => ({ name: key, label: said(key), value: data.facts[key] })), from],
      (/** @type {any} */ values) => {
        const changed = PLACES.filter((key) => values[key] !== (data.facts[key] ?? ""));
        return { action: "details", customer, date: values.date, before: before(changed), facts: Object.fromEntries(changed.map((key) => [key, values[key]])) };
      }],
    Block: !data.blocked && ["Block", "No call can be made, where the switch asks.", [reason], with_("block")],
    Unblock: data.blocked && ["Unblock", "Calls can be made again.", [], with_("unblock")],
    "Close now": ["Close what has ended", "The customer's periods that have ended are billed.", [], () => ({ action: "close", customers: [customer] })],
    Settle: !data.settled && ["Settle the account", "The last period ends yesterday: fees, deposit and fractions are settled, and no call is taken any more.", [], with_("settle")],
    Reopen: data.settled && ["Open the account again", "", [], with_("reopen")],
    "Send again": numbers.length && ["Send a document again", "By mail, Peppol or print, as the customer wants it.", [{ name: "document", label: "Document", choices: numbers }], with_("send")],
  };
  return Object.fromEntries(Object.entries(all).filter(([, spec]) => spec));
}

/** @param {HTMLElement} menu */
function offer(menu) {
  const specs = actions(facts());
  const place = menu.querySelector("div");
  place?.replaceChildren(
    ...Object.entries(specs).map(([name, [title, note, fields, form]]) => {
      const button = element("button", { type: "button" }, name);
      button.addEventListener("click", () => {
        menu.removeAttribute("open");
        ask(`${title}: ${facts().customer}`, note, fields, form);
      });
      return button;
    }),
  );
}

/** Undo of a payment, voiding of a call. */
function undoing() {
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-undo], [data-void]"))) {
    button.addEventListener("click", () => {
      const { undo: id, void: call, on = "", what = "" } = button.dataset;
      ask(`Undo ${what}`, "It stays in the book, struck out, and counts for nothing.",
        [{ name: "reason", label: "Reason", needed: true, value: "entered by mistake" }],
        (values) => ({ action: "void", customer: facts().customer, ...values, id: id || call, on }));
    });
    button.disabled = false;
  }
}

/** The form of a new customer. @param {HTMLElement} place */
function begin(place) {
  const data = facts();
  const fields = [
    { name: "customer", label: "Id", needed: true, hint: "C10001: letters, digits, then also _ . @ + -" },
    { name: "name", label: "Name", needed: true },
    { name: "credit_limit", label: `Credit limit, ${data.currency}`, value: "0", kind: "amount", hint: "0 is prepaid" },
    { name: "tariff", label: "Price lists", value: data.tariffs.includes("standard") ? "standard" : data.tariffs[0] ?? "standard", hint: `there is ${data.tariffs.join(", ")}` },
    { name: "identifiers", label: "Numbers and devices", hint: "with commas between" },
    ...["email", "phone", "street", "postcode", "city", "country", "vat_id", "language"].map((key) => ({ name: key, label: said(key) })),
    { name: "opened", label: "Opened", value: data.today },
  ];
  const button = element("button", { type: "button" }, "New customer …");
  const open = () =>
    ask("New customer", "", fields, ({ customer, opened, ...given }) => ({
      action: "add", customer, opened, facts: given, goes: address("Customers", { customer }),
    }));
  button.addEventListener("click", open);
  place.replaceChildren(button);
  open();
}

export default {
  onExtensionPageLoad() {
    const table = document.getElementById("a2l-customers");
    if (table) {
      list(table).catch(console.error);
    }
    const menu = document.getElementById("a2l-actions");
    if (menu) {
      offer(menu);
    }
    const fresh = document.getElementById("a2l-new");
    if (fresh) {
      begin(fresh);
    }
    undoing();
    sending();
  },
};
