"""PrivateLink and VPC's gateway endpoints as they are served beside what the facts have, by field.

`facts/` holds names, types and ranges of every parameter and field; `differences` the reasons for
what is otherwise here; transcripts what was really asked and answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from privlink.api.action import PRIVATELINK, VPC, Action, Product
from privlink.api.reference import markdown, schema
from privlink.api.reference.page import Block, Heading, Table, Text
from privlink.api.wire import IGNORED
from privlink.server.wiring import ACTIONS
from tests.api import differences, gateway_differences
from tests.api.transcript import read


class Compatible(msgspec.Struct, frozen=True):
    """What is served of a product, the facts of it, and the reasons for what is otherwise."""

    title: str
    product: Product
    facts: dict[str, Any]
    served: dict[str, Action]
    differences: ModuleType


def _compatible(title: str, product: Product, file: str, reasons: ModuleType) -> Compatible:
    facts = json.loads((Path(__file__).parent / "facts" / file).read_text())
    # Of PrivateLink everything; of VPC what the facts are about.
    served = {
        each.name: each
        for each in ACTIONS
        if each.product == product and (product == PRIVATELINK or each.name in facts)
    }
    return Compatible(title, product, facts, served, reasons)


WHOLE = _compatible("PrivateLink 2020-04-15", PRIVATELINK, "privatelink.json", differences)
GATEWAY = _compatible(
    "gateway endpoints of VPC 2016-04-28", VPC, "gateway.json", gateway_differences
)
# Every change of every action is tried with these two: tests/api/test_transcripts.py.
_CONTROL = {"ClientToken", "DryRun"}
_BOUNDS = ("minimum", "maximum", "minLength", "maxLength", "maxItems")


class Compared(msgspec.Struct, frozen=True):
    """A parameter or a field: how it is served, and why not otherwise. "?" is a gap."""

    name: str
    state: str
    reason: str


def parameters(of: Compatible, name: str) -> Iterator[Compared]:
    """What an action takes, by the facts and by us."""
    action, facts = of.served[name], of.facts[name]["request"]
    ours = {row.name: row for row in schema.rows(schema.taken(action), number=".N")}
    asked = _asked(of, name)
    for parameter, fact in facts.items():
        refusal = of.differences.REFUSED.get((name, parameter), "")
        if parameter in _CONTROL and not action.writes:
            yield Compared(parameter, "taken", "nothing changes, so there is nothing to repeat.")
        elif parameter in IGNORED:
            yield Compared(parameter, "taken", "every action lets it pass.")
        elif parameter not in ours:
            yield Compared(parameter, "?", "it is not taken.")
        elif refusal:
            yield Compared(parameter, "refused" if parameter in asked[False] else "?", refusal)
        else:
            differs = any(_rule_differs(fact, ours[parameter]))
            reason = _reason(of.differences.RULES, name, parameter) if differs else ""
            state = "answered" if parameter in asked[True] | _CONTROL else "taken"
            yield Compared(parameter, state if reason or not differs else "?", reason)
    for parameter in sorted(ours.keys() - facts.keys()):
        always = "every action that changes things takes it." if parameter in _CONTROL else ""
        more = of.differences.MORE.get((name, parameter), always)
        yield Compared(parameter, "ours" if more else "?", more)


def fields(of: Compatible, name: str) -> Iterator[Compared]:
    """What an action answers, by the facts and by us."""
    facts = of.facts[name]["response"]
    ours = {row.name for row in schema.rows(schema.answered(of.served[name]), number="[]")}
    seen = answered(of, name)
    for field, kind in facts.items():
        reason = _reason(of.differences.FIELDS, name, field)
        if field in seen:
            yield Compared(field, "answered" if seen[field] <= {kind} else "?", "")
        elif reason:
            yield Compared(field, "at need" if field in ours else "never", reason)
        else:
            yield Compared(field, "?", "no transcript answers it.")
    for field in sorted((ours | seen.keys()) - facts.keys()):
        yield Compared(field, "?", "the facts do not know it.")


def answered(of: Compatible, name: str) -> dict[str, set[str]]:
    """Every field in the answers of an action's transcript, with the types it had."""
    seen: dict[str, set[str]] = {}
    for exchange in read(of.product.name, name):
        if exchange.status == 200:
            for field, value in _flat(exchange.answer, "[]"):
                seen.setdefault(field, set()).update(_types(value))
    return seen


def document(of: Compatible) -> str:
    """The compatibility table."""
    return markdown.written(_blocks(of))


