"""A network gets IPv6, and workloads come in with an address of each family."""

from __future__ import annotations

import json
from typing import Any

import pytest
from alibabacloud_vpc20160428 import models as vpc

from demo.cloud import REGION, Network
from tests.journey.installation import Installation
from tests.kernel import lab

BLOCK, GATEWAY = "fd00:0:0:100::/56", "fd00::107:ffff:ffff:ffff:fffd"


@pytest.fixture
def network(installation: Installation) -> Network:
    """A network whose vSwitch has fd00:0:0:107::/64 since a moment ago."""
    cloud = installation.cloud()
    network = cloud.network("dual")
    cloud.vpc.modify_vpc_attribute(
        vpc.ModifyVpcAttributeRequest(
            region_id=REGION, vpc_id=network.vpc, enable_ipv_6=True, ipv_6cidr_block=BLOCK
        )
    )
    cloud.vpc.modify_vswitch_attribute(
        vpc.ModifyVSwitchAttributeRequest(
            region_id=REGION, v_switch_id=network.vswitch, enable_ipv_6=True, ipv_6cidr_block=7
        )
    )
    return network


def shown(netns: str, *what: str) -> Any:
    return json.loads(lab.run(netns, "ip", "-6", "-j", *what))


def test_a_workload_comes_in_with_an_address_of_each_family(
    installation: Installation, network: Network
) -> None:
    with lab.namespace("dual") as netns:
        place = ("--vswitch", network.vswitch, "--netns", netns)
        wanted = ("--ip", "10.0.0.5", "--ipv6", "fd00:0:0:107::5")
        attached = json.loads(installation.run("attach", *place, *wanted, "-o", "json"))
        assert attached["Ipv6Address"] == "fd00:0:0:107::5"
        (link,) = shown(netns, "addr", "show", "dev", "eth0")
        found = {each["scope"]: each["local"] for each in link["addr_info"]}
        assert found.keys() == {"global", "link"}  # the latter so that it may pass on
        assert found["global"] == "fd00:0:0:107::5"
        (default,) = shown(netns, "route", "show", "default")
        assert default["gateway"] == GATEWAY
        assert "10.0.0.5 fd00:0:0:107::5" in installation.run("status")
        printed = installation.run("attach", *place, "--ifname", "eth1")
        (chosen,) = (line.split()[1] for line in printed.splitlines() if line.startswith("ipv6  "))
        assert chosen.startswith("fd00::107:")
        assert f"10.0.0.1 {chosen}" in installation.run("status")


def test_an_address_that_is_not_of_the_vswitch_is_refused(
    installation: Installation, network: Network
) -> None:
    before = installation.run("status", "-o", "json")
    with lab.namespace("dual") as netns:
        place = ("--vswitch", network.vswitch, "--netns", netns)
        refused = installation.attempt("attach", *place, "--ipv6", "fd00:0:0:108::5")
        assert refused.returncode == 1
        assert "fd00:0:0:107::/64" in refused.stderr
        assert "it lies outside the vSwitch" in refused.stderr
        assert len(json.loads(lab.run(netns, "ip", "-j", "link"))) == 1
    after = json.loads(installation.run("status", "-o", "json"))
    assert after["Attachments"] == json.loads(before)["Attachments"]
