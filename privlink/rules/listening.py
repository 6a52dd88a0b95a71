"""Which ports listeners of a load balancer have, and which server groups fit behind them."""

from __future__ import annotations

from collections.abc import Iterable

from privlink.model.balancer import Listener, ServerGroup


def takes(group: ServerGroup, protocol: str) -> bool:
    """Whether a server group may stand behind a listener of a protocol.

    Source: the parameters ServerGroupId of CreateListener and Protocol of CreateServerGroup.
    """
    return group.protocol in (protocol, "TCP_UDP")


def in_the_way(
    listeners: Iterable[Listener], protocol: str, first: int, last: int
) -> Listener | None:
    """The listener that has one of these ports already, or None.

    TCP and UDP do not meet: each has every port once.
    """
    for listener in listeners:
        overlaps = listener.first <= last and first <= listener.last
        if listener.protocol == protocol and overlaps:
            return listener
    return None


def ports(first: int, last: int) -> str:
    """Ports as people write them: 80, or 8000-8099."""
    return str(first) if first == last else f"{first}-{last}"
