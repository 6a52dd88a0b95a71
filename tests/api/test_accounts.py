"""One account cannot see or touch anything of another, and nobody what is not for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from privlink.api.action import Action
from privlink.api.caller import Who
from privlink.client import RemoteError, flatten
from privlink.model.account import Resolver
from privlink.model.ids import ResolverId
from privlink.server.wiring import ACTIONS
from privlink.store import resolvers
from tests.api.account import Account
from tests.api.conftest import Refused
from tests.api.identity import EVERYTHING, trust
from tests.api.stage import DNS, NODE, OPERATOR, Stage
from tests.api.stand_in import Node
from tests.api.test_rule_peers import prefix_list
from tests.api.wire import Reply, acs3, send
from tests.api.world import A, Network, World


def tagged(kind: str, resource: str) -> dict[str, Any]:
    """What TagResources takes, of any product."""
    tag = {"Key": "team", "Value": "red"}
    return {"ResourceType": kind, "ResourceId": [resource], "Tag": [tag]}


ENTRY = {
    "IpProtocol": "TCP",
    "NatIp": "10.0.0.1",
    "NetworkInterfaceId": "reverse eni",
    "AccessIp": "10.0.0.9",
    "AccessPort": "80",
}
# Calls that name something of somebody: the ids stand in for what the first account owns.
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("CreateVpc", {"ResourceGroupId": "rg"}),
    ("DescribeVpcAttribute", {"VpcId": "vpc"}),
    ("ModifyVpcAttribute", {"VpcId": "vpc", "VpcName": "mine"}),
    ("DeleteVpc", {"VpcId": "vpc"}),
    ("CreateVSwitch", {"VpcId": "vpc", "ZoneId": A, "CidrBlock": "10.0.9.0/24"}),
    ("DescribeVSwitchAttributes", {"VSwitchId": "vsw"}),
    ("ModifyVSwitchAttribute", {"VSwitchId": "vsw", "VSwitchName": "mine"}),
    ("DeleteVSwitch", {"VSwitchId": "vsw"}),
    ("CreateRouteTable", {"VpcId": "vpc"}),
    ("ModifyRouteTableAttributes", {"RouteTableId": "vtb", "RouteTableName": "mine"}),
    ("DeleteRouteTable", {"RouteTableId": "vtb"}),
    ("AssociateRouteTable", {"RouteTableId": "vtb", "VSwitchId": "own vsw"}),
    ("AssociateRouteTable", {"RouteTableId": "own vtb", "VSwitchId": "vsw"}),
    ("UnassociateRouteTable", {"RouteTableId": "vtb", "VSwitchId": "own vsw"}),
    ("UnassociateRouteTable", {"RouteTableId": "own vtb", "VSwitchId": "vsw"}),
    ("DescribeRouteEntryList", {"RouteTableId": "vtb"}),
    (
        "CreateRouteEntry",
        {
            "RouteTableId": "vtb",
            "DestinationCidrBlock": "192.168.0.0/16",
            "NextHopType": "NetworkInterface",
            "NextHopId": "own eni",
        },
    ),
    *(
        (
            "CreateRouteEntry",
            {
                "RouteTableId": "own vtb",
                "DestinationCidrBlock": "192.168.0.0/16",
                "NextHopType": kind,
                "NextHopId": hop,
            },
        )
        for kind, hop in (("NetworkInterface", "eni"), ("Instance", "att"))
    ),
    (
        "CreateRouteEntry",
        {
            "RouteTableId": "own vtb",
            "DestinationCidrBlock": "routes pl",
            "NextHopType": "NetworkInterface",
            "NextHopId": "own eni",
        },
    ),
    ("DeleteRouteEntry", {"RouteEntryId": "rte"}),
    ("DeleteRouteEntry", {"RouteTableId": "vtb", "DestinationCidrBlock": "172.16.0.0/12"}),
    ("ModifyRouteEntry", {"RouteEntryId": "rte", "RouteEntryName": "mine"}),
    ("ModifyRouteEntry", {"RouteEntryId": "own rte", "NewNextHopId": "att"}),
    ("CreateVpcPrefixList", {"ResourceGroupId": "rg"}),
    ("ModifyVpcPrefixList", {"PrefixListId": "routes pl", "PrefixListName": "mine"}),
    ("DeleteVpcPrefixList", {"PrefixListId": "routes pl"}),
    ("GetVpcPrefixListEntries", {"PrefixListId": "routes pl"}),
    ("GetVpcPrefixListAssociations", {"PrefixListId": "routes pl"}),
    ("vpc.TagResources", tagged("PrefixList", "routes pl")),
    (
        "vpc.MoveResourceGroup",
        {
            "ResourceType": "PrefixList",
            "ResourceId": "routes pl",
            "NewResourceGroupId": "own rg",
        },
    ),
    (
        "CreateVpcGatewayEndpoint",
        {"VpcId": "vpc", "ServiceName": "com.privlink.local.objects"},
    ),
    (
        "CreateVpcGatewayEndpoint",
        {
            "VpcId": "own empty vpc",
            "ServiceName": "com.privlink.local.objects",
            "ResourceGroupId": "rg",
        },
    ),
    ("UpdateVpcGatewayEndpointAttribute", {"EndpointId": "vpce", "EndpointName": "mine"}),
    ("DeleteVpcGatewayEndpoint", {"EndpointId": "vpce"}),
    ("GetVpcGatewayEndpointAttribute", {"EndpointId": "vpce"}),
    (
        "AssociateRouteTablesWithVpcGatewayEndpoint",
        {"EndpointId": "vpce", "RouteTableIds": ["own vtb"]},
    ),
    (
        "AssociateRouteTablesWithVpcGatewayEndpoint",
        {"EndpointId": "own vpce", "RouteTableIds": ["vtb"]},
    ),
    (
        "DissociateRouteTablesFromVpcGatewayEndpoint",
        {"EndpointId": "vpce", "RouteTableIds": ["own vtb"]},
    ),
    (
        "DissociateRouteTablesFromVpcGatewayEndpoint",
        {"EndpointId": "own vpce", "RouteTableIds": ["vtb"]},
    ),
    ("vpc.TagResources", tagged("GatewayEndpoint", "vpce")),
    (
        "vpc.MoveResourceGroup",
        {"ResourceType": "GatewayEndpoint", "ResourceId": "vpce", "NewResourceGroupId": "own rg"},
    ),
    ("vpc.TagResources", tagged("VPC", "vpc")),
    ("vpc.TagResources", tagged("ROUTETABLE", "vtb")),
    ("UnTagResources", {"ResourceType": "VSWITCH", "ResourceId": ["vsw"], "All": "true"}),
    (
        "vpc.MoveResourceGroup",
        {"ResourceType": "VPC", "ResourceId": "vpc", "NewResourceGroupId": "own rg"},
    ),
    (
        "vpc.MoveResourceGroup",
        {"ResourceType": "VPC", "ResourceId": "own vpc", "NewResourceGroupId": "rg"},
    ),
    ("CreateNatGateway", {"VpcId": "vpc", "VSwitchId": "own vsw", "NetworkType": "intranet"}),
    ("CreateNatGateway", {"VpcId": "own vpc", "VSwitchId": "vsw", "NetworkType": "intranet"}),
    ("GetNatGatewayAttribute", {"NatGatewayId": "ngw"}),
    ("ModifyNatGatewayAttribute", {"NatGatewayId": "ngw", "Name": "mine"}),
    ("DeleteNatGateway", {"NatGatewayId": "ngw"}),
    ("CreateNatIp", {"NatGatewayId": "ngw", "NatIpCidr": "10.0.0.0/24"}),
    ("ListNatIps", {"NatGatewayId": "ngw"}),
    ("DeleteNatIp", {"NatIpId": "vpcnatip"}),
    ("CreateFullNatEntry", ENTRY | {"FullNatTableId": "fulltb"}),
    ("CreateFullNatEntry", ENTRY | {"FullNatTableId": "own fulltb", "NatIp": "own address"}),
    ("ListFullNatEntries", {"NatGatewayId": "ngw"}),
    ("ListFullNatEntries", {"FullNatTableId": "fulltb"}),
    (
        "ModifyFullNatEntryAttribute",
        {"FullNatTableId": "fulltb", "FullNatEntryId": "fullnat", "AccessPort": "80"},
    ),
    (
        "ModifyFullNatEntryAttribute",
        {"FullNatTableId": "own fulltb", "FullNatEntryId": "fullnat", "AccessPort": "80"},
    ),
    ("DeleteFullNatEntry", {"FullNatTableId": "fulltb", "FullNatEntryId": "fullnat"}),
    ("DeleteFullNatEntry", {"FullNatTableId": "own fulltb", "FullNatEntryId": "fullnat"}),
    ("DescribeNatGatewayAssociateNetworkInterfaces", {"NatGatewayId": "ngw"}),
    ("VpcDescribeVpcNatGatewayNetworkInterfaceQuota", {"NatGatewayId": "ngw"}),
    ("vpc.TagResources", tagged("NATGATEWAY", "ngw")),
    ("ListFullNatEntryStates", {"NatGatewayId": "ngw"}),
    ("SetEndpointTargets", {"EndpointId": "ep"}),
    ("ListEndpointTargets", {"EndpointId": "ep"}),
    ("CreateSecurityGroup", {"VpcId": "vpc"}),
    ("CreateSecurityGroup", {"VpcId": "own vpc", "ResourceGroupId": "rg"}),
    (
        "AuthorizeSecurityGroup",
        {
            "SecurityGroupId": "sg",
            "Permissions": [
                {"IpProtocol": "tcp", "PortRange": "80/80", "SourceCidrIp": "10.0.0.0/8"}
            ],
        },
    ),
    (
        "RevokeSecurityGroup",
        {
            "SecurityGroupId": "sg",
            "IpProtocol": "tcp",
            "PortRange": "80/80",
            "SourceCidrIp": "10.0.0.0/8",
        },
    ),
    (
        "AuthorizeSecurityGroupEgress",
        {
            "SecurityGroupId": "sg",
            "IpProtocol": "all",
            "PortRange": "-1/-1",
            "DestCidrIp": "0.0.0.0/0",
        },
    ),
    ("RevokeSecurityGroupEgress", {"SecurityGroupId": "sg", "SecurityGroupRuleId": ["sgr-1"]}),
    ("ModifySecurityGroupRule", {"SecurityGroupId": "sg", "SecurityGroupRuleId": "sgr-1"}),
    ("ModifySecurityGroupEgressRule", {"SecurityGroupId": "sg", "SecurityGroupRuleId": "sgr-1"}),
    ("ModifySecurityGroupAttribute", {"SecurityGroupId": "sg", "SecurityGroupName": "mine"}),
    ("ModifySecurityGroupPolicy", {"SecurityGroupId": "sg", "InnerAccessPolicy": "Drop"}),
    (
        "AuthorizeSecurityGroup",
        {
            "SecurityGroupId": "own sg",
            "Permissions": [{"IpProtocol": "all", "PortRange": "-1/-1", "SourceGroupId": "sg"}],
        },
    ),
    (
        "AuthorizeSecurityGroupEgress",
        {
            "SecurityGroupId": "own sg",
            "Permissions": [{"IpProtocol": "all", "PortRange": "-1/-1", "DestPrefixListId": "pl"}],
        },
    ),
    ("JoinSecurityGroup", {"SecurityGroupId": "sg", "NetworkInterfaceId": "own eni"}),
    ("JoinSecurityGroup", {"SecurityGroupId": "own sg", "NetworkInterfaceId": "eni"}),
    ("LeaveSecurityGroup", {"SecurityGroupId": "sg", "NetworkInterfaceId": "own eni"}),
    ("LeaveSecurityGroup", {"SecurityGroupId": "own sg", "NetworkInterfaceId": "eni"}),
    ("ModifyPrefixList", {"PrefixListId": "pl", "PrefixListName": "mine"}),
    ("DeletePrefixList", {"PrefixListId": "pl"}),
    ("DescribePrefixListAttributes", {"PrefixListId": "pl"}),
    ("DescribePrefixListAssociations", {"PrefixListId": "pl"}),
    ("ecs.TagResources", tagged("prefixlist", "pl")),
    ("DescribeNetworkInterfaceAttribute", {"NetworkInterfaceId": "eni"}),
    ("ecs.TagResources", tagged("securitygroup", "sg")),
    ("ecs.TagResources", tagged("Eni", "eni")),
    (
        "ecs.UntagResources",
        {"ResourceType": "securitygroup", "ResourceId": ["sg"], "All": "true"},
    ),
    (
        "JoinResourceGroup",
        {"ResourceType": "securitygroup", "ResourceId": "sg", "ResourceGroupId": "own rg"},
    ),
    (
        "JoinResourceGroup",
        {"ResourceType": "Eni", "ResourceId": "own eni", "ResourceGroupId": "rg"},
    ),
    ("DescribeSecurityGroupAttribute", {"SecurityGroupId": "sg"}),
    ("DeleteSecurityGroup", {"SecurityGroupId": "sg"}),
    (
        "nlb.CreateLoadBalancer",
        {
            "VpcId": "vpc",
            "AddressType": "Intranet",
            "ZoneMappings": [{"ZoneId": A, "VSwitchId": "vsw"}],
        },
    ),
    (
        "nlb.CreateLoadBalancer",
        {
            "VpcId": "own vpc",
            "AddressType": "Intranet",
            "ZoneMappings": [{"ZoneId": A, "VSwitchId": "vsw"}],
        },
    ),
    ("GetLoadBalancerAttribute", {"LoadBalancerId": "nlb"}),
    ("nlb.DeleteLoadBalancer", {"LoadBalancerId": "nlb"}),
    ("CreateServerGroup", {"VpcId": "vpc", "ServerGroupName": "web"}),
    (
        "AddServersToServerGroup",
        {
            "ServerGroupId": "sgp",
            "Servers": [{"ServerType": "Ip", "ServerId": "10.0.0.7", "Port": 80}],
        },
    ),
    (
        "AddServersToServerGroup",
        {
            "ServerGroupId": "own sgp",
            "Servers": [{"ServerType": "Eni", "ServerId": "eni", "Port": 80}],
        },
    ),
    (
        "CreateListener",
        {
            "LoadBalancerId": "nlb",
            "ListenerProtocol": "TCP",
            "ListenerPort": 81,
            "ServerGroupId": "sgp",
        },
    ),
    (
        "CreateListener",
        {
            "LoadBalancerId": "own nlb",
            "ListenerProtocol": "TCP",
            "ListenerPort": 81,
            "ServerGroupId": "sgp",
        },
    ),
    ("GetListenerAttribute", {"ListenerId": "lsn"}),
    ("GetListenerHealthStatus", {"ListenerId": "lsn"}),
    ("DeleteListener", {"ListenerId": "lsn"}),
    ("DeleteServerGroup", {"ServerGroupId": "sgp"}),
    ("UpdateServerGroupAttribute", {"ServerGroupId": "sgp", "ServerGroupName": "mine"}),
    ("UpdateLoadBalancerProtection", {"LoadBalancerId": "nlb"}),
    ("UpdateLoadBalancerAttribute", {"LoadBalancerId": "nlb", "LoadBalancerName": "mine"}),
    (
        "RemoveServersFromServerGroup",
        {
            "ServerGroupId": "sgp",
            "Servers": [{"ServerType": "Ip", "ServerId": "10.0.0.9", "Port": 80}],
        },
    ),
    ("ListServerGroupServers", {"ServerGroupId": "sgp"}),
    ("UpdateListenerAttribute", {"ListenerId": "lsn", "ListenerDescription": "mine"}),
    ("UpdateListenerAttribute", {"ListenerId": "own lsn", "ServerGroupId": "sgp"}),
    ("StartListener", {"ListenerId": "lsn"}),
    ("StopListener", {"ListenerId": "lsn"}),
    (
        "nlb.TagResources",
        {
            "ResourceType": "loadbalancer",
            "ResourceId": ["nlb"],
            "Tag": [{"Key": "team", "Value": "red"}],
        },
    ),
    (
        "nlb.UntagResources",
        {"ResourceType": "servergroup", "ResourceId": ["sgp"], "All": "true"},
    ),
    (
        "nlb.MoveResourceGroup",
        {"ResourceType": "loadbalancer", "ResourceId": "nlb", "NewResourceGroupId": "own rg"},
    ),
    (
        "nlb.MoveResourceGroup",
        {"ResourceType": "loadbalancer", "ResourceId": "own nlb", "NewResourceGroupId": "rg"},
    ),
    (
        "slb.MoveResourceGroup",
        {"ResourceType": "loadbalancer", "ResourceId": "lb", "NewResourceGroupId": "own rg"},
    ),
    (
        "slb.MoveResourceGroup",
        {"ResourceType": "loadbalancer", "ResourceId": "own lb", "NewResourceGroupId": "rg"},
    ),
    ("slb.CreateLoadBalancer", {"VSwitchId": "vsw"}),
    ("DescribeLoadBalancerAttribute", {"LoadBalancerId": "lb"}),
    ("slb.DeleteLoadBalancer", {"LoadBalancerId": "lb"}),
    ("SetLoadBalancerStatus", {"LoadBalancerId": "lb", "LoadBalancerStatus": "inactive"}),
    ("SetLoadBalancerName", {"LoadBalancerId": "lb", "LoadBalancerName": "mine"}),
    ("SetLoadBalancerDeleteProtection", {"LoadBalancerId": "lb", "DeleteProtection": "on"}),
    (
        "SetLoadBalancerModificationProtection",
        {"LoadBalancerId": "lb", "ModificationProtectionStatus": "ConsoleProtection"},
    ),
    (
        "AddBackendServers",
        {"LoadBalancerId": "lb", "BackendServers": '[{"ServerId":"10.0.0.7","Type":"eniip"}]'},
    ),
    ("SetBackendServers", {"LoadBalancerId": "lb", "BackendServers": "[]"}),
    ("RemoveBackendServers", {"LoadBalancerId": "lb", "BackendServers": "[]"}),
    ("CreateVServerGroup", {"LoadBalancerId": "lb"}),
    ("DescribeVServerGroups", {"LoadBalancerId": "lb"}),
    ("DescribeVServerGroupAttribute", {"VServerGroupId": "rsp"}),
    ("SetVServerGroupAttribute", {"VServerGroupId": "rsp", "VServerGroupName": "mine"}),
    ("AddVServerGroupBackendServers", {"VServerGroupId": "rsp", "BackendServers": "[]"}),
    ("RemoveVServerGroupBackendServers", {"VServerGroupId": "rsp", "BackendServers": "[]"}),
    ("DeleteVServerGroup", {"VServerGroupId": "rsp"}),
    (
        "CreateLoadBalancerTCPListener",
        {"LoadBalancerId": "lb", "ListenerPort": 81, "Bandwidth": -1, "BackendServerPort": 80},
    ),
    (
        "CreateLoadBalancerTCPListener",
        {"LoadBalancerId": "own lb", "ListenerPort": 81, "Bandwidth": -1, "VServerGroupId": "rsp"},
    ),
    ("DescribeLoadBalancerTCPListenerAttribute", {"LoadBalancerId": "lb", "ListenerPort": 80}),
    (
        "CreateLoadBalancerUDPListener",
        {"LoadBalancerId": "lb", "ListenerPort": 81, "Bandwidth": -1, "BackendServerPort": 80},
    ),
    (
        "CreateLoadBalancerUDPListener",
        {"LoadBalancerId": "own lb", "ListenerPort": 81, "Bandwidth": -1, "VServerGroupId": "rsp"},
    ),
    ("DescribeLoadBalancerUDPListenerAttribute", {"LoadBalancerId": "lb", "ListenerPort": 80}),
    ("SetLoadBalancerTCPListenerAttribute", {"LoadBalancerId": "lb", "ListenerPort": 80}),
    (
        "SetLoadBalancerTCPListenerAttribute",
        {"LoadBalancerId": "own lb", "ListenerPort": 80, "VServerGroupId": "rsp"},
    ),
    ("SetLoadBalancerUDPListenerAttribute", {"LoadBalancerId": "lb", "ListenerPort": 80}),
    (
        "SetLoadBalancerUDPListenerAttribute",
        {"LoadBalancerId": "own lb", "ListenerPort": 80, "VServerGroupId": "rsp"},
    ),
    ("DescribeHealthStatus", {"LoadBalancerId": "lb"}),
    ("StartLoadBalancerListener", {"LoadBalancerId": "lb", "ListenerPort": 80}),
    ("StopLoadBalancerListener", {"LoadBalancerId": "lb", "ListenerPort": 80}),
    ("DeleteLoadBalancerListener", {"LoadBalancerId": "lb", "ListenerPort": 80}),
    (
        "slb.TagResources",
        {
            "ResourceType": "instance",
            "ResourceId": ["lb"],
            "Tag": [{"Key": "team", "Value": "red"}],
        },
    ),
    ("slb.UntagResources", {"ResourceType": "instance", "ResourceId": ["lb"], "All": "true"}),
    (
        "AttachResourceToVpcEndpointService",
        {"ServiceId": "own epsrv", "ResourceId": "lb", "ResourceType": "nlb"},
    ),
    (
        "CreateVpcEndpointService",
        {"Resource": [{"ResourceType": "nlb", "ResourceId": "nlb", "ZoneId": A}]},
    ),
    ("GetVpcEndpointServiceAttribute", {"ServiceId": "epsrv"}),
    ("DeleteVpcEndpointService", {"ServiceId": "epsrv"}),
    (
        "AttachResourceToVpcEndpointService",
        {"ServiceId": "epsrv", "ResourceId": "nlb", "ResourceType": "nlb", "ZoneId": A},
    ),
    (
        "AttachResourceToVpcEndpointService",
        {"ServiceId": "own epsrv", "ResourceId": "nlb", "ResourceType": "nlb", "ZoneId": A},
    ),
    (
        "DetachResourceFromVpcEndpointService",
        {"ServiceId": "epsrv", "ResourceId": "nlb", "ZoneId": A},
    ),
    ("ListVpcEndpointServiceResources", {"ServiceId": "epsrv"}),
    ("AddUserToVpcEndpointService", {"ServiceId": "epsrv", "UserId": 42}),
    ("RemoveUserFromVpcEndpointService", {"ServiceId": "epsrv", "UserId": 42}),
    ("ListVpcEndpointServiceUsers", {"ServiceId": "epsrv"}),
    ("UpdateVpcEndpointServiceAttribute", {"ServiceId": "epsrv", "AutoAcceptEnabled": "true"}),
    (
        "UpdateVpcEndpointServiceResourceAttribute",
        {"ServiceId": "epsrv", "ResourceId": "nlb", "ZoneId": A, "AutoAllocatedEnabled": "false"},
    ),
    ("CreateVpcEndpoint", {"VpcId": "vpc", "ServiceId": "own epsrv", "SecurityGroupId": ["sg"]}),
    (
        "CreateVpcEndpoint",
        {"VpcId": "own vpc", "ServiceId": "own epsrv", "SecurityGroupId": ["sg"]},
    ),
    (
        "CreateVpcEndpoint",
        {
            "VpcId": "own vpc",
            "ServiceId": "own epsrv",
            "SecurityGroupId": ["own sg"],
            "Zone": [{"ZoneId": A, "VSwitchId": "vsw"}],
        },
    ),
    ("GetVpcEndpointAttribute", {"EndpointId": "ep"}),
    ("DeleteVpcEndpoint", {"EndpointId": "ep"}),
    ("UpdateVpcEndpointAttribute", {"EndpointId": "ep", "EndpointName": "mine"}),
    ("AttachSecurityGroupToVpcEndpoint", {"EndpointId": "ep", "SecurityGroupId": "own sg"}),
    ("AttachSecurityGroupToVpcEndpoint", {"EndpointId": "own ep", "SecurityGroupId": "sg"}),
    ("DetachSecurityGroupFromVpcEndpoint", {"EndpointId": "ep", "SecurityGroupId": "sg"}),
    ("DetachSecurityGroupFromVpcEndpoint", {"EndpointId": "own ep", "SecurityGroupId": "sg"}),
    ("ListVpcEndpointSecurityGroups", {"EndpointId": "ep"}),
    ("AddZoneToVpcEndpoint", {"EndpointId": "ep", "ZoneId": A, "VSwitchId": "own vsw"}),
    ("RemoveZoneFromVpcEndpoint", {"EndpointId": "ep", "ZoneId": A}),
    ("ListVpcEndpointZones", {"EndpointId": "ep"}),
    ("GetEndpointHealth", {"EndpointId": "ep"}),
    ("EnableVpcEndpointConnection", {"ServiceId": "epsrv", "EndpointId": "ep"}),
    ("EnableVpcEndpointConnection", {"ServiceId": "own epsrv", "EndpointId": "ep"}),
    ("DisableVpcEndpointConnection", {"ServiceId": "epsrv", "EndpointId": "ep"}),
    ("UpdateVpcEndpointConnectionAttribute", {"ServiceId": "epsrv", "EndpointId": "ep"}),
    ("UpdateVpcEndpointConnectionAttribute", {"ServiceId": "own epsrv", "EndpointId": "ep"}),
    (
        "EnableVpcEndpointZoneConnection",
        {"ServiceId": "epsrv", "EndpointId": "ep", "ZoneId": A},
    ),
    (
        "DisableVpcEndpointZoneConnection",
        {"ServiceId": "own epsrv", "EndpointId": "ep", "ZoneId": A},
    ),
    (
        "UpdateVpcEndpointZoneConnectionResourceAttribute",
        {"ServiceId": "epsrv", "EndpointId": "ep", "ZoneId": A, "ResourceAllocateMode": "Auto"},
    ),
    (
        "UpdateVpcEndpointZoneConnectionResourceAttribute",
        {"ServiceId": "own epsrv", "EndpointId": "ep", "ZoneId": A, "ResourceAllocateMode": "Auto"},
    ),
    ("ListVpcEndpointConnections", {"ServiceId": "epsrv"}),
    ("privatelink.TagResources", tagged("vpcendpoint", "ep")),
    (
        "privatelink.UntagResources",
        {"ResourceType": "vpcendpointservice", "ResourceId": ["epsrv"], "All": "true"},
    ),
    ("ChangeResourceGroup", {"ResourceId": "ep", "ResourceGroupId": "own rg"}),
    ("ChangeResourceGroup", {"ResourceId": "own ep", "ResourceGroupId": "rg"}),
    ("GetResourceGroup", {"ResourceGroupId": "rg"}),
    ("UpdateResourceGroup", {"ResourceGroupId": "rg", "NewDisplayName": "mine"}),
    ("DeleteResourceGroup", {"ResourceGroupId": "rg"}),
    ("GetUser", {"UserName": "user"}),
    ("UpdateUser", {"UserName": "user", "NewComments": "mine"}),
    ("DeleteUser", {"UserName": "user"}),
    ("ListGroupsForUser", {"UserName": "user"}),
    ("GetLoginProfile", {"UserName": "user"}),
    ("DeleteLoginProfile", {"UserName": "user"}),
    ("GetUserMFAInfo", {"UserName": "user"}),
    ("UnbindMFADevice", {"UserName": "user"}),
    ("CreateAccessKey", {"UserName": "user"}),
    ("ListAccessKeys", {"UserName": "user"}),
    ("UpdateAccessKey", {"UserName": "user", "UserAccessKeyId": "key", "Status": "Inactive"}),
    ("DeleteAccessKey", {"UserName": "user", "UserAccessKeyId": "key"}),
    ("DeleteAccessKey", {"UserName": "own user", "UserAccessKeyId": "key"}),
    ("GetPolicy", {"PolicyName": "policy", "PolicyType": "Custom"}),
    ("DeletePolicy", {"PolicyName": "policy"}),
    ("CreatePolicyVersion", {"PolicyName": "policy", "PolicyDocument": EVERYTHING}),
    ("GetPolicyVersion", {"PolicyName": "policy", "PolicyType": "Custom", "VersionId": "v1"}),
    ("ListPolicyVersions", {"PolicyName": "policy", "PolicyType": "Custom"}),
    ("SetDefaultPolicyVersion", {"PolicyName": "policy", "VersionId": "v1"}),
    ("DeletePolicyVersion", {"PolicyName": "policy", "VersionId": "v1"}),
    ("ListEntitiesForPolicy", {"PolicyName": "policy", "PolicyType": "Custom"}),
    (
        "AttachPolicyToUser",
        {"UserName": "user", "PolicyName": "ReadOnlyAccess", "PolicyType": "System"},
    ),
    (
        "AttachPolicyToUser",
        {"UserName": "own user", "PolicyName": "policy", "PolicyType": "Custom"},
    ),
    (
        "DetachPolicyFromUser",
        {"UserName": "user", "PolicyName": "ReadOnlyAccess", "PolicyType": "System"},
    ),
    ("ListPoliciesForUser", {"UserName": "user"}),
    ("GetRole", {"RoleName": "role"}),
    ("UpdateRole", {"RoleName": "role", "NewDescription": "mine"}),
    ("DeleteRole", {"RoleName": "role"}),
    (
        "AttachPolicyToRole",
        {"RoleName": "role", "PolicyName": "ReadOnlyAccess", "PolicyType": "System"},
    ),
    (
        "AttachPolicyToRole",
        {"RoleName": "own role", "PolicyName": "policy", "PolicyType": "Custom"},
    ),
    (
        "DetachPolicyFromRole",
        {"RoleName": "role", "PolicyName": "ReadOnlyAccess", "PolicyType": "System"},
    ),
    ("ListPoliciesForRole", {"RoleName": "role"}),
    ("AssumeRole", {"RoleArn": "role arn", "RoleSessionName": "mine"}),
    ("DescribeUsage", {"EndpointId": "ep"}),
    ("DescribeUsage", {"ServiceId": "epsrv"}),
    ("CreateAttachment", {"VSwitchId": "vsw"}),
    ("CreateAttachment", {"VSwitchId": "own vsw", "SecurityGroupId": ["sg"]}),
    ("GetAttachment", {"AttachmentId": "att"}),
    ("DeleteAttachment", {"AttachmentId": "att"}),
    ("ModifyServiceTraffic", {"ServiceId": "epsrv", "MaxFlows": 10}),
    ("GetServiceTraffic", {"ServiceId": "epsrv"}),
    ("SetServicePrivateName", {"ServiceId": "epsrv", "Name": "mine.example.org"}),
    ("VerifyServicePrivateName", {"ServiceId": "epsrv"}),
    ("DeleteServicePrivateName", {"ServiceId": "epsrv"}),
    ("SetEndpointPrivateName", {"EndpointId": "ep", "Enabled": True}),
    ("SetEndpointPrivateName", {"EndpointId": "ep", "Enabled": False}),
    ("CreateEndpointAlias", {"EndpointId": "ep", "Name": "mine.internal"}),
    ("DeleteEndpointAlias", {"EndpointId": "ep", "Name": "db.internal"}),
    ("ListEndpointNames", {"EndpointId": "ep"}),
    ("ExplainName", {"Name": "db.internal", "VpcId": "vpc"}),
    ("ExplainName", {"Name": "db.internal", "VSwitchId": "vsw"}),
    ("ExplainName", {"Name": "db.internal", "VpcId": "vpc", "VSwitchId": "own vsw"}),
]
# What lists only the caller's own, and takes ids at most to choose among those.
LISTS: list[tuple[str, dict[str, Any], str]] = [
    ("DescribeVpcs", {"VpcId": "vpc"}, "Vpcs"),
    ("DescribeVSwitches", {"VSwitchId": "vsw", "VpcId": "vpc"}, "VSwitches"),
    ("DescribeNatGateways", {"NatGatewayId": "ngw", "VpcId": "vpc"}, "NatGateways"),
    ("DescribeSecurityGroups", {"SecurityGroupId": "sg", "VpcId": "vpc"}, "SecurityGroups"),
    ("DescribePrefixLists", {"PrefixListId": ["pl"]}, "PrefixLists"),
    ("ListVpcEndpointServices", {"ServiceId": "epsrv", "ResourceId": "nlb"}, "Services"),
    ("privatelink.ListVpcEndpointServicesByEndUser", {"ServiceId": "epsrv"}, "Services"),
    ("ListVpcGatewayEndpoints", {"EndpointId": "vpce", "VpcId": "vpc"}, "Endpoints"),
    ("ListVpcEndpoints", {"EndpointId": "ep", "VpcId": "vpc"}, "Endpoints"),
    ("ListVpcEndpointConnections", {"EndpointId": "ep", "ResourceId": "nlb"}, "Connections"),
    ("ListAttachments", {}, "Attachments"),
    ("DescribeFlowRecords", {"EndpointId": "ep", "ServiceId": "epsrv"}, "FlowRecords"),
    ("ListLoadBalancers", {"LoadBalancerIds": ["nlb"]}, "LoadBalancers"),
    ("ListServerGroups", {"ServerGroupIds": ["sgp"], "VpcId": "vpc"}, "ServerGroups"),
    ("ListListeners", {"ListenerIds": ["lsn"], "LoadBalancerIds": ["nlb"]}, "Listeners"),
    ("DescribeLoadBalancers", {"LoadBalancerId": "lb", "VpcId": "vpc"}, "LoadBalancers"),
    (
        "nlb.ListTagResources",
        {"ResourceType": "loadbalancer", "ResourceId": ["nlb"]},
        "TagResources",
    ),
    ("slb.ListTagResources", {"ResourceType": "instance", "ResourceId": ["lb"]}, "TagResources"),
    (
        "privatelink.ListTagResources",
        {"ResourceType": "vpcendpoint", "ResourceId": ["ep"]},
        "TagResources",
    ),
    ("vpc.ListTagResources", {"ResourceType": "VPC", "ResourceId": ["vpc"]}, "TagResources"),
    ("ecs.ListTagResources", {"ResourceType": "Eni", "ResourceId": ["eni"]}, "TagResources"),
    ("DescribeRouteTableList", {"VpcId": "vpc", "RouteTableId": "vtb"}, "RouterTableList"),
    ("DescribeRouteTables", {"RouteTableId": "vtb"}, "RouteTables"),
    ("ListPrefixLists", {"PrefixListIds": ["routes pl"]}, "PrefixLists"),
    (
        "DescribeNetworkInterfaces",
        {"VpcId": "vpc", "NetworkInterfaceId": ["eni"]},
        "NetworkInterfaceSets",
    ),
    ("ListResourceGroups", {"ResourceGroupId": "rg"}, "ResourceGroups"),
    ("ListUsers", {}, "Users"),
    ("ListPolicies", {}, "Policies"),
    ("ListRoles", {}, "Roles"),
    ("ListServicePrivateNames", {}, "ServicePrivateNames"),
]
# What takes no id of anybody, or is not for accounts.
ALONE = {
    "CreateUser",
    "CreatePolicy",
    "CreateRole",
    "GetCallerIdentity",
    "CheckProductOpen",
    "OpenPrivateLinkService",
    "CreatePrefixList",
    "CreateRouteEntries",  # answers for each: what strangers' ids answer is tried beside it
    "CreateResourceGroup",
    "CreateAccount",
    "vpc.ListVpcEndpointServicesByEndUser",
    "CreateGatewayService",
    "ListGatewayServices",
    "CreateNameServer",
    "ListNameServers",
    "DeleteNameServer",
    "PushNameServerStates",
    "DeleteGatewayService",
    "ApproveServicePrivateName",
    "DescribeMetricMetaList",
    "DescribeMetricList",  # what it shows of strangers is tried where metrics are
    "DescribeMetricLast",
    "SetPrices",
    "DescribePrices",
    "ListAccounts",
    "ListQuotas",
    "SetQuota",
    "SetAccountOptions",
    "ResetQuota",
    "DescribeStatus",
    "privatelink.DescribeRegions",
    "privatelink.DescribeZones",
    "nlb.DescribeZones",
    "slb.DescribeRegions",
    "slb.DescribeZones",
    "DescribeAvailableResource",
    "DescribeEndpoints",
    "QueryAvailableInstances",
    "GetJobStatus",  # the ids of jobs are tried where jobs are
    "vpc.DescribeRegions",
    "vpc.DescribeZones",
    "ecs.DescribeRegions",
    "ecs.DescribeZones",
    "PullFeed",
    "PushReport",
    "PushHealth",
    "PushNames",
    "PushFlowRecords",
    "PushTraffic",
    "PullNames",
    "ConfirmNames",
}
# By name, and where several products have it by product as well: "vpc.TagResources".
_OFTEN = {name for name, count in Counter(each.name for each in ACTIONS).items() if count > 1}
ACTION = {
    f"{each.product.name}.{each.name}" if each.name in _OFTEN else each.name: each
    for each in ACTIONS
}


def belongings(world: World) -> dict[str, str]:
    """One thing of every kind, by the prefix of its id."""
    network = world.network()
    balancer, group = world.balancer(network), world.server_group(network, "10.0.0.9")
    attachment = world.account.own.call("CreateAttachment", VSwitchId=network.vswitch)
    service, clb, table = world.service(balancer), world.clb(network), world.route_table(network)
    world.clb_listener(clb)
    world.clb_listener(clb, 80, "udp")
    vserver_group = world.account.slb.CreateVServerGroup(LoadBalancerId=clb)["VServerGroupId"]
    endpoint = world.endpoint(service, network, A)
    ids = [
        *(clb, vserver_group),
        *(network.vpc, network.vswitch, balancer, group, world.listener(balancer, group), service),
        *(endpoint, world.group(network)),
        *(attachment["AttachmentId"], attachment["NetworkInterfaceId"]),
        *(world.resource_group(), table, prefix_list(world.account)),
    ]
    listed = world.account.vpc.CreateVpcPrefixList()["PrefixListId"]
    route = world.account.vpc.CreateRouteEntry(
        RouteTableId=table,
        DestinationCidrBlock="172.16.0.0/12",
        NextHopId=attachment["AttachmentId"],
    )["RouteEntryId"]
    if not world.account.vpc.ListVpcEndpointServicesByEndUser()["Services"]:
        world.gateway_service()  # the first world is the operator's
    own = world.account.own
    own.call("SetServicePrivateName", ServiceId=service, Name="db.vendor.example")
    own.call("CreateEndpointAlias", EndpointId=endpoint, Name="db.internal")
    gateway, empty = world.gateway_endpoint(network), world.network()
    named = {each.partition("-")[0]: each for each in (*ids, route, gateway)}
    named["empty vpc"] = empty.vpc
    return named | {"routes pl": listed} | identities(world.account)
    found = {each.partition("-")[0]: each for each in ids}
    return found | doors(world, network) | identities(world.account)


def doors(world: World, network: Network) -> dict[str, str]:
    """A NAT gateway, an address of it, and for the first account an entry that leads to itself."""
    gateway = world.nat_gateway(network)
    added = world.account.vpc.CreateNatIp(NatGatewayId=gateway, NatIpCidr="10.0.0.0/24")
    shown = world.account.vpc.GetNatGatewayAttribute(NatGatewayId=gateway)
    found = {
        "ngw": gateway,
        "vpcnatip": str(added["NatIpId"]),
        "address": str(added["NatIp"]),
        "fulltb": str(shown["FullNatTable"]["FullNatTableId"]),
    }
    if world.account.id != OPERATOR.account_id:
        return found
    endpoint = world.reverse_endpoint(world.reverse_service(gateway), network)
    return found | {
        "reverse eni": str(world.zones(endpoint)[A]["EniId"]),
        "fullnat": world.full_nat_entry(gateway, endpoint, "10.0.0.9", 80),
    }


def identities(account: Account) -> dict[str, str]:
    """A user with a key, a policy and a role; the names are the account's own."""
    tail = account.id[-6:]
    name = f"alice-{tail}"
    account.ram.CreateUser(UserName=name)
    key = account.ram.CreateAccessKey(UserName=name)["AccessKey"]["AccessKeyId"]
    account.ram.CreatePolicy(PolicyName=f"all-{tail}", PolicyDocument=EVERYTHING)
    everybody = trust(f"acs:ram::{account.id}:root")
    account.ram.CreateRole(RoleName=f"guest-{tail}", AssumeRolePolicyDocument=everybody)
    return {
        "user": name,
        "key": key,
        "policy": f"all-{tail}",
        "role": f"guest-{tail}",
        "role arn": f"acs:ram::{account.id}:role/guest-{tail}",
    }


