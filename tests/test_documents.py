"""The made documents are what would be made now. If not: scripts/docs."""

from __future__ import annotations

from tests import documents


def test_documents_are_current() -> None:
    found = documents.made()
    stale = [
        str(path)
        for path, text in found.items()
        if not (documents.ROOT / path).is_file() or (documents.ROOT / path).read_text() != text
    ]
    assert not stale, "run scripts/docs"
    assert documents.present() <= found.keys(), "run scripts/docs"
