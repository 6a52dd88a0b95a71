"""Whether new flows find a server, by table: what nodes say, and what follows from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlink.model.balancer import GroupServer, Listener, LoadBalancer
from privlink.model.health import Front, FrontListener, Health, ServerHealth, ServerState
from privlink.model.ids import (
    AccountId,
    ListenerId,
    LoadBalancerId,
    NodeId,
    ServerGroupId,
    VpcId,
    VSwitchId,
    ZoneId,
)
from privlink.model.network import VSwitch
from privlink.model.privatelink import ResourceType
from privlink.rules import health

US, VPC, NLB, GROUP = AccountId("1"), VpcId("vpc-1"), LoadBalancerId("nlb-1"), ServerGroupId("sgp")
A, B = ZoneId("a"), ZoneId("b")
BALANCER = LoadBalancer(NLB, 1, US, VPC, ResourceType.NLB, "Intranet", "", "")
WELL, DOWN, NEW = ServerState.HEALTHY, ServerState.UNHEALTHY, ServerState.INITIAL

# In zone a: what its own servers say and what those of zone b do. Each is a state, None where it
# is not checked, or the weight 0.
Said = tuple[ServerState | int | None, ...]
CASES: list[tuple[str, Said, Said, bool, Health, int, int]] = [
    # what                                 own           others        cross  health  servers well
    ("all are well", (WELL, WELL), (), True, Health.HEALTHY, 2, 2),
    ("one is down", (WELL, DOWN), (), True, Health.DEGRADED, 2, 1),
    ("all are down", (DOWN, DOWN), (), True, Health.UNHEALTHY, 2, 0),
    ("there is none", (), (), True, Health.UNHEALTHY, 0, 0),
    ("one has not answered yet", (WELL, NEW), (), True, Health.HEALTHY, 2, 2),
    ("none has answered yet", (NEW, NEW), (), True, Health.UNKNOWN, 2, 2),
    ("the rest has not answered yet", (DOWN, NEW), (), True, Health.DEGRADED, 2, 1),
    ("none is asked", (None, None), (), True, Health.UNKNOWN, 2, 2),
    ("one takes no new flows", (WELL, 0), (), True, Health.HEALTHY, 1, 1),
    ("none takes new flows", (0, 0), (), True, Health.UNHEALTHY, 0, 0),
    ("others do not count beside its own", (WELL,), (DOWN, DOWN), True, Health.HEALTHY, 1, 1),
    ("nor make it better", (WELL, DOWN), (WELL,), True, Health.DEGRADED, 2, 1),
    ("others stand in for its own", (DOWN,), (WELL, WELL), True, Health.HEALTHY, 2, 2),
    ("in part", (DOWN,), (WELL, DOWN), True, Health.DEGRADED, 2, 1),
    ("it has none of its own", (), (WELL,), True, Health.HEALTHY, 1, 1),
    ("its own take no new flows", (0,), (WELL,), True, Health.HEALTHY, 1, 1),
    ("all of all zones are down", (DOWN,), (DOWN,), True, Health.UNHEALTHY, 2, 0),
    ("others may not stand in", (DOWN,), (WELL,), False, Health.UNHEALTHY, 1, 0),
    ("it has none and others may not", (), (WELL,), False, Health.UNHEALTHY, 0, 0),
]


def servers(said: Said, third: int) -> list[GroupServer]:
    """Servers 10.0.N.1, 10.0.N.2 ..."""
    return [
        GroupServer(GROUP, "Ip", "", f"10.0.{third}.{n}", 80, 0 if each == 0 else 100, "")
        for n, each in enumerate(said, 1)
    ]


def listener(port: int = 80, server_port: int | None = None) -> Listener:
    """A listener on TCP."""
    name = ListenerId(f"lsn-{port}")
    return Listener(name, US, NLB, "TCP", port, port, GROUP, "", server_port=server_port)


def told(server: str, state: ServerState, since: str = "2026", **more: str) -> ServerHealth:
    """A word on a server as asked for zone a."""
    zone, node, why = more.get("zone", A), more.get("node", "node-1"), more.get("why", "")
    where = (NodeId(node), NLB, ZoneId(zone), GROUP, server, 80)
    return ServerHealth(*where, state, why, since)


def front(own: Said, others: Said = (), cross_zone: bool = True, port: int = 80) -> Front:
    """A load balancer with one listener."""
    every = servers(own, 0) + servers(others, 1)
    words = [
        told(server.address, said)
        for server, said in zip(every, own + others, strict=True)
        if isinstance(said, ServerState) and said is not NEW
    ]
    checked = any(isinstance(each, ServerState) for each in own + others)
    return Front(
        BALANCER,
        (A, B),
        cross_zone,
        (FrontListener(listener(port), checked, tuple(every)),),
        {each.address: A if each.address.startswith("10.0.0.") else B for each in every},
        tuple(words),
    )


@pytest.mark.parametrize(
    ("own", "others", "cross_zone", "expected", "count", "well"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_a_listener_is_as_the_servers_that_count(
    own: Said, others: Said, cross_zone: bool, expected: Health, count: int, well: int
) -> None:
    (found,) = health.conditions(front(own, others, cross_zone), A, [4])
    assert (found.health, found.servers, found.well) == (expected, count, well)


ANY = st.lists(st.sampled_from([WELL, DOWN, NEW, 0]), max_size=4).map(tuple)


@given(ANY, ANY, st.booleans())
def test_a_listener_is_unhealthy_where_and_only_where_no_server_takes_a_new_flow(
    own: Said, others: Said, cross_zone: bool
) -> None:
    (found,) = health.conditions(front(own, others, cross_zone), A, [4])
    reachable = own + others if cross_zone else own
    taken = any(each in (WELL, NEW) for each in reachable if each != 0)
    assert (found.health is not Health.UNHEALTHY) == taken
    assert (found.well > 0) == taken
    assert found.well <= found.servers


@pytest.mark.parametrize(
    ("several", "expected"),
    [
        ([], Health.UNHEALTHY),
        (["Healthy"], Health.HEALTHY),
        (["Healthy", "Healthy"], Health.HEALTHY),
        (["Healthy", "Unknown"], Health.HEALTHY),
        (["Unknown", "Unknown"], Health.UNKNOWN),
        (["Unhealthy", "Unhealthy"], Health.UNHEALTHY),
        (["Unhealthy", "Healthy"], Health.DEGRADED),
        (["Unhealthy", "Unknown"], Health.DEGRADED),
        (["Degraded", "Healthy"], Health.DEGRADED),
        (["Degraded", "Unhealthy"], Health.DEGRADED),
    ],
)
def test_listeners_together(several: list[str], expected: Health) -> None:
    conditions = [health.Condition(Health(each)) for each in several]
    assert health.together(conditions).health is expected


def test_a_server_behind_two_listeners_counts_once_and_is_well_if_it_is_behind_both() -> None:
    well = health.Candidate(("sgp", "10.0.0.1", 80), True, health.Word(WELL, since="2026"))
    down = health.Candidate(("sgp", "10.0.0.1", 80), False, health.Word(DOWN, since="2027"))
    both = [health.Condition(Health.HEALTHY, (well,)), health.Condition(Health.UNHEALTHY, (down,))]
    found = health.together(both)
    assert (found.servers, found.well, found.since) == (1, 0, "2027")


def test_each_ip_version_needs_a_server_of_its_own_unless_none_has_any() -> None:
    four = GroupServer(GROUP, "Ip", "", "10.0.0.1", 80, 1, "")
    six = GroupServer(GROUP, "Ip", "", "fd00::1", 80, 1, "")
    words = (told("10.0.0.1", WELL), told("fd00::1", DOWN))

    def found(*behind: GroupServer) -> list[Health]:
        listeners = (FrontListener(listener(), True, behind),)
        balancer = Front(BALANCER, (A,), True, listeners, {}, words)
        versions: list[list[int]] = [[4], [6], [4, 6]]
        return [health.conditions(balancer, A, each)[0].health for each in versions]

    assert found(four, six) == ["Healthy", "Unhealthy", "Degraded"]
    assert found(four) == ["Healthy", "Unhealthy", "Healthy"]
    assert found() == ["Unhealthy", "Unhealthy", "Unhealthy"]


def test_a_server_whose_zone_nobody_knows_is_everywhere() -> None:
    balancer = Front(
        BALANCER,
        (A, B),
        False,
        (FrontListener(listener(), True, tuple(servers((WELL,), 9))),),
        {},
        (told("10.0.9.1", WELL),),
    )
    assert health.conditions(balancer, A, [4])[0].servers == 1
    assert health.conditions(balancer, B, [4])[0].servers == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], (NEW, "", "")),
        ([("1", WELL, "09:00", "")], (WELL, "", "09:00")),
        ([("1", WELL, "09:00", ""), ("2", WELL, "09:05", "")], (WELL, "", "09:05")),
        ([("1", WELL, "09:00", ""), ("2", DOWN, "08:00", "why")], (DOWN, "why", "08:00")),
        ([("1", DOWN, "09:00", "x"), ("2", DOWN, "08:00", "y")], (DOWN, "y", "08:00")),
        ([("1", NEW, "09:00", ""), ("2", WELL, "08:00", "")], (WELL, "", "08:00")),
    ],
)
def test_who_finds_a_server_worst_is_right(
    words: list[tuple[str, ServerState, str, str]], expected: tuple[ServerState, str, str]
) -> None:
    said = [told("s", state, since, node=node, why=why) for node, state, since, why in words]
    found = health.word(said)
    assert (found.state, found.why, found.since) == expected


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("CONNECT_TIMEOUT", "CONNECT_TIMEOUT"),
        ("CONNECT_FAILED: connection refused", "CONNECT_FAILED"),
        ("HTTP_CODE_NOT_MATCH: 503", "HTTP_CODE_NOT_MATCH"),
        ("connection refused", None),
        ("NO_SUCH_CODE: x", None),
        ("", None),
    ],
)
def test_a_reason_begins_with_its_code(why: str, code: str | None) -> None:
    assert health.reason(why) == code


@pytest.mark.parametrize(
    ("checked", "state", "expected"),
    [
        (True, WELL, "normal"),
        (True, DOWN, "abnormal"),
        (True, NEW, "unavailable"),
        (False, WELL, "unavailable"),
    ],
)
def test_a_clb_has_words_of_its_own(checked: bool, state: ServerState, expected: str) -> None:
    assert health.clb_status(checked, state) == expected


@pytest.mark.parametrize(
    ("own", "others", "cross_zone", "is_well"),
    [
        ((WELL,), (), True, True),
        ((DOWN,), (), True, False),
        ((DOWN,), (WELL,), True, True),
        ((DOWN,), (WELL,), False, False),
        ((NEW,), (), True, True),
        ((None,), (), True, True),
        ((), (), True, True),  # nothing is asked, so nothing is known to be down
    ],
)
def test_an_address_is_well_unless_all_it_leads_to_is_known_to_be_down(
    own: Said, others: Said, cross_zone: bool, is_well: bool
) -> None:
    assert health.address_is_well(front(own, others, cross_zone), A, 4) == is_well


def test_an_address_is_as_its_worst_listener() -> None:
    one, other = front((WELL,)), front((DOWN,), port=81)
    behind = FrontListener(other.listeners[0].listener, True, tuple(servers((DOWN,), 3)))
    both = Front(
        BALANCER, (A,), True, (*one.listeners, behind), {}, (*one.told, told("10.0.3.1", DOWN))
    )
    assert not health.address_is_well(both, A, 4)


def test_what_is_asked_is_each_checked_server_in_each_zone() -> None:
    default = GroupServer(GROUP, "eni", "", "10.0.0.1", 0, 100, "")
    listeners = (
        FrontListener(listener(80, 8080), True, (default,)),
        FrontListener(listener(81), False, tuple(servers((WELL,), 1))),
    )
    balancer = Front(BALANCER, (A, B), True, listeners, {}, ())
    assert health.asked(balancer) == {
        ("a", GROUP, "10.0.0.1", 8080),
        ("b", GROUP, "10.0.0.1", 8080),
    }
    assert health.asked(Front(BALANCER, (A,), True, (), {}, ())) == set()


def test_a_server_is_in_the_zone_of_the_vswitch_that_has_its_address() -> None:
    def vswitch(zone: ZoneId, cidr: str, cidr6: str = "") -> VSwitch:
        return VSwitch(VSwitchId(zone), 1, VPC, US, zone, cidr, "", "", "", 1, cidr6=cidr6)

    vswitches = [vswitch(A, "10.0.0.0/24"), vswitch(B, "10.0.1.0/24", "fd00::/64")]
    found = health.located(["10.0.0.9", "10.0.1.9", "10.0.2.9", "fd00::9"], vswitches)
    assert found == {"10.0.0.9": A, "10.0.1.9": B, "fd00::9": B}
