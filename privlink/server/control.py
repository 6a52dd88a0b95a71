"""The control loop: what follows from what nodes, and whoever answers names, have confirmed.

It runs on every report, inside the report's transaction; what time alone decides, at the server's
start as well. Level, not edge: it looks at whatever is unsettled now, so a lost report or a restart
costs nothing but time.
"""

from __future__ import annotations

from privlink.rules import lifecycle
from privlink.rules.lifecycle import Step, ZoneFacts
from privlink.store import balancers, changes, endpoints, gateways, networks, nodes
from privlink.store.database import Transaction


def settle(tx: Transaction, now: int) -> list[str]:
    """Settle everything that is unsettled and may be; returns what was done, in sentences.

    `now` is a Unix time.
    """
    return [
        *_settle_zones(tx),
        *_settle_endpoints(tx),
        *_settle_associations(tx),
        *_settle_gateways(tx),
        *_settle_attachments(tx),
        *settle_servers(tx, now),
    ]


def settle_servers(tx: Transaction, now: int) -> list[str]:
    """Take away the servers whose time to drain is over, in sentences."""
    return [
        f"{server.group_id}: {server.address} port {server.port} has drained"
        for server in balancers.remove_drained(tx, now)
    ]


def _settle_zones(tx: Transaction) -> list[str]:
    said = []
    zones = endpoints.unsettled_zones(tx)
    # Its own item alone: an address is in place, or gone, whatever its balancer and filters do. One
    # that is to be gone must have left the names as well.
    keys = {zone: changes.forward_key(zone.endpoint_id, zone.zone_id) for zone in zones}
    named = {zone: changes.names_key(zone.endpoint_id) for zone in zones if zone.deleting}
    in_step = nodes.in_step(tx, [*keys.values(), *named.values()])
    for zone, key in keys.items():
        is_known = not zone.deleting or in_step.confirms_since(named[zone], key)
        step = lifecycle.next_step(ZoneFacts(zone, in_step.confirms(key) and is_known))
        if step is Step.PLACED:
            endpoints.mark_placed(tx, zone)
        elif step is Step.GONE:
            endpoints.delete_zone(tx, zone)
        else:
            continue
        said.append(f"{key}: {step.value}")
    return said


def _settle_endpoints(tx: Transaction) -> list[str]:
    said = []
    for endpoint in endpoints.deleting(tx):
        if not endpoints.zones(tx, endpoint.id):
            endpoints.delete_endpoint(tx, endpoint)
            said.append(f"{endpoint.id}: deleted")
    return said


def _settle_associations(tx: Transaction) -> list[str]:
    said = []
    found = gateways.unsettled_associations(tx)
    in_step = nodes.in_step(tx, {changes.table_key(each.table_id) for each in found})
    for each in found:
        if not in_step.confirms(changes.table_key(each.table_id)):
            continue
        if each.leaving:
            gateways.delete_association(tx, each)
        else:
            gateways.mark_held(tx, each)
        what = "led away from" if each.leaving else "routed to"
        said.append(f"{each.table_id}: {what} {each.endpoint_id}")
    return said


def _settle_gateways(tx: Transaction) -> list[str]:
    """After the associations: an endpoint goes when no table may have a route to it any more."""
    said = []
    found = gateways.unsettled(tx)
    in_step = nodes.in_step(tx, {changes.gateway_key(each.id) for each in found})
    left = gateways.associations(tx, [each.id for each in found])
    for each in found:
        if not in_step.confirms(changes.gateway_key(each.id)):
            continue
        if not each.deleting:
            gateways.mark_placed(tx, each)
            said.append(f"{each.id}: in place")
        elif not left[each.id]:
            gateways.delete_endpoint(tx, each)
            said.append(f"{each.id}: deleted")
    return said


def _settle_attachments(tx: Transaction) -> list[str]:
    said = []
    leaving = networks.deleting_attachments(tx)
    keys = {each: changes.attachment_key(each.id) for each in leaving}
    in_step = nodes.in_step(tx, keys.values())
    for attachment, key in keys.items():
        if in_step.confirms(key):
            networks.delete_attachment(tx, attachment)
            said.append(f"{key}: unplugged; its address is free again")
    return said
