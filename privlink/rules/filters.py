"""Security-group rules as people write them: protocol, `low/high` port range, block.

Source: ECS 2014-05-26 AuthorizeSecurityGroup and AuthorizeSecurityGroupEgress.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network

PROTOCOLS = ("TCP", "UDP", "ICMP", "ALL")
_NO_PORTS = (-1, -1)
_BLOCK = re.compile(r"[0-9.]+(/[0-9]{1,2})?")
_RANGE = re.compile(r"(-?[0-9]{1,5})/(-?[0-9]{1,5})")


def parse_ports(text: str, protocol: str) -> tuple[int, int]:
    """The ends of a port range such as `80/80`; `-1/-1` for protocols without ports.

    Raises ValueError with the sentence that says what is wrong.
    """
    found = _RANGE.fullmatch(text)
    if found is None:
        raise ValueError(f"PortRange {text!r} must look like 80/80 or 1/65535.")
    ports = int(found[1]), int(found[2])
    if protocol in ("ICMP", "ALL"):
        if ports != _NO_PORTS:
            raise ValueError(f"PortRange of {protocol} must be -1/-1, not {text!r}.")
    elif not 1 <= ports[0] <= ports[1] <= 65535:
        raise ValueError(f"PortRange {text!r} must run from 1 up to 65535, lower end first.")
    return ports


def parse_block(text: str, name: str = "SourceCidrIp") -> str:
    """The block of the parameter `name` in its canonical form; a single address is a /32.

    Raises ValueError with the sentence that says what is wrong.
    """
    try:
        if not _BLOCK.fullmatch(text):
            raise ValueError  # the library takes masks as well, and wildcards
        return str(IPv4Network(text, strict=False))
    except ValueError:
        raise ValueError(f"{name} {text!r} is not an IPv4 block such as 10.0.0.0/8.") from None
