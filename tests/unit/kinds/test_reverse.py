"""The Reverse endpoint: what its security groups must be like."""

from __future__ import annotations

import msgspec
import pytest

from privlink import errors
from privlink.kinds import KINDS, fitting, interface, reverse
from privlink.model.network import IpVersion
from privlink.model.privatelink import EndpointType, ResourceType
from tests.unit.kinds.test_interface import group
from tests.unit.reversing import rule


def test_every_resource_type_has_one_type_of_endpoint() -> None:
    assert {each: fitting(each) for each in ResourceType} == {
        ResourceType.NLB: EndpointType.INTERFACE,
        ResourceType.SLB: EndpointType.INTERFACE,
        ResourceType.VPCNAT: EndpointType.REVERSE,
    }
    assert KINDS[EndpointType.REVERSE].lead is interface.lead


def test_one_of_its_groups_lets_everything_in() -> None:
    closed, other = group("normal"), group("other")
    opened = msgspec.structs.replace(other, type=closed.type)
    opened_by = rule(group_id=opened.id)
    several = [closed, opened]
    reverse.check(several, [opened_by], IpVersion.IPV4)
    with pytest.raises(errors.SecurityGroupTypeNotSupport, match=r"sg-normal, sg-other.*IPv4"):
        reverse.check(several, [], IpVersion.IPV4)
    with pytest.raises(errors.SecurityGroupTypeNotSupport, match="for IPv6"):
        reverse.check(several, [opened_by], IpVersion.DUAL_STACK)


def test_it_needs_groups_of_one_kind_as_others_do() -> None:
    with pytest.raises(errors.EndpointMustContainSecurityGroup):
        reverse.check([], [], IpVersion.IPV4)
    with pytest.raises(errors.SecurityGroupTypeOnlySingleTypeSupporteded):
        reverse.check([group("normal"), group("enterprise")], [], IpVersion.IPV4)
