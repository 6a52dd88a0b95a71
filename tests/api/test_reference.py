"""The server shows its own reference, to anybody, and a browser may do nothing with it but show."""

from __future__ import annotations

import http.client
import re
from contextlib import closing
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from privlink.api.reference import schema
from privlink.server.wiring import ACTIONS
from tests.api.stage import Stage
from tests.api.transcript import read


def get(stage: Stage, path: str) -> tuple[int, dict[str, str], bytes]:
    """What a browser gets."""
    with closing(http.client.HTTPConnection(stage.host, timeout=20)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, response.read()


def test_the_openapi_document_has_every_action(stage: Stage) -> None:
    status, headers, body = get(stage, "/openapi.json")
    assert (status, headers["content-type"]) == (200, "application/json")
    document = msgspec.json.decode(body, type=dict[str, Any])
    assert {f"/?Action={each.name}&Version={each.product.version}" for each in ACTIONS} == document[
        "paths"
    ].keys()


def test_each_product_has_a_document_of_its_own(stage: Stage) -> None:
    for product in {each.product for each in ACTIONS}:
        status, _, body = get(stage, f"/openapi/{product.name}.json")
        document = msgspec.json.decode(body, type=dict[str, Any])
        assert status == 200
        assert all(f"Version={product.version}" in path for path in document["paths"])


def test_every_link_of_the_index_leads_to_a_page(stage: Stage) -> None:
    _, _, body = get(stage, "/reference/")
    links = re.findall(r'href="([^"]+)"', body.decode())
    assert len(links) == len(ACTIONS)
    for link in links:
        status, headers, _ = get(stage, f"/reference/{link}")
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert headers["content-security-policy"].startswith(
            "default-src 'none'; style-src 'sha256"
        )
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/reference/vpc/", "/reference/vpc/X", "/openapi/x.json", "/reference/x"]
)
def test_what_is_not_there_is_refused_as_elsewhere(stage: Stage, path: str) -> None:
    status, _, body = get(stage, path)
    answer = msgspec.json.decode(body, type=dict[str, Any])
    assert (status, answer["Code"]) == (404, "MethodNotAllowed")


@pytest.mark.parametrize("action", ACTIONS, ids=lambda each: f"{each.product.name}.{each.name}")
def test_transcripts_are_as_the_schemas_say(action: Any) -> None:
    taken = Draft202012Validator(schema.taken(action))
    answered = Draft202012Validator({**schema.answered(action), "additionalProperties": False})
    for exchange in read(action.product.name, action.name):
        if exchange.status == 200:
            taken.validate(exchange.request)
            answered.validate(exchange.answer)
