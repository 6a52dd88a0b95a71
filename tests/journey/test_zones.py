"""An endpoint in three zones: what becomes of one of them is felt in no other.

                    10.0.0.80 ─▶ old load balancer of local-a ─▶ server 10.0.0.5
client ─▶ endpoint  10.0.1.80 ─▶ load balancer of local-b ─────▶ server 10.0.1.5
10.0.0.5            10.0.2.80 ─▶ load balancer of local-c ─────▶ server 10.0.2.5
                new load balancer of local-a, to migrate to ───▶ server 10.0.0.6
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import pytest
from alibabacloud_nlb20220430 import models as nlb
from alibabacloud_privatelink20200415 import models as privatelink

from demo.cloud import REGION, Cloud, Network, wait_for
from tests.journey.installation import CLIENT, PORT, Installation, Workload, workload
from tests.kernel import lab

A, B, C = ZONES = ("local-a", "local-b", "local-c")
OTHERS = (B, C)
MOMENT = 0.3  # seconds in which a packet that passes would have passed


class Server(NamedTuple):
    """A workload with an echo server, who called it, and the load balancer before it."""

    workload: Workload
    callers: list[str]
    balancer: str

    def is_idle(self) -> bool:
        """Whether no flow ends here any more."""
        return not lab.run(self.workload.netns, "ss", "-Htn", "state", "established").strip()


class Land(NamedTuple):
    """Both networks, with a server in each zone of the one and a client in the other."""

    cloud: Cloud
    provider: dict[str, Network]
    consumer: dict[str, Network]
    servers: dict[str, Server]
    new: Server
    client: Workload
    group: str


@pytest.fixture(scope="module")
def land(installation: Installation) -> Iterator[Land]:
    """What lasts: endpoints come and go."""
    cloud = installation.cloud()
    provider, consumer = (_network(cloud, name) for name in ("provider", "consumer"))
    with ExitStack() as stack:

        def server(zone: str, address: str) -> Server:
            where = provider[zone]
            place = stack.enter_context(workload(installation, where, "server", address))
            callers = stack.enter_context(lab.echo_server(place.netns, PORT))
            return Server(place, callers, cloud.load_balancer(where, [address], PORT, zone))

        yield Land(
            cloud,
            provider,
            consumer,
            {zone: server(zone, f"10.0.{number}.5") for number, zone in enumerate(ZONES)},
            server(A, "10.0.0.6"),
            stack.enter_context(workload(installation, consumer[A], "client", CLIENT)),
            cloud.security_group(consumer[A], ("tcp", "1/65535")),
        )


class Zoned:
    """A service on a load balancer in each zone, and an endpoint of it in all of them."""

    def __init__(self, land: Land, balancers: dict[str, str] | None = None) -> None:
        self.land = land
        self.balancers = {zone: server.balancer for zone, server in land.servers.items()}
        self.balancers |= balancers or {}
        self.calls = land.cloud.privatelink
        self.service = self._publish()
        self.endpoint = self._connect()
        land.cloud.await_connection(self.endpoint, "Connected")
        self.addresses = {zone: str(shown.eni_ip) for zone, shown in self.zones().items()}

    def dial(self, zone: str, port: int = PORT, timeout: float = lab.PATIENCE) -> socket.socket:
        """A connection through the endpoint's address in a zone."""
        return lab.connect(self.land.client.netns, self.addresses[zone], port, timeout=timeout)

    @contextmanager
    def flow(self, zone: str, server: Server, port: int = PORT) -> Iterator[socket.socket]:
        """A connection that has been used, and that lead to a server."""
        before = len(server.callers)
        with self.dial(zone, port) as connection:
            exchange(connection)
            assert len(server.callers) == before + 1
            yield connection

    @contextmanager
    def flows(self) -> Iterator[dict[str, socket.socket]]:
        """Such a one in each zone."""
        with ExitStack() as stack:
            yield {
                zone: stack.enter_context(self.flow(zone, server))
                for zone, server in self.land.servers.items()
            }

    def zones(self) -> dict[str, privatelink.ListVpcEndpointZonesResponseBodyZones]:
        request = privatelink.ListVpcEndpointZonesRequest(
            region_id=REGION, endpoint_id=self.endpoint
        )
        listed = self.calls.list_vpc_endpoint_zones(request).body.zones
        return {zone.zone_id: zone for zone in listed}

    def await_zone(self, zone: str, status: str) -> None:
        """Wait until the consumer sees a zone in a status."""
        wait_for(lambda: self.zones()[zone].zone_status == status, f"{zone} {status}")

    def disable(self, zone: str, *, replaced: bool = False) -> None:
        request = privatelink.DisableVpcEndpointZoneConnectionRequest(
            region_id=REGION,
            service_id=self.service,
            endpoint_id=self.endpoint,
            zone_id=zone,
            replaced_resource=replaced,
        )
        self.calls.disable_vpc_endpoint_zone_connection(request)

    def enable(self, zone: str) -> None:
        request = privatelink.EnableVpcEndpointZoneConnectionRequest(
            region_id=REGION, service_id=self.service, endpoint_id=self.endpoint, zone_id=zone
        )
        self.calls.enable_vpc_endpoint_zone_connection(request)

    def remove(self, zone: str) -> None:
        request = privatelink.RemoveZoneFromVpcEndpointRequest(
            region_id=REGION, endpoint_id=self.endpoint, zone_id=zone
        )
        self.calls.remove_zone_from_vpc_endpoint(request)
        wait_for(lambda: zone not in self.zones(), f"{zone} gone")

    def migrate(self, how: str) -> None:
        """Let local-a lead to its new load balancer from now on."""
        self.calls.attach_resource_to_vpc_endpoint_service(
            privatelink.AttachResourceToVpcEndpointServiceRequest(
                region_id=REGION,
                service_id=self.service,
                resource_id=self.land.new.balancer,
                resource_type="nlb",
                zone_id=A,
            )
        )
        self.calls.update_vpc_endpoint_service_resource_attribute(
            privatelink.UpdateVpcEndpointServiceResourceAttributeRequest(
                region_id=REGION,
                service_id=self.service,
                resource_id=self.balancers[A],
                zone_id=A,
                auto_allocated_enabled=False,
            )
        )
        self.calls.update_vpc_endpoint_zone_connection_resource_attribute(
            privatelink.UpdateVpcEndpointZoneConnectionResourceAttributeRequest(
                region_id=REGION,
                service_id=self.service,
                endpoint_id=self.endpoint,
                zone_id=A,
                resource_id=self.land.new.balancer,
                resource_type="nlb",
                resource_replace_mode=how,
            )
        )
        self.await_zone(A, "Connected")

    def _publish(self) -> str:
        resources = [
            privatelink.CreateVpcEndpointServiceRequestResource(
                resource_type="nlb", resource_id=balancer, zone_id=zone
            )
            for zone, balancer in self.balancers.items()
        ]
        request = privatelink.CreateVpcEndpointServiceRequest(
            region_id=REGION,
            service_resource_type="nlb",
            auto_accept_enabled=True,
            resource=resources,
        )
        return str(self.calls.create_vpc_endpoint_service(request).body.service_id)

    def _connect(self) -> str:
        consumer = self.land.consumer
        request = privatelink.CreateVpcEndpointRequest(
            region_id=REGION,
            vpc_id=consumer[A].vpc,
            service_id=self.service,
            security_group_id=[self.land.group],
            zone=[
                privatelink.CreateVpcEndpointRequestZone(
                    zone_id=zone, v_switch_id=consumer[zone].vswitch
                )
                for zone in ZONES
            ],
        )
        return str(self.calls.create_vpc_endpoint(request).body.endpoint_id)


