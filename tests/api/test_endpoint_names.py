"""Aliases, every name an endpoint goes by, and why a name is answered as it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.account import Account
from tests.api.answering import asked
from tests.api.conftest import Refused
from tests.api.identity import allow, role, session, user
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.test_service_names import NAME, address, approved, left, switch
from tests.api.world import A, B, Network, World

DB = "db.shop.internal"


def alias(account: Account, endpoint: str, name: str = DB, **more: Any) -> dict[str, Any]:
    """One more name of an endpoint."""
    return account.own.call("CreateEndpointAlias", EndpointId=endpoint, Name=name, **more)


def names(account: Account, endpoint: str) -> dict[tuple[str, str], tuple[bool, str]]:
    """Whether an endpoint's names answer, and why, by kind and name."""
    found = account.own.call("ListEndpointNames", EndpointId=endpoint)["Names"]
    return {(each["Kind"], each["Name"]): (each["Answers"], each["Why"]) for each in found}


def explained(account: Account, name: str, network: Network, zone: str = A) -> dict[str, Any]:
    """Why a name is answered as it is in a vSwitch."""
    return account.own.call("ExplainName", Name=name, VSwitchId=network.vswitches[zone])


def agreed(node: Node, account: Account, name: str, network: Network) -> dict[str, Any]:
    """What is explained, which is what is answered."""
    said = asked(node, name, network.vswitch)
    told = explained(account, name, network)
    assert [each["Address"] for each in told["Addresses"]] == (said or [])
    assert (told["Outcome"] == "Upstream") == (said is None)
    return told


def test_an_alias_answers_in_its_vpc_and_nowhere_else(
    world: World, operator: Account, node: Node, refused: Refused
) -> None:
    network, aside = world.network(), world.network()
    endpoint = world.endpoint(world.published(), network, A)
    assert alias(operator, endpoint, "DB.Shop.Internal.")["Name"] == DB
    assert asked(node, DB, network.vswitch) == [address(world, endpoint)]
    assert asked(node, f"x.{DB}", network.vswitch) is None
    assert asked(node, DB, aside.vswitch) is None
    with refused("EndpointAliasExists", 400, endpoint, DB, "all of its zones"):
        alias(operator, endpoint, ZoneId=A)
    operator.own.call("DeleteEndpointAlias", EndpointId=endpoint, Name="DB.shop.internal.")
    assert asked(node, DB, network.vswitch) is None
    with refused("EndpointAliasNotFound", 404, endpoint, DB):
        operator.own.call("DeleteEndpointAlias", EndpointId=endpoint, Name=DB)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("ep-1.privatelink.internal", "privatelink.internal"),
        ("*.shop.internal", "labels"),
        ("1.0.0.10.in-addr.arpa", "addresses"),
        ("10.0.0.1", "address"),
        ("", "labels"),
    ],
)
def test_what_is_no_alias(
    world: World, operator: Account, refused: Refused, name: str, rule: str
) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    with refused("InvalidName", 400, repr(name), rule):
        alias(operator, endpoint, name)


def test_what_nobody_calls_has_no_names(world: World, operator: Account, refused: Refused) -> None:
    network = world.network()
    service = world.reverse_service(world.nat_gateway(world.network()))
    endpoint = world.reverse_endpoint(service, network)
    for action, more in (
        ("CreateEndpointAlias", {"Name": DB}),
        ("DeleteEndpointAlias", {"Name": DB}),
        ("SetEndpointPrivateName", {"Enabled": True}),
        ("ListEndpointNames", {}),
    ):
        with refused("EndpointTypeNotSupport", 400, endpoint, "Reverse"):
            operator.own.call(action, EndpointId=endpoint, **more)


def test_an_alias_of_a_zone_goes_with_it(
    stage: Stage, world: World, operator: Account, node: Node, refused: Refused
) -> None:
    network = world.network(A, B)
    endpoint = world.endpoint(world.published(A, B), network, A, B)
    with refused("EndpointZoneNotFound", 400, "local-c", f"{A}, {B}"):
        alias(operator, endpoint, ZoneId="local-c")
    alias(operator, endpoint, ZoneId=B)
    zone_b = str(world.zones(endpoint)[B]["EniIp"])
    assert asked(node, DB, network.vswitch) == [zone_b]
    world.account.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=B)
    assert asked(node, DB, network.vswitch) is None
    node.catch_up()
    assert left(stage) == []
    world.account.privatelink.AddZoneToVpcEndpoint(
        EndpointId=endpoint, ZoneId=B, VSwitchId=network.vswitches[B]
    )
    assert asked(node, DB, network.vswitch) is None


