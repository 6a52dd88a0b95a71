"""How much bandwidth a connection may be given, in Mbit/s, by what stands behind its service.

Source: PrivateLink API 2020-04-15, EnableVpcEndpointConnection, UpdateVpcEndpointServiceAttribute.
"""

from __future__ import annotations

from privlink import errors
from privlink.model.privatelink import Connection, ResourceType, TrafficControl

# Lowest and highest bandwidth of one connection; nothing can be set of one to a NAT gateway.
RANGES = {ResourceType.NLB: (100, 50000), ResourceType.SLB: (100, 10240)}
# Whether a connection's bandwidth may have an end, and whether it may have none; the default first.
MODES = {
    ResourceType.NLB: (TrafficControl.SCALABILITY, TrafficControl.BANDWIDTH_LIMIT),
    ResourceType.SLB: (TrafficControl.BANDWIDTH_LIMIT,),
    ResourceType.VPCNAT: (TrafficControl.SCALABILITY,),
}
# What a connection gets whose service does not say.
DEFAULT = 3072
# What a service may set for the connections that are still to come.
CONNECT_LOWEST, CONNECT_HIGHEST = 100, 10240


def limit(connection: Connection) -> int:
    """What a connection may carry in each direction, in Mbit/s; 0: as much as there is."""
    is_limited = connection.traffic_control is TrafficControl.BANDWIDTH_LIMIT
    return connection.bandwidth if is_limited else 0


def default_mode(kind: ResourceType) -> TrafficControl:
    """How the bandwidth of a new connection is controlled."""
    return MODES[kind][0]


def check_mode(mode: TrafficControl, kind: ResourceType) -> None:
    """Refuse a way of control that a service's kind does not have."""
    if mode not in MODES[kind]:
        known = " or ".join(MODES[kind])
        raise errors.IllegalParamFormat(
            parameter="TrafficControlMode",
            why=f"{mode} was given; it is {known} for {kind}.",
        )


def check(bandwidth: int, kind: ResourceType) -> None:
    """Refuse a connection's bandwidth that its service's kind cannot have."""
    lowest, highest = RANGES[kind]
    if not lowest <= bandwidth <= highest:
        raise errors.IllegalParamFormat(
            parameter="Bandwidth",
            why=f"{bandwidth} was given; it is {lowest} to {highest} Mbit/s for {kind}.",
        )
