"""Reverse endpoints by Alibaba Cloud's own SDKs: a provider calls servers of its consumers.

Its door is an address of a NAT gateway in its own VPC. A port of that leads to one server behind
one endpoint, whose owner has consented.
"""

from __future__ import annotations

from alibabacloud_privatelink20200415 import models as privatelink
from alibabacloud_vpc20160428 import models as vpc

from demo.cloud import REGION, ZONE, Cloud, Network, wait_for


def nat_gateway(cloud: Cloud, network: Network) -> str:
    """A NAT gateway of a VPC, once its node answers for its address."""
    made: str = cloud.vpc.create_nat_gateway(
        vpc.CreateNatGatewayRequest(
            region_id=REGION,
            vpc_id=network.vpc,
            v_switch_id=network.vswitch,
            nat_type="Enhanced",
            network_type="intranet",
            private_link_enabled=True,
        )
    ).body.nat_gateway_id
    wait_for(lambda: _shown(cloud, made).status == "Available", f"{made} Available")
    return made


def nat_ip(cloud: Cloud, gateway: str) -> str:
    """The address of a NAT gateway."""
    address: str = _shown(cloud, gateway).private_info.private_ip_address
    return address


def service(cloud: Cloud, gateway: str) -> str:
    """An endpoint service on a NAT gateway, which its owner has to accept endpoints of."""
    resource = privatelink.CreateVpcEndpointServiceRequestResource(
        resource_type="vpcnat", resource_id=gateway, zone_id=ZONE
    )
    made: str = cloud.privatelink.create_vpc_endpoint_service(
        privatelink.CreateVpcEndpointServiceRequest(
            region_id=REGION, service_resource_type="vpcnat", resource=[resource]
        )
    ).body.service_id
    return made


def open_group(cloud: Cloud, network: Network) -> str:
    """A security group that lets everything in, as a Reverse endpoint's must."""
    return cloud.security_group(network, ("all", "-1/-1"), source="0.0.0.0/0")


def endpoint(
    cloud: Cloud, network: Network, of_service: str, group: str, address: str | None = None
) -> str:
    """A Reverse endpoint in the network's zone, at an address of our choice or any."""
    zone = privatelink.CreateVpcEndpointRequestZone(
        zone_id=ZONE, v_switch_id=network.vswitch, ip=address
    )
    made: str = cloud.privatelink.create_vpc_endpoint(
        privatelink.CreateVpcEndpointRequest(
            region_id=REGION,
            endpoint_type="Reverse",
            vpc_id=network.vpc,
            service_id=of_service,
            security_group_id=[group],
            zone=[zone],
        )
    ).body.endpoint_id
    return made


def interface(cloud: Cloud, made: str, of_service: str) -> str:
    """The network interface of an endpoint, as its service's owner sees it."""
    request = privatelink.ListVpcEndpointConnectionsRequest(
        region_id=REGION, service_id=of_service, endpoint_id=made
    )
    (connection,) = cloud.privatelink.list_vpc_endpoint_connections(request).body.connections
    eni: str = connection.zones[0].eni_id
    return eni


def entry(
    cloud: Cloud, gateway: str, eni: str, target: str, port: int, protocol: str = "TCP"
) -> str:
    """A full-NAT entry, on a free port of the NAT gateway's address, that leads to a target."""
    made: str = cloud.vpc.create_full_nat_entry(
        vpc.CreateFullNatEntryRequest(
            region_id=REGION,
            full_nat_table_id=_shown(cloud, gateway).full_nat_table.full_nat_table_id,
            network_interface_id=eni,
            ip_protocol=protocol,
            nat_ip=nat_ip(cloud, gateway),
            access_ip=target,
            access_port=str(port),
        )
    ).body.full_nat_entry_id
    return made


def door(cloud: Cloud, gateway: str, made: str) -> int:
    """The port that a full-NAT entry has."""
    return int(_entry(cloud, gateway, made).nat_ip_port)


def await_entry(cloud: Cloud, gateway: str, made: str) -> None:
    """Wait until bytes pass by a full-NAT entry."""
    wait_for(
        lambda: _entry(cloud, gateway, made).full_nat_entry_status == "Available",
        f"{made} Available",
    )


def _shown(cloud: Cloud, gateway: str) -> vpc.GetNatGatewayAttributeResponseBody:
    request = vpc.GetNatGatewayAttributeRequest(region_id=REGION, nat_gateway_id=gateway)
    return cloud.vpc.get_nat_gateway_attribute(request).body


def _entry(
    cloud: Cloud, gateway: str, made: str
) -> vpc.ListFullNatEntriesResponseBodyFullNatEntries:
    request = vpc.ListFullNatEntriesRequest(
        region_id=REGION, nat_gateway_id=gateway, full_nat_entry_id=made
    )
    (found,) = cloud.vpc.list_full_nat_entries(request).body.full_nat_entries
    return found
