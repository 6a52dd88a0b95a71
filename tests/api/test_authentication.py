"""Who calls? Both signatures, and everything that must not pass for one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from darabonba.exceptions import DaraException

from tests.api.account import Account
from tests.api.stage import OPERATOR, Stage
from tests.api.wire import PRIVATELINK, Request, acs3, rpc1, send, time_stamp

REGION = ("RegionId", "local")
BOTH = pytest.mark.parametrize("scheme", ["v3", "v1"])
Signer = Callable[..., Request]


@pytest.fixture
def signed(operator: Account, stage: Stage) -> dict[str, Signer]:
    """A signer of DescribeVpcs for each scheme."""

    def v3(**more: Any) -> Request:
        return acs3(operator, stage.host, "DescribeVpcs", query=[REGION], **more)

    def v1(**more: Any) -> Request:
        return rpc1(operator, "DescribeVpcs", query=[REGION], **more)

    return {"v3": v3, "v1": v1}


def sdk(stage: Stage, key_id: str, secret: str, scheme: str) -> Account:
    """The official SDKs with a key and a signature."""
    options = {"signature_algorithm": "v2"} if scheme == "v1" else {}
    return Account(stage.host, OPERATOR.account_id, key_id, secret, **options)


@BOTH
def test_the_official_sdk_is_let_in(stage: Stage, scheme: str) -> None:
    account = sdk(stage, OPERATOR.access_key_id, OPERATOR.access_key_secret, scheme)
    vpc = account.vpc.CreateVpc(VpcName="端点 a+b*c~'(d)/&=%")["VpcId"]
    assert account.vpc.DescribeVpcAttribute(VpcId=vpc)["VpcName"] == "端点 a+b*c~'(d)/&=%"
    group = account.nlb.CreateServerGroup(VpcId=vpc, ServerGroupName="in the body & more")
    assert group["ServerGroupId"].startswith("sgp-")


@BOTH
def test_an_unknown_key_is_not_found(stage: Stage, scheme: str) -> None:
    stranger = sdk(stage, "LTAI5tStranger", "secret", scheme)
    with pytest.raises(DaraException) as caught:
        stranger.vpc.DescribeVpcs()
    assert (caught.value.code, caught.value.status_code) == ("InvalidAccessKeyId.NotFound", 404)
    assert "'LTAI5tStranger'" in caught.value.message
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in caught.value.message


@BOTH
def test_a_wrong_secret_does_not_match(stage: Stage, scheme: str) -> None:
    before = stage.dump()
    stranger = sdk(stage, OPERATOR.access_key_id, "guessed", scheme)
    with pytest.raises(DaraException) as caught:
        stranger.vpc.CreateVpc()
    assert (caught.value.code, caught.value.status_code) == ("SignatureDoesNotMatch", 400)
    assert "check the access key secret" in caught.value.message
    assert stage.dump() == before


def test_a_mismatch_tells_the_string_to_sign_after_the_first_colon(
    stage: Stage, operator: Account
) -> None:
    request = rpc1(operator, "DescribeVpcs", query=[REGION], method="GET")
    spoilt = msgspec.structs.replace(request, target=request.target + "x")
    reply = send(stage.host, spoilt)
    assert reply.code == "SignatureDoesNotMatch"
    assert reply.message.partition(":")[2].startswith("GET&%2F&AccessKeyId%3DLTAI5tOperator%26")
    other = acs3(operator, stage.host, "DescribeVpcs", query=[REGION], secret="guessed")
    reply = send(stage.host, other)
    assert reply.message.partition(":")[2].startswith("[ACS3-HMAC-SHA256\n")


@BOTH
def test_the_same_request_again_is_refused(
    stage: Stage, signed: dict[str, Signer], scheme: str
) -> None:
    request = signed[scheme]()
    assert send(stage.host, request).code == "OK"
    reply = send(stage.host, request)
    assert (reply.status, reply.code) == (400, "SignatureNonceUsed")
    assert "fresh nonce" in reply.message


@BOTH
def test_a_nonce_outlives_the_server(stage: Stage, signed: dict[str, Signer], scheme: str) -> None:
    request = signed[scheme]()
    assert send(stage.host, request).code == "OK"
    stage.restart()
    assert send(stage.host, request).code == "SignatureNonceUsed"


def test_a_nonce_belongs_to_its_key(stage: Stage, operator: Account, other: Account) -> None:
    for account in (operator, other):
        request = acs3(
            account,
            stage.host,
            "DescribeVpcs",
            query=[REGION],
            x_acs_signature_nonce="the same one",
        )
        assert send(stage.host, request).code == "OK"


def test_a_refused_signature_uses_no_nonce_up(stage: Stage, operator: Account) -> None:
    nonce: dict[str, Any] = {"x_acs_signature_nonce": "mine"}
    guessed = acs3(operator, stage.host, "DescribeVpcs", query=[REGION], secret="guessed", **nonce)
    assert send(stage.host, guessed).code == "SignatureDoesNotMatch"
    good = acs3(operator, stage.host, "DescribeVpcs", query=[REGION], **nonce)
    assert send(stage.host, good).code == "OK"


@BOTH
@pytest.mark.parametrize(
    ("minutes", "code"),
    [
        (-16, "InvalidTimeStamp.Expired"),
        (-14, "OK"),
        (14, "OK"),
        (16, "InvalidTimeStamp.Expired"),
    ],
)
def test_clocks_may_differ_by_fifteen_minutes(
    stage: Stage, signed: dict[str, Signer], scheme: str, minutes: int, code: str
) -> None:
    name = "x_acs_date" if scheme == "v3" else "Timestamp"
    stamp = time_stamp(timedelta(minutes=minutes))
    reply = send(stage.host, signed[scheme](**{name: stamp}))
    assert reply.code == code
    if code != "OK":
        assert reply.status == 400
        assert stamp in reply.message
        assert "15 minutes" in reply.message


@BOTH
@pytest.mark.parametrize(
    "stamp",
    [
        "now",
        "2026-01-01 00:00:00",
        "2026-13-01T00:00:00Z",
        "2026-01-01T00:00:00+00:00",
        "1767225600",
    ],
)
def test_a_time_stamp_has_one_form(
    stage: Stage, signed: dict[str, Signer], scheme: str, stamp: str
) -> None:
    name = "x_acs_date" if scheme == "v3" else "Timestamp"
    reply = send(stage.host, signed[scheme](**{name: stamp}))
    assert (reply.status, reply.code) == (400, "InvalidTimeStamp.Format")
    assert repr(stamp) in reply.message


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ("Bearer abc", "only ACS3-HMAC-SHA256"),
        ("ACS3-HMAC-SHA256", "not a new Name=value"),
        ("ACS3-HMAC-SHA256 Credential=a,Signature=b", "no SignedHeaders="),
        ("ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=", "no Signature="),
        ("ACS3-HMAC-SHA256 Credential=a,Credential=b,SignedHeaders=c,Signature=d", "Credential=b"),
        ("", "only ACS3-HMAC-SHA256"),
    ],
)
def test_a_malformed_authorization_header_is_told_what_is_wrong(
    stage: Stage, signed: dict[str, Signer], header: str, word: str
) -> None:
    request = signed["v3"]()
    spoilt = msgspec.structs.replace(request, headers=request.headers | {"authorization": header})
    reply = send(stage.host, spoilt)
    assert (reply.status, reply.code) == (400, "InvalidSignature")
    assert word in reply.message


def test_an_unsigned_request_is_told_that_a_signature_is_missing(stage: Stage) -> None:
    target = "/?Action=DescribeVpcs&Version=2016-04-28&RegionId=local"
    for method in ("GET", "POST"):
        reply = send(stage.host, Request(method, target, {}))
        assert (reply.status, reply.code) == (400, "MissingSignature")


@pytest.mark.parametrize("name", ["AccessKeyId", "SignatureNonce", "Timestamp"])
def test_a_v1_signature_without_one_of_its_parts_names_it(
    stage: Stage, signed: dict[str, Signer], name: str
) -> None:
    reply = send(stage.host, signed["v1"](**{name: ""}))
    assert (reply.status, reply.code) == (400, f"Missing{name}")
    assert f"{name} is mandatory" in reply.message


@pytest.mark.parametrize("name", ["x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"])
def test_a_v3_signature_without_one_of_its_headers_names_it(
    stage: Stage, signed: dict[str, Signer], name: str
) -> None:
    request = signed["v3"]()
    kept = {header: value for header, value in request.headers.items() if header != name}
    reply = send(stage.host, msgspec.structs.replace(request, headers=kept))
    assert reply.status == 400
    assert f"{name} is mandatory" in reply.message


def test_another_signature_method_is_refused(stage: Stage, signed: dict[str, Signer]) -> None:
    reply = send(stage.host, signed["v1"](SignatureMethod="HMAC-MD5"))
    assert (reply.status, reply.code) == (400, "InvalidSignatureMethod")
    assert "'HMAC-MD5'" in reply.message
    assert "HMAC-SHA1" in reply.message


@pytest.mark.parametrize("name", ["host", "x-acs-action", "x-acs-security-token", "x-acs-new"])
def test_a_header_that_matters_must_be_signed(stage: Stage, operator: Account, name: str) -> None:
    request = acs3(operator, stage.host, "DescribeVpcs", query=[REGION])
    names = request.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    fewer = ";".join(each for each in names.split(";") if each != name)
    authorization = request.headers["authorization"].replace(names, fewer)
    headers = {"x-acs-security-token": "t", "x-acs-new": "n"} if name not in names else {}
    spoilt = request.headers | headers | {"authorization": authorization}
    reply = send(stage.host, msgspec.structs.replace(request, headers=spoilt))
    assert (reply.status, reply.code) == (400, "InvalidSignature")
    assert name in reply.message


def test_a_body_changed_on_its_way_is_noticed(stage: Stage, operator: Account) -> None:
    before = stage.dump()
    form = [REGION, ("VpcName", "mine")]
    for request in (
        acs3(operator, stage.host, "CreateVpc", form=form),
        rpc1(operator, "CreateVpc", form=form),
    ):
        body = request.body.replace(b"mine", b"hers")
        reply = send(stage.host, msgspec.structs.replace(request, body=body))
        assert reply.status == 400
        assert reply.code in ("InvalidSignature", "SignatureDoesNotMatch")
    assert stage.dump() == before


def test_a_query_changed_on_its_way_is_noticed(stage: Stage, signed: dict[str, Signer]) -> None:
    for make in signed.values():
        request = make()
        reply = send(stage.host, msgspec.structs.replace(request, target=request.target + "&a=b"))
        assert reply.code == "SignatureDoesNotMatch"


def test_headers_that_v1_does_not_sign_decide_nothing(stage: Stage, operator: Account) -> None:
    before = stage.dump()
    request = rpc1(operator, "DescribeVpcs", query=[REGION])
    headers = request.headers | {"x-acs-action": "CreateVpc", "x-acs-version": PRIVATELINK}
    reply = send(stage.host, msgspec.structs.replace(request, headers=headers))
    assert reply.answer["TotalCount"] == 0
    nameless = rpc1(operator, "DescribeVpcs", query=[REGION], Action="")
    headers = nameless.headers | {"x-acs-action": "CreateVpc"}
    reply = send(stage.host, msgspec.structs.replace(nameless, headers=headers))
    assert reply.code == "MissingAction"
    assert stage.dump() == before


@BOTH
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("place", ["query", "form", "mixed", "chunked"])
def test_parameters_may_be_in_the_query_and_in_the_body(
    stage: Stage, operator: Account, scheme: str, method: str, place: str
) -> None:
    pairs = [REGION, ("VpcName", "端点 a+b")]
    query = pairs if place == "query" else pairs[:1] if place == "mixed" else []
    form = [pair for pair in pairs if pair not in query]
    if scheme == "v3":
        request = acs3(operator, stage.host, "CreateVpc", query=query, form=form, method=method)
    else:
        request = rpc1(operator, "CreateVpc", query=query, form=form, method=method)
    reply = send(stage.host, request, chunked=place == "chunked")
    vpc = reply.answer["VpcId"]
    assert operator.vpc.DescribeVpcAttribute(VpcId=vpc)["VpcName"] == "端点 a+b"


def test_a_v1_signature_may_be_in_the_body_altogether(stage: Stage, operator: Account) -> None:
    request = rpc1(operator, "DescribeVpcs", form=[REGION], all_in_form=True)
    assert request.target == "/"
    assert send(stage.host, request).answer["TotalCount"] == 0


def test_a_v3_request_may_name_its_action_in_the_query(stage: Stage, operator: Account) -> None:
    query = [REGION, ("Action", "DescribeVpcs"), ("Version", "2016-04-28")]
    request = acs3(operator, stage.host, "", version="", query=query)
    assert "x-acs-action" not in request.headers
    assert send(stage.host, request).answer["TotalCount"] == 0


def test_a_nonce_has_a_length(stage: Stage, operator: Account) -> None:
    refused = ("Invalidx-acs-signature-nonce", "InvalidSignatureNonce")
    longest, longer = "n" * 128, "n" * 129
    for nonce, codes in ((longest, ("OK", "OK")), (longer, refused)):
        requests = (
            acs3(
                operator,
                stage.host,
                "DescribeVpcs",
                query=[REGION],
                x_acs_signature_nonce=nonce,
            ),
            rpc1(operator, "DescribeVpcs", query=[REGION], SignatureNonce=nonce[1:] + "m"),
        )
        replies = [send(stage.host, request) for request in requests]
        assert tuple(reply.code for reply in replies) == codes
    assert all("129 characters" in reply.message for reply in replies)
