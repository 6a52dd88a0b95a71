"""The front of a service in the provider's VPC: load balancers, listeners, servers.

One model under two APIs. An NLB has an address in each of several zones, and its server groups
stand on their own. A CLB has one address in one zone; its default servers are the group that has
its id, the others are groups of it alone.
"""

from __future__ import annotations

import msgspec

from privlink.model.ids import (
    AccountId,
    EniId,
    ListenerId,
    LoadBalancerId,
    ServerGroupId,
    VpcId,
    VSwitchId,
    ZoneId,
)
from privlink.model.items import Check, CheckKind
from privlink.model.network import IpVersion
from privlink.model.privatelink import ResourceType


class HealthCheck(msgspec.Struct, frozen=True):
    """Whether servers are asked how they are, and how. What was set stays known while it is off."""

    enabled: bool = False
    check: Check = Check(CheckKind.TCP)

    @classmethod
    def read(cls, text: str) -> HealthCheck:
        """What a database says. An empty text is of a time when no server was asked."""
        return msgspec.json.decode(text, type=cls) if text else cls()

    @property
    def text(self) -> str:
        """How a database keeps it."""
        return msgspec.json.encode(self).decode()


class LoadBalancer(msgspec.Struct, frozen=True):
    """A load balancer: an NLB or, of kind slb, a CLB."""

    id: LoadBalancerId
    number: int
    account_id: AccountId
    vpc_id: VpcId
    kind: ResourceType
    address_type: str
    name: str
    created_at: str
    active: bool = True  # a CLB that is not takes no new flows
    spec: str = ""  # what a CLB was ordered as; every one is as fast as the machine
    undeletable_since: str = ""  # deletion protection; empty: none
    undeletable_reason: str = ""
    fixed_since: str = ""  # protection against changes in a console; empty: none
    fixed_reason: str = ""
    ip_version: IpVersion = IpVersion.IPV4
    cross_zone: bool = True  # while no server of a zone is well, those of others take its flows


class LoadBalancerZone(msgspec.Struct, frozen=True):
    """A load balancer's place in one zone."""

    balancer_id: LoadBalancerId
    zone_id: ZoneId
    vswitch_id: VSwitchId
    eni_id: EniId
    number: int  # what its traffic is counted under
    opening: int  # of the flows to its own address


class ServerGroup(msgspec.Struct, frozen=True):
    """Servers that take a listener's flows."""

    id: ServerGroupId
    account_id: AccountId
    vpc_id: VpcId
    protocol: str  # of the listeners it may stand behind: TCP, UDP or TCP_UDP
    type: str  # Instance or Ip, and of a CLB VServer
    name: str
    created_at: str
    balancer_id: LoadBalancerId | None = None  # the CLB whose group it is; None for an NLB's
    ip_version: IpVersion = IpVersion.IPV4  # of its servers
    any_port: bool = False  # its servers get flows on the port the client asked for
    # A CLB has these of a listener.
    scheduler: str = "Wrr"  # or Rr, Wlc, Sch, Tch, in the capitals it was given in
    health: str = ""  # a HealthCheck's text
    draining: bool = False  # a server that is taken out keeps its flows for a while
    drain_timeout: int = 300  # seconds that these have


def default_group(balancer_id: LoadBalancerId) -> ServerGroupId:
    """The group of a CLB's default servers."""
    return ServerGroupId(balancer_id)


class GroupServer(msgspec.Struct, frozen=True):
    """One server of a group: an address of the VPC and a port.

    Its address is IPv4 or IPv6, and it takes flows of that family alone.
    """

    group_id: ServerGroupId
    server_type: str  # Ip or Eni, and of a CLB eni or eniip
    server_id: str
    address: str  # in the one spelling of its family
    port: int  # 0 where the group does not say: a default server of a CLB, or any port
    weight: int  # 0 takes no new flows, 100 the most
    description: str
    leaving_until: int | None = None  # Unix time; it was taken out, and keeps its flows till then


class Listener(msgspec.Struct, frozen=True):
    """A port the load balancer takes flows on, or a range of them."""

    id: ListenerId
    account_id: AccountId
    balancer_id: LoadBalancerId
    protocol: str  # TCP or UDP
    first: int
    last: int
    group_id: ServerGroupId
    created_at: str
    started: bool = True  # one that is not takes no new flows
    description: str = ""
    server_port: int | None = None  # of a CLB's default servers
    idle: int = 0  # seconds of silence after which a flow ends; 0: 900 on TCP, 60 on UDP
    # An NLB has these of a server group.
    scheduler: str = "Wrr"
    health: str = ""  # a HealthCheck's text
    draining: bool = False  # a server that is taken out keeps its flows for a while
    drain_timeout: int = 300  # seconds that these have


class Balancing(msgspec.Struct, frozen=True):
    """How flows are shared out among servers."""

    scheduler: str
    health_check: HealthCheck
    drain: int  # seconds that a server keeps its flows for after it is taken out; 0: it does not


def balancing(group: ServerGroup, listener: Listener) -> Balancing:
    """How a listener shares out flows among the servers of a group: whichever of the two says."""
    says = group if group.balancer_id is None else listener
    return Balancing(
        says.scheduler,
        HealthCheck.read(says.health),
        says.drain_timeout if says.draining else 0,
    )
