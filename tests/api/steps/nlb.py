"""NLB: a load balancer gets servers and a listener, is looked at, changed, labelled, and goes."""

from tests.api.transcript import NODE_CATCHES_UP, call, refused

ADDRESS = {"ServerType": "Ip", "ServerId": "10.0.0.5", "Port": 8080}
ATTACHMENT = {"ServerType": "Eni", "ServerId": "eni-1", "Port": 8080}
PLACE = {"ZoneId": "local-a", "VSwitchId": "vsw-1"}
LISTENER = {"LoadBalancerId": "nlb-1", "ListenerProtocol": "TCP", "ListenerPort": 80}
RED = [{"Key": "team", "Value": "red"}]
CHECK = {
    "HealthCheckEnabled": True,
    "HealthCheckType": "HTTP",
    "HealthCheckConnectPort": 8081,
    "HealthCheckConnectTimeout": 3,
    "HealthCheckInterval": 10,
    "HealthyThreshold": 3,
    "UnhealthyThreshold": 3,
    "HttpCheckMethod": "HEAD",
    "HealthCheckUrl": "/well",
    "HealthCheckDomain": "$SERVER_IP",
    "HealthCheckHttpVersion": "HTTP1.1",
    "HealthCheckHttpCode": ["http_2xx", "http_3xx"],
}
DEFAULT_GROUP = "rg-c08c6ff45c135fe"
NOBODY = {"LoadBalancerId": "nlb-none"}
NO_LISTENER = {"ListenerId": "lsn-none"}
JOB = "00000000-0000-0000-0000-000000000002"  # the first listener's

STAGE = [
    call("vpc.CreateVpc", CidrBlock="10.0.0.0/16"),
    call("vpc.CreateVSwitch", VpcId="vpc-1", ZoneId="local-a", CidrBlock="10.0.0.0/24"),
    call("vpc.CreateVSwitch", VpcId="vpc-1", ZoneId="local-b", CidrBlock="10.0.1.0/24"),
    call("vpc.ModifyVpcAttribute", VpcId="vpc-1", EnableIPv6=True, Ipv6CidrBlock="fd00::/56"),
    call("privlink.CreateAttachment", VSwitchId="vsw-1", PrivateIpAddress="10.0.0.6"),
    call("resourcemanager.CreateResourceGroup", Name="shop", DisplayName="The shop"),
    call("vpc.CreateVpc", EnableIpv6=True, Ipv6CidrBlock="fd00:0:0:100::/56"),
    call(
        "vpc.CreateVSwitch",
        VpcId="vpc-2",
        ZoneId="local-a",
        CidrBlock="172.16.0.0/24",
        Ipv6CidrBlock=1,
    ),
]

BALANCER = [
    call("DescribeZones"),
    call("DescribeZones", ServiceCode="alb"),
    refused("RegionNotFound", "DescribeZones", RegionId="cn-hangzhou"),
    call(
        "CreateLoadBalancer",
        VpcId="vpc-1",
        AddressType="Intranet",
        AddressIpVersion="ipv4",
        LoadBalancerType="network",
        LoadBalancerName="shop",
        LoadBalancerBillingConfig={"PayType": "PostPay"},
        DeletionProtectionConfig={"Enabled": True, "Reason": "the shop needs it"},
        ModificationProtectionConfig={"Status": "ConsoleProtection", "Reason": "by code alone"},
        ResourceGroupId=DEFAULT_GROUP,
        Tag=RED,
        ZoneMappings=[
            {**PLACE, "PrivateIPv4Address": "10.0.0.10"},
            {"ZoneId": "local-b", "VSwitchId": "vsw-2"},
        ],
    ),
    call("CreateLoadBalancer", VpcId="vpc-1", AddressType="Intranet", ZoneMappings=[PLACE]),
    refused(
        "InvalidAddressType",
        "CreateLoadBalancer",
        VpcId="vpc-1",
        AddressType="Internet",
        ZoneMappings=[PLACE],
    ),
    refused(
        "InvalidZoneId.NotFound",
        "CreateLoadBalancer",
        VpcId="vpc-1",
        AddressType="Intranet",
        ZoneMappings=[{"ZoneId": "local-z", "VSwitchId": "vsw-1"}],
    ),
]

