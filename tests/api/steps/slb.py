"""SLB: a CLB gets servers and listeners, is looked at, changed, labelled, and goes."""

from tests.api.transcript import NODE_CATCHES_UP, call, refused

CLB = {"LoadBalancerId": "lb-1"}
NOBODY = {"LoadBalancerId": "lb-none"}
GROUP = {"VServerGroupId": "rsp-1"}
NO_GROUP = {"VServerGroupId": "rsp-none"}
PORT = {**CLB, "ListenerPort": 80}
OTHER_PORT = {**CLB, "ListenerPort": 443}
CHECKED_PORT = {**CLB, "ListenerPort": 9000}
NO_PORT = {**CLB, "ListenerPort": 8080}
RED = [{"Key": "team", "Value": "red"}]
DEFAULT_GROUP = "rg-c08c6ff45c135fe"

STAGE = [
    call("vpc.CreateVpc", CidrBlock="10.0.0.0/16"),
    call("vpc.CreateVSwitch", VpcId="vpc-1", ZoneId="local-a", CidrBlock="10.0.0.0/24"),
    call("privlink.CreateAttachment", VSwitchId="vsw-1", PrivateIpAddress="10.0.0.5"),
    call("resourcemanager.CreateResourceGroup", Name="shop", DisplayName="The shop"),
]

PLACES = [
    call("DescribeRegions"),
    refused("RegionNotFound", "DescribeRegions", RegionId="cn-hangzhou"),
    call("DescribeZones"),
    refused("RegionNotFound", "DescribeZones", RegionId="cn-hangzhou"),
    call("DescribeAvailableResource"),
    call("DescribeAvailableResource", AddressType="vpc", AddressIPVersion="ipv4"),
    call("DescribeAvailableResource", AddressType="classic_internet"),
    refused("RegionNotFound", "DescribeAvailableResource", RegionId="cn-hangzhou"),
]

BALANCER = [
    call(
        "CreateLoadBalancer",
        VpcId="vpc-1",
        VSwitchId="vsw-1",
        MasterZoneId="local-a",
        Address="10.0.0.10",
        AddressType="intranet",
        AddressIPVersion="ipv4",
        LoadBalancerName="shop",
        LoadBalancerSpec="slb.s1.small",
        InstanceChargeType="PayBySpec",
        InternetChargeType="paybytraffic",
        PayType="PayOnDemand",
        DeleteProtection="on",
        ModificationProtectionStatus="ConsoleProtection",
        ModificationProtectionReason="by code alone",
        ResourceGroupId=DEFAULT_GROUP,
        Tag=RED,
    ),
    call("CreateLoadBalancer", VSwitchId="vsw-1"),
    refused("InvalidAddressType", "CreateLoadBalancer", VSwitchId="vsw-1", AddressType="internet"),
    refused("EniIpUnavailable", "CreateLoadBalancer", VSwitchId="vsw-1", Address="10.0.0.10"),
]

DEFAULT_SERVERS = [
    call(
        "AddBackendServers",
        **CLB,
        BackendServers=(
            '[{"ServerId":"eni-1","Type":"eni","Weight":50,"Description":"the first"},'
            '{"ServerId":"10.0.0.6","Type":"eniip"}]'
        ),
    ),
    refused(
        "InvalidBackendServers", "AddBackendServers", **CLB, BackendServers='[{"ServerId":"i-1"}]'
    ),
    call(
        "SetBackendServers",
        **CLB,
        BackendServers='[{"ServerId":"eni-1","Type":"eni","Weight":100}]',
    ),
    refused(
        "InvalidBackendServers",
        "SetBackendServers",
        **CLB,
        BackendServers='[{"ServerId":"10.0.0.7","Type":"eniip","Weight":100}]',
    ),
    call(
        "RemoveBackendServers",
        **CLB,
        BackendServers='[{"ServerId":"10.0.0.6","Type":"eniip"}]',
    ),
    refused(
        "InvalidBackendServers",
        "RemoveBackendServers",
        **CLB,
        BackendServers='[{"ServerId":"10.0.0.6","Type":"eniip"}]',
    ),
]

