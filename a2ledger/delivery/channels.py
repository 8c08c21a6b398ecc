"""Ways of documents that are not mail: a command of the operator's, and a folder to print from."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from a2ledger.book.disk import fsync, refusing, write
from a2ledger.delivery.outbox import Message
from a2ledger.delivery.smtp import RejectedError

LATER = 75
"""Exit code of a command that is to be tried again: ``EX_TEMPFAIL``."""
_PATIENCE_SECONDS = 600
_LONGEST = 300


def run(command: Sequence[str], message: Message, invoice: bytes, root: Path) -> str:
    """Hand an e-invoice to the operator's command; return the identifier it prints.

    The command has the e-invoice on its standard input and says of it in its environment:
    ``A2LEDGER_DOCUMENT``, ``A2LEDGER_CUSTOMER``, ``A2LEDGER_TO`` and ``A2LEDGER_MESSAGE_ID``.

    Args:
        command: and its arguments.
        message: what is sent.
        invoice: the e-invoice.
        root: the book's directory, in which it is run.

    Raises:
        RejectedError: if it ends with another code than 0; 75 is tried again.
    """
    about = {
        "A2LEDGER_DOCUMENT": message.document,
        "A2LEDGER_CUSTOMER": message.customer,
        "A2LEDGER_TO": message.to,
        "A2LEDGER_MESSAGE_ID": message.message_id,
    }
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own, without a shell
            command, input=invoice, capture_output=True, cwd=root, env=os.environ | about,
            timeout=_PATIENCE_SECONDS, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise RejectedError(f"{command[0]}: not there", lasting=False) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RejectedError(f"{command[0]}: {error}", lasting=True) from error
    said = done.stdout.decode(errors="replace").strip()
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or said.splitlines()
        text = f"{command[0]}: exit {done.returncode}" + (f", {lines[-1]}" if lines else "")
        raise RejectedError(text[:_LONGEST], lasting=done.returncode != LATER)
    return (said.splitlines() or [""])[-1][:_LONGEST]


def put(directory: Path, name: str, content: bytes) -> str:
    """Put a file into the folder to print from; return where it stands."""
    with refusing("it was not put into the folder"):
        directory.mkdir(parents=True, exist_ok=True)
        path, half = directory / name, directory / f".{name}.tmp"
        write(half, content)
        half.replace(path)
        fsync(directory)
    return str(path)
