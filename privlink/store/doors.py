"""Full-NAT entries as nodes hear of them: whatever a door is made of, from whichever side.

A door follows from its entry, from the endpoint zone it leads to, from the security groups on that
endpoint and their rules, and from its consumer's list of targets.
"""

from __future__ import annotations

from sqlalchemy import bindparam, exists, select

from privlink.model.ids import EndpointId, FullNatEntryId, SecurityGroupId
from privlink.store import changes, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared

_entry, _on_endpoint = schema.full_nat_entry, schema.endpoint_security_group
_group = schema.security_group

_OF_ENDPOINT = Prepared(
    select(_entry.c.id).where(_entry.c.endpoint_id == bindparam("endpoint_id")).order_by("id")
)
_OF_ZONE = Prepared(
    select(_entry.c.id)
    .where(
        _entry.c.endpoint_id == bindparam("endpoint_id"), _entry.c.zone_id == bindparam("zone_id")
    )
    .order_by("id")
)
# By the VPC first: a group may be on ten thousand endpoints that no entry leads to.
_OF_GROUP = Prepared(
    select(_entry.c.id)
    .where(
        _entry.c.target_vpc_id
        == select(_group.c.vpc_id).where(_group.c.id == bindparam("group_id")).scalar_subquery(),
        exists().where(
            _on_endpoint.c.endpoint_id == _entry.c.endpoint_id,
            _on_endpoint.c.group_id == bindparam("group_id"),
        ),
    )
    .order_by("id")
)


def touch_of_endpoint(tx: Transaction, endpoint_id: EndpointId) -> None:
    """Have the nodes look again at the doors that lead to an endpoint."""
    _touch(tx, _OF_ENDPOINT.rows(tx, endpoint_id=endpoint_id))


def touch_of_zone(tx: Transaction, endpoint_id: EndpointId, zone_id: str) -> None:
    """The same for those that lead to it in one zone."""
    _touch(tx, _OF_ZONE.rows(tx, endpoint_id=endpoint_id, zone_id=zone_id))


def touch_of_group(tx: Transaction, group_id: SecurityGroupId) -> None:
    """The same for those that lead to the endpoints a security group is on."""
    _touch(tx, _OF_GROUP.rows(tx, group_id=group_id))


def _touch(tx: Transaction, found: list[tuple[str]]) -> None:
    changes.touch(tx, *(changes.door_key(FullNatEntryId(entry_id)) for (entry_id,) in found))
