"""A crowd: many clients of several accounts that create, change and delete at random.

Whatever they do, they say with a ClientToken of its own; the server remembers tokens in the order
of its commits, so what happened can be read from its database and done again, one call at a time.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec

from privlink.client import Client, RemoteError
from tests.api.stage import REGION
from tests.api.world import A, B, C

PRIVATELINK, VPC, ECS, NLB = "2020-04-15", "2016-04-28", "2014-05-26", "2022-04-30"
RESOURCEMANAGER, OWN = "2020-03-31", "2026-12-01"
ID = re.compile(
    r"\b(?:ep|epsrv|vpc|vsw|vtb|rte|pl|vrt|sg|nlb|sgp|lsn|eni|rg|att)-[a-z0-9]{15,20}\b"
)

Answer = dict[str, Any]


class Step(msgspec.Struct, frozen=True):
    """One call of one account."""

    account: int
    version: str
    action: str
    parameters: dict[str, Any]
    token: str


class Member:
    """One account: its things, which its clients share, and the log of all that was asked."""

    def __init__(self, number: int, url: str, key: tuple[str, str, str]) -> None:
        self.number, self.id, self._url, self._key = number, key[0], url, key
        self.things: dict[str, list[str]] = defaultdict(list)
        self.zones: dict[str, str] = {}  # a balancer's zone
        self.bonds: list[tuple[str, str]] = []  # endpoints of its services, whoever owns them
        self.steps: dict[str, Step] = {}
        self.refusals: dict[str, int] = defaultdict(int)

    def client(self) -> Client:
        """A connection of its own."""
        return Client(self._url, *self._key[1:])

    def say(self, client: Client, version: str, action: str, **parameters: Any) -> Answer | None:
        """Call an action under a new token; None if it was refused."""
        token = f"{self.number}-{random.getrandbits(96):x}"
        step = Step(self.number, version, action, parameters, token)
        self.steps[token] = step
        try:
            return perform(client, step)
        except RemoteError as error:
            assert error.status < 500, (error, step)
            assert error.code != "ConcurrentCallNotSupported", step
            self.refusals[error.code] += 1
            return None

    def pick(self, kind: str) -> str:
        """One of its things of a kind, or an id of nothing."""
        try:
            return random.choice(self.things[kind])
        except IndexError:
            return f"{kind}-none"

    def forget(self, kind: str, thing: str) -> None:
        """A thing is gone; another client may have noticed before."""
        if thing in self.things[kind]:
            self.things[kind].remove(thing)


def perform(client: Client, step: Step) -> Answer:
    """Carry a step out. Raises RemoteError if it is refused."""
    return client.call(
        step.action,
        version=step.version,
        RegionId=REGION,
        ClientToken=step.token,
        **step.parameters,
    )


def settle_in(member: Member, client: Client) -> None:
    """What every account begins with: a network, a load balancer in each zone, a service."""
    member.say(client, PRIVATELINK, "OpenPrivateLinkService")  # refused to the first, which is open

    def must(version: str, action: str, **parameters: Any) -> Answer:
        answer = member.say(client, version, action, **parameters)
        assert answer is not None, (action, dict(member.refusals))
        return answer

    ipv6: dict[str, Any] = {"EnableIpv6": True, "Ipv6CidrBlock": "fd00:0:0:100::/56"}
    vpc = must(VPC, "CreateVpc", CidrBlock="10.0.0.0/16", **ipv6)["VpcId"]
    member.things["vpc"].append(vpc)
    for number, zone in enumerate((A, B, C)):
        blocks = {"CidrBlock": f"10.0.{number}.0/24", "Ipv6CidrBlock": number}
        made = must(VPC, "CreateVSwitch", VpcId=vpc, ZoneId=zone, **blocks)
        member.things[zone].append(made["VSwitchId"])
        balancer = must(
            NLB,
            "CreateLoadBalancer",
            VpcId=vpc,
            AddressType="Intranet",
            AddressIpVersion="DualStack",
            ZoneMappings=[{"ZoneId": zone, "VSwitchId": made["VSwitchId"]}],
        )["LoadbalancerId"]
        member.things["nlb"].append(balancer)
        member.zones[balancer] = zone
    for _ in range(3):
        group = must(ECS, "CreateSecurityGroup", VpcId=vpc)["SecurityGroupId"]
        member.things["sg"].append(group)
    for number in range(2):
        name = f"group{member.number}{number}"
        made = must(RESOURCEMANAGER, "CreateResourceGroup", Name=name, DisplayName=name)
        member.things["rg"].append(made["ResourceGroup"]["Id"])
    publish(member, client)


def publish(member: Member, client: Client) -> None:
    """A service for everybody, in each zone on the one load balancer that is there."""
    made = member.say(
        client,
        PRIVATELINK,
        "CreateVpcEndpointService",
        ServiceResourceType="nlb",
        AutoAcceptEnabled=random.random() < 0.5,
        AddressIpVersion=some_version(),
        Resource=[
            {"ResourceType": "nlb", "ResourceId": balancer, "ZoneId": zone}
            for balancer, zone in member.zones.items()
        ],
    )
    if made:
        service = made["ServiceId"]
        member.say(
            client, PRIVATELINK, "AddUserToVpcEndpointService", ServiceId=service, UserARN="*"
        )
        member.things["epsrv"].append(service)


def some_version() -> str:
    """IPv4, or IPv4 and IPv6."""
    return random.choice(("IPv4", "DualStack", "DualStack"))


def some_word() -> bool:
    """Yes or no."""
    return random.random() < 0.5


class Crowd:
    """All members, and what one of their clients does next."""

    def __init__(self, members: list[Member]) -> None:
        self.members = members
        self._ways: list[Callable[[Member, Client], None]] = [
            *[self._create] * 6,
            *[self._take_apart] * 4,
            *[self._consumer] * 8,
            *[self._provider] * 8,
            *[self._neighbours] * 4,
            *[publish] * 1,
        ]

    def live(self, seconds: float, clients: int) -> list[BaseException]:
        """Let so many clients act until the time is up; returns what went wrong in any."""
        until, wrong = time.monotonic() + seconds, []

        def act(member: Member) -> None:
            client = member.client()
            try:
                while time.monotonic() < until and not wrong:
                    random.choice(self._ways)(member, client)
            except BaseException as error:
                wrong.append(error)
            finally:
                client.close()

        threads = [
            threading.Thread(target=act, args=(self.members[number % len(self.members)],))
            for number in range(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return wrong

    def _create(self, member: Member, client: Client) -> None:
        zones = random.sample((A, B, C), random.randint(0, 3))
        group = member.pick("rg") if random.random() < 0.5 else None
        provider = random.choice(self.members)
        service = provider.pick("epsrv")
        made = member.say(
            client,
            PRIVATELINK,
            "CreateVpcEndpoint",
            VpcId=member.pick("vpc"),
            ServiceId=service,
            SecurityGroupId=[member.pick("sg")],
            AddressIpVersion=some_version(),
            Zone=[{"ZoneId": zone, "VSwitchId": member.pick(zone)} for zone in zones],
            Tag=[{"Key": "crowd", "Value": str(member.number)}],
            ResourceGroupId=group,
        )
        if made:
            member.things["ep"].append(made["EndpointId"])
            provider.bonds.append((service, made["EndpointId"]))

    def _take_apart(self, member: Member, client: Client) -> None:
        endpoint = member.pick("ep")
        for zone in (A, B, C):
            member.say(
                client, PRIVATELINK, "RemoveZoneFromVpcEndpoint", EndpointId=endpoint, ZoneId=zone
            )
        if member.say(client, PRIVATELINK, "DeleteVpcEndpoint", EndpointId=endpoint):
            member.forget("ep", endpoint)

    def _consumer(self, member: Member, client: Client) -> None:
        endpoint, zone, group = member.pick("ep"), random.choice((A, B, C)), member.pick("sg")
        ours: dict[str, Any] = {"EndpointId": endpoint}
        labelled = {"ResourceType": "vpcendpoint", "ResourceId": [endpoint]}
        key = random.choice("abc")
        action, more = random.choice(
            [
                ("AddZoneToVpcEndpoint", ours | {"ZoneId": zone, "VSwitchId": member.pick(zone)}),
                ("RemoveZoneFromVpcEndpoint", ours | {"ZoneId": zone}),
                ("AttachSecurityGroupToVpcEndpoint", ours | {"SecurityGroupId": group}),
                ("DetachSecurityGroupFromVpcEndpoint", ours | {"SecurityGroupId": group}),
                ("UpdateVpcEndpointAttribute", ours | {"EndpointName": f"name-{key}"}),
                ("UpdateVpcEndpointAttribute", ours | {"AddressIpVersion": some_version()}),
                ("UpdateVpcEndpointAttribute", ours | {"ZoneAffinityEnabled": some_word()}),
                ("TagResources", labelled | {"Tag": [{"Key": key, "Value": zone}]}),
                ("UntagResources", labelled | {"TagKey": [key]}),
                (
                    "ChangeResourceGroup",
                    {"ResourceId": endpoint, "ResourceGroupId": member.pick("rg")},
                ),
            ]
        )
        member.say(client, PRIVATELINK, action, **more)

    def _provider(self, member: Member, client: Client) -> None:
        service, balancer = member.pick("epsrv"), member.pick("nlb")
        with_whom = random.choice(member.bonds[-20:] or [("epsrv-none", "ep-none")])
        bond = dict(zip(("ServiceId", "EndpointId"), with_whom, strict=True))
        ours = {"ServiceId": service}
        place = {"ResourceId": balancer, "ZoneId": member.zones[balancer]}
        zone = {"ZoneId": random.choice((A, B, C))}
        action, more = random.choice(
            [
                ("EnableVpcEndpointConnection", bond),
                ("EnableVpcEndpointConnection", bond),
                ("DisableVpcEndpointConnection", bond),
                ("EnableVpcEndpointZoneConnection", bond | zone),
                ("DisableVpcEndpointZoneConnection", bond | zone),
                ("UpdateVpcEndpointConnectionAttribute", bond | {"Bandwidth": 500}),
                ("AttachResourceToVpcEndpointService", ours | place | {"ResourceType": "nlb"}),
                ("DetachResourceFromVpcEndpointService", ours | place),
                ("UpdateVpcEndpointServiceAttribute", ours | {"AutoAcceptEnabled": True}),
                ("UpdateVpcEndpointServiceAttribute", ours | {"AddressIpVersion": some_version()}),
                ("UpdateVpcEndpointServiceAttribute", ours | {"ZoneAffinityEnabled": some_word()}),
                ("RemoveUserFromVpcEndpointService", ours | {"UserARN": "*"}),
                ("AddUserToVpcEndpointService", ours | {"UserARN": "*"}),
            ]
        )
        member.say(client, PRIVATELINK, action, **more)
        if random.random() < 0.1 and member.say(
            client, PRIVATELINK, "DeleteVpcEndpointService", ServiceId=service
        ):
            member.forget("epsrv", service)

    def _neighbours(self, member: Member, client: Client) -> None:
        vpc, zone = member.pick("vpc"), random.choice((A, B, C))
        kind = random.choice(("sg", "rule", "vsw", "att"))
        if kind == "sg":
            made = member.say(client, ECS, "CreateSecurityGroup", VpcId=vpc)
            group = made["SecurityGroupId"] if made else member.pick("sg")
            if random.random() < 0.5:
                member.say(client, ECS, "DeleteSecurityGroup", SecurityGroupId=group)
            elif made:
                member.things["sg"].append(group)
        elif kind == "rule":
            ports = random.randint(1, 100)
            rule = {
                "IpProtocol": "tcp",
                "PortRange": f"{ports}/{ports}",
                "SourceCidrIp": "10.0.0.0/8",
            }
            group = member.pick("sg")
            member.say(
                client, ECS, "AuthorizeSecurityGroup", SecurityGroupId=group, Permissions=[rule]
            )
        elif kind == "vsw":
            number = random.randint(10, 90)
            blocks = {"CidrBlock": f"10.0.{number}.0/24", "Ipv6CidrBlock": number}
            made = member.say(client, VPC, "CreateVSwitch", VpcId=vpc, ZoneId=zone, **blocks)
            if made:
                member.say(client, VPC, "DeleteVSwitch", VSwitchId=made["VSwitchId"])
        else:
            made = member.say(client, OWN, "CreateAttachment", VSwitchId=member.pick(zone))
            attachment = made["AttachmentId"] if made else "att-none"
            member.say(client, OWN, "DeleteAttachment", AttachmentId=attachment)
