"""Which addresses exist, which are reserved, which one is next. IPv4 as numbers throughout.

Reserved in a vSwitch: the first address and the last three; the third from the end is the gateway.
Source: "Reserved IP addresses" of the VPC user guide.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

import msgspec

# RFC 6598 shared address space: no VPC may use it, so it can tell a provider who is calling.
SOURCE_POOL = IPv4Network("100.64.0.0/10")
# The cloud's own services (DNS at 100.100.2.136 among them) answer here inside a VPC.
_CLOUD_SERVICES = IPv4Network("100.100.0.0/16")
_FORBIDDEN = tuple(
    IPv4Network(text)
    for text in ("0.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")
)
_BLOCK = re.compile(r"[0-9.]+(/[0-9]{1,2})?")
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
    """The addresses of a vSwitch that resources may have."""
    network = IPv4Network(cidr)
    return Range(int(network[1]), int(network[-4]))


def gateway(cidr: str) -> str:
    """The address of a vSwitch's router: the third from the end."""
    return str(IPv4Network(cidr)[-3])


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
    """Why a resource may not have this address in a vSwitch, or None if it may."""
    try:
        number = int(IPv4Address(address))
    except AddressValueError:
        return "it is not an IPv4 address, such as 10.0.0.5."
    network = IPv4Network(cidr)
    if IPv4Address(number) not in network:
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


def overlap(cidr: str, others: Iterable[str]) -> str | None:
    """The first of `others` that shares an address with `cidr`, or None."""
    network = IPv4Network(cidr)
    return next((other for other in others if network.overlaps(IPv4Network(other))), None)


def canonical(cidr: str) -> str:
    """A block that may be one, in the one spelling it is stored in."""
    return str(IPv4Network(cidr))


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
