"""What is told of flows: opened, closed and why, refused and by which rule.

A node says it in the short form, the log keeps it in the long one, with whose flow it was. Nothing
in either comes from payload: addresses, ports, numbers and our own ids only.
"""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec

MOST_RECORDS = 1000  # in one call of a node's


class Event(enum.StrEnum):
    """What a record tells of."""

    OPENED = "opened"
    CLOSED = "closed"
    REFUSED = "refused"
    SKIPPED = "skipped"  # records that were left out, for the operator


class Ending(enum.StrEnum):
    """Why a flow ended."""

    FINISHED = "finished"
    CLIENT_RESET = "client_reset"
    SERVER_RESET = "server_reset"
    IDLE = "idle"
    UNANSWERED = "unanswered"
    CLOSED = "closed"
    SERVER_GONE = "server_gone"
    NO_LONGER_PERMITTED = "no_longer_permitted"


class Refusal(enum.StrEnum):
    """Why a packet was refused: every reason there is, although some never concern an endpoint."""

    UNKNOWN_PORT = "unknown_port"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    VLAN_TAGGED = "vlan_tagged"
    NOT_IP = "not_ip"
    IP_OPTIONS = "ip_options"
    SPOOFED_SOURCE = "spoofed_source"
    NEIGHBOUR_OUTSIDE = "neighbour_outside"
    MULTICAST = "multicast"
    VIA_GATEWAY = "via_gateway"
    NO_ROUTE = "no_route"
    FRAGMENT = "fragment"
    PROTOCOL = "protocol"
    ICMP_TYPE = "icmp_type"
    SECURITY_GROUP = "security_group"
    UNSOLICITED_SYN = "unsolicited_syn"
    CLOSED = "closed"
    NOT_ACCEPTED = "not_accepted"
    NO_FLOW = "no_flow"
    NO_LISTENER = "no_listener"
    NO_SERVER = "no_server"
    NO_SOURCE_PORT = "no_source_port"
    FLOW_TABLE_FULL = "flow_table_full"
    FLOW_LIMIT = "flow_limit"
    NO_LONGER_PERMITTED = "no_longer_permitted"
    FOREIGN_ERROR = "foreign_error"
    EGRESS_RULE = "egress_rule"
    ADVERTISEMENT = "advertisement"
    CHANGING = "changing"
    FLOW_RATE = "flow_rate"
    SERVER_GONE = "server_gone"
    IDLE = "idle"
    BANDWIDTH = "bandwidth"
    HOP_LIMIT = "hop_limit"


CAUSES = frozenset(map(str, (*Ending, *Refusal)))

Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{0,32}\Z")]
Key = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9/_.-]{0,160}\Z")]
Protocol = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{1,8}\Z")]
Address = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f:.]{0,45}\Z")]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Said(msgspec.Struct, frozen=True, array_like=True):
    """A record as a node says it, in as few bytes as go: fields by their place."""

    time: Count  # Unix, ms
    event: Event
    cause: Word
    place: Key  # the key of the item it was counted under; "" where the node does not know it
    protocol: Protocol
    client: Address
    client_port: Port
    called: Address
    called_port: Port
    source: Address
    source_port: Port
    server: Address
    server_port: Port
    client_packets: Count
    client_bytes: Count
    server_packets: Count
    server_bytes: Count
    duration: Count  # ms
    group: Key  # the security group that refused
    rule: Key  # which of its rules
    direction: Word  # of that rule: ingress or egress
    way: Word  # whose packet was refused: client or server
    inward: bool = False  # the provider called, through a Reverse endpoint


class Batch(msgspec.Struct, frozen=True, array_like=True, order=True):
    """Which of a node's batches of records it is. Numbers grow by one within a life."""

    life: int  # of the node's process
    number: int


class Logged(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record as the log keeps it: one line of JSON, without what is empty."""

    time: str  # ISO 8601, UTC, ms
    event: Event
    cause: str = ""
    endpoint: str = ""
    zone: str = ""
    balancer: str = ""
    service: str = ""
    consumer: str = ""  # account
    provider: str = ""  # account
    protocol: str = ""
    client: str = ""
    client_port: int = 0
    called: str = ""
    called_port: int = 0
    source: str = ""
    source_port: int = 0
    server: str = ""
    server_port: int = 0
    client_packets: int = 0
    client_bytes: int = 0
    server_packets: int = 0
    server_bytes: int = 0
    duration: int = 0  # ms
    group: str = ""
    rule: str = ""
    direction: str = ""
    way: str = ""
    inward: bool = False  # the provider called
    node: str = ""
    count: int = 0  # of records left out
    batch: Batch | None = None  # on the last record of one: all of it is there
