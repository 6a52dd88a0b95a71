"""The server's life: what a node said in an earlier one, and what of that still holds."""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import update

from privlink.client import Client
from privlink.server import first_start
from privlink.server.orders import Credentials, Orders
from privlink.store import nodes, schema
from tests.api.account import Account
from tests.api.stage import DNS, NODE, OPERATOR, Stage
from tests.api.stand_in import Node
from tests.api.test_health import get
from tests.api.world import A, World


def grow_older(stage: Stage, seconds: int = nodes.GRACE) -> None:
    """Let the server have begun longer ago."""
    table = schema.sequence
    with stage.database.write() as tx:
        began = update(table).where(table.c.name == "life began")
        tx.execute(began.values(value=table.c.value - seconds))


def test_the_last_word_holds_until_the_node_has_had_time_to_speak(
    stage: Stage, world: World, node: Node
) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    stage.restart()
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected"})
    grow_older(stage)
    assert world.statuses(endpoint) == ("Active", "Connecting", {A: "Connecting"})
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected"})


def test_ready_and_in_step_want_a_word_of_this_life(
    stage: Stage, operator: Account, node: Node
) -> None:
    node.catch_up()
    assert get(stage, "/readyz") == (200, "ready\n")
    stage.restart()
    silent = f"{NODE.node_id} has not reported since the server started\n"
    names_too = f"{DNS.node_id} has not confirmed names since the server started\n"
    assert get(stage, "/readyz") == (503, silent + names_too)
    assert operator.own.call("DescribeStatus")["InStep"] is False
    node.catch_up()
    assert get(stage, "/readyz") == (200, "ready\n")
    assert operator.own.call("DescribeStatus")["InStep"] is True


def test_a_word_of_an_earlier_life_confirms_nothing_in_this(
    stage: Stage, world: World, node: Node
) -> None:
    network = world.network()
    made = world.account.own.call("CreateAttachment", VSwitchId=network.vswitch)
    node.catch_up()
    stage.restart()
    grow_older(stage)
    node.plug(made["AttachmentId"])
    node.fail(f"segment/{network.vswitch}")
    node.report()
    shown = world.account.own.call("GetAttachment", AttachmentId=made["AttachmentId"])
    assert shown["Status"] == "Attaching"
    assert world.account.own.call("DescribeStatus")["Faults"] == []
    node.recover()
    node.catch_up()
    shown = world.account.own.call("GetAttachment", AttachmentId=made["AttachmentId"])
    assert shown["Status"] == "Unplugged"


def test_a_server_that_ends_lets_go_of_who_waits(stage: Stage, node: Node) -> None:
    node.catch_up()
    answers: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: answers.append(node.pull(wait=60)))
    waiting.start()
    stage.release()
    waiting.join(20)
    assert not waiting.is_alive()
    assert answers[0]["Items"] == []


def test_lost_credentials_come_back_as_another_key_of_the_same_account(
    stage: Stage, operator: Account
) -> None:
    operator.vpc.CreateVpc()
    fresh = Credentials("2000000000000002", "LTAI5tFresh", "fresh-secret")
    for _ in range(2):
        with stage.database.write() as tx:
            first_start.ensure(tx, Orders(stage.config, 0, fresh, NODE))
    client = Client(stage.url, fresh.access_key_id, fresh.access_key_secret)
    status = client.call("DescribeStatus")
    assert status["OperatorAccountId"] == OPERATOR.account_id
    listed = client.call("DescribeVpcs", version="2016-04-28", RegionId="local")
    assert listed["TotalCount"] == 1
    client.close()
    assert operator.own.call("DescribeStatus")["OperatorAccountId"] == OPERATOR.account_id
    assert len(stage.dump()["account"]) == 1


def test_a_node_that_holds_nothing_is_believed_at_once(world: World, node: Node) -> None:
    endpoint = world.endpoint(world.published(), world.network(), A)
    node.catch_up()
    node.client.call("PushReport", NodeId=NODE.node_id, Life=0, Revision=0, Fabric="privlink-test")
    assert world.statuses(endpoint) == ("Active", "Connecting", {A: "Connecting"})
    node.catch_up()
    assert world.statuses(endpoint) == ("Active", "Connected", {A: "Connected"})