def ask(stage: Stage, account: Account, action: Action, parameters: dict[str, Any]) -> Reply:
    """A signed call of any action."""
    region = {"RegionId": "local"} if "RegionId" in action.names else {}
    pairs = list(flatten(region | parameters))
    version = action.product.version
    return send(stage.host, acs3(account, stage.host, action.name, version=version, form=pairs))


def filled(template: Any, ids: dict[str, str]) -> Any:
    """A call's parameters with ids for what stands in for them."""
    if isinstance(template, dict):
        return {name: filled(value, ids) for name, value in template.items()}
    if isinstance(template, list):
        return [filled(value, ids) for value in template]
    return ids.get(template, template)


def test_every_action_is_tried() -> None:
    tried = {name for name, *_ in CALLS} | {name for name, *_ in LISTS} | ALONE
    assert tried == set(ACTION)


def test_a_strangers_id_answers_as_one_that_does_not_exist(
    stage: Stage, operator: Account, other: Account
) -> None:
    theirs = belongings(World(operator))
    own = {f"own {kind}": id for kind, id in belongings(World(other)).items()}
    nobodys = {kind: f"{kind}-{'0' * 20}" for kind in theirs}
    nobodys["empty vpc"] = f"vpc-{'0' * 20}"
    nobodys["routes pl"] = f"pl-{'0' * 20}"
    nobodys["role arn"] = f"acs:ram::{operator.id}:role/nobody"
    before = stage.dump()
    for name, template in CALLS:
        replies = [
            ask(stage, other, ACTION[name], filled(template, ids | own))
            for ids in (theirs, nobodys)
        ]
        told = [
            _without_ids(reply.message, ids)
            for reply, ids in zip(replies, (theirs, nobodys), strict=True)
        ]
        assert replies[0].status >= 400, name
        assert (replies[0].status, replies[0].code) == (replies[1].status, replies[1].code), name
        assert told[0] == told[1], name
        assert stage.dump() == before, name


