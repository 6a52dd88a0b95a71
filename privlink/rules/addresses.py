"""Which addresses exist, which are reserved, which one is next. IPv4 as numbers, IPv6 as text.

Reserved in a vSwitch: the first address and the last three; the third from the end is the gateway.
Source: "Reserved IP addresses" of the VPC user guide. IPv6 blocks have it alike: a VPC's is a /56,
and each vSwitch has one of the 256 /64 in it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    NetmaskValueError,
    ip_network,
)

import msgspec

# RFC 6598 shared address space: no VPC may use it, so it can tell a provider who is calling.
SOURCE_POOL = IPv4Network("100.64.0.0/10")
# The cloud's own services (DNS at 100.100.2.136 among them) answer here inside a VPC.
_CLOUD_SERVICES = IPv4Network("100.100.0.0/16")
_FORBIDDEN = tuple(
    IPv4Network(text)
    for text in ("0.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")
)
# Each endpoint zone's IPv6 source is its IPv4 one in the last 32 bits of this unique-local block
# (RFC 4193; the first bytes spell "privl"), so that the two name the same caller.
SOURCE_POOL6 = IPv6Network("fd70:7269:766c::/96")
# Unique-local (RFC 4193) and global unicast (RFC 4291) addresses. What is neither is link-local,
# multicast, loopback, mapped from IPv4, or nobody's yet.
_UNICAST6 = tuple(IPv6Network(text) for text in ("fc00::/7", "2000::/3"))
_VPC6, _VSWITCH6 = 56, 64
_BLOCK = re.compile(r"[0-9.]+(/[0-9]{1,2})?")
_BLOCK6 = re.compile(r"[0-9A-Fa-f:.]+(/[0-9]{1,3})?")
DEFAULT_VPC_CIDR = "172.16.0.0/12"


class Range(msgspec.Struct, frozen=True):
    """A run of addresses, both ends included, as numbers."""

    first: int
    last: int

    def __contains__(self, address: int) -> bool:
        return self.first <= address <= self.last

    @property
    def size(self) -> int:
        return self.last - self.first + 1


@functools.lru_cache(maxsize=4096)
def usable(cidr: str) -> Range:
    """The addresses of a vSwitch's block, of either family, that resources may have."""
    network = ip_network(cidr)
    return Range(int(network[1]), int(network[-4]))


def gateway(cidr: str) -> str:
    """The address of a vSwitch's router in its block, of either family: the third from the end."""
    return str(ip_network(cidr)[-3])


@functools.cache
def source_ranges() -> tuple[Range, ...]:
    """Where endpoint zones get the addresses that a provider's servers see."""
    low, high = int(SOURCE_POOL[0]), int(SOURCE_POOL[-1])
    return (
        Range(low + 1, int(_CLOUD_SERVICES[0]) - 1),
        Range(int(_CLOUD_SERVICES[-1]) + 1, high - 1),
    )


def next_free(within: Range, start: int, taken: Iterable[int]) -> int | None:
    """The first address from `start` on that is not in `taken` (ascending), or None.

    `taken` must hold every taken address from `start` up to the end of what it covers.
    """
    candidate = max(start, within.first)
    for address in taken:
        if address < candidate:
            continue
        if address > candidate:
            break
        candidate += 1
    return candidate if candidate in within else None


def why_not_in_vswitch(address: str, cidr: str) -> str | None:
    """Why a resource may not have this address in a vSwitch's block of the same family, or None."""
    network = ip_network(cidr)
    try:
        if "%" in address:
            raise AddressValueError  # the library takes zones (fe80::1%eth0) as well
        number = int(type(network.network_address)(address))
    except AddressValueError:
        sample = "10.0.0.5" if network.version == 4 else "fd00::5"
        return f"it is not an IPv{network.version} address, such as {sample}."
    if not int(network[0]) <= number <= int(network[-1]):
        return "it lies outside the vSwitch."
    if number not in usable(cidr):
        return "the first and the last three addresses of a vSwitch are reserved."
    return None


