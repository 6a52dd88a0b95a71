"""What the items say, as the reference model asks it: who answers, who may, where it leads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import NamedTuple

from privlink.model.items import (
    Balancer,
    Door,
    Filter,
    Forward,
    Item,
    Listener,
    Members,
    NatAddress,
    Opening,
    Protocol,
    Resolver,
    Route,
    RouteKind,
    RouteTable,
    Rule,
    Segment,
    Server,
)
from privlink.model.naming import RESOLVER_ADDRESS
from privlink.node.naming import resolver_balancer, resolver_opening
from privlink.node.program.maps import PROTOCOLS, Reason, mac_bytes
from tests.kernel.headers import GATEWAY, Key, Port, Refused, inside, packed


class Address(NamedTuple):
    """What a packet may call: an address the fabric answers for, a door, or a block."""

    mac: bytes
    leads: bool = False  # else there is nobody behind its ports: a gateway's, or a NAT gateway's
    opening: int = 0  # where to; 0: nowhere yet
    place: int = 0
    balancer: int = 0  # who is behind its ports; 0: whoever has the address that is called
    groups: tuple[int, ...] | None = None  # whose rules say who may; None: all may
    router: bool = False


class Desired:
    """The items of one moment."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.addresses: dict[tuple[int, bytes], Address] = {}
        self.openings: dict[int, Opening] = {}
        self.routed: set[int] = set()  # openings that routes lead to
        self.doors: dict[tuple[int, bytes, int, int], Address] = {}
        self._routes: dict[int, list[tuple[Route, Address]]] = {}
        self._balancers: dict[int, Balancer] = {}
        self._groups: dict[int, Filter] = {}
        self._members: dict[int, tuple[str, ...]] = {}
        for item in items:
            match item:
                case Segment():
                    gateway = Address(GATEWAY, router=True)
                    self._answer(item.network, gateway, item.gateway, item.gateway6)
                case Forward():
                    self._endpoint(item)
                case Balancer():
                    self._balancer(item)
                case NatAddress():
                    self._answer(item.network, Address(mac_bytes(item.mac)), item.address)
                case Door():
                    self._door(item)
                case Resolver():
                    self._resolver(item)
                case RouteTable():
                    self._routes[item.number] = [*self._blocks(item)]
                case Filter():
                    self._groups[item.number] = item
                case Members():
                    self._members[item.number] = item.blocks

    def _answer(self, network: int, address: Address, *texts: str) -> None:
        self.addresses |= {(network, packed(text)): address for text in texts if text}

    def _endpoint(self, item: Forward) -> None:
        openings = [each for each in (item.opening, item.replaced) if each]
        self.openings |= {opening.number: opening for opening in openings}
        if not item.address:
            self.routed |= {opening.number for opening in openings}
        to = None if item.reversed else item.opening
        for text, opens in ((item.address, to), (item.address6, to if to and to.source6 else None)):
            endpoint = Address(
                mac_bytes(item.mac) if item.mac else b"", True, opens.number if opens else 0,
                item.number, opens.balancer if opens else 0, item.filters,
            )  # fmt: skip
            self._answer(item.network, endpoint, text)

    def _balancer(self, item: Balancer) -> None:
        self._balancers[item.number] = item
        if item.address:
            self.openings[item.opening] = Opening(
                item.opening, item.network, item.address, item.number, item.address6
            )
            own = Address(mac_bytes(item.mac), True, item.opening, item.number, item.number)
            self._answer(item.network, own, item.address, item.address6)

    def _door(self, item: Door) -> None:
        servers = (item.target,) if item.target and item.opening else ()
        listener = Listener(Protocol(item.protocol), item.port, item.port, servers)
        self._balancers[item.balancer] = Balancer(item.balancer, (listener,))
        where = item.network, packed(item.address), PROTOCOLS[item.protocol], item.port
        opening = item.opening if item.target else 0
        self.doors[where] = Address(GATEWAY, True, opening, item.place, item.balancer)

    def _resolver(self, item: Resolver) -> None:
        balancer = resolver_balancer()
        self._balancers[balancer.number] = balancer
        opening = resolver_opening(item.network)
        self.openings[opening.number] = opening
        address = Address(GATEWAY, True, opening.number, 0, balancer.number)
        self._answer(item.network, address, RESOLVER_ADDRESS)

    @staticmethod
    def _blocks(table: RouteTable) -> Iterator[tuple[Route, Address]]:
        """The longest first."""
        longest = sorted(table.routes, key=lambda route: -ip_network(route.cidr).prefixlen)
        for route in longest:
            yield route, Address(GATEWAY, True, route.opening, route.place)

    def route(self, port: Port, address: bytes) -> tuple[Route, Address] | None:
        """The route of a workload's vswitch for an address."""
        if not routable(address):
            return None
        routes = self._routes.get(port.table, ())
        return next((each for each in routes if inside(address, each[0].cidr)), None)

    def passes_on(self, port: Port, address: bytes) -> bool:
        """Whether what comes from an address may come from a workload that does not have it."""
        fabric = (port.network, address) in self.addresses
        return not fabric and self._leads_through(port, address, port)

    def goes_through(self, sender: Port, hop: Port, key: Key) -> bool:
        """Whether what a workload sent, turned around in `key`, went to another to be passed on."""
        fabric = (key.network, key.source) in self.addresses
        return not fabric and self._leads_through(sender, key.source, hop)

    def _leads_through(self, port: Port, address: bytes, hop: Port) -> bool:
        found = self.route(port, address)
        return bool(
            found
            and not port.near(address)
            and found[0].kind is RouteKind.ATTACHMENT
            and packed(found[0].hop) in hop.addresses.values()
        )

    def called(self, port: Port, key: Key) -> Address | None:
        """What a client calls, if it is anything the fabric answers for."""
        address = self.addresses.get((key.network, key.destination))
        if address:
            door = key.network, key.destination, key.protocol, key.destination_port
            return address if address.leads or address.router else self.doors.get(door, address)
        if port.near(key.destination):
            return None
        found = self.route(port, key.destination)
        return found[1] if found and found[0].kind is RouteKind.ENDPOINT else None

    def balancer(self, address: Address, opening: Opening, key: Key) -> int:
        """Who says which servers there are; 0: the one that is called is the server."""
        own = self.addresses.get((opening.network, key.destination))
        return address.balancer or (own.balancer if own and own.groups is None else 0)

    def judge(self, port: Port, address: Address, key: Key) -> None:
        """Whether the rules permit what a client asks for."""
        if address.groups is not None and not self._permitted(
            address.groups, key.source, key, egress=False
        ):
            raise Refused(Reason.SECURITY_GROUP)
        if port.filters and not self._permitted(port.filters, key.destination, key, egress=True):
            raise Refused(Reason.EGRESS_RULE)

    def _permitted(self, groups: tuple[int, ...], peer: bytes, key: Key, *, egress: bool) -> bool:
        best = (1000, False)
        for number in groups:
            if number not in self._groups:
                return False
            group = self._groups[number]
            for rule in group.egress if egress else group.rules:
                if self._matches(rule, peer, key):
                    best = min(best, (rule.priority, rule.accept))
                    break
        return best[1]

    def _matches(self, rule: Rule, peer: bytes, key: Key) -> bool:
        blocks = self._members.get(rule.members, ()) if rule.members else (rule.cidr,)
        return (
            PROTOCOLS[rule.protocol] in (0, key.protocol)
            and rule.low <= key.destination_port <= rule.high
            and any(inside(peer, block) for block in blocks)
        )

    def listener(self, balancer: int, key: Key) -> Listener:
        """Who is called."""
        for listener in self._balancers[balancer].listeners:
            if PROTOCOLS[listener.protocol] == key.protocol and (
                listener.first <= key.destination_port <= listener.last
            ):
                return listener
        raise Refused(Reason.NO_LISTENER)

    def is_target(
        self, balancer: int, first: int, protocol: int, address: bytes, port: int
    ) -> bool:
        """Whether a server may still have flows."""
        behind = self._balancers.get(balancer)
        return behind is not None and any(
            (listener.first, PROTOCOLS[listener.protocol]) == (first, protocol)
            and any((packed(s.address), s.port) == (address, port) for s in listener.servers)
            for listener in behind.listeners
        )

    @staticmethod
    def servers(listener: Listener, key: Key) -> list[Server]:
        """Who may take a new flow; nobody where the listener's servers are of the other family."""
        ipv6 = len(key.source) == 16
        found = [server for server in listener.servers if (":" in server.address) == ipv6]
        if ipv6 and not found:
            # Of IPv6 without servers nothing is known, not even the listener.
            raise Refused(Reason.NO_LISTENER)
        return [server for server in found if server.weight]


def routable(address: bytes) -> bool:
    """Whether routers pass on what is for an address, or from it: no groups, no links' own."""
    four = len(address) == 4
    return not any(inside(address, block) for block in (NOWHERE4 if four else NOWHERE6))


NOWHERE4 = "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"
NOWHERE6 = "::/127", "fe80::/10", "ff00::/8"
