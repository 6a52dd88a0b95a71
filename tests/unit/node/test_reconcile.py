"""A plan interrupted anywhere lets nothing pass that it should not, and breaks nothing it need not.

The states are small and wild on purpose: entries that refer to nothing, filters that deny, all of
it changing at once. What passes in a state is worked out here as the eBPF program does it.
"""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from privlink.node.maps import ADDRESS, FORWARD, LISTENER_KEY, NUMBER, SERVER_KEY, Entry
from privlink.node.reconcile import Count, Plan, plan

State = dict[tuple[str, bytes], bytes]
Passing = set[tuple[int, int, int, int, int]]  # port, source, address, called port, server

SOURCES = range(2)
NUMBERS = range(1, 3)


def port(index: int, source: int) -> Entry:
    return Entry("ports", NUMBER.pack(index), bytes([source]))


def address(number: int, filters: tuple[int, ...], forward: int) -> Entry:
    padded = filters + (0,) * (10 - len(filters))
    value = ADDRESS.pack(b"", 2, len(filters), forward, *padded)
    return Entry("addresses", bytes([number]), value)


def forward(number: int, balancer: int) -> Entry:
    return Entry("forwards", NUMBER.pack(number), FORWARD.pack(0, b"", balancer))


def filter_(number: int, rules: tuple[str, ...]) -> Entry:
    """`rules` has a letter per source and called port: accept, drop, or nothing said."""
    return Entry("filters", NUMBER.pack(number), "".join(rules).encode())


def listener(balancer: int, called: int, slots: int) -> Entry:
    return Entry("listeners", LISTENER_KEY.pack(balancer, called, 6), NUMBER.pack(slots))


def server(balancer: int, called: int, slot: int, number: int) -> Entry:
    return Entry("servers", SERVER_KEY.pack(balancer, called, 6, slot), bytes([number]))


def balanced(balancer: int, called: int, servers: list[int]) -> list[Entry]:
    """A listener with its servers: they come of one item and always fit."""
    slots = [server(balancer, called, slot, number) for slot, number in enumerate(servers)]
    return [listener(balancer, called, len(slots)), *slots]


number = st.sampled_from(NUMBERS)
numbers = st.lists(number, unique=True, min_size=1).map(tuple)
Unit = list[Entry]


def unit(made: st.SearchStrategy[Unit]) -> st.SearchStrategy[Unit]:
    """Mostly there, for a chain passes only when it is whole."""
    return st.one_of(made, made, made, st.just([]))


def lone(made: st.SearchStrategy[Entry]) -> st.SearchStrategy[Unit]:
    return unit(made.map(lambda entry: [entry]))


UNITS = [
    *(lone(st.builds(port, st.just(n), st.sampled_from(SOURCES))) for n in NUMBERS),
    *(
        lone(st.builds(address, st.just(n), numbers, st.sampled_from([1, 2, 1, 2, 0])))
        for n in NUMBERS
    ),
    *(lone(st.builds(forward, st.just(n), number)) for n in NUMBERS),
    *(
        lone(st.builds(filter_, st.just(n), st.tuples(*[st.sampled_from("aadn")] * 4)))
        for n in NUMBERS
    ),
    *(
        unit(st.builds(balanced, st.just(n), st.just(called), st.lists(number, max_size=2)))
        for n in NUMBERS
        for called in NUMBERS
    ),
]


def state(units: list[Unit]) -> State:
    return {(e.map, e.key): e.value for made in units for e in made}


states = st.tuples(*UNITS).map(lambda units: state(list(units)))


@st.composite
def transitions(draw: st.DrawFn) -> tuple[State, State]:
    """Two states that share about half of what they hold."""
    old = [draw(made) for made in UNITS]
    new = [draw(made) if draw(st.booleans()) else was for made, was in zip(UNITS, old, strict=True)]
    # Servers beyond the slots of their listener are what an interrupted plan leaves behind.
    litter = draw(st.lists(st.builds(server, number, number, st.just(2), number), max_size=2))
    return state([*old, litter]), state(new)


def entries_of(held: State) -> frozenset[Entry]:
    return frozenset(Entry(name, key, value) for (name, key), value in held.items())


def moments(work: Plan, held: State) -> Iterator[State]:
    """Every state on the way: each entry is its own system call here."""
    held = dict(held)
    yield held
    for put, name, entries in work.steps():
        for step in entries:
            if put:
                held[name, step.key] = step.value
            else:
                held.pop((name, step.key), None)
            yield dict(held)


def permits(held: State, filters: list[int], source: int, called: int) -> bool:
    """Any drop wins over any accept; a filter that is not there drops."""
    letters = [
        chr(held.get(("filters", NUMBER.pack(number)), b"dddd")[2 * source + called - 1])
        for number in filters
    ]
    return "a" in letters and "d" not in letters


def passing(held: State) -> Passing:
    return {
        (NUMBER.unpack(port_key)[0], source[0], where[0], called, behind)
        for (name, port_key), source in held.items()
        if name == "ports"
        for (other, where), value in held.items()
        if other == "addresses"
        for called in NUMBERS
        for behind in servers_reached(held, value, source[0], called)
    }


def servers_reached(held: State, value: bytes, source: int, called: int) -> Iterator[int]:
    _, _, number_of_filters, number, *filters = ADDRESS.unpack(value)
    way = held.get(("forwards", NUMBER.pack(number)))
    if way is None or not permits(held, filters[:number_of_filters], source, called):
        return
    balancer = FORWARD.unpack(way)[2]
    slots = held.get(("listeners", LISTENER_KEY.pack(balancer, called, 6)))
    for slot in range(NUMBER.unpack(slots)[0] if slots else 0):
        behind = held.get(("servers", SERVER_KEY.pack(balancer, called, 6, slot)))
        if behind is not None:
            yield behind[0]


