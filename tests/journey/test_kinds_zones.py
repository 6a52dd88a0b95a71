"""Reverse endpoints in several zones, and vSwitches of several zones behind a gateway endpoint.

                                         one 10.0.0.0/16
worker 10.0.0.5 ─▶ NAT gateway ─┬─ local-a 10.0.0.80 ─▶ server 10.0.0.5
                                ├─ local-b 10.0.1.80 ─▶ server 10.0.1.5
                                │        two 10.0.0.0/16
                                └─ local-b 10.0.0.80 ─▶ server 10.0.0.5

What becomes of a zone is felt by its own flows alone.
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Network
from typing import NamedTuple

import pytest
from alibabacloud_privatelink20200415 import models as privatelink
from alibabacloud_vpc20160428 import models as vpc
from darabonba.exceptions import DaraException

from demo.cloud import REGION, Cloud, Network, wait_for
from tests.journey.installation import CLIENT, PORT, Installation, Workload, workload
from tests.journey.parties import (
    OBJECTS,
    Objects,
    dissociate,
    echoes,
    ends,
    is_silent,
    objects,
    own_table,
    server_in,
)
from tests.kernel import lab

__all__ = ["objects"]  # a fixture

A, B = ZONES = ("local-a", "local-b")
SUBNETS = {A: "10.0.0.0/24", B: "10.0.1.0/24"}
SERVERS = {A: CLIENT, B: "10.0.1.5"}
_hosts = itertools.count(80)  # of endpoints, which no two tests share


class Server(NamedTuple):
    """A workload with an echo server, and who called it."""

    workload: Workload
    callers: list[str]

    def is_idle(self) -> bool:
        """Whether no flow ends here any more."""
        return not lab.run(self.workload.netns, "ss", "-Htn", "state", "established").strip()


class Consumer(NamedTuple):
    """An account's VPC with a server in each of its zones."""

    cloud: Cloud
    networks: dict[str, Network]
    servers: dict[str, Server]
    subnets: dict[str, str]

    def address(self, zone: str, host: int) -> str:
        """One of its addresses in a zone."""
        return str(IPv4Network(self.subnets[zone])[host])

    def reverse(self, service: str, host: int) -> str:
        """A Reverse endpoint in all of its zones, once it waits for consent."""
        first = next(iter(self.networks.values()))
        group = self.cloud.security_group(first, ("all", "-1/-1"), source="0.0.0.0/0")
        zones = [
            privatelink.CreateVpcEndpointRequestZone(
                zone_id=zone, v_switch_id=network.vswitch, ip=self.address(zone, host)
            )
            for zone, network in self.networks.items()
        ]
        made: str = self.cloud.privatelink.create_vpc_endpoint(
            privatelink.CreateVpcEndpointRequest(
                region_id=REGION,
                vpc_id=first.vpc,
                service_id=service,
                endpoint_type="Reverse",
                security_group_id=[group],
                zone=zones,
            )
        ).body.endpoint_id
        for zone in self.networks:
            self.await_zone(made, zone, "Wait")
        return made

    def await_zone(self, endpoint: str, zone: str, status: str | None) -> None:
        """Wait until a zone is in a status; None: until it is gone."""
        request = privatelink.ListVpcEndpointZonesRequest(region_id=REGION, endpoint_id=endpoint)

        def seen() -> str | None:
            listed = self.cloud.privatelink.list_vpc_endpoint_zones(request).body.zones
            return {each.zone_id: str(each.zone_status) for each in listed}.get(zone)

        wait_for(lambda: seen() == status, f"{zone} of {endpoint} {status}")


class Land(NamedTuple):
    """What lasts: both consumers, and the provider with its worker and its NAT gateway."""

    installation: Installation
    cloud: Cloud
    network: Network
    worker: Workload
    gateway: str
    nat: str
    one: Consumer
    two: Consumer
    account: str  # of `two`


class Way(NamedTuple):
    """A port of a NAT gateway that leads through a zone of an endpoint, and what is behind it."""

    consumer: Consumer
    endpoint: str
    zone: str
    entry: str
    nat: str
    port: int
    server: Server
    seen: str  # as whom the server sees who calls


