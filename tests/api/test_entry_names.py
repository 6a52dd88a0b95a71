"""Full-NAT entries that call a name: who says where it leads, what is shown of it, and to whom."""

from __future__ import annotations

from typing import Any

import pytest

from privlink.client import RemoteError
from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stage import NODE, Stage
from tests.api.stand_in import Item, Node
from tests.api.test_reverse_endpoints import Pair, accept, door, endpoint, pair, printed
from tests.api.world import A

__all__ = ["endpoint", "pair"]  # fixtures

NAME, RESOLVER = "db.customer.example", "10.0.0.2"
NO_RESOLVER = "the endpoint's owner names no DNS server to ask; SetEndpointTargets takes one."
NOT_RESOLVED = "its name has not been resolved yet."
NOT_PERMITTED = "it is not among the targets that the endpoint's owner permits."


@pytest.fixture
def entry(pair: Pair, endpoint: str) -> str:
    """An entry that leads to a name."""
    return pair.provider.full_nat_entry(
        pair.gateway, endpoint, None, 5432, NatIpPort="15432", AccessDomain="DB.customer.example."
    )


@pytest.fixture
def asked(pair: Pair, endpoint: str, entry: str, node: Node) -> str:
    """The same, where the consumer says whom to ask; the node has heard."""
    permit(pair, endpoint, Resolver=RESOLVER)
    node.catch_up()
    return entry


def permit(pair: Pair, endpoint: str, **what: Any) -> Any:
    return pair.consumer.account.own.call("SetEndpointTargets", EndpointId=endpoint, **what)


def modify(pair: Pair, entry: str, **what: str) -> None:
    pair.provider.account.vpc.ModifyFullNatEntryAttribute(
        FullNatTableId=pair.table, FullNatEntryId=entry, **what
    )


def found(entry: str, *addresses: str, name: str = NAME, why: str = "") -> Item:
    """A node's word on an entry's name."""
    return {
        "Key": f"door/{entry}",
        "Name": name,
        "Addresses": ",".join(addresses),
        "Why": why,
        "Since": "2026-12-01T09:30:00Z",
    }


def test_a_name_waits_for_the_consumer_to_say_whom_to_ask(
    pair: Pair, endpoint: str, entry: str, node: Node
) -> None:
    held = door(node, entry)
    assert (held["target"], held["naming"]) == (None, None)
    assert pair.state(entry) == ("Pending", NO_RESOLVER)
    said = permit(pair, endpoint, Resolver=RESOLVER)
    assert said["Resolver"] == RESOLVER
    forward = node.forward(endpoint)
    assert door(node, entry)["naming"] == {
        "name": NAME,
        "resolver": RESOLVER,
        "network": forward["network"],
        "source": forward["address"],
        "port": 5432,
        "blocks": ["10.0.0.0/16"],
        "known": [],
    }
    assert pair.state(entry) == ("Pending", NOT_RESOLVED)
    assert "Resolver" not in permit(pair, endpoint, Resolver="")
    assert door(node, entry)["naming"] is None


def test_what_a_name_leads_to_is_shown_and_followed(pair: Pair, asked: str, node: Node) -> None:
    node.tell_names(found(asked, "10.0.0.77"))
    node.catch_up()
    shown = pair.entry(asked)
    assert (shown["AccessDomain"], shown["DomainResolve"]) == (NAME, "10.0.0.77")
    assert "AccessIp" not in shown
    assert pair.state(asked) == ("Available", "")
    node.tell_names(found(asked, "10.0.0.78", "10.0.1.9"))
    assert door(node, asked)["naming"]["known"] == ["10.0.0.78", "10.0.1.9"]
    assert pair.entry(asked)["DomainResolve"] == "10.0.0.78, 10.0.1.9"
    silent = "the DNS server does not answer."
    node.tell_names(found(asked, "10.0.0.78", why=silent))
    node.catch_up()
    assert pair.state(asked) == ("Available", silent)
    unknown = "the DNS server knows no such name."
    node.tell_names(found(asked, why=unknown))
    node.catch_up()
    assert pair.state(asked) == ("Pending", unknown)
    assert pair.entry(asked)["DomainResolve"] == ""


