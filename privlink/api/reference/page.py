"""The reference page of an action, as blocks that can be written in any form."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from privlink.api.action import Action, Product
from privlink.api.caller import Who
from privlink.api.reference import refusals, schema
from privlink.api.reference.refusals import Reader, Refusal
from privlink.api.reference.schema import Row, Schema

# Inline, as in Markdown: `code` and [words](address).


class Heading(msgspec.Struct, frozen=True):
    level: int
    text: str


class Text(msgspec.Struct, frozen=True):
    text: str


class Table(msgspec.Struct, frozen=True):
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Code(msgspec.Struct, frozen=True):
    language: str
    text: str


Block = Heading | Text | Table | Code

_WHO = {
    Who.ACCOUNT: "For every account.",
    Who.OPERATOR: "For the operator.",
    Who.NODE: "For nodes.",
    Who.RESOLVER: "For whoever answers names.",
}


class Page(msgspec.Struct, frozen=True):
    """What is to be known of an action."""

    name: str
    product: Product
    summary: str
    more: str
    who: Who
    writes: bool
    resource: tuple[str, ...]
    takes: Schema
    answers: Schema
    refusals: tuple[Refusal, ...]


class Example(msgspec.Struct, frozen=True):
    """A request, its parameters as they are on the wire, and the answer as JSON."""

    parameters: tuple[tuple[str, str], ...]
    status: int
    answer: str


def pages_of(actions: Iterable[Action]) -> list[Page]:
    """The pages of actions."""
    reader = Reader()
    return [_page(each, reader) for each in actions]


def _page(action: Action, reader: Reader) -> Page:
    summary, _, more = (inspect.getdoc(action.function) or "").partition("\n\n")
    resource = action.resource or ()
    return Page(
        name=action.name,
        product=action.product,
        summary=_one_line(summary),
        more=_one_line(more),
        who=action.who,
        writes=action.writes or action.appends,
        resource=(resource,) if isinstance(resource, str) else resource,
        takes=schema.taken(action),
        answers=schema.answered(action),
        refusals=reader.of_action(action),
    )


def blocks(page: Page, examples: Iterable[Example] = ()) -> Iterator[Block]:
    """A page from top to bottom."""
    yield Heading(1, page.name)
    yield Text(page.summary)
    if page.more:
        yield Text(page.more)
    yield Text(_about(page))
    yield Heading(2, "Parameters")
    taken = list(schema.rows(page.takes, number=".N"))
    if taken:
        rows = tuple(
            (f"`{row.name}`", kind_of(row), "yes" if row.mandatory else "", rule_of(row.schema))
            for row in taken
        )
        yield Table(("name", "type", "mandatory", "rule"), rows)
    else:
        yield Text("None.")
    yield Heading(2, "Answer")
    fields = tuple(
        (f"`{row.name}`", kind_of(row) + ("" if row.mandatory else ", may be absent"))
        for row in schema.rows(page.answers, number="[]")
    )
    yield Table(("field", "type"), fields)
    yield Heading(2, "Errors")
    yield Text("Beside [those of every action](../README.md#errors-of-every-action):")
    yield error_table(page.refusals)
    for number, example in enumerate(examples):
        yield Heading(2, "Example" if number == 0 else "And refused")
        yield Code("http", _request(page, example))
        yield Code("json", example.answer)


def index(pages: Iterable[Page], common: Iterable[Refusal]) -> Iterator[Block]:
    """The page that leads to the others."""
    yield Heading(1, "Reference")
    yield Text(
        "Every action, read off the declarations that the server itself runs on. A call is a "
        "signed GET or POST of `/` with `Action` and `Version`; parameters are in the query or in "
        "a form body. Items of lists are numbered from 1: `Zone.1.ZoneId`."
    )
    by_product: dict[Product, list[Page]] = {}
    for page in pages:
        by_product.setdefault(page.product, []).append(page)
    for product, its in by_product.items():
        yield Heading(2, f"{product.name} {product.version}")
        rows = tuple(
            (f"[{page.name}]({product.name}/{page.name}.md)", page.summary)
            for page in sorted(its, key=lambda page: page.name)
        )
        yield Table(("action", ""), rows)
    yield Heading(2, "Errors of every action")
    yield Text(
        "A refusal is JSON with `Code`, `Message`, `RequestId`, `HostId` and `Recommend`; the call "
        "has changed nothing."
    )
    yield error_table(common)


def error_table(found: Iterable[Refusal]) -> Table:
    """Errors with their codes, statuses and sentences."""
    rows = tuple(
        (f"`{refusals.code_of(each)}`", str(each.status), sentence(each)) for each in found
    )
    return Table(("code", "status", "message"), rows)


def sentence(refusal: Refusal) -> str:
    """The message of an error, with words for what it fills in."""
    return re.sub(r"\{(\w+)[^}]*\}", lambda found: f"‹{found[1].replace('_', ' ')}›", refusal.text)


def kind_of(row: Row) -> str:
    """The type of a value in a word or two."""
    return _kind(row.schema["items"] if row.schema.get("type") == "array" else row.schema)


def rule_of(found: Schema) -> str:
    """What a value must be, in a sentence or two."""
    parts = [_sentence(found.get("description", "")) or _bounds(found)]
    if "enum" in found:
        parts.insert(0, _sentence(_or(f"`{_spelt(each)}`" for each in found["enum"])))
    if "default" in found:
        parts.append(f"If left out: `{_spelt(found['default'])}`.")
    return " ".join(part for part in parts if part)


def _about(page: Page) -> str:
    parts = [f"`{page.product.name}` {page.product.version}.", _WHO[page.who]]
    parts.append("Changes things." if page.writes else "Changes nothing.")
    if page.resource:
        parts.append(f"Acts on {_or(f'`{each}`' for each in page.resource)}.")
    return " ".join(parts)


def _kind(found: Schema) -> str:
    if "anyOf" in found:
        named = dict.fromkeys(_kind(each) for each in found["anyOf"])
        return _or(each for each in named if each != "null")
    if found.get("type") == "array":
        return f"list of {_kind(found['items'])}"
    return str(found.get("type", "any"))


def _bounds(found: Schema) -> str:
    low = found.get("minimum", found.get("exclusiveMinimum"))
    high = found.get("maximum", found.get("exclusiveMaximum"))
    if low is not None and high is not None:
        return f"{low} to {high}."
    if low is not None:
        return f"{low} or more."
    if "maxItems" in found:
        least = found.get("minItems")
        return f"{least} to {found['maxItems']}." if least else f"At most {found['maxItems']}."
    if "maxLength" in found:
        return f"Up to {found['maxLength']} characters."
    return ""


def _request(page: Page, example: Example) -> str:
    lines = [f"POST /?Action={page.name}&Version={page.product.version}"]
    if example.parameters:
        lines += ["", *(f"{name}={value}" for name, value in example.parameters)]
    return "\n".join([*lines, "", f"HTTP {example.status}"])


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith(".") else ".")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _or(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _spelt(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