@pytest.fixture(scope="module")
def land(installation: Installation) -> Iterator[Land]:
    cloud = installation.cloud()
    account, other = installation.account(lab.unique("zones"))
    network = cloud.network("provider")
    with ExitStack() as stack:
        worker = stack.enter_context(workload(installation, network, "worker", CLIENT))
        yield Land(
            installation,
            cloud,
            network,
            worker,
            *cloud.nat_gateway(network),
            stack.enter_context(_consumer(installation, cloud, SUBNETS)),
            stack.enter_context(_consumer(installation, other, {B: SUBNETS[A]}, account)),
            account,
        )


@contextmanager
def _consumer(
    installation: Installation, cloud: Cloud, subnets: dict[str, str], account: str = ""
) -> Iterator[Consumer]:
    """A VPC with a vSwitch and a server in some zones."""
    (first, subnet), *others = subnets.items()
    networks = {first: cloud.network("consumer", subnet=subnet, zone=first)}
    vpc_id = networks[first].vpc
    networks |= {zone: Network(vpc_id, cloud.vswitch(vpc_id, at, zone)) for zone, at in others}
    zone_of = {subnet: zone for zone, subnet in SUBNETS.items()}
    with ExitStack() as stack:
        servers = {}
        for zone, network in networks.items():
            place = (network, "server", SERVERS[zone_of[subnets[zone]]], account)
            servers[zone] = Server(*stack.enter_context(server_in(installation, *place)))
        yield Consumer(cloud, networks, servers, subnets)


class Joined:
    """A service on the NAT gateway, and an endpoint of each consumer, with a way in each zone."""

    def __init__(self, land: Land) -> None:
        self.land, self.host = land, next(_hosts)
        self.service = land.cloud.reverse_service(land.gateway, ZONES)
        land.cloud.privatelink.add_user_to_vpc_endpoint_service(
            privatelink.AddUserToVpcEndpointServiceRequest(
                region_id=REGION, service_id=self.service, user_id=int(land.account)
            )
        )
        one, other = (self._accepted(each) for each in (land.one, land.two))
        self.a, self.b = (self.way(land.one, one, zone) for zone in ZONES)
        self.other = self.way(land.two, other, B)

    def _accepted(self, consumer: Consumer) -> str:
        made = consumer.reverse(self.service, self.host)
        self.land.cloud.accept(self.service, made)
        consumer.cloud.await_connection(made, "Connected")
        return made

    def way(self, consumer: Consumer, endpoint: str, zone: str, behind: str = "") -> Way:
        """A way through a zone, to its own server or the one of another zone."""
        server = consumer.servers[behind or zone]
        to = (endpoint, server.workload.address, PORT)
        entry, port = self.land.cloud.full_nat_entry(
            self.land.gateway, self.land.nat, *to, zone=zone
        )
        seen = consumer.address(zone, self.host)
        return Way(consumer, endpoint, zone, entry, self.land.nat, port, server, seen)

    @contextmanager
    def flow(self, way: Way) -> Iterator[socket.socket]:
        """A connection that has been used, and that led to the right server."""
        before = len(way.server.callers)
        with lab.connect(self.land.worker.netns, way.nat, way.port) as connection:
            assert echoes(connection)
            assert way.server.callers[before:] == [way.seen]
            yield connection

    @contextmanager
    def flows(self) -> Iterator[tuple[socket.socket, socket.socket, socket.socket]]:
        """One by each way."""
        with self.flow(self.a) as a, self.flow(self.b) as b, self.flow(self.other) as other:
            yield a, b, other

    def goes_on(self, *running: tuple[Way, socket.socket]) -> None:
        """See that ways carry the flows they have, and take new ones."""
        for way, connection in running:
            assert echoes(connection)
            with self.flow(way):
                pass

    def refuses(self, way: Way) -> bool:
        """Whether a new connection is refused."""
        try:
            lab.connect(self.land.worker.netns, way.nat, way.port).close()
        except ConnectionRefusedError:
            return True
        return False

    def disable(self, way: Way) -> None:
        """The provider closes a zone."""
        self.land.cloud.privatelink.disable_vpc_endpoint_zone_connection(
            privatelink.DisableVpcEndpointZoneConnectionRequest(
                region_id=REGION,
                service_id=self.service,
                endpoint_id=way.endpoint,
                zone_id=way.zone,
                replaced_resource=False,
            )
        )

    def enable(self, way: Way) -> None:
        """And opens it again."""
        self.land.cloud.privatelink.enable_vpc_endpoint_zone_connection(
            privatelink.EnableVpcEndpointZoneConnectionRequest(
                region_id=REGION,
                service_id=self.service,
                endpoint_id=way.endpoint,
                zone_id=way.zone,
            )
        )

    def remove(self, way: Way) -> None:
        """The consumer takes its endpoint out of a zone."""
        way.consumer.cloud.privatelink.remove_zone_from_vpc_endpoint(
            privatelink.RemoveZoneFromVpcEndpointRequest(
                region_id=REGION, endpoint_id=way.endpoint, zone_id=way.zone
            )
        )
        way.consumer.await_zone(way.endpoint, way.zone, None)

    def turn(self, way: Way, zone: str) -> None:
        """Let a way's entry lead through another zone of its endpoint, once bytes pass."""
        cloud = self.land.cloud
        asked = vpc.GetNatGatewayAttributeRequest(
            region_id=REGION, nat_gateway_id=self.land.gateway
        )
        table = cloud.vpc.get_nat_gateway_attribute(asked).body.full_nat_table
        cloud.vpc.modify_full_nat_entry_attribute(
            vpc.ModifyFullNatEntryAttributeRequest(
                region_id=REGION,
                full_nat_table_id=table.full_nat_table_id,
                full_nat_entry_id=way.entry,
                network_interface_id=cloud.interfaces(way.endpoint)[zone],
            )
        )
        wait_for(lambda: self.state(way) == ("Available", ""), f"{way.entry} Available")

    def state(self, way: Way) -> tuple[str, str]:
        """Whether bytes pass a way's entry, and why not."""
        asked = {"NatGatewayId": self.land.gateway}
        told = self.land.installation.call("ListFullNatEntryStates", **asked)
        return next(
            (each["Status"], each["Why"])
            for each in told["Entries"]
            if each["FullNatEntryId"] == way.entry
        )


