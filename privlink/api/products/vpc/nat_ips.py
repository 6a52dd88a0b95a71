"""The addresses of NAT gateways."""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink import errors
from privlink.api import enis, limits, ours
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.fields import Description, Name
from privlink.api.paging import NextToken, by_token
from privlink.api.wire import Answer
from privlink.model.ids import NatIpId, new_id
from privlink.model.nat import NatIp
from privlink.model.network import EniOwner
from privlink.rules import addresses, quotas
from privlink.store import changes, nat_gateways, networks, nodes

MaxResults100 = Annotated[int, msgspec.Meta(ge=1, le=100, description="a page has 1 to 100 items.")]
UpTo20 = Annotated[tuple[str, ...], msgspec.Meta(max_length=20, description="at most 20.")]


class CreateNatIpAnswer(Answer):
    nat_ip_id: str
    nat_ip: str


class NatIpAnswer(Answer):
    nat_ip_id: str
    nat_ip: str
    nat_ip_cidr: str
    nat_ip_name: str
    nat_ip_description: str
    nat_ip_status: str
    nat_gateway_id: str
    is_default: bool


class NatIpsAnswer(Answer):
    nat_ips: list[NatIpAnswer]
    total_count: str  # a string here, a number in other lists
    next_token: str | msgspec.UnsetType


@action(VPC, writes=True, resource="natgateway/{nat_gateway_id}")
def create_nat_ip(
    call: Call,
    *,
    region_id: RegionId,
    nat_gateway_id: str,
    nat_ip_cidr: str,
    nat_ip: str | None = None,
    nat_ip_name: Name = "",
    nat_ip_description: Description = "",
) -> CreateNatIpAnswer:
    """Give a NAT gateway one more address. Its NAT CIDR block is that of its vSwitch."""
    gateway = ours.nat_gateway(call, nat_gateway_id)
    vswitch = ours.vswitch(call, gateway.vswitch_id)
    if nat_ip_cidr != vswitch.cidr:
        why = f"{nat_ip_cidr!r} was given; the NAT CIDR block of {gateway.id} is {vswitch.cidr}."
        raise errors.InvalidParameter(parameter="NatIpCidr", why=why)
    present = nat_gateways.ips_of(call.tx, [gateway.id])[gateway.id]
    limits.check(call, quotas.NAT_IPS_PER_GATEWAY, len(present), gateway.id)
    eni = enis.take(call, vswitch, nat_ip, EniOwner.NAT_GATEWAY, gateway.id)
    added = NatIp(
        id=NatIpId(new_id("vpcnatip")),
        gateway_id=gateway.id,
        eni_id=eni.id,
        is_default=False,
        name=nat_ip_name,
        description=nat_ip_description,
        created_at=call.now,
    )
    nat_gateways.add_ip(call.tx, added)
    return CreateNatIpAnswer(nat_ip_id=added.id, nat_ip=addresses.text(eni.address))


@action(VPC, resource="natgateway/{nat_gateway_id}")
def list_nat_ips(
    call: Call,
    *,
    region_id: RegionId,
    nat_gateway_id: str,
    nat_ip_cidr: str | None = None,
    nat_ip_ids: UpTo20 = (),
    nat_ip_name: UpTo20 = (),
    nat_ip_status: str | None = None,
    max_results: MaxResults100 = 20,
    next_token: NextToken = "",
) -> NatIpsAnswer:
    """List the addresses of a NAT gateway. All filters given must match."""
    gateway = ours.nat_gateway(call, nat_gateway_id)
    vswitch = ours.vswitch(call, gateway.vswitch_id)
    ips = nat_gateways.ips_of(call.tx, [gateway.id])[gateway.id]
    in_step = nodes.in_step(call.tx, (changes.nat_key(each.id) for each in ips))
    answers = [
        NatIpAnswer(
            nat_ip_id=each.id,
            nat_ip=addresses.text(networks.get_eni(call.tx, each.eni_id).address),
            nat_ip_cidr=vswitch.cidr,
            nat_ip_name=each.name,
            nat_ip_description=each.description,
            nat_ip_status="Available" if in_step.confirms(changes.nat_key(each.id)) else "Creating",
            nat_gateway_id=gateway.id,
            is_default=each.is_default,
        )
        for each in ips
        if nat_ip_cidr in (None, vswitch.cidr)
        and (not nat_ip_ids or each.id in nat_ip_ids)
        and (not nat_ip_name or each.name in nat_ip_name)
    ]
    found = [each for each in answers if nat_ip_status in (None, each.nat_ip_status)]
    found.sort(key=lambda each: each.nat_ip_id)
    page, following = by_token(found, lambda each: each.nat_ip_id, max_results, next_token)
    return NatIpsAnswer(nat_ips=[*page], total_count=str(len(found)), next_token=following)


@action(VPC, writes=True, resource="natip/{nat_ip_id}")
def delete_nat_ip(call: Call, *, region_id: RegionId, nat_ip_id: str) -> Answer:
    """Delete an address that no full-NAT entry uses, but for the one its gateway began with."""
    nat_ip = ours.nat_ip(call, nat_ip_id)
    if nat_ip.is_default:
        raise errors.DefaultNatIp(nat_ip_id=nat_ip.id, gateway_id=nat_ip.gateway_id)
    if used := nat_gateways.uses(call.tx, nat_ip.id):
        raise errors.DependencyViolationFullNatEntry(
            resource=nat_ip.id, dependants=", ".join(used[:10])
        )
    nat_gateways.delete_ip(call.tx, nat_ip)
    return Answer()


ACTIONS = (create_nat_ip, list_nat_ips, delete_nat_ip)
