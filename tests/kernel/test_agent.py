"""The real agent, as a process, on the real kernel; only the server is a stand-in.

    client 10.0.0.5 ── sw1, VPC 1 ── endpoint 10.0.0.9 ══ forward 7 ══ VPC 2, sw2 ── server 10.0.0.5
                                                      seen as 100.64.0.1

Both networks are 10.0.0.0/24, and both workloads have the same address.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest

from privlink.model.items import (
    Attachment,
    Balancer,
    Filter,
    Forward,
    Item,
    Listener,
    Opening,
    Protocol,
    Rule,
    Segment,
    Server,
)
from privlink.model.traffic import PlaceTraffic
from privlink.node.plug import Port, plug
from privlink.node.program.maps import LAYOUT
from privlink.node.purge import purge, traces
from tests.kernel import former, lab
from tests.kernel.feedbox import Feedbox, Report

CIDR, GATEWAY = "10.0.0.0/24", "10.0.0.253"
CLIENT = Attachment(1, 1, 1, CIDR, "10.0.0.5", "02:00:00:00:01:05")
SERVER = Attachment(2, 2, 2, CIDR, "10.0.0.5", "02:00:00:00:02:05")
ENDPOINT = "10.0.0.9"
CLOSED = Forward(1, ENDPOINT, "02:00:00:00:01:09", (4,), None)
OPEN = msgspec.structs.replace(CLOSED, opening=Opening(7, 2, "100.64.0.1", 3))
ITEMS: dict[str, Item | None] = {
    "segment/one": Segment(1, 1, CIDR, GATEWAY),
    "segment/two": Segment(2, 2, CIDR, GATEWAY),
    "attachment/client": CLIENT,
    "attachment/server": SERVER,
    "balancer/nlb": Balancer(
        3, (Listener(Protocol.TCP, 80, 80, (Server("10.0.0.5", 8080, 100),)),)
    ),
    "filter/sg": Filter(4, (Rule(1, True, "ALL", "0.0.0.0/0", 0, 65535),)),
    "forward/ep": OPEN,
}  # fmt: skip


class Node:
    """An agent process that can die and come again, and what it stands between."""

    def __init__(self, feedbox: Feedbox, bpf_object: Path, log: Path) -> None:
        self.instance = lab.unique("agent")
        self.feedbox = feedbox
        self.client = self.server = ""
        self._object = bpf_object
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *program: str) -> None:
        """Start the agent, or a program that becomes one."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *(program or ("-m", "privlink.node"))],
                stdin=subprocess.PIPE,
                stderr=log,
            )
        configuration = {
            "server": f"http://127.0.0.1:{self.feedbox.port}",
            "node_id": "node-1",
            "access_key_id": "key",
            "access_key_secret": "very secret",
            "instance": self.instance,
            "object_path": str(self._object),
        }
        assert self._process.stdin is not None
        with self._process.stdin as stdin:
            stdin.write(msgspec.json.encode(configuration))

    def end(self, number: signal.Signals, times: int = 1) -> int:
        """Send the process a signal, once or more often, and return its exit status."""
        assert self._process is not None
        for _ in range(times):
            self._process.send_signal(number)
        status = self._process.wait(lab.PATIENCE)
        self._process = None
        return status

    def close(self) -> None:
        if self._process is not None:
            self.end(signal.SIGKILL)
        purge(self.instance)
        assert traces(self.instance) == []
        assert "very secret" not in self.log()

    def log(self) -> str:
        return self._log.read_text()

    def put(self, **items: Item | None) -> None:
        """Change items and wait until the node says it is done."""
        changes = {key.replace("_", "/"): item for key, item in items.items()}
        self.feedbox.await_report(self.feedbox.put(changes), lambda report: not report.faults)

    def plug(self, attachment: Attachment, netns: str) -> None:
        port = Port("eth0", attachment.mac, attachment.address, 24, GATEWAY, "10.0.0.0/16")
        plug(self.instance, attachment.number, netns, port)


@pytest.fixture
def feedbox() -> Iterator[Feedbox]:
    box = Feedbox()
    box.open()
    yield box
    box.close()


@pytest.fixture
def bare(feedbox: Feedbox, bpf_object: Path, tmp_path: Path) -> Iterator[Node]:
    """A node with two workload namespaces beside it, nothing plugged in, nothing desired."""
    node = Node(feedbox, bpf_object, tmp_path / "log")
    with ExitStack() as stack:
        stack.callback(node.close)
        node.client = stack.enter_context(lab.namespace("client"))
        node.server = stack.enter_context(lab.namespace("server"))
        node.start()
        feedbox.await_report(1)
        yield node


