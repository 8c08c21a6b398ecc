"""Render a document as HTML or text, from Jinja2 templates an operator may replace.

What is written here prepares values; the words, and how they stand on the page, are the
templates'. Besides the keys of the document's JSON they see:

- ``summary``: ``opening``, ``charges``, ``payments``, ``rounding`` where what is to pay is
  rounded, and ``closing``, which add up; ``owes``: 1 where the closing balance is owed, -1 where
  it is in the customer's favour, 0 where even;
- ``rows``: the statement's movements with ``charge`` and ``credit`` apart, after the opening
  and before the closing balance (``place``: ``opening``, ``movement``, ``closing``);
- ``groups``: the lines by service, each with the sums of its own;
- ``usage``: a bar per day of the period, or none where the statement does not tell;
- ``explained``: what on it needs a sentence: ``late``, ``prorated``, ``ahead``, ``rounding``;
- ``language`` and ``direction`` of writing;
- ``period.last``, the last day of the period; every name of a party, empty where missing.

Text from outside is data: it is cleaned of characters that steer a terminal or turn the
direction of writing, escaped in HTML, and never read as a template.
"""

from __future__ import annotations

import base64
import datetime as dt
import functools
import itertools
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from markupsafe import Markup

import a2ledger
from a2ledger import money
from a2ledger.documents import language, parties, qr, references
from a2ledger.documents.columns import cells, table, wrapped
from a2ledger.documents.language import Language
from a2ledger.errors import ExpectedError
from a2ledger.period import DAY

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

_CODES = {"epc": qr.epc, "slip": qr.slip}
"""Functions that draw payment codes in templates."""

_CHART_DAYS = range(2, 101)
"""Numbers of days that a chart can show."""

_UNSAID = {
    **dict.fromkeys(("description", "service", "late_from"), ""),
    **dict.fromkeys(("calls", "seconds"), 0),
    "place": "movement",
}
"""What lines of statements leave out where it says nothing."""

_PARTY = (
    *("id", "name", "address", "country", "vat_id"),
    *("email", "phone", "website", "iban", "bic", "buyer_reference", "order_reference"),
    *("mandate", "creditor_id"),
)

# Controls but for tab and newline, line separators, overrides and embeddings of direction,
# invisible tags, and what is no character at all.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_GROUPED = re.compile(r"(-?[0-9]{1,3})((?:[0-9]{3})+)((?:[.,\u066b][0-9]+)?)", re.ASCII)
_LOGOS = {"svg": "svg+xml", "png": "png", "jpg": "jpeg"}


def html(
    document: Mapping[str, Any],
    templates: Path | None = None,
    *,
    itemised: Mapping[str, Any] | None = None,
    paper: bool = False,
) -> str:
    """Render a document as one self-contained HTML page.

    Args:
        document: in the shape of :func:`a2ledger.documents.document.as_json`.
        templates: a directory whose templates come before the packaged ones.
        itemised: the calls that stand at its end, if any.
        paper: whether they are for PDF.

    Raises:
        RenderError: if a template is wrong, or the document is none of that shape.
    """
    environment = _environment(templates, language.of_document(document).code)
    codes = {
        "epc": functools.partial(qr.epc, document),
        "slip": functools.partial(qr.slip, document),
    }
    more = {
        **codes,
        "css": _css(environment),
        "logo": _logo(templates),
        "itemised": itemised,
        "paper": paper,
    }
    return _rendered(environment, "document.html.j2", document, **more)


def text(document: Mapping[str, Any], templates: Path | None = None) -> str:
    """Render a document as plain text of :data:`WIDTH` columns, otherwise as :func:`html`."""
    environment = _environment(templates, language.of_document(document).code)
    return _rendered(environment, "document.txt.j2", document)


