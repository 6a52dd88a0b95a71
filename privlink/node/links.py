"""The fabric: one network namespace per instance, and every link in it.

    sw<number>   the bridge of a segment (a managed vswitch)
    at<number>   the fabric end of a workload's veth pair, a port of its segment's bridge
    shaper<n>    the near end of a veth pair with HTB on it; shaped<n> is the far one (shaper.py)
    probe, names  where health checks come in, and where names are answered (own_namespace.py)

The fabric has no addresses and routes nothing; what passes is what the eBPF program on each `at`
link lets pass. Verbs are idempotent, and an `at` link carries the program before it joins a
bridge, so no frame is ever bridged unseen. Which links there should be is the agent's business.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from pyroute2 import IPRoute, NetlinkError
from pyroute2.netlink.rtnl import RTMGRP_LINK
from pyroute2.netlink.rtnl.marshal import MarshalRtnl
from pyroute2.netlink.rtnl.ndmsg import NTF_MASTER, NUD_NOARP

from privlink.node import system
from privlink.node.errors import KernelError

BRIDGE_MTU: Final = 65535  # a bridge follows its smallest port unless told; jumbo frames must fit
_OURS: Final = ("sw", "at")
NEAR, FAR = "shaper", "shaped"
INGRESS: Final = 0xFFFFFFF2  # clsact's ingress hook (linux/pkt_sched.h)
_PRIORITY: Final = 1
_HANDLE: Final = 1

_SYSCTLS: Final = (
    ("ipv6/conf/all/disable_ipv6", "1"),
    ("ipv6/conf/default/disable_ipv6", "1"),
    ("ipv4/ip_forward", "0"),
    # Hosts with Docker load br_netfilter: without these, frames we bridge walk its hooks.
    ("bridge/bridge-nf-call-iptables", "0"),
    ("bridge/bridge-nf-call-arptables", "0"),
    ("bridge/bridge-nf-call-ip6tables", "0"),
)


class Link(msgspec.Struct, frozen=True):
    """One link of the fabric."""

    name: str
    index: int
    master: int | None  # the index of its bridge
    up: bool
    peered: bool  # its other end is in another namespace


def fabric_name(instance: str) -> str:
    """The name of an instance's fabric namespace."""
    return f"privlink-{instance}"


def bridge_name(number: int) -> str:
    """The name of a segment's bridge."""
    return f"sw{number}"


def workload_name(number: int) -> str:
    """The name of the fabric end of an attachment's veth pair."""
    return f"at{number}"


def open_netlink(namespace: Path) -> IPRoute:
    """A netlink socket that speaks to the network namespace at `namespace`. Raises KernelError."""
    # IPRoute(netns=...) forks a child for this, which threads and start-up time forbid.
    return IPRoute(fileno=system.within(namespace, _netlink_socket).detach(), ext_ack=True)


@contextmanager
def refusals(operation: str, *expected: int) -> Iterator[None]:
    """Turn what netlink refuses into KernelError; errno codes in `expected` are fine."""
    try:
        yield
    except NetlinkError as refused:
        if refused.code not in expected:
            raise KernelError(operation, OSError(refused.code, refused.args[1])) from refused