@pytest.fixture
def joined(land: Land) -> Joined:
    """Endpoints of its own for each test."""
    return Joined(land)


def test_each_zone_is_seen_at_its_own_address(joined: Joined) -> None:
    with joined.flows() as flows:  # each looks who was called, and as whom
        assert all(echoes(each) for each in flows)


def test_a_zone_leads_to_servers_of_any_zone(joined: Joined) -> None:
    across = joined.way(joined.land.one, joined.a.endpoint, B, behind=A)
    assert (across.server.workload.address, across.seen) == (CLIENT, joined.b.seen)
    with joined.flow(across), joined.flow(joined.a):
        pass


def test_equal_consumers_in_different_zones_are_told_apart(joined: Joined) -> None:
    assert joined.a.zone != joined.other.zone
    assert joined.a.server.workload.address == joined.other.server.workload.address
    assert (joined.a.seen, joined.a.nat) == (joined.other.seen, joined.other.nat)
    for way, stranger in ((joined.a, joined.other), (joined.other, joined.a)):
        before = len(stranger.server.callers)
        with joined.flow(way):
            assert len(stranger.server.callers) == before


@pytest.mark.parametrize("how", ["disabled", "removed"])
def test_a_zone_that_is_closed_ends_its_flows_and_no_others(joined: Joined, how: str) -> None:
    a, b, other = joined.a, joined.b, joined.other
    with joined.flows() as (of_a, of_b, of_other):
        if how == "disabled":
            joined.disable(b)
            b.consumer.await_zone(b.endpoint, b.zone, "Disconnected")
            why = "the connection of its endpoint is not accepted, or closed in its zone."
        else:
            joined.remove(b)
            why = "the zone of the endpoint that it leads to is gone; give it another one."
        ends(of_b)
        lab.eventually(b.server.is_idle)
        assert joined.refuses(b)
        assert joined.state(b) == ("Pending", why)
        joined.goes_on((a, of_a), (other, of_other))  # the other one is in the same zone


