"""What an action takes and answers, as JSON Schema 2020-12 without references."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import inspect as types

from privlink.api.action import Action
from privlink.api.dispatch import Control
from privlink.api.wire import Answer

Schema = dict[str, Any]

# How the wire spells them, with a capital or without: a parameter that takes one of them alone.
_BOOLS = {"false": False, "true": True}
_REQUEST_ID = {"type": "string", "description": "the number of the request, as in the log."}


class Row(msgspec.Struct, frozen=True):
    """One parameter or field, under the name it has on the wire: `Zone.N.ZoneId`."""

    name: str
    schema: Schema
    mandatory: bool


def taken(action: Action) -> Schema:
    """What an action takes, with ClientToken and DryRun where it changes things."""
    found = _schema(types.type_info(action.schema), nullable=False)
    control = _schema(types.type_info(Control), nullable=False) if action.writes else {}
    return found | {"properties": found["properties"] | control.get("properties", {})}


def answered(action: Action) -> Schema:
    """What an action answers when it does not refuse."""
    kind = get_type_hints(action.function)["return"]
    found = _schema(types.type_info(kind), nullable=True)
    return found | {
        "properties": {"RequestId": _REQUEST_ID} | found["properties"],
        "required": ["RequestId", *found["required"]],
    }


def rows(schema: Schema, *, number: str, prefix: str = "") -> Iterator[Row]:
    """A schema's values one by one. `number` is how a place in a list is written: `.N` or `[]`."""
    for name, inner in schema.get("properties", {}).items():
        mandatory = name in schema["required"]
        yield Row(_listed(f"{prefix}{name}", inner, number), inner, mandatory)
        for _ in range(_depth(inner)):
            inner = inner["items"]
            name += number
        yield from rows(inner, number=number, prefix=f"{prefix}{name}.")


def _listed(name: str, schema: Schema, number: str) -> str:
    return name + number * _depth(schema)


def _depth(schema: Schema) -> int:
    """How many lists lie around a value."""
    return 1 + _depth(schema["items"]) if schema.get("type") == "array" else 0


def _schema(kind: types.Type, *, nullable: bool) -> Schema:
    match kind:
        case types.Metadata():
            rule = (kind.extra_json_schema or {}).get("description")
            inner = _schema(kind.type, nullable=nullable)
            return inner | {"description": rule} if rule else inner
        case types.StrType():
            return _some(
                type="string",
                minLength=kind.min_length,
                maxLength=kind.max_length,
                pattern=_ecma(kind.pattern),
            )
        case types.IntType():
            return _some(
                type="integer",
                minimum=kind.ge,
                exclusiveMinimum=kind.gt,
                maximum=kind.le,
                exclusiveMaximum=kind.lt,
            )
        case types.BoolType():
            return {"type": "boolean"}
        case types.FloatType():
            return {"type": "number"}
        case types.NoneType():
            return {"type": "null"}
        case types.EnumType():
            return {"type": "string", "enum": [str(each.value) for each in kind.cls]}
        case types.LiteralType() if {str(each).lower() for each in kind.values} <= _BOOLS.keys():
            values = {_BOOLS[str(each).lower()] for each in kind.values}
            return {"type": "boolean", "enum": sorted(values)}
        case types.LiteralType():
            return {"type": "string", "enum": list(kind.values)}
        case types.ListType() | types.VarTupleType():
            return _some(
                type="array",
                items=_schema(kind.item_type, nullable=nullable),
                minItems=kind.min_length,
                maxItems=kind.max_length,
            )
        case types.DictType():
            value = _schema(kind.value_type, nullable=nullable)
            return {"type": "object", "additionalProperties": value}
        case types.UnionType():
            options = [
                _schema(each, nullable=nullable)
                for each in kind.types
                if nullable or not isinstance(each, types.NoneType)
            ]
            return options[0] if len(options) == 1 else {"anyOf": options}
        case types.StructType():
            return _object(kind, nullable=nullable)
    return {}  # whatever JSON can say


def _object(kind: types.StructType, *, nullable: bool) -> Schema:
    hints = get_type_hints(kind.cls)
    properties: dict[str, Schema] = {}
    required: list[str] = []
    if kind.tag_field is not None:
        properties[kind.tag_field] = {"type": "string", "const": kind.tag}
        required.append(kind.tag_field)
    for field in kind.fields:
        found = _schema(field.type, nullable=nullable)
        if not nullable and field.default not in (msgspec.NODEFAULT, None, "", ()):
            found["default"] = msgspec.to_builtins(field.default)
        properties[field.encode_name] = found
        may_be_left_out = msgspec.UnsetType in get_args(hints[field.name])
        if not may_be_left_out if nullable else field.required:
            required.append(field.encode_name)
    about = kind.cls.__doc__ if kind.cls is not Answer else None
    return _some(
        type="object",
        description=inspect.cleandoc(about) if about else None,
        properties=properties,
        required=required,
        additionalProperties=False if kind.forbid_unknown_fields else None,
    )


def _ecma(pattern: str | None) -> str | None:
    """A pattern as JSON Schema spells it; flags cannot be, so such a rule stays a sentence."""
    return None if pattern is None or "(?i)" in pattern else re.sub(r"\\Z", "$", pattern)


def _some(**keywords: Any) -> Schema:
    return {name: value for name, value in keywords.items() if value is not None}
