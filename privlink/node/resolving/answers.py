"""What is asked for a name, and what an answer of a resolver means.

Pure. An answer is what a stranger sent: it is read, bounded and sorted, and nothing in it is
followed. Whether an address may be called is not decided here.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Final

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import msgspec

PORT: Final = 53  # RFC 1035 section 4.2
MOST_ADDRESSES: Final = 32  # of one name that are taken: those that come first in order


class Found(msgspec.Struct, frozen=True):
    """Addresses of a name, and for how many seconds they may be believed."""

    addresses: tuple[str, ...]
    ttl: int


class Absent(msgspec.Struct, frozen=True):
    """The resolver says that there is no such name, or no IPv4 address of it."""

    why: str
    ttl: int


class Failed(msgspec.Struct, frozen=True):
    """There was no answer, or none that says anything of the name."""

    why: str


Answer = Found | Absent | Failed


def query(name: str) -> dns.message.QueryMessage:
    """A question for the IPv4 addresses of a name, with a random id. Raises ValueError."""
    try:
        return dns.message.make_query(dns.name.from_text(name), dns.rdatatype.A)
    except dns.exception.DNSException as error:
        raise ValueError(f"{name!r} is no name: {error}") from error


def read(response: dns.message.Message) -> Answer:
    """What a response to a `query` means."""
    code = response.rcode()
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Failed(f"the DNS server answers {dns.rcode.to_text(code)}.")
    try:
        assert isinstance(response, dns.message.QueryMessage)
        chain = response.resolve_chaining()
    except (dns.exception.DNSException, AssertionError):
        return Failed("the DNS server's answer makes no sense.")
    if code == dns.rcode.NXDOMAIN:
        return Absent("the DNS server knows no such name.", chain.minimum_ttl)
    if chain.answer is None:
        return Absent("the name has no IPv4 address.", chain.minimum_ttl)
    addresses = sorted({str(record.address) for record in chain.answer}, key=IPv4Address)
    return Found(tuple(addresses[:MOST_ADDRESSES]), chain.minimum_ttl)
