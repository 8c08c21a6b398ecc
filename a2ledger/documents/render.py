"""Render a document as HTML or text, from Jinja2 templates an operator may replace.

``view`` prepares the values they see, ``filters`` how a value looks; the words, and how they
stand on the page, are the templates'.

Text from outside is data: it is cleaned of characters that steer a terminal or turn the
direction of writing, escaped in HTML, and never read as a template.
"""

from __future__ import annotations

import base64
import functools
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from markupsafe import Markup

import a2ledger
from a2ledger.documents import filters, language, parties, phrases, qr
from a2ledger.documents.columns import cells, table, wrapped
from a2ledger.documents.language import Language
from a2ledger.documents.view import view_of
from a2ledger.errors import ExpectedError

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

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
    return _filled(environment, template, {**values, **given}, "")


def _rendered(
    environment: ImmutableSandboxedEnvironment,
    template: str,
    document: Mapping[str, Any],
    **more: object,
) -> str:
    """Render a document in a template, turning an error of either into one line."""
    name = document.get("number") or "the document"
    try:
        view = view_of(document) | more
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
        todo=f"correct the template, or {name} if that was edited"
        if name
        else "correct the template",
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
        "css_line": lambda texts: filters.css_string(" · ".join(texts)),
        "css_string": filters.css_string,
        "amount": spoken.amount,
        "day": spoken.day,
        "duration": filters.duration,
        "extensions": filters.extensions,
        "rates": lambda rates: filters.rates(rates, spoken),
        "counters": filters.counters,
        "envelope": lambda party: _envelope(party, spoken),
        "grouped": lambda amount: filters.grouped(spoken.amount(amount)),
        "spoken": lambda text: phrases.spoken_text(text, spoken),
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


def check_syntax(template: str, own: Path) -> None:
    """Make sure that a template can be read, whatever it is for.

    Args:
        template: its file name.
        own: a directory whose templates come before the packaged ones.

    Raises:
        RenderError: naming the line where it cannot.
    """
    from jinja2 import TemplateSyntaxError  # noqa: PLC0415

    try:
        _environment(own, language.ENGLISH).get_template(template)
    except TemplateSyntaxError as error:
        raise _wrong(f"{error.filename}:{error.lineno}", "", error) from error
    except UnicodeDecodeError as error:
        raise _wrong(f"templates/{template}", "", error) from error


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
    """Return the ``src`` of the operator's logo, beside the templates; empty without one."""
    for ending, kind in _LOGOS.items():
        path = templates / f"logo.{ending}" if templates else None
        if path and path.is_file():
            content = base64.b64encode(path.read_bytes()).decode()
            return f"data:image/{kind};base64,{content}"
    return ""
