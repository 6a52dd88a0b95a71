"""PrivateLink: it is switched on, a service is published, an endpoint uses it, both sides change,
both go.
"""

from tests.api.transcript import NODE_CATCHES_UP, call, refused, signed_by

NAMES = {"ServiceId": "epsrv-1", "EndpointId": "ep-1"}
ZONE = {"ZoneId": "local-a"}
ANOTHER = "acs:ram:*:1000000000000003:*"
NAME = "com.aliyuncs.privatelink.local.epsrv-1"
DEFAULT_GROUP = "rg-c08c6ff45c135fe"
POLICY = (
    '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Principal":"*","Resource":"*"}]}'
)
NOBODY = {"EndpointId": "ep-none"}

# Whoever runs the installation has PrivateLink from the start; other accounts switch it on.
OPENING = [
    call("privlink.CreateAccount", Name="consumer"),
    call("privlink.CreateAccount", Name="partner"),
    call("CheckProductOpen"),
    signed_by("LTAI5tExample1", refused("NeedOpenProduct", "CheckProductOpen")),
    signed_by("LTAI5tExample1", call("OpenPrivateLinkService")),
    signed_by("LTAI5tExample1", call("CheckProductOpen")),
    signed_by("LTAI5tExample1", refused("OrderOpend", "OpenPrivateLinkService")),
]

# The provider's networks and load balancers, the consumer's network and security groups.
STAGE = [
    call("vpc.CreateVpc", CidrBlock="10.0.0.0/16", VpcName="provider"),
    call("vpc.CreateVSwitch", VpcId="vpc-1", ZoneId="local-a", CidrBlock="10.0.0.0/24"),
    call("vpc.CreateVSwitch", VpcId="vpc-1", ZoneId="local-b", CidrBlock="10.0.1.0/24"),
    call(
        "nlb.CreateLoadBalancer",
        VpcId="vpc-1",
        AddressType="Intranet",
        ZoneMappings=[
            {"ZoneId": "local-a", "VSwitchId": "vsw-1"},
            {"ZoneId": "local-b", "VSwitchId": "vsw-2"},
        ],
    ),
    call(
        "nlb.CreateLoadBalancer",
        VpcId="vpc-1",
        AddressType="Intranet",
        ZoneMappings=[{"ZoneId": "local-a", "VSwitchId": "vsw-1"}],
    ),
    call("slb.CreateLoadBalancer", VpcId="vpc-1", VSwitchId="vsw-1", AddressType="intranet"),
    call("vpc.CreateVpc", CidrBlock="10.0.0.0/16", VpcName="consumer"),
    call("vpc.CreateVSwitch", VpcId="vpc-2", ZoneId="local-a", CidrBlock="10.0.0.0/24"),
    call("vpc.CreateVSwitch", VpcId="vpc-2", ZoneId="local-b", CidrBlock="10.0.1.0/24"),
    call("ecs.CreateSecurityGroup", VpcId="vpc-2"),
    call("ecs.CreateSecurityGroup", VpcId="vpc-2"),
    call("resourcemanager.CreateResourceGroup", Name="shop", DisplayName="The shop"),
]