def page(
    template: str,
    values: Mapping[str, Any],
    templates: Path | None = None,
    *,
    spoken: Language | None = None,
) -> str:
    """Render values in a template of their own, such as a price list's.

    Args:
        template: its file name.
        values: what it sees, and ``css``, the style sheet of documents, the code of the
            ``language`` and its ``direction``.
        templates: a directory whose templates come before the packaged ones.
        spoken: the language of it.

    Raises:
        RenderError: if the template is wrong.
    """
    environment = _environment(templates, spoken.code if spoken else language.ENGLISH)
    told = spoken or language.language(language.ENGLISH)
    given = {"language": told.code, "direction": told.direction, "css": _css(environment)}
    return _filled(environment, template, {**values, **given}, "the values")


def _rendered(
    environment: ImmutableSandboxedEnvironment,
    template: str,
    document: Mapping[str, Any],
    **more: object,
) -> str:
    """Render a document in a template, turning an error of either into one line."""
    name = document.get("number") or "the document"
    try:
        view = _view(document) | more
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        message = f"{name}: is not as a document is ({error!r})"
        raise RenderError(message, "nothing was written", "bring it back from git") from error
    return _filled(environment, template, view, name)


def _filled(
    environment: ImmutableSandboxedEnvironment, template: str, view: Mapping[str, Any], name: str
) -> str:
    """Fill a template with values, turning an error into one line."""
    from jinja2 import TemplateSyntaxError  # noqa: PLC0415

    try:
        return environment.get_template(template).render(view)
    except TemplateSyntaxError as error:
        raise _wrong(f"{error.filename}:{error.lineno}", name, error) from error
    except UnicodeDecodeError as error:
        raise _wrong(f"templates/{template}", name, error) from error
    except Exception as error:
        # A template may do anything; whatever comes of it bears the line where it stands.
        frames = traceback.extract_tb(error.__traceback__)
        places = [
            f"{frame.filename}:{frame.lineno}" for frame in frames if frame.filename.endswith(".j2")
        ]
        if not places:
            raise
        raise _wrong(places[-1], name, error) from error


def _wrong(place: str, name: str, error: Exception) -> RenderError:
    message = " ".join(str(error).split()) or type(error).__name__
    return RenderError(
        f"{place}: {message}",
        undone="nothing was written",
        todo=f"correct the template, or {name} if that was edited",
    )


class RenderError(ExpectedError):
    """A template is wrong, or its input is not a document."""


class About(TypedDict, total=False):
    """Optional keys of a document for a bare statement."""

    supplier: Mapping[str, Any]
    customer: Mapping[str, Any]
    currency: str
    period: Mapping[str, str]
    notes: Sequence[str]


def statement_html(
    statement: Mapping[str, Any], templates: Path | None = None, **about: Unpack[About]
) -> str:
    """Render a bare statement as HTML, otherwise as :func:`statement_text`."""
    return html(_unbilled_document(statement, about), templates)


def statement_text(
    statement: Mapping[str, Any], templates: Path | None = None, **about: Unpack[About]
) -> str:
    """Render a bare statement, of any days, as text.

    Args:
        statement: ``opening``, ``lines`` and ``closing``.
        templates: a directory whose templates come before the packaged ones.
        about: as far as they are known, ``supplier``, ``customer``, ``currency``, ``period``
            and ``notes``, as in a document.
    """
    return text(_unbilled_document(statement, about), templates)


def _unbilled_document(statement: Mapping[str, Any], about: About) -> Mapping[str, Any]:
    """Return a document that shows a bare statement and bills nothing."""
    return {
        "kind": "statement",
        **dict.fromkeys(("number", "original"), None),
        **dict.fromkeys(("currency", "issue_date", "due_date", "to_pay", "credit"), ""),
        **dict.fromkeys(("net", "vat_total", "gross"), "0"),
        **dict.fromkeys(("lines", "vat", "notes"), ()),
        **{key: {} for key in ("supplier", "customer", "period")},
        **about,
        "statement": statement,
    }


# The environment


