"""VPC NAT gateways: the provider's side of reverse endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from privlink import errors
from privlink.api import enis, grouping, limits, ours, tagging
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.fields import Description, Name
from privlink.api.paging import PageNumber, PageSize, by_number
from privlink.api.products.vpc import labels
from privlink.api.products.vpc.labels import LABELS, NAT_GATEWAY
from privlink.api.tagging import Tags
from privlink.api.wire import Answer
from privlink.model.ids import NatGatewayId, NatIpId, new_id
from privlink.model.nat import NatGateway, NatIp
from privlink.model.network import EniOwner
from privlink.rules import addresses, names, quotas
from privlink.store import changes, nat_gateways, networks, nodes, routes

_INTRANET = "intranet"
NatType = Annotated[
    Literal["Enhanced"], msgspec.Meta(description="it is Enhanced, the only one there is.")
]
ChargeType = Annotated[
    Literal["PostPaid"], msgspec.Meta(description="it is PostPaid; nothing is charged here.")
]
TrafficChargeType = Annotated[
    Literal["PayByLcu"], msgspec.Meta(description="it is PayByLcu; nothing is charged here.")
]


class SnatTableIds(Answer):
    snat_table_id: list[str]


class ForwardTableIds(Answer):
    forward_table_id: list[str]


class FullNatTableIds(Answer):
    full_nat_table_id: list[str]


class CreateNatGatewayAnswer(Answer):
    nat_gateway_id: str
    full_nat_table_ids: FullNatTableIds
    snat_table_ids: SnatTableIds
    forward_table_ids: ForwardTableIds


class IpLists(Answer):
    ip_list: list[str]  # an Internet NAT gateway's


class PrivateInfo(Answer):
    """The address that a gateway began with."""

    eni_instance_id: str
    private_ip_address: str
    iz_no: str
    vswitch_id: str = msgspec.field(name="VswitchId")


class GatewayFacts(Answer):
    nat_gateway_id: str
    name: str
    description: str
    vpc_id: str
    region_id: str
    status: str
    creation_time: str
    resource_group_id: str
    private_link_enabled: bool
    private_link_mode: str | msgspec.UnsetType
    network_type: str
    nat_type: str
    business_status: str
    expired_time: str


class GatewayTag(Answer):
    tag_key: str  # other lists of this product say Key and Value
    tag_value: str


class GatewayTags(Answer):
    tag: list[GatewayTag]


class ListedGateway(GatewayFacts):
    nat_gateway_private_info: PrivateInfo
    full_nat_table_ids: FullNatTableIds
    snat_table_ids: SnatTableIds
    forward_table_ids: ForwardTableIds
    ip_lists: IpLists
    tags: GatewayTags
    instance_charge_type: str = "PostPaid"
    internet_charge_type: str = "PayByLcu"
    icmp_reply_enabled: bool = True
    deletion_protection: bool = False


class GatewayList(Answer):
    nat_gateway: list[ListedGateway]


class GatewaysAnswer(Answer):
    total_count: int
    page_number: int
    page_size: int
    nat_gateways: GatewayList


class FullNatTable(Answer):
    full_nat_table_id: str
    full_nat_entry_count: int


class GatewayAnswer(GatewayFacts):
    private_info: PrivateInfo
    full_nat_table: FullNatTable


@action(VPC, writes=True, resource=("natgateway/*", "vpc/{vpc_id}", "vswitch/{vswitch_id}"))
def create_nat_gateway(
    call: Call,
    *,
    region_id: RegionId,
    vpc_id: str,
    vswitch_id: str,
    network_type: str = "internet",
    private_link_enabled: bool = False,
    name: Name = "",
    description: Description = "",
    nat_ip: str | None = None,
    nat_type: NatType = "Enhanced",
    instance_charge_type: ChargeType = "PostPaid",
    internet_charge_type: TrafficChargeType = "PayByLcu",
    icmp_reply_enabled: bool = True,
    tag: Tags = (),
) -> CreateNatGatewayAnswer:
    """Create a NAT gateway with its first NAT IP, an address of the vSwitch.

    It is for reverse endpoints: it needs NetworkType=intranet, and PrivateLinkEnabled=true to stand
    behind an endpoint service. There is no way to the Internet here.
    """
    if network_type != _INTRANET:
        why = (
            f"{network_type!r} was given, which is what it is when it is left out; only NAT "
            "gateways of type intranet are here, as nothing leads to the Internet."
        )
        raise errors.InvalidParameter(parameter="NetworkType", why=why)
    if not icmp_reply_enabled:
        raise errors.UnsupportedParameter(parameter="IcmpReplyEnabled", action="CreateNatGateway")
    vpc, vswitch = ours.vpc(call, vpc_id), ours.vswitch(call, vswitch_id)
    if vswitch.vpc_id != vpc.id:
        why = f"{vswitch.id} is in {vswitch.vpc_id}, not in {vpc.id}: use a vSwitch of that VPC."
        raise errors.InvalidParameter(parameter="VSwitchId", why=why)
    present = nat_gateways.count_in(call.tx, vpc.id)
    limits.check(call, quotas.NAT_GATEWAYS_PER_VPC, present, vpc.id)
    gateway = NatGateway(
        id=NatGatewayId(new_id("ngw")),
        account_id=call.account_id,
        vpc_id=vpc.id,
        vswitch_id=vswitch.id,
        name=name,
        description=description,
        private_link=private_link_enabled,
        created_at=call.now,
    )
    eni = enis.take(call, vswitch, nat_ip, EniOwner.NAT_GATEWAY, gateway.id)
    first = NatIp(
        id=NatIpId(new_id("vpcnatip")),
        gateway_id=gateway.id,
        eni_id=eni.id,
        is_default=True,
        name="",
        description="",
        created_at=call.now,
    )
    nat_gateways.add(call.tx, gateway, first)
    LABELS.attach(call, NAT_GATEWAY, gateway.id, tag)
    return CreateNatGatewayAnswer(nat_gateway_id=gateway.id, **_tables(gateway))


@action(VPC, resource="natgateway/*")
def describe_nat_gateways(
    call: Call,
    *,
    region_id: RegionId,
    nat_gateway_id: str | None = None,
    vpc_id: str | None = None,
    zone_id: str | None = None,
    name: str | None = None,
    status: str | None = None,
    nat_type: str | None = None,
    network_type: str | None = None,
    instance_charge_type: str | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
    page_number: PageNumber = 1,
    page_size: PageSize = 10,
) -> GatewaysAnswer:
    """List NAT gateways. All filters given must match."""
    found = [
        gateway
        for gateway in nat_gateways.of_account(call.tx, call.account_id)
        if nat_gateway_id in (None, gateway.id)
        and vpc_id in (None, gateway.vpc_id)
        and name in (None, gateway.name)
        and nat_type in (None, "Enhanced")
        and network_type in (None, _INTRANET)
        and instance_charge_type in (None, "PostPaid")
    ]
    chosen = labels.chosen(
        call, NAT_GATEWAY, {each.id: each.vpc_id for each in found}, tag, resource_group_id
    )
    answers = [
        answer
        for answer in _listed(call, [each for each in found if each.id in chosen])
        if zone_id in (None, answer.nat_gateway_private_info.iz_no)
        and status in (None, answer.status)
    ]
    return GatewaysAnswer(
        total_count=len(answers),
        page_number=page_number,
        page_size=page_size,
        nat_gateways=GatewayList(nat_gateway=[*by_number(answers, page_number, page_size)]),
    )


@action(VPC, resource="natgateway/{nat_gateway_id}")
def get_nat_gateway_attribute(
    call: Call, *, region_id: RegionId, nat_gateway_id: str
) -> GatewayAnswer:
    """Show a NAT gateway. It is Available once its nodes answer for its addresses."""
    gateway = ours.nat_gateway(call, nat_gateway_id)
    (facts,), (info,) = _facts(call, [gateway]), _infos(call, [gateway])
    entries = nat_gateways.count_entries(call.tx, [gateway.id]).get(gateway.id, 0)
    return GatewayAnswer(
        **facts,
        private_info=info,
        full_nat_table=FullNatTable(
            full_nat_table_id=names.full_nat_table_id(gateway.id), full_nat_entry_count=entries
        ),
    )


@action(VPC, writes=True, resource="natgateway/{nat_gateway_id}")
def modify_nat_gateway_attribute(
    call: Call,
    *,
    region_id: RegionId,
    nat_gateway_id: str,
    name: Name | None = None,
    description: Description | None = None,
) -> Answer:
    """Change a NAT gateway's name and description."""
    gateway = ours.nat_gateway(call, nat_gateway_id)
    changed = msgspec.structs.replace(
        gateway,
        name=gateway.name if name is None else name,
        description=gateway.description if description is None else description,
    )
    nat_gateways.change(call.tx, changed)
    return Answer()


