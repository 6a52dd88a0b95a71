"""Addresses, against Python's own ipaddress and against counting by hand."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as some

from privlink.node import plug
from privlink.rules import addresses
from privlink.rules.addresses import Range


def networks(shortest: int, longest: int) -> some.SearchStrategy[IPv4Network]:
    """Networks with masks of these lengths."""
    return some.builds(
        lambda number, length: IPv4Network((number, length), strict=False),
        some.integers(0, 2**32 - 1),
        some.integers(shortest, longest),
    )


vswitches = networks(16, 29)
numbers = some.integers(0, 2**32 - 1)


@given(vswitches)
def test_the_first_and_the_last_three_are_reserved(network: IPv4Network) -> None:
    usable = addresses.usable(str(network))
    assert usable.size == network.num_addresses - 4
    assert IPv4Address(usable.first) == network[1]
    assert IPv4Address(usable.last) == network[-4]
    assert addresses.gateway(str(network)) == str(network[-3])
    assert int(network[-3]) not in usable


@given(vswitches, numbers)
def test_an_address_may_be_had_if_it_is_inside_and_not_reserved(
    network: IPv4Network, number: int
) -> None:
    reserved = {network[0], network[-1], network[-2], network[-3]}
    for address in (IPv4Address(number), network[number % network.num_addresses]):
        why = addresses.why_not_in_vswitch(str(address), str(network))
        assert (why is None) == (address in network and address not in reserved)


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.256", "010.0.0.1", "::1", "10.0.0.5/32"])
def test_what_is_no_address_is_told_so(text: str) -> None:
    why = addresses.why_not_in_vswitch(text, "10.0.0.0/24")
    assert why == "it is not an IPv4 address, such as 10.0.0.5."


@given(
    some.integers(0, 60),
    some.integers(0, 60),
    some.integers(0, 70),
    some.sets(some.integers(0, 70)),
)
def test_the_next_free_address_is_the_first_that_nobody_has(
    first: int, length: int, start: int, taken: set[int]
) -> None:
    within = Range(first, first + length)
    expected = next(
        (each for each in range(max(start, first), within.last + 1) if each not in taken), None
    )
    assert addresses.next_free(within, start, sorted(taken)) == expected


@given(networks(0, 32))
def test_a_vpc_may_have_any_private_block(network: IPv4Network) -> None:
    forbidden = map(
        IPv4Network, ("0.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")
    )
    fine = 8 <= network.prefixlen <= 28 and not any(map(network.overlaps, forbidden))
    assert (addresses.why_not_vpc(str(network)) is None) == fine


@given(networks(8, 28), networks(8, 32), some.integers(0, 2**24))
def test_a_vswitch_lies_within_its_vpc(
    vpc: IPv4Network, stranger: IPv4Network, choice: int
) -> None:
    inside = list(vpc.subnets(new_prefix=min(vpc.prefixlen + 4, 32)))
    for network in (stranger, inside[choice % len(inside)], vpc):
        why = addresses.why_not_vswitch(str(network), str(vpc))
        fine = 16 <= network.prefixlen <= 29 and network.subnet_of(vpc)
        assert (why is None) == fine


@given(networks(8, 32), some.lists(networks(8, 32), max_size=5))
def test_overlap_finds_the_first_that_shares_an_address(
    network: IPv4Network, others: list[IPv4Network]
) -> None:
    expected = next((str(other) for other in others if other.overlaps(network)), None)
    assert addresses.overlap(str(network), map(str, others)) == expected


@pytest.mark.parametrize(
    ("cidr", "word"),
    [
        ("ten", "not an IPv4 block"),
        ("10.0.0.0/33", "not an IPv4 block"),
        ("fd00::/64", "not an IPv4 block"),
        ("10.0.0.1/24", "bits set after its mask"),
    ],
)
def test_a_block_that_cannot_be_read_is_told_why(cidr: str, word: str) -> None:
    assert word in str(addresses.why_not_vpc(cidr))
    assert word in str(addresses.why_not_vswitch(cidr, "10.0.0.0/16"))


def test_the_default_block_is_a_good_one() -> None:
    assert addresses.why_not_vpc(addresses.DEFAULT_VPC_CIDR) is None


def test_source_addresses_lie_in_the_shared_space_and_leave_the_clouds_own_alone() -> None:
    pool, cloud = IPv4Network("100.64.0.0/10"), IPv4Network("100.100.0.0/16")
    ranges = addresses.source_ranges()
    for within in ranges:
        for end in (within.first, within.last):
            assert IPv4Address(end) in pool
            assert IPv4Address(end) not in cloud
    assert sum(within.size for within in ranges) == pool.num_addresses - cloud.num_addresses - 2


@given(numbers)
def test_an_address_reads_as_people_write_it(number: int) -> None:
    assert int(IPv4Address(addresses.text(number))) == number


@pytest.mark.parametrize("cidr", ["10.0.0.0/255.255.0.0", "10.0.0.0/0.0.255.255", "10.0.0.0/١٦"])
def test_a_mask_is_a_number_of_bits(cidr: str) -> None:
    assert addresses.why_not_vpc(cidr) == "it is not an IPv4 block, such as 10.0.0.0/16."
    assert addresses.why_not_vswitch(cidr, "10.0.0.0/8") is not None


def test_a_block_is_stored_in_one_spelling() -> None:
    assert addresses.why_not_vpc("10.0.0.0/08") is None
    assert addresses.canonical("10.0.0.0/08") == "10.0.0.0/8"


blocks6 = some.builds(
    lambda number, length: IPv6Network((number, length), strict=False),
    some.integers(0, 2**128 - 1),
    some.integers(0, 128),
)
interfaces = some.integers(0, 2**64 - 1)


@given(some.integers(0, 2**64 - 1), interfaces)
def test_ipv6_has_the_same_addresses_reserved(prefix: int, interface: int) -> None:
    network = IPv6Network((prefix << 64, 64))
    usable = addresses.usable(str(network))
    assert (usable.first, usable.last) == (int(network[1]), int(network[-4]))
    assert addresses.gateway(str(network)) == str(network[-3])
    address = addresses.interface6(str(network), interface)
    assert IPv6Address(address) == network[interface]
    reserved = {network[0], network[-1], network[-2], network[-3]}
    why = addresses.why_not_in_vswitch(address, str(network))
    assert (why is None) == (IPv6Address(address) not in reserved)


@pytest.mark.parametrize("text", ["", "fd00", "10.0.0.5", "fd00::5/128", "fd00::5%eth0", "::g"])
def test_what_is_no_ipv6_address_is_told_so(text: str) -> None:
    why = addresses.why_not_in_vswitch(text, "fd00::/64")
    assert why == "it is not an IPv6 address, such as fd00::5."


@given(blocks6)
def test_a_vpc_may_have_any_unicast_block_of_56_bits(network: IPv6Network) -> None:
    unicast = [IPv6Network(text) for text in ("fc00::/7", "2000::/3")]
    fine = (
        network.prefixlen == 56
        and any(map(network.subnet_of, unicast))
        and not network.overlaps(addresses.SOURCE_POOL6)
    )
    assert (addresses.why_not_vpc6(str(network)) is None) == fine
    wide = IPv6Network((network.network_address, 56), strict=False)
    fine = any(map(wide.subnet_of, unicast)) and not wide.overlaps(addresses.SOURCE_POOL6)
    assert (addresses.why_not_vpc6(str(wide)) is None) == fine


@given(some.integers(0, 2**48 - 1), some.integers(0, 255))
def test_a_block_by_chance_is_unique_local_and_holds_256_vswitches(
    number: int, vswitch: int
) -> None:
    block = IPv6Network(addresses.unique_local(number))
    assert block.prefixlen == 56
    assert block.network_address.packed[:7] == b"\xfd" + number.to_bytes(6)
    inside = IPv6Network(addresses.vswitch_block6(str(block), vswitch))
    assert inside == list(block.subnets(new_prefix=64))[vswitch]


@given(numbers)
def test_a_source_in_ipv6_ends_with_the_one_in_ipv4(number: int) -> None:
    source = IPv6Address(addresses.source6(number))
    assert source in addresses.SOURCE_POOL6
    assert source.packed[12:] == IPv4Address(number).packed


def test_the_node_routes_what_servers_answer_to() -> None:
    assert str(addresses.SOURCE_POOL) == plug.SOURCES
    assert str(addresses.SOURCE_POOL6) == plug.SOURCES6


@pytest.mark.parametrize(
    ("text", "canonical"),
    [  # RFC 5952, section 4
        ("2001:DB8::0001", "2001:db8::1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
    ],
)
def test_an_ipv6_address_has_one_spelling(text: str, canonical: str) -> None:
    assert addresses.canonical6(text) == canonical
