"""The start and the end that all writing commands share."""

from __future__ import annotations

from a2ledger.audit import hand_edits, tags
from a2ledger.balances import balances
from a2ledger.billing import settle
from a2ledger.book.book import Draft
from a2ledger.fees import charge
from a2ledger.journal import summary


def begin(draft: Draft, *, dry_run: bool) -> None:
    """Commit hand edits, and post the fees that are due."""
    if charge.charge(draft, hand_edits.adopt(draft, dry_run=dry_run)):
        summary.summarise(draft)  # entries are looked up in the general ledger


def finish(draft: Draft, message: str, *, dry_run: bool) -> None:
    """Update derived files and publish, or only report in a dry run."""
    charge.charge(draft, charge.changed(draft))
    settle.mark(draft)
    summary.summarise(draft)
    if dry_run:
        draft.talk(f"dry run: {len(draft.put_files)} file(s) would change")
    else:
        fees = f"\nfees: {draft.fees} posted\n" if draft.fees else ""
        sums = balances.sums_of(draft)
        draft.publish(message + fees, tags.tag(draft))
        balances.remember(draft.base, sums)
