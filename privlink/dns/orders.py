"""What `privlink up` tells the process that answers names, on its standard input."""

from __future__ import annotations

import msgspec

from privlink.dns.sockets.exchange import Server


class Orders(msgspec.Struct, frozen=True):
    """All that it needs to know."""

    server: str  # URL
    node_id: str
    access_key_id: str
    access_key_secret: str
    instance: str
    uid: int  # of the user without rights that it becomes
    domain: str
    listen: Server | None  # where it answers on the host
    upstreams: tuple[Server, ...] | None  # who is asked for other names; None: the host's servers
