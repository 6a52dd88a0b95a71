"""Load balancers of either kind, listeners, server groups and servers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import ColumnElement, delete, select, update

from privlink.model.balancer import (
    GroupServer,
    Listener,
    LoadBalancer,
    LoadBalancerZone,
    ServerGroup,
    balancing,
)
from privlink.model.ids import (
    AccountId,
    LoadBalancerId,
    ServerGroupId,
    ServiceId,
    VpcId,
)
from privlink.model.network import VSwitch
from privlink.model.privatelink import ResourceType
from privlink.rules import families, placement
from privlink.store import changes, health, labels, rows, schema
from privlink.store.database import Transaction

_balancer, _zone = schema.load_balancer, schema.load_balancer_zone
_group, _server, _listener = schema.server_group, schema.group_server, schema.listener


def get(tx: Transaction, account_id: AccountId, balancer_id: str) -> LoadBalancer | None:
    """A load balancer of an account, of whatever kind."""
    return rows.find_one(tx, LoadBalancer, _balancer, id=balancer_id, account_id=account_id)


def by_ids(tx: Transaction, balancer_ids: Iterable[str]) -> list[LoadBalancer]:
    return rows.find_among(tx, LoadBalancer, _balancer, "id", balancer_ids)


def of_account(tx: Transaction, account_id: AccountId, kind: ResourceType) -> list[LoadBalancer]:
    """An account's load balancers of one kind, oldest first."""
    found = rows.find(tx, LoadBalancer, _balancer, account_id=account_id, kind=kind)
    return sorted(found, key=lambda balancer: (balancer.created_at, balancer.id))


def count(tx: Transaction, account_id: AccountId, kind: ResourceType) -> int:
    ours = (_balancer.c.account_id == account_id) & (_balancer.c.kind == kind)
    return rows.count(tx, _balancer, ours)


def in_vpc(tx: Transaction, vpc_id: VpcId) -> list[LoadBalancer]:
    return rows.all_of(tx, LoadBalancer, select(_balancer).where(_balancer.c.vpc_id == vpc_id))


def zones(tx: Transaction, balancer_id: str) -> list[LoadBalancerZone]:
    return zones_of(tx, [balancer_id])


def zones_of(tx: Transaction, balancer_ids: Iterable[str]) -> list[LoadBalancerZone]:
    """The places of load balancers, each one's by zone."""
    return rows.find_among(
        tx, LoadBalancerZone, _zone, "balancer_id", balancer_ids, order="zone_id"
    )


def add(tx: Transaction, balancer: LoadBalancer, in_zones: Iterable[LoadBalancerZone]) -> None:
    rows.add(tx, _balancer, balancer)
    rows.add(tx, _zone, *in_zones)
    _touch(tx, balancer.id)


def change(tx: Transaction, balancer: LoadBalancer) -> None:
    """Put a load balancer's settings down as they are given. No node hears of these."""
    rows.change(tx, _balancer, {"id": balancer.id}, **msgspec.structs.asdict(balancer))


def set_active(tx: Transaction, balancer: LoadBalancer, *, active: bool) -> None:
    """Let a load balancer take new flows, or not."""
    change(tx, msgspec.structs.replace(balancer, active=active))
    _touch(tx, balancer.id)


def set_cross_zone(tx: Transaction, balancer: LoadBalancer, *, enabled: bool) -> None:
    """Let servers of other zones take a zone's flows while none of its own is well, or not."""
    change(tx, msgspec.structs.replace(balancer, cross_zone=enabled))
    _touch(tx, balancer.id)


def delete_balancer(tx: Transaction, balancer_id: LoadBalancerId) -> None:
    """Delete a load balancer with its listeners, its addresses and the groups that are its own."""
    for listener in listeners(tx, [balancer_id]):
        labels.forget(tx, listener.id)
    _touch(tx, balancer_id, gone=True)
    enis = tx.execute(select(_zone.c.eni_id).where(_zone.c.balancer_id == balancer_id)).scalars()
    eni_ids = list(enis)
    behind = {listener.group_id for listener in listeners(tx, [balancer_id])}
    tx.execute(delete(_listener).where(_listener.c.balancer_id == balancer_id))
    for group_id in behind:
        _end_draining(tx, group_id)
    for group in groups_of_balancer(tx, balancer_id):
        delete_group(tx, group.id)
    tx.execute(delete(_zone).where(_zone.c.balancer_id == balancer_id))
    tx.execute(delete(schema.eni).where(schema.eni.c.id.in_(eni_ids)))
    tx.execute(delete(_balancer).where(_balancer.c.id == balancer_id))
    labels.forget(tx, balancer_id)


