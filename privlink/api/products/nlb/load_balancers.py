"""Load balancers: addresses in zones that take flows for servers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import enis, limits, ours
from privlink.api.action import NLB, Call, RegionId, action
from privlink.api.fields import Name, check_zone
from privlink.api.wire import Answer, Fields
from privlink.model.balancer import (
    LoadBalancer,
    LoadBalancerZone,
)
from privlink.model.ids import LoadBalancerId, ZoneId, new_id
from privlink.model.network import EniOwner
from privlink.rules import addresses, quotas
from privlink.store import balancers, changes, networks, nodes, rows

AddressType = Annotated[
    Literal["Intranet"],
    msgspec.Meta(description="only Intranet: there are no public addresses here."),
]


class ZoneMapping(Fields, frozen=True):
    """Where a load balancer has an address."""

    zone_id: str
    vswitch_id: str
    private_ipv4_address: str | None = msgspec.field(name="PrivateIPv4Address", default=None)


class CreateLoadBalancerAnswer(Answer):
    loadbalancer_id: str  # spelt with a small b, unlike everywhere else


class LoadBalancerAddress(Answer):
    eni_id: str
    private_ipv4_address: str = msgspec.field(name="PrivateIPv4Address")


class ZoneMappingAnswer(Answer):
    zone_id: str
    vswitch_id: str
    status: str
    load_balancer_addresses: list[LoadBalancerAddress]


class LoadBalancerAnswer(Answer):
    load_balancer_id: str
    load_balancer_name: str
    load_balancer_status: str
    load_balancer_business_status: str
    load_balancer_type: str
    address_type: str
    address_ip_version: str
    cross_zone_enabled: bool
    region_id: str
    vpc_id: str
    create_time: str
    zone_mappings: list[ZoneMappingAnswer]


@action(NLB, writes=True, resource="loadbalancer/*")
def create_load_balancer(
    call: Call,
    *,
    region_id: RegionId | None = None,
    vpc_id: str,
    zone_mappings: Annotated[tuple[ZoneMapping, ...], msgspec.Meta(min_length=1, max_length=10)],
    address_type: AddressType,
    address_ip_version: Literal["ipv4"] = "ipv4",
    load_balancer_type: Literal["network"] = "network",
    load_balancer_name: Name = "",
) -> CreateLoadBalancerAnswer:
    """Create a load balancer with one address in each zone given."""
    vpc = ours.vpc(call, vpc_id)
    limits.check(call, quotas.BALANCERS, balancers.count(call.tx, call.account_id))
    balancer = LoadBalancer(
        id=LoadBalancerId(new_id("nlb")),
        number=rows.next_number(call.tx, "load balancer"),
        account_id=call.account_id,
        vpc_id=vpc.id,
        address_type=address_type,
        name=load_balancer_name,
        created_at=call.now,
    )
    places = [_place(call, balancer, mapping) for mapping in zone_mappings]
    if len({place.zone_id for place in places}) < len(places):
        raise errors.InvalidParameter(parameter="ZoneMappings", why="a zone is given twice.")
    balancers.add(call.tx, balancer, places)
    return CreateLoadBalancerAnswer(loadbalancer_id=balancer.id)


@action(NLB, resource="loadbalancer/{load_balancer_id}")
def get_load_balancer_attribute(
    call: Call, *, region_id: RegionId | None = None, load_balancer_id: str
) -> LoadBalancerAnswer:
    """Show a load balancer. It is Active once the nodes know it."""
    balancer = ours.balancer(call, load_balancer_id)
    ready = known_to_nodes(call, balancer.id)
    return LoadBalancerAnswer(
        load_balancer_id=balancer.id,
        load_balancer_name=balancer.name,
        load_balancer_status="Active" if ready else "Provisioning",
        load_balancer_business_status="Normal",
        load_balancer_type="Network",
        address_type=balancer.address_type,
        address_ip_version="ipv4",
        cross_zone_enabled=True,  # every zone's flows go to all servers
        region_id=call.config.region,
        vpc_id=balancer.vpc_id,
        create_time=balancer.created_at,
        zone_mappings=[
            _zone_answer(call, place, ready) for place in balancers.zones(call.tx, balancer.id)
        ],
    )


@action(NLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def delete_load_balancer(
    call: Call, *, region_id: RegionId | None = None, load_balancer_id: str
) -> Answer:
    """Delete a load balancer, its listeners with it, that no endpoint service uses."""
    balancer = ours.balancer(call, load_balancer_id)
    if services := balancers.services_on(call.tx, balancer.id):
        raise errors.DependencyViolation(
            resource=balancer.id, dependants=f"endpoint services {', '.join(services)}"
        )
    balancers.delete_balancer(call.tx, balancer.id)
    return Answer()


def known_to_nodes(call: Call, balancer_id: LoadBalancerId) -> bool:
    """Whether every node holds a load balancer as it now is."""
    key = changes.balancer_key(balancer_id)
    return nodes.in_step(call.tx, [key]).confirms(key)


def _place(call: Call, balancer: LoadBalancer, mapping: ZoneMapping) -> LoadBalancerZone:
    check_zone(call, mapping.zone_id)
    vswitch = ours.vswitch_in(call, mapping.vswitch_id, balancer.vpc_id, mapping.zone_id)
    wanted = mapping.private_ipv4_address
    eni = enis.take(call, vswitch, wanted, EniOwner.BALANCER, balancer.id)
    return LoadBalancerZone(balancer.id, ZoneId(mapping.zone_id), vswitch.id, eni.id)


def _zone_answer(call: Call, place: LoadBalancerZone, ready: bool) -> ZoneMappingAnswer:
    eni = networks.get_eni(call.tx, place.eni_id)
    address = LoadBalancerAddress(eni_id=eni.id, private_ipv4_address=addresses.text(eni.address))
    return ZoneMappingAnswer(
        zone_id=place.zone_id,
        vswitch_id=place.vswitch_id,
        status="Active" if ready else "Provisioning",
        load_balancer_addresses=[address],
    )


ACTIONS = (
    create_load_balancer,
    get_load_balancer_attribute,
    delete_load_balancer,
)
