"""Gateway services and the gateway endpoints that lead to them by routes."""

from __future__ import annotations

import enum

import msgspec

from privlink.model.ids import (
    AccountId,
    EndpointId,
    PrefixListId,
    RouteTableId,
    ServiceId,
    VpcId,
    VSwitchId,
)


class GatewayService(msgspec.Struct, frozen=True):
    """Blocks of addresses in a provider's VPC that any account may have routes to."""

    id: ServiceId
    name: str  # unique
    vswitch_id: VSwitchId  # the provider's
    vpc_id: VpcId
    prefix_list_id: PrefixListId  # the system's, with the blocks
    policies: bool  # whether endpoints have a policy
    default_policy: str
    created_at: str


class GatewayEndpoint(msgspec.Struct, frozen=True):
    """What routes of a VPC lead to a gateway service through. It has no address."""

    id: EndpointId
    account_id: AccountId
    vpc_id: VpcId
    service_id: ServiceId
    name: str
    description: str
    policy: str  # empty where the service takes none
    created_at: str
    number: int  # what its traffic is counted under
    opening: int
    provider_vpc_id: VpcId
    source: int  # the IPv4 address that the service sees, as a number
    placed: bool = False  # a node has confirmed it at least once
    deleting: bool = False


class GatewayAssociation(msgspec.Struct, frozen=True):
    """A route table with a route to a gateway endpoint, or one that nodes may still have there."""

    endpoint_id: EndpointId
    table_id: RouteTableId
    held: bool = False  # a node has confirmed the route at least once
    leaving: bool = False  # the route is gone here, and not yet confirmed to be so


class GatewayStatus(enum.StrEnum):
    """The status of a gateway endpoint, in the API's words."""

    CREATING = "Creating"
    CREATED = "Created"
    MODIFYING = "Modifying"
    ASSOCIATING = "Associating"
    DISSOCIATING = "Dissociating"
    DELETING = "Deleting"
