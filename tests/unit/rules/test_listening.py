"""Which ports listeners have, and which groups fit behind them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from privlink.model.balancer import Listener, ServerGroup
from privlink.model.ids import AccountId, ListenerId, LoadBalancerId, ServerGroupId, VpcId
from privlink.rules import listening

US = AccountId("1")
PORTS = st.integers(1, 40)
RANGES = st.tuples(PORTS, PORTS).map(lambda ends: (min(ends), max(ends)))
PROTOCOLS = st.sampled_from(["TCP", "UDP"])


def listener(protocol: str, first: int, last: int) -> Listener:
    """A listener on these ports."""
    name = ListenerId(f"lsn-{protocol}-{first}-{last}")
    group = ServerGroupId("sgp-1")
    return Listener(name, US, LoadBalancerId("nlb-1"), protocol, first, last, group, "")


@given(st.lists(st.tuples(PROTOCOLS, RANGES)), PROTOCOLS, RANGES)
def test_listeners_meet_where_they_share_a_port_of_one_protocol(
    present: list[tuple[str, tuple[int, int]]], protocol: str, wanted: tuple[int, int]
) -> None:
    listeners = [listener(name, *ends) for name, ends in present]
    ports = set(range(wanted[0], wanted[1] + 1))
    meeting = [
        each
        for each in listeners
        if each.protocol == protocol and ports & set(range(each.first, each.last + 1))
    ]
    found = listening.in_the_way(listeners, protocol, *wanted)
    assert found == (meeting[0] if meeting else None)


def test_a_group_takes_its_protocol_or_both() -> None:
    taken = {
        (of, protocol)
        for of in ("TCP", "UDP", "TCP_UDP")
        for protocol in ("TCP", "UDP")
        if listening.takes(
            ServerGroup(ServerGroupId("sgp-1"), US, VpcId("vpc-1"), of, "Ip", "", ""), protocol
        )
    }
    assert taken == {("TCP", "TCP"), ("UDP", "UDP"), ("TCP_UDP", "TCP"), ("TCP_UDP", "UDP")}


def test_ports_are_written_as_people_write_them() -> None:
    assert [listening.ports(80, 80), listening.ports(8000, 8099)] == ["80", "8000-8099"]
