"""A reference model of the data plane: what a packet comes to, said as plainly as Python can.

Made from the items, not from the maps, and with whole addresses of four or sixteen bytes; the
program's layout, its arithmetic and its verifier are unknown here. What the program decides by
chance it is told by `chosen`, and checks that it could be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from privlink.model.items import Attachment, Opening, RouteKind, Server
from privlink.node.program.maps import Cause, Reason
from tests.kernel.desired import Address, Desired
from tests.kernel.discovering import handle_arp, handle_discovery
from tests.kernel.headers import (
    ACK,
    FIN,
    GATEWAY,
    ICMP,
    ICMPV6,
    RST,
    SYN,
    TCP,
    UDP,
    Key,
    Outcome,
    Packet,
    Port,
    Refused,
    Way,
    echoed,
    exceeded,
    older,
    packed,
    read_ipv4,
    read_ipv6,
    refusal,
    spoken_for,
    swapped,
    text,
    translated,
    translated_error,
)

EXTENSIONS = {0, 43, 44, 51, 60, 135, 139, 140}  # RFC 7045 section 4
TOLD = {*range(Reason.CLOSED, Reason.NO_LONGER_PERMITTED + 1), Reason.SERVER_GONE, Reason.IDLE}
WHY = {
    Reason.CLOSED: Cause.CLOSED,
    Reason.SERVER_GONE: Cause.SERVER_GONE,
    Reason.NO_LONGER_PERMITTED: Cause.NO_LONGER_PERMITTED,
}
PLACES = 64  # of datagrams in pieces, per workload


@dataclass(slots=True)
class Flow:
    """One direction of a conversation."""

    packets: int
    bytes: int
    forward: int
    ifindex: int
    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    macs: bytes  # as a frame begins
    partner_network: int
    epoch: int
    place: int
    balancer: int
    listener: int
    idle: int
    any_port: bool
    reverse: bool
    established: bool = False
    client_finished: bool = False
    server_finished: bool = False
    reset: int = 0
    revoked: int = 0
    acknowledged: bool = False
    last: int = 0

    @property
    def ended(self) -> bool:
        return bool(self.reset) or (self.client_finished and self.server_finished)

    def partner(self, key: Key) -> Key:
        return Key(
            self.partner_network, self.destination, self.source,
            self.destination_port, self.source_port, key.protocol,
        )  # fmt: skip


class Pieces(NamedTuple):
    """A datagram of which the first piece has passed."""

    version: int
    identification: int
    key: Key
    next: int | None  # where the next piece begins; None behind the last
    substitute: bytes  # what it goes on with
    echo: bool


class Model:
    """The data plane."""

    def __init__(self, places: Iterable[tuple[int, Attachment]]) -> None:
        self.ports = {ifindex: Port(item, ifindex) for ifindex, item in places}
        self.where = {
            (port.network, address): port
            for port in self.ports.values()
            for address in port.addresses.values()
        }
        self.desired = Desired(())
        self.flows: dict[Key, Flow] = {}
        self.counts: Counter[int] = Counter()
        self.pieces: dict[tuple[int, int], Pieces] = {}
        self.epoch = self.identification = 0
        self.chosen: Callable[[Key], Flow | None] = lambda _: None
        self.chance: Callable[[], bytes] = lambda: bytes(2)
        self.touched: set[Key] = set()
        self.led: Counter[tuple[int | str, int]] = Counter()  # flows by place, packets, and family

    # Frames

    def send(self, ifindex: int, frame: bytes) -> Outcome:
        """What becomes of a frame that comes in by a link."""
        self.touched = set()
        self.now: Packet | None = None
        try:
            return self._frame(ifindex, frame)
        except Refused as refused:
            if refused.reason in TOLD and self.now and (answer := refusal(self.now)):
                return Outcome("redirect", refused.reason, answer, ifindex)
            old = refused.reason is Reason.HOP_LIMIT and self.now
            if old and (answer := exceeded(self.now)):
                return Outcome("redirect", refused.reason, answer, ifindex)
            return Outcome("drop", refused.reason, frame)

    def _frame(self, ifindex: int, frame: bytes) -> Outcome:
        port = self.ports.get(ifindex)
        if port is None:
            raise Refused(Reason.UNKNOWN_PORT)
        if frame[6:12] != port.mac:
            raise Refused(Reason.SPOOFED_SOURCE)
        kind = frame[12:14]
        if kind == b"\x08\x06":
            return handle_arp(port, frame, self.desired.addresses)
        if kind == b"\x86\xdd" and 6 in port.addresses:
            packet = read_ipv6(port, frame)
        elif kind == b"\x08\x00":
            packet = read_ipv4(port, frame)
        else:
            raise Refused(Reason.NOT_IP)
        self.now = packet
        discovers = packet.version == 6 and packet.start == 54 and packet.key.protocol == ICMPV6
        if discovers and len(packet.body) >= 8 and 133 <= packet.body[0] <= 137:
            return handle_discovery(packet, self.desired.addresses)
        own = packet.key.source == port.addresses[packet.version]
        if not own and not self.desired.passes_on(port, packet.key.source):
            # Stacks report their groups from where they may not send anything else.
            reports = packet.version == 6 and packet.key.source in (bytes(16), port.local)
            raise Refused(Reason.MULTICAST if reports and frame[0] & 1 else Reason.SPOOFED_SOURCE)
        if frame[0] & 1:
            raise Refused(Reason.MULTICAST)
        if packet.version == 6 and packet.key.protocol in EXTENSIONS:
            raise Refused(Reason.IP_OPTIONS)
        return self._packet(packet)

    # Packets

    def _packet(self, packet: Packet) -> Outcome:
        key, body = packet.key, packet.body
        icmp = ICMP if packet.version == 4 else ICMPV6
        if packet.offset:
            return self._later_piece(packet)
        if key.protocol not in (TCP, UDP, icmp):
            if self._address(packet):
                raise Refused(Reason.PROTOCOL)
            return self._neighbour(packet)
        if len(body) < (20 if key.protocol == TCP else 8):
            raise Refused(Reason.MALFORMED if packet.whole else Reason.FRAGMENT)
        if key.protocol == icmp:
            return self._icmp(packet)
        packet.key = key = key._replace(
            source_port=int.from_bytes(body[:2]), destination_port=int.from_bytes(body[2:4])
        )
        if key.protocol == UDP:
            length = int.from_bytes(body[4:6])
            if length < 8 or (packet.whole and length > len(body)):
                raise Refused(Reason.MALFORMED)
        else:
            packet.flags, header = body[13], (body[12] >> 4) * 4
            bad = packet.flags & SYN and packet.flags & (FIN | RST)
            if bad or not 20 <= header <= len(body):
                raise Refused(Reason.MALFORMED)
        return self._conversation(packet)

    def _address(self, packet: Packet) -> Address | None:
        return self.desired.addresses.get((packet.key.network, packet.key.destination))

    def _neighbour(self, packet: Packet) -> Outcome:
        port, to = packet.port, packet.key.destination
        if not port.near(to):
            return self._on(packet)
        if packet.version == 4 and to == port.broadcast:
            raise Refused(Reason.MULTICAST)
        if packet.frame[:6] == GATEWAY:
            raise Refused(Reason.VIA_GATEWAY)
        return Outcome("pass", None, packet.frame)

    def _on(self, packet: Packet) -> Outcome:
        """Where the routes say."""
        port, to = packet.port, packet.key.destination
        found = self.desired.route(port, to)
        if found is None:
            raise Refused(Reason.NO_ROUTE if packet.whole else Reason.FRAGMENT)
        route, _ = found
        if route.kind is RouteKind.ENDPOINT:
            raise Refused(Reason.PROTOCOL if packet.whole else Reason.FRAGMENT)
        at = packed(route.hop) if route.kind is RouteKind.ATTACHMENT else to
        next_one = self.where.get((port.network, at))
        if next_one is None or next_one is port:
            raise Refused(Reason.NO_ROUTE)
        out = older(packet, next_one.mac + GATEWAY)
        self.led[route.kind.value, packet.version] += 1
        return Outcome("redirect", None, out, next_one.ifindex)

    def _conversation(self, packet: Packet) -> Outcome:
        key, tcp = packet.key, packet.key.protocol == TCP
        opens = not tcp or packet.flags & (SYN | ACK) == SYN
        flow = self.flows.get(key)
        if flow:
            if tcp and opens and flow.reverse:
                raise Refused(Reason.UNSOLICITED_SYN)
            reason = self._standing(key, flow)
            if reason is Reason.CHANGING:
                raise Refused(reason)
            if reason is None and not (tcp and opens and flow.ended):
                last = self._observe(packet, flow)
                outcome = self._carry(packet, flow)
                self._tally(packet, flow)
                if last:
                    self._delete(flow.partner(key))
                    self._delete(key)
                return outcome
            partner = self._partner(key, flow)
            if flow.reverse or not opens:
                assert reason is not None
                if not flow.revoked:
                    for half in filter(None, (flow, partner)):
                        half.revoked = WHY[reason]
                raise Refused(reason)
            if partner:
                self._delete(flow.partner(key))
            self._delete(key)
        address = self.desired.called(packet.port, key)
        if address is None:
            return self._neighbour(packet)
        if not address.leads:
            raise Refused(Reason.NO_LISTENER)
        opening = self.desired.openings.get(address.opening)
        if opening is None:
            raise Refused(Reason.NOT_ACCEPTED)
        if not opens:
            raise Refused(Reason.NO_FLOW)
        self.desired.judge(packet.port, address, key)
        if not (opening.source6 if packet.version == 6 else opening.source or packet.port.asker):
            raise Refused(Reason.NO_LISTENER)
        return self._carry(packet, self._open(packet, opening, address))

    def _icmp(self, packet: Packet) -> Outcome:
        kind, code = packet.body[:2]
        four = packet.version == 4
        if not four and 133 <= kind <= 137:
            raise Refused(Reason.ADVERTISEMENT)
        if kind in (3, 11, 12) if four else 0 < kind < 128:
            if not packet.whole:
                raise Refused(Reason.FRAGMENT)
            return self._error(packet)
        address = self._address(packet)
        if address is None:
            if four and kind in (5, 9, 10):  # what only routers say
                raise Refused(Reason.ADVERTISEMENT)
            return self._neighbour(packet)
        if (kind, code) != (8 if four else 128, 0):
            raise Refused(Reason.ICMP_TYPE)
        if not address.router:
            self.desired.judge(packet.port, address, packet.key)
        if packet.more:
            self._begin(packet, echo=True)
        return Outcome("redirect", None, echoed(packet), packet.port.ifindex)

    def _error(self, packet: Packet) -> Outcome:
        key = quoted(packet)
        if key.source != packet.key.source:
            sender = self.where.get((key.network, key.destination))
            if sender and self.desired.goes_through(sender, packet.port, key):
                return self._neighbour(packet)
            self._passing_on(packet.port, key)
        flow = self.flows.get(key)
        if flow:
            if reason := self._standing(key, flow):
                raise Refused(reason)
            if key.source != packet.key.source:
                packet = spoken_for(packet, key.source)
                self.led["complaint", packet.version] += 1
            out = translated_error(packet, way(flow))
            self._tally(packet, flow)
            self.touched.add(key)
            return Outcome("redirect", None, out, flow.ifindex)
        to = packet.key.destination
        known = packet.port.near(to) or self.desired.route(packet.port, to)
        if known and not self._address(packet):
            return self._neighbour(packet)
        raise Refused(Reason.FOREIGN_ERROR)

    def _passing_on(self, port: Port, key: Key) -> None:
        """Who complains is who passes on for the client that the quoted answer was for."""
        flow = self.flows.get(key)
        partner = self._partner(key, flow) if flow and not flow.reverse else None
        comes_in = partner is not None and partner.ifindex == port.ifindex
        if not comes_in or not self.desired.passes_on(port, key.source):
            raise Refused(Reason.FOREIGN_ERROR)

    # Pieces

    def _begin(self, packet: Packet, *, echo: bool) -> bytes:
        """Remember a datagram by its first piece, and say what it is identified by from here on."""
        self.identification = (self.identification + 1) % 2**32
        counted = (self.identification % 2**16).to_bytes(2)
        if packet.version == 4 and counted == b"\0\0":
            counted = b"\0\1"
        substitute = counted if packet.version == 4 or echo else counted + self.chance()
        place = packet.port.ifindex, packet.identification % PLACES
        self.pieces[place] = Pieces(
            packet.version, packet.identification, packet.key, len(packet.body), substitute, echo
        )
        return substitute

    def _later_piece(self, packet: Packet) -> Outcome:
        place = packet.port.ifindex, packet.identification % PLACES
        begun, key = self.pieces.get(place), packet.key
        if (
            begun is None
            or (begun.version, begun.identification) != (packet.version, packet.identification)
            or begun.next != packet.offset
            or (begun.key[1:3], begun.key.protocol) != (key[1:3], key.protocol)
        ):
            if self._address(packet):
                raise Refused(Reason.FRAGMENT)
            return self._neighbour(packet)
        end = packet.offset + len(packet.body)
        self.pieces[place] = begun._replace(next=end if packet.more else None)
        if begun.echo:
            out = swapped(packet, packet.frame)
            return Outcome("redirect", None, out, packet.port.ifindex)
        packet.key = key = begun.key._replace(network=key.network)
        flow = self.flows.get(key)
        if flow is None:
            raise Refused(Reason.NO_FLOW)
        if reason := self._standing(key, flow):
            raise Refused(reason)
        out = translated(packet, way(flow, begun.substitute))
        self._tally(packet, flow)
        self.touched.add(key)
        return Outcome("redirect", None, out, flow.ifindex)

    def _carry(self, packet: Packet, flow: Flow) -> Outcome:
        identification = b"" if packet.whole else self._begin(packet, echo=False)
        return Outcome(
            "redirect", None, translated(packet, way(flow, identification)), flow.ifindex
        )

    # Conversations

    @staticmethod
    def _tally(packet: Packet, flow: Flow) -> None:
        flow.packets += 1
        flow.bytes += size(packet)

    def _standing(self, key: Key, flow: Flow) -> Reason | None:
        """Why a flow may not go on."""
        if flow.revoked:
            return next(reason for reason, cause in WHY.items() if cause == flow.revoked)
        if flow.epoch == self.epoch:
            return None
        opening = self.desired.openings.get(flow.forward)
        if opening is None or (len(key.source) == 16 and not opening.source6):
            return Reason.CLOSED
        server = (key.source, key.source_port)
        if not flow.reverse:
            server = (flow.destination, flow.destination_port)
        if flow.any_port:
            server = (server[0], 0)
        rests = flow.balancer, flow.listener, key.protocol
        if flow.balancer and not self.desired.is_target(*rests, *server):
            return Reason.SERVER_GONE
        partner = self.flows.get(flow.partner(key))
        assert self.now
        if partner and partner.ifindex != self.now.port.ifindex:
            return Reason.CLOSED  # its place is another's by now
        asked = flow.partner(key) if flow.reverse else key
        client = self.ports[flow.ifindex] if flow.reverse else self.now.port
        own = asked.source in client.addresses.values()
        if not own and not self.desired.passes_on(client, asked.source):
            return Reason.CLOSED  # who passed on for it does no longer
        address = self.desired.called(client, asked)
        if address is None:
            return Reason.CLOSED if flow.forward in self.desired.routed else Reason.CHANGING
        if not (address.leads or address.router):  # a NAT gateway's without the door
            return Reason.CHANGING
        if address.mac == GATEWAY and address.leads and address.place != flow.place:
            return Reason.CLOSED  # its door or its route leads elsewhere
        try:
            self.desired.judge(client, address, asked)
        except Refused:
            return Reason.NO_LONGER_PERMITTED
        flow.epoch = self.epoch
        self.touched.add(key)
        return None

    def _partner(self, key: Key, flow: Flow) -> Flow | None:
        at = flow.partner(key)
        partner = self.flows.get(at)
        self.touched |= {key, at}
        ours = partner and partner.forward == flow.forward and partner.partner(at) == key
        return partner if ours else None

    def _delete(self, key: Key) -> None:
        flow = self.flows.pop(key)
        self.touched.add(key)
        if not flow.reverse:
            self.counts[flow.forward] -= 1

    def _observe(self, packet: Packet, flow: Flow) -> bool:
        """Follow a conversation; whether this was its last packet."""
        self.touched.add(packet.key)
        if not packet.flags & SYN:
            flow.established = True
        if packet.key.protocol == UDP:
            return False
        sequence, acknowledged = (int.from_bytes(packet.body[at : at + 4]) for at in (4, 8))
        if flow.last and packet.flags & ACK and acknowledged == flow.last:
            flow.acknowledged = True
        partner = self._partner(packet.key, flow)
        if packet.flags & (FIN | RST):
            for half in filter(None, (flow, partner)):
                if packet.flags & RST:
                    half.reset = Cause.SERVER_RESET if flow.reverse else Cause.CLIENT_RESET
                elif flow.reverse:
                    half.server_finished = True
                else:
                    half.client_finished = True
        if packet.flags & FIN and partner:
            data = len(packet.body) - (packet.body[12] >> 4) * 4
            partner.last = (sequence + data + 1) % 2**32
        return flow.acknowledged and partner is not None and partner.acknowledged

    def _open(self, packet: Packet, opening: Opening, address: Address) -> Flow:
        key, version = packet.key, packet.version
        balancer = self.desired.balancer(address, opening, key)
        first, servers = key.destination_port, [Server(text(key.destination), 0, 1)]
        given = opening.source if version == 4 else opening.source6
        if balancer:
            listener = self.desired.listener(balancer, key)
            first, servers = listener.first, self.desired.servers(listener, key)
        source = packed(given) if given else packet.port.asker
        here = {
            (packed(s.address), s.port or key.destination_port): self.where[at]
            for s in servers
            if (at := (opening.network, packed(s.address))) in self.where
        }
        chosen = self.chosen(key)
        if not here or (chosen is None and len(here) < len(servers)):
            raise Refused(Reason.NO_SERVER)
        assert chosen, "the program made no flow"
        destination, port = chosen.destination, chosen.destination_port
        server = here[destination, port]
        ports = {s.port for s in servers if packed(s.address) == destination}
        any_port = bool(balancer) and 0 in ports
        idle = opening.idle_tcp or 900 if key.protocol == TCP else opening.idle_udp or 60
        rests = self.epoch, address.place, balancer, first, idle, any_port
        there = Flow(
            1, size(packet), opening.number, server.ifindex, source, destination,
            chosen.source_port, port, server.mac + GATEWAY, opening.network, *rests, reverse=False,
        )  # fmt: skip
        wanted = replace(there, source_port=key.source_port).partner(key)
        if wanted in self.flows:
            assert chosen.source_port >= 1024, "a system service's port was taken"
        else:
            assert chosen.source_port == key.source_port, "the client's own port was free"
        claimed = there.partner(key)
        assert claimed not in self.flows, "the port was another's"
        self.flows[key] = there
        self.flows[claimed] = Flow(
            0, 0, opening.number, packet.port.ifindex, key.destination, key.source,
            key.destination_port, key.source_port, packet.frame[6:12] + packet.frame[:6],
            key.network, *rests, reverse=True,
        )  # fmt: skip
        self.counts[opening.number] += 1
        self.led[address.place, version] += 1
        if key.source not in packet.port.addresses.values():
            self.led["behind", version] += 1
        self.touched |= {key, claimed}
        return there


def quoted(packet: Packet) -> Key:
    """The key of what its sender complains of, turned around; it was from whom the error is for."""
    body, four = packet.body, packet.version == 4
    size, at = (4, 20) if four else (16, 16)
    source, end = body[at : at + size], at + 2 * size
    destination, ports = body[at + size : end], body[end : end + 4]
    whole = body[8:9] == b"\x45" and not int.from_bytes(body[14:16]) % 0x2000
    sound = whole if four else body[8:9] != b"" and body[8] >> 4 == 6
    if len(body) < end or not sound or source != packet.key.destination:
        raise Refused(Reason.FOREIGN_ERROR)
    protocol = body[17 if four else 14]
    if len(body) < end + 8 or protocol not in (TCP, UDP):
        protocol, ports = 0, b""
    return Key(
        packet.key.network, destination, source,
        int.from_bytes(ports[2:]), int.from_bytes(ports[:2]), protocol,
    )  # fmt: skip


def size(packet: Packet) -> int:
    """The bytes of IP."""
    return packet.start - 14 + len(packet.body)


def way(flow: Flow, identification: bytes = b"") -> Way:
    """What a flow makes of its packets."""
    ports = flow.source_port, flow.destination_port
    return Way(flow.macs, flow.source, flow.destination, *ports, identification)
