"""What passed through every endpoint zone, in Prometheus' text format.

Per endpoint zone there are six series (two each of bytes and packets, flows opened, flows now), one
for each cause for which flows of it have ended, two for each direction and reason for which packets
of it were dropped, and four for each direction in which it was held to a bandwidth; 20,000 zones
come to some 200,000. A zone that is deleted takes its series along. Nothing is kept between two
scrapes: the counters are those in the database.

The text is written here and not by the library, which is made for hundreds of series and takes ten
times as long; and counters stay whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

from privlink.model.traffic import Counters
from privlink.store import lives, traffic
from privlink.store.database import Database
from privlink.store.traffic import Totals

_FAMILIES = {
    "bytes_total": ("counter", "Bytes delivered, with IP headers."),
    "packets_total": ("counter", "Packets delivered."),
    "dropped_bytes_total": (
        "counter",
        "Bytes dropped or refused, with IP headers; not those that were more than a bandwidth.",
    ),
    "dropped_packets_total": (
        "counter",
        "Packets dropped or refused; not those that were more than a bandwidth.",
    ),
    "shaper_in_bytes_total": (
        "counter",
        "Bytes given to the shaper, which holds a connection to its bandwidth, with IP headers.",
    ),
    "shaper_in_packets_total": (
        "counter",
        "Packets given to the shaper, which holds a connection to its bandwidth.",
    ),
    "shaper_out_bytes_total": (
        "counter",
        "Bytes that came out of the shaper, with IP headers; what is missing of those given to it "
        "was more than the bandwidth, but for what waits there for some milliseconds.",
    ),
    "shaper_out_packets_total": (
        "counter",
        "Packets that came out of the shaper; what is missing of those given to it was more than "
        "the bandwidth, but for what waits there for some milliseconds.",
    ),
    "flows_opened_total": ("counter", "Flows opened."),
    "flows_ended_total": ("counter", "Flows ended."),
    "flows_active": ("gauge", "Flows at this moment."),
    "flow_records_left_out_total": ("counter", "Flow records that were left out."),
}
_WAYS = ("in", "out")  # from the consumer's network, and to it
_NOTHING = Totals(Counters(), 0)


def text(database: Database) -> bytes:
    """All of it, as the nodes last said."""
    with database.read() as tx:
        zones, totals = lives.living(tx), traffic.totals(tx)
    families: dict[str, list[str]] = {name: [] for name in _FAMILIES}
    for zone in zones:
        # Ids and zones are letters, digits and dashes: nothing in them needs a backslash.
        labels = f'endpoint="{zone.endpoint_id}",zone="{zone.zone_id}",service="{zone.service_id}"'
        for name, more, number in _series(totals.get(zone.place, _NOTHING)):
            families[name].append(f"privlink_endpoint_{name}{{{labels}{more}}} {number}\n")
    parts = []
    for name, lines in families.items():
        kind, what = _FAMILIES[name]
        head = f"# HELP privlink_endpoint_{name} {what}\n# TYPE privlink_endpoint_{name} {kind}\n"
        parts.append("".join((head, *lines)).encode())
    return b"".join(parts)


def _series(totals: Totals) -> Iterator[tuple[str, str, int]]:
    """Of one zone: the family, further labels, and the number."""
    counted = totals.counters
    for way, carried in zip(_WAYS, counted.carried, strict=True):
        yield "bytes_total", f',direction="{way}"', carried.bytes
        yield "packets_total", f',direction="{way}"', carried.packets
    for way, given, released in zip(_WAYS, counted.shaped, counted.released, strict=True):
        if given.packets:
            label = f',direction="{way}"'
            yield "shaper_in_bytes_total", label, given.bytes
            yield "shaper_in_packets_total", label, given.packets
            yield "shaper_out_bytes_total", label, released.bytes
            yield "shaper_out_packets_total", label, released.packets
    yield "flows_opened_total", "", counted.opened
    yield "flows_active", "", totals.flows
    for cause, number in counted.ended.items():
        yield "flows_ended_total", f',cause="{cause}"', number
    for reason, both in counted.refused.items():
        for way, refused in zip(_WAYS, both, strict=True):
            if refused.packets:
                labels = f',direction="{way}",reason="{reason}"'
                yield "dropped_bytes_total", labels, refused.bytes
                yield "dropped_packets_total", labels, refused.packets
    if counted.unsaid:
        yield "flow_records_left_out_total", "", counted.unsaid
