"""A plan interrupted anywhere lets nothing pass that it should not, and breaks nothing it need not.

The states are small and wild on purpose: entries that refer to nothing, filters that deny, all of
it changing at once. What passes in a state is worked out here as the eBPF program does it.

    port (10.0.0.4 or 5) ─▶ address (10.0.0.6) ─▶ forward ─▶ balancer, ports 79 to 81
      egress filters, sets    ingress filters, sets            ─▶ server ─▶ neighbour
      table 1 or 2          ─▶ the longest route ─▶ forward ─▶ neighbour
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from ipaddress import IPv4Network
from socket import IPPROTO_TCP, htons
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlink.model.items import (
    Attachment,
    Balancer,
    Filter,
    Listener,
    Members,
    Protocol,
    Route,
    RouteKind,
    RouteTable,
    Rule,
    Server,
)
from privlink.node.entries import entries, port_entries
from privlink.node.program.maps import (
    ADDRESS,
    ADDRESS_BITS,
    ADDRESS_KEY,
    DOOR_KEY,
    FILTER,
    FILTER_KEY,
    FORWARD,
    LISTENER,
    LISTENER_KEY,
    LISTENER_PREFIX,
    MAX_FILTERS,
    NEIGHBOUR,
    NO_ADDRESS,
    NUMBER,
    PAGE_KEY,
    PAGE_RULES,
    PORT,
    PORT_BITS,
    ROUTE_KEY,
    ROUTE_PREFIX,
    RULE,
    SERVER,
    SERVER_KEY,
    SET_KEY,
    SET_PREFIX,
    Direction,
    Entry,
    Family,
    address_bytes,
    address_key,
    mac_bytes,
)
from privlink.node.reconcile import Count, Plan, needs_chains, plan

State = dict[tuple[str, bytes], bytes]
Unit = list[Entry]

CLIENTS, PROVIDERS = 1, 2  # networks
CIDR = "10.0.0.0/29"
SOURCES = ("10.0.0.4", "10.0.0.5")
ENDPOINTS = ("10.0.0.6", "10.0.0.7")
SERVERS = ("10.0.0.1", "10.0.0.2")
ROUTED = ("10.0.0.1/32", "10.0.0.0/30", "10.0.0.0/29")  # each within the next
BLOCKS = ("10.0.0.4", "10.0.0.4/31", "10.0.0.6", "10.0.0.6/31")
CALLED = (79, 80, 81)
PING = 0  # in the place of a called port: answered by the address itself
NUMBERS = (1, 2)
MAC = "02:00:00:00:00:01"


class Way(NamedTuple):
    """A packet that passes: from which port, as whom, to where, and who takes it."""

    port: int
    source: bytes
    head: tuple[str, bytes]  # the address, door or route
    where: bytes  # the address that is called
    called: int
    server: int  # which slot's, and ...
    link: int  # ... out of where


def filter_key(number: int, direction: Direction) -> tuple[str, bytes]:
    return "filters", FILTER_KEY.pack(number, direction)


def port(index: int, source: str, filters: tuple[int, ...] = (), table: int = 1) -> Entry:
    workload = Attachment(1, 1, CLIENTS, CIDR, source, MAC, filters=filters, table=table)
    return next(e for e in port_entries(workload, index) if e.map == "ports")


def neighbour(address: str, link: int) -> Entry:
    value = NEIGHBOUR.pack(link, mac_bytes(MAC), 1)
    return Entry("neighbours", address_key(PROVIDERS, address), value)


def address(
    number: int,
    filters: tuple[int, ...],
    forward: int,
    balancer: int = 1,
    network: int = CLIENTS,
) -> Entry:
    padded = filters + (0,) * (MAX_FILTERS - len(filters))
    value = ADDRESS.pack(mac_bytes(MAC), 2, len(filters), forward, 0, balancer, *padded)
    return Entry("addresses", address_key(network, ENDPOINTS[number - 1]), value)


def door(called: int, forward: int, balancer: int) -> Entry:
    """A port of a NAT gateway at the second endpoint's address."""
    value = ADDRESS.pack(mac_bytes(MAC), 5, 0, forward, 0, balancer, *[0] * MAX_FILTERS)
    where = DOOR_KEY.pack(CLIENTS, address_bytes(ENDPOINTS[1]), htons(called), IPPROTO_TCP)
    return Entry("doors", where, value)


def route_table(table: int, forwards: Mapping[str, int]) -> Unit:
    """Gateway endpoints to some blocks, each by a forward."""
    leads = (Route(at, RouteKind.ENDPOINT, opening=to) for at, to in forwards.items())
    return list(entries(RouteTable(table, CLIENTS, tuple(leads))))


def route(table: int, server: int, forward: int) -> Entry:
    """A gateway endpoint to one of the servers."""
    (made,) = route_table(table, {SERVERS[server]: forward})
    return made


def forward(number: int, flows: int) -> Entry:
    source = address_bytes("100.64.0.1")
    value = FORWARD.pack(PROVIDERS, source, NO_ADDRESS, flows, 0, 0, 0, 0, 0)
    return Entry("forwards", NUMBER.pack(number), value)


def filter_(number: int, direction: Direction, rules: Iterable[Rule]) -> Unit:
    """One direction of a security group, its rules in the order they decide."""
    ordered = tuple(sorted(rules, key=lambda rule: (rule.priority, rule.accept)))
    made = entries(Filter(number, ordered, ordered))
    return [entry for entry in made if FILTER_KEY.unpack_from(entry.key)[1] == direction]


def group(number: int, *, accept: bool, direction: Direction = Direction.INGRESS) -> Unit:
    """A security group that accepts or drops everything."""
    return filter_(number, direction, [Rule(1, accept, "ALL", "0.0.0.0/0", 0, 65535)])


def balancer(number: int, listeners: Iterable[Listener]) -> Unit:
    return list(entries(Balancer(number, tuple(listeners))))


def listening(first: int, last: int, servers: Iterable[int]) -> Listener:
    behind = tuple(Server(SERVERS[rank % 2], 8000 + rank, 1) for rank in servers)
    return Listener(Protocol.TCP, first, last, behind)


def balanced(number: int, servers: list[int]) -> Unit:
    """A balancer that is called at port 80."""
    return balancer(number, [listening(80, 80, servers)])


