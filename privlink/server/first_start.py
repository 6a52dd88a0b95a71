"""Making what every installation has: the operator's account, the node, who answers names, and
their keys.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import msgspec

from privlink.model.account import AccessKey, Account, Node, Resolver
from privlink.model.ids import AccountId, NodeId, ResolverId
from privlink.server import control
from privlink.server.orders import NodeCredentials, Orders
from privlink.store import accounts, changes, nodes, resolvers, roles
from privlink.store.database import Transaction

OPERATOR = "default"


def ensure(tx: Transaction, orders: Orders) -> None:
    """Begin this server's life: add what is missing; whatever is there stays as it is.

    The operator's account keeps the id of its first start, whatever the orders propose: credentials
    that were lost come back as one more key of it.
    """
    changes.begin(tx, secrets.randbits(48) + 1)
    moment = datetime.now(UTC)
    roles.forget_sessions(tx, before=int(moment.timestamp()))
    accounts.forget_nonces(tx, int(moment.timestamp()))
    control.settle_servers(tx, int(moment.timestamp()))
    now = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    operator = accounts.operator(tx)
    if operator is None:
        proposed = AccountId(orders.account.account_id)
        operator = Account(
            proposed,
            OPERATOR,
            operator=True,
            created_at=now,
            opened=True,
            linked=False,
            reverse=True,
        )
        accounts.add(tx, operator)
    node_id, zones = NodeId(orders.node.node_id), ",".join(orders.config.zones)
    if nodes.get(tx, node_id) is None:
        unheard = Node(node_id, zones, fabric="", life=0, revision=0, seen_at=now, drops="{}")
        nodes.add(tx, unheard)
    nodes.set_zones(tx, node_id, zones)
    own, nodes_own = orders.account, orders.node
    for key in (
        AccessKey(own.access_key_id, own.access_key_secret, operator.id, None, created_at=now),
        AccessKey(
            nodes_own.access_key_id, nodes_own.access_key_secret, None, node_id, created_at=now
        ),
    ):
        if accounts.access_key(tx, key.id) is None:
            accounts.add_access_key(tx, key)
    _ensure_resolver(tx, orders.dns, now)


def _ensure_resolver(tx: Transaction, own: NodeCredentials | None, now: str) -> None:
    """Know the one who answers names, and nobody else who ever did: it would be waited for."""
    if own is None:
        resolvers.keep(tx, None, "")
        return
    resolver_id = ResolverId(own.node_id)
    resolvers.keep(tx, resolver_id, own.access_key_id)
    if resolvers.get(tx, resolver_id) is None:
        resolvers.add(tx, Resolver(resolver_id, life=0, revision=0, seen_at=now))
    if accounts.access_key(tx, own.access_key_id) is None:
        key = AccessKey(own.access_key_id, own.access_key_secret, None, None, created_at=now)
        accounts.add_access_key(tx, msgspec.structs.replace(key, resolver_id=resolver_id))
