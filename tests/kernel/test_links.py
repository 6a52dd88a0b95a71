"""The fabric as the kernel shows it: made, watched, guarded, plugged into, purged."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from privlink.node import requirements, sysctls, system
from privlink.node.errors import KernelError
from privlink.node.links import Fabric
from privlink.node.plug import Ipv6, Port, namespace_path, plug, unplug
from privlink.node.program.bpf import Program
from privlink.node.purge import purge, traces
from tests.kernel import lab

PORT = Port("eth0", "02:00:00:00:00:05", "10.0.0.5", 24, "10.0.0.253", "10.0.0.0/16")
GATEWAY6 = "fd00::101:ffff:ffff:ffff:fffd"
DUAL = msgspec.structs.replace(
    PORT, ipv6=Ipv6("fd00:0:0:101::5", 64, GATEWAY6, "fd00:0:0:100::/56")
)


@pytest.fixture
def instance() -> Iterator[str]:
    name = lab.unique("links")
    yield name
    purge(name)
    assert traces(name) == []


@pytest.fixture
def fabric(instance: str) -> Iterator[Fabric]:
    with closing(Fabric.open(instance)) as opened:
        yield opened


@pytest.fixture
def workload() -> Iterator[str]:
    with lab.namespace("workload") as name:
        yield name


def shown(name: str, *what: str) -> Any:
    return json.loads(lab.run(name, "ip", "-j", "-d", *what))


def test_this_host_has_what_a_node_needs() -> None:
    assert (requirements.missing(), requirements.wanting()) == ([], [])


def test_without_root_one_line_says_so() -> None:
    script = (
        "import os; from privlink.node import requirements; os.setuid(65534)\n"
        "print(*requirements.missing(), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith("root is missing: ")


def test_the_fabric_is_made_once_and_is_closed(instance: str) -> None:
    with closing(Fabric.open(instance)) as fabric:
        assert fabric.fresh
        assert lab.run(fabric.name, "cat", "/proc/sys/net/ipv4/ip_forward") == "0\n"
        assert lab.run(fabric.name, "cat", "/proc/sys/net/ipv6/conf/all/disable_ipv6") == "1\n"
    with closing(Fabric.open(instance)) as fabric:
        assert not fabric.fresh


def test_a_name_without_a_namespace_is_made_one(instance: str) -> None:
    """As a death between the two steps of making it leaves behind."""
    (system.NAMESPACES / f"privlink-{instance}").touch()
    with closing(Fabric.open(instance)) as fabric:
        assert fabric.fresh
        assert fabric.links() == {}


def test_a_bridge_is_bare_and_takes_jumbo_frames(fabric: Fabric) -> None:
    for _ in range(2):
        fabric.make_bridge("sw7")
    (bridge,) = shown(fabric.name, "link", "show", "sw7")
    details = bridge["linkinfo"]["info_data"]
    assert (details["stp_state"], details["mcast_snooping"]) == (0, 0)
    assert bridge["mtu"] >= 9000
    assert "UP" in bridge["flags"]
    assert shown(fabric.name, "addr", "show", "sw7")[0]["addr_info"] == []


def test_a_workload_gets_its_place(fabric: Fabric, instance: str, workload: str) -> None:
    plug(instance, 5, workload, PORT)
    link = fabric.link("at5")
    assert link is not None
    assert link.peered
    (inside,) = shown(workload, "addr", "show", "eth0")
    assert inside["address"] == PORT.mac
    assert [a["local"] for a in inside["addr_info"] if a["family"] == "inet"] == ["10.0.0.5"]
    assert [route["gateway"] for route in shown(workload, "route", "show", "default")] == [
        "10.0.0.253"
    ]
    unplug(instance, 5)
    unplug(instance, 5)
    assert fabric.links() == {}
    assert len(shown(workload, "link")) == 1


def test_a_default_route_that_is_there_stays(fabric: Fabric, instance: str, workload: str) -> None:
    with lab.namespace("elsewhere") as elsewhere:
        lab.run(workload, "ip", "link", "add", "old0", "type", "veth", "peer", "old1")
        lab.run(workload, "ip", "addr", "add", "192.0.2.1/24", "dev", "old0")
        lab.run(workload, "ip", "link", "set", "old0", "up")
        lab.run(workload, "ip", "link", "set", "old1", "netns", elsewhere)
        lab.run(workload, "ip", "route", "add", "default", "via", "192.0.2.254")
        plug(instance, 5, workload, PORT)
        routes = {route["dst"]: route.get("gateway") for route in shown(workload, "route")}
    assert routes["default"] == "192.0.2.254"
    assert routes["100.64.0.0/10"] == "10.0.0.253"
    assert routes["10.0.0.0/16"] == "10.0.0.253"


def addresses6(name: str) -> dict[str, dict[str, Any]]:
    """The IPv6 addresses of a workload's link."""
    (inside,) = shown(name, "-6", "addr", "show", "eth0") or [{"addr_info": []}]
    return {address["local"]: address for address in inside["addr_info"]}


