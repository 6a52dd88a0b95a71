"""ECS: a security group comes, gets rules in both directions, guards an endpoint and goes; a prefix
list is named by its rules, a workload joins it.
"""

from tests.api.transcript import NODE_CATCHES_UP, call, refused

GROUP = {"SecurityGroupId": "sg-1"}
NO_GROUP = {"SecurityGroupId": "sg-none"}
TEAM = [{"Key": "team", "Value": "red"}]
# The first rule, sgr-1, and the second.
HTTPS = {"IpProtocol": "tcp", "PortRange": "443/443", "SourceCidrIp": "10.0.0.0/8"}
ANYTHING = {"IpProtocol": "all", "PortRange": "-1/-1", "DestCidrIp": "0.0.0.0/0"}

PLACES = [
    call("DescribeRegions"),
    call("DescribeZones"),
    refused("RegionNotFound", "DescribeZones", RegionId="cn-hangzhou"),
]

SECURITY_GROUP = [
    call("vpc.CreateVpc", CidrBlock="10.0.0.0/16"),
    call("CreateSecurityGroup", VpcId="vpc-1", SecurityGroupName="web"),
    refused("InvalidVpcId.NotFound", "CreateSecurityGroup", VpcId="vpc-none"),
    call(
        "AuthorizeSecurityGroup",
        **GROUP,
        Permissions=[{**HTTPS, "Description": "https from our networks"}],
    ),
    refused(
        "InvalidPermission.Malformed",
        "AuthorizeSecurityGroup",
        **GROUP,
        Permissions=[{**HTTPS, "PortRange": "0/0"}],
    ),
    call("DescribeSecurityGroups", VpcId="vpc-1"),
    refused("InvalidSecurityGroupIds", "DescribeSecurityGroups", SecurityGroupIds="sg-1"),
    call("DescribeSecurityGroupAttribute", **GROUP, Direction="ingress"),
    refused("InvalidSecurityGroupId.NotFound", "DescribeSecurityGroupAttribute", **NO_GROUP),
    call(
        "ModifySecurityGroupAttribute",
        **GROUP,
        SecurityGroupName="shop",
        Description="who may call the shop",
    ),
    refused(
        "InvalidSecurityGroupName",
        "ModifySecurityGroupAttribute",
        **GROUP,
        SecurityGroupName="http://shop",
    ),
    call("ModifySecurityGroupPolicy", **GROUP, InnerAccessPolicy="Drop"),
    refused(
        "InvalidInnerAccessPolicy", "ModifySecurityGroupPolicy", **GROUP, InnerAccessPolicy="Deny"
    ),
]

RULES = [
    call(
        "ModifySecurityGroupRule",
        **GROUP,
        SecurityGroupRuleId="sgr-1",
        SourceCidrIp="10.0.0.0/16",
        Priority=10,
    ),
    refused(
        "InvalidSecurityGroupRuleId.NotFound",
        "ModifySecurityGroupRule",
        **GROUP,
        SecurityGroupRuleId="sgr-none",
        Priority=10,
    ),
    call("AuthorizeSecurityGroupEgress", **GROUP, Permissions=[ANYTHING]),
    refused(
        "UnsupportedParameter.Permissions",
        "AuthorizeSecurityGroupEgress",
        **GROUP,
        Permissions=[{**ANYTHING, "SourceCidrIp": "10.0.0.5"}],
    ),
    call("ModifySecurityGroupEgressRule", **GROUP, **ANYTHING, Description="out to wherever it is"),
    refused(
        "InvalidSecurityGroupRule.RuleNotExist",
        "ModifySecurityGroupEgressRule",
        **GROUP,
        **{**ANYTHING, "DestCidrIp": "10.0.0.0/8"},
        Description="out to our networks",
    ),
    call("DescribeSecurityGroupAttribute", **GROUP, Direction="egress"),
    call("RevokeSecurityGroupEgress", **GROUP, Permissions=[ANYTHING]),
    refused(
        "InvalidSecurityGroupRuleId.NotFound",
        "RevokeSecurityGroupEgress",
        **GROUP,
        SecurityGroupRuleId=["sgr-2"],
    ),
    refused("InvalidPermission.Malformed", "RevokeSecurityGroup", **GROUP),
    call("RevokeSecurityGroup", **GROUP, SecurityGroupRuleId=["sgr-1"]),
]

