"""Who stands in the slots that the program chooses from."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlink.model.items import Balancer, Listener, Protocol, Scheduler, Server
from privlink.node.balancing import HASH_SLOTS, listener_entries, rendezvous, slots_of, takers
from privlink.node.program.maps import LISTENER, SERVER, TARGET_KEY, Entry, address_text

servers = st.lists(
    st.builds(
        Server,
        st.integers(1, 250).map(lambda host: f"10.0.0.{host}"),
        st.just(80),
        st.integers(1, 100),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda server: server.address,
)


@settings(max_examples=25, deadline=None)
@given(servers, st.data())
def test_a_server_less_leaves_every_slot_but_its_own(
    given_: list[Server], data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from(given_))
    before, after = rendezvous(given_), rendezvous([each for each in given_ if each is not gone])
    if not after:
        return
    moved = [slot for slot in range(HASH_SLOTS) if before[slot] != after[slot]]
    assert moved == [slot for slot in range(HASH_SLOTS) if before[slot] == gone]


@settings(max_examples=25, deadline=None)
@given(servers)
def test_the_order_of_servers_is_no_matter(given_: list[Server]) -> None:
    assert rendezvous(given_) == rendezvous(given_[::-1])


def test_shares_by_hash_follow_the_weights() -> None:
    ten = [Server(f"10.0.0.{host}", 80, 100 if host % 2 else 50) for host in range(1, 11)]
    shares = Counter(server.weight for server in rendezvous(ten))
    # Two to one, of 1024; 60 is four standard deviations.
    assert abs(shares[100] - 683) < 60
    assert len(rendezvous(ten)) == HASH_SLOTS


def test_where_flows_are_compared_each_server_has_one_slot() -> None:
    given_ = [Server("10.0.0.1", 80, 100), Server("10.0.0.2", 80, 1)]
    assert slots_of(Scheduler.LEAST_CONNECTIONS, given_) == given_


@pytest.mark.parametrize("scheduler", Scheduler)
def test_without_servers_there_are_no_slots(scheduler: Scheduler) -> None:
    assert slots_of(scheduler, []) == []


A, B, NOWHERE = (
    Server(f"10.0.0.{host}", 80, 10, zone) for host, zone in ((1, "a"), (2, "b"), (3, ""))
)


@pytest.mark.parametrize(
    ("well", "cross", "expected"),
    [
        ([A, B], True, [A]),
        ([B], True, [B]),
        ([B], False, []),
        ([A, NOWHERE], False, [A, NOWHERE]),
        ([msgspec.structs.replace(A, weight=0), B], True, [B]),
        ([], True, []),
    ],
)
def test_servers_of_the_own_zone_go_first(
    well: list[Server], cross: bool, expected: list[Server]
) -> None:
    assert takers(Balancer(1, (), zone="a", cross_zone=cross), well) == expected


def entries_of(name: str, *down: tuple[str, str, int], **how: int) -> list[Entry]:
    listener = Listener(Protocol.UDP, 53, 53, (A, B), group="sgp-1", **how)  # type: ignore[arg-type]
    made = listener_entries(Balancer(3, (listener,), zone="a"), frozenset(down))
    return [entry for entry in made if entry.map == name]


def test_whoever_is_well_may_keep_flows_and_those_of_the_zone_get_new_ones() -> None:
    targets = {address_text(TARGET_KEY.unpack(entry.key)[4]) for entry in entries_of("targets")}
    assert targets == {A.address, B.address}
    takers_ = {address_text(SERVER.unpack(entry.value)[0]) for entry in entries_of("servers")}
    assert takers_ == {A.address}


def test_a_server_that_is_down_is_neither() -> None:
    down = "sgp-1", A.address, 80
    (target,) = entries_of("targets", down)
    assert address_text(TARGET_KEY.unpack(target.key)[4]) == B.address
    (server,) = entries_of("servers", down)
    assert address_text(SERVER.unpack(server.value)[0]) == B.address


@pytest.mark.parametrize(("idle", "seconds"), [(0, 60), (20, 20)])
def test_a_listener_says_how_long_its_flows_may_be_silent(idle: int, seconds: int) -> None:
    (listener,) = entries_of("listeners", idle=idle)
    assert LISTENER.unpack(listener.value)[2] == seconds
