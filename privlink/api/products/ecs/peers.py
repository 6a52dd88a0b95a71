"""The other end of a permission: a block, a security group of the same VPC, or a prefix list."""

from __future__ import annotations

import msgspec

from privlink import errors
from privlink.api import ours
from privlink.api.action import Call
from privlink.api.wire import Fields, pascal
from privlink.model.security import AddressFamily, Direction, SecurityGroup
from privlink.rules import filters
from privlink.store import security

# What a permission names its other end by; one of them is mandatory.
FIELDS = {
    Direction.INGRESS: (
        "source_cidr_ip",
        "ipv6_source_cidr_ip",
        "source_group_id",
        "source_prefix_list_id",
    ),
    Direction.EGRESS: (
        "dest_cidr_ip",
        "ipv6_dest_cidr_ip",
        "dest_group_id",
        "dest_prefix_list_id",
    ),
}
_OWNERS = {
    Direction.INGRESS: ("source_group_owner_id", "source_group_owner_account"),
    Direction.EGRESS: ("dest_group_owner_id", "dest_group_owner_account"),
}
_OTHER_ACCOUNT = (
    "a group of another account is in another VPC, where the same addresses are other hosts'. "
    "Name a group of your own, or give a block."
)
_NOT_FOUND = {
    Direction.INGRESS: errors.InvalidSourceGroupIdNotFound,
    Direction.EGRESS: errors.InvalidDestGroupIdNotFound,
}
_MISMATCH = {
    Direction.INGRESS: errors.InvalidSourceGroupIdMismatch,
    Direction.EGRESS: errors.InvalidDestGroupIdMismatch,
}
_ITSELF = {
    Direction.INGRESS: errors.RuleNamesItsOwnGroup,
    Direction.EGRESS: errors.EgressRuleNamesItsOwnGroup,
}


class Peer(msgspec.Struct, frozen=True):
    """Where flows come from, or in an egress rule where they go."""

    parameter: str  # what it was given as
    cidr: str = ""  # as it was given
    id: str = ""  # of a security group or a prefix list
    family: AddressFamily | None = None  # of a block or a list; a group has addresses of both


def find(
    call: Call, group: SecurityGroup, direction: Direction, permission: Fields, prefix: str
) -> Peer:
    """The one other end that a permission for a group names.

    `prefix`: of the parameters' names. Raises ValueError with the sentence that says what is wrong,
    or ECS's error for a group or a list that a rule of this group cannot name.
    """
    _check_owner(call, direction, permission, prefix)
    given = {name: value for name in FIELDS[direction] if (value := getattr(permission, name))}
    if len(given) != 1:
        *others, last = map(pascal, FIELDS[direction])
        found = " and ".join(map(pascal, given)) or "none"
        ends = f"{', '.join(others)} and {last}"
        raise ValueError(f"exactly one of {ends} is mandatory; given: {found}.")
    ((name, value),) = given.items()
    parameter = prefix + pascal(name)
    if name.endswith("_group_id"):
        return _group(call, group, direction, parameter, value)
    if name.endswith("_prefix_list_id"):
        found_list = ours.prefix_list(call, value)
        return Peer(parameter, id=found_list.id, family=found_list.family)
    family = AddressFamily.IPV6 if name.startswith("ipv6_") else AddressFamily.IPV4
    filters.parse_block(value, parameter, family)
    return Peer(parameter, cidr=value, family=family)


def _group(
    call: Call, group: SecurityGroup, direction: Direction, parameter: str, peer_id: str
) -> Peer:
    if group.type == "enterprise":
        raise errors.GroupOfEnterpriseGroup(parameter=parameter, group_id=group.id)
    if peer_id == group.id:
        raise _ITSELF[direction](parameter=parameter, group_id=group.id)
    peer = security.get(call.tx, call.account_id, peer_id)
    if peer is None:
        raise _NOT_FOUND[direction](parameter=parameter, group_id=peer_id)
    if peer.vpc_id != group.vpc_id:
        raise _MISMATCH[direction](
            parameter=parameter,
            peer_id=peer.id,
            peer_vpc=peer.vpc_id,
            group_id=group.id,
            vpc_id=group.vpc_id,
        )
    if peer.type == "enterprise":
        raise errors.RuleNamesEnterpriseGroup(parameter=parameter, peer_id=peer.id)
    return Peer(parameter, id=peer.id)


def _check_owner(call: Call, direction: Direction, permission: Fields, prefix: str) -> None:
    """Refuse another account's group. One's own account may be named by its id or its name."""
    account = call.caller.account
    assert account is not None
    _, _, group_field, _ = FIELDS[direction]
    for name in _OWNERS[direction]:
        owner = getattr(permission, name)
        if owner and owner not in (account.id, account.name):
            raise errors.UnenforcedPermission(parameter=prefix + pascal(name), why=_OTHER_ACCOUNT)
        if owner and not getattr(permission, group_field):
            raise ValueError(f"{pascal(name)} is given without {pascal(group_field)}.")
