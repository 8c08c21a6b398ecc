"""What the pages' forms ask for, as words of the command line.

Every action is a list of words, never a line for a shell. A form with ``preview`` asks for the
same command's dry run: what it would do is said before it is done. What can be taken back has an
undo: another form.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from a2ledger import accounts
from a2ledger.records import KEYS

Form = Mapping[str, Any]
Words = list[str]

_ID = re.compile(r"web-[0-9a-f]{16,64}")
_REASON = re.compile(r"[a-z][a-z0-9-]*")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_AMOUNT = re.compile("[0-9][0-9., '\u2019\u00a0\u202f]*")
_DAY = re.compile(r"[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}")
"""Days and amounts are read by the command, as people of the book write them."""
_LONGEST = 500


class BadFormError(ValueError):
    """A form that cannot be; the message is for the person who sent it."""


def command(form: Form) -> Words:
    """Return the words of the command a form asks for.

    Raises:
        BadFormError: saying what is wrong with it.
    """
    make = ACTIONS.get(str(form.get("action")))
    if make is None:
        raise BadFormError("there is no such action")
    words = make(form)
    if form.get("preview") is True:
        place = words.index("--") if "--" in words else len(words)
        words[place:place] = ["--dry-run"]
    return words


def undo(form: Form, result: Any) -> dict[str, Any] | None:
    """Return a form that takes back what a form has done, where that is possible.

    Args:
        form: what was asked for.
        result: what its command printed, if that was JSON.
    """
    action = str(form.get("action"))
    answer = result if isinstance(result, dict) else {}
    if action in _VOIDABLE or action == "transfer":
        return _taken_back(action, form, answer) if answer.get("posted") else None
    if action in _FEES:
        return _as_it_was(action, answer) if answer.get("changed") else None
    if action in _OPPOSITES:
        named = {key: form[key] for key in ("customer", "id", "on") if key in form}
        reason = str(form.get("reason") or _UNDONE)
        return {"action": _OPPOSITES[action], **named, "reason": reason}
    before = form.get("before")
    if action in {"limit", "tariff", "details"} and isinstance(before, dict):
        again = {key: form[key] for key in ("customer", "date") if key in form}
        return {"action": "details", **again, "facts": _unmistakable(before)}
    return None


_UNDONE = "undone by the staff"
_VOIDABLE = (
    *("payment", "refill", "charge", "goodwill", "refund", "write-off", "deposit"),
    *("recover", "returned"),
)
"""Actions whose posting is voided. A document that was issued stays: it has its number."""
_OPPOSITES = {
    "block": "unblock",
    "unblock": "block",
    "void": "restore",
    "restore": "void",
    "settle": "reopen",
    "reopen": "settle",
}
_FEES = ("fee-add", "fee-change", "fee-stop", "fee-resume")


def _taken_back(action: str, form: Form, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form that voids a posting, or moves back what was moved."""
    if action != "transfer":
        return {"action": "void", "id": f"{action}/{answer.get('id', '')}", "reason": _UNDONE}
    moved = {key: form[key] for key in ("payment", "amount", "date") if form.get(key)}
    name = hashlib.sha256(f"undo {form.get('id', '')}".encode()).hexdigest()[:16]
    to = form.get("customer") or accounts.NOBODY
    source = form.get("to", "")
    return {"action": "transfer", "id": f"web-{name}", "customer": source, "to": to, **moved}


