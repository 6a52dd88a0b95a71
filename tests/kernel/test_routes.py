"""The router of a VPC: real packets between vSwitches, through workloads, to gateway endpoints.

The picture is in `tenants`. Tenant one's two vSwitches have one route table; the client may pass on
what is for a network behind it, and the provider's addresses are a block to the distant one.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from privlink.model.items import Forward, Item, Opening, Route, RouteKind, RouteTable
from privlink.node.program.maps import Reason
from tests.kernel import lab, talk, tenants
from tests.kernel.tenants import ALL4, ALL6, CLIENT, DISTANT, WORKLOADS

TABLE, OTHER_TABLE = 1, 2
PORT = 8080
OPENING, PLACE = 30, 31
ENDPOINT = Forward(
    1, "", "", (), Opening(OPENING, 2, "100.64.0.9", 0, "fd70:7269:766c::6440:9"), number=PLACE
)


class Family(NamedTuple):
    """What the tests need to know of an IP version."""

    number: socket.AddressFamily
    own: str  # of tenant one's two vSwitches
    behind: str  # a network behind the client, ...
    host: str  # ... and who is there
    block: str  # what the gateway endpoint leads to, ...
    called: str  # ... and the provider's server in it
    source: str  # what that sees

    def of(self, word: str) -> str:
        """The address of a workload."""
        workload = WORKLOADS[word]
        return workload.address if self.number == socket.AF_INET else workload.address6


IPV4 = Family(
    socket.AF_INET, "10.0.0.0/23", "192.168.9.0/24", "192.168.9.1",
    "198.51.100.0/24", "198.51.100.5", "100.64.0.9",
)  # fmt: skip
IPV6 = Family(
    socket.AF_INET6, "fd00:10::/63", "fd00:99::/64", "fd00:99::1",
    "2001:db8:51::/64", "2001:db8:51::5", "fd70:7269:766c::6440:9",
)  # fmt: skip
both = pytest.mark.parametrize("family", [IPV4, IPV6], ids=["IPv4", "IPv6"])

LOCAL = tuple(Route(family.own, RouteKind.LOCAL) for family in (IPV4, IPV6))
THROUGH = (
    Route(IPV4.behind, RouteKind.ATTACHMENT, CLIENT.address),
    Route(IPV6.behind, RouteKind.ATTACHMENT, CLIENT.address6),
)
BLOCKS = tuple(
    Route(family.block, RouteKind.ENDPOINT, opening=OPENING, place=PLACE) for family in (IPV4, IPV6)
)


def routed(word: str, table: int = TABLE) -> Item:
    return msgspec.structs.replace(WORKLOADS[word], table=table)


@pytest.fixture(scope="module")
def cloud(bpf_object: Path) -> Iterator[tenants.Cloud]:
    with tenants.cloud(bpf_object) as opened:
        opened.put(
            table_one=RouteTable(TABLE, 1, (*LOCAL, *THROUGH, *BLOCKS)),
            table_two=RouteTable(OTHER_TABLE, 3, LOCAL),
            **{f"attachment_{word}": routed(word) for word in ("client", "neighbour", "distant")},
            attachment_outsider=routed("outsider", OTHER_TABLE),
            forward_gateway=ENDPOINT,
            attachment_server=blocked_in("server", 5),
            attachment_backup=blocked_in("backup", 6),
        )
        for word, host in (("server", 5), ("backup", 6)):
            opened.replug(word)
            addresses(opened.names[word], host)
        yield opened


def blocked_in(word: str, host: int) -> Item:
    """A workload of the provider's that lives in the block."""
    return msgspec.structs.replace(
        WORKLOADS[word],
        cidr=IPV4.block,
        address=f"198.51.100.{host}",
        cidr6=IPV6.block,
        address6=f"2001:db8:51::{host}",
    )


def addresses(netns: str, host: int) -> None:
    """Give a workload that was plugged in under other addresses those of the block."""
    lab.run(netns, "ip", "address", "flush", "dev", "eth0")
    for address in (f"198.51.100.{host}/24", f"2001:db8:51::{host}/64"):
        lab.run(
            netns, "ip", "address", "add", address, "dev", "eth0", *("nodad",) * (":" in address)
        )
    lab.run(netns, "ip", "route", "replace", "default", "via", "198.51.100.253")
    lab.run(netns, "ip", "-6", "route", "replace", "default", "via", "2001:db8:51::fd")
    for gateway in ("198.51.100.253", "2001:db8:51::fd"):
        lab.run(netns, *f"ip neighbour replace {gateway} lladdr ee:ff:ff:ff:ff:ff dev eth0".split())


