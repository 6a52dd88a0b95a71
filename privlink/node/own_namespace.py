"""A network namespace of our own beside the fabric, for processes that speak with VPCs.

    privlink-<instance>-<word>               privlink-<instance>, the fabric
    eth0  its address, its ways  ----------  <word>

The link's end in the fabric carries the program, as those of workloads do, and belongs to no
bridge: what is sent goes where an entry of the maps leads it, and nowhere else. What for, and which
entries, is the business of who has it.
"""

from __future__ import annotations

import errno
from contextlib import closing
from typing import Final

import msgspec
from pyroute2 import IPRoute
from pyroute2.netlink.rtnl.ndmsg import NUD_PERMANENT

from privlink.node import sysctls, system
from privlink.node.errors import KernelError
from privlink.node.kernel import Kernel
from privlink.node.links import Link, fabric_name, open_netlink, refusals
from privlink.node.program.maps import GATEWAY_MAC
from privlink.node.sysctls import NODAD, Setting, has_ipv6, of_link

INSIDE: Final = "eth0"
# The fabric answers for the gateway and nobody advertises routers, so a link-local address would
# have no use but to be heard.
_ALONE: Final = of_link("ipv6", INSIDE, addr_gen_mode="1", accept_ra="0", disable_ipv6="0")
_ONLINK: Final = 4  # RTNH_F_ONLINK (linux/rtnetlink.h): the gateway is in no subnet of ours


class Way(msgspec.Struct, frozen=True):
    """An address that a namespace has, and what it reaches from there."""

    address: str
    prefix: int
    gateway: str
    destination: str


class Wiring(msgspec.Struct, frozen=True):
    """What one such namespace is like."""

    word: str  # names its link in the fabric, and ends its own name
    mac: str
    ways: tuple[Way, ...]
    settings: tuple[Setting, ...] = ()  # before the link comes


def own_namespace_name(fabric: str, wiring: Wiring) -> str:
    """The name of a namespace beside a fabric of this name."""
    return f"{fabric}-{wiring.word}"


class OwnNamespace:
    """One such namespace of one instance, with its link."""

    def __init__(self, kernel: Kernel, wiring: Wiring) -> None:
        self.name = own_namespace_name(kernel.fabric.name, wiring)
        self.path = system.NAMESPACES / self.name
        self._kernel = kernel
        self._wiring = wiring
        self._settled = (0, 0)  # the link this process has put its program on, and the namespace

    def ensure(self) -> int:
        """Have all of it there; the index of the link's end in the fabric. Raises KernelError."""
        if not system.namespace_exists(self.name):
            system.make_namespace(self.name)
        fabric, inode = self._kernel.fabric, self.path.stat().st_ino
        link = fabric.link(self._wiring.word)
        if link is not None and (link.index, inode) != self._settled and not self._is_inside():
            fabric.remove(link.name)  # its other end is in a namespace that had this name before
            link = None
        if link is None:
            link = self._make_pair()
        if (link.index, inode) != self._settled or not fabric.guarded(link):
            fabric.guard(link, self._kernel.program.fd)
            self._settle(link)
            self._settled = link.index, inode
        return link.index

    def _is_inside(self) -> bool:
        with closing(open_netlink(self.path)) as inside:
            return bool(inside.link_lookup(ifname=INSIDE))

    def _make_pair(self) -> Link:
        word, fabric = self._wiring.word, self._kernel.fabric
        system.within(self.path, lambda: sysctls.write(self._wiring.settings))
        with closing(open_netlink(fabric.path)) as outside, self.path.open("rb") as namespace:
            peer = {
                "ifname": INSIDE,
                "address": self._wiring.mac,
                "net_ns_fd": namespace.fileno(),
            }
            with refusals(f"make the link {word} between {self.name} and the fabric"):
                outside.link("add", ifname=word, kind="veth", peer=peer)
        link = fabric.link(word)
        if link is None:
            raise KernelError.of(f"find {word} in {fabric.name}", errno.ENODEV)
        return link

    def _settle(self, link: Link) -> None:
        """Give the link its addresses and routes; what is there already stays."""
        with (
            closing(open_netlink(self._kernel.fabric.path)) as outside,
            refusals(f"set {link.name} up"),
        ):
            outside.link("set", index=link.index, state="up")
        ways = [way for way in self._wiring.ways if ":" not in way.address or has_ipv6()]
        if any(":" in way.address for way in ways):
            system.within(self.path, lambda: sysctls.write(_ALONE))
        with closing(open_netlink(self.path)) as inside:
            found = inside.link_lookup(ifname=INSIDE)
            if not found:
                raise KernelError.of(f"find {INSIDE} in {self.name}", errno.ENODEV)
            with refusals(f"set {INSIDE} of {self.name} up"):
                inside.link("set", index=found[0], state="up")
            for way in ways:
                _pave(inside, found[0], way)


def remove_own_namespace(instance: str, wiring: Wiring) -> None:
    """Remove such a namespace and its link, whether or not the fabric is there still."""
    name = fabric_name(instance)
    fabric = system.NAMESPACES / name
    if system.is_namespace(fabric):
        word = wiring.word
        with closing(open_netlink(fabric)) as outside, refusals(f"remove {word}", errno.ENODEV):
            outside.link("del", ifname=word)
    system.remove_namespace(own_namespace_name(name, wiring))


def _pave(inside: IPRoute, index: int, way: Way) -> None:
    """An address, and a route by a gateway whose MAC needs no asking: it is the program."""
    flags = NODAD if ":" in way.address else 0
    with refusals(f"give {INSIDE} the address {way.address}", errno.EEXIST):
        inside.addr("add", index=index, address=way.address, prefixlen=way.prefix, flags=flags)
    with refusals(f"route {way.destination} by {way.gateway}"):
        inside.neigh(
            "replace", dst=way.gateway, lladdr=GATEWAY_MAC, ifindex=index, state=NUD_PERMANENT
        )
        inside.route("replace", dst=way.destination, gateway=way.gateway, oif=index, flags=_ONLINK)
