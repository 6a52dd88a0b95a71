"""What a node counted: the numbers that a bill, /metrics and CloudMonitor rest on.

Cumulative within one life of a node's counters, and in it within one birth of a place's, so that a
repeated or lost message neither counts twice nor loses anything. On the wire and in the database
the structures are arrays.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

MOST_BYTES = 256 * 1024  # of one message; escaped for the wire it is at most three times as long
MOST_PLACES = 1000  # in one message

# Up to here a number survives every JSON reader, and a thousand of them their sum in a database.
Number: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=40, pattern=r"^[a-z0-9_]+\Z")]


class Amount(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Packets, and their bytes with IP headers, as on a wire."""

    packets: Number = 0
    bytes: Number = 0


Both: TypeAlias = tuple[Amount, Amount]  # from clients, from servers
NOTHING: Both = (Amount(), Amount())


class Counters(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What went through one place, and what became of it."""

    carried: Both = NOTHING  # delivered
    dropped: Both = NOTHING  # or refused, but not by the shaper
    opened: Number = 0  # flows
    unsaid: Number = 0  # flow records that were left out
    # Flows, by cause, and packets refused, by reason; what never happened is left out.
    ended: Annotated[dict[_Name, Number], msgspec.Meta(max_length=64)] = {}
    refused: Annotated[dict[_Name, Both], msgspec.Meta(max_length=64)] = {}
    # Given to the shaper, and come out of it: the difference is what the bandwidth has cost, once
    # nothing waits in it. What comes out is then carried, or dropped for another reason.
    shaped: Both = NOTHING
    released: Both = NOTHING


class PlaceTraffic(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The counters of one place, and its flows at this moment."""

    place: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    flows: Number
    counters: Counters
    # When the counters began at 0, in microseconds of the node's own clock, which begins with each
    # of its lives: those of a place that leaves the node, and comes back, begin anew. 0: not known.
    born: Number = 0


class Usage(msgspec.Struct, frozen=True):
    """What went through a place in some time. In is from the consumer's network."""

    bytes_in: int = 0
    bytes_out: int = 0
    packets_in: int = 0
    packets_out: int = 0
    dropped_bytes_in: int = 0
    dropped_bytes_out: int = 0
    dropped_packets_in: int = 0
    dropped_packets_out: int = 0
    flows: int = 0  # opened


class ZoneLife(msgspec.Struct, frozen=True):
    """An endpoint zone from its creation to its deletion, and who pays for it.

    A gateway endpoint has one as well: without a zone, an ENI and a payer.
    """

    place: int
    endpoint_id: str
    zone_id: str
    eni_id: str
    account_id: str  # whose endpoint it is
    service_id: str
    provider_id: str  # whose service it is
    payer_id: str  # empty: nobody pays
    begun: int  # seconds since 1970
    ended: int | None