@pytest.fixture
def node(bare: Node) -> Node:
    """A node with the picture above in place."""
    bare.plug(CLIENT, bare.client)
    bare.plug(SERVER, bare.server)
    bare.feedbox.await_report(bare.feedbox.put(ITEMS), lambda report: not report.faults)
    return bare


def test_bytes_flow_between_two_networks_that_look_the_same(node: Node) -> None:
    with lab.echo_server(node.server, 8080) as callers:
        assert lab.ask(node.client, ENDPOINT, 80, b"hello" * 100_000) == b"hello" * 100_000
    assert callers == ["100.64.0.1"]


def test_a_gateway_and_an_endpoint_answer_a_ping(node: Node) -> None:
    for address in (GATEWAY, ENDPOINT):
        lab.ping(node.client, address)


def test_what_passes_is_told_to_the_server_and_outlives_the_agent(node: Node) -> None:
    node.put(forward_ep=msgspec.structs.replace(OPEN, number=91))
    with lab.echo_server(node.server, 8080):
        lab.ask(node.client, ENDPOINT, 80, b"hello" * 1000)
        once = node.feedbox.await_traffic(91, lambda each: least(each) > 5000)
        node.end(signal.SIGKILL)
        lab.ask(node.client, ENDPOINT, 80, b"hello" * 1000)
        node.feedbox.traffic.clear()
        node.start()
        twice = node.feedbox.await_traffic(91, lambda each: least(each) > least(once) + 5000)
    assert (once.counters.opened, twice.counters.opened) == (1, 2)


def least(said: PlaceTraffic) -> int:
    """The bytes of the direction that had fewer."""
    return min(each.bytes for each in said.counters.carried)


def test_closing_refuses_and_opening_again_lets_in(node: Node) -> None:
    with lab.echo_server(node.server, 8080), lab.connect(node.client, ENDPOINT, 80) as running:
        running.sendall(b"before")
        assert running.recv(6) == b"before"
        node.put(forward_ep=CLOSED)
        with pytest.raises(ConnectionRefusedError):
            lab.connect(node.client, ENDPOINT, 80)
        # It says nothing, and hears of it all the same.
        with pytest.raises(ConnectionResetError):
            running.recv(6)
        reopened = msgspec.structs.replace(OPEN, opening=Opening(8, 2, "100.64.0.2", 3))
        node.put(forward_ep=reopened)
        assert lab.ask(node.client, ENDPOINT, 80) == b"hello"


def test_only_the_named_port_is_reached_and_nothing_goes_back(node: Node) -> None:
    with lab.echo_server(node.server, 8080), lab.echo_server(node.server, 8081):
        with pytest.raises(ConnectionRefusedError):
            lab.connect(node.client, ENDPOINT, 8081)
        with lab.echo_server(node.client, 9000), pytest.raises(OSError):
            lab.connect(node.server, "100.64.0.1", 9000, timeout=0.3)


def test_changes_to_others_do_not_touch_a_running_flow(node: Node) -> None:
    with lab.echo_server(node.server, 8080), transfer(node):
        for number in range(10, 40):
            other = Forward(1, f"10.0.0.{number}", "02:00:00:00:01:10", (4,), None)
            node.put(forward_other=other)
        node.put(forward_other=None)
        node.put(balancer_other=Balancer(9, ()))


def test_kill_and_restart_during_a_transfer(node: Node) -> None:
    with lab.echo_server(node.server, 8080), transfer(node):
        for turn in (1, 2, 3):
            node.end(signal.SIGKILL)
            assert lab.ask(node.client, ENDPOINT, 80) == b"hello"
            reports = len(node.feedbox.reports)
            node.start()
            report = node.feedbox.await_first_report(reports)
            assert (report.revision, report.faults) == (node.feedbox.revision, {})
            nothing = "revision 2: 0 added, 0 changed, 0 dropped, 0 refused"
            lab.eventually(lambda: node.log().count(nothing) == turn)  # noqa: B023
            assert lab.ask(node.client, ENDPOINT, 80) == b"hello"


