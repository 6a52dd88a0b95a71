"""VPC: a network comes, is looked at, gets route tables, tags and a resource group, and goes."""

from tests.api.transcript import NODE_CATCHES_UP, call, refused

PLACES = [
    call("DescribeRegions"),
    refused("InvalidProductType", "DescribeRegions", ProductType="CEN"),
    call("DescribeZones"),
    refused("RegionNotFound", "DescribeZones", RegionId="cn-hangzhou"),
]

NETWORK = [
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
    call(
        "ModifyVpcAttribute", VpcId="vpc-1", VpcName="shop-test", Description="where we try things"
    ),
    refused(
        "UnsupportedParameter.CidrBlock",
        "ModifyVpcAttribute",
        VpcId="vpc-1",
        CidrBlock="10.0.0.0/8",
    ),
    call("ModifyVSwitchAttribute", VSwitchId="vsw-1", VSwitchName="shop-test-a"),
    refused(
        "InvalidVSwitchName",
        "ModifyVSwitchAttribute",
        VSwitchId="vsw-1",
        VSwitchName="http://shop",
    ),
]

# vtb-1 is the system table, which came with the VPC.
ROUTES = [
    call("CreateRouteTable", VpcId="vpc-1", RouteTableName="shop", Description="of the shop"),
    refused("InvalidAssociateType", "CreateRouteTable", VpcId="vpc-1", AssociateType="Gateway"),
    call("AssociateRouteTable", RouteTableId="vtb-2", VSwitchId="vsw-1"),
    refused(
        "OperationDenied.SystemRouteTable",
        "AssociateRouteTable",
        RouteTableId="vtb-1",
        VSwitchId="vsw-1",
    ),
    call("DescribeRouteTableList", VpcId="vpc-1"),
    refused("InvalidPageSize", "DescribeRouteTableList", PageSize=51),
    call("DescribeRouteEntryList", RouteTableId="vtb-2"),
    refused("InvalidRouteTableId.NotFound", "DescribeRouteEntryList", RouteTableId="vtb-none"),
    call("ModifyRouteTableAttributes", RouteTableId="vtb-2", RouteTableName="shop-test"),
    refused(
        "UnsupportedParameter.RoutePropagationEnable",
        "ModifyRouteTableAttributes",
        RouteTableId="vtb-2",
        RoutePropagationEnable=True,
    ),
    refused("DependencyViolation.VSwitch", "DeleteRouteTable", RouteTableId="vtb-2"),
    call("UnassociateRouteTable", RouteTableId="vtb-2", VSwitchId="vsw-1"),
    refused(
        "InvalidParameter.RouteTableId",
        "UnassociateRouteTable",
        RouteTableId="vtb-2",
        VSwitchId="vsw-1",
    ),
    call("DeleteRouteTable", RouteTableId="vtb-2"),
]

LABELS = [
    call(
        "TagResources",
        ResourceType="VPC",
        ResourceId=["vpc-1"],
        Tag=[{"Key": "team", "Value": "red"}, {"Key": "stage", "Value": "test"}],
    ),
    refused(
        "InvalidResourceType",
        "TagResources",
        ResourceType="EIP",
        ResourceId=["eip-1"],
        Tag=[{"Key": "team", "Value": "red"}],
    ),
    call("ListTagResources", ResourceType="VPC", Tag=[{"Key": "team", "Value": "red"}]),
    refused("BothEmpty.TagsAndResources", "ListTagResources", ResourceType="VPC"),
    call("UnTagResources", ResourceType="VPC", ResourceId=["vpc-1"], TagKey=["stage"]),
    refused("MissingParameter.TagKey", "UnTagResources", ResourceType="VPC", ResourceId=["vpc-1"]),
    call("resourcemanager.CreateResourceGroup", Name="shop", DisplayName="The shop"),
    call("MoveResourceGroup", ResourceType="vpc", ResourceId="vpc-1", NewResourceGroupId="rg-1"),
    refused(
        "InvalidResourceType",
        "MoveResourceGroup",
        ResourceType="vswitch",
        ResourceId="vsw-1",
        NewResourceGroupId="rg-1",
    ),
    call("DescribeVpcs", ResourceGroupId="rg-1", Tag=[{"Key": "team"}]),
]

