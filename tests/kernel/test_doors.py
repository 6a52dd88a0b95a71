"""Doors: through an address of a NAT gateway into the network of a reverse endpoint, real packets.

The picture is in `tenants`. The provider's NAT gateway has an address in its vSwitch; its doors
lead to the neighbour in tenant one and to the twin in tenant two, each called from the address of
its tenant's endpoint.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from privlink.model.items import Door, Forward, NatAddress, Opening, Protocol, Server
from privlink.node.program.maps import Reason
from privlink.node.telling.meter import Meter
from tests.kernel import lab, talk, tenants
from tests.kernel.taker import Taker
from tests.kernel.tenants import NEIGHBOUR, TWIN

PORT, UDP_PORT, OTHER_PORT, SHUT_PORT, DUMB_PORT = 9001, 9053, 9002, 9003, 9004
TARGET_PORT, TARGET_UDP = 5432, 53
NAT_MAC = "02:00:00:00:02:77"


class Family(NamedTuple):
    """What the tests need to know of an IP version."""

    number: socket.AddressFamily
    nat: str  # the NAT gateway's address
    endpoint: str  # of both tenants: what their targets see
    target: str
    twin: str


IPV4 = Family(socket.AF_INET, "10.0.0.77", "10.0.0.44", NEIGHBOUR.address, TWIN.address)
IPV6 = Family(socket.AF_INET6, "fd00:10::77", "fd00:10::44", NEIGHBOUR.address6, TWIN.address6)
both = pytest.mark.parametrize("family", [IPV4, IPV6], ids=["IPv4", "IPv6"])


def reverse(network: int, number: int) -> Forward:
    """A reverse endpoint's zone; its number is its opening's too."""
    opening = Opening(number, network, IPV4.endpoint, 0, IPV6.endpoint)
    return Forward(
        network, IPV4.endpoint, f"02:00:00:00:{network:02x}:44", (4,), opening,
        address6=IPV6.endpoint, number=number, reversed=True,
    )  # fmt: skip


ONE, TWO = reverse(1, 50), reverse(3, 51)


def door(family: Family, port: int, number: int, target: Server | None, way: Forward = ONE) -> Door:
    protocol = Protocol.UDP if port == UDP_PORT else Protocol.TCP
    balancer = number + (100 if family is IPV6 else 200)
    opening = way.opening.number if way.opening else 0
    return Door(2, family.nat, protocol, port, balancer, opening, way.number, target)


DOORS = {
    f"door_{word}{family.number.value}": door(family, port, number, target, way)
    for family in (IPV4, IPV6)
    for number, (word, port, target, way) in enumerate(
        (
            ("database", PORT, Server(family.target, TARGET_PORT, 100), ONE),
            ("names", UDP_PORT, Server(family.target, TARGET_UDP, 100), ONE),
            ("two", OTHER_PORT, Server(family.twin, TARGET_PORT, 100), TWO),
            ("shut", SHUT_PORT, None, ONE),
            ("dumb", DUMB_PORT, Server(family.target, 1, 100), ONE),
        )
    )
}


@pytest.fixture(scope="module")
def cloud(bpf_object: Path) -> Iterator[tenants.Cloud]:
    with tenants.cloud(bpf_object) as opened:
        opened.put(
            nat_four=NatAddress(2, IPV4.nat, NAT_MAC),
            nat_six=NatAddress(2, IPV6.nat, NAT_MAC),
            forward_reverse=ONE,
            forward_reversetwo=TWO,
            **DOORS,
        )
        yield opened


@both
@pytest.mark.parametrize("caller", ["server", "backup"])
def test_the_provider_reaches_a_target_of_the_consumer(
    cloud: tenants.Cloud, family: Family, caller: str
) -> None:
    with lab.echo_server(cloud.names["neighbour"], TARGET_PORT, family.number) as seen:
        assert lab.ask(cloud.names[caller], family.nat, PORT) == b"hello"
    assert seen == [family.endpoint]


@both
def test_two_consumers_with_equal_addresses_are_behind_two_doors(
    cloud: tenants.Cloud, family: Family
) -> None:
    with (
        lab.echo_server(cloud.names["neighbour"], TARGET_PORT, family.number) as one,
        lab.echo_server(cloud.names["twin"], TARGET_PORT, family.number) as two,
    ):
        for port in (PORT, OTHER_PORT, OTHER_PORT):
            assert lab.ask(cloud.names["server"], family.nat, port) == b"hello"
    assert (one, two) == ([family.endpoint], [family.endpoint] * 2)


@both
def test_datagrams_go_through_a_door(cloud: tenants.Cloud, family: Family) -> None:
    with (
        talk.echoing_datagrams(cloud.names["neighbour"], TARGET_UDP, family.number),
        talk.datagrams(cloud.names["server"], family.nat, UDP_PORT) as calling,
    ):
        calling.send(b"who is it?")
        assert calling.recv(100) == b"who is it?"


def test_a_nat_gateway_answers_a_ping(cloud: tenants.Cloud) -> None:
    for family in (IPV4, IPV6):
        talk.ping(cloud.names["server"], family.nat)


@both
@pytest.mark.parametrize("port", [SHUT_PORT, DUMB_PORT, 9999])
def test_a_door_that_leads_nowhere_says_so_at_once(
    cloud: tenants.Cloud, family: Family, port: int
) -> None:
    with pytest.raises(ConnectionRefusedError):
        lab.connect(cloud.names["server"], family.nat, port)


@both
def test_the_consumer_does_not_get_out_through_its_endpoint(
    cloud: tenants.Cloud, family: Family
) -> None:
    """One way: nobody of the consumer's may call it, not even who is called through it."""
    before = cloud.drops(Reason.NOT_ACCEPTED)
    for caller in ("client", "neighbour", "distant"):
        for port in (PORT, TARGET_PORT):
            with pytest.raises(ConnectionRefusedError):
                lab.connect(cloud.names[caller], family.endpoint, port)
    assert cloud.drops(Reason.NOT_ACCEPTED) >= before + 6


