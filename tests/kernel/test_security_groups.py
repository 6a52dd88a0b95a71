"""The program and security groups: who may begin, and who may go on once the rules changed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from scapy.packet import Packet

from privlink.model.items import Filter, Members, Rule
from privlink.node.program.maps import (
    FILTER_KEY,
    PAGE_KEY,
    PAGE_RULES,
    Direction,
    Reason,
    address_key,
)
from tests.kernel.desk import Desk
from tests.kernel.frames import (
    ANY_IPV4,
    ANY_IPV6,
    CIDR,
    CIDR6,
    CLIENT,
    FORWARD,
    GROUP,
    NETS,
    OTHER,
    SERVER,
    V4,
    V6,
    Net,
    ask,
    client,
    datagram,
    ping,
    server,
)


def allow(
    priority: int, protocol: str, cidr: str = "", low: int = 0, high: int = 65535, members: int = 0
) -> Rule:
    """A rule that accepts."""
    return Rule(priority, True, protocol, cidr, low, high, members)


def deny(
    priority: int, protocol: str, cidr: str = "", low: int = 0, high: int = 65535, members: int = 0
) -> Rule:
    """A rule that drops."""
    return Rule(priority, False, protocol, cidr, low, high, members)


def blocks(net: Net) -> tuple[str, str, str, str]:
    """All, the network, the client alone, a neighbour alone."""
    bits = 32 if net is V4 else 128
    return net.any, net.cidr, f"{net.workload}/{bits}", f"{net.neighbour}/{bits}"


ALL, NEAR, SELF, NOT_SELF = range(4)
GROUPS: list[tuple[list[list[tuple[Any, ...]]], bool]] = [
    ([], False),
    ([[]], False),
    ([[(allow, 1, "TCP", NEAR, 80, 80)]], True),
    ([[(allow, 1, "ALL", SELF)]], True),
    ([[(allow, 1, "ALL", ALL)]], True),
    ([[(allow, 1, "UDP", ALL)]], False),
    ([[(allow, 1, "ICMP", ALL)]], False),
    ([[(allow, 1, "ICMPV6", ALL)]], False),
    ([[(allow, 1, "TCP", NOT_SELF)]], False),
    ([[(allow, 1, "TCP", ALL, 81, 90)]], False),
    ([[(allow, 1, "TCP", ALL, 70, 79)]], False),
    ([[(allow, 1, "TCP", ALL, 80, 81)]], True),
    ([[(allow, 1, "TCP", ALL, 79, 80)]], True),
    # Within a group the order decides.
    ([[(deny, 1, "TCP", ALL, 80, 80), (allow, 2, "ALL", ALL)]], False),
    ([[(allow, 1, "TCP", ALL, 80, 80), (deny, 2, "ALL", ALL)]], True),
    ([[*[(deny, 50, "TCP", ALL, 1, 79)] * 249, (allow, 50, "TCP", NEAR, 80, 80)]], True),
    ([[*[(allow, 50, "TCP", ALL, 1, 79)] * 249, (deny, 50, "TCP", NEAR, 80, 80)]], False),
    # Across groups the lowest priority wins, and of equals the one that drops.
    ([[(deny, 2, "TCP", ALL)], [(allow, 1, "TCP", ALL)]], True),
    ([[(deny, 1, "TCP", ALL)], [(allow, 2, "TCP", ALL)]], False),
    ([[(allow, 1, "TCP", ALL)], [(deny, 1, "TCP", ALL)]], False),
    ([[(deny, 1, "TCP", ALL)], [(allow, 1, "TCP", ALL)]], False),
    ([[], [(allow, 100, "TCP", ALL)]], True),
    ([[(deny, 101, "ALL", ALL)], [(allow, 100, "TCP", ALL)]], True),
    ([*[[]] * 9, [(allow, 100, "TCP", ALL)]], True),
    ([*[[(allow, 1, "TCP", ALL)]] * 9, [(deny, 1, "ALL", ALL)]], False),
]


def made(net: Net, rules: list[tuple[Any, ...]]) -> tuple[Rule, ...]:
    """Rules of a family."""
    return tuple(
        verb(priority, protocol, blocks(net)[block], *ports)
        for verb, priority, protocol, block, *ports in rules
    )


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(("groups", "permitted"), GROUPS)
def test_who_may_come_in(
    lab: Desk, net: Net, groups: list[list[tuple[Any, ...]]], permitted: bool
) -> None:
    numbers = tuple(range(20, 20 + len(groups)))
    lab.lay_out(Filter(n, made(net, rules)) for n, rules in zip(numbers, groups, strict=True))
    lab.lay_out([msgspec.structs.replace(FORWARD, filters=numbers)])
    outcome = lab.send(CLIENT, bytes(client(ask(), net.endpoint)))
    assert outcome.reason == (None if permitted else Reason.SECURITY_GROUP)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(("groups", "permitted"), GROUPS)
def test_who_may_go_out(
    lab: Desk, net: Net, groups: list[list[tuple[Any, ...]]], permitted: bool
) -> None:
    """Of egress rules the block is where it goes: the endpoint, here by the same words."""
    numbers = tuple(range(20, 20 + len(groups)))
    here = {net.workload: net.endpoint, net.neighbour: net.neighbour}

    def turned(rule: Rule) -> Rule:
        address, _, bits = rule.cidr.partition("/")
        return msgspec.structs.replace(rule, cidr=f"{here.get(address, address)}/{bits}")

    for number, rules in zip(numbers, groups, strict=True):
        lab.lay_out([Filter(number, (), tuple(map(turned, made(net, rules))))])
    sender = msgspec.structs.replace(CLIENT, filters=numbers)
    outcome = lab.send(sender, bytes(client(ask(), net.endpoint)))
    # Without a group nothing holds a workload back.
    assert outcome.reason == (None if permitted or not groups else Reason.EGRESS_RULE)


@pytest.mark.parametrize("net", NETS)
def test_what_comes_in_is_asked_before_what_goes_out(lab: Desk, net: Net) -> None:
    sender = msgspec.structs.replace(CLIENT, filters=(12,))
    lab.lay_out([Filter(12, (ANY_IPV4, ANY_IPV6)), Filter(11, ())])
    packet = bytes(client(ask(), net.endpoint))
    assert lab.send(sender, packet).reason == Reason.SECURITY_GROUP
    lab.lay_out([GROUP])
    assert lab.send(sender, packet).reason == Reason.EGRESS_RULE


@pytest.mark.parametrize("net", NETS)
def test_egress_rules_hold_for_all_that_begins_and_nothing_else(lab: Desk, net: Net) -> None:
    lab.lay_out([Filter(12, (), (allow(1, "UDP", net.any, 80, 80),))])
    sender = msgspec.structs.replace(CLIENT, filters=(12,))

    def reason(layer: Packet, to: str) -> Reason | None:
        return lab.send(sender, bytes(client(layer, to))).reason

    assert reason(ask(), net.endpoint) == Reason.EGRESS_RULE
    assert reason(ping(net), net.endpoint) == Reason.EGRESS_RULE
    assert reason(datagram(), net.endpoint) is None
    # The gateway is asked whatever the groups say, and neighbours are the bridge's.
    assert reason(ping(net), net.gateway) is None
    assert lab.send(sender, bytes(client(ask(), net.neighbour))).verdict == "pass"
    # The server's answers are no flow of the server's.
    strict = msgspec.structs.replace(SERVER, filters=(12,))
    said = server(datagram(b"yes", 8080, 40000), net.source)
    assert lab.send(strict, bytes(said)).reason is None


@pytest.mark.parametrize("net", NETS)
def test_of_the_other_family_no_rule_is_about_it(lab: Desk, net: Net) -> None:
    other = V6 if net is V4 else V4
    packet = bytes(client(ask(), net.endpoint))
    lab.lay_out([Filter(11, (allow(1, "ALL", other.any),))])
    assert lab.send(CLIENT, packet).reason == Reason.SECURITY_GROUP
    lab.lay_out([Filter(11, (deny(1, "ALL", other.any), allow(2, "ALL", net.any)))])
    assert lab.send(CLIENT, packet).reason is None


BITS = [(V4, bits) for bits in (1, 8, 24, 29, 30, 31, 32)]
BITS += [(V6, bits) for bits in (1, 32, 63, 64, 65, 96, 127, 128)]


@pytest.mark.parametrize(("net", "bits"), BITS)
def test_a_block_ends_where_its_bits_end(lab: Desk, net: Net, bits: int) -> None:
    """The bit behind the last that counts may be another, the last may not."""
    size = 32 if net is V4 else 128
    own = int.from_bytes(address_key(0, net.workload)[-size // 8 :])

    def block(flipped: int) -> str:
        value = (own ^ 1 << (size - flipped)).to_bytes(size // 8)
        if net is V4:
            return f"{'.'.join(map(str, value))}/{bits}"
        return f"{value.hex(':', 2)}/{bits}"

    packet = bytes(client(ask(), net.endpoint))
    lab.lay_out([Filter(11, (allow(1, "ALL", block(bits)),))])
    assert lab.send(CLIENT, packet).reason == Reason.SECURITY_GROUP
    if bits < size:
        lab.lay_out([Filter(11, (allow(1, "ALL", block(bits + 1)),))])
        assert lab.send(CLIENT, packet).reason is None


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(
    ("members", "inside"),
    [
        ((), ()),
        (("10.0.0.5/32", "fd00:10::5/128"), NETS),
        (("10.0.0.5", "fd00:10::5"), NETS),
        (("10.0.0.6/32", "fd00:10::6/128"), ()),
        (("10.0.0.5/32",), (V4,)),
        (("fd00:10::5/128",), (V6,)),
        ((CIDR,), (V4,)),
        ((CIDR6,), (V6,)),
        (("0.0.0.0/0",), (V4,)),
        (("::/0",), (V6,)),  # an IPv4 address has its place there in our tables, and nowhere else
        (("::/64", "::ffff:0:0/95"), ()),
        (("10.0.0.0/29", "10.0.0.4/31", "10.0.0.4/32", "fd00:10::/127", "fd00::/16"), NETS),
        (("10.0.0.0/8", "10.0.0.6/32", "fd00::/8", "fd00:10::6/128"), NETS),  # not the longest
        (tuple(f"10.{n}.0.0/16" for n in range(200)), (V4,)),
    ],
)
def test_a_set(lab: Desk, net: Net, members: tuple[str, ...], inside: tuple[Net, ...]) -> None:
    packet = bytes(client(ask(), net.endpoint))
    lab.lay_out([Members(40, members), Filter(11, (allow(1, "ALL", members=40),))])
    expected = None if net in inside else Reason.SECURITY_GROUP
    assert lab.send(CLIENT, packet).reason == expected


@pytest.mark.parametrize("net", NETS)
def test_a_set_among_rules_and_of_egress_rules(lab: Desk, net: Net) -> None:
    lab.lay_out([
        Members(40, ("10.0.0.7/32", "fd00:10::7/128")),
        Members(41, (V4.endpoint, V6.endpoint)),
        Filter(11, (deny(1, "TCP", members=40), *GROUP.rules), (allow(1, "TCP", members=41),)),
    ])  # fmt: skip
    sender = msgspec.structs.replace(CLIENT, filters=(11,))
    assert lab.send(sender, bytes(client(ask(), net.endpoint))).reason is None
    packet = client(ask(), net.endpoint, sender=OTHER)
    assert lab.send(OTHER, bytes(packet)).reason == Reason.SECURITY_GROUP
    packet = client(datagram(), net.endpoint)
    assert lab.send(sender, bytes(packet)).reason == Reason.EGRESS_RULE
    lab.lay_out([Filter(11, GROUP.rules, (allow(1, "ALL", members=40),))])
    packet = client(ask(sport=5), net.endpoint)
    assert lab.send(sender, bytes(packet)).reason == Reason.EGRESS_RULE


@pytest.mark.parametrize("count", [1, 15, 16, 17, 31, 32, 33, 48, 49, 249, 250])
@pytest.mark.parametrize("net", NETS)
def test_the_last_of_many_rules_decides(lab: Desk, net: Net, count: int) -> None:
    """They stand in pages; one that is missing may be one that drops."""
    many = [deny(50, "TCP", net.any, 1, 79)] * (count - 1)
    packet = bytes(client(ask(), net.endpoint))
    lab.lay_out([Filter(11, (*many, allow(50, "TCP", net.any, 80, 80)))])
    assert lab.send(CLIENT, packet).reason is None
    lab.lay_out([Filter(11, (*many, deny(50, "TCP", net.any, 80, 80)))])
    assert lab.send(CLIENT, bytes(client(ask(sport=5), net.endpoint))).reason is not None
    lab.lay_out([Filter(11, (*many, allow(50, "TCP", net.any, 80, 80)))])
    pages = [key for key, _ in lab.program.maps["rules"].dump()]
    last = (count - 1) // PAGE_RULES
    lab.program.maps["rules"].delete_many(k for k in pages if PAGE_KEY.unpack(k)[3] == last)
    outcome = lab.send(CLIENT, bytes(client(ask(sport=6), net.endpoint)))
    assert outcome.reason == Reason.SECURITY_GROUP


@pytest.mark.parametrize("direction", list(Direction))
def test_a_group_that_is_not_there_permits_nothing(lab: Desk, direction: Direction) -> None:
    """It may be one that drops, whatever others accept."""
    lab.lay_out([Filter(12, GROUP.rules, GROUP.rules), Filter(13, GROUP.rules, GROUP.rules)])
    lab.lay_out([msgspec.structs.replace(FORWARD, filters=(12, 13))])
    sender = msgspec.structs.replace(CLIENT, filters=(13, 12))
    assert lab.send(sender, bytes(client(ask()))).reason is None
    assert lab.program.maps["filters"].delete(FILTER_KEY.pack(13, direction))
    reason = [Reason.SECURITY_GROUP, Reason.EGRESS_RULE][direction]
    assert lab.send(sender, bytes(client(ask(sport=5)))).reason == reason
