"""Calls at random, one after the other, about everything that names are answered from."""

from __future__ import annotations

import random
from typing import Any

from tests.api.stand_in import Node
from tests.api.world import A, B, World


class Chance:
    """A provider, a consumer, and calls at random about all that names follow from."""

    def __init__(self, world: World, node: Node, seed: int) -> None:
        self.world, self.node, self.random = world, node, random.Random(seed)
        self.network, self.consumer = world.network(A, B), world.network(A, B)
        self.balancers = [world.balancer(self.network, *zones) for zones in ((A, B), (A,), (B,))]
        check = {"HealthCheckEnabled": True}
        servers = ("10.0.0.8", "10.0.0.9", "10.0.1.9")
        self.groups = [
            world.server_group(self.network, *servers, HealthCheckConfig=check),
            world.server_group(self.network, servers[0]),
        ]
        self.services = [
            world.service(self.balancers[0], (A, B)),
            world.service(self.balancers[1], (A,), auto=False),
        ]
        self.group = world.group(self.consumer)
        self.endpoints = [world.endpoint(self.services[0], self.consumer, A, group=self.group)]
        self.listeners = [world.listener(self.balancers[0], self.groups[0])]
        self.ways = (
            *(self.connect, self.disconnect, self.decide, self.carry, self.favour, self.hear),
            *(self.listen, self.serve, self.hear, self.place, self.connect),
        )

    def act(self) -> None:
        """One call; one that is refused changes nothing."""
        try:
            self.random.choice(self.ways)()
        except Exception as error:
            assert getattr(error, "code", None), error

    def connect(self) -> None:
        service = self.random.choice(self.services)
        zones = self.random.sample((A, B), self.random.randint(0, 2))
        made = self.world.endpoint(service, self.consumer, *zones, group=self.group)
        self.endpoints.append(made)

    def disconnect(self) -> None:
        privatelink, endpoint = self.world.account.privatelink, self.random.choice(self.endpoints)
        zone = self.random.choice((A, B))
        if self.random.random() < 0.5:
            vswitch = self.consumer.vswitches[zone]
            privatelink.AddZoneToVpcEndpoint(EndpointId=endpoint, ZoneId=zone, VSwitchId=vswitch)
        else:
            privatelink.RemoveZoneFromVpcEndpoint(EndpointId=endpoint, ZoneId=zone)
            privatelink.DeleteVpcEndpoint(EndpointId=endpoint)

    def decide(self) -> None:
        privatelink, endpoint = self.world.account.privatelink, self.random.choice(self.endpoints)
        bond = {"ServiceId": self.world.shown(endpoint)["ServiceId"], "EndpointId": endpoint}
        word = self.random.choice(("Enable", "Disable"))
        if self.random.random() < 0.5:
            getattr(privatelink, f"{word}VpcEndpointConnection")(**bond)
        else:
            zone = self.random.choice((A, B))
            getattr(privatelink, f"{word}VpcEndpointZoneConnection")(**bond, ZoneId=zone)

    def carry(self) -> None:
        word = self.random.choice(("Attach", "Detach"))
        preposition = "To" if word == "Attach" else "From"
        call = f"{word}Resource{preposition}VpcEndpointService"
        getattr(self.world.account.privatelink, call)(
            ServiceId=self.random.choice(self.services),
            ResourceId=self.random.choice(self.balancers),
            ResourceType="nlb",
            ZoneId=self.random.choice((A, B)),
        )

    def favour(self) -> None:
        privatelink, wanted = self.world.account.privatelink, self.random.random() < 0.5
        if self.random.random() < 0.5:
            endpoint = self.random.choice(self.endpoints)
            privatelink.UpdateVpcEndpointAttribute(EndpointId=endpoint, ZoneAffinityEnabled=wanted)
        else:
            service = self.random.choice(self.services)
            privatelink.UpdateVpcEndpointServiceAttribute(
                ServiceId=service, ZoneAffinityEnabled=wanted
            )

    def listen(self) -> None:
        nlb, balancer = self.world.account.nlb, self.random.choice(self.balancers)
        what = self.random.randint(0, 4)
        if what == 0:
            port = self.random.randint(1, 9)
            group = self.random.choice(self.groups)
            self.listeners.append(self.world.listener(balancer, group, port))
        elif what == 4:
            crossing = self.random.random() < 0.5
            nlb.UpdateLoadBalancerAttribute(LoadBalancerId=balancer, CrossZoneEnabled=crossing)
        else:
            call = (nlb.DeleteListener, nlb.StopListener, nlb.StartListener)[what - 1]
            call(ListenerId=self.random.choice(self.listeners))

    def serve(self) -> None:
        nlb, address = self.world.account.nlb, self.random.choice(("10.0.0.8", "10.0.1.9"))
        server: dict[str, Any] = {"ServerType": "Ip", "ServerId": address, "Port": 80}
        what, weight = self.random.randint(0, 2), self.random.choice((0, 100))
        call, more = (
            (nlb.AddServersToServerGroup, {"Weight": weight}),
            (nlb.UpdateServerGroupServersAttribute, {"Weight": weight}),
            (nlb.RemoveServersFromServerGroup, {}),
        )[what]
        call(ServerGroupId=self.random.choice(self.groups), Servers=[server | more])

    def hear(self) -> None:
        states = [
            {
                "Key": f"balancer/{balancer}/{zone}",
                "Group": self.random.choice(self.groups),
                "Address": address,
                "Port": 80,
                "State": self.random.choice(("Unhealthy", "Unhealthy", "Healthy")),
                "Since": "2026-12-01T09:00:00Z",
            }
            for balancer in self.balancers
            for zone in (A, B)
            for address in ("10.0.0.8", "10.0.0.9", "10.0.1.9")
            if self.random.random() < 0.7
        ]
        self.node.tell(*states, **({"Life": 0} if self.random.random() < 0.1 else {}))

    def place(self) -> None:
        block = f"10.0.{self.random.randint(7, 9)}.0/24"
        made = self.world.vswitch(self.network.vpc, block, self.random.choice((A, B)))
        if self.random.random() < 0.5:
            self.world.account.vpc.DeleteVSwitch(VSwitchId=made)
