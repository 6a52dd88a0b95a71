"""PrivateLink 2020-04-15: one file for each noun of it; the table of all its actions."""

from privlink.api.products.privatelink import (
    connections,
    endpoints,
    labels,
    offers,
    opening,
    resources,
    security_groups,
    services,
    users,
    zone_connections,
    zone_resources,
    zones,
)

ACTIONS = (
    *services.ACTIONS,
    *resources.ACTIONS,
    *users.ACTIONS,
    *endpoints.ACTIONS,
    *zones.ACTIONS,
    *connections.ACTIONS,
    *zone_connections.ACTIONS,
    *zone_resources.ACTIONS,
    *labels.ACTIONS,
    *security_groups.ACTIONS,
    *offers.ACTIONS,
    *opening.ACTIONS,
)
