"""Alibaba Cloud's own SDKs, unmodified, pointed at privlink, with one verb for each thing to make.

The demo and the tests build their networks with it. Nothing here knows privlink but for the
address it listens on: what works here works in your programs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from alibabacloud_ecs20140526 import models as ecs
from alibabacloud_ecs20140526.client import Client as Ecs
from alibabacloud_nlb20220430 import models as nlb
from alibabacloud_nlb20220430.client import Client as Nlb
from alibabacloud_privatelink20200415 import models as privatelink
from alibabacloud_privatelink20200415.client import Client as PrivateLink
from alibabacloud_tea_openapi.models import Config
from alibabacloud_vpc20160428 import models as vpc
from alibabacloud_vpc20160428.client import Client as Vpc

REGION, ZONE = "local", "local-a"
PATIENCE = 10.0  # seconds until waiting is given up


class Network(NamedTuple):
    """A VPC and its one vSwitch."""

    vpc: str
    vswitch: str


class Cloud:
    """One account's clients of the four products."""

    def __init__(self, endpoint: str, access_key_id: str, access_key_secret: str) -> None:
        config = Config(
            access_key_id=access_key_id,
            access_key_secret=access_key_secret,
            endpoint=endpoint,
            protocol="http",
            region_id=REGION,
        )
        self.vpc, self.ecs = Vpc(config), Ecs(config)
        self.nlb, self.privatelink = Nlb(config), PrivateLink(config)

    def open_privatelink(self) -> None:
        """Switch PrivateLink on, as an account that was created for somebody has to."""
        request = privatelink.OpenPrivateLinkServiceRequest()
        self.privatelink.open_private_link_service(request)

    def network(
        self,
        name: str,
        cidr: str = "10.0.0.0/16",
        subnet: str = "10.0.0.0/24",
        zone: str = ZONE,
    ) -> Network:
        """A VPC with one vSwitch, once its node has made that."""
        vpc_id = self.vpc.create_vpc(
            vpc.CreateVpcRequest(region_id=REGION, cidr_block=cidr, vpc_name=name)
        ).body.vpc_id
        return Network(vpc_id, self.vswitch(vpc_id, subnet, zone))

    def vswitch(self, vpc_id: str, subnet: str, zone: str = ZONE) -> str:
        """A vSwitch of a VPC in a zone, once its node has made it."""
        vswitch_id: str = self.vpc.create_vswitch(
            vpc.CreateVSwitchRequest(
                region_id=REGION, zone_id=zone, vpc_id=vpc_id, cidr_block=subnet
            )
        ).body.v_switch_id
        request = vpc.DescribeVSwitchAttributesRequest(region_id=REGION, v_switch_id=vswitch_id)
        wait_for(
            lambda: self.vpc.describe_vswitch_attributes(request).body.status == "Available",
            f"{vswitch_id} Available",
        )
        return vswitch_id

    def vswitches(self) -> list[str]:
        """The ids of this account's vSwitches."""
        request = vpc.DescribeVSwitchesRequest(region_id=REGION, page_size=50)
        found = self.vpc.describe_vswitches(request).body.v_switches.v_switch
        return [vswitch.v_switch_id for vswitch in found]

    def load_balancer(
        self,
        network: Network,
        servers: Sequence[str],
        port: int,
        zone: str = ZONE,
        protocol: str = "TCP",
        checked: bool = True,
    ) -> str:
        """A load balancer that spreads a port over servers, given by their addresses.

        Unless they are `checked`, they take flows whether they answer or not.
        """
        balancer: str = self.nlb.create_load_balancer(
            nlb.CreateLoadBalancerRequest(
                region_id=REGION,
                vpc_id=network.vpc,
                address_type="Intranet",
                zone_mappings=[
                    nlb.CreateLoadBalancerRequestZoneMappings(
                        zone_id=zone, v_switch_id=network.vswitch
                    )
                ],
            )
        ).body.loadbalancer_id
        group = self.nlb.create_server_group(
            nlb.CreateServerGroupRequest(
                region_id=REGION,
                vpc_id=network.vpc,
                server_group_name="servers",
                server_group_type="Ip",
                protocol=protocol,
                health_check_config=nlb.CreateServerGroupRequestHealthCheckConfig(
                    health_check_enabled=checked
                ),
            )
        ).body.server_group_id
        self.nlb.add_servers_to_server_group(
            nlb.AddServersToServerGroupRequest(
                region_id=REGION,
                server_group_id=group,
                servers=[
                    nlb.AddServersToServerGroupRequestServers(
                        server_type="Ip", server_id=address, port=port
                    )
                    for address in servers
                ],
            )
        )
        self.nlb.create_listener(
            nlb.CreateListenerRequest(
                region_id=REGION,
                load_balancer_id=balancer,
                listener_protocol=protocol,
                listener_port=port,
                server_group_id=group,
            )
        )
        return balancer

    def service(self, balancer: str, *, auto_accept: bool = False) -> str:
        """An endpoint service on a load balancer."""
        resource = privatelink.CreateVpcEndpointServiceRequestResource(
            resource_type="nlb", resource_id=balancer, zone_id=ZONE
        )
        service: str = self.privatelink.create_vpc_endpoint_service(
            privatelink.CreateVpcEndpointServiceRequest(
                region_id=REGION,
                service_resource_type="nlb",
                auto_accept_enabled=auto_accept,
                resource=[resource],
            )
        ).body.service_id
        return service

    def gateway_endpoint(self, network: Network, service: str) -> str:
        """A gateway endpoint that the vSwitches of a VPC have the route to, once it is there."""
        endpoint: str = self.vpc.create_vpc_gateway_endpoint(
            vpc.CreateVpcGatewayEndpointRequest(
                region_id=REGION, vpc_id=network.vpc, service_name=service
            )
        ).body.endpoint_id
        self.await_gateway_endpoint(endpoint)
        self.associate(endpoint, self.route_table(network))
        return endpoint

    def associate(self, endpoint: str, table: str) -> None:
        """Write the route to a gateway endpoint into a table, and wait until it leads there."""
        self.vpc.associate_route_tables_with_vpc_gateway_endpoint(
            vpc.AssociateRouteTablesWithVpcGatewayEndpointRequest(
                region_id=REGION, endpoint_id=endpoint, route_table_ids=[table]
            )
        )
        self.await_gateway_endpoint(endpoint)

    def route_table(self, network: Network) -> str:
        """The route table that every VPC comes with."""
        request = vpc.DescribeRouteTableListRequest(
            region_id=REGION, vpc_id=network.vpc, route_table_type="System"
        )
        (found,) = self.vpc.describe_route_table_list(
            request
        ).body.router_table_list.router_table_list_type
        table: str = found.route_table_id
        return table

    def await_gateway_endpoint(self, endpoint: str) -> None:
        """Wait until nothing of a gateway endpoint is under way any more."""
        request = vpc.GetVpcGatewayEndpointAttributeRequest(region_id=REGION, endpoint_id=endpoint)
        wait_for(
            lambda: (
                self.vpc.get_vpc_gateway_endpoint_attribute(request).body.endpoint_status
                == "Created"
            ),
            f"{endpoint} Created",
        )

    def nat_gateway(self, network: Network) -> tuple[str, str]:
        """A NAT gateway to call customers from: its id and its address."""
        gateway: str = self.vpc.create_nat_gateway(
            vpc.CreateNatGatewayRequest(
                region_id=REGION,
                vpc_id=network.vpc,
                v_switch_id=network.vswitch,
                nat_type="Enhanced",
                network_type="intranet",
                private_link_enabled=True,
            )
        ).body.nat_gateway_id
        request = vpc.ListNatIpsRequest(region_id=REGION, nat_gateway_id=gateway)
        (nat_ip,) = self.vpc.list_nat_ips(request).body.nat_ips
        return gateway, nat_ip.nat_ip

    def reverse_service(self, gateway: str, zones: Sequence[str] = (ZONE,)) -> str:
        """An endpoint service that calls its customers through a NAT gateway."""
        resources = [
            privatelink.CreateVpcEndpointServiceRequestResource(
                resource_type="vpcnat", resource_id=gateway, zone_id=zone
            )
            for zone in zones
        ]
        service: str = self.privatelink.create_vpc_endpoint_service(
            privatelink.CreateVpcEndpointServiceRequest(
                region_id=REGION, service_resource_type="vpcnat", resource=resources
            )
        ).body.service_id
        return service

    def full_nat_entry(
        self,
        gateway: str,
        nat_ip: str,
        endpoint: str,
        target: str,
        port: int,
        protocol: str = "TCP",
        zone: str = ZONE,
    ) -> tuple[str, int]:
        """A port of a NAT gateway for a customer's server: the id of its entry, and the port."""
        request = vpc.GetNatGatewayAttributeRequest(region_id=REGION, nat_gateway_id=gateway)
        table = self.vpc.get_nat_gateway_attribute(request).body.full_nat_table
        entry: str = self.vpc.create_full_nat_entry(
            vpc.CreateFullNatEntryRequest(
                region_id=REGION,
                full_nat_table_id=table.full_nat_table_id,
                ip_protocol=protocol,
                nat_ip=nat_ip,
                network_interface_id=self.interfaces(endpoint)[zone],
                access_ip=target,
                access_port=str(port),
            )
        ).body.full_nat_entry_id
        listing = vpc.ListFullNatEntriesRequest(
            region_id=REGION, nat_gateway_id=gateway, full_nat_entry_id=entry
        )

        def is_there() -> bool:
            (found,) = self.vpc.list_full_nat_entries(listing).body.full_nat_entries
            return bool(found.full_nat_entry_status == "Available")

        wait_for(is_there, f"{entry} Available")
        (found,) = self.vpc.list_full_nat_entries(listing).body.full_nat_entries
        return entry, int(found.nat_ip_port)

    def interfaces(self, endpoint: str) -> dict[str, str]:
        """The ids of an endpoint's ENIs by zone, as its provider sees them: it may be a
        customer's.
        """
        seen = privatelink.ListVpcEndpointConnectionsRequest(region_id=REGION, endpoint_id=endpoint)
        (connection,) = self.privatelink.list_vpc_endpoint_connections(seen).body.connections
        return {each.zone_id: each.eni_id for each in connection.zones}

    def security_group(
        self, network: Network, *rules: tuple[str, str], source: str = "10.0.0.0/8"
    ) -> str:
        """A security group that lets a source use protocols and port ranges."""
        group: str = self.ecs.create_security_group(
            ecs.CreateSecurityGroupRequest(region_id=REGION, vpc_id=network.vpc)
        ).body.security_group_id
        self.ecs.authorize_security_group(
            ecs.AuthorizeSecurityGroupRequest(
                region_id=REGION,
                security_group_id=group,
                permissions=[
                    ecs.AuthorizeSecurityGroupRequestPermissions(
                        ip_protocol=protocol, port_range=ports, source_cidr_ip=source
                    )
                    for protocol, ports in rules
                ],
            )
        )
        return group

    def allow(self, group: str, protocol: str, ports: str, source: str = "10.0.0.0/8") -> None:
        """One more rule in a security group."""
        self.ecs.authorize_security_group(
            ecs.AuthorizeSecurityGroupRequest(
                region_id=REGION,
                security_group_id=group,
                ip_protocol=protocol,
                port_range=ports,
                source_cidr_ip=source,
            )
        )

    def endpoint(
        self,
        network: Network,
        service: str,
        group: str,
        address: str | None = None,
        kind: str = "Interface",
    ) -> str:
        """An endpoint in the network's zone, at an address of our choice or any."""
        zone = privatelink.CreateVpcEndpointRequestZone(
            zone_id=ZONE, v_switch_id=network.vswitch, ip=address
        )
        endpoint: str = self.privatelink.create_vpc_endpoint(
            privatelink.CreateVpcEndpointRequest(
                region_id=REGION,
                vpc_id=network.vpc,
                service_id=service,
                endpoint_type=kind,
                security_group_id=[group],
                zone=[zone],
            )
        ).body.endpoint_id
        return endpoint

    def accept(self, service: str, endpoint: str) -> None:
        """The provider's yes."""
        self.privatelink.enable_vpc_endpoint_connection(
            privatelink.EnableVpcEndpointConnectionRequest(
                region_id=REGION, service_id=service, endpoint_id=endpoint
            )
        )

    def refuse(self, service: str, endpoint: str) -> None:
        """The provider's no, also to a connection it had accepted."""
        self.privatelink.disable_vpc_endpoint_connection(
            privatelink.DisableVpcEndpointConnectionRequest(
                region_id=REGION, service_id=service, endpoint_id=endpoint
            )
        )

    def connection_status(self, endpoint: str) -> str:
        """What the consumer sees of its connection."""
        request = privatelink.GetVpcEndpointAttributeRequest(region_id=REGION, endpoint_id=endpoint)
        status: str = self.privatelink.get_vpc_endpoint_attribute(request).body.connection_status
        return status

    def domain(self, endpoint: str) -> str:
        """The name that an endpoint has by itself."""
        request = privatelink.GetVpcEndpointAttributeRequest(region_id=REGION, endpoint_id=endpoint)
        domain: str = self.privatelink.get_vpc_endpoint_attribute(request).body.endpoint_domain
        return domain

    def await_connection(self, endpoint: str, status: str) -> None:
        """Wait until an endpoint's connection has a status."""
        wait_for(lambda: self.connection_status(endpoint) == status, f"{endpoint} {status}")

    def await_zone(self, endpoint: str, status: str) -> None:
        """Wait until the endpoint's one zone has a status."""
        request = privatelink.ListVpcEndpointZonesRequest(region_id=REGION, endpoint_id=endpoint)
        wait_for(
            lambda: (
                [
                    zone.zone_status
                    for zone in self.privatelink.list_vpc_endpoint_zones(request).body.zones
                ]
                == [status]
            ),
            f"{endpoint} {status}",
        )


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until the cloud says so. Raises TimeoutError."""
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {PATIENCE:.0f} s: {what}")
        time.sleep(0.002)
