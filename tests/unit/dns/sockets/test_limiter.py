"""How many answers an address gets that may not be the asker's."""

from __future__ import annotations

from collections import Counter

import pytest

from privlink.dns.sockets.limiter import Limiter, Verdict, block_of, is_loopback

SEND, TRUNCATE, DROP = Verdict.SEND, Verdict.TRUNCATE, Verdict.DROP


def test_like_answers_above_the_limit_are_dropped_or_cut() -> None:
    limiter = Limiter(same=2, every=100)
    verdicts = [limiter.judge("192.0.2.1", b"a", 7.5) for _ in range(6)]
    assert verdicts == [SEND, SEND, DROP, TRUNCATE, DROP, TRUNCATE]
    assert limiter.judge("192.0.2.1", b"b", 7.9) is SEND


def test_another_second_begins_anew() -> None:
    limiter = Limiter(same=1, every=100)
    assert limiter.judge("192.0.2.1", b"a", 7.5) is SEND
    assert limiter.judge("192.0.2.1", b"a", 7.6) is DROP
    assert limiter.judge("192.0.2.1", b"a", 8.0) is SEND


def test_a_block_is_limited_together_and_others_are_not() -> None:
    limiter = Limiter(same=1, every=100)
    assert limiter.judge("192.0.2.1", b"a", 1) is SEND
    assert limiter.judge("192.0.2.200", b"a", 1) is DROP
    assert limiter.judge("192.0.3.1", b"a", 1) is SEND


def test_all_answers_to_a_block_have_a_limit_too() -> None:
    limiter = Limiter(same=20, every=1000)
    verdicts = Counter(limiter.judge(f"192.0.2.{n % 250}", b"%d" % n, 1) for n in range(3000))
    assert verdicts == {SEND: 1000, DROP: 1000, TRUNCATE: 1000}


def test_many_victims_do_not_make_it_grow_or_let_one_slip_through() -> None:
    limiter = Limiter(same=1, every=100)
    for number in range(20_000):
        limiter.judge(f"10.{number >> 8}.{number & 255}.1", b"a", 1)
    assert len(limiter._blocks) <= 4096
    assert all(len(row) == 1 << 15 for row in limiter._rows)
    assert limiter.judge("10.0.0.1", b"a", 1) is not SEND


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("192.0.2.1", "192.0.2.255", True),
        ("192.0.2.1", "192.0.1.255", False),
        ("2001:db8:0:100::1", "2001:db8:0:1ff::", True),
        ("2001:db8:0:100::1", "2001:db8:0:200::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::ffff:192.0.2.1", "192.0.2.7", True),
        ("::1", "0.0.0.1", True),  # what nobody can send from
    ],
)
def test_addresses_of_one_block(one: str, other: str, together: bool) -> None:
    assert (block_of(one) == block_of(other)) is together


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("10.127.0.0", False)],
)
def test_loopback(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected
