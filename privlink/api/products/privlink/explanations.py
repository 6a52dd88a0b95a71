"""Why a name is answered in a VPC as it is: who claims it, who has it, and by which rule."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Annotated

import msgspec

from privlink import errors
from privlink.api import naming, ours
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.naming import Named
from privlink.api.wire import Answer
from privlink.config import NONE
from privlink.model.ids import VpcId
from privlink.rules import names
from privlink.rules.claims import Claim, ClaimKind, Judged, answering, judge

Name = Annotated[str, msgspec.Meta(max_length=255, description="it is what is asked for.")]


class Outcome(enum.StrEnum):
    """What becomes of a question for an address of a name."""

    ANSWERED = "Answered"
    NO_ADDRESS = "NoAddress"  # it is there, and has no address
    OWN_ZONE = "OwnZone"  # it is not about an endpoint of the caller's
    UPSTREAM = "Upstream"  # others are asked
    REFUSED = "Refused"  # others would be, but are not to


class ClaimAnswer(Answer):
    endpoint_id: str
    kind: ClaimKind
    name: str
    zone_id: str | msgspec.UnsetType
    order: int
    holds: bool
    why: str


class AddressAnswer(Answer):
    zone_id: str
    address: str
    ipv6_address: str | msgspec.UnsetType
    healthy: bool


class ExplanationAnswer(Answer):
    name: str
    vpc_id: str
    zone_id: str | msgspec.UnsetType  # of who asks
    outcome: Outcome
    why: str
    endpoint_id: str | msgspec.UnsetType  # that has it
    addresses: list[AddressAnswer]  # in turns, unless the first is the asker's own zone's
    claims: list[ClaimAnswer]  # in the order in which they are heard


@action(PRIVLINK, resource=("vpc:vpc/{vpc_id}", "vpc:vswitch/{vswitch_id}"))
def explain_name(
    call: Call, *, name: Name, vpc_id: str | None = None, vswitch_id: str | None = None
) -> ExplanationAnswer:
    """Show who claims a name in a VPC, who of them has it by which rule, and what is answered.

    Of the claims the first that is connected holds. They are heard in this order: names that are
    written out before wildcards, longer wildcards before shorter; aliases before services' own
    names; the oldest connection first. With `VSwitchId` it is explained for who asks from there.
    """
    place, zone_id = _place(call, vpc_id, vswitch_id)
    asked = _asked(name)
    claims, holders = naming.claims(call, place, asked)
    judged = judge(asked, claims)
    holding = next((each for each in judged if each.holds), None)
    outcome, why = _outcome(call, asked, judged, holding)
    return ExplanationAnswer(
        name=asked,
        vpc_id=place,
        zone_id=zone_id or msgspec.UNSET,
        outcome=outcome,
        why=why,
        endpoint_id=holding.claim.endpoint_id if holding else msgspec.UNSET,
        addresses=_addresses(holding.claim, holders, place, zone_id) if holding else [],
        claims=[_shown(each) for each in judged],
    )


def _place(call: Call, vpc_id: str | None, vswitch_id: str | None) -> tuple[VpcId, str]:
    """Where somebody asks: the VPC, and the zone if it is known."""
    if vswitch_id is None and vpc_id is None:
        why = "give the VSwitchId or the VpcId of who asks."
        raise errors.NeededParameter(parameter="VSwitchId", why=why)
    if vswitch_id is None:
        assert vpc_id is not None
        return ours.vpc(call, vpc_id).id, ""
    vswitch = ours.vswitch(call, vswitch_id)
    if vpc_id is not None and vpc_id != vswitch.vpc_id:
        raise errors.InvalidVpcIdNotFound(vpc_id=vpc_id)
    return vswitch.vpc_id, vswitch.zone_id


def _asked(given: str) -> str:
    try:
        name = names.spelt(given)
        if names.is_within(name, names.ADDRESSES):
            raise ValueError("names of addresses are not chosen; only other names are explained.")
    except ValueError as wrong:
        why = f"{given!r} was given; {wrong}"
        raise errors.InvalidParameter(parameter="Name", why=why) from None
    return name


def _outcome(
    call: Call, name: str, judged: list[Judged], holding: Judged | None
) -> tuple[Outcome, str]:
    domain = call.config.domain
    if holding is not None:
        return Outcome.ANSWERED, f"{holding.claim.endpoint_id} has it: {holding.why}"
    if names.is_within(name, domain):
        if judged and judged[0].claim.kind is ClaimKind.SERVICE_DOMAIN:
            return Outcome.NO_ADDRESS, judged[0].why
        why = judged[0].why if judged else "it is not of an endpoint of this account."
        return Outcome.OWN_ZONE, f"it is in {domain}, where privlink alone answers; {why}"
    nobody = "nobody claims it here" if not judged else "none of its claims holds"
    if call.config.dns_upstream == NONE:
        return Outcome.REFUSED, f"{nobody}, and this installation asks no others."
    return Outcome.UPSTREAM, f"{nobody}: others are asked, as they would be from outside."


def _addresses(
    claim: Claim, holders: Mapping[str, Named], vpc_id: VpcId, zone_id: str
) -> list[AddressAnswer]:
    holder = holders[claim.endpoint_id]
    found = answering(
        holder.zones,
        only=claim.zone_id,
        own=zone_id if holder.endpoint.vpc_id == vpc_id else "",
        affinity=holder.affinity,
    )
    return [
        AddressAnswer(
            zone_id=each.zone_id,
            address=each.address,
            ipv6_address=each.address6 or msgspec.UNSET,
            healthy=each.healthy,
        )
        for each in found
    ]


def _shown(judged: Judged) -> ClaimAnswer:
    claim = judged.claim
    return ClaimAnswer(
        endpoint_id=claim.endpoint_id,
        kind=claim.kind,
        name=claim.name,
        zone_id=claim.zone_id or msgspec.UNSET,
        order=claim.order,
        holds=judged.holds,
        why=judged.why,
    )


ACTIONS = (explain_name,)
