"""Tenants on one fabric, each workload a network namespace: for tests that let real packets run.

    tenant one   VPC 1   client     10.0.0.5    fd00:10::5      the endpoint's vswitch
                         neighbour  10.0.0.6    fd00:10::6
                         bystander  10.0.0.7    fd00:10::7
                         distant    10.0.1.5    fd00:10:0:1::5  behind the VPC's router
    provider     VPC 2   server     10.0.0.5    fd00:10::5
                         backup     10.0.0.6    fd00:10::6
    tenant two   VPC 3   twin       10.0.0.5    fd00:10::5      the client's addresses
                         outsider   172.16.0.5  fd00:20::5

Tenants one and two each have an endpoint 10.0.0.9, fd00:10::9 to the provider's service. The maps
are filled by the agent's own `Holding`, from items put here.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

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
from privlink.node import flows
from privlink.node.feed import Answer, Change, Delivery
from privlink.node.holding import Holding
from privlink.node.kernel import Kernel
from privlink.node.links import Fabric, workload_name
from privlink.node.plug import Port, plug, unplug
from privlink.node.program.bpf import Program
from privlink.node.program.maps import Reason
from privlink.node.purge import purge, traces
from privlink.node.system import within
from tests.kernel import lab

ENDPOINT, ENDPOINT6, ENDPOINT_MAC = "10.0.0.9", "fd00:10::9", "02:00:00:00:01:09"
SOURCE, SOURCE6 = "100.64.0.1", "fd70:7269:766c::6440:1"  # tenant one, as the server sees it
SOURCE_TWO, SOURCE6_TWO = "100.64.0.2", "fd70:7269:766c::6440:2"

WEB, SILENT_WEB, DNS, SILENT_DNS = 80, 81, 53, 54  # behind the silent ones nobody listens
RANGE = range(1000, 1010)  # whoever is asked there is asked at the same port
WEB_SERVER, DNS_SERVER = 8080, 5353

_SEGMENTS = {
    "one": Segment(1, 1, "10.0.0.0/24", "10.0.0.253", "fd00:10::/64", "fd00:10::fd"),
    "one-b": Segment(2, 1, "10.0.1.0/24", "10.0.1.253", "fd00:10:0:1::/64", "fd00:10:0:1::fd"),
    "provider": Segment(3, 2, "10.0.0.0/24", "10.0.0.253", "fd00:10::/64", "fd00:10::fd"),
    "two": Segment(4, 3, "10.0.0.0/24", "10.0.0.253", "fd00:10::/64", "fd00:10::fd"),
    "two-b": Segment(5, 3, "172.16.0.0/24", "172.16.0.253", "fd00:20::/64", "fd00:20::fd"),
}


def _attachment(number: int, segment: str, host: int) -> Attachment:
    place = _SEGMENTS[segment]
    return Attachment(
        number,
        place.number,
        place.network,
        place.cidr,
        str(ipaddress.IPv4Network(place.cidr)[host]),
        f"02:00:00:00:{place.network:02x}:{number:02x}",
        place.cidr6,
        str(ipaddress.IPv6Network(place.cidr6)[host]),
    )


CLIENT = _attachment(1, "one", 5)
NEIGHBOUR = _attachment(2, "one", 6)
BYSTANDER = _attachment(3, "one", 7)
DISTANT = _attachment(4, "one-b", 5)
SERVER = _attachment(5, "provider", 5)
BACKUP = _attachment(6, "provider", 6)
TWIN = _attachment(7, "two", 5)
OUTSIDER = _attachment(8, "two-b", 5)

WORKLOADS = {
    "client": CLIENT,
    "neighbour": NEIGHBOUR,
    "bystander": BYSTANDER,
    "distant": DISTANT,
    "server": SERVER,
    "backup": BACKUP,
    "twin": TWIN,
    "outsider": OUTSIDER,
}

ALL4 = Rule(1, True, "ALL", "0.0.0.0/0", 0, 65535)
ALL6 = Rule(1, True, "ALL", "::/0", 0, 65535)
OPEN_TO_ALL = Filter(4, (ALL4, ALL6), (ALL4, ALL6))


def _listener(protocol: Protocol, first: int, port: int, last: int | None = None) -> Listener:
    servers = Server(SERVER.address, port, 100), Server(SERVER.address6, port, 100)
    return Listener(protocol, first, last or first, servers)


BALANCER = Balancer(
    3,
    (
        _listener(Protocol.TCP, WEB, WEB_SERVER),
        _listener(Protocol.TCP, SILENT_WEB, 8081),
        _listener(Protocol.UDP, DNS, DNS_SERVER),
        _listener(Protocol.UDP, SILENT_DNS, 5454),
        _listener(Protocol.TCP, RANGE[0], 0, RANGE[-1]),
        _listener(Protocol.UDP, RANGE[0], 0, RANGE[-1]),
    ),
)
FORWARD = Forward(
    1, ENDPOINT, ENDPOINT_MAC, (4,), Opening(7, 2, SOURCE, 3, SOURCE6), address6=ENDPOINT6
)
FORWARD_TWO = Forward(
    3, ENDPOINT, "02:00:00:00:03:09", (4,), Opening(8, 2, SOURCE_TWO, 3, SOURCE6_TWO),
    address6=ENDPOINT6,
)  # fmt: skip

ITEMS: dict[str, Item | None] = {
    **{f"segment/{word}": segment for word, segment in _SEGMENTS.items()},
    **{f"attachment/{word}": workload for word, workload in WORKLOADS.items()},
    "balancer/nlb": BALANCER,
    "filter/open": OPEN_TO_ALL,
    "forward/one": FORWARD,
    "forward/two": FORWARD_TWO,
}


class Cloud:
    """The fabric with all of them plugged in."""

    def __init__(
        self, instance: str, fabric: Fabric, program: Program, names: dict[str, str]
    ) -> None:
        self.instance = instance
        self.fabric = fabric
        self.program = program
        self.names = names  # the namespace of each workload, by its word
        self.kernel = Kernel(fabric, program)
        self._holding = self._hold()
        self._revision = 0
        self._take(ITEMS, full=True)

    def _hold(self) -> Holding:
        return Holding(self.kernel)

    def put(self, **items: Item | None) -> None:
        """Change items, each named by its key with an underscore for the slash."""
        self._take({key.replace("_", "/", 1): item for key, item in items.items()}, full=False)

    @contextmanager
    def with_items(self, **items: Item) -> Iterator[None]:
        """Change items for a while; those that are not in `ITEMS` are gone afterwards."""
        self.put(**items)
        try:
            yield
        finally:
            keys = {key.replace("_", "/", 1) for key in items}
            self._take({key: ITEMS.get(key) for key in keys}, full=False)

    def replug(self, word: str) -> None:
        """Take a workload's link away and bring it a new one, as a container's restart does."""
        attachment = WORKLOADS[word]
        unplug(self.instance, attachment.number)
        _plug(self.instance, attachment, self.names[word], 1500)
        self._holding.look({workload_name(attachment.number)})

    def cut(self) -> None:
        """End the flows whose way went with what was put, as the agent does at once."""
        gone = flows.Gone()
        while not self.kernel.gone.empty():
            gone |= self.kernel.gone.get()
        now = time.monotonic_ns()
        within(self.fabric.path, lambda: flows.cut(self.program, gone, now))

    def drops(self, reason: Reason) -> int:
        """Packets dropped for a reason so far."""
        return self.program.drops().get(reason, 0)

    def _take(self, items: dict[str, Item | None], *, full: bool) -> None:
        self._revision += 1
        changes = [Change(key, msgspec.to_builtins(item)) for key, item in items.items()]
        outcome = self._holding.take(Delivery(Answer(1, self._revision, full, changes)))
        assert (outcome.refused, self._holding.faults) == (0, {})


AnyCloud = TypeVar("AnyCloud", bound=Cloud)


@contextmanager
def cloud(
    bpf_object: Path, *, mtu: int = 1500, kind: Callable[..., AnyCloud] = Cloud
) -> Iterator[AnyCloud]:
    """Plug everybody in; nothing of it is left afterwards."""
    instance = lab.unique("tenants")
    with ExitStack() as stack:
        stack.callback(lambda: _leave(instance))
        fabric = stack.enter_context(closing(Fabric.open(instance)))
        names = {word: stack.enter_context(lab.namespace(word)) for word in WORKLOADS}
        for word, attachment in WORKLOADS.items():
            _plug(instance, attachment, names[word], mtu)
        program = stack.enter_context(Program.open(bpf_object))
        yield kind(instance, fabric, program, names)


def _leave(instance: str) -> None:
    purge(instance)
    assert traces(instance) == []


def _plug(instance: str, attachment: Attachment, name: str, mtu: int) -> None:
    segment = next(s for s in _SEGMENTS.values() if s.number == attachment.segment)
    prepare_ipv6(name)
    port = Port("eth0", attachment.mac, attachment.address, 24, segment.gateway, segment.cidr, mtu)
    plug(instance, attachment.number, name, port)
    settle_ipv6(name, attachment.address6, segment.gateway6)


def prepare_ipv6(name: str) -> None:
    """Let links to come have no address that nobody gave them."""

    def write() -> None:
        for setting, value in (("addr_gen_mode", "1"), ("accept_ra", "0")):
            Path(f"/proc/sys/net/ipv6/conf/default/{setting}").write_text(value)

    lab.system.within(lab.path(name), write)


def settle_ipv6(name: str, address: str, gateway: str) -> None:
    """Give a workload its IPv6 address and gateway."""
    lab.run(name, "ip", "addr", "add", f"{address}/64", "dev", "eth0", "nodad")
    lab.run(name, "ip", "route", "add", "::/0", "via", gateway)
