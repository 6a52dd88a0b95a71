"""What a route may lead to: a workload of the same VPC, or a NAT gateway.

A NAT gateway is kept and shown as a hop, and passes nothing on: only its own addresses lead
further, and those need no route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, NoReturn

import msgspec

from privlink import errors
from privlink.api.action import Call
from privlink.model.network import Attachment, Eni, EniOwner, HopKind, RouteTable
from privlink.model.security import AddressFamily
from privlink.store import interfaces, nat_gateways, networks

Kind = Annotated[
    Literal["Instance", "NetworkInterface", "NatGateway"],
    msgspec.Meta(
        description="it is Instance (an attachment), NetworkInterface (that of one) or NatGateway. "
        "Routes to gateway endpoints are the system's to write."
    ),
]


class Hop(msgspec.Struct, frozen=True):
    """A next hop that is there."""

    kind: HopKind
    id: str
    vpc_id: str
    has_ipv6: bool


def find(
    call: Call,
    kind: str,
    hop_id: str,
    table: RouteTable,
    family: AddressFamily,
    *,
    destination: str,
    parameter: str = "NextHopId",
) -> Hop:
    """The next hop of a route in a table, for a destination of one family.

    `parameter`: what names it. Raises NextHopNotFound, NatGatewayNotFound, NextHopNotPermitted,
    NextHopElsewhere and NextHopWithoutIpv6.
    """
    found = _KINDS[HopKind(kind)](call, hop_id, parameter)
    if found.vpc_id != table.vpc_id:
        raise errors.NextHopElsewhere(
            parameter=parameter,
            hop_id=hop_id,
            hop_vpc=found.vpc_id,
            table_id=table.id,
            vpc_id=table.vpc_id,
        )
    if family is AddressFamily.IPV6 and not found.has_ipv6:
        raise errors.NextHopWithoutIpv6(destination=destination, hop_id=hop_id)
    return found


def _interface(call: Call, hop_id: str, parameter: str) -> Hop:
    eni = interfaces.get(call.tx, call.account_id, hop_id)
    if eni is None:
        _not_found(hop_id, parameter, "DescribeNetworkInterfaces lists yours.")
    attachment = networks.attachment_of(call.tx, eni.id)
    if eni.owner_kind is not EniOwner.ATTACHMENT:
        owner = f"{eni.owner_kind} {eni.owner_id}"
        raise errors.NextHopNotPermitted(parameter=parameter, hop_id=hop_id, owner=owner)
    return _of_workload(HopKind.NETWORK_INTERFACE, hop_id, attachment, eni, parameter)


def _instance(call: Call, hop_id: str, parameter: str) -> Hop:
    attachment = networks.get_attachment(call.tx, call.account_id, hop_id)
    eni = None if attachment is None else networks.get_eni(call.tx, attachment.eni_id)
    return _of_workload(HopKind.INSTANCE, hop_id, attachment, eni, parameter)


def _of_workload(
    kind: HopKind, hop_id: str, attachment: Attachment | None, eni: Eni | None, parameter: str
) -> Hop:
    if attachment is None or eni is None or attachment.deleting:
        _not_found(hop_id, parameter, "ListAttachments lists yours, with their interfaces.")
    return Hop(kind, hop_id, eni.vpc_id, eni.address6 is not None)


def _nat_gateway(call: Call, hop_id: str, parameter: str) -> Hop:
    """A NAT gateway has IPv4 addresses alone."""
    found = nat_gateways.get(call.tx, call.account_id, hop_id)
    if found is None:
        raise errors.NatGatewayNotFound(parameter=parameter, hop_id=hop_id)
    return Hop(HopKind.NAT_GATEWAY, hop_id, found.vpc_id, has_ipv6=False)


def _not_found(hop_id: str, parameter: str, where: str) -> NoReturn:
    raise errors.NextHopNotFound(parameter=parameter, hop_id=hop_id, where=where)


_KINDS: Mapping[HopKind, Callable[[Call, str, str], Hop]] = {
    HopKind.INSTANCE: _instance,
    HopKind.NETWORK_INTERFACE: _interface,
    HopKind.NAT_GATEWAY: _nat_gateway,
}
