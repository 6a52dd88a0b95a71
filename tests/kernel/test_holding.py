"""Settling on the real kernel: drift is repaired, refusals stay alone, chains are planned whole."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from privlink.model.items import (
    Attachment,
    Filter,
    Forward,
    Item,
    Members,
    Opening,
    Rule,
    Segment,
)
from privlink.node.feed import Answer, Change, Delivery
from privlink.node.holding import Holding
from privlink.node.kernel import Kernel
from privlink.node.links import Fabric
from privlink.node.plug import Port, plug
from privlink.node.program.bpf import Program
from privlink.node.program.maps import FILTER_KEY, NUMBER, SET_KEY, Direction, Entry, Number
from privlink.node.program.upgrade import Move
from privlink.node.purge import purge, traces
from privlink.node.reconcile import Count, Plan, plan
from tests.kernel import lab

CIDR = "10.0.0.0/24"
WORKLOAD = Attachment(1, 1, 1, CIDR, "10.0.0.5", "02:00:00:00:01:05")
ENDPOINT = Forward(1, "10.0.0.9", "02:00:00:00:01:09", (4, 5), Opening(7, 2, "100.64.0.1", 3))
DROPPING, ACCEPTING = (
    Filter(4, (Rule(1, False, "ALL", "0.0.0.0/0", 0, 65535),)),
    Filter(5, (Rule(2, True, "ALL", "0.0.0.0/0", 0, 65535),)),
)
ITEMS: dict[str, Item | None] = {
    "segment/one": Segment(1, 1, CIDR, "10.0.0.253"),
    "attachment/one": WORKLOAD,
    "filter/four": DROPPING,
    "filter/five": ACCEPTING,
    "forward/one": ENDPOINT,
}


class Recorder(Kernel):
    """The kernel, and the plans it carried out."""

    def __init__(self, fabric: Fabric, program: Program, move: Move | None = None) -> None:
        super().__init__(fabric, program, move)
        self.program = program
        self.plans: list[Plan] = []
        self.stumbles = False  # in the middle of a plan, for no reason of the kernel's

    def carry_out(self, plan: Plan) -> None:
        if self.stumbles:
            super().carry_out(msgspec.structs.replace(plan, open=()))
            raise RuntimeError("stumbled")
        self.plans.append(plan)
        super().carry_out(plan)


@pytest.fixture
def instance() -> Iterator[str]:
    name = lab.unique("holding")
    yield name
    purge(name)
    assert traces(name) == []


@pytest.fixture
def kernel(instance: str, bpf_object: Path) -> Iterator[Recorder]:
    opened = Recorder.open(instance, bpf_object)
    with closing(opened.fabric), closing(opened.program):
        yield opened


@pytest.fixture
def holding(kernel: Recorder, instance: str) -> Iterator[Holding]:
    with lab.namespace("workload") as workload:
        plug(
            instance,
            1,
            workload,
            Port("eth0", WORKLOAD.mac, WORKLOAD.address, 24, "10.0.0.253", "10.0.0.0/16"),
        )
        made = Holding(kernel)
        assert not made.take(full(ITEMS)).refused
        assert made.faults == {}
        yield made


def full(items: dict[str, Item | None]) -> Delivery:
    return Delivery(Answer(1, 1, True, changes(items)))


def some(items: dict[str, Item | None]) -> Delivery:
    return Delivery(Answer(1, 2, False, changes(items)))


def changes(items: dict[str, Item | None]) -> list[Change]:
    return [
        Change(key, None if item is None else msgspec.to_builtins(item))
        for key, item in items.items()
    ]


def filter_key(number: int) -> bytes:
    return FILTER_KEY.pack(number, Direction.INGRESS)


def epoch(kernel: Recorder) -> int:
    """What flows are held against; it rises when the rules change."""
    value = kernel.program.maps["numbers"].lookup(NUMBER.pack(Number.EPOCH))
    assert value is not None
    return int(NUMBER.unpack(value)[0])


def set_of(kernel: Recorder, number: int) -> list[tuple[int, bytes]]:
    """The blocks of a set: how many bits, and the end of their address."""
    found = (SET_KEY.unpack(key) for key, _ in kernel.program.maps["sets"].dump())
    return sorted((prefix - 32, at[-4:]) for prefix, of, at in found if of == number)


def test_what_is_in_place_is_left_alone(holding: Holding, kernel: Recorder) -> None:
    assert not holding.sweep().changed
    assert not holding.take(full(ITEMS)).changed
    assert Holding(kernel).take(full(ITEMS)).count == Count()
    assert [plan for plan in kernel.plans[-3:] if plan != Plan()] == []


def test_a_sweep_repairs_maps(holding: Holding, kernel: Recorder) -> None:
    maps = kernel.program.maps
    maps["forwards"].delete(NUMBER.pack(7))
    strange = filter_key(99)
    maps["filters"].update_many([(strange, bytes(maps["filters"].value_size))])
    assert str(holding.sweep()) == "1 added, 0 changed, 1 dropped, 0 refused"
    assert maps["forwards"].lookup(NUMBER.pack(7)) is not None
    assert maps["filters"].lookup(strange) is None


def test_a_sweep_repairs_links(holding: Holding, kernel: Recorder) -> None:
    fabric = kernel.fabric
    lab.run(fabric.name, "tc", "qdisc", "del", "dev", "at1", "clsact")
    lab.run(fabric.name, "ip", "link", "set", "at1", "nomaster")
    lab.run(fabric.name, "ip", "link", "del", "sw1")
    holding.sweep()
    links = fabric.links()
    assert links["at1"].master == links["sw1"].index
    assert fabric.guarded(links["at1"])


def test_a_full_answer_removes_links_of_no_item_unless_they_are_news(
    holding: Holding, kernel: Recorder
) -> None:
    kernel.fabric.make_bridge("sw8")
    kernel.fabric.make_bridge("sw9")
    holding.take(
        Delivery(Answer(1, 3, True, changes(ITEMS)), present=frozenset({"sw1", "at1", "sw8"}))
    )
    assert kernel.fabric.names() == {"sw1", "at1", "sw9"}


def test_the_kernel_refuses_one_item_and_the_others_stand(
    holding: Holding, kernel: Recorder
) -> None:
    libbpf = ctypes.CDLL("libbpf.so.1")
    assert libbpf.bpf_map_freeze(kernel.program.maps["filters"].fd) == 0  # from here on read-only
    reopened = msgspec.structs.replace(ENDPOINT, opening=Opening(8, 2, "100.64.0.2", 3))
    changed = {"filter/four": Filter(4, ()), "forward/one": reopened}
    assert holding.take(some(changed)).refused == 1
    assert [*holding.faults] == ["filter/four"]
    assert "write the eBPF map filters" in holding.faults["filter/four"]
    assert kernel.program.maps["forwards"].lookup(NUMBER.pack(8)) is not None
    outcome = holding.take(some({"filter/four": DROPPING}))  # what is still there
    assert (outcome.refused, outcome.news, holding.faults) == (0, True, {})


def test_a_filter_that_cannot_be_narrowed_permits_nothing(
    holding: Holding, kernel: Recorder
) -> None:
    filters, four = kernel.program.maps["filters"], FILTER_KEY.pack(4, Direction.INGRESS)
    assert filters.lookup(four) is not None
    libbpf = ctypes.CDLL("libbpf.so.1")
    assert libbpf.bpf_map_freeze(kernel.program.maps["rules"].fd) == 0
    narrower = Filter(4, (Rule(1, True, "TCP", "10.0.0.9/32", 1, 1),))
    assert holding.take(some({"filter/four": narrower})).refused == 1
    assert filters.lookup(four) is None


def test_a_link_that_cannot_join_is_refused(holding: Holding, kernel: Recorder) -> None:
    kernel.fabric.make_bridge("at2")  # a bridge is no port of a bridge
    other = Attachment(2, 1, 1, CIDR, "10.0.0.6", "02:00:00:00:01:06")
    holding.take(some({"attachment/two": other}))
    assert "make at2 a port of sw1" in holding.faults["attachment/two"]
    assert holding.take(some({"attachment/two": None})).news
    assert kernel.fabric.link("at2") is None


def test_rules_that_move_between_groups_shut_the_endpoint_meanwhile(
    holding: Holding, kernel: Recorder
) -> None:
    """The endpoint is not among the changes; that both groups are on its chain is."""
    holding.take(some({"filter/four": Filter(4, ()), "filter/five": Filter(5, ())}))
    plan = kernel.plans[-1]
    assert [entry.map for entry in plan.shut] == ["addresses"]
    assert plan.open == plan.shut


def test_an_item_of_another_age_is_refused_alone(holding: Holding) -> None:
    strange = Change("tunnel/x", {"kind": "tunnel", "number": 1})
    holding.take(Delivery(Answer(1, 2, False, [strange, *changes({"forward/one": None})])))
    assert [*holding.faults] == ["tunnel/x"]
    assert holding.take(some({"tunnel/x": None})).news
    assert holding.faults == {}


def test_an_item_beyond_what_a_map_can_hold_is_refused_alone(
    holding: Holding, caplog: pytest.LogCaptureFixture
) -> None:
    """The packing of a number into its bytes fails, with an error nobody named."""
    beyond = Filter(9, (Rule(1000, True, "ALL", "0.0.0.0/0", 0, 65535),))
    other = Forward(1, "10.0.0.10", "02:00:00:00:01:10", (4,), None)
    outcome = holding.take(some({"filter/beyond": beyond, "forward/other": other}))
    assert (outcome.count.added, outcome.refused) == (1, 1)
    assert [*holding.faults] == ["filter/beyond"]
    assert holding.faults["filter/beyond"].startswith("error: ")
    holding.sweep()
    assert [record.exc_info is None for record in caplog.records] == [False]
    holding.take(some({"filter/beyond": None}))
    assert holding.faults == {}


def test_answers_that_queued_up_are_one_settling(holding: Holding, kernel: Recorder) -> None:
    before = len(kernel.plans)
    first, second = (
        Forward(1, f"10.0.0.{number}", "02:00:00:00:01:10", (4,), None) for number in (10, 11)
    )
    assert not holding.take(
        some({"forward/first": first, "forward/second": second, "segment/two": None}),
        some({"forward/first": None, "segment/two": Segment(2, 2, CIDR, "10.0.0.253")}),
        some({"segment/two": None}),
    ).refused
    (plan,) = kernel.plans[before:]
    assert [entry.map for entry in plan.open] == ["addresses"]
    assert kernel.fabric.link("sw2") is None


def test_of_queued_answers_a_full_one_is_all_there_is_before_what_follows(
    holding: Holding, kernel: Recorder
) -> None:
    other = Forward(1, "10.0.0.10", "02:00:00:00:01:10", (4,), None)
    without = {key: item for key, item in ITEMS.items() if key != "forward/one"}
    holding.take(some({"forward/other": other}), full(without), some({"filter/four": None}))
    assert [entry.map for entry in kernel.observed()].count("addresses") == 1  # the gateway
    assert kernel.program.maps["filters"].lookup(filter_key(4)) is None
    assert kernel.program.maps["filters"].lookup(filter_key(5)) is not None


def test_a_settling_that_broke_off_is_made_good_by_the_next(
    holding: Holding, kernel: Recorder
) -> None:
    reopened = msgspec.structs.replace(ENDPOINT, opening=Opening(8, 2, "100.64.0.2", 3))
    answer = some({"forward/one": reopened, "filter/four": Filter(4, ())})
    kernel.stumbles = True
    with pytest.raises(RuntimeError, match="stumbled"):
        holding.take(answer)
    kernel.stumbles = False
    # Meanwhile all is as it was before; what is remembered says that nothing is to be done.
    holding.take(answer, some({"forward/one": ENDPOINT, "filter/four": DROPPING}))
    assert kernel.program.maps["forwards"].lookup(NUMBER.pack(7)) is not None
    assert kernel.program.maps["forwards"].lookup(NUMBER.pack(8)) is None
    assert not holding.sweep().changed


def test_a_link_that_goes_is_news_and_no_fault(holding: Holding, kernel: Recorder) -> None:
    assert holding.plugged == {"attachment/one": True}
    kernel.fabric.remove("at1")
    assert holding.look({"at1"}).news
    assert (holding.plugged, holding.faults) == ({"attachment/one": False}, {})
    assert holding.take(some({"attachment/one": None})).news
    assert holding.plugged == {}


def test_the_members_of_a_set_come_change_and_go(holding: Holding, kernel: Recorder) -> None:
    holding.take(some({"members/six": Members(6, ("10.0.0.5", "10.1.0.0/16"))}))
    assert set_of(kernel, 6) == [(112, bytes((10, 1, 0, 0))), (128, bytes((10, 0, 0, 5)))]
    outcome = holding.take(some({"members/six": Members(6, ("10.0.0.6", "10.1.0.0/16"))}))
    assert outcome.count == Count(added=1, dropped=1)
    assert set_of(kernel, 6) == [(112, bytes((10, 1, 0, 0))), (128, bytes((10, 0, 0, 6)))]
    assert not holding.sweep().changed
    holding.take(some({"members/six": None}))
    assert set_of(kernel, 6) == []


def test_a_set_of_what_is_no_block_is_refused_alone(holding: Holding, kernel: Recorder) -> None:
    holding.take(some({"members/six": Members(6, ("10.0.0.300",)), "members/s": Members(8, ())}))
    assert holding.faults == {"members/six": "'10.0.0.300' is no IP address"}
    assert set_of(kernel, 6) == []


BY_SET = Rule(1, True, "ALL", "", 0, 65535, 6)
OTHER_SET = Rule(2, False, "ALL", "", 0, 65535, 8)


def test_two_sets_of_one_group_shut_the_endpoint_while_both_change(
    holding: Holding, kernel: Recorder
) -> None:
    """Neither the endpoint nor the group is among the changes; that both sets meet there is."""
    holding.take(
        some({
            "filter/four": Filter(4, (BY_SET, OTHER_SET)),
            "members/six": Members(6, ("10.0.0.5",)),
            "members/eight": Members(8, ("10.0.0.6",)),
        })
    )  # fmt: skip
    changed: dict[str, Item | None] = {"members/six": Members(6, ()), "members/eight": None}
    holding.take(some(changed))
    plan = kernel.plans[-1]
    assert [entry.map for entry in plan.shut] == ["addresses"]
    assert plan.open == plan.shut
    holding.take(some({"members/six": Members(6, ("10.0.0.7",))}))
    assert kernel.plans[-1].shut == ()


def test_a_set_and_an_endpoint_that_change_together_shut_the_endpoint_meanwhile(
    holding: Holding, kernel: Recorder
) -> None:
    """The group is not among the changes; that it leads from the one to the other is seen."""
    holding.take(
        some({"filter/four": Filter(4, (BY_SET,)), "members/six": Members(6, ("10.0.0.5",))})
    )
    narrower = msgspec.structs.replace(ENDPOINT, filters=(4,))
    holding.take(some({"forward/one": narrower, "members/six": Members(6, ("10.0.0.6",))}))
    plan = kernel.plans[-1]
    assert [entry.map for entry in plan.shut] == ["addresses"]
    assert [entry.map for entry in plan.open] == ["addresses"]


def test_a_newcomer_to_a_group_that_a_rule_names_is_planned_without_the_others(
    holding: Holding, kernel: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []

    def counting(desired: Iterable[Entry], observed: Iterable[Entry]) -> Plan:
        was = [*observed]
        given.append(sum(entry.map == "addresses" for entry in was))
        return plan(desired, was)

    def endpoint(host: int) -> Forward:
        return Forward(1, f"10.0.0.{host}", f"02:00:00:00:01:{host}", (4,), None)

    holding.take(
        some({
            "filter/four": Filter(4, (BY_SET,)),
            "members/six": Members(6, ("10.0.0.10",)),
            "forward/ten": endpoint(10),
        })
    )  # fmt: skip
    monkeypatch.setattr("privlink.node.holding.plan", counting)
    both = Members(6, ("10.0.0.10", "10.0.0.11"))
    coming: dict[str, Item | None] = {"forward/eleven": endpoint(11), "members/six": both}
    assert holding.take(some(coming)).count == Count(added=2)
    assert (given, set_of(kernel, 6)[-1]) == ([0], (128, bytes((10, 0, 0, 11))))
    holding.take(some({"members/six": Members(6, ()), "filter/four": DROPPING}))
    assert given == [0, 3]
    assert not holding.sweep().changed


def test_a_workload_is_a_user_of_its_groups(holding: Holding, kernel: Recorder) -> None:
    """Egress rules that move between groups shut the workload's port meanwhile."""
    obeying = msgspec.structs.replace(WORKLOAD, filters=(4, 5))
    assert not holding.take(some({"attachment/one": obeying})).refused
    assert kernel.plans[-1].shut == ()  # its groups alone changed
    four, five = (msgspec.structs.replace(it, egress=it.rules) for it in (DROPPING, ACCEPTING))
    holding.take(some({"filter/four": four, "filter/five": five}))
    plan = kernel.plans[-1]
    assert [entry.map for entry in plan.shut] == ["ports"]
    assert plan.open == plan.shut
    assert not holding.sweep().changed
    holding.take(some({"attachment/one": WORKLOAD}))  # a user no more
    holding.take(some({"filter/four": DROPPING, "filter/five": ACCEPTING}))
    assert kernel.plans[-1].shut == ()