number = st.sampled_from(NUMBERS)
some_numbers = st.lists(number, unique=True, min_size=1).map(tuple)
any_numbers = st.lists(number, unique=True).map(tuple)
far_ends = st.sampled_from(
    [("0.0.0.0/0", 0), ("0.0.0.0/0", 0), (BLOCKS[0], 0), (BLOCKS[3], 0), ("", 1), ("", 1), ("", 2)]
)
port_ranges = st.sampled_from([(0, 65535), (0, 65535), (0, 65535), (80, 80), (80, 65535)])


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    (cidr, members), (low, high) = draw(far_ends), draw(port_ranges)
    accept = draw(st.sampled_from([True, True, True, False]))
    return Rule(draw(number), accept, "ALL", cidr, low, high, members)


# Often enough that those that decide stand on two pages.
FILLERS = [Rule(1, False, "ALL", "0.0.0.0/0", 9, 9)] * (PAGE_RULES - 1)
rule_lists = st.builds(
    lambda before, behind: [*before, *behind],
    st.sampled_from([[], FILLERS]),
    st.lists(rules(), min_size=1, max_size=2),
)


@st.composite
def listeners(draw: st.DrawFn) -> list[Listener]:
    """Ranges beside each other, as one load balancer may have them."""
    cuts = draw(st.sampled_from([(79, 80, 81), (79, 81), (80, 81), (79, 80), (80,)]))
    behind = st.lists(st.sampled_from(range(4)), max_size=2, unique=True)
    return [
        listening(first, last - 1, draw(behind))
        for first, last in zip(cuts, (*cuts[1:], 82), strict=True)
        if draw(st.sampled_from([True, True, True, False]))
    ]


def unit(made: st.SearchStrategy[Unit]) -> st.SearchStrategy[Unit]:
    """Mostly there, for a chain passes only when it is whole."""
    return st.sampled_from(range(8)).flatmap(lambda chance: made if chance else st.just([]))


def lone(made: st.SearchStrategy[Entry]) -> st.SearchStrategy[Unit]:
    return unit(made.map(lambda entry: [entry]))


def members(number: int, blocks: list[str]) -> Unit:
    return list(entries(Members(number, tuple(blocks))))


leads_to = st.sampled_from([1, 2, 1, 2, 0])
RULES_UNITS = [
    lone(st.builds(port, st.just(1), st.sampled_from((SOURCES[0], *SOURCES)), any_numbers, number)),
    lone(st.builds(address, st.just(1), some_numbers, leads_to, number)),
    *(lone(st.builds(forward, st.just(n), number)) for n in NUMBERS),
    *(
        unit(st.builds(filter_, st.just(n), st.just(way), rule_lists))
        for n in NUMBERS
        for way in Direction
    ),
    *(
        unit(st.builds(members, st.just(n), st.lists(st.sampled_from(BLOCKS), max_size=2)))
        for n in NUMBERS
    ),
    lone(st.builds(door, st.just(80), leads_to, number)),
    *(
        unit(st.builds(route_table, st.just(n), st.dictionaries(st.sampled_from(ROUTED), leads_to)))
        for n in NUMBERS
    ),
]
UNITS = [
    *RULES_UNITS,
    *(unit(st.builds(balancer, st.just(n), listeners())) for n in NUMBERS),
    *(lone(st.builds(neighbour, st.just(at), st.sampled_from([11, 12]))) for at in SERVERS),
]


# One of each unit, through which a packet passes by either forward: what is drawn departs from it.
OPEN_TO_ALL, OPEN_TO_SET = (
    [Rule(1, True, "ALL", "0.0.0.0/0", 0, 65535)],
    [Rule(1, True, "ALL", "", 0, 65535, 1)],
)
WHOLE: list[Unit] = [
    [port(1, SOURCES[0], (1, 2))],
    [address(1, (1, 2), 1)],
    *([forward(n, n)] for n in NUMBERS),
    *(filter_(1, way, OPEN_TO_SET) for way in Direction),
    *(filter_(2, way, OPEN_TO_ALL) for way in Direction),
    *(members(n, ["10.0.0.4/31", "10.0.0.6/31"]) for n in NUMBERS),
    [door(80, 1, 1)],
    *(route_table(n, {ROUTED[0]: n, ROUTED[1]: 3 - n}) for n in NUMBERS),
    *(balancer(n, [listening(79, 81, [n])]) for n in NUMBERS),
    *([neighbour(at, 11)] for at in SERVERS),
]


SETS = [at for at, made in enumerate(WHOLE) if made[0].map == "sets"]


def state(units: Iterable[Iterable[Entry]]) -> State:
    return {(e.map, e.key): e.value for made in units for e in made}


states = st.tuples(*UNITS).map(state)


def litter(balancer: int, rank: int) -> Entry:
    """A server beyond the slots of its listener: what an interrupted plan leaves behind."""
    key = SERVER_KEY.pack(balancer, Family.IPV4, IPPROTO_TCP, htons(80), 2)
    return Entry("servers", key, SERVER.pack(address_bytes(SERVERS[0]), htons(8000 + rank), 1))


def redrawn(
    draw: st.DrawFn, units: list[st.SearchStrategy[Unit]], was: list[Unit], most: int = 5
) -> list[Unit]:
    """Another state, most of which stays: it is a few changes that meet on one chain."""
    places = st.sampled_from(range(len(units)))
    changing = draw(st.lists(places, min_size=1, max_size=most, unique=True))
    return [draw(units[at]) if at in changing else old for at, old in enumerate(was)]


@st.composite
def transitions(draw: st.DrawFn) -> tuple[State, State]:
    old = redrawn(draw, UNITS, WHOLE)
    left = draw(st.lists(st.builds(litter, number, st.sampled_from(range(4))), max_size=2))
    return state([*old, left]), state(redrawn(draw, UNITS, old))


@st.composite
def histories(draw: st.DrawFn) -> list[State]:
    """Three states of rules, one after the other; what is behind the forwards does not matter."""
    first = redrawn(draw, RULES_UNITS, WHOLE[: len(RULES_UNITS)])
    second = redrawn(draw, RULES_UNITS, first)
    return [state(first), state(second), state(redrawn(draw, RULES_UNITS, second))]


def entries_of(held: State) -> frozenset[Entry]:
    return frozenset(Entry(name, key, value) for (name, key), value in held.items())


def way_from(old: State, new: State) -> Plan:
    return plan(entries_of(new), entries_of(old))