SERVICE = [
    call(
        "CreateVpcEndpointService",
        ServiceDescription="orders of the shop",
        ServiceResourceType="nlb",
        AutoAcceptEnabled=False,
        Payer="Endpoint",
        ZoneAffinityEnabled=False,
        AddressIpVersion="IPv4",
        ServiceSupportIPv6=False,
        SupportedRegionList=["local"],
        ResourceGroupId=DEFAULT_GROUP,
        Resource=[{"ResourceType": "nlb", "ResourceId": "nlb-1", "ZoneId": "local-a"}],
        Tag=[{"Key": "team", "Value": "red"}],
    ),
    refused(
        "LoadBalancerNotFound",
        "CreateVpcEndpointService",
        ServiceResourceType="nlb",
        Resource=[{"ResourceType": "nlb", "ResourceId": "nlb-none", "ZoneId": "local-a"}],
    ),
    call(
        "AttachResourceToVpcEndpointService",
        ServiceId="epsrv-1",
        ResourceId="nlb-1",
        ResourceType="nlb",
        ZoneId="local-b",
    ),
    call(
        "AttachResourceToVpcEndpointService",
        ServiceId="epsrv-1",
        ResourceId="nlb-2",
        ResourceType="nlb",
        ZoneId="local-a",
    ),
    refused(
        "EndpointServiceNotSupportedZone",
        "AttachResourceToVpcEndpointService",
        ServiceId="epsrv-1",
        ResourceId="nlb-2",
        ResourceType="nlb",
        ZoneId="local-b",
    ),
    call("AddUserToVpcEndpointService", ServiceId="epsrv-1", UserId=1000000000000002),
    call("AddUserToVpcEndpointService", ServiceId="epsrv-1", UserARN=ANOTHER),
    refused("MissingParam.UserArn", "AddUserToVpcEndpointService", ServiceId="epsrv-1"),
    call("ListVpcEndpointServiceUsers", ServiceId="epsrv-1"),
    call("ListVpcEndpointServiceUsers", ServiceId="epsrv-1", UserListType="UserARNs"),
    call("ListVpcEndpointServiceUsers", ServiceId="epsrv-1", MaxResults=1),
    call("ListVpcEndpointServiceUsers", ServiceId="epsrv-1", NextToken="token-1"),
    call("ListVpcEndpointServiceUsers", ServiceId="epsrv-1", UserId=1000000000000002),
    refused(
        "IllegalParamFormat.MaxResults",
        "ListVpcEndpointServiceUsers",
        ServiceId="epsrv-1",
        MaxResults=51,
    ),
    call("RemoveUserFromVpcEndpointService", ServiceId="epsrv-1", UserId=1000000000000002),
    refused(
        "Mismatch.UserIdAndUserArn",
        "RemoveUserFromVpcEndpointService",
        ServiceId="epsrv-1",
        UserId=1000000000000002,
        UserARN=ANOTHER,
    ),
    call("RemoveUserFromVpcEndpointService", ServiceId="epsrv-1", UserARN=ANOTHER),
    call(
        "UpdateVpcEndpointServiceAttribute",
        ServiceId="epsrv-1",
        ServiceDescription="orders and invoices of the shop",
        ConnectBandwidth=1024,
        AutoAcceptEnabled=False,
        ZoneAffinityEnabled=True,
        AddressIpVersion="IPv4",
        ServiceSupportIPv6=False,
        DeleteSupportedRegionSet=["local"],
    ),
    call("UpdateVpcEndpointServiceAttribute", ServiceId="epsrv-1", AddSupportedRegionSet=["local"]),
    refused(
        "IllegalParamFormat.ConnectBandwidth",
        "UpdateVpcEndpointServiceAttribute",
        ServiceId="epsrv-1",
        ConnectBandwidth=99,
    ),
    call("GetVpcEndpointServiceAttribute", ServiceId="epsrv-1"),
    refused("EndpointServiceNotFound", "GetVpcEndpointServiceAttribute", ServiceId="epsrv-none"),
    call("ListVpcEndpointServices", ServiceId="epsrv-1"),
    call("ListVpcEndpointServices", ResourceId="nlb-none"),
    call(
        "ListVpcEndpointServices",
        ServiceName=NAME,
        ServiceStatus="Active",
        ServiceBusinessStatus="Normal",
        ServiceResourceType="nlb",
        ResourceId="nlb-1",
        AutoAcceptEnabled=False,
        ZoneAffinityEnabled=True,
        AddressIpVersion="IPv4",
        ResourceGroupId=DEFAULT_GROUP,
        Tag=[{"Key": "team", "Value": "red"}],
        MaxResults=1,
    ),
    refused("IllegalParamFormat.NextToken", "ListVpcEndpointServices", NextToken="="),
    call("ListVpcEndpointServicesByEndUser", ServiceId="epsrv-1"),
    call("ListVpcEndpointServicesByEndUser", ServiceId="epsrv-none"),
    call(
        "ListVpcEndpointServicesByEndUser",
        ServiceName=NAME,
        ServiceRegionId="local",
        ServiceType="Interface",
        ResourceGroupId=DEFAULT_GROUP,
        Tag=[{"Key": "team", "Value": "red"}],
        MaxResults=1,
    ),
    refused("IllegalParamFormat.MaxResults", "ListVpcEndpointServicesByEndUser", MaxResults=1001),
    call("DescribeRegions"),
    call("DescribeRegions", RegionId="local", ServiceResourceType="gwlb"),
    refused("IllegalParamFormat.ServiceResourceType", "DescribeRegions", ServiceResourceType="x"),
    call("DescribeZones"),
    call("DescribeZones", ServiceResourceType="alb"),
    call("DescribeZones", CrossRegion=True, CrossRegionSide="Endpoint"),
    refused("IllegalParamFormat.CrossRegionSide", "DescribeZones", CrossRegionSide="Endpoint"),
]

