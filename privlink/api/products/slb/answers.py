"""What answers say of a CLB."""

from __future__ import annotations

from typing import Any

import msgspec

from privlink.api import balancing, grouping
from privlink.api.action import Call
from privlink.api.wire import Answer
from privlink.model.balancer import GroupServer, LoadBalancer, default_group
from privlink.rules import addresses
from privlink.store import balancers, networks

ELASTIC, SMALLEST = "slb.lcu.elastic", "slb.s1.small"


class BackendServer(Answer):
    server_id: str
    server_ip: str
    type: str
    weight: int
    description: str


class BackendServerList(Answer):
    backend_server: list[BackendServer]


class Ports(Answer):
    listener_port: list[int]


class PortAndProtocol(Answer):
    listener_port: int
    listener_protocol: str
    description: str


class PortAndProtocolList(Answer):
    listener_port_and_protocol: list[PortAndProtocol]


class TagList(Answer):
    tag: list[balancing.TagShown]


class ListedAnswer(Answer):
    load_balancer_id: str
    load_balancer_name: str
    load_balancer_status: str
    load_balancer_spec: str
    address: str
    address_type: str
    address_ip_version: str = msgspec.field(name="AddressIPVersion")
    network_type: str
    internet_charge_type: str
    instance_charge_type: str
    pay_type: str
    delete_protection: str
    modification_protection_status: str
    modification_protection_reason: str
    master_zone_id: str
    region_id: str
    region_id_alias: str
    resource_group_id: str
    vpc_id: str
    vswitch_id: str
    create_time: str
    tags: TagList


class LoadBalancerAnswer(ListedAnswer):
    backend_servers: BackendServerList
    listener_ports: Ports
    listener_ports_and_protocol: PortAndProtocolList


def shown(call: Call, balancer: LoadBalancer) -> LoadBalancerAnswer:
    """A CLB as DescribeLoadBalancerAttribute answers it."""
    (about,) = _about(call, [balancer])
    listeners = balancers.listeners(call.tx, [balancer.id])
    servers = balancers.servers(call.tx, [default_group(balancer.id)])
    ports = [
        PortAndProtocol(
            listener_port=each.first,
            listener_protocol=each.protocol.lower(),
            description=each.description,
        )
        for each in listeners
    ]
    return LoadBalancerAnswer(
        **about,
        backend_servers=BackendServerList(backend_server=[_server(each) for each in servers]),
        listener_ports=Ports(listener_port=sorted({each.first for each in listeners})),
        listener_ports_and_protocol=PortAndProtocolList(listener_port_and_protocol=ports),
    )


def listed(call: Call, found: list[LoadBalancer]) -> list[ListedAnswer]:
    """CLBs as DescribeLoadBalancers answers them."""
    return [ListedAnswer(**about) for about in _about(call, found)]


def _server(server: GroupServer) -> BackendServer:
    return BackendServer(
        server_id=server.server_id,
        server_ip=server.address,
        type=server.server_type,
        weight=server.weight,
        description=server.description,
    )


def _about(call: Call, found: list[LoadBalancer]) -> list[dict[str, Any]]:
    ids = [balancer.id for balancer in found]
    groups, tags = grouping.shown(call, ids), balancing.tags(call, ids)
    return [_fields(call, each, groups[each.id], tags[each.id]) for each in found]


def _fields(
    call: Call, balancer: LoadBalancer, group_id: str, tags: list[balancing.TagShown]
) -> dict[str, Any]:
    (place,) = balancers.zones(call.tx, balancer.id)
    return {
        "load_balancer_id": balancer.id,
        "load_balancer_name": balancer.name,
        "load_balancer_status": "active" if balancer.active else "inactive",
        "load_balancer_spec": balancer.spec,
        "address": addresses.text(networks.get_eni(call.tx, place.eni_id).address),
        "address_type": balancer.address_type,
        "address_ip_version": "ipv4",
        "network_type": "vpc",
        "internet_charge_type": "paybytraffic",
        "instance_charge_type": "PayByCLCU" if balancer.spec == ELASTIC else "PayBySpec",
        "pay_type": "PayOnDemand",
        "delete_protection": "on" if balancer.undeletable_since else "off",
        "modification_protection_status": (
            "ConsoleProtection" if balancer.fixed_since else "NonProtection"
        ),
        "modification_protection_reason": balancer.fixed_reason,
        "master_zone_id": place.zone_id,
        "region_id": call.config.region,
        "region_id_alias": call.config.region,
        "resource_group_id": group_id,
        "vpc_id": balancer.vpc_id,
        "vswitch_id": place.vswitch_id,
        "create_time": balancer.created_at,
        "tags": TagList(tag=tags),
    }