def test_a_list_shows_nothing_of_a_stranger(
    stage: Stage, operator: Account, other: Account
) -> None:
    theirs = belongings(World(operator))
    for name, template, field in LISTS:
        asked = filled(template, theirs)
        for parameters in ({}, asked):  # a few lists want to be asked for something
            answer = ask(stage, other, ACTION[name], parameters).answer
            assert field in answer or parameters != asked, name
            assert not set(theirs.values()) & set(_ids_in(answer)), name
    stranger = [{"SecurityGroupIds": f'["{theirs["sg"]}"]'}, {"EniId": theirs["eni"]}]
    for name, parameters in zip(
        ("DescribeSecurityGroups", "ListVpcEndpointConnections"), stranger, strict=True
    ):
        assert theirs["ep"] not in str(ask(stage, other, ACTION[name], parameters).answer)


def test_a_service_that_is_not_shared_says_whom_to_ask(
    operator: Account, other: Account, world: World, refused: Refused
) -> None:
    service, consumer = world.published(), World(other)
    network = consumer.network()
    group = consumer.group(network)
    for named in (
        {"ServiceId": service},
        {"ServiceName": f"com.aliyuncs.privatelink.local.{service}"},
    ):
        with refused("EndpointServiceNotAuthorized", 400, other.id, service, "Ask its owner"):
            other.privatelink.CreateVpcEndpoint(VpcId=network.vpc, SecurityGroupId=[group], **named)