def _as_it_was(action: str, answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a form that has a fee be as it was, None where one form cannot do that."""
    fee: dict[str, Any] = {"customer": answer.get("customer", ""), "fee": answer.get("id", "")}
    was, since = answer.get("was"), str(answer.get("from", ""))
    if action == "fee-add":
        return {"action": "fee-stop", **fee, "date": since}
    if not isinstance(was, dict):
        return None
    if action == "fee-change":
        price = str(was["price"])
        terms = {"amount": _plainly(price), "quantity": str(was["quantity"]), "date": since}
        is_plain = bool(price.strip("0.")) and not price.startswith("-")  # a form takes no other
        return {"action": "fee-change", **fee, **terms} if is_plain else None
    if was["until"]:
        return {"action": "fee-stop", **fee, "date": was["until"]}
    # What was to cost something else from a later day on is gone.
    return {"action": "fee-resume", **fee} if was["prices"] == answer.get("prices") else None


_SURELY = 4
"""Decimals that nobody takes for thousands."""


def _plainly(number: str) -> str:
    """Return a number of the program's own that no locale takes for another."""
    whole, point, decimals = number.partition(".")
    return f"{whole}.{decimals:0<{_SURELY}}" if point else number


def _unmistakable(facts: Mapping[str, Any]) -> dict[str, str]:
    numbers = {"credit_limit", "discount_percent"}
    return {
        key: _plainly(str(value)) if key in numbers else str(value) for key, value in facts.items()
    }


# ---- what a form says ----


def _text(form: Form, name: str) -> str:
    value = form.get(name, "")
    if not isinstance(value, str):
        raise BadFormError(f"{name} is no text")
    return _CONTROL.sub(" ", value).strip()[:_LONGEST]


def _needed(form: Form, name: str, what: str = "") -> str:
    if text := _text(form, name):
        return text
    raise BadFormError(f"{what or name} is missing")


def _names(form: Form, name: str) -> list[str]:
    values = form.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadFormError(f"{name} is no list of names")
    if any(_CONTROL.search(value) for value in values):
        raise BadFormError(f"{name} contains an invalid name")
    return values


def _customer(form: Form, name: str = "customer") -> str:
    return _is_customer(_text(form, name))


def _is_customer(name: str) -> str:
    if not accounts.is_customer_id(name):
        raise BadFormError("there is no such customer")
    return name


def _amount(form: Form) -> str:
    text = _needed(form, "amount")
    if not _AMOUNT.fullmatch(text):
        raise BadFormError("the amount is no plain number such as 12.50")
    return text


def _more_than_nothing(form: Form) -> str:
    text = _amount(form)
    if not text.strip("0., '"):
        raise BadFormError("the amount must be more than nothing")
    return text


def _options(form: Form, *names: str) -> Words:
    """Return options that a form gives a value; ``date from`` is its date as ``--from``."""
    words = []
    for name in names:
        field, _, option = name.partition(" ")
        if value := _text(form, field):
            if field in {"date", "until", "opened", "on"} and not _DAY.fullmatch(value):
                raise BadFormError(f"the {field} is no day such as 2026-01-31")
            words.append(f"--{option or field}={value}")
    return words


def _flags(form: Form, *names: str) -> Words:
    return [f"--{name}" for name in names if form.get(name) is True]


def _own_id(form: Form) -> Words:
    """Return the id that makes sure that a form sent twice posts once."""
    name = _text(form, "id")
    if not _ID.fullmatch(name):
        raise BadFormError("the form bears no id of its own; open it again")
    return [f"--id={name}"]


# ---- actions ----


def _payment(form: Form) -> Words:
    words = ["payment", "--json", *_own_id(form)]
    words += _options(form, "date", "method", "invoice", "reference", "description")
    return [*words, "--", _customer(form), _more_than_nothing(form)]


def _refill(form: Form) -> Words:
    words = ["refill", "--json", *_own_id(form)]
    words += _options(form, "date", "method", "reference", "description")
    return [*words, "--", _customer(form), _more_than_nothing(form)]


def _charge(form: Form) -> Words:
    words = ["charge", "--json", *_own_id(form), *_options(form, "date", "service", "description")]
    return [*words, "--", _customer(form), _more_than_nothing(form)]


def _fee_add(form: Form) -> Words:
    words = ["fee", "add", "--json", *_options(form, "quantity", "every", "date from", "until")]
    words += [*_options(form, "description"), *_flags(form, "arrears")]
    return [*words, "--", _customer(form), _needed(form, "service"), _more_than_nothing(form)]


def _fee_change(form: Form) -> Words:
    words = ["fee", "change", "--json", *_options(form, "quantity", "date from")]
    return [*words, "--", _customer(form), _needed(form, "fee"), _more_than_nothing(form)]


def _fee_stop(form: Form) -> Words:
    words = ["fee", "stop", "--json", *_options(form, "date from")]
    return [*words, "--", _customer(form), _needed(form, "fee")]


def _fee_resume(form: Form) -> Words:
    return ["fee", "resume", "--json", "--", _customer(form), _needed(form, "fee")]


def _credit_note(form: Form) -> Words:
    words = ["credit-note", "--json", *_options(form, "date")]
    words += [f"--line={line}" for line in _names(form, "lines")]
    words += [*_options(form, "amount"), f"--reason={_needed(form, 'reason')}"]
    return [*words, "--", _needed(form, "invoice")]


def _correction(name: str, *options: str) -> Callable[[Form], Words]:
    """Return what makes a correction of an amount of a customer's."""

    def make(form: Form) -> Words:
        words = [name, "--json", *_own_id(form), *_options(form, "date", "description", *options)]
        words += _flags(form, "vat-relief", "return")
        is_needed = bool(_text(form, "amount")) or name not in {"write-off", "deposit"}
        amount = _more_than_nothing(form) if is_needed else ""
        return [*words, "--", _customer(form), *([amount] if amount else [])]

    return make


def _returned(form: Form) -> Words:
    words = ["returned", "--json", *_own_id(form), *_options(form, "date", "description")]
    return [*words, "--", _text(form, "customer") or accounts.NOBODY, _needed(form, "payment")]


def _transfer(form: Form) -> Words:
    words = ["transfer", "--json", *_own_id(form), *_options(form, "date", "description")]
    words += ["--payment"] if _text(form, "payment") else []
    source = _text(form, "customer") or accounts.NOBODY
    what = _text(form, "payment") or _more_than_nothing(form)
    to = _needed(form, "to", "to whom")
    return [*words, "--", _is_customer(source), _is_customer(to), what]


def _void(form: Form) -> Words:
    return ["void", *_options(form, "on"), "--", _needed(form, "id"), _needed(form, "reason")]


def _restore(form: Form) -> Words:
    return ["void", "--undo", *_options(form, "on"), "--", _needed(form, "id")]


def _set(form: Form, facts: Mapping[str, str]) -> Words:
    words = ["customer", "set", "--yes", *_options(form, "date from")]
    return [*words, "--", _customer(form), *(f"{key}={text}" for key, text in facts.items())]


def _limit(form: Form) -> Words:
    return _set(form, {"credit_limit": _amount(form)})


def _tariff(form: Form) -> Words:
    return _set(form, {"tariff": _needed(form, "tariff")})


def _facts(form: Form) -> dict[str, str]:
    given = form.get("facts", {})
    if not isinstance(given, dict) or not given:
        raise BadFormError("nothing was changed")
    if unknown := [key for key in given if key not in KEYS]:
        raise BadFormError(f"{unknown[0]} is nothing that is known of customers")
    return {key: _text(given, key) for key in given}


def _details(form: Form) -> Words:
    return _set(form, _facts(form))


def _add(form: Form) -> Words:
    options = [f"--{key.replace('_', '-')}={text}" for key, text in _facts(form).items() if text]
    return ["customer", "add", *options, *_options(form, "opened"), "--", _customer(form)]


def _block(form: Form) -> Words:
    return ["customer", "block", *_options(form, "reason"), "--", _customer(form)]


def _of_customer(*words: str) -> Callable[[Form], Words]:
    return lambda form: [*words, "--", _customer(form)]


def _close(form: Form) -> Words:
    words = ["close", "--json", *_options(form, "through")]
    words += [f"--without={name}" for name in _names(form, "without")]
    return [*words, "--", *map(_is_customer, _names(form, "customers"))]


def _settle(form: Form) -> Words:
    return ["close", "--final", "--json", "--", _customer(form)]


def _retry(form: Form) -> Words:
    words = ["quarantine", "retry", "--json"]
    if reason := _text(form, "reason"):
        if not _REASON.fullmatch(reason):
            raise BadFormError("there is no such reason")
        words += ["--reason", reason]
    return [*words, *_flags(form, "accept"), "--", *_names(form, "identities")]


def _drop(form: Form) -> Words:
    names = _names(form, "identities")
    if not names:
        raise BadFormError("no row was chosen")
    return ["quarantine", "drop", f"--reason={_needed(form, 'reason')}", "--", *names]


def _send(form: Form) -> Words:
    return ["send", f"--resend={_needed(form, 'document')}"]


def _hang_up(form: Form) -> Words:
    return ["authorize", f"--hang-up={_needed(form, 'call')}"]


ACTIONS: dict[str, Callable[[Form], Words]] = {
    "payment": _payment,
    "refill": _refill,
    "charge": _charge,
    "fee-add": _fee_add,
    "fee-change": _fee_change,
    "fee-stop": _fee_stop,
    "fee-resume": _fee_resume,
    "credit-note": _credit_note,
    "refund": _correction("refund", "method"),
    "returned": _returned,
    "goodwill": _correction("goodwill"),
    "write-off": _correction("write-off"),
    "recover": _correction("recover"),
    "deposit": _correction("deposit", "method"),
    "transfer": _transfer,
    "void": _void,
    "restore": _restore,
    "limit": _limit,
    "tariff": _tariff,
    "details": _details,
    "add": _add,
    "block": _block,
    "unblock": _of_customer("customer", "unblock"),
    "close": _close,
    "settle": _settle,
    "reopen": _of_customer("customer", "reopen"),
    "retry": _retry,
    "drop": _drop,
    "send": _send,
    "hang-up": _hang_up,
}
