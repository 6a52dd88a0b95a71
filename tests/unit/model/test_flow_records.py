"""The words of flow records, and the page that explains them."""

from __future__ import annotations

import re
from pathlib import Path

from privlink.model.flow_records import CAUSES, Ending, Refusal

PAGE = Path(__file__).parents[3] / "docs" / "flow-records.md"


def rows(heading: str) -> list[str]:
    """The causes in the tables below a heading, each with something to say and to do."""
    section = PAGE.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    assert all(what.strip() and way.strip() for _, what, way in found)
    return [cause for cause, _, _ in found]


def test_every_cause_is_explained_once() -> None:
    assert sorted(rows("Why a flow closed")) == sorted(Ending)
    assert sorted(rows("Why a packet was refused")) == sorted(Refusal)
    assert frozenset((*Ending, *Refusal)) == CAUSES
