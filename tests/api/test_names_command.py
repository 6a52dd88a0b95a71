"""`privlink service-name`, `endpoint-name`, `alias` and `explain name` against a server."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from privlink.cli.main import main
from tests.api.account import Account
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.test_flows_command import environment
from tests.api.world import A, World

NAME = "db.vendor.example"


def printed(stage: Stage, account: Account, *arguments: str, code: int = 0) -> str:
    """What the command prints."""
    done = CliRunner().invoke(main, arguments, env=environment(stage, account))
    assert done.exit_code == code, done.output
    return done.output


def test_a_name_from_its_record_to_its_answer(
    stage: Stage, operator: Account, node: Node, world: World
) -> None:
    service, network = world.published(), world.network()
    endpoint = world.endpoint(service, network, A)
    node.catch_up()
    assert printed(stage, operator, "service-name", "list") == "\nno private names of services\n"
    told = printed(stage, operator, "service-name", "set", service, NAME)
    record = f"_privlink.{NAME}"
    assert "Pending" in told
    assert f"publish in the DNS: {record} TXT privlink-verify=" in told
    failed = printed(stage, operator, "service-name", "verify", service, code=1)
    assert f"{record} has no TXT record" in failed
    assert "[VerificationFailed]" in failed
    stage.texts[record] = [told.rstrip().rpartition(" ")[2]]
    verified = json.loads(printed(stage, operator, "service-name", "verify", service, "-o", "json"))
    assert (verified["State"], verified["VerifiedBy"]) == ("Verified", "Dns")
    assert "enabled      True" in printed(stage, operator, "endpoint-name", "on", endpoint)
    (listed,) = json.loads(printed(stage, operator, "service-name", "list", "-o", "json"))
    assert (listed["Name"], listed["EndpointCount"]) == (NAME, 1)
    assert NAME in printed(stage, operator, "service-name", "list")
    told = printed(stage, operator, "explain", "name", NAME, "--vswitch", network.vswitch)
    for word in (f"{NAME} in {network.vpc}: Answered", f"{endpoint} has it", "10.0.0.", "True"):
        assert word in told
    printed(stage, operator, "endpoint-name", "off", endpoint)
    told = printed(stage, operator, "explain", "name", NAME, "--vpc", network.vpc, "-o", "json")
    assert json.loads(told)["Outcome"] == "Upstream"
    printed(stage, operator, "service-name", "remove", service)
    failed = printed(stage, operator, "endpoint-name", "on", endpoint, code=1)
    assert "[ServicePrivateNameNotFound]" in failed


def test_the_operator_approves(stage: Stage, operator: Account, other: Account) -> None:
    service = World(other).published()
    printed(stage, other, "service-name", "set", service, "*.vendor.example")
    refused = printed(stage, other, "service-name", "approve", service, NAME, code=1)
    assert "[NoPermission]" in refused
    refused = printed(stage, operator, "service-name", "approve", service, NAME, code=1)
    assert "[ServicePrivateNameChanged]" in refused
    told = printed(stage, operator, "service-name", "approve", service, "*.vendor.example")
    assert "Verified" in told


def test_aliases(stage: Stage, operator: Account, node: Node, world: World) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    assert "no aliases" in printed(stage, operator, "alias", "list", endpoint)
    made = printed(stage, operator, "alias", "create", endpoint, "DB.shop.", "--zone", A)
    assert made == f"endpoint_id  {endpoint}\nname         db.shop\nzone_id      {A}\n"
    assert "[EndpointAliasExists]" in printed(
        stage, operator, "alias", "create", endpoint, "db.shop", code=1
    )
    listed = printed(stage, operator, "alias", "list", endpoint)
    for word in ("db.shop", A, "True", "nobody else claims it."):
        assert word in listed
    assert "EndpointDomain" not in listed
    everything = json.loads(
        printed(stage, operator, "endpoint-name", "list", endpoint, "-o", "json")
    )
    assert [each["Kind"] for each in everything] == [
        *("EndpointDomain", "ZoneDomain", "ServiceDomain", "Alias")
    ]
    printed(stage, operator, "alias", "delete", endpoint, "db.shop")
    assert json.loads(printed(stage, operator, "alias", "list", endpoint, "-o", "json")) == []


@pytest.mark.parametrize("command", ["service-name", "endpoint-name", "alias", "explain"])
def test_each_says_what_it_is_for(command: str) -> None:
    done = CliRunner().invoke(main, [command, "--help"])
    assert done.exit_code == 0
    assert "Commands:" in done.output


def test_a_name_is_explained_somewhere(stage: Stage, operator: Account) -> None:
    told = printed(stage, operator, "explain", "name", NAME, code=2)
    assert "give --vswitch or --vpc" in told
