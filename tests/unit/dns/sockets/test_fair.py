"""Sharing what there is only so much of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from privlink.dns.sockets.fair import Shares


def test_one_alone_may_have_half_and_leaves_room_for_others() -> None:
    shares = Shares(10)
    assert [shares.take("greedy") for _ in range(8)] == [True] * 5 + [False] * 3
    assert [shares.take("modest") for _ in range(3)] == [True, True, True]
    assert shares.taken == 8
    assert shares.take("third")


def test_what_is_given_back_is_there_for_others() -> None:
    shares = Shares(2)
    assert shares.take("one")
    assert not shares.take("one")
    shares.give_back("one")
    assert shares.taken == 0
    assert shares.take("two")


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans())))
def test_whoever_has_none_finds_one(steps: list[tuple[int, bool]]) -> None:
    shares, taken = Shares(64), dict.fromkeys(range(6), 0)
    for who, takes in steps:
        if takes:
            taken[who] += shares.take(who)
        elif taken[who]:
            shares.give_back(who)
            taken[who] -= 1
        assert shares.taken == sum(taken.values()) < 64
    assert shares.take("somebody new")
