"""Endpoints that only their creator may touch, and the role that PrivateLink has in an account."""

from __future__ import annotations

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.cost import counted
from tests.api.identity import allow, role, session, user
from tests.api.stage import Stage
from tests.api.world import A, B, World

LINKED = "AliyunServiceRoleForPrivatelink"


@pytest.fixture
def service_role(operator: Account) -> str:
    """A role that may do everything."""
    return role(operator, "managed", allow("*"))


@pytest.fixture
def alice(stage: Stage, operator: Account) -> Account:
    """A user who may do everything."""
    return user(stage, operator, "alice", allow("*"))


def test_only_the_session_that_created_a_protected_endpoint_may_change_it(
    stage: Stage,
    world: World,
    operator: Account,
    alice: Account,
    service_role: str,
    refused: Refused,
) -> None:
    creator = session(stage, alice, service_role, "one")
    neighbour = session(stage, alice, service_role, "two")
    network = world.network(A, B)
    group, more = world.group(network), world.group(network)
    endpoint = World(creator).endpoint(
        world.published(A, B), network, A, group=group, ProtectedEnabled=True
    )
    named = {"EndpointId": endpoint}
    for caller in (neighbour, alice, operator):
        api = caller.privatelink
        calls = (
            lambda api=api: api.UpdateVpcEndpointAttribute(**named, EndpointName="mine"),
            lambda api=api: api.AddZoneToVpcEndpoint(
                **named, ZoneId=B, VSwitchId=network.vswitches[B]
            ),
            lambda api=api: api.RemoveZoneFromVpcEndpoint(**named, ZoneId=A),
            lambda api=api: api.AttachSecurityGroupToVpcEndpoint(**named, SecurityGroupId=more),
            lambda api=api: api.DetachSecurityGroupFromVpcEndpoint(**named, SecurityGroupId=group),
            lambda api=api: api.DeleteVpcEndpoint(**named),
        )
        for call in calls:
            with refused("EndpointProtected", 400, endpoint, "assumed-role/managed/one"):
                call()
        assert api.GetVpcEndpointAttribute(**named)["ProtectedEnabled"] is True
    again = session(stage, alice, service_role, "one").privatelink
    again.UpdateVpcEndpointAttribute(**named, EndpointName="mine")
    again.AttachSecurityGroupToVpcEndpoint(**named, SecurityGroupId=more)
    again.RemoveZoneFromVpcEndpoint(**named, ZoneId=A)
    again.DeleteVpcEndpoint(**named)


def test_other_callers_protect_nothing(
    stage: Stage, world: World, operator: Account, alice: Account, service_role: str
) -> None:
    network, service = world.network(), world.published()
    for caller in (operator, alice):
        endpoint = World(caller).endpoint(service, network, ProtectedEnabled=True)
        assert World(caller).shown(endpoint)["ProtectedEnabled"] is False
        session(stage, alice, service_role).privatelink.UpdateVpcEndpointAttribute(
            EndpointId=endpoint, EndpointName="theirs"
        )
    unprotected = World(session(stage, alice, service_role)).endpoint(service, network)
    operator.privatelink.DeleteVpcEndpoint(EndpointId=unprotected)


def test_the_provider_can_still_close_a_protected_endpoint(
    stage: Stage, world: World, operator: Account, alice: Account, service_role: str
) -> None:
    service, network = world.published(), world.network()
    endpoint = World(session(stage, alice, service_role)).endpoint(
        service, network, A, ProtectedEnabled=True
    )
    operator.privatelink.DisableVpcEndpointConnection(ServiceId=service, EndpointId=endpoint)


def test_privatelinks_role_comes_with_the_first_endpoint(
    operator: Account, other: Account, world: World, refused: Refused
) -> None:
    service, consumer = world.published(), World(other)
    operator.privatelink.AddUserToVpcEndpointService(ServiceId=service, UserId=int(other.id))
    network = consumer.network()
    assert other.ram.ListRoles()["Roles"]["Role"] == []
    first, second = (consumer.endpoint(service, network) for _ in range(2))
    (listed,) = other.ram.ListRoles()["Roles"]["Role"]
    shown = other.ram.GetRole(RoleName=LINKED)["Role"]
    assert listed["RoleName"] == LINKED
    assert shown["IsServiceLinkedRole"] is True
    assert "privatelink.aliyuncs.com" in shown["AssumeRolePolicyDocument"]
    (policy,) = other.ram.ListPoliciesForRole(RoleName=LINKED)["Policies"]["Policy"]
    assert policy["PolicyName"] == "AliyunServiceRolePolicyForPrivatelink"
    refusal = ("InvalidOperation.Role.ServiceLinked", 409, "privatelink.aliyuncs.com")
    named = {"PolicyName": "AdministratorAccess", "PolicyType": "System"}
    with refused(*refusal):
        other.ram.UpdateRole(RoleName=LINKED, NewDescription="mine")
    with refused(*refusal):
        other.ram.AttachPolicyToRole(RoleName=LINKED, **named)
    with refused(*refusal):
        other.ram.DetachPolicyFromRole(
            RoleName=LINKED, PolicyName=policy["PolicyName"], PolicyType="System"
        )
    for endpoint in (first, second):
        with refused(*refusal, "neither endpoints nor services"):
            other.ram.DeleteRole(RoleName=LINKED)
        other.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    other.ram.DeleteRole(RoleName=LINKED)
    assert other.ram.ListRoles()["Roles"]["Role"] == []
    consumer.endpoint(service, network)
    assert other.ram.GetRole(RoleName=LINKED)["Role"]["RoleId"] != shown["RoleId"]


def test_a_service_brings_the_role_as_well(
    operator: Account, world: World, refused: Refused
) -> None:
    service = world.service()
    with refused("InvalidOperation.Role.ServiceLinked", 409):
        operator.ram.DeleteRole(RoleName=LINKED)
    operator.privatelink.DeleteVpcEndpointService(ServiceId=service)
    operator.ram.DeleteRole(RoleName=LINKED)


def test_the_role_costs_the_first_endpoint_only(world: World) -> None:
    service, network = world.published(), world.network()
    group = world.group(network)
    costs = []
    for _ in range(3):
        with counted() as cost:
            world.endpoint(service, network, group=group)
        costs.append(cost.statements)
    assert len(set(costs)) == 1  # the service has brought the role


def test_nobody_becomes_privatelink(
    stage: Stage, world: World, operator: Account, alice: Account, refused: Refused
) -> None:
    world.service()
    with refused("NoPermission", 403, "trust policy"):
        session(stage, alice, f"acs:ram::{operator.id}:role/{LINKED}")
