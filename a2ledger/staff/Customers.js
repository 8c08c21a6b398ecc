// The table of all customers, and the forms of one.
// @ts-check
import { address, element, reload, serial, told, write } from "./A2Ledger.js";

const ROWS = 100;
const [ID, NAME, CURRENCY, , , , , AVAILABLE, , STATUS] = Array(10).keys();
const NUMBERS = new Set([3, 4, 5, 6, 7]);
const OPTIONAL = new Set([2, 4, 5, 6, 8]);
const COLUMNS = [0, 1, 3, 4, 5, 6, 7, 2, 8, 9];

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
        `${row[ID]} ${row[NAME]} ${row[STATUS]} ${row[CURRENCY]}`.toLowerCase().includes(word),
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

const TITLES = {
  payment: "Add a payment",
  refill: "Add a refill",
  charge: "Add a charge",
  limit: "Change the credit limit",
};

/**
 * @param {string} text
 * @param {HTMLElement} input
 */
function labelled(text, input) {
  return element("label", {}, element("span", {}, text), input);
}

/**
 * @param {string} name
 * @param {string[]} values
 * @param {string} first
 */
function select(name, values, first = "") {
  const options = values.map((value) => element("option", { value }, value));
  return element("select", { name }, ...(first ? [element("option", { value: "" }, first)] : []), ...options);
}

/**
 * Ask for what an action needs, have it done, and show what it changed.
 * @param {"payment" | "refill" | "charge" | "limit"} action
 * @param {DOMStringMap} data
 */
function ask(action, data) {
  const id = serial();
  const amount = element("input", {
    name: "amount",
    required: true,
    inputMode: "decimal",
    pattern: "[0-9]{1,12}([.][0-9]{1,6})?",
    title: "A number such as 12.50",
    value: action === "limit" ? data.limit : "",
    autocomplete: "off",
  });
  const fields = [labelled(`Amount, ${data.currency}`, amount)];
  const date = element("input", { name: "date", type: "date", value: data.today, required: true });
  fields.push(labelled(action === "limit" ? "From" : "Date", date));
  if (action === "payment" || action === "refill") {
    fields.push(labelled("Method", select("method", (data.methods ?? "").split(","), "as usual")));
  }
  if (action === "charge") {
    fields.push(labelled("Service", select("service", (data.services ?? "").split(","))));
  }
  if (action !== "limit") {
    fields.push(labelled("Description", element("input", { name: "description", maxLength: 200 })));
  }
  const send = element("button", { type: "submit" }, "Post");
  const cancel = element("button", { type: "button", className: "muted" }, "Cancel");
  const said = element("div");
  const form = element(
    "form",
    {},
    element("h2", {}, `${TITLES[action]}: ${data.customer}`),
    ...fields,
    said,
    element("div", { className: "buttons" }, cancel, send),
  );
  const dialog = /** @type {HTMLDialogElement} */ (
    element("dialog", { className: "a2l-form" }, form)
  );
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    /** @type {any} */ (send).disabled = true;
    const values = Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (form)));
    const say = (/** @type {Node} */ node) => said.replaceChildren(node);
    write({ ...values, action, id, customer: data.customer }, ({ now, said: lines }) =>
      say(element("p", { className: "quiet" }, now || lines.at(-1) || "Posting …")),
    )
      .then(async (done) => {
        if (done.error || done.code) {
          say(told(done));
          /** @type {any} */ (send).disabled = false;
          return;
        }
        dialog.close();
        await reload();
      })
      .catch((error) => {
        say(told({ error: `${error}`, said: [], code: 1 }));
        /** @type {any} */ (send).disabled = false;
      });
  });
  document.body.append(dialog);
  dialog.showModal();
  amount.focus();
}

export default {
  onExtensionPageLoad() {
    const table = document.getElementById("a2l-customers");
    if (table) {
      list(table).catch(console.error);
    }
    const actions = document.getElementById("a2l-actions");
    for (const button of actions?.querySelectorAll("button") ?? []) {
      button.addEventListener("click", () =>
        ask(/** @type {any} */ (button.dataset.action), /** @type {HTMLElement} */ (actions).dataset),
      );
      button.disabled = false; // as the page came, a click would have been lost
    }
  },
};
