"""Security groups and their rules."""

from __future__ import annotations

import enum

import msgspec

from privlink.model.ids import AccountId, SecurityGroupId, VpcId


class Direction(enum.StrEnum):
    """Which way the flows go that a rule is about, seen from the members of the group."""

    INGRESS = "ingress"
    EGRESS = "egress"


class SecurityGroup(msgspec.Struct, frozen=True):
    """A stateful filter on ENIs; without a rule that accepts, it drops."""

    id: SecurityGroupId
    number: int
    account_id: AccountId
    vpc_id: VpcId
    type: str  # normal or enterprise
    name: str
    description: str
    created_at: str
    inner_access_policy: str  # Accept or Drop, between members of the group


class SecurityGroupRule(msgspec.Struct, frozen=True):
    """One rule. Ports are -1 to -1 where the protocol has none, as on the wire."""

    id: str
    group_id: SecurityGroupId
    policy: str  # Accept or Drop
    priority: int  # 1 first, 100 last
    protocol: str  # TCP, UDP, ICMP, ALL
    low: int
    high: int
    cidr: str  # as it was given: where flows come from, or in an egress rule where they go
    description: str
    created_at: str
    direction: Direction
