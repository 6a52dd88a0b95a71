"""The IPv6 blocks of VPCs and vSwitches: a /56 for the one, one of its 256 /64 for the other."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api.action import Call
from privlink.api.wire import Wire
from privlink.model.network import IpVersion, Vpc, VSwitch
from privlink.rules import addresses, families
from privlink.store import balancers, endpoints, networks

Enable = Annotated[bool | None, Wire("EnableIPv6")]  # where things are changed; else EnableIpv6
Isp = Annotated[
    Literal["BGP"], msgspec.Meta(description="only BGP: blocks of one ISP are not here.")
]
Number = Annotated[
    int,
    msgspec.Meta(
        ge=0, le=255, description="it is 0 to 255, the 8 bits after the /56 block of the VPC."
    ),
]
Mask = Annotated[int, msgspec.Meta(ge=64, le=64, description="only 64 is possible.")]


class Place(msgspec.Struct, frozen=True):
    """Which block a vSwitch shall have, as the caller says it."""

    number: int | None
    mask: int | None
    vpc_block: str | None


def of_new_vpc(enable: bool, block: str | None, switch: str = "EnableIpv6") -> str:
    """The IPv6 block of a new VPC; empty without IPv6. `switch` is what the parameter is called."""
    if enable:
        return _block(block)
    if block:
        why = f"it goes with Ipv6CidrBlock, which is {block!r}."
        raise errors.MissingParam(parameter=switch, why=why)
    return ""


def of_vpc(call: Call, vpc: Vpc, enable: bool | None, block: str | None) -> str:
    """The IPv6 block that a VPC has from now on. One that it has stays until it is switched off."""
    if enable is False:
        if block:
            why = f"{block!r} was given; it does not go with EnableIPv6=false."
            raise errors.InvalidParameter(parameter="Ipv6CidrBlock", why=why)
        _refuse_if_used(call, vpc)
        return ""
    if vpc.cidr6:
        if block and _block(block) != vpc.cidr6:
            raise errors.Ipv6BlockFixed(resource=vpc.id, cidr6=vpc.cidr6)
        return vpc.cidr6
    return _block(block) if enable else of_new_vpc(False, block, "EnableIPv6")


def of_new_vswitch(vpc: Vpc, neighbours: Iterable[VSwitch], place: Place) -> str:
    """The IPv6 block of a new vSwitch; empty without IPv6."""
    _check(vpc, place)
    return "" if place.number is None else _block_in(vpc, neighbours, place.number)


def of_vswitch(call: Call, vswitch: VSwitch, enable: bool | None, place: Place) -> str:
    """The IPv6 block that a vSwitch has from now on. One that it has stays until it is switched
    off.
    """
    vpc = networks.vpc_by_id(call.tx, vswitch.vpc_id)
    _check(vpc, place)
    number = place.number
    if enable is False:
        if number is not None:
            why = f"{number} was given; it does not go with EnableIPv6=false."
            raise errors.InvalidParameter(parameter="Ipv6CidrBlock", why=why)
        taken = [eni for eni in networks.enis_in(call.tx, vswitch.id) if eni.address6]
        if taken:
            users = ", ".join(f"{eni.owner_kind} {eni.owner_id} ({eni.address6})" for eni in taken)
            way_out = (
                "Delete those first; endpoints can be made IPv4 instead, with AddressIpVersion."
            )
            raise errors.Ipv6InUse(resource=vswitch.id, dependants=users, way_out=way_out)
        return ""
    if vswitch.cidr6:
        if number is not None and addresses.vswitch_block6(vpc.cidr6, number) != vswitch.cidr6:
            raise errors.Ipv6BlockFixed(resource=vswitch.id, cidr6=vswitch.cidr6)
        return vswitch.cidr6
    if number is not None:
        neighbours = networks.vswitches(call.tx, call.account_id, vpc.id)
        return _block_in(vpc, neighbours, number)
    if enable:
        why = "which of the 256 blocks of its VPC shall the vSwitch have?"
        raise errors.MissingParam(parameter="Ipv6CidrBlock", why=why)
    return ""


def _block(given: str | None) -> str:
    """A VPC's block: the one given, or one by chance."""
    if given:
        if why := addresses.why_not_vpc6(given):
            raise errors.InvalidIpv6CidrBlock(cidr=given, why=why)
        return addresses.canonical(given)
    chosen = addresses.unique_local(secrets.randbits(48))
    return chosen if addresses.why_not_vpc6(chosen) is None else _block(None)


def _refuse_if_used(call: Call, vpc: Vpc) -> None:
    inside = [each.id for each in networks.vswitches_of(call.tx, [vpc.id]) if each.cidr6]
    if inside:
        way_out = "Switch it off there first, with ModifyVSwitchAttribute and EnableIPv6=false."
        raise errors.Ipv6InUse(resource=vpc.id, dependants=", ".join(inside), way_out=way_out)
    groups = [each.id for each in balancers.groups_in(call.tx, vpc.id)]
    servers = balancers.servers(call.tx, groups)
    if serving := sorted({each.group_id for each in servers if families.is_ipv6(each.address)}):
        way_out = "Remove the servers with IPv6 addresses from those first."
        raise errors.Ipv6InUse(resource=vpc.id, dependants=", ".join(serving), way_out=way_out)
    dual = endpoints.in_vpc(call.tx, vpc.id)
    if users := [each.id for each in dual if each.ip_version is IpVersion.DUAL_STACK]:
        way_out = "Delete those first, or make them IPv4 with UpdateVpcEndpointAttribute."
        raise errors.Ipv6InUse(resource=vpc.id, dependants=", ".join(users), way_out=way_out)


def _check(vpc: Vpc, place: Place) -> None:
    """Refuse a VPC's block that is not the VPC's, and a mask of nothing."""
    asked = place.vpc_block
    if asked and (addresses.why_not_vpc6(asked) or addresses.canonical(asked) != vpc.cidr6):
        has = f"the IPv6 block {vpc.cidr6}" if vpc.cidr6 else "no IPv6 block"
        why = f"{asked!r} was given; {vpc.id} has {has}."
        raise errors.InvalidParameter(parameter="VpcIpv6CidrBlock", why=why)
    if place.mask is not None and place.number is None:
        raise errors.MissingParam(parameter="Ipv6CidrBlock", why="Ipv6CidrMask goes with it alone.")


def _block_in(vpc: Vpc, neighbours: Iterable[VSwitch], number: int) -> str:
    if not vpc.cidr6:
        raise errors.VpcNotSupportIpv6(vpc_id=vpc.id)
    block = addresses.vswitch_block6(vpc.cidr6, number)
    for near in neighbours:
        if near.cidr6 == block:
            raise errors.InvalidIpv6CidrBlockOverlapped(number=number, cidr6=block, other=near.id)
    return block
