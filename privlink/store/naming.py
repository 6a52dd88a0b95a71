"""The rows behind the documents that names are answered from, fetched many at a time.

As `parts`, for whoever answers names: a key that is not in a result has no document.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from privlink.model.ids import EndpointId
from privlink.model.network import Eni, Vpc
from privlink.model.parts import FrontParts, NamedZoneParts, NamesParts, SegmentParts
from privlink.model.privatelink import Decision, EndpointZone
from privlink.store import (
    changes,
    chosen_names,
    endpoints,
    health,
    parts,
    rows,
    schema,
    services,
)
from privlink.store.database import Transaction


def of_places(tx: Transaction, vswitch_ids: Iterable[str]) -> dict[str, SegmentParts]:
    found = parts.of_segments(tx, vswitch_ids).values()
    return {changes.place_key(each.vswitch.id): each for each in found}


def of_names(tx: Transaction, endpoint_ids: Iterable[str]) -> dict[str, NamesParts]:
    """The names of endpoints that are accepted and open in a zone; the others have none."""
    bonds = endpoints.connections(tx, endpoint_ids)
    accepted = {each for each, bond in bonds.items() if bond.decision is Decision.ACCEPTED}
    opened: dict[EndpointId, list[EndpointZone]] = defaultdict(list)
    for zone in endpoints.zones_of(tx, accepted):
        if endpoints.names_of(zone):
            opened[zone.endpoint_id].append(zone)
    every = [zone for some in opened.values() for zone in some]
    found = endpoints.by_ids(tx, opened)
    living = services.by_ids(tx, {each.service_id for each in found.values()})
    enis = {
        each.id: each
        for each in rows.find_among(tx, Eni, schema.eni, "id", {zone.eni_id for zone in every})
    }
    vpc_ids = {str(each.vpc_id) for each in found.values()}
    vpc_ids |= {zone.provider_vpc_id for zone in every if zone.provider_vpc_id}
    vpcs = {str(each.id): each for each in rows.find_among(tx, Vpc, schema.vpc, "id", vpc_ids)}
    private, aliases = chosen_names.private_names(tx, found), chosen_names.aliases(tx, found)
    return {
        changes.names_key(each.id): NamesParts(
            each,
            bonds[each.id],
            living.get(each.service_id),
            vpcs[each.vpc_id],
            tuple(
                NamedZoneParts(zone, enis[zone.eni_id], vpcs[zone.provider_vpc_id or ""])
                for zone in opened[each.id]
            ),
            private.get(each.id, ()),
            aliases.get(each.id, ()),
        )
        for each in found.values()
    }


def of_fronts(tx: Transaction, places: Iterable[str]) -> dict[str, FrontParts]:
    """Load balancers by `<load balancer>/<zone>`; fetches the other zones of the same ones too."""
    fronts = health.fronts(tx, {place.partition("/")[0] for place in places})
    return {
        changes.front_key(balancer_id, zone_id): FrontParts(front, zone_id)
        for balancer_id, front in fronts.items()
        for zone_id in front.zone_ids
    }
