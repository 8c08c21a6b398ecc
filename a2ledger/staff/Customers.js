// The list of all customers while somebody types, and the forms of one.
// @ts-check
import { address, ask, element, facts, menuOpen, sending } from "./A2Ledger.js";

/** Milliseconds for which somebody who has typed is taken to be typing still. */
const TYPING = 5000;
const PAUSE = 200;

/** When something was last typed: the page may be loaded anew in the middle of a word. */
let typed = 0;
let asked = 0;

/** Show the list as the form says, without leaving the page. @param {HTMLFormElement} form */
async function narrow(form) {
  const url = new URL(window.location.href);
  const values = [...new FormData(form)].filter(([, value]) => value !== "");
  url.search = `${new URLSearchParams(/** @type {string[][]} */ (values))}`;
  const mine = ++asked;
  const partial = new URL(url);
  partial.searchParams.set("partial", "true");
  const answer = await fetch(partial);
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  const list = document.getElementById("a2l-list");
  const fresh = found.getElementById("a2l-list");
  if (mine === asked && list && fresh) {
    list.replaceChildren(...document.adoptNode(fresh).childNodes);
    window.history.replaceState(window.history.state, "", url);
  }
}

/** @param {HTMLFormElement} form */
function filter(form) {
  const box = /** @type {HTMLInputElement} */ (form.querySelector("input[name='text']"));
  if (Date.now() - typed < TYPING) {
    box.focus();
    box.setSelectionRange(box.value.length, box.value.length);
  }
  const show = () => narrow(form).catch(console.error);
  /** @type {number | undefined} */
  let timer;
  box.addEventListener("input", () => {
    typed = Date.now();
    window.clearTimeout(timer);
    timer = window.setTimeout(show, PAUSE);
  });
  form.querySelector("input[name='over']")?.addEventListener("change", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    window.clearTimeout(timer);
    show();
  });
  form.querySelector("button")?.setAttribute("hidden", "");
}

/** Names of facts as people say them; others are said as they are called. */
const SAID = { masked: "Hidden on lists of calls", documents: "Gets", minimum: "Least that is billed", itemised: "Calls are listed", dunning: "When overdue", mandate: "SEPA mandate", vat_id: "VAT number", iban: "IBAN", bic: "BIC", email: "E-mail", vat: "VAT" };
const PLACES = ["name", "email", "phone", "contact", "street", "street2", "postcode", "city", "region", "country",
  "vat_id", "language", "delivery", "terms", "iban", "bic", "registration", "peppol", "buyer_reference", "order_reference", "mandate",
  "documents", "minimum", "itemised", "masked", "dunning"];

/** What a fact may be, and how people say it. @type {Record<string, (string | [string, string])[]>} */
const CHOICES = {
  documents: [["", "as usual"], ["invoice", "invoices"], ["statement", "statements, where the law allows"]],
  dunning: [["", "reminders"], ["stop", "no reminders"]],
  language: [["", "as the company"], "en", "nl", "fr", "de", "es", "el"],
  itemised: [["", "as usual"], ["apart", "in a file of their own"], ["appendix", "at the end of the bill"]],
  masked: [["", "as usual"], ["none", "nothing"], ["3", "the last 3 digits"], ["4", "the last 4 digits"], ["all", "whole numbers"]],
};

