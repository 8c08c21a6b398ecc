"""Every form of the pages, as the command it becomes: said before, done once, taken back.

In a browser the same is done in :mod:`test_actions`; here it costs no page.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import Any, NamedTuple

import pytest
from harness import Book, a2ledger

from a2ledger.staff import forms
from a2ledger.staff.forms import command, undo

TODAY = "2026-04-03"


OFFERED = "offered"
"""There is a way back, as others that are taken."""


class Said(NamedTuple):
    """A form: what its dry run and the command itself say, and what taking it back says."""

    form: dict[str, Any]
    before: str
    after: str
    undone: str = ""
    """Empty where there is no way back."""


def details(customer, before, **facts):
    return {"action": "details", "customer": customer, "date": TODAY, "facts": facts,
            "before": before}  # fmt: skip


def of(action, customer, **more):
    return {"action": action, "customer": customer, **more}


FORMS = [
    Said(of("payment", "C10001", amount="500,00", reference="R-1", invoice="INV-2026-000007"),
         r"500\.00 EUR of C10001.*R-1, INV-2026-000007.*would be posted", "posted", "void"),
    Said(of("refill", "C10001", amount="10", reference="card"),
         r"10\.00 EUR of C10001.*would be posted", "posted", "void"),
    Said(of("charge", "C10001", amount="12,50", description="Headset", date="02/04/2026"),
         r"12\.50 EUR of C10001 on 2026-04-02.*would be posted", "posted", "void"),
    Said(of("refund", "C10001", amount="5"), r"Refund, 5\.00 EUR", "Refund", "void"),
    Said(of("goodwill", "C10001", amount="3"), r"Goodwill, 3\.00 EUR", "Goodwill", "void"),
    Said(of("deposit", "C10001", amount="20"), r"Deposit, 20\.00 EUR.*held", "held", "void"),
    Said(of("write-off", "C10004", amount="2"), r"Write-off, 2\.00 EUR", "Write-off", "void"),
    Said(of("write-off", "C10004", amount="1"), r"Write-off, 1\.00 EUR", "Write-off", OFFERED),
    Said(of("returned", "C10001", payment="now1"), r"Returned payment, 2\.00 EUR", "Returned",
         "void"),
    Said(of("transfer", "C10004", payment="now4", to="C10002"), "Transfer, 7.00 EUR", "Transfer",
         "C10002: Transfer, 7.00 EUR"),
    Said(of("fee-add", "C10001", amount="9,90", quantity="2", service="Subscriptions",
            description="Line", date=TODAY, every="month"),
         r"fee1.*would be added.*2 x 9\.90", "fee1 added", OFFERED),
    Said(of("fee-change", "C10001", fee="fee1", amount="8.90", date=TODAY),
         r"would be changed.*8\.90", "changed", "2 x 9.90"),
    Said(of("fee-stop", "C10001", fee="fee1", date=TODAY), "fee1 would be stopped",
         "fee1 stopped", "fee1 resumed"),
    Said(of("credit-note", "C10004", invoice="INV-2026-000009", lines=["1"], reason="price"),
         "CN-2026-000001 for INV-2026-000009", "CN-2026-000001"),
    Said({**of("limit", "C10001", amount="321"), "before": {"credit_limit": "300.00"}},
         r"credit_limit would be 321\.00 .* was 300\.00", "credit_limit is 321.00",
         "credit_limit is 300.00"),
    Said(details("C10001", {"identifiers": "aegean"}, identifiers="aegean, 3235550001"),
         "identifiers would be aegean, 3235550001", "identifiers is aegean, 3235550001",
         "identifiers is aegean from"),
    Said(details("C10001", {"phone": ""}, phone="+32 2 555 00 11"),
         r"phone would be \+32 2 555 00 11", "phone is +32 2 555 00 11", "phone is"),
    Said(of("block", "C10001", reason="card stolen"), "would be blocked", "blocked", "unblocked"),
    Said({"action": "close", "customers": ["C10002"]}, r"1 period\(s\) would be closed",
         "1 period(s) closed"),
    Said(of("recover", "C10004", amount="0.50"), r"0\.50 EUR", "0.50 EUR", "void"),
    Said(of("settle", "C10005"), "would be closed", "closed", "reopened"),
    Said({"action": "add", "customer": "N1", "facts": {"name": "Nadia Novak"}}, "N1", "N1"),
]  # fmt: skip


@pytest.fixture
def book(demo_book, tmp_path):
    """The demo's book on a day in April, with a payment of that month for two customers."""
    made = Book(shutil.copytree(demo_book, tmp_path / "book"), tmp_path / "files", TODAY)
    made.append("a2ledger.toml", '\n[locale]\nname = "nl_BE"\n')
    rows = "id,customer,date,amount\nnow1,C10001,2026-04-02,2.00\nnow4,C10004,2026-04-02,7.00\n"
    made.run("import", "payments", made.file("now.csv", rows))
    made.run("import", "pbx1", made.root / "input/Master-2026-03.csv", code=0)
    return made


def done(book, form):
    """Run the command of a form; what it printed if that is JSON, and all it said."""
    run = a2ledger("-C", book.root, "--today", TODAY, *command(form))
    assert run.code == 0, run
    result = json.loads(run.stdout) if run.stdout.startswith(("{", "[")) else None
    return result, run.stdout + run.stderr


def test_every_form_says_what_it_will_do_does_it_and_is_taken_back(book):
    for number, said in enumerate(FORMS):
        form = {**said.form, "id": f"web-{number:016x}"}
        before = book.digests()
        assert re.search(said.before, done(book, {**form, "preview": True})[1], re.DOTALL)
        assert book.digests() == before, f"{form}: the dry run wrote something"
        commits = len(book.log())
        result, text = done(book, form)
        assert said.after in text
        assert len(book.log()) == commits + 1, form
        back = undo(form, result)
        assert bool(back) == bool(said.undone), form
        if said.undone not in {"", OFFERED}:
            assert said.undone in done(book, back)[1], back
            assert len(book.log()) == commits + 2, back


def test_no_form_is_forgotten():
    here = {said.form["action"] for said in FORMS} | {"fee-resume", "unblock", "reopen", "void"}
    elsewhere = {"drop", "hang-up", "restore", "retry", "send", "tariff"}
    assert here | elsewhere == set(forms.ACTIONS)
