"""The installation under load: three zones, two tenants with the provider's own addresses.

    tenant one  client 10.0.0.5 ─▶ endpoint for TCP, in each zone ┐   load balancer   ┌▶ 10.0.z.5
                                ─▶ endpoint for UDP, in each zone ├─▶ of the zone z ──┤
    tenant two  client 10.0.0.5 ─▶ the same two of its own        ┘   (a, b, c)       └▶ 10.0.z.6

Each TCP port has a server group of its own with a health check, so that what happens to one is felt
on no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network

from demo.cloud import Network, wait_for
from privlink.node.plug import Port, plug
from tests.api.account import Account
from tests.journey.installation import CLIENT, Installation, workload
from tests.kernel import lab, talk
from tests.soak.programs import DATAGRAMS, RULED, TALK, Echo, Place

ZONES = ("local-a", "local-b", "local-c")
CIDR = "10.0.0.0/16"
CHECK = {
    "HealthCheckEnabled": True,
    "HealthCheckType": "TCP",
    "HealthCheckInterval": 1,
    "HealthCheckConnectTimeout": 5,
    "HealthyThreshold": 2,
    "UnhealthyThreshold": 2,
}


@dataclass(frozen=True)
class Tenant:
    """An account with a client and two endpoints."""

    account: Account
    group: str  # of the endpoint for TCP
    tcp: str
    udp: str


@dataclass
class Land:
    """All there is."""

    installation: Installation
    provider: Account
    service: str = ""
    echoes: dict[tuple[str, int, str], Echo] = field(default_factory=dict)  # zone, port, address
    groups: dict[tuple[str, int], str] = field(default_factory=dict)  # of servers: zone, port
    tenants: list[Tenant] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)


@contextmanager
def land(installation: Installation) -> Iterator[Land]:
    """Make it; what is outside of the installation goes in the end."""
    keys = json.loads((installation.state / "credentials.json").read_text())
    names = ("account_id", "access_key_id", "access_key_secret")
    made = Land(installation, Account(installation.listen, *(keys[name] for name in names)))
    with ExitStack() as stack:
        networks = _networks(made.provider)
        balancers = [_zone(made, stack, networks, number) for number in range(len(ZONES))]
        answer = made.provider.privatelink.CreateVpcEndpointService(
            ServiceResourceType="nlb",
            AutoAcceptEnabled=True,
            Resource=[
                {"ResourceType": "nlb", "ResourceId": balancer, "ZoneId": zone}
                for zone, balancer in zip(ZONES, balancers, strict=True)
            ],
        )
        made.service = answer["ServiceId"]
        for name in ("one", "two"):
            _tenant(made, stack, name)
        yield made


def _networks(account: Account) -> dict[str, Network]:
    """A VPC with a vSwitch in each zone."""
    vpc = account.vpc.CreateVpc(CidrBlock=CIDR)["VpcId"]
    made = {}
    for number, zone in enumerate(ZONES):
        vswitch = account.vpc.CreateVSwitch(
            VpcId=vpc, ZoneId=zone, CidrBlock=f"10.0.{number}.0/24"
        )["VSwitchId"]
        wait_for(lambda: _is_available(account, vswitch), f"{vswitch} Available")  # noqa: B023
        made[zone] = Network(vpc, vswitch)
    return made


def _is_available(account: Account, vswitch: str) -> bool:
    shown = account.vpc.DescribeVSwitchAttributes(VSwitchId=vswitch)
    return bool(shown["Status"] == "Available")


def _zone(made: Land, stack: ExitStack, networks: dict[str, Network], number: int) -> str:
    """A zone's servers and the load balancer before them."""
    zone, nlb = ZONES[number], made.provider.nlb
    network, addresses = networks[zone], [f"10.0.{number}.5", f"10.0.{number}.6"]
    for address in addresses:
        server = stack.enter_context(workload(made.installation, network, "soak-server", address))
        for port in (TALK, RULED):
            echo = made.echoes[zone, port, address] = Echo(server.netns, address, port)
            stack.callback(echo.close)
        stack.enter_context(talk.echoing_datagrams(server.netns, DATAGRAMS))
    balancer: str = nlb.CreateLoadBalancer(
        VpcId=network.vpc,
        AddressType="Intranet",
        ZoneMappings=[{"ZoneId": zone, "VSwitchId": network.vswitch}],
    )["LoadbalancerId"]
    for port in (TALK, RULED, DATAGRAMS):
        protocol = "UDP" if port == DATAGRAMS else "TCP"
        group = nlb.CreateServerGroup(
            VpcId=network.vpc,
            ServerGroupName=f"port-{port}",
            ServerGroupType="Ip",
            Protocol=protocol,
            HealthCheckConfig={"HealthCheckEnabled": False} if protocol == "UDP" else CHECK,
        )["ServerGroupId"]
        made.groups[zone, port] = group
        nlb.AddServersToServerGroup(
            ServerGroupId=group, Servers=[named(address, port) for address in addresses]
        )
        nlb.CreateListener(
            LoadBalancerId=balancer,
            ListenerProtocol=protocol,
            ListenerPort=port,
            ServerGroupId=group,
        )
    return balancer