SERVERS = [
    call("CreateServerGroup", VpcId="vpc-1", ServerGroupName="web", ServerGroupType="Ip"),
    call(
        "CreateServerGroup",
        VpcId="vpc-1",
        ServerGroupName="workers",
        Protocol="TCP",
        ServerGroupType="Instance",
        Scheduler="Wlc",
        AddressIPVersion="ipv4",
        HealthCheckConfig=CHECK,
        ConnectionDrainEnabled=True,
        ConnectionDrainTimeout=60,
        PreserveClientIpEnabled=False,
        AnyPortEnabled=False,
        ResourceGroupId=DEFAULT_GROUP,
        Tag=RED,
    ),
    refused("InvalidVpcId.NotFound", "CreateServerGroup", VpcId="vpc-none", ServerGroupName="web"),
    call(
        "CreateServerGroup",
        VpcId="vpc-1",
        ServerGroupName="media",
        Protocol="TCP_UDP",
        ServerGroupType="Ip",
        AddressIPVersion="DualStack",
        AnyPortEnabled=True,
    ),
    refused(
        "InvalidProtocol",
        "CreateServerGroup",
        VpcId="vpc-1",
        ServerGroupName="web",
        Protocol="TCPSSL",
    ),
    refused(
        "InvalidScheduler",
        "CreateServerGroup",
        VpcId="vpc-1",
        ServerGroupName="web",
        Scheduler="Qch",
    ),
    refused(
        "InvalidHealthCheckConfig",
        "CreateServerGroup",
        VpcId="vpc-1",
        ServerGroupName="web",
        HealthCheckConfig={"HealthCheckType": "UDP"},
    ),
    call(
        "AddServersToServerGroup",
        ServerGroupId="sgp-1",
        Servers=[
            {**ADDRESS, "Weight": 50, "Description": "the first"},
            {"ServerType": "Ip", "ServerId": "10.0.0.6", "Port": 8080},
        ],
    ),
    call("AddServersToServerGroup", ServerGroupId="sgp-2", Servers=[ATTACHMENT]),
    refused(
        "ResourceAlreadyExist.BackendServer",
        "AddServersToServerGroup",
        ServerGroupId="sgp-1",
        Servers=[ADDRESS],
    ),
    refused(
        "Mismatch.ServerType",
        "AddServersToServerGroup",
        ServerGroupId="sgp-1",
        Servers=[ATTACHMENT],
    ),
    call(
        "AddServersToServerGroup",
        ServerGroupId="sgp-3",
        Servers=[
            {"ServerType": "Ip", "ServerId": "10.0.0.5"},
            {"ServerType": "Ip", "ServerId": "FD00::5", "ServerIp": "fd00::5"},
        ],
    ),
    refused("InvalidServers", "AddServersToServerGroup", ServerGroupId="sgp-3", Servers=[ADDRESS]),
    refused(
        "Mismatch.AddressIPVersion",
        "AddServersToServerGroup",
        ServerGroupId="sgp-1",
        Servers=[{"ServerType": "Ip", "ServerId": "fd00::5", "Port": 8080}],
    ),
    call("ListServerGroupServers", ServerGroupId="sgp-3"),
    call("ListServerGroupServers", ServerGroupId="sgp-1"),
    call("ListServerGroupServers", ServerGroupId="sgp-1", MaxResults=1),
    call("ListServerGroupServers", ServerGroupId="sgp-1", NextToken="token-1"),
    call(
        "ListServerGroupServers",
        ServerGroupId="sgp-2",
        ServerIds=["eni-1"],
        ServerIps=["10.0.0.6"],
    ),
    refused("ResourceNotFound.ServerGroup", "ListServerGroupServers", ServerGroupId="sgp-none"),
]

