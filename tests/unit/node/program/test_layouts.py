"""Flows of older layouts, in the present one.

client 10.0.0.5:40000 ── asks 10.0.0.9:80, place 21 ── forward 7, balancer 3 ── 10.0.0.6:8080
"""

from __future__ import annotations

import socket
import struct
from socket import IPPROTO_TCP, IPPROTO_UDP, htons
from typing import Any

import pytest

from privlink.node.program import layouts, maps
from privlink.node.program.maps import Cause, Family, Flow, FlowKey, address_bytes, address_key

FIRST = struct.Struct("=QII16s16sHH6s6sIIIIIBBBBBBBBI")
SEEN = 5_000_000_000
THERE = FlowKey(1, "10.0.0.5", 40000, "10.0.0.9", 80, IPPROTO_TCP)
BACK = FlowKey(2, "10.0.0.6", 8080, "100.64.0.1", 40000, IPPROTO_TCP)
HEAD = (3, Family.IPV4, IPPROTO_TCP)


def first(*, reverse: bool = False, **fields: Any) -> bytes:
    """A flow of layout 1 as its program packed it."""
    forth = ("100.64.0.1", "10.0.0.6", 40000, 8080, 2)
    source, destination, source_port, destination_port, network = (
        ("10.0.0.9", "10.0.0.5", 80, 40000, 1) if reverse else forth
    )
    flow = {
        "last_seen": SEEN, "forward": 7, "ifindex": 22,
        "source": address_bytes(source), "destination": address_bytes(destination),
        "source_port": htons(source_port), "destination_port": htons(destination_port),
        "destination_mac": b"\x02\0\0\0\2\5", "source_mac": b"\xee" + b"\xff" * 5,
        "address_difference": 11, "port_difference": 12, "partner_network": network, "epoch": 9,
        "taken": 0, "peer": 1, "reverse": reverse, "established": 1, "client_finished": 0,
        "server_finished": 0, "reset": 0, "revoked": 0, "acknowledged": 0, "last": 0,
    }  # fmt: skip
    assert fields.keys() <= flow.keys()
    return FIRST.pack(*(flow | fields).values())


def present(**changes: Any) -> dict[tuple[str, bytes], bytes]:
    """The entries that a flow is looked up among."""
    forward = {"idle_tcp": 0, "idle_udp": 0, "pace": 0} | changes
    mac, none = bytes(6), [0] * maps.MAX_FILTERS
    return {
        ("addresses", address_key(1, "10.0.0.9")): maps.ADDRESS.pack(mac, 2, 0, 7, 21, 3, *none),
        ("forwards", maps.NUMBER.pack(7)): maps.FORWARD.pack(
            2, bytes(16), bytes(16), 65536, 0, *forward.values(), 0
        ),
        ("listeners", maps.LISTENER_KEY.pack(maps.LISTENER_PREFIX, *HEAD, htons(80))):
            maps.LISTENER.pack(1, htons(80), 300, 1),
        ("targets", target(8080)): maps.NUMBER.pack(1),
    }  # fmt: skip


def target(port: int) -> bytes:
    return maps.TARGET_KEY.pack(*HEAD, htons(80), address_bytes("10.0.0.6"), htons(port))


def moved(
    key: FlowKey, value: bytes, entries: dict[tuple[str, bytes], bytes] | None = None
) -> Flow:
    """The flow in the present layout."""
    entries = present() if entries is None else entries
    converted = layouts.OLDER[1].convert(key.pack(), value, lambda *at: entries.get(at))
    return Flow.unpack(converted)


def test_every_layout_before_the_present_one_has_a_way_here() -> None:
    assert [*layouts.OLDER] == [*range(1, maps.LAYOUT)]
    assert layouts.OLDER[1][:2] == (44, FIRST.size)


@pytest.mark.parametrize(("key", "reverse"), [(THERE, False), (BACK, True)])
def test_both_directions_of_a_flow_rest_on_the_same(key: FlowKey, reverse: bool) -> None:
    flow = moved(key, first(reverse=reverse))
    assert (flow.place, flow.balancer, flow.listener, flow.idle) == (21, 3, 80, 300)
    assert (flow.reverse, flow.any_port, flow.loaded, flow.pace) == (reverse, False, False, 0)
    assert (flow.last_seen, flow.opened, flow.packets, flow.octets) == (SEEN, SEEN, 0, 0)
    assert (flow.epoch, flow.taken) == (0, 0)
    assert flow.partner(key) == (THERE if reverse else BACK)
    assert layouts.partner_key(key.pack(), packed(flow)) == flow.partner(key).pack()
    assert layouts.owner(packed(flow)) == (None if reverse else 7)