def test_a_change_of_the_rules_begins_an_epoch_and_a_new_endpoint_none(
    holding: Holding, kernel: Recorder
) -> None:
    def risen(answer: dict[str, Item | None]) -> int:
        before = epoch(kernel)
        assert not holding.take(some(answer)).refused
        return epoch(kernel) - before

    unaccepted = Forward(1, "10.0.0.10", "02:00:00:00:01:10", (4,), None)
    accepted = msgspec.structs.replace(unaccepted, opening=Opening(8, 2, "100.64.0.2", 3))
    wider = msgspec.structs.replace(accepted, filters=(4, 5))
    assert risen({"forward/two": unaccepted}) == 0
    assert risen({"forward/two": accepted}) == 0
    assert risen({"filter/nine": Filter(9, ())}) == 0
    assert risen({"segment/two": Segment(2, 2, CIDR, "10.0.0.253")}) == 0
    assert risen({"forward/two": wider}) == 1
    assert risen({"filter/four": Filter(4, ())}) == 1
    assert risen({"filter/four": Filter(4, (), DROPPING.rules)}) == 1
    assert risen({"filter/four": Filter(4, (), DROPPING.rules)}) == 0  # as it is
    assert risen({"members/six": Members(6, ("10.0.0.5",))}) == 1
    assert risen({"members/six": Members(6, ("10.0.0.6",)), "filter/nine": None}) == 1
    assert risen({"attachment/one": msgspec.structs.replace(WORKLOAD, filters=(4,))}) == 1
    assert risen({"attachment/one": WORKLOAD}) == 0  # whoever obeys no group may all


