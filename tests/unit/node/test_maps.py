"""The twins agree: what Python packs is what the compiler lays out, and what items mean in maps."""

from __future__ import annotations

import ipaddress
import platform
import re
import struct
import subprocess
from collections import Counter
from pathlib import Path

import pytest

import privlink
from privlink.model.items import (
    Attachment,
    Balancer,
    Filter,
    Forward,
    Listener,
    Opening,
    Protocol,
    Rule,
    Segment,
    Server,
)
from privlink.node import maps
from privlink.node.entries import entries, port_entries
from privlink.node.maps import Entry, Flow, FlowKey, Reason

BPF = Path(privlink.__file__).parent / "bpf"

# Each structure of maps.h, the format that packs it, and its fields in the order of the format.
LAYOUTS = (
    (
        "port",
        maps.PORT,
        "network address subnet netmask address6 subnet6 mac peer filter_count filters",
    ),
    ("address_key", maps.ADDRESS_KEY, "network address"),
    ("address", maps.ADDRESS, "mac kind filter_count forward filters"),
    ("forward", maps.FORWARD, "network balancer source source6"),
    ("listener_key", maps.LISTENER_KEY, "prefix balancer family protocol port"),
    ("listener", maps.LISTENER, "slots first"),
    ("server_key", maps.SERVER_KEY, "balancer family protocol first slot"),
    ("server", maps.SERVER, "address port"),
    ("neighbour", maps.NEIGHBOUR, "ifindex mac peer"),
    ("filter_key", maps.FILTER_KEY, "number direction"),
    (
        "rule",
        maps.RULE,
        "high low set first last high_shift low_shift family family_mask protocol protocol_mask "
        "priority accept",
    ),
    ("set_key", maps.SET_KEY, "prefix set address"),
    ("flow_key", maps.FLOW_KEY, "network source destination source_port destination_port protocol"),
    (
        "flow",
        maps.FLOW,
        "last_seen forward ifindex source destination source_port destination_port "
        "destination_mac source_mac address_difference port_difference partner_network epoch "
        "peer reverse established client_finished server_finished reset revoked",
    ),
    ("fragment_key", maps.FRAGMENT_KEY, "ifindex place"),
    ("datagram", maps.DATAGRAM, "began key identification substitute next echo"),
)


def offsets(layout: struct.Struct) -> list[int]:
    """Where each field of a format begins; a repeated number counts as one field, an array."""
    parts = re.findall(r"\d*[a-zA-Z]", re.sub(r"([BIHQ])(?=\1)", r"\1 ", layout.format))
    starts = [struct.calcsize("=" + "".join(parts[:at])) for at in range(len(parts))]
    return [start for start, part in zip(starts, parts, strict=True) if part[-1] != "x"]


