"""Blocks as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from privlink.api.reference.page import Block, Code, Heading, Table, Text


def written(blocks: Iterable[Block]) -> str:
    """A file's text."""
    return "\n\n".join(_block(each) for each in blocks) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {text}"
        case Text(text):
            return text
        case Code(language, text):
            return f"```{language}\n{text}\n```"
        case Table(head, rows):
            rule = tuple("---" for _ in head)
            return "\n".join(_row(each) for each in (head, rule, *rows))


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
