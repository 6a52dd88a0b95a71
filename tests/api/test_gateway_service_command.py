"""`privlink gateway-service` against a server: create, list and delete."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from privlink.cli.main import main
from tests.api.account import Account
from tests.api.stage import Stage
from tests.api.test_flows_command import environment
from tests.api.world import World

NAME, BLOCKS = "com.privlink.local.objects", ("198.51.100.0/25", "fd00:0:0:900::/64")
DEFAULT = (
    '{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:Get*","Principal":"*",'
    '"Resource":"*"}]}'
)


def printed(stage: Stage, account: Account, *arguments: str, code: int = 0) -> str:
    """What the command prints."""
    done = CliRunner().invoke(
        main, ["gateway-service", *arguments], env=environment(stage, account)
    )
    assert done.exit_code == code, done.output
    return done.output


def provider(world: World) -> str:
    """A vSwitch of a VPC that has the blocks."""
    vpc = world.account.vpc.CreateVpc(
        CidrBlock="198.51.100.0/24", EnableIpv6=True, Ipv6CidrBlock="fd00:0:0:900::/56"
    )["VpcId"]
    return world.vswitch(vpc, "198.51.100.0/24")


def test_a_service_is_published_listed_and_deleted(
    stage: Stage, operator: Account, world: World, tmp_path: Path
) -> None:
    vswitch, file = provider(world), tmp_path / "default.json"
    file.write_text(DEFAULT)
    assert printed(stage, operator, "list") == "\nno gateway services\n"
    blocks = [word for block in BLOCKS for word in ("--cidr", block)]
    told = printed(
        stage,
        operator,
        *("create", "--name", NAME, "--vswitch", vswitch, *blocks),
        *("--policy-support", "--default-policy", str(file), "-o", "json"),
    )
    made = json.loads(told)
    assert made.keys() == {"service_id", "name", "prefix_list_id"}
    (listed,) = json.loads(printed(stage, operator, "list", "-o", "json"))
    assert (listed["ServiceId"], listed["CidrBlock"]) == (made["service_id"], list(BLOCKS))
    assert (listed["PolicySupported"], listed["DefaultPolicyDocument"]) == (True, DEFAULT)
    table = printed(stage, operator, "list")
    for word in (made["service_id"], NAME, vswitch, made["prefix_list_id"], " ".join(BLOCKS)):
        assert word in table
    endpoint = world.gateway_endpoint(world.network(), PolicyDocument=DEFAULT)
    assert endpoint in printed(stage, operator, "delete", NAME, code=1)
    assert NAME in printed(stage, operator, "list")


def test_it_is_deleted_by_its_id_or_its_name(stage: Stage, operator: Account, world: World) -> None:
    vswitch = provider(world)
    created = ("create", "--name", NAME, "--vswitch", vswitch, "--cidr", BLOCKS[0])
    told = printed(stage, operator, *created)
    service = told.split()[1]
    assert "[GatewayServiceExists]" in printed(stage, operator, *created, code=1)
    printed(stage, operator, "delete", service)
    printed(stage, operator, *created)
    printed(stage, operator, "delete", NAME)
    assert "there is no gateway service" in printed(stage, operator, "delete", NAME, code=1)
    assert "GatewayServiceNotFound" in printed(stage, operator, "delete", service, code=1)


def test_it_is_the_operators(stage: Stage, operator: Account, other: Account) -> None:
    assert "[NoPermission]" in printed(stage, other, "list", code=1)
