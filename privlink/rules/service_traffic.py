"""How long flows of a service may be silent, and how many of them a zone of an endpoint may have.

What a service does not set is the default. Its flows' idle times are then those of the listener
that they came through, and these numbers where that has none of its own.
"""

from __future__ import annotations

import msgspec

from privlink.model.privatelink import EndpointService

# Lowest and highest idle times in seconds, flows, and new flows per second. A flow in a node's
# kernel has 16 bits for its idle time.
TCP_IDLE_TIMES = (10, 65535)
UDP_IDLE_TIMES = (5, 3600)
FLOWS = (1, 1_000_000)
FLOW_RATES = (0, 1_000_000)


class Traffic(msgspec.Struct, frozen=True):
    """What holds for the traffic of a service."""

    idle_tcp: int = 900  # seconds of silence after which a flow ends
    idle_udp: int = 60
    most_flows: int = 65536  # at a time, through one zone of one endpoint
    flow_rate: int = 0  # new ones per second, through the same; 0: as many as come


DEFAULT = Traffic()


def own(service: EndpointService) -> dict[str, int]:
    """What a service sets itself, by the names of `Traffic`."""
    found = {name: getattr(service, name) for name in Traffic.__struct_fields__}
    return {name: value for name, value in found.items() if value is not None}


def effective(service: EndpointService) -> Traffic:
    """What holds for a service whose listeners have no idle times of their own."""
    return msgspec.structs.replace(DEFAULT, **own(service))
