"""What may be called through a Reverse endpoint, and why a full-NAT entry is Pending.

The cloud lets a provider call whatever its consumer's security groups let in, and those must let
everything in. The list of targets is the consumer's own word beside that.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import doors, ours
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.paging import MaxResults, NextToken, by_token
from privlink.api.wire import Answer, Fields
from privlink.kinds import KINDS
from privlink.model.nat import EndpointTarget
from privlink.model.privatelink import Endpoint
from privlink.rules import filters, reverse
from privlink.store import endpoints, nat_gateways, networks, resolutions

_ALL_PORTS, _EVERY_PORT = "-1/-1", "1/65535"
_MOST = 100


class Target(Fields, frozen=True):
    """Addresses and ports that may be called. A protocol of ALL has no ports."""

    cidr_block: str
    ip_protocol: Literal["TCP", "UDP", "ALL"] = "ALL"
    port_range: str | None = None  # all of them, if it is not given


Targets = Annotated[
    tuple[Target, ...], msgspec.Meta(max_length=_MOST, description=f"at most {_MOST} targets.")
]


class TargetAnswer(Answer):
    cidr_block: str
    ip_protocol: str
    port_range: str


class CalledAnswer(Answer):
    """What a provider's entry leads to."""

    zone_id: str
    ip_protocol: str
    access_ip: str | msgspec.UnsetType  # or, of a name:
    access_domain: str | msgspec.UnsetType
    domain_resolve: str | msgspec.UnsetType
    access_port: int
    permitted: bool


class TargetsAnswer(Answer):
    endpoint_id: str
    resolver: str | msgspec.UnsetType
    targets: list[TargetAnswer]
    called: list[CalledAnswer]


class EntryState(Answer):
    full_nat_entry_id: str
    status: str
    why: str


class EntryStatesAnswer(Answer):
    entries: list[EntryState]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


@action(PRIVLINK, writes=True, resource="privatelink:vpcendpoint/{endpoint_id}")
def set_endpoint_targets(
    call: Call, *, endpoint_id: str, target: Targets = (), resolver: str | None = None
) -> TargetsAnswer:
    """Say what may be called through a Reverse endpoint, in the place of what was said before.

    Whatever is not listed is refused and recorded, flows that are there too. With no target, as in
    the beginning, everything may be called. Resolver is the DNS server in the endpoint's VPC that
    is asked for what entries call by AccessDomain; an empty one ends that. Given without targets,
    these stay as they are.
    """
    endpoint = _reverse(call, endpoint_id)
    if resolver is not None:
        address = _resolver(call, endpoint, resolver) if resolver else ""
        resolutions.set_resolver(call.tx, endpoint.id, address)
        if not target:
            return _answer(call, endpoint)
    listed = {_parsed(endpoint, number, each): None for number, each in enumerate(target, start=1)}
    nat_gateways.set_targets(call.tx, endpoint.id, listed)
    return _answer(call, endpoint)


@action(PRIVLINK, resource="privatelink:vpcendpoint/{endpoint_id}")
def list_endpoint_targets(call: Call, *, endpoint_id: str) -> TargetsAnswer:
    """List what may be called through a Reverse endpoint, none for everything, and what its
    service's full-NAT entries call.
    """
    return _answer(call, _reverse(call, endpoint_id))


@action(PRIVLINK, resource="vpc:natgateway/{nat_gateway_id}")
def list_full_nat_entry_states(
    call: Call,
    *,
    nat_gateway_id: str,
    max_results: MaxResults = 50,
    next_token: NextToken = "",
) -> EntryStatesAnswer:
    """List the full-NAT entries of a NAT gateway, with why no byte passes those Pending.

    Of one Available, Why is that its name cannot be resolved just now, and leads to where it did.
    """
    gateway = ours.nat_gateway(call, nat_gateway_id)
    found = nat_gateways.entries(call.tx, gateway.id)
    page, following = by_token(found, lambda entry: entry.id, max_results, next_token)
    shut, names = doors.why_shut(call, page), doors.resolved(call, page)
    return EntryStatesAnswer(
        entries=[
            EntryState(
                full_nat_entry_id=entry.id,
                status="Pending" if shut[entry.id] else "Available",
                why=shut[entry.id] or (names[entry.id].why if entry.domain else ""),
            )
            for entry in page
        ],
        total_count=len(found),
        max_results=max_results,
        next_token=following,
    )


