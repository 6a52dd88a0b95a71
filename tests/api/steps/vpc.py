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

# vtb-1 is the system table, which came with the VPC. rte-1 to rte-3 are written in vtb-2.
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
    call("privlink.CreateAttachment", VSwitchId="vsw-1"),
    call(
        "CreateVpcPrefixList",
        PrefixListName="offices",
        PrefixListDescription="where we sit",
        MaxEntries=10,
        PrefixListEntries=[
            {"Cidr": "192.168.0.0/24", "Description": "the first"},
            {"Cidr": "10.0.0.128/25"},
        ],
    ),
    refused(
        "IllegalParam.CidrBlock",
        "CreateVpcPrefixList",
        PrefixListEntries=[{"Cidr": "192.168.0.1/24"}],
    ),
    call(
        "CreateRouteEntry",
        RouteTableId="vtb-2",
        DestinationCidrBlock="172.16.0.0/12",
        NextHopType="NetworkInterface",
        NextHopId="eni-1",
        RouteEntryName="office",
        Description="by the router",
    ),
    refused(
        "InvalidCIDRBlock.Duplicate",
        "CreateRouteEntry",
        RouteTableId="vtb-2",
        DestinationCidrBlock="172.16.0.0/12",
        NextHopId="att-1",
    ),
    refused(
        "InvalidCidrBlock",
        "CreateRouteEntry",
        RouteTableId="vtb-2",
        DestinationCidrBlock="10.0.0.0/24",
        NextHopId="att-1",
    ),
    call(
        "CreateRouteEntry",
        RouteTableId="vtb-2",
        DestinationCidrBlock="pl-1",
        NextHopId="att-1",
    ),
    call(
        "CreateRouteEntries",
        RouteEntries=[
            {"RouteTableId": "vtb-2", "DstCidrBlock": "192.168.9.0/24", "NextHop": "att-1"},
            {"RouteTableId": "vtb-2", "DstCidrBlock": "192.168.9.0/24", "NextHop": "att-1"},
        ],
    ),
    refused("MissingRouteEntries", "CreateRouteEntries"),
    call("ModifyRouteEntry", RouteEntryId="rte-1", NewNextHopType="Instance", NewNextHopId="att-1"),
    refused(
        "InvalidNextHop.NotFound", "ModifyRouteEntry", RouteEntryId="rte-1", NewNextHopId="att-none"
    ),
    refused("DependencyViolation.RouteEntry", "privlink.DeleteAttachment", AttachmentId="att-1"),
    NODE_CATCHES_UP,
    call("DescribeRouteTables", RouteTableId="vtb-2"),
    refused("MissingRouteTableId", "DescribeRouteTables"),
    call(
        "ModifyVpcPrefixList",
        PrefixListId="pl-1",
        AddPrefixListEntry=[{"Cidr": "192.168.1.0/24"}],
        RemovePrefixListEntry=[{"Cidr": "192.168.0.0/24"}],
    ),
    refused(
        "OperationFailed.CidrCountExceedMaxCount",
        "ModifyVpcPrefixList",
        PrefixListId="pl-1",
        MaxEntries=1,
    ),
    call("ListPrefixLists", PrefixListName="offices"),
    refused("InvalidMaxResults", "ListPrefixLists", MaxResults=0),
    call("GetVpcPrefixListEntries", PrefixListId="pl-1"),
    refused("ResourceNotFound.PrefixList", "GetVpcPrefixListEntries", PrefixListId="pl-none"),
    call("GetVpcPrefixListAssociations", PrefixListId="pl-1"),
    refused("ResourceNotFound.PrefixList", "GetVpcPrefixListAssociations", PrefixListId="pl-none"),
    refused("DependencyViolation.PrefixListRelation", "DeleteVpcPrefixList", PrefixListId="pl-1"),
    call("DescribeRouteEntryList", RouteTableId="vtb-2"),
    call("DeleteRouteEntry", RouteEntryId="rte-1"),
    call(
        "DeleteRouteEntry",
        RouteTableId="vtb-2",
        DestinationCidrBlock="pl-1",
        NextHopId="att-1",
    ),
    refused("InvalidRouteEntry.NotFound", "DeleteRouteEntry", RouteEntryId="rte-1"),
    refused(
        "OperationDenied",
        "DeleteRouteEntry",
        RouteTableId="vtb-2",
        DestinationCidrBlock="10.0.0.0/24",
    ),
    call("DeleteVpcPrefixList", PrefixListId="pl-1"),
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
    call("privlink.DeleteAttachment", AttachmentId="att-1"),
    NODE_CATCHES_UP,
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

