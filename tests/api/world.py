"""Networks, services and endpoints in few words, made through the official SDKs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tests.api.account import Account, Answer

A, B, C = "local-a", "local-b", "local-c"


class Network(msgspec.Struct, frozen=True):
    """A VPC 10.0.0.0/16 with a vSwitch 10.0.N.0/24 in each zone asked for."""

    vpc: str
    vswitches: dict[str, str]  # by zone

    @property
    def vswitch(self) -> str:
        """The vSwitch in the first zone."""
        return next(iter(self.vswitches.values()))


class World:
    """What one account builds."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def network(self, *zones: str) -> Network:
        """A VPC 10.0.0.0/16 with vSwitches 10.0.0.0/24, 10.0.1.0/24 ... in zones, A by default."""
        vpc = self.account.vpc.CreateVpc(CidrBlock="10.0.0.0/16")["VpcId"]
        vswitches = {
            zone: self.vswitch(vpc, f"10.0.{number}.0/24", zone)
            for number, zone in enumerate(zones or (A,))
        }
        return Network(vpc, vswitches)

    def dual_network(self, *zones: str) -> Network:
        """The same with IPv6: the block fd00:0:0:100::/56, and in it fd00:0:0:100::/64,
        fd00:0:0:101::/64 ... for the vSwitches.
        """
        vpc = self.account.vpc.CreateVpc(
            CidrBlock="10.0.0.0/16", EnableIpv6=True, Ipv6CidrBlock="fd00:0:0:100::/56"
        )["VpcId"]
        vswitches = {
            zone: self.vswitch(vpc, f"10.0.{number}.0/24", zone, Ipv6CidrBlock=number)
            for number, zone in enumerate(zones or (A,))
        }
        return Network(vpc, vswitches)

    def vswitch(self, vpc: str, cidr: str, zone: str = A, **more: Any) -> str:
        """One more vSwitch."""
        made = self.account.vpc.CreateVSwitch(VpcId=vpc, ZoneId=zone, CidrBlock=cidr, **more)
        return str(made["VSwitchId"])

    def route_table(self, network: Network, **more: Any) -> str:
        """A custom route table."""
        made = self.account.vpc.CreateRouteTable(VpcId=network.vpc, **more)
        return str(made["RouteTableId"])

    def table(self, network: Network) -> str:
        """What a node calls the system route table of a network."""
        shown = self.account.vpc.DescribeVpcs(VpcId=network.vpc)["Vpcs"]["Vpc"][0]
        return f"table/{shown['RouterTableIds']['RouterTableIds'][0]}"

    def alone(self, network: Network) -> list[str]:
        """The keys of what a node is told where a network in one zone is all there is."""
        segment = f"segment/{network.vswitch}"
        return [f"resolver/{network.vpc}", segment, self.table(network)]

    def gateway_service(
        self, *blocks: str, name: str = "com.privlink.local.objects", **more: Any
    ) -> Answer:
        """A gateway service in a VPC 198.51.100.0/24 (and fd00:0:0:900::/56), of all of it by
        default. The operator's world makes it.
        """
        vpc = self.account.vpc.CreateVpc(
            CidrBlock="198.51.100.0/24", EnableIpv6=True, Ipv6CidrBlock="fd00:0:0:900::/56"
        )["VpcId"]
        vswitch = self.vswitch(vpc, "198.51.100.0/24", Ipv6CidrBlock=0)
        listed = list(blocks or ("198.51.100.0/24",))
        asked = {"Name": name, "VSwitchId": vswitch, "CidrBlock": listed}
        made = self.account.own.call("CreateGatewayService", **asked, **more)
        return made | {"VSwitchId": vswitch, "VpcId": vpc}

    def gateway_endpoint(
        self, network: Network, service: str = "com.privlink.local.objects", **more: Any
    ) -> str:
        """A gateway endpoint in a network, in no route table yet."""
        asked = {"VpcId": network.vpc, "ServiceName": service} | more
        return str(self.account.vpc.CreateVpcGatewayEndpoint(**asked)["EndpointId"])

    def balancer(self, network: Network, *zones: str, version: str = "ipv4") -> str:
        """A load balancer in zones of a network, all of them by default."""
        made = self.account.nlb.CreateLoadBalancer(
            VpcId=network.vpc,
            AddressType="Intranet",
            AddressIpVersion=version,
            ZoneMappings=[
                {"ZoneId": zone, "VSwitchId": network.vswitches[zone]}
                for zone in zones or network.vswitches
            ],
        )
        return str(made["LoadbalancerId"])

    def clb(self, network: Network, zone: str | None = None, **more: Any) -> str:
        """A CLB in a zone of a network, the first by default."""
        vswitch = network.vswitches[zone] if zone else network.vswitch
        made = self.account.slb.CreateLoadBalancer(VSwitchId=vswitch, **more)
        return str(made["LoadBalancerId"])

    def clb_listener(
        self, clb: str, port: int = 80, protocol: str = "tcp", *, start: bool = True, **more: Any
    ) -> None:
        """A listener, on TCP and for the default servers' port 80 unless told otherwise."""
        behind = more or {"BackendServerPort": 80}
        listener = {"LoadBalancerId": clb, "ListenerPort": port}
        create = getattr(self.account.slb, f"CreateLoadBalancer{protocol.upper()}Listener")
        create(**listener, Bandwidth=-1, **behind)
        if start:
            self.account.slb.StartLoadBalancerListener(**listener, ListenerProtocol=protocol)

    def server_group(
        self, network: Network, *servers: str, port: int = 80, kind: str = "Ip", **more: Any
    ) -> str:
        """A server group with servers at addresses."""
        group = self.account.nlb.CreateServerGroup(
            VpcId=network.vpc, ServerGroupName="web", ServerGroupType=kind, **more
        )["ServerGroupId"]
        if servers:
            added = [{"ServerType": "Ip", "ServerId": each, "Port": port} for each in servers]
            self.account.nlb.AddServersToServerGroup(ServerGroupId=group, Servers=added)
        return str(group)

    def listener(
        self, balancer: str, group: str, port: int = 80, protocol: str = "TCP", **more: Any
    ) -> str:
        """A listener, on TCP unless told otherwise."""
        made = self.account.nlb.CreateListener(
            LoadBalancerId=balancer,
            ListenerProtocol=protocol,
            ListenerPort=port,
            ServerGroupId=group,
            **more,
        )
        return str(made["ListenerId"])

    def service(
        self,
        balancer: str | None = None,
        zones: Sequence[str] = (A,),
        *,
        auto: bool = True,
        version: str = "IPv4",
    ) -> str:
        """An endpoint service on a load balancer, which accepts by itself unless told otherwise."""
        resources = [
            {"ResourceType": "nlb", "ResourceId": balancer, "ZoneId": zone} for zone in zones
        ]
        made = self.account.privatelink.CreateVpcEndpointService(
            ServiceResourceType="nlb",
            AddressIpVersion=version,
            AutoAcceptEnabled=auto,
            Resource=resources if balancer else [],
        )
        return str(made["ServiceId"])

    def service_on_clbs(self, *clbs: str, auto: bool = True) -> str:
        """An endpoint service on CLBs, each in its own zone."""
        made = self.account.privatelink.CreateVpcEndpointService(
            AutoAcceptEnabled=auto,
            Resource=[{"ResourceType": "slb", "ResourceId": each} for each in clbs],
        )
        return str(made["ServiceId"])

    def published(self, *zones: str, auto: bool = True) -> str:
        """An endpoint service with all it needs, in zones, A by default."""
        network = self.network(*zones)
        return self.service(self.balancer(network), list(network.vswitches), auto=auto)

    def dual_published(self, *zones: str) -> str:
        """The same, DualStack."""
        network = self.dual_network(*zones)
        balancer = self.balancer(network, version="DualStack")
        return self.service(balancer, list(network.vswitches), version="DualStack")

    def group(self, network: Network, kind: str = "normal") -> str:
        """A security group without rules."""
        made = self.account.ecs.CreateSecurityGroup(VpcId=network.vpc, SecurityGroupType=kind)
        return str(made["SecurityGroupId"])

    def open_group(self, network: Network) -> str:
        """A security group that lets everything in, as a Reverse endpoint's must."""
        group = self.group(network)
        self.let_in(group)
        return group

    def let_in(self, group: str, **more: Any) -> None:
        """A rule that lets everything in by IPv4, unless told otherwise."""
        rule = {"IpProtocol": "all", "PortRange": "-1/-1", "SourceCidrIp": "0.0.0.0/0"}
        self.account.ecs.AuthorizeSecurityGroup(SecurityGroupId=group, Permissions=[rule | more])

    def nat_gateway(self, network: Network, *, private_link: bool = True, **more: Any) -> str:
        """A NAT gateway in the first vSwitch of a network."""
        made = self.account.vpc.CreateNatGateway(
            VpcId=network.vpc,
            VSwitchId=network.vswitch,
            NetworkType="intranet",
            PrivateLinkEnabled=private_link,
            **more,
        )
        return str(made["NatGatewayId"])

    def reverse_service(self, gateway: str, *zones: str, auto: bool = True) -> str:
        """An endpoint service on a NAT gateway, in zones, the gateway's own by default."""
        placed = [{"ZoneId": zone} for zone in zones] or [{}]
        made = self.account.privatelink.CreateVpcEndpointService(
            ServiceResourceType="vpcnat",
            AutoAcceptEnabled=auto,
            Resource=[{"ResourceType": "vpcnat", "ResourceId": gateway} | at for at in placed],
        )
        return str(made["ServiceId"])

    def reverse_endpoint(
        self, service: str, network: Network, *zones: str, group: str | None = None, **more: Any
    ) -> str:
        """A Reverse endpoint in zones of a network, A by default."""
        group = group or self.open_group(network)
        return self.endpoint(
            service, network, *(zones or (A,)), group=group, EndpointType="Reverse", **more
        )

    def full_nat_entry(
        self,
        gateway: str,
        endpoint: str,
        target: str | None,
        port: int,
        *,
        zone: str = A,
        **more: Any,
    ) -> str:
        """An entry of a gateway's first address that leads to a target, on TCP by default. With no
        target it has an AccessDomain."""
        account = self.account
        shown = account.vpc.GetNatGatewayAttribute(NatGatewayId=gateway)
        given = {"IpProtocol": "TCP", "NatIp": shown["PrivateInfo"]["PrivateIpAddress"]}
        found = account.vpc.DescribeNatGatewayAssociateNetworkInterfaces(
            NatGatewayId=gateway, Filter=[{"Key": "ResourceId", "Value": endpoint}]
        )["AssociateNetworkInterfaces"]["AssociateNetworkInterface"]
        connections = account.privatelink.ListVpcEndpointConnections(EndpointId=endpoint)
        eni = next(
            each["EniId"]
            for each in connections["Connections"][0]["Zones"]
            if each["ZoneId"] == zone
        )
        assert eni in {each["NetworkInterfaceId"] for each in found}
        made = account.vpc.CreateFullNatEntry(
            FullNatTableId=shown["FullNatTable"]["FullNatTableId"],
            NetworkInterfaceId=eni,
            AccessPort=str(port),
            **({} if target is None else {"AccessIp": target}),
            **(given | more),
        )
        return str(made["FullNatEntryId"])

    def resource_group(self, name: str = "blue") -> str:
        """A resource group."""
        made = self.account.resourcemanager.CreateResourceGroup(Name=name, DisplayName=name)
        return str(made["ResourceGroup"]["Id"])

    def endpoint(
        self, service: str, network: Network, *zones: str, group: str | None = None, **more: Any
    ) -> str:
        """An endpoint in zones of a network; none given, none taken."""
        made = self.account.privatelink.CreateVpcEndpoint(
            VpcId=network.vpc,
            ServiceId=service,
            SecurityGroupId=[group or self.group(network)],
            Zone=[{"ZoneId": zone, "VSwitchId": network.vswitches[zone]} for zone in zones],
            **more,
        )
        return str(made["EndpointId"])

    def shown(self, endpoint: str) -> Answer:
        """What GetVpcEndpointAttribute says."""
        return self.account.privatelink.GetVpcEndpointAttribute(EndpointId=endpoint)

    def zones(self, endpoint: str) -> dict[str, Answer]:
        """What ListVpcEndpointZones says, by zone."""
        listed = self.account.privatelink.ListVpcEndpointZones(EndpointId=endpoint)["Zones"]
        return {zone["ZoneId"]: zone for zone in listed}

    def statuses(self, endpoint: str) -> tuple[str, str, dict[str, str]]:
        """The statuses of an endpoint, of its connection and of its zones."""
        shown = self.shown(endpoint)
        zones = {name: zone["ZoneStatus"] for name, zone in self.zones(endpoint).items()}
        return shown["EndpointStatus"], shown["ConnectionStatus"], zones
