"""Plugging a workload in: a veth pair from its network namespace to the fabric, and out again.

This is what `privlink attach` does on the node's host, as root. The agent sees the fabric end
appear and does the rest; neither waits for the other.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
from pyroute2 import IPRoute

from privlink.node import sysctls, system
from privlink.node.errors import KernelError
from privlink.node.links import fabric_name, open_netlink, refusals, workload_name
from privlink.node.sysctls import NODAD, Setting, has_ipv6, of_link

MTU: Final = 1500
SOURCES: Final = "100.64.0.0/10"  # where the fabric's source addresses come from (RFC 6598)
SOURCES6: Final = "fd70:7269:766c::/96"  # the same in IPv6: the IPv4 ones in the last 32 bits


class Ipv6(msgspec.Struct, frozen=True):
    """The IPv6 address of a workload."""

    address: str
    prefix: int  # length of the vswitch's, in bits
    gateway: str
    network: str  # block of the VPC


class Port(msgspec.Struct, frozen=True):
    """The workload's end of an attachment."""

    ifname: str
    mac: str
    address: str
    prefix: int  # length of the vswitch's, in bits
    gateway: str
    network: str  # CIDR of the VPC
    mtu: int = MTU
    ipv6: Ipv6 | None = None


def plug(instance: str, number: int, netns: Path | str | int, port: Port) -> None:
    """Give a workload its place: link, addresses and routes in its network namespace, all or
    nothing.

    `netns` is a path, a name as `ip netns` knows it, or a process id. The default route leads to
    the gateway unless the namespace has one already: then that stays, and only the VPC and source
    addresses of endpoints (100.64.0.0/10) are reached by the gateway, without which no answer would
    find its way. It is alike in IPv6, where those are in fd70:7269:766c::/96. ValueError where the
    caller can put it right, KernelError where the kernel refuses.
    """
    path = namespace_path(netns)
    fabric = system.NAMESPACES / fabric_name(instance)
    if not system.is_namespace(fabric):
        raise ValueError(f"no node of instance {instance!r} runs on this host: start `privlink up`")
    if port.ipv6 is not None and not has_ipv6():
        raise KernelError.of(
            f"give {port.ifname} the address {port.ipv6.address}",
            errno.EAFNOSUPPORT,
            "it has no IPv6 (CONFIG_IPV6, or ipv6.disable=1 at boot); use a vSwitch without IPv6",
        )
    with closing(open_netlink(path)) as inside, closing(open_netlink(fabric)) as outside:
        _make_pair(outside, number, path, port)
        try:
            system.within(path, lambda: sysctls.write(_settings(port)))
            _settle_inside(inside, port)
        except BaseException:
            _remove(outside, number)
            raise


def unplug(instance: str, number: int) -> None:
    """Take a workload's link away, at both ends; no matter if it is gone."""
    fabric = system.NAMESPACES / fabric_name(instance)
    if system.is_namespace(fabric):
        with closing(open_netlink(fabric)) as outside:
            _remove(outside, number)


def namespace_path(netns: Path | str | int) -> Path:
    """Where a network namespace is, given its path, name or process id. Raises ValueError."""
    if isinstance(netns, int):
        path, way_out = Path(f"/proc/{netns}/ns/net"), f"is process {netns} running?"
    elif isinstance(netns, Path) or "/" in netns:
        path, way_out = Path(netns), "name one, as in /run/netns/NAME"
    else:
        path, way_out = system.NAMESPACES / netns, f"make it with: ip netns add {netns}"
    if not system.is_namespace(path):
        raise ValueError(f"{path} is no network namespace; {way_out}")
    return path


def _make_pair(outside: IPRoute, number: int, path: Path, port: Port) -> None:
    """Both ends are born in their namespaces under their final names: there is no half of it."""
    name = workload_name(number)
    with path.open("rb") as namespace:
        peer = {
            "ifname": port.ifname,
            "address": port.mac,
            "mtu": port.mtu,
            "net_ns_fd": namespace.fileno(),
        }
        try:
            with refusals(f"plug {port.ifname} in {path} into {name}"):
                outside.link("add", ifname=name, kind="veth", mtu=port.mtu, peer=peer)
        except KernelError as error:
            if error.errno != errno.EEXIST:
                raise
            if outside.link_lookup(ifname=name):
                raise ValueError(
                    f"attachment {number} is plugged in already; detach it first"
                ) from error
            raise ValueError(
                f"{path} has a link named {port.ifname} already; choose another --ifname"
            ) from error


def _settle_inside(netlink: IPRoute, port: Port) -> None:
    index = netlink.link_lookup(ifname=port.ifname)[0]
    with refusals(f"give {port.ifname} the address {port.address}/{port.prefix}"):
        broadcast = str(
            ipaddress.IPv4Interface(f"{port.address}/{port.prefix}").network.broadcast_address
        )
        netlink.addr(
            "add", index=index, address=port.address, prefixlen=port.prefix, broadcast=broadcast
        )
    with refusals(f"set {port.ifname} up"):
        netlink.link("set", index=index, state="up")
    ways = [(port.gateway, _destinations(netlink, port))]
    if (ipv6 := port.ipv6) is not None:
        # Only now: an address that comes to a link that is down has no route to its neighbours.
        with refusals(f"give {port.ifname} the address {ipv6.address}/{ipv6.prefix}"):
            netlink.addr(
                "add", index=index, address=ipv6.address, prefixlen=ipv6.prefix, flags=NODAD
            )
        ways.append((ipv6.gateway, _destinations6(netlink, ipv6)))
    for gateway, destinations in ways:
        with refusals(f"route by the gateway {gateway} of {port.ifname}"):
            for destination in destinations:
                netlink.route("add", dst=destination, gateway=gateway, oif=index)


def _settings(port: Port) -> Iterator[Setting]:
    """How the kernel treats the link, before it is up.

    A workload that routes lead through may have addresses which are not the link's. It asks for its
    neighbours from the link's own all the same: whoever asks from another one is not heard. For the
    same reason it has the link-local address of its MAC: from no other does Linux ask for the next
    hop of a packet that it passes on. The server sees to it that addresses are unique, and nobody
    advertises routers. Containers may have IPv6 off for links to come.
    """
    yield from of_link("ipv4", port.ifname, arp_announce="2")
    if port.ipv6 is not None:
        settings = {"addr_gen_mode": "0", "accept_dad": "0", "accept_ra": "0", "disable_ipv6": "0"}
        yield from of_link("ipv6", port.ifname, **settings)


def _destinations(netlink: IPRoute, port: Port) -> Iterator[str]:
    """What is reached by the gateway."""
    if not netlink.get_default_routes(family=socket.AF_INET):
        yield "0.0.0.0/0"
        return
    yield SOURCES
    if port.prefix > ipaddress.IPv4Network(port.network).prefixlen:  # there is more than the link
        yield port.network


def _destinations6(netlink: IPRoute, ipv6: Ipv6) -> Iterator[str]:
    """What is reached by the gateway of IPv6."""
    if not netlink.get_default_routes(family=socket.AF_INET6):
        yield "::/0"
        return
    yield SOURCES6
    yield ipv6.network


def _remove(outside: IPRoute, number: int) -> None:
    name = workload_name(number)
    with refusals(f"remove {name}", errno.ENODEV):
        outside.link("del", ifname=name)