SERVERS = [
    call(
        "CreateVServerGroup",
        **CLB,
        VServerGroupName="web",
        BackendServers='[{"ServerId":"eni-1","Type":"eni","Port":8443,"Description":"the first"}]',
    ),
    refused("InvalidLoadBalancerId.NotFound", "CreateVServerGroup", **NOBODY),
    call(
        "AddVServerGroupBackendServers",
        **GROUP,
        BackendServers='[{"ServerId":"10.0.0.6","Type":"eniip","Port":8443,"Weight":20}]',
    ),
    refused(
        "InvalidBackendServers",
        "AddVServerGroupBackendServers",
        **GROUP,
        BackendServers='[{"ServerId":"10.0.0.7","Type":"eniip"}]',
    ),
    call(
        "SetVServerGroupAttribute",
        **GROUP,
        VServerGroupName="workers",
        BackendServers='[{"ServerId":"10.0.0.6","Type":"eniip","Port":8443,"Weight":40}]',
    ),
    refused(
        "InvalidBackendServers",
        "SetVServerGroupAttribute",
        **GROUP,
        BackendServers='[{"ServerId":"10.0.0.6","Type":"eniip","Port":80,"Weight":40}]',
    ),
    call("DescribeVServerGroupAttribute", **GROUP),
    refused("InvalidParameter", "DescribeVServerGroupAttribute", **NO_GROUP),
    call("DescribeVServerGroups", **CLB),
    refused("InvalidLoadBalancerId.NotFound", "DescribeVServerGroups", **NOBODY),
    call(
        "RemoveVServerGroupBackendServers",
        **GROUP,
        BackendServers='[{"ServerId":"10.0.0.6","Type":"eniip","Port":8443}]',
    ),
    refused(
        "InvalidBackendServers",
        "RemoveVServerGroupBackendServers",
        **GROUP,
        BackendServers='[{"ServerId":"10.0.0.6","Type":"eniip","Port":8443}]',
    ),
]

LISTENERS = [
    call("CreateLoadBalancerTCPListener", **PORT, Bandwidth=-1, BackendServerPort=8080),
    call(
        "CreateLoadBalancerTCPListener",
        **OTHER_PORT,
        Bandwidth=-1,
        **GROUP,
        Description="the shop over TLS",
        Scheduler="wlc",
        EstablishedTimeout=600,
        HealthCheckSwitch="on",
        HealthCheckType="http",
        HealthCheckConnectPort=8081,
        HealthCheckConnectTimeout=3,
        HealthyThreshold=2,
        UnhealthyThreshold=2,
        HealthCheckDomain="$_ip",
        HealthCheckURI="/well",
        HealthCheckHttpCode="http_2xx,http_3xx",
        healthCheckInterval=5,
        ConnectionDrain="on",
        ConnectionDrainTimeout=60,
        AclStatus="off",
        PersistenceTimeout=0,
        ProxyProtocolV2Enabled=False,
    ),
    refused(
        "ListenerAlreadyExists",
        "CreateLoadBalancerTCPListener",
        **PORT,
        Bandwidth=-1,
        BackendServerPort=8080,
    ),
    refused(
        "MissingConnectionDrainTimeout",
        "CreateLoadBalancerTCPListener",
        **NO_PORT,
        Bandwidth=-1,
        BackendServerPort=8080,
        ConnectionDrain="on",
    ),
    call(
        "CreateLoadBalancerUDPListener",
        **OTHER_PORT,
        Bandwidth=-1,
        BackendServerPort=8443,
    ),
    call(
        "CreateLoadBalancerUDPListener",
        **{**CLB, "ListenerPort": 53},
        Bandwidth=-1,
        **GROUP,
        Description="names",
        Scheduler="sch",
        HealthCheckSwitch="on",
        HealthCheckConnectPort=5353,
        HealthCheckConnectTimeout=3,
        HealthyThreshold=2,
        UnhealthyThreshold=2,
        healthCheckInterval=5,
        healthCheckReq="ping",
        healthCheckExp="pong",
        AclStatus="off",
        ProxyProtocolV2Enabled=False,
    ),
    refused(
        "ListenerAlreadyExists",
        "CreateLoadBalancerUDPListener",
        **OTHER_PORT,
        Bandwidth=-1,
        BackendServerPort=8443,
    ),
    refused(
        "MissingBackendServerPort",
        "CreateLoadBalancerUDPListener",
        **NO_PORT,
        Bandwidth=-1,
    ),
    call("StartLoadBalancerListener", **PORT),
    call("StartLoadBalancerListener", **OTHER_PORT, ListenerProtocol="tcp"),
    call("StartLoadBalancerListener", **OTHER_PORT, ListenerProtocol="udp"),
    refused("MissingListenerProtocol", "StartLoadBalancerListener", **OTHER_PORT),
    refused("InvalidParameter", "StartLoadBalancerListener", **NO_PORT),
    NODE_CATCHES_UP,
    call("DescribeLoadBalancerTCPListenerAttribute", **PORT),
    call("DescribeLoadBalancerTCPListenerAttribute", **OTHER_PORT),
    refused("InvalidParameter", "DescribeLoadBalancerTCPListenerAttribute", **NO_PORT),
    call("DescribeLoadBalancerUDPListenerAttribute", **OTHER_PORT),
    call(
        "SetLoadBalancerTCPListenerAttribute",
        **OTHER_PORT,
        Bandwidth=-1,
        VServerGroup="on",
        **GROUP,
        Description="the shop, encrypted",
        Scheduler="tch",
        EstablishedTimeout=300,
        HealthCheckSwitch="on",
        HealthCheckType="tcp",
        HealthCheckConnectPort=8443,
        HealthCheckConnectTimeout=5,
        HealthCheckInterval=2,
        HealthyThreshold=3,
        UnhealthyThreshold=3,
        HealthCheckDomain="shop.example",
        HealthCheckURI="/",
        HealthCheckHttpCode="http_2xx",
        ConnectionDrain="off",
        ConnectionDrainTimeout=900,
        AclStatus="off",
        PersistenceTimeout=0,
        ProxyProtocolV2Enabled=False,
    ),
    refused(
        "InvalidHealthCheckConnectPort",
        "SetLoadBalancerTCPListenerAttribute",
        **OTHER_PORT,
        HealthCheckConnectPort=0,
    ),
    NODE_CATCHES_UP,
    call("DescribeLoadBalancerTCPListenerAttribute", **OTHER_PORT),
    call(
        "SetLoadBalancerUDPListenerAttribute",
        **OTHER_PORT,
        Bandwidth=-1,
        VServerGroup="on",
        **GROUP,
        Description="the shop over QUIC",
        Scheduler="rr",
        HealthCheckSwitch="on",
        HealthCheckConnectPort=8443,
        HealthCheckConnectTimeout=3,
        HealthCheckInterval=5,
        HealthyThreshold=2,
        UnhealthyThreshold=2,
        healthCheckReq="ping",
        healthCheckExp="pong",
        AclStatus="off",
        ProxyProtocolV2Enabled=False,
    ),
    refused(
        "MissingVServerGroupId",
        "SetLoadBalancerUDPListenerAttribute",
        **OTHER_PORT,
        VServerGroup="on",
    ),
    NODE_CATCHES_UP,
    call("DescribeLoadBalancerUDPListenerAttribute", **OTHER_PORT),
    refused("InvalidParameter", "DescribeLoadBalancerUDPListenerAttribute", **PORT),
]

