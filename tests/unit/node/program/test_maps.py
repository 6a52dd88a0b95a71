"""The twins agree: what Python packs is what the compiler lays out."""

from __future__ import annotations

import platform
import re
import struct
import subprocess
from pathlib import Path

import pytest

import privlink
from privlink.node.program import maps
from privlink.node.program.maps import (
    AddressKind,
    Cause,
    Direction,
    Event,
    Family,
    Flow,
    FlowKey,
    Number,
    Reason,
    RouteKind,
    Scheduler,
    Way,
)

BPF = Path(privlink.__file__).parent / "bpf"

# Each structure of maps.h, the format that packs it, and its fields in the order of the format.
LAYOUTS = (
    (
        "port",
        maps.PORT,
        "network table address subnet netmask asker gateway gateway6 address6 subnet6 mac peer "
        "filter_count filters",
    ),
    ("address_key", maps.ADDRESS_KEY, "network address"),
    ("address", maps.ADDRESS, "mac kind filter_count forward place balancer filters"),
    ("door_key", maps.DOOR_KEY, "network address port protocol"),
    ("route_key", maps.ROUTE_KEY, "prefix table address"),
    ("route", maps.ROUTE, "called hop kind"),
    (
        "forward",
        maps.FORWARD,
        "network source source6 flows spacing idle_tcp idle_udp pace routed",
    ),
    ("listener_key", maps.LISTENER_KEY, "prefix balancer family protocol port"),
    ("listener", maps.LISTENER, "slots first idle scheduler"),
    ("server_key", maps.SERVER_KEY, "balancer family protocol first slot"),
    ("server", maps.SERVER, "address port weight"),
    ("target_key", maps.TARGET_KEY, "balancer family protocol first address port"),
    ("turn_key", maps.TURN_KEY, "balancer family protocol first"),
    ("count", maps.COUNT, "next flows"),
    ("complaints", maps.COMPLAINTS, "second times"),
    ("refusal_key", maps.REFUSAL_KEY, "place reason way"),
    ("amount", maps.AMOUNT, "packets bytes"),
    ("neighbour", maps.NEIGHBOUR, "ifindex mac peer"),
    ("filter_key", maps.FILTER_KEY, "number direction"),
    ("filter", maps.FILTER, "count version"),
    ("page_key", maps.PAGE_KEY, "number direction version page"),
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
        "last_seen opened packets bytes forward ifindex source destination source_port "
        "destination_port destination_mac source_mac address_difference port_difference "
        "partner_network epoch taken place balancer listener idle pace any_port loaded peer "
        "reverse established client_finished server_finished reset revoked acknowledged last",
    ),
    (
        "traffic",
        maps.TRAFFIC,
        "carried[0].packets carried[0].bytes carried[1].packets carried[1].bytes "
        "dropped[0].packets dropped[0].bytes dropped[1].packets dropped[1].bytes "
        "shaped[0].packets shaped[0].bytes shaped[1].packets shaped[1].bytes "
        "released[0].packets released[0].bytes released[1].packets released[1].bytes "
        "opened ended born second said unsaid",
    ),
    (
        "record",
        maps.RECORD,
        "time opened carried[0].packets carried[0].bytes carried[1].packets carried[1].bytes "
        "network place client called source server client_port called_port source_port "
        "server_port group rule direction event cause protocol way",
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
        f"_Static_assert(sizeof(struct page) == {maps.PAGE_SIZE}, '');",
        "_Static_assert(offsetof(struct page, rules) == 0, '');",
        f"_Static_assert(LAYOUT == {maps.LAYOUT}, '');",
        f"_Static_assert(PAGE_RULES == {maps.PAGE_RULES}, '');",
        f"_Static_assert(MAX_RULES == {maps.MAX_RULES}, '');",
        f"_Static_assert(MAX_FILTERS == {maps.MAX_FILTERS}, '');",
        f"_Static_assert(CAUSES == {maps.CAUSES}, '');",
        f"_Static_assert(LISTENER_PREFIX == {maps.LISTENER_PREFIX}, '');",
        f"_Static_assert(SET_PREFIX == {maps.SET_PREFIX}, '');",
        f"_Static_assert(ROUTE_PREFIX == {maps.ROUTE_PREFIX}, '');",
        *(f"_Static_assert(ADDRESS_{each.name} == {each:d}, '');" for each in AddressKind),
        *(f"_Static_assert(ROUTE_{each.name} == {each:d}, '');" for each in RouteKind),
        *(f"_Static_assert(SCHEDULER_{each.name} == {each:d}, '');" for each in Scheduler),
        *(f"_Static_assert({each.name} == {each:d}, '');" for each in Way),
        *(f"_Static_assert(EVENT_{each.name} == {each:d}, '');" for each in Event),
        *(f"_Static_assert(FAMILY_{each.name} == {each:d}, '');" for each in Family),
        *(f"_Static_assert({each.name} == {each:d}, '');" for each in Direction),
        *(f"_Static_assert(NUMBER_{each.name} == {each:d}, '');" for each in Number),
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


def test_causes_are_the_same_in_both_languages() -> None:
    names = re.findall(r"^\tCAUSE_(\w+)\b", (BPF / "reasons.h").read_text(), re.MULTILINE)
    assert names == [cause.name for cause in Cause]
    assert list(Cause) == list(range(1, maps.CAUSES))


def test_the_gateway_has_the_same_mac_in_both_languages() -> None:
    declared = re.search(r"bpf_htons\(0x(\w+)\), 0x(\w+), 0x(\w+)", (BPF / "packet.h").read_text())
    assert declared
    assert bytes.fromhex("".join(declared.groups())) == maps.mac_bytes(maps.GATEWAY_MAC)


MAPPED = "00000000000000000000ffff"


@pytest.mark.parametrize(
    ("address", "packed"),
    [
        ("10.0.0.5", MAPPED + "0a000005"),
        ("fd00::5", "fd000000000000000000000000000005"),
        ("::", "00" * 16),
    ],
)
def test_an_address_has_sixteen_bytes_in_either_family(address: str, packed: str) -> None:
    assert maps.address_bytes(address).hex() == packed
    assert maps.address_text(bytes.fromhex(packed)) == address
    assert maps.address_key(1, address).hex() == "01000000" + packed


@pytest.mark.parametrize("address", ["", "10.0.0", "10.0.0.256", "fd00::g", "10.0.0.0/24"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=f"{address!r} is no IP address"):
        maps.address_bytes(address)


@pytest.mark.parametrize(
    ("source", "packed"),
    [
        ("10.0.0.5", MAPPED + "0a000005"),
        ("fd00::5", "fd000000000000000000000000000005"),
    ],
)
def test_flow_keys_come_back_as_they_went_in(source: str, packed: str) -> None:
    key = FlowKey(1, source, 40000, "10.0.0.100", 80, 6)
    assert FlowKey.unpack(key.pack()) == key
    assert key.pack().hex() == f"01000000{packed}{MAPPED}0a0000649c40005006000000"
    assert maps.FLOW_KEY_GLANCE.unpack(key.pack()) == (6,)


def test_a_flow_in_python() -> None:
    source, destination = map(maps.address_bytes, ("100.64.0.1", "10.0.0.5"))
    value = maps.FLOW.pack(
        5, 4, 3, 900, 7, 22, source, destination,
        0x409C, 0x901F, b"\x02\0\0\0\2\5", b"\xee" + b"\xff" * 5, 1, 2, 2, 9, 0,
        31, 32, 0x5000, 60, 4, 1, 0, 1, 0, 1, 1, 1, 0, 8, 1, 0x78563412,
    )  # fmt: skip
    flow = Flow.unpack(value)
    assert (flow.source, flow.source_port) == ("100.64.0.1", 40000)
    assert (flow.destination, flow.destination_port) == ("10.0.0.5", 8080)
    assert (flow.destination_mac, flow.source_mac) == ("02:00:00:00:02:05", maps.GATEWAY_MAC)
    assert (flow.peer, flow.reverse, flow.established, flow.reset) == (True, False, True, False)
    assert (flow.partner_network, flow.epoch) == (2, 9)
    assert (flow.opened, flow.packets, flow.octets) == (4, 3, 900)
    assert (flow.place, flow.balancer, flow.listener) == (31, 32, 80)
    assert (flow.idle, flow.pace, flow.any_port, flow.loaded) == (60, 4, True, False)
    assert flow.revoked == Cause.NO_LONGER_PERMITTED
    assert flow.ended
    assert (flow.acknowledged, flow.last) == (True, 0x12345678)
    assert maps.FLOW_GLANCE.unpack(value) == (
        flow.last_seen, flow.idle, flow.reverse, flow.established,
        flow.client_finished, flow.server_finished, flow.reset, bool(flow.revoked),
    )  # fmt: skip
    key = FlowKey(1, "10.0.0.5", 40000, "10.0.0.100", 80, 6)
    assert flow.partner(key) == FlowKey(2, "10.0.0.5", 8080, "100.64.0.1", 40000, 6)
