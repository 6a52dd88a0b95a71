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


class Server(msgspec.Struct, frozen=True):
    """One server behind a listener; `weight` is its share of new flows, 1 to 100."""

    address: str  # IPv4 or IPv6: it takes flows of its own family only
    port: int  # 0: the port the client asked for
    weight: int


class Listener(msgspec.Struct, frozen=True):
    """A port of a load balancer, or a range of them, and the servers behind it."""

    protocol: Protocol
    first: int
    last: int
    servers: tuple[Server, ...]


class Balancer(Item, frozen=True, tag="balancer"):
    """A load balancer as forwards use it: which servers stand behind which port."""

    number: int
    listeners: tuple[Listener, ...]


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
    source: str  # the address the provider's servers see
    balancer: int
    source6: str = ""  # the same in IPv6; empty where it leads by IPv4 alone


class Forward(Item, frozen=True, tag="forward"):
    """An endpoint zone: an address the fabric answers for, and once accepted, where it leads."""

    network: int
    address: str
    mac: str
    filters: tuple[int, ...]  # numbers of the security groups, at most 10
    opening: Opening | None
    replaced: Opening | None = None  # an opening that no new flow takes, whose flows may end
    address6: str = ""  # its IPv6 address; empty without


AnyItem = Segment | Attachment | Balancer | Filter | Members | Forward
