"""What carriers are owed: derived from the calls, outside customers' ledgers."""

from __future__ import annotations

import datetime as dt

from a2ledger.journal import carriers
from a2ledger.journal.carriers import Terminated

JANUARY = """\
2026-01-05 * "acme" "2 calls, 0:01:30"
  calls: 2
  seconds: 90
  Expenses:Termination:X-acme   0.040000 EUR
  Liabilities:Carriers:X-acme  -0.040000 EUR

2026-01-06 * "acme" "1 call, 0:00:10"
  calls: 1
  seconds: 10
  Expenses:Termination:X-acme   0.010000 EUR
  Liabilities:Carriers:X-acme  -0.010000 EUR

"""


def test_a_carriers_month_has_an_entry_a_day():
    days = {
        dt.date(2026, 1, 6): [Terminated(1, 10, 10_000, "EUR")],
        dt.date(2026, 1, 5): [Terminated(2, 90, 40_000, "EUR")],
    }

    assert carriers.merged("", "acme", days) == JANUARY


def test_only_the_days_that_changed_are_written_anew():
    changed = {dt.date(2026, 1, 5): [], dt.date(2026, 1, 7): [Terminated(1, 1, 5, "EUR")]}

    text = carriers.merged(JANUARY, "acme", changed)

    assert "2026-01-05" not in text
    assert JANUARY[JANUARY.index("2026-01-06") :] in text
    assert "Liabilities:Carriers:X-acme  -0.000005 EUR" in text


def test_calls_through_a_carrier_are_owed_to_him_and_to_no_customer(book):
    book.customers({"id": "C1", "vat": "none"})
    deck = book.root / "tariffs/standard.csv"
    deck.write_text(
        "dialprefix,destination,rateinitial,buyrate,carrier\n"
        "30,Greece,0.60,0.30,acme\n"
        "44,United Kingdom,0.60,0.12,Best-Voice\n"
        "1,USA,0.60,0,\n"
    )
    calls = [(5, "302101"), (5, "302102"), (6, "302103"), (6, "442071"), (6, "12125")]
    file = book.file(
        "calls.csv",
        "id,customer,start,called,seconds\n"
        + "".join(
            f"{number},C1,2026-01-{day:02d} 10:00:00,{called},60\n"
            for number, (day, called) in enumerate(calls)
        ),
    )

    book.run("import", "calls", file, today="2026-01-07")

    journals = book.root / "journals"
    assert sorted(
        str(path.relative_to(journals / "carriers")) for path in journals.glob("carriers/*/*")
    ) == [
        "Best-Voice/2026-01.beancount",
        "Best-Voice/opens.beancount",
        "acme/2026-01.beancount",
        "acme/opens.beancount",
    ]
    acme = (journals / "carriers/acme/2026-01.beancount").read_text()
    assert "Expenses:Termination:X-acme   0.600000 EUR" in acme
    assert "Expenses:Termination:X-acme   0.300000 EUR" in acme
    for path in [*journals.glob("customers/*"), *journals.glob("2026-01/*")]:
        assert "acme" not in path.read_text()
    for top in ("main", "history"):
        assert (
            'include "carriers/acme/2026-01.beancount"'
            in (journals / f"{top}.beancount").read_text()
        )
    before = acme
    book.run("import", "calls", file, today="2026-01-07")
    assert (journals / "carriers/acme/2026-01.beancount").read_text() == before


def test_a_carriers_name_never_leads_out_of_his_directory():
    for name in ("../x", "a/b", "X-1", "né", ".", ""):
        assert carriers.opens_path(name).count("/") == 3
        assert ".." not in carriers.opens_path(name)