def moments(work: Plan, held: State) -> Iterator[State]:
    """Every state on the way: each entry is its own system call here."""
    held = dict(held)
    yield held
    for put, name, run in work.steps():
        for step in run:
            if put:
                held[name, step.key] = step.value
            else:
                held.pop((name, step.key), None)
            yield dict(held)


# The eBPF program, read aloud: judge, then choose.


class Parsed(NamedTuple):
    """A rule as the program sees it."""

    block: IPv4Network | None  # or a set
    members: int
    first: int
    last: int
    priority: int
    accept: bool


@cache
def parsed(page: bytes) -> list[Parsed]:
    """The rules in a value of `rules`, with what fills it up behind them."""
    return [
        Parsed(
            None if fields[2] else IPv4Network((fields[1] & 0xFFFFFFFF, 32 - fields[6])),
            fields[2],
            fields[3],
            fields[4],
            fields[11],
            bool(fields[12]),
        )
        for fields in RULE.iter_unpack(page)
    ]


def pages(key: tuple[str, bytes], value: bytes) -> Iterator[tuple[tuple[str, bytes], int]]:
    """The keys of a filter's pages, each with how many rules stand there."""
    count, version = FILTER.unpack(value)
    for at, first in enumerate(range(0, count, PAGE_RULES)):
        page = PAGE_KEY.pack(*FILTER_KEY.unpack(key[1]), version, at)
        yield ("rules", page), min(PAGE_RULES, count - first)


@cache
def within(far_end: bytes, prefix: int, block: bytes) -> bool:
    """Whether the first bits of two addresses agree."""
    rest = ADDRESS_BITS - prefix
    return int.from_bytes(far_end) >> rest == int.from_bytes(block) >> rest


def is_member(held: State, members: int, far_end: bytes) -> bool:
    found = (SET_KEY.unpack(key) for name, key in held if name == "sets")
    return any(
        of == members and within(far_end, prefix - SET_PREFIX + ADDRESS_BITS, block)
        for prefix, of, block in found
    )


def verdict(held: State, key: tuple[str, bytes], far_end: bytes, called: int) -> int:
    """Twice the priority, and whether it accepts; the least of all groups decides."""
    value = held.get(key)
    if value is None:
        return 0
    for page, count in pages(key, value):
        if page not in held:
            return 0
        found = page_verdict(held, parsed(held[page])[:count], far_end, called)
        if found is not None:
            return found
    return 512


def page_verdict(held: State, rules: Iterable[Parsed], far_end: bytes, called: int) -> int | None:
    for rule in rules:
        if not rule.first <= called <= rule.last:
            continue
        if rule.members and not is_member(held, rule.members, far_end):
            continue
        if rule.block and not within(
            far_end, 96 + rule.block.prefixlen, address_bytes(str(rule.block.network_address))
        ):
            continue
        return 2 * rule.priority + rule.accept
    return None


def permitted(
    held: State, groups: Iterable[int], direction: Direction, far_end: bytes, called: int
) -> bool:
    verdicts = (verdict(held, filter_key(n, direction), far_end, called) for n in groups)
    return bool(min(verdicts, default=512) & 1)


def port_filters(value: bytes) -> list[int]:
    count, *filters = PORT.unpack(value)[-1 - MAX_FILTERS :]
    return list(filters[:count])


def port_source(value: bytes) -> bytes:
    return address_bytes("0.0.0.0")[:-4] + PORT.unpack(value)[2]


def address_filters(value: bytes) -> list[int]:
    fields = ADDRESS.unpack_from(value)
    return list(fields[6:][: fields[2]])


class Call(NamedTuple):
    """A port, what answers for what it calls, and the address that is."""

    port: bytes
    head: tuple[str, bytes]
    where: bytes


def longest_route(held: State, table: int, where: bytes) -> tuple[str, bytes] | None:
    """The key of the route that holds for an address."""
    found = {key: ROUTE_KEY.unpack(key) for name, key in held if name == "routes"}
    fitting = [
        (prefix, key)
        for key, (prefix, of, block) in found.items()
        if of == table and within(where, prefix - ROUTE_PREFIX + ADDRESS_BITS, block)
    ]
    return ("routes", max(fitting)[1]) if fitting else None


def judged(held: State, call: Call, called: int) -> bool:
    """Whether the rules permit a flow from a port to what it calls; both have to be there."""
    port_key, head, where = call
    port = held["ports", port_key]
    ingress, egress = address_filters(held[head]), port_filters(port)
    if head[0] == "addresses" and not permitted(
        held, ingress, Direction.INGRESS, port_source(port), called
    ):
        return False
    return not egress or permitted(held, egress, Direction.EGRESS, where, called)


def listener(held: State, balancer: int, called: int) -> tuple[str, bytes] | None:
    """The key of the longest prefix of `listeners` that a called port lies in."""
    for bits in range(PORT_BITS, -1, -1):
        first = called >> (PORT_BITS - bits) << (PORT_BITS - bits)
        key = LISTENER_KEY.pack(
            LISTENER_PREFIX - PORT_BITS + bits, balancer, Family.IPV4, IPPROTO_TCP, htons(first)
        )
        if ("listeners", key) in held:
            return "listeners", key
    return None


def slots(held: State, balancer: int, called: int) -> Iterator[tuple[str, bytes]]:
    """The keys of `servers` of whom one is chosen."""
    key = listener(held, balancer, called)
    if key is not None:
        count, first, *_ = LISTENER.unpack(held[key])
        for slot in range(count):
            yield "servers", SERVER_KEY.pack(balancer, Family.IPV4, IPPROTO_TCP, first, slot)


def takers(held: State, call: Call, called: int) -> Iterator[tuple[int, int]]:
    """The servers that may take a flow, each with the link it is at."""
    head = call.head
    forward, _, balancer = ADDRESS.unpack_from(held[head])[3:6]
    way = held.get(("forwards", NUMBER.pack(forward)))
    if way is None:
        return
    network, *_ = FORWARD.unpack(way)
    if head[0] == "routes":
        servers = [(call.where, htons(called))]
    else:
        keys = slots(held, balancer, called)
        servers = [SERVER.unpack(held[key])[:2] for key in keys if key in held]
    for where, behind in servers:
        there = held.get(("neighbours", ADDRESS_KEY.pack(network, where)))
        if there is not None:
            yield htons(behind), NEIGHBOUR.unpack(there)[0]


