"""privlink's own product: attachments, accounts, and how the installation is."""

from __future__ import annotations

import pytest

from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.stage import NODE, Stage
from tests.api.stand_in import Node
from tests.api.world import A, World


def test_an_attachment_is_shown_as_it_was_made(operator: Account, world: World, node: Node) -> None:
    network = world.network()
    made = operator.own.call(
        "CreateAttachment", VSwitchId=network.vswitch, PrivateIpAddress="10.0.0.5"
    )
    attachment = made["AttachmentId"]
    assert attachment.startswith("att-")
    assert (made["VSwitchId"], made["VpcId"]) == (network.vswitch, network.vpc)
    assert (made["PrivateIpAddress"], made["CidrBlock"]) == ("10.0.0.5", "10.0.0.0/24")
    assert made["Gateway"] == "10.0.0.253"
    assert made["MacAddress"].startswith("02:")
    node.plug(attachment)
    node.catch_up()
    shown = operator.own.call("GetAttachment", AttachmentId=attachment)
    assert shown["Status"] == "Attached"
    changing = ("RequestId", "Status")
    assert {name: shown[name] for name in shown if name not in changing} == {
        name: made[name] for name in made if name not in changing
    }
    told = node.held[f"attachment/{attachment}"]
    assert (told["address"], told["mac"]) == ("10.0.0.5", made["MacAddress"])
    listed = operator.own.call("ListAttachments")["Attachments"]
    assert [each["AttachmentId"] for each in listed] == [attachment]


def test_an_unknown_attachment_or_vswitch_is_not_found(operator: Account, refused: Refused) -> None:
    for action in ("GetAttachment", "DeleteAttachment"):
        with refused("AttachmentNotFound", 404, "'att-none'", "ListAttachments"):
            operator.own.call(action, AttachmentId="att-none")
    with refused("InvalidVSwitchId.NotFound", 404, "'vsw-none'", "DescribeVSwitches"):
        operator.own.call("CreateAttachment", VSwitchId="vsw-none")


def test_a_new_account_can_call_at_once(other: Account) -> None:
    assert other.vpc.DescribeVpcs()["TotalCount"] == 0
    assert len(other.id) == 16


def test_an_account_has_a_name_of_its_own(
    operator: Account, other: Account, refused: Refused
) -> None:
    with refused("AccountExists", 400, "'other'", other.id):
        operator.own.call("CreateAccount", Name="other")


@pytest.mark.parametrize("name", ["", "1st", "a b", "a" * 65, "shop\n", "端点"])
def test_an_account_name_has_a_form(operator: Account, refused: Refused, name: str) -> None:
    with refused("InvalidName", 400, repr(name), "up to 64 letters"):
        operator.own.call("CreateAccount", Name=name)


def test_the_status_tells_who_lags_and_what_failed(
    operator: Account, world: World, node: Node
) -> None:
    network = world.network()
    group = world.group(network)
    before = operator.own.call("DescribeStatus")
    assert (before["InStep"], before["Faults"]) == (False, [])
    node.fail(f"filter/{group}", message="the map is full")
    node.drops = {"no-flow": 7}
    node.catch_up()
    after = operator.own.call("DescribeStatus")
    assert after["InStep"] is False
    assert after["Faults"] == [
        {
            "NodeId": NODE.node_id,
            "Key": f"filter/{group}",
            "Code": "Refused",
            "Message": "the map is full",
        }
    ]
    (shown,) = after["Nodes"]
    assert shown["Revision"] == after["Revision"]
    assert (shown["NodeId"], shown["Fabric"]) == (NODE.node_id, "privlink-test")
    assert (shown["Zones"], shown["Drops"]) == (["local-a", "local-b", "local-c"], {"no-flow": 7})
    node.recover()
    node.report()
    assert operator.own.call("DescribeStatus")["InStep"] is True


def test_an_unplugged_workload_is_no_reason_to_be_out_of_step(
    operator: Account, world: World, node: Node
) -> None:
    made = operator.own.call("CreateAttachment", VSwitchId=world.network().vswitch)
    node.plug(made["AttachmentId"], there=False)
    node.catch_up()
    assert operator.own.call("DescribeStatus")["InStep"] is True


def test_the_first_start_happens_once(stage: Stage, operator: Account, world: World) -> None:
    world.endpoint(world.published(), world.network(), A)
    before = stage.dump()
    stage.restart()
    after = stage.dump()
    lives = [dict(dump.pop("sequence")) for dump in (before, after)]
    assert after == before
    assert lives[0].pop("life") != lives[1].pop("life")
    assert lives[0].pop("life began") <= lives[1].pop("life began")
    assert lives[0].pop("life began at") == 1
    assert lives[1].pop("life began at") == lives[1]["revision"]
    assert lives[0] == lives[1]
