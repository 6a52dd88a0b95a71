"""Addresses of either family, IPv4 and IPv6, as text in the one spelling of each.

IPv6 is spelt as RFC 5952 has it. What is about IPv4 as numbers is in `addresses`.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# What a workload may have: global unicast (RFC 4291) and unique local addresses (RFC 4193).
_UNICAST = (IPv6Network("2000::/3"), IPv6Network("fc00::/7"))
# Where a provider's servers see endpoints from; nobody else's.
_SOURCES = IPv6Network("fd70:7269:766c::/96")


def parse(text: str) -> IPv4Address | IPv6Address | None:
    """The address that a text spells, or None. One with a scope (RFC 4007) is none."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def spelling(text: str) -> str:
    """An address in its one spelling; any other text as it is."""
    address = parse(text)
    return text if address is None else str(address)


def is_ipv6(address: str) -> bool:
    """Whether an address is of the newer family."""
    return ":" in address


def order(address: str) -> str:
    """A text that sorts addresses: IPv4 before IPv6, each by number."""
    parsed = ip_address(address)
    return f"{parsed.version}{parsed.packed.hex()}"


def why_no_server(address: IPv6Address) -> str | None:
    """Why no server may have this IPv6 address, or None if one may."""
    if not any(address in block for block in _UNICAST):
        return "a server has a global (2000::/3) or a unique local (fc00::/7) IPv6 address."
    if address in _SOURCES:
        return f"{_SOURCES} is where servers see endpoints from."
    return None
