"""Where probes come from: a network namespace of their own, beside the fabric.

    privlink-<instance>-probe                   privlink-<instance>, the fabric
    eth0  10.255.255.254/30, fd01::2/126  ----  probe

The link's end in the fabric carries the program, as those of workloads do, and belongs to no
bridge: a probe goes where an entry of the maps leads it, and nowhere else.
"""

from __future__ import annotations

import errno
from contextlib import closing
from pathlib import Path
from typing import Final

from pyroute2 import IPRoute
from pyroute2.netlink.rtnl.ndmsg import NUD_PERMANENT

from privlink.node import system
from privlink.node.errors import KernelError
from privlink.node.health.probes import (
    ADDRESS4,
    ADDRESS6,
    GATEWAY4,
    GATEWAY6,
    MAC,
    TARGETS4,
    TARGETS6,
)
from privlink.node.kernel import Kernel
from privlink.node.links import Link, fabric_name, open_netlink, refusals
from privlink.node.program.maps import GATEWAY_MAC

LINK: Final = "probe"  # its end in the fabric
INSIDE: Final = "eth0"
_PREFIX4, _PREFIX6 = 30, 126  # the probes and their gateway
_NODAD: Final = 0x02  # IFA_F_NODAD (linux/if_addr.h): nobody else is there
_IPV6: Final = Path("/proc/sys/net/ipv6/conf")
_SYSCTLS6: Final = (("addr_gen_mode", "1"), ("accept_ra", "0"), ("disable_ipv6", "0"))


def probe_namespace_name(instance: str) -> str:
    """The name of the namespace that an instance's probes come from."""
    return _name(fabric_name(instance))


def _name(fabric: str) -> str:
    return f"{fabric}-probe"


class ProbeNamespace:
    """The namespace of the probes of one instance, with its link."""

    def __init__(self, kernel: Kernel) -> None:
        self.name = _name(kernel.fabric.name)
        self.path = system.NAMESPACES / self.name
        self._kernel = kernel
        self._guarded = 0  # the index of the link that this process has put its program on

    def ensure(self) -> int:
        """Have all of it there; the index of the link's end in the fabric. Raises KernelError."""
        if not system.namespace_exists(self.name):
            system.make_namespace(self.name)
        fabric = self._kernel.fabric
        link = fabric.link(LINK)
        if link is None:
            with closing(open_netlink(fabric.path)) as outside:
                self._make_pair(outside)
            link = fabric.link(LINK)
            if link is None:
                raise KernelError.of(f"find {LINK} in {fabric.name}", errno.ENODEV)
        if link.index != self._guarded or not fabric.guarded(link):
            fabric.guard(link, self._kernel.program.fd)
            self._settle(link)
            self._guarded = link.index
        return link.index

    def _make_pair(self, outside: IPRoute) -> None:
        with self.path.open("rb") as namespace:
            peer = {"ifname": INSIDE, "address": MAC, "net_ns_fd": namespace.fileno()}
            with refusals(f"make the link {LINK} between {self.name} and the fabric"):
                outside.link("add", ifname=LINK, kind="veth", peer=peer)

    def _settle(self, link: Link) -> None:
        """Give the link its addresses and routes; what is there already stays."""
        with closing(open_netlink(self._kernel.fabric.path)) as outside, refusals(f"set {LINK} up"):
            outside.link("set", index=link.index, state="up")
        ipv6 = _IPV6.exists()
        if ipv6:
            system.within(self.path, _prepare_ipv6)
        with closing(open_netlink(self.path)) as inside:
            found = inside.link_lookup(ifname=INSIDE)
            if not found:  # its other end is in a namespace of an earlier one's name
                self._kernel.fabric.remove(LINK)
                raise KernelError.of(f"find {INSIDE} in {self.name}", errno.ENODEV)
            _address(inside, found[0], ADDRESS4, _PREFIX4, 0)
            with refusals(f"set {INSIDE} of {self.name} up"):
                inside.link("set", index=found[0], state="up")
            _route(inside, found[0], TARGETS4, GATEWAY4)
            if ipv6:
                _address(inside, found[0], ADDRESS6, _PREFIX6, _NODAD)
                _route(inside, found[0], TARGETS6, GATEWAY6)


def remove_probe_namespace(instance: str) -> None:
    """Remove the namespace of the probes and its link. The fabric has to be there still."""
    fabric = system.NAMESPACES / fabric_name(instance)
    if system.is_namespace(fabric):
        with closing(open_netlink(fabric)) as outside, refusals(f"remove {LINK}", errno.ENODEV):
            outside.link("del", ifname=LINK)
    system.remove_namespace(probe_namespace_name(instance))


def _prepare_ipv6() -> None:
    """Keep the kernel from giving the link, which is not up yet, addresses of its own."""
    for name, value in _SYSCTLS6:
        file = _IPV6 / INSIDE / name
        try:
            file.write_text(value)
        except OSError as error:
            raise KernelError(f"write {value} to {file}", error) from error


def _address(inside: IPRoute, index: int, address: str, prefix: int, flags: int) -> None:
    with refusals(f"give {INSIDE} the address {address}", errno.EEXIST):
        inside.addr("add", index=index, address=address, prefixlen=prefix, flags=flags)


def _route(inside: IPRoute, index: int, destination: str, gateway: str) -> None:
    """Routes by a gateway whose MAC needs no asking: it is the program."""
    with refusals(f"route {destination} by {gateway}"):
        inside.neigh("replace", dst=gateway, lladdr=GATEWAY_MAC, ifindex=index, state=NUD_PERMANENT)
        inside.route("replace", dst=destination, gateway=gateway, oif=index)
