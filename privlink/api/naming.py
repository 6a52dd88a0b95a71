"""Which names endpoints go by in a VPC, and what is answered for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from privlink import errors
from privlink.api.action import Call
from privlink.kinds import KINDS
from privlink.model.ids import VpcId
from privlink.model.parts import NamedZoneParts
from privlink.model.privatelink import Endpoint
from privlink.rules import addresses, names
from privlink.rules.claims import Claim, ClaimKind, NamedZone
from privlink.rules.health import has_server
from privlink.store import chosen_names, endpoints, health, naming


class Named(msgspec.Struct, frozen=True):
    """An endpoint, which connection goes before which, and its connected zones."""

    endpoint: Endpoint
    order: int
    zones: tuple[NamedZone, ...]
    affinity: bool = False  # who asks gets the address in its own zone first

    def claim(self, kind: ClaimKind, name: str, zone_id: str = "") -> Claim:
        """Its claim on a name."""
        connected = any(zone_id in ("", each.zone_id) for each in self.zones)
        return Claim(self.endpoint.id, kind, name, self.order, connected, zone_id)


def chosen(call: Call, given: str, *, wild: bool = False) -> str:
    """A name that somebody chooses, in its one spelling. Raises InvalidParameter."""
    try:
        return names.chosen_name(given, call.config.domain, wild=wild)
    except ValueError as wrong:
        why = f"{given!r} was given; {wrong}"
        raise errors.InvalidParameter(parameter="Name", why=why) from None


def check_has_names(endpoint: Endpoint) -> None:
    """Refuse an endpoint that nobody calls. Raises EndpointTypeNotNamed."""
    if not KINDS[endpoint.type].NAMED:
        raise errors.EndpointTypeNotNamed(endpoint_id=endpoint.id, type=endpoint.type)


def named(call: Call, wanted: Iterable[Endpoint]) -> dict[str, Named]:
    """Endpoints with what answers follow from, by id."""
    listed = list(wanted)
    ids = [each.id for each in listed]
    bonds = endpoints.connections(call.tx, ids)
    found = {each.endpoint.id: each for each in naming.of_names(call.tx, ids).values()}
    places = [opened for each in found.values() for opened in each.zones]
    fronts = health.fronts(call.tx, {str(each.zone.resource_id) for each in places})

    def shown(opened: NamedZoneParts) -> NamedZone:
        zone, eni = opened.zone, opened.eni
        front = fronts.get(str(zone.resource_id))
        is_healthy = front is not None and has_server(front, zone.zone_id)
        return NamedZone(zone.zone_id, addresses.text(eni.address), eni.address6 or "", is_healthy)

    def of(endpoint: Endpoint) -> Named:
        number, parts = bonds[endpoint.id].number, found.get(endpoint.id)
        if parts is None:
            return Named(endpoint, number, ())
        by_service = parts.service is not None and parts.service.zone_affinity
        affinity = endpoint.zone_affinity or by_service
        return Named(endpoint, number, tuple(map(shown, parts.zones)), affinity)

    return {each.id: of(each) for each in listed}


def claims(call: Call, vpc_id: VpcId, name: str) -> tuple[list[Claim], Mapping[str, Named]]:
    """The claims on a name in a VPC of the caller's, and the endpoints that make them."""
    if names.is_within(name, call.config.domain):
        found = _own(call, vpc_id, name)
        holders = named(call, (endpoint for endpoint, _, _ in found))
        return [
            holders[endpoint.id].claim(kind, name, zone_id) for endpoint, kind, zone_id in found
        ], holders
    aliases, switched = chosen_names.claimed(call.tx, vpc_id, names.spellings(name))
    told = [(each.endpoint_id, ClaimKind.ALIAS, each.name, each.zone_id) for each in aliases]
    told += [(each.endpoint_id, ClaimKind.PRIVATE_NAME, each.name, "") for each in switched]
    holders = named(call, endpoints.by_ids(call.tx, {each[0] for each in told}).values())
    return [
        holders[endpoint_id].claim(kind, claimed, zone_id)
        for endpoint_id, kind, claimed, zone_id in told
    ], holders


def _own(call: Call, vpc_id: VpcId, name: str) -> list[tuple[Endpoint, ClaimKind, str]]:
    """The caller's endpoints that a name of privlink's own may be about, by what, and which zone.

    A service's name is about the endpoints in this VPC; the others are the same everywhere.
    """
    config, first = call.config, name.partition(".")[0]
    service = names.service_in_domain(config.domain, config.region, name)
    if service:
        return [
            (each, ClaimKind.SERVICE_DOMAIN, "")
            for each in endpoints.in_vpc(call.tx, vpc_id)
            if each.service_id == service and KINDS[each.type].NAMED
        ]
    found = endpoints.get(call.tx, "-".join(first.split("-")[:2]))
    if found is None or found.account_id != call.account_id or not KINDS[found.type].NAMED:
        return []
    made = (config.domain, config.region, found.service_id, found.id)
    if name == names.endpoint_domain(*made):
        return [(found, ClaimKind.ENDPOINT_DOMAIN, "")]
    return [
        (found, ClaimKind.ZONE_DOMAIN, zone.zone_id)
        for zone in endpoints.zones(call.tx, found.id)
        if name == names.zone_domain(*made, zone.zone_id)
    ]
