"""The documents that are made, not written: the reference and the compatibility table.

`scripts/docs` writes them; a test holds the files in docs/ against what would be written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from privlink.api.action import Action
from privlink.api.reference import markdown, page, refusals
from privlink.client import flatten
from privlink.server.app import GATE
from privlink.server.wiring import ACTIONS
from tests.api import compatibility
from tests.api.transcript import Exchange, read

ROOT = Path(__file__).parent.parent
REFERENCE = Path("docs/reference")


def made() -> dict[Path, str]:
    """Every made document, by its path below the root."""
    pages = page.pages_of(ACTIONS)
    common = refusals.Reader().of_functions(GATE)
    found = {REFERENCE / "README.md": markdown.written(page.index(pages, common))}
    for action, its in zip(ACTIONS, pages, strict=True):
        path = REFERENCE / action.product.name / f"{action.name}.md"
        found[path] = markdown.written(page.blocks(its, examples_of(action)))
    found[Path("docs/compatibility.md")] = compatibility.document(compatibility.WHOLE)
    found[Path("docs/compatibility-gateway.md")] = compatibility.document(compatibility.GATEWAY)
    return found


def present() -> set[Path]:
    """The files that are there in the place of made documents."""
    return {path.relative_to(ROOT) for path in (ROOT / REFERENCE).glob("**/*.md")}


def examples_of(action: Action) -> list[page.Example]:
    """The first answer and the first refusal of an action's transcript."""
    exchanges = read(action.product.name, action.name)
    answered = [each for each in exchanges if each.status == 200]
    refused = [each for each in exchanges if each.status != 200]
    return [_example(each) for each in (*answered[:1], *refused[:1])]


def _example(exchange: Exchange) -> page.Example:
    return page.Example(
        parameters=tuple(flatten(exchange.request)),
        status=exchange.status,
        answer=json.dumps(exchange.answer, indent=2, ensure_ascii=False),
    )


def write() -> None:
    """Write every document, and take away those that are no more."""
    found = made()
    for gone in present() - found.keys():
        (ROOT / gone).unlink()
    for path, text in found.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text)


if __name__ == "__main__":
    sys.exit(write())
