"""PrivateLink 2020-04-15: one file for each side, and what both need."""

from privlink.api.products.privatelink import connections, endpoints, services

ACTIONS = (*services.ACTIONS, *endpoints.ACTIONS, *connections.ACTIONS)
