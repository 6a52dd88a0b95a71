"""The Interface endpoint: what it needs, and where its zones lead."""

from __future__ import annotations

import msgspec
import pytest

from privlink import errors
from privlink.kinds import interface
from privlink.model.ids import (
    AccountId,
    EndpointId,
    EniId,
    LoadBalancerId,
    SecurityGroupId,
    ServiceId,
    VpcId,
    VSwitchId,
    ZoneId,
)
from privlink.model.network import IpVersion
from privlink.model.privatelink import (
    Connection,
    Decision,
    EndpointZone,
    ServiceResource,
    TrafficControl,
)
from privlink.model.security import SecurityGroup

ZONE = EndpointZone(
    endpoint_id=EndpointId("ep-1"),
    zone_id=ZoneId("local-a"),
    number=1,
    vswitch_id=VSwitchId("vsw-1"),
    eni_id=EniId("eni-1"),
    resource_id=None,
    provider_vpc_id=None,
    source=None,
    opening=None,
    initial=True,
    placed=True,
    deleting=False,
    cut=False,
    replaced_resource_id=None,
    replaced_vpc_id=None,
    replaced_source=None,
    replaced_opening=None,
)


def group(kind: str) -> SecurityGroup:
    """A security group of a kind."""
    account, vpc = AccountId("1"), VpcId("vpc-1")
    return SecurityGroup(SecurityGroupId(f"sg-{kind}"), 1, account, vpc, kind, "", "", "", "Accept")


def resource(balancer: str, zone: str) -> ServiceResource:
    """A load balancer of the service in a zone."""
    return ServiceResource(ServiceId("epsrv-1"), LoadBalancerId(balancer), ZoneId(zone), True)


def connection(decision: Decision) -> Connection:
    """The connection with the provider's word on it."""
    return Connection(
        ZONE.endpoint_id, 1, ServiceId("epsrv-1"), decision, 3072, TrafficControl.SCALABILITY, ""
    )


HERE, ALSO_HERE, THERE = (
    resource("nlb-1", "local-a"),
    resource("nlb-2", "local-a"),
    resource("nlb-3", "local-b"),
)


def test_it_needs_security_groups_of_one_kind() -> None:
    version = IpVersion.IPV4
    interface.check([group("normal")], [], version)
    interface.check([group("enterprise"), group("enterprise")], [], version)
    with pytest.raises(errors.EndpointMustContainSecurityGroup):
        interface.check([], [], version)
    with pytest.raises(errors.SecurityGroupTypeOnlySingleTypeSupporteded):
        interface.check([group("normal"), group("enterprise")], [], version)


def test_an_accepted_zone_leads_to_a_resource_in_its_zone() -> None:
    accepted = connection(Decision.ACCEPTED)
    assert interface.lead(ZONE, accepted, [THERE, HERE, ALSO_HERE]) == HERE
    assert interface.lead(ZONE, accepted, [THERE]) is None
    assert interface.lead(ZONE, accepted, []) is None


@pytest.mark.parametrize("decision", [Decision.NONE, Decision.REFUSED])
def test_without_consent_it_leads_nowhere(decision: Decision) -> None:
    assert interface.lead(ZONE, connection(decision), [HERE]) is None


def test_a_zone_on_its_way_out_leads_nowhere() -> None:
    leaving = msgspec.structs.replace(ZONE, deleting=True)
    assert interface.lead(leaving, connection(Decision.ACCEPTED), [HERE]) is None


def test_a_zone_stays_with_the_resource_it_has_while_the_service_has_it() -> None:
    held = msgspec.structs.replace(ZONE, resource_id=ALSO_HERE.resource_id)
    accepted = connection(Decision.ACCEPTED)
    assert interface.lead(held, accepted, [HERE, ALSO_HERE]) == ALSO_HERE
    assert interface.lead(held, accepted, [HERE]) == HERE
