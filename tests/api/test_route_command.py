"""`privlink route` against a server."""

from __future__ import annotations

from click.testing import CliRunner

from privlink.cli.main import main
from tests.api.account import Account
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.test_flows_command import environment
from tests.api.test_routes import placed
from tests.api.world import World


def route(stage: Stage, account: Account, *arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["route", *arguments], env=environment(stage, account))
    assert done.exit_code == code, done.output
    return done.output


def test_a_route_comes_is_listed_and_goes(
    stage: Stage, operator: Account, world: World, node: Node
) -> None:
    place = placed(operator, world.network())
    table = ("--table", place.table)
    block = ("--to", "192.168.0.0/16", "--name", "office")
    made = route(stage, operator, "add", *table, *block, "--via", place.attachment).strip()
    node.catch_up()
    title, head, local, written = route(stage, operator, "list", *table).strip().splitlines()
    assert (title, head.split()[:3]) == ("routes", ["RouteEntryId", "To", "Via"])
    assert local.split()[1:] == ["10.0.0.0/24", "local", "System", "Available"]
    assert written.split() == [
        *(made, "192.168.0.0/16", place.attachment, "Custom", "Available", "office")
    ]
    assert '"NextHopType": "Instance"' in route(stage, operator, "list", *table, "-o", "json")
    assert route(stage, operator, "remove", made) == ""
    answer = route(stage, operator, "add", *table, *block, "--via", place.eni, "-o", "json")
    assert '"RouteEntryId": "rte-' in answer


def test_what_cannot_be_is_told_in_one_line(stage: Stage, operator: Account, world: World) -> None:
    place = placed(operator, world.network())
    wanted = ("--table", place.table, "--to", "10.0.0.0/24", "--via")
    told = route(stage, operator, "add", *wanted, "10.0.0.1", code=1)
    assert told == "Error: --via '10.0.0.1' begins with none of att-, eni-, ngw-\n"
    told = route(stage, operator, "add", *wanted, place.eni, code=1)
    assert told.startswith("Error: DestinationCidrBlock 10.0.0.0/24 is the same as or inside")
    assert told.endswith("[InvalidCidrBlock]\n") and told.count("\n") == 1
    assert "[InvalidRouteEntry.NotFound]" in route(stage, operator, "remove", "rte-no", code=1)
