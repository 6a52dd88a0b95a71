"""privlink's own: accounts and quotas, workloads in vSwitches, and what nodes say."""

import json

from tests.api.transcript import NODE_CATCHES_UP, call, published, refused, signed_by

PLACE = {"ZoneId": "local-a", "VSwitchId": "vsw-1"}
HEALTH = [
    call("nlb.CreateLoadBalancer", VpcId="vpc-1", AddressType="Intranet", ZoneMappings=[PLACE]),
    call(
        "nlb.CreateServerGroup",
        VpcId="vpc-1",
        ServerGroupName="web",
        ServerGroupType="Ip",
        HealthCheckConfig={"HealthCheckEnabled": True},
    ),
    call(
        "nlb.AddServersToServerGroup",
        ServerGroupId="sgp-1",
        Servers=[
            {"ServerType": "Ip", "ServerId": "10.0.0.8", "Port": 80},
            {"ServerType": "Ip", "ServerId": "10.0.0.9", "Port": 80},
        ],
    ),
    call(
        "nlb.CreateListener",
        LoadBalancerId="nlb-1",
        ListenerProtocol="TCP",
        ListenerPort=80,
        ServerGroupId="sgp-1",
    ),
    call(
        "privatelink.CreateVpcEndpointService",
        ServiceResourceType="nlb",
        AutoAcceptEnabled=True,
        Resource=[{"ResourceType": "nlb", "ResourceId": "nlb-1", "ZoneId": "local-a"}],
    ),
    call(
        "privatelink.CreateVpcEndpoint",
        ServiceId="epsrv-1",
        VpcId="vpc-1",
        SecurityGroupId=["sg-1"],
        Zone=[PLACE],
    ),
    NODE_CATCHES_UP,
    call(
        "PushHealth",
        NodeId="node-1",
        Life=1,
        States=[
            {
                "Key": "balancer/nlb-1/local-a",
                "Group": "sgp-1",
                "Address": "10.0.0.8",
                "Port": 80,
                "State": "Healthy",
                "Since": "2026-12-01T09:00:00Z",
            },
            {
                "Key": "balancer/nlb-1/local-a",
                "Group": "sgp-1",
                "Address": "10.0.0.9",
                "Port": 80,
                "State": "Unhealthy",
                "Why": "CONNECT_TIMEOUT: no answer in 5 s",
                "Since": "2026-12-01T09:05:00Z",
            },
        ],
    ),
    refused("NodeNotFound", "PushHealth", NodeId="node-none", Life=1),
    call("PullNames", NodeId="dns-1", Revision=1, Life=1),
    call("GetEndpointHealth", EndpointId="ep-1"),
    refused("EndpointNotFound", "GetEndpointHealth", EndpointId="ep-none"),
]

# As node-1 says them: struct Said.
CLOSED = [
    *(1767268800000, "closed", "finished", "", "TCP"),
    *("10.0.0.5", 40000, "10.0.0.9", 80, "100.64.0.1", 1025, "10.0.0.7", 8080),
    *(6, 480, 5, 1720, 38, "", "", "", ""),
]
REFUSED = [
    *(1767268801000, "refused", "no_listener", "", "TCP"),
    *("10.0.0.5", 40001, "10.0.0.9", 81, "", 0, "", 0),
    *(0, 0, 0, 0, 0, "", "", "", "client"),
]
# Of place 1: 12 packets with 5,040 bytes there, 10 with 80,000 back; one was refused.
COUNTED = (
    '[[1,2,[[[12,5040],[10,80000]],[[1,60],[0,0]],3,0,{"finished":1},'
    '{"ingress_rule":[[1,60],[0,0]]}]]]'
)

