"""Gateway endpoints by Alibaba Cloud's own SDKs, and the scene of the demo that has one.

What a gateway endpoint leads to keeps its own addresses: a route of the consumer's goes there.
"""

from __future__ import annotations

from alibabacloud_vpc20160428 import models as vpc

from demo.cloud import REGION, Cloud, Network, wait_for

BLOCK = "198.51.100.0/24"  # of the demo's provider, for examples (RFC 5737)
NAME = "com.privlink.local.objects"


def home(cloud: Cloud) -> Network:
    """A VPC that is a block to publish, whole."""
    return cloud.network("objects", cidr=BLOCK, subnet=BLOCK)


def system_table(cloud: Cloud, network: Network) -> str:
    """The route table that a VPC was born with."""
    request = vpc.DescribeVpcsRequest(region_id=REGION, vpc_id=network.vpc)
    (shown,) = cloud.vpc.describe_vpcs(request).body.vpcs.vpc
    table: str = shown.router_table_ids.router_table_ids[0]
    return table


def endpoint(cloud: Cloud, network: Network, service: str = NAME) -> str:
    """A gateway endpoint in a VPC, in no route table yet, once its node has it."""
    made: str = cloud.vpc.create_vpc_gateway_endpoint(
        vpc.CreateVpcGatewayEndpointRequest(
            region_id=REGION, vpc_id=network.vpc, service_name=service
        )
    ).body.endpoint_id
    await_created(cloud, made)
    return made


def associate(cloud: Cloud, made: str, table: str) -> None:
    """Write the route to a gateway endpoint into a table, and wait until it leads there."""
    cloud.vpc.associate_route_tables_with_vpc_gateway_endpoint(
        vpc.AssociateRouteTablesWithVpcGatewayEndpointRequest(
            region_id=REGION, endpoint_id=made, route_table_ids=[table]
        )
    )
    await_created(cloud, made)


def dissociate(cloud: Cloud, made: str, table: str) -> None:
    """Take the route out of a table again, and wait until it leads nowhere."""
    cloud.vpc.dissociate_route_tables_from_vpc_gateway_endpoint(
        vpc.DissociateRouteTablesFromVpcGatewayEndpointRequest(
            region_id=REGION, endpoint_id=made, route_table_ids=[table]
        )
    )
    await_created(cloud, made)


def delete(cloud: Cloud, made: str) -> None:
    """Delete a gateway endpoint, and wait until it is gone."""
    cloud.vpc.delete_vpc_gateway_endpoint(
        vpc.DeleteVpcGatewayEndpointRequest(region_id=REGION, endpoint_id=made)
    )
    request = vpc.ListVpcGatewayEndpointsRequest(region_id=REGION, endpoint_id=made)
    wait_for(
        lambda: not cloud.vpc.list_vpc_gateway_endpoints(request).body.endpoints, f"{made} gone"
    )


def await_created(cloud: Cloud, made: str) -> None:
    """Wait until nothing of a gateway endpoint is under way."""
    request = vpc.GetVpcGatewayEndpointAttributeRequest(region_id=REGION, endpoint_id=made)
    wait_for(
        lambda: (
            cloud.vpc.get_vpc_gateway_endpoint_attribute(request).body.endpoint_status == "Created"
        ),
        f"{made} Created",
    )
