"""A full-NAT entry and the rule of the consumer's that lets it in, for tests of several rooms."""

from __future__ import annotations

from typing import Any

import msgspec

from privlink.model.ids import (
    EndpointId,
    EniId,
    FullNatEntryId,
    NatGatewayId,
    NatIpId,
    SecurityGroupId,
    VpcId,
    ZoneId,
)
from privlink.model.items import Protocol
from privlink.model.nat import FullNatEntry
from privlink.model.security import Direction, SecurityGroupRule

ENTRY = FullNatEntry(
    id=FullNatEntryId("fullnat-1"),
    gateway_id=NatGatewayId("ngw-1"),
    nat_ip_id=NatIpId("vpcnatip-1"),
    protocol=Protocol.TCP,
    port=15432,
    balancer=71,
    endpoint_id=EndpointId("ep-1"),
    zone_id=ZoneId("local-a"),
    eni_id=EniId("eni-1"),
    place=33,
    target_vpc_id=VpcId("vpc-1"),
    domain="",
    target="10.0.0.77",
    target_port=5432,
    name="",
    description="",
    created_at="",
)


def rule(**given: Any) -> SecurityGroupRule:
    """A rule that lets everything in by IPv4, but for what is given."""
    everything = SecurityGroupRule(
        id="sgr-1",
        group_id=SecurityGroupId("sg-1"),
        policy="Accept",
        priority=10,
        protocol="ALL",
        low=-1,
        high=-1,
        cidr="0.0.0.0/0",
        description="",
        created_at="",
        direction=Direction.INGRESS,
    )
    return msgspec.structs.replace(everything, **given)