def test_a_workload_gets_an_ipv6_address_and_no_other(
    fabric: Fabric, instance: str, workload: str
) -> None:
    plug(instance, 5, workload, DUAL)
    (only,) = addresses6(workload).values()
    assert (only["local"], only["prefixlen"]) == ("fd00:0:0:101::5", 64)
    assert only["nodad"] and "tentative" not in only
    assert [route["gateway"] for route in shown(workload, "-6", "route", "show", "default")] == [
        GATEWAY6
    ]
    assert [route["gateway"] for route in shown(workload, "route", "show", "default")] == [
        "10.0.0.253"
    ]
    assert lab.run(workload, "cat", "/proc/sys/net/ipv6/conf/eth0/accept_ra") == "0\n"
    unplug(instance, 5)
    assert shown(workload, "-6", "route", "show", "default") == []


def test_a_default_route_of_ipv6_that_is_there_stays(
    fabric: Fabric, instance: str, workload: str
) -> None:
    with lab.namespace("elsewhere") as elsewhere:
        lab.run(workload, "ip", "link", "add", "old0", "type", "veth", "peer", "old1")
        lab.run(workload, "ip", "addr", "add", "2001:db8::1/64", "dev", "old0", "nodad")
        lab.run(workload, "ip", "link", "set", "old0", "up")
        lab.run(workload, "ip", "link", "set", "old1", "netns", elsewhere)
        lab.run(workload, "ip", "-6", "route", "add", "default", "via", "2001:db8::ff")
        plug(instance, 5, workload, DUAL)
        routes = {route["dst"]: route.get("gateway") for route in shown(workload, "-6", "route")}
        routes4 = {route["dst"]: route.get("gateway") for route in shown(workload, "route")}
    assert routes["default"] == "2001:db8::ff"
    assert routes["fd70:7269:766c::/96"] == GATEWAY6
    assert routes["fd00:0:0:100::/56"] == GATEWAY6
    assert routes4["default"] == "10.0.0.253"


def test_a_container_with_ipv6_off_gets_it_on_this_link_alone(
    fabric: Fabric, instance: str, workload: str
) -> None:
    off = "for each in all default; do echo 1 > /proc/sys/net/ipv6/conf/$each/disable_ipv6; done"
    lab.run(workload, "sh", "-c", off)
    plug(instance, 5, workload, DUAL)
    assert list(addresses6(workload)) == ["fd00:0:0:101::5"]
    assert lab.run(workload, "cat", "/proc/sys/net/ipv6/conf/lo/disable_ipv6") == "1\n"


def test_workloads_without_link_local_addresses_find_each_other(
    fabric: Fabric, instance: str, workload: str
) -> None:
    """Neighbour discovery (RFC 4861) between two on one bridge, which nothing guards here."""
    fabric.make_bridge("sw1")
    (bridge,) = fabric.links().values()
    other = msgspec.structs.replace(
        DUAL,
        mac="02:00:00:00:00:06",
        address="10.0.0.6",
        ipv6=Ipv6("fd00:0:0:101::6", 64, GATEWAY6, "fd00:0:0:100::/56"),
    )
    with lab.namespace("server") as server:
        for number, name, port in ((5, workload, DUAL), (6, server, other)):
            plug(instance, number, name, port)
            fabric.join(fabric.links()[f"at{number}"], bridge, port.mac)
        with lab.echo_server(server, 80, socket.AF_INET6) as callers:
            assert lab.ask(workload, "fd00:0:0:101::6", 80) == b"hello"
    assert callers == ["fd00:0:0:101::5"]


def test_a_kernel_without_ipv6_says_so(
    fabric: Fabric, instance: str, workload: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sysctls, "_NET", tmp_path)
    with pytest.raises(KernelError, match=r"fd00:0:0:101::5: .*it has no IPv6 \(CONFIG_IPV6"):
        plug(instance, 5, workload, DUAL)
    assert fabric.links() == {}
    plug(instance, 5, workload, PORT)


