"""Port ranges and blocks of security-group rules."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as some

from privlink.model.security import AddressFamily
from privlink.node.program.maps import MAX_FILTERS, MAX_RULES
from privlink.rules import filters

SOURCE, SOURCE6 = "SourceCidrIp", "Ipv6SourceCidrIp"
IPV6 = AddressFamily.IPV6


@given(some.integers(-2, 65540), some.integers(-2, 65540), some.sampled_from(["TCP", "UDP"]))
def test_ports_run_from_low_to_high(low: int, high: int, protocol: str) -> None:
    text = f"{low}/{high}"
    if 1 <= low <= high <= 65535:
        assert filters.parse_ports(text, protocol) == (low, high)
    else:
        with pytest.raises(ValueError, match="lower end first") as refused:
            filters.parse_ports(text, protocol)
        assert repr(text) in str(refused.value)


@pytest.mark.parametrize("protocol", ["ICMP", "ICMPV6", "ALL"])
def test_some_protocols_have_no_ports(protocol: str) -> None:
    assert filters.parse_ports("-1/-1", protocol) == (-1, -1)
    with pytest.raises(ValueError, match="must be -1/-1, not '80/80'"):
        filters.parse_ports("80/80", protocol)


@pytest.mark.parametrize(
    "text",
    ["", "80", "/", "80/", "/80", "a/b", "80-90", "80/90/100", "8_0/80", "８０/80", " 80/80"],
)
def test_what_is_no_range_is_told_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match="80/80 or 1/65535"):
        filters.parse_ports(text, "TCP")


@given(some.integers(0, 2**32 - 1), some.integers(0, 32))
def test_a_source_block_is_put_in_its_canonical_form(number: int, length: int) -> None:
    network = IPv4Network((number, length), strict=False)
    text = f"{IPv4Network((number, 32)).network_address}/{length}"
    assert filters.parse_block(text, SOURCE) == str(network)


def test_a_single_address_is_a_block() -> None:
    assert filters.parse_block("10.0.0.5", SOURCE) == "10.0.0.5/32"


@pytest.mark.parametrize("text", ["", "ten", "10.0.0.0/33", "::/0", "10.0.0"])
def test_what_is_no_block_is_told_so(text: str) -> None:
    with pytest.raises(ValueError, match="not an IPv4 block") as refused:
        filters.parse_block(text, SOURCE)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize("source", ["0.0.0.0/0.0.255.255", "10.0.0.0/255.0.0.0", "10.0.0.0/٨"])
def test_a_source_with_a_mask_or_a_wildcard_is_none(source: str) -> None:
    with pytest.raises(ValueError, match="is not an IPv4 block"):
        filters.parse_block(source, SOURCE)


@given(some.integers(0, 2**128 - 1), some.integers(0, 128))
def test_an_ipv6_block_is_put_in_its_canonical_form(number: int, length: int) -> None:
    network = IPv6Network((number, length), strict=False)
    text = f"{IPv6Network((number, 128)).network_address.exploded.upper()}/{length}"
    assert filters.parse_block(text, SOURCE6, IPV6) == str(network)
    assert filters.canonical(text) == str(network)
    assert filters.family_of(text) is IPV6


def test_a_single_ipv6_address_is_a_block() -> None:
    assert filters.parse_block("FD00::5", SOURCE6, IPV6) == "fd00::5/128"


@pytest.mark.parametrize(
    "text", ["", "ten", "10.0.0.0/8", "fd00::/129", "fd00::1%eth0", "fd00::/ff::", "fd00:::/8"]
)
def test_what_is_no_ipv6_block_is_told_so(text: str) -> None:
    with pytest.raises(ValueError, match="not an IPv6 block such as fd00::/8") as refused:
        filters.parse_block(text, SOURCE6, IPV6)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "family"), [("10.0.0.1/8", AddressFamily.IPV4), ("fd00::1/64", IPV6)]
)
def test_a_strict_block_has_no_bits_after_its_mask(text: str, family: AddressFamily) -> None:
    with pytest.raises(ValueError, match="is not an IPv"):
        filters.parse_block(text, "Cidr", family, strict=True)


def test_some_protocols_are_of_one_family() -> None:
    assert filters.only_family("ICMP") is AddressFamily.IPV4
    assert filters.only_family("ICMPV6") is IPV6
    assert filters.only_family("TCP") is None


def test_a_node_has_room_for_all_rules_and_what_groups_do_by_themselves() -> None:
    assert filters.MOST_RULES + 2 == MAX_RULES
    assert filters.MOST_GROUPS == MAX_FILTERS
