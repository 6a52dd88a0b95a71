"""The subnets of VPCs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from privlink import errors
from privlink.api import grouping, limits, ours
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.fields import Description, Name, check_zone
from privlink.api.paging import PageNumber, PageSize, by_number
from privlink.api.products.vpc import ipv6, labels, route_entries
from privlink.api.products.vpc.labels import LABELS, SUBNET, TagList
from privlink.api.tagging import Tags
from privlink.api.wire import Answer
from privlink.model.ids import VSwitchId, ZoneId, new_id
from privlink.model.network import EniOwner, RouteTableType, VSwitch
from privlink.rules import addresses, quotas, routing
from privlink.store import changes, gateways, networks, nodes, route_tables, rows


class RouteTableOfVSwitch(Answer):
    route_table_id: str
    route_table_type: str


class VSwitchAnswer(Answer):
    vswitch_id: str
    vswitch_name: str
    description: str
    vpc_id: str
    zone_id: str
    cidr_block: str
    enabled_ipv6: bool
    ipv6_cidr_block: str
    status: str
    owner_id: int
    creation_time: str
    is_default: bool
    available_ip_address_count: int
    resource_group_id: str
    route_table: RouteTableOfVSwitch
    tags: TagList


class VSwitchList(Answer):
    vswitch: list[VSwitchAnswer]


class DescribeVSwitchesAnswer(Answer):
    total_count: int
    page_number: int
    page_size: int
    vswitches: VSwitchList


class CreateVSwitchAnswer(Answer):
    vswitch_id: str


@action(VPC, writes=True, name="CreateVSwitch", resource="vpc/{vpc_id}")
def create_vswitch(
    call: Call,
    *,
    region_id: RegionId | None = None,
    vpc_id: str,
    zone_id: str,
    cidr_block: str,
    ipv6_cidr_block: ipv6.Number | None = None,
    ipv6_cidr_mask: ipv6.Mask | None = None,
    vpc_ipv6_cidr_block: str | None = None,
    vswitch_name: Name = "",
    description: Description = "",
    tag: Tags = (),
) -> CreateVSwitchAnswer:
    """Create a vSwitch in one zone, with a part of its VPC's block.

    With Ipv6CidrBlock it has a /64 of the VPC's IPv6 block, too.
    """
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
        cidr6=ipv6.of_new_vswitch(
            vpc, neighbours, ipv6.Place(ipv6_cidr_block, ipv6_cidr_mask, vpc_ipv6_cidr_block)
        ),
    )
    for block in routing.local_blocks([vswitch]):
        route_entries.check_block(call, vpc.id, block)
    networks.add_vswitch(call.tx, vswitch)
    LABELS.attach(call, SUBNET, vswitch.id, tag)
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
    route_table_id: str | None = None,
    is_default: bool | None = None,
    enable_ipv6: bool | None = None,
    vswitch_owner_id: int | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
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
        and vswitch_owner_id in (None, int(vswitch.account_id))
        and is_default in (None, False)
        and enable_ipv6 in (None, bool(vswitch.cidr6))
    ]
    vpc_of: dict[str, str] = {vswitch.id: vswitch.vpc_id for vswitch in found}
    chosen = labels.chosen(call, SUBNET, vpc_of, tag, resource_group_id)
    if route_table_id is not None:
        tables = _tables(call, found)
        chosen &= {each for each in chosen if tables[each].route_table_id == route_table_id}
    found = [vswitch for vswitch in found if vswitch.id in chosen]
    page = by_number(found, page_number, page_size)
    return DescribeVSwitchesAnswer(
        total_count=len(found),
        page_number=page_number,
        page_size=page_size,
        vswitches=VSwitchList(vswitch=_vswitch_answers(call, page)),
    )


@action(VPC, name="DescribeVSwitchAttributes", resource="vswitch/{vswitch_id}")
def describe_vswitch_attributes(
    call: Call, *, region_id: RegionId | None = None, vswitch_id: str
) -> VSwitchAnswer:
    """Show one vSwitch. It is Available once its node has made it."""
    return _vswitch_answers(call, [ours.vswitch(call, vswitch_id)])[0]


@action(VPC, writes=True, name="ModifyVSwitchAttribute", resource="vswitch/{vswitch_id}")
def modify_vswitch_attribute(
    call: Call,
    *,
    region_id: RegionId | None = None,
    vswitch_id: str,
    vswitch_name: Name | None = None,
    description: Description | None = None,
    enable_ipv6: ipv6.Enable = None,
    ipv6_cidr_block: ipv6.Number | None = None,
    ipv6_cidr_mask: ipv6.Mask | None = None,
    vpc_ipv6_cidr_block: str | None = None,
) -> Answer:
    """Change a vSwitch's name and description, switch IPv6 on or off.

    What comes after has an IPv6 address; an attachment that is there stays IPv4 until its workload
    is attached anew. IPv6 can be switched off once nothing in the vSwitch has an address of it.
    """
    vswitch = ours.vswitch(call, vswitch_id)
    changed = msgspec.structs.replace(
        vswitch,
        name=vswitch.name if vswitch_name is None else vswitch_name,
        description=vswitch.description if description is None else description,
    )
    networks.change_vswitch(call.tx, changed)
    place = ipv6.Place(ipv6_cidr_block, ipv6_cidr_mask, vpc_ipv6_cidr_block)
    cidr6 = ipv6.of_vswitch(call, vswitch, enable_ipv6, place)
    if cidr6 != vswitch.cidr6:
        if cidr6:
            route_entries.check_block(call, vswitch.vpc_id, cidr6)
        networks.set_block6(call.tx, vswitch, cidr6)
    return Answer()


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
    if served := gateways.services_in(call.tx, vswitch.id):
        dependants = ", ".join(f"{each.name} ({each.id})" for each in served)
        raise errors.DependencyViolationGatewayService(resource=vswitch.id, dependants=dependants)
    networks.delete_vswitch(call.tx, vswitch)
    return Answer()


def _tables(call: Call, vswitches: Sequence[VSwitch]) -> dict[str, RouteTableOfVSwitch]:
    """The route table of each vSwitch."""
    custom = route_tables.custom_of(call.tx, [vswitch.id for vswitch in vswitches])
    systems = route_tables.systems(call.tx, {vswitch.vpc_id for vswitch in vswitches})
    return {
        vswitch.id: RouteTableOfVSwitch(
            route_table_id=custom.get(vswitch.id, systems[vswitch.vpc_id]),
            route_table_type=RouteTableType.CUSTOM
            if vswitch.id in custom
            else RouteTableType.SYSTEM,
        )
        for vswitch in vswitches
    }


def _vswitch_answers(call: Call, page: Sequence[VSwitch]) -> list[VSwitchAnswer]:
    ids = [vswitch.id for vswitch in page]
    keys = {vswitch_id: changes.segment_key(vswitch_id) for vswitch_id in ids}
    in_step = nodes.in_step(call.tx, keys.values())
    taken = networks.count_enis(call.tx, ids)
    groups = grouping.shown(call, {vswitch.vpc_id for vswitch in page})
    tables, tags = _tables(call, page), labels.shown(call, ids)
    return [
        VSwitchAnswer(
            vswitch_id=vswitch.id,
            vswitch_name=vswitch.name,
            description=vswitch.description,
            vpc_id=vswitch.vpc_id,
            zone_id=vswitch.zone_id,
            cidr_block=vswitch.cidr,
            enabled_ipv6=bool(vswitch.cidr6),
            ipv6_cidr_block=vswitch.cidr6,
            status="Available" if in_step.confirms(keys[vswitch.id]) else "Pending",
            owner_id=int(vswitch.account_id),
            creation_time=vswitch.created_at,
            is_default=False,
            available_ip_address_count=addresses.usable(vswitch.cidr).size
            - taken.get(vswitch.id, 0),
            resource_group_id=groups[vswitch.vpc_id],
            route_table=tables[vswitch.id],
            tags=tags[vswitch.id],
        )
        for vswitch in page
    ]


ACTIONS = (
    create_vswitch,
    describe_vswitches,
    describe_vswitch_attributes,
    modify_vswitch_attribute,
    delete_vswitch,
)
