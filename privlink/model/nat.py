"""The provider's door for reverse endpoints: NAT gateways, their addresses and full-NAT entries."""

from __future__ import annotations

import msgspec

from privlink.model.ids import (
    AccountId,
    EndpointId,
    EniId,
    FullNatEntryId,
    NatGatewayId,
    NatIpId,
    NodeId,
    VpcId,
    VSwitchId,
    ZoneId,
)
from privlink.model.items import Protocol


class NatGateway(msgspec.Struct, frozen=True):
    """A VPC NAT gateway."""

    id: NatGatewayId
    account_id: AccountId
    vpc_id: VpcId
    vswitch_id: VSwitchId
    name: str
    description: str
    private_link: bool  # it may stand behind an endpoint service
    created_at: str


class NatIp(msgspec.Struct, frozen=True):
    """An address of a NAT gateway."""

    id: NatIpId
    gateway_id: NatGatewayId
    eni_id: EniId
    is_default: bool  # it came with its gateway, and goes with it
    name: str
    description: str
    created_at: str


class FullNatEntry(msgspec.Struct, frozen=True):
    """A port of a NAT gateway's address, and the target behind a reverse endpoint it leads to.

    It stays when the endpoint's zone goes, and leads nowhere then.
    """

    id: FullNatEntryId
    gateway_id: NatGatewayId
    nat_ip_id: NatIpId
    protocol: Protocol
    port: int
    balancer: int  # the number of its door, of the sequence that zones have theirs from
    endpoint_id: EndpointId
    zone_id: ZoneId
    eni_id: EniId  # of the endpoint in that zone
    place: int  # the zone's number
    target_vpc_id: VpcId
    domain: str  # what targets are resolved from; empty where an address was given
    target: str  # IPv4; empty where there is a domain
    target_port: int
    name: str
    description: str
    created_at: str


class Resolution(msgspec.Struct, frozen=True):
    """A node's word on the name of a full-NAT entry."""

    entry_id: FullNatEntryId
    node_id: NodeId
    name: str
    addresses: str  # those that are permitted, with commas between them
    why: str  # what is wrong with it; with addresses, they are those it had before
    since: str


class EndpointResolver(msgspec.Struct, frozen=True):
    """The DNS server that is asked from an endpoint."""

    endpoint_id: EndpointId
    address: str  # IPv4, in the endpoint's VPC


class EndpointTarget(msgspec.Struct, frozen=True):
    """What the consumer of a reverse endpoint lets its provider call."""

    endpoint_id: EndpointId
    cidr: str
    protocol: str  # TCP, UDP or ALL
    low: int
    high: int