@action(VPC, writes=True, resource="natgateway/{nat_gateway_id}")
def delete_nat_gateway(
    call: Call, *, region_id: RegionId, nat_gateway_id: str, force: bool = False
) -> Answer:
    """Delete a NAT gateway that has no full-NAT entries, and that no service and no route needs.

    `Force=true` is refused: nothing goes unasked.
    """
    if force:
        raise errors.UnsupportedParameter(parameter="Force", action="DeleteNatGateway")
    gateway = ours.nat_gateway(call, nat_gateway_id)
    if entries := nat_gateways.entries(call.tx, gateway.id):
        raise errors.DependencyViolationFullNatEntry(
            resource=gateway.id, dependants=", ".join(each.id for each in entries[:10])
        )
    if services := nat_gateways.services_on(call.tx, gateway.id):
        raise errors.DependencyViolationEndpointService(
            resource=gateway.id, dependants=", ".join(services)
        )
    if led := routes.to_hops(call.tx, [gateway.id]):
        dependants = ", ".join(f"{each.id} of {each.table_id}" for each in led[:10])
        raise errors.DependencyViolationRouteEntry(resource=gateway.id, dependants=dependants)
    nat_gateways.delete_gateway(call.tx, gateway.id)
    return Answer()


def _tables(gateway: NatGateway) -> dict[str, Any]:
    """The tables of a gateway: there is neither SNAT nor DNAT."""
    table_id = names.full_nat_table_id(gateway.id)
    return {
        "full_nat_table_ids": FullNatTableIds(full_nat_table_id=[table_id]),
        "snat_table_ids": SnatTableIds(snat_table_id=[]),
        "forward_table_ids": ForwardTableIds(forward_table_id=[]),
    }


