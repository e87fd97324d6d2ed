"""The scores as a page: one table, a bar for each quality, groups by what is measured; no script, no connection."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from transpose.evaluate.round_trips import Trip

STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #687076; --line: #dfe3e6; --bar: #2f7d6d; --weak: #c2571a }
@media (prefers-color-scheme: dark) { :root { --ink: #ecedee; --soft: #9ba1a6; --line: #313538; --bar: #4fb39d } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th { text-align: left; color: var(--soft); font-weight: 500 }
th, td { padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td.n { text-align: right; font-variant-numeric: tabular-nums } td.data { color: var(--soft); font-size: .85em }
td:last-child { white-space: nowrap }
svg { display: block } p { color: var(--soft) }
"""
WIDTH = 120
WEAK = 0.5


def bar(quality: float) -> str:
    """A bar from 0 to 1; weak ones in another colour."""
    colour = "var(--weak)" if quality < WEAK else "var(--bar)"
    filled = max(1.0, min(1.0, quality) * WIDTH)
    return (
        f'<svg width="{WIDTH + 40}" height="16" role="img" aria-label="{quality:.2f}">'
        f'<rect y="4" width="{WIDTH}" height="9" rx="2" fill="var(--line)"/>'
        f'<rect y="4" width="{filled:.1f}" height="9" rx="2" fill="{colour}"/>'
        f'<text x="{WIDTH + 6}" y="12.5" font-size="12" fill="currentColor">{quality:.2f}</text></svg>'
    )


def page(
    scores: Mapping[str, Mapping[str, Any]], trips: list[Trip], exact: Mapping[str, tuple[str, str]] | None = None
) -> str:
    """The whole page as HTML; `exact` says of transforms without a figure what is exact, and by which test."""
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Transpose: scores</title><style>{STYLE}</style>',
        "<h1>How good the transforms are</h1>",
        "<p>Quality runs from 0 to 1 and decides between routes; beside it stands what was really measured.</p>",
        "<h2>By references and round trips through models</h2>",
        "<table><tr><th>transform<th>quality<th>metric<th>value<th>data<th>date</tr>",
    ]
    for name, entry in sorted(scores.items(), key=lambda each: (-float(each[1]["quality"]), each[0])):
        cells = [escape(str(entry.get(key, ""))) for key in ("metric", "value", "data", "date")]
        parts.append(
            f"<tr><td>{escape(name)}<td>{bar(float(entry['quality']))}<td>{cells[0]}"
            f'<td class="n">{cells[1]}<td class="data">{cells[2]}<td>{cells[3]}</tr>'
        )
    parts.append("</table>")
    if exact:
        parts.append("<h2>Exact, by their tests</h2><table><tr><th>transform<th>what<th>test</tr>")
        parts += [
            f'<tr><td>{escape(name)}<td>{escape(what)}<td class="data">{escape(test)}</tr>'
            for name, (what, test) in sorted(exact.items())
        ]
        parts.append("</table>")
    if trips:
        parts.append("<h2>Round trips through files, on this machine</h2>")
        parts.append("<table><tr><th>of<th>as<th>quality<th>metric<th>value<th>seconds</tr>")
        for trip in trips:
            told = bar(trip.quality) if not trip.failed else escape(trip.failed)
            parts.append(
                f"<tr><td>{trip.modality}<td>{trip.suffix}<td>{told}<td>{escape(trip.metric)}"
                f'<td class="n">{trip.value:g}<td class="n">{trip.seconds:.3f}</tr>'
            )
        parts.append("</table>")
    return "\n".join(parts) + "\n</html>\n"
