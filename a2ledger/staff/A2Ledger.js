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

/** @type {MutationObserver | undefined} */
let observer;

async function markAll() {
  observer?.disconnect();
  const { base } = await home();
  const article = document.querySelector("article");
  const all = () => {
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
    markAll().catch(console.error);
  },
};
