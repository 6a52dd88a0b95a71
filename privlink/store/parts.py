"""The rows behind keys of the change feed, fetched many at a time.

Each function takes ids from keys and returns, by key, what the plane compiles. A key that is not in
the result has no rows: the item is gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from privlink.model.balancer import GroupServer, Listener, LoadBalancerZone, ServerGroup
from privlink.model.nat import FullNatEntry, NatIp
from privlink.model.network import (
    Attachment,
    Eni,
    HopKind,
    IpVersion,
    RouteEntry,
    RouteTable,
    Vpc,
    VSwitch,
)
from privlink.model.parts import (
    AttachmentParts,
    BalancerParts,
    DoorParts,
    EndpointHop,
    FilterParts,
    ForwardParts,
    GatewayParts,
    MembersParts,
    NatAddressParts,
    RouteTableParts,
    SegmentParts,
)
from privlink.model.security import SecurityGroup, SecurityGroupRule
from privlink.store import (
    balancers,
    changes,
    endpoints,
    gateways,
    members,
    nat_gateways,
    networks,
    prefix_lists,
    resolutions,
    route_tables,
    routes,
    rows,
    schema,
    security,
    services,
)
from privlink.store.database import Transaction


def of_segments(tx: Transaction, vswitch_ids: Iterable[str]) -> dict[str, SegmentParts]:
    vswitches = _by_id(tx, VSwitch, schema.vswitch, vswitch_ids)
    vpcs = _by_id(tx, Vpc, schema.vpc, {vswitch.vpc_id for vswitch in vswitches.values()})
    return {
        changes.segment_key(each.id): SegmentParts(each, vpcs[each.vpc_id])
        for each in vswitches.values()
    }


def of_resolvers(tx: Transaction, vpc_ids: Iterable[str]) -> dict[str, Vpc]:
    vpcs = _by_id(tx, Vpc, schema.vpc, vpc_ids)
    return {changes.resolver_key(each.id): each for each in vpcs.values()}


def of_attachments(tx: Transaction, attachment_ids: Iterable[str]) -> dict[str, AttachmentParts]:
    every = _by_id(tx, Attachment, schema.attachment, attachment_ids)
    found = [each for each in every.values() if not each.deleting]
    enis = _by_id(tx, Eni, schema.eni, {each.eni_id for each in found})
    vswitches = _by_id(tx, VSwitch, schema.vswitch, {each.vswitch_id for each in found})
    vpcs = _by_id(tx, Vpc, schema.vpc, {vswitch.vpc_id for vswitch in vswitches.values()})
    tables = route_tables.of_vswitches(tx, vswitches.values())
    group_ids = members.groups(tx, [each.id for each in found])
    groups = _groups(tx, group_ids)
    return {
        changes.attachment_key(each.id): AttachmentParts(
            each,
            enis[each.eni_id],
            vswitches[each.vswitch_id],
            vpcs[vswitches[each.vswitch_id].vpc_id],
            tables[each.vswitch_id],
            tuple(groups[group_id] for group_id in group_ids[each.id]),
        )
        for each in found
    }


def of_tables(tx: Transaction, table_ids: Iterable[str]) -> dict[str, RouteTableParts]:
    """Route tables of VPCs that have a vSwitch; the others have nobody to route."""
    tables = _by_id(tx, RouteTable, schema.route_table, table_ids)
    vpcs = _by_id(tx, Vpc, schema.vpc, {each.vpc_id for each in tables.values()})
    vswitches: dict[str, list[VSwitch]] = defaultdict(list)
    for vswitch in networks.vswitches_of(tx, vpcs):
        vswitches[vswitch.vpc_id].append(vswitch)
    entries = routes.of_tables(tx, tables)
    every = [entry for some in entries.values() for entry in some]
    listed = prefix_lists.entries(tx, {each.prefix_list_id for each in every})
    blocks = {name: tuple(block.cidr for block in some) for name, some in listed.items()}
    workloads = _workloads(tx, every)
    hops = _endpoint_hops(tx, every, blocks)
    return {
        changes.table_key(each.id): RouteTableParts(
            each,
            vpcs[each.vpc_id],
            tuple(vswitches[each.vpc_id]),
            tuple(entries[each.id]),
            blocks,
            workloads,
            hops,
        )
        for each in tables.values()
        if vswitches[each.vpc_id]
    }


def _workloads(tx: Transaction, entries: Iterable[RouteEntry]) -> dict[str, Eni]:
    """The ENIs of the workloads that routes lead to, by the id of the hop."""
    by_kind: dict[HopKind, set[str]] = defaultdict(set)
    for entry in entries:
        by_kind[entry.hop_kind].add(entry.hop_id)
    found = _by_id(tx, Attachment, schema.attachment, by_kind[HopKind.INSTANCE])
    wanted = {str(each.eni_id) for each in found.values()} | by_kind[HopKind.NETWORK_INTERFACE]
    enis = dict(_by_id(tx, Eni, schema.eni, wanted))
    enis.update({each.id: enis[each.eni_id] for each in found.values()})
    return enis


def _endpoint_hops(
    tx: Transaction, entries: Iterable[RouteEntry], blocks: Mapping[str, tuple[str, ...]]
) -> dict[str, EndpointHop]:
    """The gateway endpoints that routes lead to, by id."""
    lists = {
        entry.hop_id: entry.prefix_list_id
        for entry in entries
        if entry.hop_kind is HopKind.GATEWAY_ENDPOINT
    }
    return {
        each.id: EndpointHop(each.opening, each.number, blocks[lists[each.id]])
        for each in gateways.by_ids(tx, lists).values()
    }


def of_gateways(tx: Transaction, names: Iterable[str]) -> dict[str, GatewayParts]:
    """Gateway endpoints by id, among the names of forwards: the others have their zone in them."""
    wanted = [name for name in names if "/" not in name]
    found = [each for each in gateways.by_ids(tx, wanted).values() if not each.deleting]
    served = gateways.services_by_ids(tx, {each.service_id for each in found})
    blocks = gateways.blocks(tx, served.values())
    vpc_ids = {vpc_id for each in found for vpc_id in (each.vpc_id, each.provider_vpc_id)}
    vpcs = _by_id(tx, Vpc, schema.vpc, vpc_ids)
    return {
        changes.gateway_key(each.id): GatewayParts(
            each,
            vpcs[each.vpc_id],
            vpcs[each.provider_vpc_id],
            any(":" in block for block in blocks[each.service_id]),
        )
        for each in found
    }


def of_balancers(tx: Transaction, places: Iterable[str]) -> dict[str, BalancerParts]:
    """Load balancers by `<load balancer>/<zone>`; fetches the other zones of the same ones too."""
    found = balancers.by_ids(tx, {place.partition("/")[0] for place in places})
    listeners: dict[str, list[Listener]] = defaultdict(list)
    for listener in balancers.listeners(tx, [each.id for each in found]):
        listeners[listener.balancer_id].append(listener)
    group_ids = {each.group_id for some in listeners.values() for each in some}
    groups = _by_id(tx, ServerGroup, schema.server_group, group_ids)
    servers: dict[str, list[GroupServer]] = defaultdict(list)
    for server in balancers.servers(tx, group_ids, leaving=True):
        servers[server.group_id].append(server)
    zones = balancers.zones_of(tx, [each.id for each in found])
    enis = _by_id(tx, Eni, schema.eni, {place.eni_id for place in zones})
    vpcs = _by_id(tx, Vpc, schema.vpc, {each.vpc_id for each in found})
    vswitches: dict[str, list[VSwitch]] = defaultdict(list)
    for vswitch in networks.vswitches_of(tx, vpcs):
        vswitches[vswitch.vpc_id].append(vswitch)
    by_id = {each.id: each for each in found}

    def parts(place: LoadBalancerZone) -> BalancerParts:
        balancer = by_id[place.balancer_id]
        behind = sorted({listener.group_id for listener in listeners[balancer.id]})
        return BalancerParts(
            balancer,
            place,
            enis[place.eni_id],
            vpcs[balancer.vpc_id],
            tuple(listeners[balancer.id]),
            {group_id: groups[group_id] for group_id in behind},
            tuple(server for group_id in behind for server in servers[group_id]),
            tuple(vswitches[balancer.vpc_id]),
        )

    return {changes.balancer_key(each.balancer_id, each.zone_id): parts(each) for each in zones}


def of_filters(tx: Transaction, group_ids: Iterable[str]) -> dict[str, FilterParts]:
    found = security.by_ids(tx, group_ids)
    rules: dict[str, list[SecurityGroupRule]] = defaultdict(list)
    for rule in security.rules(tx, [group.id for group in found]):
        rules[rule.group_id].append(rule)
    peer_ids = {rule.peer_id for some in rules.values() for rule in some if rule.peer_id}
    peers: dict[str, int] = {each.id: each.number for each in security.by_ids(tx, peer_ids)}
    peers |= {each.id: each.number for each in prefix_lists.by_ids(tx, peer_ids)}
    open_inside = members.named(tx, [group.id for group in found]).by_inner_policy
    return {
        changes.filter_key(group.id): FilterParts(
            group, tuple(rules[group.id]), peers, group.id in open_inside
        )
        for group in found
    }


def of_members(tx: Transaction, set_ids: Iterable[str]) -> dict[str, MembersParts]:
    """Sets that something names; one that nothing names any more is gone."""
    sets = members.named(tx, set_ids)
    addresses = members.blocks(tx, sets)
    found = {
        changes.members_key(group.id): MembersParts(group.number, tuple(addresses[group.id]))
        for group in security.by_ids(tx, sets.all)
    }
    entries = prefix_lists.entries(tx, sets.by_rules)
    for each in prefix_lists.by_ids(tx, sets.by_rules):
        listed = tuple(entry.cidr for entry in entries[each.id])
        found[changes.members_key(each.id)] = MembersParts(each.number, listed)
    return found


def of_forwards(tx: Transaction, places: Iterable[str]) -> dict[str, ForwardParts]:
    """Forwards by `<endpoint>/<zone>`; fetches the other zones of the same endpoints too."""
    endpoint_ids = {place.partition("/")[0] for place in places if "/" in place}
    every = endpoints.zones_of(tx, endpoint_ids)
    found = [zone for zone in every if not zone.deleting]
    enis = _by_id(tx, Eni, schema.eni, {zone.eni_id for zone in found})
    vpc_ids: set[str] = {eni.vpc_id for eni in enis.values()}
    vpc_ids |= {zone.provider_vpc_id for zone in found if zone.provider_vpc_id}
    vpc_ids |= {zone.replaced_vpc_id for zone in found if zone.replaced_vpc_id}
    vpcs = _by_id(tx, Vpc, schema.vpc, vpc_ids)
    resource_ids = {zone.resource_id for zone in found if zone.resource_id}
    resource_ids |= {zone.replaced_resource_id for zone in found if zone.replaced_resource_id}
    resources: dict[tuple[str | None, str], LoadBalancerZone] = {
        (each.balancer_id, each.zone_id): each for each in balancers.zones_of(tx, resource_ids)
    }
    group_ids = endpoints.groups(tx, endpoint_ids)
    groups = _groups(tx, group_ids)
    bonds = endpoints.connections(tx, endpoint_ids)
    living = services.by_ids(tx, {bond.service_id for bond in bonds.values()})
    whose = endpoints.by_ids(tx, endpoint_ids)
    return {
        changes.forward_key(zone.endpoint_id, zone.zone_id): ForwardParts(
            zone,
            enis[zone.eni_id],
            vpcs[enis[zone.eni_id].vpc_id],
            tuple(groups[each] for each in group_ids[zone.endpoint_id]),
            vpcs.get(zone.provider_vpc_id or ""),
            resources.get((zone.resource_id, zone.zone_id)),
            vpcs.get(zone.replaced_vpc_id or ""),
            resources.get((zone.replaced_resource_id, zone.zone_id)),
            bonds[zone.endpoint_id],
            living.get(bonds[zone.endpoint_id].service_id),
            whose[zone.endpoint_id].type,
        )
        for zone in found
    }


def of_nat_addresses(tx: Transaction, nat_ip_ids: Iterable[str]) -> dict[str, NatAddressParts]:
    ips = _by_id(tx, NatIp, schema.nat_ip, nat_ip_ids)
    enis = _by_id(tx, Eni, schema.eni, {each.eni_id for each in ips.values()})
    vpcs = _by_id(tx, Vpc, schema.vpc, {eni.vpc_id for eni in enis.values()})
    return {
        changes.nat_key(each.id): NatAddressParts(eni, vpcs[eni.vpc_id])
        for each in ips.values()
        for eni in (enis[each.eni_id],)
    }


def of_doors(tx: Transaction, entry_ids: Iterable[str]) -> dict[str, DoorParts]:
    entries = _by_id(tx, FullNatEntry, schema.full_nat_entry, entry_ids)
    addresses = of_nat_addresses(tx, {each.nat_ip_id for each in entries.values()})
    endpoint_ids = {each.endpoint_id for each in entries.values()}
    whose = endpoints.by_ids(tx, endpoint_ids)
    zones = {zone.number: zone for zone in endpoints.zones_of(tx, endpoint_ids)}
    targets = nat_gateways.targets(tx, endpoint_ids)
    resolvers = resolutions.resolvers(tx, endpoint_ids)
    known = resolutions.addresses(tx, [each for each in entries.values() if each.domain])
    enis = _by_id(tx, Eni, schema.eni, {zone.eni_id for zone in zones.values()})
    vpcs = _by_id(tx, Vpc, schema.vpc, {eni.vpc_id for eni in enis.values()})
    group_ids = endpoints.groups(tx, endpoint_ids)
    rules: dict[str, list[SecurityGroupRule]] = defaultdict(list)
    for rule in security.rules(tx, {each for some in group_ids.values() for each in some}):
        rules[rule.group_id].append(rule)

    def parts(entry: FullNatEntry) -> DoorParts:
        zone, endpoint = zones.get(entry.place), whose.get(entry.endpoint_id)
        is_led = zone and not zone.deleting and zone.resource_id == entry.gateway_id
        at = addresses[changes.nat_key(entry.nat_ip_id)]
        return DoorParts(
            entry,
            at.eni,
            at.vpc,
            zone if is_led else None,
            endpoint.ip_version if endpoint else IpVersion.IPV4,
            {each: tuple(rules[each]) for each in group_ids[entry.endpoint_id]},
            tuple(targets[entry.endpoint_id]),
            enis[zone.eni_id] if zone and is_led else None,
            vpcs[enis[zone.eni_id].vpc_id] if zone and is_led else None,
            resolvers.get(entry.endpoint_id, ""),
            known.get(entry.id, ()),
        )

    return {changes.door_key(each.id): parts(each) for each in entries.values()}


def _groups(tx: Transaction, ids: Mapping[str, Iterable[str]]) -> dict[str, SecurityGroup]:
    """The security groups whose ids are anywhere among these, by id."""
    wanted = {group_id for some in ids.values() for group_id in some}
    return {group.id: group for group in security.by_ids(tx, wanted)}


def _by_id(
    tx: Transaction, kind: type[rows.T], table: Any, ids: Iterable[str]
) -> Mapping[str, rows.T]:
    found = rows.find_among(tx, kind, table, "id", ids)
    return {value.id: value for value in found}  # type: ignore[attr-defined]