# A service in the provider's vpc-4, and an endpoint for it in vpc-1, whose system table is vtb-1.
OBJECTS = "com.privlink.local.objects"
POLICY = (
    '{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:Get*","Principal":"*",'
    '"Resource":"*"}]}'
)
GATEWAY = [
    call("vpc.CreateVpc", CidrBlock="198.51.100.0/24"),
    call("vpc.CreateVSwitch", VpcId="vpc-4", ZoneId="local-a", CidrBlock="198.51.100.0/24"),
    call(
        "privlink.CreateGatewayService",
        Name=OBJECTS,
        VSwitchId="vsw-3",
        CidrBlock=["198.51.100.0/25"],
        PolicySupported=True,
    ),
    call(
        "privlink.CreateGatewayService",
        Name="com.privlink.local.others",
        VSwitchId="vsw-3",
        CidrBlock=["198.51.100.128/25"],
    ),
    call("ListVpcEndpointServicesByEndUser", ServiceName=OBJECTS),
    call("ListVpcEndpointServicesByEndUser", MaxResults=1),
    refused("IllegalParam.MaxResults", "ListVpcEndpointServicesByEndUser", MaxResults=101),
    call("ListPrefixLists", PrefixListName=OBJECTS),
    call(
        "CreateVpcGatewayEndpoint",
        VpcId="vpc-1",
        ServiceName=OBJECTS,
        EndpointName="objects",
        EndpointDescription="where the pictures are",
        PolicyDocument=POLICY,
        ResourceGroupId="rg-1",
        Tag=[{"Key": "team", "Value": "red"}],
    ),
    refused(
        "MissingParam.PolicyDocument",
        "CreateVpcGatewayEndpoint",
        VpcId="vpc-2",
        ServiceName=OBJECTS,
    ),
    refused(
        "ResourceAlreadyExist.GatewayEndpoint",
        "CreateVpcGatewayEndpoint",
        VpcId="vpc-1",
        ServiceName=OBJECTS,
        PolicyDocument=POLICY,
    ),
    call("GetVpcGatewayEndpointAttribute", EndpointId="vpce-1"),
    refused(
        "ResourceNotFound.GatewayEndpoint",
        "GetVpcGatewayEndpointAttribute",
        EndpointId="vpce-none",
    ),
    NODE_CATCHES_UP,
    call(
        "AssociateRouteTablesWithVpcGatewayEndpoint", EndpointId="vpce-1", RouteTableIds=["vtb-1"]
    ),
    refused(
        "ResourceAlreadyExist.Association",
        "AssociateRouteTablesWithVpcGatewayEndpoint",
        EndpointId="vpce-1",
        RouteTableIds=["vtb-1"],
    ),
    call("GetVpcGatewayEndpointAttribute", EndpointId="vpce-1"),
    NODE_CATCHES_UP,
    call("DescribeRouteEntryList", RouteTableId="vtb-1", NextHopId="vpce-1"),
    call(
        "UpdateVpcGatewayEndpointAttribute",
        EndpointId="vpce-1",
        EndpointName="pictures",
        EndpointDescription="",
        PolicyDocument=POLICY.replace("Get", "List"),
    ),
    refused(
        "InvalidPolicy.WrongFormat",
        "UpdateVpcGatewayEndpointAttribute",
        EndpointId="vpce-1",
        PolicyDocument="{",
    ),
    call("vpc.CreateVpcGatewayEndpoint", VpcId="vpc-1", ServiceName="com.privlink.local.others"),
    call(
        "ListVpcGatewayEndpoints",
        EndpointId="vpce-1",
        EndpointName="pictures",
        ServiceName=OBJECTS,
        VpcId="vpc-1",
        ResourceGroupId="rg-1",
        Tags=[{"Key": "team", "Value": "red"}],
    ),
    call("ListVpcGatewayEndpoints", MaxResults=1),
    refused("IllegalParam.NextToken", "ListVpcGatewayEndpoints", NextToken="none of ours"),
    call(
        "DissociateRouteTablesFromVpcGatewayEndpoint",
        EndpointId="vpce-1",
        RouteTableIds=["vtb-1"],
    ),
    refused(
        "ResourceNotFound.Association",
        "DissociateRouteTablesFromVpcGatewayEndpoint",
        EndpointId="vpce-1",
        RouteTableIds=["vtb-1"],
    ),
    call(
        "MoveResourceGroup",
        ResourceType="GatewayEndpoint",
        ResourceId="vpce-1",
        NewResourceGroupId="rg-1",
    ),
    call("DeleteVpcGatewayEndpoint", EndpointId="vpce-1"),
    refused("IncorrectStatus.GatewayEndpoint", "DeleteVpcGatewayEndpoint", EndpointId="vpce-1"),
    call("vpc.DeleteVpcGatewayEndpoint", EndpointId="vpce-2"),
    NODE_CATCHES_UP,
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

STEPS = [*PLACES, *NETWORK, *ROUTES, *LABELS, *DUAL_STACK, *GATEWAY, *END]
