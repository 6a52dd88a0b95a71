"""How much bandwidth a connection may be given, in Mbit/s, by what stands behind its service.

Source: PrivateLink API 2020-04-15, EnableVpcEndpointConnection, UpdateVpcEndpointServiceAttribute.
"""

from __future__ import annotations

from privlink.model.privatelink import ResourceType

# Lowest and highest bandwidth of one connection.
RANGES = {ResourceType.NLB: (100, 50000)}
# What a service may set for the connections that are still to come.
CONNECT_LOWEST, CONNECT_HIGHEST = 100, 10240
