"""Which zone an address lies in."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from privlink.model.network import VSwitch


def zone_of(address: str, vswitches: Iterable[VSwitch]) -> str:
    """The zone of the vSwitch that an IPv4 or IPv6 address lies in; empty where that is none.

    Takes the vSwitches of one VPC, which do not overlap.
    """
    found = (vswitch.zone_id for vswitch in vswitches if lies_in(address, vswitch))
    return next(found, "")


def lies_in(address: str, vswitch: VSwitch) -> bool:
    """Whether an address is one of a vSwitch's, by its block of either family."""
    blocks = (vswitch.cidr, vswitch.cidr6)
    return any(ip_address(address) in _network(block) for block in blocks if block)


@functools.lru_cache(maxsize=4096)
def _network(block: str) -> IPv4Network | IPv6Network:
    return ip_network(block)
