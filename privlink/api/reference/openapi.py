"""The reference as OpenAPI 3.1.

All actions of the cloud's style have the path `/`, which OpenAPI allows one operation of a method
on, so each has its query in its path: `/?Action=CreateVpc&Version=2016-04-28`. A list is one
parameter here and several on the wire: `x-wire` says under which names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from privlink.api.reference import refusals, schema
from privlink.api.reference.page import Page, sentence
from privlink.api.reference.refusals import Refusal

Json = dict[str, Any]

_REFUSAL = {
    "type": "object",
    "properties": {
        name: {"type": "string"} for name in ("RequestId", "HostId", "Code", "Message", "Recommend")
    },
    "required": ["RequestId", "HostId", "Code", "Message", "Recommend"],
}
_SIGNATURE = (
    "ACS3-HMAC-SHA256 with the access key of an account: Credential=, SignedHeaders=, Signature=. "
    "RPC v1 (HMAC-SHA1, in the parameters) is understood as well. Alibaba Cloud's SDKs do both."
)
_ABOUT = (
    "Parameters are taken from the query or from a form body. A parameter that is a list is sent "
    "item by item, under the names in its x-wire, N counting from 1."
)


def document(pages: Iterable[Page], common: Sequence[Refusal], *, version: str) -> Json:
    """One document with the actions of some pages. `common`: what every action can refuse with."""
    shown = sorted(pages, key=lambda page: (page.product.name, page.name))
    products = {page.product.name: page.product.version for page in shown}
    title = "privlink" + (f": {next(iter(products))}" if len(products) == 1 else "")
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [
            {"name": name, "description": f"Version {number}."} for name, number in products.items()
        ],
        "security": [{"signature": []}],
        "paths": {
            f"/?Action={page.name}&Version={page.product.version}": {"post": _operation(page)}
            for page in shown
        },
        "components": {
            "securitySchemes": {
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": _SIGNATURE,
                }
            },
            "schemas": {"Refusal": _REFUSAL},
            "responses": {"Refused": _refused("What every action can answer.", common)},
        },
    }


def _operation(page: Page) -> Json:
    by_status: dict[int, list[Refusal]] = {}
    for each in page.refusals:
        by_status.setdefault(each.status, []).append(each)
    return {
        "operationId": f"{page.product.name}.{page.name}",
        "tags": [page.product.name],
        "summary": page.summary,
        "description": page.more or page.summary,
        "x-writes": page.writes,
        "x-for": page.who.value,
        "x-resource": list(page.resource),
        "parameters": list(_parameters(page)),
        "responses": {
            "200": {
                "description": "The answer.",
                "content": {"application/json": {"schema": page.answers}},
            },
            **{
                str(status): _refused("Refused, and nothing has changed.", found)
                for status, found in sorted(by_status.items())
            },
            "default": {"$ref": "#/components/responses/Refused"},
        },
    }


def _parameters(page: Page) -> Iterable[Json]:
    wire: dict[str, list[str]] = {}
    inner = {"type": "object", "properties": page.takes["properties"], "required": []}
    for row in schema.rows(inner, number=".N"):
        is_leaf = "properties" not in row.schema.get("items", row.schema)
        if is_leaf:
            wire.setdefault(row.name.partition(".")[0], []).append(row.name)
    for name, found in page.takes["properties"].items():
        rule = found.get("description")
        yield {
            "name": name,
            "in": "query",
            "required": name in page.takes["required"],
            **({"description": rule} if rule else {}),
            "schema": {word: value for word, value in found.items() if word != "description"},
            **({"x-wire": wire[name]} if wire.get(name, [name]) != [name] else {}),
        }


def _refused(about: str, found: Sequence[Refusal]) -> Json:
    listed = "\n".join(f"* `{refusals.code_of(each)}`: {sentence(each)}" for each in found)
    return {
        "description": f"{about}\n\n{listed}",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
        "x-codes": [refusals.code_of(each) for each in found],
    }
