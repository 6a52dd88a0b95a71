"""How probes find their way: given these items, then these entries."""

from __future__ import annotations

import ipaddress

import pytest

from privlink.model.items import Balancer, Check, CheckKind, Listener, Protocol, Server
from privlink.node.health.probes import (
    ADDRESS4,
    FIRST_NUMBER,
    GATEWAY4,
    GATEWAY6,
    MOST_PROBES,
    PROBE_NETWORK,
    TARGETS4,
    TARGETS6,
    Numbers,
    asked,
    own_entries,
    probe_entries,
    probe_of,
)
from privlink.node.program.maps import (
    ADDRESS,
    FORWARD,
    LISTENER_KEY,
    NUMBER,
    PORT,
    SERVER,
    TARGET_KEY,
    AddressKind,
    Entry,
    address_bytes,
    address_key,
    address_text,
)

TCP = Check(CheckKind.TCP)


def balancer(*listeners: Listener, address6: str = "fd00:10::100") -> Balancer:
    return Balancer(3, listeners, 2, "local-a", "10.0.0.100", "", address6)


def listener(*servers: Server, check: Check | None = TCP, group: str = "g") -> Listener:
    return Listener(Protocol.TCP, 80, 80, servers, group=group, check=check)


def entries_of(server: Server, check: Check = TCP, number: int = FIRST_NUMBER + 6) -> set[Entry]:
    item = balancer(listener(server, check=check))
    (found,) = asked(item).values()
    return set(probe_entries(item, found, probe_of(found, number)))


def test_a_probe_leads_from_its_own_address_to_its_server_alone() -> None:
    found = {entry.map: entry for entry in entries_of(Server("10.0.0.5", 8080, 0))}
    assert sorted(found) == ["addresses", "forwards", "listeners", "servers", "targets"]
    number = FIRST_NUMBER + 6
    assert found["addresses"].key == address_key(PROBE_NETWORK, "10.0.0.7")
    _, kind, filters, leads_to, place, way, *_ = ADDRESS.unpack(found["addresses"].value)
    assert (kind, filters, leads_to, place, way) == (AddressKind.BALANCER, 0, number, 0, number)
    assert found["forwards"].key == NUMBER.pack(number)
    network, source, source6, *_ = FORWARD.unpack(found["forwards"].value)
    assert network == 2
    assert (address_text(source), address_text(source6)) == ("10.0.0.100", "fd00:10::100")
    assert address_text(SERVER.unpack(found["servers"].value)[0]) == "10.0.0.5"
    assert {LISTENER_KEY.unpack(found["listeners"].key)[1]} == {number}
    assert TARGET_KEY.unpack(found["targets"].key)[4] == address_bytes("10.0.0.5")


def test_an_ipv6_server_has_an_ipv6_address_among_the_probes() -> None:
    found = {entry.map: entry for entry in entries_of(Server("fd00:10::5", 8080, 1))}
    assert found["addresses"].key == address_key(PROBE_NETWORK, "fd00::7")


def test_a_check_may_have_a_port_of_its_own() -> None:
    check = Check(CheckKind.HTTP, port=9000)
    (found,) = asked(balancer(listener(Server("10.0.0.5", 0, 1), check=check))).values()
    assert (found.name, found.port) == (("g", "10.0.0.5", 0), 9000)


def test_servers_of_weight_0_are_asked_and_those_without_a_check_are_not() -> None:
    item = balancer(
        listener(Server("10.0.0.5", 80, 0)), listener(Server("10.0.0.6", 80, 1), check=None)
    )
    assert list(asked(item)) == [("g", "10.0.0.5", 80)]


def test_a_server_behind_two_listeners_is_asked_once_as_the_first_says() -> None:
    server, other = Server("10.0.0.5", 80, 1), Check(CheckKind.HTTP)
    (found,) = asked(balancer(listener(server), listener(server, check=other))).values()
    assert found.check == TCP


@pytest.mark.parametrize(
    ("server", "check", "why"),
    [
        (Server("10.0.0.5", 0, 1), TCP, "names none"),
        (Server("fd00:10::5", 80, 1), TCP, "no address"),
        (Server("10.0.0.5", 80, 1), Check(CheckKind.HTTP, path="/ "), "path"),
    ],
)
def test_who_cannot_be_asked_is_said_with_the_reason(
    server: Server, check: Check, why: str
) -> None:
    (found,) = asked(balancer(listener(server, check=check), address6="")).values()
    assert found.request is None
    assert found.why.startswith("not checked: ")
    assert why in found.why


def test_numbers_are_the_lowest_that_are_free_and_none_that_the_server_gives_out() -> None:
    numbers = Numbers()
    assert [numbers.take() for _ in range(3)] == [FIRST_NUMBER + at for at in range(3)]
    numbers.give_back(FIRST_NUMBER + 2)
    numbers.give_back(FIRST_NUMBER)
    assert [numbers.take() for _ in range(3)] == [FIRST_NUMBER + at for at in (0, 2, 3)]


@pytest.mark.parametrize(("address", "block"), [("10.0.0.5", TARGETS4), ("fd00:10::5", TARGETS6)])
def test_all_probes_are_reached_by_one_route_and_none_is_the_probers_own(
    address: str, block: str
) -> None:
    (found,) = asked(balancer(listener(Server(address, 80, 1)))).values()
    for number in (FIRST_NUMBER, FIRST_NUMBER + MOST_PROBES - 1):
        at = ipaddress.ip_address(probe_of(found, number).address)
        assert at in ipaddress.ip_network(block)
        assert str(at) not in (ADDRESS4, GATEWAY4)


def test_the_link_of_the_probes_may_send_from_one_address_and_has_no_neighbours() -> None:
    port, *gateways = own_entries(17)
    network, table, address, subnet, netmask, *_ = PORT.unpack(port.value)
    assert (port.map, port.key) == ("ports", NUMBER.pack(17))
    assert (network, table) == (PROBE_NETWORK, 0)
    assert address == subnet == address_bytes(ADDRESS4)[-4:]
    assert netmask == b"\xff" * 4
    assert {entry.key for entry in gateways} == {
        address_key(PROBE_NETWORK, at) for at in (GATEWAY4, GATEWAY6)
    }
