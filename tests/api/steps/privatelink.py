"""PrivateLink: a service is published, an endpoint uses it, both sides change, both go."""

from tests.api.transcript import NODE_CATCHES_UP, call, refused

NAMES = {"ServiceId": "epsrv-1", "EndpointId": "ep-1"}
ZONE = {"ZoneId": "local-a"}
NOBODY = {"EndpointId": "ep-none"}

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
        SupportedRegionList=["local"],
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
    call("AddUserToVpcEndpointService", ServiceId="epsrv-1", UserId=1000000000000009),
    call(
        "AddUserToVpcEndpointService", ServiceId="epsrv-1", UserARN="acs:ram:*:1000000000000008:*"
    ),
    refused("MissingParam.UserArn", "AddUserToVpcEndpointService", ServiceId="epsrv-1"),
    call("ListVpcEndpointServiceUsers", ServiceId="epsrv-1"),
    call("ListVpcEndpointServiceUsers", ServiceId="epsrv-1", UserListType="UserARNs"),
    refused(
        "IllegalParamFormat.MaxResults",
        "ListVpcEndpointServiceUsers",
        ServiceId="epsrv-1",
        MaxResults=51,
    ),
    call("RemoveUserFromVpcEndpointService", ServiceId="epsrv-1", UserId=1000000000000009),
    refused(
        "Mismatch.UserIdAndUserArn",
        "RemoveUserFromVpcEndpointService",
        ServiceId="epsrv-1",
        UserId=1000000000000009,
        UserARN="acs:ram:*:1000000000000008:*",
    ),
    call(
        "UpdateVpcEndpointServiceAttribute",
        ServiceId="epsrv-1",
        ServiceDescription="orders and invoices of the shop",
        ConnectBandwidth=1024,
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
    refused("IllegalParamFormat.NextToken", "ListVpcEndpointServices", NextToken="="),
    call("ListVpcEndpointServicesByEndUser", ServiceId="epsrv-1"),
    call("ListVpcEndpointServicesByEndUser", ServiceId="epsrv-none"),
    refused("IllegalParamFormat.MaxResults", "ListVpcEndpointServicesByEndUser", MaxResults=1001),
    call("DescribeRegions"),
    refused("IllegalParamFormat.ServiceResourceType", "DescribeRegions", ServiceResourceType="x"),
    call("DescribeZones"),
    call("DescribeZones", ServiceResourceType="alb"),
    refused("IllegalParamFormat.CrossRegionSide", "DescribeZones", CrossRegionSide="Endpoint"),
]

ENDPOINT = [
    call(
        "CreateVpcEndpoint",
        VpcId="vpc-2",
        ServiceId="epsrv-1",
        EndpointName="orders",
        EndpointDescription="the way to the shop's orders",
        EndpointType="Interface",
        SecurityGroupId=["sg-1"],
        Zone=[{"ZoneId": "local-a", "VSwitchId": "vsw-3", "ip": "10.0.0.80"}],
        Tag=[{"Key": "team", "Value": "blue"}],
    ),
    refused(
        "EndpointMustContainSecurityGroup",
        "CreateVpcEndpoint",
        VpcId="vpc-2",
        ServiceName="com.aliyuncs.privatelink.local.epsrv-1",
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
        "UpdateVpcEndpointAttribute", EndpointId="ep-1", EndpointDescription="and to its invoices"
    ),
    refused("EndpointNotFound", "UpdateVpcEndpointAttribute", **NOBODY),
    call("AttachSecurityGroupToVpcEndpoint", EndpointId="ep-1", SecurityGroupId="sg-2"),
    refused(
        "SecurityGroupExist",
        "AttachSecurityGroupToVpcEndpoint",
        EndpointId="ep-1",
        SecurityGroupId="sg-2",
    ),
    call("ListVpcEndpointSecurityGroups", EndpointId="ep-1"),
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
    refused("IllegalParamFormat.EndpointStatus", "ListVpcEndpoints", EndpointStatus="Gone"),
    call("ListVpcEndpointZones", EndpointId="ep-1"),
    call("ListVpcEndpointZones", EndpointId="ep-1", MaxResults=1),
    refused("EndpointNotFound", "ListVpcEndpointZones", **NOBODY),
    call("UpdateVpcEndpointConnectionAttribute", **NAMES, Bandwidth=4096),
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
    refused("MissingResourceIdOrTagParam", "ListTagResources", ResourceType="vpcendpoint"),
    call("UntagResources", ResourceType="vpcendpoint", ResourceId=["ep-1"], TagKey=["cost"]),
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

STEPS = [*STAGE, *SERVICE, *ENDPOINT, *CONSENT, *LABELS, *END]
