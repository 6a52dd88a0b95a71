"""What items are made of: the resources that the store fetches and the plane compiles."""

from __future__ import annotations

import msgspec

from privlink.model.balancer import GroupServer, Listener, LoadBalancer
from privlink.model.network import Attachment, Eni, Vpc, VSwitch
from privlink.model.privatelink import EndpointZone
from privlink.model.security import SecurityGroup, SecurityGroupRule


class SegmentParts(msgspec.Struct, frozen=True):
    """A managed vSwitch and its VPC."""

    vswitch: VSwitch
    vpc: Vpc


class AttachmentParts(msgspec.Struct, frozen=True):
    """A workload's place, its address, and where that lies."""

    attachment: Attachment
    eni: Eni
    vswitch: VSwitch
    vpc: Vpc


class BalancerParts(msgspec.Struct, frozen=True):
    """A load balancer, its listeners, and the servers of their groups."""

    balancer: LoadBalancer
    listeners: tuple[Listener, ...]
    servers: tuple[GroupServer, ...]


class FilterParts(msgspec.Struct, frozen=True):
    """A security group and its rules."""

    group: SecurityGroup
    rules: tuple[SecurityGroupRule, ...]


class ForwardParts(msgspec.Struct, frozen=True):
    """An endpoint zone, its address, what filters it, and where it leads."""

    zone: EndpointZone
    eni: Eni
    vpc: Vpc
    groups: tuple[SecurityGroup, ...]
    provider_vpc: Vpc | None
    balancer: LoadBalancer | None
    replaced_vpc: Vpc | None = None
    replaced_balancer: LoadBalancer | None = None