# A service of the account's own calls back into its network through a NAT gateway.
TARGETS = [
    call(
        "vpc.CreateNatGateway",
        VpcId="vpc-1",
        VSwitchId="vsw-1",
        NetworkType="intranet",
        PrivateLinkEnabled=True,
        NatIp="10.0.0.60",
    ),
    call(
        "privatelink.CreateVpcEndpointService",
        ServiceResourceType="vpcnat",
        AutoAcceptEnabled=True,
        Resource=[{"ResourceType": "vpcnat", "ResourceId": "ngw-1"}],
    ),
    call(
        "ecs.AuthorizeSecurityGroup",
        SecurityGroupId="sg-1",
        Permissions=[{"IpProtocol": "all", "PortRange": "-1/-1", "SourceCidrIp": "0.0.0.0/0"}],
    ),
    call(
        "privatelink.CreateVpcEndpoint",
        EndpointType="Reverse",
        ServiceId="epsrv-2",
        VpcId="vpc-1",
        SecurityGroupId=["sg-1"],
        Zone=[PLACE],
    ),
    call("vpc.GetNatGatewayAttribute", NatGatewayId="ngw-1"),
    call("vpc.DescribeNatGatewayAssociateNetworkInterfaces", NatGatewayId="ngw-1"),
    call(
        "vpc.CreateFullNatEntry",
        FullNatTableId="fulltb-1",
        IpProtocol="TCP",
        NatIp="10.0.0.60",
        NetworkInterfaceId="eni-5",
        AccessIp="10.0.0.8",
        AccessPort=5432,
    ),
    NODE_CATCHES_UP,
    call("ListFullNatEntryStates", NatGatewayId="ngw-1"),
    refused("InvalidNatGatewayId.NotFound", "ListFullNatEntryStates", NatGatewayId="ngw-none"),
    call(
        "SetEndpointTargets",
        EndpointId="ep-2",
        Target=[
            {"CidrBlock": "10.0.0.9/32", "IpProtocol": "TCP", "PortRange": "5432/5432"},
            {"CidrBlock": "10.0.1.0/24"},
        ],
    ),
    refused(
        "InvalidTarget",
        "SetEndpointTargets",
        EndpointId="ep-2",
        Target=[{"CidrBlock": "10.0.0.9/24"}],
    ),
    call("ListEndpointTargets", EndpointId="ep-2"),
    call("SetEndpointTargets", EndpointId="ep-2", Resolver="10.0.0.2"),
    refused("InvalidResolver", "SetEndpointTargets", EndpointId="ep-2", Resolver="192.0.2.53"),
    call(
        "vpc.ModifyFullNatEntryAttribute",
        FullNatTableId="fulltb-1",
        FullNatEntryId="fullnat-1",
        AccessDomain="db.shop.example",
    ),
    NODE_CATCHES_UP,
    call(
        "PushNames",
        NodeId="node-1",
        Life=1,
        Names=[
            {
                "Key": "door/fullnat-1",
                "Name": "db.shop.example",
                "Addresses": "10.0.0.9,10.0.1.9",
                "Since": "2026-12-01T09:00:00Z",
            }
        ],
    ),
    refused("NodeNotFound", "PushNames", NodeId="node-none", Life=1),
    refused("EndpointTypeNotSupport", "ListEndpointTargets", EndpointId="ep-1"),
    NODE_CATCHES_UP,
    call("ListFullNatEntryStates", NatGatewayId="ngw-1"),
]

# The service on a load balancer gets a name of its provider's, and the endpoint to it an alias.
NAMES = [
    call("SetServicePrivateName", ServiceId="epsrv-1", Name="db.vendor.example"),
    refused("InvalidName", "SetServicePrivateName", ServiceId="epsrv-1", Name="*.example"),
    refused("VerificationFailed", "VerifyServicePrivateName", ServiceId="epsrv-1"),
    refused(
        "ServicePrivateNameNotVerified",
        "SetEndpointPrivateName",
        EndpointId="ep-1",
        Enabled=True,
    ),
    published("_privlink.db.vendor.example", "privlink-verify=challenge-1"),
    call("VerifyServicePrivateName", ServiceId="epsrv-1"),
    call("SetEndpointPrivateName", EndpointId="ep-1", Enabled=True),
    call("CreateEndpointAlias", EndpointId="ep-1", Name="db.shop.internal", ZoneId="local-a"),
    refused(
        "EndpointAliasExists", "CreateEndpointAlias", EndpointId="ep-1", Name="db.shop.internal"
    ),
    NODE_CATCHES_UP,
    call("ListEndpointNames", EndpointId="ep-1"),
    refused("EndpointNotFound", "ListEndpointNames", EndpointId="ep-none"),
    call("ExplainName", Name="DB.vendor.example.", VSwitchId="vsw-1"),
    call("ExplainName", Name="www.vendor.example", VpcId="vpc-1"),
    refused("MissingVSwitchId", "ExplainName", Name="db.vendor.example"),
    call("ListServicePrivateNames"),
    refused("InvalidMaxResults", "ListServicePrivateNames", MaxResults=0),
    call("SetServicePrivateName", ServiceId="epsrv-1", Name="*.db.vendor.example"),
    refused(
        "ServicePrivateNameChanged",
        "ApproveServicePrivateName",
        ServiceId="epsrv-1",
        Name="db.vendor.example",
    ),
    call("ApproveServicePrivateName", ServiceId="epsrv-1", Name="*.db.vendor.example"),
    call("DeleteServicePrivateName", ServiceId="epsrv-1"),
    refused("ServicePrivateNameNotFound", "DeleteServicePrivateName", ServiceId="epsrv-1"),
    call("DeleteEndpointAlias", EndpointId="ep-1", Name="db.shop.internal"),
    refused(
        "EndpointAliasNotFound", "DeleteEndpointAlias", EndpointId="ep-1", Name="db.shop.internal"
    ),
]

