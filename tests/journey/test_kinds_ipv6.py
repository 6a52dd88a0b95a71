"""Routes and gateway endpoints in both families, between networks that are equal in both.

one 10.0.0.0/16, fd00:0:0:100::/56 ─┬ gateway endpoints ─▶ 198.51.100.5, fd00:0:0:900::5
two 10.0.0.0/16, fd00:0:0:100::/56 ─┘

Each has two vSwitches with a workload in each. NAT gateways are IPv4, as the API has them.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path
from typing import NamedTuple

import pytest
from alibabacloud_vpc20160428 import models as vpc

from demo.cloud import REGION, ZONE, Cloud, Network, wait_for
from tests.journey.installation import CLIENT, PORT, Installation, Workload, consumers, workload
from tests.journey.parties import (
    BLOCK,
    MODULES,
    OBJECTS,
    dissociate,
    echoes,
    ends,
    is_silent,
    own_table,
)
from tests.kernel import lab, talk

VPC6, SUBNET6, OTHER6 = "fd00:0:0:100::/56", "fd00:0:0:107::/64", "fd00:0:0:108::/64"
CLIENT6, OTHER, OTHER_CLIENT6 = "fd00:0:0:107::5", "10.0.1.5", "fd00:0:0:108::5"
OBJECTS_VPC6, BLOCK6, OBJECTS6 = "fd00:0:0:900::/56", "fd00:0:0:900::/64", "fd00:0:0:900::5"
SOURCES6 = IPv6Network("fd70:7269:766c::/96")
BEYOND, BEYOND6 = "192.168.9.9", "fd00:9::9"  # behind a workload that passes on

both = pytest.mark.parametrize("address", [OBJECTS, OBJECTS6], ids=["IPv4", "IPv6"])


class Server(NamedTuple):
    """A workload that echoes in both families, and who called it."""

    workload: Workload
    address6: str
    callers: list[str]
    callers6: list[str]

    @property
    def netns(self) -> str:
        return self.workload.netns


class Consumer(NamedTuple):
    """A VPC with two vSwitches, each with a workload."""

    cloud: Cloud
    network: Network
    second: Network
    first: Server
    other: Server
    table: str

    def reaches(self, service: str) -> str:
        """A gateway endpoint that both vSwitches have the route to."""
        return self.cloud.gateway_endpoint(self.network, service)


class Objects(NamedTuple):
    """What the operator publishes in both families."""

    name: str
    server: Server


def dual_vswitch(cloud: Cloud, vpc_id: str, subnet: str, block6: str) -> str:
    """A vSwitch with a /64, once its node has made it."""
    made: str = cloud.vpc.create_vswitch(
        vpc.CreateVSwitchRequest(
            region_id=REGION,
            zone_id=ZONE,
            vpc_id=vpc_id,
            cidr_block=subnet,
            ipv_6cidr_block=IPv6Network(block6).network_address.packed[7],
        )
    ).body.v_switch_id
    seen = vpc.DescribeVSwitchAttributesRequest(region_id=REGION, v_switch_id=made)

    def is_there() -> bool:
        body = cloud.vpc.describe_vswitch_attributes(seen).body
        assert body.ipv_6cidr_block == block6
        return bool(body.status == "Available")

    wait_for(is_there, f"{made} Available")
    return made


def dual_network(cloud: Cloud, cidr: str, cidr6: str, subnet: str, subnet6: str) -> Network:
    """A VPC of both families with one vSwitch."""
    made: str = cloud.vpc.create_vpc(
        vpc.CreateVpcRequest(
            region_id=REGION, cidr_block=cidr, enable_ipv_6=True, ipv_6cidr_block=cidr6
        )
    ).body.vpc_id
    return Network(made, dual_vswitch(cloud, made, subnet, subnet6))


@contextmanager
def dual_server(
    installation: Installation, network: Network, address: str, address6: str
) -> Iterator[Server]:
    """A workload with an echo server for each family."""
    with (
        workload(installation, network, "dual", address, address6=address6) as place,
        lab.echo_server(place.netns, PORT) as callers,
        lab.echo_server(place.netns, PORT, socket.AF_INET6) as callers6,
    ):
        yield Server(place, address6, callers, callers6)


@contextmanager
def dual_consumer(installation: Installation) -> Iterator[Consumer]:
    cloud = installation.cloud()
    network = dual_network(cloud, "10.0.0.0/16", VPC6, "10.0.0.0/24", SUBNET6)
    second = Network(network.vpc, dual_vswitch(cloud, network.vpc, "10.0.1.0/24", OTHER6))
    with (
        dual_server(installation, network, CLIENT, CLIENT6) as first,
        dual_server(installation, second, OTHER, OTHER_CLIENT6) as other,
    ):
        yield Consumer(cloud, network, second, first, other, cloud.route_table(network))


@pytest.fixture
def one(installation: Installation) -> Iterator[Consumer]:
    with dual_consumer(installation) as ready:
        yield ready


@pytest.fixture
def two(installation: Installation) -> Iterator[Consumer]:
    with dual_consumer(installation) as ready:
        yield ready


@pytest.fixture(scope="module")
def objects(installation: Installation) -> Iterator[Objects]:
    """A gateway service with a server in its blocks."""
    network = dual_network(installation.cloud(), BLOCK, OBJECTS_VPC6, BLOCK, BLOCK6)
    name = f"com.privlink.local.{lab.unique('dual')}"
    installation.run(
        *("gateway-service", "create", "--name", name, "--vswitch", network.vswitch),
        *("--cidr", BLOCK, "--cidr", BLOCK6),
    )
    with dual_server(installation, network, OBJECTS, OBJECTS6) as server:
        yield Objects(name, server)


def test_the_vswitches_of_a_vpc_reach_each_other(one: Consumer) -> None:
    assert lab.ask(one.first.netns, OTHER_CLIENT6, PORT, b"there") == b"there"
    assert lab.ask(one.other.netns, CLIENT6, PORT, b"and back") == b"and back"
    assert (one.other.callers6, one.first.callers6) == ([CLIENT6], [OTHER_CLIENT6])
    talk.ping(one.first.netns, OTHER_CLIENT6)
    with (
        talk.echoing_datagrams(one.other.netns, 7053, socket.AF_INET6) as seen,
        talk.datagrams(one.first.netns, OTHER_CLIENT6, 7053) as asking,
    ):
        asking.send(b"which way")
        assert (asking.recv(100), seen) == (b"which way", [CLIENT6])


def test_another_vpc_of_the_same_addresses_is_not_reached(one: Consumer, two: Consumer) -> None:
    for mine, theirs in ((one, two), (two, one)):
        before = len(theirs.other.callers6)
        assert lab.ask(mine.first.netns, OTHER_CLIENT6, PORT, b"mine") == b"mine"
        assert mine.other.callers6[-1] == CLIENT6
        assert len(theirs.other.callers6) == before


def test_a_route_of_each_family_leads_to_a_workload_that_passes_on(
    installation: Installation, one: Consumer
) -> None:
    router = one.other
    with (
        _behind(router.netns) as beyond,
        lab.echo_server(beyond, PORT) as callers,
        lab.echo_server(beyond, PORT, socket.AF_INET6) as callers6,
    ):
        for address, block in ((BEYOND, "192.168.9.0/24"), (BEYOND6, "fd00:9::/64")):
            assert is_silent(one.first.workload, address)
            add = ("route", "add", "--table", one.table, "--to", block)
            installation.run(*add, "--via", router.workload.attachment)
            assert lab.ask(one.first.netns, address, PORT, b"beyond") == b"beyond"
        assert (callers, callers6) == ([CLIENT], [CLIENT6])
        assert lab.ask(beyond, CLIENT6, PORT, b"and back") == b"and back"
    assert one.first.callers6 == [BEYOND6]


def test_a_workload_that_has_what_a_route_is_for_answers_itself(
    installation: Installation, one: Consumer
) -> None:
    """Though it asks nobody from such an address where its gateway is."""
    router = one.other
    for address, length in ((BEYOND, 32), (BEYOND6, 128)):
        block = f"{address}/{length}"
        lab.run(router.netns, "ip", "address", "add", block, "dev", "lo")
        add = ("route", "add", "--table", one.table, "--to", block)
        installation.run(*add, "--via", router.workload.attachment)
        assert lab.ask(one.first.netns, address, PORT, b"own") == b"own"


@contextmanager
def _behind(router: str) -> Iterator[str]:
    """A network namespace that has no way out but through a workload, which passes on."""
    with lab.namespace("beyond") as beyond:
        link = ("ip", "link", "add", "inside", "type", "veth", "peer", "name", "eth0")
        lab.run(router, *link, "netns", beyond)
        for netns, name, host in ((router, "inside", 1), (beyond, "eth0", 9)):
            for address in (f"192.168.9.{host}/24", f"fd00:9::{host}/64"):
                add = ("ip", "address", "add", address, "dev", name)
                lab.run(netns, *add, *("nodad",) * (":" in address))
            lab.run(netns, "ip", "link", "set", name, "up")
        for setting in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            lab.system.within(
                lab.path(router), lambda name=setting: Path(f"/proc/sys/net/{name}").write_text("1")
            )
        lab.run(beyond, "ip", "route", "add", "default", "via", "192.168.9.1")
        lab.run(beyond, "ip", "-6", "route", "add", "default", "via", "fd00:9::1")
        yield beyond


def test_a_server_sees_the_same_caller_in_both_families(one: Consumer, objects: Objects) -> None:
    one.reaches(objects.name)
    seen, seen6 = len(objects.server.callers), len(objects.server.callers6)
    for address in (OBJECTS, OBJECTS6):
        for place in (one.first, one.other):
            assert lab.ask(place.netns, address, PORT, b"mine") == b"mine"
    (source,) = set(consumers(objects.server.callers[seen:]))
    (source6,) = set(objects.server.callers6[seen6:])
    assert IPv6Address(source6) in SOURCES6
    assert IPv4Address(IPv6Address(source6).packed[-4:]) == IPv4Address(source)


def test_datagrams_pass_in_both_families(one: Consumer, objects: Objects) -> None:
    one.reaches(objects.name)
    for address in (OBJECTS, OBJECTS6):
        with (
            talk.echoing_datagrams(objects.server.netns, 7053, talk.family_of(address)),
            talk.datagrams(one.first.netns, address, 7053) as asking,
        ):
            asking.send(b"an object")
            assert asking.recv(100) == b"an object"


def test_equal_consumers_are_two_callers(one: Consumer, two: Consumer, objects: Objects) -> None:
    before = len(objects.server.callers6)
    for each in (one, two):
        each.reaches(objects.name)
        assert lab.ask(each.first.netns, OBJECTS6, PORT, b"mine") == b"mine"
    assert len(set(objects.server.callers6[before:])) == 2


def test_nobody_calls_back_through_a_gateway_endpoint(one: Consumer, objects: Objects) -> None:
    one.reaches(objects.name)
    with lab.connect(one.first.netns, OBJECTS6, PORT) as running:
        assert echoes(running)
        source = objects.server.callers6[-1]
        assert is_silent(objects.server.workload, source)
        assert is_silent(objects.server.workload, CLIENT6)
        assert echoes(running)
    assert one.first.callers6 == []


@both
def test_a_table_of_one_vswitch_ends_its_own_flows(
    one: Consumer, objects: Objects, address: str
) -> None:
    table = own_table(one.cloud, one.second)
    made = one.reaches(objects.name)
    assert is_silent(one.other.workload, address)
    one.cloud.associate(made, table)
    with (
        lab.connect(one.first.netns, address, PORT) as first,
        lab.connect(one.other.netns, address, PORT) as other,
    ):
        assert echoes(first) and echoes(other)
        dissociate(one.cloud, made, table)
        ends(other)
        assert is_silent(one.other.workload, address)
        assert echoes(first)


def test_a_vpc_without_ipv6_has_the_one_family(
    installation: Installation, objects: Objects
) -> None:
    cloud = installation.cloud()
    network = cloud.network("plain")
    cloud.gateway_endpoint(network, objects.name)
    with workload(installation, network, "plain", CLIENT) as place:
        assert lab.ask(place.netns, OBJECTS, PORT, b"plain") == b"plain"


def test_kill_9_ends_no_flow_of_either_family(
    installation: Installation, one: Consumer, objects: Objects
) -> None:
    one.reaches(objects.name)
    called = (OTHER, OTHER_CLIENT6, OBJECTS, OBJECTS6)
    with ExitStack() as stack:
        flows = [
            stack.enter_context(lab.connect(one.first.netns, address, PORT)) for address in called
        ]
        assert all(echoes(flow, b"before") for flow in flows)
        for module in MODULES:
            os.kill(installation.process(module), signal.SIGKILL)
        for number in range(20):  # while both are dead or coming back
            assert all(echoes(flow, b"%d" % number) for flow in flows)
            for address in called:
                assert lab.ask(one.first.netns, address, PORT, b"new") == b"new"
        lab.eventually(installation.is_ready)
        assert all(echoes(flow, b"after") for flow in flows)