/** What is asked for beside the name of a fact. @type {Record<string, string>} */
const HINTS = {
  delivery: "mail, peppol, print, with commas; or none",
  mandate: "reference of a SEPA mandate: bills are collected",
  peppol: "0208:0403170701",
  registration: "0208:0403170701",
};

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
  // A refill is no payment: it is refunded, not returned.
  const paid = data.payments.filter((/** @type {any} */ one) => one.kind === "payment").reverse().map((/** @type {any} */ one) =>
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
    "Credit note": numbers.length && ["Credit an invoice", "A numbered document of its own, for good: what it credits can only be charged again. Without lines the whole invoice is credited.",
      [{ name: "invoice", label: "Invoice", choices: numbers }, { name: "lines", label: "Lines", hint: "1, 3: all if empty" },
        amount("Only so much of the one line, net", false), reason],
      (/** @type {any} */ values) => ({ action: "credit-note", customer, ...values, lines: values.lines.split(/[ ,;]+/).filter(Boolean) })],
    Refund: ["Pay money back", "", [amount("Amount"), date, method, text], with_("refund")],
    Returned: paid.length && ["A payment came back", "The debt is as it was.", [{ name: "payment", label: "Payment", choices: paid }, date, text], with_("returned")],
    Goodwill: ["Give a credit", "No correction of a bill.", [amount("Amount, gross"), date, text], with_("goodwill")],
    "Write-off": ["Give up a debt", "All that is owed on bills if no amount is given.", [amount("Amount", false), { name: "vat-relief", label: "Take its VAT back", kind: "check" }, date, text], with_("write-off")],
    Recover: ["A debt that was given up is owed again", "It can be paid as any other.", [amount("Amount"), date, text], with_("recover")],
    Transfer: paid.length && ["Move a payment to another customer", "", [{ name: "payment", label: "Payment", choices: paid }, { name: "to", label: "To customer", needed: true, hint: "an id, or suspense" }, text], with_("transfer")],
    Deposit: ["Take a deposit, or pay it back", "", [amount("Amount"), { name: "return", label: "Pay it back", kind: "check" }, date, method, text], with_("deposit")],
    Limit: ["Change the credit limit", "", [amount("Credit limit", true, data.facts.credit_limit), from],
      (/** @type {any} */ values) => ({ action: "limit", customer, ...values, before: before(["credit_limit"]) })],
    Tariff: ["Change the tariff", "", [{ name: "tariff", label: "Price lists", value: data.facts.tariff, needed: true, hint: `there is ${data.tariffs.join(", ")}` }, from],
      (/** @type {any} */ values) => ({ action: "tariff", customer, ...values, before: before(["tariff"]) })],
    Numbers: ["Change numbers and devices", "With commas between.", [{ name: "identifiers", label: "Identifiers", value: data.facts.identifiers }, from],
      (/** @type {any} */ values) => ({ action: "details", customer, date: values.date, facts: { identifiers: values.identifiers }, before: before(["identifiers"]) })],
    Details: ["Change details", "", [...PLACES.map((key) => ({ name: key, label: said(key), value: data.facts[key] ?? "", choices: CHOICES[key], hint: HINTS[key] })), from],
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
        menuOpen.at = "";
        menu.removeAttribute("open");
        ask(`${title}: ${facts().customer}`, note, fields, form);
      });
      return button;
    }),
  );
  // The click comes before the menu opens or shuts.
  menu.querySelector("summary")?.addEventListener("click", () => {
    menuOpen.at = menu.hasAttribute("open") ? "" : window.location.href;
  });
  menu.toggleAttribute("open", menuOpen.at === window.location.href);
}

/** Undo of a payment, voiding of a call. */
function undoing() {
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-undo], [data-void], [data-restore]"))) {
    button.addEventListener("click", () => {
      const { undo: id, void: call, restore, on = "", what = "" } = button.dataset;
      if (restore) {
        ask(`Restore ${what}`, "It counts again.", [],
          () => ({ action: "restore", customer: facts().customer, id: restore, on }), true);
        return;
      }
      ask(`Undo ${what}`, "It stays in the book, struck out, and counts for nothing.",
        [{ name: "reason", label: "Reason", needed: true, value: "entered by mistake" }],
        (values) => ({ action: "void", customer: facts().customer, ...values, id: id || call, on }), true);
    });
    button.disabled = false;
  }
}

/** A fact is changed where its history shows it: from that day on, or from the open period's first. */
function changing() {
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-change]"))) {
    const { change: key = "", value = "", on = "" } = button.dataset;
    button.addEventListener("click", () =>
      ask(`Change ${said(key)}: ${facts().customer}`, "From the same day it takes the value's place; from a later day both stand in the history.",
        [{ name: "value", label: said(key), value }, { name: "date", label: "From", value: on, needed: true }],
        (values) => ({
          action: "details", customer: facts().customer, date: values.date, facts: { [key]: values.value }, before: { [key]: value },
        })));
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
    const form = document.getElementById("a2l-filter");
    if (form) {
      filter(/** @type {HTMLFormElement} */ (form));
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
    changing();
  },
};
