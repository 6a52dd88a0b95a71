"""Workloads' interfaces join security groups and leave them.

Endpoints get theirs from PrivateLink, all addresses of one at once.
"""

from __future__ import annotations

from privlink import errors
from privlink.api import memberships, ours
from privlink.api.action import ECS, Call, RegionId, action
from privlink.api.wire import Answer
from privlink.model.network import Attachment, Eni, EniOwner
from privlink.store import members, networks, security


@action(
    ECS,
    writes=True,
    resource=("securitygroup/{security_group_id}", "eni/{network_interface_id}"),
)
def join_security_group(
    call: Call, *, region_id: RegionId, security_group_id: str, network_interface_id: str
) -> Answer:
    """Put a workload's interface into one more security group of its VPC.

    The group's egress rules then say what it may call, and rules that name the group are about it
    too. One that is in the group already stays.
    """
    group = ours.security_group(call, security_group_id)
    eni = ours.eni(call, network_interface_id)
    attachment = _attachment(call, eni)
    if attachment.deleting:
        raise errors.EniDetaching(eni_id=eni.id, owner=attachment.id)
    if group.vpc_id != eni.vpc_id:
        raise errors.EniInAnotherVpc(
            eni_id=eni.id, eni_vpc=eni.vpc_id, group_id=group.id, vpc_id=group.vpc_id
        )
    present = members.groups(call.tx, [attachment.id])[attachment.id]
    if group.id not in present:
        memberships.check(call, [*security.by_ids(call.tx, present), group], eni.id)
        members.join(call.tx, attachment.id, [group.id])
    return Answer()


@action(
    ECS,
    writes=True,
    resource=("securitygroup/{security_group_id}", "eni/{network_interface_id}"),
)
def leave_security_group(
    call: Call, *, region_id: RegionId, security_group_id: str, network_interface_id: str
) -> Answer:
    """Take a workload's interface out of a security group.

    An interface that is in none may call whatever it reaches, as a workload does that was attached
    without one.
    """
    group = ours.security_group(call, security_group_id)
    eni = ours.eni(call, network_interface_id)
    attachment = _attachment(call, eni)
    present = members.groups(call.tx, [attachment.id])[attachment.id]
    if group.id not in present:
        listed = ", ".join(present) or "none"
        raise errors.NotInSecurityGroup(eni_id=eni.id, group_id=group.id, groups=listed)
    members.leave(call.tx, attachment.id, [group.id])
    return Answer()


def _attachment(call: Call, eni: Eni) -> Attachment:
    """The attachment an interface belongs to. Raises EniServiceManaged where it is another's."""
    if eni.owner_kind is not EniOwner.ATTACHMENT:
        raise errors.EniServiceManaged(eni_id=eni.id, owner=f"{eni.owner_kind} {eni.owner_id}")
    found = networks.attachment_of(call.tx, eni.id)
    assert found is not None, eni
    return found


ACTIONS = (join_security_group, leave_security_group)