LOOKED_AT = [
    call("DescribeLoadBalancerAttribute", **CLB),
    refused("InvalidLoadBalancerId.NotFound", "DescribeLoadBalancerAttribute", **NOBODY),
    call("DescribeLoadBalancers"),
    call(
        "DescribeLoadBalancers",
        LoadBalancerId="lb-1,lb-2",
        LoadBalancerName="shop",
        LoadBalancerStatus="active",
        Address="10.0.0.10",
        AddressType="intranet",
        AddressIPVersion="ipv4",
        NetworkType="vpc",
        PayType="PayOnDemand",
        MasterZoneId="local-a",
        VpcId="vpc-1",
        VSwitchId="vsw-1",
        ServerId="eni-1",
        ResourceGroupId=DEFAULT_GROUP,
        Tag=RED,
        PageNumber=1,
        PageSize=10,
    ),
    refused("InvalidPageSize", "DescribeLoadBalancers", PageSize=101),
]

HEALTH = [
    call("AddBackendServers", **CLB, BackendServers='[{"ServerId":"10.0.0.6","Type":"eniip"}]'),
    call(
        "CreateLoadBalancerTCPListener",
        **CHECKED_PORT,
        Bandwidth=-1,
        BackendServerPort=9000,
        HealthCheckSwitch="on",
    ),
    call("StartLoadBalancerListener", **CHECKED_PORT),
    NODE_CATCHES_UP,
    call("privlink.PullFeed", NodeId="node-1", Revision=0),
    call(
        "privlink.PushHealth",
        NodeId="node-1",
        Life=1,
        States=[
            {
                "Key": "balancer/lb-1/local-a",
                "Group": "lb-1",
                "Address": address,
                "Port": 9000,
                "State": state,
                "Since": "2026-12-01T09:00:00Z",
            }
            for address, state in (("10.0.0.5", "Healthy"), ("10.0.0.6", "Unhealthy"))
        ],
    ),
    call("DescribeHealthStatus", **CHECKED_PORT, ListenerProtocol="tcp"),
    call("DescribeHealthStatus", **CLB),
    refused("InvalidParameter", "DescribeHealthStatus", **NO_PORT),
    call("DeleteLoadBalancerListener", **CHECKED_PORT),
]

