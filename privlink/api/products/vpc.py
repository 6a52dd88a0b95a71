"""VPC 2016-04-28: private networks and their subnets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from privlink import errors
from privlink.api import limits, ours
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.fields import Description, Name, check_zone
from privlink.api.paging import PageNumber, PageSize, by_number
from privlink.api.wire import Answer
from privlink.model.ids import VpcId, VSwitchId, ZoneId, new_id
from privlink.model.network import EniOwner, Vpc, VSwitch
from privlink.rules import addresses, quotas
from privlink.store import balancers, changes, endpoints, networks, nodes, rows, security


class Ids(Answer):
    vswitch_id: list[str]


class SecondaryCidrBlocks(Answer):
    secondary_cidr_block: list[str]


class UserCidrs(Answer):
    user_cidr: list[str]


class VpcAnswer(Answer):
    vpc_id: str
    vpc_name: str
    description: str
    cidr_block: str
    status: str
    region_id: str
    owner_id: int
    creation_time: str
    is_default: bool
    vswitch_ids: Ids
    secondary_cidr_blocks: SecondaryCidrBlocks
    user_cidrs: UserCidrs


class VpcList(Answer):
    vpc: list[VpcAnswer]


class DescribeVpcsAnswer(Answer):
    total_count: int
    page_number: int
    page_size: int
    vpcs: VpcList


class CreateVpcAnswer(Answer):
    vpc_id: str


class VSwitchAnswer(Answer):
    vswitch_id: str
    vswitch_name: str
    description: str
    vpc_id: str
    zone_id: str
    cidr_block: str
    status: str
    owner_id: int
    creation_time: str
    is_default: bool
    available_ip_address_count: int


class VSwitchList(Answer):
    vswitch: list[VSwitchAnswer]


class DescribeVSwitchesAnswer(Answer):
    total_count: int
    page_number: int
    page_size: int
    vswitches: VSwitchList


class CreateVSwitchAnswer(Answer):
    vswitch_id: str


@action(VPC, writes=True, resource="vpc/*")
def create_vpc(
    call: Call,
    *,
    region_id: RegionId,
    cidr_block: str = addresses.DEFAULT_VPC_CIDR,
    vpc_name: Name = "",
    description: Description = "",
) -> CreateVpcAnswer:
    """Create a VPC. Its block may overlap those of all other VPCs."""
    if why := addresses.why_not_vpc(cidr_block):
        raise errors.InvalidCidrBlock(cidr=cidr_block, why=why)
    limits.check(call, quotas.VPCS, networks.count_vpcs(call.tx, call.account_id))
    vpc = Vpc(
        id=VpcId(new_id("vpc")),
        number=rows.next_number(call.tx, "vpc"),
        account_id=call.account_id,
        cidr=addresses.canonical(cidr_block),
        name=vpc_name,
        description=description,
        created_at=call.now,
    )
    networks.add_vpc(call.tx, vpc)
    return CreateVpcAnswer(vpc_id=vpc.id)


@action(VPC, resource="vpc/*")
def describe_vpcs(
    call: Call,
    *,
    region_id: RegionId,
    vpc_id: str | None = None,
    vpc_name: str | None = None,
    page_number: PageNumber = 1,
    page_size: PageSize = 10,
) -> DescribeVpcsAnswer:
    """List VPCs. `VpcId` may hold several ids with commas between them."""
    wanted = None if vpc_id is None else set(vpc_id.split(","))
    found = [
        vpc
        for vpc in networks.vpcs(call.tx, call.account_id)
        if (wanted is None or vpc.id in wanted) and vpc_name in (None, vpc.name)
    ]
    page = by_number(found, page_number, page_size)
    return DescribeVpcsAnswer(
        total_count=len(found),
        page_number=page_number,
        page_size=page_size,
        vpcs=VpcList(vpc=[_vpc_answer(call, vpc) for vpc in page]),
    )


@action(VPC, resource="vpc/{vpc_id}")
def describe_vpc_attribute(call: Call, *, region_id: RegionId, vpc_id: str) -> VpcAnswer:
    """Show one VPC."""
    return _vpc_answer(call, ours.vpc(call, vpc_id))


@action(VPC, writes=True, resource="vpc/{vpc_id}")
def delete_vpc(call: Call, *, region_id: RegionId | None = None, vpc_id: str) -> Answer:
    """Delete a VPC that nothing is in."""
    vpc = ours.vpc(call, vpc_id)
    if inside := networks.vswitches(call.tx, call.account_id, vpc.id):
        raise errors.DependencyViolationVSwitch(resource=vpc.id, dependants=_named(inside))
    if endpoints_inside := endpoints.in_vpc(call.tx, vpc.id):
        raise errors.DependencyViolation(resource=vpc.id, dependants=_named(endpoints_inside))
    if groups := security.groups_in(call.tx, vpc.id):
        raise errors.DependencyViolationSecurityGroup(resource=vpc.id, dependants=_named(groups))
    if server_groups := balancers.groups_in(call.tx, vpc.id):
        dependants = _named(server_groups)
        raise errors.DependencyViolationServerGroup(resource=vpc.id, dependants=dependants)
    networks.delete_vpc(call.tx, vpc.id)
    return Answer()


@action(VPC, writes=True, name="CreateVSwitch", resource="vpc/{vpc_id}")
def create_vswitch(
    call: Call,
    *,
    region_id: RegionId | None = None,
    vpc_id: str,
    zone_id: str,
    cidr_block: str,
    vswitch_name: Name = "",
    description: Description = "",
) -> CreateVSwitchAnswer:
    """Create a vSwitch in one zone, with a part of its VPC's block."""
    vpc = ours.vpc(call, vpc_id)
    check_zone(call, zone_id)
    if why := addresses.why_not_vswitch(cidr_block, vpc.cidr):
        raise errors.InvalidCidrBlock(cidr=cidr_block, why=why)
    neighbours = networks.vswitches(call.tx, call.account_id, vpc.id)
    limits.check(call, quotas.VSWITCHES_PER_VPC, len(neighbours), vpc.id)
    if other := addresses.overlap(cidr_block, (near.cidr for near in neighbours)):
        taken_by = next(near.id for near in neighbours if near.cidr == other)
        raise errors.InvalidCidrBlockOverlapped(cidr=cidr_block, other_cidr=other, other=taken_by)
    vswitch = VSwitch(
        id=VSwitchId(new_id("vsw")),
        number=rows.next_number(call.tx, "vswitch"),
        vpc_id=vpc.id,
        account_id=call.account_id,
        zone_id=ZoneId(zone_id),
        cidr=addresses.canonical(cidr_block),
        name=vswitch_name,
        description=description,
        created_at=call.now,
        next_address=addresses.usable(cidr_block).first,
    )
    networks.add_vswitch(call.tx, vswitch)
    return CreateVSwitchAnswer(vswitch_id=vswitch.id)


