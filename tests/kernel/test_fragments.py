"""The program and datagrams in pieces: in order they pass, under an identification of our own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6ExtHdrFragment
from scapy.packet import Packet, Raw

from privlink.node.entries import port_entries
from privlink.node.program.maps import DATAGRAM, FRAGMENT_KEY, NUMBER, Number, Reason
from tests.kernel import checksums
from tests.kernel.cases import Case, connect, exchange, named, pair, run_case
from tests.kernel.desk import LOOPBACK, Desk, Outcome
from tests.kernel.frames import (
    CLIENT,
    FORWARD,
    NETS,
    OTHER,
    SERVER,
    V4,
    V6,
    Net,
    client,
    datagram,
    ping,
    pong,
    server,
    to_client,
    to_server,
)
from tests.kernel.pieces import DATA, ID, cut, identification, joined, payload, piece

SECOND = 1_000_000_000


def send_all(desk: Desk, sender: Any, packets: list[Packet]) -> list[Outcome]:
    return [desk.send(sender, bytes(packet)) for packet in packets]


def passed(outcomes: list[Outcome]) -> list[bytes]:
    """The pieces, all of which have passed."""
    assert [(out.verdict, out.reason) for out in outcomes] == [("redirect", None)] * len(outcomes)
    return [out.packet for out in outcomes]


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("sizes", [(8,), (16, 8, 8), (1480,), (1480, 1480), (1000, 1000, 1000)])
@pytest.mark.parametrize("chksum", [None, 0])
def test_in_order_both_ways(
    lab: Desk, net: Net, sizes: tuple[int, ...], chksum: int | None
) -> None:
    if net is V6 and chksum == 0:
        chksum = None  # RFC 8200 section 8.1
    check = {} if chksum is None else {"chksum": chksum}
    whole = client(datagram(DATA, **check), net.endpoint)
    out = joined(passed(send_all(lab, CLIENT, cut(whole, *sizes))))
    assert payload(out) == payload(to_server(datagram(DATA, 40000, 8080, **check), net.source))
    assert set(lab.flows()) == {*pair(net, 17)}
    said = server(datagram(DATA, 8080, 40000, **check), net.source)
    out = joined(passed(send_all(lab, SERVER, cut(said, *sizes))))
    assert payload(out) == payload(to_client(datagram(DATA, 80, 40000, **check), net.endpoint))


@pytest.mark.parametrize("net", NETS)
def test_a_segment_in_pieces(lab: Desk, net: Net) -> None:
    connect(lab, net=net)
    whole = client(TCP(sport=40000, dport=80, flags="PA") / DATA, net.endpoint)
    out = joined(passed(send_all(lab, CLIENT, cut(whole, 24, 1400))))
    goes = TCP(sport=40000, dport=8080, flags="PA") / DATA
    assert payload(out) == payload(to_server(goes, net.source))


@pytest.mark.parametrize("net", NETS)
def test_the_end_of_a_datagram_does_not_come_again(lab: Desk, net: Net) -> None:
    whole = client(datagram(DATA), net.endpoint)
    first, *rest = cut(whole, 1480, 1480)
    passed(send_all(lab, CLIENT, [first, *rest]))
    for more in (False, True):
        behind = piece(client(datagram(DATA * 2), net.endpoint), len(DATA) + 8, 8, more=more)
        assert lab.send(CLIENT, bytes(behind)).reason == Reason.FRAGMENT
    assert lab.send(CLIENT, bytes(rest[-1])).reason == Reason.FRAGMENT


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(
    ("sent", "passes"),
    [
        ((1, 0), [False, True]),
        ((2, 1, 0), [False, False, True]),
        ((0, 2), [True, False]),
        ((0, 2, 1, 2), [True, False, True, True]),
        ((0, 1, 1, 2), [True, True, False, True]),
        ((0, 1, 2, 2), [True, True, True, False]),
        ((0, 0, 1, 2), [True, True, True, True]),
        ((0, 1, 0, 2), [True, True, True, False]),
    ],
)
def test_out_of_order(lab: Desk, net: Net, sent: tuple[int, ...], passes: list[bool]) -> None:
    pieces = cut(client(datagram(DATA), net.endpoint), 1000, 1000)
    for number, goes in zip(sent, passes, strict=True):
        outcome = lab.send(CLIENT, bytes(pieces[number]))
        assert (outcome.reason is None) == goes
        assert goes or (outcome.verdict, outcome.reason) == ("drop", Reason.FRAGMENT)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(
    ("start", "size", "more"),
    [
        (8, 992, True),
        (992, 1000, True),
        (992, 16, False),
        (1008, 8, True),
        (1008, 1992, False),
        (2000, 8, False),
    ],
)
def test_overlaps_and_gaps(lab: Desk, net: Net, start: int, size: int, more: bool) -> None:
    """RFC 5722: nothing that overlaps, and nothing that two readers might read differently."""
    whole = client(datagram(DATA), net.endpoint)
    first, second = cut(whole, 1000)
    wrong = piece(whole, start, size, more=more)
    outcomes = send_all(lab, CLIENT, [first, wrong, second])
    assert [out.reason for out in outcomes] == [None, Reason.FRAGMENT, None]
    joined([outcomes[0].packet, outcomes[2].packet])


@pytest.mark.parametrize("net", NETS)
def test_two_datagrams_interleaved(lab: Desk, net: Net) -> None:
    one = cut(client(datagram(DATA), net.endpoint), 1000, 1000, number=ID)
    two = cut(client(datagram(DATA[::-1], 40001), net.endpoint), 1000, 1000, number=ID + 1)
    mixed = [each for both in zip(one, two, strict=True) for each in both]
    frames = passed(send_all(lab, CLIENT, mixed))
    goes = [datagram(DATA, 40000, 8080), datagram(DATA[::-1], 40001, 8080)]
    assert payload(joined(frames[::2])) == payload(to_server(goes[0], net.source))
    assert payload(joined(frames[1::2])) == payload(to_server(goes[1], net.source))
    assert identification(frames[0]) != identification(frames[1])


@pytest.mark.parametrize("net", NETS)
def test_one_that_takes_anothers_place_ends_it(lab: Desk, net: Net) -> None:
    """Of all that one workload has under way; a place is told by the identification's last bits."""
    one = cut(client(datagram(DATA), net.endpoint), 1000, number=ID)
    two = cut(client(datagram(DATA, 40001), net.endpoint), 1000, number=ID + 64)
    outcomes = send_all(lab, CLIENT, [one[0], two[0], one[1], two[1]])
    assert [out.reason for out in outcomes] == [None, None, Reason.FRAGMENT, None]
    joined([outcomes[1].packet, outcomes[3].packet])


