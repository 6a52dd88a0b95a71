"""Making what every installation has: the operator's account, the node, and their keys."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from privlink.model.account import AccessKey, Account, Node
from privlink.model.ids import AccountId, NodeId
from privlink.server.orders import Orders
from privlink.store import accounts, changes, nodes
from privlink.store.database import Transaction

OPERATOR = "default"


def ensure(tx: Transaction, orders: Orders) -> None:
    """Begin this server's life: add what is missing; whatever is there stays as it is."""
    changes.begin(tx, secrets.randbits(48) + 1)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    account_id = AccountId(orders.account.account_id)
    if accounts.get(tx, account_id) is None:
        accounts.add(tx, Account(account_id, OPERATOR, operator=True, created_at=now))
    node_id, zones = NodeId(orders.node.node_id), ",".join(orders.config.zones)
    if nodes.get(tx, node_id) is None:
        nodes.add(tx, Node(node_id, zones, fabric="", revision=0, seen_at=now, drops="{}"))
    nodes.set_zones(tx, node_id, zones)
    for key in (
        AccessKey(orders.account.access_key_id, orders.account.access_key_secret, account_id, None),
        AccessKey(orders.node.access_key_id, orders.node.access_key_secret, None, node_id),
    ):
        if accounts.access_key(tx, key.id) is None:
            accounts.add_access_key(tx, key)
