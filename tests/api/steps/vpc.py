"""VPC: a network comes, is looked at and goes."""

from tests.api.transcript import NODE_CATCHES_UP, call, refused

STEPS = [
    call("CreateVpc", CidrBlock="10.0.0.0/16", VpcName="shop", Description="where the shop runs"),
    refused("InvalidCidrBlock.Malformed", "CreateVpc", CidrBlock="10.0.0.5/16"),
    call(
        "CreateVSwitch",
        VpcId="vpc-1",
        ZoneId="local-a",
        CidrBlock="10.0.0.0/24",
        VSwitchName="shop-a",
    ),
    refused(
        "InvalidCidrBlock.Overlapped",
        "CreateVSwitch",
        VpcId="vpc-1",
        ZoneId="local-b",
        CidrBlock="10.0.0.0/25",
    ),
    NODE_CATCHES_UP,
    call("DescribeVpcs", VpcName="shop"),
    refused("InvalidPageSize", "DescribeVpcs", PageSize=51),
    call("DescribeVpcAttribute", VpcId="vpc-1"),
    refused("InvalidVpcId.NotFound", "DescribeVpcAttribute", VpcId="vpc-none"),
    call("DescribeVSwitches", VpcId="vpc-1"),
    refused("InvalidPageNumber", "DescribeVSwitches", PageNumber=0),
    call("DescribeVSwitchAttributes", VSwitchId="vsw-1"),
    refused("InvalidVSwitchId.NotFound", "DescribeVSwitchAttributes", VSwitchId="vsw-none"),
    refused("DependencyViolation.VSwitch", "DeleteVpc", VpcId="vpc-1"),
    call(
        "nlb.CreateLoadBalancer",
        VpcId="vpc-1",
        AddressType="Intranet",
        ZoneMappings=[
            {"ZoneId": "local-a", "VSwitchId": "vsw-1"},
        ],
    ),
    refused("DependencyViolation.LoadBalancer", "DeleteVSwitch", VSwitchId="vsw-1"),
    call("nlb.DeleteLoadBalancer", LoadBalancerId="nlb-1"),
    call("DeleteVSwitch", VSwitchId="vsw-1"),
    call("DeleteVpc", VpcId="vpc-1"),
]
