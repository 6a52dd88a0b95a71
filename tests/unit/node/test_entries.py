"""What items mean in the maps: given this item, then these bytes under these keys."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlink.model.items import (
    Attachment,
    Balancer,
    Door,
    Filter,
    Forward,
    Item,
    Listener,
    Members,
    NatAddress,
    Opening,
    Protocol,
    Resolver,
    Route,
    RouteKind,
    RouteTable,
    Rule,
    Segment,
    Server,
)
from privlink.node.balancing import MAX_SLOTS, port_prefixes
from privlink.node.entries import entries, port_entries
from privlink.node.program import maps
from privlink.node.program.maps import Direction, Entry, address_bytes, address_key

MAPPED = "00000000000000000000ffff"  # before an IPv4 address
MAC = "02:00:00:00:00:64"
UNLIMITED = "00000100" + "00" * 12  # 65,536 flows, and nothing else, as where an address leads
TCP_TURNS = " 8403 01 000000"  # 900 seconds, and a scheduler


def only(item: Item, name: str) -> list[Entry]:
    """The entries of one map."""
    return [entry for entry in entries(item) if entry.map == name]


def test_a_segment_is_its_gateways() -> None:
    (entry,) = entries(Segment(5, 1, "10.0.0.0/24", "10.0.0.253"))
    assert entry.map == "addresses"
    assert entry.key.hex() == f"01000000{MAPPED}0a0000fd"
    assert entry.value == bytes.fromhex("eeffffffffff 01 00") + bytes(52)
    both = Segment(5, 1, "10.0.0.0/24", "10.0.0.253", "fd00::/64", "fd00::fd")
    assert [e.key for e in entries(both)] == [entry.key, address_key(1, "fd00::fd")]
    assert {e.value for e in entries(both)} == {entry.value}


def test_a_forward_without_opening_answers_and_leads_nowhere() -> None:
    (entry,) = entries(Forward(1, "10.0.0.100", MAC, (7, 8), None, number=5))
    assert entry.key.hex() == f"01000000{MAPPED}0a000064"
    assert entry.value[:28] == bytes.fromhex(
        "020000000064 02 02 00000000 05000000 00000000 07000000 08000000"
    )


def test_a_replaced_opening_lives_on_and_takes_no_new_flow() -> None:
    new, old = Opening(9, 2, "100.64.0.1", 3), Opening(8, 4, "100.64.0.2", 5)
    item = Forward(1, "10.0.0.100", MAC, (), new, old)
    assert [e.key for e in only(item, "forwards")] == [maps.NUMBER.pack(9), maps.NUMBER.pack(8)]
    (address,) = only(item, "addresses")
    assert address.value[8:12] == maps.NUMBER.pack(9)


def test_a_forward_with_an_opening_leads_to_its_balancer() -> None:
    item = Forward(1, "10.0.0.100", MAC, (), Opening(9, 2, "100.64.0.1", 3))
    (opened,) = only(item, "forwards")
    assert opened.key == maps.NUMBER.pack(9)
    assert opened.value.hex() == f"02000000{MAPPED}64400001{'00' * 16}{UNLIMITED}"
    (address,) = only(item, "addresses")
    assert address.value[8:12] == opened.key
    assert address.value[16:20] == maps.NUMBER.pack(3)


def test_an_endpoint_of_both_families_is_two_addresses_and_one_forward() -> None:
    opening = Opening(9, 2, "100.64.0.1", 3, "fd64::1")
    item = Forward(1, "10.0.0.100", MAC, (7,), opening, address6="fd00::100")
    (opened,) = only(item, "forwards")
    assert opened.value[4:].hex() == (
        f"{MAPPED}64400001fd640000000000000000000000000001{UNLIMITED}"
    )
    four, six = only(item, "addresses")
    assert (four.key, six.key) == (address_key(1, "10.0.0.100"), address_key(1, "fd00::100"))
    assert four.value == six.value


def test_an_ipv6_address_leads_nowhere_by_an_opening_of_ipv4_alone() -> None:
    """Else its flows would leave in the name of the unspecified address."""
    item = Forward(1, "10.0.0.100", MAC, (7,), Opening(9, 2, "100.64.0.1", 3), None, "fd00::100")
    four, six = only(item, "addresses")
    assert (four.value[8:12], six.value[8:12]) == (maps.NUMBER.pack(9), bytes(4))


NONE = "00" * 4 * maps.MAX_FILTERS
GATEWAY = "eeffffffffff"


def test_a_reversed_endpoint_answers_and_leads_nowhere_though_its_opening_is_there() -> None:
    """Doors lead to it: nobody of its own network may call it."""
    opening = Opening(9, 1, "10.0.0.100", 0, "fd00::100", idle_tcp=30)
    item = Forward(1, "10.0.0.100", MAC, (7,), opening, None, "fd00::100", 5, reversed=True)
    assert [e.key for e in only(item, "addresses")] == [
        address_key(1, "10.0.0.100"), address_key(1, "fd00::100"),
    ]  # fmt: skip
    for address in only(item, "addresses"):
        assert address.value.hex().startswith("0200000000640201" + "00" * 4 + "05000000" + "00" * 4)
    (opened,) = only(item, "forwards")
    # Its doors have listeners, which say how long a flow may be silent; and no route leads here.
    assert maps.FORWARD.unpack(opened.value)[-4:] == (30, 0, 0, 0)
    assert opened.value[4:20] == address_bytes("10.0.0.100")


def test_what_routes_lead_to_has_no_address_and_says_itself_how_long_a_flow_is_silent() -> None:
    item = Forward(1, "", "", (), Opening(9, 2, "100.64.0.1", 0, idle_udp=30), number=5)
    (opened,) = entries(item)
    assert (opened.map, opened.key) == ("forwards", maps.NUMBER.pack(9))
    assert maps.FORWARD.unpack(opened.value)[-4:] == (900, 30, 0, 1)
    both = msgspec.structs.replace(item, replaced=Opening(8, 2, "100.64.0.1", 0))
    assert [maps.FORWARD.unpack(e.value)[-4:] for e in entries(both)] == [
        (900, 30, 0, 1), (900, 60, 0, 1),
    ]  # fmt: skip


def test_an_address_of_a_nat_gateway_is_answered_for() -> None:
    (entry,) = entries(NatAddress(1, "10.0.0.9", MAC))
    assert (entry.map, entry.key) == ("addresses", address_key(1, "10.0.0.9"))
    assert entry.value.hex() == "0200000000640400" + "00" * 12 + NONE


@pytest.mark.parametrize(
    ("protocol", "address", "key", "idle"),
    [
        (Protocol.TCP, "10.0.0.9", f"{MAPPED}0a000009 1f90 06 00", 900),
        (Protocol.UDP, "fd00::9", f"fd00{'00' * 13}09 1f90 11 00", 60),
    ],
)
def test_a_door_leads_to_its_target_through_its_opening(
    protocol: Protocol, address: str, key: str, idle: int
) -> None:
    target = Server("10.0.0.7" if "." in address else "fd00::7", 443, 1)
    item = Door(1, address, protocol, 8080, 77, 9, 5, target)
    found = {entry.map: entry for entry in entries(item) if entry.key}
    assert found["doors"].key.hex() == bytes.fromhex(f"01000000 {key}").hex()
    assert found["doors"].value.hex() == (f"{GATEWAY}050009000000050000004d000000" + NONE)
    assert maps.SERVER.unpack(found["servers"].value)[0] == address_bytes(target.address)
    (listener,) = (e for e in only(item, "listeners") if maps.LISTENER.unpack(e.value)[0])
    assert maps.LISTENER_KEY.unpack(listener.key)[1] == 77
    assert maps.LISTENER.unpack(listener.value)[2] == idle
    (target_entry,) = only(item, "targets")
    assert maps.TARGET_KEY.unpack(target_entry.key)[0] == 77


@pytest.mark.parametrize("shut", [{"target": None}, {"opening": 0}, {"target": None, "opening": 0}])
def test_a_door_without_target_or_opening_is_shut_and_tells_of_its_place(
    shut: dict[str, object],
) -> None:
    door = Door(1, "10.0.0.9", Protocol.TCP, 8080, 77, 9, 5, Server("10.0.0.7", 443, 1))
    item = msgspec.structs.replace(door, **shut)
    (entry,) = only(item, "doors")
    assert entry.value.hex() == f"{GATEWAY}050000000000050000004d000000" + NONE
    assert not only(item, "forwards")
    assert not only(item, "targets")
    assert not only(item, "servers")


def test_a_route_table_is_its_routes() -> None:
    table = RouteTable(66, 1, (
        Route("10.0.0.0/16", RouteKind.LOCAL),
        Route("0.0.0.0/0", RouteKind.ATTACHMENT, "10.0.0.7"),
        Route("fd00::/48", RouteKind.ATTACHMENT, "fd00::7"),
        Route("198.51.100.7/32", RouteKind.ENDPOINT, opening=9, place=5),
        Route("2001:db8::/32", RouteKind.ENDPOINT, place=5),
    ))  # fmt: skip
    assert [(e.map, e.key.hex()) for e in entries(table)] == [
        ("routes", bytes.fromhex(key).hex())
        for key in (
            f"90000000 42000000 {MAPPED} 0a000000",
            f"80000000 42000000 {MAPPED} 00000000",
            f"50000000 42000000 fd00{'00' * 14}",
            f"a0000000 42000000 {MAPPED} c6336407",
            f"40000000 42000000 20010db8{'00' * 12}",
        )
    ]
    nowhere, block = "00" * 16, f"{GATEWAY}0600"
    assert [e.value.hex() for e in entries(table)] == [
        f"{block}{leads_to}{place}00000000{NONE}{hop}{kind}"
        for leads_to, place, hop, kind in (
            ("00000000", "00000000", nowhere, "01000000"),
            ("00000000", "00000000", f"{MAPPED}0a000007", "02000000"),
            ("00000000", "00000000", f"fd00{'00' * 13}07", "02000000"),
            ("09000000", "05000000", nowhere, "03000000"),
            ("00000000", "05000000", nowhere, "03000000"),
        )
    ]


@pytest.mark.parametrize(
    ("route", "complaint"),
    [
        (Route("10.0.0.0/8", RouteKind.ATTACHMENT, "fd00::7"), "which is of the other family"),
        (Route("fd00::/8", RouteKind.ATTACHMENT, "10.0.0.7"), "which is of the other family"),
        (
            Route("10.0.0.0/8", RouteKind.ATTACHMENT),
            "10.0.0.0/8 is a route of kind attachment with",
        ),
        (Route("10.0.0.0/8", RouteKind.LOCAL, "10.0.0.7"), "kind local with next hop '10.0.0.7'"),
        (Route("ten", RouteKind.LOCAL), "'ten' is no IP address"),
        (Route("10.0.0.0/33", RouteKind.LOCAL), "33"),
    ],
)
def test_a_route_that_cannot_be_is_refused(route: Route, complaint: str) -> None:
    """One to no hop would let every workload without IPv6 pass on its block: ::, too, is none."""
    with pytest.raises(ValueError, match=re.escape(complaint)):
        list(entries(RouteTable(66, 1, (route,))))


def test_a_load_balancers_own_address_leads_to_it() -> None:
    item = Balancer(3, (), 2, "local-a", "10.0.0.100", MAC, opening=9)
    (address,) = only(item, "addresses")
    assert address.value.hex() == "0200000000640300090000000300000003000000" + NONE


def test_eleven_security_groups_do_not_fit() -> None:
    eleven = tuple(range(1, 12))
    with pytest.raises(ValueError, match=r"10\.0\.0\.100 has 11 security groups; at most 10"):
        list(entries(Forward(1, "10.0.0.100", MAC, eleven, None)))
    workload = Attachment(1, 5, 2, "10.0.0.0/24", "10.0.0.5", MAC, filters=eleven)
    with pytest.raises(ValueError, match=r"10\.0\.0\.5 has 11 security groups; at most 10"):
        list(port_entries(workload, 12))


def test_a_bad_address_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'10\.0\.0\.300' is no IP address"):
        list(entries(Forward(1, "10.0.0.300", MAC, (), None)))
    with pytest.raises(ValueError, match="'fd00::x' is no IP address"):
        list(entries(Forward(1, "10.0.0.3", MAC, (), None, address6="fd00::x")))
    listener = Listener(Protocol.TCP, 80, 80, (Server("ten", 80, 1),))
    with pytest.raises(ValueError, match="'ten' is no IP address"):
        list(entries(Balancer(3, (listener,))))


def balancer(*weights: int) -> Balancer:
    """A balancer with servers of these weights, told apart by their ports."""
    servers = tuple(Server("10.0.0.1", 1 + rank, weight) for rank, weight in enumerate(weights))
    return Balancer(3, (Listener(Protocol.TCP, 80, 80, servers),))


def slots(item: Balancer) -> list[int]:
    """The port of the server in each slot."""
    return [int.from_bytes(entry.value[16:18]) for entry in only(item, "servers")]


@pytest.mark.parametrize(
    ("weights", "places"),
    [
        ((), []),
        ((100,), [1]),
        ((100, 100), [1, 2]),
        ((50, 25, 25), [1, 2, 3, 1]),
        ((3, 1), [1, 1, 2, 1]),
        ((0, 5), [2]),
        ((0,), []),
    ],
)
def test_slots_are_weights_in_lowest_terms_spread_evenly(
    weights: tuple[int, ...], places: list[int]
) -> None:
    assert slots(balancer(*weights)) == places
    (listener,) = only(balancer(*weights), "listeners")
    assert listener.key == bytes.fromhex("40000000 03000000 04 06 0050")
    assert listener.value == maps.NUMBER.pack(len(places)) + bytes.fromhex("0050" + TCP_TURNS)


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ((64, 63, 1), [64, 63, 1]),
        ((99, 100), [1, 1]),
        ((100, 99, 1), [64, 63, 1]),
        ((300, 301, 300), [43, 43, 42]),
        ((10_000, 1), [127, 1]),
        ((1000, *[1] * 100), [28, *[1] * 100]),
        ((7, *[1] * 127), [1] * 128),
        ((99, *[100] * 399), [1] * 400),
    ],
)
def test_a_listener_takes_no_more_slots_than_its_share(
    weights: tuple[int, ...], shares: list[int]
) -> None:
    places = slots(balancer(*weights))
    counted = Counter(places)
    assert [counted[rank + 1] for rank in range(len(weights))] == shares
    assert len(places) <= max(MAX_SLOTS, len(weights))
    assert places == slots(balancer(*weights))


def test_each_family_has_its_servers_and_its_slots() -> None:
    servers = Server("10.0.0.1", 1, 100), Server("fd00::1", 2, 100), Server("fd00::2", 3, 50)
    item = Balancer(3, (Listener(Protocol.UDP, 53, 53, servers),))
    four, six = only(item, "listeners")
    assert four.key == bytes.fromhex("40000000 03000000 04 11 0035")
    assert six.key == bytes.fromhex("40000000 03000000 06 11 0035")
    assert (four.value, six.value) == (
        bytes.fromhex("01000000 0035 3c00 01 000000"),
        bytes.fromhex("03000000 0035 3c00 01 000000"),
    )
    key = "03000000 {} 11 0035 {:02x}000000"
    assert [(e.key, e.value) for e in only(item, "servers")] == [
        (bytes.fromhex(key.format(family, slot)), address_bytes(address) + bytes((0, port, 0, 0)))
        for family, slot, address, port in (
            ("04", 0, "10.0.0.1", 1),
            ("06", 0, "fd00::1", 2),
            ("06", 1, "fd00::2", 3),
            ("06", 2, "fd00::1", 2),
        )
    ]


def test_a_listener_whose_servers_are_all_ipv6_has_nobody_for_ipv4() -> None:
    item = Balancer(3, (Listener(Protocol.TCP, 80, 80, (Server("fd00::1", 0, 1),)),))
    four, six = only(item, "listeners")
    assert (four.key[8], four.value[:4]) == (4, bytes(4))
    assert (six.key[8], six.value[:4]) == (6, maps.NUMBER.pack(1))


def test_a_range_is_one_listener_with_its_servers_under_the_first_port() -> None:
    item = Balancer(3, (Listener(Protocol.TCP, 80, 90, (Server("10.0.0.1", 0, 1),)),))
    assert [(e.key.hex(" ", 4), e.value.hex(" ", 4)) for e in only(item, "listeners")] == [
        (f"{bits:02x}000000 03000000 0406{port:04x}", "01000000 00508403 01000000")
        for bits, port in ((61, 80), (63, 88), (64, 90))
    ]
    (server,) = only(item, "servers")
    assert server.key == bytes.fromhex("03000000 04 06 0050 00000000")
    assert server.value == address_bytes("10.0.0.1") + bytes(4)


def test_every_port_is_one_prefix_of_no_bits() -> None:
    assert list(port_prefixes(0, 65535)) == [(0, 0)]
    assert list(port_prefixes(65535, 65535)) == [(65535, 16)]
    assert list(port_prefixes(1, 65535)) == [(1 << bit, 16 - bit) for bit in range(16)]


ports = st.integers(min_value=0, max_value=65535)


@given(st.tuples(ports, ports).map(sorted))
def test_prefixes_cover_exactly_the_range_and_are_the_fewest(bounds: list[int]) -> None:
    first, last = bounds
    at = first
    for port, bits in port_prefixes(first, last):
        size = 1 << 16 - bits
        assert port == at  # one after the other, without a gap
        assert port % size == 0
        at += size
    assert at == last + 1
    # The standard library's way for addresses, which is the least there can be.
    summary = ipaddress.summarize_address_range(
        ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)
    )
    assert [(int(block.network_address), block.prefixlen - 16) for block in summary] == list(
        port_prefixes(first, last)
    )


def rule_bytes(item: Filter, direction: Direction = Direction.INGRESS) -> list[bytes]:
    """The rules of one direction as the program reads them: page by page, as many as count."""
    held = {(e.map, e.key): e.value for e in entries(item)}
    key = maps.FILTER_KEY.pack(item.number, direction)
    count, version = maps.FILTER.unpack(held["filters", key])
    size, found = maps.RULE.size, b""
    for page in range(-(-count // maps.PAGE_RULES)):
        value = held["rules", maps.PAGE_KEY.pack(item.number, direction, version, page)]
        assert len(value) == maps.PAGE_SIZE
        found += value
    assert not any(found[count * size :])
    return [found[at * size : (at + 1) * size] for at in range(count)]


def test_a_filter_holds_its_rules_in_order_each_direction_for_itself() -> None:
    rules = (
        Rule(1, True, "TCP", "10.0.0.7/24", 80, 90),
        Rule(2, False, "ALL", "0.0.0.0/0", 0, 65535),
    )
    out = (Rule(3, True, "UDP", "fd00:0:0:1::7/60", 53, 53), Rule(4, True, "ICMPV6", "::/0", 0, 9))
    item = Filter(11, rules, out)
    assert [e.key.hex(" ", 4) for e in only(item, "filters")] == [
        "0b000000 00000000", "0b000000 01000000",
    ]  # fmt: skip
    assert rule_bytes(item) == [
        maps.RULE.pack(0, 0xFFFF0A000000, 0, 80, 90, 0, 8, 4, 255, 6, 255, 1, 1),
        maps.RULE.pack(0, 0xFFFF00000000, 0, 0, 65535, 0, 32, 4, 255, 0, 0, 2, 0),
    ]
    assert rule_bytes(item, Direction.EGRESS) == [
        maps.RULE.pack(0xFD00 << 48, 0, 0, 53, 53, 4, 64, 6, 255, 17, 255, 3, 1),
        maps.RULE.pack(0, 0, 0, 0, 9, 64, 64, 6, 255, 58, 255, 4, 1),
    ]


def test_a_filter_without_rules_is_there_in_both_directions_to_drop() -> None:
    assert rule_bytes(Filter(11, ())) == rule_bytes(Filter(11, ()), Direction.EGRESS) == []
    assert only(Filter(11, ()), "rules") == []


def numbered(count: int) -> tuple[Rule, ...]:
    """So many rules, each about a port of its own."""
    return tuple(Rule(1, True, "TCP", "0.0.0.0/0", port, port) for port in range(count))


@pytest.mark.parametrize(
    ("count", "pages"), [(1, 1), (16, 1), (17, 2), (40, 3), (maps.MAX_RULES, 16)]
)
def test_a_filter_has_as_many_pages_as_its_rules_take(count: int, pages: int) -> None:
    item = Filter(11, (), numbered(count))
    found = [maps.PAGE_KEY.unpack(entry.key) for entry in only(item, "rules")]
    assert [(number, way, page) for number, way, _, page in found] == [
        (11, Direction.EGRESS, page) for page in range(pages)
    ]
    assert [maps.RULE.unpack(rule)[3] for rule in rule_bytes(item, Direction.EGRESS)] == [
        *range(count)
    ]


def test_another_text_of_the_rules_is_pages_of_its_own() -> None:
    """Even those whose own rules stay: the filter turns to all of them at once."""
    rules = numbered(40)
    changed = (*rules[:39], Rule(1, False, "TCP", "0.0.0.0/0", 39, 39))
    old, new = ({e.key for e in only(Filter(11, each), "rules")} for each in (rules, changed))
    assert not old & new
    again, shorter = ({e.key for e in only(Filter(11, r), "rules")} for r in (rules, rules[:39]))
    assert again == old
    assert not shorter & old


def test_a_rule_about_a_set_is_about_any_address_in_it() -> None:
    rule = Rule(1, True, "TCP", "", 80, 80, members=77)
    assert rule_bytes(Filter(11, (rule,))) == [
        maps.RULE.pack(0, 0, 77, 80, 80, 64, 64, 0, 0, 6, 255, 1, 1)
    ]


blocks = st.one_of(
    st.builds(
        lambda a, bits: f"{ipaddress.IPv4Address(a)}/{bits}",
        st.integers(0, (1 << 32) - 1),
        st.integers(0, 32),
    ),
    st.builds(
        lambda a, bits: f"{ipaddress.IPv6Address(a)}/{bits}",
        st.integers(1 << 64, (1 << 128) - 1),
        st.integers(0, 128),
    ),
)


@given(blocks, st.data())
def test_a_rule_matches_what_is_in_its_block(block: str, data: st.DataObject) -> None:
    """By the arithmetic of the program: the bits that count agree, and so do the families."""
    network = ipaddress.ip_network(block, strict=False)
    at = network.max_prefixlen - network.prefixlen
    inside = int(network.network_address) | data.draw(st.integers(0, (1 << at) - 1))
    flipped = inside ^ (1 << data.draw(st.integers(0, network.max_prefixlen - 1)))
    (packed,) = rule_bytes(Filter(11, (Rule(1, True, "ALL", block, 0, 65535),)))
    high, low, _, _, _, high_shift, low_shift, family, *_ = maps.RULE.unpack(packed)
    for number in (inside, flipped):
        address = type(network.network_address)(number)
        there = address_bytes(str(address))
        differs = (int.from_bytes(there[:8]) ^ high) >> high_shift
        differs |= (int.from_bytes(there[8:]) ^ low) >> low_shift
        assert (not differs) == (address in network)
    assert family == network.version


def test_more_rules_than_fit_are_refused_in_either_direction() -> None:
    rule = Rule(1, True, "TCP", "0.0.0.0/0", 1, 2)
    most, more = (rule,) * maps.MAX_RULES, (rule,) * (maps.MAX_RULES + 1)
    assert len(rule_bytes(Filter(11, most, most))) == maps.MAX_RULES
    with pytest.raises(ValueError, match="group 11 has 251 ingress rules; at most 250 fit"):
        list(entries(Filter(11, more)))
    with pytest.raises(ValueError, match="group 11 has 251 egress rules; at most 250 fit"):
        list(entries(Filter(11, most, more)))


@pytest.mark.parametrize("direction", ["rules", "egress"])
def test_a_strange_protocol_is_refused(direction: str) -> None:
    gre = Rule(1, True, "GRE", "0.0.0.0/0", 0, 65535)
    item = Filter(11, (gre,)) if direction == "rules" else Filter(11, (), (gre,))
    with pytest.raises(ValueError, match="protocol 'GRE' is none of ALL, ICMP, TCP, UDP, ICMPV6"):
        list(entries(item))


def test_a_set_is_a_prefix_for_each_block() -> None:
    item = Members(77, ("10.0.0.5", "10.0.1.9/24", "fd00::5", "fd00:0:0:1::/64"))
    assert [(e.map, e.key.hex(), e.value) for e in entries(item)] == [
        ("sets", f"{bits + 32:02x}0000004d000000{address_bytes(first).hex()}", maps.NUMBER.pack(1))
        for bits, first in (
            (128, "10.0.0.5"),
            (120, "10.0.1.0"),
            (128, "fd00::5"),
            (64, "fd00:0:0:1::"),
        )
    ]
    assert not list(entries(Members(77, ())))


def in_set(item: Members, address: str) -> bool:
    """Whether the longest of the set's prefixes, or any, is of this address."""
    number = int.from_bytes(address_bytes(address))
    for entry in entries(item):
        prefix, _, first = maps.SET_KEY.unpack(entry.key)
        rest = 128 - (prefix - 32)
        if number >> rest == int.from_bytes(first) >> rest:
            return True
    return False


