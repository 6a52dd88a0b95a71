"""Tokens that say nothing: positions in what accounts share would tell how much others do.

Sealed with a secret of the process: a token of another one, or one that was changed, is unknown.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import struct

from privlink.api.paging import UnknownToken
from privlink.store.flow_log import Position

_POSITION = struct.Struct(">QQ")
_NONCE, _MARK = 12, 16  # bytes
_WAY_OUT = (
    "which is none of ours, or from before the server started anew. Pass on the token of the last "
    "page, unchanged, or begin with the first page."
)


def seal(position: Position, secret: bytes) -> str:
    """A position as a token."""
    nonce = secrets.token_bytes(_NONCE)
    body = nonce + _masked(_POSITION.pack(position.file, position.offset), nonce, secret)
    return base64.urlsafe_b64encode(body + _mark(body, secret)).decode()


def unseal(token: str, secret: bytes) -> Position:
    """The position of a token. Raises UnknownToken."""
    try:
        sealed = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeError):
        sealed = b""
    body, mark = sealed[:-_MARK], sealed[-_MARK:]
    if len(sealed) != _NONCE + _POSITION.size + _MARK or not hmac.compare_digest(
        mark, _mark(body, secret)
    ):
        raise UnknownToken(f"{token!r} was given, {_WAY_OUT}")
    nonce = body[:_NONCE]
    return Position(*_POSITION.unpack(_masked(body[_NONCE:], nonce, secret)))


def _masked(data: bytes, nonce: bytes, secret: bytes) -> bytes:
    pad = hashlib.blake2b(nonce, key=secret, person=b"mask", digest_size=len(data)).digest()
    return bytes(a ^ b for a, b in zip(data, pad, strict=True))


def _mark(body: bytes, secret: bytes) -> bytes:
    return hashlib.blake2b(body, key=secret, person=b"mark", digest_size=_MARK).digest()