def why_not_vpc(cidr: str) -> str | None:
    """Why a VPC may not have this CIDR block, or None if it may."""
    network = _parse(cidr)
    if isinstance(network, str):
        return network
    if not 8 <= network.prefixlen <= 28:
        return "the mask of a VPC must be /8 to /28."
    for forbidden in _FORBIDDEN:
        if network.overlaps(forbidden):
            return f"{forbidden} is reserved; use 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16."
    return None


def why_not_vswitch(cidr: str, vpc_cidr: str) -> str | None:
    """Why a vSwitch of this VPC may not have this CIDR block, or None if it may."""
    network = _parse(cidr)
    if isinstance(network, str):
        return network
    if not 16 <= network.prefixlen <= 29:
        return "the mask of a vSwitch must be /16 to /29."
    if not network.subnet_of(IPv4Network(vpc_cidr)):
        return f"it must lie within {vpc_cidr}, the block of its VPC."
    return None


def why_not_vpc6(cidr6: str) -> str | None:
    """Why a VPC may not have this IPv6 block, or None if it may."""
    try:
        if not _BLOCK6.fullmatch(cidr6):
            raise NetmaskValueError  # the library takes zones as well
        network = IPv6Network(cidr6)
    except (AddressValueError, NetmaskValueError):
        return "it is not an IPv6 block, such as fd00:0:0:100::/56."
    except ValueError:
        return "it has bits set after its mask; did you mean the network address?"
    if network.prefixlen != _VPC6:
        return f"the mask of a VPC's IPv6 block must be /{_VPC6}."
    if not any(network.subnet_of(unicast) for unicast in _UNICAST6):
        return "it is neither unique-local (fd00::/8) nor global unicast (2000::/3)."
    if network.overlaps(SOURCE_POOL6):
        return f"{SOURCE_POOL6} is reserved: servers see endpoints at addresses in it."
    return None


def unique_local(number: int) -> str:
    """A VPC's IPv6 block of a 48-bit number that should be random: fd00::/8 with the number after
    it.

    Source: RFC 4193, section 3: a global id of 40 bits, and 8 of the 16 bits for subnets.
    """
    return str(IPv6Network(((0xFD << 48 | number) << 72, _VPC6)))


def vswitch_block6(vpc_cidr6: str, number: int) -> str:
    """The /64 of a vSwitch: its VPC's /56 with 8 more bits, 0 to 255."""
    start = int(IPv6Network(vpc_cidr6).network_address)
    return str(IPv6Network((start | number << (128 - _VSWITCH6), _VSWITCH6)))


def interface6(cidr6: str, number: int) -> str:
    """The address in a vSwitch's /64 whose last 64 bits are a number."""
    return str(IPv6Network(cidr6)[number])


def source6(source: int) -> str:
    """The IPv6 source address of an endpoint zone, of its IPv4 one."""
    return str(SOURCE_POOL6[source])


def overlap(cidr: str, others: Iterable[str]) -> str | None:
    """The first of `others` that shares an address with `cidr`, or None."""
    network = IPv4Network(cidr)
    return next((other for other in others if network.overlaps(IPv4Network(other))), None)


def canonical(cidr: str) -> str:
    """A block of either family that may be one, in the one spelling it is stored in."""
    return str(ip_network(cidr))


def canonical6(address: str) -> str:
    """An IPv6 address as RFC 5952 spells it."""
    return str(IPv6Address(address))


def text(address: int) -> str:
    """An IPv4 address as people write it."""
    return str(IPv4Address(address))


def _parse(cidr: str) -> IPv4Network | str:
    try:
        if not _BLOCK.fullmatch(cidr):
            raise NetmaskValueError  # the library takes masks as well, and wildcards
        return IPv4Network(cidr)
    except (AddressValueError, NetmaskValueError):
        return "it is not an IPv4 block, such as 10.0.0.0/16."
    except ValueError:
        return "it has bits set after its mask; did you mean the network address?"