@action(VPC, name="DescribeVSwitches", resource="vswitch/*")
def describe_vswitches(
    call: Call,
    *,
    region_id: RegionId | None = None,
    vpc_id: str | None = None,
    vswitch_id: str | None = None,
    vswitch_name: str | None = None,
    zone_id: str | None = None,
    page_number: PageNumber = 1,
    page_size: PageSize = 10,
) -> DescribeVSwitchesAnswer:
    """List vSwitches. `VSwitchId` may hold several ids with commas between them."""
    wanted = None if vswitch_id is None else set(vswitch_id.split(","))
    found = [
        vswitch
        for vswitch in networks.vswitches(call.tx, call.account_id, vpc_id)
        if (wanted is None or vswitch.id in wanted)
        and vswitch_name in (None, vswitch.name)
        and zone_id in (None, vswitch.zone_id)
    ]
    page = by_number(found, page_number, page_size)
    return DescribeVSwitchesAnswer(
        total_count=len(found),
        page_number=page_number,
        page_size=page_size,
        vswitches=VSwitchList(vswitch=_vswitch_answers(call, list(page))),
    )


@action(VPC, name="DescribeVSwitchAttributes", resource="vswitch/{vswitch_id}")
def describe_vswitch_attributes(
    call: Call, *, region_id: RegionId | None = None, vswitch_id: str
) -> VSwitchAnswer:
    """Show one vSwitch. It is Available once its node has made it."""
    return _vswitch_answers(call, [ours.vswitch(call, vswitch_id)])[0]


@action(VPC, writes=True, name="DeleteVSwitch", resource="vswitch/{vswitch_id}")
def delete_vswitch(call: Call, *, region_id: RegionId | None = None, vswitch_id: str) -> Answer:
    """Delete a vSwitch in which no address is taken."""
    vswitch = ours.vswitch(call, vswitch_id)
    if taken := networks.enis_in(call.tx, vswitch.id):
        dependants = ", ".join(
            f"{eni.owner_kind} {eni.owner_id} ({addresses.text(eni.address)})" for eni in taken
        )
        if any(eni.owner_kind is EniOwner.BALANCER for eni in taken):
            raise errors.DependencyViolationLoadBalancer(resource=vswitch.id, dependants=dependants)
        raise errors.DependencyViolationNetworkInterface(resource=vswitch.id, dependants=dependants)
    networks.delete_vswitch(call.tx, vswitch.id)
    return Answer()


def _vpc_answer(call: Call, vpc: Vpc) -> VpcAnswer:
    inside = networks.vswitches(call.tx, call.account_id, vpc.id)
    return VpcAnswer(
        vpc_id=vpc.id,
        vpc_name=vpc.name,
        description=vpc.description,
        cidr_block=vpc.cidr,
        status="Available",  # a VPC is a number; no node has to make anything for it
        region_id=call.config.region,
        owner_id=int(vpc.account_id),
        creation_time=vpc.created_at,
        is_default=False,
        vswitch_ids=Ids(vswitch_id=[vswitch.id for vswitch in inside]),
        secondary_cidr_blocks=SecondaryCidrBlocks(secondary_cidr_block=[]),
        user_cidrs=UserCidrs(user_cidr=[]),
    )


def _vswitch_answers(call: Call, page: list[VSwitch]) -> list[VSwitchAnswer]:
    keys = {vswitch.id: changes.segment_key(vswitch.id) for vswitch in page}
    in_step = nodes.in_step(call.tx, keys.values())
    taken = networks.count_enis(call.tx, [vswitch.id for vswitch in page])
    return [
        VSwitchAnswer(
            vswitch_id=vswitch.id,
            vswitch_name=vswitch.name,
            description=vswitch.description,
            vpc_id=vswitch.vpc_id,
            zone_id=vswitch.zone_id,
            cidr_block=vswitch.cidr,
            status="Available" if in_step.confirms(keys[vswitch.id]) else "Pending",
            owner_id=int(vswitch.account_id),
            creation_time=vswitch.created_at,
            is_default=False,
            available_ip_address_count=addresses.usable(vswitch.cidr).size
            - taken.get(vswitch.id, 0),
        )
        for vswitch in page
    ]


def _named(found: Sequence[Any]) -> str:
    return ", ".join(item.id for item in found)


ACTIONS = (
    create_vpc,
    describe_vpcs,
    describe_vpc_attribute,
    delete_vpc,
    create_vswitch,
    describe_vswitches,
    describe_vswitch_attributes,
    delete_vswitch,
)