PORT = [
    call("CreateListener", **LISTENER, ServerGroupId="sgp-1"),
    call(
        "CreateListener",
        **LISTENER | {"ListenerPort": 443},
        ServerGroupId="sgp-1",
        ListenerDescription="the shop over TLS",
        IdleTimeout=600,
        ProxyProtocolEnabled=False,
        SecSensorEnabled=False,
        Cps=0,
        Tag=RED,
    ),
    call(
        "CreateListener",
        **LISTENER | {"ListenerProtocol": "UDP", "ListenerPort": 0},
        StartPort=8000,
        EndPort=8099,
        ServerGroupId="sgp-3",
    ),
    refused("ResourceAlreadyExist.Listener", "CreateListener", **LISTENER, ServerGroupId="sgp-1"),
    refused(
        "MissingStartPort",
        "CreateListener",
        **LISTENER | {"ListenerPort": 0},
        ServerGroupId="sgp-3",
    ),
    refused(
        "Mismatch.Protocol",
        "CreateListener",
        **LISTENER | {"ListenerProtocol": "UDP"},
        ServerGroupId="sgp-1",
    ),
    refused(
        "Mismatch.AnyPortEnabled",
        "CreateListener",
        **LISTENER | {"ListenerPort": 0},
        StartPort=8000,
        EndPort=8099,
        ServerGroupId="sgp-1",
    ),
    call("GetListenerAttribute", ListenerId="lsn-1"),
    call("GetJobStatus", JobId=JOB),
    NODE_CATCHES_UP,
    call("GetListenerAttribute", ListenerId="lsn-1"),
    call("GetJobStatus", JobId=JOB),
    refused("ResourceNotFound.Job", "GetJobStatus", JobId="job-none"),
    call("GetListenerAttribute", ListenerId="lsn-3"),
    refused("ResourceNotFound.Listener", "GetListenerAttribute", **NO_LISTENER),
    call("ListListeners"),
    call(
        "ListListeners",
        ListenerIds=["lsn-2"],
        LoadBalancerIds=["nlb-1"],
        ListenerProtocol="TCP",
        SecSensorEnabled=False,
        Tag=RED,
        MaxResults=10,
    ),
    refused("InvalidMaxResults", "ListListeners", MaxResults=0),
    call(
        "UpdateListenerAttribute",
        ListenerId="lsn-1",
        ServerGroupId="sgp-2",
        ListenerDescription="the shop",
        IdleTimeout=300,
        ProxyProtocolEnabled=False,
        SecSensorEnabled=False,
        Cps=0,
    ),
    refused("InvalidCps", "UpdateListenerAttribute", ListenerId="lsn-1", Cps=1000),
    refused(
        "Mismatch.Protocol",
        "UpdateListenerAttribute",
        ListenerId="lsn-3",
        ServerGroupId="sgp-1",
    ),
    call("StopListener", ListenerId="lsn-1"),
    refused("ResourceNotFound.Listener", "StopListener", **NO_LISTENER),
    call("GetListenerAttribute", ListenerId="lsn-1"),
    call("StartListener", ListenerId="lsn-1"),
    refused("ResourceNotFound.Listener", "StartListener", **NO_LISTENER),
]