# What is shown of a service on a CLB, and of no other, is the bandwidth of new connections.
ON_A_CLB = [
    call(
        "CreateVpcEndpointService",
        ServiceDescription="invoices of the shop",
        ServiceResourceType="slb",
        Resource=[{"ResourceType": "slb", "ResourceId": "lb-1", "ZoneId": "local-a"}],
    ),
    call(
        "UpdateVpcEndpointServiceAttribute",
        ServiceId="epsrv-2",
        ConnectBandwidth=512,
    ),
    call("GetVpcEndpointServiceAttribute", ServiceId="epsrv-2"),
    call("ListVpcEndpointServices", ServiceId="epsrv-2"),
    call("DeleteVpcEndpointService", ServiceId="epsrv-2"),
]

ENDPOINT = [
    call(
        "CreateVpcEndpoint",
        VpcId="vpc-2",
        ServiceId="epsrv-1",
        EndpointName="orders",
        EndpointDescription="the way to the shop's orders",
        EndpointType="Interface",
        AddressIpVersion="IPv4",
        PolicyDocument=POLICY,
        ProtectedEnabled=False,
        ResourceGroupId=DEFAULT_GROUP,
        ServiceName=NAME,
        ServiceRegionId="local",
        ZoneAffinityEnabled=True,
        ZonePrivateIpAddressCount=1,
        SecurityGroupId=["sg-1"],
        Zone=[{"ZoneId": "local-a", "VSwitchId": "vsw-3", "ip": "10.0.0.80"}],
        Tag=[{"Key": "team", "Value": "blue"}],
    ),
    refused(
        "EndpointMustContainSecurityGroup",
        "CreateVpcEndpoint",
        VpcId="vpc-2",
        ServiceName=NAME,
    ),
    call(
        "AddZoneToVpcEndpoint",
        EndpointId="ep-1",
        ZoneId="local-b",
        VSwitchId="vsw-4",
        ip="10.0.1.80",
    ),
    refused(
        "EndpointZoneDuplicated",
        "AddZoneToVpcEndpoint",
        EndpointId="ep-1",
        ZoneId="local-b",
        VSwitchId="vsw-4",
    ),
    call(
        "UpdateVpcEndpointAttribute",
        EndpointId="ep-1",
        EndpointName="orders",
        EndpointDescription="and to its invoices",
        AddressIpVersion="IPv4",
        PolicyDocument=POLICY,
        ZoneAffinityEnabled=False,
    ),
    call("UpdateVpcEndpointAttribute", EndpointId="ep-1", ResetPolicy=True),
    refused(
        "IllegalParamFormat.CrossRegionBandwidth",
        "UpdateVpcEndpointAttribute",
        EndpointId="ep-1",
        CrossRegionBandwidth=100,
    ),
    refused("EndpointNotFound", "UpdateVpcEndpointAttribute", **NOBODY),
    refused(
        "EndpointServiceNotSupportIpv6",
        "AddZoneToVpcEndpoint",
        EndpointId="ep-1",
        ZoneId="local-c",
        VSwitchId="vsw-4",
        Ipv6Address="fd00::1",
    ),
    refused(
        "IllegalParamFormat.CrossRegionBandwidth",
        "CreateVpcEndpoint",
        VpcId="vpc-2",
        ServiceId="epsrv-1",
        CrossRegionBandwidth=100,
    ),
    refused(
        "EndpointServiceNotSupportIpv6",
        "CreateVpcEndpoint",
        VpcId="vpc-2",
        ServiceId="epsrv-1",
        SecurityGroupId=["sg-1"],
        Zone=[{"ZoneId": "local-a", "VSwitchId": "vsw-3", "Ipv6Address": "fd00::1"}],
    ),
    call("AttachSecurityGroupToVpcEndpoint", EndpointId="ep-1", SecurityGroupId="sg-2"),
    refused(
        "SecurityGroupExist",
        "AttachSecurityGroupToVpcEndpoint",
        EndpointId="ep-1",
        SecurityGroupId="sg-2",
    ),
    call("ListVpcEndpointSecurityGroups", EndpointId="ep-1"),
    call("ListVpcEndpointSecurityGroups", EndpointId="ep-1", MaxResults=2),
    refused("EndpointNotFound", "ListVpcEndpointSecurityGroups", **NOBODY),
    call("DetachSecurityGroupFromVpcEndpoint", EndpointId="ep-1", SecurityGroupId="sg-2"),
    refused(
        "EndpointMustContainSecurityGroup",
        "DetachSecurityGroupFromVpcEndpoint",
        EndpointId="ep-1",
        SecurityGroupId="sg-1",
    ),
]

