"""The consumer's side of PrivateLink: endpoints and their zones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from privlink import errors
from privlink.api import grouping, limits, listing, ours
from privlink.api.action import PRIVATELINK, Call, RegionId, action
from privlink.api.paging import MaxResults, NextToken
from privlink.api.products.privatelink import (
    address_versions,
    carriers,
    endpoint_answers,
    protection,
)
from privlink.api.products.privatelink.endpoint_answers import (
    CreateEndpointAnswer,
    EndpointAnswer,
    EndpointsAnswer,
    status_of,
)
from privlink.api.products.privatelink.labels import ENDPOINT, LABELS
from privlink.api.products.privatelink.security_groups import check_groups
from privlink.api.products.privatelink.settle import settled
from privlink.api.products.privatelink.zones import Zone, place, refuse_if_over
from privlink.api.tagging import Tags
from privlink.api.wire import Answer
from privlink.kinds import fitting
from privlink.model.ids import EndpointId, new_id
from privlink.model.network import IpVersion
from privlink.model.privatelink import (
    Connection,
    ConnectionStatus,
    Decision,
    Endpoint,
    EndpointService,
    EndpointStatus,
    EndpointType,
    EndpointZone,
    ServiceResource,
)
from privlink.rules import bandwidth, endpoint_policy, lifecycle, names, quotas, sharing
from privlink.rules.lifecycle import ZoneFacts
from privlink.store import endpoints, named, rows, services, tally
from privlink.store.endpoints import Facts
from privlink.store.pages import Place

Name = Annotated[
    str,
    msgspec.Meta(
        min_length=2, max_length=128, pattern=names.NAME_PATTERN, description=names.NAME_RULE
    ),
]
Description = Annotated[
    str,
    msgspec.Meta(
        min_length=2,
        max_length=256,
        pattern=names.DESCRIPTION_PATTERN,
        description=names.DESCRIPTION_RULE,
    ),
]
NewName = Annotated[
    str,
    msgspec.Meta(max_length=128, pattern=names.NAME_OR_NONE_PATTERN, description=names.NAME_RULE),
]
NewDescription = Annotated[
    str,
    msgspec.Meta(
        max_length=256,
        pattern=names.DESCRIPTION_OR_NONE_PATTERN,
        description=names.DESCRIPTION_RULE,
    ),
]


def _service_asked(arguments: dict[str, Any]) -> dict[str, str]:
    """What policies may ask of the creation of an endpoint: which service it shall lead to."""
    wanted = _service_id(arguments["service_id"], arguments["service_name"])
    return {} if wanted is None else {"privatelink:VpcEndpointServiceId": wanted}


@action(
    PRIVATELINK,
    writes=True,
    resource=(
        "vpcendpoint/*",
        "vpc:vpc/{vpc_id}",
        "vpc:vswitch/{zone.vswitch_id}",
        "ecs:securitygroup/{security_group_id}",
    ),
    conditions=_service_asked,
)
def create_vpc_endpoint(
    call: Call,
    *,
    region_id: RegionId,
    vpc_id: str,
    service_id: str | None = None,
    service_name: str | None = None,
    security_group_id: Annotated[
        tuple[str, ...], msgspec.Meta(max_length=10, description="at most 10 security groups.")
    ] = (),
    zone: Annotated[
        tuple[Zone, ...], msgspec.Meta(max_length=10, description="at most 10 zones.")
    ] = (),
    endpoint_type: EndpointType = EndpointType.INTERFACE,
    endpoint_name: Name | None = None,
    endpoint_description: Description | None = None,
    zone_private_ip_address_count: Annotated[
        int, msgspec.Meta(ge=1, le=1, description="only 1 is possible.")
    ] = 1,
    address_ip_version: IpVersion = IpVersion.IPV4,
    zone_affinity_enabled: bool = False,
    policy_document: str | None = None,
    protected_enabled: bool = False,
    service_region_id: str | None = None,
    cross_region_bandwidth: int | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
) -> CreateEndpointAnswer:
    """Create an endpoint: an address in your VPC, in each zone given, that leads to a service.

    A DualStack endpoint has an IPv6 address in each zone, too, and needs a DualStack service.
    A Reverse endpoint is for a service on NAT gateways (vpcnat): the service calls your servers
    from its address, and so its security groups must let everything in. Should they do so no
    longer, calls are refused until they do again. SetEndpointTargets says what may be called.
    """
    vpc = ours.vpc(call, vpc_id, errors.VpcNotFound)
    _refuse_other_regions(call, service_region_id, cross_region_bandwidth)
    limits.check(call, quotas.ENDPOINTS_PER_VPC, tally.in_vpc(call.tx, vpc.id), vpc.id)
    service = _service_to_use(call, service_id, service_name)
    address_versions.check_endpoint(service, vpc, address_ip_version)
    groups = ours.security_groups_in(call, security_group_id, vpc.id)
    _check_fits(service, endpoint_type)
    check_groups(call, endpoint_type, groups, address_ip_version)
    resources = services.resources(call.tx, service.id) if zone else ()
    _refuse_unserved(service, resources, zone)
    carriers.check_room(call, service, len(zone))
    limits.check(call, quotas.GROUPS_PER_ENDPOINT, 0, "an endpoint", more=len(groups))
    owner = protection.owner(call, protected=protected_enabled)
    endpoint = Endpoint(
        id=EndpointId(new_id("ep")),
        account_id=call.account_id,
        vpc_id=vpc.id,
        service_id=service.id,
        service_name=names.service_name(call.config.region, service.id),
        type=endpoint_type,
        name=endpoint_name or "",
        description=endpoint_description or "",
        policy=_checked(policy_document or ""),
        protected=bool(owner),
        protected_by=owner,
        zone_affinity=zone_affinity_enabled,
        deleting=False,
        created_at=call.now,
        ip_version=address_ip_version,
    )
    decision = Decision.ACCEPTED if service.auto_accept else Decision.NONE
    connection = Connection(
        endpoint_id=endpoint.id,
        number=rows.next_number(call.tx, "connection"),
        service_id=service.id,
        decision=decision,
        bandwidth=service.connect_bandwidth or bandwidth.DEFAULT,
        traffic_control=bandwidth.default_mode(service.resource_type),
        modified_at=call.now,
    )
    endpoints.add(call.tx, endpoint, connection, (group.id for group in groups))
    protection.ensure_linked_role(call)
    zones = _place_all(call, endpoint, connection, resources, zone)
    grouping.put(call, endpoint.id, resource_group_id)
    LABELS.attach(call, ENDPOINT, endpoint.id, tag)
    # No node can have heard of them yet.
    unconfirmed = tuple(ZoneFacts(each, confirmed=False) for each in zones)
    return endpoint_answers.created(call, Facts(endpoint, connection, True, unconfirmed))


@action(PRIVATELINK, writes=True, resource="vpcendpoint/{endpoint_id}")
def update_vpc_endpoint_attribute(
    call: Call,
    *,
    region_id: RegionId,
    endpoint_id: str,
    endpoint_name: NewName | None = None,
    endpoint_description: NewDescription | None = None,
    zone_affinity_enabled: bool | None = None,
    policy_document: str | None = None,
    reset_policy: bool = False,
    address_ip_version: IpVersion | None = None,
    cross_region_bandwidth: int | None = None,
) -> Answer:
    """Change what is given of an endpoint; an empty text takes it away. Its traffic goes on.

    DualStack gives each of its zones an IPv6 address, IPv4 takes those back with their flows.
    """
    endpoint = ours.endpoint(call, endpoint_id)
    protection.refuse_strangers(call, endpoint)
    refuse_if_over(call, endpoint)
    _refuse_other_regions(call, None, cross_region_bandwidth)
    if reset_policy and policy_document:
        raise errors.IllegalParamFormat(
            parameter="ResetPolicy", why="it takes PolicyDocument away; give one of the two."
        )
    given = {
        "name": endpoint_name,
        "description": endpoint_description,
        "zone_affinity": zone_affinity_enabled,
        "policy": "" if reset_policy else policy_document and _checked(policy_document),
        "ip_version": address_ip_version,
    }
    if address_ip_version is not None:
        address_versions.change_zones(call, endpoint, address_ip_version)
    changed = {field: value for field, value in given.items() if value is not None}
    endpoints.change(call.tx, msgspec.structs.replace(endpoint, **changed))
    if changed.get("zone_affinity", endpoint.zone_affinity) != endpoint.zone_affinity:
        named.touch(call.tx, endpoint.id)
    return Answer()


@action(PRIVATELINK, resource="vpcendpoint/{endpoint_id}")
def get_vpc_endpoint_attribute(
    call: Call, *, region_id: RegionId, endpoint_id: str
) -> EndpointAnswer:
    """Show one of your endpoints."""
    endpoint = ours.endpoint(call, endpoint_id)
    return endpoint_answers.shown(call, endpoints.facts(call.tx, [endpoint])[0])


@action(PRIVATELINK, resource="vpcendpoint/*")
def list_vpc_endpoints(
    call: Call,
    *,
    region_id: RegionId,
    endpoint_id: str | None = None,
    endpoint_name: str | None = None,
    endpoint_type: str | None = None,
    endpoint_status: EndpointStatus | None = None,
    connection_status: ConnectionStatus | None = None,
    service_name: str | None = None,
    vpc_id: str | None = None,
    address_ip_version: IpVersion | None = None,
    service_region_id: str | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
    max_results: MaxResults = 50,
    next_token: NextToken = "",
) -> EndpointsAnswer:
    """List your endpoints. All filters given must match."""
    tx = call.tx
    wanted = listing.wanted(
        call,
        {
            "account_id": call.account_id,
            "id": endpoint_id,
            "name": endpoint_name,
            "type": endpoint_type,
            "service_name": service_name,
            "vpc_id": vpc_id,
            "ip_version": address_ip_version,
            **lifecycle.implied(endpoint_status, connection_status),
        },
        LABELS.asked(call, ENDPOINT, tag),
        resource_group_id,
    )
    nowhere = service_region_id not in (None, call.config.region)

    def fetch(after: Place, size: int) -> list[Endpoint]:
        return [] if nowhere else endpoints.page(tx, wanted, after, size)

    def total() -> int:
        return 0 if nowhere else endpoints.count(tx, wanted)

    def keep(facts: Facts) -> bool:
        status = lifecycle.endpoint_status(facts.endpoint, facts.zones)
        return endpoint_status in (None, status) and connection_status in (None, status_of(facts))

    if endpoint_status is None and connection_status is None:
        listed = listing.page(fetch, total, max_results, next_token)
    else:
        listed = listing.page_of_kept(tx, fetch, keep, max_results, next_token)
    return EndpointsAnswer(
        endpoints=endpoint_answers.listed(call, endpoints.facts(tx, listed.page)),
        total_count=listed.total,
        max_results=max_results,
        next_token=listed.following,
    )


@action(PRIVATELINK, writes=True, resource="vpcendpoint/{endpoint_id}")
def delete_vpc_endpoint(call: Call, *, region_id: RegionId, endpoint_id: str) -> Answer:
    """Delete an endpoint whose zones have been removed."""
    endpoint = ours.endpoint(call, endpoint_id)
    protection.refuse_strangers(call, endpoint)
    zones = endpoints.zones(call.tx, endpoint.id)
    if staying := [zone.zone_id for zone in zones if not zone.deleting]:
        raise errors.EndpointDependenceViolation(
            endpoint_id=endpoint.id, dependants=", ".join(staying)
        )
    if zones:
        endpoints.mark_deleting(call.tx, endpoint.id)
    else:
        endpoints.delete_endpoint(call.tx, endpoint)
    return Answer()


def _place_all(
    call: Call,
    endpoint: Endpoint,
    connection: Connection,
    resources: Sequence[ServiceResource],
    asked: Sequence[Zone],
) -> list[EndpointZone]:
    """Put the zones of a new endpoint down, each leading where it shall."""
    zones: list[EndpointZone] = []
    for each in asked:
        zone = place(call, endpoint, each, zones, initial=True)
        zones.append(settled(call, zone, endpoint, connection, resources))
        endpoints.add_zone(call.tx, zones[-1])
    return zones


def _service_to_use(
    call: Call, service_id: str | None, service_name: str | None
) -> EndpointService:
    """The service that was asked for, if it exists and this account may use it."""
    wanted = _service_id(service_id, service_name)
    if wanted is None:
        raise errors.MissingParam(parameter="ServiceId", why="give ServiceId or ServiceName.")
    service = services.get(call.tx, wanted)
    named = service and names.service_name(call.config.region, service.id)
    if service is None or (service_name is not None and service_name != named):
        raise errors.EndpointServiceNotFound(service=service_id or service_name)
    if service.account_id == call.account_id:
        return service
    allowed = [entry.user for entry in services.users(call.tx, service.id)]
    if not sharing.allows(allowed, call.account_id):
        raise errors.EndpointServiceNotAuthorized(account_id=call.account_id, service_id=service.id)
    return service


def _check_fits(service: EndpointService, wanted: EndpointType) -> None:
    """Refuse an endpoint of a type that the service does not take."""
    takes = fitting(service.resource_type)
    if wanted is not takes:
        raise errors.MismatchEndpointType(
            service_id=service.id,
            resource_type=service.resource_type,
            fitting=takes,
            given=wanted,
        )


def _refuse_unserved(
    service: EndpointService, resources: Sequence[ServiceResource], asked: Sequence[Zone]
) -> None:
    """Refuse zones that the service is not in, unless it is in none yet.

    AddZoneToVpcEndpoint may come first: Terraform attaches resources and adds zones side by side.
    """
    served = sorted({each.zone_id for each in resources})
    for zone in asked:
        if served and zone.zone_id not in served:
            raise errors.EndpointServiceNotSupportedZone(
                resource=service.id, zone_id=zone.zone_id, known=", ".join(served)
            )


def _service_id(service_id: str | None, service_name: str | None) -> str | None:
    return service_id or (service_name.rpartition(".")[2] if service_name else None)


def _refuse_other_regions(call: Call, region_id: str | None, bandwidth: int | None) -> None:
    if region_id not in (None, call.config.region):
        raise errors.RegionNotFound(region_id=region_id, known=call.config.region)
    if bandwidth is not None:
        why = "endpoint and service are in the same region here, so there is nothing to set."
        raise errors.IllegalParamFormat(parameter="CrossRegionBandwidth", why=why)


def _checked(policy: str) -> str:
    """A policy document that may be kept, or nothing."""
    if policy and (why := endpoint_policy.problem(policy)):
        raise errors.IllegalParamFormat(parameter="PolicyDocument", why=why)
    return policy


ACTIONS = (
    create_vpc_endpoint,
    update_vpc_endpoint_attribute,
    get_vpc_endpoint_attribute,
    list_vpc_endpoints,
    delete_vpc_endpoint,
)
