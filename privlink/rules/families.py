"""Addresses of either family, IPv4 and IPv6, as text in the one spelling of each.

IPv6 is spelt as RFC 5952 has it. What is about IPv4 as numbers is in `addresses`.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address


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
