"""Blocks as HTML that needs nothing else: no script, no picture, one style with its digest."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable

from privlink.api.reference.page import Block, Code, Heading, Table, Text

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; }
tr + tr { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
code, pre { font: .9em ui-monospace, monospace; }
pre { padding: 1rem; overflow-x: auto; }
pre { background: color-mix(in srgb, currentColor 8%, transparent); }
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# What a browser may do with such a page: show it.
POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"


def written(title: str, blocks: Iterable[Block]) -> str:
    """A page."""
    body = "\n".join(_block(each) for each in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{html.escape(title)}</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            name = re.sub(r"\W+", "-", text.lower())
            return f'<h{level} id="{name}">{html.escape(text)}</h{level}>'
        case Text(text):
            return f"<p>{_inline(text)}</p>"
        case Code(_, text):
            return f"<pre>{html.escape(text)}</pre>"
        case Table(head, rows):
            lines = [_row("th", head), *(_row("td", each) for each in rows)]
            return "<table>\n" + "\n".join(lines) + "\n</table>"


def _row(cell: str, texts: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{cell}>{_inline(text)}</{cell}>" for text in texts) + "</tr>"


def _inline(text: str) -> str:
    text = html.escape(text)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    return re.sub(r"\[([^]]+)\]\(([^)]+)\)", _link, text)


def _link(found: re.Match[str]) -> str:
    """A link between pages; files end with .md, pages with nothing."""
    address = re.sub(r"(?:README)?\.md(?=$|#)", "", found[2])
    return f'<a href="{address or "."}">{found[1]}</a>'
