"""The program against the reference model: random packets by the hundred thousand.

Verdict, reason, link, every byte of the packet out, and the flow table after it. PRIVLINK_PACKETS
says how many (200000), PRIVLINK_SEED where to begin; a failure prints both.
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from random import Random

import msgspec
import pytest

from privlink.model.items import (
    Attachment,
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
from privlink.node import system
from privlink.node.entries import entries, port_entries
from privlink.node.naming import RESOLVER_NETWORK, resolver_entries
from privlink.node.program.maps import ADDRESS_KEY, FLOW, FLOW_KEY, NUMBER, Number, Reason
from tests.kernel import checksums, program_test
from tests.kernel import lab as labs
from tests.kernel.desired import Desired
from tests.kernel.desk import VERDICTS, Desk
from tests.kernel.frames import CIDR, CIDR6, GATEWAY, GATEWAY6
from tests.kernel.headers import Key, Outcome, Port, text
from tests.kernel.model import Flow, Model
from tests.kernel.traffic import Traffic

PACKETS = int(os.environ.get("PRIVLINK_PACKETS", "200000"))
SEED = int(os.environ.get("PRIVLINK_SEED", "1"))
EPISODE = 2000  # packets between two clean tables


def workload(number: int, network: int, host: int, *, ipv6: bool = True) -> Attachment:
    """A workload; those of the same host number have the same addresses in every network."""
    mac = f"02:00:00:00:0{network}:0{host}"
    six = (CIDR6, f"fd00:10::{host}") if ipv6 else ("", "")
    return Attachment(
        number, network, network, CIDR, f"10.0.0.{host}", mac, *six, table=network,
        gateway=GATEWAY, gateway6=GATEWAY6 if ipv6 else "",
    )  # fmt: skip


EGRESS = msgspec.structs.replace(workload(12, 1, 7), filters=(13,))
PLACES = (
    (11, workload(11, 1, 5)),
    (12, EGRESS),
    (13, workload(13, 1, 6, ipv6=False)),
    # Of another vSwitch, with other routes.
    (14, Attachment(14, 14, 1, "10.0.1.0/24", "10.0.1.5", "02:00:00:00:01:15", "fd00:11::/64",
                    "fd00:11::5", table=4, gateway="10.0.1.253")),
    (21, workload(21, 2, 5)),
    (22, workload(22, 2, 7)),
    # What gateway endpoints lead to.
    (23, Attachment(23, 23, 2, "198.51.100.0/24", "198.51.100.5", "02:00:00:00:02:15",
                    "2001:db8:5::/64", "2001:db8:5::5", table=2)),
    (31, msgspec.structs.replace(workload(31, 3, 5), table=0)),
    # Who answers for names, in a network of its own.
    (41, Attachment(0, 0, RESOLVER_NETWORK, f"{RESOLVER_ADDRESS}/32", RESOLVER_ADDRESS,
                    "02:00:00:00:04:05")),
)  # fmt: skip
SEGMENTS = tuple(Segment(n, n, CIDR, GATEWAY, CIDR6, GATEWAY6) for n in (1, 2, 3))


def servers(*hosts: int, port: int = 8080) -> tuple[Server, ...]:
    """Servers of both families."""
    return tuple(
        Server(address, port, weight)
        for weight, host in enumerate(hosts, 1)
        for address in (f"10.0.0.{host}", f"fd00:10::{host}")
    )


def balancer(number: int, *hosts: int) -> Balancer:
    """A load balancer with a port, the same for datagrams, and a range."""
    behind = servers(*hosts)
    return Balancer(
        number,
        (
            Listener(Protocol.TCP, 80, 80, behind),
            Listener(Protocol.UDP, 80, 80, behind),
            Listener(Protocol.UDP, 53, 53, servers(*hosts, port=53)),
            Listener(Protocol.TCP, 8000, 8999, servers(*hosts, port=0)),
            Listener(Protocol.TCP, 443, 443, behind[:1]),
        ),
    )


def group(*rules: Rule, egress: tuple[Rule, ...] = (), number: int = 11) -> Filter:
    return Filter(number, rules, egress)


OPEN = Rule(50, True, "ALL", "0.0.0.0/0", 0, 65535), Rule(50, True, "ALL", "::/0", 0, 65535)
GROUPS = (
    group(*OPEN),
    group(*OPEN),
    group(Rule(1, False, "TCP", "10.0.0.5/32", 0, 65535), *OPEN),
    group(Rule(1, False, "UDP", "::/0", 80, 80), *OPEN),
    group(Rule(50, True, "TCP", "", 0, 8500, 40), Rule(50, True, "ICMP", "", 0, 0, 40)),
    group(Rule(1, False, "ALL", "", 0, 65535, 41), *OPEN),
    group(Rule(9, True, "ICMPV6", "fd00:10::4/126", 0, 65535)),
)
EGRESS_GROUPS = tuple(
    group(egress=rules, number=13)
    for rules in (
        OPEN,
        OPEN,
        (Rule(1, False, "TCP", "10.0.0.100/32", 80, 80), *OPEN),
        (Rule(1, True, "ALL", "", 0, 65535, 40),),
        (Rule(1, False, "UDP", "fd00:10::64/128", 0, 65535), *OPEN),
    )
)
SETS = (
    Members(40, ("10.0.0.0/29", "fd00:10::/64", "10.0.0.100/32")),
    Members(40, ("::/0",)),
    Members(40, ("0.0.0.0/0", "10.0.0.5/32")),
    Members(40, ("10.0.0.5/32", "10.0.0.0/8", "fd00:10::7/128")),
    Members(40, ()),
)
BALANCERS = (balancer(3, 5), balancer(3, 5), balancer(3, 5, 7), balancer(3, 5, 9), balancer(3, 9))
DOORS = (Protocol.TCP, 80), (Protocol.TCP, 443), (Protocol.UDP, 80), (Protocol.UDP, 53)
OTHER_SET = Members(41, ("10.0.0.7/32", "fd00:10::5/128"))
SECOND_GROUP = Filter(12, (Rule(2, False, "TCP", "10.0.0.6/32", 8000, 8100), *OPEN))


# A balancer's own address, within a block.
OWN = msgspec.structs.replace(
    balancer(5, 5, 7), network=2, address="198.51.100.80", mac="02:00:00:00:02:50",
    address6="2001:db8:5::50", opening=4,
)  # fmt: skip


def routes(*pairs: tuple[str, str]) -> tuple[Route, ...]:
    """Blocks and where they lead: to a hop, through an opening, or to who has the address."""
    return tuple(
        Route(cidr, RouteKind.ENDPOINT, opening=int(to), place=int(to) * 100) if to.isdigit()
        else Route(cidr, RouteKind.ATTACHMENT if to else RouteKind.LOCAL, to)
        for cidr, to in pairs
    )  # fmt: skip


LOCAL = ("10.0.0.0/16", ""), ("fd00:10::/31", "")
AWAY = ("0.0.0.0/0", "10.0.0.7"), ("::/0", "fd00:10::7")
BEHIND = (
    ("172.16.0.0/16", "10.0.0.6"), ("fd00:99::/64", "fd00:10::5"), ("172.17.0.0/16", "10.0.1.5"),
    ("fd00:98::/64", "fd00:11::5"),
)  # fmt: skip
BLOCKS = ("198.51.100.0/24", "50"), ("2001:db8:5::/64", "50")
NARROW = ("198.51.100.5/32", "51"), ("2001:db8:5::5/128", "51"), ("10.0.1.5/32", "10.0.0.6")
SHUT = ("198.51.100.0/24", "0"), ("2001:db8:5::/64", "0")
TABLES = (
    (*LOCAL, *BEHIND, *BLOCKS), (*LOCAL, *BEHIND, *BLOCKS), (*LOCAL, *AWAY, *BEHIND, *BLOCKS),
    (*LOCAL, *AWAY, *BLOCKS, *NARROW), (*AWAY,), (*LOCAL, *AWAY, *BEHIND, *SHUT), (*LOCAL, *BEHIND),
)  # fmt: skip
NAT4, NAT6 = "10.0.0.102", "fd00:10::66"


def door(network: int, protocol: Protocol, port: int, *, six: bool = False, to: int = 52) -> Door:
    """A port of a network's NAT gateway, and what it leads to."""
    target = Server("fd00:10::5" if six else "10.0.0.5", 8080, 1)
    number = 1000 * network + 2 * port + six + (500 if protocol is Protocol.UDP else 0)
    return Door(network, NAT6 if six else NAT4, protocol, port, number, to, 5300, target)


