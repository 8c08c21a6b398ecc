"""Draw how the commands grow with the customers, as ``scale.py --picture`` does.

``python tests/benchmarks/curves.py FIGURES.json ... > scale.svg`` draws figures that were kept.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 760, 470, 64, 190, 24, 52
SECONDS = (0.1, 1, 10, 100, 1000)
COLOURS = {
    "close, all": "#b3261e",
    "verify": "#8c5a00",
    "import 1,000,000 calls": "#1b5e20",
    "import an hour": "#00838f",
    "balances": "#1a4fa3",
    "check": "#6a1b9a",
    "payment": "#ad1457",
    "preview of one": "#455a64",
    "floor: bean-check main": "#5f6368",
    "floor: parse 1,000,000 rows": "#80868b",
}
"""The curves, by the names that ``scale.py`` prints."""


def svg(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the curves of CPU seconds by number of customers, both axes logarithmic.

    Args:
        figures: by number of customers and name of a command: CPU seconds, seconds, MB.
    """
    counts = sorted(map(int, figures))
    low, high = math.log10(counts[0]), math.log10(max(counts[-1], counts[0] * 10))

    def across(count: int) -> float:
        return LEFT + (math.log10(count) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def up(seconds: float) -> float:
        bottom, top = math.log10(SECONDS[0]), math.log10(SECONDS[-1])
        share = (math.log10(max(seconds, SECONDS[0])) - bottom) / (top - bottom)
        return HEIGHT - FOOT - share * (HEIGHT - TOP - FOOT)

    drawn = [*_axes(counts, across, up)]
    labels: list[tuple[float, str, str]] = []
    for name, colour in COLOURS.items():
        points = [
            (across(count), up(cost[0]))
            for count in counts
            for key, cost in figures[str(count)].items()
            if key.strip().startswith(name) and not isinstance(cost, str) and "after" not in key
        ]
        if not points:
            continue
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashes = ' stroke-dasharray="5 4"' if name.startswith("floor") else ""
        drawn.append(
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'
        )
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        labels.append((points[-1][1], name, colour))
    drawn += _named(labels)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="CPU seconds of commands by number of customers" '
        'font-family="system-ui, sans-serif" font-size="12">'
    )
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    return "\n".join([head, ground, *drawn, "</svg>", ""])


def _axes(counts: list[int], across: Any, up: Any) -> Iterator[str]:
    right = WIDTH - RIGHT
    for seconds in SECONDS:
        y = up(seconds)
        yield f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{seconds:g} s</text>'
    for count in counts:
        x = across(count)
        yield f'<path d="M{x:.1f} {TOP}V{HEIGHT - FOOT}" stroke="#eee"/>'
        place = f'x="{x:.1f}" y="{HEIGHT - FOOT + 18}"'
        yield f'<text {place} text-anchor="middle">{count:,}</text>'
    middle = (LEFT + right) / 2
    yield f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">customers</text>'
    yield f'<text x="{LEFT}" y="{TOP - 8}">CPU seconds</text>'


def _named(labels: list[tuple[float, str, str]]) -> Iterator[str]:
    """Yield the names beside the ends of their curves, none over another."""
    at = 0.0
    for y, name, colour in sorted(labels):
        at = max(y, at + 15)
        place = f'x="{WIDTH - RIGHT + 10}" y="{at + 4:.1f}"'
        yield f'<text {place} fill="{colour}">{name}</text>'


if __name__ == "__main__":
    kept: dict[str, dict[str, Any]] = {}
    for file in sys.argv[1:]:
        for customers, figures in json.loads(Path(file).read_text("utf-8")).items():
            kept.setdefault(customers, {}).update(figures)
    sys.stdout.write(svg(kept))
