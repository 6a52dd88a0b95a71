"""Alibaba Cloud's two request signatures: ACS3-HMAC-SHA256 and RPC v1 (HMAC-SHA1).

The server verifies with these functions and our own client signs with them. They are pure: text in,
text out. They know no socket, no clock and no account; whoever calls them decides which key, how
old a date may be and whether a nonce is new.

A result holds every intermediate string, because a person whose signature is refused compares
those. The request path is always "/".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

import msgspec

ACS3 = "ACS3-HMAC-SHA256"
_AS_IT_IS = re.compile("[A-Za-z0-9_.~-]*")

Parameters = Sequence[tuple[str, str]]


class Credential(msgspec.Struct, frozen=True):
    """What an ACS3 Authorization header says: whose key, what it covers, and the proof."""

    access_key_id: str
    signed_headers: tuple[str, ...]
    signature: str


class Acs3(msgspec.Struct, frozen=True):
    """One ACS3 signature with the strings it was made from."""

    canonical_request: str
    string_to_sign: str
    signature: str


class Rpc1(msgspec.Struct, frozen=True):
    """One RPC v1 signature with the string it was made from."""

    string_to_sign: str
    signature: str


def sign_acs3(
    method: str,
    query: Parameters,
    headers: Mapping[str, str],
    signed_headers: Sequence[str],
    body_sha256: str,
    secret: str,
) -> Acs3:
    """Sign a request with ACS3-HMAC-SHA256.

    `query` is decoded. `headers` has lowercase names; a signed header that is not there counts as
    empty. `signed_headers` is the signer's own list in the signer's order. `body_sha256` is the
    value of x-acs-content-sha256: a server checks it against `hash_body` of what arrived.
    """
    canonical_request = "\n".join(
        [
            method,
            "/",
            _canonical(query),
            "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in signed_headers),
            ";".join(signed_headers),
            body_sha256,
        ]
    )
    string_to_sign = f"{ACS3}\n{hash_body(_bytes(canonical_request))}"
    signature = hmac.digest(_bytes(secret), _bytes(string_to_sign), "sha256").hex()
    return Acs3(canonical_request, string_to_sign, signature)


def sign_rpc1(method: str, parameters: Parameters, secret: str) -> Rpc1:
    """Sign a request with RPC v1, HMAC-SHA1.

    `parameters` are those of the query and of the form body together, decoded; `Signature` itself
    is left out whether given or not. No header is covered.
    """
    covered = [(name, value) for name, value in parameters if name != "Signature"]
    string_to_sign = f"{method}&{percent_encode('/')}&{percent_encode(_canonical(covered))}"
    digest = hmac.digest(_bytes(secret + "&"), _bytes(string_to_sign), "sha1")
    return Rpc1(string_to_sign, base64.b64encode(digest).decode())


def parse_authorization(text: str) -> Credential:
    """Read the value of an ACS3 Authorization header.

    Raises ValueError with a sentence that says what is wrong and what belongs there.
    """
    scheme, _, rest = text.strip().partition(" ")
    if scheme != ACS3:
        raise ValueError(f"the Authorization scheme is {scheme!r}; only {ACS3} is understood")
    fields: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals or name in fields:
            raise ValueError(f"the Authorization part {part!r} is not a new Name=value")
        fields[name] = value
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not fields.get(name):
            raise ValueError(f"the Authorization header has no {name}=")
    return Credential(
        fields["Credential"],
        tuple(fields["SignedHeaders"].lower().split(";")),
        fields["Signature"],
    )


def format_authorization(credential: Credential) -> str:
    """The value of the Authorization header that `parse_authorization` reads."""
    names = ";".join(credential.signed_headers)
    return (
        f"{ACS3} Credential={credential.access_key_id},SignedHeaders={names},"
        f"Signature={credential.signature}"
    )


def unsigned(names: Iterable[str], signed_headers: Sequence[str]) -> list[str]:
    """The lowercase header names whose values mean something and that a signature leaves open.

    Every official client signs host and all x-acs-*; a request that does not could have been given
    another action, date or nonce on its way.
    """
    return sorted(
        name
        for name in set(names) - set(signed_headers)
        if name == "host" or name.startswith("x-acs-")
    )


def percent_encode(text: str) -> str:
    """Escape everything but letters, digits and `-_.~` (RFC 3986, 2.3); a blank is %20."""
    return text if _AS_IT_IS.fullmatch(text) else quote(_bytes(text), safe="")


def hash_body(body: bytes) -> str:
    """The value of x-acs-content-sha256 for a body: lowercase hexadecimal SHA-256."""
    return hashlib.sha256(body).hexdigest()


def same(a: str, b: str) -> bool:
    """Compare two signatures in a time that does not tell where they differ."""
    return hmac.compare_digest(_bytes(a), _bytes(b))


def _canonical(parameters: Parameters) -> str:
    # Only the name decides the order: of two values under one name the first stays first, since
    # swapping them would change what the request means.
    ordered = sorted(parameters, key=lambda parameter: parameter[0])
    return "&".join(f"{percent_encode(name)}={percent_encode(value)}" for name, value in ordered)


def _bytes(text: str) -> bytes:
    # Strangers choose this text; half a surrogate pair must end as a wrong signature, not a crash.
    return text.encode("utf-8", "surrogatepass")
