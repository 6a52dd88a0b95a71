"""Who sent this request, and did nobody change or repeat it?

Both signatures are verified over what arrived: a date within 15 minutes, a nonce never seen, a key
we know, and a proof that only the holder of its secret can make. Order matters: the nonce is
remembered only once the signature is right, so nobody can use up a stranger's nonces.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import msgspec

from privlink import errors, signature
from privlink.model.account import AccessKey
from privlink.store import accounts
from privlink.store.database import Transaction

CLOCK_SKEW = timedelta(minutes=15)
LONGEST_NONCE = 128  # characters; they are kept
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_SHAPE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


class Request(msgspec.Struct, frozen=True):
    """A request as it arrived, decoded: header names in lower case."""

    method: str
    query: tuple[tuple[str, str], ...]
    form: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body_sha256: str
    address: str = ""  # of the other end of the connection

    def parameter(self, name: str) -> str | None:
        """A parameter from the query or the form body."""
        both = (*self.query, *self.form)
        return next((value for found, value in both if found == name), None)

    @property
    def security_token(self) -> str:
        """The token that goes with temporary keys, from where the signature covers it."""
        signed = self.headers if "authorization" in self.headers else {}
        return signed.get("x-acs-security-token") or self.parameter("SecurityToken") or ""


class Claim(msgspec.Struct, frozen=True):
    """What a request says of its own signature, whichever of the two schemes it uses."""

    access_key_id: str
    signature: str
    timestamp: str
    nonce: str
    signed_headers: tuple[str, ...] | None  # None: RPC v1, which covers no headers


def claim_of(request: Request) -> Claim:
    """Read a request's signature. Raises an ApiError that names what is missing or malformed."""
    if "authorization" in request.headers:
        return _acs3_claim(request)
    if request.parameter("Signature") is None:
        raise errors.MissingParameter(parameter="Signature")
    method = request.parameter("SignatureMethod") or "HMAC-SHA1"
    if method != "HMAC-SHA1":
        raise errors.UnsupportedSignatureMethod(method=method)
    claim = Claim(
        access_key_id=_mandatory(request, "AccessKeyId"),
        signature=_mandatory(request, "Signature"),
        timestamp=_mandatory(request, "Timestamp"),
        nonce=_mandatory(request, "SignatureNonce"),
        signed_headers=None,
    )
    return _check_nonce(claim, "SignatureNonce")


def verify(request: Request, claim: Claim, key: AccessKey, now: datetime) -> None:
    """Check date and signature. Raises the ApiError that says which does not hold."""
    stamped = _parse_time(claim.timestamp)
    if abs(now - stamped) > CLOCK_SKEW:
        raise errors.InvalidTimeStampExpired(timestamp=claim.timestamp, now=now.strftime(_TIME))
    if claim.signed_headers is None:
        _verify_rpc1(request, claim, key)
    else:
        _verify_acs3(request, claim, key, claim.signed_headers)


def use_nonce(tx: Transaction, claim: Claim, now: datetime) -> None:
    """Remember the nonce for as long as its request could come again; raises if it just did."""
    expires = now + 2 * CLOCK_SKEW
    fresh = accounts.remember_nonce(
        tx,
        claim.access_key_id,
        claim.nonce,
        expires=int(expires.timestamp()),
    )
    if not fresh:
        raise errors.SignatureNonceUsed


def _acs3_claim(request: Request) -> Claim:
    try:
        credential = signature.parse_authorization(request.headers["authorization"])
    except ValueError as error:
        raise errors.InvalidSignature(why=f"{error}.") from None
    for header in ("x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"):
        if not request.headers.get(header):
            raise errors.MissingParameter(parameter=header)
    open_ended = signature.unsigned(request.headers, credential.signed_headers)
    if open_ended:
        raise errors.InvalidSignature(
            why=f"SignedHeaders leaves out {', '.join(open_ended)}; sign host and every x-acs-*."
        )
    claim = Claim(
        access_key_id=credential.access_key_id,
        signature=credential.signature,
        timestamp=request.headers["x-acs-date"],
        nonce=request.headers["x-acs-signature-nonce"],
        signed_headers=credential.signed_headers,
    )
    return _check_nonce(claim, "x-acs-signature-nonce")


def _verify_acs3(
    request: Request, claim: Claim, key: AccessKey, signed_headers: tuple[str, ...]
) -> None:
    claimed_digest = request.headers["x-acs-content-sha256"]
    if not signature.same(claimed_digest, request.body_sha256):
        raise errors.InvalidSignature(
            why="x-acs-content-sha256 is not the SHA-256 of the body that arrived."
        )
    ours = signature.sign_acs3(
        request.method,
        request.query,
        request.headers,
        signed_headers,
        claimed_digest,
        key.secret,
    )
    if not signature.same(ours.signature, claim.signature):
        raise errors.SignatureDoesNotMatch(
            scheme="server StringToSign is", string_to_sign=f"[{ours.string_to_sign}]"
        )


def _verify_rpc1(request: Request, claim: Claim, key: AccessKey) -> None:
    ours = signature.sign_rpc1(request.method, (*request.query, *request.form), key.secret)
    if not signature.same(ours.signature, claim.signature):
        raise errors.SignatureDoesNotMatch(
            scheme="server string to sign is", string_to_sign=ours.string_to_sign
        )


def _check_nonce(claim: Claim, parameter: str) -> Claim:
    if len(claim.nonce) > LONGEST_NONCE:
        why = f"it has {len(claim.nonce)} characters; up to {LONGEST_NONCE} are kept."
        raise errors.InvalidParameter(parameter=parameter, why=why)
    return claim


def _mandatory(request: Request, name: str) -> str:
    value = request.parameter(name)
    if not value:
        raise errors.MissingParameter(parameter=name)
    return value


def _parse_time(timestamp: str) -> datetime:
    try:
        if _SHAPE.fullmatch(timestamp):
            return datetime.fromisoformat(timestamp)
    except ValueError:
        pass
    raise errors.InvalidTimeStampFormat(timestamp=timestamp)