def test_the_compiler_lays_out_what_python_packs() -> None:
    claims = [
        f"_Static_assert(sizeof(struct filter) == {maps.FILTER_SIZE}, '');",
        f"_Static_assert(MAX_RULES == {maps.MAX_RULES}, '');",
        f"_Static_assert(MAX_FILTERS == {maps.MAX_FILTERS}, '');",
        f"_Static_assert(MAX_FLOWS == {maps.MAX_FLOWS}, '');",
        f"_Static_assert(offsetof(struct filter, rules) == {maps.FILTER_HEAD.size}, '');",
        f"_Static_assert(LISTENER_PREFIX == {maps.LISTENER_PREFIX}, '');",
        f"_Static_assert(SET_PREFIX == {maps.SET_PREFIX}, '');",
        f"_Static_assert(ADDRESS_GATEWAY == {maps.AddressKind.GATEWAY:d}, '');",
        f"_Static_assert(ADDRESS_ENDPOINT == {maps.AddressKind.ENDPOINT:d}, '');",
    ]
    for name, layout, fields in LAYOUTS:
        claims.append(f"_Static_assert(sizeof(struct {name}) == {layout.size}, '{name}');")
        claims.extend(
            f"_Static_assert(offsetof(struct {name}, {field}) == {offset}, '{name}.{field}');"
            for field, offset in zip(fields.split(), offsets(layout), strict=True)
        )
    source = '#include <stddef.h>\n#include "maps.h"\n' + "\n".join(claims).replace("'", '"')
    asm = f"-I/usr/include/{platform.machine()}-linux-gnu"
    command = ["clang", "-target", "bpf", "-fsyntax-only", "-Werror", asm, f"-I{BPF}", "-xc", "-"]
    checked = subprocess.run(command, input=source, text=True, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_reasons_are_the_same_in_both_languages() -> None:
    names = re.findall(r"^\tREASON_(\w+),", (BPF / "reasons.h").read_text(), re.MULTILINE)
    assert names == [reason.name for reason in Reason]
    assert list(Reason) == list(range(1, len(names) + 1))


def test_the_gateway_has_the_same_mac_in_both_languages() -> None:
    declared = re.search(r"bpf_htons\(0x(\w+)\), 0x(\w+), 0x(\w+)", (BPF / "flow.h").read_text())
    assert declared
    assert bytes.fromhex("".join(declared.groups())) == maps.mac_bytes(maps.GATEWAY_MAC)


def only(item: Segment | Balancer | Filter | Forward, name: str) -> list[Entry]:
    """The entries of one map."""
    return [entry for entry in entries(item) if entry.map == name]


def test_a_segment_is_its_gateway() -> None:
    (entry,) = entries(Segment(5, 1, "10.0.0.0/24", "10.0.0.253"))
    assert entry.map == "addresses"
    assert entry.key == bytes.fromhex("01000000 0a0000fd")
    assert entry.value[:12] == bytes.fromhex("eeffffffffff 01 00 00000000")


def test_a_forward_without_opening_answers_and_leads_nowhere() -> None:
    (entry,) = entries(Forward(1, "10.0.0.100", "02:00:00:00:00:64", (7, 8), None))
    assert entry.value[:20] == bytes.fromhex("020000000064 02 02 00000000 07000000 08000000")


def test_a_replaced_opening_lives_on_and_takes_no_new_flow() -> None:
    new, old = Opening(9, 2, "100.64.0.1", 3), Opening(8, 4, "100.64.0.2", 5)
    item = Forward(1, "10.0.0.100", "02:00:00:00:00:64", (), new, old)
    assert [key for _, key, _ in only(item, "forwards")] == [
        maps.NUMBER.pack(9),
        maps.NUMBER.pack(8),
    ]
    (address,) = only(item, "addresses")
    assert address.value[8:12] == maps.NUMBER.pack(9)


def test_a_forward_with_an_opening_leads_to_its_balancer() -> None:
    item = Forward(1, "10.0.0.100", "02:00:00:00:00:64", (), Opening(9, 2, "100.64.0.1", 3))
    (opened,) = only(item, "forwards")
    assert opened == (
        "forwards",
        bytes.fromhex("09000000"),
        bytes.fromhex("02000000644000 0103000000"),
    )
    (address,) = only(item, "addresses")
    assert address.value[8:12] == opened.key


def test_eleven_security_groups_do_not_fit() -> None:
    item = Forward(1, "10.0.0.100", "02:00:00:00:00:64", tuple(range(1, 12)), None)
    with pytest.raises(ValueError, match="11 security groups; at most 10"):
        list(entries(item))


def balancer(*weights: int) -> Balancer:
    """A balancer with servers of these weights, told apart by their ports."""
    servers = tuple(Server("10.0.0.1", 1 + rank, weight) for rank, weight in enumerate(weights))
    return Balancer(3, (Listener(Protocol.TCP, 80, 80, servers),))


@pytest.mark.parametrize(
    ("weights", "places"),
    [
        ((), []),
        ((100,), [1]),
        ((100, 100), [1, 2]),
        ((50, 25, 25), [1, 2, 3, 1]),
        ((3, 1), [1, 1, 2, 1]),
        ((0, 5), [2]),
        ((0,), []),
    ],
)
def test_slots_are_weights_in_lowest_terms_spread_evenly(
    weights: tuple[int, ...], places: list[int]
) -> None:
    slots = [int.from_bytes(e.value[4:6], "big") for e in only(balancer(*weights), "servers")]
    assert slots == places
    (listener,) = only(balancer(*weights), "listeners")
    assert listener.key == bytes.fromhex("03000000 0050 06 00")
    assert listener.value == maps.NUMBER.pack(len(places))


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ((64, 63, 1), [64, 63, 1]),
        ((99, 100), [1, 1]),
        ((100, 99, 1), [64, 63, 1]),
        ((300, 301, 300), [43, 43, 42]),
        ((10_000, 1), [127, 1]),
        ((1000, *[1] * 100), [28, *[1] * 100]),
        ((7, *[1] * 127), [1] * 128),
        ((99, *[100] * 399), [1] * 400),
    ],
)
def test_a_listener_takes_no_more_slots_than_its_share(
    weights: tuple[int, ...], shares: list[int]
) -> None:
    slots = [entry.value for entry in only(balancer(*weights), "servers")]
    counted = Counter(int.from_bytes(value[4:6], "big") for value in slots)
    assert [counted[rank + 1] for rank in range(len(weights))] == shares
    assert len(slots) <= max(maps.MAX_SLOTS, len(weights))
    assert slots == [entry.value for entry in only(balancer(*weights), "servers")]