def calls(held: State) -> Iterator[Call]:
    """Each port with whatever it may call."""
    for name, port_key in held:
        if name != "ports":
            continue
        table = PORT.unpack(held[name, port_key])[1]
        for head in held:
            if head[0] == "addresses":
                yield Call(port_key, head, ADDRESS_KEY.unpack(head[1])[1])
            elif head[0] == "doors":
                yield Call(port_key, head, DOOR_KEY.unpack(head[1])[1])
        for where in map(address_bytes, SERVERS):
            route = longest_route(held, table, where)
            if route:
                yield Call(port_key, route, where)


def asked(head: tuple[str, bytes], called: Iterable[int] = (PING, *CALLED)) -> Iterator[int]:
    """Ports that are called there: of a door its own, and no ping but to an address."""
    if head[0] == "doors":
        return iter({htons(DOOR_KEY.unpack(head[1])[2])} & {*called})
    return (to for to in called if to != PING or head[0] == "addresses")


def passing(held: State) -> set[Way]:
    ways = set()
    for call in calls(held):
        (index,), source = NUMBER.unpack(call.port), port_source(held["ports", call.port])
        for called in asked(call.head):
            found = [(0, 0)] if called == PING else [*takers(held, call, called)]
            if found and judged(held, call, called):
                ways |= {
                    Way(index, source, call.head, call.where, called, *taker) for taker in found
                }
    return ways


def chain(held: State, way: Way) -> set[tuple[str, bytes]]:
    """The keys a packet passes along; with a listener, all of its balancer.

    A ping ends at the address, which is shut for what changes behind it too.
    """
    head, where = ("ports", NUMBER.pack(way.port)), way.head
    found = {
        head,
        where,
        *(filter_key(n, Direction.EGRESS) for n in port_filters(held[head])),
        *(filter_key(n, Direction.INGRESS) for n in address_filters(held[where])),
    }
    found |= {page for key in found & held.keys() if key[0] == "filters"
              for page, _ in pages(key, held[key])}  # fmt: skip
    named = {rule.members for key in found & held.keys() if key[0] == "rules"
             for rule in parsed(held[key])}  # fmt: skip
    found |= {key for key in held if key[0] == "sets" and SET_KEY.unpack(key[1])[1] in named}
    table = PORT.unpack(held[head])[1]
    found |= {key for key in held if key[0] == "routes" and ROUTE_KEY.unpack(key[1])[1] == table}
    found.add(forward := ("forwards", NUMBER.pack(ADDRESS.unpack_from(held[where])[3])))
    of = ADDRESS.unpack_from(held[where])[5] if forward in held else 0
    found |= {key for key in held if key[0] == "listeners" and LISTENER_KEY.unpack(key[1])[1] == of}
    found |= {key for key in held if key[0] == "servers" and SERVER_KEY.unpack(key[1])[0] == of}
    if way.called == PING:
        return found
    return found | {("neighbours", address_key(PROVIDERS, server)) for server in SERVERS}


@settings(max_examples=300)
@given(transitions())
def test_nothing_passes_that_neither_state_allows(change: tuple[State, State]) -> None:
    old, new = change
    allowed = passing(old) | passing(new)
    for held in moments(way_from(old, new), old):
        assert passing(held) <= allowed


@settings(max_examples=100)
@given(transitions())
def test_a_plan_ends_where_it_should_and_says_how_far_it_went(change: tuple[State, State]) -> None:
    old, new = change
    work = way_from(old, new)
    *_, last = moments(work, old)
    assert last == new
    size = work.count
    assert len(old) + size.added - size.dropped == len(new)


@settings(max_examples=100)
@given(transitions())
def test_a_forward_that_stays_is_never_absent(change: tuple[State, State]) -> None:
    old, new = change
    staying = {key for key in old.keys() & new.keys() if key[0] == "forwards"}
    for held in moments(way_from(old, new), old):
        assert staying <= held.keys()


@settings(max_examples=200)
@given(transitions())
def test_what_does_not_change_keeps_passing(change: tuple[State, State]) -> None:
    old, new = change
    touched = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    steady = {
        way
        for way in passing(old) & passing(new)
        if not (chain(old, way) | chain(new, way)) & touched
    }
    for held in moments(way_from(old, new), old):
        assert steady <= passing(held)


class Flow(NamedTuple):
    """One that may be, as the rules know it."""

    source: bytes
    kind: str  # of what is called
    where: bytes
    called: int


def ruled(held: State, called: Iterable[int]) -> Iterator[tuple[Flow, Call, bool]]:
    """Flows of clients and addresses that are there, and whether the rules permit each."""
    for call in calls(held):
        source = port_source(held["ports", call.port])
        for to in asked(call.head, called):
            yield Flow(source, call.head[0], call.where, to), call, judged(held, call, to)


def permits(held: State, called: Iterable[int] = (PING, 80)) -> set[Flow]:
    """What flows the rules permit."""
    return {flow for flow, _, permitted in ruled(held, called) if permitted}


def forbids(held: State, called: Iterable[int] = (PING, 80)) -> set[Flow]:
    """What flows end if they are held against the rules now, or have no route any more."""
    routed = {
        Flow(port_source(value), "routes", where, to)
        for (name, _), value in held.items()
        for where in map(address_bytes, SERVERS)
        for to in set(called) - {PING}
        if name == "ports" and not longest_route(held, PORT.unpack(value)[1], where)
    }
    return routed | {flow for flow, _, permitted in ruled(held, called) if not permitted}


@settings(max_examples=300)
@given(transitions())
def test_no_moment_forbids_a_flow_that_both_states_permit(change: tuple[State, State]) -> None:
    """A flow may be held against the rules at any moment, because of an earlier change."""
    old, new = change
    steady = permits(old) & permits(new)
    for held in moments(way_from(old, new), old):
        assert not steady & forbids(held)


MANY = 40  # rules, on three pages

spectra = st.lists(st.booleans(), min_size=MANY, max_size=MANY)


def by_port(accepts: list[bool]) -> Unit:
    """A filter of many rules, each about a port of its own."""
    many = [Rule(1, accept, "ALL", "0.0.0.0/0", at, at) for at, accept in enumerate(accepts)]
    made = entries(Filter(1, tuple(many)))
    return [entry for entry in made if FILTER_KEY.unpack_from(entry.key)[1] == Direction.INGRESS]


def accepted(held: State) -> list[bool]:
    key, far_end = filter_key(1, Direction.INGRESS), address_bytes(SOURCES[0])
    return [bool(verdict(held, key, far_end, called) & 1) for called in range(MANY)]


