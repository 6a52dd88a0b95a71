"""Many endpoints in little time: rows written by the store's own functions, in one transaction.

What they stand on (networks, a load balancer, a service) is made by the actions that make it for
everybody.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from privlink.api.action import Action, Call
from privlink.api.products.ecs.security_groups import create_security_group
from privlink.api.products.nlb.load_balancers import create_load_balancer
from privlink.api.products.privatelink.services import create_vpc_endpoint_service
from privlink.api.products.vpc.vpcs import create_vpc
from privlink.api.products.vpc.vswitches import create_vswitch
from privlink.model.account import EVERY_ACCOUNT, QuotaSetting
from privlink.model.ids import (
    EndpointId,
    EniId,
    LoadBalancerId,
    SecurityGroupId,
    ServiceId,
    VpcId,
    VSwitchId,
    ZoneId,
    new_id,
    new_mac,
)
from privlink.model.network import Eni, EniOwner
from privlink.model.privatelink import (
    Connection,
    Decision,
    Endpoint,
    EndpointType,
    EndpointZone,
    TrafficControl,
)
from privlink.rules import bandwidth, names
from privlink.rules import quotas as limits
from privlink.store import endpoints, networks, quotas, rows

PER_VPC = 1000  # the quota of a VPC
NO_LIMITS = dict.fromkeys(limits.QUOTAS, 10**9)
_FIRST_ADDRESS = 10 << 24 | 10  # 10.0.0.10
_FIRST_SOURCE = 100 << 24 | 64 << 16 | 16  # 100.64.0.16
_FIRST_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


class Place(msgspec.Struct, frozen=True):
    """A VPC 10.0.0.0/16 with one vSwitch and one security group."""

    vpc_id: VpcId
    vswitch_id: VSwitchId
    group_id: SecurityGroupId


class Service(msgspec.Struct, frozen=True):
    """A service that accepts by itself, on one load balancer in the first zone."""

    id: ServiceId
    balancer_id: LoadBalancerId
    vpc_id: VpcId


def no_limits(call: Call) -> None:
    """Let every account have as much as anybody could want."""
    for name, limit in NO_LIMITS.items():
        quotas.put(call.tx, QuotaSetting(EVERY_ACCOUNT, name, limit))


def place(call: Call) -> Place:
    """A new network to put endpoints in."""
    vpc = _do(call, create_vpc, CidrBlock="10.0.0.0/16").vpc_id
    zone = call.config.zones[0]
    vswitch = _do(call, create_vswitch, VpcId=vpc, ZoneId=zone, CidrBlock="10.0.0.0/16")
    group = _do(call, create_security_group, VpcId=vpc)
    return Place(vpc, vswitch.vswitch_id, group.security_group_id)


def service(call: Call) -> Service:
    """A new service, in a network of its own."""
    where, zone = place(call), call.config.zones[0]
    mapping = {"ZoneId": zone, "VSwitchId": where.vswitch_id}
    balancer = _do(
        call,
        create_load_balancer,
        VpcId=where.vpc_id,
        AddressType="Intranet",
        ZoneMappings=[mapping],
    ).loadbalancer_id
    resource = {"ResourceType": "nlb", "ResourceId": balancer, "ZoneId": zone}
    made = _do(
        call,
        create_vpc_endpoint_service,
        ServiceResourceType="nlb",
        AutoAcceptEnabled=True,
        Resource=[resource],
    )
    return Service(made.service_id, balancer, where.vpc_id)


def fill(call: Call, of: Service, count: int, first: int = 0) -> list[EndpointId]:
    """Endpoints of a service, in as many new networks as it takes; the ids, oldest first."""
    made: list[EndpointId] = []
    zone_id = ZoneId(call.config.zones[0])
    where = place(call)
    for number in range(first, first + count):
        if number > first and (number - first) % PER_VPC == 0:
            where = place(call)
        moment = (_FIRST_MOMENT + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
        endpoint = Endpoint(
            id=EndpointId(new_id("ep")),
            account_id=call.account_id,
            vpc_id=where.vpc_id,
            service_id=of.id,
            service_name=names.service_name(call.config.region, of.id),
            type=EndpointType.INTERFACE,
            name=f"endpoint-{number}",
            description="",
            policy="",
            protected=False,
            protected_by="",
            zone_affinity=False,
            deleting=False,
            created_at=moment,
        )
        connection = Connection(
            endpoint.id,
            of.id,
            Decision.ACCEPTED,
            bandwidth.DEFAULT,
            TrafficControl.SCALABILITY,
            moment,
        )
        endpoints.add(call.tx, endpoint, connection, [where.group_id])
        _open(call, endpoint, zone_id, where, of, number)
        made.append(endpoint.id)
    return made


def _open(
    call: Call, endpoint: Endpoint, zone_id: ZoneId, where: Place, of: Service, number: int
) -> None:
    """Give an endpoint an address that leads to the service."""
    eni = Eni(
        EniId(new_id("eni")),
        where.vpc_id,
        where.vswitch_id,
        _FIRST_ADDRESS + number % 60_000,
        new_mac(),
        EniOwner.ENDPOINT,
        endpoint.id,
        endpoint.created_at,
    )
    networks.add_eni(call.tx, eni)
    zone = EndpointZone(
        endpoint_id=endpoint.id,
        zone_id=zone_id,
        vswitch_id=where.vswitch_id,
        number=rows.next_number(call.tx, "place"),
        eni_id=eni.id,
        resource_id=of.balancer_id,
        provider_vpc_id=of.vpc_id,
        source=_FIRST_SOURCE + number,
        opening=rows.next_number(call.tx, "opening"),
        initial=True,
        placed=True,
        deleting=False,
        cut=False,
        replaced_resource_id=None,
        replaced_vpc_id=None,
        replaced_source=None,
        replaced_opening=None,
    )
    endpoints.add_zone(call.tx, zone)


def _do(call: Call, action: Action, **parameters: Any) -> Any:
    if "RegionId" in action.names:
        parameters["RegionId"] = call.config.region
    return action.run(call, action.parse(parameters))