def test_killed_in_the_middle_of_work_it_ends_up_right(node: Node) -> None:
    """Ten deaths while thirty balancers come and go; then everything is as it should be."""
    with lab.echo_server(node.server, 8080), transfer(node):
        for turn in range(10):
            items: dict[str, Item | None] = {
                f"balancer/{number}": None
                if (number + turn) % 3 == 0
                else Balancer(100 + number, (Listener(Protocol.TCP, 80 + turn, 80 + turn, ()),))
                for number in range(30)
            }
            node.feedbox.put(items)
            node.end(signal.SIGKILL)
            node.start()
        node.feedbox.await_report(node.feedbox.revision, lambda report: not report.faults)
    node.end(signal.SIGKILL)
    before = node.log().count("revision")
    node.start()
    lab.eventually(lambda: node.log().count("revision") > before)
    assert "0 added, 0 changed, 0 dropped, 0 refused" in node.log().splitlines()[-1]


def test_what_went_while_it_was_dead_goes_when_it_returns(node: Node) -> None:
    node.end(signal.SIGKILL)
    node.feedbox.forget("forward/ep")
    node.feedbox.forget("attachment/server")
    node.feedbox.forget("segment/two")
    node.start()
    lab.eventually(lambda: "4 dropped" in node.log() or "5 dropped" in node.log())
    node.feedbox.await_report(node.feedbox.revision)
    assert f"privlink-{node.instance}/at2" not in traces(node.instance)
    assert f"privlink-{node.instance}/sw2" not in traces(node.instance)
    assert f"privlink-{node.instance}/at1" in traces(node.instance)


def test_sigterm_leaves_the_traffic_alone(node: Node) -> None:
    with lab.echo_server(node.server, 8080), transfer(node):
        assert node.end(signal.SIGTERM) == 0
        assert lab.ask(node.client, ENDPOINT, 80) == b"hello"


def test_it_ends_however_often_it_is_told_to(node: Node) -> None:
    # In its last moments nobody handles signals any more.
    assert node.end(signal.SIGTERM, times=1000) in (0, -signal.SIGTERM)


def test_a_server_outage_is_two_lines_in_the_log(node: Node) -> None:
    with lab.echo_server(node.server, 8080), transfer(node):
        node.feedbox.close()
        lab.eventually(lambda: "feed lost" in node.log())
        assert lab.ask(node.client, ENDPOINT, 80) == b"hello"
        pulls = len(node.feedbox.pulls)
        node.feedbox.open()
        node.feedbox.await_pull(pulls)
        node.put(balancer_other=Balancer(9, ()))
    assert node.log().count("feed lost") == 1
    assert node.log().count("feed is back") == 1


def test_flows_of_an_older_layout_move_once_the_server_answers(node: Node) -> None:
    with lab.echo_server(node.server, 8080), transfer(node):
        node.end(signal.SIGKILL)
        with former.former(node.instance):
            node.feedbox.close()
            reports = len(node.feedbox.reports)
            node.start()
            lab.eventually(lambda: "there are flows of layout 1" in node.log())
            assert lab.ask(node.client, ENDPOINT, 80) == b"hello"
            assert "moved" not in node.log()
            node.feedbox.open()
            report = node.feedbox.await_first_report(reports)
            assert (report.revision, report.faults) == (node.feedbox.revision, {})
        lab.eventually(lambda: f"1 flow moved from layout 1 to {LAYOUT} in" in node.log())
        assert lab.ask(node.client, ENDPOINT, 80) == b"hello"


def test_a_fresh_fabric_says_first_that_nothing_is_here(bare: Node) -> None:
    assert bare.feedbox.reports[0].revision == 0
    assert bare.feedbox.reports[0].fabric == f"privlink-{bare.instance}"


def test_a_bare_node_pulls_nothing_before_that_is_heard(
    feedbox: Feedbox, bpf_object: Path, tmp_path: Path
) -> None:
    """Nor one that died between making its fabric and being heard."""
    node = Node(feedbox, bpf_object, tmp_path / "log")
    feedbox.objection = "not now"
    try:
        for turn in (1, 2):
            node.start()
            feedbox.await_refusals(3 * turn)
            if turn == 1:
                node.end(signal.SIGKILL)
        feedbox.close()
        assert feedbox.pulls == []
        feedbox.objection = ""
        feedbox.open()
        feedbox.await_pull(0)
        assert [(report.life, report.revision) for report in feedbox.reports[:1]] == [(0, 0)]
        feedbox.await_report(feedbox.revision)
    finally:
        node.close()


