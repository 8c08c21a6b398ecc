"""The upgrade command: derive files of an earlier version's book again."""

from __future__ import annotations

import click

from a2ledger.commands.settings import Settings, dry_run_option, pass_settings
from a2ledger.journal import summary


@click.command()
@dry_run_option
@pass_settings
def upgrade(settings: Settings, *, dry_run: bool) -> None:
    """Update derived files that an earlier a2ledger wrote, in one commit.

    Sealed files, documents and everything that people wrote stay as they are. Prints the files
    that change, and says why.

    Example: a2ledger upgrade --dry-run
    """
    with settings.drafting(dry_run=dry_run) as draft:
        reasons = list(summary.outdated(draft))
        if summary.spread(draft):
            reasons.append("the general ledger is spread over many files (shard_above)")
        draft.rebuild = True
        summary.summarise(draft)
        for path in sorted(draft.put_files):
            click.echo(path)
        for reason in reasons if draft.put_files else ():
            settings.talk(reason)
        if not draft.put_files:
            settings.talk("everything is up to date")
        settings.publish(draft, "upgrade: derived anew\n", dry_run)
