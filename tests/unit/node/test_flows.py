"""When a flow is over: a table of states and silences."""

from __future__ import annotations

from socket import IPPROTO_TCP, IPPROTO_UDP

import pytest

from privlink.node.flows import SECOND, patience


@pytest.mark.parametrize(
    ("protocol", "ended", "established", "seconds"),
    [
        (IPPROTO_TCP, False, False, 60),
        (IPPROTO_TCP, False, True, 900),
        (IPPROTO_TCP, True, True, 10),
        (IPPROTO_TCP, True, False, 10),
        (IPPROTO_UDP, False, False, 60),  # asked, never answered
        (IPPROTO_UDP, False, True, 900),
    ],
)
def test_each_state_has_its_silence(
    protocol: int, ended: bool, established: bool, seconds: int
) -> None:
    assert patience(protocol, 900, over=ended, established=established) == seconds * SECOND


@pytest.mark.parametrize("protocol", [IPPROTO_TCP, IPPROTO_UDP])
def test_in_a_crowd_only_what_was_never_established_goes_sooner(protocol: int) -> None:
    calm = patience(protocol, 900, over=False, established=True)
    assert patience(protocol, 900, over=False, established=True, crowded=True) == calm
    assert patience(protocol, 900, over=False, established=False, crowded=True) == 10 * SECOND


def test_a_datagram_is_answered_within_the_patience_of_its_service_or_not_at_all() -> None:
    assert patience(IPPROTO_UDP, 20, over=False, established=False) == 20 * SECOND
    assert patience(IPPROTO_TCP, 20, over=False, established=False) == 60 * SECOND