@pytest.mark.parametrize("net", NETS)
def test_two_clients_with_the_same_identification_leave_with_two(lab: Desk, net: Net) -> None:
    """RFC 6864: behind the one source address they would be one datagram."""
    one = cut(client(datagram(DATA), net.endpoint), 1000)
    two = cut(client(datagram(DATA), net.endpoint, sender=OTHER), 1000)
    frames = []
    for sender, packets in ((CLIENT, one), (OTHER, two)):
        frames.append(passed(send_all(lab, sender, packets)))
    numbers = [{identification(frame) for frame in each} for each in frames]
    assert [len(each) for each in numbers] == [1, 1]
    assert numbers[0] != numbers[1]
    assert ID & 0xFFFF not in numbers[0] | numbers[1]


@pytest.mark.parametrize(("counted", "expected"), [(0xFFFE, 0xFFFF), (0xFFFF, 1), (0x10000, 1)])
def test_nothing_is_identified_by_nothing(lab: Desk, counted: int, expected: int) -> None:
    numbers = lab.program.maps["numbers"]
    numbers.update_many([(NUMBER.pack(Number.IDENTIFICATION), NUMBER.pack(counted))])
    (frame,) = passed(send_all(lab, CLIENT, cut(client(datagram(DATA)), 1000)[:1]))
    assert identification(frame) == expected


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(
    "change",
    ["sender", "destination", "protocol", "identification", "later identification"],
)
def test_a_piece_of_anothers_datagram(lab: Desk, net: Net, change: str) -> None:
    """All come in by the one link of the desk, so that only what is asked for tells them apart."""
    whole = client(datagram(DATA), net.endpoint)
    passed(send_all(lab, CLIENT, cut(whole, 1000)[:1]))
    sender, number = CLIENT, ID
    if change == "sender":
        sender, whole = OTHER, client(datagram(DATA), net.endpoint, sender=OTHER)
    elif change == "destination":
        other = msgspec.structs.replace(FORWARD, address="10.0.0.101", address6="fd00:10::65")
        lab.lay_out([other])
        whole = client(datagram(DATA), "10.0.0.101" if net is V4 else "fd00:10::65")
    elif change == "protocol":
        whole = client(TCP(sport=40000, dport=80) / DATA, net.endpoint)
    else:
        number = ID ^ (0x40 if change == "identification" else 0x8000)
    rest = cut(whole, 1000, number=number)[1]
    outcome = lab.send(sender, bytes(rest))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.FRAGMENT)


@pytest.mark.parametrize("net", NETS)
def test_the_same_words_from_another_network(lab: Desk, net: Net) -> None:
    """The server has the client's address, and speaks to what is the endpoint's in its network."""
    passed(send_all(lab, CLIENT, cut(client(datagram(DATA), net.endpoint), 1000)[:1]))
    rest = cut(client(datagram(DATA), net.endpoint), 1000)[1]
    rest.src = SERVER.mac
    outcome = lab.send(SERVER, bytes(rest))
    # The desk has one link; a server that took a client's would come to no flow of its own.
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.NO_FLOW)


