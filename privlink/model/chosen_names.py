"""Names that people choose: a service's own, and what consumers call endpoints in their VPCs."""

from __future__ import annotations

import enum

import msgspec

from privlink.model.ids import AccountId, EndpointId, ServiceId, VpcId


class NameState(enum.StrEnum):
    """Whether a service's name is known to be its provider's."""

    PENDING = "Pending"
    VERIFIED = "Verified"


class Verifier(enum.StrEnum):
    """Who says that a name is its provider's."""

    NOBODY = ""
    DNS = "Dns"  # by the TXT record that whoever has the name has published
    OPERATOR = "Operator"


class ServicePrivateName(msgspec.Struct, frozen=True):
    """The private name of a service, lower case, without the dot at its end; `*.` may lead."""

    service_id: ServiceId
    account_id: AccountId
    name: str
    challenge: str  # what its TXT record has to say
    state: NameState
    verified_by: Verifier
    created_at: str
    verified_at: str  # empty while it is Pending


class EndpointPrivateName(msgspec.Struct, frozen=True):
    """That a consumer lets its service's name answer in its VPC: this name, and no later one."""

    endpoint_id: EndpointId
    service_id: ServiceId
    vpc_id: VpcId
    name: str


class EndpointAlias(msgspec.Struct, frozen=True):
    """A name that a consumer has given to an endpoint in its VPC, or to one zone of it."""

    endpoint_id: EndpointId
    name: str
    vpc_id: VpcId
    zone_id: str  # empty: all of its zones
    created_at: str