@pytest.fixture
def zoned(land: Land) -> Zoned:
    """An endpoint of its own for each test."""
    return Zoned(land)


def test_each_zone_leads_to_its_own_server(zoned: Zoned) -> None:
    with zoned.flows() as flows:  # each looks who was called
        for connection in flows.values():
            exchange(connection)


@pytest.mark.parametrize("how", ["disabled", "removed"])
def test_a_zone_that_is_closed_ends_its_flows_and_no_others(zoned: Zoned, how: str) -> None:
    with zoned.flows() as flows:
        if how == "disabled":
            zoned.disable(A)
            zoned.await_zone(A, "Disconnected")
        else:
            zoned.remove(A)
        is_cut(flows[A], zoned.land.servers[A])
        with pytest.raises(OSError):
            zoned.dial(A, timeout=MOMENT)
        goes_on(zoned, flows)


def test_a_zone_that_is_opened_again_takes_new_flows_and_revives_none(zoned: Zoned) -> None:
    with zoned.flows() as flows:
        zoned.disable(A)
        zoned.await_zone(A, "Disconnected")
        with pytest.raises(ConnectionRefusedError):
            zoned.dial(A)
        zoned.enable(A)
        zoned.await_zone(A, "Connected")
        is_cut(flows[A])
        with zoned.flow(A, zoned.land.servers[A]):
            goes_on(zoned, flows)


def test_every_zone_but_one_may_be_closed(zoned: Zoned) -> None:
    with zoned.flows() as flows:
        zoned.disable(A)
        zoned.remove(B)
        zoned.await_zone(A, "Disconnected")
        for zone in (A, B):
            is_cut(flows[zone], zoned.land.servers[zone])
        assert zoned.land.cloud.connection_status(zoned.endpoint) == "Connected"
        exchange(flows[C])
        with zoned.flow(C, zoned.land.servers[C]):
            pass


