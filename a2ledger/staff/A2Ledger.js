// What the pages of a2ledger share, and links from Fava's own pages to them.
// Texts are only ever set as text: nothing that a book holds is read as HTML.
// @ts-check

/** @type {Promise<{base: string, may_write: boolean, token: string}> | undefined} */
let asked;

/** Where our pages are, and what a form must bear. */
export function home() {
  asked ??= fetch(`/${slug()}/extension/A2Ledger/home`).then((answer) => answer.json());
  return asked;
}

/** The first part of the address: which ledger is shown. */
function slug() {
  return window.location.pathname.split("/")[1];
}

/**
 * An element with some properties and children.
 * @param {string} name
 * @param {Record<string, any>} [properties]
 * @param {(Node | string)[]} children
 */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

/**
 * A link within Fava to one of our pages.
 * @param {string} page
 * @param {Record<string, string>} values
 */
export function address(page, values) {
  return `../${page}/?${new URLSearchParams(values)}`;
}

/** Load the page anew without leaving it. */
export async function reload() {
  const url = new URL(window.location.href);
  url.searchParams.set("partial", "true");
  const answer = await fetch(url);
  const article = document.querySelector("article");
  if (answer.ok && article) {
    article.innerHTML = await answer.text(); // from our own templates, which escape
    for (const script of await modules()) {
      script.onExtensionPageLoad();
    }
  }
}

/**
 * The address at which a menu stands open: the page is loaded anew whenever the book changes, also
 * under somebody's hand.
 */
export const menuOpen = { at: "" };

/** The script of the page that is shown. */
async function modules() {
  const name = window.location.pathname.split("/")[3];
  return [(await import(`./${name}.js`)).default];
}

/**
 * Have something written, and tell how it goes.
 * @param {Record<string, any>} form
 * @param {(job: {now: string, said: string[]}) => void} tell
 * @returns {Promise<{error: string, said: string[], code: number, result: any}>}
 */
export async function write(form, tell = () => {}) {
  const { base, token } = await home();
  const pages = `${base}extension/A2Ledger/`;
  const answer = await fetch(`${pages}write`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-A2ledger-Token": token },
    body: JSON.stringify(form),
  });
  let job = await answer.json();
  if (!answer.ok || job.error) {
    return { error: job.error || "it was refused", said: [], code: 1, result: null };
  }
  while (!job.done) {
    tell(job);
    await new Promise((resolve) => setTimeout(resolve, 250));
    const next = await fetch(`${pages}job?job=${job.job}`);
    if (!next.ok) {
      return { error: "the server knows nothing of it any more", said: [], code: 1, result: null };
    }
    job = await next.json();
  }
  return { error: "", ...job };
}

/**
 * What became of it, as a person is told.
 * @param {{error: string, said: string[], code: number}} done
 */
export function told(done) {
  const good = !done.error && done.code === 0;
  const text = done.error || done.said.join("\n") || (good ? "Done." : "Nothing was done.");
  return element("p", { className: `a2l-said ${good ? "good" : ""}` }, text);
}