LOOKED_AT = [
    NODE_CATCHES_UP,
    call("GetLoadBalancerAttribute", LoadBalancerId="nlb-1"),
    refused("ResourceNotFound.loadBalancer", "GetLoadBalancerAttribute", **NOBODY),
    call("ListLoadBalancers"),
    call("ListLoadBalancers", MaxResults=1),
    call(
        "ListLoadBalancers",
        LoadBalancerIds=["nlb-1"],
        LoadBalancerNames=["shop"],
        LoadBalancerStatus="Active",
        LoadBalancerBusinessStatus="Normal",
        LoadBalancerType="network",
        AddressType="Intranet",
        AddressIpVersion="ipv4",
        VpcIds=["vpc-1"],
        ZoneId="local-b",
        ResourceGroupId=DEFAULT_GROUP,
        Tag=RED,
    ),
    refused("InvalidMaxResults", "ListLoadBalancers", MaxResults=101),
    call("ListServerGroups"),
    call(
        "ListServerGroups",
        ServerGroupIds=["sgp-2"],
        ServerGroupNames=["workers"],
        ServerGroupType="Instance",
        VpcId="vpc-1",
        ResourceGroupId=DEFAULT_GROUP,
        Tag=RED,
        MaxResults=10,
    ),
    refused("InvalidServerGroupType", "ListServerGroups", ServerGroupType="Ecs"),
    call(
        "UpdateServerGroupAttribute",
        ServerGroupId="sgp-3",
        ServerGroupName="games",
        Scheduler="Sch",
        HealthCheckConfig={
            "HealthCheckEnabled": True,
            "HealthCheckType": "UDP",
            "HealthCheckConnectPort": 8000,
            "HealthCheckReq": "ping",
            "HealthCheckExp": "pong",
        },
        ConnectionDrainEnabled=True,
        ConnectionDrainTimeout=900,
        PreserveClientIpEnabled=False,
    ),
    refused("ResourceNotFound.ServerGroup", "UpdateServerGroupAttribute", ServerGroupId="sgp-none"),
    call("ListServerGroups", ServerGroupIds=["sgp-3"]),
]

CHANGED = [
    call(
        "UpdateLoadBalancerAttribute",
        LoadBalancerId="nlb-1",
        LoadBalancerName="the shop",
        CrossZoneEnabled=False,
    ),
    refused("ResourceNotFound.loadBalancer", "UpdateLoadBalancerAttribute", **NOBODY),
    refused(
        "OperationDenied.DeletionProtectionEnabled", "DeleteLoadBalancer", LoadBalancerId="nlb-1"
    ),
    call(
        "UpdateLoadBalancerProtection",
        LoadBalancerId="nlb-1",
        DeletionProtectionEnabled=False,
        ModificationProtectionStatus="NonProtection",
    ),
    call(
        "UpdateLoadBalancerProtection",
        LoadBalancerId="nlb-2",
        ModificationProtectionStatus="ConsoleProtection",
        ModificationProtectionReason="by code alone",
    ),
    refused(
        "InvalidDeletionProtectionReason",
        "UpdateLoadBalancerProtection",
        LoadBalancerId="nlb-1",
        DeletionProtectionReason="the shop needs it",
    ),
]

LABELS = [
    call(
        "TagResources",
        ResourceType="loadbalancer",
        ResourceId=["nlb-1", "nlb-2"],
        Tag=[{"Key": "stage", "Value": "test"}],
    ),
    refused(
        "InvalidResourceId.NotFound",
        "TagResources",
        ResourceType="listener",
        ResourceId=["lsn-none"],
        Tag=RED,
    ),
    call("ListTagResources", ResourceType="loadbalancer", ResourceId=["nlb-1", "nlb-2"]),
    call("ListTagResources", ResourceType="servergroup", Tag=RED, MaxResults=10),
    refused("BothEmpty.TagsAndResources", "ListTagResources", ResourceType="loadbalancer"),
    call("UntagResources", ResourceType="loadbalancer", ResourceId=["nlb-2"], TagKey=["stage"]),
    call("UntagResources", ResourceType="listener", ResourceId=["lsn-2"], All=True),
    refused(
        "MissingParameter.TagKey",
        "UntagResources",
        ResourceType="loadbalancer",
        ResourceId=["nlb-1"],
    ),
    call(
        "MoveResourceGroup",
        ResourceType="loadbalancer",
        ResourceId="nlb-1",
        NewResourceGroupId="rg-1",
    ),
    refused(
        "InvalidResourceType",
        "MoveResourceGroup",
        ResourceType="listener",
        ResourceId="lsn-1",
        NewResourceGroupId="rg-1",
    ),
]