@settings(max_examples=100)
@given(spectra, spectra, spectra, st.integers(min_value=0, max_value=9))
def test_a_filter_of_many_pages_is_never_met_half_changed(
    first: list[bool], second: list[bool], third: list[bool], broken_off: int
) -> None:
    """The first plan may break off anywhere; the next goes on there."""
    old, new, last = (
        state([[address(1, (1,), 1)], by_port(each)]) for each in (first, second, third)
    )
    begun = way_from(old, new)
    stages = [*moments(begun, old)]
    assert [held for held in stages if accepted(held) not in (first, second)] == []
    held = stages[min(broken_off, len(stages) - 1)]
    work, before = way_from(held, last), accepted(held)
    *between, end = map(accepted, moments(work, held))
    assert end == third
    assert [met for met in between if met not in (before, third)] == []
    assert begun.rejudges or first == second
    assert work.rejudges or before == third
    assert (begun.shut, work.shut) == ((), ())


@st.composite
def excerpts(draw: st.DrawFn) -> tuple[list[Unit], list[Unit]]:
    """Two states, item by item, of which little differs; an address is one with its forwards."""
    old = redrawn(draw, UNITS, WHOLE)
    new = redrawn(draw, UNITS, old, 2) if draw(st.booleans()) else [*old]
    if draw(st.booleans()):
        at = draw(st.sampled_from(SETS))
        (step,) = members(at - SETS[0] + 1, [draw(st.sampled_from(BLOCKS))])
        new[at] = [e for e in new[at] if e != step] if step in new[at] else [*new[at], step]
    return [[*old[1], *old[2], *old[3]], *old], [[*new[1], *new[2], *new[3]], *new]


def leading_over(old: list[Unit], new: list[Unit]) -> set[int]:
    """The doors and tables that lead over a forward that changes."""
    before, after = state(old), state(new)
    changing = {
        key for key in before.keys() | after.keys()
        if key[0] == "forwards" and before.get(key) != after.get(key)
    }  # fmt: skip
    return {
        at
        for at, made in enumerate(zip(old, new, strict=True))
        for e in (*made[0], *made[1])
        if e.map in ("doors", "routes")
        and ("forwards", NUMBER.pack(ADDRESS.unpack_from(e.value)[3])) in changing
    }


@settings(max_examples=300)
@given(excerpts())
def test_what_changes_alone_is_planned_without_its_chains(
    change: tuple[list[Unit], list[Unit]],
) -> None:
    old, new = change
    differing = {at for at, (was, now) in enumerate(zip(old, new, strict=True)) if was != now}
    differing |= leading_over(old, new)
    before, after = ([e for at in differing for e in units[at]] for units in change)
    if not needs_chains(after, before):
        assert plan(after, before) == way_from(state(old), state(new))


@settings(max_examples=500)
@given(histories(), st.integers(min_value=0, max_value=30))
def test_a_flow_goes_on_unjudged_only_while_the_rules_permit_it(
    history: list[State], broken_off: int
) -> None:
    """It is silent all along. The first plan may break off anywhere; the next goes on there."""
    first, second, third = history
    rejudges = False
    flows = {
        (flow, ADDRESS.unpack_from(first[call.head])[3])
        for flow, call, permitted in ruled(first, (80,))
        if permitted
    }
    begun = way_from(first, second)
    stages = [*moments(begun, first)]
    held = stages[min(broken_off, len(stages) - 1)]
    rejudges = begun.rejudges
    for work in (way_from(held, second), way_from(second, third)):
        rejudges |= work.rejudges
    if not rejudges:
        forbidden = forbids(third, (80,))
        assert not [
            flow
            for flow, forward in flows
            if ("forwards", NUMBER.pack(forward)) in third and flow in forbidden
        ]


@given(states)
def test_nothing_to_do_is_no_plan(held: State) -> None:
    assert way_from(held, held) == Plan()


def test_a_change_of_one_value_is_one_update() -> None:
    old, new = address(1, (1,), 1), address(1, (2,), 1)
    assert plan({new}, {old}) == Plan(put=(new,), count=Count(changed=1), rejudges=True)


def test_other_rules_are_new_pages_the_filter_that_turns_to_them_and_no_old_ones() -> None:
    user = address(1, (1,), 1)
    (old_page, old), (page, new) = group(1, accept=True), group(1, accept=False)
    assert plan({user, page, new}, {user, old_page, old}) == Plan(
        put=(page, new), clear=(old_page,), count=Count(1, 1, 1), rejudges=True
    )


def test_accepting_an_endpoint_is_two_puts_and_its_address_comes_last() -> None:
    closed, opened, way = address(1, (1,), 0), address(1, (1,), 1), forward(1, 1)
    assert plan({opened, way}, {closed}) == Plan(put=(way, opened), count=Count(1, 1, 0))


def test_closing_and_opening_again_keeps_the_address_answering() -> None:
    before, after = address(1, (1,), 1), address(1, (1,), 2)
    old, new = {before, forward(1, 1)}, {after, forward(2, 2)}
    assert plan(new, old) == Plan(
        shut=(forward(1, 1),),
        put=(forward(2, 2), after),
        count=Count(1, 1, 1),
        rejudges=True,  # the flows of the old forward are to end
    )


def test_another_group_in_place_of_one_that_goes_is_one_update() -> None:
    before, after = address(1, (1,), 1), address(1, (2,), 1)
    gone, come = group(1, accept=True), group(2, accept=False)
    assert plan({after, *come}, {before, *gone}) == Plan(
        put=(*come, after), clear=(*reversed(gone),), count=Count(2, 1, 2), rejudges=True
    )


def behind(number: int, servers: list[int]) -> Unit:
    """A balancer with servers that are there."""
    return [*balanced(number, servers), *(neighbour(at, 11) for at in SERVERS)]


def holds(old: Iterable[Entry], new: Iterable[Entry]) -> Plan:
    """The plan from one state to another, held to promise 1 at every moment."""
    before, after = state([old]), state([new])
    work = way_from(before, after)
    allowed = passing(before) | passing(after)
    for held in moments(work, before):
        assert passing(held) <= allowed
    return work


def test_a_listener_that_comes_waits_for_an_address_that_narrows() -> None:
    shared = {port(1, SOURCES[0]), forward(1, 1)}
    shared |= {*group(1, accept=True), *group(2, accept=False)}
    holds({*shared, address(1, (1,), 1)}, {*shared, address(1, (2,), 1), *behind(1, [1])})