def test_the_provider_sees_a_strangers_endpoint_but_cannot_touch_it(
    operator: Account, other: Account, world: World, refused: Refused
) -> None:
    service, consumer = world.published(), World(other)
    operator.privatelink.AddUserToVpcEndpointService(ServiceId=service, UserId=int(other.id))
    endpoint = consumer.endpoint(service, consumer.network(), A)
    (seen,) = operator.privatelink.ListVpcEndpointConnections(ServiceId=service)["Connections"]
    assert seen["EndpointId"] == endpoint
    for call in (
        operator.privatelink.GetVpcEndpointAttribute,
        operator.privatelink.DeleteVpcEndpoint,
        operator.privatelink.ListVpcEndpointZones,
    ):
        with refused("EndpointNotFound", 400, endpoint):
            call(EndpointId=endpoint)
    assert operator.privatelink.ListVpcEndpoints()["Endpoints"] == []
    assert other.privatelink.GetVpcEndpointAttribute(EndpointId=endpoint)["ResourceOwner"] is False


@pytest.mark.parametrize(
    "name",
    ["PullFeed", "PushReport", "PushHealth", "PushNames", "PushFlowRecords", "PushTraffic"],
)
def test_a_nodes_actions_are_for_nodes(stage: Stage, operator: Account, name: str) -> None:
    reply = ask(stage, operator, ACTION[name], {"NodeId": NODE.node_id, "Revision": 0})
    assert (reply.status, reply.code) == (403, "NoPermission")
    assert f"account {operator.id} may not call {name}: it is for the node only" in reply.message