def _listed(call: Call, found: Sequence[NatGateway]) -> list[ListedGateway]:
    tags = tagging.shown(call, [gateway.id for gateway in found])
    return [
        ListedGateway(
            **facts,
            nat_gateway_private_info=info,
            ip_lists=IpLists(ip_list=[]),
            tags=GatewayTags(
                tag=[
                    GatewayTag(tag_key=each.key, tag_value=each.value) for each in tags[gateway.id]
                ]
            ),
            **_tables(gateway),
        )
        for gateway, facts, info in zip(
            found, _facts(call, found), _infos(call, found), strict=True
        )
    ]


def _infos(call: Call, found: Sequence[NatGateway]) -> list[PrivateInfo]:
    """Where each gateway's first address is, in their order."""
    ips = nat_gateways.ips_of(call.tx, [gateway.id for gateway in found])
    vswitches = networks.vswitches_by_ids(call.tx, {gateway.vswitch_id for gateway in found})
    return [
        PrivateInfo(
            eni_instance_id=eni.id,
            private_ip_address=addresses.text(eni.address),
            iz_no=vswitches[gateway.vswitch_id].zone_id,
            vswitch_id=gateway.vswitch_id,
        )
        for gateway in found
        for eni in (networks.get_eni(call.tx, ips[gateway.id][0].eni_id),)
    ]


def _facts(call: Call, found: Sequence[NatGateway]) -> list[dict[str, Any]]:
    """What every answer says of gateways, in their order."""
    ips = nat_gateways.ips_of(call.tx, [gateway.id for gateway in found])
    keys = {gateway.id: [changes.nat_key(each.id) for each in ips[gateway.id]] for gateway in found}
    in_step = nodes.in_step(call.tx, (key for some in keys.values() for key in some))
    groups = grouping.shown(call, {gateway.vpc_id for gateway in found})
    return [
        {
            "nat_gateway_id": gateway.id,
            "name": gateway.name,
            "description": gateway.description,
            "vpc_id": gateway.vpc_id,
            "region_id": call.config.region,
            "status": "Available" if in_step.confirms(*keys[gateway.id]) else "Creating",
            "creation_time": gateway.created_at,
            "resource_group_id": groups[gateway.vpc_id],
            "private_link_enabled": gateway.private_link,
            "private_link_mode": "FullNat" if gateway.private_link else msgspec.UNSET,
            "network_type": _INTRANET,
            "nat_type": "Enhanced",
            "business_status": "Normal",  # nothing to pay
            "expired_time": "",
        }
        for gateway in found
    ]


ACTIONS = (
    create_nat_gateway,
    describe_nat_gateways,
    get_nat_gateway_attribute,
    modify_nat_gateway_attribute,
    delete_nat_gateway,
)
