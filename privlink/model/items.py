"""The documents a node works from: what the server asks of it, and nothing else.

An item is one frozen document with a key (`forward/ep-abc/local-a`). The server compiles items from
resources (`plane`), the change feed says which keys to look at again, and the node turns items into
kernel state (`node`). Items know nothing of accounts, SQL or the API; addresses are text, numbers
are the small integers that name things in eBPF maps and never come back once used.
"""

from __future__ import annotations

import enum

import msgspec


class Protocol(enum.StrEnum):
    """Transport protocol as the API spells it."""

    TCP = "TCP"
    UDP = "UDP"


class Item(msgspec.Struct, frozen=True, tag_field="kind"):
    """One desired thing on a node."""


class Segment(Item, frozen=True, tag="segment"):
    """A managed vswitch: one bridge in the fabric, and the gateway it answers for."""

    number: int  # names the bridge
    network: int  # the VPC
    cidr: str
    gateway: str
    cidr6: str = ""  # its IPv6 block and the gateway in that; empty without IPv6
    gateway6: str = ""


class Attachment(Item, frozen=True, tag="attachment"):
    """A workload's place in a managed vswitch. Its link appears when somebody plugs it in."""

    number: int  # names the fabric end of its veth pair
    segment: int
    network: int
    cidr: str  # of the vswitch
    address: str
    mac: str
    cidr6: str = ""  # of the vswitch; empty without IPv6
    address6: str = ""
    filters: tuple[int, ...] = ()  # security groups whose egress rules it obeys, at most 10
    table: int = 0  # the route table of its vswitch; 0: its vswitch is all it reaches
    gateway: str = ""  # of its vswitch, who says that a packet went through too many hops
    gateway6: str = ""


class RouteKind(enum.StrEnum):
    """Where a route leads."""

    LOCAL = "local"  # to whoever of the VPC has the address
    ATTACHMENT = "attachment"  # to a workload that passes it on, and answers for the block
    ENDPOINT = "endpoint"  # through a gateway endpoint


class Route(msgspec.Struct, frozen=True):
    """A block of addresses and where packets for it go."""

    cidr: str  # IPv4 or IPv6
    kind: RouteKind
    hop: str = ""  # ATTACHMENT: the workload's address, of the block's family
    opening: int = 0  # ENDPOINT: the number of its opening; 0: nothing passes
    place: int = 0  # ENDPOINT: what its traffic is counted under


class RouteTable(Item, frozen=True, tag="table"):
    """A route table: of the routes for an address the one with the longest prefix holds.

    What the fabric answers for itself, as endpoints, goes before all routes.
    """

    number: int
    network: int  # the VPC
    routes: tuple[Route, ...]


class Scheduler(enum.StrEnum):
    """How a listener chooses the server of a new flow."""

    ROUND_ROBIN = "wrr"  # in turns, by weight
    LEAST_CONNECTIONS = "wlc"  # fewest flows for its weight
    SOURCE_HASH = "sch"  # the same client, the same server
    TUPLE_HASH = "tch"  # by client, its port, address and port called


class CheckKind(enum.StrEnum):
    """What a health check does."""

    TCP = "TCP"  # connects
    UDP = "UDP"  # sends a datagram; silence is health unless an answer is expected
    HTTP = "HTTP"  # asks for a page


class Check(msgspec.Struct, frozen=True):
    """How a server is asked whether it is well. Times are in seconds."""

    kind: CheckKind
    port: int = 0  # 0: the one it serves
    interval: int = 10
    timeout: int = 5
    rise: int = 2  # so many good answers in a row, and it is well
    fall: int = 2  # so many bad ones in a row, and it is not
    method: str = "GET"  # HTTP: GET or HEAD, ...
    path: str = "/"
    host: str = ""  # ... empty: the server's address
    version: str = "HTTP/1.0"
    codes: tuple[str, ...] = ("http_2xx",)  # classes of status that are good
    request: str = ""  # UDP: what is sent, ...
    expected: str = ""  # ... and what the answer has to be; empty: anything, or nothing


class Server(msgspec.Struct, frozen=True):
    """One server behind a listener; `weight` is its share of new flows, 0 to 100.

    One of weight 0, or that leaves, keeps the flows it has and takes no new one.
    """

    address: str  # IPv4 or IPv6: it takes flows of its own family only
    port: int  # 0: the port the client asked for
    weight: int
    zone: str = ""  # where it is; empty: nobody knows


class Listener(msgspec.Struct, frozen=True):
    """A port of a load balancer, or a range of them, and the servers behind it."""

    protocol: Protocol
    first: int
    last: int
    servers: tuple[Server, ...]
    scheduler: Scheduler = Scheduler.ROUND_ROBIN
    idle: int = 0  # seconds of silence after which a flow ends; 0: 900 for TCP, 60 for UDP
    group: str = ""  # the id of the server group, which health is told of
    check: Check | None = None  # None: all its servers count as well


