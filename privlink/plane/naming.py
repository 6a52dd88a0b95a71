"""From resources to the documents that names are answered from. Pure, as the compiler of items.

`domain` is the installation's own, `region` its region: names are made of them.
"""

from __future__ import annotations

from privlink.kinds import KINDS
from privlink.model import naming
from privlink.model.parts import FrontParts, NamedZoneParts, NamesParts, SegmentParts
from privlink.model.peers import PeerParts
from privlink.rules import addresses, health, names


def place(parts: SegmentParts) -> naming.Place:
    """A vSwitch as a place where questions come from."""
    return naming.Place(parts.vswitch.number, parts.vpc.number, parts.vswitch.zone_id)


def endpoint_names(parts: NamesParts, *, domain: str, region: str) -> naming.EndpointNames | None:
    """The names of an endpoint with a connection; None for a kind that has none.

    Of endpoints that claim one name in one VPC the oldest has it: connections are numbered in the
    order in which endpoints are made.
    """
    endpoint, service = parts.endpoint, parts.service
    if not KINDS[endpoint.type].NAMED:
        return None
    service_id = endpoint.service_id
    return naming.EndpointNames(
        endpoint=endpoint.id,
        network=parts.vpc.number,
        order=parts.connection.number,
        domain=names.endpoint_domain(domain, region, service_id, endpoint.id),
        service_domain=names.service_domain(domain, region, service_id),
        zones=tuple(_zone(parts, each, domain, region) for each in parts.zones),
        affinity=endpoint.zone_affinity or (service is not None and service.zone_affinity),
        private=parts.private,
        aliases=parts.aliases,
    )


def _zone(parts: NamesParts, opened: NamedZoneParts, domain: str, region: str) -> naming.ZoneNames:
    endpoint, zone, address6 = parts.endpoint, opened.zone, opened.eni.address6
    assert zone.source is not None, zone
    return naming.ZoneNames(
        zone=zone.zone_id,
        domain=names.zone_domain(domain, region, endpoint.service_id, endpoint.id, zone.zone_id),
        address=addresses.text(opened.eni.address),
        address6=address6 or "",
        front=f"front/{zone.resource_id}/{zone.zone_id}",
        provider=opened.provider_vpc.number,
        source=addresses.text(zone.source),
        source6=addresses.source6(zone.source) if address6 else "",
    )


def front(parts: FrontParts) -> naming.Front:
    """Whether a load balancer leads new flows of a zone anywhere."""
    return naming.Front(healthy=health.has_server(parts.front, parts.zone_id))


def name_server(parts: PeerParts) -> naming.NameServer:
    """Somebody else's name server, with the key that it and we share."""
    peer = parts.peer
    key = naming.TransferKey(peer.key_name, peer.key_algorithm, peer.key_secret)
    return naming.NameServer(
        peer.address, peer.port, peer.zone, peer.pushes, key, owner=parts.owner
    )