def test_a_word_that_is_not_new_does_not_wake_nodes(pair: Pair, asked: str, node: Node) -> None:
    node.tell_names(found(asked, "10.0.0.77"))
    node.catch_up()
    node.tell_names(found(asked, "10.0.0.77"))
    assert node.pull()["Items"] == []


def test_what_is_not_permitted_is_neither_led_to_nor_shown(
    pair: Pair, endpoint: str, asked: str, node: Node
) -> None:
    """Whatever a node says: the server holds it against the consumer's list, and its VPC."""
    node.tell_names(found(asked, "192.168.0.1", "10.0.0.77", "10.0.1.9", "169.254.169.254"))
    assert door(node, asked)["naming"]["known"] == ["10.0.0.77", "10.0.1.9"]
    assert pair.entry(asked)["DomainResolve"] == "10.0.0.77, 10.0.1.9"
    permit(
        pair,
        endpoint,
        Target=[
            {"CidrBlock": "10.0.1.0/24", "IpProtocol": "TCP", "PortRange": "5432/5432"},
            {"CidrBlock": "10.0.0.77/32", "IpProtocol": "TCP", "PortRange": "22/22"},
            {"CidrBlock": "10.0.0.77/32", "IpProtocol": "UDP"},
            {"CidrBlock": "192.168.0.0/16"},
        ],
    )
    naming = door(node, asked)["naming"]
    assert (naming["blocks"], naming["known"]) == (["10.0.1.0/24"], ["10.0.1.9"])
    assert pair.entry(asked)["DomainResolve"] == "10.0.1.9"
    permit(pair, endpoint, Target=[{"CidrBlock": "0.0.0.0/0"}])
    assert door(node, asked)["naming"]["blocks"] == ["10.0.0.0/16"]
    permit(pair, endpoint, Target=[{"CidrBlock": "10.0.0.0/8", "IpProtocol": "UDP"}])
    assert door(node, asked)["naming"] is None
    assert pair.state(asked) == ("Pending", NOT_PERMITTED)


def test_whom_to_ask_is_said_without_opening_what_is_shut(pair: Pair, endpoint: str) -> None:
    target = {"CidrBlock": "10.0.1.0/24"}
    permit(pair, endpoint, Target=[target])
    said = permit(pair, endpoint, Resolver=RESOLVER)
    assert [each["CidrBlock"] for each in said["Targets"]] == ["10.0.1.0/24"]
    assert permit(pair, endpoint, Target=[target])["Resolver"] == RESOLVER
    said = permit(pair, endpoint)
    assert (said["Targets"], said["Resolver"]) == ([], RESOLVER)


def test_a_connection_that_is_not_accepted_asks_nobody(
    pair: Pair, endpoint: str, asked: str, node: Node
) -> None:
    """Else a provider could have questions asked in networks that closed their doors to it."""
    privatelink = pair.provider.account.privatelink
    privatelink.DisableVpcEndpointConnection(ServiceId=pair.service, EndpointId=endpoint)
    assert door(node, asked)["naming"] is None
    accept(pair, endpoint)
    assert door(node, asked)["naming"] is not None


def test_a_name_and_an_address_take_turns(
    pair: Pair, endpoint: str, asked: str, node: Node
) -> None:
    node.tell_names(found(asked, "10.0.0.77"))
    modify(pair, asked, AccessDomain="other.example")
    assert door(node, asked)["naming"]["known"] == []
    node.tell_names(found(asked, "10.0.0.77"))  # it had not heard of the new name
    assert pair.entry(asked)["DomainResolve"] == ""
    modify(pair, asked, AccessIp="10.0.0.9")
    held, shown = door(node, asked), pair.entry(asked)
    assert (held["target"]["address"], held["naming"]) == ("10.0.0.9", None)
    assert shown["AccessIp"] == "10.0.0.9"
    assert "AccessDomain" not in shown
    modify(pair, asked, AccessDomain=NAME, AccessPort="80")
    held = door(node, asked)
    assert (held["target"], held["naming"]["name"], held["naming"]["port"]) == (None, NAME, 80)
    modify(pair, asked, FullNatEntryName="db")
    assert pair.entry(asked)["AccessDomain"] == NAME