def test_an_accounts_actions_are_not_for_nodes(stage: Stage) -> None:
    node = Account(stage.host, "", NODE.access_key_id, NODE.access_key_secret)
    for action in ACTIONS:
        if action.who is not Who.NODE:
            reply = ask(stage, node, action, {})
            assert (reply.status, reply.code) == (403, "NoPermission"), action.name
            assert f"node {NODE.node_id} may not call {action.name}" in reply.message


@pytest.mark.parametrize("name", ["PullNames", "ConfirmNames", "PushNameServerStates"])
def test_a_resolvers_actions_are_for_resolvers(stage: Stage, operator: Account, name: str) -> None:
    node = Account(stage.host, "", NODE.access_key_id, NODE.access_key_secret)
    asked = {"NodeId": DNS.node_id, "Revision": 0, "Life": 0}
    before = stage.dump()
    for caller in (operator, node):
        reply = ask(stage, caller, ACTION[name], asked)
        assert (reply.status, reply.code) == (403, "NoPermission")
        assert f"may not call {name}: it is for the resolver only" in reply.message
    assert stage.dump() == before


def test_a_resolver_may_do_nothing_else(stage: Stage) -> None:
    resolver = Account(stage.host, "", DNS.access_key_id, DNS.access_key_secret)
    before = stage.dump()
    for action in ACTIONS:
        if action.who is not Who.RESOLVER:
            for asked in ({}, {"NodeId": NODE.node_id, "Revision": 0, "Life": 0}):
                reply = ask(stage, resolver, action, asked)
                assert (reply.status, reply.code) == (403, "NoPermission"), action.name
                assert f"resolver {DNS.node_id} may not call {action.name}" in reply.message
    assert stage.dump() == before


