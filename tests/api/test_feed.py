"""The change feed: what a node is told, when, and what that costs."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from privlink.client import RemoteError
from tests.api.account import Account
from tests.api.cost import Cost, counted
from tests.api.stage import NODE, Stage
from tests.api.stand_in import Node
from tests.api.world import A, World


def test_a_node_that_knows_nothing_gets_everything(world: World, node: Node, stage: Stage) -> None:
    network = world.network()
    balancer = world.balancer(network)
    group = world.group(network)
    service = world.service(balancer)
    endpoint = world.endpoint(service, network, A, group=group)
    attachment = world.account.own.call("CreateAttachment", VSwitchId=network.vswitch)
    answer = node.pull()
    assert answer["Full"] is True
    assert set(node.held) == {
        f"resolver/{network.vpc}",
        f"segment/{network.vswitch}",
        world.table(network),
        f"balancer/{balancer}/local-a",
        f"filter/{group}",
        f"forward/{endpoint}/{A}",
        f"attachment/{attachment['AttachmentId']}",
    }
    again = Node(stage.url)
    again.catch_up()
    assert again.held == node.held
    again.close()


def test_an_empty_installation_has_nothing_to_tell(node: Node) -> None:
    answer = node.pull()
    assert (answer["Full"], answer["Items"]) == (True, [])
    assert answer["Revision"] > 0
    assert node.pull()["Full"] is False


def test_after_that_only_what_changed(operator: Account, world: World, node: Node) -> None:
    network = world.network()
    group = world.group(network)
    node.catch_up()
    assert node.pull()["Items"] == []
    operator.ecs.AuthorizeSecurityGroup(
        SecurityGroupId=group,
        Permissions=[{"IpProtocol": "tcp", "PortRange": "80/80", "SourceCidrIp": "10.0.0.0/8"}],
    )
    answer = node.pull()
    assert (answer["Full"], node.seen) == (False, [f"filter/{group}"])
    vswitch = world.vswitch(network.vpc, "10.0.9.0/24")
    node.pull()
    assert node.seen == [f"segment/{vswitch}", world.table(network)]


def test_many_changes_of_one_thing_are_told_once(world: World, node: Node) -> None:
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network)
    node.catch_up()
    for port in range(80, 90):
        world.listener(balancer, group, port)
    node.pull()
    assert node.seen == [f"balancer/{balancer}/local-a"]
    assert len(node.held[f"balancer/{balancer}/local-a"]["listeners"]) == 10


def test_what_is_told_is_the_present_not_the_change(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network()
    node.catch_up()
    vswitch = world.vswitch(network.vpc, "10.0.9.0/24")
    operator.vpc.DeleteVSwitch(VSwitchId=vswitch)
    told, table = node.pull()["Items"]
    assert (told["Key"], told["Item"]) == (f"segment/{vswitch}", None)
    assert (table["Key"], len(table["Item"]["routes"])) == (world.table(network), 1)


def test_what_changes_nothing_for_nodes_is_not_told(world: World, node: Node) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    world.service()
    update = world.account.privatelink.UpdateVpcEndpointAttribute
    update(EndpointId=endpoint, ZoneAffinityEnabled=True)
    assert node.pull()["Items"] == []


def test_a_pull_that_waits_is_answered_by_a_commit(world: World, node: Node) -> None:
    network = world.network()
    node.catch_up()
    answers: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: answers.append(node.pull(wait=60)))
    waiting.start()
    vswitch = world.vswitch(network.vpc, "10.0.9.0/24")
    waiting.join(20)
    assert not waiting.is_alive()
    told = [told["Key"] for told in answers[0]["Items"]]
    assert told == [f"segment/{vswitch}", world.table(network)]


def test_a_pull_that_waits_goes_on_waiting_when_nothing_is_for_it(world: World, node: Node) -> None:
    network = world.network()
    node.catch_up()
    answers: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: answers.append(node.pull(wait=60)))
    waiting.start()
    for _ in range(3):
        world.service()
    assert answers == []
    world.vswitch(network.vpc, "10.0.9.0/24")
    waiting.join(20)
    assert len(answers[0]["Items"]) == 2  # with the route table


def test_a_pull_that_waits_is_let_go_when_its_time_is_up(world: World, node: Node) -> None:
    world.network()
    node.catch_up()
    assert node.pull(wait=1)["Items"] == []


def test_a_stranger_may_wait_as_long_as_is_allowed_and_no_longer(node: Node) -> None:
    for wait in (-1, 61):
        with pytest.raises(RemoteError) as caught:
            node.client.call("PullFeed", NodeId=NODE.node_id, Revision=1, WaitSeconds=wait)
        assert caught.value.code == "InvalidWaitSeconds"


def test_what_is_gone_is_told_until_every_node_knows(
    operator: Account, world: World, node: Node, stage: Stage
) -> None:
    network = world.network()
    node.catch_up()
    operator.vpc.DeleteVSwitch(VSwitchId=network.vswitch)
    before = node.revision
    for _ in range(2):
        node.revision = before
        node.pull()
        assert node.seen == [f"segment/{network.vswitch}", world.table(network)]
    gone = [key for key, _, is_gone, _ in stage.dump()["change"] if is_gone]
    assert len(gone) == 3  # with the place that questions came from
    node.report()
    ((left, *_),) = stage.dump()["change"]
    assert left == f"resolver/{network.vpc}"
    node.revision = before
    assert node.pull()["Items"] == []


def test_what_is_gone_is_not_told_to_who_knows_nothing(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network()
    operator.vpc.DeleteVSwitch(VSwitchId=network.vswitch)
    operator.vpc.DeleteVpc(VpcId=network.vpc)
    answer = node.pull()
    assert (answer["Full"], answer["Items"]) == (True, [])


def test_a_revision_from_elsewhere_gets_everything(world: World, node: Node) -> None:
    network = world.network()
    node.catch_up()
    ours = node.revision
    node.revision = ours + 1000
    answer = node.pull()
    assert answer["Full"] is True
    assert node.seen == world.alone(network)
    assert node.revision == ours


def test_a_report_from_elsewhere_confirms_nothing(world: World, node: Node) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.pull()
    node.revision += 1000
    node.report()
    assert world.statuses(endpoint)[1] == "Connecting"


def test_a_report_is_the_whole_truth(operator: Account, world: World, node: Node) -> None:
    network = world.network()
    node.fail(f"segment/{network.vswitch}")
    node.fail("forward/ep-gone/local-a")
    node.catch_up()
    assert len(operator.own.call("DescribeStatus")["Faults"]) == 2
    node.recover()
    node.report()
    assert operator.own.call("DescribeStatus")["Faults"] == []


def test_a_fault_told_twice_counts_once(operator: Account, node: Node) -> None:
    node.pull()
    fault = {"Key": "segment/x", "Code": "Refused", "Message": "no"}
    node.client.call(
        "PushReport",
        NodeId=NODE.node_id,
        Life=node.life,
        Revision=0,
        Fabric="",
        Faults=[fault, fault],
    )
    assert len(operator.own.call("DescribeStatus")["Faults"]) == 1


def test_a_restarted_server_may_have_another_database_so_it_tells_everything_again(
    world: World, node: Node, stage: Stage
) -> None:
    network = world.network()
    node.catch_up()
    stage.restart()
    assert node.pull()["Full"] is True
    assert node.seen == world.alone(network)
    assert node.pull()["Items"] == []
    vswitch = world.vswitch(network.vpc, "10.0.9.0/24")
    node.pull()
    assert node.seen == [f"segment/{vswitch}", world.table(network)]


def test_the_cost_of_a_change_does_not_grow_with_what_exists(world: World, node: Node) -> None:
    service, network = world.published(), world.network()
    group = world.group(network)

    def costs() -> list[tuple[int, int]]:
        """Of creating an endpoint, telling the node, and taking its report."""
        found: list[Cost] = []
        with counted() as cost:
            world.endpoint(service, network, A, group=group)
        found.append(cost)
        with counted() as cost:
            node.pull()
        found.append(cost)
        with counted() as cost:
            node.report()
        found.append(cost)
        return [(each.statements, each.steps) for each in found]

    node.catch_up()
    costs()  # the first of its kind
    few = costs()
    # Elsewhere: what counts towards the quota of one VPC is counted, at most a thousand.
    elsewhere = world.network()
    for _ in range(60):
        world.endpoint(service, elsewhere, A)
        world.account.own.call("CreateAttachment", VSwitchId=network.vswitch)
    node.catch_up()
    costs()  # whose key it is was looked up anew
    many = costs()
    assert [statements for statements, _ in many] == [statements for statements, _ in few]
    for (_, before), (_, now) in zip(few, many, strict=True):
        assert now <= before * 1.1, (few, many)


def test_a_report_names_so_many_links_and_faults_and_no_more(node: Node) -> None:
    node.pull()

    def push(**more: Any) -> None:
        node.client.call(
            "PushReport",
            NodeId=NODE.node_id,
            Life=node.life,
            Revision=node.revision,
            Fabric="",
            **more,
        )

    def keys(count: int) -> list[str]:
        return [f"attachment/att-{number}" for number in range(count)]

    faults = [{"Key": f"forward/{n}", "Code": "Refused", "Message": "x" * 200} for n in range(1001)]
    push(Plugged=keys(250), Unplugged=keys(250), Faults=faults[:1000])
    for too_much, code in (
        ({"Plugged": keys(250), "Unplugged": keys(251)}, "InvalidPlugged"),
        ({"Unplugged": keys(501)}, "InvalidUnplugged"),
        ({"Faults": faults}, "InvalidFaults"),
        ({"Faults": [{"Key": "a", "Code": "Unplugged", "Message": ""}]}, "InvalidFaults"),
    ):
        with pytest.raises(RemoteError) as caught:
            push(**too_much)
        assert caught.value.code == code


def test_faults_are_written_where_they_differ(operator: Account, node: Node) -> None:
    def written() -> int:
        with counted() as cost:
            node.report()
        return cost.statements

    node.catch_up()
    without = written()
    for number in range(3):
        node.fail(f"forward/{number}")
    assert written() > without
    assert written() == without
    node.fail("forward/1", "another reason")
    assert written() > without
    messages = [fault["Message"] for fault in operator.own.call("DescribeStatus")["Faults"]]
    assert messages == ["no room", "another reason", "no room"]
