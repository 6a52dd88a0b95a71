"""Targets as `privlink endpoint-targets` takes them."""

from __future__ import annotations

import click
import pytest

from privlink.cli import endpoint_targets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.0/24", {"CidrBlock": "10.0.0.0/24"}),
        ("10.0.0.0/24,udp", {"CidrBlock": "10.0.0.0/24", "IpProtocol": "UDP"}),
        (
            "10.0.0.9/32,tcp,80/81",
            {"CidrBlock": "10.0.0.9/32", "IpProtocol": "TCP", "PortRange": "80/81"},
        ),
    ],
)
def test_a_target_is_a_block_and_maybe_a_protocol_and_ports(
    text: str, expected: dict[str, str]
) -> None:
    assert endpoint_targets._target(text) == expected


def test_more_than_that_is_refused() -> None:
    with pytest.raises(click.UsageError, match="must look like"):
        endpoint_targets._target("10.0.0.9/32,tcp,80,81")