CONSENT = [
    # Chosen while it is Disconnected: which load balancer shall serve the zone.
    call(
        "UpdateVpcEndpointZoneConnectionResourceAttribute",
        **NAMES,
        **ZONE,
        ResourceAllocateMode="Manual",
        ResourceId="nlb-1",
        ResourceType="nlb",
    ),
    call(
        "EnableVpcEndpointConnection", **NAMES, Bandwidth=2048, TrafficControlMode="BandwidthLimit"
    ),
    refused("EndpointConnectionOperationDenied", "EnableVpcEndpointConnection", **NAMES),
    NODE_CATCHES_UP,
    call("GetVpcEndpointAttribute", EndpointId="ep-1"),
    refused("EndpointNotFound", "GetVpcEndpointAttribute", **NOBODY),
    call("ListVpcEndpoints", ConnectionStatus="Connected"),
    call("ListVpcEndpoints", EndpointId="ep-none"),
    call(
        "ListVpcEndpoints",
        EndpointName="orders",
        EndpointStatus="Active",
        EndpointType="Interface",
        AddressIpVersion="IPv4",
        ResourceGroupId=DEFAULT_GROUP,
        ServiceName=NAME,
        ServiceRegionId="local",
        VpcId="vpc-2",
        Tag=[{"Key": "team", "Value": "blue"}],
        MaxResults=1,
    ),
    refused("IllegalParamFormat.EndpointStatus", "ListVpcEndpoints", EndpointStatus="Gone"),
    call("ListVpcEndpointZones", EndpointId="ep-1"),
    call("ListVpcEndpointZones", EndpointId="ep-1", MaxResults=1),
    call("ListVpcEndpointZones", EndpointId="ep-1", NextToken="token-2"),
    refused("EndpointNotFound", "ListVpcEndpointZones", **NOBODY),
    call(
        "UpdateVpcEndpointConnectionAttribute",
        **NAMES,
        Bandwidth=4096,
        TrafficControlMode="Scalability",
    ),
    refused(
        "IllegalParamFormat.Bandwidth", "UpdateVpcEndpointConnectionAttribute", **NAMES, Bandwidth=1
    ),
    # Migrated while it is Connected: new flows go to the other load balancer.
    call(
        "UpdateVpcEndpointServiceResourceAttribute",
        ServiceId="epsrv-1",
        ResourceId="nlb-1",
        ZoneId="local-a",
        AutoAllocatedEnabled=False,
    ),
    refused(
        "ResourceAutoAllocateViolation",
        "UpdateVpcEndpointServiceResourceAttribute",
        ServiceId="epsrv-1",
        ResourceId="nlb-1",
        ZoneId="local-b",
        AutoAllocatedEnabled=False,
    ),
    call(
        "UpdateVpcEndpointZoneConnectionResourceAttribute",
        **NAMES,
        **ZONE,
        ResourceId="nlb-2",
        ResourceReplaceMode="Graceful",
    ),
    NODE_CATCHES_UP,
    refused(
        "IllegalParam.ResourceAllocateMode",
        "UpdateVpcEndpointZoneConnectionResourceAttribute",
        **NAMES,
        **ZONE,
        ResourceId="nlb-2",
        ResourceAllocateMode="Manual",
    ),
    call("ListVpcEndpointConnections", ServiceId="epsrv-1"),
    call("ListVpcEndpointConnections", EndpointId="ep-none"),
    call(
        "ListVpcEndpointConnections",
        EndpointId="ep-1",
        EndpointOwnerId=1000000000000001,
        ConnectionStatus="Connected",
        ResourceId="nlb-2",
        ReplacedResourceId="nlb-1",
        EniId="eni-1",
        ResourceGroupId=DEFAULT_GROUP,
        MaxResults=1,
    ),
    refused("EndpointServiceNotFound", "ListVpcEndpointConnections", ServiceId="epsrv-none"),
    call("ListVpcEndpointServiceResources", ServiceId="epsrv-1"),
    refused("EndpointServiceNotFound", "ListVpcEndpointServiceResources", ServiceId="epsrv-none"),
    call("DisableVpcEndpointZoneConnection", **NAMES, **ZONE, ReplacedResource=True),
    NODE_CATCHES_UP,
    call("DisableVpcEndpointZoneConnection", **NAMES, ZoneId="local-b"),
    refused(
        "ResourceNotFound.VpcEndpointZone",
        "DisableVpcEndpointZoneConnection",
        **NAMES,
        ZoneId="local-c",
    ),
    NODE_CATCHES_UP,
    call("EnableVpcEndpointZoneConnection", **NAMES, ZoneId="local-b"),
    NODE_CATCHES_UP,
    refused(
        "IncorrectStatus.VpcEndpointZone",
        "EnableVpcEndpointZoneConnection",
        **NAMES,
        ZoneId="local-b",
    ),
]