DUAL_STACK = [
    call(
        "CreateLoadBalancer",
        VpcId="vpc-2",
        AddressType="Intranet",
        AddressIpVersion="DualStack",
        ZoneMappings=[
            {"ZoneId": "local-a", "VSwitchId": "vsw-3", "Ipv6Address": "fd00:0:0:101::80"}
        ],
    ),
    refused(
        "OperationFailed.vSwitchNotSupportIpv6",
        "CreateLoadBalancer",
        VpcId="vpc-1",
        AddressType="Intranet",
        AddressIpVersion="DualStack",
        ZoneMappings=[PLACE],
    ),
    call("GetLoadBalancerAttribute", LoadBalancerId="nlb-3"),
    call("ListLoadBalancers", AddressIpVersion="DualStack"),
]

HEALTH = [
    call(
        "CreateServerGroup",
        VpcId="vpc-1",
        ServerGroupName="checked",
        ServerGroupType="Ip",
        HealthCheckConfig={"HealthCheckEnabled": True},
    ),
    call(
        "AddServersToServerGroup",
        ServerGroupId="sgp-4",
        Servers=[ADDRESS, {"ServerType": "Ip", "ServerId": "10.0.0.6", "Port": 8080}],
    ),
    call("CreateListener", **LISTENER | {"ListenerPort": 8080}, ServerGroupId="sgp-4"),
    NODE_CATCHES_UP,
    call("privlink.PullFeed", NodeId="node-1", Revision=0),
    call(
        "privlink.PushHealth",
        NodeId="node-1",
        Life=1,
        States=[
            {
                "Key": f"balancer/nlb-1/{zone}",
                "Group": "sgp-4",
                "Address": "10.0.0.5",
                "Port": 8080,
                "State": "Unhealthy",
                "Why": "CONNECT_FAILED: connection refused",
                "Since": "2026-12-01T09:00:00Z",
            }
            for zone in ("local-a", "local-b")
        ],
    ),
    call("GetListenerHealthStatus", ListenerId="lsn-4"),
    call("GetListenerHealthStatus", ListenerId="lsn-1"),
    refused("ResourceNotFound.Listener", "GetListenerHealthStatus", **NO_LISTENER),
]

END = [
    call("RemoveServersFromServerGroup", ServerGroupId="sgp-1", Servers=[ADDRESS]),
    call(
        "RemoveServersFromServerGroup",
        ServerGroupId="sgp-3",
        Servers=[{"ServerType": "Ip", "ServerId": "fd00::5"}],
    ),
    call("ListServerGroupServers", ServerGroupId="sgp-3"),
    refused(
        "ResourceNotFound.BackendServer",
        "RemoveServersFromServerGroup",
        ServerGroupId="sgp-1",
        Servers=[ADDRESS],
    ),
    refused("ResourceInUse.ServerGroup", "DeleteServerGroup", ServerGroupId="sgp-1"),
    refused("ResourceNotFound.Listener", "DeleteListener", **NO_LISTENER),
    call("DeleteListener", ListenerId="lsn-2"),
    call("DeleteServerGroup", ServerGroupId="sgp-1"),
    refused("ResourceNotFound.loadBalancer", "DeleteLoadBalancer", **NOBODY),
    call("DeleteLoadBalancer", LoadBalancerId="nlb-1"),
]

STEPS = [
    *STAGE,
    *BALANCER,
    *SERVERS,
    *PORT,
    *LOOKED_AT,
    *CHANGED,
    *LABELS,
    *DUAL_STACK,
    *HEALTH,
    *END,
]
