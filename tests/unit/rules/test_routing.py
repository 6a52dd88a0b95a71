"""Which blocks a route may be about, and which of those it is in effect for."""

from __future__ import annotations

import pytest

from privlink.model.ids import AccountId, RouteEntryId, RouteTableId, VpcId, VSwitchId, ZoneId
from privlink.model.network import HopKind, RouteEntry, VSwitch
from privlink.rules import routing


def vswitch(number: int, cidr: str, cidr6: str = "") -> VSwitch:
    """A vSwitch with its blocks."""
    return VSwitch(
        VSwitchId(f"vsw-{number}"),
        number,
        VpcId("vpc-1"),
        AccountId("1"),
        ZoneId("local-a"),
        cidr,
        "",
        "",
        "",
        0,
        cidr6,
    )


def entry(name: str, destination: str = "", named: str = "") -> RouteEntry:
    """A route to a block, or to what is on a list."""
    return RouteEntry(
        RouteEntryId(name),
        RouteTableId("vtb-1"),
        destination,
        named,
        HopKind.INSTANCE,
        "att-1",
        "",
        "",
        False,
        "",
    )


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("192.168.0.0/16", "192.168.0.0/16"),
        ("192.168.0.7", "192.168.0.7/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("FD00:9::/32", "fd00:9::/32"),
        ("fd00::7", "fd00::7/128"),
        ("::/0", "::/0"),
    ],
)
def test_a_destination_has_one_spelling(text: str, block: str) -> None:
    assert routing.parse(text) == block
    assert routing.why_not(block) is None


@pytest.mark.parametrize(
    "text", ["", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "fe80::1%eth0", "pl-1", "⁴/8"]
)
def test_what_is_no_block_is_told_so(text: str) -> None:
    with pytest.raises(ValueError, match="block such as"):
        routing.parse(text)


@pytest.mark.parametrize(
    ("block", "word"),
    [
        ("100.64.0.0/10", "reserved"),
        ("100.100.2.136/32", "reserved"),
        ("fd70:7269:766c::/96", "reserved"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.169.254/32", "link-local"),
        ("224.0.0.1/32", "multicast"),
        ("255.255.255.255/32", "multicast"),
        ("fe80::/64", "link-local"),
        ("ff02::1/128", "multicast"),
        ("::1/128", "loopback"),
    ],
)
def test_some_blocks_are_nobodys_to_route(block: str, word: str) -> None:
    assert word in str(routing.why_not(block))


def test_a_route_may_be_wider_than_what_it_may_not_be_about() -> None:
    for block in ("100.0.0.0/8", "0.0.0.0/1", "128.0.0.0/1", "fc00::/7"):
        assert routing.why_not(block) is None


def test_a_vswitch_goes_before_what_is_inside_it_and_not_before_what_is_around_it() -> None:
    places = [vswitch(1, "10.0.0.0/24"), vswitch(2, "10.0.1.0/24", "fd00::/64")]
    for block, found in (
        ("10.0.0.0/24", "vsw-1"),
        ("10.0.1.128/25", "vsw-2"),
        ("fd00::/64", "vsw-2"),
        ("fd00::7/128", "vsw-2"),
    ):
        inside = routing.local_to(block, places)
        assert inside is not None and inside.id == found
    for block in ("10.0.0.0/23", "0.0.0.0/0", "10.0.2.0/24", "::/0", "fd00:0:0:1::/64"):
        assert routing.local_to(block, places) is None


def test_families_are_never_inside_each_other() -> None:
    assert not routing.is_within("10.0.0.0/8", "::/0")
    assert not routing.is_within("::1/128", "0.0.0.0/0")


def test_who_says_a_block_itself_goes_before_lists_and_older_lists_before_newer() -> None:
    entries = [
        entry("rte-1", named="pl-1"),
        entry("rte-2", named="pl-2"),
        entry("rte-3", "192.168.1.0/24"),
    ]
    lists = {
        "pl-1": ["10.0.0.0/24", "192.168.0.0/24", "192.168.1.0/24"],
        "pl-2": ["10.0.0.7/32", "192.168.0.0/24", "192.168.2.0/24"],
    }
    assert routing.effective(["10.0.0.0/24"], entries, lists) == {
        "rte-1": ("192.168.0.0/24",),
        "rte-2": ("192.168.2.0/24",),
        "rte-3": ("192.168.1.0/24",),
    }


def test_a_list_that_is_not_there_is_about_nothing() -> None:
    assert routing.effective([], [entry("rte-1", named="pl-1")], {}) == {"rte-1": ()}
