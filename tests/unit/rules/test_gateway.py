"""The status of a gateway endpoint, for every combination of facts that differs."""

from __future__ import annotations

import msgspec
import pytest

from privlink.model.gateway import GatewayAssociation, GatewayEndpoint, GatewayStatus
from privlink.model.ids import AccountId, EndpointId, RouteTableId, ServiceId, VpcId
from privlink.rules import gateway
from privlink.rules.gateway import AssociationFacts, GatewayFacts

ENDPOINT = GatewayEndpoint(
    id=EndpointId("vpce-1"),
    account_id=AccountId("1"),
    vpc_id=VpcId("vpc-1"),
    service_id=ServiceId("vpces-1"),
    name="",
    description="",
    policy="",
    created_at="",
    number=1,
    opening=1,
    provider_vpc_id=VpcId("vpc-2"),
    source=1,
    placed=True,
)
NEW = msgspec.structs.replace(ENDPOINT, placed=False)
DELETING = msgspec.structs.replace(ENDPOINT, deleting=True)


def table(
    name: str, *, held: bool = False, leaving: bool = False, confirmed: bool = False
) -> AssociationFacts:
    """A route table's association."""
    association = GatewayAssociation(ENDPOINT.id, RouteTableId(name), held, leaving)
    return AssociationFacts(association, confirmed)


COMING, GOING = table("vtb-1"), table("vtb-2", held=True, leaving=True)
THERE, TOUCHED = table("vtb-3", held=True, confirmed=True), table("vtb-4", held=True)
ARRIVED = table("vtb-5", confirmed=True)
GONE = table("vtb-6", held=True, leaving=True, confirmed=True)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (GatewayFacts(NEW, False), GatewayStatus.CREATING),
        (GatewayFacts(NEW, False, (COMING,)), GatewayStatus.CREATING),
        (GatewayFacts(NEW, True), GatewayStatus.CREATED),
        (GatewayFacts(ENDPOINT, True), GatewayStatus.CREATED),
        (GatewayFacts(ENDPOINT, True, (THERE, TOUCHED, ARRIVED, GONE)), GatewayStatus.CREATED),
        (GatewayFacts(ENDPOINT, True, (THERE, COMING)), GatewayStatus.ASSOCIATING),
        (GatewayFacts(ENDPOINT, True, (COMING, GOING)), GatewayStatus.DISSOCIATING),
        (GatewayFacts(ENDPOINT, False, (COMING,)), GatewayStatus.ASSOCIATING),
        (GatewayFacts(ENDPOINT, False, (THERE,)), GatewayStatus.MODIFYING),
        (GatewayFacts(DELETING, False, (GOING,)), GatewayStatus.DELETING),
        (GatewayFacts(DELETING, True), GatewayStatus.DELETING),
    ],
)
def test_the_status_follows_from_the_facts(facts: GatewayFacts, status: GatewayStatus) -> None:
    assert gateway.status(facts) is status


def test_a_table_is_listed_until_no_node_has_a_route_in_it() -> None:
    facts = GatewayFacts(ENDPOINT, True, (COMING, GOING, THERE, GONE))
    assert facts.tables == ["vtb-1", "vtb-2", "vtb-3"]
