"""The way of questions for names, as items and as entries."""

from __future__ import annotations

from collections import Counter

from privlink.model.naming import RESOLVER_ADDRESS
from privlink.node.health.probes import FIRST_NUMBER, MOST_PROBES, PROBE_NETWORK
from privlink.node.naming import (
    RESOLVER_BALANCER,
    RESOLVER_NETWORK,
    resolver_entries,
    resolver_opening,
)
from privlink.node.program.maps import LISTENER_KEY, SERVER, Family, address_bytes


def test_each_vpc_has_an_opening_of_its_own_and_all_share_who_answers() -> None:
    first, second = resolver_opening(1), resolver_opening(2)
    assert (first.number, second.number) == (0xC0000001, 0xC0000002)
    for opening in (first, second):
        assert (opening.network, opening.balancer) == (RESOLVER_NETWORK, RESOLVER_BALANCER)
        assert (opening.source, opening.source6) == ("", "")


def test_its_numbers_are_nobody_elses() -> None:
    assert RESOLVER_BALANCER >= FIRST_NUMBER + MOST_PROBES
    assert resolver_opening((1 << 28) - 1).number < min(RESOLVER_NETWORK, PROBE_NETWORK)
    assert RESOLVER_NETWORK != PROBE_NETWORK


def test_who_answers_is_asked_at_port_53_by_ipv4() -> None:
    made = list(resolver_entries())
    assert Counter(entry.map for entry in made) == {"listeners": 2, "servers": 2, "targets": 2}
    for entry in made:
        if entry.map == "listeners":
            assert LISTENER_KEY.unpack(entry.key)[2] == Family.IPV4
        if entry.map == "servers":
            assert SERVER.unpack(entry.value)[0] == address_bytes(RESOLVER_ADDRESS)
            assert SERVER.unpack(entry.value)[1].to_bytes(2, "little") == (53).to_bytes(2)