def services_on(tx: Transaction, balancer_id: LoadBalancerId) -> list[ServiceId]:
    """The endpoint services a load balancer is a resource of."""
    table = schema.service_resource
    statement = select(table.c.service_id).where(table.c.resource_id == balancer_id).distinct()
    return [ServiceId(found) for found in tx.execute(statement).scalars()]


def get_group(tx: Transaction, account_id: AccountId, group_id: str) -> ServerGroup | None:
    ours = select(_group).where(_group.c.id == group_id, _group.c.account_id == account_id)
    return rows.one_of(tx, ServerGroup, ours)


def groups_of_account(tx: Transaction, account_id: AccountId) -> list[ServerGroup]:
    """An account's server groups, but for those of one CLB alone, oldest first."""
    found = rows.find(tx, ServerGroup, _group, account_id=account_id)
    free = [group for group in found if group.balancer_id is None]
    return sorted(free, key=lambda group: (group.created_at, group.id))


def groups_of_balancer(tx: Transaction, balancer_id: LoadBalancerId) -> list[ServerGroup]:
    """The server groups of one CLB alone, its default one among them, oldest first."""
    found = rows.find(tx, ServerGroup, _group, balancer_id=balancer_id)
    return sorted(found, key=lambda group: (group.created_at, group.id))


def groups_in(tx: Transaction, vpc_id: VpcId) -> list[ServerGroup]:
    return rows.all_of(tx, ServerGroup, select(_group).where(_group.c.vpc_id == vpc_id))


def add_group(tx: Transaction, group: ServerGroup) -> None:
    rows.add(tx, _group, group)


def change_group(tx: Transaction, group: ServerGroup) -> None:
    """Put a server group's settings down as they are given. No node hears of these."""
    rows.change(tx, _group, {"id": group.id}, **msgspec.structs.asdict(group))


def set_balancing(tx: Transaction, group: ServerGroup) -> None:
    """Put a server group's settings down, those among them that the nodes act on."""
    change_group(tx, group)
    _touch_users(tx, group.id)


def delete_group(tx: Transaction, group_id: ServerGroupId) -> None:
    """Delete a server group that no listener uses, with its servers."""
    tx.execute(delete(_server).where(_server.c.group_id == group_id))
    tx.execute(delete(_group).where(_group.c.id == group_id))
    labels.forget(tx, group_id)


def servers(
    tx: Transaction, group_ids: Iterable[str], *, leaving: bool = False
) -> list[GroupServer]:
    """The servers of groups; of each group by address, IPv4 before IPv6, and port.

    Those that were taken out and still drain are among them if `leaving`.
    """
    found = [
        server
        for server in rows.find_among(tx, GroupServer, _server, "group_id", group_ids)
        if leaving or server.leaving_until is None
    ]
    return sorted(found, key=lambda each: (each.group_id, families.order(each.address), each.port))


def add_servers(tx: Transaction, group_id: ServerGroupId, added: Sequence[GroupServer]) -> None:
    """Add servers to a group. One that still drains is a server like any other again."""
    for server in added:
        tx.execute(delete(_server).where(*_is(server), _server.c.leaving_until.is_not(None)))
    rows.add(tx, _server, *added)
    _touch_users(tx, group_id)


def change_servers(tx: Transaction, group_id: ServerGroupId, given: Iterable[GroupServer]) -> None:
    """Put the weights and descriptions of servers down as they are given."""
    for server in given:
        where = {"group_id": group_id, "address": server.address, "port": server.port}
        rows.change(tx, _server, where, weight=server.weight, description=server.description)
    _touch_users(tx, group_id)


def remove_servers(
    tx: Transaction, group: ServerGroup, gone: Iterable[GroupServer], now: int
) -> None:
    """Take servers out of a group: at once, or where connections drain, when that is over.

    `now` is a Unix time.
    """
    users = listeners_using(tx, group.id)
    drain = max((balancing(group, listener).drain for listener in users), default=0)
    for server in gone:
        if drain:
            tx.execute(update(_server).where(*_is(server)).values(leaving_until=now + drain))
        else:
            tx.execute(delete(_server).where(*_is(server)))
    _touch_users(tx, group.id)