def test_an_address_that_turns_to_a_group_that_goes_never_meets_it() -> None:
    shared = {port(1, SOURCES[0]), forward(1, 1), *group(1, accept=False), *behind(1, [1])}
    holds(
        {*shared, address(1, (1,), 1), *group(2, accept=True)},
        {*shared, address(1, (2,), 1)},
    )


def test_rules_that_move_between_groups_shut_the_address_meanwhile() -> None:
    """Half moved, the two groups would accept what each alone does not."""
    user = address(1, (1, 2), 1)
    old = {user, *group(1, accept=False), *group(2, accept=True)}
    new = {user, *filter_(1, Direction.INGRESS, []), *filter_(2, Direction.INGRESS, [])}
    work = plan(new, old)
    assert work.shut == (user,)
    assert work.open == (user,)


def test_egress_rules_that_move_between_groups_shut_the_port_meanwhile() -> None:
    user = port(1, SOURCES[0], (1, 2))
    out = Direction.EGRESS
    old = {user, *group(1, accept=False, direction=out), *group(2, accept=True, direction=out)}
    work = plan({user, *filter_(1, out, []), *filter_(2, out, [])}, old)
    assert work.shut == work.open == (user,)


def test_rules_that_move_from_one_end_to_the_other_shut_the_address_meanwhile() -> None:
    """Old, the address drops; new, the port. In between both would accept."""
    out = Direction.EGRESS
    there = [port(1, SOURCES[0], (1,)), address(1, (2,), 1), forward(1, 1), *behind(1, [1])]
    old = {*there, *group(1, accept=True, direction=out), *group(2, accept=False)}
    new = {*there, *group(1, accept=False, direction=out), *group(2, accept=True)}
    assert [entry.map for entry in holds(old, new).shut] == ["addresses"]
    elsewhere = address(1, (2,), 1, network=9)
    assert elsewhere not in plan({*new, elsewhere}, {*old, elsewhere}).shut


def test_a_set_is_two_changes_where_both_ends_ask_for_it() -> None:
    """Half changed, it has the client and the endpoint in it; each end asks for the other one."""
    named = [Rule(1, True, "ALL", "", 0, 65535, 1)]
    there = [
        port(1, SOURCES[0], (1,)), address(1, (1,), 1), forward(1, 1), *behind(1, [1]),
        *filter_(1, Direction.INGRESS, named), *filter_(1, Direction.EGRESS, named),
    ]  # fmt: skip
    work = holds({*there, *members(1, [SOURCES[0]])}, {*there, *members(1, [ENDPOINTS[0]])})
    assert [entry.map for entry in work.shut] == ["addresses"]


def test_a_set_that_changes_in_one_step_shuts_nothing() -> None:
    """Whichever end asks for it, it is the old one or the new one."""
    named = [Rule(1, True, "ALL", "", 0, 65535, 1)]
    there = [
        port(1, SOURCES[0], (1,)), address(1, (1,), 1), forward(1, 1), *behind(1, [1]),
        *filter_(1, Direction.INGRESS, named), *filter_(1, Direction.EGRESS, named),
    ]  # fmt: skip
    few, more = [SOURCES[0]], [SOURCES[0], ENDPOINTS[0]]
    for old, new in ((few, more), (more, few), (few, [*more, "fd00::5"])):
        work = holds({*there, *members(1, old)}, {*there, *members(1, new)})
        assert (work.shut, work.open) == ((), ())


def test_two_sets_that_change_under_one_group_shut_the_address_meanwhile() -> None:
    """Old, a set that drops holds the client; new, the set that accepts does not hold it."""
    named = [Rule(1, False, "ALL", "", 0, 65535, 1), Rule(2, True, "ALL", "", 0, 65535, 2)]
    there = [
        port(1, SOURCES[0]), address(1, (1,), 1), forward(1, 1), *behind(1, [1]),
        *filter_(1, Direction.INGRESS, named),
    ]  # fmt: skip
    old = {*there, *members(1, [SOURCES[0]]), *members(2, [SOURCES[0]])}
    new = {*there, *members(1, []), *members(2, [])}
    assert [entry.map for entry in holds(old, new).shut] == ["addresses"]


def test_a_set_that_changes_alone_shuts_nothing() -> None:
    there = {
        address(1, (1,), 1),
        *filter_(1, Direction.INGRESS, [Rule(1, True, "ALL", "", 0, 9, 1)]),
    }
    work = plan({*there, *members(1, [SOURCES[0]])}, {*there, *members(1, [SOURCES[1]])})
    assert (work.shut, work.open, work.rejudges) == ((), (), True)


def newcomer(block: str) -> Unit:
    """An endpoint that comes, and what its group's set then is."""
    return [address(2, (1,), 2), forward(2, 1), *members(1, [SOURCES[0], *block.split()])]


@pytest.mark.parametrize(
    ("old", "new", "needed"),
    [
        pytest.param(members(1, [SOURCES[0]]), newcomer("10.0.0.7"), False, id="who comes"),
        pytest.param(newcomer("10.0.0.7"), members(1, [SOURCES[0]]), False, id="who goes"),
        pytest.param(
            members(1, [SOURCES[0]]), newcomer("10.0.0.7 fd00::7"), False, id="in both families"
        ),
        pytest.param(newcomer("10.0.0.6"), newcomer("10.0.0.7"), True, id="one for another"),
        pytest.param(
            [*members(1, [SOURCES[0]]), address(2, (1,), 0)], newcomer("10.0.0.7"), True,
            id="one that was there",
        ),
        pytest.param(
            [*members(1, [SOURCES[0]]), *group(1, accept=True)], newcomer("10.0.0.7"), True,
            id="with a group",
        ),
        pytest.param(
            members(2, [SOURCES[0]]), newcomer("10.0.0.7"), True, id="with another set",
        ),
        pytest.param(
            [*members(1, [SOURCES[0]]), *balanced(1, [1])],
            [*newcomer("10.0.0.7"), *balanced(1, [2])],
            True,
            id="with a server behind a listener",
        ),
        pytest.param(
            by_port([True] * MANY), by_port([False] * MANY), False, id="other rules alone"
        ),
        pytest.param(
            [*group(1, accept=True), *group(2, accept=True)],
            [*group(1, accept=False), *group(2, accept=True)],
            False,
            id="one group of two",
        ),
        pytest.param(
            [*group(1, accept=True), *group(2, accept=True)],
            [*group(1, accept=False), *group(2, accept=False)],
            True,
            id="two groups",
        ),
        pytest.param(
            [*group(1, accept=True), *route_table(1, {ROUTED[0]: 1})],
            [*group(1, accept=False), *route_table(1, {ROUTED[0]: 2})],
            True,
            id="a group and a route",
        ),
        pytest.param(
            [*group(1, accept=True), forward(1, 1), door(80, 1, 1)],
            [*group(1, accept=False), forward(1, 2), door(80, 1, 1)],
            True,
            id="a group and what is behind a door",
        ),
        pytest.param(
            route_table(1, {ROUTED[0]: 1}), route_table(1, {ROUTED[0]: 2}), False, id="a route"
        ),
        pytest.param(
            [address(1, (1,), 0), address(2, (1,), 0)],
            [address(1, (1,), 1), forward(1, 1), address(2, (1,), 2), forward(2, 1)],
            False,
            id="two that are accepted",
        ),
    ],
)  # fmt: skip
def test_whole_chains_are_needed_where_changes_may_meet(old: Unit, new: Unit, needed: bool) -> None:
    assert needs_chains(new, old) is needed