def test_an_attachment_is_unplugged_until_somebody_plugs_it_in(bare: Node) -> None:
    revision = bare.feedbox.put(ITEMS)
    report = bare.feedbox.await_report(revision)
    assert report.faults == {}
    assert await_links(bare, client=False, server=False).life == 1
    bare.plug(CLIENT, bare.client)
    await_links(bare, client=True, server=False)
    with lab.namespace("brief") as brief:
        bare.plug(SERVER, brief)
        await_links(bare, client=True, server=True)
    await_links(bare, client=True, server=False)


def await_links(node: Node, **links: bool) -> Report:
    """Wait until the server was told of these attachments that they are plugged in, or not."""
    told = {f"attachment/{name}": there for name, there in links.items()}
    return node.feedbox.await_report(node.feedbox.revision, lambda report: report.links == told)


def test_a_report_tells_only_news_of_links_until_everything_is_asked_for(node: Node) -> None:
    await_links(node, client=True, server=True)
    node.put(balancer_other=Balancer(9, ()))
    assert node.feedbox.reports[-1].plugged == []
    reports = len(node.feedbox.reports)
    node.feedbox.begin_life(2)
    report = node.feedbox.await_report(
        node.feedbox.revision, lambda report: report.life == 2 and bool(report.plugged)
    )
    assert {*report.plugged} == {"attachment/client", "attachment/server"}
    assert report.unplugged == []
    assert all(report.life in (1, 2) for report in node.feedbox.reports[reports:])


def test_a_thousand_attachments_nobody_plugs_in_silence_nobody(node: Node) -> None:
    idle: dict[str, Item | None] = {
        f"attachment/idle{number}": msgspec.structs.replace(CLIENT, number=100 + number)
        for number in range(1001)
    }
    node.feedbox.put(idle)
    node.feedbox.await_report(node.feedbox.revision, lambda report: len(report.links) == 1003)
    node.put(forward_other=Forward(1, "10.0.0.10", "02:00:00:00:01:10", (4,), None))
    for report in node.feedbox.reports:
        assert len(report.plugged) + len(report.unplugged) <= 500
        assert report.faults == {}


def test_too_many_faults_hold_back_the_revision_and_nothing_else(node: Node) -> None:
    good = node.feedbox.revision
    strange = Filter(9, (Rule(1, True, "GRE", "0.0.0.0/0", 0, 65535),))
    many: dict[str, Item | None] = {f"filter/{number}": strange for number in range(1001)}
    node.feedbox.put({**many, "forward/ep": CLOSED})
    report = node.feedbox.await_report(good, lambda report: len(report.faults) == 1000)
    assert report.revision == good
    with pytest.raises(ConnectionRefusedError):
        lab.connect(node.client, ENDPOINT, 80)
    node.feedbox.put({"filter/0": None})
    node.feedbox.await_report(node.feedbox.revision, lambda report: len(report.faults) == 1000)


def test_a_refused_report_is_one_line_in_the_log_and_is_sent_again(node: Node) -> None:
    node.feedbox.objection = "too long"
    node.feedbox.put({"balancer/other": Balancer(9, ())})
    node.feedbox.await_refusals(1)
    node.feedbox.put({"balancer/other": Balancer(9, (Listener(Protocol.TCP, 80, 80, ()),))})
    node.feedbox.await_refusals(2)
    node.feedbox.objection = ""
    node.put(balancer_other=None)
    refused = [line for line in node.log().splitlines() if "refuses our reports" in line]
    assert refused == ["WARNING privlink.node.agent: the server refuses our reports: "
                       "Objection: too long"]  # fmt: skip


def test_what_makes_a_turn_fail_is_tried_again_in_peace(node: Node) -> None:
    """The first four plans break off half-way, and not as the kernel breaks things off."""
    node.end(signal.SIGKILL)
    node.feedbox.put({"forward/ep": CLOSED})
    pulls = len(node.feedbox.pulls)
    node.start("-c", STUMBLING)
    node.feedbox.await_report(node.feedbox.revision, lambda report: not report.faults)
    with pytest.raises(ConnectionRefusedError):
        lab.connect(node.client, ENDPOINT, 80)
    assert node.log().count("this turn failed") == 4
    assert node.feedbox.pulls[pulls:].count(0) == 1