def named(address: str, port: int) -> dict[str, object]:
    """A server of a server group, as the API names it."""
    return {"ServerType": "Ip", "ServerId": address, "Port": port}


def _tenant(made: Land, stack: ExitStack, name: str) -> None:
    installation = made.installation
    keys = json.loads(installation.run("account", "create", name, "-o", "json"))
    account = Account(
        installation.listen, keys["account_id"], keys["access_key_id"], keys["access_key_secret"]
    )
    account.privatelink.OpenPrivateLinkService()
    made.provider.privatelink.AddUserToVpcEndpointService(
        ServiceId=made.service, UserId=int(keys["account_id"])
    )
    networks = _networks(account)
    client = stack.enter_context(lab.namespace("soak-client"))
    _attach(installation, account, networks[ZONES[0]], client)
    groups, endpoints = [], []
    for protocol, first, last in (("tcp", TALK, RULED), ("udp", DATAGRAMS, DATAGRAMS)):
        vpc = networks[ZONES[0]].vpc
        group = account.ecs.CreateSecurityGroup(VpcId=vpc)["SecurityGroupId"]
        for port in range(first, last + 1):
            account.ecs.AuthorizeSecurityGroup(
                SecurityGroupId=group, Permissions=[rule(protocol, port)]
            )
        endpoint = account.privatelink.CreateVpcEndpoint(
            VpcId=vpc,
            ServiceId=made.service,
            SecurityGroupId=[group],
            Zone=[
                {"ZoneId": zone, "VSwitchId": network.vswitch} for zone, network in networks.items()
            ],
        )["EndpointId"]
        wait_for(lambda: is_connected(account, endpoint), f"{endpoint} Connected")  # noqa: B023
        for zone, shown in zones(account, endpoint).items():
            made.places.append(Place(endpoint, zone, str(shown["EniIp"]), client))
        groups.append(group)
        endpoints.append(endpoint)
    made.tenants.append(Tenant(account, groups[0], *endpoints))


def _attach(installation: Installation, account: Account, network: Network, netns: str) -> None:
    """What `privlink attach` does, with a tenant's keys."""
    made = account.own.call("CreateAttachment", VSwitchId=network.vswitch, PrivateIpAddress=CLIENT)
    prefix = ip_network(made["CidrBlock"]).prefixlen
    port = Port("eth0", made["MacAddress"], CLIENT, prefix, made["Gateway"], made["VpcCidrBlock"])
    plug(installation.instance, made["Number"], netns, port)


def rule(protocol: str, port: int) -> dict[str, str]:
    """A rule that lets the tenant use a port."""
    return {"IpProtocol": protocol, "PortRange": f"{port}/{port}", "SourceCidrIp": CIDR}


def zones(account: Account, endpoint: str) -> dict[str, dict[str, object]]:
    """An endpoint's zones, as its account sees them."""
    listed = account.privatelink.ListVpcEndpointZones(EndpointId=endpoint)["Zones"]
    return {zone["ZoneId"]: zone for zone in listed}


def is_connected(account: Account, endpoint: str) -> bool:
    """Whether an endpoint's connection and all of its zones are Connected."""
    shown = account.privatelink.GetVpcEndpointAttribute(EndpointId=endpoint)
    return shown["ConnectionStatus"] == "Connected" and all(
        zone["ZoneStatus"] == "Connected" for zone in zones(account, endpoint).values()
    )


def processes(installation: Installation) -> dict[str, int]:
    """The ids of those of its processes that run at this moment, by module."""
    found = {}
    for module in ("privlink.server", "privlink.node"):
        try:
            found[module] = installation.process(module)
        except (LookupError, OSError):  # it has just been killed
            continue
    return found