# IPv6 beside IPv4: vpc-2 has the block it asks for, vpc-3 one by chance.
DUAL_STACK = [
    call(
        "CreateVpc",
        CidrBlock="10.0.0.0/16",
        EnableIpv6=True,
        Ipv6CidrBlock="fd00:0:0:100::/56",
        Ipv6Isp="BGP",
    ),
    call("CreateVpc", CidrBlock="10.0.0.0/16", EnableIpv6=True),
    refused(
        "InvalidIpv6CidrBlock.Malformed", "CreateVpc", EnableIpv6=True, Ipv6CidrBlock="fe80::/56"
    ),
    refused("MissingParam.EnableIpv6", "CreateVpc", Ipv6CidrBlock="fd00:0:0:100::/56"),
    call(
        "CreateVSwitch",
        VpcId="vpc-2",
        ZoneId="local-a",
        CidrBlock="10.0.0.0/24",
        Ipv6CidrBlock=1,
        Ipv6CidrMask=64,
        VpcIpv6CidrBlock="fd00:0:0:100::/56",
    ),
    refused(
        "InvalidIpv6CidrBlock.Overlapped",
        "CreateVSwitch",
        VpcId="vpc-2",
        ZoneId="local-b",
        CidrBlock="10.0.1.0/24",
        Ipv6CidrBlock=1,
    ),
    refused(
        "OperationUnsupported.Ipv6Feature",
        "CreateVSwitch",
        VpcId="vpc-1",
        ZoneId="local-b",
        CidrBlock="10.0.1.0/24",
        Ipv6CidrBlock=1,
    ),
    call("DescribeVpcAttribute", VpcId="vpc-2"),
    call("DescribeVpcs", EnableIpv6=True),
    call("DescribeVSwitchAttributes", VSwitchId="vsw-2"),
    call("DescribeVSwitches", EnableIpv6=True),
    refused("DependencyViolation.Ipv6", "ModifyVpcAttribute", VpcId="vpc-2", EnableIPv6=False),
    call("ModifyVSwitchAttribute", VSwitchId="vsw-2", EnableIPv6=False),
    call("ModifyVpcAttribute", VpcId="vpc-2", EnableIPv6=False),
    call(
        "ModifyVpcAttribute",
        VpcId="vpc-2",
        EnableIPv6=True,
        Ipv6CidrBlock="fd00:0:0:200::/56",
        Ipv6Isp="BGP",
    ),
    refused(
        "OperationFailed.Ipv6CidrBlockExisted",
        "ModifyVpcAttribute",
        VpcId="vpc-2",
        EnableIPv6=True,
        Ipv6CidrBlock="fd00:0:0:100::/56",
    ),
    call(
        "ModifyVSwitchAttribute",
        VSwitchId="vsw-2",
        EnableIPv6=True,
        Ipv6CidrBlock=2,
        Ipv6CidrMask=64,
        VpcIpv6CidrBlock="fd00:0:0:200::/56",
    ),
    call("privlink.CreateAttachment", VSwitchId="vsw-2"),
    refused(
        "DependencyViolation.Ipv6",
        "ModifyVSwitchAttribute",
        VSwitchId="vsw-2",
        EnableIPv6=False,
    ),
]

