"""Collecting flows that are over, from a table that the program fills."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from privlink.node.flows import ENDED, HALF_OPEN, HALF_OPEN_CROWDED, SECOND
from privlink.node.program.bpf import Map
from privlink.node.program.maps import FLOW, Cause, Flow, Reason
from tests.kernel.cases import connect, finish, pair
from tests.kernel.desk import Desk, packed
from tests.kernel.frames import CLIENT, SERVER, answer, ask, client, server

ESTABLISHED = 900 * SECOND


def newest(desk: Desk) -> int:
    """The newest last_seen of the flow table."""
    return max(flow.last_seen for flow in desk.flows().values())


def test_counts_follow_what_the_sweep_ends_and_go_with_their_forward(lab: Desk) -> None:
    connect(lab)
    connect(lab, 40001)
    lab.send(CLIENT, bytes(client(ask("S", 40002))))
    lab.set_flow_count(9, 0)  # a forward that is gone, and had flows once
    assert lab.sweep(newest(lab)) == 0
    assert (lab.flow_count(7), lab.flow_count(9)) == (3, None)
    assert lab.sweep(newest(lab) + HALF_OPEN) == 1
    assert lab.flow_count(7) == 2
    assert lab.sweep(newest(lab) + ESTABLISHED) == 0
    assert lab.flow_count(7) == 2  # both sides are to be told first
    assert lab.sweep(newest(lab) + ESTABLISHED) == 2
    assert lab.flow_count(7) == 0
    lab.close(7)
    assert lab.sweep(0) == 0
    assert lab.flow_count(7) is None


def test_a_flow_that_begins_anew_during_the_sweep_stays(
    lab: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client comes back with the port it had, after the walk has seen the end of its flow."""
    flows, pages = lab.program.maps["flows"], Map.pages
    connect(lab)
    finish(lab)
    later = newest(lab) + ENDED

    def slow_pages(table: Map) -> Iterator[tuple[bytes, bytes]]:
        yield from list(pages(table))
        if table is flows:
            monkeypatch.undo()
            connect(lab)
            for key, flow in lab.flows().items():
                lab.put_flow(key, flow._replace(last_seen=later))

    monkeypatch.setattr(Map, "pages", slow_pages)
    assert lab.sweep(later) == 0
    assert len(lab.flows()) == 2
    assert lab.flow_count(7) == 1


def test_a_flow_that_is_ended_at_this_moment_makes_its_successor_come_again(lab: Desk) -> None:
    """What the other CPU does in that moment is put into the table by hand."""
    connect(lab)
    finish(lab)
    (ours,) = (key for key, flow in lab.flows().items() if not flow.reverse)
    lab.put_flow(ours, lab.flows()[ours]._replace(taken=1))
    outcome = lab.send(CLIENT, bytes(client(ask())))
    assert (outcome.verdict, outcome.reason) == ("drop", Reason.CHANGING)
    assert len(lab.flows()) == 2
    lab.put_flow(ours, lab.flows()[ours]._replace(taken=0))
    assert lab.send(CLIENT, bytes(client(ask()))).reason is None
    assert lab.flow_count(7) == 1


def test_a_crowded_table_has_less_patience_with_half_open_flows(lab: Desk) -> None:
    flows = lab.program.maps["flows"]
    connect(lab, 40001)
    lab.send(CLIENT, bytes(client(ask())))
    now = newest(lab) + HALF_OPEN_CROWDED
    assert lab.sweep(now) == 0
    fresh = packed(Flow.unpack(bytes(FLOW.size))._replace(last_seen=now, idle=900))
    flows.update_many(
        (number.to_bytes(flows.key_size, "little"), fresh)
        for number in range(flows.max_entries // 2)
    )
    assert lab.sweep(now) == 1
    assert lab.flow_count(7) == 1


def test_the_sweep_takes_no_partner_of_another(lab: Desk) -> None:
    """Half a flow is left over; in its partner's place is another's, whose server speaks."""
    connect(lab)
    later = lab.flows()[pair()[0]].last_seen + ESTABLISHED
    theirs = lab.flows()[pair()[1]]._replace(forward=8, last_seen=later)
    lab.put_flow(pair()[1], theirs)
    assert lab.sweep(later) == 0  # its client is told, ...
    assert lab.sweep(later) == 1  # ... and it is collected
    assert lab.flows() == {pair()[1]: theirs}


@pytest.mark.parametrize(
    ("state", "limit"),
    [("half-open", HALF_OPEN), ("established", ESTABLISHED), ("ended", ENDED)],
)
def test_the_sweep_takes_silent_flows_and_no_others(lab: Desk, state: str, limit: int) -> None:
    if state == "half-open":
        lab.send(CLIENT, bytes(client(ask())))
    else:
        connect(lab)
    if state == "ended":
        finish(lab)
    seen = newest(lab)
    assert lab.sweep(seen + limit - SECOND) == 0
    assert len(lab.flows()) == 2
    assert lab.sweep(seen + limit) == (0 if state == "established" else 1)
    if state == "established":
        assert {flow.revoked for flow in lab.flows().values()} == {Cause.IDLE}
        for sender, said in ((CLIENT, client(ask("A"))), (SERVER, server(answer("A")))):
            outcome = lab.send(sender, bytes(said))
            assert (outcome.verdict, outcome.reason) == ("redirect", Reason.IDLE)
        assert lab.sweep(seen + limit) == 1
    assert lab.flows() == {}


def test_the_sweep_spares_a_flow_while_one_side_still_speaks(lab: Desk) -> None:
    flows = lab.program.maps["flows"]
    connect(lab)
    ((key, flow),) = ((k, f) for k, f in lab.flows().items() if f.reverse)
    flows.delete(key.pack())
    partner = flow.partner(key)
    # The other direction's entry alone is a flow nobody can answer; it goes by itself.
    assert lab.sweep(lab.flows()[partner].last_seen + ESTABLISHED) == 0
    assert lab.sweep(lab.flows()[partner].last_seen + ESTABLISHED) == 1
    assert lab.flows() == {}
    lab.send(CLIENT, bytes(client(ask(sport=5))))
    half_open = newest(lab)
    connect(lab, 6)
    assert lab.sweep(half_open + HALF_OPEN + SECOND) == 1
    assert len(lab.flows()) == 2


def test_a_flow_that_was_ended_under_one_side_tells_the_other_before_it_goes(lab: Desk) -> None:
    """The client was told at its next packet; the server said nothing since."""
    connect(lab)
    lab.close(7)
    assert lab.send(CLIENT, bytes(client(ask("A")))).reason == Reason.CLOSED
    later = newest(lab) + ENDED
    assert lab.sweep(later) == 0
    assert lab.send(SERVER, bytes(server(answer("A")))).reason == Reason.CLOSED
    assert lab.sweep(later) == 1
    assert lab.flows() == {}


def test_who_greets_with_less_than_a_syn_holds_no_place_for_good(lab: Desk) -> None:
    """A server that answers a SYN by a bare acknowledgement, and then nobody says anything."""
    lab.send(CLIENT, bytes(client(ask())))
    lab.send(SERVER, bytes(server(answer("A"))))
    assert lab.sweep(newest(lab) + HALF_OPEN) == 0
    assert lab.sweep(newest(lab) + ESTABLISHED) == 1
    assert lab.flows() == {}
