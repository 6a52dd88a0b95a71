"""What a provider publishes and what a consumer creates: services, endpoints, their connections."""

from __future__ import annotations

import enum

import msgspec

from privlink.model.ids import (
    AccountId,
    EndpointId,
    EniId,
    ResourceId,
    ServiceId,
    VpcId,
    VSwitchId,
    ZoneId,
)
from privlink.model.network import IpVersion


class EndpointType(enum.StrEnum):
    """What kind of endpoint a consumer creates."""

    INTERFACE = "Interface"
    REVERSE = "Reverse"
    GATEWAY_LOAD_BALANCER = "GatewayLoadBalancer"


class ResourceType(enum.StrEnum):
    """What stands behind a service: load balancers, or NAT gateways for reverse endpoints."""

    NLB = "nlb"
    SLB = "slb"
    VPCNAT = "vpcnat"


class Decision(enum.StrEnum):
    """What the provider said of a connection."""

    NONE = "none"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class TrafficControl(enum.StrEnum):
    """Whether a connection's bandwidth has an end."""

    SCALABILITY = "Scalability"
    BANDWIDTH_LIMIT = "BandwidthLimit"


class EndpointStatus(enum.StrEnum):
    CREATING = "Creating"
    ACTIVE = "Active"
    PENDING = "Pending"
    DELETING = "Deleting"


class ConnectionStatus(enum.StrEnum):
    PENDING = "Pending"
    CONNECTING = "Connecting"
    CONNECTED = "Connected"
    DISCONNECTING = "Disconnecting"
    DISCONNECTED = "Disconnected"
    DELETING = "Deleting"
    SERVICE_DELETED = "ServiceDeleted"


class ZoneStatus(enum.StrEnum):
    CREATING = "Creating"
    WAIT = "Wait"
    CONNECTING = "Connecting"
    CONNECTED = "Connected"
    DISCONNECTING = "Disconnecting"
    DISCONNECTED = "Disconnected"
    DELETING = "Deleting"
    MIGRATING = "Migrating"
    MIGRATED = "Migrated"


class EndpointService(msgspec.Struct, frozen=True):
    """A service published through PrivateLink."""

    id: ServiceId
    account_id: AccountId
    resource_type: ResourceType
    auto_accept: bool
    payer: str
    description: str
    connect_bandwidth: int | None  # Mbit/s of a new connection; None: the kind's default
    zone_affinity: bool  # its domains answer with the address in the asker's own zone first
    created_at: str
    ip_version: IpVersion = IpVersion.IPV4
    # How its traffic is kept; each None: the default.
    idle_tcp: int | None = None  # seconds of silence after which a flow ends
    idle_udp: int | None = None
    most_flows: int | None = None  # at a time, through one zone of one endpoint
    flow_rate: int | None = None  # new ones per second, through the same; 0: as many as come


class ServiceResource(msgspec.Struct, frozen=True):
    """A load balancer, or a NAT gateway, that carries a service in one zone."""

    service_id: ServiceId
    resource_id: ResourceId
    zone_id: ZoneId
    auto_allocated: bool  # may be picked for a zone that leads nowhere yet


class ServiceRegion(msgspec.Struct, frozen=True):
    """A region whose consumers may use a service."""

    service_id: ServiceId
    region_id: str


class ServiceUser(msgspec.Struct, frozen=True):
    """Who may use a service: an account by number, or `*`, or an ARN."""

    service_id: ServiceId
    user: str


class Endpoint(msgspec.Struct, frozen=True):
    """A consumer's way into one service, for life."""

    id: EndpointId
    account_id: AccountId
    vpc_id: VpcId
    service_id: ServiceId
    service_name: str
    type: EndpointType
    name: str
    description: str
    policy: str  # a policy document; empty for the default one, which allows everything
    protected: bool  # only the session of a role that created it may change or delete it
    protected_by: str  # that session of a role; empty if it is not protected
    zone_affinity: bool  # its domain answers with the address in the asker's own zone first
    deleting: bool
    created_at: str
    ip_version: IpVersion = IpVersion.IPV4


class Connection(msgspec.Struct, frozen=True):
    """The bond of one endpoint with its one service, and the provider's word on it."""

    endpoint_id: EndpointId
    number: int
    service_id: ServiceId
    decision: Decision
    bandwidth: int  # Mbit/s; holds under BandwidthLimit only
    traffic_control: TrafficControl
    modified_at: str


class EndpointZone(msgspec.Struct, frozen=True):
    """An endpoint's address in one zone, and where it leads.

    `opening` is set while traffic shall pass: a number that is never used twice.
    """

    endpoint_id: EndpointId
    zone_id: ZoneId
    number: int  # of one sequence with the zones of load balancers: its traffic is counted under it
    vswitch_id: VSwitchId
    eni_id: EniId
    resource_id: ResourceId | None
    provider_vpc_id: VpcId | None  # with its source; a reverse endpoint's has neither
    source: int | None  # IPv4 as a number: what the provider's servers see
    opening: int | None
    initial: bool  # asked for at creation of the endpoint
    placed: bool  # a node has confirmed the address at least once
    deleting: bool
    cut: bool  # the provider has closed this zone alone
    # After a graceful migration, where the flows from before it still lead; else all None.
    replaced_resource_id: ResourceId | None
    replaced_vpc_id: VpcId | None
    replaced_source: int | None
    replaced_opening: int | None
