"""A provider's own name for its service: how it is proved, and what goes when it goes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.account import Account
from tests.api.answering import asked
from tests.api.conftest import Refused
from tests.api.name_server import SILENT
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.world import A, Network, World

NAME = "db.vendor.example"
RECORD = f"_privlink.{NAME}"


def named(account: Account, service: str, name: str = NAME) -> dict[str, Any]:
    """A service's name as it is set."""
    return account.own.call("SetServicePrivateName", ServiceId=service, Name=name)


def approved(operator: Account, account: Account, service: str, name: str = NAME) -> None:
    """A service's name that the operator vouches for."""
    named(account, service, name)
    operator.own.call("ApproveServicePrivateName", ServiceId=service, Name=name)


def listed(account: Account) -> dict[str, dict[str, Any]]:
    """The names of services that an account sees, by service."""
    found = account.own.call("ListServicePrivateNames")["ServicePrivateNames"]
    return {each["ServiceId"]: each for each in found}


def switch(account: Account, endpoint: str, *, on: bool = True) -> dict[str, Any]:
    """The name of an endpoint's service on, or off."""
    return account.own.call("SetEndpointPrivateName", EndpointId=endpoint, Enabled=on)


def test_a_name_is_proved_by_its_record(
    stage: Stage, world: World, operator: Account, refused: Refused
) -> None:
    service = world.published()
    told = named(operator, service, "DB.Vendor.example.")
    assert (told["Name"], told["State"], told["VerifiedBy"]) == (NAME, "Pending", "")
    assert told["TxtRecordName"] == RECORD
    value = told["TxtRecordValue"]
    asks = {"ServiceId": service}
    for texts, seen in (
        ([], f"{RECORD} has no TXT record"),
        (["v=spf1", 'a "quoted" one'], "says 'a \"quoted\" one', 'v=spf1'."),
        ([f"{value} "], value),
        (["1", "2", "3", "4", "5"], "says '1', '2', '3' and 2 more."),
    ):
        stage.texts[RECORD] = texts
        with refused("VerificationFailed", 400, NAME, seen, value, RECORD):
            operator.own.call("VerifyServicePrivateName", **asks)
    stage.texts[RECORD] = ["v=spf1", value]
    told = operator.own.call("VerifyServicePrivateName", **asks)
    assert (told["State"], told["VerifiedBy"]) == ("Verified", "Dns")
    assert "VerifyTime" in told
    stage.texts.clear()
    again = operator.own.call("VerifyServicePrivateName", **asks)
    assert again["State"] == "Verified"


def test_a_wildcard_is_proved_where_it_is(stage: Stage, world: World, operator: Account) -> None:
    service = world.published()
    told = named(operator, service, "*.vendor.example")
    assert told["TxtRecordName"] == "_privlink.vendor.example"
    stage.texts["_privlink.vendor.example"] = [told["TxtRecordValue"]]
    told = operator.own.call("VerifyServicePrivateName", ServiceId=service)
    assert told["State"] == "Verified"


def test_a_silent_name_server_keeps_nobody_waiting_but_who_asks(
    stage: Stage, world: World, operator: Account, refused: Refused
) -> None:
    service, elsewhere = world.published(), world.published()
    named(operator, service)
    told = named(operator, elsewhere, "other.example")
    stage.texts[RECORD] = [SILENT]
    stage.texts["_privlink.other.example"] = [told["TxtRecordValue"]]
    with ThreadPoolExecutor(1) as pool:
        before = stage.dump()
        asking = pool.submit(
            lambda: operator.own.call("VerifyServicePrivateName", ServiceId=service)
        )
        world.network()  # is answered all the same
        assert not asking.done()
        assert stage.dump() != before
        with pytest.raises(Exception, match="no name server has answered in 5 s") as caught:
            asking.result()
    assert "NoNameServer" in str(getattr(caught.value, "code", ""))
    verified = operator.own.call("VerifyServicePrivateName", ServiceId=elsewhere)
    assert verified["State"] == "Verified"


def test_what_is_no_name_of_a_provider(world: World, operator: Account, refused: Refused) -> None:
    service = world.published()
    for name, rule in (
        ("*.example", "one label"),
        ("x.privatelink.internal", "privatelink.internal"),
        ("10.0.0.9", "address"),
        ("a b.example", "labels"),
    ):
        with refused("InvalidName", 400, repr(name), rule):
            named(operator, service, name)
    reverse = world.reverse_service(world.nat_gateway(world.network()))
    with refused("ServiceTypeNotSupport", 400, reverse, "Reverse"):
        named(operator, reverse)


def test_the_same_name_again_changes_nothing_and_another_begins_anew(
    world: World, operator: Account, node: Node
) -> None:
    service, network = world.published(), world.network()
    endpoint = world.endpoint(service, network, A)
    approved(operator, operator, service)
    first = listed(operator)[service]
    switch(operator, endpoint)
    assert named(operator, service)["State"] == "Verified"
    assert listed(operator)[service] == first | {"EndpointCount": 1}
    assert asked(node, NAME, network.vswitch) == [address(world, endpoint)]
    told = named(operator, service, "*.vendor.example")
    assert told["State"] == "Pending"
    assert told["TxtRecordValue"] != first["TxtRecordValue"]
    assert asked(node, NAME, network.vswitch) is None
    operator.own.call("ApproveServicePrivateName", ServiceId=service, Name="*.vendor.example")
    assert asked(node, NAME, network.vswitch) is None  # nobody has switched that one on
    switch(operator, endpoint)
    assert asked(node, NAME, network.vswitch) == [address(world, endpoint)]


