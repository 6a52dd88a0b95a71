"""What may be said of somebody else's name server. Raises InvalidParameter, which has no secret."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re

from privlink import errors

MOST_SERVERS = 16  # each has a thread
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST_NAME = 253
_NAME_RULE = (
    "a name has at most 253 characters, and labels of 1 to 63 letters, digits, - and _ with dots "
    "between them."
)
_SHORTEST_SECRET, _LONGEST_SECRET = 16, 512  # bytes


def address(given: str) -> str:
    """The address of a name server in its one spelling."""
    try:
        found = ipaddress.ip_address(given)
    except ValueError:
        found = None
    if found is None or found.is_multicast or found.is_unspecified or found.is_link_local:
        why = f"{given!r} was given; it is the IPv4 or IPv6 address of one name server."
        raise errors.InvalidParameter(parameter="Address", why=why)
    return str(found)


def name(given: str, parameter: str) -> str:
    """A domain name in its one spelling: lower case, without the dot at its end."""
    found = given.lower().removesuffix(".")
    if len(found) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, found.split("."))):
        why = f"{given!r} was given; {_NAME_RULE}"
        raise errors.InvalidParameter(parameter=parameter, why=why)
    return found


def zone(given: str | None, domain: str, *, pushes: bool) -> str:
    """The zone of theirs that has our names: our domain; where it is pushed to, or one above."""
    found = domain if given is None else name(given, "Zone")
    if found == domain or (pushes and domain.endswith(f".{found}")):
        return found
    rule = f"the domain of this installation, {domain}" + (
        ", or a zone that it is in." if pushes else "; a zone above it cannot be transferred."
    )
    raise errors.InvalidParameter(parameter="Zone", why=f"{given!r} was given; it is {rule}")


def secret(given: str) -> str:
    """The secret of a key in its one spelling."""
    try:
        found = base64.b64decode("".join(given.split()), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not _SHORTEST_SECRET <= len(found) <= _LONGEST_SECRET:
        why = (
            f"it is {_SHORTEST_SECRET} to {_LONGEST_SECRET} bytes in base64, as `tsig-keygen` and "
            "`keymgr -t` print them."
        )
        raise errors.InvalidParameter(parameter="KeySecret", why=why)
    return base64.b64encode(found).decode()