def test_a_filter_holds_its_rules_in_order() -> None:
    rules = (
        Rule(1, True, "TCP", "10.0.0.7/24", 80, 90),
        Rule(2, False, "ALL", "0.0.0.0/0", 0, 65535),
    )
    (entry,) = entries(Filter(11, rules))
    assert entry.key == maps.NUMBER.pack(11)
    assert len(entry.value) == maps.FILTER_SIZE
    count, first, second = entry.value[:4], entry.value[4:20], entry.value[20:36]
    assert count == maps.NUMBER.pack(2)
    assert first == bytes.fromhex("0a000000 ffffff00 5000 5a00 06 01 01 00")
    assert second == bytes.fromhex("00000000 00000000 0000 ffff 00 02 00 00")


def test_a_filter_with_too_many_rules_or_a_strange_protocol_is_refused() -> None:
    rule = Rule(1, True, "TCP", "0.0.0.0/0", 1, 2)
    assert list(entries(Filter(11, (rule,) * maps.MAX_RULES)))
    with pytest.raises(ValueError, match="251 rules; at most 250"):
        list(entries(Filter(11, (rule,) * (maps.MAX_RULES + 1))))
    with pytest.raises(ValueError, match="protocol 'GRE' is none of ALL, ICMP, TCP, UDP"):
        list(entries(Filter(11, (Rule(1, True, "GRE", "0.0.0.0/0", 0, 65535),))))


def test_an_attachment_needs_its_link() -> None:
    item = Attachment(1, 5, 2, "10.0.0.0/24", "10.0.0.5", "02:00:00:00:00:05")
    assert not list(entries(item))
    assert set(port_entries(item, 12, peer=False)) == {
        Entry("neighbours", bytes.fromhex("02000000 0a000005"),
              bytes.fromhex("0c000000 020000000005 00 00")),
        Entry("ports", bytes.fromhex("0c000000"),
              bytes.fromhex("02000000 0a000005 0a000000 ffffff00 020000000005 00 00")),
    }  # fmt: skip
    assert {entry.value[-2] for entry in port_entries(item, 12)} == {1}


def test_flow_keys_come_back_as_they_went_in() -> None:
    key = FlowKey(1, "10.0.0.5", 40000, "10.0.0.100", 80, 6)
    assert FlowKey.unpack(key.pack()) == key
    assert key.pack() == bytes.fromhex("01000000 0a000005 0a000064 9c40 0050 06 000000")


def test_a_flow_in_python() -> None:
    value = maps.FLOW.pack(
        5, 7, 22, ipaddress.IPv4Address("100.64.0.1").packed, bytes([10, 0, 0, 5]),
        0x409C, 0x901F, b"\x02\0\0\0\2\5", b"\xee" + b"\xff" * 5, 1, 2, 2, 1, 0, 1, 1, 1, 0,
    )  # fmt: skip
    flow = Flow.unpack(value)
    assert (flow.source, flow.source_port) == ("100.64.0.1", 40000)
    assert (flow.destination, flow.destination_port) == ("10.0.0.5", 8080)
    assert (flow.destination_mac, flow.source_mac) == ("02:00:00:00:02:05", maps.GATEWAY_MAC)
    assert (flow.peer, flow.reverse, flow.established, flow.reset) == (True, False, True, False)
    assert flow.ended
    assert maps.FLOW_GLANCE.unpack(value) == (
        flow.last_seen, flow.forward, flow.reverse, flow.established,
        flow.client_finished, flow.server_finished, flow.reset,
    )  # fmt: skip
    key = FlowKey(1, "10.0.0.5", 40000, "10.0.0.100", 80, 6)
    assert flow.partner(key) == FlowKey(2, "10.0.0.5", 8080, "100.64.0.1", 40000, 6)