def _reverse(call: Call, endpoint_id: str) -> Endpoint:
    endpoint = ours.endpoint(call, endpoint_id)
    if not KINDS[endpoint.type].REVERSED:
        raise errors.EndpointNotReverse(endpoint_id=endpoint.id, type=endpoint.type)
    return endpoint


def _resolver(call: Call, endpoint: Endpoint, given: str) -> str:
    """An address in the endpoint's VPC that is not its own, in its one spelling."""
    vpc = networks.vpc_by_id(call.tx, endpoint.vpc_id)
    own = {
        networks.get_eni(call.tx, zone.eni_id).address
        for zone in endpoints.zones(call.tx, endpoint.id)
    }
    try:
        address = IPv4Address(given)
    except AddressValueError:
        address = None
    if address is None or address not in IPv4Network(vpc.cidr) or int(address) in own:
        why = f"{given!r} was given; it is the IPv4 address of a DNS server in {vpc.cidr}."
        raise errors.InvalidParameter(parameter="Resolver", why=why)
    return str(address)


def _parsed(endpoint: Endpoint, number: int, given: Target) -> EndpointTarget:
    default = _ALL_PORTS if given.ip_protocol == "ALL" else _EVERY_PORT
    ports = default if given.port_range is None else given.port_range
    try:
        low, high = filters.parse_ports(ports, given.ip_protocol)
    except ValueError as wrong:
        parameter = f"Target.{number}.PortRange"
        raise errors.InvalidParameter(parameter=parameter, why=str(wrong)) from None
    try:
        cidr = filters.parse_block(given.cidr_block, "it:", strict=True)
    except ValueError as wrong:
        parameter = f"Target.{number}.CidrBlock"
        raise errors.InvalidParameter(parameter=parameter, why=str(wrong)) from None
    return EndpointTarget(
        endpoint.id, cidr, given.ip_protocol, *((1, 65535) if low == -1 else (low, high))
    )


def _answer(call: Call, endpoint: Endpoint) -> TargetsAnswer:
    listed = nat_gateways.targets(call.tx, [endpoint.id])[endpoint.id]
    entries = nat_gateways.entries_to(call.tx, endpoint.id)
    names = doors.resolved(call, entries)
    resolver = resolutions.resolvers(call.tx, [endpoint.id]).get(endpoint.id, msgspec.UNSET)
    return TargetsAnswer(
        endpoint_id=endpoint.id,
        resolver=resolver,
        targets=[_target_answer(each) for each in _in_order(listed)],
        called=[
            CalledAnswer(
                zone_id=entry.zone_id,
                ip_protocol=entry.protocol,
                access_ip=entry.target or msgspec.UNSET,
                access_domain=entry.domain or msgspec.UNSET,
                domain_resolve=names[entry.id].addresses if entry.domain else msgspec.UNSET,
                access_port=entry.target_port,
                permitted=reverse.permits(listed, entry),
            )
            for entry in entries
        ],
    )


def _in_order(listed: Sequence[EndpointTarget]) -> list[EndpointTarget]:
    return sorted(listed, key=lambda each: (each.cidr, each.protocol, each.low, each.high))


def _target_answer(target: EndpointTarget) -> TargetAnswer:
    is_all = target.protocol == "ALL"
    return TargetAnswer(
        cidr_block=target.cidr,
        ip_protocol=target.protocol,
        port_range=_ALL_PORTS if is_all else f"{target.low}/{target.high}",
    )


ACTIONS = (set_endpoint_targets, list_endpoint_targets, list_full_nat_entry_states)