def test_one_alias_on_two_endpoints_is_a_failover(
    world: World, operator: Account, node: Node
) -> None:
    network, service = world.network(), world.published(auto=False)
    first, second = (world.endpoint(service, network, A) for _ in range(2))
    for endpoint in (second, first):
        alias(operator, endpoint)
    told = agreed(node, operator, DB, network)
    assert told["Why"].startswith("none of its claims holds: others are asked")
    assert [each["Why"] for each in told["Claims"]] == [
        f"no zone of {each} is connected." for each in (first, second)
    ]
    bond = {"ServiceId": service}
    world.account.privatelink.EnableVpcEndpointConnection(EndpointId=second, **bond)
    assert agreed(node, operator, DB, network)["EndpointId"] == second
    world.account.privatelink.EnableVpcEndpointConnection(EndpointId=first, **bond)
    told = agreed(node, operator, DB, network)
    assert told["EndpointId"] == first
    assert f"the connection of {first} is older than that of {second}" in told["Why"]
    assert names(operator, second)["Alias", DB] == (False, told["Claims"][1]["Why"])
    world.account.privatelink.DisableVpcEndpointConnection(EndpointId=first, **bond)
    assert agreed(node, operator, DB, network)["EndpointId"] == second


def test_an_alias_goes_before_a_vendors_word(world: World, operator: Account, node: Node) -> None:
    network, service = world.network(), world.published()
    vendors, mine = (world.endpoint(service, network, A) for _ in range(2))
    approved(operator, operator, service, "*.vendor.example")
    switch(operator, vendors)
    told = agreed(node, operator, NAME, network)
    assert (told["EndpointId"], told["Claims"][0]["Kind"]) == (vendors, "PrivateName")
    alias(operator, mine, NAME)
    told = agreed(node, operator, NAME, network)
    assert told["EndpointId"] == mine
    assert f"{NAME} is nearer to it than *.vendor.example." in told["Why"]
    assert agreed(node, operator, "www.vendor.example", network)["EndpointId"] == vendors
    assert agreed(node, operator, "vendor.example", network)["Claims"] == []
    approved(operator, operator, service)
    switch(operator, vendors)
    told = agreed(node, operator, NAME, network)
    assert told["Why"] == f"{mine} has it: an alias goes before a service's own name."


def test_every_name_of_an_endpoint(world: World, operator: Account, node: Node) -> None:
    network, service = world.network(), world.published()
    older, endpoint = (world.endpoint(service, network, A) for _ in range(2))
    node.catch_up()
    below = f"{service}.local.privatelink.internal"
    holds = (True, "nobody else claims it.")
    own = {
        ("EndpointDomain", f"{endpoint}.{below}"): holds,
        ("ZoneDomain", f"{endpoint}-{A}.{below}"): holds,
    }
    found = names(operator, endpoint)
    (is_answered, why) = found.pop(("ServiceDomain", below))
    assert not is_answered
    assert f"the connection of {older} is older" in why
    assert found == own
    operator.own.call("SetServicePrivateName", ServiceId=service, Name=NAME)
    private = ("PrivateName", NAME)
    assert "Pending" in names(operator, endpoint)[private][1]
    approved(operator, operator, service)
    assert "SetEndpointPrivateName" in names(operator, endpoint)[private][1]
    switch(operator, endpoint)
    assert names(operator, endpoint)[private] == holds
    assert {kind for kind, _ in names(operator, older)} == {kind for kind, _ in own} | {
        *("ServiceDomain", "PrivateName")
    }


