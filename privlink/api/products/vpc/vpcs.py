"""Private networks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from privlink import errors
from privlink.api import grouping, limits, ours
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.fields import Description, Name
from privlink.api.paging import PageNumber, PageSize, by_number
from privlink.api.products.vpc import ipv6, labels
from privlink.api.products.vpc.labels import LABELS, NETWORK, TagList
from privlink.api.tagging import Tags
from privlink.api.wire import Answer
from privlink.model.ids import RouteTableId, VpcId, new_id
from privlink.model.network import RouteTable, RouteTableType, Vpc
from privlink.rules import addresses, names, quotas
from privlink.store import balancers, endpoints, gateways, networks, route_tables, rows, security


class VSwitchIds(Answer):
    vswitch_id: list[str]


class RouterTableIds(Answer):
    router_table_ids: list[str]


class SecondaryCidrBlocks(Answer):
    secondary_cidr_block: list[str]


class UserCidrs(Answer):
    user_cidr: list[str]


class Ipv6Block(Answer):
    ipv6_cidr_block: str
    ipv6_isp: str = "BGP"


class Ipv6Blocks(Answer):
    ipv6_cidr_block: list[Ipv6Block]


class PropagationSource(Answer):
    status: str


class PropagationSources(Answer):
    associated_propagation_sources: list[PropagationSource]


class VpcAnswer(Answer):
    vpc_id: str
    vpc_name: str
    description: str
    cidr_block: str
    enabled_ipv6: bool
    ipv6_cidr_block: str
    ipv6_cidr_blocks: Ipv6Blocks
    status: str
    region_id: str
    owner_id: int
    creation_time: str
    is_default: bool
    dns_hostname_status: str = msgspec.field(name="DnsHostnameStatus")
    resource_group_id: str
    vrouter_id: str
    vswitch_ids: VSwitchIds
    secondary_cidr_blocks: SecondaryCidrBlocks
    user_cidrs: UserCidrs
    tags: TagList


class OneVpc(VpcAnswer):
    classic_link_enabled: bool
    associated_propagation_sources: PropagationSources


class ListedVpc(VpcAnswer):
    router_table_ids: RouterTableIds


class VpcList(Answer):
    vpc: list[ListedVpc]


class DescribeVpcsAnswer(Answer):
    total_count: int
    page_number: int
    page_size: int
    vpcs: VpcList


class CreateVpcAnswer(Answer):
    vpc_id: str
    vrouter_id: str
    route_table_id: str
    resource_group_id: str


@action(VPC, writes=True, resource="vpc/*")
def create_vpc(
    call: Call,
    *,
    region_id: RegionId,
    cidr_block: str = addresses.DEFAULT_VPC_CIDR,
    enable_ipv6: bool = False,
    ipv6_cidr_block: str | None = None,
    ipv6_isp: ipv6.Isp = "BGP",
    vpc_name: Name = "",
    description: Description = "",
    resource_group_id: str | None = None,
    tag: Tags = (),
) -> CreateVpcAnswer:
    """Create a VPC with its route table. Its blocks may overlap those of all other VPCs.

    With EnableIpv6 it has a /56 block of IPv6, too: the one given, or a random one (RFC 4193).
    """
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
        cidr6=ipv6.of_new_vpc(enable_ipv6, ipv6_cidr_block),
    )
    networks.add_vpc(call.tx, vpc)
    table = RouteTable(
        id=RouteTableId(new_id("vtb")),
        number=rows.next_number(call.tx, "route table"),
        vpc_id=vpc.id,
        account_id=call.account_id,
        type=RouteTableType.SYSTEM,
        name="",
        description="",
        created_at=call.now,
    )
    route_tables.add(call.tx, table)
    grouping.put(call, vpc.id, resource_group_id or None)
    LABELS.attach(call, NETWORK, vpc.id, tag)
    return CreateVpcAnswer(
        vpc_id=vpc.id,
        vrouter_id=names.router_id(vpc.id),
        route_table_id=table.id,
        resource_group_id=grouping.shown(call, [vpc.id])[vpc.id],
    )


@action(VPC, resource="vpc/*")
def describe_vpcs(
    call: Call,
    *,
    region_id: RegionId,
    vpc_id: str | None = None,
    vpc_name: str | None = None,
    vpc_owner_id: int | None = None,
    is_default: bool | None = None,
    enable_ipv6: bool | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
    page_number: PageNumber = 1,
    page_size: PageSize = 10,
) -> DescribeVpcsAnswer:
    """List VPCs. `VpcId` may hold several ids with commas between them."""
    wanted = None if vpc_id is None else set(vpc_id.split(","))
    found = [
        vpc
        for vpc in networks.vpcs(call.tx, call.account_id)
        if (wanted is None or vpc.id in wanted)
        and vpc_name in (None, vpc.name)
        and vpc_owner_id in (None, int(vpc.account_id))
        and is_default in (None, False)
        and enable_ipv6 in (None, bool(vpc.cidr6))
    ]
    its_own: dict[str, str] = {vpc.id: vpc.id for vpc in found}
    chosen = labels.chosen(call, NETWORK, its_own, tag, resource_group_id)
    found = [vpc for vpc in found if vpc.id in chosen]
    page = by_number(found, page_number, page_size)
    return DescribeVpcsAnswer(
        total_count=len(found),
        page_number=page_number,
        page_size=page_size,
        vpcs=VpcList(vpc=_listed(call, page)),
    )


@action(VPC, resource="vpc/{vpc_id}")
def describe_vpc_attribute(
    call: Call, *, region_id: RegionId, vpc_id: str, is_default: bool | None = None
) -> OneVpc:
    """Show one VPC. `IsDefault` asks whether it is a default one, and none is."""
    vpc = ours.vpc(call, vpc_id)
    if is_default:
        raise errors.InvalidVpcIdNotFound(vpc_id=vpc_id)
    return OneVpc(
        classic_link_enabled=False,
        associated_propagation_sources=PropagationSources(associated_propagation_sources=[]),
        **_facts(call, [vpc])[0],
    )


@action(VPC, writes=True, resource="vpc/{vpc_id}")
def modify_vpc_attribute(
    call: Call,
    *,
    region_id: RegionId | None = None,
    vpc_id: str,
    vpc_name: Name | None = None,
    description: Description | None = None,
    enable_ipv6: ipv6.Enable = None,
    ipv6_cidr_block: str | None = None,
    ipv6_isp: ipv6.Isp = "BGP",
) -> Answer:
    """Change a VPC's name and description, switch IPv6 on or off. Its blocks stay as they are.

    Its vSwitches get IPv6 one by one, with ModifyVSwitchAttribute. IPv6 can be switched off once
    nothing in the VPC uses it.
    """
    vpc = ours.vpc(call, vpc_id)
    changed = msgspec.structs.replace(
        vpc,
        name=vpc.name if vpc_name is None else vpc_name,
        description=vpc.description if description is None else description,
        cidr6=ipv6.of_vpc(call, vpc, enable_ipv6, ipv6_cidr_block),
    )
    networks.change_vpc(call.tx, changed)
    return Answer()


@action(VPC, writes=True, resource="vpc/{vpc_id}")
def delete_vpc(
    call: Call, *, region_id: RegionId | None = None, vpc_id: str, force_delete: bool = False
) -> Answer:
    """Delete a VPC that nothing is in. `ForceDelete=true` is refused: nothing goes unasked."""
    if force_delete:
        raise errors.UnsupportedParameter(parameter="ForceDelete", action="DeleteVpc")
    vpc = ours.vpc(call, vpc_id)
    if inside := networks.vswitches(call.tx, call.account_id, vpc.id):
        raise errors.DependencyViolationVSwitch(resource=vpc.id, dependants=_named(inside))
    if endpoints_inside := endpoints.in_vpc(call.tx, vpc.id):
        raise errors.DependencyViolation(resource=vpc.id, dependants=_named(endpoints_inside))
    if gateways_inside := gateways.in_vpc(call.tx, vpc.id):
        dependants = _named(gateways_inside)
        raise errors.DependencyViolationGatewayEndpoint(resource=vpc.id, dependants=dependants)
    if groups := security.groups_in(call.tx, vpc.id):
        raise errors.DependencyViolationSecurityGroup(resource=vpc.id, dependants=_named(groups))
    if server_groups := balancers.groups_in(call.tx, vpc.id):
        dependants = _named(server_groups)
        raise errors.DependencyViolationServerGroup(resource=vpc.id, dependants=dependants)
    tables = route_tables.of_vpcs(call.tx, [vpc.id])
    if custom := [table for table in tables if table.type is RouteTableType.CUSTOM]:
        raise errors.DependencyViolationRouteTable(resource=vpc.id, dependants=_named(custom))
    networks.delete_vpc(call.tx, vpc.id)
    return Answer()


def _listed(call: Call, page: Sequence[Vpc]) -> list[ListedVpc]:
    tables: dict[str, list[str]] = defaultdict(list)
    for table in route_tables.of_vpcs(call.tx, [vpc.id for vpc in page]):
        tables[table.vpc_id].append(table.id)
    return [
        ListedVpc(router_table_ids=RouterTableIds(router_table_ids=tables[vpc.id]), **facts)
        for vpc, facts in zip(page, _facts(call, page), strict=True)
    ]


def _facts(call: Call, page: Sequence[Vpc]) -> list[dict[str, Any]]:
    """What every answer says of VPCs, in their order."""
    ids = [vpc.id for vpc in page]
    inside: dict[str, list[str]] = defaultdict(list)
    for vswitch in networks.vswitches_of(call.tx, ids):
        inside[vswitch.vpc_id].append(vswitch.id)
    groups, tags = grouping.shown(call, ids), labels.shown(call, ids)
    return [
        {
            "vpc_id": vpc.id,
            "vpc_name": vpc.name,
            "description": vpc.description,
            "cidr_block": vpc.cidr,
            "enabled_ipv6": bool(vpc.cidr6),
            "ipv6_cidr_block": vpc.cidr6,
            "ipv6_cidr_blocks": Ipv6Blocks(
                ipv6_cidr_block=[Ipv6Block(ipv6_cidr_block=vpc.cidr6)] if vpc.cidr6 else []
            ),
            "status": "Available",  # a VPC is a number; no node has to make anything for it
            "region_id": call.config.region,
            "owner_id": int(vpc.account_id),
            "creation_time": vpc.created_at,
            "is_default": False,
            "dns_hostname_status": "DISABLED",
            "resource_group_id": groups[vpc.id],
            "vrouter_id": names.router_id(vpc.id),
            "vswitch_ids": VSwitchIds(vswitch_id=inside[vpc.id]),
            "secondary_cidr_blocks": SecondaryCidrBlocks(secondary_cidr_block=[]),
            "user_cidrs": UserCidrs(user_cidr=[]),
            "tags": tags[vpc.id],
        }
        for vpc in page
    ]


def _named(found: Sequence[Any]) -> str:
    return ", ".join(item.id for item in found)


ACTIONS = (
    create_vpc,
    describe_vpcs,
    describe_vpc_attribute,
    modify_vpc_attribute,
    delete_vpc,
)
