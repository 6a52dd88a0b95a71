"""Security-group rules as people write them: protocol, `low/high` port range, block.

Source: ECS 2014-05-26 AuthorizeSecurityGroup and AuthorizeSecurityGroupEgress.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network

from privlink.model.security import AddressFamily

PROTOCOLS = ("TCP", "UDP", "ICMP", "ICMPV6", "ALL")
# A node has room for 250 rules of a direction. A group brings up to two of its own: its inner
# policy, or letting everything out.
MOST_GROUPS = 10  # on one interface, as many as a node has room for
MOST_RULES = 248
_NO_PORTS = (-1, -1)
_RANGE = re.compile(r"(-?[0-9]{1,5})/(-?[0-9]{1,5})")
# The library takes masks as well, wildcards and names of links.
_BLOCK = {
    AddressFamily.IPV4: re.compile(r"[0-9.]+(/[0-9]{1,2})?"),
    AddressFamily.IPV6: re.compile(r"[0-9A-Fa-f:.]+(/[0-9]{1,3})?"),
}
_NETWORK: dict[AddressFamily, type[IPv4Network | IPv6Network]] = {
    AddressFamily.IPV4: IPv4Network,
    AddressFamily.IPV6: IPv6Network,
}
_EXAMPLE = {AddressFamily.IPV4: "10.0.0.0/8", AddressFamily.IPV6: "fd00::/8"}
# The protocols that only one family has.
_ONLY_IN = {"ICMP": AddressFamily.IPV4, "ICMPV6": AddressFamily.IPV6}


def parse_ports(text: str, protocol: str) -> tuple[int, int]:
    """The ends of a port range such as `80/80`; `-1/-1` for protocols without ports.

    Raises ValueError with the sentence that says what is wrong.
    """
    found = _RANGE.fullmatch(text)
    if found is None:
        raise ValueError(f"PortRange {text!r} must look like 80/80 or 1/65535.")
    ports = int(found[1]), int(found[2])
    if protocol in ("ICMP", "ICMPV6", "ALL"):
        if ports != _NO_PORTS:
            raise ValueError(f"PortRange of {protocol} must be -1/-1, not {text!r}.")
    elif not 1 <= ports[0] <= ports[1] <= 65535:
        raise ValueError(f"PortRange {text!r} must run from 1 up to 65535, lower end first.")
    return ports


def parse_block(
    text: str,
    name: str,
    family: AddressFamily = AddressFamily.IPV4,
    *,
    strict: bool = False,
) -> str:
    """The block of the parameter `name` in its canonical form; a single address is one, too.

    `strict`: no bit may be set after the mask. Raises ValueError with the sentence that says what
    is wrong.
    """
    try:
        if not _BLOCK[family].fullmatch(text):
            raise ValueError
        return str(_NETWORK[family](text, strict=strict))
    except ValueError:
        why = f"is not an {family} block such as {_EXAMPLE[family]}"
        raise ValueError(f"{name} {text!r} {why}.") from None


def family_of(block: str) -> AddressFamily:
    """Which addresses a block is about."""
    return AddressFamily.IPV6 if ":" in block else AddressFamily.IPV4


def canonical(block: str) -> str:
    """A block that is one in its canonical form."""
    return parse_block(block, "block", family_of(block))


def only_family(protocol: str) -> AddressFamily | None:
    """The one address family a protocol is part of, or None."""
    return _ONLY_IN.get(protocol)
