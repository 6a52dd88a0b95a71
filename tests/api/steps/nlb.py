"""NLB: a load balancer, its listener and the servers behind it come and go."""

from tests.api.transcript import NODE_CATCHES_UP, call, refused

STEPS = [
    call("vpc.CreateVpc", CidrBlock="10.0.0.0/16"),
    call("vpc.CreateVSwitch", VpcId="vpc-1", ZoneId="local-a", CidrBlock="10.0.0.0/24"),
    call(
        "CreateLoadBalancer",
        VpcId="vpc-1",
        AddressType="Intranet",
        LoadBalancerName="shop",
        ZoneMappings=[
            {"ZoneId": "local-a", "VSwitchId": "vsw-1", "PrivateIPv4Address": "10.0.0.10"}
        ],
    ),
    refused(
        "InvalidZoneId.NotFound",
        "CreateLoadBalancer",
        VpcId="vpc-1",
        AddressType="Intranet",
        ZoneMappings=[{"ZoneId": "local-z", "VSwitchId": "vsw-1"}],
    ),
    call("CreateServerGroup", VpcId="vpc-1", ServerGroupName="web", ServerGroupType="Ip"),
    refused("InvalidVpcId.NotFound", "CreateServerGroup", VpcId="vpc-none", ServerGroupName="web"),
    call(
        "AddServersToServerGroup",
        ServerGroupId="sgp-1",
        Servers=[{"ServerType": "Ip", "ServerId": "10.0.0.5", "Port": 8080, "Weight": 50}],
    ),
    refused(
        "ResourceAlreadyExist.BackendServer",
        "AddServersToServerGroup",
        ServerGroupId="sgp-1",
        Servers=[{"ServerType": "Ip", "ServerId": "10.0.0.5", "Port": 8080}],
    ),
    call(
        "CreateListener",
        LoadBalancerId="nlb-1",
        ListenerProtocol="TCP",
        ListenerPort=80,
        ServerGroupId="sgp-1",
    ),
    refused(
        "ResourceAlreadyExist.Listener",
        "CreateListener",
        LoadBalancerId="nlb-1",
        ListenerProtocol="TCP",
        ListenerPort=80,
        ServerGroupId="sgp-1",
    ),
    NODE_CATCHES_UP,
    call("GetLoadBalancerAttribute", LoadBalancerId="nlb-1"),
    refused("ResourceNotFound.loadBalancer", "GetLoadBalancerAttribute", LoadBalancerId="nlb-none"),
    call("GetListenerAttribute", ListenerId="lsn-1"),
    refused("ResourceNotFound.Listener", "GetListenerAttribute", ListenerId="lsn-none"),
    refused("ResourceInUse.ServerGroup", "DeleteServerGroup", ServerGroupId="sgp-1"),
    refused("ResourceNotFound.Listener", "DeleteListener", ListenerId="lsn-none"),
    call("DeleteListener", ListenerId="lsn-1"),
    call("DeleteServerGroup", ServerGroupId="sgp-1"),
    refused("ResourceNotFound.loadBalancer", "DeleteLoadBalancer", LoadBalancerId="nlb-none"),
    call("DeleteLoadBalancer", LoadBalancerId="nlb-1"),
]
