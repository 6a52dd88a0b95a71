"""A request as it arrives: everything that it says, with an end to how much that may be."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request as HttpRequest

from privlink import errors
from privlink.api.authenticate import Request

# A node's longest report fits: anybody may send that much before we know who it is.
_LARGEST_BODY = 1024 * 1024
_MOST_PARAMETERS = 5_000


class Arrived(msgspec.Struct, frozen=True):
    """A request as it arrived, not yet looked at."""

    method: str
    query: bytes
    headers: dict[str, str]  # names in lower case
    body: bytes
    address: str  # of the other end of the connection, whatever headers say

    @property
    def size(self) -> int:
        """The bytes that take time to decode."""
        return len(self.query) + len(self.body)


async def receive_all(http: HttpRequest) -> Arrived:
    """Everything that a request says. Raises RequestTooLarge."""
    body = b""
    async for chunk in http.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise errors.RequestTooLarge(limit=_LARGEST_BODY)
    headers: dict[str, str] = {}
    for name, value in http.scope["headers"]:  # names come in lower case
        headers[name.decode("latin-1")] = value.decode("latin-1")
    address = http.client.host if http.client else ""
    return Arrived(http.method, http.scope["query_string"], headers, body, address)


def decode(arrived: Arrived) -> Request:
    """A request decoded; parameters may be in the query and in a form body.

    Raises MalformedRequest.
    """
    kind = arrived.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_form = kind in ("application/x-www-form-urlencoded", "")
    if arrived.body and not is_form:
        raise errors.MalformedRequest(
            why=f"Content-Type {kind!r} is not understood; send parameters in the query or as "
            "application/x-www-form-urlencoded."
        )
    return Request(
        method=arrived.method,
        query=_parameters(arrived.query),
        form=_parameters(arrived.body),
        headers=arrived.headers,
        body_sha256=hashlib.sha256(arrived.body).hexdigest(),
        address=arrived.address,
    )


def _parameters(encoded: bytes) -> tuple[tuple[str, str], ...]:
    if not encoded:
        return ()
    try:
        text = encoded.decode("ascii")
        pairs: list[Any] = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except UnicodeDecodeError:
        raise errors.MalformedRequest(why="Parameters must be percent-encoded UTF-8.") from None
    except ValueError:
        why = f"A request has at most {_MOST_PARAMETERS} parameters."
        raise errors.MalformedRequest(why=why) from None
    return tuple(pairs)
