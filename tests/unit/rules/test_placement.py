"""Which zone an address lies in."""

from __future__ import annotations

import pytest

from privlink.model.ids import AccountId, VpcId, VSwitchId, ZoneId
from privlink.model.network import VSwitch
from privlink.rules import placement


def vswitch(zone: str, cidr: str, cidr6: str = "") -> VSwitch:
    """A vSwitch of one VPC."""
    return VSwitch(
        id=VSwitchId(f"vsw-{zone}"),
        number=1,
        vpc_id=VpcId("vpc-1"),
        account_id=AccountId("1"),
        zone_id=ZoneId(zone),
        cidr=cidr,
        name="",
        description="",
        created_at="",
        next_address=0,
        cidr6=cidr6,
    )


VSWITCHES = [vswitch("a", "10.0.0.0/24"), vswitch("b", "10.0.1.0/24", "fd00::/64")]


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("10.0.0.5", "a"),
        ("10.0.1.5", "b"),
        ("fd00::5", "b"),
        ("10.0.2.5", ""),
        ("fd00:0:0:1::5", ""),
    ],
)
def test_an_address_is_in_the_zone_of_its_vswitch(address: str, zone: str) -> None:
    assert placement.zone_of(address, VSWITCHES) == zone