def remove_drained(tx: Transaction, now: int) -> list[GroupServer]:
    """Take the servers away whose time to drain is over; returns them. `now` is a Unix time."""
    over = _server.c.leaving_until <= now
    found = rows.all_of(tx, GroupServer, select(_server).where(over))
    if found:
        tx.execute(delete(_server).where(over))
    for group_id in {server.group_id for server in found}:
        _touch_users(tx, group_id)
    return found


def touch_servers_in(tx: Transaction, vswitch: VSwitch) -> None:
    """Have the nodes look again at load balancers with servers in a vSwitch, which has come or gone
    and gives them their zone.
    """
    found = servers(tx, [group.id for group in groups_in(tx, vswitch.vpc_id)], leaving=True)
    inside = (server.group_id for server in found if placement.lies_in(server.address, vswitch))
    for group_id in dict.fromkeys(inside):
        _touch_users(tx, group_id)


def _is(server: GroupServer) -> tuple[ColumnElement[bool], ...]:
    return (
        _server.c.group_id == server.group_id,
        _server.c.address == server.address,
        _server.c.port == server.port,
    )


def _end_draining(tx: Transaction, group_id: ServerGroupId) -> None:
    """Take away what drains in a group that no listener uses any more: its flows have ended."""
    if not listeners_using(tx, group_id):
        drains = (_server.c.group_id == group_id, _server.c.leaving_until.is_not(None))
        tx.execute(delete(_server).where(*drains))


def _touch_users(tx: Transaction, group_id: ServerGroupId) -> None:
    users = select(_listener.c.balancer_id).where(_listener.c.group_id == group_id).distinct()
    for balancer_id in tx.execute(users).scalars().all():
        _touch(tx, LoadBalancerId(balancer_id))


def _touch(tx: Transaction, balancer_id: LoadBalancerId, *, gone: bool = False) -> None:
    for place in zones(tx, balancer_id):
        front = changes.front_key(balancer_id, place.zone_id)
        changes.touch(tx, changes.balancer_key(balancer_id, place.zone_id), front, gone=gone)
    if gone:
        health.forget_balancer(tx, balancer_id)
    else:
        health.forget(tx, [balancer_id])


def get_listener(tx: Transaction, account_id: AccountId, listener_id: str) -> Listener | None:
    ours = select(_listener).where(
        _listener.c.id == listener_id, _listener.c.account_id == account_id
    )
    return rows.one_of(tx, Listener, ours)


def listeners(tx: Transaction, balancer_ids: Iterable[str]) -> list[Listener]:
    found: list[Listener] = []
    for chunk in rows.chunks(balancer_ids):
        statement = select(_listener).where(_listener.c.balancer_id.in_(chunk))
        ordered = statement.order_by(_listener.c.first, _listener.c.protocol)
        found += rows.all_of(tx, Listener, ordered)
    return found


def listeners_of_account(tx: Transaction, account_id: AccountId) -> list[Listener]:
    """The listeners of all of an account's load balancers, oldest first."""
    found = rows.find(tx, Listener, _listener, account_id=account_id)
    return sorted(found, key=lambda listener: (listener.created_at, listener.id))


def listeners_using(tx: Transaction, group_id: ServerGroupId) -> list[Listener]:
    return rows.all_of(tx, Listener, select(_listener).where(_listener.c.group_id == group_id))


def delete_listener(tx: Transaction, listener: Listener) -> None:
    tx.execute(delete(_listener).where(_listener.c.id == listener.id))
    _end_draining(tx, listener.group_id)
    labels.forget(tx, listener.id)
    _touch(tx, listener.balancer_id)


def add_listener(tx: Transaction, listener: Listener) -> None:
    rows.add(tx, _listener, listener)
    _touch(tx, listener.balancer_id)


def change_listener(tx: Transaction, listener: Listener) -> None:
    """Put a listener's settings down as they are given."""
    rows.change(tx, _listener, {"id": listener.id}, **msgspec.structs.asdict(listener))
    _touch(tx, listener.balancer_id)
