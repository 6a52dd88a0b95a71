"""Workloads' places in vSwitches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from privlink import errors
from privlink.api import enis, limits, memberships, ours
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.wire import Answer
from privlink.model.ids import AttachmentId, SecurityGroupId, new_id
from privlink.model.network import Attachment, EniOwner
from privlink.rules import addresses, quotas
from privlink.store import changes, members, networks, nodes, routes, rows

SecurityGroupIds = Annotated[
    tuple[str, ...], msgspec.Meta(max_length=10, description="at most 10 security groups.")
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
    ipv6_address: str | msgspec.UnsetType  # this and the next three come together or not at all
    ipv6_cidr_block: str | msgspec.UnsetType
    vpc_ipv6_cidr_block: str | msgspec.UnsetType
    ipv6_gateway: str | msgspec.UnsetType
    mac_address: str
    security_group_ids: list[str]
    number: int
    status: str
    creation_time: str


class AttachmentsAnswer(Answer):
    attachments: list[AttachmentAnswer]


@action(
    PRIVLINK,
    writes=True,
    resource=(
        "attachment/*",
        "vpc:vswitch/{vswitch_id}",
        "ecs:securitygroup/{security_group_id}",
    ),
)
def create_attachment(
    call: Call,
    *,
    vswitch_id: str,
    private_ip_address: str | None = None,
    ipv6_address: str | None = None,
    security_group_id: SecurityGroupIds = (),
) -> AttachmentAnswer:
    """Reserve a workload's place in a vSwitch: its addresses and MAC. Plugging in comes after.

    It has an IPv6 address if the vSwitch has IPv6 by now. The egress rules of its security groups
    say what it may call; without a group it may call whatever it reaches.
    """
    vswitch = ours.vswitch(call, vswitch_id)
    groups = ours.security_groups_in(call, security_group_id, vswitch.vpc_id)
    memberships.check(call, groups, "an attachment")
    limits.check(call, quotas.ATTACHMENTS, networks.count_attachments(call.tx, call.account_id))
    attachment_id = AttachmentId(new_id("att"))
    has_ipv6 = vswitch.cidr6 or ipv6_address
    address6 = enis.choose6(call, vswitch, ipv6_address) if has_ipv6 else None
    eni = enis.take(call, vswitch, private_ip_address, EniOwner.ATTACHMENT, attachment_id, address6)
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
    networks.add_attachment(call.tx, attachment, [group.id for group in groups])
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
    """Unplug a workload and give its address back. No route may lead to it any more."""
    attachment = ours.attachment(call, attachment_id)
    if leading := routes.to_hops(call.tx, [attachment.id, attachment.eni_id]):
        dependants = ", ".join(f"{each.id} of {each.table_id}" for each in leading)
        raise errors.DependencyViolationRouteEntry(resource=attachment.id, dependants=dependants)
    networks.mark_attachment_deleting(call.tx, attachment.id)
    return Answer()


def _attachment_answer(call: Call, attachment: Attachment) -> AttachmentAnswer:
    vswitch = networks.get_vswitch(call.tx, attachment.account_id, attachment.vswitch_id)
    assert vswitch is not None, attachment
    vpc = networks.vpc_by_id(call.tx, vswitch.vpc_id)
    eni = networks.get_eni(call.tx, attachment.eni_id)
    groups = members.groups(call.tx, [attachment.id])[attachment.id]
    has_ipv6 = eni.address6 is not None
    return AttachmentAnswer(
        attachment_id=attachment.id,
        vswitch_id=vswitch.id,
        vpc_id=vswitch.vpc_id,
        network_interface_id=eni.id,
        private_ip_address=addresses.text(eni.address),
        cidr_block=vswitch.cidr,
        vpc_cidr_block=vpc.cidr,
        gateway=addresses.gateway(vswitch.cidr),
        ipv6_address=eni.address6 or msgspec.UNSET,
        ipv6_cidr_block=vswitch.cidr6 if has_ipv6 else msgspec.UNSET,
        vpc_ipv6_cidr_block=vpc.cidr6 if has_ipv6 else msgspec.UNSET,
        ipv6_gateway=addresses.gateway(vswitch.cidr6) if has_ipv6 else msgspec.UNSET,
        mac_address=eni.mac,
        security_group_ids=groups,
        number=attachment.number,
        status=_status(call, attachment, groups),
        creation_time=attachment.created_at,
    )


def _status(call: Call, attachment: Attachment, groups: Sequence[str]) -> str:
    if attachment.deleting:
        return "Detaching"
    # What it may call rests on its groups' rules. Who lets it in rests on the sets that it joined
    # before it changed itself; those may change with every other member.
    keys = [changes.attachment_key(attachment.id)]
    keys += [changes.filter_key(SecurityGroupId(each)) for each in groups]
    if not nodes.in_step(call.tx, keys).confirms(*keys):
        return "Attaching"
    return "Attached" if attachment.plugged else "Unplugged"


ACTIONS = (create_attachment, get_attachment, list_attachments, delete_attachment)