@both
def test_nobody_but_the_providers_network_knows_the_door(
    cloud: tenants.Cloud, family: Family
) -> None:
    for caller in ("client", "twin"):
        with pytest.raises((ConnectionRefusedError, TimeoutError, OSError)):
            lab.connect(cloud.names[caller], family.nat, PORT, timeout=0.3)


@both
def test_a_connection_that_is_rejected_resets_what_goes_through_its_doors(
    cloud: tenants.Cloud, family: Family
) -> None:
    with (
        lab.echo_server(cloud.names["neighbour"], TARGET_PORT, family.number),
        lab.echo_server(cloud.names["twin"], TARGET_PORT, family.number),
        lab.connect(cloud.names["server"], family.nat, PORT) as ended,
        lab.connect(cloud.names["server"], family.nat, OTHER_PORT) as going_on,
    ):
        cloud.put(forward_reverse=msgspec.structs.replace(ONE, opening=None))
        ended.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            ended.recv(1)
        with pytest.raises(ConnectionRefusedError):
            lab.connect(cloud.names["server"], family.nat, PORT)
        going_on.sendall(b"y")
        assert going_on.recv(1) == b"y"
    cloud.put(forward_reverse=ONE)


@both
@pytest.mark.parametrize("change", [{"target": None}, {"opening": 0}], ids=["target", "door"])
def test_what_goes_through_a_door_that_is_shut_is_reset(
    cloud: tenants.Cloud, family: Family, change: dict[str, Any]
) -> None:
    key = f"door_database{family.number.value}"
    with (
        lab.echo_server(cloud.names["neighbour"], TARGET_PORT, family.number),
        lab.connect(cloud.names["server"], family.nat, PORT) as connection,
    ):
        cloud.put(**{key: msgspec.structs.replace(DOORS[key], **change)})
        connection.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
        with pytest.raises(ConnectionRefusedError):
            lab.connect(cloud.names["server"], family.nat, PORT)
    cloud.put(**{key: DOORS[key]})


def turned(way: Forward | None, target: Server | None, was: Door) -> Door | None:
    """A door that leads elsewhere; nowhere at all without a way."""
    if way is None or way.opening is None:
        return None
    opening = way.opening.number
    return msgspec.structs.replace(was, opening=opening, place=way.number, target=target)


@both
@pytest.mark.parametrize("how", ["gone", "another target", "another endpoint"])
def test_who_is_silent_hears_at_once_that_its_door_is_gone(
    cloud: tenants.Cloud, family: Family, how: str
) -> None:
    """Of two endpoints with targets of one address, another door leads on to the first."""
    key, other = (f"door_{word}{family.number.value}" for word in ("database", "two"))
    target = DOORS[key].target
    assert target
    turns = {
        "gone": (None, None),
        "another target": (ONE, msgspec.structs.replace(target, port=TARGET_UDP)),
        "another endpoint": (TWO, target),
    }
    server, neighbour = cloud.names["server"], cloud.names["neighbour"]
    beside = msgspec.structs.replace(target, port=TARGET_PORT + 1)
    cloud.put(**{other: turned(ONE, beside, DOORS[other])})
    with (
        talk.idle(server, family.nat, PORT, neighbour, TARGET_PORT) as ended,
        talk.idle(server, family.nat, OTHER_PORT, neighbour, beside.port) as going_on,
    ):
        cloud.put(**{key: turned(*turns[how], DOORS[key])})
        cloud.cut()
        for end in ended:
            with pytest.raises(ConnectionResetError):
                end.recv(1)
        assert talk.still(*going_on)
    cloud.put(**{key: DOORS[key], other: DOORS[other]})


@both
def test_another_target_takes_the_new_connections(cloud: tenants.Cloud, family: Family) -> None:
    key = f"door_database{family.number.value}"
    address = tenants.BYSTANDER.address if family is IPV4 else tenants.BYSTANDER.address6
    moved = msgspec.structs.replace(DOORS[key], target=Server(address, TARGET_PORT, 100))
    with (
        lab.echo_server(cloud.names["neighbour"], TARGET_PORT, family.number) as before,
        lab.echo_server(cloud.names["bystander"], TARGET_PORT, family.number) as after,
    ):
        assert lab.ask(cloud.names["server"], family.nat, PORT) == b"hello"
        cloud.put(**{key: moved})
        assert lab.ask(cloud.names["server"], family.nat, PORT) == b"hello"
        cloud.put(**{key: DOORS[key]})
    assert (before, after) == ([family.endpoint],) * 2


@both
def test_the_target_is_counted_to_the_endpoint(cloud: tenants.Cloud, family: Family) -> None:
    with lab.echo_server(cloud.names["neighbour"], TARGET_PORT, family.number):
        before = opened(cloud, ONE.number)
        assert lab.ask(cloud.names["server"], family.nat, PORT) == b"hello"
    assert opened(cloud, ONE.number) == before + 1


def opened(cloud: tenants.Cloud, place: int) -> int:
    """Flows opened at a place so far."""
    server = Taker()
    Meter(cloud.program, server, "node-1", lambda: {place: []}).turn()
    return server.told[place].counters.opened if place in server.told else 0
