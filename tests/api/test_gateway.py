"""Before any action: is there such a one, and is the request well formed?"""

from __future__ import annotations

import http.client
import logging
import socket
from contextlib import closing, suppress

import msgspec
import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stage import Stage
from tests.api.wire import FORM, PRIVATELINK, VPC, Pairs, Request, acs3, rpc1, send

REGION = ("RegionId", "local")


def ask(
    stage: Stage, account: Account, action: str, *query: tuple[str, str], version: str = VPC
) -> tuple[int, str, str]:
    """Status, code and message of a signed call."""
    reply = send(stage.host, acs3(account, stage.host, action, query=query, version=version))
    return reply.status, reply.code, reply.message


def test_an_unknown_action_comes_with_a_hint(stage: Stage, operator: Account) -> None:
    status, code, message = ask(stage, operator, "CreateVcp", REGION)
    assert (status, code) == (404, "InvalidAction.NotFound")
    assert "'CreateVcp'" in message
    assert "Did you mean CreateVpc?" in message
    assert "does not serve it" in ask(stage, operator, "Xyzzy")[2]


def test_an_action_belongs_to_its_version(stage: Stage, operator: Account) -> None:
    status, code, message = ask(stage, operator, "CreateVpc", REGION, version=PRIVATELINK)
    assert (status, code) == (404, "InvalidAction.NotFound")
    assert PRIVATELINK in message


def test_an_unknown_version_is_told_the_known_ones(stage: Stage, operator: Account) -> None:
    status, code, message = ask(stage, operator, "CreateVpc", version="2015-01-01")
    assert (status, code) == (400, "InvalidVersion")
    assert "'2015-01-01'" in message
    for version in ("2014-05-26", "2016-04-28", "2020-04-15", "2022-04-30", "2026-12-01"):
        assert version in message


def test_action_and_version_are_mandatory(stage: Stage, operator: Account) -> None:
    assert ask(stage, operator, "")[1] == "MissingAction"
    assert ask(stage, operator, "CreateVpc", version="")[1] == "MissingVersion"


@pytest.mark.parametrize("path", ["/vpc", "/2016-04-28/", "//", "/console", "/healthz/x"])
def test_the_api_has_one_path(stage: Stage, path: str) -> None:
    reply = send(stage.host, Request("POST", path, {}))
    assert (reply.status, reply.code) == (404, "MethodNotAllowed")
    assert f"not POST {path}" in reply.message


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
def test_the_api_answers_get_and_post(stage: Stage, method: str) -> None:
    reply = send(stage.host, Request(method, "/", {}))
    assert (reply.status, reply.code) == (405, "MethodNotAllowed")
    assert "GET and POST" in reply.message


def test_the_answer_to_head_has_no_body(stage: Stage) -> None:
    with closing(http.client.HTTPConnection(stage.host, timeout=10)) as connection:
        connection.request("HEAD", "/")
        response = connection.getresponse()
        assert (response.status, response.read()) == (400, b"")


@pytest.mark.parametrize(
    "kind", ["application/json", "multipart/form-data; boundary=x", "text/xml"]
)
def test_a_body_is_a_form(stage: Stage, operator: Account, kind: str) -> None:
    request = acs3(operator, stage.host, "CreateVpc", form=[REGION], content_type=kind)
    reply = send(stage.host, request)
    assert (reply.status, reply.code) == (400, "MalformedRequest")
    assert kind.partition(";")[0] in reply.message
    assert FORM in reply.message


def test_a_body_has_a_size(stage: Stage, operator: Account) -> None:
    request = acs3(operator, stage.host, "CreateVpc", form=[("VpcName", "x" * 1024 * 1024)])
    for chunked in (False, True):
        reply = send(stage.host, request, chunked=chunked)
        assert (reply.status, reply.code) == (413, "RequestTooLarge")
        assert "1048576" in reply.message


def test_there_are_so_many_parameters_and_no_more(stage: Stage, operator: Account) -> None:
    form = [(f"a{number}", "") for number in range(5_001)]
    reply = send(stage.host, rpc1(operator, "CreateVpc", form=form))
    assert (reply.status, reply.code) == (400, "MalformedRequest")
    assert "at most 5000 parameters" in reply.message