LABELS = [
    call(
        "TagResources",
        ResourceType="vpcendpoint",
        ResourceId=["ep-1"],
        Tag=[{"Key": "cost", "Value": "42"}],
    ),
    refused(
        "MissingTagValueParam",
        "TagResources",
        ResourceType="vpcendpoint",
        ResourceId=["ep-1"],
        Tag=[{"Key": "cost"}],
    ),
    call("ListTagResources", ResourceType="vpcendpoint", ResourceId=["ep-1"]),
    call("ListTagResources", ResourceType="vpcendpoint", Tag=[{"Key": "cost", "Value": "42"}]),
    refused("MissingResourceIdOrTagParam", "ListTagResources", ResourceType="vpcendpoint"),
    call("UntagResources", ResourceType="vpcendpoint", ResourceId=["ep-1"], TagKey=["cost"]),
    call("UntagResources", ResourceType="vpcendpointservice", ResourceId=["epsrv-1"], All=True),
    refused(
        "TagInfoNotExist",
        "UntagResources",
        ResourceType="vpcendpoint",
        ResourceId=["ep-1"],
        TagKey=["hue"],
    ),
    call(
        "ChangeResourceGroup",
        ResourceId="ep-1",
        ResourceType="VpcEndpoint",
        ResourceGroupId="rg-1",
    ),
    refused(
        "InvalidResourceGroup", "ChangeResourceGroup", ResourceId="ep-1", ResourceGroupId="rg-x"
    ),
]

END = [
    refused("EndpointServiceConnectionDependence", "DeleteVpcEndpointService", ServiceId="epsrv-1"),
    refused(
        "EndpointServiceConnectionDependence",
        "DetachResourceFromVpcEndpointService",
        ServiceId="epsrv-1",
        ResourceId="nlb-2",
        ResourceType="nlb",
        ZoneId="local-a",
    ),
    call(
        "DetachResourceFromVpcEndpointService",
        ServiceId="epsrv-1",
        ResourceId="nlb-1",
        ResourceType="nlb",
        ZoneId="local-a",
    ),
    call("ListVpcEndpointServiceResources", ServiceId="epsrv-1", MaxResults=1),
    call("ListVpcEndpointServiceResources", ServiceId="epsrv-1", NextToken="token-3"),
    call("DisableVpcEndpointConnection", **NAMES),
    refused("EndpointConnectionOperationDenied", "DisableVpcEndpointConnection", **NAMES),
    refused("EndpointDependenceViolation", "DeleteVpcEndpoint", EndpointId="ep-1"),
    call("RemoveZoneFromVpcEndpoint", EndpointId="ep-1", ZoneId="local-a"),
    call("RemoveZoneFromVpcEndpoint", EndpointId="ep-1", ZoneId="local-b"),
    NODE_CATCHES_UP,
    refused(
        "EndpointZoneNotFound", "RemoveZoneFromVpcEndpoint", EndpointId="ep-1", ZoneId="local-a"
    ),
    call("DeleteVpcEndpoint", EndpointId="ep-1"),
    NODE_CATCHES_UP,
    call("DeleteVpcEndpointService", ServiceId="epsrv-1"),
]

STEPS = [*OPENING, *STAGE, *SERVICE, *ON_A_CLB, *ENDPOINT, *CONSENT, *LABELS, *END]
