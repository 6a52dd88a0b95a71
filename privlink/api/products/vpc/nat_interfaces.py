"""The reverse endpoints behind a NAT gateway, as its owner sees them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from privlink.api import ours
from privlink.api.action import VPC, Call, RegionId, action
from privlink.api.paging import NextToken, by_token
from privlink.api.products.vpc.nat_ips import MaxResults100
from privlink.api.wire import Answer, Fields
from privlink.rules import addresses, quotas
from privlink.store import endpoints, nat_gateways, networks


class Filter(Fields, frozen=True):
    """What an interface must be like to be shown."""

    key: Literal["ResourceId", "NetworkInterfaceId", "ResourceOwnerId"]
    value: str


Filters = Annotated[tuple[Filter, ...], msgspec.Meta(max_length=10, description="at most 10.")]


class Address(Answer):
    address: str = msgspec.field(name="IPv4Address")
    primary: bool = True


class AddressList(Answer):
    addresses: list[Address] = msgspec.field(name="IPv4Set")


class AssociateInterface(Answer):
    network_interface_id: str
    resource_id: str
    resource_owner_id: str
    resource_vpc_id: str
    addresses: AddressList = msgspec.field(name="IPv4Sets")
    resource_type: str = "Endpoint"


class AssociateInterfaces(Answer):
    associate_network_interface: list[AssociateInterface]


class AssociateInterfacesAnswer(Answer):
    associate_network_interfaces: AssociateInterfaces
    nat_gateway_id: str
    count: int
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


class QuotaAnswer(Answer):
    quota: int


@action(VPC, resource="natgateway/{nat_gateway_id}")
def describe_nat_gateway_associate_network_interfaces(
    call: Call,
    *,
    region_id: RegionId,
    nat_gateway_id: str,
    filter: Filters = (),
    max_results: MaxResults100 = 20,
    next_token: NextToken = "",
) -> AssociateInterfacesAnswer:
    """List the interfaces of accepted Reverse endpoints that a NAT gateway leads through."""
    gateway = ours.nat_gateway(call, nat_gateway_id)
    zones = nat_gateways.zones_on(call.tx, gateway.id)
    whose = endpoints.by_ids(call.tx, {zone.endpoint_id for zone in zones})
    wanted = [(each.key, each.value) for each in filter]
    found = [
        zone
        for zone in zones
        for facts in (
            {
                "ResourceId": zone.endpoint_id,
                "NetworkInterfaceId": zone.eni_id,
                "ResourceOwnerId": whose[zone.endpoint_id].account_id,
            },
        )
        if all(facts[key] == value for key, value in wanted)
    ]
    page, following = by_token(found, lambda zone: zone.eni_id, max_results, next_token)
    return AssociateInterfacesAnswer(
        associate_network_interfaces=AssociateInterfaces(
            associate_network_interface=[
                AssociateInterface(
                    network_interface_id=zone.eni_id,
                    resource_id=zone.endpoint_id,
                    resource_owner_id=whose[zone.endpoint_id].account_id,
                    resource_vpc_id=whose[zone.endpoint_id].vpc_id,
                    addresses=AddressList(
                        addresses=[
                            Address(
                                address=addresses.text(
                                    networks.get_eni(call.tx, zone.eni_id).address
                                )
                            )
                        ]
                    ),
                )
                for zone in page
            ]
        ),
        nat_gateway_id=gateway.id,
        count=len(page),
        total_count=len(found),
        max_results=max_results,
        next_token=following,
    )


@action(VPC, resource="natgateway/{nat_gateway_id}")
def vpc_describe_vpc_nat_gateway_network_interface_quota(
    call: Call, *, region_id: RegionId, nat_gateway_id: str
) -> QuotaAnswer:
    """Show how many zones of Reverse endpoints there may be behind a NAT gateway."""
    ours.nat_gateway(call, nat_gateway_id)
    quota = quotas.INTERFACES_PER_GATEWAY
    return QuotaAnswer(quota=call.caller.limits.get(quota.name, quota.limit))


ACTIONS = (
    describe_nat_gateway_associate_network_interfaces,
    vpc_describe_vpc_nat_gateway_network_interface_quota,
)