def test_a_zone_whose_servers_are_taken_away_is_alone_in_that(land: Land) -> None:
    old = land.servers[A].workload
    balancer = land.cloud.load_balancer(land.provider[A], [old.address], PORT, A)
    zoned = Zoned(land, {A: balancer})
    with zoned.flows() as flows:
        _take_servers_away(land.cloud, balancer)
        is_cut(flows[A], land.servers[A])
        with pytest.raises(ConnectionRefusedError):
            zoned.dial(A)
        goes_on(zoned, flows)


def test_a_zone_whose_server_has_stopped_is_alone_in_that(land: Land) -> None:
    port, servers = PORT + 1, dict[str, Server]()
    with ExitStack() as stack, ExitStack() as stopping:
        for zone, server in land.servers.items():
            place = server.workload
            echo = lab.echo_server(place.netns, port)
            callers = (stopping if zone == A else stack).enter_context(echo)
            balancer = land.cloud.load_balancer(land.provider[zone], [place.address], port, zone)
            servers[zone] = Server(place, callers, balancer)
        zoned = Zoned(land, {zone: server.balancer for zone, server in servers.items()})
        with ExitStack() as flows:
            running = {
                zone: flows.enter_context(zoned.flow(zone, server, port))
                for zone, server in servers.items()
            }
            stopping.close()
            with pytest.raises(ConnectionRefusedError):
                zoned.dial(A, port)
            for zone in OTHERS:
                exchange(running[zone])
                with zoned.flow(zone, servers[zone], port):
                    pass


def test_a_graceful_migration_keeps_old_flows_and_sends_new_ones_the_new_way(zoned: Zoned) -> None:
    land = zoned.land
    with zoned.flows() as flows:
        zoned.migrate("Graceful")
        exchange(flows[A])
        with zoned.flow(A, land.new) as late:
            goes_on(zoned, flows)
            zoned.disable(A, replaced=True)
            is_cut(flows[A], land.servers[A])
            exchange(late)
            with zoned.flow(A, land.new):
                goes_on(zoned, flows)


def test_a_migration_by_force_ends_the_old_flows(zoned: Zoned) -> None:
    with zoned.flows() as flows:
        zoned.migrate("Force")
        is_cut(flows[A], zoned.land.servers[A])
        with zoned.flow(A, zoned.land.new):
            goes_on(zoned, flows)


@pytest.mark.parametrize("how", ["disabled", "removed"])
def test_a_migrated_zone_that_is_closed_ends_both_halves(zoned: Zoned, how: str) -> None:
    with zoned.flows() as flows:
        zoned.migrate("Graceful")
        with zoned.flow(A, zoned.land.new) as late:
            zoned.disable(A) if how == "disabled" else zoned.remove(A)
            is_cut(flows[A], zoned.land.servers[A])
            is_cut(late, zoned.land.new)
            goes_on(zoned, flows)


def exchange(connection: socket.socket) -> None:
    """See that a connection carries, both ways."""
    connection.sendall(b"echo")
    assert lab.receive(connection, 4) == b"echo"


def goes_on(zoned: Zoned, flows: dict[str, socket.socket]) -> None:
    """See that the other zones carry the flows they have and take new ones."""
    for zone in OTHERS:
        exchange(flows[zone])
        with zoned.flow(zone, zoned.land.servers[zone]):
            pass


def is_cut(connection: socket.socket, server: Server | None = None) -> None:
    """See that a connection is reset though it says nothing, and at its server too."""
    with pytest.raises(ConnectionResetError):
        connection.recv(1)
    if server is not None:
        lab.eventually(server.is_idle)


def _network(cloud: Cloud, name: str) -> dict[str, Network]:
    """A VPC with a vSwitch in each zone, by zone."""
    first = cloud.network(name)
    others = {
        zone: Network(first.vpc, cloud.vswitch(first.vpc, f"10.0.{number}.0/24", zone))
        for number, zone in enumerate(OTHERS, start=1)
    }
    return {A: first} | others


def _take_servers_away(cloud: Cloud, balancer: str) -> None:
    """Remove every server behind a load balancer."""
    listed = cloud.nlb.list_listeners(
        nlb.ListListenersRequest(region_id=REGION, load_balancer_ids=[balancer])
    )
    (listener,) = listed.body.listeners
    group = listener.server_group_id
    servers = cloud.nlb.list_server_group_servers(
        nlb.ListServerGroupServersRequest(region_id=REGION, server_group_id=group)
    ).body.servers
    cloud.nlb.remove_servers_from_server_group(
        nlb.RemoveServersFromServerGroupRequest(
            region_id=REGION,
            server_group_id=group,
            servers=[
                nlb.RemoveServersFromServerGroupRequestServers(
                    server_id=each.server_id, server_type=each.server_type, port=each.port
                )
                for each in servers
            ],
        )
    )
