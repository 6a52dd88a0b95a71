"""What a workload may try to reach what is not its own, and why it gets nowhere: one table.

While these are sent the client has conversations with the endpoint, by TCP and UDP in both
families, all from port 40000; that is also the port the server sees. See `tenants` for who is who.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_LSRR
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6MLReport2,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6ND_RS,
    ICMPv6NDOptPrefixInfo,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import GRE, LLC, STP, Dot1AD, Dot1Q, Ether
from scapy.packet import Packet, Raw

from privlink.node.program.maps import GATEWAY_MAC, Reason
from tests.kernel.forgery import (
    ALL_NODES,
    ALL_NODES_MAC,
    EVERYBODY,
    advertisement,
    arp,
    datagram,
    ip,
    piece,
    pieces,
    solicitation,
    syn,
    unreachable,
)
from tests.kernel.tenants import (
    BACKUP,
    CLIENT,
    DISTANT,
    DNS,
    DNS_SERVER,
    ENDPOINT,
    ENDPOINT6,
    ENDPOINT_MAC,
    NEIGHBOUR,
    OUTSIDER,
    SERVER,
    SOURCE,
    SOURCE6,
    SOURCE6_TWO,
    SOURCE_TWO,
    TWIN,
    WEB,
    WEB_SERVER,
)

GATEWAY, GATEWAY6 = "10.0.0.253", "fd00:10::fd"
RUNNING = 40000  # the port of the client's conversations


class Attack(NamedTuple):
    """Frames that must be counted under one reason and arrive nowhere."""

    description: str
    sender: str
    frames: tuple[Packet, ...]
    reason: Reason
    before: tuple[Packet, ...] = ()  # what may arrive and prepares the rest


def attack(description: str, sender: str, frame: Packet, reason: Reason) -> Attack:
    """One of a single frame."""
    return Attack(description, sender, (frame,), reason)


def _spoofed() -> Iterator[Attack]:
    addresses = {
        "a neighbour's address": NEIGHBOUR.address,
        "the endpoint's address": ENDPOINT,
        "the gateway's address": GATEWAY,
        "the endpoint's source address": SOURCE,
        "another tenant's address": OUTSIDER.address,
        "this host": "127.0.0.1",
        "this network": "0.0.0.0",
        "everybody": "255.255.255.255",
        "a group": "224.0.0.1",
        "class E": "240.0.0.1",
    }
    addresses6 = {
        "a neighbour's address": NEIGHBOUR.address6,
        "the endpoint's address": ENDPOINT6,
        "the gateway's address": GATEWAY6,
        "the endpoint's source address": SOURCE6,
        "another tenant's address": OUTSIDER.address6,
        "this host": "::1",
        "nobody": "::",
        "a mapped address": "::ffff:10.0.0.5",
        "a neighbour's link-local address": "fe80::ff:fe00:102",
        "its own link-local address": "fe80::ff:fe00:101",
        "a group": ALL_NODES,
    }
    for dst, sources in ((ENDPOINT, addresses), (ENDPOINT6, addresses6)):
        for word, src in sources.items():
            for layer in (syn(), datagram()):
                frame = ip(CLIENT, dst, layer, src=src, mac=ENDPOINT_MAC)
                kind = type(layer).__name__
                yield attack(f"{kind} to {dst} from {word}", "client", frame, Reason.SPOOFED_SOURCE)
    for dst in (NEIGHBOUR.address, NEIGHBOUR.address6):
        src = "10.0.0.7" if "." in dst else "fd00:10::7"
        yield attack(
            f"to the neighbour {dst} as the bystander",
            "client",
            ip(CLIENT, dst, datagram(), src=src, mac=NEIGHBOUR.mac),
            Reason.SPOOFED_SOURCE,
        )
    for dst in (ENDPOINT, ENDPOINT6, NEIGHBOUR.address, NEIGHBOUR.address6):
        for word, mac in (("a neighbour's", NEIGHBOUR.mac), ("the gateway's", GATEWAY_MAC)):
            frame = ip(CLIENT, dst, syn(), hwsrc=mac, mac=ENDPOINT_MAC)
            yield attack(f"to {dst} from {word} MAC", "client", frame, Reason.SPOOFED_SOURCE)


def _discovery() -> Iterator[Attack]:
    spoofed, client = Reason.SPOOFED_SOURCE, CLIENT
    for word, mac, address in (
        ("the gateway", CLIENT.mac, GATEWAY),
        ("the endpoint", CLIENT.mac, ENDPOINT),
        ("the bystander", CLIENT.mac, "10.0.0.7"),
        ("nobody", CLIENT.mac, "0.0.0.0"),
        ("itself, at the neighbour's MAC", NEIGHBOUR.mac, CLIENT.address),
    ):
        for operation in (1, 2):
            frame = arp(client, op=operation, hwsrc=mac, psrc=address)
            yield attack(f"ARP {operation} as {word}", "client", frame, spoofed)
    for address in ("10.0.1.5", "172.16.0.5", SOURCE, "127.0.0.1"):
        frame = arp(client, pdst=address)
        yield attack(f"ARP for {address}", "client", frame, Reason.NEIGHBOUR_OUTSIDE)
    yield attack("ARP for the source", "server", arp(SERVER, pdst=SOURCE), Reason.NEIGHBOUR_OUTSIDE)
    for word, address in (
        ("the gateway", GATEWAY6),
        ("the endpoint", ENDPOINT6),
        ("the bystander", "fd00:10::7"),
        ("the bystander's link-local address", "fe80::ff:fe00:103"),
    ):
        yield attack(f"advertises {word}", "client", advertisement(client, address), spoofed)
        frame = solicitation(client, NEIGHBOUR.address6, src=address)
        yield attack(f"solicits as {word}", "client", frame, spoofed)
    own = CLIENT.address6
    for attempt in (
        ("advertises another MAC", advertisement(client, own, mac=NEIGHBOUR.mac), spoofed),
        ("solicits with another MAC",
         solicitation(client, NEIGHBOUR.address6, mac=NEIGHBOUR.mac), spoofed),
        ("advertises itself as a neighbour", advertisement(client, own, src="fd00:10::7"), spoofed),
        ("claims the bystander's address (RFC 4862)",
         ip(client, ALL_NODES, ICMPv6ND_NS(tgt="fd00:10::7"), mac=ALL_NODES_MAC, src="::",
            hlim=255), spoofed),
        ("advertises itself as a router", advertisement(client, own, router=1),
         Reason.ADVERTISEMENT),
        ("solicits a source", solicitation(client, SOURCE6), Reason.NEIGHBOUR_OUTSIDE),
        ("solicits another vswitch", solicitation(client, DISTANT.address6),
         Reason.NEIGHBOUR_OUTSIDE),
        ("solicits a link-local address", solicitation(client, "fe80::ff:fe00:103"),
         Reason.NEIGHBOUR_OUTSIDE),
        ("solicits a mapped address", solicitation(client, "::ffff:10.0.0.6"), Reason.MALFORMED),
        ("solicits the endpoint's mapped address", solicitation(client, f"::ffff:{ENDPOINT}"),
         Reason.MALFORMED),
        ("solicits a group", solicitation(client, ALL_NODES), Reason.MALFORMED),
        ("solicits from afar",
         ip(client, ALL_NODES, ICMPv6ND_NS(tgt=NEIGHBOUR.address6), mac=ALL_NODES_MAC, hlim=64),
         Reason.MALFORMED),
        ("a solicitation in a fragment (RFC 6980)",
         piece(client, NEIGHBOUR.address6, ICMPv6ND_NS(tgt=NEIGHBOUR.address6), 0, True, 1, 58),
         Reason.ADVERTISEMENT),
        ("a solicitation in a fragment that is all",
         piece(client, NEIGHBOUR.address6, ICMPv6ND_NS(tgt=NEIGHBOUR.address6), 0, False, 1, 58),
         Reason.ADVERTISEMENT),
        ("a router advertisement",
         ip(client, ALL_NODES, ICMPv6ND_RA() / ICMPv6NDOptPrefixInfo(prefix="fd66::"),
            mac=ALL_NODES_MAC, src="fe80::ff:fe00:101", hlim=255), Reason.ADVERTISEMENT),
        ("a router advertisement to one",
         ip(client, NEIGHBOUR.address6, ICMPv6ND_RA(), mac=NEIGHBOUR.mac, hlim=255),
         Reason.ADVERTISEMENT),
        ("a router solicitation",
         ip(client, "ff02::2", ICMPv6ND_RS(), mac="33:33:00:00:00:02", hlim=255),
         Reason.ADVERTISEMENT),
        ("an IPv6 redirect",
         ip(client, NEIGHBOUR.address6, ICMPv6ND_Redirect(tgt=own, dst=ENDPOINT6),
            mac=NEIGHBOUR.mac, hlim=255), Reason.ADVERTISEMENT),
        ("an IPv4 redirect",
         ip(client, NEIGHBOUR.address, ICMP(type=5, code=1, gw=CLIENT.address)
            / IP(src=NEIGHBOUR.address, dst=ENDPOINT) / UDP(), mac=NEIGHBOUR.mac),
         Reason.ADVERTISEMENT),
        ("an IPv4 router advertisement",
         ip(client, NEIGHBOUR.address, ICMP(type=9) / Raw(bytes(8)), mac=NEIGHBOUR.mac),
         Reason.ADVERTISEMENT),
    ):  # fmt: skip
        yield attack(attempt[0], "client", *attempt[1:])


def _outside() -> Iterator[Attack]:
    for dst in (
        "127.0.0.1", "0.0.0.0", "0.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        SOURCE, SOURCE_TWO, "100.64.0.0", "169.254.169.254",
        DISTANT.address, OUTSIDER.address, "8.8.8.8",
        "::", "::1", ALL_NODES, "fe80::ff:fe00:102", "fe80::1", SOURCE6, SOURCE6_TWO,
        DISTANT.address6, OUTSIDER.address6, "2001:4860:4860::8888",
    ):  # fmt: skip
        for layer in (syn(), datagram()):
            frame = ip(CLIENT, dst, layer)
            yield attack(f"{type(layer).__name__} to {dst}", "client", frame, Reason.NO_ROUTE)
    for dst in ("::ffff:10.0.0.6", f"::ffff:{ENDPOINT}", "::ffff:0.0.0.0"):
        for layer in (syn(), datagram(), ICMPv6EchoRequest()):
            frame = ip(CLIENT, dst, layer, mac=NEIGHBOUR.mac)
            word = f"{type(layer).__name__} to {dst}"
            yield attack(word, "client", frame, Reason.MALFORMED)
    for dst in (NEIGHBOUR.address, NEIGHBOUR.address6):
        frame = ip(CLIENT, dst, datagram())
        yield attack(f"the neighbour {dst} by the router", "client", frame, Reason.VIA_GATEWAY)
    for dst in (OUTSIDER.address, OUTSIDER.address6):
        frame = ip(CLIENT, dst, syn(), mac=OUTSIDER.mac)
        yield attack(f"{dst} at its MAC", "client", frame, Reason.NO_ROUTE)
    for dst in (ENDPOINT, ENDPOINT6):
        for port in (1, WEB + 10, WEB_SERVER, 22, 65535):
            for layer in (syn(port), datagram(port)):
                frame = ip(CLIENT, dst, layer, mac=ENDPOINT_MAC)
                word = f"{type(layer).__name__} to {dst}, port {port}"
                yield attack(word, "client", frame, Reason.NO_LISTENER)
    for dst in (GATEWAY, GATEWAY6):
        frame = ip(CLIENT, dst, syn(22))
        yield attack(f"TCP to the gateway {dst}", "client", frame, Reason.NO_LISTENER)


def _kinds() -> Iterator[Attack]:
    """Frames and packets of other kinds than those that pass."""
    client, to = CLIENT, Ether(src=CLIENT.mac, dst=NEIGHBOUR.mac)
    plain = IP(src=CLIENT.address, dst=NEIGHBOUR.address) / datagram()
    for word, tagged in (
        ("a tag", Dot1Q(vlan=2) / plain), ("a priority tag", Dot1Q(vlan=0, prio=7) / plain),
        ("two tags", Dot1Q(vlan=2) / Dot1Q(vlan=3) / plain),
        ("a provider's tag", Dot1AD(vlan=2) / Dot1Q(vlan=3) / plain),
    ):  # fmt: skip
        yield attack(word, "client", to / tagged, Reason.VLAN_TAGGED)
    for word, frame in (
        ("a spanning tree's BPDU", Ether(src=client.mac, dst="01:80:c2:00:00:00", type=39)
         / LLC() / STP()),
        ("LLDP", Ether(src=client.mac, dst="01:80:c2:00:00:0e", type=0x88CC) / Raw(bytes(46))),
        ("EAPOL", Ether(src=client.mac, dst="01:80:c2:00:00:03", type=0x888E) / Raw(bytes(46))),
        ("PPPoE", Ether(src=client.mac, dst=EVERYBODY, type=0x8863) / Raw(bytes(46))),
        ("MPLS", Ether(src=client.mac, dst=NEIGHBOUR.mac, type=0x8847) / Raw(bytes(46))),
        ("RARP", Ether(src=client.mac, dst=EVERYBODY, type=0x8035) / Raw(bytes(46))),
        ("IEEE 802.3", Ether(src=client.mac, dst=NEIGHBOUR.mac, type=46) / Raw(bytes(46))),
    ):  # fmt: skip
        yield attack(word, "client", frame, Reason.NOT_IP)
    group, group6 = "01:00:5e:00:00:fb", "33:33:00:00:00:fb"
    for word, frame in (
        ("broadcast", ip(client, "255.255.255.255", datagram(), mac=EVERYBODY)),
        ("the vswitch's broadcast", ip(client, "10.0.0.255", datagram(), mac=EVERYBODY)),
        ("the vswitch's broadcast, to one", ip(client, "10.0.0.255", datagram(),
                                               mac=NEIGHBOUR.mac)),
        ("a neighbour's address to everybody", ip(client, NEIGHBOUR.address, datagram(),
                                                  mac=EVERYBODY)),
        ("the endpoint to everybody", ip(client, ENDPOINT, syn(), mac=EVERYBODY)),
        ("the endpoint to a group, IPv6", ip(client, ENDPOINT6, syn(), mac=ALL_NODES_MAC)),
        ("multicast DNS", ip(client, "224.0.0.251", datagram(5353), mac=group)),
        ("multicast DNS, IPv6", ip(client, "ff02::fb", datagram(5353), mac=group6)),
        ("ping to everybody, IPv6", ip(client, ALL_NODES, ICMPv6EchoRequest(),
                                       mac=ALL_NODES_MAC)),
        ("a report of groups", ip(client, "ff02::16", IPv6ExtHdrHopByHop() / ICMPv6MLReport2(),
                                  mac="33:33:00:00:00:16", src="fe80::ff:fe00:101")),
        ("a report of groups from nobody", ip(client, "ff02::16", IPv6ExtHdrHopByHop()
                                              / ICMPv6MLReport2(), mac="33:33:00:00:00:16",
                                              src="::")),
    ):  # fmt: skip
        yield attack(word, "client", frame, Reason.MULTICAST)
    for dst in (ENDPOINT, ENDPOINT6):
        yield attack(f"GRE to {dst}", "client", ip(client, dst, GRE() / plain), Reason.PROTOCOL)
    frame = ip(client, ENDPOINT, syn(), options=[IPOption_LSRR(routers=[SERVER.address])])
    yield attack("a source route", "client", frame, Reason.IP_OPTIONS)
    for header in (
        IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrRouting(addresses=[SERVER.address6]),
        IPv6ExtHdrFragment(nh=60) / IPv6ExtHdrDestOpt(), IPv6ExtHdrFragment(nh=44)
        / IPv6ExtHdrFragment(),
    ):  # fmt: skip
        for dst, mac in ((ENDPOINT6, ENDPOINT_MAC), (NEIGHBOUR.address6, NEIGHBOUR.mac)):
            frame = ip(client, dst, header / syn(), mac=mac)
            yield attack(f"{header.summary()} to {dst}", "client", frame, Reason.IP_OPTIONS)


def _errors() -> Iterator[Attack]:
    """ICMP errors about conversations of others."""
    for endpoint, victim, neighbour, server, source, spare, two in (
        (ENDPOINT, CLIENT.address, NEIGHBOUR.address, SERVER.address, SOURCE, BACKUP.address,
         SOURCE_TWO),
        (ENDPOINT6, CLIENT.address6, NEIGHBOUR.address6, SERVER.address6, SOURCE6,
         BACKUP.address6, SOURCE6_TWO),
    ):  # fmt: skip
        asked = victim, RUNNING, endpoint, WEB
        carried = source, RUNNING, server, WEB_SERVER
        answered = endpoint, WEB, victim, RUNNING
        for word, sender, from_, to, quoted, mac in (
            ("a neighbour to the client", "neighbour", NEIGHBOUR, victim, asked, CLIENT.mac),
            ("a neighbour to the endpoint", "neighbour", NEIGHBOUR, endpoint, answered,
             ENDPOINT_MAC),
            ("a neighbour to the endpoint, as if asked", "neighbour", NEIGHBOUR, endpoint,
             (endpoint, WEB, neighbour, RUNNING), ENDPOINT_MAC),
            ("the distant to the endpoint", "distant", DISTANT, endpoint, answered, GATEWAY_MAC),
            ("the distant to the client", "distant", DISTANT, victim, asked, GATEWAY_MAC),
            ("the twin to its endpoint", "twin", TWIN, endpoint, answered, GATEWAY_MAC),
            ("the outsider to the client", "outsider", OUTSIDER, victim, asked, GATEWAY_MAC),
            ("the server's neighbour to the source", "backup", BACKUP, source, carried,
             GATEWAY_MAC),
            ("the server's neighbour, as if asked", "backup", BACKUP, source,
             (source, RUNNING, spare, WEB_SERVER), GATEWAY_MAC),
            ("the server's neighbour to the server", "backup", BACKUP, server,
             (server, WEB_SERVER, source, RUNNING), SERVER.mac),
            ("the server about another port", "server", SERVER, source,
             (source, RUNNING, server, WEB_SERVER + 1), GATEWAY_MAC),
            ("the server about another client", "server", SERVER, two,
             (two, RUNNING, server, WEB_SERVER), GATEWAY_MAC),
            ("the server about one, to another", "server", SERVER, two, carried, GATEWAY_MAC),
            ("the server to the client itself", "server", SERVER, "10.0.0.7" if "." in victim
             else "fd00:10::7", asked, GATEWAY_MAC),
            ("the client about a neighbour's", "client", CLIENT, endpoint,
             (endpoint, WEB, neighbour, RUNNING), ENDPOINT_MAC),
        ):  # fmt: skip
            for protocol, too_big in ((6, False), (6, True), (17, False)):
                kind = f"{'TCP' if protocol == 6 else 'UDP'}{', too big' * too_big}"
                ports = {} if protocol == 6 else {WEB: DNS, WEB_SERVER: DNS_SERVER}
                about = (
                    quoted[0], ports.get(quoted[1], quoted[1]),
                    quoted[2], ports.get(quoted[3], quoted[3]),
                )  # fmt: skip
                frame = unreachable(from_, to, about, protocol=protocol, too_big=too_big, mac=mac)
                family = "IPv6" if ":" in to else "IPv4"
                yield attack(f"{word}, {kind}, {family}", sender, frame, Reason.FOREIGN_ERROR)
        pieced = bytes(unreachable(NEIGHBOUR, victim, asked).payload.payload)
        yield attack(
            f"an error in a fragment to {victim}",
            "neighbour",
            piece(NEIGHBOUR, victim, Raw(pieced[: len(pieced) // 8 * 8]), 0, True, 7,
                  58 if ":" in victim else 1),
            Reason.FRAGMENT,
        )  # fmt: skip


def _back() -> Iterator[Attack]:
    """The provider calling its consumer, and others joining in."""
    for source, two in ((SOURCE, SOURCE_TWO), (SOURCE6, SOURCE6_TWO)):
        for word, sender, from_, to, layer, reason in (
            ("a SYN", "server", SERVER, source, syn(9000), Reason.NO_ROUTE),
            ("a SYN from the service", "server", SERVER, source, syn(9000, WEB_SERVER),
             Reason.NO_ROUTE),
            ("a SYN in a conversation", "server", SERVER, source, syn(RUNNING, WEB_SERVER),
             Reason.UNSOLICITED_SYN),
            ("a datagram", "server", SERVER, source, datagram(9000), Reason.NO_ROUTE),
            ("a datagram from the service", "server", SERVER, source, datagram(9000, DNS_SERVER),
             Reason.NO_ROUTE),
            ("an answer from another port, TCP", "server", SERVER, source,
             TCP(sport=8081, dport=RUNNING, flags="A"), Reason.NO_ROUTE),
            ("an answer from another port, UDP", "server", SERVER, source,
             datagram(RUNNING, 5354), Reason.NO_ROUTE),
            ("an answer to another tenant, TCP", "server", SERVER, two,
             TCP(sport=WEB_SERVER, dport=RUNNING, flags="A"), Reason.NO_ROUTE),
            ("an answer to another tenant, UDP", "server", SERVER, two,
             datagram(RUNNING, DNS_SERVER), Reason.NO_ROUTE),
            ("an answer from another server, TCP", "backup", BACKUP, source,
             TCP(sport=WEB_SERVER, dport=RUNNING, flags="R"), Reason.NO_ROUTE),
            ("an answer from another server, UDP", "backup", BACKUP, source,
             datagram(RUNNING, DNS_SERVER), Reason.NO_ROUTE),
        ):  # fmt: skip
            yield attack(f"{word}, to {to}", sender, ip(from_, to, layer), reason)
        src = SERVER.address6 if ":" in source else SERVER.address
        frame = ip(BACKUP, source, TCP(sport=WEB_SERVER, dport=RUNNING, flags="R"), src=src)
        yield attack(f"the server's reset by another, to {source}", "backup", frame,
                     Reason.SPOOFED_SOURCE)  # fmt: skip
        frame = ip(SERVER, source, ICMPv6EchoRequest() if ":" in source else ICMP(type=8))
        yield attack(f"a ping, to {source}", "server", frame, Reason.NO_ROUTE)
    for endpoint in (ENDPOINT, ENDPOINT6):
        for flags in ("A", "PA", "R", "FA", "SA"):
            for word, sender, from_ in (
                ("neighbour", "neighbour", NEIGHBOUR), ("distant", "distant", DISTANT),
                ("twin", "twin", TWIN),
            ):  # fmt: skip
                layer = TCP(sport=RUNNING, dport=WEB, flags=flags, seq=1, ack=1) / Raw(b"x")
                yield attack(f"{flags} guessed by the {word}, to {endpoint}", sender,
                             ip(from_, endpoint, layer), Reason.NO_FLOW)  # fmt: skip


def _in_pieces() -> Iterator[Attack]:
    reason = Reason.FRAGMENT
    for endpoint, source in ((ENDPOINT, SOURCE), (ENDPOINT6, SOURCE6)):
        for word, spans in (
            ("overlapping by 8 bytes", ((0, 1400, True), (1392, 1400, True))),
            ("overlapping the ports", ((0, 1400, True), (8, 1392, True))),
            ("with a gap", ((0, 1400, True), (1408, 1400, True))),
            ("the end first", ((0, 1400, True), (2800, 1208, False), (1408, 1400, True))),
        ):
            frames = pieces(CLIENT, endpoint, *spans)
            yield Attack(f"{word}, to {endpoint}", "client", frames[1:], reason, frames[:1])
        yield Attack(f"a piece alone, to {endpoint}", "neighbour",
                     pieces(NEIGHBOUR, endpoint, (1400, 1400, True)), reason)  # fmt: skip
        number = 9000
        for word, layer, at, more, protocol in (
            ("a TCP header in two", Raw(bytes(syn())[:16]), 0, True, 6),
            ("a TCP header without flags", Raw(bytes(syn())[:8]), 0, True, 6),
            ("beyond 65,535 bytes", Raw(bytes(1400)), 65528, False, 17),
            ("of 9 bytes", Raw(bytes(datagram(size=1))), 0, True, 17),
        ):
            number += 1
            frame = piece(CLIENT, endpoint, layer, at, more, number, protocol)
            yield attack(f"{word}, to {endpoint}", "client", frame, reason)
        begun = piece(CLIENT, endpoint, Raw(bytes(datagram(size=1392))), 0, True, 9100)
        other = piece(CLIENT, endpoint, Raw(bytes(1400)), 1400, True, 9100, 6)
        yield Attack(f"of another protocol, to {endpoint}", "client", (other,), reason, (begun,))
        ended = pieces(CLIENT, endpoint, (0, 1400, True), (1400, 104, False), (1504, 1400, True))
        yield Attack(f"behind the end, to {endpoint}", "client", ended[2:], reason, ended[:2])
        theirs = pieces(CLIENT, endpoint, (0, 1400, True), (1400, 1400, True))
        joined = theirs[1].copy()
        joined.src = NEIGHBOUR.mac
        joined.payload.src = NEIGHBOUR.address if "." in endpoint else NEIGHBOUR.address6
        yield attack(f"in another's datagram, to {endpoint}", "neighbour", joined, reason)
        twice = pieces(CLIENT, endpoint, (0, 1400, True), (0, 1000, True), (1400, 1400, True))
        yield Attack(f"begun twice, to {endpoint}", "client", twice[2:], reason, twice[:2])
        stray = pieces(SERVER, source, (0, 1400, True), (1400, 1400, True))
        yield Attack(f"to {source}, directly", "server", stray, reason)


ATTACKS = (
    *_spoofed(), *_discovery(), *_outside(), *_kinds(), *_errors(), *_back(), *_in_pieces(),
)  # fmt: skip