@pytest.mark.parametrize("raw", [b"VpcName=%ff%fe", b"VpcName=\xe7\xab\xaf", b"%c3%28=1"])
def test_parameters_are_utf8(stage: Stage, operator: Account, raw: bytes) -> None:
    request = acs3(operator, stage.host, "CreateVpc", form=[REGION])
    reply = send(stage.host, msgspec.structs.replace(request, body=raw))
    assert (reply.status, reply.code) == (400, "MalformedRequest")
    assert "percent-encoded UTF-8" in reply.message


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ([("VpcId", "a"), ("VpcId", "b")], "InvalidVpcId", ("VpcId", "given twice")),
        ([("Zone.2.ZoneId", "local-a")], "InvalidZone", ("Zone.1, Zone.2 and so on",)),
        ([("Zone.0.ZoneId", "local-a")], "InvalidZone", ("Zone.1, Zone.2",)),
        ([("Zone.01.ZoneId", "local-a")], "InvalidZone", ("Zone.1, Zone.2",)),
        ([("Zone.1.ZoneId", "a"), ("Zone.3.ZoneId", "b")], "InvalidZone", ("Zone.1, Zone.2",)),
        ([("Zone", "a"), ("Zone.1.ZoneId", "b")], "InvalidZone", ("value and as a structure",)),
        ([("Zone.1.ZoneId", "b"), ("Zone", "a")], "InvalidZone", ("given twice",)),
        ([("SecurityGroupId", "sg-1")], "IllegalParamFormat.SecurityGroupId", ("'sg-1'",)),
        ([("VpcId.1", "vpc-1")], "IllegalParamFormat.VpcId", ("vpc-1",)),
        ([("Zone.1", "local-a")], "IllegalParamFormat.Zone", ("Zone.1", "'local-a'")),
        ([("Zone.1.ip", "10.0.0.5")], "MissingZone", ("Zone.1.ZoneId",)),
        ([("Zone.1.Hue", "red")], "UnsupportedParameter.Zone", ("Zone.1.Hue",)),
        ([("Nonsense", "1")], "UnsupportedParameter.Nonsense", ("Nonsense of CreateVpcEndpoint",)),
        ([(".".join("a" * 100), "1")], "MalformedRequest", ("1 to 128 letters",)),
        ([("Zone." + "9" * 5000, "1")], "MalformedRequest", ("1 to 128 letters",)),
    ],
)
def test_a_parameter_that_is_malformed_is_named(
    stage: Stage, operator: Account, query: Pairs, code: str, words: tuple[str, ...]
) -> None:
    before = stage.dump()
    mandatory = (
        [REGION]
        if ("VpcId", "a") in query or query[0][0] == "VpcId.1"
        else [
            REGION,
            ("VpcId", "vpc-none"),
        ]
    )
    status, answered, message = ask(
        stage, operator, "CreateVpcEndpoint", *mandatory, *query, version=PRIVATELINK
    )
    assert (status, answered) == (400, code), message
    for word in words:
        assert word in message
    assert stage.dump() == before


def test_a_missing_parameter_is_named(operator: Account, refused: Refused) -> None:
    with refused("MissingVpcId", 400, "VpcId is mandatory for this action"):
        operator.vpc.DescribeVpcAttribute()
    with refused("MissingVpcId", 400, "VpcId is mandatory"):
        operator.privatelink.CreateVpcEndpoint()


def test_parameters_about_the_caller_are_let_pass(stage: Stage, operator: Account) -> None:
    query = [REGION, ("OwnerId", "1"), ("ResourceOwnerAccount", "x"), ("AcceptLanguage", "en")]
    assert ask(stage, operator, "DescribeVpcs", *query)[1] == "OK"


@pytest.mark.parametrize("value", ["true", "True", "TRUE", "1"])
def test_a_boolean_has_any_case(stage: Stage, operator: Account, value: str) -> None:
    query = [REGION, ("AutoAcceptEnabled", value)]
    request = acs3(
        operator, stage.host, "CreateVpcEndpointService", query=query, version=PRIVATELINK
    )
    assert send(stage.host, request).answer["AutoAcceptEnabled"] is True


def test_a_boolean_is_no_word(stage: Stage, operator: Account) -> None:
    query = [REGION, ("AutoAcceptEnabled", "maybe")]
    _, code, message = ask(stage, operator, "CreateVpcEndpointService", *query, version=PRIVATELINK)
    assert code == "IllegalParamFormat.AutoAcceptEnabled"
    assert "'maybe'" in message


def test_every_answer_has_an_id_of_its_own(stage: Stage, operator: Account) -> None:
    ids = {operator.vpc.DescribeVpcs()["RequestId"] for _ in range(3)}
    ids |= {send(stage.host, Request("GET", "/", {})).answer["RequestId"] for _ in range(3)}
    assert len(ids) == 6


def test_a_refusal_names_the_host_that_was_asked(stage: Stage) -> None:
    assert send(stage.host, Request("GET", "/", {})).answer["HostId"] == stage.host


def test_nobody_forges_a_line_of_the_log(
    stage: Stage, operator: Account, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    forged = "x\n23:59:59 server DeleteVpc by account 1: OK, in 0.1 ms"
    reply = send(stage.host, rpc1(operator, "CreateVpc", query=[REGION, (forged, "1")]))
    assert (reply.status, reply.code) == (400, "MalformedRequest")
    reply = send(stage.host, rpc1(operator, "CreateVpc", query=[REGION, ("Chosen-by_me", "1")]))
    assert (reply.status, reply.code) == (400, "UnsupportedParameter.Chosen-by_me")
    send(stage.host, Request("GET", "/", {}))  # a line is written once its answer has left
    ours = (record for record in caplog.records if record.name == "privlink.server.app")
    first, second, *_ = (record.getMessage() for record in ours)
    assert ": MalformedRequest, in" in first
    assert "CreateVpc by account" in second
    assert ": UnsupportedParameter., in" in second
    assert not any(word in first + second for word in ("\n", "Chosen", "DeleteVpc"))


def test_a_head_has_a_size(stage: Stage) -> None:
    host, _, port = stage.host.partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        sent = 0
        with suppress(ConnectionError):
            while sent < 16 * 1024 * 1024:
                stream.sendall(b"x-a: " + b"b" * 16_000 + b"\r\n")
                sent += 16_000
        with suppress(ConnectionError):
            answered = stream.recv(4096)
            assert answered == b"" or answered.startswith(b"HTTP/1.1 4")
    assert sent < 16 * 1024 * 1024


@pytest.mark.parametrize(
    "opening",
    [
        b"GET /?a=",
        b"GET / HTTP/1.1\r\nHost: x\r\nx-a: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx-a: ",
    ],
)
def test_nothing_before_or_after_a_body_goes_on_for_ever(stage: Stage, opening: bytes) -> None:
    host, _, port = stage.host.partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as stream:
        stream.sendall(opening)
        sent = 0
        with suppress(ConnectionError):
            while sent < 16 * 1024 * 1024:
                stream.sendall(b"b" * 16_000)
                sent += 16_000
    assert sent < 16 * 1024 * 1024