def test_privlinks_own_names_are_explained_to_whose_they_are(
    world: World, operator: Account, other: Account, node: Node
) -> None:
    network, provider = world.network(A, B), world.network(A, B)
    balancer = world.balancer(provider)
    world.listener(balancer, world.server_group(provider, "10.0.0.9"))
    service = world.service(balancer, (A, B))
    endpoint = world.endpoint(service, network, A, B, ZoneAffinityEnabled=True)
    below = f"{service}.local.privatelink.internal"
    for name, kind, count in (
        (f"{endpoint}.{below}", "EndpointDomain", 2),
        (f"{endpoint}-{B}.{below}", "ZoneDomain", 1),
        (below, "ServiceDomain", 2),
    ):
        told = agreed(node, operator, name, network)
        assert (told["Claims"][0]["Kind"], len(told["Addresses"])) == (kind, count)
    both = explained(operator, f"{endpoint}.{below}", network, B)["Addresses"]
    assert [each["ZoneId"] for each in both] == [B, A]
    theirs = World(other).network()
    strange = f"ep-{'0' * 20}"
    seen = [
        explained(other, f"{each}{zone}.{below}", theirs)
        for each in (endpoint, strange)
        for zone in ("", f"-{A}")
    ]
    assert {each["Outcome"] for each in seen} == {"OwnZone"}
    assert len({each["Why"] for each in seen}) == 1
    assert all(each["Claims"] == each["Addresses"] == [] for each in seen)
    assert explained(other, below, theirs)["Outcome"] == "OwnZone"


def test_a_closed_endpoints_names(world: World, operator: Account, node: Node) -> None:
    network, service = world.network(), world.published(auto=False)
    endpoint = world.endpoint(service, network, A)
    node.catch_up()
    below = f"{service}.local.privatelink.internal"
    assert explained(operator, below, network)["Outcome"] == "NoAddress"
    told = explained(operator, f"{endpoint}.{below}", network)
    assert told["Outcome"] == "OwnZone"
    assert f"no zone of {endpoint} is connected" in told["Why"]


def test_where_a_name_is_explained(
    world: World, operator: Account, other: Account, refused: Refused
) -> None:
    network, aside = world.network(), world.network()
    with refused("MissingVSwitchId", 400, "VpcId"):
        operator.own.call("ExplainName", Name=DB)
    with refused("InvalidVpcId.NotFound", 404, aside.vpc):
        operator.own.call("ExplainName", Name=DB, VSwitchId=network.vswitch, VpcId=aside.vpc)
    with refused("InvalidVpcId.NotFound", 404, network.vpc):
        other.own.call("ExplainName", Name=DB, VpcId=network.vpc)
    for name in ("a..b", "2.0.0.10.in-addr.arpa", ""):
        with refused("InvalidName", 400, repr(name)):
            operator.own.call("ExplainName", Name=name, VpcId=network.vpc)
    told = operator.own.call("ExplainName", Name=DB, VpcId=network.vpc)
    assert (told["Outcome"], "ZoneId" in told) == ("Upstream", False)


def test_an_endpoint_that_goes_leaves_no_name_behind(
    stage: Stage, world: World, operator: Account, node: Node, refused: Refused
) -> None:
    network, service = world.network(), world.published()
    endpoint = world.endpoint(service, network, A)
    alias(operator, endpoint)
    alias(operator, endpoint, "db2.shop.internal", ZoneId=A)
    approved(operator, operator, service)
    switch(operator, endpoint)
    node.catch_up()
    world.account.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=A)
    node.catch_up()
    world.account.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    assert asked(node, DB, network.vswitch) is None
    operator.own.call("DeleteServicePrivateName", ServiceId=service)
    node.catch_up()
    assert left(stage) == []
    assert not [key for key, *_ in stage.dump()["change"] if endpoint in key]


def test_a_protected_endpoints_names_are_its_creators(
    stage: Stage, world: World, operator: Account, refused: Refused
) -> None:
    may = user(stage, operator, "boss", allow("sts:*"))
    guest = session(stage, may, role(operator, "vault", allow("*")))
    network = world.network()
    endpoint = World(guest).endpoint(world.published(), network, A, ProtectedEnabled=True)
    for action, more in (
        ("CreateEndpointAlias", {"Name": DB}),
        ("DeleteEndpointAlias", {"Name": DB}),
        ("SetEndpointPrivateName", {"Enabled": False}),
    ):
        with refused("EndpointProtected", 400, endpoint):
            operator.own.call(action, EndpointId=endpoint, **more)
    alias(guest, endpoint)
    for account in (may, guest):
        account.own.close()