@contextmanager
def owning(netns: str, *addresses: str) -> Iterator[None]:
    """Addresses of a workload that the fabric does not know as its own."""
    for address in addresses:
        lab.run(netns, "ip", "address", "add", address, "dev", "lo")
    try:
        yield
    finally:
        for address in addresses:
            lab.run(netns, "ip", "address", "del", address, "dev", "lo")


def sending(netns: str, address: str) -> socket.socket:
    """A UDP socket bound to an address."""

    def open_bound() -> socket.socket:
        opened = socket.socket(talk.family_of(address), socket.SOCK_DGRAM)
        opened.bind((address, 0))
        return opened

    return lab.system.within(lab.path(netns), open_bound)


@both
@pytest.mark.parametrize(("caller", "called"), [("neighbour", "distant"), ("distant", "client")])
def test_workloads_of_two_vswitches_reach_each_other(
    cloud: tenants.Cloud, family: Family, caller: str, called: str
) -> None:
    with lab.echo_server(cloud.names[called], PORT, family.number) as seen:
        assert lab.ask(cloud.names[caller], family.of(called), PORT) == b"hello"
    assert seen == [family.of(caller)]
    talk.ping(cloud.names[caller], family.of(called))


@both
def test_a_datagram_in_pieces_is_routed(cloud: tenants.Cloud, family: Family) -> None:
    talk.ping(cloud.names["neighbour"], family.of("distant"), size=4000)


@both
def test_a_workload_passes_on_to_the_network_behind_it(
    cloud: tenants.Cloud, family: Family
) -> None:
    with (
        owning(cloud.names["client"], family.host),
        lab.echo_server(cloud.names["client"], PORT, family.number) as seen,
    ):
        assert lab.ask(cloud.names["distant"], family.host, PORT) == b"hello"
    assert seen == [family.of("distant")]


@both
def test_nobody_else_sends_from_that_network(cloud: tenants.Cloud, family: Family) -> None:
    with owning(cloud.names["neighbour"], family.host):
        before = cloud.drops(Reason.SPOOFED_SOURCE)
        with sending(cloud.names["neighbour"], family.host) as sender:
            sender.sendto(b"not mine", (family.of("distant"), PORT))
            lab.eventually(lambda: cloud.drops(Reason.SPOOFED_SOURCE) > before)


@both
def test_a_gateway_endpoint_keeps_the_address_that_is_called(
    cloud: tenants.Cloud, family: Family
) -> None:
    with lab.echo_server(cloud.names["server"], PORT, family.number) as seen:
        assert lab.ask(cloud.names["distant"], family.called, PORT) == b"hello"
        assert lab.ask(cloud.names["client"], family.called, PORT) == b"hello"
    assert seen == [family.source] * 2


@both
def test_who_has_not_the_route_does_not_reach_it(cloud: tenants.Cloud, family: Family) -> None:
    before = cloud.drops(Reason.NO_ROUTE)
    with sending(cloud.names["outsider"], family.of("outsider")) as sender:
        sender.sendto(b"anybody there?", (family.called, PORT))
        lab.eventually(lambda: cloud.drops(Reason.NO_ROUTE) > before)


@both
def test_the_provider_does_not_reach_who_calls_it(cloud: tenants.Cloud, family: Family) -> None:
    """One way: an endpoint's source address is nobody's door."""
    with pytest.raises((ConnectionRefusedError, TimeoutError)):
        lab.connect(cloud.names["server"], family.source, PORT, timeout=0.3)


