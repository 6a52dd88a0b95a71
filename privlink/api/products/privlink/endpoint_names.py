"""What consumers call endpoints in their VPCs: aliases, and their services' own names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from privlink import errors
from privlink.api import limits, naming, ours
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.naming import Named
from privlink.api.paging import MaxResults, NextToken, by_token
from privlink.api.products.privatelink import protection
from privlink.api.wire import Answer
from privlink.model.chosen_names import EndpointAlias, EndpointPrivateName, NameState
from privlink.model.privatelink import Endpoint
from privlink.rules import names, quotas
from privlink.rules.claims import Claim, ClaimKind, judge
from privlink.store import chosen_names, endpoints, services

Name = Annotated[
    str, msgspec.Meta(max_length=255, description="it is the name of a host, such as db.internal.")
]


class EndpointPrivateNameAnswer(Answer):
    endpoint_id: str
    name: str | msgspec.UnsetType
    enabled: bool


class AliasAnswer(Answer):
    endpoint_id: str
    name: str
    zone_id: str | msgspec.UnsetType


class NameAnswer(Answer):
    name: str
    kind: ClaimKind
    zone_id: str | msgspec.UnsetType
    answers: bool  # in the endpoint's VPC
    why: str


class EndpointNamesAnswer(Answer):
    endpoint_id: str
    vpc_id: str
    names: list[NameAnswer]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


@action(PRIVLINK, writes=True, resource="privatelink:vpcendpoint/{endpoint_id}")
def set_endpoint_private_name(
    call: Call, *, endpoint_id: str, enabled: bool
) -> EndpointPrivateNameAnswer:
    """Let the private name of an endpoint's service lead to the endpoint in its VPC, or end that.

    The rest of the world goes on seeing the name as it did. It is for the name that the service has
    now: if its provider changes or deletes it, it is off again.
    """
    endpoint = _changing(call, endpoint_id)
    if not enabled:
        chosen_names.switch_off(call.tx, endpoint.id)
        present = chosen_names.of_service(call.tx, endpoint.service_id)
        name = present.name if present else msgspec.UNSET
        return EndpointPrivateNameAnswer(endpoint_id=endpoint.id, name=name, enabled=False)
    if not services.by_ids(call.tx, [endpoint.service_id]):
        raise errors.EndpointServiceDeleted(endpoint_id=endpoint.id, service_id=endpoint.service_id)
    present = chosen_names.of_service(call.tx, endpoint.service_id)
    if present is None:
        raise errors.ServicePrivateNameNotFound(service_id=endpoint.service_id)
    if present.state is not NameState.VERIFIED:
        raise errors.ServicePrivateNameNotVerified(
            service_id=endpoint.service_id, name=present.name
        )
    if not chosen_names.is_on(call.tx, endpoint.id):
        switched = EndpointPrivateName(
            endpoint.id, endpoint.service_id, endpoint.vpc_id, present.name
        )
        chosen_names.switch_on(call.tx, switched)
    return EndpointPrivateNameAnswer(endpoint_id=endpoint.id, name=present.name, enabled=True)


@action(PRIVLINK, writes=True, resource="privatelink:vpcendpoint/{endpoint_id}")
def create_endpoint_alias(
    call: Call, *, endpoint_id: str, name: Name, zone_id: str | None = None
) -> AliasAnswer:
    """Give an endpoint a name in its VPC, or one of its zones.

    Several endpoints of a VPC may have the same: the connected one whose connection is the oldest
    answers, so another takes over when it is gone. `ExplainName` shows which does. An alias of a
    zone goes with the zone.
    """
    endpoint = _changing(call, endpoint_id)
    chosen = naming.chosen(call, name)
    zones = [z.zone_id for z in endpoints.zones(call.tx, endpoint.id) if not z.deleting]
    if zone_id is not None and zone_id not in zones:
        known = ", ".join(zones) or "none"
        raise errors.EndpointZoneNotFound(endpoint_id=endpoint.id, zone_id=zone_id, known=known)
    present = chosen_names.alias(call.tx, endpoint.id, chosen)
    if present is not None:
        what = f"its zone {present.zone_id}" if present.zone_id else "all of its zones"
        raise errors.EndpointAliasExists(endpoint_id=endpoint.id, name=chosen, what=what)
    count = chosen_names.alias_count(call.tx, endpoint.vpc_id)
    limits.check(call, quotas.ALIASES_PER_VPC, count, endpoint.vpc_id)
    made = EndpointAlias(endpoint.id, chosen, endpoint.vpc_id, zone_id or "", call.now)
    chosen_names.add_alias(call.tx, made)
    return AliasAnswer(endpoint_id=endpoint.id, name=chosen, zone_id=zone_id or msgspec.UNSET)


@action(PRIVLINK, writes=True, resource="privatelink:vpcendpoint/{endpoint_id}")
def delete_endpoint_alias(call: Call, *, endpoint_id: str, name: Name) -> Answer:
    """Take a name away that an endpoint has in its VPC."""
    endpoint = _owned(call, endpoint_id)
    protection.refuse_strangers(call, endpoint)
    present = chosen_names.alias(call.tx, endpoint.id, name.lower().removesuffix("."))
    if present is None:
        raise errors.EndpointAliasNotFound(endpoint_id=endpoint.id, name=name)
    chosen_names.delete_alias(call.tx, present)
    return Answer()


@action(PRIVLINK, resource="privatelink:vpcendpoint/{endpoint_id}")
def list_endpoint_names(
    call: Call, *, endpoint_id: str, max_results: MaxResults = 50, next_token: NextToken = ""
) -> EndpointNamesAnswer:
    """List every name that an endpoint goes by in its VPC, and for each why it answers, or not."""
    endpoint = _owned(call, endpoint_id)
    (holder,) = naming.named(call, [endpoint]).values()
    listed = list(_claims(call, holder))
    page, following = by_token(listed, _in_order, max_results, next_token)
    return EndpointNamesAnswer(
        endpoint_id=endpoint.id,
        vpc_id=endpoint.vpc_id,
        names=[_shown(call, endpoint, each) for each in page],
        total_count=len(listed),
        max_results=max_results,
        next_token=following,
    )


def _owned(call: Call, endpoint_id: str) -> Endpoint:
    endpoint = ours.endpoint(call, endpoint_id)
    naming.check_has_names(endpoint)
    return endpoint


def _changing(call: Call, endpoint_id: str) -> Endpoint:
    """An endpoint that gets or loses a name. Raises EndpointOperationDenied while it is deleted."""
    endpoint = _owned(call, endpoint_id)
    protection.refuse_strangers(call, endpoint)
    if endpoint.deleting:
        why = "its names go with it. Use another endpoint."
        raise errors.EndpointOperationDenied(endpoint_id=endpoint.id, status="Deleting", why=why)
    return endpoint


def _claims(call: Call, holder: Named) -> Iterator[Claim]:
    """All that an endpoint may be called, in the order of `_in_order`."""
    endpoint, config = holder.endpoint, call.config
    where = (config.domain, config.region, endpoint.service_id)
    yield holder.claim(ClaimKind.ENDPOINT_DOMAIN, names.endpoint_domain(*where, endpoint.id))
    for zone in endpoints.zones(call.tx, endpoint.id):
        domain = names.zone_domain(*where, endpoint.id, zone.zone_id)
        yield holder.claim(ClaimKind.ZONE_DOMAIN, domain, zone.zone_id)
    yield holder.claim(ClaimKind.SERVICE_DOMAIN, names.service_domain(*where))
    for alias in chosen_names.aliases(call.tx, [endpoint.id]).get(endpoint.id, ()):
        yield holder.claim(ClaimKind.ALIAS, alias.name, alias.zone)
    if (present := chosen_names.of_service(call.tx, endpoint.service_id)) is not None:
        yield holder.claim(ClaimKind.PRIVATE_NAME, present.name)


def _in_order(claim: Claim) -> str:
    return f"{list(ClaimKind).index(claim.kind)}/{claim.name}"


def _shown(call: Call, endpoint: Endpoint, claim: Claim) -> NameAnswer:
    answers, why = _judged(call, endpoint, claim)
    return NameAnswer(
        name=claim.name,
        kind=claim.kind,
        zone_id=claim.zone_id or msgspec.UNSET,
        answers=answers,
        why=why,
    )


def _judged(call: Call, endpoint: Endpoint, claim: Claim) -> tuple[bool, str]:
    """Whether a name leads to its endpoint in its VPC, and why."""
    if claim.kind is ClaimKind.PRIVATE_NAME and not chosen_names.is_on(call.tx, endpoint.id):
        present = chosen_names.of_service(call.tx, endpoint.service_id)
        if present is not None and present.state is NameState.PENDING:
            return False, "it is off, and Pending: its provider has not proved that it is theirs."
        return False, "it is off: SetEndpointPrivateName switches it on."
    rivals, _ = naming.claims(call, endpoint.vpc_id, claim.name)
    mine = next(each for each in judge(claim.name, rivals) if each.claim == claim)
    return mine.holds, mine.why


ACTIONS = (
    set_endpoint_private_name,
    create_endpoint_alias,
    delete_endpoint_alias,
    list_endpoint_names,
)
