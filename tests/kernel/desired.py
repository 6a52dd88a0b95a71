"""What the items say, as the reference model asks it: who answers, who may, where it leads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from privlink.model.items import (
    Balancer,
    Filter,
    Forward,
    Item,
    Listener,
    Members,
    Opening,
    Rule,
    Segment,
    Server,
)
from privlink.node.program.maps import PROTOCOLS, Reason, mac_bytes
from tests.kernel.headers import GATEWAY, Key, Port, Refused, inside, packed


class Address(NamedTuple):
    """An address the fabric answers for."""

    mac: bytes
    forward: Forward | None  # None: a gateway


class Desired:
    """The items of one moment."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.addresses: dict[tuple[int, bytes], Address] = {}
        self.openings: dict[int, Opening] = {}
        self._balancers: dict[int, Balancer] = {}
        self._groups: dict[int, Filter] = {}
        self._members: dict[int, tuple[str, ...]] = {}
        for item in items:
            match item:
                case Segment():
                    gateway = Address(GATEWAY, None)
                    self._answer(item.network, gateway, item.gateway, item.gateway6)
                case Forward():
                    endpoint = Address(mac_bytes(item.mac), item)
                    self._answer(item.network, endpoint, item.address, item.address6)
                    for opening in filter(None, (item.opening, item.replaced)):
                        self.openings[opening.number] = opening
                case Balancer():
                    self._balancers[item.number] = item
                case Filter():
                    self._groups[item.number] = item
                case Members():
                    self._members[item.number] = item.blocks

    def _answer(self, network: int, address: Address, *texts: str) -> None:
        self.addresses |= {(network, packed(text)): address for text in texts if text}

    def judge(self, port: Port, forward: Forward, key: Key) -> None:
        """Whether the rules permit what a client asks for."""
        if not self._permitted(forward.filters, key.source, key, egress=False):
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

    def listener(self, opening: Opening, key: Key) -> Listener:
        """Who is called."""
        for listener in self._balancers[opening.balancer].listeners:
            if PROTOCOLS[listener.protocol] == key.protocol and (
                listener.first <= key.destination_port <= listener.last
            ):
                return listener
        raise Refused(Reason.NO_LISTENER)

    def is_target(
        self, balancer: int, first: int, protocol: int, address: bytes, port: int
    ) -> bool:
        """Whether a server may still have flows."""
        return any(
            (listener.first, PROTOCOLS[listener.protocol]) == (first, protocol)
            and any((packed(s.address), s.port) == (address, port) for s in listener.servers)
            for listener in self._balancers[balancer].listeners
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