@pytest.mark.parametrize(
    "block",
    ["::/0", "::/64", "::/95", "::ffff:0:0/96", "::ffff:10.0.0.0/120", "::ffff:10.0.0.5"],
)
def test_an_ipv6_block_in_a_set_has_no_ipv4_address_in_it(block: str) -> None:
    assert not in_set(Members(77, (block,)), "10.0.0.5")
    assert not in_set(Members(77, (block,)), "0.0.0.0")
    assert in_set(Members(77, (block, "10.0.0.0/8")), "10.0.0.5")


def test_all_of_a_family_in_a_set_is_all_of_it_and_nothing_else() -> None:
    six, four = Members(77, ("::/0",)), Members(77, ("0.0.0.0/0",))
    for address in ("::1", "fd00::1", "ffff::", "::fffe:a00:5", "::1:ffff:a00:5"):
        assert in_set(six, address)
        assert not in_set(four, address)
    for address in ("0.0.0.0", "10.0.0.5", "255.255.255.255"):
        assert in_set(four, address)


@pytest.mark.parametrize(
    ("block", "complaint"),
    [("10.0.0.0/33", "33"), ("fd00::/129", "129"), ("ten", "'ten'"), ("10.0.0/8", "10.0.0")],
)
def test_what_is_no_block_is_refused(block: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        list(entries(Members(77, (block,))))


WORKLOAD = Attachment(1, 5, 2, "10.0.0.0/24", "10.0.0.5", "02:00:00:00:00:05")


def test_an_attachment_needs_its_link() -> None:
    assert not list(entries(WORKLOAD))
    assert set(port_entries(WORKLOAD, 12, peer=False)) == {
        Entry("neighbours", bytes.fromhex(f"02000000 {MAPPED} 0a000005"),
              bytes.fromhex("0c000000 020000000005 00 00")),
        Entry("ports", bytes.fromhex("0c000000"),
              bytes.fromhex("02000000 00000000 0a000005 0a000000 ffffff00 0a000005") + bytes(44) +
              bytes.fromhex("020000000005 00 00") + bytes(40)),
    }  # fmt: skip
    neighbour, port = port_entries(WORKLOAD, 12)
    assert (neighbour.value[-2], port.value[74]) == (1, 1)


def test_a_port_knows_both_families_and_whose_rules_it_obeys() -> None:
    item = Attachment(
        1, 5, 2, "10.0.0.0/24", "10.0.0.5", MAC, "fd00:0:0:1::/64", "fd00:0:0:1::5", (7, 8), 66
    )
    four, six, port = port_entries(item, 12)
    assert (four.key, six.key) == (address_key(2, "10.0.0.5"), address_key(2, "fd00:0:0:1::5"))
    assert four.value == six.value
    fields = maps.PORT.unpack(port.value)[:15]
    network, table, *_, address6, subnet6, mac, peer, count, first, second = fields
    assert (network, table, peer, count, first, second) == (2, 66, True, 2, 7, 8)
    assert (address6, subnet6.hex()) == (address_bytes("fd00:0:0:1::5"), "fd00000000000001")
    assert mac == maps.mac_bytes(MAC)


@pytest.mark.parametrize(
    ("segment", "asker"),
    [(5, "0a000005"), (0x123456, "0a123456"), (0, "00000000"), (1 << 24, "00000000")],
)
def test_a_port_says_as_whom_its_vswitch_asks_if_there_is_such_an_address(
    segment: int, asker: str
) -> None:
    item = Attachment(1, segment, 2, "10.0.0.0/24", "10.0.0.5", MAC)
    _, port = port_entries(item, 12)
    assert maps.PORT.unpack(port.value)[5].hex() == asker


def test_a_port_knows_its_gateways() -> None:
    item = msgspec.structs.replace(WORKLOAD, gateway="10.0.0.253", gateway6="fd00::fffd")
    _, port = port_entries(item, 12)
    gateway, gateway6 = maps.PORT.unpack(port.value)[6:8]
    assert (gateway.hex(), gateway6) == ("0a0000fd", address_bytes("fd00::fffd"))


def test_a_resolver_is_an_address_of_its_vpc_and_an_opening_without_a_source() -> None:
    assert list(entries(Resolver(7))) == [
        Entry("forwards", bytes.fromhex("070000c0"),
              bytes.fromhex("feffffff") + bytes(32) +
              maps.NUMBER.pack(16384) + maps.NUMBER.pack(50_000) +
              bytes.fromhex("1e00 0500 0000 0000")),
        Entry("addresses", address_key(7, "100.100.2.136"),
              bytes.fromhex("eeffffffffff 03 00 070000c0 00000000 000000c0") + bytes(40)),
    ]  # fmt: skip


@pytest.mark.parametrize("network", [0, 1 << 28])
def test_a_resolver_of_no_vpc_is_refused(network: int) -> None:
    with pytest.raises(ValueError, match=f"VPC number {network} is too high"):
        list(entries(Resolver(network)))


def test_an_ipv6_block_that_is_no_64_is_refused() -> None:
    item = Attachment(1, 5, 2, "10.0.0.0/24", "10.0.0.5", MAC, "fd00::/48", "fd00::5")
    with pytest.raises(ValueError, match="fd00::/48 is no /64, which a vSwitch's IPv6 block"):
        list(port_entries(item, 12))
