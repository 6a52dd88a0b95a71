"""Security groups with their rules, and the prefix lists that rules may name."""

from __future__ import annotations

import enum

import msgspec

from privlink.model.ids import (
    AccountId,
    AttachmentId,
    PrefixListId,
    SecurityGroupId,
    VpcId,
)


class Direction(enum.StrEnum):
    """Which way the flows go that a rule is about, seen from the members of the group."""

    INGRESS = "ingress"
    EGRESS = "egress"


class AddressFamily(enum.StrEnum):
    """Which addresses a block or a list of blocks is about."""

    IPV4 = "IPv4"
    IPV6 = "IPv6"


class SecurityGroup(msgspec.Struct, frozen=True):
    """A stateful filter on ENIs; without a rule that accepts, it drops."""

    id: SecurityGroupId
    number: int  # of one sequence with prefix lists: it names a filter, and a set of members
    account_id: AccountId
    vpc_id: VpcId
    type: str  # normal or enterprise
    name: str
    description: str
    created_at: str
    inner_access_policy: str  # Accept or Drop, between members of the group


class SecurityGroupRule(msgspec.Struct, frozen=True):
    """One rule. Ports are -1 to -1 where the protocol has none, as on the wire.

    It is about one end of a flow, of an ingress rule where it comes from, of an egress rule where
    it goes: a block, or whoever is in a security group or on a prefix list.
    """

    id: str
    group_id: SecurityGroupId
    policy: str  # Accept or Drop
    priority: int  # 1 first, 100 last
    protocol: str  # TCP, UDP, ICMP, ICMPV6, ALL
    low: int
    high: int
    cidr: str  # as it was given, IPv4 or IPv6; empty where a group or a list is named
    description: str
    created_at: str
    direction: Direction
    peer_id: str = ""  # the security group or the prefix list; empty where there is a block

    @property
    def names_group(self) -> bool:
        """Whether its other end is a security group."""
        return self.peer_id.startswith("sg-")


class Membership(msgspec.Struct, frozen=True):
    """A workload's place that is in a security group."""

    attachment_id: AttachmentId
    group_id: SecurityGroupId


class PrefixListUse(enum.StrEnum):
    """What may name a prefix list.

    ECS and VPC have actions for lists with ids alike, and the cloud keeps what one has made from
    the other: each has its own limits, tags, permissions and names, and Terraform would take a list
    it finds in both for two. So the lists lie in one place, and each product sees its own.
    """

    RULES = "rules"  # of security groups: ECS's
    ROUTES = "routes"  # VPC's
    GATEWAY = "gateway"  # in routes to gateway services: the system's, and everyone's to read


class PrefixList(msgspec.Struct, frozen=True):
    """Blocks of one address family under one name, for rules or for routes of the account."""

    id: PrefixListId
    number: int  # of one sequence with security groups
    account_id: AccountId
    family: AddressFamily
    name: str
    description: str
    max_entries: int
    created_at: str
    use: PrefixListUse = PrefixListUse.RULES


class PrefixListEntry(msgspec.Struct, frozen=True):
    """One block on a prefix list, in its canonical form."""

    list_id: PrefixListId
    cidr: str
    description: str
