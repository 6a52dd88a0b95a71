"""What items and documents are made of: what the store fetches and the plane compiles."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from privlink.model.balancer import (
    GroupServer,
    Listener,
    LoadBalancer,
    LoadBalancerZone,
    ServerGroup,
)
from privlink.model.gateway import GatewayEndpoint
from privlink.model.health import Front
from privlink.model.ids import ZoneId
from privlink.model.naming import Alias
from privlink.model.nat import EndpointTarget, FullNatEntry
from privlink.model.network import Attachment, Eni, IpVersion, RouteEntry, RouteTable, Vpc, VSwitch
from privlink.model.privatelink import (
    Connection,
    Endpoint,
    EndpointService,
    EndpointType,
    EndpointZone,
)
from privlink.model.security import SecurityGroup, SecurityGroupRule


class SegmentParts(msgspec.Struct, frozen=True):
    """A managed vSwitch and its VPC."""

    vswitch: VSwitch
    vpc: Vpc


class AttachmentParts(msgspec.Struct, frozen=True):
    """A workload's place, its address, where that lies, and what it may call."""

    attachment: Attachment
    eni: Eni
    vswitch: VSwitch
    vpc: Vpc
    table: RouteTable
    groups: tuple[SecurityGroup, ...] = ()


class EndpointHop(msgspec.Struct, frozen=True):
    """Where the route of a gateway endpoint leads, and for which blocks."""

    opening: int  # 0: nothing passes
    place: int  # what its traffic is counted under
    blocks: tuple[str, ...]


class RouteTableParts(msgspec.Struct, frozen=True):
    """A route table, its VPC and that one's vSwitches, and the routes that an account or the
    system wrote."""

    table: RouteTable
    vpc: Vpc
    vswitches: tuple[VSwitch, ...]
    entries: tuple[RouteEntry, ...] = ()
    lists: Mapping[str, tuple[str, ...]] = {}  # what is on prefix lists, by id
    workloads: Mapping[str, Eni] = {}  # by the id of a hop: of the ENI, or of the attachment
    endpoints: Mapping[str, EndpointHop] = {}  # gateway endpoints by id


class GatewayParts(msgspec.Struct, frozen=True):
    """A gateway endpoint, its VPC, the provider's, and what its service is reached by."""

    endpoint: GatewayEndpoint
    vpc: Vpc
    provider_vpc: Vpc
    has_ipv6: bool


class BalancerParts(msgspec.Struct, frozen=True):
    """A load balancer in one zone, its listeners, their groups, and the servers of these."""

    balancer: LoadBalancer
    place: LoadBalancerZone
    eni: Eni
    vpc: Vpc
    listeners: tuple[Listener, ...]
    groups: Mapping[str, ServerGroup]  # by id
    servers: tuple[GroupServer, ...]
    vswitches: tuple[VSwitch, ...]  # of the VPC, for the zones of the servers


class FilterParts(msgspec.Struct, frozen=True):
    """A security group, its rules, and the numbers of the sets that these name."""

    group: SecurityGroup
    rules: tuple[SecurityGroupRule, ...]
    peers: Mapping[str, int] = {}  # by the id of a security group or a prefix list
    open_inside: bool = False  # its members let each other in, and some open flows


class MembersParts(msgspec.Struct, frozen=True):
    """A set that rules name: the addresses in a security group, or the blocks on a prefix list."""

    number: int
    blocks: tuple[str, ...]


class ForwardParts(msgspec.Struct, frozen=True):
    """An endpoint zone, its address, what filters it, where it leads, and how it may be used."""

    zone: EndpointZone
    eni: Eni
    vpc: Vpc
    groups: tuple[SecurityGroup, ...]
    provider_vpc: Vpc | None
    resource: LoadBalancerZone | None
    replaced_vpc: Vpc | None = None
    replaced_resource: LoadBalancerZone | None = None
    connection: Connection | None = None
    service: EndpointService | None = None  # None: it is gone
    type: EndpointType = EndpointType.INTERFACE


class NatAddressParts(msgspec.Struct, frozen=True):
    """An address of a NAT gateway, and where it is."""

    eni: Eni
    vpc: Vpc


class DoorParts(msgspec.Struct, frozen=True):
    """A full-NAT entry, the address it is a port of, and the endpoint zone it leads to.

    The zone is None once the endpoint has no such zone any more, or another gateway has it.
    """

    entry: FullNatEntry
    eni: Eni
    vpc: Vpc  # the NAT gateway's
    zone: EndpointZone | None
    ip_version: IpVersion  # of the endpoint
    groups: Mapping[str, tuple[SecurityGroupRule, ...]]  # on the endpoint, by id, with their rules
    targets: tuple[EndpointTarget, ...]  # that its consumer permits; none: all
    endpoint_eni: Eni | None = None  # of the zone
    endpoint_vpc: Vpc | None = None
    resolver: str = ""  # whom its consumer says to ask for names; empty: nobody
    known: tuple[str, ...] = ()  # the addresses that its name has, as nodes said last


class NamedZoneParts(msgspec.Struct, frozen=True):
    """An open zone of an endpoint, its address, and the network it leads to."""

    zone: EndpointZone
    eni: Eni
    provider_vpc: Vpc


class NamesParts(msgspec.Struct, frozen=True):
    """An endpoint, and all that its names and what they lead to follow from."""

    endpoint: Endpoint
    connection: Connection
    service: EndpointService | None  # None: it is gone
    vpc: Vpc
    zones: tuple[NamedZoneParts, ...]  # which are open, in the order of their ids; at least one
    private: tuple[str, ...] = ()  # its service's names, where they are switched on
    aliases: tuple[Alias, ...] = ()


class FrontParts(msgspec.Struct, frozen=True):
    """A load balancer, and the zone from which it is looked at."""

    front: Front
    zone_id: ZoneId