CHANGED = [
    call("SetLoadBalancerName", **CLB, LoadBalancerName="the shop"),
    refused(
        "InvalidLoadBalancerId.NotFound",
        "SetLoadBalancerName",
        **NOBODY,
        LoadBalancerName="the shop",
    ),
    call("SetLoadBalancerStatus", **CLB, LoadBalancerStatus="inactive"),
    refused("InvalidLoadBalancerStatus", "SetLoadBalancerStatus", **CLB, LoadBalancerStatus="off"),
    refused("OperationDenied.DeleteProtectionIsOn", "DeleteLoadBalancer", **CLB),
    call("SetLoadBalancerDeleteProtection", **CLB, DeleteProtection="off"),
    refused(
        "InvalidDeleteProtection",
        "SetLoadBalancerDeleteProtection",
        **CLB,
        DeleteProtection="false",
    ),
    call(
        "SetLoadBalancerModificationProtection",
        LoadBalancerId="lb-2",
        ModificationProtectionStatus="ConsoleProtection",
        ModificationProtectionReason="by code alone",
    ),
    refused(
        "InvalidModificationProtectionReason",
        "SetLoadBalancerModificationProtection",
        **CLB,
        ModificationProtectionStatus="NonProtection",
        ModificationProtectionReason="by code alone",
    ),
]

LABELS = [
    call(
        "TagResources",
        ResourceType="instance",
        ResourceId=["lb-1", "lb-2"],
        Tag=[{"Key": "stage", "Value": "test"}],
    ),
    refused(
        "InvalidResourceId.NotFound",
        "TagResources",
        ResourceType="instance",
        ResourceId=["lb-none"],
        Tag=RED,
    ),
    call("ListTagResources", ResourceType="instance", ResourceId=["lb-1", "lb-2"]),
    call("ListTagResources", ResourceType="instance", Tag=RED),
    refused("BothEmpty.TagsAndResources", "ListTagResources", ResourceType="instance"),
    call("UntagResources", ResourceType="instance", ResourceId=["lb-1"], TagKey=["stage"]),
    call("UntagResources", ResourceType="instance", ResourceId=["lb-2"], All=True),
    refused(
        "MissingParameter.TagKey", "UntagResources", ResourceType="instance", ResourceId=["lb-1"]
    ),
    call(
        "MoveResourceGroup",
        ResourceType="loadbalancer",
        ResourceId="lb-1",
        NewResourceGroupId="rg-1",
    ),
    refused(
        "InvalidResourceGroup",
        "MoveResourceGroup",
        ResourceType="loadbalancer",
        ResourceId="lb-1",
        NewResourceGroupId="rg-none",
    ),
]

END = [
    call("StopLoadBalancerListener", **OTHER_PORT, ListenerProtocol="tcp"),
    refused("InvalidParameter", "StopLoadBalancerListener", **NO_PORT),
    refused("RspoolVipExist", "DeleteVServerGroup", **GROUP),
    refused("MissingListenerProtocol", "StopLoadBalancerListener", **OTHER_PORT),
    refused("MissingListenerProtocol", "DeleteLoadBalancerListener", **OTHER_PORT),
    call("DeleteLoadBalancerListener", **OTHER_PORT, ListenerProtocol="tcp"),
    call("StopLoadBalancerListener", **OTHER_PORT),
    call("DeleteLoadBalancerListener", **OTHER_PORT),
    call("DeleteLoadBalancerListener", **{**CLB, "ListenerPort": 53}, ListenerProtocol="udp"),
    refused("InvalidParameter", "DeleteLoadBalancerListener", **OTHER_PORT),
    call("DeleteVServerGroup", **GROUP),
    call("DeleteLoadBalancer", **CLB),
]

STEPS = [
    *STAGE,
    *PLACES,
    *BALANCER,
    *DEFAULT_SERVERS,
    *SERVERS,
    *LISTENERS,
    *LOOKED_AT,
    *HEALTH,
    *CHANGED,
    *LABELS,
    *END,
]