/** A name no other form has, so that sending this one twice counts once. */
export function serial() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return `web-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** What a page's actions need to know. */
export function facts() {
  const place = document.getElementById("a2l-data");
  return place ? JSON.parse(place.textContent ?? "{}") : {};
}

/** What was shown last: Fava loads the page again once it sees the change, and empties it. */
let reported = { nodes: /** @type {Node[]} */ ([]), page: "", at: 0 };

const SHOWN_MS = 60_000;

/** Show again what was done a moment ago on this page. */
function reportAgain() {
  const { nodes, page, at } = reported;
  const place = document.getElementById("a2l-said");
  const isEmpty = place !== null && !place.childElementCount;
  if (isEmpty && page === window.location.href && Date.now() - at < SHOWN_MS) {
    place.replaceChildren(...nodes);
  }
}

/** Show what was done, also if the page is loaded anew a moment later. @param {Node[]} nodes */
export function say(...nodes) {
  reported = { nodes, page: window.location.href, at: Date.now() };
  document.getElementById("a2l-said")?.replaceChildren(...nodes);
}

/**
 * Show what was done, with a way to take it back where there is one.
 * @param {any} done
 */
export function report(done) {
  const good = !done.error && done.code === 0;
  const lines = [done.result?.text, done.printed, ...(done.said ?? [])].filter(Boolean);
  const said = element(
    "p",
    { className: `a2l-said ${good ? "good" : ""}` },
    done.error || lines.join("\n") || (good ? "Done." : "Nothing was done."),
  );
  if (good && done.undo) {
    const button = element("button", { type: "button", className: "muted", id: "a2l-undo" }, "Undo");
    button.addEventListener("click", () => {
      /** @type {any} */ (button).disabled = true;
      write(done.undo).then(async (undone) => {
        await reload();
        report(undone);
      });
    });
    said.append(" ", button);
  }
  say(said);
}

/** @typedef {{name: string, label: string, kind?: string, value?: string, needed?: boolean,
 *   choices?: (string | [string, string])[], hint?: string}} Field */

/** @param {Field} field */
function input(field) {
  const common = { name: field.name, required: Boolean(field.needed) };
  if (field.choices) {
    const options = field.choices.map((choice) => {
      const [value, text] = Array.isArray(choice) ? choice : [choice, choice];
      return element("option", { value, selected: value === field.value }, text);
    });
    return element("select", common, ...options);
  }
  if (field.kind === "check") {
    return element("input", { ...common, type: "checkbox", checked: field.value === "yes" });
  }
  if (field.kind === "checks") {
    return element("input", { ...common, autocomplete: "off" });
  }
  return element("input", {
    ...common,
    value: field.value ?? "",
    autocomplete: "off",
    maxLength: 500,
    inputMode: field.kind === "amount" ? "decimal" : "text",
  });
}

/** Buttons that send a document again. */
export function sending() {
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-send]"))) {
    button.addEventListener("click", () => {
      const { send: name = "", customer } = button.dataset;
      ask(`Send ${name}`, "By mail, Peppol or print, as the customer wants it.", [],
        () => ({ action: "send", customer, document: name }));
    });
  }
}

/**
 * Ask for what an action needs, say what it would do, have it done, and report.
 * @param {string} title
 * @param {string} note
 * @param {Field[]} fields
 * @param {(values: Record<string, any>) => Record<string, any>} form
 * @param {boolean} complete whether its fields have what they need, so that it says at once what
 *   it would do
 */
export function ask(title, note, fields, form, complete = false) {
  const id = serial();
  const said = element("div", { className: "said" });
  said.setAttribute("role", "status");
  const look = element("button", { type: "submit" }, "What would it do?");
  const cancel = element("button", { type: "button", className: "muted" }, "Cancel");
  const inputs = fields.map((field) => [field, input(field)]);
  const body = element(
    "form",
    {},
    element("h2", {}, title),
    ...(note ? [element("p", { className: "quiet" }, note)] : []),
    ...inputs.map(([field, made]) =>
      element(
        "label",
        {},
        element("span", {}, /** @type {Field} */ (field).label),
        /** @type {HTMLElement} */ (made),
        ...(/** @type {Field} */ (field).hint
          ? [element("small", { className: "quiet" }, /** @type {Field} */ (field).hint)]
          : []),
      ),
    ),
    said,
    element("div", { className: "buttons" }, cancel, look),
  );
  const dialog = /** @type {HTMLDialogElement} */ (
    element("dialog", { className: "a2l-form" }, body)
  );
  dialog.setAttribute("aria-label", title);
  let seen = "";
  const values = () => {
    /** @type {Record<string, any>} */
    const all = {};
    for (const [field, made] of inputs) {
      const { name, kind } = /** @type {Field} */ (field);
      all[name] =
        kind === "check"
          ? /** @type {HTMLInputElement} */ (made).checked
          : /** @type {HTMLInputElement} */ (made).value;
    }
    return all;
  };
  const changed = () => {
    seen = "";
    look.textContent = "What would it do?";
    said.replaceChildren();
  };
  body.addEventListener("input", changed);
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  body.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = { id, ...form(values()) };
    const key = JSON.stringify(given);
    const preview = seen !== key;
    /** @type {any} */ (look).disabled = true;
    write(preview ? { ...given, preview: true } : given, ({ now, said: lines }) =>
      said.replaceChildren(element("p", { className: "quiet" }, now || lines.at(-1) || "…")),
    )
      .then(async (done) => {
        /** @type {any} */ (look).disabled = false;
        if (done.error || done.code) {
          said.replaceChildren(told(done));
          return;
        }
        if (preview && key !== JSON.stringify({ id, ...form(values()) })) {
          changed(); // a field was, while the command ran
          return;
        }
        if (preview) {
          seen = key;
          const lines = [
            /** @type {any} */ (done).result?.text,
            /** @type {any} */ (done).printed,
            ...done.said.filter((line) => !line.startsWith("dry run:")),
          ].filter(Boolean);
          said.replaceChildren(
            element("p", { className: "a2l-said good" }, `It would: ${lines.join("\n") || title}`),
          );
          look.textContent = "Do it";
          look.focus();
          return;
        }
        dialog.close();
        const going = /** @type {any} */ (given).goes;
        if (going) {
          window.location.href = going;
          return;
        }
        await reload();
        report(done);
      })
      .catch((error) => {
        /** @type {any} */ (look).disabled = false;
        said.replaceChildren(told({ error: `${error}`, said: [], code: 1 }));
      });
  });
  document.body.append(dialog);
  dialog.showModal();
  const first = /** @type {HTMLElement | null} */ (dialog.querySelector("input, select"));
  first?.focus();
  if (complete) {
    body.requestSubmit();
  }
}

// ---- the search on every page ----

/** Where a hit leads. @param {{kind: string, id: string, customer: string}} hit */
function lead(hit, base) {
  const page = (/** @type {string} */ name, /** @type {Record<string, string>} */ values) =>
    `${base}extension/${name}/?${new URLSearchParams(values)}`;
  if (hit.kind === "invoice") {
    return page("Customers", { document: hit.id });
  }
  if (hit.kind === "payment") {
    return hit.customer
      ? page("Customers", { customer: hit.customer, tab: "payments" })
      : page("Payments", { text: hit.id });
  }
  if (hit.kind === "call") {
    const day = hit.text?.slice(0, 10) ?? "";
    return page("Customers", { customer: hit.customer, tab: "calls", day, to: day });
  }
  return page("Customers", { customer: hit.customer });
}

let asking = 0;

/** Hits that are shown. */
const MOST_HITS = 20;

async function search() {
  const header = document.querySelector("header");
  if (!header || document.getElementById("a2l-search")) {
    return;
  }
  const { base } = await home();
  if (document.getElementById("a2l-search")) {
    return;
  }
  const box = element("input", {
    type: "search",
    id: "a2l-search",
    placeholder: "Search everything",
    autocomplete: "off",
    title: "Name, id, number, e-mail, invoice, payment, amount (press /)",
  });
  box.setAttribute("aria-label", "Search everything");
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-expanded", "false");
  box.setAttribute("aria-controls", "a2l-hits");
  const list = element("ul", { id: "a2l-hits", hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "What was found");
  const place = element("div", { id: "a2l-searching" }, box, list);
  header.append(place);
  /** @type {any[]} */
  let hits = [];
  let chosen = 0;
  let answered = "";
  let older = "";
  const show = () => {
    list.replaceChildren(
      ...hits.map((hit, index) => {
        const link = element("a", { href: lead(hit, base), tabIndex: -1 },
          element("b", {}, hit.kind === "customer" ? hit.customer : hit.id), " ", hit.text);
        const line = element("li", { id: `a2l-hit-${index}` }, link);
        line.setAttribute("role", "option");
        line.setAttribute("aria-selected", String(index === chosen));
        return line;
      }),
    );
    if (!hits.length && answered) {
      list.append(element("li", { className: "none" }, older ? "Searching older calls …" : "Nothing fits."));
    }
    list.hidden = !answered;
    box.setAttribute("aria-expanded", String(!list.hidden));
    box.setAttribute("aria-activedescendant", hits.length ? `a2l-hit-${chosen}` : "");
  };
  const find = async () => {
    const text = /** @type {HTMLInputElement} */ (box).value.trim();
    const mine = ++asking;
    if (!text) {
      hits = [];
      answered = "";
      show();
      return;
    }
    hits = [];
    chosen = 0;
    older = "";
    do {
      const asked = new URLSearchParams(older ? { text, until: older } : { text });
      const answer = await fetch(`${base}extension/A2Ledger/find?${asked}`);
      const found = await answer.json();
      if (mine !== asking) {
        return;
      }
      hits = [...hits, ...found.hits].slice(0, MOST_HITS);
      older = hits.length < MOST_HITS ? found.until : "";
      answered = text;
      show();
    } while (older && !hits.length);
    older = "";
  };
  /** @type {number | undefined} */
  let timer;
  box.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => find().catch(console.error), 120);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      chosen = Math.max(0, Math.min(hits.length - 1, chosen + step));
      show();
    } else if (event.key === "Escape") {
      hits = [];
      answered = "";
      show();
    } else if (event.key === "Enter") {
      event.preventDefault();
      window.clearTimeout(timer);
      const text = /** @type {HTMLInputElement} */ (box).value.trim();
      const ready = text === answered ? Promise.resolve() : find();
      ready.then(() => {
        if (hits[chosen]) {
          window.location.href = lead(hits[chosen], base);
        }
      });
    }
  });
  box.addEventListener("blur", () => window.setTimeout(() => (list.hidden = true), 200));
  document.addEventListener("keydown", (event) => {
    const at = /** @type {HTMLElement} */ (event.target);
    if (event.key === "/" && !at.closest("input, textarea, select, [contenteditable]")) {
      event.preventDefault();
      event.stopPropagation();
      box.focus();
    }
  }, true);
}

/** What the guard refuses is not offered by a key or a hidden button either. */
function withhold() {
  document.addEventListener("click", (event) => {
    const at = /** @type {HTMLElement} */ (event.target);
    if (at.closest?.(`${REFUSED}, aside a[href*="/import/"]`)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);
}

const REFUSED = 'a[href="#add-transaction"], form.fixed-fullsize-container button[type="submit"]';

const LOOK = `
  #a2l-searching { position: relative; flex: 0 1 18rem; margin: 0 0.5rem; }
  #a2l-searching input { width: 100%; }
  #a2l-hits { position: absolute; right: 0; z-index: 20; width: min(36rem, 92vw); max-height: 70vh; margin: 0; padding: 0.3rem 0;
    overflow-y: auto; color: var(--text-color); background: var(--background); border: 1px solid var(--border-darker);
    border-radius: 4px; box-shadow: var(--box-shadow-overlay); list-style: none; }
  #a2l-hits[hidden] { display: none; }
  #a2l-hits li a { display: block; padding: 0.35em 0.8em; color: var(--text-color); overflow-wrap: anywhere; }
  #a2l-hits li.none { padding: 0.35em 0.8em; }
  #a2l-hits li[aria-selected="true"] { background: var(--background-darker); }
  aside { display: flex; flex-direction: column; }
  aside .a2l-ours { order: -1; }
  aside li:has(> a[href*="/import/"]), ${REFUSED} { display: none !important; }
  header input::placeholder { color: var(--header-color, #fff); opacity: 0.9; }
  header > .flex-row input:placeholder-shown:not(:focus) { color: #fff; background-color: rgb(0 0 0 / 18%); }
  #a2l-searching input::placeholder { color: var(--text-color); opacity: 0.8; }
  @media (width <= 60rem) { #a2l-searching { flex: 1 1 10rem; } }
  @media (width <= 40rem) { .a2l-page header > .flex-row { display: none; } }
`;
/** Ours come first; what the guard refuses is not shown. */
function sidebar() {
  document.documentElement.lang ||= "en";
  // On a telephone Fava's filters, which narrow none of our pages, leave their place to these.
  document.body.classList.toggle("a2l-page", window.location.pathname.includes("/extension/"));
  if (!document.getElementById("a2l-look")) {
    document.head.append(element("style", { id: "a2l-look" }, LOOK));
    withhold();
  }
  const aside = document.querySelector("aside");
  const links = [...(aside?.querySelectorAll('a[href*="/extension/"]') ?? [])];
  const list = links[0]?.closest("ul");
  if (!aside || !list) {
    return;
  }
  list.classList.add("a2l-ours");
  // The guard refuses what it would save, so it is not called an editor.
  for (const link of aside.querySelectorAll('a[href*="/editor/"]')) {
    if (link.textContent?.trim() !== SOURCE) {
      link.textContent = SOURCE;
    }
  }
}

const SOURCE = "Source files";

const CALLS = /^(calls|seconds):$/;
const RECEIVABLE = /^Assets:Receivable:([^:]+):/;

/**
 * Beside an entry of Fava's journal, the way to its customer, its calls and its document.
 * @param {Element} entry
 * @param {string} base
 */
function mark(entry, base) {
  entry.classList.add("a2l-marked");
  const date = entry.querySelector(".datecell a")?.textContent?.trim();
  const account = [...entry.querySelectorAll(".description a")]
    .map((link) => link.textContent?.trim().match(RECEIVABLE)?.[1])
    .find(Boolean);
  const description = entry.querySelector(":scope > p .description");
  if (!date || !account || !description) {
    return;
  }
  const url = (/** @type {Record<string, string>} */ values) =>
    `${base}extension/Customers/?${new URLSearchParams(values)}`;
  const add = (/** @type {string} */ text, /** @type {Record<string, string>} */ values) => {
    const link = element("a", { href: url(values), className: "a2l-link" }, text);
    if (base !== `/${slug()}/`) {
      link.setAttribute("data-remote", "");
    }
    description.append(" ", link);
  };
  const facts = new Map(
    [...entry.querySelectorAll(":scope > .metadata dt")].map((term) => [
      term.textContent?.trim() ?? "",
      term.nextElementSibling?.textContent?.trim() ?? "",
    ]),
  );
  if ([...facts.keys()].some((key) => CALLS.test(key))) {
    const day = facts.get("late_from:") || date;
    // In the operator's ledger an entry stands for the days of a month up to its own.
    const own = slug() !== base.split("/")[1];
    const first = own || facts.has("late_from:") ? day : `${day.slice(0, 8)}01`;
    add("calls", { account, day: first, to: day });
  }
  if (entry.querySelector(":scope > p .tag")?.textContent?.match(/#(invoice|credit-note)/)) {
    const name = entry.querySelector(":scope > p .link")?.textContent?.trim().slice(1);
    if (name) {
      add("document", { document: name });
    }
  } else {
    add("bill", { account, bill: date });
  }
  add(account, { account });
}

/** Names for what Fava's charts leave without one, for a screen reader. */
function named() {
  for (const box of document.querySelectorAll("article button[role='combobox']:not([aria-label])")) {
    box.setAttribute("aria-label", box.textContent?.trim() || "Choose");
  }
  for (const link of document.querySelectorAll("article svg a[href]:not([aria-label])")) {
    link.setAttribute("aria-label", decodeURIComponent(link.getAttribute("href")?.match(/account\/([^/?]+)/)?.[1] ?? "Show"));
  }
}

/** A cell's place among those of a table that is shown below one another. @param {Element} cell */
function head(cell) {
  const heads = cell.closest("table")?.querySelectorAll("thead th");
  const text = heads?.[/** @type {HTMLTableCellElement} */ (cell).cellIndex];
  return text && !text.querySelector(".unseen") ? text.textContent?.trim() ?? "" : "";
}

const NARROW = window.matchMedia("(width <= 40rem)");
NARROW.addEventListener("change", stack);

/** On a telephone the cells of a table that is too wide stand below one another, named. */
function stack() {
  if (!NARROW.matches) {
    return;
  }
  for (const box of document.querySelectorAll(".a2l .a2l-wide")) {
    const table = box.querySelector(":scope > table:not(.stacked)");
    if (!table || box.scrollWidth <= box.clientWidth) {
      continue;
    }
    table.classList.add("stacked");
    table.setAttribute("role", "table"); // what is no table by its style is one to a screen reader
    for (const row of table.querySelectorAll("tr")) {
      row.setAttribute("role", "row");
      for (const [place, cell] of [...row.cells].entries()) {
        cell.setAttribute("role", cell.tagName === "TH" ? "columnheader" : "cell");
        cell.classList.toggle("empty", !cell.textContent?.trim());
        if (place && cell.tagName === "TD") {
          cell.dataset.label = head(cell);
        }
      }
    }
  }
}

/** @type {MutationObserver | undefined} */
let observer;

async function markAll() {
  observer?.disconnect();
  const { base } = await home();
  const article = document.querySelector("article");
  const all = () => {
    named();
    stack();
    for (const entry of document.querySelectorAll(
      ".journal > li.transaction:not(.a2l-marked)",
    )) {
      mark(entry, base);
    }
  };
  if (article) {
    observer = new MutationObserver(all);
    observer.observe(article, { childList: true, subtree: true });
    all();
  }
}

export default {
  onPageLoad() {
    if (menuOpen.at !== window.location.href) {
      menuOpen.at = "";
    }
    sidebar();
    reportAgain();
    search().catch(console.error);
    markAll().catch(console.error);
    const again = document.querySelector(".a2l-again");
    if (again) {
      window.setTimeout(() => again.isConnected && reload().catch(console.error), 1000);
    }
  },
};
