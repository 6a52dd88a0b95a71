"""The front of a service in the provider's VPC: load balancers, listeners, servers."""

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


class LoadBalancer(msgspec.Struct, frozen=True):
    """A load balancer of the NLB shape."""

    id: LoadBalancerId
    number: int
    account_id: AccountId
    vpc_id: VpcId
    address_type: str
    name: str
    created_at: str


class LoadBalancerZone(msgspec.Struct, frozen=True):
    """A load balancer's place in one zone."""

    balancer_id: LoadBalancerId
    zone_id: ZoneId
    vswitch_id: VSwitchId
    eni_id: EniId


class ServerGroup(msgspec.Struct, frozen=True):
    """Servers that take a listener's flows."""

    id: ServerGroupId
    account_id: AccountId
    vpc_id: VpcId
    protocol: str
    type: str  # Instance or Ip
    name: str
    created_at: str


class GroupServer(msgspec.Struct, frozen=True):
    """One server of a group: an address of the VPC and a port."""

    group_id: ServerGroupId
    server_type: str  # Ip or Eni
    server_id: str
    address: int
    port: int
    weight: int  # 0 takes no new flows, 100 the most
    description: str


class Listener(msgspec.Struct, frozen=True):
    """A port the load balancer takes flows on."""

    id: ListenerId
    account_id: AccountId
    balancer_id: LoadBalancerId
    protocol: str
    port: int
    group_id: ServerGroupId
    created_at: str