END = [
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

# A NAT gateway of the provider's in vpc-4, whose customer is in vpc-5: both 10.0.0.0/16.
TABLE, ENI = {"FullNatTableId": "fulltb-1"}, "eni-3"
NAT_GATEWAYS = [
    call("CreateVpc", CidrBlock="10.0.0.0/16"),
    call("CreateVSwitch", VpcId="vpc-4", ZoneId="local-a", CidrBlock="10.0.0.0/24"),
    call(
        "CreateNatGateway",
        VpcId="vpc-4",
        VSwitchId="vsw-3",
        NetworkType="intranet",
        PrivateLinkEnabled=True,
        Name="to-customers",
        NatType="Enhanced",
        InternetChargeType="PayByLcu",
        Tag=[{"Key": "team", "Value": "red"}],
    ),
    refused("InvalidNetworkType", "CreateNatGateway", VpcId="vpc-4", VSwitchId="vsw-3"),
    call("DescribeNatGateways", NatGatewayId="ngw-1"),
    NODE_CATCHES_UP,
    call("DescribeNatGateways", VpcId="vpc-4", Status="Available"),
    refused("InvalidPageSize", "DescribeNatGateways", PageSize=51),
    call("GetNatGatewayAttribute", NatGatewayId="ngw-1"),
    refused("InvalidNatGatewayId.NotFound", "GetNatGatewayAttribute", NatGatewayId="ngw-none"),
    call("ModifyNatGatewayAttribute", NatGatewayId="ngw-1", Description="where we call them"),
    refused("InvalidName", "ModifyNatGatewayAttribute", NatGatewayId="ngw-1", Name="http://out"),
    call("CreateNatIp", NatGatewayId="ngw-1", NatIpCidr="10.0.0.0/24", NatIpName="second"),
    refused("InvalidNatIpCidr", "CreateNatIp", NatGatewayId="ngw-1", NatIpCidr="10.0.9.0/24"),
    call("ListNatIps", NatGatewayId="ngw-1"),
    refused("InvalidMaxResults", "ListNatIps", NatGatewayId="ngw-1", MaxResults="101"),
    call(
        "privatelink.CreateVpcEndpointService",
        ServiceResourceType="vpcnat",
        AutoAcceptEnabled=True,
        Resource=[{"ResourceType": "vpcnat", "ResourceId": "ngw-1"}],
    ),
    call("CreateVpc", CidrBlock="10.0.0.0/16"),
    call("CreateVSwitch", VpcId="vpc-5", ZoneId="local-a", CidrBlock="10.0.0.0/24"),
    call("ecs.CreateSecurityGroup", VpcId="vpc-5"),
    call(
        "ecs.AuthorizeSecurityGroup",
        SecurityGroupId="sg-1",
        Permissions=[{"IpProtocol": "all", "PortRange": "-1/-1", "SourceCidrIp": "0.0.0.0/0"}],
    ),
    call(
        "privatelink.CreateVpcEndpoint",
        EndpointType="Reverse",
        ServiceId="epsrv-1",
        VpcId="vpc-5",
        SecurityGroupId=["sg-1"],
        Zone=[{"ZoneId": "local-a", "VSwitchId": "vsw-4"}],
    ),
    NODE_CATCHES_UP,
    call("DescribeNatGatewayAssociateNetworkInterfaces", NatGatewayId="ngw-1"),
    refused(
        "InvalidFilter",
        "DescribeNatGatewayAssociateNetworkInterfaces",
        NatGatewayId="ngw-1",
        Filter=[{"Key": "Color", "Value": "red"}],
    ),
    call("VpcDescribeVpcNatGatewayNetworkInterfaceQuota", NatGatewayId="ngw-1"),
    refused(
        "InvalidNatGatewayId.NotFound",
        "VpcDescribeVpcNatGatewayNetworkInterfaceQuota",
        NatGatewayId="ngw-none",
    ),
    call(
        "CreateFullNatEntry",
        **TABLE,
        IpProtocol="TCP",
        NatIp="10.0.0.1",
        NatIpPort=15432,
        NetworkInterfaceId=ENI,
        AccessIp="10.0.0.77",
        AccessPort=5432,
        FullNatEntryName="their-database",
    ),
    refused(
        "InvalidAccessDomain",
        "CreateFullNatEntry",
        **TABLE,
        IpProtocol="TCP",
        NatIp="10.0.0.1",
        NetworkInterfaceId=ENI,
        AccessDomain="db.customer.example",
        AccessPort=5432,
    ),
    NODE_CATCHES_UP,
    call("ListFullNatEntries", NatGatewayId="ngw-1"),
    refused("MissingNatGatewayId", "ListFullNatEntries"),
    call("ModifyFullNatEntryAttribute", **TABLE, FullNatEntryId="fullnat-1", AccessPort=5433),
    refused(
        "InvalidAccessIp",
        "ModifyFullNatEntryAttribute",
        **TABLE,
        FullNatEntryId="fullnat-1",
        AccessIp="192.168.0.1",
    ),
    call("ListFullNatEntries", **TABLE),
    refused("DependencyViolation.FullNatEntry", "DeleteNatGateway", NatGatewayId="ngw-1"),
    call("DeleteFullNatEntry", **TABLE, FullNatEntryId="fullnat-1"),
    refused(
        "InvalidFullNatEntryId.NotFound", "DeleteFullNatEntry", **TABLE, FullNatEntryId="fullnat-1"
    ),
    refused("OperationDenied.DefaultNatIp", "DeleteNatIp", NatIpId="vpcnatip-2"),
    call("DeleteNatIp", NatIpId="vpcnatip-1"),
    refused("DependencyViolation.VpcEndpointService", "DeleteNatGateway", NatGatewayId="ngw-1"),
    call(
        "CreateNatGateway",
        VpcId="vpc-4",
        VSwitchId="vsw-3",
        NetworkType="intranet",
        NatIp="10.0.0.50",
    ),
    call("DeleteNatGateway", NatGatewayId="ngw-2"),
]

STEPS = [*PLACES, *NETWORK, *ROUTES, *LABELS, *DUAL_STACK, *END, *NAT_GATEWAYS]
