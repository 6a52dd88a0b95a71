"""Consumers and providers of the kinds of endpoints, all 10.0.0.0/16, all with 10.0.0.5 in it.

What they do is in test_kinds and its neighbours, which import the fixtures.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from alibabacloud_privatelink20200415 import models as privatelink
from alibabacloud_vpc20160428 import models as vpc

from demo.cloud import REGION, Cloud, Network, wait_for
from tests.journey.installation import CLIENT, PORT, Installation, Workload, workload
from tests.kernel import lab

MOMENT = 0.3  # seconds in which a packet that passes would have passed
BLOCK, OBJECTS = "198.51.100.0/24", "198.51.100.5"  # of a gateway service, and of its server
MODULES = ("privlink.server", "privlink.node")  # the processes that may die
ENDPOINT = "10.0.0.80"  # of every reverse endpoint


class Objects(NamedTuple):
    """What the operator publishes: a server in a block of its own, and who called it."""

    name: str
    server: Workload
    callers: list[str]


class Consumer(NamedTuple):
    """A VPC of an account with a workload that is client and server."""

    cloud: Cloud
    network: Network
    workload: Workload
    callers: list[str]
    table: str  # its system route table
    account: str = ""  # if it is not the first


class Provider(NamedTuple):
    """A VPC with a NAT gateway, a service on that, and a workload that calls."""

    cloud: Cloud
    workload: Workload
    gateway: str
    service: str
    nat: str

    def asked(self, consumer: Consumer) -> str:
        """A Reverse endpoint that waits for consent."""
        group = consumer.cloud.security_group(
            consumer.network, ("all", "-1/-1"), source="0.0.0.0/0"
        )
        place = (consumer.network, self.service, group, ENDPOINT)
        made = consumer.cloud.endpoint(*place, kind="Reverse")
        consumer.cloud.await_zone(made, "Wait")
        return made

    def accept(self, consumer: Consumer, made: str) -> None:
        """Consent to one, until it is Connected."""
        self.cloud.accept(self.service, made)
        consumer.cloud.await_connection(made, "Connected")

    def entry(self, made: str, target_port: int = PORT, protocol: str = "TCP") -> int:
        """The port of the NAT gateway that leads to 10.0.0.5, once bytes pass."""
        to = (CLIENT, target_port, protocol)
        return self.cloud.full_nat_entry(self.gateway, self.nat, made, *to)[1]

    def door(self, consumer: Consumer) -> tuple[str, int]:
        """An accepted endpoint, and the port that leads to its echo server."""
        made = self.asked(consumer)
        self.accept(consumer, made)
        return made, self.entry(made)


@pytest.fixture
def one(installation: Installation) -> Iterator[Consumer]:
    """A consumer of the first account's."""
    with consumer_of(installation, installation.cloud(), "one") as ready:
        yield ready


@pytest.fixture
def two(installation: Installation, provider: Provider) -> Iterator[Consumer]:
    """A consumer in an account of its own that the provider's service lists."""
    account, cloud = installation.account(lab.unique("two"))
    provider.cloud.privatelink.add_user_to_vpc_endpoint_service(
        privatelink.AddUserToVpcEndpointServiceRequest(
            region_id=REGION, service_id=provider.service, user_id=int(account)
        )
    )
    with consumer_of(installation, cloud, "two", account) as ready:
        yield ready


@pytest.fixture(scope="module")
def objects(installation: Installation) -> Iterator[Objects]:
    """A gateway service with a server in it; there is one of a name."""
    network = installation.cloud().network("objects", cidr=BLOCK, subnet=BLOCK)
    name = f"com.privlink.local.{lab.unique('objects')}"
    installation.run(
        *("gateway-service", "create", "--name", name),
        *("--vswitch", network.vswitch, "--cidr", BLOCK),
    )
    with server_in(installation, network, "objects", OBJECTS) as (server, callers):
        yield Objects(name, server, callers)


@pytest.fixture
def provider(installation: Installation) -> Iterator[Provider]:
    """A provider with the addresses of its consumers."""
    cloud = installation.cloud()
    network = cloud.network("provider")
    with workload(installation, network, "provider", CLIENT) as place:
        made, nat = cloud.nat_gateway(network)
        yield Provider(cloud, place, made, cloud.reverse_service(made), nat)


@contextmanager
def server_in(
    installation: Installation, network: Network, word: str, address: str, account: str = ""
) -> Iterator[tuple[Workload, list[str]]]:
    """A workload with an echo server, and who calls it."""
    with (
        workload(installation, network, word, address, account) as place,
        lab.echo_server(place.netns, PORT) as callers,
    ):
        yield place, callers


@contextmanager
def consumer_of(
    installation: Installation, cloud: Cloud, word: str, account: str = ""
) -> Iterator[Consumer]:
    """A VPC 10.0.0.0/16 with a workload at 10.0.0.5."""
    network = cloud.network(word)
    with server_in(installation, network, word, CLIENT, account) as (place, callers):
        yield Consumer(cloud, network, place, callers, cloud.route_table(network), account)


def dissociate(cloud: Cloud, made: str, table: str) -> None:
    """Take the route to a gateway endpoint out of a table, and wait until it leads nowhere."""
    cloud.vpc.dissociate_route_tables_from_vpc_gateway_endpoint(
        vpc.DissociateRouteTablesFromVpcGatewayEndpointRequest(
            region_id=REGION, endpoint_id=made, route_table_ids=[table]
        )
    )
    cloud.await_gateway_endpoint(made)


def own_table(cloud: Cloud, network: Network) -> str:
    """A route table of a vSwitch alone, once it is in force there."""
    table: str = cloud.vpc.create_route_table(
        vpc.CreateRouteTableRequest(region_id=REGION, vpc_id=network.vpc)
    ).body.route_table_id
    cloud.vpc.associate_route_table(
        vpc.AssociateRouteTableRequest(
            region_id=REGION, route_table_id=table, v_switch_id=network.vswitch
        )
    )
    seen = vpc.DescribeVSwitchAttributesRequest(region_id=REGION, v_switch_id=network.vswitch)

    def in_force() -> bool:
        body = cloud.vpc.describe_vswitch_attributes(seen).body
        return bool(body.status == "Available" and body.route_table.route_table_id == table)

    wait_for(in_force, f"{table} of {network.vswitch}")
    return table


def echoes(connection: socket.socket, word: bytes = b"a word") -> bool:
    """Whether a conversation goes on."""
    connection.sendall(word)
    return lab.receive(connection, len(word)) == word


def is_silent(source: Workload, address: str, port: int = PORT) -> bool:
    """Whether nothing at all comes back."""
    try:
        lab.connect(source.netns, address, port, timeout=MOMENT).close()
    except TimeoutError:
        return True
    return False


def ends(connection: socket.socket) -> None:
    """See that a conversation is reset, not left in silence."""
    with pytest.raises(ConnectionResetError):
        connection.sendall(b"after")
        connection.recv(1)


def refuses(provider: Provider, port: int) -> bool:
    """Whether a door answers new connections with a reset."""
    try:
        lab.connect(provider.workload.netns, provider.nat, port, timeout=MOMENT).close()
    except ConnectionRefusedError:
        return True
    return False