@settings(max_examples=1000)
@given(transitions())
def test_nothing_passes_that_neither_state_allows(change: tuple[State, State]) -> None:
    old, new = change
    allowed = passing(old) | passing(new)
    for held in moments(plan(entries_of(new), entries_of(old)), old):
        assert passing(held) <= allowed


@settings(max_examples=500)
@given(transitions())
def test_a_plan_ends_where_it_should_and_says_how_far_it_went(change: tuple[State, State]) -> None:
    old, new = change
    work = plan(entries_of(new), entries_of(old))
    *_, last = moments(work, old)
    assert last == new
    size = work.count
    assert len(old) + size.added - size.dropped == len(new)


@settings(max_examples=500)
@given(transitions())
def test_a_forward_that_stays_is_never_absent(change: tuple[State, State]) -> None:
    old, new = change
    staying = {key for key in old.keys() & new.keys() if key[0] == "forwards"}
    for held in moments(plan(entries_of(new), entries_of(old)), old):
        assert staying <= held.keys()


@settings(max_examples=1000)
@given(transitions())
def test_what_does_not_change_keeps_passing(change: tuple[State, State]) -> None:
    old, new = change
    touched = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    steady = {way for way in passing(old) & passing(new) if not chain(old, way) & touched}
    for held in moments(plan(entries_of(new), entries_of(old)), old):
        assert steady <= passing(held)


def chain(held: State, way: tuple[int, int, int, int, int]) -> set[tuple[str, bytes]]:
    """The keys a packet passes along; with a listener, all of its servers."""
    index, _, where, called, _ = way
    _, _, number_of_filters, number, *filters = ADDRESS.unpack(held["addresses", bytes([where])])
    balancer = FORWARD.unpack(held["forwards", NUMBER.pack(number)])[2]
    return {
        ("ports", NUMBER.pack(index)),
        ("addresses", bytes([where])),
        ("forwards", NUMBER.pack(number)),
        ("listeners", LISTENER_KEY.pack(balancer, called, 6)),
        *(("filters", NUMBER.pack(f)) for f in filters[:number_of_filters]),
        # A change at one listener of a balancer counts for all of them.
        *(key for key in held if key[0] == "servers" and NUMBER.unpack_from(key[1])[0] == balancer),
    }


@given(states)
def test_nothing_to_do_is_no_plan(held: State) -> None:
    assert plan(entries_of(held), entries_of(held)) == Plan()


def test_a_change_of_one_value_is_one_update() -> None:
    old, new = filter_(1, ("a",) * 4), filter_(1, ("d",) * 4)
    user = address(1, (1,), 1)
    assert plan({new, user}, {old, user}) == Plan(put=(new,), count=Count(changed=1))


def test_accepting_an_endpoint_is_two_puts_and_its_address_comes_last() -> None:
    closed, opened, way = address(1, (1,), 0), address(1, (1,), 1), forward(1, 1)
    assert plan({opened, way}, {closed}) == Plan(put=(way, opened), count=Count(1, 1, 0))


def test_closing_and_opening_again_keeps_the_address_answering() -> None:
    before, after = address(1, (1,), 1), address(1, (1,), 2)
    old, new = {before, forward(1, 1)}, {after, forward(2, 2)}
    assert plan(new, old) == Plan(
        shut=(forward(1, 1),), put=(forward(2, 2), after), count=Count(1, 1, 1)
    )


def test_another_group_in_place_of_one_that_goes_is_one_update() -> None:
    before, after = address(1, (1,), 1), address(1, (2,), 1)
    gone, come = filter_(1, ("a",) * 4), filter_(2, ("d",) * 4)
    assert plan({after, come}, {before, gone}) == Plan(
        put=(come, after), clear=(gone,), count=Count(1, 1, 1)
    )


def test_a_listener_that_comes_waits_for_an_address_that_narrows() -> None:
    shared = {port(1, 0), forward(1, 1), filter_(1, ("a",) * 4), filter_(2, ("d",) * 4)}
    old, new = {*shared, address(1, (1,), 1)}, {*shared, address(1, (2,), 1), *balanced(1, 1, [1])}
    assert passing(old_state := state([list(old)])) == passing(state([list(new)])) == set()
    assert not any(map(passing, moments(plan(new, old), old_state)))


def test_an_address_that_turns_to_a_group_that_goes_never_meets_it() -> None:
    shared = {port(1, 0), forward(1, 1), filter_(1, ("d",) * 4), *balanced(1, 1, [1])}
    old = {*shared, address(1, (1,), 1), filter_(2, ("a",) * 4)}
    new = {*shared, address(1, (2,), 1)}
    assert passing(old_state := state([list(old)])) == passing(state([list(new)])) == set()
    assert not any(map(passing, moments(plan(new, old), old_state)))


def test_rules_that_move_between_groups_shut_the_address_meanwhile() -> None:
    """Half moved, the two groups would accept what each alone does not."""
    user = address(1, (1, 2), 1)
    old = {user, filter_(1, ("d",) * 4), filter_(2, ("a",) * 4)}
    new = {user, filter_(1, ("n",) * 4), filter_(2, ("n",) * 4)}
    work = plan(new, old)
    assert work.shut == (user,)
    assert work.open == (user,)