class Fabric:
    """An instance's fabric namespace, open for reading and changing."""

    def __init__(self, name: str, *, fresh: bool) -> None:
        self.name = name
        self.path = system.NAMESPACES / name
        self.fresh = fresh  # just made: this host was booted or purged since we last ran
        self._netlink = open_netlink(self.path)
        self._watch = LinkWatch(self.path)

    @classmethod
    def open(cls, instance: str) -> Self:
        """Open the fabric, making what is missing of it. Raises KernelError."""
        name = fabric_name(instance)
        fresh = not system.namespace_exists(name)
        if fresh:
            system.make_namespace(name)
        system.within(system.NAMESPACES / name, _settle)
        return cls(name, fresh=fresh)

    @property
    def watch(self) -> LinkWatch:
        """What tells of changed links."""
        return self._watch

    def links(self) -> dict[str, Link]:
        """Every bridge and workload link, by name."""
        with refusals("list links"):
            found = [_link(message) for message in self._netlink.get_links()]
        return {link.name: link for link in found if link.name.startswith(_OURS)}

    def names(self) -> frozenset[str]:
        """Their names alone: a hundred times cheaper, and callable from any thread."""
        found = system.within(self.path, socket.if_nameindex)
        return frozenset(name for _, name in found if name.startswith(_OURS))

    def shapers(self) -> dict[str, int]:
        """The near ends of the shaper's links, by name, with their indexes."""
        found = system.within(self.path, socket.if_nameindex)
        return {name: index for index, name in found if name.startswith(NEAR)}

    def link(self, name: str) -> Link | None:
        """One link, or None."""
        try:
            with refusals(f"read link {name}"):
                return _link(self._netlink.link("get", ifname=name)[0])
        except KernelError as error:
            if error.errno == errno.ENODEV:
                return None
            raise

    def make_bridge(self, name: str) -> None:
        """Have a segment's bridge, up: no spanning tree, no address, room for jumbo frames."""
        with refusals(f"make bridge {name}", errno.EEXIST):
            self._netlink.link(
                "add", ifname=name, kind="bridge", br_stp_state=0, br_mcast_snooping=0
            )
        link = self.link(name)
        if link is not None and not link.up:
            with refusals(f"set bridge {name} up"):
                self._netlink.link("set", index=link.index, mtu=BRIDGE_MTU, state="up")

    def guarded(self, link: Link) -> bool:
        """Whether a program of ours stands on the link's ingress."""
        with refusals(f"read filters of {link.name}", errno.EINVAL):
            found = self._netlink.get_filters(index=link.index, parent=INGRESS)
            return any(each.get_attr("TCA_KIND") == "bpf" for each in found)
        return False  # no clsact there at all

    def guard(self, link: Link, program: int) -> None:
        """Put the program (a file descriptor) on the link's ingress, replacing an older one.

        The exchange is atomic: no packet meets neither.
        """
        with refusals(f"add clsact to {link.name}", errno.EEXIST):
            self._netlink.tc("add", "clsact", link.index)
        with refusals(f"put the eBPF program on {link.name}"):
            self._netlink.tc(
                "replace-filter",
                "bpf",
                link.index,
                _HANDLE,
                parent=INGRESS,
                prio=_PRIORITY,
                fd=program,
                name="privlink",
                direct_action=True,
            )

    def join(self, link: Link, bridge: Link, mac: str) -> None:
        """Make the link the port of the bridge where `mac` is, and up. Guard it first.

        What is for one workload is no other's to hear: the bridge is told who is where, and sends
        on to nobody what is for none of them. A link that is up has been through all of it.
        """
        if link.master == bridge.index and link.up:
            return
        with refusals(f"make {link.name} a port of {bridge.name}"):
            self._netlink.link("set", index=link.index, master=bridge.index)
            self._netlink.brport("set", index=link.index, unicast_flood=0, learning=0)
            self._netlink.fdb(
                "replace", ifindex=link.index, lladdr=mac, flags=NTF_MASTER, state=NUD_NOARP
            )
            self._netlink.link("set", index=link.index, state="up")

    def make_pair(self, near: str, far: str, index: int) -> Link:
        """Have a veth pair, not up yet, whose near end has that index; the far one."""
        with refusals(f"make {near}", errno.EEXIST):
            peer = {"ifname": far, "mtu": BRIDGE_MTU}
            self._netlink.link(
                "add", ifname=near, kind="veth", index=index, mtu=BRIDGE_MTU, peer=peer
            )
        end = self.link(far)
        if end is None:
            raise KernelError.of(f"find {far}, the other end of {near}", errno.ENODEV)
        return end

    def set_up(self, name: str, index: int) -> None:
        """Set a link up."""
        with refusals(f"set {name} up"):
            self._netlink.link("set", index=index, state="up")

    def remove(self, name: str) -> None:
        """Remove a link, and with a veth its other end; no matter if it is gone."""
        with refusals(f"remove {name}", errno.ENODEV):
            self._netlink.link("del", ifname=name)

    def close(self) -> None:
        """Close the sockets; the fabric stays."""
        self._netlink.close()
        self._watch.close()


class LinkWatch:
    """Tells which links of a namespace changed. Read it when `fileno()` is readable."""

    def __init__(self, namespace: Path) -> None:
        self._socket = system.within(namespace, _listen)

    def fileno(self) -> int:
        return self._socket.fileno()

    def changed(self) -> frozenset[str] | None:
        """The names of links that changed since the last call; None: too many, look at all."""
        names: set[str] = set()
        marshal = MarshalRtnl()
        while True:
            try:
                data = self._socket.recv(1 << 16)
            except BlockingIOError:
                return frozenset(names)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._drain()
                return None
            names.update(_names(marshal.parse(data)))

    def close(self) -> None:
        self._socket.close()

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while self._socket.recv(1 << 16):
                pass


def _names(messages: Iterable[Any]) -> Iterator[str]:
    for message in messages:
        name = message.get_attr("IFLA_IFNAME")
        if name is not None:
            yield str(name)


def _netlink_socket() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, socket.NETLINK_ROUTE)


def _listen() -> socket.socket:
    listener = _netlink_socket()
    listener.setblocking(False)
    listener.bind((0, RTMGRP_LINK))
    return listener


def _settle() -> None:
    for name, value in _SYSCTLS:
        file = Path("/proc/sys/net") / name
        if file.exists():  # kernels without IPv6 or br_netfilter have nothing to turn off
            file.write_text(value)


def _link(message: Any) -> Link:
    return Link(
        name=str(message.get_attr("IFLA_IFNAME")),
        index=int(message["index"]),
        master=message.get_attr("IFLA_MASTER"),
        up=bool(message["flags"] & 1),  # IFF_UP
        peered=message.get_attr("IFLA_LINK_NETNSID") is not None,
    )
