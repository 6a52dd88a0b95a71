"""The change feed: which items changed since a revision. It says "look again", never what.

One row per item, moved to the newest revision whenever something the item is made of changes. So
reading costs what changed, and loss, restart and repetition need no code of their own. Rows of
items that are gone stay until everybody whom they are for has seen that they are.

Items are for nodes, documents (`model.naming`) for whoever answers names; nobody hears of what is
for the other. They share their revisions, so that of two changes it is known which came first.
"""

from __future__ import annotations

import enum
import time
from typing import get_args

import msgspec
from sqlalchemy import ScalarSelect, Table, bindparam, case, delete, func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from privlink.model.ids import (
    AttachmentId,
    EndpointId,
    FullNatEntryId,
    LoadBalancerId,
    NameServerId,
    NatIpId,
    RouteTableId,
    SecurityGroupId,
    VpcId,
    VSwitchId,
    ZoneId,
)
from privlink.model.naming import AnyDocument
from privlink.store import rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared, PreparedIn, Query

_change = schema.change
_DOCUMENTS = frozenset(str(each.__struct_config__.tag) for each in get_args(AnyDocument))


class Audience(enum.StrEnum):
    """Whom a change is for."""

    NODES = "nodes"
    RESOLVERS = "resolvers"  # whoever answers names


class Change(msgspec.Struct, frozen=True):
    """An item and the revision it last changed at."""

    key: str
    revision: int
    gone: bool


_INSERT = upsert(_change).values(
    {name: bindparam(name) for name in ("key", "revision", "gone", "audience")}
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
_OURS = _change.c.audience == bindparam("wanted")
_SINCE = Query(
    Change,
    select(_change.c.key, _change.c.revision, _change.c.gone)
    .where(_OURS, _change.c.revision > bindparam("after"))
    .order_by(_change.c.revision),
)
_LIVING = Query(
    Change,
    select(_change.c.key, _change.c.revision, _change.c.gone)
    .where(_OURS, ~_change.c.gone)
    .order_by(_change.c.revision),
)
_NEWEST = Prepared(select(func.max(_change.c.revision)).where(_OURS))


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


def resolver_key(vpc_id: VpcId) -> str:
    """The key of what a node does for names to be answered in a VPC."""
    return f"resolver/{vpc_id}"


def place_key(vswitch_id: VSwitchId) -> str:
    """The key of a vSwitch as a place where questions come from."""
    return f"place/{vswitch_id}"


def names_key(endpoint_id: EndpointId) -> str:
    """The key of all the names that an endpoint goes by."""
    return f"names/{endpoint_id}"


def front_key(balancer_id: str, zone_id: ZoneId) -> str:
    """The key of whether a load balancer has a server that is well, as seen from a zone."""
    return f"front/{balancer_id}/{zone_id}"


def name_server_key(server_id: NameServerId) -> str:
    """The key of somebody else's name server."""
    return f"server/{server_id}"


def audience(key: str) -> Audience:
    """Whom a key is for."""
    is_document = key.partition("/")[0] in _DOCUMENTS
    return Audience.RESOLVERS if is_document else Audience.NODES


def touch(tx: Transaction, *keys: str, gone: bool = False) -> None:
    """Say that these items or documents changed, or are gone."""
    for key in keys:
        number = rows.next_number(tx, "revision")
        _TOUCH.run(tx, key=key, revision=number, gone=gone, audience=audience(key))


def since(tx: Transaction, revision: int, whose: Audience = Audience.NODES) -> list[Change]:
    """What changed after `revision`, oldest first."""
    return _SINCE.all(tx, wanted=whose, after=revision)


def living(tx: Transaction, whose: Audience = Audience.NODES) -> list[Change]:
    """Everything there is for an audience, oldest change first."""
    return _LIVING.all(tx, wanted=whose)


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
    rows.set_number(tx, "life began at", newest(tx))


def life(tx: Transaction) -> int:
    """The life revisions belong to: what a node learnt in another one proves nothing."""
    return rows.number(tx, "life")


def age(tx: Transaction) -> float:
    """For how long this life has lasted, in seconds."""
    return time.time() - rows.number(tx, "life began")


def newest_before(tx: Transaction) -> int:
    """The revision of the last change before this life."""
    return rows.number(tx, "life began at")


def newest(tx: Transaction) -> int:
    """The revision of the last change, whomever it was for."""
    return rows.number(tx, "revision")


def newest_for(tx: Transaction, whose: Audience) -> int:
    """The revision of the last change for an audience that has not heard of it all; 0: none."""
    return int(_NEWEST.scalar(tx, wanted=whose) or 0)


def forget_gone(tx: Transaction) -> None:
    """Drop the rows of what is gone, once all of its audience know that it is.

    Where nobody answers names, nobody has to know of those.
    """
    known = case(
        (_change.c.audience == Audience.NODES, _known_to(schema.node)),
        else_=func.coalesce(_known_to(schema.resolver), _change.c.revision),
    )
    tx.execute(delete(_change).where(_change.c.gone, _change.c.revision <= known))


def _known_to(readers: Table) -> ScalarSelect[int]:
    """The revision that all of some readers have confirmed; NULL if there are none."""
    return select(func.min(readers.c.revision)).scalar_subquery()