# What rules name besides blocks: another group, sg-2, and a list of blocks.
PEERS = [
    call("CreateSecurityGroup", VpcId="vpc-1", SecurityGroupName="callers"),
    call(
        "CreatePrefixList",
        AddressFamily="IPv4",
        MaxEntries=10,
        PrefixListName="offices",
        Entry=[{"Cidr": "198.51.100.0/24", "Description": "Berlin"}, {"Cidr": "192.0.2.7"}],
    ),
    refused(
        "InvalidParameter.CidrMalformed",
        "CreatePrefixList",
        AddressFamily="IPv6",
        MaxEntries=10,
        PrefixListName="offices",
        Entry=[{"Cidr": "198.51.100.0/24"}],
    ),
    call(
        "AuthorizeSecurityGroup",
        **GROUP,
        Permissions=[
            {"IpProtocol": "tcp", "PortRange": "22/22", "SourceGroupId": "sg-2"},
            {"IpProtocol": "udp", "PortRange": "53/53", "SourcePrefixListId": "pl-1"},
            {"IpProtocol": "icmpv6", "PortRange": "-1/-1", "Ipv6SourceCidrIp": "fd00::/8"},
        ],
    ),
    refused(
        "InvalidSourceGroupId.NotFound",
        "AuthorizeSecurityGroup",
        **GROUP,
        Permissions=[{"IpProtocol": "tcp", "PortRange": "22/22", "SourceGroupId": "sg-none"}],
    ),
    call("DescribeSecurityGroupAttribute", **GROUP),
    refused("DependencyViolation", "DeleteSecurityGroup", SecurityGroupId="sg-2"),
    call(
        "ModifyPrefixList",
        PrefixListId="pl-1",
        AddEntry=[{"Cidr": "203.0.113.0/24", "Description": "Osaka"}],
        RemoveEntry=[{"Cidr": "192.0.2.7/32"}],
    ),
    refused(
        "InvalidParameter.CidrDuplicated",
        "ModifyPrefixList",
        PrefixListId="pl-1",
        AddEntry=[{"Cidr": "203.0.113.0/24"}, {"Cidr": "203.0.113.0/24"}],
    ),
    call("DescribePrefixLists", PrefixListName="offices"),
    refused("InvalidMaxResults", "DescribePrefixLists", MaxResults=101),
    call("DescribePrefixListAttributes", PrefixListId="pl-1"),
    refused("InvalidPrefixListId.NotFound", "DescribePrefixListAttributes", PrefixListId="pl-none"),
    call("DescribePrefixListAssociations", PrefixListId="pl-1"),
    refused(
        "InvalidPrefixListId.NotFound", "DescribePrefixListAssociations", PrefixListId="pl-none"
    ),
    refused("NotAllowed.AssociationExist", "DeletePrefixList", PrefixListId="pl-1"),
    call(
        "RevokeSecurityGroup",
        **GROUP,
        Permissions=[
            {"IpProtocol": "tcp", "PortRange": "22/22", "SourceGroupId": "sg-2"},
            {"IpProtocol": "udp", "PortRange": "53/53", "SourcePrefixListId": "pl-1"},
        ],
    ),
    call("DeletePrefixList", PrefixListId="pl-1"),
]

LABELS = [
    call("TagResources", ResourceType="securitygroup", ResourceId=["sg-1"], Tag=TEAM),
    refused(
        "InvalidResourceId.NotFound",
        "TagResources",
        ResourceType="securitygroup",
        ResourceId=["sg-none"],
        Tag=TEAM,
    ),
    call("ListTagResources", ResourceType="securitygroup", ResourceId=["sg-1"]),
    refused("BothEmpty.TagsAndResources", "ListTagResources", ResourceType="securitygroup"),
    call("UntagResources", ResourceType="securitygroup", ResourceId=["sg-1"], All=True),
    refused(
        "InvalidResourceType",
        "UntagResources",
        ResourceType="instance",
        ResourceId=["i-1"],
        TagKey=["team"],
    ),
    call("resourcemanager.CreateResourceGroup", Name="shop", DisplayName="The shop"),
    call(
        "JoinResourceGroup",
        ResourceType="securitygroup",
        ResourceId="sg-1",
        ResourceGroupId="rg-1",
    ),
    refused(
        "InvalidResourceGroup",
        "JoinResourceGroup",
        ResourceType="securitygroup",
        ResourceId="sg-1",
        ResourceGroupId="rg-none",
    ),
]

