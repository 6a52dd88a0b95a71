"""What serves a zone of a connection: chosen before it is open, migrated while it is."""

from __future__ import annotations

from typing import Literal

import msgspec

from privlink import errors
from privlink.api import limits, ours
from privlink.api.action import PRIVATELINK, Call, RegionId, action
from privlink.api.products.privatelink.connections import connection_of, is_accepted
from privlink.api.products.privatelink.endpoint_answers import status_of
from privlink.api.products.privatelink.resources import type_of
from privlink.api.products.privatelink.settle import migrate
from privlink.api.products.privatelink.zone_connections import put_zone
from privlink.api.wire import Answer
from privlink.model.privatelink import (
    ConnectionStatus,
    EndpointService,
    EndpointZone,
    ResourceType,
    ServiceResource,
)
from privlink.rules import quotas
from privlink.store import services
from privlink.store.endpoints import Facts


@action(PRIVATELINK, writes=True, resource="vpcendpointservice/{service_id}")
def update_vpc_endpoint_zone_connection_resource_attribute(
    call: Call,
    *,
    region_id: RegionId,
    service_id: str,
    endpoint_id: str,
    zone_id: str,
    resource_id: str | None = None,
    resource_type: str | None = None,
    resource_allocate_mode: Literal["Auto", "Manual"] | None = None,
    resource_replace_mode: Literal["Graceful", "Force"] | None = None,
) -> Answer:
    """Choose the resource of a zone while its connection is Disconnected, or migrate the zone to
    another while it is Connected: gracefully, or with its flows cut.

    It needs a privilege, which the operator may take from an account.
    """
    service = ours.service(call, service_id)
    limits.check(call, quotas.RESOURCES_BY_HAND, 0)
    if service.resource_type is ResourceType.VPCNAT:
        why = "full-NAT entries of one NAT gateway do not move to another. Detach the resource."
        raise errors.EndpointServiceResourceTypeNotSupport(
            resource_type=service.resource_type, why=why
        )
    facts = connection_of(call, service, endpoint_id)
    zone, status = _any_zone(facts, zone_id), status_of(facts)
    if resource_type is not None and type_of(resource_type) is not service.resource_type:
        why = f"{service.id} is on resources of type {service.resource_type}."
        raise errors.EndpointServiceResourceTypeNotSupport(resource_type=resource_type, why=why)
    if status is ConnectionStatus.DISCONNECTED:
        if resource_replace_mode is not None:
            raise errors.IllegalResourceReplaceMode(status=status)
        if resource_allocate_mode is None:
            raise errors.MissingParam(parameter="ResourceAllocateMode", why="Auto or Manual?")
        is_manual = resource_allocate_mode == "Manual"
        if resource_id is not None and not is_manual:
            why = "with Auto whichever is free is taken when it opens; leave it out, or say Manual."
            raise errors.IllegalParamFormat(parameter="ResourceId", why=why)
        found = _wanted(call, service, zone, resource_id) if is_manual else None
        return put_zone(call, facts, _put_on(zone, found))
    if not is_accepted(facts):
        raise errors.EndpointConnectionOperationDenied(
            endpoint_id=endpoint_id,
            status=status,
            why="its resources can be chosen while it is Disconnected or Connected.",
        )
    if resource_allocate_mode is not None or resource_replace_mode is None:
        raise errors.IllegalResourceAllocateMode(status=status)
    _refuse_migration(call, service, zone)
    lead = _wanted(call, service, zone, resource_id)
    migrate(call, zone, lead, graceful=resource_replace_mode == "Graceful")
    return Answer()


def _put_on(zone: EndpointZone, resource: ServiceResource | None) -> EndpointZone:
    """A closed zone that leads to a resource when it opens, or to whichever is then free."""
    chosen = resource.resource_id if resource else None
    return msgspec.structs.replace(zone, resource_id=chosen, provider_vpc_id=None, source=None)


def _refuse_migration(call: Call, service: EndpointService, zone: EndpointZone) -> None:
    """Refuse to move a zone that carries nothing, is moving, or that allocation would take back."""
    if zone.opening is None or zone.replaced_opening is not None:
        why = (
            "it carries nothing that could be moved; enable its connection first."
            if zone.opening is None
            else f"flows are still on {zone.replaced_resource_id}; close those with "
            "DisableVpcEndpointZoneConnection and ReplacedResource=true first."
        )
        raise errors.ZoneOperationDenied(
            endpoint_id=zone.endpoint_id, zone_id=zone.zone_id, why=why
        )
    for each in services.resources(call.tx, service.id):
        held = (each.resource_id, each.zone_id) == (zone.resource_id, zone.zone_id)
        if held and each.auto_allocated:
            raise errors.CurrentResourceAutoAllocated(
                resource_id=each.resource_id, zone_id=each.zone_id
            )


def _wanted(
    call: Call, service: EndpointService, zone: EndpointZone, resource_id: str | None
) -> ServiceResource:
    """The resource of the service that a zone shall be on."""
    if resource_id is None:
        raise errors.MissingParam(parameter="ResourceId", why="which resource shall serve it?")
    found = [
        each for each in services.resources(call.tx, service.id) if each.resource_id == resource_id
    ]
    for each in found:
        if each.zone_id == zone.zone_id and resource_id == zone.resource_id and zone.opening:
            raise errors.ZoneOperationDenied(
                endpoint_id=zone.endpoint_id,
                zone_id=zone.zone_id,
                why=f"it is on {resource_id} already.",
            )
        if each.zone_id == zone.zone_id:
            return each
    if found:
        raise errors.MismatchZoneId(
            resource_id=resource_id,
            zone_id=zone.zone_id,
            known=", ".join(each.zone_id for each in found),
        )
    raise errors.EndpointServiceResourceNotFound(
        resource_id=resource_id, zone_id=zone.zone_id, service_id=service.id
    )


def _any_zone(facts: Facts, zone_id: str) -> EndpointZone:
    for each in facts.zones:
        if each.zone.zone_id == zone_id and not each.zone.deleting:
            return each.zone
    known = ", ".join(each.zone.zone_id for each in facts.zones if not each.zone.deleting)
    raise errors.EndpointZoneNotFound(
        endpoint_id=facts.endpoint.id, zone_id=zone_id, known=known or "none"
    )


ACTIONS = (update_vpc_endpoint_zone_connection_resource_attribute,)
