"""The Interface endpoint: an address in the consumer's VPC that leads to a provider's servers.

What it asks of its creation, and which zones of it lead where.
"""

from __future__ import annotations

from collections.abc import Sequence

from privlink import errors
from privlink.model.network import IpVersion
from privlink.model.privatelink import (
    Connection,
    Decision,
    EndpointZone,
    ResourceType,
    ServiceResource,
)
from privlink.model.security import SecurityGroup, SecurityGroupRule

RESOURCE_TYPES = frozenset({ResourceType.NLB, ResourceType.SLB})
REVERSED = False
NAMED = True


def check(
    groups: Sequence[SecurityGroup], rules: Sequence[SecurityGroupRule], version: IpVersion
) -> None:
    """Refuse what an Interface endpoint cannot be made with, whatever its groups' rules are."""
    if not groups:
        raise errors.EndpointMustContainSecurityGroup
    if len({group.type for group in groups}) > 1:
        raise errors.SecurityGroupTypeOnlySingleTypeSupporteded


def lead(
    zone: EndpointZone, connection: Connection, resources: Sequence[ServiceResource]
) -> ServiceResource | None:
    """The service resource that an endpoint zone shall lead to, or None: nowhere.

    A zone stays with the resource it has, as long as the service still has that one. Another is
    picked among those that may be allocated.
    """
    if zone.deleting or zone.cut or connection.decision is not Decision.ACCEPTED:
        return None
    here = [resource for resource in resources if resource.zone_id == zone.zone_id]
    held = (resource for resource in here if resource.resource_id == zone.resource_id)
    free = (resource for resource in here if resource.auto_allocated)
    return next(held, None) or next(free, None)