# The interface of an endpoint that is in the group.
INTERFACE = [
    call("vpc.CreateVSwitch", VpcId="vpc-1", ZoneId="local-a", CidrBlock="10.0.0.0/24"),
    call(
        "nlb.CreateLoadBalancer",
        VpcId="vpc-1",
        AddressType="Intranet",
        ZoneMappings=[{"ZoneId": "local-a", "VSwitchId": "vsw-1"}],
    ),
    call(
        "privatelink.CreateVpcEndpointService",
        AutoAcceptEnabled=True,
        ServiceResourceType="nlb",
        Resource=[{"ResourceType": "nlb", "ResourceId": "nlb-1", "ZoneId": "local-a"}],
    ),
    call(
        "privatelink.CreateVpcEndpoint",
        ServiceId="epsrv-1",
        VpcId="vpc-1",
        SecurityGroupId=["sg-1"],
        Zone=[{"ZoneId": "local-a", "VSwitchId": "vsw-1", "ip": "10.0.0.20"}],
    ),
    NODE_CATCHES_UP,
    call("DescribeNetworkInterfaces", SecurityGroupId="sg-1"),
    refused("InvalidPrimaryIpAddress", "DescribeNetworkInterfaces", PrimaryIpAddress="10.0.0"),
    call("vpc.CreateVpc", EnableIpv6=True, Ipv6CidrBlock="fd00:0:0:100::/56"),
    call(
        "vpc.CreateVSwitch",
        VpcId="vpc-2",
        ZoneId="local-a",
        CidrBlock="172.16.0.0/24",
        Ipv6CidrBlock=1,
    ),
    call("privlink.CreateAttachment", VSwitchId="vsw-2", Ipv6Address="fd00:0:0:101::5"),
    call("DescribeNetworkInterfaces", Ipv6Address=["fd00:0:0:101::5"]),
    call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId="eni-1"),
    refused(
        "InvalidEniId.NotFound",
        "DescribeNetworkInterfaceAttribute",
        NetworkInterfaceId="eni-none",
    ),
]

# A workload's interface, eni-3.
WORKLOAD = [
    call("privlink.CreateAttachment", VSwitchId="vsw-1", PrivateIpAddress="10.0.0.5"),
    call("JoinSecurityGroup", SecurityGroupId="sg-2", NetworkInterfaceId="eni-3"),
    refused(
        "InvalidOperation.EniServiceManaged",
        "JoinSecurityGroup",
        SecurityGroupId="sg-2",
        NetworkInterfaceId="eni-1",
    ),
    call("DescribeNetworkInterfaceAttribute", NetworkInterfaceId="eni-3"),
    call("LeaveSecurityGroup", SecurityGroupId="sg-2", NetworkInterfaceId="eni-3"),
    refused(
        "InvalidSecurityGroupAssociation.NotFound",
        "LeaveSecurityGroup",
        SecurityGroupId="sg-2",
        NetworkInterfaceId="eni-3",
    ),
]

END = [
    refused("DependencyViolation", "DeleteSecurityGroup", **GROUP),
    call(
        "privatelink.RemoveZoneFromVpcEndpoint",
        EndpointId="ep-1",
        ZoneId="local-a",
    ),
    NODE_CATCHES_UP,
    call("privatelink.DeleteVpcEndpoint", EndpointId="ep-1"),
    NODE_CATCHES_UP,
    call("DeleteSecurityGroup", **GROUP),
    refused("InvalidSecurityGroup.NotFound", "DeleteSecurityGroup", **GROUP),
]

STEPS = [*PLACES, *SECURITY_GROUP, *RULES, *PEERS, *LABELS, *INTERFACE, *WORKLOAD, *END]