# The secrets are made up for these calls.
SHARED = {"KeyName": "privlink", "KeySecret": "bWFkZSB1cCBmb3IgYW4gZXhhbXBsZQ=="}
ABOVE = {"Address": "192.0.2.53", "Pushes": True, "Zone": "internal"}
NAME_SERVERS = [
    call("CreateNameServer", **ABOVE, **SHARED),
    refused(
        "NameServerExists",
        "CreateNameServer",
        Address="192.0.2.53",
        Pushes=True,
        Zone="internal",
        **SHARED,
    ),
    call("CreateNameServer", Address="192.0.2.54", Port=5353, Pushes=False, **SHARED),
    refused(
        "InvalidZone",
        "CreateNameServer",
        Address="192.0.2.55",
        Pushes=False,
        Zone="internal",
        **SHARED,
    ),
    NODE_CATCHES_UP,
    call(
        "PushNameServerStates",
        NodeId="dns-1",
        States=[
            {"Key": "server/nsrv-1", "State": "InStep", "Since": "2026-12-01T09:00:00Z"},
            {
                "Key": "server/nsrv-2",
                "State": "Failing",
                "Why": "it does not answer when asked for a NOTIFY.",
                "Since": "2026-12-01T09:05:00Z",
            },
        ],
    ),
    refused("NodeNotFound", "PushNameServerStates", NodeId="dns-none"),
    call("ListNameServers"),
    signed_by("LTAI5tExample1", refused("NoPermission", "ListNameServers")),
    call("DeleteNameServer", NameServerId="nsrv-1"),
    refused("NameServerNotFound", "DeleteNameServer", NameServerId="nsrv-1"),
]

