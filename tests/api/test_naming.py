"""The documents that names are answered from: what is told of them, and what waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from privlink.client import RemoteError
from privlink.server import first_start
from privlink.server.orders import NodeCredentials, Orders
from privlink.store import changes, resolvers, schema
from tests.api import naive
from tests.api.account import Account
from tests.api.chance import Chance
from tests.api.cost import counted
from tests.api.stage import DNS, NODE, OPERATOR, Stage
from tests.api.stand_in import Node, Resolver
from tests.api.test_health import get
from tests.api.test_life import grow_older
from tests.api.test_server_health import Shop, shop
from tests.api.test_zone_resources import Moving, moving
from tests.api.world import A, B, World

__all__ = ["moving", "shop"]  # fixtures
DOMAIN = "local.privatelink.internal"
CONNECTED = ("Active", "Connected", {A: "Connected"})


@pytest.fixture
def resolver(node: Node) -> Resolver:
    """Whoever answers names, which confirms nothing unless it is told to."""
    node.resolver_is_silent = True
    return node.resolver


def silence(stage: Stage, seconds: float) -> None:
    """Let whoever answers names have said its last word so long ago."""
    then = datetime.now(UTC) - timedelta(seconds=seconds)
    with stage.database.write() as tx:
        tx.execute(update(schema.resolver).values(seen_at=then.strftime("%Y-%m-%dT%H:%M:%SZ")))


def told(resolver: Resolver) -> dict[str, dict[str, Any] | None]:
    """What changed since it asked last, by key."""
    return {each["Key"]: each["Item"] for each in resolver.pull()["Items"]}


def test_an_endpoint_and_all_that_its_names_follow_from(world: World, resolver: Resolver) -> None:
    provider, consumer = world.network(A, B), world.network(A, B)
    balancer = world.balancer(provider)
    service = world.service(balancer, (A, B))
    endpoint = world.endpoint(service, consumer, A, B)
    resolver.pull()
    zones, shown = world.zones(endpoint), world.shown(endpoint)
    assert resolver.held[f"names/{endpoint}"] == {
        "kind": "names",
        "endpoint": endpoint,
        "network": 2,
        "order": 1,
        "domain": shown["EndpointDomain"],
        "service_domain": f"{service}.{DOMAIN}",
        "zones": [
            {
                "zone": zone,
                "domain": zones[zone]["ZoneDomain"],
                "address": zones[zone]["EniIp"],
                "address6": "",
                "front": f"front/{balancer}/{zone}",
                "provider": 1,
                "source": f"100.64.0.{number}",
                "source6": "",
            }
            for number, zone in enumerate((A, B), start=1)
        ],
        "affinity": False,
        "private": [],
        "aliases": [],
    }
    places = {key: each for key, each in resolver.held.items() if key.startswith("place/")}
    assert places == {
        f"place/{vswitch}": {"kind": "place", "number": number, "network": network, "zone": zone}
        for number, vswitch, network, zone in (
            (1, provider.vswitches[A], 1, A),
            (2, provider.vswitches[B], 1, B),
            (3, consumer.vswitches[A], 2, A),
            (4, consumer.vswitches[B], 2, B),
        )
    }
    fronts = {key: each for key, each in resolver.held.items() if key.startswith("front/")}
    down = {"kind": "front", "healthy": False}  # there is no server yet
    assert fronts == {f"front/{balancer}/{zone}": down for zone in (A, B)}


def test_both_families_of_an_endpoint(world: World, resolver: Resolver) -> None:
    network = world.dual_network()
    service = world.dual_published()
    endpoint = world.endpoint(service, network, A)
    resolver.pull()
    (before,) = resolver.held[f"names/{endpoint}"]["zones"]
    assert (before["address6"], before["source6"]) == ("", "")
    update_endpoint = world.account.privatelink.UpdateVpcEndpointAttribute
    update_endpoint(EndpointId=endpoint, AddressIpVersion="DualStack")
    changed = told(resolver)[f"names/{endpoint}"]
    assert changed is not None
    (zone,) = changed["zones"]
    assert zone["address6"] == world.zones(endpoint)[A]["ZoneIpv6Address"]
    assert zone["source6"] == "fd70:7269:766c::6440:1"


def test_older_endpoints_go_before_younger(world: World, resolver: Resolver) -> None:
    service, network = world.published(), world.network()
    made = [world.endpoint(service, network, A) for _ in range(3)]
    resolver.pull()
    orders = [resolver.held[f"names/{each}"]["order"] for each in made]
    assert orders == sorted(set(orders))


def test_nodes_hear_nothing_of_names_nor_resolvers_of_items(world: World, node: Node) -> None:
    world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    kinds = [{key.partition("/")[0] for key in each.held} for each in (node, node.resolver)]
    assert kinds == [
        {"resolver", "segment", "table", "balancer", "filter", "forward"},
        {"place", "names", "front"},
    ]


def test_names_are_connected_once_whoever_answers_has_them(
    world: World, node: Node, resolver: Resolver
) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    resolver.confirm(Life=1, Revision=0)
    node.catch_up()
    waiting = ("Active", "Connecting", {A: "Connecting"})
    assert world.statuses(endpoint) == waiting
    resolver.pull()
    assert world.statuses(endpoint) == waiting
    resolver.confirm()
    assert world.statuses(endpoint) == CONNECTED


def test_a_name_does_not_wait_for_more_than_its_endpoint_was_opened_by(
    world: World, node: Node, resolver: Resolver
) -> None:
    network = world.network(A, B)
    endpoint = world.endpoint(world.published(A, B), network, A, B)
    node.catch_up()
    resolver.catch_up()
    both = ("Active", "Connected", {A: "Connected", B: "Connected"})
    assert world.statuses(endpoint) == both
    ours = {"EndpointId": endpoint}
    privatelink = world.account.privatelink
    privatelink.UpdateVpcEndpointAttribute(**ours, ZoneAffinityEnabled=True)
    assert world.statuses(endpoint) == both
    resolver.catch_up()
    group = world.group(network)
    privatelink.AttachSecurityGroupToVpcEndpoint(**ours, SecurityGroupId=group)
    node.catch_up()
    assert world.statuses(endpoint) == both
    resolver.catch_up()
    privatelink.RemoveZoneFromVpcEndpoint(**ours, ZoneId=B)
    assert world.statuses(endpoint)[1:] == ("Connected", {A: "Connected", B: "Deleting"})


def test_accepted_and_refused_by_hand(world: World, node: Node, resolver: Resolver) -> None:
    service = world.published(auto=False)
    endpoint = world.endpoint(service, world.network(), A)
    node.catch_up()
    assert f"names/{endpoint}" not in told(resolver)
    bond = {"ServiceId": service, "EndpointId": endpoint}
    world.account.privatelink.EnableVpcEndpointConnection(**bond)
    document = told(resolver)[f"names/{endpoint}"]
    assert document is not None and len(document["zones"]) == 1
    node.catch_up()
    assert world.statuses(endpoint)[1] == "Connecting"
    resolver.confirm()
    assert world.statuses(endpoint) == CONNECTED
    world.account.privatelink.DisableVpcEndpointConnection(**bond)
    assert told(resolver) == {f"names/{endpoint}": None}


def test_a_zone_that_is_cut_leaves_the_names(world: World, resolver: Resolver) -> None:
    service = world.published(A, B)
    endpoint = world.endpoint(service, world.network(A, B), A, B)
    resolver.pull()
    bond = {"ServiceId": service, "EndpointId": endpoint, "ZoneId": A}
    world.account.privatelink.DisableVpcEndpointZoneConnection(**bond)
    document = told(resolver)[f"names/{endpoint}"]
    assert document is not None and [each["zone"] for each in document["zones"]] == [B]


def test_an_address_is_free_once_its_name_has_gone(
    world: World, node: Node, resolver: Resolver
) -> None:
    network = world.network(A, B)
    endpoint = world.endpoint(world.published(A, B), network, A, B)
    node.catch_up()
    resolver.catch_up()
    privatelink = world.account.privatelink
    privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=B)
    node.catch_up()
    assert world.statuses(endpoint)[2] == {A: "Connected", B: "Deleting"}
    document = told(resolver)[f"names/{endpoint}"]
    assert document is not None and [each["zone"] for each in document["zones"]] == [A]
    resolver.confirm()
    assert world.statuses(endpoint)[2] == {A: "Connected"}
    privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=A)
    privatelink.DeleteVpcEndpoint(EndpointId=endpoint)
    node.catch_up()
    assert world.shown(endpoint)["EndpointStatus"] == "Deleting"
    assert told(resolver) == {f"names/{endpoint}": None}
    resolver.confirm()
    assert privatelink.ListVpcEndpoints()["Endpoints"] == []


def test_one_who_is_silent_is_waited_for_no_longer(
    stage: Stage, world: World, node: Node, resolver: Resolver
) -> None:
    resolver.catch_up()
    network = world.network()
    endpoint = world.endpoint(world.published(), network, A)
    node.catch_up()
    assert world.statuses(endpoint)[1] == "Connecting"
    silence(stage, resolvers.PATIENCE + 2)
    assert world.statuses(endpoint) == CONNECTED
    world.account.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=A)
    node.catch_up()
    assert world.zones(endpoint) == {}


def test_nobody_is_waited_for_where_nobody_answers(
    stage: Stage, world: World, node: Node, resolver: Resolver
) -> None:
    with stage.database.write() as tx:
        first_start.ensure(tx, Orders(stage.config, 0, OPERATOR, NODE))
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    assert world.statuses(endpoint) == CONNECTED
    assert get(stage, "/readyz") == (200, "ready\n")
    world.account.privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=A)
    node.catch_up()
    assert world.zones(endpoint) == {}
    assert [row for row in stage.dump()["change"] if row[2]] == []
    with pytest.raises(RemoteError) as caught:
        resolver.pull()
    assert caught.value.code == "InvalidAccessKeyId.NotFound"


def test_another_resolver_takes_the_place_of_the_last(stage: Stage, resolver: Resolver) -> None:
    resolver.catch_up()
    other = NodeCredentials("dns-2", "LTAI5tOther", "another-secret")
    with stage.database.write() as tx:
        first_start.ensure(tx, Orders(stage.config, 0, OPERATOR, NODE, other))
    assert [row[0] for row in stage.dump()["resolver"]] == ["dns-2"]
    keys = [row for row in stage.dump()["access_key"] if "dns-2" in row or DNS.node_id in row]
    assert [row[0] for row in keys] == ["LTAI5tOther"]


def test_a_restart_changes_no_status_and_new_names_wait(
    stage: Stage, world: World, node: Node, resolver: Resolver
) -> None:
    service, network = world.published(), world.network()
    before = world.endpoint(service, network, A)
    node.catch_up()
    resolver.catch_up()
    for was_silent in (False, True):
        if was_silent:
            silence(stage, 100)
        stage.restart()
        assert world.statuses(before) == CONNECTED
        after = world.endpoint(service, network, A)
        node.catch_up()
        assert world.statuses(after)[1] == "Connecting"
        assert world.statuses(before) == CONNECTED
        grow_older(stage, resolvers.PATIENCE)
        assert world.statuses(after) == CONNECTED
        resolver.catch_up()
        assert resolver.held.keys() >= {f"names/{before}", f"names/{after}"}


def test_a_word_from_elsewhere_confirms_nothing(
    world: World, node: Node, resolver: Resolver
) -> None:
    resolver.catch_up()
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    for more in ({"Revision": 10**9}, {"Life": resolver.life + 1, "Revision": node.revision}):
        resolver.confirm(**more)
        assert world.statuses(endpoint)[1] == "Connecting"
    resolver.catch_up()
    assert world.statuses(endpoint) == CONNECTED
    resolver.confirm(Life=0)
    assert world.statuses(endpoint)[1] == "Connecting"


def test_what_is_gone_is_told_until_whoever_answers_knows(
    stage: Stage, world: World, node: Node, resolver: Resolver
) -> None:
    network = world.network()
    resolver.catch_up()
    node.catch_up()
    world.account.vpc.DeleteVSwitch(VSwitchId=network.vswitch)
    node.catch_up()
    key = f"place/{network.vswitch}"
    assert key in {row[0] for row in stage.dump()["change"]}
    assert told(resolver) == {key: None}
    resolver.confirm()
    assert key not in {row[0] for row in stage.dump()["change"]}


def test_a_reverse_endpoint_has_no_names_and_waits_for_none(
    world: World, node: Node, resolver: Resolver
) -> None:
    resolver.catch_up()
    service = world.reverse_service(world.nat_gateway(world.network()))
    endpoint = world.reverse_endpoint(service, world.network())
    node.catch_up()
    assert world.statuses(endpoint) == CONNECTED
    assert told(resolver).get(f"names/{endpoint}") is None
    assert f"names/{endpoint}" not in resolver.held
    resolver.revision = 0
    assert f"names/{endpoint}" not in told(resolver)


@pytest.mark.parametrize("whose", ["endpoint", "service"])
def test_affinity_of_either_side(world: World, resolver: Resolver, whose: str) -> None:
    service = world.published()
    endpoint = world.endpoint(service, world.network(), A)
    world.endpoint(service, world.network())  # without a zone it has no names
    privatelink = world.account.privatelink
    change: Callable[..., Any] = {
        "endpoint": lambda **more: privatelink.UpdateVpcEndpointAttribute(
            EndpointId=endpoint, **more
        ),
        "service": lambda **more: privatelink.UpdateVpcEndpointServiceAttribute(
            ServiceId=service, **more
        ),
    }[whose]
    resolver.pull()
    for wanted in (True, False):
        change(ZoneAffinityEnabled=wanted)
        changed = told(resolver)
        assert [*changed] == [f"names/{endpoint}"]
        document = changed[f"names/{endpoint}"]
        assert document is not None and document["affinity"] is wanted
        change(ZoneAffinityEnabled=wanted)
        assert told(resolver) == {}


def test_a_migrated_zone_has_another_front(moving: Moving, node: Node, resolver: Resolver) -> None:
    key = f"names/{moving.endpoint}"
    resolver.pull()
    assert resolver.held[key]["zones"][0]["front"] == f"front/{moving.old}/{A}"
    moving.make_way()
    moving.update(ResourceId=moving.new, ResourceReplaceMode="Graceful")
    document = told(resolver)[key]
    assert document is not None and document["zones"][0]["front"] == f"front/{moving.new}/{A}"


def test_health_is_one_document_and_no_endpoint_waits_for_it(
    shop: Shop, world: World, node: Node, resolver: Resolver
) -> None:
    service = world.service(shop.balancer, (A, B))
    network = world.network()
    made = [world.endpoint(service, network, A) for _ in range(3)]
    node.catch_up()
    resolver.catch_up()
    fronts = {zone: f"front/{shop.balancer}/{zone}" for zone in (A, B)}
    well, down = ({"kind": "front", "healthy": each} for each in (True, False))
    assert {key: resolver.held[key] for key in fronts.values()} == dict.fromkeys(
        fronts.values(), well
    )
    shop.everywhere("Healthy")
    shop.node.tell(shop.state("10.0.0.9", "Unhealthy"))
    assert told(resolver) == {}  # the other zone's takes its flows
    shop.node.tell(shop.state("10.0.1.9", "Unhealthy"))
    assert told(resolver) == {fronts[A]: down}
    shop.node.tell(shop.state("10.0.1.9", "Unhealthy", Why="CONNECT_FAILED"))
    assert told(resolver) == {}
    for each in made:
        assert world.statuses(each) == CONNECTED
    shop.node.tell(shop.state("10.0.0.9", "Healthy"))
    assert told(resolver) == {fronts[A]: well}


def test_servers_of_other_zones_count_where_they_may(shop: Shop, resolver: Resolver) -> None:
    key = f"front/{shop.balancer}/{A}"
    shop.node.tell(shop.state("10.0.0.9", "Unhealthy"))
    resolver.pull()
    assert resolver.held[key]["healthy"] is True
    attribute = shop.nlb.UpdateLoadBalancerAttribute
    attribute(LoadBalancerId=shop.balancer, CrossZoneEnabled=False)
    resolver.pull()
    assert resolver.held[key]["healthy"] is False
    assert resolver.held[f"front/{shop.balancer}/{B}"]["healthy"] is True


def test_a_node_that_holds_nothing_has_said_nothing(shop: Shop, resolver: Resolver) -> None:
    shop.everywhere("Unhealthy")
    resolver.pull()
    keys = {f"front/{shop.balancer}/{zone}" for zone in (A, B)}
    assert {resolver.held[key]["healthy"] for key in keys} == {False}
    shop.node.tell(Life=0)
    assert {each["healthy"] for each in told(resolver).values() if each} == {True}
    shop.node.tell(Life=0)
    assert told(resolver) == {}


def test_what_a_health_change_costs_does_not_grow_with_its_endpoints(
    shop: Shop, world: World, node: Node
) -> None:
    service = world.service(shop.balancer, (A, B))
    network = world.network()
    group = world.group(network)

    def cost() -> tuple[int, int]:
        with counted() as found:
            shop.everywhere("Unhealthy")
            node.resolver.pull()
        shop.everywhere("Healthy")
        node.catch_up()
        return found.statements, found.steps

    world.endpoint(service, network, A, group=group)
    node.catch_up()
    cost()
    few = cost()
    for _ in range(40):
        world.endpoint(service, network, A, group=group)
    node.catch_up()
    cost()
    many = cost()
    assert many[0] == few[0]
    assert many[1] <= few[1] * 1.1


def test_each_wait_is_ended_by_what_it_waits_for(world: World, node: Node) -> None:
    network = world.network()
    endpoint = world.endpoint(world.published(), network, A)
    node.catch_up()
    resolver = node.resolver
    answers: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: answers.append(resolver.pull(wait=60)))
    waiting.start()
    ours = {"EndpointId": endpoint}
    group = world.group(network)  # an item, and no document
    world.account.privatelink.AttachSecurityGroupToVpcEndpoint(**ours, SecurityGroupId=group)
    assert answers == []
    world.account.privatelink.UpdateVpcEndpointAttribute(**ours, ZoneAffinityEnabled=True)
    waiting.join(20)
    assert [each["Key"] for each in answers[0]["Items"]] == [f"names/{endpoint}"]


def test_how_it_is_shown(stage: Stage, operator: Account, node: Node, resolver: Resolver) -> None:
    node.catch_up()
    unheard = f"{DNS.node_id} has not confirmed names since the server started\n"
    assert get(stage, "/readyz") == (503, unheard)

    def shown() -> tuple[bool, bool, int]:
        status = operator.own.call("DescribeStatus")
        (ours,) = status["Resolvers"]
        assert ours["NodeId"] == DNS.node_id
        return status["InStep"], ours["InStep"], ours["Revision"]

    def gauge(name: str) -> float:
        start = f'privlink_resolver_{name}{{resolver="{DNS.node_id}"}} '
        lines = get(stage, "/metrics")[1].splitlines()
        return next(float(line.removeprefix(start)) for line in lines if line.startswith(start))

    assert shown() == (False, False, 0)
    resolver.catch_up()
    assert get(stage, "/readyz") == (200, "ready\n")
    assert shown() == (True, True, resolver.revision)
    assert (gauge("in_step"), gauge("revision")) == (1, resolver.revision)
    World(operator).network()
    node.catch_up()
    with stage.database.read() as tx:
        newest = changes.newest_for(tx, changes.Audience.RESOLVERS)
    behind = f"{DNS.node_id} has the names of revision {resolver.revision} of {newest}\n"
    assert get(stage, "/readyz") == (503, behind)
    assert (shown()[:2], gauge("in_step")) == ((False, False), 0)
    resolver.catch_up()
    silence(stage, 100)
    text = get(stage, "/readyz")[1]
    assert text.startswith(f"{DNS.node_id} has not confirmed names for 10")
    assert (shown()[:2], gauge("in_step")) == ((False, False), 0)


@pytest.mark.parametrize("seed", range(3))
def test_what_was_told_bit_by_bit_is_what_there_is(
    stage: Stage, world: World, node: Node, tmp_path: Path, seed: int
) -> None:
    chance = Chance(world, node, seed)
    node.catch_up()
    for number in range(150):
        chance.act()
        if number % 7 == 0:
            node.catch_up()
        node.resolver.pull()
        assert node.resolver.held == naive.documents(tmp_path / "privlink.db"), number
    from_scratch = Resolver(stage.url)
    from_scratch.pull()
    from_scratch.client.close()
    assert from_scratch.held == node.resolver.held