def test_a_zone_that_is_opened_again_takes_new_flows_and_revives_none(joined: Joined) -> None:
    a, b, other = joined.a, joined.b, joined.other
    with joined.flows() as (of_a, of_b, of_other):
        joined.disable(b)
        b.consumer.await_zone(b.endpoint, b.zone, "Disconnected")
        joined.enable(b)
        b.consumer.await_zone(b.endpoint, b.zone, "Connected")
        ends(of_b)
        with joined.flow(b):
            joined.goes_on((a, of_a), (other, of_other))


def test_an_entry_of_a_zone_that_went_takes_another_one(joined: Joined) -> None:
    a, b, other = joined.a, joined.b, joined.other
    with joined.flow(a) as of_a, joined.flow(other) as of_other:
        joined.remove(b)
        assert joined.refuses(b)
        joined.turn(b, A)
        with joined.flow(b._replace(seen=a.seen)):
            joined.goes_on((a, of_a), (other, of_other))


def test_an_entry_that_turns_to_another_zone_ends_its_flows_alone(joined: Joined) -> None:
    a, b, other = joined.a, joined.b, joined.other
    with joined.flows() as (of_a, of_b, of_other):
        joined.turn(b, A)
        ends(of_b)
        with joined.flow(b._replace(seen=a.seen)):
            joined.goes_on((a, of_a), (other, of_other))


def test_a_zone_that_is_closed_while_the_node_is_dead_is_alone_in_that(joined: Joined) -> None:
    a, b, other = joined.a, joined.b, joined.other
    with joined.flows() as (of_a, of_b, of_other):
        os.kill(joined.land.installation.process("privlink.node"), signal.SIGKILL)
        joined.disable(b)
        b.consumer.await_zone(b.endpoint, b.zone, "Disconnected")
        ends(of_b)
        assert joined.refuses(b)
        joined.goes_on((a, of_a), (other, of_other))


def test_a_nat_gateway_for_each_zone(land: Land) -> None:
    """A zone leads through the gateway that the service has there, and no other."""
    cloud, ways = land.cloud, dict[str, str]()
    vswitch = cloud.vswitch(land.network.vpc, SUBNETS[B], B)
    gateways = {A: (land.gateway, land.nat)}
    gateways[B] = cloud.nat_gateway(Network(land.network.vpc, vswitch))
    service = cloud.reverse_service(land.gateway)
    cloud.privatelink.attach_resource_to_vpc_endpoint_service(
        privatelink.AttachResourceToVpcEndpointServiceRequest(
            region_id=REGION,
            service_id=service,
            resource_id=gateways[B][0],
            resource_type="vpcnat",
            zone_id=B,
        )
    )
    host = next(_hosts)
    made = land.one.reverse(service, host)
    cloud.accept(service, made)
    land.one.cloud.await_connection(made, "Connected")
    for zone, (gateway, nat) in gateways.items():
        server = land.one.servers[zone]
        target = (made, server.workload.address, PORT)
        _, port = cloud.full_nat_entry(gateway, nat, *target, zone=zone)
        assert lab.ask(land.worker.netns, nat, port, b"through %s" % zone.encode())
        ways[zone] = server.callers[-1]
    assert ways == {zone: land.one.address(zone, host) for zone in ZONES}
    with pytest.raises(DaraException, match="NetworkInterface"):
        cloud.full_nat_entry(*gateways[A], made, CLIENT, PORT, zone=B)


def test_vswitches_of_all_zones_reach_a_gateway_endpoint(land: Land, objects: Objects) -> None:
    """One table of the VPC's and one of a zone's own: what is taken from one ends in no other."""
    one = land.one
    table = own_table(one.cloud, one.networks[B])
    made = one.cloud.gateway_endpoint(one.networks[A], objects.name)
    places = {zone: server.workload for zone, server in one.servers.items()}
    assert is_silent(places[B], OBJECTS)
    one.cloud.associate(made, table)
    with (
        lab.connect(places[A].netns, OBJECTS, PORT) as of_a,
        lab.connect(places[B].netns, OBJECTS, PORT) as of_b,
    ):
        assert echoes(of_a) and echoes(of_b)
        dissociate(one.cloud, made, table)
        ends(of_b)
        assert is_silent(places[B], OBJECTS)
        assert echoes(of_a)
        assert lab.ask(places[A].netns, OBJECTS, PORT, b"still") == b"still"