def colliding(accepts: list[bool], others: list[bool]) -> tuple[Unit, Unit]:
    """Two texts of a filter's rules, as if their version were the same."""
    old, (*new, _) = by_port(accepts), by_port(others)
    pages = [was._replace(value=now.value) for was, now in zip(old, new, strict=False)]
    return old, [*pages, old[-1]]


def test_rules_whose_version_collides_shut_the_address_while_pages_change() -> None:
    user = address(1, (1,), 1)
    there = [user, port(1, SOURCES[0]), forward(1, 1), *balanced(1, [1]), neighbour(SERVERS[1], 11)]
    old, new = colliding([True] * MANY, [False] * MANY)
    work = plan({*there, *new}, {*there, *old})
    assert (work.shut, work.open, work.rejudges) == ((user,), (user,), True)
    assert [entry.map for entry in work.put] == ["rules"] * 3
    assert needs_chains(new, old)


def test_one_page_whose_version_collides_changes_in_place() -> None:
    user = address(1, (1,), 1)
    old, new = colliding([True] * MANY, [False, *[True] * (MANY - 1)])
    work = plan({user, *new}, {user, *old})
    assert (work.shut, work.count, work.rejudges) == ((), Count(changed=1), True)
    assert not needs_chains(new, old)


def test_a_port_whose_groups_alone_change_is_not_shut() -> None:
    out = Direction.EGRESS
    old = {port(1, SOURCES[0], (1,)), *group(1, accept=True, direction=out)}
    new = {port(1, SOURCES[0], (2,)), *group(2, accept=False, direction=out)}
    work = plan(new, old)
    assert (work.shut, work.open) == ((), ())
    assert [entry.map for entry in work.put] == ["rules", "filters", "ports"]


def test_a_port_that_gets_another_table_is_not_shut() -> None:
    old, new = port(1, SOURCES[0], table=1), port(1, SOURCES[0], table=2)
    there = {*route_table(1, {ROUTED[0]: 1}), *route_table(2, {ROUTED[0]: 2})}
    assert plan({*there, new}, {*there, old}) == Plan(
        put=(new,), count=Count(changed=1), rejudges=True
    )


def test_a_port_is_shut_while_its_table_and_what_is_in_that_change_together() -> None:
    old, new = port(1, SOURCES[0], table=1), port(1, SOURCES[0], table=2)
    was, now = {old, *route_table(2, {ROUTED[0]: 1})}, {new, *route_table(2, {ROUTED[0]: 2})}
    work = plan(now, was)
    assert (work.shut, work.open) == ((old,), (new,))


ONWARD = {port(1, SOURCES[0]), forward(1, 1), forward(2, 2), neighbour(SERVERS[0], 11)}


@pytest.mark.parametrize(
    ("old", "new", "shuts"),
    [
        pytest.param({0: 1}, {0: 2}, False, id="one turns"),
        pytest.param({1: 1}, {0: 2, 1: 1}, False, id="one comes within another"),
        pytest.param({0: 2, 1: 1}, {1: 1}, False, id="one goes"),
        pytest.param({}, {0: 2, 1: 1, 2: 2}, False, id="all come"),
        pytest.param({0: 2, 1: 1, 2: 2}, {}, False, id="all go"),
        pytest.param({0: 1, 1: 2}, {0: 2, 1: 1}, False, id="two turn"),
        pytest.param({1: 1}, {0: 2}, True, id="a narrower one instead"),
        pytest.param({0: 1}, {1: 2}, True, id="a wider one instead"),
        pytest.param({0: 1, 1: 1}, {1: 2}, True, id="one goes within one that turns"),
    ],
)
def test_a_port_is_shut_where_a_route_would_hold_that_is_of_neither_table(
    old: dict[int, int], new: dict[int, int], shuts: bool
) -> None:
    before, after = (
        route_table(1, {ROUTED[at]: to for at, to in table.items()}) for table in (old, new)
    )
    work = holds({*ONWARD, *before}, {*ONWARD, *after})
    assert ("ports" in {entry.map for entry in work.shut}) is shuts
    assert needs_chains(after, before) is shuts


def test_a_route_goes_after_what_is_behind_a_wider_one() -> None:
    both = [forward(1, 1), neighbour(SERVERS[0], 11), *route_table(1, {ROUTED[1]: 1})]
    there = [port(1, SOURCES[0]), forward(2, 2)]
    holds(
        {*there, *both, *route_table(1, {ROUTED[0]: 2})},
        {*there, *(entry for entry in both if entry.map == "routes")},
    )


def test_a_port_that_is_another_workloads_is_shut() -> None:
    old, new = port(1, SOURCES[0]), port(1, SOURCES[1])
    assert plan({new}, {old}) == Plan(shut=(old,), open=(new,), count=Count(changed=1))


def test_a_server_that_moves_in_where_another_lived_is_not_taken_for_that() -> None:
    """Old, server 1 lives at link 11; new, server 2 does so, and 1 is chosen no more."""
    there = {port(1, SOURCES[0]), address(1, (1,), 1), forward(1, 1), *group(1, accept=True)}
    first, second = balanced(1, [0]), balanced(1, [1])
    old = {*there, *first, neighbour(SERVERS[1], 11)}
    holds(old, {*there, *second, neighbour(SERVERS[1], 12)})
    holds(old, {*there, *second})
    holds({*there, *first}, {*there, *second, neighbour(SERVERS[0], 11)})


