"""Addresses of either family."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlink.rules import families

ADDRESSES = st.ip_addresses()


@given(ADDRESSES)
def test_an_address_has_one_spelling(address: object) -> None:
    once = families.spelling(str(address))
    assert families.spelling(once) == once
    assert families.spelling(once.upper()) == once
    assert families.parse(once) == address


@given(st.text())
def test_other_text_stays_as_it_is(text: str) -> None:
    if families.parse(text) is None:
        assert families.spelling(text) == text


@given(st.lists(ADDRESSES.map(str)))
def test_addresses_are_sorted_by_family_and_number(some: list[str]) -> None:
    in_order = sorted(some, key=families.order)
    parsed = [families.parse(each) for each in in_order]
    assert [families.is_ipv6(each) for each in in_order] == sorted(map(families.is_ipv6, some))
    for before, after in pairwise(parsed):
        assert before is not None and after is not None
        if before.version == after.version:
            assert int(before) <= int(after)


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("10.0.0.5", "10.0.0.5"),
        ("FD00:0:0:0::A", "fd00::a"),
        ("2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"),
    ],
)
def test_a_spelling_is_short_and_small(text: str, spelt: str) -> None:
    assert families.spelling(text) == spelt


@pytest.mark.parametrize(
    "text", ["", "web", "10.0.0", "010.0.0.1", "fe80::1%eth0", "fd00::/64", " 10.0.0.5", "10"]
)
def test_what_is_no_address(text: str) -> None:
    assert families.parse(text) is None