def test_everything_a_flow_says_itself_stays() -> None:
    flow = moved(THERE, first(established=0, client_finished=1, acknowledged=1, last=0x78563412))
    assert (flow.forward, flow.ifindex, flow.partner_network) == (7, 22, 2)
    assert (flow.destination_mac, flow.source_mac) == ("02:00:00:00:02:05", maps.GATEWAY_MAC)
    assert (flow.address_difference, flow.port_difference, flow.peer) == (11, 12, True)
    assert (flow.established, flow.client_finished, flow.server_finished) == (False, True, False)
    assert (flow.acknowledged, flow.last) == (True, 0x12345678)
    assert (flow.reset, flow.revoked) == (0, 0)
    ended = moved(THERE, first(reset=1, revoked=1, taken=1))
    assert (ended.reset, ended.revoked) == (Cause.CLIENT_RESET, Cause.NO_LONGER_PERMITTED)
    assert ended.taken == 0


@pytest.mark.parametrize(("key", "reverse"), [(THERE, False), (BACK, True)])
def test_a_flow_of_layout_2_stays_as_it_is_and_is_judged_anew(key: FlowKey, reverse: bool) -> None:
    flow = moved(key, first(reverse=reverse))
    second = flow._replace(packets=7, octets=900, epoch=9, taken=1, loaded=True, any_port=True)
    assert layouts.OLDER[2][:2] == (44, maps.FLOW.size)
    converted = layouts.OLDER[2].convert(key.pack(), packed(second), lambda *_: None)
    assert Flow.unpack(converted) == second._replace(epoch=0, taken=0, loaded=False)


def test_what_the_forward_says_goes_before_the_listener() -> None:
    entries = present(idle_tcp=1800, pace=6)
    assert moved(THERE, first(), entries)[20:22] == (1800, 6)
    assert moved(BACK, first(reverse=True), entries)[20:22] == (1800, 7)


def test_a_server_of_any_port_is_found_as_such() -> None:
    entries = present()
    entries["targets", target(0)] = entries.pop(("targets", target(8080)))
    assert moved(THERE, first(), entries).any_port
    assert moved(BACK, first(reverse=True), entries).any_port


@pytest.mark.parametrize(("protocol", "idle"), [(IPPROTO_TCP, 900), (IPPROTO_UDP, 60)])
def test_a_flow_that_rests_on_nothing_comes_to_be_told_so(protocol: int, idle: int) -> None:
    flow = moved(THERE._replace(protocol=protocol), first(), {})
    assert (flow.place, flow.balancer, flow.listener, flow.idle) == (0, 0, 80, idle)
    assert (flow.forward, flow.any_port) == (7, False)


def test_what_either_program_has_seen_stays_seen() -> None:
    held = packed(moved(THERE, first(client_finished=1)))
    brought = packed(moved(THERE, first(server_finished=1, last=5)))
    both = Flow.unpack(layouts.merged(held, brought))
    assert (both.client_finished, both.server_finished) == (True, True)
    assert both.last == socket.ntohl(5)
    assert layouts.merged(held, packed(moved(THERE, first()))) == held
    late = packed(moved(THERE, first(last_seen=SEEN + 20_000_000_000)))
    assert layouts.last_seen(layouts.merged(held, late)) == SEEN + 20_000_000_000


def test_a_flow_opened_later_is_another_one() -> None:
    held = packed(moved(THERE, first())._replace(opened=SEEN + 1))
    assert layouts.merged(held, packed(moved(THERE, first(reset=1)))) == held
    other = moved(THERE, first(destination_port=htons(8081)))
    assert not layouts.same_flow(held, packed(other))
    assert layouts.same_flow(held, packed(moved(THERE, first(reset=1))))


def packed(flow: Flow) -> bytes:
    fields = flow._asdict()
    for name in ("source", "destination"):
        fields[name] = address_bytes(fields[name])
        fields[f"{name}_mac"] = maps.mac_bytes(fields[f"{name}_mac"])
    for name in ("source_port", "destination_port", "listener"):
        fields[name] = htons(fields[name])
    fields["last"] = socket.htonl(fields["last"])
    return maps.FLOW.pack(*fields.values())
