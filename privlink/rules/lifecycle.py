"""Every status, derived from facts. Nothing here is ever set by hand.

    fact                                  who establishes it
    decision (none, accepted, refused)    the provider: auto-accept, Enable, Disable
    opening (a number, or none)           placement, when accepted and a resource serves the zone
    confirmed                             the node: its kernel holds the present state of the zone
                                          and, while it is open, of what it leads through: the
                                          balancer and the security groups; and, unless nobody
                                          does or is heard of, whoever answers names: it has those
                                          of the open zone, or has forgotten those of one deleted
    cut                                   the provider: DisableVpcEndpointZoneConnection
    deleting                              the consumer: RemoveZone, DeleteVpcEndpoint

      zone      not confirmed             confirmed
      --------  ------------------------  -------------------------
      deleting  Deleting                  (row goes away)
      open      Connecting                Connected
      closed    Creating, Disconnecting   Wait, Disconnected
      cut       Creating, Disconnecting   Disconnected

    An open zone that still carries flows to a resource it was migrated from is Migrating and
    Migrated to its provider, and Connecting and Connected to its consumer.

      connection    zones neither deleting nor cut        status
      ------------  ------------------------------------  -------------
      accepted      none at all                           Connected
      accepted      all closed, or an open unconfirmed    Connecting
      accepted      some open, every open one confirmed   Connected
      not accepted  a placed one unconfirmed              Disconnecting
      not accepted  otherwise                             Disconnected

Statuses and their meanings: PrivateLink API 2020-04-15, GetVpcEndpointAttribute,
ListVpcEndpointZones and ListVpcEndpointConnections.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

import msgspec

from privlink.model.privatelink import (
    Connection,
    ConnectionStatus,
    Decision,
    Endpoint,
    EndpointStatus,
    EndpointZone,
    ZoneStatus,
)


class ZoneFacts(msgspec.Struct, frozen=True):
    """An endpoint zone and whether its node's kernel holds its present state."""

    zone: EndpointZone
    confirmed: bool


def zone_status(facts: ZoneFacts, decision: Decision) -> ZoneStatus:
    """The status of one endpoint zone."""
    zone = facts.zone
    if zone.deleting:
        return ZoneStatus.DELETING
    if zone.opening is not None:
        return ZoneStatus.CONNECTED if facts.confirmed else ZoneStatus.CONNECTING
    if not facts.confirmed:
        return ZoneStatus.DISCONNECTING if zone.placed else ZoneStatus.CREATING
    ended = zone.cut or decision is Decision.REFUSED
    return ZoneStatus.DISCONNECTED if ended else ZoneStatus.WAIT


def provider_zone_status(facts: ZoneFacts, decision: Decision) -> ZoneStatus:
    """The status of one endpoint zone as its provider sees it: a migration is his affair."""
    status = zone_status(facts, decision)
    if facts.zone.replaced_opening is None:
        return status
    moved = {
        ZoneStatus.CONNECTING: ZoneStatus.MIGRATING,
        ZoneStatus.CONNECTED: ZoneStatus.MIGRATED,
    }
    return moved.get(status, status)


def endpoint_status(endpoint: Endpoint, zones: Sequence[ZoneFacts]) -> EndpointStatus:
    """The status of an endpoint."""
    if endpoint.deleting:
        return EndpointStatus.DELETING
    unborn = (f for f in zones if f.zone.initial and not f.zone.placed and not f.confirmed)
    return EndpointStatus.CREATING if any(unborn) else EndpointStatus.ACTIVE


def connection_status(
    endpoint: Endpoint, connection: Connection, service_exists: bool, zones: Sequence[ZoneFacts]
) -> ConnectionStatus:
    """The status of a connection.

    An accepted connection without any zone is Connected, and so is one whose every zone is cut:
    there is nothing left to wait for, and Terraform's provider creates endpoints that way. One
    whose zones are all closed waits for the service to have a resource there.
    """
    if endpoint.deleting:
        return ConnectionStatus.DELETING
    if not service_exists:
        return ConnectionStatus.SERVICE_DELETED
    living = [facts for facts in zones if not facts.zone.deleting]
    if connection.decision is Decision.ACCEPTED:
        wanted = [facts for facts in living if not facts.zone.cut]
        opened = [facts for facts in wanted if facts.zone.opening is not None]
        passing = (opened or not wanted) and all(facts.confirmed for facts in opened)
        return ConnectionStatus.CONNECTED if passing else ConnectionStatus.CONNECTING
    closing = any(f.zone.placed and not f.confirmed for f in living)
    return ConnectionStatus.DISCONNECTING if closing else ConnectionStatus.DISCONNECTED


def implied(
    endpoint: EndpointStatus | None, connection: ConnectionStatus | None
) -> dict[str, Decision | bool]:
    """What facts must be like for statuses, where a fact alone can rule an endpoint out.

    `deleting`; `decision` and `not_decision` of its connection; `has_placed`: it has a zone that
    was placed, or was not. It is no more than that: the statuses themselves are to be looked at.
    """
    facts: dict[str, Decision | bool] = {}
    if endpoint is not None:
        facts["deleting"] = endpoint is EndpointStatus.DELETING
    if endpoint is EndpointStatus.CREATING:
        facts["has_placed"] = False
    if connection in (ConnectionStatus.CONNECTED, ConnectionStatus.CONNECTING):
        facts["decision"] = Decision.ACCEPTED
    elif connection in (ConnectionStatus.DISCONNECTED, ConnectionStatus.DISCONNECTING):
        facts["not_decision"] = Decision.ACCEPTED
    elif connection is ConnectionStatus.DELETING:
        facts["deleting"] = True
    return facts


class Step(enum.Enum):
    """What the nodes' word lets the server do with an endpoint zone."""

    STAY = "stays as it is"
    PLACED = "its address is in place"
    GONE = "no node holds it any more; its address is free again"


def next_step(facts: ZoneFacts) -> Step:
    """What follows for an endpoint zone from what the nodes have confirmed."""
    if not facts.confirmed:
        return Step.STAY
    if facts.zone.deleting:
        return Step.GONE
    return Step.STAY if facts.zone.placed else Step.PLACED
