"""Whether servers behind load balancers are well: what nodes say of them, and what it rests on."""

from __future__ import annotations

import enum

import msgspec

from privlink.model.balancer import GroupServer, Listener, LoadBalancer
from privlink.model.ids import LoadBalancerId, NodeId, ServerGroupId, ZoneId


class ServerState(enum.StrEnum):
    """What the health checks of one server have shown."""

    INITIAL = "Initial"  # nothing yet
    HEALTHY = "Healthy"
    UNHEALTHY = "Unhealthy"


class Health(enum.StrEnum):
    """Whether new flows find a server."""

    HEALTHY = "Healthy"  # every server that they are for is well
    DEGRADED = "Degraded"  # some are down
    UNHEALTHY = "Unhealthy"  # all are down, or there is none: new flows are reset
    UNKNOWN = "Unknown"  # nobody asks the servers, or none of them has answered yet


class ServerHealth(msgspec.Struct, frozen=True):
    """A node's word on one server, as asked for a load balancer in one zone."""

    node_id: NodeId
    balancer_id: LoadBalancerId
    zone_id: ZoneId
    group_id: ServerGroupId
    address: str
    port: int  # which it serves on; 0: the one that the client asks for
    state: ServerState
    why: str  # of a server that is down: a reason's code, or a sentence that begins with one
    since: str


class FrontListener(msgspec.Struct, frozen=True):
    """A listener that takes flows, and the servers behind it."""

    listener: Listener
    checked: bool  # its servers are asked whether they are well
    servers: tuple[GroupServer, ...]


class Front(msgspec.Struct, frozen=True):
    """A load balancer and whatever its health follows from."""

    balancer: LoadBalancer
    zone_ids: tuple[ZoneId, ...]
    cross_zone: bool
    listeners: tuple[FrontListener, ...]  # which are started, of a load balancer that is active
    server_zones: dict[str, str]  # by address; an address that is not in it is anywhere
    told: tuple[ServerHealth, ...]


def served_port(server: GroupServer, listener: Listener) -> int:
    """The port that a server has behind a listener; 0: the one that the client asks for."""
    return server.port or listener.server_port or 0