STEPS = [
    call("CreateAccount", Name="shop"),
    refused("AccountExists", "CreateAccount", Name="shop"),
    call("SetAccountOptions", AccountId="1000000000000002", ReverseServices=True),
    refused("AccountNotFound", "SetAccountOptions", AccountId="42", ReverseServices=True),
    call("ListAccounts"),
    signed_by("LTAI5tExample1", refused("NoPermission", "ListAccounts")),
    call("SetQuota", QuotaName="vpc_quota_vpcs", Limit=500, AccountId="1000000000000002"),
    refused("QuotaNotFound", "SetQuota", QuotaName="vpcs", Limit=500),
    call("ListQuotas", AccountId="1000000000000002"),
    refused("AccountNotFound", "ListQuotas", AccountId="1"),
    call("ResetQuota", QuotaName="vpc_quota_vpcs", AccountId="1000000000000002"),
    refused("QuotaNotFound", "ResetQuota", QuotaName="vpcs"),
    call("vpc.CreateVpc", CidrBlock="10.0.0.0/16"),
    call("vpc.CreateVSwitch", VpcId="vpc-1", ZoneId="local-a", CidrBlock="10.0.0.0/24"),
    call("ecs.CreateSecurityGroup", VpcId="vpc-1"),
    call(
        "CreateAttachment",
        VSwitchId="vsw-1",
        PrivateIpAddress="10.0.0.5",
        SecurityGroupId=["sg-1"],
    ),
    refused("EniIpUnavailable", "CreateAttachment", VSwitchId="vsw-1", PrivateIpAddress="10.9.9.9"),
    call("PullFeed", NodeId="node-1", Revision=0),
    refused("NodeNotFound", "PullFeed", NodeId="node-none", Revision=0),
    NODE_CATCHES_UP,
    call(
        "PushReport",
        NodeId="node-1",
        Life=1,
        Revision=2,
        Fabric="privlink-0a1b2c3d",
        Plugged=["attachment/att-1"],
        Drops=[{"Reason": "no match", "Count": 3}],
    ),
    refused(
        "NodeNotFound", "PushReport", NodeId="node-none", Life=1, Revision=2, Fabric="privlink-x"
    ),
    call(
        "PushFlowRecords",
        NodeId="node-1",
        Records=json.dumps([CLOSED, REFUSED]),
        Skipped=0,
        Life=4000000000,
        Batch=1,
    ),
    refused("NodeNotFound", "PushFlowRecords", NodeId="node-none", Records="[]"),
    refused("InvalidRecords", "PushFlowRecords", NodeId="node-1", Records="[[1]]"),
    call("DescribeFlowRecords", Event="closed", Client="10.0.0.0/24"),
    call("DescribeFlowRecords", StartTime="2026-01-01T12:00:01Z", Cause="no_listener"),
    refused("InvalidCause", "DescribeFlowRecords", Cause="bad luck"),
    call("PushTraffic", NodeId="node-1", Life=4000000000, Traffic=COUNTED),
    refused("InvalidTraffic", "PushTraffic", NodeId="node-1", Life=4000000000, Traffic="[1]"),
    call("SetPrices", Currency="CNY", ZoneHour="0.07", Gigabyte="0.07"),
    refused("InvalidGigabyte", "SetPrices", Currency="CNY", ZoneHour="0.07", Gigabyte="free"),
    call("DescribePrices"),
    signed_by("LTAI5tExample1", refused("NoPermission", "DescribePrices")),
    call(
        "DescribeUsage",
        StartTime="2026-11-01T00:00:00Z",
        EndTime="2026-12-01T00:00:00Z",
        Granularity="Day",
    ),
    refused("EndpointNotFound", "DescribeUsage", EndpointId="ep-none"),
    call("DescribeStatus"),
    signed_by("LTAI5tExample1", refused("NoPermission", "DescribeStatus")),
    call("GetAttachment", AttachmentId="att-1"),
    refused("AttachmentNotFound", "GetAttachment", AttachmentId="att-none"),
    call("ListAttachments"),
    call("vpc.CreateVpc", EnableIpv6=True, Ipv6CidrBlock="fd00:0:0:100::/56"),
    call(
        "vpc.CreateVSwitch",
        VpcId="vpc-2",
        ZoneId="local-a",
        CidrBlock="172.16.0.0/24",
        Ipv6CidrBlock=1,
    ),
    call("CreateAttachment", VSwitchId="vsw-2", Ipv6Address="fd00:0:0:101::5"),
    call("CreateAttachment", VSwitchId="vsw-2"),
    refused("EniIpUnavailable", "CreateAttachment", VSwitchId="vsw-2", Ipv6Address="fd00::5"),
    refused(
        "OperationFailed.vSwitchNotSupportIpv6",
        "CreateAttachment",
        VSwitchId="vsw-1",
        Ipv6Address="fd00:0:0:101::6",
    ),
    call("PullFeed", NodeId="node-1", Revision=3, Life=1),
    call("PullNames", NodeId="dns-1", Revision=0),
    refused("NodeNotFound", "PullNames", NodeId="dns-none", Revision=0),
    call("ConfirmNames", NodeId="dns-1", Life=1, Revision=3),
    refused("NodeNotFound", "ConfirmNames", NodeId="dns-none", Life=1, Revision=3),
    call("GetAttachment", AttachmentId="att-2"),
    call("ram.CreateUser", UserName="alice"),
    call("ram.CreateAccessKey", UserName="alice"),
    signed_by("LTAI5tExample2", refused("NoPermission", "ListAttachments")),
    *HEALTH,
    call("GetServiceTraffic", ServiceId="epsrv-1"),
    refused("EndpointServiceNotFound", "GetServiceTraffic", ServiceId="epsrv-none"),
    call(
        "ModifyServiceTraffic",
        ServiceId="epsrv-1",
        TcpIdleTimeout=3600,
        UdpIdleTimeout=30,
        MaxFlows=1000,
        MaxNewFlowsPerSecond=100,
    ),
    call("ModifyServiceTraffic", ServiceId="epsrv-1", Reset=["TcpIdleTimeout", "MaxFlows"]),
    refused("InvalidTcpIdleTimeout", "ModifyServiceTraffic", ServiceId="epsrv-1", TcpIdleTimeout=5),
    refused(
        "InvalidReset",
        "ModifyServiceTraffic",
        ServiceId="epsrv-1",
        MaxFlows=10,
        Reset=["MaxFlows"],
    ),
    *NAMES,
    *TARGETS,
    call("DeleteAttachment", AttachmentId="att-1"),
    refused("AttachmentNotFound", "DeleteAttachment", AttachmentId="att-none"),
    call("vpc.CreateVpc", CidrBlock="198.51.100.0/24"),
    call("vpc.CreateVSwitch", VpcId="vpc-3", ZoneId="local-a", CidrBlock="198.51.100.0/24"),
    call(
        "CreateGatewayService",
        Name="com.privlink.local.objects",
        VSwitchId="vsw-3",
        CidrBlock=["198.51.100.0/25", "198.51.100.128/26"],
        PolicySupported=True,
    ),
    refused(
        "InvalidCidrBlock",
        "CreateGatewayService",
        Name="com.privlink.local.others",
        VSwitchId="vsw-3",
        CidrBlock=["203.0.113.0/24"],
    ),
    call("ListGatewayServices", ServiceName="com.privlink.local.objects"),
    refused("InvalidMaxResults", "ListGatewayServices", MaxResults=0),
    *NAME_SERVERS,
    call("DeleteGatewayService", ServiceId="vpces-1"),
    refused("GatewayServiceNotFound", "DeleteGatewayService", ServiceId="vpces-1"),
]
