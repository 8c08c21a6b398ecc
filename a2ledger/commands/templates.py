"""Templates of documents and letters, which an operator may replace: list, copy, check."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import click

from a2ledger.book.book import RefusedError
from a2ledger.commands.settings import (
    Settings,
    as_json_option,
    dry_run_option,
    pass_settings,
    print_json,
)
from a2ledger.delivery import letters, send
from a2ledger.delivery.outbox import Message
from a2ledger.documents import files, paths, render
from a2ledger.documents.document import Document, as_json
from a2ledger.errors import NO


@click.group()
def templates() -> None:
    """Show what documents and letters are made from, and take copies to change.

    A template under templates/ in the book comes before the one of that name that is packaged.
    """


@templates.command("list")
@as_json_option
@pass_settings
def list_(settings: Settings, *, as_json_: bool) -> None:
    """List the templates there are, and which of them are the book's own.

    Example: a2ledger templates list
    """
    own = settings.book().root / "templates"
    rows = [
        {"template": name, "own": (own / name).is_file(), "about": about}
        for name, about in render.templates().items()
    ]
    if as_json_:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['template']:<22}{'own' if row['own'] else '':<5}{row['about']}")


@templates.command("copy")
@click.argument("names", nargs=-1, required=True, metavar="TEMPLATE...")
@dry_run_option
@pass_settings
def copy(settings: Settings, *, names: tuple[str, ...], dry_run: bool) -> None:
    """Copy packaged templates into the book, to be changed there.

    Example: a2ledger templates copy document.css
    """
    known = render.templates()
    for name in names:
        if name not in known:
            raise RefusedError(f"{name}: no such template", todo=f"there is {', '.join(known)}")
    with settings.drafting(dry_run=dry_run) as draft:
        for name in names:
            path = f"templates/{name}"
            if draft.has(path):
                raise RefusedError(f"{path}: is there already", todo="take it away first")
            draft.put(path, render.packaged(name))
        settings.publish(draft, f"templates: copied {', '.join(names)}\n", dry_run)


@templates.command("check")
@pass_settings
def check(settings: Settings) -> None:
    """Render every kind of document the book has, with its letter; exit 1 if a template is wrong.

    Templates of the book that no document needs are read, too.

    Example: a2ledger templates check
    """
    book = settings.book()
    own = book.root / "templates"
    kinds: dict[tuple[str, str], tuple[str, Document]] = {}
    for name, path in paths.every(book).items():
        document = files.read(book, path)
        kinds[document.kind, document.customer.get("language", "")] = name, document
    trials: list[Callable[[], object]] = [
        partial(render.check_syntax, file.name, own) for file in sorted(own.glob("*.j2"))
    ]
    for name, document in kinds.values():
        trials += [partial(form, as_json(document), own) for form in (render.html, render.text)]
        mail = Message(name, document.customer["id"], "mail", "", document.kind)
        if letters.is_document(mail):
            trials.append(partial(send.letter, book, mail, document, settings.today(book)))
    problems: dict[str, render.RenderError] = {}
    for trial in trials:
        try:
            trial()
        except render.RenderError as error:
            problems.setdefault(error.what, error)
    for problem in problems.values():
        for line in problem.lines():
            click.echo(f"a2ledger: {line}", err=True)
    settings.talk(f"{len(kinds)} kind(s) of document rendered, {len(problems)} problem(s)")
    if problems:
        sys.exit(NO)
