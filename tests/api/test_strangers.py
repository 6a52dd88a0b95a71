"""Whatever bytes strangers send: an answer or a refusal, never a failure; no proof but the right.

The decoder and the verifiers are asked directly, by the hundred; then the listening server, whose
answer must have the form that every client reads.
"""

from __future__ import annotations

import json
import random
import socket
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from privlink import errors
from privlink.api import authenticate, wire
from privlink.api.authenticate import Request
from privlink.model.account import AccessKey
from privlink.model.ids import AccountId
from privlink.server.arrival import Arrived, decode
from tests.api.account import Account
from tests.api.stage import OPERATOR, Stage
from tests.api.wire import FORM, acs3, rpc1, send
from tests.api.wire import Request as Sent

KEY = AccessKey("LTAI5tOperator", "operator-secret", AccountId("1000000000000001"), None)
HERE = "127.0.0.1"
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
STAMP = "2026-12-01T12:00:00Z"
HOST = "127.0.0.1:8680"
OFTEN = settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None)
SOMETIMES = settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
BOTH = pytest.mark.parametrize("scheme", ["acs3", "rpc1"])

# Pieces that have broken decoders: half escapes, escapes of half characters, what means something.
PIECES = [
    *(b"%", b"%%", b"%2", b"%zz", b"%u1234", b"%00", b"%ff", b"%c3%28", b"%ed%a0%80", b"%F0%9F%92"),
    *(b"&", b"&&", b"=", b"==", b"+", b";", b"#", b"?", b"/", b"\\", b"\x00", b"\x7f", b"\xe7\xab"),
    *(b"Action", b"Action=CreateVpc", b"Version", b"Version=2016-04-28", b"RegionId=local"),
    *(b"Signature=x", b"SignatureNonce=1", b"AccessKeyId=LTAI5tOperator", b"Timestamp=now"),
    *(b"SignatureMethod=HMAC-SHA1", b"Zone.1", b".1", b"." * 200, b"9" * 400, b"Zone.1.ZoneId=a"),
]
raw = some.lists(some.one_of(some.sampled_from(PIECES), some.binary(max_size=8)), max_size=14).map(
    b"".join
)
text = some.text(max_size=12)
kinds = some.one_of(
    some.sampled_from(["", FORM, FORM.upper(), f"{FORM}; charset=utf-8", "application/json", ";"]),
    text,
)
names_of_headers = some.sampled_from(
    [
        *("authorization", "host", "x-acs-action", "x-acs-version", "x-acs-date", "accept", ""),
        *("x-acs-signature-nonce", "x-acs-content-sha256", "x-acs-security-token", "x-acs-端点"),
    ]
)
odd = some.one_of(
    text,
    some.text(some.characters(), max_size=6),  # half characters too
    some.sampled_from(
        [
            *("9" * 5000, "-1", "1e999", "NaN", "2026-02-30T00:00:00Z", "٢٠٢٦-01-01T00:00:00Z"),
            *("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "HMAC-SHA1", "LTAI5tOperator"),
            "ACS3-HMAC-SHA256 Credential=LTAI5tOperator,SignedHeaders=host,Signature=0",
            "ACS3-HMAC-SHA256 Credential=LTAI5tOperator,SignedHeaders=;;host;,Signature==",
            "ACS3-HMAC-SHA256 " + "Credential=a," * 50,
        ]
    ),
)
names_of_parameters = some.one_of(
    some.sampled_from(
        [
            *("Action", "Version", "AccessKeyId", "Signature", "SignatureNonce", "Timestamp"),
            *("SignatureMethod", "SignatureVersion", "SignatureType", "RegionId", "DryRun"),
        ]
    ),
    text,
)
pairs = some.lists(some.tuples(names_of_parameters, odd), max_size=8).map(tuple)


@OFTEN
@given(raw, raw, kinds)
def test_any_bytes_are_decoded_or_refused(query: bytes, body: bytes, kind: str) -> None:
    try:
        request = decode(Arrived("POST", query, {"content-type": kind}, body, HERE))
        wire.nest((*request.query, *request.form))
    except errors.ApiError as refused:
        assert refused.status == 400
        assert refused.message


@OFTEN
@given(some.lists(some.tuples(text, text), max_size=6), some.booleans())
def test_what_was_encoded_is_decoded(parameters: list[tuple[str, str]], in_body: bool) -> None:
    encoded = "&".join(f"{quote(name)}={quote(value)}" for name, value in parameters).encode()
    query, body = (b"", encoded) if in_body else (encoded, b"")
    request = decode(Arrived("POST", query, {"content-type": FORM}, body, HERE))
    assert [*request.query, *request.form] == parameters


@OFTEN
@given(
    some.sampled_from(["GET", "POST", "", "端"]),
    pairs,
    pairs,
    some.dictionaries(names_of_headers, odd),
    odd,
)
def test_no_claim_breaks_a_verifier_and_none_is_believed(
    method: str,
    query: tuple[tuple[str, str], ...],
    form: tuple[tuple[str, str], ...],
    headers: dict[str, str],
    digest: str,
) -> None:
    request = Request(method, query, form, headers, digest, HERE)
    with pytest.raises(errors.ApiError) as refused:
        authenticate.verify(request, authenticate.claim_of(request), KEY, NOW)
    assert refused.value.status in (400, 404)
    assert refused.value.answered_code


values = some.lists(
    some.tuples(some.sampled_from(["VpcName", "Description", "Tag.1.Value", "a", "B"]), text),
    max_size=5,
    unique_by=lambda pair: pair[0],
)


@BOTH
@OFTEN
@given(values, some.randoms(use_true_random=False))
@example([("VpcName", "a b+c/%~'(*)端点")], random.Random(1))
def test_a_signature_holds_however_its_request_is_spelt(
    scheme: str, parameters: list[tuple[str, str]], chance: random.Random
) -> None:
    """The order of parameters and the way they are escaped are the transport's affair."""
    arrived = arrival(signed(scheme, parameters))
    assert is_believed(arrived)
    query, body = respelt(arrived.query, chance), arrived.body
    if scheme == "rpc1":  # which covers parameters wherever they are
        both = [part for part in (*query.split(b"&"), *body.split(b"&")) if part]
        chance.shuffle(both)
        cut = chance.randint(0, len(both))
        query, body = b"&".join(both[:cut]), b"&".join(both[cut:])
    headers = {**arrived.headers, "content-type": FORM, "user-agent": "another", "accept": "*/*"}
    assert is_believed(Arrived(arrived.method, query, headers, body, HERE))


@BOTH
@OFTEN
@given(values, some.data())
def test_one_changed_bit_is_never_believed(
    scheme: str, parameters: list[tuple[str, str]], data: Any
) -> None:
    arrived = arrival(signed(scheme, parameters))
    parts: dict[str, bytes] = {"query": arrived.query, "body": arrived.body}
    if scheme == "acs3":
        parts |= {name: value.encode() for name, value in arrived.headers.items()}
    where = data.draw(some.sampled_from([name for name, part in parts.items() if part]))
    at = data.draw(some.integers(0, len(parts[where]) * 8 - 1))
    spoilt = bytearray(parts[where])
    spoilt[at // 8] ^= 1 << at % 8
    changed = with_part(arrived, where, bytes(spoilt))
    assert not is_believed(changed) or meaning(changed) == meaning(arrived)


@BOTH
@OFTEN
@given(values, names_of_parameters, odd)
def test_one_more_parameter_is_never_believed(
    scheme: str, parameters: list[tuple[str, str]], name: str, value: str
) -> None:
    arrived = arrival(signed(scheme, parameters))
    more = quote(name).encode() + b"=" + quote(value, errors="replace").encode()
    for place in (arrived.query + b"&" + more, more + b"&" + arrived.query):
        changed = with_part(arrived, "query", place)
        assert not is_believed(changed) or meaning(changed) == meaning(arrived)


@BOTH
def test_a_right_signature_with_another_key_is_not_believed(scheme: str) -> None:
    arrived = arrival(signed(scheme, []))
    assert is_believed(arrived)
    assert not is_believed(arrived, msgspec.structs.replace(KEY, secret="operator-secreT"))
    assert not is_believed(arrived, now=NOW + timedelta(minutes=16))
    assert not is_believed(arrived, now=NOW - timedelta(minutes=16))


header_value = some.one_of(odd, text).map(
    lambda value: value.encode("utf-8", "replace").translate(None, b"\r\n\x00")
)


@SOMETIMES
@given(
    query=raw,
    body=raw,
    headers=some.dictionaries(
        names_of_headers.filter(lambda name: name.isascii() and name not in ("", "host")),
        header_value,
        max_size=5,
    ),
    chunks=some.one_of(some.none(), some.integers(1, 9)),
)
def test_no_bytes_on_the_wire_are_a_failure(
    stage: Stage, query: bytes, body: bytes, headers: dict[str, bytes], chunks: int | None
) -> None:
    before = stage.dump()
    target = b"/?" + bytes(byte for byte in query if byte > 32 and byte != 127)
    lines = [b"POST " + target + b" HTTP/1.1", b"Host: " + stage.host.encode()]
    lines += [name.encode() + b": " + value for name, value in headers.items()]
    lines += [b"Connection: close", b"Content-Type: " + FORM.encode()]
    if chunks is None:
        payload = body
        lines.append(b"Content-Length: %d" % len(body))
    else:
        lines.append(b"Transfer-Encoding: chunked")
        pieces = [body[at : at + chunks] for at in range(0, len(body), chunks)]
        payload = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    reply = exchange(stage, b"\r\n".join(lines) + b"\r\n\r\n" + payload)
    status = int(reply.split(b" ", 2)[1])
    assert 400 <= status < 500, reply
    head, _, answer = reply.partition(b"\r\n\r\n")
    if b"application/json" in head:
        refusal = json.loads(answer)
        assert set(refusal) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
        assert all(isinstance(value, str) for value in refusal.values())
    else:  # it was no HTTP
        assert answer == b"Invalid HTTP request received."
    assert stage.dump() == before


@BOTH
@SOMETIMES
@given(parameters=values, seed=some.integers(0, 2**32), chunked=some.booleans())
def test_a_request_is_answered_however_it_is_spelt(
    stage: Stage,
    operator: Account,
    scheme: str,
    parameters: list[tuple[str, str]],
    seed: int,
    chunked: bool,
) -> None:
    # What is to be spelt is another each time, and so is how much chance it takes.
    chance = random.Random(seed)
    known = [("RegionId", "local")]
    known += [(name, value) for name, value in parameters if name == "VpcName"]
    if scheme == "acs3":
        request = acs3(operator, stage.host, "DescribeVpcs", query=known)
    else:
        request = rpc1(operator, "DescribeVpcs", form=known, all_in_form=True)
    query = respelt(request.target.partition("?")[2].encode(), chance).decode()
    form = respelt(request.body, chance)
    if scheme == "acs3":
        form = request.body  # its digest is signed
    sent = msgspec.structs.replace(request, target=f"/?{query}" if query else "/", body=form)
    assert send(stage.host, sent, chunked=chunked and bool(form)).status == 200


def signed(scheme: str, parameters: list[tuple[str, str]]) -> Sent:
    """A request that is signed as it should be, its parameters in the query and in the body."""
    account = Account(HOST, OPERATOR.account_id, KEY.id, KEY.secret)
    half = len(parameters) // 2
    query, form = parameters[:half], parameters[half:]
    if scheme == "acs3":
        once = {"x-acs-date": STAMP, "x-acs-signature-nonce": "once"}
        return acs3(account, HOST, "DescribeVpcs", query=query, form=form, **once)
    once = {"Timestamp": STAMP, "SignatureNonce": "once"}
    return rpc1(account, "DescribeVpcs", query=query, form=form, **once)


def arrival(request: Sent) -> Arrived:
    """A request as the server receives it."""
    query = request.target.partition("?")[2].encode()
    return Arrived(request.method, query, dict(request.headers), request.body, HERE)


def is_believed(arrived: Arrived, key: AccessKey = KEY, now: datetime = NOW) -> bool:
    """Whether the server takes a request for one of the key's holder."""
    try:
        request = decode(arrived)
        claim = authenticate.claim_of(request)
        if claim.access_key_id != key.id:
            return False
        authenticate.verify(request, claim, key, now)
    except errors.ApiError:
        return False
    return True


def meaning(arrived: Arrived) -> Any:
    """What a request asks for: the same for two that differ in spelling alone."""
    request = decode(arrived)
    claim = authenticate.claim_of(request)
    if claim.signed_headers is None:
        both = (*request.query, *request.form)
        return claim, sorted(pair for pair in both if pair[0] != "Signature")
    covered = {name: request.headers[name].strip() for name in claim.signed_headers}
    return claim, covered, sorted(request.query, key=lambda pair: pair[0]), request.form


def with_part(arrived: Arrived, where: str, part: bytes) -> Arrived:
    """A request with other bytes in its query, its body or one of its headers."""
    if where in ("query", "body"):
        return msgspec.structs.replace(arrived, **{where: part})
    headers = {**arrived.headers, where: part.decode("latin-1")}
    return msgspec.structs.replace(arrived, headers=headers)


def respelt(encoded: bytes, chance: random.Random) -> bytes:
    """Parameters in another order, and escaped in another of the ways there are."""
    parts = [part for part in encoded.split(b"&") if part]
    chance.shuffle(parts)
    return b"&".join(
        b"=".join(_respelt(side, chance) for side in part.split(b"=", 1)) for part in parts
    )


def _respelt(encoded: bytes, chance: random.Random) -> bytes:
    spelt = bytearray()
    for byte in unquote_to_bytes(encoded.replace(b"+", b" ")):
        plain = chr(byte).isalnum() and byte < 128
        if byte == 32 and chance.random() < 0.5:
            spelt += b"+"
        elif plain and chance.random() < 0.7:
            spelt.append(byte)
        else:
            spelt += b"%%%02x" % byte if chance.random() < 0.5 else b"%%%02X" % byte
    return bytes(spelt)


def exchange(stage: Stage, request: bytes) -> bytes:
    """Everything that comes back for some bytes."""
    host, _, port = stage.host.partition(":")
    with closing(socket.create_connection((host, int(port)), timeout=20)) as connection:
        connection.sendall(request)
        reply = b""
        while piece := connection.recv(65536):
            reply += piece
        return reply
