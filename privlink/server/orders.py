"""What `privlink up` tells its server on standard input: settings, and the keys of the first start.

Keys travel this way because arguments and environments can be read by others.
"""

from __future__ import annotations

import msgspec

from privlink.config import Config


class Credentials(msgspec.Struct, frozen=True):
    """An account's access key, as `credentials.json` holds it."""

    account_id: str
    access_key_id: str
    access_key_secret: str


class NodeCredentials(msgspec.Struct, frozen=True):
    """A node's access key, as `node.json` holds it, or that of whoever answers names."""

    node_id: str
    access_key_id: str
    access_key_secret: str


class Orders(msgspec.Struct, frozen=True):
    """All that a server process needs to know.

    The id of `account` is a proposal, for the first start: DescribeStatus tells the one that holds.
    """

    config: Config
    uid: int
    account: Credentials
    node: NodeCredentials
    dns: NodeCredentials | None = None  # of whoever answers names; None: nobody does
