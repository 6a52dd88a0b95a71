"""A page of a list costs the same however long the list is. Counted in steps, never in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bench import population
from privlink.api.action import Call
from privlink.api.caller import Caller
from privlink.model.ids import EndpointId
from privlink.model.labels import ResourceTag
from privlink.store import accounts, labels
from privlink.store.database import Transaction
from tests.api.account import Account
from tests.api.cost import counted
from tests.api.stage import OPERATOR, Stage
from tests.api.test_paging import ids, pages
from tests.api.world import A, World

FEW, MANY = 100, 5_000


class Crowd:
    """Endpoints of the operator's account to one service of his, and how much calls cost."""

    def __init__(self, stage: Stage, account: Account) -> None:
        self._stage, self.account = stage, account
        with stage.database.write() as tx:
            population.no_limits(self._call(tx))
            self._service = population.service(self._call(tx))
        self.service = self._service.id
        self.endpoints: list[EndpointId] = []

    def grow(self, count: int) -> None:
        """Add endpoints; every one is tagged, with its team and with its number."""
        with self._stage.database.write() as tx:
            call = self._call(tx)
            made = population.fill(call, self._service, count, first=len(self.endpoints))
            for number, endpoint in enumerate(made, start=len(self.endpoints)):
                for key, value in (("team", "blue"), ("number", str(number))):
                    tag = ResourceTag(endpoint, key, value, call.account_id, "vpcendpoint")
                    labels.put_tag(tx, tag)
            self.endpoints += made

    def _call(self, tx: Transaction) -> Call:
        account = accounts.operator(tx)
        key, limits = OPERATOR.access_key_id, population.NO_LIMITS
        caller = Caller(key, account, None, limits=limits)
        return Call(tx, caller, self._stage.config, datetime.now(UTC), self._stage.flow_log)


@pytest.fixture
def crowd(stage: Stage, operator: Account) -> Crowd:
    """Nobody yet."""
    return Crowd(stage, operator)


def steps(call: Callable[..., Any], **parameters: Any) -> int:
    """What a call costs."""
    with counted() as cost:
        call(**parameters)
    return cost.steps


def test_a_page_costs_the_same_whatever_there_is(crowd: Crowd, operator: Account) -> None:
    tags = {"ResourceType": "vpcendpoint", "Tag": [{"Key": "team", "Value": "blue"}]}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("ListVpcEndpoints", {}),
        ("ListVpcEndpoints", {"MaxResults": 1}),
        ("ListVpcEndpoints", {"Tag": [{"Key": "number", "Value": "7"}]}),
        ("ListVpcEndpointConnections", {}),
        ("ListVpcEndpointConnections", {"ServiceId": crowd.service}),
        ("ListVpcEndpointServices", {}),
        ("ListVpcEndpointServicesByEndUser", {}),
        ("ListTagResources", tags),
    ]

    def costs() -> list[int]:
        one = ("ListVpcEndpointZones", {"EndpointId": crowd.endpoints[7]})
        return [steps(getattr(operator.privatelink, name), **more) for name, more in [*calls, one]]

    crowd.grow(FEW)
    before = costs()
    crowd.grow(MANY - FEW)
    after = costs()
    for name, few, many in zip([*(name for name, _ in calls), "Zones"], before, after, strict=True):
        assert many <= few * 1.1, (name, before, after)


def test_the_last_page_costs_no_more_than_the_first(crowd: Crowd, operator: Account) -> None:
    crowd.grow(MANY)
    token, costs = None, []
    for _ in range(5):
        with counted() as cost:
            asked = {"MaxResults": 1000, **({"NextToken": token} if token else {})}
            answer = operator.privatelink.ListVpcEndpoints(**asked)
        costs.append(cost.steps)
        token = answer.get("NextToken")
    assert token is None
    assert max(costs) <= min(costs) * 1.1, costs


def test_creating_and_deleting_costs_the_same_whatever_there_is(
    crowd: Crowd, operator: Account, world: World
) -> None:
    network = world.network()
    group = world.group(network)

    def cost() -> tuple[int, int]:
        with counted() as created:
            endpoint = world.endpoint(crowd.service, network, group=group)
        gone = steps(operator.privatelink.DeleteVpcEndpoint, EndpointId=endpoint)
        return created.steps, gone

    crowd.grow(FEW)
    cost()
    few = cost()
    crowd.grow(MANY - FEW)
    for before, now in zip(few, cost(), strict=True):
        assert now <= before * 1.1, few


def test_every_page_in_order_and_every_count_exact(crowd: Crowd, operator: Account) -> None:
    crowd.grow(130)
    call = operator.privatelink
    for name, field, more in (
        ("ListVpcEndpoints", "Endpoints", {}),
        ("ListVpcEndpoints", "Endpoints", {"Tag": [{"Key": "team"}]}),
        ("ListVpcEndpoints", "Endpoints", {"ConnectionStatus": "Connecting"}),
        ("ListVpcEndpointConnections", "Connections", {}),
        ("ListVpcEndpointConnections", "Connections", {"ConnectionStatus": "Connecting"}),
    ):
        found = [each for page in pages(getattr(call, name), field, **more) for each in ids(page)]
        assert found == crowd.endpoints, (name, more)
        assert int(getattr(call, name)(**more)["TotalCount"]) == 130, (name, more)
    assert call.ListVpcEndpoints(ConnectionStatus="Connected")["TotalCount"] == 0


def test_many_with_one_tag_are_found_by_another_and_counted(
    crowd: Crowd, operator: Account
) -> None:
    crowd.grow(700)  # more than are looked at one by one
    call = operator.privatelink.ListVpcEndpoints
    blue = {"Key": "team", "Value": "blue"}
    assert call(Tag=[blue])["TotalCount"] == 700
    assert ids(call(Tag=[blue], MaxResults=3)["Endpoints"]) == crowd.endpoints[:3]
    both = call(Tag=[blue, {"Key": "number", "Value": "650"}])
    assert (ids(both["Endpoints"]), both["TotalCount"]) == ([crowd.endpoints[650]], 1)
    assert call(Tag=[blue, {"Key": "number", "Value": "x"}])["TotalCount"] == 0
    assert call(Tag=[{"Key": "team", "Value": "red"}])["TotalCount"] == 0
    named = call(Tag=[blue], EndpointName="endpoint-5")
    assert ids(named["Endpoints"]) == [crowd.endpoints[5]]
    found = list(
        pages(
            operator.privatelink.ListTagResources,
            "TagResources",
            ResourceType="vpcendpoint",
            Tag=[blue],
        )
    )
    assert len({(tag["ResourceId"], tag["TagKey"]) for page in found for tag in page}) == 1400


def test_counts_follow_what_comes_and_goes(operator: Account, other: Account, world: World) -> None:
    service, network = world.published(), world.network()
    operator.privatelink.AddUserToVpcEndpointService(ServiceId=service, UserId=int(other.id))
    theirs = World(other)
    elsewhere = theirs.network()
    endpoint = world.endpoint(service, network)
    theirs.endpoint(service, elsewhere, A)
    assert operator.privatelink.ListVpcEndpoints()["TotalCount"] == 1
    assert other.privatelink.ListVpcEndpoints()["TotalCount"] == 1
    assert operator.privatelink.ListVpcEndpointConnections()["TotalCount"] == "2"
    operator.privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    assert operator.privatelink.ListVpcEndpoints()["TotalCount"] == 0
    assert operator.privatelink.ListVpcEndpointConnections()["TotalCount"] == "1"