@pytest.mark.parametrize("net", NETS)
def test_a_datagram_is_waited_for_thirty_seconds(lab: Desk, net: Net) -> None:
    pieces = cut(client(datagram(DATA), net.endpoint), 1000, 1000)
    passed(send_all(lab, CLIENT, pieces[:1]))
    fragments = lab.program.maps["fragments"]
    ((key, value),) = fragments.dump()
    began, *rest = DATAGRAM.unpack(value)
    assert FRAGMENT_KEY.unpack(key) == (LOOPBACK, ID % 64)
    fragments.update_many([(key, DATAGRAM.pack(began - 29 * SECOND, *rest))])
    assert lab.send(CLIENT, bytes(pieces[1])).reason is None
    ((key, value),) = fragments.dump()
    fragments.update_many([(key, DATAGRAM.pack(began - 31 * SECOND, *DATAGRAM.unpack(value)[1:]))])
    assert lab.send(CLIENT, bytes(pieces[2])).reason == Reason.FRAGMENT


@pytest.mark.parametrize("net", NETS)
def test_the_flow_closes_between_two_pieces(lab: Desk, net: Net) -> None:
    pieces = cut(client(datagram(DATA), net.endpoint), 1000, 1000)
    passed(send_all(lab, CLIENT, pieces[:1]))
    lab.close(7)
    outcome = lab.send(CLIENT, bytes(pieces[1]))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.CLOSED)
    for key in lab.flows():
        lab.program.maps["flows"].delete(key.pack())
    outcome = lab.send(CLIENT, bytes(pieces[2]))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.NO_FLOW)


@pytest.mark.parametrize("net", NETS)
def test_the_table_of_datagrams_is_full(lab: Desk, net: Net) -> None:
    fragments = lab.program.maps["fragments"]
    value = bytes(fragments.value_size)
    fragments.update_many(
        (FRAGMENT_KEY.pack(10 + number // 64, number % 64), value)
        for number in range(fragments.max_entries)
    )
    first = cut(client(datagram(DATA), net.endpoint), 1000)[0]
    outcome = lab.send(CLIENT, bytes(first))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.FLOW_TABLE_FULL)
    asked = cut(client(ping(net, DATA), net.endpoint), 1000)[0]
    outcome = lab.send(CLIENT, bytes(asked))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.FLOW_TABLE_FULL)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("to", ["endpoint", "gateway"])
def test_a_long_ping_comes_back(lab: Desk, net: Net, to: str) -> None:
    address = getattr(net, to)
    whole = client(ping(net, DATA), address)
    frames = passed(send_all(lab, CLIENT, cut(whole, 8, 1400, 800)))
    assert {identification(frame) for frame in frames} == {ID & 0xFFFF if net is V4 else ID}
    assert payload(joined(frames)) == payload(to_client(pong(net, DATA), address))


@pytest.mark.parametrize("net", NETS)
def test_a_ping_and_a_datagram_do_not_mix(lab: Desk, net: Net) -> None:
    asked = cut(client(ping(net, DATA), net.endpoint), 1000)
    said = cut(client(datagram(DATA), net.endpoint), 1000)
    outcomes = send_all(lab, CLIENT, [asked[0], said[1], said[0], asked[1]])
    assert [out.reason for out in outcomes] == [None, Reason.FRAGMENT, None, Reason.FRAGMENT]


@pytest.mark.parametrize("net", NETS)
def test_an_atomic_fragment_is_a_whole_packet(lab: Desk, net: Net) -> None:
    """RFC 6946; in IPv4 there is nothing to see of it."""
    exchange(lab, net)
    whole = client(datagram(b"hello"), net.endpoint)
    (frame,) = passed(send_all(lab, CLIENT, [piece(whole, 0, 13, more=False)]))
    assert identification(frame) == (ID & 0xFFFF if net is V4 else ID)
    assert payload(frame) == payload(to_server(datagram(b"hello", 40000, 8080), net.source))
    assert not checksums.wrong(frame)
    assert not list(lab.program.maps["fragments"].dump())


def test_an_atomic_fragment_is_refused_in_silence(lab: Desk) -> None:
    """The answer would have to stand where the fragment header is."""
    whole = client(datagram(b"hello", dport=81), V6.endpoint)
    outcome = lab.send(CLIENT, bytes(piece(whole, 0, 13, more=False)))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.NO_LISTENER)


