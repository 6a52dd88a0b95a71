"""What nodes say of servers, and everything that the health of a load balancer follows from.

A word lives no longer than what it is about: `forget` is called for a load balancer whenever
something of it changes, so a server that comes back begins anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from privlink.model.balancer import (
    GroupServer,
    Listener,
    LoadBalancer,
    LoadBalancerZone,
    ServerGroup,
    balancing,
)
from privlink.model.health import Front, FrontListener, ServerHealth, ServerState
from privlink.model.ids import NodeId, ZoneId
from privlink.model.network import VSwitch
from privlink.rules import families
from privlink.rules import health as rules
from privlink.store import changes, rows, schema
from privlink.store.database import Transaction
from privlink.store.prepared import Prepared

_health = schema.server_health
_KEY = ("balancer_id", "zone_id", "group_id", "address", "port", "node_id")
_INSERT = upsert(_health).values({name: bindparam(name) for name in _health.columns.keys()})  # noqa: SIM118
_PUT = Prepared(
    _INSERT.on_conflict_do_update(
        index_elements=_KEY,
        set_={name: _INSERT.excluded[name] for name in ("state", "why", "since")},
    ),
    columns=_health.columns.keys(),
)
_FORGET = Prepared(delete(_health).where(*(_health.c[each] == bindparam(each) for each in _KEY)))


def put(tx: Transaction, before: Mapping[str, Front], words: Iterable[ServerHealth]) -> None:
    """Put a node's words on servers in the place of its last ones. `before` is what the health of
    their load balancers followed from until now.
    """
    said: dict[str, list[ServerHealth]] = defaultdict(list)
    for word in words:
        said[word.balancer_id].append(word)
    for balancer_id, some in said.items():
        _PUT.insert(tx, some)
        _touch_changed(tx, before[balancer_id], rules.spoken(before[balancer_id], some))


def forget_node(tx: Transaction, node_id: NodeId) -> None:
    """Forget all that a node has said."""
    ours = _health.c.node_id == node_id
    down = select(_health.c.balancer_id).where(ours, _health.c.state == ServerState.UNHEALTHY)
    before = fronts(tx, tx.execute(down.distinct()).scalars().all())
    tx.execute(delete(_health).where(ours))
    for front in before.values():
        others = tuple(word for word in front.told if word.node_id != node_id)
        _touch_changed(tx, front, msgspec.structs.replace(front, told=others))


def _touch_changed(tx: Transaction, before: Front, after: Front) -> None:
    """Have whoever answers names look again at a load balancer in those zones from which a new flow
    finds a server behind it where it found none, or none any more.
    """
    for zone_id in after.zone_ids:
        if rules.has_server(before, zone_id) is not rules.has_server(after, zone_id):
            changes.touch(tx, changes.front_key(after.balancer.id, zone_id))


def forget_balancer(tx: Transaction, balancer_id: str) -> None:
    """Forget all that was said for a load balancer."""
    tx.execute(delete(_health).where(_health.c.balancer_id == balancer_id))


def forget(tx: Transaction, balancer_ids: Iterable[str]) -> None:
    """Forget what was said of servers that nobody is to ask any more for these load balancers."""
    spoken_of = {each.balancer_id for each in _told(tx, balancer_ids)}
    for front in fronts(tx, spoken_of).values():
        asked = rules.asked(front)
        ended = [each for each in front.told if rules.place(each) not in asked]
        if ended:
            _FORGET.many(tx, [{name: getattr(each, name) for name in _KEY} for each in ended])


def fronts(tx: Transaction, balancer_ids: Iterable[str]) -> dict[str, Front]:
    """What the health of load balancers follows from, by their ids; those that exist."""
    balancers = rows.find_among(tx, LoadBalancer, schema.load_balancer, "id", balancer_ids)
    ids = [each.id for each in balancers]
    zone_ids: dict[str, list[ZoneId]] = defaultdict(list)
    places = schema.load_balancer_zone
    for place in rows.find_among(tx, LoadBalancerZone, places, "balancer_id", ids, order="zone_id"):
        zone_ids[place.balancer_id].append(place.zone_id)
    words: dict[str, list[ServerHealth]] = defaultdict(list)
    for word in _told(tx, ids):
        words[word.balancer_id].append(word)
    taking = _by_balancer(tx, balancers)
    located = _zones_of_servers(tx, balancers, taking)
    return {
        each.id: Front(
            balancer=each,
            zone_ids=tuple(zone_ids[each.id]),
            cross_zone=each.cross_zone,
            listeners=tuple(taking[each.id]),
            server_zones=located[each.id],
            told=tuple(words[each.id]),
        )
        for each in balancers
    }


def behind(tx: Transaction, listeners: Iterable[Listener]) -> list[FrontListener]:
    """Listeners, whether they take flows or not, and the servers behind each, but for those that
    leave: these take no new flows, and nobody asks what has become of them.
    """
    listed = list(listeners)
    ids = {each.group_id for each in listed}
    every = rows.find_among(tx, ServerGroup, schema.server_group, "id", ids)
    groups = {group.id: group for group in every}
    servers: dict[str, list[GroupServer]] = defaultdict(list)
    for server in rows.find_among(tx, GroupServer, schema.group_server, "group_id", ids):
        if server.leaving_until is None:
            servers[server.group_id].append(server)
    return [
        FrontListener(
            each,
            balancing(groups[each.group_id], each).health_check.enabled,
            tuple(sorted(servers[each.group_id], key=_in_order)),
        )
        for each in listed
    ]


def told(tx: Transaction, balancer_id: str) -> list[ServerHealth]:
    """What nodes say of the servers of a load balancer."""
    return _told(tx, [balancer_id])


def _told(tx: Transaction, balancer_ids: Iterable[str]) -> list[ServerHealth]:
    return rows.find_among(tx, ServerHealth, _health, "balancer_id", balancer_ids)


def _by_balancer(tx: Transaction, balancers: list[LoadBalancer]) -> dict[str, list[FrontListener]]:
    """The listeners that take flows, of each load balancer in the order of their ports."""
    active = [each.id for each in balancers if each.active]
    listeners = rows.find_among(tx, Listener, schema.listener, "balancer_id", active, order="first")
    found: dict[str, list[FrontListener]] = defaultdict(list)
    for each in behind(tx, [one for one in listeners if one.started]):
        found[each.listener.balancer_id].append(each)
    return found


def _in_order(server: GroupServer) -> tuple[str, int]:
    return families.order(server.address), server.port


def _zones_of_servers(
    tx: Transaction, balancers: list[LoadBalancer], taking: dict[str, list[FrontListener]]
) -> dict[str, dict[str, str]]:
    """The zones of servers by their addresses, for each load balancer."""
    vswitches: dict[str, list[VSwitch]] = defaultdict(list)
    vpc_ids = {each.vpc_id for each in balancers}
    for vswitch in rows.find_among(tx, VSwitch, schema.vswitch, "vpc_id", vpc_ids):
        vswitches[vswitch.vpc_id].append(vswitch)
    return {
        each.id: rules.located(
            {server.address for some in taking[each.id] for server in some.servers},
            vswitches[each.vpc_id],
        )
        for each in balancers
    }