@functools.cache
def _environment(
    templates: Path | None, code: str = language.ENGLISH
) -> ImmutableSandboxedEnvironment:
    """Return the template environment, sandboxed so that templates can only format values."""
    # Few commands render anything; the others start sooner without.
    from jinja2 import FileSystemLoader, StrictUndefined  # noqa: PLC0415
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([templates, _packaged()] if templates else [_packaged()]),
        undefined=StrictUndefined,
        autoescape=lambda name: name is None or not name.endswith(".txt.j2"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    spoken = language.language(code)
    words: Any = environment  # the extension adds what installs catalogues
    words.install_gettext_translations(spoken.catalogue, newstyle=True)
    environment.globals["cells"] = cells
    environment.filters |= {
        "css_line": lambda texts: _css_string(" · ".join(texts)),
        "css_string": _css_string,
        "amount": spoken.amount,
        "day": spoken.day,
        "duration": duration,
        "extensions": _extensions,
        "rates": lambda rates: _rates(rates, spoken),
        "counters": _counters,
        "envelope": lambda party: _envelope(party, spoken),
        "grouped": lambda amount: _grouped(spoken.amount(amount)),
        "spoken": lambda text: _spoken(text, spoken),
        "table": table,
        "wrapped": wrapped,
    }
    return environment


def _envelope(party: Mapping[str, Any], spoken: Language) -> list[str]:
    """Return a party's address as it stands on an envelope: its lines, and the country's name."""
    country = spoken.country(party["country"])
    return [*parties.address_lines(party), *([country] if country else [])]


def _packaged() -> Path:
    """Where the templates are that come with the program."""
    own = Path(a2ledger.__file__).parent / "templates"
    # In a checkout the templates stand beside the package, not in it.
    return own if own.is_dir() else own.parent.parent / "templates"


_ABOUT = {
    "document.html.j2": "documents as pages and PDF",
    "document.txt.j2": "documents as text",
    "document.css": "how pages and paper look",
    "words.j2": "words of documents, for both",
    "calls.html.j2": "lists of calls",
    "itemised.j2": "the calls one by one, on lists and at the end of bills",
    "mail.txt.j2": "letters of mail: the first line is the subject",
    "mail.html.j2": "letters of mail as pages",
    "notice.html.j2": "notices of new prices as pages and PDF",
    "notice.txt.j2": "notices of new prices as text",
    "price-list.html.j2": "price lists",
}


def templates() -> dict[str, str]:
    """Return the names of all templates, and what each is for."""
    return dict(_ABOUT)


def packaged(name: str) -> str:
    """Return a template as it comes with the program."""
    return (_packaged() / name).read_text(encoding="utf-8")


def _css(environment: ImmutableSandboxedEnvironment) -> Markup:
    """Return the style sheet of documents, unescaped: escaping would lose its quotes."""
    assert environment.loader is not None  # noqa: S101 (_environment sets it)
    source, _, _ = environment.loader.get_source(environment, "document.css")
    return Markup(source)  # noqa: S704 (a file of the operator's or ours, never data)


def _logo(templates: Path | None) -> str:
    """The operator's logo for ``src``: ``logo.svg``, ``.png`` or ``.jpg`` beside the templates."""
    for ending, kind in _LOGOS.items():
        path = templates / f"logo.{ending}" if templates else None
        if path and path.is_file():
            content = base64.b64encode(path.read_bytes()).decode()
            return f"data:image/{kind};base64,{content}"
    return ""


# What the templates see


def _view(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document cleaned, with the values that are computed for the templates."""
    view: dict[str, Any] = _clean(document)
    view["supplier"] = _party(view["supplier"])
    view["customer"] = _party(view["customer"])
    view["period"] = _period(view["period"])
    view.setdefault("original", None)
    if not view.get("originals"):
        view["originals"] = [view["original"]] if view["original"] else []
    spoken = language.of_document(view)
    view |= {"language": spoken.code, "direction": spoken.direction}
    view.setdefault("vat_translated", None)
    view.setdefault("treatment", "")
    view.setdefault("seal", "")
    view.setdefault("minimum", "")
    view.setdefault("since", ())
    view.setdefault("tax_on_payment", "")
    view["reference"] = references.grouped(references.of_document(view)) or view["customer"]["id"]
    view["lines"] = [{"extensions": {}, "rates": ()} | line for line in view["lines"]]
    view["since"] = [{**_UNSAID, **line} for line in view["since"]]
    view["usage_by"] = view.pop("usage", "")
    places = money.decimals(view["currency"])
    view["summary"] = _summary(view, places)
    balance = money.parse(view["summary"]["closing"])
    if view["to_pay"]:
        balance = money.parse(view["to_pay"]) - money.parse(view["credit"])
    view["asked"] = money.text(balance, places)
    view["owes"] = (balance > 0) - (balance < 0)
    view["rows"] = list(_rows(view, places))
    view["usage"] = _usage(view, places)
    view["folded"] = view.setdefault("usage_by", "")
    view["groups"] = list(_groups(view["lines"], places))
    view["explained"] = list(_explained(view))
    view["refill"] = any(line["kind"] == "refill" for line in view["lines"])
    view["any_calls"] = any(line["calls"] for line in view["lines"])
    debit = references.debit(view["supplier"], view["customer"], view["currency"])
    view["debit"] = debit.shown() if debit else None
    view["bills"] = view["kind"] == "invoice" or (view["kind"] == "statement" and bool(view["vat"]))
    view["reverse_charge"] = any(row["category"] == "AE" for row in view["vat"])
    return view


def _clean(value: Any) -> Any:
    """Return a value with every text in it made safe to show."""
    if isinstance(value, str):
        plain = value.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
        return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", plain)
    if isinstance(value, Mapping):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_clean(item) for item in value]
    return value


def _party(party: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in party.items() if value is not None}
    return dict.fromkeys(_PARTY, "") | known


def _period(period: Mapping[str, str]) -> dict[str, str]:
    if not period:
        return dict.fromkeys(("start", "end", "last"), "")
    last = dt.date.fromisoformat(period["end"]) - DAY
    return {**period, "last": last.isoformat()}


def _summary(view: Mapping[str, Any], places: int) -> dict[str, str]:
    """Return amounts of which all but the last add up to it; one that rounds only where it does.

    What is billed is the invoice's total, and all else that moved the balance is payments.
    A statement bills nothing: there what raised the balance stands for charges.
    """
    opening = money.parse(view["statement"]["opening"])
    closing = money.parse(view["statement"]["closing"])
    if view["lines"] or view["vat"]:
        charges = money.parse(view["gross"])
        if view["kind"] == "credit-note":  # whose amounts are positive
            charges = -charges
    else:
        amounts = (money.parse(line["amount"]) for line in view["statement"]["lines"])
        charges = sum(amount for amount in amounts if amount > 0)
    rounding = (view.get("rounding") or {}).get("amount", "")
    payments = closing - opening - charges - money.parse(rounding or "0")
    return {
        "opening": view["statement"]["opening"],
        "charges": money.text(charges, places),
        "payments": money.text(payments, places),
        "rounding": rounding,
        "closing": view["statement"]["closing"],
    }


def _rows(view: Mapping[str, Any], places: int) -> Iterator[dict[str, Any]]:
    """Yield the statement's rows, its two balances included, all with the same keys."""
    statement = view["statement"]
    empty = {**_UNSAID, "charge": "", "credit": ""}
    start, last = view["period"]["start"], view["period"]["last"]
    yield {**empty, "place": "opening", "date": start, "balance": statement["opening"]}
    lines = statement["lines"]
    if view["usage_by"]:
        lines = _folded(lines, statement["opening"], view["usage_by"], places)
    for line in lines:
        credit = line["amount"].startswith("-")
        side = {"credit": line["amount"][1:]} if credit else {"charge": line["amount"]}
        yield {**empty, **line, **side, "place": "movement"}
    yield {**empty, "place": "closing", "date": last, "balance": statement["closing"]}


def _folded(
    lines: Sequence[Mapping[str, Any]], opening: str, by: str, places: int
) -> Iterator[dict[str, Any]]:
    """Lines with days of usage added up by week or by service, in the order of their last days.

    What is shown adds up as before: a line's amount is what it moves the balance by.
    """
    folded: dict[tuple[str, ...], dict[str, Any]] = {}
    for place, line in enumerate(lines):
        key: tuple[str, ...] = ("", str(place))
        if _is_usage(line):
            day = dt.date.fromisoformat(line["date"])
            year, week, _ = day.isocalendar()
            key = (line["service"], f"{year}-{week}" if by == "week" else "")
        before = folded.pop(key, None)
        folded[key] = dict(line)
        if before:
            folded[key] |= {name: before[name] + line[name] for name in ("calls", "seconds")}
            amount = money.parse(before["amount"]) + money.parse(line["amount"])
            folded[key]["amount"] = money.text(amount, places)
    balance = money.parse(opening)
    for line in folded.values():
        balance += money.parse(line["amount"])
        yield {**line, "balance": money.text(balance, places)}


def _is_usage(line: Mapping[str, Any]) -> bool:
    """Whether a movement is one day's calls, not late ones."""
    return bool(line.get("calls")) and not line.get("late_from")


def _groups(lines: Sequence[Mapping[str, Any]], places: int) -> Iterator[dict[str, Any]]:
    """Lines by service as they stand, each group with the sums of its own."""
    for service, group in itertools.groupby(lines, key=lambda line: line["service"]):
        inside = list(group)
        net = sum(money.parse(line["net"]) for line in inside)
        yield {
            "service": service,
            "lines": inside,
            "calls": sum(line["calls"] for line in inside),
            "seconds": sum(line["seconds"] for line in inside),
            "net": money.text(net, places),
        }


def _explained(view: Mapping[str, Any]) -> Iterator[str]:
    """What on a bill needs a sentence: each once."""
    lines, last = view["lines"], view["period"]["last"]
    fees = [line for line in lines if line["kind"] == "fee"]
    if any(line["late_from"] for line in lines):
        yield "late"
    if any(" days of " in line["description"] for line in fees):
        yield "prorated"
    if any(line["from"] > last for line in fees):
        yield "ahead"
    if any(line["calls"] for line in lines):
        yield "rounding"


def _usage(view: Mapping[str, Any], places: int) -> dict[str, Any] | None:
    """Return the chart of daily usage before VAT, computed from the statement's lines.

    None unless two days at least have usage and the period is short enough to draw.
    """
    costs: dict[str, int] = {}
    for line in view["statement"]["lines"]:
        cost = money.parse(line["amount"])
        if cost > 0 and _is_usage(line):
            costs[line["date"]] = costs.get(line["date"], 0) + cost
    is_shown = len(costs) in _CHART_DAYS and view["period"]["start"]
    days = list(_days(view["period"])) if is_shown else []
    if len(days) not in _CHART_DAYS:
        return None
    top = max(costs, key=lambda day: costs[day])
    bars = [
        {
            "date": day,
            "amount": money.text(costs.get(day, 0), places),
            "percent": max(1, 100 * costs[day] // costs[top]) if day in costs else 0,
        }
        for day in days
    ]
    highest = {"date": top, "amount": money.text(costs[top], places)}
    return {"bars": bars, "highest": highest, "days_used": len(costs)}


def _days(period: Mapping[str, str]) -> Iterator[str]:
    day, end = (dt.date.fromisoformat(period[name]) for name in ("start", "end"))
    while day < end:
        yield day.isoformat()
        day += DAY


# Filters


def duration(seconds: int) -> str:
    """Return seconds as ``h:mm:ss``."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


_NAMED = 5
"""Most extensions, or rows of price lists, that a line of a bill names."""


def _extensions(calls: Mapping[str, int]) -> str:
    """Format the extensions of a line's calls, those with most calls first.

    >>> _extensions({"101": 8, "102": 1})
    'ext. 101 (8), 102 (1)'
    """
    named = ", ".join(f"{name} ({count})" for name, count in [*calls.items()][:_NAMED])
    more = len(calls) - _NAMED
    return f"ext. {named}" + (f" and {more} more" if more > 0 else "")


def _rates(rates: Sequence[Mapping[str, Any]], spoken: Language) -> str:
    """Format the rows of price lists that held for a line's calls, those of most calls first.

    >>> row = {"tariff": "standard", "prefix": "32", "since": "", "calls": 8}
    >>> _rates([row, row | {"since": "2026-03-01"}], language.language("en"))
    'standard 32, 32 from 1 March 2026'
    """
    dated = spoken.catalogue.gettext(N_("%(rate)s from %(day)s"))
    names, tariff = [], ""
    for rate in sorted(rates, key=lambda rate: -rate["calls"])[:_NAMED]:
        name = rate["prefix"] if rate["tariff"] == tariff else f"{rate['tariff']} {rate['prefix']}"
        tariff, (day, _, time) = rate["tariff"], rate["since"].partition(" ")
        since = f"{spoken.day(day)} {time}".strip() if day else ""
        names.append(dated % {"rate": name, "day": since} if since else name)
    return ", ".join(names) + (" …" if len(rates) > _NAMED else "")


def _grouped(amount: str) -> list[str]:
    """Split an amount into groups of thousands for a template to separate: ``-1``, ``234.50``."""
    match = _GROUPED.fullmatch(amount)
    if match is None:
        return [amount]
    first, thousands, fraction = match.groups()
    *middle, last = re.findall("...", thousands)
    return [first, *middle, last + fraction]


def _counters(text: str) -> Markup:
    """``Page {page} of {pages}`` as CSS counts pages."""
    parts = re.split(r"\{(pages?)\}", str(text))
    said = (
        f"counter({part})" if place % 2 else f'"{_css_string(part)}"'
        for place, part in enumerate(parts)
        if part
    )  # fmt: skip
    return Markup(" ".join(said))  # noqa: S704 (nothing but hex digits and counters)


def N_(text: str) -> str:  # noqa: N802 - gettext's name for words that are translated elsewhere
    """Mark words for the catalogues."""
    return text


WORDS = (
    *(N_("Charge"), N_("Credit note"), N_("Deposit"), N_("Goodwill"), N_("Invoice")),
    *(N_("Opening balance"), N_("Payment"), N_("Refill"), N_("Refund"), N_("Reminder")),
    *(N_("Rounding of fractions brought over"), N_("Rounding of what is to pay")),
    *(N_("Rounding"), N_("Statement"), N_("Transfer"), N_("VAT"), N_("Write-off")),
    *(N_("Reverse charge"), N_("Export outside the EU"), N_("Not subject to VAT")),
)
"""With what the words of entries and reasons begin, where the program wrote them."""
_BEGINS = re.compile("|".join(sorted(WORDS, key=len, reverse=True)) + r"\b")


_PHRASES = (
    (
        re.compile(r"Credit note (?P<number>\S+) for (?P<original>[^\s,]+)"),
        N_("Credit note %(number)s for %(original)s"),
    ),
    (
        re.compile(r"\b(?P<days>[0-9]+) of (?P<whole>[0-9]+) days of (?P<price>[0-9]+(\.[0-9]+)?)"),
        N_("%(days)s of %(whole)s days of %(price)s"),
    ),
    (
        re.compile(r"\bof (?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}), posted late"),
        N_("of %(day)s, posted late"),
    ),
)
"""What the program writes within the words of an entry."""


def _spoken(text: str, spoken: Language) -> str:
    """The words of an entry, those of the program in the language of the document."""
    if spoken.code == language.ENGLISH:
        return text
    gettext = spoken.catalogue.gettext
    forms = {"price": spoken.amount, "day": spoken.day}

    def said(match: re.Match[str], words: str) -> str:
        return gettext(words) % {
            key: forms.get(key, str)(value) for key, value in match.groupdict().items()
        }

    for pattern, words in _PHRASES:
        text = pattern.sub(functools.partial(said, words=words), text)
    match = _BEGINS.match(text)
    return gettext(match[0]) + text[match.end() :] if match else text


def _css_string(text: str) -> str:
    r"""Escape text for the quotes of a CSS string: each character becomes ``\`` and hex digits."""
    return "".join(f"\\{ord(character):06x}" for character in text if character != "\n")
