"""Which blocks a route may be about, and which of those it is in effect for.

Sources: VPC 2016-04-28 CreateRouteEntry (which destinations there may be), "Route tables" of the
VPC user guide (a VPC's own vSwitches go first).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from privlink.model.ids import RouteEntryId
from privlink.model.network import RouteEntry, VSwitch
from privlink.rules import addresses, filters

PREFIX_LIST = "pl-"  # how the id of a prefix list begins, where there might be a block
# What is nobody's in a network: RFC 6890 (loopback, link-local), RFC 5771 and RFC 4291 (multicast).
_NOBODYS = tuple(
    ip_network(text)
    for text in (
        "127.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/3",
        "::/128",
        "::1/128",
        "fe80::/10",
        "ff00::/8",
    )
)
_RESERVED = (addresses.SOURCE_POOL, addresses.SOURCE_POOL6)


def parse(text: str) -> str:
    """A block in its canonical form; a single address is one, too.

    Raises ValueError with the sentence that says what is wrong.
    """
    return filters.parse_block(text, "it", filters.family_of(text), strict=True)


def why_not(block: str) -> str | None:
    """Why no route may be about a block, or None."""
    network = _network(block)
    if any(_within(network, each) for each in _NOBODYS):
        return "loopback, link-local and multicast addresses are not routed."
    for each in _RESERVED:
        if _within(network, each):
            return f"{each} is reserved: servers see endpoints at addresses in it."
    return None


def local_blocks(vswitches: Iterable[VSwitch]) -> list[str]:
    """The blocks of a VPC's vSwitches, of both families, in the order they were made."""
    return [block for each in vswitches for block in (each.cidr, each.cidr6) if block]


def local_to(block: str, vswitches: Iterable[VSwitch]) -> VSwitch | None:
    """The vSwitch that a block is the same as or inside, where no route goes before it."""
    network = _network(block)
    for vswitch in vswitches:
        if any(_within(network, _network(each)) for each in local_blocks([vswitch])):
            return vswitch
    return None


def is_within(block: str, other: str) -> bool:
    """Whether a block is the same as another one, or inside it."""
    return _within(_network(block), _network(other))


def effective(
    local: Iterable[str], entries: Sequence[RouteEntry], lists: Mapping[str, Sequence[str]]
) -> dict[RouteEntryId, tuple[str, ...]]:
    """The blocks that each of a table's routes is in effect for.

    One that is a vSwitch's or inside it is local whatever a route says. Of several routes for one
    block, one that says it itself goes before prefix lists, and of those the older one.
    `lists`: what is on prefix lists, by id.
    """
    inside = [_network(each) for each in local]
    taken: set[str] = set()
    found: dict[RouteEntryId, tuple[str, ...]] = {}
    for entry in sorted(entries, key=lambda each: (not each.destination, each.id)):
        said = [entry.destination] if entry.destination else lists.get(entry.prefix_list_id, ())
        found[entry.id] = tuple(
            block
            for block in said
            if block not in taken and not any(_within(_network(block), each) for each in inside)
        )
        taken.update(found[entry.id])
    return found


@functools.lru_cache(maxsize=4096)
def _network(block: str) -> IPv4Network | IPv6Network:
    return ip_network(block)


def _within(network: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(other, IPv4Network) and network.subnet_of(other)
    return isinstance(other, IPv6Network) and network.subnet_of(other)
