"""How much bandwidth a connection may be given, in Mbit/s, by what stands behind its service.

Source: PrivateLink API 2020-04-15, EnableVpcEndpointConnection, UpdateVpcEndpointServiceAttribute.
"""

from __future__ import annotations

from privlink import errors
from privlink.model.privatelink import ResourceType

# Lowest and highest bandwidth of one connection.
RANGES = {ResourceType.NLB: (100, 50000)}
# What a connection gets whose service does not say.
DEFAULT = 3072
# What a service may set for the connections that are still to come.
CONNECT_LOWEST, CONNECT_HIGHEST = 100, 10240


def check(bandwidth: int, kind: ResourceType) -> None:
    """Refuse a connection's bandwidth that its service's kind cannot have."""
    lowest, highest = RANGES[kind]
    if not lowest <= bandwidth <= highest:
        raise errors.IllegalParamFormat(
            parameter="Bandwidth",
            why=f"{bandwidth} was given; it is {lowest} to {highest} Mbit/s for {kind}.",
        )
