"""CLBs: one address in one zone that takes flows for servers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import balancing, enis, grouping, limits, ours
from privlink.api.action import SLB, Call, RegionId, action
from privlink.api.fields import Name
from privlink.api.paging import PageNumber, by_number
from privlink.api.products.slb import answers
from privlink.api.products.slb.labels import INSTANCE, LABELS
from privlink.api.products.slb.settings import ModificationStatus, OnOff, protected
from privlink.api.tagging import Tags
from privlink.api.wire import Answer, Wire
from privlink.model.balancer import LoadBalancer, ServerGroup, default_group
from privlink.model.ids import LoadBalancerId, new_id
from privlink.model.network import EniOwner
from privlink.model.privatelink import ResourceType
from privlink.rules import addresses, quotas
from privlink.store import balancers, rows

AddressType = Annotated[
    Literal["intranet"],
    msgspec.Meta(description="only intranet: there are no public addresses here."),
]
IpVersion = Annotated[
    Literal["ipv4"],
    Wire("AddressIPVersion"),
    msgspec.Meta(description="only ipv4: an NLB can be DualStack."),
]
Spec = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^slb\.[a-z0-9.]{1,32}\Z", description="a specification is one like slb.s1.small."
    ),
]
PayType = Annotated[
    Literal["PayOnDemand"],
    msgspec.Meta(description="only PayOnDemand: nothing is paid for here, so nothing in advance."),
]
ChargeType = Annotated[
    Literal["PayBySpec", "PayByCLCU"], msgspec.Meta(description="it is PayBySpec or PayByCLCU.")
]
InternetChargeType = Annotated[
    Literal["paybytraffic"],
    msgspec.Meta(description="only paybytraffic: the bandwidth of a CLB is not limited here."),
]
PageSize = Annotated[int, msgspec.Meta(ge=1, le=100, description="a page has 1 to 100 items.")]


class CreateLoadBalancerAnswer(Answer):
    load_balancer_id: str
    load_balancer_name: str
    address: str
    address_ip_version: str = msgspec.field(name="AddressIPVersion")
    network_type: str
    resource_group_id: str
    vpc_id: str
    vswitch_id: str


class LoadBalancerList(Answer):
    load_balancer: list[answers.ListedAnswer]


class LoadBalancersAnswer(Answer):
    load_balancers: LoadBalancerList
    total_count: int
    page_number: int
    page_size: int


@action(SLB, writes=True, resource=("loadbalancer/*", "vpc:vswitch/{vswitch_id}"))
def create_load_balancer(
    call: Call,
    *,
    region_id: RegionId,
    vswitch_id: str,
    vpc_id: str | None = None,
    master_zone_id: str | None = None,
    address: str | None = None,
    address_type: AddressType = "intranet",
    address_ip_version: IpVersion = "ipv4",
    load_balancer_name: Name = "",
    load_balancer_spec: Spec | None = None,
    instance_charge_type: ChargeType | None = None,
    internet_charge_type: InternetChargeType = "paybytraffic",
    bandwidth: int | None = None,  # counts under paybybandwidth alone, which is refused
    pay_type: PayType = "PayOnDemand",
    delete_protection: OnOff = "off",
    modification_protection_status: ModificationStatus = "NonProtection",
    modification_protection_reason: Name | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
) -> CreateLoadBalancerAnswer:
    """Create a CLB with an address in a vSwitch, which decides its VPC and its zone."""
    vswitch = ours.vswitch(call, vswitch_id)
    if vpc_id not in (None, vswitch.vpc_id):
        raise SLB.invalid(parameter="VpcId", why=f"{vswitch.id} lies in {vswitch.vpc_id}.")
    if master_zone_id not in (None, "", vswitch.zone_id):
        why = f"{master_zone_id!r} was given; {vswitch.id} lies in {vswitch.zone_id}."
        raise SLB.invalid(parameter="MasterZoneId", why=why)
    present = balancers.count(call.tx, call.account_id, ResourceType.SLB)
    limits.check(call, quotas.CLBS, present)
    bare = LoadBalancer(
        id=LoadBalancerId(new_id("lb")),
        number=rows.next_number(call.tx, "load balancer"),
        account_id=call.account_id,
        vpc_id=vswitch.vpc_id,
        kind=ResourceType.SLB,
        address_type=address_type,
        name=load_balancer_name,
        created_at=call.now,
        spec=_spec(load_balancer_spec, instance_charge_type),
    )
    balancer = protected(
        call,
        bare,
        delete=delete_protection,
        status=modification_protection_status,
        reason=modification_protection_reason,
    )
    eni = enis.take(call, vswitch, address, EniOwner.BALANCER, balancer.id)
    balancers.add(call.tx, balancer, [balancing.place(call, balancer.id, vswitch, eni.id)])
    balancers.add_group(call.tx, _default_servers(balancer))
    grouping.put(call, balancer.id, resource_group_id)
    LABELS.attach(call, INSTANCE, balancer.id, tag)
    return CreateLoadBalancerAnswer(
        load_balancer_id=balancer.id,
        load_balancer_name=balancer.name,
        address=addresses.text(eni.address),
        address_ip_version="ipv4",
        network_type="vpc",
        resource_group_id=grouping.shown(call, [balancer.id])[balancer.id],
        vpc_id=balancer.vpc_id,
        vswitch_id=vswitch.id,
    )


@action(SLB, resource="loadbalancer/{load_balancer_id}")
def describe_load_balancer_attribute(
    call: Call, *, region_id: RegionId | None = None, load_balancer_id: str
) -> answers.LoadBalancerAnswer:
    """Show a CLB with its default servers and the ports of its listeners."""
    return answers.shown(call, ours.clb(call, load_balancer_id))


@action(SLB, resource="loadbalancer/*")
def describe_load_balancers(
    call: Call,
    *,
    region_id: RegionId,
    load_balancer_id: str | None = None,
    load_balancer_name: str | None = None,
    load_balancer_status: str | None = None,
    address: str | None = None,
    address_type: str | None = None,
    address_ip_version: Annotated[str | None, Wire("AddressIPVersion")] = None,
    network_type: str | None = None,
    pay_type: str | None = None,
    master_zone_id: str | None = None,
    vpc_id: str | None = None,
    vswitch_id: str | None = None,
    server_id: str | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
    page_number: PageNumber = 1,
    page_size: PageSize = 50,
) -> LoadBalancersAnswer:
    """List your CLBs; all filters given must match. `LoadBalancerId` may hold several ids with
    commas between them.
    """
    ids = None if load_balancer_id is None else set(load_balancer_id.split(","))
    tagged = LABELS.matching(call, INSTANCE, tag)
    wanted = {
        "load_balancer_name": load_balancer_name,
        "load_balancer_status": load_balancer_status,
        "address": address,
        "address_type": address_type,
        "address_ip_version": address_ip_version,
        "network_type": network_type,
        "pay_type": pay_type,
        "master_zone_id": master_zone_id,
        "vpc_id": vpc_id,
        "vswitch_id": vswitch_id,
        "resource_group_id": resource_group_id,
    }
    candidates = [
        balancer
        for balancer in balancers.of_account(call.tx, call.account_id, ResourceType.SLB)
        if (ids is None or balancer.id in ids)
        and (tagged is None or balancer.id in tagged)
        and (server_id is None or server_id in _server_ids(call, balancer))
    ]
    found = [
        answer
        for answer in answers.listed(call, candidates)
        if all(value in (None, getattr(answer, field)) for field, value in wanted.items())
    ]
    return LoadBalancersAnswer(
        load_balancers=LoadBalancerList(
            load_balancer=list(by_number(found, page_number, page_size))
        ),
        total_count=len(found),
        page_number=page_number,
        page_size=page_size,
    )


@action(SLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def delete_load_balancer(
    call: Call, *, region_id: RegionId | None = None, load_balancer_id: str
) -> Answer:
    """Delete a CLB, its listeners and server groups with it, that is not protected and that no
    endpoint service uses.
    """
    balancer = ours.clb(call, load_balancer_id)
    if balancer.undeletable_since:
        raise errors.DeleteProtectionIsOn(load_balancer_id=balancer.id)
    if services := balancers.services_on(call.tx, balancer.id):
        raise errors.DependencyViolation(
            resource=balancer.id, dependants=f"endpoint services {', '.join(services)}"
        )
    balancers.delete_balancer(call.tx, balancer.id)
    return Answer()


def _spec(given: str | None, charged: str | None) -> str:
    """What a CLB is ordered as: by capacity used, unless a specification is named."""
    if charged == "PayByCLCU" and given:
        why = f"{given!r} goes with PayBySpec; leave it out under PayByCLCU."
        raise SLB.invalid(parameter="LoadBalancerSpec", why=why)
    return given or (answers.SMALLEST if charged == "PayBySpec" else answers.ELASTIC)


def _default_servers(balancer: LoadBalancer) -> ServerGroup:
    return ServerGroup(
        id=default_group(balancer.id),
        account_id=balancer.account_id,
        vpc_id=balancer.vpc_id,
        protocol="TCP_UDP",
        type="Default",
        name="",
        created_at=balancer.created_at,
        balancer_id=balancer.id,
    )


def _server_ids(call: Call, balancer: LoadBalancer) -> set[str]:
    groups = [group.id for group in balancers.groups_of_balancer(call.tx, balancer.id)]
    return {server.server_id for server in balancers.servers(call.tx, groups)}


ACTIONS = (
    create_load_balancer,
    describe_load_balancer_attribute,
    describe_load_balancers,
    delete_load_balancer,
)
