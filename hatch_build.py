"""Compiles the catalogues of languages into the wheel; a checkout compiles them when needed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from babel.messages import mofile, pofile
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Catalogues(BuildHookInterface):  # type: ignore[type-arg]
    """Puts ``a2ledger.mo`` beside each ``a2ledger.po``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name what is to be in the wheel."""
        if self.target_name != "wheel" or version == "editable":
            return
        directory = Path(tempfile.mkdtemp())
        for path in sorted(Path(self.root).glob("a2ledger/locale/*/LC_MESSAGES/*.po")):
            place = path.relative_to(self.root).with_suffix(".mo")
            compiled = directory / place
            compiled.parent.mkdir(parents=True)
            with path.open("rb") as source, compiled.open("wb") as target:
                mofile.write_mo(target, pofile.read_po(source))
            build_data["force_include"][str(compiled)] = str(place)