STUMBLING = """
from privlink.node import kernel
from privlink.node.__main__ import main

class Kernel(kernel.Kernel):
    steps = 0

    def carry_out(self, plan):
        Kernel.steps += 1
        if Kernel.steps < 5:
            raise RuntimeError("stumbled")
        super().carry_out(plan)

import privlink.node.__main__ as node
node.Kernel = Kernel
raise SystemExit(main())
"""


def test_a_link_that_is_plugged_in_before_its_item_comes_stays(bare: Node) -> None:
    bare.plug(CLIENT, bare.client)
    bare.put(segment_one=ITEMS["segment/one"])
    bare.put(attachment_client=CLIENT)
    bare.put(attachment_client=None)
    assert lab.eventually(lambda: "eth0" not in lab.run(bare.client, "ip", "link"))
    bare.put(segment_one=None)
    assert f"privlink-{bare.instance}/sw1" not in traces(bare.instance)


def test_what_cannot_be_is_refused_alone(node: Node) -> None:
    crowded = Forward(1, "10.0.0.77", "02:00:00:00:01:77", tuple(range(1, 12)), None)
    revision = node.feedbox.put({"forward/crowded": crowded, "forward/ep": CLOSED})
    report = node.feedbox.await_report(revision)
    assert report.faults == {
        "forward/crowded": ("Refused", "10.0.0.77 has 11 security groups; at most 10 fit")
    }
    with pytest.raises(ConnectionRefusedError):
        lab.connect(node.client, ENDPOINT, 80)
    node.put(forward_crowded=None)


def test_drops_are_counted_with_their_reason(node: Node) -> None:
    node.put(forward_ep=CLOSED)
    with pytest.raises(ConnectionRefusedError):
        lab.connect(node.client, ENDPOINT, 80)
    node.put(forward_ep=OPEN)
    assert node.feedbox.reports[-1].drops["not_accepted"] >= 1


def test_workloads_keep_to_their_address(node: Node) -> None:
    with lab.echo_server(node.server, 8080):
        assert lab.ask(node.client, ENDPOINT, 80) == b"hello"
        lab.run(node.client, "ip", "addr", "add", "10.0.0.6/24", "dev", "eth0")

        def dial_as_another() -> socket.socket:
            return socket.create_connection(
                (ENDPOINT, 80), timeout=0.3, source_address=("10.0.0.6", 0)
            )

        with pytest.raises(TimeoutError):
            lab.system.within(lab.path(node.client), dial_as_another)


@contextmanager
def transfer(node: Node) -> Iterator[None]:
    """One connection that keeps echoing while the body runs, and must not break."""
    over = threading.Event()
    rounds: list[int] = []
    failures: list[Exception] = []

    def keep_echoing(connection: socket.socket) -> None:
        try:
            while not over.is_set():
                chunk = os.urandom(32768)
                connection.sendall(chunk)
                assert lab.receive(connection, len(chunk)) == chunk
                rounds.append(len(chunk))
        except Exception as failure:
            failures.append(failure)

    with lab.connect(node.client, ENDPOINT, 80) as connection:
        thread = threading.Thread(target=keep_echoing, args=(connection,), name="transfer")
        thread.start()
        try:
            yield
            so_far = len(rounds)
            lab.eventually(lambda: len(rounds) > so_far + 1 or failures)
        finally:
            over.set()
            thread.join(lab.PATIENCE)
    assert failures == []


def test_flows_are_told_by_name_and_with_their_end(node: Node) -> None:
    rules = (
        Rule(1, False, "TCP", "0.0.0.0/0", 81, 81, id="sgr-81"),
        Rule(2, True, "ALL", "0.0.0.0/0", 0, 65535, id="sgr-any"),
    )
    counted = msgspec.structs.replace(OPEN, number=5)
    node.put(filter_sg=Filter(4, rules), forward_ep=counted)
    with lab.echo_server(node.server, 8080):
        assert lab.ask(node.client, ENDPOINT, 80) == b"hello"
    told = node.feedbox.await_record(lambda each: each.event == "closed")
    assert (told.place, told.cause, told.called_port) == ("forward/ep", "finished", 80)
    assert (told.client, told.source, told.server) == ("10.0.0.5", "100.64.0.1", "10.0.0.5")
    assert told.client_bytes > 5
    with pytest.raises(OSError):
        lab.connect(node.client, ENDPOINT, 81, timeout=0.3)
    told = node.feedbox.await_record(lambda each: each.event == "refused")
    assert (told.cause, told.group, told.called_port) == ("security_group", "sg", 81)
