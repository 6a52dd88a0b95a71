"""The other two kinds of endpoints, with real connections: the one by route, and the one that leads
the other way. Everybody lives in 10.0.0.0/16, at equal addresses.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_address
from typing import NamedTuple

import pytest
from alibabacloud_vpc20160428 import models as vpc

from demo.cloud import REGION, Cloud, Network, wait_for
from tests.journey.installation import SOURCES, Installation, Workload, workload
from tests.kernel import lab

PORT = 7000
BLOCK, OBJECTS = "198.51.100.0/24", "198.51.100.5"
SERVICE = "com.privlink.local.objects"
MODULES = ("privlink.server", "privlink.node")


class Land(NamedTuple):
    """Consumers and a provider with equal addresses, and who is called in each."""

    installation: Installation
    cloud: Cloud
    consumers: list[Network]
    clients: list[Workload]  # 10.0.0.5, of each consumer
    provider: Network
    worker: Workload  # 10.0.0.5 of the provider
    objects: Network
    store: Workload  # in the block
    heard: list[list[str]]  # whom each consumer's client was called by
    served: list[str]  # whom the store was called by

    def gateway_service(self) -> None:
        """Publish the block, as the operator does."""
        words = ("--name", SERVICE, "--vswitch", self.objects.vswitch, "--cidr", BLOCK)
        self.installation.run("gateway-service", "create", *words)


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Land]:
    installation = Installation(tmp_path_factory.mktemp("kinds") / "state")
    with ExitStack() as stack:
        stack.callback(installation.tear_down)
        installation.up()
        cloud = installation.cloud()
        consumers = [cloud.network("one"), cloud.network("two")]
        provider = cloud.network("provider")
        objects = cloud.network("objects", cidr=BLOCK, subnet=BLOCK)

        def settle(network: Network, word: str, address: str = "10.0.0.5") -> Workload:
            return stack.enter_context(workload(installation, network, word, address))

        clients = [settle(network, "client") for network in consumers]
        worker, store = settle(provider, "worker"), settle(objects, "store", OBJECTS)
        heard = [stack.enter_context(lab.echo_server(each.netns, PORT)) for each in clients]
        served = stack.enter_context(lab.echo_server(store.netns, PORT))
        there = (installation, cloud, consumers, clients, provider, worker, objects, store)
        made = Land(*there, heard, served)
        made.gateway_service()
        yield made


def test_two_vswitches_of_a_vpc_reach_each_other_and_nobody_elses(land: Land) -> None:
    one = land.consumers[0].vpc
    subnet = Network(one, land.cloud.vswitch(one, "10.0.1.0/24"))
    with (
        workload(land.installation, subnet, "distant", "10.0.1.5") as distant,
        lab.echo_server(distant.netns, PORT) as seen,
    ):
        assert lab.ask(land.clients[0].netns, "10.0.1.5", PORT) == b"hello"
        with pytest.raises((TimeoutError, OSError)):
            lab.connect(land.clients[1].netns, "10.0.1.5", PORT, timeout=0.3)
    assert seen == ["10.0.0.5"]


def test_a_gateway_endpoint_is_a_route_to_the_providers_own_addresses(land: Land) -> None:
    refused(land.clients[0], OBJECTS)
    endpoint = land.cloud.gateway_endpoint(land.consumers[0], SERVICE)
    assert lab.ask(land.clients[0].netns, OBJECTS, PORT) == b"hello"
    assert ip_address(land.served[-1]) in SOURCES
    refused(land.clients[1], OBJECTS)
    with lab.connect(land.clients[0].netns, OBJECTS, PORT) as connection:
        dissociate(land, endpoint)
        ends(connection)
    refused(land.clients[0], OBJECTS)
    delete(land, endpoint)


def test_two_consumers_with_equal_addresses_are_two_callers(land: Land) -> None:
    endpoints = [land.cloud.gateway_endpoint(each, SERVICE) for each in land.consumers]
    for client in land.clients:
        assert lab.ask(client.netns, OBJECTS, PORT) == b"hello"
    assert land.served[-2] != land.served[-1]
    for endpoint in endpoints:
        dissociate(land, endpoint)
        delete(land, endpoint)


class Reverse(NamedTuple):
    """A provider's NAT gateway with a door to each consumer."""

    service: str
    endpoints: list[str]
    nat_ip: str
    doors: list[int]


@pytest.fixture(scope="module")
def reverse(land: Land) -> Reverse:
    cloud = land.cloud
    gateway, nat_ip = cloud.nat_gateway(land.provider)
    service = cloud.reverse_service(gateway)
    endpoints, doors = [], []
    for network in land.consumers:
        group = cloud.security_group(network, ("all", "-1/-1"), source="0.0.0.0/0")
        endpoint = cloud.endpoint(network, service, group, "10.0.0.90", kind="Reverse")
        cloud.accept(service, endpoint)
        cloud.await_connection(endpoint, "Connected")
        endpoints.append(endpoint)
        doors.append(cloud.full_nat_entry(gateway, nat_ip, endpoint, "10.0.0.5", PORT)[1])
    return Reverse(service, endpoints, nat_ip, doors)


