"""Requests byte by byte, for what the official SDKs would never send."""

from __future__ import annotations

import http.client
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from privlink import signature
from privlink.signature import Credential
from tests.api.account import Account

FORM = "application/x-www-form-urlencoded"
VPC, PRIVATELINK, OWN = "2016-04-28", "2020-04-15", "2026-12-01"

# What a refusal by policy says besides, field by field.
DETAIL = dict.fromkeys(
    (
        "AuthAction",
        "AuthPrincipalType",
        "AuthPrincipalOwnerId",
        "AuthPrincipalDisplayName",
        "PolicyType",
        "NoPermissionType",
    ),
    "",
)

Pairs = Sequence[tuple[str, str]]


class Request(msgspec.Struct, frozen=True):
    """What goes on the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""


class Reply(msgspec.Struct, frozen=True):
    """What came back, decoded."""

    status: int
    answer: dict[str, Any]

    @property
    def code(self) -> str:
        """`OK`, or the code of the refusal."""
        return str(self.answer.get("Code", "OK"))

    @property
    def message(self) -> str:
        return str(self.answer.get("Message", ""))


def send(host: str, request: Request, *, chunked: bool = False) -> Reply:
    """Send a request as it is. Whatever comes back must have the form that every client reads."""
    connection = http.client.HTTPConnection(host, timeout=20)
    try:
        body: bytes | Iterable[bytes] = request.body
        headers = dict(request.headers)
        if chunked:
            headers["transfer-encoding"] = "chunked"
            step = len(request.body) // 5 + 1
            body = [request.body[at : at + step] for at in range(0, len(request.body), step)]
        connection.request(request.method, request.target, body, headers, encode_chunked=chunked)
        response = connection.getresponse()
        payload = response.read()
    finally:
        connection.close()
    assert response.headers["content-type"] == "application/json;charset=utf-8"
    answer = msgspec.json.decode(payload, type=dict[str, Any])
    assert isinstance(answer["RequestId"], str)
    if response.status >= 400:
        detail = answer.pop("AccessDeniedDetail", DETAIL)
        assert set(answer) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
        assert all(isinstance(value, str) for value in answer.values())
        assert detail.keys() == DETAIL.keys()
        assert all(isinstance(value, str) for value in detail.values())
    return Reply(response.status, answer)


def time_stamp(offset: timedelta = timedelta(0)) -> str:
    """A time stamp of the wire's form."""
    return (datetime.now(UTC) + offset).strftime("%Y-%m-%dT%H:%M:%SZ")


def acs3(
    account: Account,
    host: str,
    action: str,
    *,
    version: str = VPC,
    query: Pairs = (),
    form: Pairs = (),
    method: str = "POST",
    secret: str | None = None,
    **headers: str,
) -> Request:
    """A request with an ACS3 signature. `headers` adds to or replaces what is signed."""
    body = urlencode(form).encode()
    sent = {
        "host": host,
        "x-acs-action": action,
        "x-acs-version": version,
        "x-acs-date": time_stamp(),
        "x-acs-signature-nonce": secrets.token_hex(16),
        "x-acs-content-sha256": signature.hash_body(body),
    }
    if form:
        sent["content-type"] = FORM
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    names = sorted(name for name, value in sent.items() if value)
    signed = signature.sign_acs3(
        method, query, sent, names, sent["x-acs-content-sha256"], secret or account.secret
    )
    credential = Credential(account.key_id, tuple(names), signed.signature)
    sent["authorization"] = signature.format_authorization(credential)
    kept = {name: value for name, value in sent.items() if value}
    return Request(method, target(query), kept, body)


def rpc1(
    account: Account,
    action: str,
    *,
    version: str = VPC,
    query: Pairs = (),
    form: Pairs = (),
    method: str = "POST",
    all_in_form: bool = False,
    **changed: str,
) -> Request:
    """A request with an RPC v1 signature. `changed` replaces common parameters; "" drops one."""
    common = {
        "AccessKeyId": account.key_id,
        "Action": action,
        "Format": "JSON",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": secrets.token_hex(16),
        "SignatureVersion": "1.0",
        "Timestamp": time_stamp(),
        "Version": version,
    } | changed
    given = [(name, value) for name, value in common.items() if value]
    signed = signature.sign_rpc1(method, [*given, *query, *form], account.secret)
    given.append(("Signature", signed.signature))
    in_query, in_form = (query, [*given, *form]) if all_in_form else ([*given, *query], form)
    headers = {"content-type": FORM} if in_form else {}
    return Request(method, target(in_query), headers, urlencode(in_form).encode())


def target(query: Pairs) -> str:
    """Path and query of a request."""
    return "/" + ("?" + urlencode(query, quote_via=quote) if query else "")