def address(world: World, endpoint: str) -> str:
    """An endpoint's address in zone A."""
    return str(world.zones(endpoint)[A]["EniIp"])


def test_the_operator_vouches_for_the_name_it_has_seen(
    operator: Account, other: Account, refused: Refused
) -> None:
    service = World(other).published()
    asks = {"ServiceId": service, "Name": NAME}
    with refused("ServicePrivateNameNotFound", 404, service):
        operator.own.call("ApproveServicePrivateName", **asks)
    named(other, service, "bank.example")
    with refused("ServicePrivateNameChanged", 400, "bank.example", NAME):
        operator.own.call("ApproveServicePrivateName", **asks)
    named(other, service)
    with refused("NoPermission", 403):
        other.own.call("ApproveServicePrivateName", **asks)
    told = operator.own.call("ApproveServicePrivateName", **asks)
    assert (told["State"], told["VerifiedBy"]) == ("Verified", "Operator")
    assert listed(operator)[service]["OwnerId"] == other.id
    assert operator.own.call("ApproveServicePrivateName", **asks)["VerifiedBy"] == "Operator"


def consumer(operator: Account, other: Account, service: str) -> tuple[World, Network, str]:
    """Another account's endpoint to a service of the operator's."""
    operator.privatelink.AddUserToVpcEndpointService(ServiceId=service, UserId=int(other.id))
    theirs = World(other)
    network = theirs.network()
    return theirs, network, theirs.endpoint(service, network, A)


def test_a_consumer_switches_a_verified_name_on_in_its_own_vpc(
    world: World, operator: Account, other: Account, node: Node, refused: Refused
) -> None:
    service = world.published()
    theirs, network, endpoint = consumer(operator, other, service)
    aside = theirs.network()
    with refused("ServicePrivateNameNotFound", 404, service, "SetServicePrivateName"):
        switch(other, endpoint)
    named(operator, service)
    with refused("ServicePrivateNameNotVerified", 400, service, NAME, "Pending"):
        switch(other, endpoint)
    operator.own.call("ApproveServicePrivateName", ServiceId=service, Name=NAME)
    assert asked(node, NAME, network.vswitch) is None
    assert switch(other, endpoint)["Name"] == NAME
    switch(other, endpoint)
    assert asked(node, NAME, network.vswitch) == [address(theirs, endpoint)]
    assert asked(node, f"x.{NAME}", network.vswitch) is None
    assert asked(node, NAME, aside.vswitch) is None
    switch(other, endpoint, on=False)
    assert switch(other, endpoint, on=False)["Enabled"] is False
    assert asked(node, NAME, network.vswitch) is None


def test_a_name_that_goes_takes_its_answers_with_it(
    stage: Stage, world: World, operator: Account, other: Account, node: Node, refused: Refused
) -> None:
    service = world.published()
    theirs, network, endpoint = consumer(operator, other, service)
    approved(operator, operator, service)
    switch(other, endpoint)
    assert asked(node, NAME, network.vswitch) == [address(theirs, endpoint)]
    operator.own.call("DeleteServicePrivateName", ServiceId=service)
    assert asked(node, NAME, network.vswitch) is None
    with refused("ServicePrivateNameNotFound", 404, service):
        operator.own.call("DeleteServicePrivateName", ServiceId=service)
    approved(operator, operator, service)
    switch(other, endpoint)
    bond = {"ServiceId": service}
    operator.privatelink.DisableVpcEndpointConnection(EndpointId=endpoint, **bond)
    node.catch_up()
    operator.privatelink.DeleteVpcEndpointService(**bond)
    assert asked(node, NAME, network.vswitch) is None
    with refused("EndpointServiceDeleted", 400, endpoint):
        switch(other, endpoint)
    assert switch(other, endpoint, on=False)["Enabled"] is False
    assert left(stage) == []


def left(stage: Stage) -> list[tuple[Any, ...]]:
    """Whatever is left in the tables of names that people choose."""
    tables = ("service_private_name", "endpoint_private_name", "endpoint_alias")
    return [row for table in tables for row in stage.dump()[table]]


def test_two_services_may_have_one_name_and_the_older_connection_answers(
    world: World, operator: Account, node: Node
) -> None:
    network = world.network()
    services = [world.published() for _ in range(2)]
    later, earlier = services
    first = world.endpoint(earlier, network, A)
    second = world.endpoint(later, network, A)
    for service, endpoint in ((later, second), (earlier, first)):
        approved(operator, operator, service)
        switch(operator, endpoint)
    assert asked(node, NAME, network.vswitch) == [address(world, first)]
    world.account.privatelink.DisableVpcEndpointConnection(ServiceId=earlier, EndpointId=first)
    assert asked(node, NAME, network.vswitch) == [address(world, second)]
    world.account.privatelink.EnableVpcEndpointConnection(ServiceId=earlier, EndpointId=first)
    assert asked(node, NAME, network.vswitch) == [address(world, first)]


def test_the_list_has_pages(world: World, operator: Account) -> None:
    services = {world.published() for _ in range(3)}
    for service in services:
        named(operator, service)
    found, token = [], None
    while token != "":
        page = operator.own.call("ListServicePrivateNames", MaxResults=2, NextToken=token)
        found += [each["ServiceId"] for each in page["ServicePrivateNames"]]
        assert page["TotalCount"] == 3
        token = page.get("NextToken", "")
    assert found == sorted(services)