def test_a_provider_calls_two_consumers_with_equal_addresses(land: Land, reverse: Reverse) -> None:
    for at, door in enumerate(reverse.doors):
        assert lab.ask(land.worker.netns, reverse.nat_ip, door, b"select 1") == b"select 1"
        assert land.heard[at][-1] == "10.0.0.90"
    assert [len(each) for each in land.heard] == [1, 1]


def test_nobody_of_the_consumer_calls_back(land: Land, reverse: Reverse) -> None:
    for client in land.clients:
        with pytest.raises(ConnectionRefusedError):
            lab.connect(client.netns, "10.0.0.90", PORT)
        with pytest.raises((TimeoutError, OSError)):
            lab.connect(client.netns, reverse.nat_ip, reverse.doors[0], timeout=0.3)


def test_the_consumer_says_what_may_be_called(land: Land, reverse: Reverse) -> None:
    endpoint, door = reverse.endpoints[0], reverse.doors[0]
    with lab.connect(land.worker.netns, reverse.nat_ip, door) as connection:
        land.installation.run("endpoint-targets", endpoint, "--permit", "10.0.0.9/32,tcp,5432/5432")
        ends(connection)
    wait_for(lambda: is_refused(land.worker, reverse.nat_ip, door), "the door shut")
    assert lab.ask(land.worker.netns, reverse.nat_ip, reverse.doors[1]) == b"hello"
    land.installation.run("endpoint-targets", endpoint, "--permit-all")
    wait_for(lambda: not is_refused(land.worker, reverse.nat_ip, door), "the door open")


def test_all_kinds_live_through_the_death_of_both_processes(land: Land, reverse: Reverse) -> None:
    endpoint = land.cloud.gateway_endpoint(land.consumers[0], SERVICE)
    calls = ((land.clients[0], OBJECTS, PORT), (land.worker, reverse.nat_ip, reverse.doors[0]))
    with ExitStack() as stack:
        talks = [
            stack.enter_context(lab.connect(who.netns, address, port))
            for who, address, port in calls
        ]
        for module in MODULES:
            os.kill(land.installation.process(module), signal.SIGKILL)
            for talk in talks:
                talk.sendall(b"still there?")
                assert lab.receive(talk, 12) == b"still there?"
        wait_for(land.installation.is_ready, "ready")
        for who, address, port in calls:
            assert lab.ask(who.netns, address, port) == b"hello"
    dissociate(land, endpoint)
    delete(land, endpoint)


def test_a_provider_that_is_refused_calls_nobody(land: Land, reverse: Reverse) -> None:
    with (
        lab.connect(land.worker.netns, reverse.nat_ip, reverse.doors[0]) as ended,
        lab.connect(land.worker.netns, reverse.nat_ip, reverse.doors[1]) as going_on,
    ):
        land.cloud.refuse(reverse.service, reverse.endpoints[0])
        ends(ended)
        going_on.sendall(b"and you?")
        assert lab.receive(going_on, 8) == b"and you?"
    wait_for(lambda: is_refused(land.worker, reverse.nat_ip, reverse.doors[0]), "the door shut")


def ends(connection: socket.socket) -> None:
    """Wait until a connection is reset, whatever is said on it."""

    def is_reset() -> bool:
        try:
            connection.sendall(b"x")
            return not connection.recv(1)
        except (ConnectionResetError, BrokenPipeError):
            return True

    lab.eventually(is_reset)


def is_refused(who: Workload, address: str, port: int) -> bool:
    try:
        lab.connect(who.netns, address, port).close()
    except ConnectionRefusedError:
        return True
    return False


def refused(who: Workload, address: str) -> None:
    """There is no way from a workload to an address."""
    with pytest.raises((TimeoutError, OSError)):
        lab.connect(who.netns, address, PORT, timeout=0.3)


def dissociate(land: Land, endpoint: str) -> None:
    shown = vpc.GetVpcGatewayEndpointAttributeRequest(region_id=REGION, endpoint_id=endpoint)
    tables = land.cloud.vpc.get_vpc_gateway_endpoint_attribute(shown).body.route_tables
    land.cloud.vpc.dissociate_route_tables_from_vpc_gateway_endpoint(
        vpc.DissociateRouteTablesFromVpcGatewayEndpointRequest(
            region_id=REGION, endpoint_id=endpoint, route_table_ids=tables
        )
    )
    land.cloud.await_gateway_endpoint(endpoint)


def delete(land: Land, endpoint: str) -> None:
    request = vpc.DeleteVpcGatewayEndpointRequest(region_id=REGION, endpoint_id=endpoint)
    land.cloud.vpc.delete_vpc_gateway_endpoint(request)
    there = vpc.ListVpcGatewayEndpointsRequest(region_id=REGION, endpoint_id=endpoint)
    wait_for(
        lambda: not land.cloud.vpc.list_vpc_gateway_endpoints(there).body.endpoints,
        f"{endpoint} gone",
    )
