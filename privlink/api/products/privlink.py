"""privlink 2026-12-01: what the cloud has no word for. Workloads' attachments, accounts, status."""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink import errors
from privlink.api import enis, ours
from privlink.api.action import PRIVLINK, Call, Who, action
from privlink.api.wire import Answer
from privlink.model.account import AccessKey, Account
from privlink.model.ids import AttachmentId, new_access_key, new_account_id, new_id
from privlink.model.network import Attachment, EniOwner
from privlink.rules import addresses, quotas
from privlink.store import accounts, changes, networks, nodes, rows

AccountName = Annotated[
    str,
    msgspec.Meta(
        pattern="^[A-Za-z][A-Za-z0-9_-]{0,63}\\Z",
        description="a name has up to 64 letters, digits, - and _, a letter first.",
    ),
]


class AttachmentAnswer(Answer):
    attachment_id: str
    vswitch_id: str
    vpc_id: str
    network_interface_id: str
    private_ip_address: str
    cidr_block: str
    vpc_cidr_block: str
    gateway: str
    mac_address: str
    number: int
    status: str
    creation_time: str


class AttachmentsAnswer(Answer):
    attachments: list[AttachmentAnswer]


class CreateAccountAnswer(Answer):
    account_id: str
    access_key_id: str
    access_key_secret: str


class NodeAnswer(Answer):
    node_id: str
    zones: list[str]
    fabric: str
    revision: int
    last_seen_time: str
    drops: dict[str, int]


class FaultAnswer(Answer):
    node_id: str
    key: str
    code: str
    message: str


class StatusAnswer(Answer):
    revision: int
    in_step: bool
    operator_account_id: str
    nodes: list[NodeAnswer]
    faults: list[FaultAnswer]


@action(PRIVLINK, writes=True, resource="vswitch/{vswitch_id}")
def create_attachment(
    call: Call, *, vswitch_id: str, private_ip_address: str | None = None
) -> AttachmentAnswer:
    """Reserve a workload's place in a vSwitch: its address and MAC. Plugging in comes after."""
    vswitch = ours.vswitch(call, vswitch_id)
    quotas.ATTACHMENTS.check(networks.count_attachments(call.tx, call.account_id))
    attachment_id = AttachmentId(new_id("att"))
    eni = enis.take(call, vswitch, private_ip_address, EniOwner.ATTACHMENT, attachment_id)
    attachment = Attachment(
        id=attachment_id,
        number=rows.next_number(call.tx, "attachment"),
        account_id=call.account_id,
        vswitch_id=vswitch.id,
        eni_id=eni.id,
        plugged=False,
        deleting=False,
        created_at=call.now,
    )
    networks.add_attachment(call.tx, attachment)
    return _attachment_answer(call, attachment)


@action(PRIVLINK, resource="attachment/{attachment_id}")
def get_attachment(call: Call, *, attachment_id: str) -> AttachmentAnswer:
    """Show an attachment. It is Attached once the node carries its packets."""
    return _attachment_answer(call, ours.attachment(call, attachment_id))


@action(PRIVLINK, resource="attachment/*")
def list_attachments(call: Call) -> AttachmentsAnswer:
    """List your attachments."""
    ours = networks.attachments(call.tx, call.account_id)
    return AttachmentsAnswer(attachments=[_attachment_answer(call, each) for each in ours])


@action(PRIVLINK, writes=True, resource="attachment/{attachment_id}")
def delete_attachment(call: Call, *, attachment_id: str) -> Answer:
    """Unplug a workload and give its address back."""
    networks.mark_attachment_deleting(call.tx, ours.attachment(call, attachment_id).id)
    return Answer()


@action(PRIVLINK, writes=True, who=Who.OPERATOR, secret=True, resource="account/*")
def create_account(call: Call, *, name: AccountName) -> CreateAccountAnswer:
    """Create an account and its first access key. The secret is shown this once."""
    if (present := accounts.by_name(call.tx, name)) is not None:
        raise errors.AccountExists(name=name, account_id=present.id)
    account = Account(new_account_id(), name, operator=False, created_at=call.now)
    key_id, secret = new_access_key()
    accounts.add(call.tx, account)
    accounts.add_access_key(call.tx, AccessKey(key_id, secret, account.id, None))
    return CreateAccountAnswer(
        account_id=account.id, access_key_id=key_id, access_key_secret=secret
    )


@action(PRIVLINK, who=Who.OPERATOR, resource="status")
def describe_status(call: Call) -> StatusAnswer:
    """Show how the installation is: its nodes, what they cannot do, what they dropped."""
    newest = changes.newest(call.tx)
    faults = nodes.faults(call.tx)
    held = nodes.revision_held(call.tx, in_this_life=True)
    return StatusAnswer(
        revision=newest,
        in_step=held >= newest and not faults,
        operator_account_id=call.account_id,
        nodes=[
            NodeAnswer(
                node_id=node.id,
                zones=node.zones.split(","),
                fabric=node.fabric,
                revision=node.revision,
                last_seen_time=node.seen_at,
                drops=msgspec.json.decode(node.drops, type=dict[str, int]),
            )
            for node in nodes.all_nodes(call.tx)
        ],
        faults=[
            FaultAnswer(
                node_id=fault.node_id, key=fault.key, code=fault.code, message=fault.message
            )
            for fault in faults
        ],
    )


def _attachment_answer(call: Call, attachment: Attachment) -> AttachmentAnswer:
    vswitch = networks.get_vswitch(call.tx, attachment.account_id, attachment.vswitch_id)
    assert vswitch is not None, attachment
    eni = networks.get_eni(call.tx, attachment.eni_id)
    return AttachmentAnswer(
        attachment_id=attachment.id,
        vswitch_id=vswitch.id,
        vpc_id=vswitch.vpc_id,
        network_interface_id=eni.id,
        private_ip_address=addresses.text(eni.address),
        cidr_block=vswitch.cidr,
        vpc_cidr_block=networks.vpc_by_id(call.tx, vswitch.vpc_id).cidr,
        gateway=addresses.gateway(vswitch.cidr),
        mac_address=eni.mac,
        number=attachment.number,
        status=_status(call, attachment),
        creation_time=attachment.created_at,
    )


def _status(call: Call, attachment: Attachment) -> str:
    if attachment.deleting:
        return "Detaching"
    key = changes.attachment_key(attachment.id)
    if not nodes.in_step(call.tx, [key]).confirms(key):
        return "Attaching"
    return "Attached" if attachment.plugged else "Unplugged"


ACTIONS = (
    create_attachment,
    get_attachment,
    list_attachments,
    delete_attachment,
    create_account,
    describe_status,
)