def test_plugging_in_twice_says_so(fabric: Fabric, instance: str, workload: str) -> None:
    plug(instance, 5, workload, PORT)
    with pytest.raises(ValueError, match="attachment 5 is plugged in already"):
        plug(
            instance,
            5,
            workload,
            Port("eth1", PORT.mac, "10.0.0.6", 24, PORT.gateway, PORT.network),
        )
    assert len(shown(workload, "link")) == 2


def test_a_taken_interface_name_leaves_nothing(
    fabric: Fabric, instance: str, workload: str
) -> None:
    with pytest.raises(ValueError, match="has a link named lo already; choose another --ifname"):
        plug(
            instance, 5, workload, Port("lo", PORT.mac, "10.0.0.5", 24, PORT.gateway, PORT.network)
        )
    assert fabric.links() == {}


def test_half_a_plug_is_taken_back(fabric: Fabric, instance: str, workload: str) -> None:
    beyond = Port("eth0", PORT.mac, "10.0.0.5", 24, "10.9.9.9", PORT.network)
    with pytest.raises(KernelError, match=r"route by the gateway 10\.9\.9\.9"):
        plug(instance, 5, workload, beyond)
    assert fabric.links() == {}
    assert len(shown(workload, "link")) == 1
    beyond6 = Ipv6("fd00:0:0:101::5", 64, "fd00:0:0:999::1", "fd00:0:0:100::/56")
    with pytest.raises(KernelError, match=r"route by the gateway fd00:0:0:999::1"):
        plug(instance, 5, workload, msgspec.structs.replace(PORT, ipv6=beyond6))
    assert fabric.links() == {}
    assert len(shown(workload, "link")) == 1


def test_a_namespace_that_is_none_is_told_apart() -> None:
    with pytest.raises(ValueError, match="ip netns add plt-nobody"):
        namespace_path("plt-nobody")
    with pytest.raises(ValueError, match="/etc/hostname is no network namespace"):
        namespace_path("/etc/hostname")
    with pytest.raises(ValueError, match="is process 4194305 running"):
        namespace_path(4194305)
    assert system.is_namespace(namespace_path(os.getpid()))


def test_no_node_no_plug(workload: str) -> None:
    with pytest.raises(ValueError, match="start `privlink up`"):
        plug(lab.unique("nowhere"), 5, workload, PORT)


def test_a_link_is_guarded_before_it_joins(
    fabric: Fabric, instance: str, workload: str, program: Program
) -> None:
    plug(instance, 5, workload, PORT)
    fabric.make_bridge("sw1")
    link, bridge = fabric.links()["at5"], fabric.links()["sw1"]
    assert not fabric.guarded(link)
    for _ in range(3):
        fabric.guard(link, program.fd)
    filters = json.loads(
        lab.run(fabric.name, "tc", "-j", "filter", "show", "dev", "at5", "ingress")
    )
    assert len([one for one in filters if "options" in one]) == 1
    assert fabric.guarded(link)
    fabric.join(link, bridge, PORT.mac)
    joined = fabric.link("at5")
    assert joined is not None
    assert (joined.master, joined.up) == (bridge.index, True)


def test_the_watch_names_what_changed(fabric: Fabric, instance: str, workload: str) -> None:
    assert fabric.watch.changed() == frozenset()
    plug(instance, 5, workload, PORT)
    select.select([fabric.watch], [], [], lab.PATIENCE)
    assert fabric.watch.changed() == {"at5"}
    unplug(instance, 5)
    assert lab.eventually(fabric.watch.changed) == {"at5"}


def test_a_purge_leaves_others_alone(instance: str, fabric: Fabric, workload: str) -> None:
    other = lab.unique("other")
    with closing(Fabric.open(other)) as neighbour:
        neighbour.make_bridge("sw1")
        plug(other, 1, workload, PORT)
    fabric.make_bridge("sw1")
    assert traces(instance) == [f"privlink-{instance}/sw1", f"/run/netns/privlink-{instance}"]
    purge(instance)
    assert traces(instance) == []
    assert len(traces(other)) == 3
    purge(other)
    assert traces(other) == []
    assert len(shown(workload, "link")) == 1


def test_a_namespace_that_two_made_at_once_goes_at_once() -> None:
    """Each has mounted its own, one upon the other."""
    name = lab.unique("twice")
    system.make_namespace(name)
    target = system.NAMESPACES / name
    subprocess.run(["mount", "--bind", target, target], check=True)
    try:
        system.remove_namespace(name)
        assert not target.exists()
    finally:
        while name in Path("/proc/self/mounts").read_text():
            subprocess.run(["umount", target], check=True)
        target.unlink(missing_ok=True)