@both
def test_a_route_that_goes_resets_its_flows_and_no_others(
    cloud: tenants.Cloud, family: Family
) -> None:
    """Another table still leads there."""
    with (
        lab.echo_server(cloud.names["server"], PORT, family.number),
        lab.connect(cloud.names["distant"], family.called, PORT) as ended,
        cloud_table(cloud, "client"),
        lab.connect(cloud.names["client"], family.called, PORT) as going_on,
    ):
        for connection in (ended, going_on):
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
        cloud.put(table_one=RouteTable(TABLE, 1, (*LOCAL, *THROUGH)))
        ended.sendall(b"y")
        with pytest.raises(ConnectionResetError):
            ended.recv(1)
        going_on.sendall(b"z")
        assert going_on.recv(1) == b"z"
    cloud.put(table_one=RouteTable(TABLE, 1, (*LOCAL, *THROUGH, *BLOCKS)))


def reset(*ends: socket.socket) -> None:
    """Hold that each hears that it is over, though it says nothing."""
    for end in ends:
        with pytest.raises(ConnectionResetError):
            end.recv(1)


@both
def test_who_is_silent_hears_at_once_that_its_route_is_gone(
    cloud: tenants.Cloud, family: Family
) -> None:
    """Neither who calls the same by another table, nor who is called by an address."""
    server = cloud.names["server"]
    with (
        talk.idle(cloud.names["distant"], family.called, PORT, server, PORT) as ended,
        cloud_table(cloud, "client"),
        talk.idle(cloud.names["client"], family.called, PORT + 1, server, PORT + 1) as going_on,
    ):
        cloud.put(table_one=RouteTable(TABLE, 1, (*LOCAL, *THROUGH)))
        cloud.cut()
        reset(*ended)
        assert talk.still(*going_on)
    cloud.put(table_one=RouteTable(TABLE, 1, (*LOCAL, *THROUGH, *BLOCKS)))


@both
def test_who_is_silent_hears_at_once_that_its_vswitch_has_another_table(
    cloud: tenants.Cloud, family: Family
) -> None:
    server = cloud.names["server"]
    with (
        cloud_table(cloud, "client"),
        talk.idle(cloud.names["client"], family.called, PORT, server, PORT) as going_on,
    ):
        cloud.put(attachment_client=routed("client"))  # which leads there, too
        cloud.cut()
        assert talk.still(*going_on)
    cloud.put(table_three=RouteTable(3, 1, LOCAL))
    with talk.idle(cloud.names["client"], family.called, PORT, server, PORT) as ended:
        cloud.put(attachment_client=routed("client", 3))
        cloud.cut()
        reset(*ended)
    cloud.put(attachment_client=routed("client"))


@both
def test_who_is_silent_hears_at_once_that_another_route_took_its_place(
    cloud: tenants.Cloud, family: Family
) -> None:
    own = Route(family.called, RouteKind.ATTACHMENT, family.of("client"))
    server = cloud.names["server"]
    with talk.idle(cloud.names["distant"], family.called, PORT, server, PORT) as ended:
        cloud.put(table_one=RouteTable(TABLE, 1, (*LOCAL, *THROUGH, *BLOCKS, own)))
        cloud.cut()
        reset(*ended)
    cloud.put(table_one=RouteTable(TABLE, 1, (*LOCAL, *THROUGH, *BLOCKS)))


@both
def test_a_narrower_route_through_the_same_endpoint_ends_nothing(
    cloud: tenants.Cloud, family: Family
) -> None:
    own = Route(family.called, RouteKind.ENDPOINT, opening=OPENING, place=PLACE)
    server = cloud.names["server"]
    with talk.idle(cloud.names["distant"], family.called, PORT, server, PORT) as going_on:
        for routes in ((*BLOCKS, own), BLOCKS):
            cloud.put(table_one=RouteTable(TABLE, 1, (*LOCAL, *THROUGH, *routes)))
            cloud.cut()
            assert talk.still(*going_on)


@both
def test_another_endpoint_behind_a_route_ends_the_flows_of_the_first(
    cloud: tenants.Cloud, family: Family
) -> None:
    """Though both stay connected."""
    other = msgspec.structs.replace(
        ENDPOINT,
        opening=Opening(40, 2, "100.64.0.10", 0, "fd70:7269:766c::6440:10"),
        number=41,
    )
    blocks = tuple(msgspec.structs.replace(block, opening=40, place=41) for block in BLOCKS)
    server = cloud.names["server"]
    cloud.put(forward_other=other)
    with talk.idle(cloud.names["distant"], family.called, PORT, server, PORT) as ended:
        cloud.put(table_one=RouteTable(TABLE, 1, (*LOCAL, *THROUGH, *blocks)))
        cloud.cut()
        reset(*ended)
    with talk.idle(cloud.names["distant"], family.called, PORT, server, PORT) as ended:
        cloud.put(table_one=RouteTable(TABLE, 1, (*LOCAL, *THROUGH, *BLOCKS)))
        ended[0].sendall(b"one of us speaks")
        reset(ended[0])