class Balancer(Item, frozen=True, tag="balancer"):
    """A load balancer in one zone: its own address there, and who stands behind which port.

    Servers of the zone go first: those of others take flows only while none of it is well, and
    only if `cross_zone`.
    """

    number: int
    listeners: tuple[Listener, ...]
    network: int = 0  # the VPC
    zone: str = ""
    address: str = ""  # its own, which answers inside the VPC; servers see it as the source
    mac: str = ""
    address6: str = ""
    opening: int = 0  # of the flows to its own address
    cross_zone: bool = True


class Rule(msgspec.Struct, frozen=True):
    """One rule; the lowest priority wins, and of equals the one that drops.

    It is about one end of a flow: of an ingress rule where it comes from, of an egress rule where
    it goes. That is a block, or whoever is in a set.
    """

    priority: int  # 1 (first) to 100; 101 for what holds where no rule decides
    accept: bool
    protocol: str  # "TCP", "UDP", "ICMP", "ICMPV6" or "ALL"
    cidr: str  # IPv4 or IPv6; empty where there is a set
    low: int  # first port; 0 to 65535 where the protocol has no ports
    high: int
    members: int = 0  # number of a set; 0: none
    id: str = ""  # the security group rule's, for flow records; empty: one that is implied


class Filter(Item, frozen=True, tag="filter"):
    """A security group's rules, each direction in the order they decide. No match means drop."""

    number: int
    rules: tuple[Rule, ...]  # ingress: flows to its members
    egress: tuple[Rule, ...] = ()  # flows from them


class Members(Item, frozen=True, tag="members"):
    """A set of addresses that rules name: a security group's members, or a prefix list."""

    number: int  # a security group's own, or of the same sequence
    blocks: tuple[str, ...]  # IPv4 or IPv6


class Opening(msgspec.Struct, frozen=True):
    """Where an accepted endpoint zone leads. A reopened connection gets a new number, so the flows
    of an earlier opening never come back to life."""

    number: int
    network: int  # the provider's VPC
    source: str  # the address the servers see; empty: one that says from which vswitch it comes
    balancer: int  # 0: whoever leads here says which servers, or the one that is called
    source6: str = ""  # the same in IPv6; empty where it leads by IPv4 alone
    connection: int = 0  # whose bandwidth it shares with the other zones of its endpoint
    bandwidth: int = 0  # Mbit/s in each direction; 0: as much as there is
    idle_tcp: int = 0  # seconds of silence after which a flow ends; 0: as its listener says
    idle_udp: int = 0
    flows: int = 65536  # at a time, at most
    rate: int = 0  # new flows per second, at most; 0: as many as come


class Forward(Item, frozen=True, tag="forward"):
    """An endpoint zone: an address the fabric answers for, and once accepted, where it leads.

    One that is `reversed` leads from doors into its own network: its address is what is seen there,
    and nobody may call it. That of a gateway endpoint has no address: routes lead to it.
    """

    network: int
    address: str
    mac: str
    filters: tuple[int, ...]  # numbers of the security groups, at most 10
    opening: Opening | None
    replaced: Opening | None = None  # an opening that no new flow takes, whose flows may end
    address6: str = ""  # its IPv6 address; empty without
    number: int = 0  # what its traffic is counted under, for as long as it lives
    reversed: bool = False


class NatAddress(Item, frozen=True, tag="nat"):
    """An address of a NAT gateway, which the fabric answers for. Its doors are items themselves."""

    network: int
    address: str
    mac: str


class Naming(msgspec.Struct, frozen=True):
    """The name that a door's targets have, and who says in the endpoint's VPC which they are."""

    name: str
    resolver: str  # the IPv4 address of a DNS server
    network: int  # the endpoint's VPC
    source: str  # whom the resolver sees asking: the endpoint's address
    port: int  # of the targets
    blocks: tuple[str, ...]  # IPv4; an address outside of them is no target, whoever says so
    known: tuple[str, ...] = ()  # what a node last said that they are


class Door(Item, frozen=True, tag="door"):
    """A port of a NAT gateway's address, and the target behind a reverse endpoint it leads to.

    One without an opening is shut: who calls is refused, and `place` tells of it.
    """

    network: int  # the NAT gateway's VPC
    address: str  # of the NAT gateway
    protocol: Protocol
    port: int
    balancer: int  # a number of its own, of the sequence "place"
    opening: int  # of the reverse endpoint's zone; 0: none
    place: int  # the zone's number
    target: Server | None  # in the endpoint's VPC; None: not known, or not permitted
    naming: Naming | None = None  # in the place of a target: where they are found


class Resolver(Item, frozen=True, tag="resolver"):
    """A VPC in which names are answered, at an address that is the same in all of them."""

    network: int


AnyItem = (
    Segment
    | Attachment
    | RouteTable
    | Balancer
    | Filter
    | Members
    | Forward
    | NatAddress
    | Door
    | Resolver
)
