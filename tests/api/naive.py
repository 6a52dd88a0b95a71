"""The documents that names are answered from, made from the tables themselves, in the plainest way.

Nothing of the product's own is used but the tables, so that it and this can be held together.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

Document = dict[str, Any]
Row = dict[str, Any]
DOMAIN = "local.privatelink.internal"

_ZONES = """
SELECT zone.*, endpoint.id AS id, endpoint.service_id AS service, vpc.number AS network,
    bond.number AS ordered, bond.decision AS decision, eni.address AS address,
    eni.address6 AS address6, provider.number AS provider, endpoint.type AS type,
    endpoint.zone_affinity OR coalesce(service.zone_affinity, 0) AS affinity
FROM endpoint_zone AS zone JOIN endpoint ON endpoint.id = zone.endpoint_id
JOIN connection AS bond ON bond.endpoint_id = endpoint.id
JOIN vpc ON vpc.id = endpoint.vpc_id JOIN eni ON eni.id = zone.eni_id
LEFT JOIN endpoint_service AS service ON service.id = endpoint.service_id
LEFT JOIN vpc AS provider ON provider.id = zone.provider_vpc_id
WHERE zone.opening IS NOT NULL ORDER BY endpoint.id, zone.zone_id"""
_SERVERS = """
SELECT place.balancer_id AS balancer, place.zone_id AS zone, server.*,
    balancer.cross_zone AS across, balancer.vpc_id AS vpc,
    CASE server.port WHEN 0 THEN coalesce(listener.server_port, 0)
    ELSE server.port END AS serves
FROM load_balancer_zone AS place JOIN load_balancer AS balancer ON balancer.id = place.balancer_id
JOIN listener ON listener.balancer_id = balancer.id
JOIN group_server AS server ON server.group_id = listener.group_id
WHERE balancer.active AND listener.started AND server.leaving_until IS NULL AND server.weight > 0"""


def documents(file: Path) -> dict[str, Document]:
    """Every document there is for a database, by key."""
    with closing(sqlite3.connect(file)) as database:
        database.row_factory = sqlite3.Row
        found = dict(_places(database))
        found |= dict(_fronts(database))
        found |= _names(_rows(database, _ZONES))
    return found


def _places(database: sqlite3.Connection) -> Iterator[tuple[str, Document]]:
    query = "SELECT s.id, s.number, v.number AS network, s.zone_id FROM vswitch AS s"
    for each in _rows(database, f"{query} JOIN vpc AS v ON v.id = s.vpc_id"):
        document = {"kind": "place", "number": each["number"], "network": each["network"]}
        yield f"place/{each['id']}", document | {"zone": each["zone_id"]}


def _fronts(database: sqlite3.Connection) -> Iterator[tuple[str, Document]]:
    servers = _rows(database, _SERVERS)
    words = _rows(database, "SELECT * FROM server_health WHERE state = 'Unhealthy'")
    down = {tuple(each[name] for name in _ASKED) for each in words}
    blocks = [
        (each["vpc_id"], each["zone_id"], ip_network(each[cidr]))
        for each in _rows(database, "SELECT * FROM vswitch")
        for cidr in ("cidr", "cidr6")
        if each[cidr]
    ]
    for place in _rows(database, "SELECT * FROM load_balancer_zone"):
        balancer, zone = place["balancer_id"], place["zone_id"]
        well = any(
            (balancer, zone, each["group_id"], each["address"], each["serves"]) not in down
            and (each["across"] or _zone_of(each, blocks) in (zone, None))
            for each in servers
            if (each["balancer"], each["zone"]) == (balancer, zone)
        )
        yield f"front/{balancer}/{zone}", {"kind": "front", "healthy": well}


_ASKED = ("balancer_id", "zone_id", "group_id", "address", "port")


def _zone_of(server: Row, blocks: list[tuple[str, str, IPv4Network | IPv6Network]]) -> str | None:
    address = ip_address(server["address"])
    inside = (zone for vpc, zone, block in blocks if vpc == server["vpc"] and address in block)
    return next(inside, None)


def _names(zones: list[Row]) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for each in zones:
        if each["decision"] != "accepted" or each["type"] != "Interface":
            continue
        domain = f"{each['id']}.{each['service']}.{DOMAIN}"
        document = {
            "kind": "names",
            "endpoint": each["id"],
            "network": each["network"],
            "order": each["ordered"],
            "domain": domain,
            "service_domain": f"{each['service']}.{DOMAIN}",
            "zones": [],
            "affinity": bool(each["affinity"]),
            "private": [],
            "aliases": [],
        }
        found.setdefault(f"names/{each['id']}", document)["zones"].append(_zone(each))
    return found


def _zone(each: Row) -> Document:
    source = IPv4Address(each["source"])
    mapped = IPv6Address("fd70:7269:766c::") + each["source"]
    return {
        "zone": each["zone_id"],
        "domain": f"{each['id']}-{each['zone_id']}.{each['service']}.{DOMAIN}",
        "address": str(IPv4Address(each["address"])),
        "address6": each["address6"] or "",
        "front": f"front/{each['resource_id']}/{each['zone_id']}",
        "provider": each["provider"],
        "source": str(source),
        "source6": str(mapped) if each["address6"] else "",
    }


def _rows(database: sqlite3.Connection, query: str) -> list[Row]:
    return [dict(row) for row in database.execute(query)]