def test_a_resolver_speaks_for_itself_only(stage: Stage, node: Node) -> None:
    with stage.database.write() as tx:
        resolvers.add(tx, Resolver(ResolverId("dns-2"), 0, 0, "2026-12-01T12:00:00Z"))
    before = stage.dump()
    for action, more in (
        ("PullNames", {}),
        ("ConfirmNames", {"Life": 0}),
        ("PushNameServerStates", {"Revision": None}),
    ):
        for whom, code, status in (
            (NODE.node_id, "NodeNotFound", 404),
            ("dns-2", "NoPermission", 403),
        ):
            with pytest.raises(RemoteError) as caught:
                node.resolver.client.call(action, **({"NodeId": whom, "Revision": 0} | more))
            assert (caught.value.code, caught.value.status) == (code, status)
    assert stage.dump() == before


def test_a_node_speaks_for_itself_only(node: Node) -> None:
    actions: list[tuple[str, dict[str, Any]]] = [
        ("PullFeed", {}),
        ("PushReport", {"Life": 1, "Fabric": "x"}),
        ("PushHealth", {"Revision": None, "Life": 1}),
        ("PushNames", {"Revision": None, "Life": 1}),
        ("PushFlowRecords", {"Revision": None, "Records": "[]"}),
        ("PushTraffic", {"Revision": None, "Life": 1, "Traffic": "[]"}),
    ]
    for action, more in actions:
        with pytest.raises(RemoteError) as caught:
            node.client.call(action, **({"NodeId": "node-none", "Revision": 0} | more))
        assert (caught.value.code, caught.value.status) == ("NodeNotFound", 404)


def test_an_operators_actions_are_for_the_operator(other: Account, refused: Refused) -> None:
    with refused("NoPermission", 403, f"account {other.id}", "CreateAccount", "operator only"):
        other.own.call("CreateAccount", Name="third")
    with refused("NoPermission", 403, f"account {other.id}", "DescribeStatus", "operator only"):
        other.own.call("DescribeStatus")


def _ids_in(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _ids_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids_in(inner)
    else:
        yield str(value)


def _without_ids(text: str, ids: dict[str, str]) -> str:
    for id in sorted(ids.values(), key=len, reverse=True):  # nlb-... has lb-... in it
        text = text.replace(id, "<id>")
    return text
