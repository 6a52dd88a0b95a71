"""PrivateLink is switched on once in each account that was created for somebody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from privlink.api.action import PRIVATELINK
from privlink.server.wiring import ACTIONS
from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.identity import allow, user
from tests.api.stage import Stage
from tests.api.test_accounts import ACTION, CALLS, LISTS, ask, belongings, filled
from tests.api.world import World

ALWAYS = {"DescribeRegions", "DescribeZones", "CheckProductOpen", "OpenPrivateLinkService"}


@pytest.fixture
def fresh(stage: Stage, operator: Account) -> Iterator[Account]:
    """An account that has just been created."""
    made = operator.own.call("CreateAccount", Name="fresh")
    account = Account(stage.host, made["AccountId"], made["AccessKeyId"], made["AccessKeySecret"])
    yield account
    account.own.close()


def test_the_first_account_is_open_from_the_start(operator: Account, refused: Refused) -> None:
    assert operator.privatelink.CheckProductOpen()["Success"] is True
    with refused("OrderOpend", 400, operator.id, "already"):
        operator.privatelink.OpenPrivateLinkService()


def test_another_one_opens_once(fresh: Account, refused: Refused) -> None:
    with refused("NeedOpenProduct", 400, fresh.id, "OpenPrivateLinkService"):
        fresh.privatelink.CheckProductOpen()
    assert fresh.privatelink.OpenPrivateLinkService()["OrderId"].isdigit()
    assert fresh.privatelink.CheckProductOpen()["Success"] is True
    with refused("OrderOpend", 400):
        fresh.privatelink.OpenPrivateLinkService()
    assert fresh.privatelink.ListVpcEndpoints()["Endpoints"] == []


def test_until_then_privatelink_answers_what_it_is_only(
    stage: Stage, world: World, fresh: Account
) -> None:
    ids = belongings(world)
    own = {f"own {kind}": id for kind, id in ids.items()}
    before = stage.dump()
    tried = set()
    for name, template, *_ in (*CALLS, *LISTS):
        if ACTION[name].product is PRIVATELINK:
            reply = ask(stage, fresh, ACTION[name], filled(template, ids | own))
            assert (reply.code, reply.status) == ("NeedOpenProduct", 400), name
            tried.add(ACTION[name].name)
    assert tried | ALWAYS == {each.name for each in ACTIONS if each.product is PRIVATELINK}
    fresh.privatelink.DescribeRegions()
    fresh.privatelink.DescribeZones()
    assert stage.dump() == before


def test_its_other_products_are_open(fresh: Account) -> None:
    network = World(fresh).network()
    World(fresh).balancer(network)
    fresh.ram.CreateUser(UserName="alice")


def test_a_user_may_open_it_if_a_policy_says_so(
    stage: Stage, fresh: Account, refused: Refused
) -> None:
    clerk = user(stage, fresh, "clerk", allow("privatelink:Open*"))
    other = user(stage, fresh, "other", allow("vpc:*"))
    with refused("NoPermission", 400, "privatelink:OpenPrivateLinkService"):
        other.privatelink.OpenPrivateLinkService()
    clerk.privatelink.OpenPrivateLinkService()


def test_a_dry_run_opens_nothing(fresh: Account, refused: Refused) -> None:
    with refused("DryRunOperation", 400):
        fresh.own.call("OpenPrivateLinkService", version="2020-04-15", DryRun=True)
