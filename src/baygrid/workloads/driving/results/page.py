"""map.html: the drives of a run, one under another, for a browser without a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

FILE: Final = "map.html"
MOST: Final = 40
"""Drives that are drawn; the tables hold all."""

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""A browser may load nothing for these pages."""

STYLE: Final = """
:root { color-scheme: light dark; --paper:#f2f4f8; --card:#fff; --ink:#17202e; --grey:#667085; --line:#e4e8ee;
} @media (prefers-color-scheme: dark) { :root { --paper:#0a0f16; --card:#0f1620; --ink:#e8edf4;
--grey:#98a6b8; --line:#243042; } }
* { box-sizing: border-box; } body { margin:0; background:var(--paper); color:var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 32px 20px 60px; } h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 34px 0 10px; overflow-wrap: anywhere; } p.dim, .dim { color: var(--grey); }
.tiles { display:grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap:12px; margin: 18px 0
6px; } .tile { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:12px 16px; }
.tile b { display:block; font-size:23px; font-variant-numeric: tabular-nums; } .tile span { color:var(--grey);
} svg.map { display:block; width:100%; height:auto; border:1px solid var(--line); border-radius:12px; }
table { width:100%; border-collapse: collapse; margin: 12px 0; font-variant-numeric: tabular-nums; }
th, td { text-align:left; padding:6px 10px; border-bottom:1px solid var(--line); vertical-align: top; }
th { color: var(--grey); font-weight: 600; } td.number, th.number { text-align: right; }
.scroll { overflow-x: auto; }
"""


def tiles(figures: Iterable[tuple[str, str]]) -> str:
    cards = "".join(f'<div class="tile"><b>{escape(v)}</b><span>{escape(n)}</span></div>' for n, v in figures)
    return f'<div class="tiles">{cards}</div>'


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of plain text."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def page(figures: Mapping[str, Any], maps: Iterable[tuple[str, str | None]], words: Mapping[str, str]) -> str:
    """`figures` as statistics.of_all; `maps` the name and the SVG of each drive, None where it has no way."""
    count = sum(figures["events"].values())
    told = tiles(
        [
            (words["km"], f"{figures['km']:,.2f} km"),
            (words["hours"], hours(figures["hours"])),
            (words["drives"], f"{figures['drives']:,}"),
            (words["events"], f"{count:,}"),
        ]
    )
    body = "".join(
        f"<h2>{escape(name)}</h2>" + (drawn or f'<p class="dim">{escape(words["map.none"])}</p>')
        for name, drawn in maps
    )
    more = figures["drives"] - MOST
    rest = f'<p class="dim">{escape(words["map.more"].format(more))}</p>' if more > 0 else ""
    return document(words["map.title"], f"<h1>{escape(words['map.title'])}</h1>{told}{body}{rest}")


def hours(value: float) -> str:
    return f"{value:,.2f} h" if value >= 1 else f"{value * 60:,.1f} min"


def document(title: str, body: str, style: str = "") -> str:
    """A page of its own: nothing is loaded from anywhere."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{escape(title)}</title><style>{STYLE}{style}</style></head><body><main>{body}</main></body></html>\n"
    )