@contextmanager
def cloud_table(cloud: tenants.Cloud, word: str) -> Iterator[None]:
    """A workload whose vSwitch has a table of its own, with the blocks in it."""
    cloud.put(
        table_three=RouteTable(3, 1, (*LOCAL, *BLOCKS)), **{f"attachment_{word}": routed(word, 3)}
    )
    try:
        yield
    finally:
        cloud.put(**{f"attachment_{word}": routed(word)})


@both
def test_a_gateway_endpoint_that_is_closed_resets_its_flows(
    cloud: tenants.Cloud, family: Family
) -> None:
    with (
        lab.echo_server(cloud.names["server"], PORT, family.number),
        lab.connect(cloud.names["distant"], family.called, PORT) as connection,
    ):
        cloud.put(forward_gateway=msgspec.structs.replace(ENDPOINT, opening=None))
        connection.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
        with pytest.raises(ConnectionRefusedError):
            lab.connect(cloud.names["distant"], family.called, PORT)
    cloud.put(forward_gateway=ENDPOINT)


@both
def test_rules_of_the_caller_hold(cloud: tenants.Cloud, family: Family) -> None:
    """What its groups let it not send out, it does not send to a block either."""
    closed = tenants.Filter(9, (ALL4, ALL6), ())
    workload = msgspec.structs.replace(DISTANT, table=TABLE, filters=(9,))
    before = cloud.drops(Reason.EGRESS_RULE)
    cloud.put(filter_closed=closed, attachment_distant=workload)
    with sending(cloud.names["distant"], family.of("distant")) as sender:
        sender.sendto(b"may I?", (family.called, PORT))
        lab.eventually(lambda: cloud.drops(Reason.EGRESS_RULE) > before)
    cloud.put(attachment_distant=routed("distant"))


@both
def test_the_longest_prefix_holds(cloud: tenants.Cloud, family: Family) -> None:
    own = Route(family.called, RouteKind.ATTACHMENT, family.of("client"))
    cloud.put(table_one=RouteTable(TABLE, 1, (*LOCAL, *THROUGH, *BLOCKS, own)))
    netns = cloud.names["client"]
    with owning(netns, family.called), lab.echo_server(netns, PORT, family.number) as seen:
        assert lab.ask(cloud.names["distant"], family.called, PORT) == b"hello"
    assert seen == [family.of("distant")]
    cloud.put(table_one=RouteTable(TABLE, 1, (*LOCAL, *THROUGH, *BLOCKS)))


@both
def test_a_packet_does_not_go_in_circles(cloud: tenants.Cloud, family: Family) -> None:
    """The client forwards what nobody behind it has, back to where it came from."""
    netns = cloud.names["client"]
    name = "net.ipv4.ip_forward" if family is IPV4 else "net.ipv6.conf.all.forwarding"
    before = cloud.drops(Reason.SPOOFED_SOURCE)
    lab.run(netns, "sysctl", "-qw", f"{name}=1")
    with sending(cloud.names["distant"], family.of("distant")) as sender:
        sender.sendto(b"round and round", (family.host[:-1] + "7", PORT))
        lab.eventually(lambda: cloud.drops(Reason.SPOOFED_SOURCE) > before)
    lab.run(netns, "sysctl", "-qw", f"{name}=0")


@both
def test_a_packet_grows_older_on_its_way(cloud: tenants.Cloud, family: Family) -> None:
    """At its last hop it goes no further."""
    before = cloud.drops(Reason.HOP_LIMIT)
    with sending(cloud.names["neighbour"], family.of("neighbour")) as sender:
        if family is IPV4:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
        else:
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 1)
        sender.sendto(b"my last", (family.of("distant"), PORT))
        lab.eventually(lambda: cloud.drops(Reason.HOP_LIMIT) > before)