def test_an_entry_takes_what_was_found_along_when_it_goes(
    pair: Pair, asked: str, node: Node
) -> None:
    node.tell_names(found(asked, "10.0.0.77"))
    pair.provider.account.vpc.DeleteFullNatEntry(FullNatTableId=pair.table, FullNatEntryId=asked)
    node.catch_up()
    node.tell_names(found(asked, "10.0.0.77"))
    assert f"door/{asked}" not in node.held


def test_an_endpoint_takes_its_resolver_along(
    pair: Pair, endpoint: str, asked: str, node: Node
) -> None:
    node.tell_names(found(asked, "10.0.0.77"))
    privatelink = pair.consumer.account.privatelink
    pair.provider.account.privatelink.DisableVpcEndpointConnection(
        ServiceId=pair.service, EndpointId=endpoint
    )
    node.catch_up()
    privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=A)
    node.catch_up()
    privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    node.catch_up()
    assert door(node, asked)["naming"] is None
    assert pair.state(asked)[0] == "Pending"


@pytest.mark.parametrize("action", ["PushNames", "PushReport"])
def test_a_node_that_holds_nothing_takes_back_what_it_said(
    pair: Pair, asked: str, node: Node, action: str
) -> None:
    node.tell_names(found(asked, "10.0.0.77"))
    more = {"Revision": 0, "Fabric": "x"} if action == "PushReport" else {}
    node.client.call(action, NodeId=NODE.node_id, Life=0, **more)
    assert pair.entry(asked)["DomainResolve"] == ""
    node.tell_names(found(asked, "10.0.0.77"), Life=node.life + 1)  # of another server
    assert pair.entry(asked)["DomainResolve"] == ""


@pytest.mark.parametrize(
    "resolver", ["db", "192.0.2.53", "fd00::1", "10.0.0.2:53", "10.0.0.02", "own"]
)
def test_a_resolver_is_in_the_network_and_not_the_endpoint(
    pair: Pair, endpoint: str, refused: Refused, resolver: str
) -> None:
    given = pair.consumer.zones(endpoint)[A]["EniIp"] if resolver == "own" else resolver
    with refused("InvalidResolver", 400, given, "DNS server"):
        permit(pair, endpoint, Resolver=given)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "a..b", "-a.example", "a-.example", "a" * 64, "a.b." * 64, "ä.example"),
        *("10.0.0.7", "db example", "db.example\n", "*.example"),
    ],
)
def test_a_name_that_is_none_is_refused(
    pair: Pair, entry: str, refused: Refused, name: str
) -> None:
    with refused("InvalidAccessDomain", 400, "was given"):
        modify(pair, entry, AccessDomain=name)


@pytest.mark.parametrize(
    "wrong",
    [
        {"Key": "door/a/b"},
        {"Key": "forward/ep"},
        {"Addresses": "10.0.0.256"},
        {"Addresses": "10.0.0.1,"},
        {"Addresses": "fd00::1"},
        {"Addresses": ",".join(["10.0.0.1"] * 33)},
        {"Why": "x" * 201},
        {"Since": "yesterday"},
        {"Name": "x" * 254},
    ],
)
def test_a_word_that_is_none_is_refused(asked: str, node: Node, wrong: Item) -> None:
    with pytest.raises(RemoteError) as caught:
        node.tell_names(found(asked) | wrong)
    assert caught.value.status == 400


def test_the_consumer_sees_what_is_called(
    stage: Stage, other: Account, pair: Pair, endpoint: str, asked: str, node: Node
) -> None:
    shown = printed(stage, other, "endpoint-targets", endpoint)
    assert f"names are asked of {RESOLVER}" in shown
    assert f"{NAME} (not resolved)" in shown
    node.tell_names(found(asked, "10.0.0.77"))
    shown = printed(stage, other, "endpoint-targets", endpoint, "--resolver", "10.0.0.3")
    assert "names are asked of 10.0.0.3" in shown
    assert f"{NAME} (10.0.0.77)" in shown
    (called,) = other.own.call("ListEndpointTargets", EndpointId=endpoint)["Called"]
    assert (called["AccessDomain"], called["DomainResolve"], called["Permitted"]) == (
        NAME,
        "10.0.0.77",
        True,
    )
    assert "names are" not in printed(stage, other, "endpoint-targets", endpoint, "--resolver", "")