@cache
def laid(item: Item) -> dict[tuple[str, bytes], bytes]:
    """The map entries that make an item true."""
    return {(entry.map, entry.key): entry.value for entry in entries(item)}


# Where flows and packets have to have gone, or the world has become too small: an endpoint, a load
# balancer's own address, blocks, doors, from behind a workload; to another vSwitch and on to a hop.
# Questions for names are counted nowhere.
WAYS = (
    *((way, version) for way in (1100, 5, 5000, 5300, "behind", "complaint", "local", "attachment")
      for version in (4, 6)),
    (0, 4),
)  # fmt: skip


class World:
    """Items that change, in the kernel and in the model alike."""

    def __init__(self, chance: Random, desk: Desk, model: Model) -> None:
        self._chance, self._desk, self._model = chance, desk, model
        self._number, self._laid = 10, dict[tuple[str, bytes], bytes]()
        self.hops = set[str]()  # who passes on what is not for it, or did in this epoch
        first = Opening(7, 2, "100.64.0.1", 3, "fd70:7269:766c::6440:1")
        self.items: dict[str, Item] = {
            "balancer": BALANCERS[0], "group": GROUPS[0], "egress": EGRESS_GROUPS[0],
            "set": SETS[0], "rest set": OTHER_SET, "second group": SECOND_GROUP,
            "endpoint": self._endpoint(1, 100, first),
            "another": self._endpoint(1, 101, Opening(8, 2, "100.64.0.2", 3)),
            "tenant": self._endpoint(3, 100, msgspec.structs.replace(first, number=9)),
            # A client that is a server too, and one in its servers' own network.
            "chain": self._endpoint(3, 101, Opening(5, 1, "100.64.0.5", 4, "fd70::5")),
            "own": self._endpoint(2, 101, Opening(6, 2, "100.64.0.6", 3, "fd70::6")),
            "front": balancer(4, 5, 7), "own front": OWN,
            "gateway": self._gateway(50, 5000, ipv6=True),
            "narrow": self._gateway(51, 5100, ipv6=False),
            # Its network is the third: who calls is in the first or the second.
            "reversed": Forward(
                3, "10.0.0.103", "02:00:00:00:03:67", (11,),
                Opening(52, 3, "10.0.0.103", 0, "fd00:10::67"), address6="fd00:10::67", number=5300,
                reversed=True,
            ),
            "distant": RouteTable(4, 1, routes(*LOCAL, *BLOCKS, ("172.17.0.0/16", "10.0.1.5"))),
            "resolver 1": Resolver(1), "resolver 3": Resolver(3),
            "providers": RouteTable(2, 2, routes(*LOCAL, ("198.51.100.0/24", ""),
                                                 ("2001:db8:5::/64", ""))),
            "table": RouteTable(1, 1, routes(*TABLES[0])),
        }  # fmt: skip
        for network in (1, 2):
            for address in (NAT4, NAT6):
                nat = NatAddress(network, address, "02:00:00:00:01:66")
                self.items[f"nat {network} {address}"] = nat
            for protocol, port in DOORS:
                for six in (False, True):
                    made = door(network, protocol, port, six=six)
                    self.items[f"door {network} {protocol} {port} {six}"] = made
        self.items |= {f"segment {item.number}": item for item in SEGMENTS}
        desk.put(*(port_entries(item, ifindex) for ifindex, item in PLACES))
        self._settle()

    def change(self) -> None:
        """Something happens to the items."""
        chance = self._chance
        what = chance.choice((
            "group", "group", "egress", "set", "balancer", "endpoint", "another", "tenant", "chain",
            "hide", "table", "table", "gateway", "narrow", "reversed", "door", "door",
        ))  # fmt: skip
        if what == "hide":
            return self._hide()
        if what == "table":
            self.items[what] = RouteTable(1, 1, routes(*chance.choice(TABLES)))
            self._lead()
            return self._settle()
        if what == "door":
            what = chance.choice([name for name in self.items if name.startswith("door ")])
            self.items[what] = self._turned(what)
            return self._settle()
        pools = {"group": GROUPS, "egress": EGRESS_GROUPS, "set": SETS, "balancer": BALANCERS}
        self.items[what] = chance.choice(pools[what]) if what in pools else self._moved(what)
        self._lead()
        return self._settle()

    def _lead(self) -> None:
        """Have routes and doors lead to the openings there are now; now and then they are late."""
        if self._chance.random() < 0.1:
            return
        now = {str(at): self._number_of(name) for name, at in (("gateway", 50), ("narrow", 51))}
        for name in ("table", "distant"):
            table = self.items[name]
            assert isinstance(table, RouteTable)
            led = tuple(
                msgspec.structs.replace(route, opening=now.get(str(route.place // 100), 0))
                if route.kind is RouteKind.ENDPOINT else route for route in table.routes
            )  # fmt: skip
            self.items[name] = msgspec.structs.replace(table, routes=led)
        opening = self._number_of("reversed")
        for name, item in self.items.items():
            if isinstance(item, Door):
                self.items[name] = msgspec.structs.replace(item, opening=opening)

    def _number_of(self, name: str) -> int:
        item = self.items[name]
        assert isinstance(item, Forward)
        return item.opening.number if item.opening else 0

    def _turned(self, name: str) -> Door:
        """A door with another target, or none, or shut."""
        chance, before = self._chance, self.items[name]
        assert isinstance(before, Door)
        six = ":" in before.address
        targets = (
            Server("fd00:10::5" if six else "10.0.0.5", 8080, 1),
            Server("fd00:10::5" if six else "10.0.0.5", 8081, 1),
            Server("fd00:10::9" if six else "10.0.0.9", 8080, 1),  # nobody
            Server("10.0.0.5" if six else "fd00:10::5", 8080, 1),  # of the other family
            None,
        )
        opening = self._number_of("reversed") if chance.random() < 0.9 else 0
        return msgspec.structs.replace(before, target=chance.choice(targets), opening=opening)

    def _hops_now(self) -> set[str]:
        tables = (item for item in self.items.values() if isinstance(item, RouteTable))
        return {route.hop for table in tables for route in table.routes}

    def _hide(self) -> None:
        """An address is gone until the next change, while its forward stays."""
        key = self._chance.choice(list(self._model.desired.addresses))
        del self._model.desired.addresses[key]
        at = "addresses", ADDRESS_KEY.pack(key[0], whole(key[1]))
        del self._laid[at]
        assert self._desk.program.maps["addresses"].delete(at[1])

    def _moved(self, what: str) -> Forward:
        before = self.items[what]
        assert isinstance(before, Forward)
        kind, self._number = self._chance.random(), self._number + 1
        if kind < 0.15:
            return msgspec.structs.replace(before, opening=None, replaced=None)
        old = before.opening or Opening(1, 2, "100.64.0.3", 3, "fd70:7269:766c::6440:3")
        new = msgspec.structs.replace(old, number=self._number)
        replaced = old if kind < 0.5 and before.opening else None
        return msgspec.structs.replace(before, opening=new, replaced=replaced)

    @staticmethod
    def _gateway(opening: int, place: int, *, ipv6: bool) -> Forward:
        """A gateway endpoint, which has no address."""
        source6 = f"fd70:7269:766c::6440:{opening}" if ipv6 else ""
        leads = Opening(opening, 2, f"100.64.0.{opening}", 0, source6)
        return Forward(1, "", "", (), leads, number=place)

    @staticmethod
    def _endpoint(network: int, host: int, opening: Opening) -> Forward:
        mac, six = f"02:00:00:00:01:{host:02x}", f"fd00:10::{host:x}"
        place = 1000 * network + host
        return Forward(
            network, f"10.0.0.{host}", mac, (11, 12), opening, address6=six, number=place
        )

    def _settle(self) -> None:
        desk, made = self._desk, dict[tuple[str, bytes], bytes]()
        for item in self.items.values():
            made |= laid(item)
        made |= {(entry.map, entry.key): entry.value for entry in resolver_entries()}
        for name, key in self._laid.keys() - made.keys():
            desk.program.maps[name].delete(key)
        for at, value in made.items():
            if self._laid.get(at) != value:
                desk.program.maps[at[0]].update_many([(at[1], value)])
        self._laid = made
        self._model.desired = Desired(self.items.values())
        self.hops |= self._hops_now()
        if self._chance.random() < 0.9:
            self.hops = self._hops_now()
            self._model.epoch += 1
            epoch = NUMBER.pack(self._model.epoch)
            desk.program.maps["numbers"].update_many([(NUMBER.pack(Number.EPOCH), epoch)])


class Exchange:
    """One packet after another through both."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._bench = desk, program_test.Bench(desk.program)
        self.seen: Counter[Reason | None] = Counter()
        self.passed: Counter[tuple[str, int]] = Counter()
        self.led: Counter[tuple[int | str, int]] = Counter()
        self._out = b""

    def episode(self, seed: int, packets: int) -> None:
        """From clean tables on."""
        desk, chance = self._desk, Random(seed)
        desk.clear()
        self._model = model = Model(PLACES)
        numbers = desk.program.maps["numbers"]
        numbers.update_many([(NUMBER.pack(Number.EPOCH), NUMBER.pack(0))])
        # As many errors as there are: what is too many is a matter of seconds.
        numbers.update_many([(NUMBER.pack(Number.COMPLAINTS), NUMBER.pack(2**32 - 1))])
        counted = chance.choice((0, 0xFFFF - 20, 2**32 - 20))
        numbers.update_many([(NUMBER.pack(Number.IDENTIFICATION), NUMBER.pack(counted))])
        model.identification, model.chosen = counted, self._kernel_flow
        model.chance = lambda: self._out[60:62]
        world = self._world = World(chance, desk, model)
        traffic = Traffic(chance, model)
        for number in range(packets):
            if chance.random() < 0.02:
                world.change()
            ifindex, frame = traffic.next()
            told = f"seed {seed}, packet {number}, link {ifindex}: {frame.hex()}"
            self._compare(ifindex, frame, told)
        self.led += model.led
        assert self._table() == model.flows, f"seed {seed}: the flow tables differ"
        counts = {forward: desk.flow_count(forward) or 0 for forward in model.counts}
        assert counts == dict(model.counts), f"seed {seed}: the counts of flows differ"

    def _compare(self, ifindex: int, frame: bytes, told: str) -> None:
        run = self._bench.run(frame, ifindex)
        self._out = run.packet
        reason = Reason(run.reason) if run.reason else None
        outcome = Outcome(VERDICTS[run.verdict], reason, run.packet, run.egress)
        try:
            expected = self._model.send(ifindex, frame)
        except Exception as error:
            raise AssertionError(f"{told}\nprogram: {words(outcome)}") from error
        assert outcome == expected, f"{told}\nprogram: {words(outcome)}\nmodel: {words(expected)}"
        right = sound(frame, outcome, self._model.ports, self._world.hops)
        assert right, f"{told}\nprogram: {words(outcome)}"
        for key in self._model.touched:
            theirs, ours = self._kernel_flow(key), self._model.flows.get(key)
            assert theirs == ours, f"{told}\n{key}\nprogram: {theirs}\nmodel: {ours}"
        self.seen[reason] += 1
        self.passed[outcome.verdict, frame[14] >> 4] += 1

    def _kernel_flow(self, key: Key) -> Flow | None:
        value = self._desk.program.maps["flows"].lookup(key_bytes(key))
        return flow_of(value) if value else None

    def _table(self) -> dict[Key, Flow]:
        return {key_of(k): flow_of(v) for k, v in self._desk.program.maps["flows"].dump()}


def sound(frame: bytes, outcome: Outcome, ports: dict[int, Port], hops: set[str]) -> bool:
    """What holds whatever the model says: it goes to whom its link is, and checksums stay right.

    Only who is the next hop of a route may get what is not for it.
    """
    if outcome.verdict != "redirect":
        return outcome.packet == frame
    port, out = ports[outcome.egress], outcome.packet
    if out[:6] != port.mac:
        return False
    if out[12:14] == ARP:
        return True
    to = out[30:34] if out[12:14] == IPV4 else out[38:54]
    own = to in (*port.addresses.values(), port.local)
    passes = any(text(address) in hops for address in port.addresses.values())
    return (own or passes) and (bool(checksums.wrong(frame)) or not checksums.wrong(out))


ARP, IPV4 = b"\x08\x06", b"\x08\x00"


def words(outcome: Outcome) -> str:
    return f"{outcome.verdict} {outcome.reason!r} {outcome.egress} {outcome.packet.hex()}"


MAPPED = bytes(10) + b"\xff\xff"


def shortened(address: bytes) -> bytes:
    """An address of the maps as it stands in a packet."""
    return address.removeprefix(MAPPED)


def whole(address: bytes) -> bytes:
    """An address as it stands in the maps."""
    return address if len(address) == 16 else MAPPED + address


def key_bytes(key: Key) -> bytes:
    source, destination = map(whole, key[1:3])
    ports = (int.from_bytes(port.to_bytes(2), "little") for port in key[3:5])
    return FLOW_KEY.pack(key.network, source, destination, *ports, key.protocol)


def key_of(packed: bytes) -> Key:
    network, source, destination, *ports, protocol = FLOW_KEY.unpack(packed)
    first, second = (int.from_bytes(port.to_bytes(2, "little")) for port in ports)
    return Key(network, shortened(source), shortened(destination), first, second, protocol)


def flow_of(value: bytes) -> Flow:
    (
        _, _, packets, size, forward, ifindex, source, destination, source_port, destination_port,
        mac, own_mac, _, _, network, epoch, _, place, balancer, listener, idle, _, any_port, _, _,
        *flags, reset, revoked, acknowledged, last,
    ) = FLOW.unpack(value)  # fmt: skip
    source_port, destination_port, listener = map(
        socket.ntohs, (source_port, destination_port, listener)
    )
    return Flow(
        packets, size, forward, ifindex, shortened(source), shortened(destination), source_port,
        destination_port, mac + own_mac, network, epoch, place, balancer, listener, idle,
        bool(any_port), *map(bool, flags), reset, revoked, bool(acknowledged), socket.ntohl(last),
    )  # fmt: skip


@pytest.fixture
def links() -> Iterator[str]:
    """A namespace with a link for every workload; yields its name."""
    with labs.namespace("model") as name:
        for ifindex, _ in PLACES:
            labs.run(
                name, "ip", "link", "add", f"w{ifindex}", "index", str(ifindex), "type", "bridge"
            )
        yield name


def test_the_program_does_what_the_model_says(desk: Desk, links: str) -> None:
    exchange = Exchange(desk)
    before, began = desk.program.drops(), time.monotonic()

    def run() -> None:
        for start in range(0, PACKETS, EPISODE):
            exchange.episode(SEED + start // EPISODE, min(EPISODE, PACKETS - start))

    system.within(labs.path(links), run)
    print(f"\n{PACKETS} packets from seed {SEED} in {time.monotonic() - began:.0f} s")
    print(
        *(f"{reason and reason.name}: {n}" for reason, n in exchange.seen.most_common()), sep="\n"
    )
    print(exchange.passed)
    print(exchange.led)
    assert {way for way in WAYS if not exchange.led[way]} == set()
    after = desk.program.drops()
    risen = {Reason(n): after[n] - before.get(n, 0) for n in after if after[n] != before.get(n, 0)}
    assert risen == {reason: n for reason, n in exchange.seen.items() if reason}
