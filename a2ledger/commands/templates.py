"""Templates of documents and letters, which an operator may replace: list, copy, check."""

from __future__ import annotations

import sys

import click

from a2ledger.book.book import RefusedError
from a2ledger.commands.settings import (
    Settings,
    as_json_option,
    dry_run_option,
    pass_settings,
    print_json,
)
from a2ledger.documents import files, paths, render
from a2ledger.documents.document import as_json
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
    """Render every kind of document the book has from its templates; exit 1 if one is wrong.

    Example: a2ledger templates check
    """
    book = settings.book()
    kinds = {}
    for path in paths.every(book).values():
        document = files.read(book, path)
        kinds[document.kind, document.customer.get("language", "")] = document
    wrong = 0
    for document in kinds.values():
        for rendered in (render.html, render.text):
            try:
                rendered(as_json(document), book.root / "templates")
            except render.RenderError as error:
                wrong += 1
                for line in error.lines():
                    click.echo(f"a2ledger: {line}", err=True)
    settings.talk(f"{len(kinds)} kind(s) of document rendered, {wrong} problem(s)")
    if wrong:
        sys.exit(NO)
