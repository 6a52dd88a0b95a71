"""What `privlink attach` makes of an attachment, and what it prints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from privlink.cli import workloads
from privlink.node.plug import Ipv6, Port

PLACE: dict[str, Any] = {
    "SecurityGroupIds": [],
    "RequestId": "id",
    "AttachmentId": "att-1",
    "PrivateIpAddress": "10.0.0.5",
    "CidrBlock": "10.0.0.0/24",
    "VpcCidrBlock": "10.0.0.0/16",
    "Gateway": "10.0.0.253",
    "MacAddress": "02:00:00:00:00:05",
    "Status": "Attached",
}
IPV6 = {
    "Ipv6Address": "fd00:0:0:101::5",
    "Ipv6CidrBlock": "fd00:0:0:101::/64",
    "VpcIpv6CidrBlock": "fd00:0:0:100::/56",
    "Ipv6Gateway": "fd00::101:ffff:ffff:ffff:fffd",
}
NAMES = workloads._Names("/etc/netns/client/resolv.conf")
PORT = Port("eth0", "02:00:00:00:00:05", "10.0.0.5", 24, "10.0.0.253", "10.0.0.0/16")


def test_a_place_without_ipv6_is_a_port_without() -> None:
    assert workloads._port("eth0", PLACE) == PORT


def test_a_place_with_ipv6_is_a_port_with_it() -> None:
    port = workloads._port("eth0", PLACE | IPV6)
    assert port.ipv6 == Ipv6(
        "fd00:0:0:101::5", 64, "fd00::101:ffff:ffff:ffff:fffd", "fd00:0:0:100::/56"
    )
    assert port.address == "10.0.0.5"


def test_both_addresses_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    workloads._print(PLACE | IPV6, NAMES, "text")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["address", "10.0.0.5"] in lines
    assert ["ipv6", "fd00:0:0:101::5"] in lines
    assert ["ipv6", "gateway", "fd00::101:ffff:ffff:ffff:fffd"] in lines
    workloads._print(dict(PLACE), NAMES, "text")
    assert "ipv6" not in capsys.readouterr().out
    workloads._print(PLACE | IPV6, NAMES, "json")
    assert json.loads(capsys.readouterr().out)["Ipv6Address"] == "fd00:0:0:101::5"
