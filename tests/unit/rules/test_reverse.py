"""What consumers let NAT gateways call."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from privlink.model.nat import EndpointTarget
from privlink.model.network import IpVersion
from privlink.model.security import AddressFamily, Direction, SecurityGroupRule
from privlink.rules import reverse
from tests.unit.reversing import ENTRY, rule

IPV4, IPV6 = AddressFamily.IPV4, AddressFamily.IPV6


@pytest.mark.parametrize(
    ("rules", "is_open"),
    [
        ([], False),
        ([rule()], True),
        ([rule(cidr="0.0.0.0/00")], True),
        ([rule(direction=Direction.EGRESS)], False),
        ([rule(policy="Drop")], False),
        ([rule(protocol="TCP", low=1, high=65535)], False),
        ([rule(cidr="0.0.0.0/1"), rule(cidr="128.0.0.0/1")], False),
        ([rule(cidr="::/0")], False),
        ([rule(cidr="", peer_id="pl-1")], False),
        ([rule(), rule(policy="Drop", protocol="TCP", low=22, high=22)], False),
        ([rule(), rule(policy="Drop", priority=9, cidr="10.0.0.9/32")], False),
        ([rule(), rule(policy="Drop", priority=9, cidr="", peer_id="sg-2")], False),
        ([rule(), rule(policy="Drop", priority=11)], True),
        ([rule(), rule(policy="Drop", priority=1, cidr="::/0")], True),
        ([rule(), rule(policy="Drop", priority=1, protocol="ICMPV6", cidr="::/0")], True),
        ([rule(), rule(policy="Drop", priority=1, direction=Direction.EGRESS)], True),
        ([rule(), rule(policy="Drop", priority=1), rule(priority=1)], False),
    ],
)
def test_a_group_lets_everything_in_or_not(rules: list[SecurityGroupRule], is_open: bool) -> None:
    assert (reverse.not_let_in({"sg-1": rules}, IpVersion.IPV4) == []) is is_open


def test_each_family_is_let_in_by_any_group() -> None:
    dual = IpVersion.DUAL_STACK
    by_ipv6 = rule(cidr="::/0")
    assert reverse.not_let_in({"sg-1": [rule()], "sg-2": [by_ipv6]}, dual) == []
    assert reverse.not_let_in({"sg-1": [rule()], "sg-2": []}, dual) == [IPV6]
    assert reverse.not_let_in({"sg-1": [by_ipv6]}, dual) == [IPV4]
    assert reverse.not_let_in({}, dual) == [IPV4, IPV6]


ADDRESSES = some.integers(0, 2**32 - 1).map(IPv4Address)


@given(
    ADDRESSES,
    some.tuples(ADDRESSES, some.integers(0, 32)),
    some.sampled_from(["TCP", "UDP", "ALL"]),
    some.integers(1, 65535),
    some.tuples(some.integers(1, 65535), some.integers(1, 65535)).map(sorted),
)
def test_a_target_permits_what_is_in_it(
    address: IPv4Address,
    block: tuple[IPv4Address, int],
    protocol: str,
    port: int,
    ports: list[int],
) -> None:
    network = IPv4Network(block, strict=False)
    entry = msgspec.structs.replace(ENTRY, target=str(address), target_port=port)
    target = EndpointTarget(ENTRY.endpoint_id, str(network), protocol, ports[0], ports[1])
    expected = address in network and protocol != "UDP" and ports[0] <= port <= ports[1]
    assert reverse.permits([target], entry) is expected


def test_no_list_permits_everything_and_one_of_several_is_enough() -> None:
    def target(cidr: str) -> EndpointTarget:
        return EndpointTarget(ENTRY.endpoint_id, cidr, "ALL", 1, 65535)

    assert reverse.permits([], ENTRY)
    assert not reverse.permits([target("10.0.1.0/24")], ENTRY)
    assert reverse.permits([target("10.0.1.0/24"), target("10.0.0.0/24")], ENTRY)
