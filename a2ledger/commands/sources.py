"""Sources of calls: configured ones, dialects and presets."""

from __future__ import annotations

import click

from a2ledger import sources as dialects
from a2ledger.book import presets, toml_edit
from a2ledger.book.source_config import Rule, Source
from a2ledger.book.toml_table import ConfigError
from a2ledger.calls.usual_rules import with_rules
from a2ledger.commands.settings import Settings, as_json_option, pass_settings, print_json
from a2ledger.sources import runs


@click.group("sources", invoke_without_command=True)
@as_json_option
@click.pass_context
def sources_(context: click.Context, as_json_: bool) -> None:
    """List the sources of calls: configured ones, dialects, and presets to be like.

    A preset is named by `import SOURCE FILE --like NAME`, or as like = "NAME" in a2ledger.toml.

    Example: a2ledger sources
    """
    if context.invoked_subcommand is None:
        _list(context.ensure_object(Settings), as_json_)


def _list(settings: Settings, as_json_: bool) -> None:
    book = settings.book()
    last = {run.source: run.time for run in runs.runs(book)}
    configured = list(book.config.sources.values())
    if as_json_:
        print_json(
            {
                "sources": [
                    {
                        "name": source.name,
                        "dialect": source.dialect,
                        "like": source.like,
                        "switch": source.switch,
                        "timezone": source.timezone,
                        "imported": last.get(source.name),
                    }
                    for source in configured
                ],
                "dialects": dialects.dialects(),
                "presets": [
                    {"name": preset_row.name, "title": preset_row.title, "where": preset_row.where}
                    for preset_row in presets.presets().values()
                ],
            }
        )
        return
    for source in configured:
        like = f", like {source.like}" if source.like else ""
        when = last.get(source.name)
        imported = f"imported {when:%Y-%m-%d %H:%M}" if when else "never imported"
        click.echo(f"{source.name}  {source.dialect}{like}  {source.timezone}  {imported}")
    for name in dialects.dialects():
        if name not in book.config.sources:
            click.echo(f"{name}  a dialect, as it comes")
    for preset in presets.presets().values():
        click.echo(f"--like {preset.name}  {preset.title}; {preset.where}")


@sources_.command("show")
@click.argument("name")
@pass_settings
def show(settings: Settings, name: str) -> None:
    """Print a source, a dialect or a preset as TOML to be copied, with the rules it goes by.

    Example: a2ledger sources show asterisk
    """
    book = settings.book()
    if name in presets.presets() and name not in book.config.sources:
        preset = presets.presets()[name]
        click.echo(f"# {preset.title}\n# {preset.where}\n{presets.text(name)}", nl=False)
        return
    source = book.config.source(name, dialects.dialects)
    try:
        ruled = with_rules(book, source)
    except KeyError:
        raise ConfigError(
            (
                f"a2ledger.toml: sources.{name}.dialect: {source.dialect!r} is none of "
                f"{', '.join(dialects.dialects())}"
            ),
            undone="nothing was shown",
            todo="name one of them",
        ) from None
    click.echo("\n".join(_lines(ruled)))


def _lines(source: Source) -> list[str]:
    """Return a source as lines of TOML, with everything that affects its rows."""
    head = f"sources.{source.name}"
    lines = [f"[{head}]", f"dialect = {toml_edit.quoted(source.dialect)}"]
    if source.like:
        lines.append(f"like = {toml_edit.quoted(source.like)}")
    lines += [
        f"switch = {toml_edit.quoted(source.switch)}",
        f"timezone = {toml_edit.quoted(source.timezone)}",
    ]
    for key in ("short_codes", "international", "trunks", "technical_prefixes", "answered", "skip"):
        if values := getattr(source, key):
            lines.append(f"{key} = {_list_of(values)}")
    for key in ("national", "country", "time_format", "id_prefix"):
        if value := getattr(source, key):
            lines.append(f"{key} = {toml_edit.quoted(value)}")
    if source.before_dialling is not None:
        lines.append(f"before_dialling = {source.before_dialling}")
    if source.mapping:
        lines += ["", f"[{head}.columns]"]
        for ours in dict.fromkeys(name for name, _ in source.mapping):
            names = tuple(theirs for name, theirs in source.mapping if name == ours)
            is_single = len(names) == 1
            lines.append(f"{ours} = {toml_edit.quoted(names[0]) if is_single else _list_of(names)}")
    for rule in source.rules or (Rule(),):
        lines += ["", f"[[{head}.rules]]", *_rule(rule)]
    return lines


def _rule(rule: Rule) -> list[str]:
    lines = [
        f"{key} = {_list_of(values)}"
        for key in ("contexts", "applications", "channels", "called", "without")
        if (values := getattr(rule, key))
    ]
    lines += [
        f"{key} = {toml_edit.quoted(value)}"
        for key in ("to", "direction")
        if (value := getattr(rule, key))
    ]
    lines += [
        f"identify = {_list_of(rule.identify)}",
        f"service = {toml_edit.quoted(rule.service)}",
    ]
    if rule.tariff:
        lines.append(f"tariff = {toml_edit.quoted(rule.tariff)}")
    if rule.free:
        lines.append("free = true")
    return lines


def _list_of(values: tuple[str, ...]) -> str:
    return f"[{', '.join(map(toml_edit.quoted, values))}]"
