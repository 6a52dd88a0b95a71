"""Who has a name inside a VPC: the claims on it, which of them holds, and what is answered.

Whoever asks in the VPC gets the answer of the first claim in this order, among those of endpoints
that have an address to give:

    1. the nearest name: one that is written out before a wildcard, a longer wildcard before a
       shorter one (RFC 4592)
    2. what privlink itself calls an endpoint, before an alias, before a service's own name: so the
       word of who owns the VPC goes before that of a vendor
    3. the endpoint whose connection is the oldest

An endpoint none of whose zones is connected claims nothing; nor does an alias of a zone that is
not. So two never conflict, and which is made first or last by hand does not matter. Whoever
answers the questions makes the same choice on documents.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

import msgspec

from privlink.model.ids import EndpointId
from privlink.rules import names


class ClaimKind(enum.StrEnum):
    """By what an endpoint claims a name."""

    ENDPOINT_DOMAIN = "EndpointDomain"
    ZONE_DOMAIN = "ZoneDomain"
    SERVICE_DOMAIN = "ServiceDomain"
    ALIAS = "Alias"
    PRIVATE_NAME = "PrivateName"


_RANK = {ClaimKind.ALIAS: 1, ClaimKind.PRIVATE_NAME: 2}


class Claim(msgspec.Struct, frozen=True):
    """An endpoint's claim on a name, or on the names that a wildcard covers."""

    endpoint_id: EndpointId
    kind: ClaimKind
    name: str  # `*.` may lead
    order: int  # of its connection
    connected: bool  # it has an address to give
    zone_id: str = ""  # an alias, or a domain, of this zone alone


class Judged(msgspec.Struct, frozen=True):
    """A claim, whether it holds, and the sentence that says why."""

    claim: Claim
    holds: bool
    why: str


class NamedZone(msgspec.Struct, frozen=True):
    """A connected zone of an endpoint, and whether new flows find a server there."""

    zone_id: str
    address: str
    address6: str
    healthy: bool


def judge(name: str, claims: Iterable[Claim]) -> list[Judged]:
    """The claims on a name, in the order in which they are heard. One of them holds at most."""
    near = {each: place for place, each in enumerate(names.spellings(name))}
    heard = sorted(
        (each for each in claims if each.name in near),
        key=lambda each: (near[each.name], _RANK.get(each.kind, 0), each.order, each.endpoint_id),
    )
    holding = next((each for each in heard if each.connected), None)
    following = [each for each in heard if each.connected and each is not holding]
    found = []
    for each in heard:
        if each is holding:
            why = _against(each, following[0]) if following else "nobody else claims it."
            found.append(Judged(each, True, why))
        elif not each.connected:
            found.append(Judged(each, False, _why_not_connected(each)))
        else:
            assert holding is not None
            found.append(Judged(each, False, _against(holding, each)))
    return found


def answering(
    zones: Sequence[NamedZone], *, only: str = "", own: str = "", affinity: bool = False
) -> list[NamedZone]:
    """The zones whose addresses are answered for a claim that holds.

    Those that are healthy, or else all of them. `only`: of this zone, healthy or not. `own`: the
    zone of who asks, which goes first if the endpoint has `affinity` and it is healthy there.
    """
    if only:
        return [each for each in zones if each.zone_id == only]
    found = [each for each in zones if each.healthy] or list(zones)
    if not affinity:
        return found
    return sorted(found, key=lambda each: not (each.zone_id == own and each.healthy))


def _against(holding: Claim, other: Claim) -> str:
    """Why one claim is heard before another."""
    if holding.name != other.name:
        return f"{holding.name} is nearer to it than {other.name}."
    if _RANK.get(holding.kind, 0) != _RANK.get(other.kind, 0):
        if holding.kind is ClaimKind.ALIAS:
            return "an alias goes before a service's own name."
        return "privlink's own names go before those that people choose."
    if holding.endpoint_id == other.endpoint_id:
        return f"it is {holding.endpoint_id}'s in either way."
    return (
        f"the connection of {holding.endpoint_id} is older than that of {other.endpoint_id} "
        f"({holding.order} before {other.order})."
    )


def _why_not_connected(claim: Claim) -> str:
    if claim.zone_id:
        return f"zone {claim.zone_id} of {claim.endpoint_id} is not connected."
    return f"no zone of {claim.endpoint_id} is connected."
