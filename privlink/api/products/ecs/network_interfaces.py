"""Network interfaces: the addresses that endpoints, load balancers and workloads have in VPCs.

They come and go with what they belong to, so they are only shown here.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address
from typing import Annotated, Literal

import msgspec

from privlink import errors
from privlink.api import grouping, ours
from privlink.api.action import ECS, Call, RegionId, action
from privlink.api.paging import NextToken, PageNumber, by_token, place_of
from privlink.api.products.ecs import labels
from privlink.api.products.ecs.labels import TagList
from privlink.api.tagging import Tag, Tags
from privlink.api.wire import Answer
from privlink.model.network import Eni, EniOwner
from privlink.rules import addresses
from privlink.store import endpoints, interfaces, members, networks

_SHORT_PAGE = 10
_PageSize = Annotated[int, msgspec.Meta(ge=1, le=500, description="a page has 1 to 500 items.")]
Ids = Annotated[tuple[str, ...], msgspec.Meta(max_length=100, description="at most 100.")]
Status = Annotated[
    Literal["InUse", "Available", "Attaching", "Detaching", "Deleting"],
    msgspec.Meta(description="it is InUse, which all are here, or another status of an interface."),
]
InterfaceType = Annotated[
    Literal["Secondary", "Primary"],
    msgspec.Meta(description="it is Secondary, which all are here, or Primary."),
]


class PrivateIp(Answer):
    private_ip_address: str
    primary: bool = True


class PrivateIpList(Answer):
    private_ip_set: list[PrivateIp]


class Ipv6(Answer):
    ipv6_address: str
    primary: bool = True


class Ipv6List(Answer):
    ipv6_set: list[Ipv6]


class SecurityGroupIds(Answer):
    security_group_id: list[str]


class InterfaceAnswer(Answer):
    network_interface_id: str
    description: str
    service_managed: bool
    vpc_id: str
    vswitch_id: str
    zone_id: str
    owner_id: str
    private_ip_address: str
    private_ip_sets: PrivateIpList
    ipv6_sets: Ipv6List
    mac_address: str
    security_group_ids: SecurityGroupIds
    resource_group_id: str
    creation_time: str
    tags: TagList
    network_interface_name: str = ""
    type: str = "Secondary"
    status: str = "InUse"


class InterfaceList(Answer):
    network_interface_set: list[InterfaceAnswer]


class InterfacesAnswer(Answer):
    page_number: int
    page_size: int
    total_count: int
    next_token: str | msgspec.UnsetType
    network_interface_sets: InterfaceList


@action(ECS, resource="eni/*")
def describe_network_interfaces(
    call: Call,
    *,
    region_id: RegionId,
    network_interface_id: Ids = (),
    network_interface_name: str | None = None,
    vpc_id: str | None = None,
    vswitch_id: str | None = None,
    primary_ip_address: str | None = None,
    private_ip_address: Ids = (),
    ipv6_address: Ids = (),
    security_group_id: str | None = None,
    status: Status = "InUse",
    type: InterfaceType = "Secondary",
    service_managed: bool | None = None,
    resource_group_id: str | None = None,
    tag: Tags = (),
    page_number: PageNumber = 1,
    page_size: _PageSize = _SHORT_PAGE,
    max_results: _PageSize | None = None,
    next_token: NextToken = "",
) -> InterfacesAnswer:
    """List network interfaces, in pages by number, or by token if `MaxResults` or one is given."""
    wanted = interfaces.Wanted(
        account_id=call.account_id,
        ids=network_interface_id,
        vpc_id=vpc_id,
        vswitch_id=vswitch_id,
        addresses=_addresses(primary_ip_address, private_ip_address),
        addresses6=_addresses6(ipv6_address),
        security_group_id=security_group_id,
        workload=None if service_managed is None else not service_managed,
        resource_group_id=resource_group_id or None,
        default_group=resource_group_id == grouping.default_id(call.account_id),
        tags=_checked(tag),
    )
    found: Sequence[Eni] = ()
    following: str | msgspec.UnsetType = msgspec.UNSET
    total = 0
    if status == "InUse" and type == "Secondary" and not network_interface_name:
        total = interfaces.count(call.tx, wanted)
        if max_results is None and not next_token:
            skip = (page_number - 1) * page_size
            found = interfaces.find(call.tx, wanted, most=page_size, skip=skip)
        else:
            size = max_results or _SHORT_PAGE
            after = place_of(next_token)
            more = interfaces.find(call.tx, wanted, most=size + 1, after=after)
            found, following = by_token(more, lambda eni: eni.id, size, next_token)
    return InterfacesAnswer(
        page_number=page_number,
        page_size=page_size,
        total_count=total,
        next_token=following,
        network_interface_sets=InterfaceList(network_interface_set=_answers(call, found)),
    )


@action(ECS, resource="eni/{network_interface_id}")
def describe_network_interface_attribute(
    call: Call, *, region_id: RegionId, network_interface_id: str
) -> InterfaceAnswer:
    """Show one network interface."""
    return _answers(call, [ours.eni(call, network_interface_id)])[0]


def _addresses(primary: str | None, several: Sequence[str]) -> tuple[int, ...]:
    """The addresses asked for, as numbers. An interface has one, so both parameters mean it."""
    given = {"PrimaryIpAddress": primary} if primary else {}
    named = given | {f"PrivateIpAddress.{n}": each for n, each in enumerate(several, start=1)}
    numbers = []
    for parameter, text in named.items():
        try:
            numbers.append(int(IPv4Address(text)))
        except AddressValueError:
            why = f"{text!r} was given; it is an IPv4 address."
            raise errors.InvalidParameter(parameter=parameter, why=why) from None
    return tuple(numbers)


def _addresses6(several: Sequence[str]) -> tuple[str, ...]:
    """The IPv6 addresses asked for, as they are stored."""
    spelt = []
    for number, text in enumerate(several, start=1):
        try:
            spelt.append(addresses.canonical6(text))
        except AddressValueError:
            why = f"{text!r} was given; it is an IPv6 address."
            raise errors.InvalidParameter(parameter=f"Ipv6Address.{number}", why=why) from None
    return tuple(spelt)


def _checked(tags: Sequence[Tag]) -> tuple[tuple[str, str | None], ...]:
    pairs = []
    for number, tag in enumerate(tags, start=1):
        if not tag.key:
            raise errors.MissingTagKey(number=number)
        pairs.append((tag.key, tag.value))
    return tuple(pairs)


def _answers(call: Call, page: Sequence[Eni]) -> list[InterfaceAnswer]:
    ids = [eni.id for eni in page]
    vswitches = networks.vswitches_by_ids(call.tx, {eni.vswitch_id for eni in page})
    of_endpoints = {eni.owner_id for eni in page if eni.owner_kind is EniOwner.ENDPOINT}
    of_workloads = {eni.owner_id for eni in page if eni.owner_kind is EniOwner.ATTACHMENT}
    security_groups = endpoints.groups(call.tx, of_endpoints)
    security_groups |= members.groups(call.tx, of_workloads)
    groups, tags = grouping.shown(call, ids), labels.shown(call, ids)

    def answer(eni: Eni) -> InterfaceAnswer:
        address = addresses.text(eni.address)
        return InterfaceAnswer(
            network_interface_id=eni.id,
            description=f"{eni.owner_kind} {eni.owner_id}",
            service_managed=eni.owner_kind is not EniOwner.ATTACHMENT,
            vpc_id=eni.vpc_id,
            vswitch_id=eni.vswitch_id,
            zone_id=vswitches[eni.vswitch_id].zone_id,
            owner_id=call.account_id,
            private_ip_address=address,
            private_ip_sets=PrivateIpList(private_ip_set=[PrivateIp(private_ip_address=address)]),
            ipv6_sets=Ipv6List(ipv6_set=[Ipv6(ipv6_address=eni.address6)] if eni.address6 else []),
            mac_address=eni.mac,
            security_group_ids=SecurityGroupIds(
                security_group_id=security_groups.get(eni.owner_id, [])
            ),
            resource_group_id=groups[eni.id],
            creation_time=eni.created_at,
            tags=tags[eni.id],
        )

    return [answer(eni) for eni in page]


ACTIONS = (describe_network_interfaces, describe_network_interface_attribute)