def test_a_prefix_that_turns_to_another_listener_is_shut_meanwhile() -> None:
    """Split in two, the upper half of a range must not meet the servers of the lower."""
    there = [
        port(1, SOURCES[0]), address(1, (1,), 1), forward(1, 1), *group(1, accept=True),
        *(neighbour(at, 11) for at in SERVERS),
    ]  # fmt: skip
    old = balancer(1, [listening(79, 81, [0])])
    new = balancer(1, [listening(79, 79, [1]), listening(80, 81, [2])])
    work = holds({*there, *old}, {*there, *new})
    assert [entry.map for entry in work.shut] == ["listeners"]
    holds({*there, *new}, {*there, *old})


def test_servers_and_rules_that_change_together_shut_the_address_meanwhile() -> None:
    """Old, the client reaches server 0; new, nobody reaches server 1."""
    there = {port(1, SOURCES[0]), address(1, (1,), 1), forward(1, 1), neighbour(SERVERS[1], 11)}
    old = {*there, *balanced(1, [0]), *group(1, accept=True), neighbour(SERVERS[0], 11)}
    new = {*there, *balanced(1, [1]), *group(1, accept=False), neighbour(SERVERS[0], 11)}
    assert [entry.map for entry in holds(old, new).shut] == ["addresses"]


def test_a_range_that_grows_leaves_what_it_had_in_place() -> None:
    old = balancer(1, [listening(80, 81, [0])])
    new = balancer(1, [listening(80, 82, [0])])
    work = plan(new, old)
    assert (work.shut, work.put, work.clear) == ((), (), ())
    assert [entry.map for entry in work.open] == ["listeners"]


INGRESS_GROUP = group(1, accept=True)
EGRESS_GROUP = group(1, accept=True, direction=Direction.EGRESS)
ENDPOINT = {address(1, (1,), 1), forward(1, 1)}
PORT_ALONE = port(1, SOURCES[0], table=0)
PORT_WITH, PORT_WITHOUT = port(1, SOURCES[0], (1,)), port(1, SOURCES[0])


@pytest.mark.parametrize(
    ("old", "new", "rejudges"),
    [
        # What only opens, moves or closes forbids nothing that runs.
        pytest.param(set(), ENDPOINT, False, id="a new endpoint"),
        pytest.param(set(), {*ENDPOINT, *INGRESS_GROUP}, False, id="with a new group"),
        pytest.param({address(1, (1,), 0)}, ENDPOINT, False, id="accepted"),
        pytest.param(balanced(1, [1]), balanced(1, [1, 2]), False, id="a server more"),
        pytest.param([], [neighbour(SERVERS[0], 11)], False, id="a server that comes"),
        pytest.param(set(), {PORT_ALONE}, False, id="a workload without groups"),
        pytest.param(set(), {PORT_WITHOUT}, True, id="or with routes, perhaps other ones"),
        pytest.param({PORT_WITH}, {PORT_WITHOUT}, False, id="a workload that leaves its groups"),
        pytest.param({PORT_WITH}, set(), False, id="a workload that goes"),
        # Rules.
        pytest.param(INGRESS_GROUP, group(1, accept=False), True, id="a group that changes"),
        pytest.param(INGRESS_GROUP, set(), True, id="a group that goes"),
        pytest.param(
            EGRESS_GROUP,
            group(1, accept=False, direction=Direction.EGRESS),
            True,
            id="egress rules that change",
        ),
        pytest.param(
            *colliding([True] * 40, [False] * 40), True, id="rules of a version that collides"
        ),
        pytest.param(INGRESS_GROUP[1:], INGRESS_GROUP, False, id="a page that was missing"),
        pytest.param([], members(1, ["10.0.0.5"]), True, id="a member more"),
        pytest.param(members(1, ["10.0.0.5"]), [], True, id="a member less"),
        # Where its flows lead, and by what.
        pytest.param({forward(1, 1)}, set(), True, id="a forward that goes"),
        pytest.param({forward(1, 1)}, {forward(1, 2)}, True, id="another limit"),
        pytest.param(balanced(1, [1]), balanced(1, [2, 3]), True, id="other servers"),
        pytest.param(balanced(1, [1]), [], True, id="a listener that goes"),
        pytest.param([neighbour(SERVERS[0], 11)], [neighbour(SERVERS[0], 12)], True, id="moved"),
        pytest.param([neighbour(SERVERS[0], 11)], [], True, id="a server that goes"),
        # Who obeys them.
        pytest.param({address(1, (1,), 1)}, {address(1, (1, 2), 1)}, True, id="a group more"),
        pytest.param({PORT_WITHOUT}, {PORT_WITH}, True, id="a workload that joins a group"),
        pytest.param({PORT_WITH}, {port(1, SOURCES[0], (2,))}, True, id="another group"),
        # What was away meanwhile, while its flows were silent.
        pytest.param(set(), {PORT_WITH}, True, id="a workload that comes, or comes back"),
        pytest.param({PORT_WITH}, {port(1, SOURCES[1], (1,))}, True, id="another workload"),
        pytest.param({forward(1, 1)}, ENDPOINT, True, id="an address that comes back"),
        pytest.param(ENDPOINT, set(), True, id="an endpoint that goes, and may come back"),
        # Doors and routes.
        pytest.param({forward(1, 1)}, {forward(1, 1), door(80, 1, 1)}, True, id="a door again"),
        pytest.param(set(), {forward(1, 1), door(80, 1, 1)}, False, id="a new door"),
        pytest.param({door(80, 1, 1)}, {door(80, 2, 1)}, False, id="a door turned elsewhere"),
        pytest.param(set(), {route(1, 0, 1)}, True, id="a route that takes another's flows"),
        pytest.param({route(1, 0, 1)}, set(), True, id="a route that goes"),
        pytest.param({route(1, 0, 1)}, {route(1, 0, 2)}, True, id="a route led elsewhere"),
        pytest.param(
            {PORT_WITHOUT}, {port(1, SOURCES[0], (), 2)}, True, id="another table for a port"
        ),
    ],
)
def test_flows_are_held_against_the_rules_anew_where_they_may_be_forbidden(
    old: Iterable[Entry], new: Iterable[Entry], rejudges: bool
) -> None:
    assert plan(new, old).rejudges is rejudges
