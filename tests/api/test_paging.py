"""Lists in pages: what stays is neither skipped nor shown twice, whatever comes and goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.api.account import Account, Answer
from tests.api.conftest import Refused
from tests.api.world import A, B, C, Network, World


def pages(call: Callable[..., Answer], field: str, **more: Any) -> Iterator[list[Any]]:
    """One page after the other, by token."""
    token = None
    while True:
        answer = call(**more, **({"NextToken": token} if token else {}))
        yield answer[field]
        token = answer.get("NextToken")
        if token is None:
            return


def ids(page: list[dict[str, Any]]) -> list[str]:
    """The endpoints on a page."""
    return [each["EndpointId"] for each in page]


@pytest.fixture
def endpoints(world: World) -> list[str]:
    """Seven endpoints without zones."""
    service, network = world.published(), world.network()
    group = world.group(network)
    return [world.endpoint(service, network, group=group) for _ in range(7)]


@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_pages_together_are_the_list(operator: Account, endpoints: list[str], size: int) -> None:
    found = list(pages(operator.privatelink.ListVpcEndpoints, "Endpoints", MaxResults=size))
    assert [len(page) for page in found[:-1]] == [size] * (len(found) - 1)
    assert sorted(id for page in found for id in ids(page)) == sorted(endpoints)
    assert len(found) == -(-7 // size)


def test_every_page_tells_the_whole_count_and_its_size(
    operator: Account, endpoints: list[str]
) -> None:
    first = operator.privatelink.ListVpcEndpoints(MaxResults=3)
    second = operator.privatelink.ListVpcEndpoints(MaxResults=3, NextToken=first["NextToken"])
    for page in (first, second):
        assert (page["TotalCount"], page["MaxResults"]) == (7, 3)


def test_what_stays_is_shown_once_while_others_come_and_go(
    operator: Account, world: World, endpoints: list[str]
) -> None:
    service, network = world.published(), world.network()
    group = world.group(network)
    shown: list[str] = []
    gone: set[str] = set()
    for page in pages(operator.privatelink.ListVpcEndpoints, "Endpoints", MaxResults=2):
        shown += ids(page)
        # The last one shown goes, which the next token names, and another one comes.
        if page[-1]["EndpointId"] in endpoints:
            operator.privatelink.DeleteVpcEndpoint(EndpointId=page[-1]["EndpointId"])
            gone.add(page[-1]["EndpointId"])
        if len(gone) < 3:
            world.endpoint(service, network, group=group)
    assert len(shown) == len(set(shown))
    assert set(endpoints) <= set(shown)


@pytest.mark.parametrize("token", ["nonsense", "====", "端点", "a b", "YWJj*"])
def test_a_token_that_is_none_of_ours_is_refused(
    operator: Account, refused: Refused, token: str
) -> None:
    with refused("IllegalParamFormat.NextToken", 400, repr(token), "unchanged"):
        operator.privatelink.ListVpcEndpoints(NextToken=token)
    for call in (operator.nlb.ListLoadBalancers, operator.ecs.DescribeNetworkInterfaces):
        with refused("InvalidNextToken", 400, repr(token), "unchanged"):
            call(NextToken=token)


@pytest.mark.parametrize("size", [0, -1, 1001, "many"])
def test_a_page_has_a_size(operator: Account, refused: Refused, size: Any) -> None:
    with refused("IllegalParamFormat.MaxResults", 400, repr(str(size)), "1 to 1000 items"):
        operator.privatelink.ListVpcEndpoints(MaxResults=size)


def test_some_pages_are_smaller(operator: Account, world: World, refused: Refused) -> None:
    service = world.service()
    with refused("IllegalParamFormat.MaxResults", 400, "'51'", "1 to 50 items"):
        operator.privatelink.ListVpcEndpointServiceUsers(ServiceId=service, MaxResults=51)


def test_every_list_by_token_has_pages(operator: Account, world: World) -> None:
    provider: Network = world.network(A, B, C)
    balancer, consumer = world.balancer(provider), world.network(A, B, C)
    service = world.service(balancer, (A, B, C))
    endpoint = world.endpoint(service, consumer, A, B, C)
    for _ in range(2):
        world.endpoint(service, consumer)
    for user in (42, 43):
        operator.privatelink.AddUserToVpcEndpointService(ServiceId=service, UserId=user)
    of_service = {"ServiceId": service}
    for action, field, more in (
        ("ListVpcEndpointZones", "Zones", {"EndpointId": endpoint}),
        ("ListVpcEndpointServiceResources", "Resources", of_service),
        ("ListVpcEndpointServiceUsers", "Users", of_service),
        ("ListVpcEndpointConnections", "Connections", of_service),
    ):
        call = getattr(operator.privatelink, action)
        found = list(pages(call, field, MaxResults=2, **more))
        assert [len(page) for page in found] == [2, 1], action
        whole = call(**more)[field]
        assert [each for page in found for each in page] == whole, action


def test_lists_by_number_have_pages(operator: Account) -> None:
    made = [operator.vpc.CreateVpc()["VpcId"] for _ in range(5)]

    def page(number: int, size: int) -> list[str]:
        answer = operator.vpc.DescribeVpcs(PageNumber=number, PageSize=size)
        assert (answer["PageNumber"], answer["PageSize"], answer["TotalCount"]) == (number, size, 5)
        return [vpc["VpcId"] for vpc in answer["Vpcs"]["Vpc"]]

    assert page(1, 2) + page(2, 2) + page(3, 2) == made
    assert page(4, 2) == []
    assert page(2**31 - 1, 50) == []


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"PageNumber": 0}, ("PageNumber", "'0'", "count from 1")),
        ({"PageNumber": 10**30}, ("PageNumber", "2147483647")),
        ({"PageSize": 0}, ("PageSize", "1 to 50 items")),
        ({"PageSize": 51}, ("PageSize", "'51'", "1 to 50 items")),
    ],
)
def test_pages_by_number_have_bounds(
    operator: Account, refused: Refused, asked: dict[str, int], words: tuple[str, ...]
) -> None:
    for call in (
        operator.vpc.DescribeVpcs,
        operator.vpc.DescribeVSwitches,
        operator.vpc.DescribeRouteTableList,
        operator.ecs.DescribeSecurityGroups,
    ):
        with refused(f"Invalid{next(iter(asked))}", 400, *words):
            call(**asked)
