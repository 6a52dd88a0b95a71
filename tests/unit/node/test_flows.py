"""When a flow is over: a table of states and silences."""

from __future__ import annotations

from socket import IPPROTO_TCP, IPPROTO_UDP
from typing import Any

import pytest

from privlink.node.flows import SECOND, expired
from privlink.node.maps import FLOW, Flow

FRESH = Flow.unpack(bytes(FLOW.size))._replace(last_seen=100 * SECOND)


@pytest.mark.parametrize(
    ("state", "seconds"),
    [
        ({}, 60),
        ({"established": True}, 7500),
        ({"established": True, "client_finished": True}, 7500),  # half-closed may last
        ({"established": True, "server_finished": True}, 7500),
        ({"established": True, "client_finished": True, "server_finished": True}, 10),
        ({"established": True, "reset": True}, 10),
        ({"reset": True}, 10),
    ],
)
def test_each_state_has_its_silence(state: dict[str, Any], seconds: int) -> None:
    flow = FRESH._replace(**state)
    over = flow.last_seen + seconds * SECOND
    assert not expired(flow, IPPROTO_TCP, over - 1)
    assert expired(flow, IPPROTO_TCP, over)


@pytest.mark.parametrize(
    ("state", "seconds"),
    [
        ({}, 60),  # asked, never answered
        ({"established": True}, 300),
        ({"reset": True}, 10),
    ],
)
def test_datagrams_have_less_patience(state: dict[str, Any], seconds: int) -> None:
    flow = FRESH._replace(**state)
    over = flow.last_seen + seconds * SECOND
    assert not expired(flow, IPPROTO_UDP, over - 1)
    assert expired(flow, IPPROTO_UDP, over)


def test_a_flow_seen_after_the_clock_was_read_is_not_over() -> None:
    assert not expired(FRESH, IPPROTO_TCP, FRESH.last_seen - 1)


@pytest.mark.parametrize("protocol", [IPPROTO_TCP, IPPROTO_UDP])
def test_in_a_crowd_only_what_was_never_established_goes_sooner(protocol: int) -> None:
    ten = FRESH.last_seen + 10 * SECOND
    assert expired(FRESH, protocol, ten, crowded=True)
    assert not expired(FRESH, protocol, ten - 1, crowded=True)
    assert not expired(FRESH._replace(established=True), protocol, ten, crowded=True)
