"""Private networks: VPCs, their vSwitches, and the addresses in them."""

from __future__ import annotations

import enum

import msgspec

from privlink.model.ids import (
    AccountId,
    AttachmentId,
    EniId,
    RouteEntryId,
    RouteTableId,
    VpcId,
    VSwitchId,
    ZoneId,
)


class IpVersion(enum.StrEnum):
    """Which addresses something has: IPv4 alone, or IPv4 and IPv6 side by side."""

    IPV4 = "IPv4"
    DUAL_STACK = "DualStack"


class Vpc(msgspec.Struct, frozen=True):
    """A private network. `number` names it in packets' keys, so CIDRs may overlap."""

    id: VpcId
    number: int
    account_id: AccountId
    cidr: str
    name: str
    description: str
    created_at: str
    cidr6: str = ""  # its IPv6 block; empty without IPv6


class VSwitch(msgspec.Struct, frozen=True):
    """A subnet of a VPC in one zone."""

    id: VSwitchId
    number: int
    vpc_id: VpcId
    account_id: AccountId
    zone_id: ZoneId
    cidr: str
    name: str
    description: str
    created_at: str
    next_address: int  # where the search for a free address goes on
    cidr6: str = ""  # its IPv6 block; empty without IPv6


class RouteTableType(enum.StrEnum):
    """Who made a route table: the VPC with itself, or its account."""

    SYSTEM = "System"
    CUSTOM = "Custom"


class RouteTable(msgspec.Struct, frozen=True):
    """A route table of a VPC. Its vSwitches have the system one, or each one custom one."""

    id: RouteTableId
    number: int
    vpc_id: VpcId
    account_id: AccountId
    type: RouteTableType
    name: str
    description: str
    created_at: str


class RouteTableBinding(msgspec.Struct, frozen=True):
    """The custom route table of a vSwitch; one without has the system one."""

    vswitch_id: VSwitchId
    table_id: RouteTableId


class HopKind(enum.StrEnum):
    """What a route's next hop is, in the API's words."""

    NETWORK_INTERFACE = "NetworkInterface"  # a workload's, by the id of its ENI
    INSTANCE = "Instance"  # a workload's place, by its own id
    NAT_GATEWAY = "NatGateway"  # shown, but it passes nothing on
    GATEWAY_ENDPOINT = "GatewayEndpoint"


class RouteEntry(msgspec.Struct, frozen=True):
    """One route of a route table beside those of its vSwitches, which no row holds."""

    id: RouteEntryId
    table_id: RouteTableId
    destination: str  # a block in its canonical form; empty where a prefix list is named
    prefix_list_id: str  # empty where there is a block
    hop_kind: HopKind
    hop_id: str
    name: str
    description: str
    system: bool  # written by what it leads to, and nobody's to delete
    created_at: str


class EniOwner(enum.StrEnum):
    """What an ENI belongs to."""

    ENDPOINT = "endpoint"
    BALANCER = "load balancer"
    ATTACHMENT = "attachment"
    NAT_GATEWAY = "NAT gateway"


class Eni(msgspec.Struct, frozen=True):
    """An address and a MAC in a vSwitch, and maybe an IPv6 address."""

    id: EniId
    vpc_id: VpcId
    vswitch_id: VSwitchId
    address: int  # IPv4 as a number, so that the database can order it
    mac: str
    owner_kind: EniOwner
    owner_id: str
    created_at: str
    address6: str | None = None  # as RFC 5952 spells it


class Attachment(msgspec.Struct, frozen=True):
    """A workload's place in a managed vSwitch."""

    id: AttachmentId
    number: int
    account_id: AccountId
    vswitch_id: VSwitchId
    eni_id: EniId
    plugged: bool  # the node has its link
    deleting: bool
    created_at: str