def cases(net: Net) -> Iterator[Case]:
    """Single pieces, in a world where none came before."""
    to, near, away = net.endpoint, net.neighbour, net.outside
    tcp = client(TCP(dport=80) / DATA, to)
    icmp = client(ping(net, DATA), to)
    out_of_line = {"verdict": "drop", "reason": Reason.FRAGMENT}
    limit = 65535 - (20 if net is V4 else 0)

    def at(address: str, start: int, size: int, *, more: bool = True) -> Packet:
        return piece(client(datagram(DATA), address), start, size, more=more)

    def end(address: str, start: int, size: int) -> Packet:
        """A last piece, wherever it begins."""
        last = piece(client(datagram(DATA), address), 0, size, more=False)
        if net is V4:
            last[IP].frag = start // 8
        else:
            last[IPv6ExtHdrFragment].offset = start // 8
        return last

    made = (
        Case("a later piece of nothing", at(to, 1480, 8), **out_of_line),
        Case("a last piece of nothing", at(to, 1480, 8, more=False), **out_of_line),
        Case("a later piece to the gateway", at(net.gateway, 1480, 8), **out_of_line),
        Case("a first piece to a neighbour", at(near, 0, 1480), "pass"),
        Case("a later piece to a neighbour", at(near, 1480, 8), "pass"),
        Case("a last piece to a neighbour", at(near, 1480, 9, more=False), "pass"),
        Case("a first piece away", at(away, 0, 1480), **out_of_line),
        Case("a later piece away", at(away, 1480, 8), **out_of_line),
        Case("a first piece that 8 does not divide", at(to, 0, 1481), **out_of_line),
        Case("a later piece that 8 does not divide", at(near, 1480, 9), **out_of_line),
        Case("a first piece of no length", at(to, 0, 0), **out_of_line),
        Case("a segment's first piece without its header", piece(tcp, 0, 16, more=True),
             **out_of_line),
        Case("a segment's first piece without its options",
             piece(client(TCP(dport=80, options=[("Timestamp", (1, 2))]) / DATA, to), 0, 24,
                   more=True), "drop", Reason.MALFORMED),
        Case("a datagram's first piece without a length", piece(
             client(datagram(DATA, len=7), to), 0, 1480, more=True), "drop", Reason.MALFORMED),
        Case("an echo's first piece, of no length", piece(icmp, 0, 0, more=True), **out_of_line),
        Case("an echo reply's first piece", piece(client(pong(net, DATA), to), 0, 1000, more=True),
             "drop", Reason.ICMP_TYPE),
        Case("an echo's first piece to a neighbour",
             piece(client(ping(net, DATA), near), 0, 1000, more=True), "pass"),
        Case("a first piece to nobody's port", piece(client(datagram(DATA, dport=81), to), 0, 1480,
             more=True), "drop", Reason.NO_LISTENER),
        Case("a segment's first piece to nobody's port",
             piece(client(TCP(dport=81) / DATA, to), 0, 1480, more=True), "drop",
             Reason.NO_LISTENER),
        Case("a later piece of another protocol",
             piece(client(Raw(DATA), to, **({"proto": 47} if net is V4 else {"nh": 47})), 1480, 8,
                   more=True), **out_of_line),
        Case("a first piece of another protocol",
             piece(client(Raw(DATA), to, **({"proto": 47} if net is V4 else {"nh": 47})), 0, 8,
                   more=True), "drop", Reason.PROTOCOL),
        Case("a ping of death", end(to, limit // 8 * 8, 8), **out_of_line),
        Case("a piece that ends where it can, to a neighbour",
             end(near, limit // 8 * 8, limit % 8), "pass"),
        Case("a piece that ends a byte behind, to a neighbour",
             end(near, limit // 8 * 8, limit % 8 + 1),
             **out_of_line),
    )  # fmt: skip
    for case in made:
        yield case._replace(description=f"IPv{net.version}: {case.description}")


CASES = (*cases(V4), *cases(V6))


@pytest.mark.parametrize("case", **named(CASES))
def test_a_piece(desk: Desk, case: Case) -> None:
    run_case(desk, case)


def test_the_reserved_flag_makes_no_piece(lab: Desk) -> None:
    packet = client(datagram(b"hello"), flags="evil+DF")
    assert lab.send(CLIENT, bytes(packet)).verdict == "redirect"
    assert not list(lab.program.maps["fragments"].dump())


def test_every_workload_has_places_of_its_own(lab: Desk) -> None:
    """What another link has under way is not in the way."""
    lab.put(port_entries(OTHER, 23))
    passed(send_all(lab, CLIENT, cut(client(datagram(DATA)), 1000)[:1]))
    fragments = lab.program.maps["fragments"]
    ((_, value),) = fragments.dump()
    fragments.update_many([(FRAGMENT_KEY.pack(23, ID % 64), value)])
    passed(send_all(lab, CLIENT, cut(client(datagram(DATA)), 1000)[1:]))
