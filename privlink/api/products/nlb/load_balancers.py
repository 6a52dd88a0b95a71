"""Load balancers: addresses in zones that take flows for servers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from privlink import errors
from privlink.api import balancing, enis, grouping, limits, ours, tagging
from privlink.api.action import NLB, Call, RegionId, action
from privlink.api.fields import Name, Switch, check_zone
from privlink.api.paging import NextToken, by_token
from privlink.api.products.nlb import jobs, protection
from privlink.api.products.nlb.labels import BALANCER, LABELS, MaxResults
from privlink.api.tagging import TagAnswer, Tags
from privlink.api.wire import Answer, Fields
from privlink.model.balancer import LoadBalancer, LoadBalancerZone
from privlink.model.health import Front, Health
from privlink.model.ids import LoadBalancerId, new_id
from privlink.model.network import EniOwner, IpVersion
from privlink.model.privatelink import ResourceType
from privlink.rules import addresses, quotas
from privlink.rules import health as rules
from privlink.store import balancers, health, networks, rows

AddressType = Annotated[
    Literal["Intranet"],
    msgspec.Meta(description="only Intranet: there are no public addresses here."),
]
# Clients spell these two with and without a capital.
AddressIpVersion = Annotated[
    str,
    msgspec.Meta(pattern="(?i)^(ipv4|dualstack)\\Z", description="it is Ipv4 or DualStack."),
]
SPELT = {IpVersion.IPV4: "ipv4", IpVersion.DUAL_STACK: "DualStack"}
VERSIONS = {spelt.lower(): version for version, spelt in SPELT.items()}
Type = Annotated[str, msgspec.Meta(pattern="(?i)^network\\Z", description="it is Network.")]
Strings = Annotated[tuple[str, ...], msgspec.Meta(max_length=100, description="at most 100.")]


class ZoneMapping(Fields, frozen=True):
    """Where a load balancer has an address."""

    zone_id: str
    vswitch_id: str
    private_ipv4_address: str | None = msgspec.field(name="PrivateIPv4Address", default=None)
    ipv6_address: str | None = None


class Billing(Fields, frozen=True):
    """How a load balancer is paid for."""

    pay_type: Annotated[
        Literal["PostPay"], msgspec.Meta(description="only PostPay: nothing is paid for here.")
    ] = "PostPay"


class CreateLoadBalancerAnswer(Answer):
    loadbalancer_id: str  # spelt with a small b, unlike everywhere else


class LoadBalancerAddress(Answer):
    eni_id: str
    private_ipv4_address: str = msgspec.field(name="PrivateIPv4Address")
    ipv6_address: str | msgspec.UnsetType
    private_ipv4_hc_status: str | msgspec.UnsetType = msgspec.field(name="PrivateIPv4HcStatus")
    private_ipv6_hc_status: str | msgspec.UnsetType = msgspec.field(name="PrivateIPv6HcStatus")


class ZoneMappingAnswer(Answer):
    zone_id: str
    vswitch_id: str
    status: str
    load_balancer_addresses: list[LoadBalancerAddress]


class BillingAnswer(Answer):
    pay_type: str


class _About(Answer):
    load_balancer_id: str
    load_balancer_name: str
    load_balancer_status: str
    load_balancer_business_status: str
    load_balancer_type: str
    load_balancer_billing_config: BillingAnswer
    address_type: str
    address_ip_version: str
    ipv6_address_type: str | msgspec.UnsetType
    cross_zone_enabled: bool
    deletion_protection_config: protection.DeletionProtectionAnswer
    modification_protection_config: protection.ModificationProtectionAnswer
    region_id: str
    resource_group_id: str
    security_group_ids: list[str]
    vpc_id: str
    create_time: str
    zone_mappings: list[ZoneMappingAnswer]


class LoadBalancerAnswer(_About):
    tags: list[balancing.TagShown]


class ListedLoadBalancer(_About):
    tags: list[TagAnswer]


class LoadBalancersAnswer(Answer):
    load_balancers: list[ListedLoadBalancer]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


@action(
    NLB,
    writes=True,
    resource=("loadbalancer/*", "vpc:vpc/{vpc_id}", "vpc:vswitch/{zone_mappings.vswitch_id}"),
)
def create_load_balancer(
    call: Call,
    *,
    region_id: RegionId | None = None,
    vpc_id: str,
    zone_mappings: Annotated[tuple[ZoneMapping, ...], msgspec.Meta(min_length=1, max_length=10)],
    address_type: AddressType,
    address_ip_version: AddressIpVersion = "ipv4",
    load_balancer_type: Type = "network",
    load_balancer_name: Name = "",
    load_balancer_billing_config: Billing | None = None,
    deletion_protection_config: protection.DeletionProtection | None = None,
    modification_protection_config: protection.ModificationProtection | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
) -> CreateLoadBalancerAnswer:
    """Create a load balancer with one address in each zone given, or one of each family."""
    vpc = ours.vpc(call, vpc_id)
    present = balancers.count(call.tx, call.account_id, ResourceType.NLB)
    limits.check(call, quotas.BALANCERS, present)
    deletion = deletion_protection_config or protection.DeletionProtection()
    modification = modification_protection_config or protection.ModificationProtection()
    bare = LoadBalancer(
        id=LoadBalancerId(new_id("nlb")),
        number=rows.next_number(call.tx, "load balancer"),
        account_id=call.account_id,
        vpc_id=vpc.id,
        kind=ResourceType.NLB,
        address_type=address_type,
        name=load_balancer_name,
        created_at=call.now,
        ip_version=VERSIONS[address_ip_version.lower()],
    )
    balancer = protection.protected(
        call,
        bare,
        enabled=deletion.enabled,
        reason=deletion.reason,
        status=modification.status,
        status_reason=modification.reason,
    )
    places = [_place(call, balancer, mapping) for mapping in zone_mappings]
    if len({place.zone_id for place in places}) < len(places):
        raise errors.InvalidParameter(parameter="ZoneMappings", why="a zone is given twice.")
    balancers.add(call.tx, balancer, places)
    grouping.put(call, balancer.id, resource_group_id)
    LABELS.attach(call, BALANCER, balancer.id, tag)
    return CreateLoadBalancerAnswer(loadbalancer_id=balancer.id)


@action(NLB, resource="loadbalancer/{load_balancer_id}")
def get_load_balancer_attribute(
    call: Call, *, region_id: RegionId | None = None, load_balancer_id: str
) -> LoadBalancerAnswer:
    """Show a load balancer. It is Active once the nodes know it."""
    balancer = ours.balancer(call, load_balancer_id)
    (about,) = _about(call, [balancer])
    return LoadBalancerAnswer(**about, tags=balancing.tags(call, [balancer.id])[balancer.id])


@action(NLB, resource="loadbalancer/*")
def list_load_balancers(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_ids: Strings = (),
    load_balancer_names: Strings = (),
    load_balancer_status: str | None = None,
    load_balancer_business_status: str | None = None,
    load_balancer_type: Type | None = None,
    address_type: str | None = None,
    address_ip_version: AddressIpVersion | None = None,
    vpc_ids: Strings = (),
    zone_id: str | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
    max_results: MaxResults = 20,
    next_token: NextToken = "",
) -> LoadBalancersAnswer:
    """List your load balancers. All filters given must match."""
    tagged = LABELS.matching(call, BALANCER, tag)
    version = address_ip_version and VERSIONS[address_ip_version.lower()]
    candidates = [
        balancer
        for balancer in balancers.of_account(call.tx, call.account_id, ResourceType.NLB)
        if (not load_balancer_ids or balancer.id in load_balancer_ids)
        and (not load_balancer_names or balancer.name in load_balancer_names)
        and (not vpc_ids or balancer.vpc_id in vpc_ids)
        and (version is None or balancer.ip_version is version)
        and (tagged is None or balancer.id in tagged)
    ]
    wanted = {
        "load_balancer_status": load_balancer_status,
        "load_balancer_business_status": load_balancer_business_status,
        "address_type": address_type,
        "resource_group_id": resource_group_id,
    }
    found = [
        answer
        for answer in _listed(call, candidates)
        if all(value in (None, getattr(answer, field)) for field, value in wanted.items())
        and (zone_id is None or zone_id in [each.zone_id for each in answer.zone_mappings])
    ]
    page, following = by_token(
        found, lambda each: f"{each.create_time} {each.load_balancer_id}", max_results, next_token
    )
    return LoadBalancersAnswer(
        load_balancers=list(page),
        total_count=len(found),
        max_results=max_results,
        next_token=following,
    )


@action(NLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def update_load_balancer_attribute(
    call: Call,
    *,
    region_id: RegionId | None = None,
    load_balancer_id: str,
    load_balancer_name: Name | None = None,
    cross_zone_enabled: Switch | None = None,
) -> jobs.JobAnswer:
    """Change what is given of a load balancer.

    Servers of a zone take its flows. While none of them is well, those of other zones do, unless
    `CrossZoneEnabled` is false.
    """
    balancer = ours.balancer(call, load_balancer_id)
    if load_balancer_name is not None:
        balancer = msgspec.structs.replace(balancer, name=load_balancer_name)
        balancers.change(call.tx, balancer)
    if cross_zone_enabled not in (None, balancer.cross_zone):
        balancers.set_cross_zone(call.tx, balancer, enabled=bool(cross_zone_enabled))
    return jobs.JobAnswer(job_id=jobs.begun(call))


@action(NLB, writes=True, resource="loadbalancer/{load_balancer_id}")
def delete_load_balancer(
    call: Call, *, region_id: RegionId | None = None, load_balancer_id: str
) -> jobs.JobAnswer:
    """Delete a load balancer, its listeners with it, that is not protected and that no endpoint
    service uses.
    """
    balancer = ours.balancer(call, load_balancer_id)
    if balancer.undeletable_since:
        raise errors.DeletionProtectionEnabled(
            load_balancer_id=balancer.id, reason=balancer.undeletable_reason or "none"
        )
    if services := balancers.services_on(call.tx, balancer.id):
        raise errors.DependencyViolation(
            resource=balancer.id, dependants=f"endpoint services {', '.join(services)}"
        )
    balancers.delete_balancer(call.tx, balancer.id)
    return jobs.JobAnswer(job_id=jobs.begun(call))


def _place(call: Call, balancer: LoadBalancer, mapping: ZoneMapping) -> LoadBalancerZone:
    check_zone(call, mapping.zone_id)
    vswitch = ours.vswitch_in(call, mapping.vswitch_id, balancer.vpc_id, mapping.zone_id)
    wanted, wanted6 = mapping.private_ipv4_address, mapping.ipv6_address
    address6 = None
    if balancer.ip_version is IpVersion.DUAL_STACK:
        address6 = enis.choose6(call, vswitch, wanted6)
    elif wanted6:
        why = f"{wanted6!r} was given; it goes with AddressIpVersion=DualStack."
        raise errors.InvalidParameter(parameter="Ipv6Address", why=why)
    eni = enis.take(call, vswitch, wanted, EniOwner.BALANCER, balancer.id, address6)
    return balancing.place(call, balancer.id, vswitch, eni.id)


def _listed(call: Call, found: list[LoadBalancer]) -> list[ListedLoadBalancer]:
    tags = tagging.shown(call, [balancer.id for balancer in found])
    pairs = zip(found, _about(call, found), strict=True)
    return [ListedLoadBalancer(**about, tags=tags[balancer.id]) for balancer, about in pairs]


def _about(call: Call, found: list[LoadBalancer]) -> list[dict[str, Any]]:
    ids = [balancer.id for balancer in found]
    groups, fronts = grouping.shown(call, ids), health.fronts(call.tx, ids)
    return [_fields(call, each, groups[each.id], fronts[each.id]) for each in found]


def _fields(call: Call, balancer: LoadBalancer, group_id: str, front: Front) -> dict[str, Any]:
    ready = balancing.known_to_nodes(call, balancer.id)
    about = _About(
        load_balancer_id=balancer.id,
        load_balancer_name=balancer.name,
        load_balancer_status="Active" if ready else "Provisioning",
        load_balancer_business_status="Normal",
        load_balancer_type="Network",
        load_balancer_billing_config=BillingAnswer(pay_type="PostPay"),
        address_type=balancer.address_type,
        address_ip_version=SPELT[balancer.ip_version],
        ipv6_address_type=msgspec.UNSET
        if balancer.ip_version is IpVersion.IPV4
        else balancer.address_type,
        cross_zone_enabled=balancer.cross_zone,
        deletion_protection_config=protection.deletion_answer(balancer),
        modification_protection_config=protection.modification_answer(balancer),
        region_id=call.config.region,
        resource_group_id=group_id,
        security_group_ids=[],
        vpc_id=balancer.vpc_id,
        create_time=balancer.created_at,
        zone_mappings=[
            _zone_answer(call, place, front, ready)
            for place in balancers.zones(call.tx, balancer.id)
        ],
    )
    return msgspec.structs.asdict(about)


def _zone_answer(
    call: Call, place: LoadBalancerZone, front: Front, ready: bool
) -> ZoneMappingAnswer:
    eni = networks.get_eni(call.tx, place.eni_id)
    # The cloud says how an address is once its zone is Active.
    families = {4: ready, 6: ready and eni.address6 is not None}
    statuses = {
        family: _health(front, place.zone_id, family) if shown else msgspec.UNSET
        for family, shown in families.items()
    }
    address = LoadBalancerAddress(
        eni_id=eni.id,
        private_ipv4_address=addresses.text(eni.address),
        ipv6_address=eni.address6 or msgspec.UNSET,
        private_ipv4_hc_status=statuses[4],
        private_ipv6_hc_status=statuses[6],
    )
    return ZoneMappingAnswer(
        zone_id=place.zone_id,
        vswitch_id=place.vswitch_id,
        status="Active" if ready else "Provisioning",
        load_balancer_addresses=[address],
    )


def _health(front: Front, zone_id: str, family: int) -> Health:
    is_well = rules.address_is_well(front, zone_id, family)
    return Health.HEALTHY if is_well else Health.UNHEALTHY


ACTIONS = (
    create_load_balancer,
    get_load_balancer_attribute,
    list_load_balancers,
    update_load_balancer_attribute,
    delete_load_balancer,
)