def test_rules_that_were_not_all_put_begin_an_epoch_all_the_same(
    holding: Holding, kernel: Recorder
) -> None:
    libbpf = ctypes.CDLL("libbpf.so.1")
    assert libbpf.bpf_map_freeze(kernel.program.maps["filters"].fd) == 0  # from here on read-only
    before = epoch(kernel)
    holding.take(some({"members/six": Members(6, ("10.0.0.5",)), "filter/four": Filter(4, ())}))
    assert [*holding.faults] == ["filter/four"]
    assert epoch(kernel) > before


def test_a_start_begins_an_epoch(
    holding: Holding, kernel: Recorder, instance: str, bpf_object: Path
) -> None:
    """Whoever was here before may have died between a change of the rules and its epoch."""
    before = epoch(kernel)
    again = Recorder.open(instance, bpf_object)
    with closing(again.fabric), closing(again.program):
        assert epoch(again) == epoch(kernel) == before + 1
        assert not Holding(again).take(full(ITEMS)).refused
        assert epoch(again) == before + 1


def test_an_epoch_after_the_last_number_is_the_first(kernel: Recorder) -> None:
    key = NUMBER.pack(Number.EPOCH)
    kernel.program.maps["numbers"].update_many([(key, NUMBER.pack((1 << 32) - 1))])
    kernel.begin_epoch()
    assert epoch(kernel) == 0
