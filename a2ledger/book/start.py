"""Create a book: a directory with its configuration, empty journals and a git repository."""

from __future__ import annotations

import contextlib
from pathlib import Path

from a2ledger.book.book import CONFIG, Draft, RefusedError
from a2ledger.book.disk import fsync, refusing, write
from a2ledger.book.toml_edit import quoted

_CONFIG = """\
# What this book's owner decides. Every key is explained in docs/configuration.md.
format = 1
currency = {currency}
timezone = {timezone}         # days and periods are days in this zone
terms_days = 14                 # due date of a bill; a customer's own `terms` win
main_months = 3                 # months the operator's ledger shows in full
close_delay = "24h"             # how long after a period's end every source must have reported

[company]
name = {company}
address = ""
country = ""
vat_id = ""
email = ""
phone = ""
website = ""
iban = ""
bic = ""

[vat]
treatment = "on-invoice"        # of new customers; docs/vat.md has them all

[vat.codes.S21]                 # a code is one category and one rate, for ever
category = "S"
rate = 21

[services.Calls]
vat = "S21"

[services.Subscriptions]
vat = "S21"

[services.DIDs]
vat = "S21"

[services.One-off]
vat = "S21"

# A source is a feed of call records. Without one, `a2ledger import asterisk FILE` takes every
# answered row whose last application was Dial. Uncomment and adapt to say which rows are calls.
#
# [sources.pbx1]
# dialect = "asterisk"
# timezone = "UTC"
# [[sources.pbx1.rules]]
# contexts = ["customers"]
# applications = ["Dial"]
# identify = ["accountcode", "peeraccount"]
"""

_IGNORED = """\
# Personal data and what can be made again stay out of git.
/.a2ledger/
/input/
/calls/*
!/calls/DIGESTS
/quarantine/
/invoices/**
!/invoices/**/
!/invoices/**/*.json
!/invoices/**/*.ubl.xml
!/invoices/**/*.cii.xml
!/invoices/**/*.report.txt
*.picklecache
"""

_DECK = """\
dialprefix,destination,rateinitial,initblock,billingblock,connectcharge
"""


def config_text(*, company: str, currency: str, timezone: str) -> str:
    """Return the ``a2ledger.toml`` of a new book."""
    return _CONFIG.format(
        company=quoted(company), currency=quoted(currency), timezone=quoted(timezone)
    )


def prepare(root: Path, **facts: str) -> None:
    """Create the directory and its configuration.

    Raises:
        RefusedError: if there is a book already.
    """
    text = config_text(**facts)
    present = (root / CONFIG).read_text(encoding="utf-8") if (root / CONFIG).exists() else text
    if present != text or (root / "journals").exists():
        raise RefusedError(f"{root / CONFIG}: there is a book already")
    with refusing("nothing was started"):
        root.mkdir(mode=0o750, parents=True, exist_ok=True)
        write(root / CONFIG, text.encode())
    with contextlib.suppress(OSError):  # one may make a directory where one may not look
        fsync(root.resolve().parent)


def furnish(draft: Draft) -> None:
    """Add the other files of a new book to the draft, and create its git repository."""
    vault = draft.vault
    draft.put(".gitignore", _IGNORED)
    draft.put(".gitattributes", "* -text\n")
    draft.put("journals/manual.beancount", "; Hand-written entries; no customer's account in it.\n")
    draft.put("tariffs/standard.csv", _DECK)
    draft.put("imports.csv", None)
    vault.repository.start(shared=vault.is_shared)
