"""The change feed: which items changed since a revision. It says "look again", never what.

One row per item, moved to the newest revision whenever something the item is made of changes. So
reading costs what changed, and loss, restart and repetition need no code of their own. Rows of
items that are gone stay until every node has seen that they are.
"""

from __future__ import annotations

import time

import msgspec
from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from privlink.model.ids import (
    AttachmentId,
    EndpointId,
    FullNatEntryId,
    LoadBalancerId,
    NatIpId,
    RouteTableId,
    SecurityGroupId,
    VSwitchId,
    ZoneId,
)
from privlink.store import rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared, PreparedIn

_change = schema.change

_INSERT = upsert(_change).values(
    key=bindparam("key"), revision=bindparam("revision"), gone=bindparam("gone")
)
_TOUCH = Prepared(
    _INSERT.on_conflict_do_update(
        index_elements=["key"],
        set_={"revision": _INSERT.excluded.revision, "gone": _INSERT.excluded.gone},
    )
)
_CHANGED_AT = PreparedIn(
    lambda keys: select(_change.c.key, _change.c.revision).where(_change.c.key.in_(keys))
)


class Change(msgspec.Struct, frozen=True):
    """An item and the revision it last changed at."""

    key: str
    revision: int
    gone: bool


def segment_key(vswitch_id: VSwitchId) -> str:
    return f"segment/{vswitch_id}"


def attachment_key(attachment_id: AttachmentId) -> str:
    return f"attachment/{attachment_id}"


def table_key(table_id: RouteTableId) -> str:
    return f"table/{table_id}"


def balancer_key(balancer_id: LoadBalancerId, zone_id: ZoneId) -> str:
    return f"balancer/{balancer_id}/{zone_id}"


def filter_key(group_id: SecurityGroupId) -> str:
    return f"filter/{group_id}"


def members_key(set_id: str) -> str:
    """The key of a set that rules name: a security group's members, or a prefix list."""
    return f"members/{set_id}"


def forward_key(endpoint_id: EndpointId, zone_id: ZoneId) -> str:
    return f"forward/{endpoint_id}/{zone_id}"


def gateway_key(endpoint_id: EndpointId) -> str:
    """The key of a gateway endpoint's forward, which is in no zone."""
    return f"forward/{endpoint_id}"


def nat_key(nat_ip_id: NatIpId) -> str:
    return f"nat/{nat_ip_id}"


def door_key(entry_id: FullNatEntryId) -> str:
    return f"door/{entry_id}"


def names_key(endpoint_id: EndpointId) -> str:
    """The key of the names an endpoint goes by."""
    return f"names/{endpoint_id}"


def touch(tx: Transaction, *keys: str, gone: bool = False) -> None:
    """Say that these items changed, or are gone."""
    for key in keys:
        _TOUCH.run(tx, key=key, revision=rows.next_number(tx, "revision"), gone=gone)


def since(tx: Transaction, revision: int) -> list[Change]:
    """What changed after `revision`, oldest first."""
    statement = select(_change).where(_change.c.revision > revision).order_by(_change.c.revision)
    return rows.all_of(tx, Change, statement)


def living(tx: Transaction) -> list[Change]:
    """Every item there is, oldest change first."""
    statement = select(_change).where(~_change.c.gone).order_by(_change.c.revision)
    return rows.all_of(tx, Change, statement)


def changed_at(tx: Transaction, keys: list[str]) -> dict[str, int]:
    """The revisions at which items last changed."""
    return dict(_CHANGED_AT.rows(tx, keys))


def begin(tx: Transaction, life: int) -> None:
    """Begin a server's life on this database, which may be another one, or an older copy.

    A new database starts at revision 1, because 0 is what a node asks from that knows nothing.
    """
    rows.set_number(tx, "life", life)
    rows.set_number(tx, "life began", int(time.time()))
    if newest(tx) == 0:
        rows.next_number(tx, "revision")


def life(tx: Transaction) -> int:
    """The life revisions belong to: what a node learnt in another one proves nothing."""
    return rows.number(tx, "life")


def age(tx: Transaction) -> float:
    """For how long this life has lasted, in seconds."""
    return time.time() - rows.number(tx, "life began")


def newest(tx: Transaction) -> int:
    """The revision of the last change."""
    return rows.number(tx, "revision")


def forget_gone(tx: Transaction) -> None:
    """Drop the rows of items that are gone and that every node knows to be."""
    seen_by_all = select(func.min(schema.node.c.revision)).scalar_subquery()
    tx.execute(delete(_change).where(_change.c.gone, _change.c.revision <= seen_by_all))