def _blocks(of: Compatible) -> Iterator[Block]:
    yield Heading(1, f"Compatibility with {of.title}")
    yield Text(
        "Action by action and field by field, made from the tests: each line marked `answered` was "
        "asked for, or came back, in a transcript that Alibaba Cloud's SDKs and requests made by "
        "hand produce alike."
    )
    meaning = (
        ("`answered`", "a transcript has it"),
        ("`taken`", "the declaration and the SDK have it; no transcript uses it yet"),
        ("`refused`", "understood, and refused by name, for the reason given"),
        ("`at need`", "answered where there is something to say; no transcript has it"),
        ("`never`", "not answered, for the reason given"),
        ("`ours`", "taken here, unknown to the cloud"),
    )
    yield Table(("word", "meaning"), meaning)
    yield Heading(2, "Actions")
    rows = [(f"[{name}](#{name.lower()})", *_counts(of, name)) for name in sorted(of.served)]
    yield Table(("action", "parameters", "fields"), tuple(rows))
    if of.differences.NO_ACTION:
        yield Heading(2, "Actions that are not served")
        missing = tuple(
            (f"`{name}`", reason[:1].upper() + reason[1:])
            for name, reason in of.differences.NO_ACTION.items()
        )
        yield Table(("action", "reason"), missing)
    for name in sorted(of.served):
        yield Heading(2, name)
        if name in getattr(of.differences, "DONE", {}):
            done = of.differences.DONE[name]
            yield Text(f"Done otherwise: {done}")
        taken = [("→", *_cells(each)) for each in parameters(of, name)]
        given = [("←", *_cells(each)) for each in fields(of, name)]
        yield Table(("", "name", "", "difference"), (*taken, *given))


def _counts(of: Compatible, name: str) -> tuple[str, str]:
    taken, given = list(parameters(of, name)), list(fields(of, name))
    return tuple(  # type: ignore[return-value]
        f"{sum(each.state == 'answered' for each in found)} of {len(found)} answered"
        for found in (taken, given)
    )


def _cells(compared: Compared) -> tuple[str, str, str]:
    reason = compared.reason
    return f"`{compared.name}`", compared.state, reason[:1].upper() + reason[1:]


def _asked(of: Compatible, name: str) -> dict[bool, set[str]]:
    """The parameters in an action's transcript: in calls that were answered, and in refused."""
    asked: dict[bool, set[str]] = {True: set(), False: set()}
    for exchange in read(of.product.name, name):
        asked[exchange.status == 200] |= {name for name, _ in _flat(exchange.request, ".N")}
    return asked


def _flat(value: Any, number: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        items = [inner]
        while isinstance(inner, list):
            name += number
            items = [each for each in items for each in each]
            inner = items[0] if items else None
        if not items:
            yield f"{prefix}{name}", None
        for item in items:
            yield f"{prefix}{name}", item
            if isinstance(item, dict):
                yield from _flat(item, number, f"{prefix}{name}.")


def _types(value: Any) -> set[str]:
    """The type of a value; of nothing in a list there is none."""
    names = {bool: "boolean", int: "integer", str: "string", dict: "object"}
    return set() if value is None else {names[type(value)]}


def _rule_differs(fact: dict[str, Any], row: schema.Row) -> Iterator[str]:
    """In what a parameter's rule differs from the facts'."""
    inner = row.schema.get("items", row.schema)
    if inner.get("type") != fact["type"]:
        yield "type"
    if row.mandatory != fact.get("required", False):
        yield "mandatory"
    allowed = inner.get("enum", [])
    if inner.get("minimum") is not None and inner.get("minimum") == inner.get("maximum"):
        allowed = [inner["minimum"]]
    if sorted(map(str, fact.get("enum", []))) != sorted(map(str, allowed)) and "enum" in fact:
        yield "enum"
    whole = {**row.schema, **inner}
    for bound in _BOUNDS:
        if bound in fact and fact[bound] != whole.get(bound):
            yield bound


def _reason(table: Mapping[tuple[str, str], str], action: str, name: str) -> str:
    return table.get((action, name)) or table.get(("*", name), "")


def unused_reasons(of: Compatible) -> list[tuple[str, str]]:
    """Lines of `differences` that nothing needs."""
    needed = {
        (name, each.name)
        for name in of.served
        for each in (*parameters(of, name), *fields(of, name))
        if each.reason
    }
    tables = (
        of.differences.REFUSED,
        of.differences.RULES,
        of.differences.FIELDS,
        of.differences.MORE,
    )
    return [
        (action, name)
        for table in tables
        for action, name in table
        if not any(name == other and action in ("*", whose) for whose, other in needed)
    ]


def sample(action: Action) -> dict[str, Any]:
    """A value for every parameter an action declares, as the SDKs' models take them."""
    taken = schema.taken(action)["properties"]
    return {name: _sample(found) for name, found in taken.items()}


def _sample(found: schema.Schema) -> Any:
    if "enum" in found:
        return found["enum"][0]
    match found.get("type"):
        case "array":
            return [_sample(found["items"])]
        case "object":
            return {name: _sample(each) for name, each in found["properties"].items()}
        case "integer":
            return max(1, found.get("minimum", 1))
        case "boolean":
            return False
    return "local" if "maxLength" in found else "nlb"
